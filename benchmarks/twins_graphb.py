"""HeCBench's graph balancing (graphB+) on an emulated GPU: its host loop, and what is right.

A signed graph is balanced along breadth-first trees. For each tree the host asks for levels until
all nodes are in it, then labels the tree from its root down, turns the signs of edges that close a
negative cycle, and finds the two camps that positive edges join. Every step is checked against the
same step on the host: the tree's levels, the signs after the turn, the camps, and who agrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options
from crossport.validation.runners.amdgpu import kernel_symbols

NODES, TREES, BLOCKS, BLOCK = 500, 2, 4, 256
LIMITS = Options(instruction_limit=20_000_000, schedule="round-robin")
Ints = NDArray[np.int32]


class Wrong(Exception):
    """The first step whose result is not the host's."""


def signed_graph() -> tuple[Ints, Ints, Ints]:
    """Row starts, neighbours and signs: a connected graph with some nodes of many neighbours."""
    rng = np.random.default_rng(6)
    near = rng.random((NODES, NODES)) < 0.015
    near[:12] |= rng.random((12, NODES)) < 0.3
    near |= np.eye(NODES, k=1, dtype=bool)
    near = np.triu(near, 1)
    sign = np.where(rng.random((NODES, NODES)) < 0.3, -1, 1)
    near |= near.T
    sign = np.triu(sign, 1) + np.triu(sign, 1).T
    starts = np.concatenate([[0], np.cumsum(near.sum(1))]).astype(np.int32)
    return starts, np.nonzero(near)[1].astype(np.int32), sign[near].astype(np.int32)


def balance(text: str, arch: str, flags: list[str]) -> str:
    """What a version makes of the graph on one GPU."""
    code = CodeObject.load(compile_hip(text, arch, flags=flags))
    with Device(arch) as device:
        run = Balancing(device, code)
        try:
            return run.all_trees()
        except Wrong as wrong:
            return str(wrong)


class Balancing:
    """The program's arrays, and its host loop."""

    def __init__(self, device: Device, code: CodeObject) -> None:
        self.device, self.code = device, code
        self.symbols = kernel_symbols(tuple(code.kernels))
        self.starts, self.list, self.weight = signed_graph()
        self.edges = self.list.size
        self.in_tree, self.negative, self.ws1, self.ws2 = (
            np.zeros(self.edges, np.int32) for _ in range(4)
        )
        self.info = np.zeros(2 * self.edges, np.int32)
        self.minus = np.zeros(self.edges, np.uint8)
        self.agrees, self.label, self.parent, self.queue = (
            np.zeros(NODES, np.int32) for _ in range(4)
        )
        self.tail = np.zeros(1, np.int32)
        # `hi` and `wSize` live from launch to launch.
        self.globals = {
            name: np.zeros(1, kind)
            for name, kind in (("_ZL2hi", np.uint64), ("_ZL5wSize", np.int32))
        }

    def launch(self, kernel: str, *args: Any) -> None:
        """One launch, as the program makes all of them."""
        self.device.launch(
            self.code, self.symbols[kernel], BLOCKS, BLOCK, args,
            globals=self.globals, options=LIMITS,
        )  # fmt: skip

    def all_trees(self) -> str:
        """Balance along trees from the nodes of most neighbours."""
        self.launch(
            "init", self.edges, NODES, self.list, self.weight, self.agrees, self.info,
            self.in_tree, self.negative,
        )  # fmt: skip
        expected = np.zeros(NODES, np.int32)
        roots = np.argsort(-np.diff(self.starts), kind="stable")[:TREES]
        for turn, root in enumerate(map(int, roots)):
            borders = self.tree(turn, root)
            self.labels(root, borders)
            self.launch("inTreeUpdate", self.edges, self.list, self.in_tree)
            self.initial_signs()
            self.launch(
                "processCycles", NODES, self.starts, self.list, self.label, self.info, self.minus
            )
            self.check_signs(root)
            self.camps()
            expected += self.expected_agreement()
            if (self.agrees != expected).any():
                raise Wrong(f"{int((self.agrees != expected).sum())} of {NODES} nodes misjudged")
        return f"right, {TREES} trees, {int(self.agrees.sum())} agreements"

    def tree(self, turn: int, root: int) -> list[int]:
        """The breadth-first tree: where each level of it begins in the queue."""
        self.launch(
            "init2", self.edges, NODES, root, self.list, self.parent, self.queue, self.label,
            self.tail,
        )  # fmt: skip
        borders = [0, 1]
        while borders[-1] < NODES:
            level = len(borders) - 2
            self.launch(
                "generateSpanningTree", NODES, self.starts, self.list, turn + 17, self.info,
                self.parent, self.queue, level, self.tail, borders[-2], borders[-1],
            )  # fmt: skip
            if int(self.tail[0]) == borders[-1]:
                raise Wrong(f"the tree stops at {borders[-1]} of {NODES} nodes")
            borders.append(int(self.tail[0]))
        depth = self.depths(root)
        at = np.searchsorted(borders, np.arange(NODES), side="right") - 1
        wrong = int((depth[self.queue] != at).sum())
        if sorted(self.queue) != list(range(NODES)) or wrong:
            raise Wrong(f"{wrong} of {NODES} nodes stand in a wrong level")
        return borders

    def depths(self, root: int) -> Ints:
        """How far each node is from the root."""
        depth = np.full(NODES, -1, np.int32)
        depth[root] = 0
        front = [root]
        while front:
            after: list[int] = []
            for node in front:
                for other in self.list[self.starts[node] : self.starts[node + 1]] >> 1:
                    if depth[other] < 0:
                        depth[other] = depth[node] + 1
                        after.append(int(other))
            front = after
        return depth

    def labels(self, root: int, borders: list[int]) -> None:
        """Sizes of subtrees from the leaves up, labels from the root down."""
        levels = len(borders) - 1
        for level in range(levels - 1, 0, -1):
            self.launch(
                "rootcount", self.parent, self.queue, self.label, level, borders[level],
                borders[level + 1],
            )  # fmt: skip
        if self.label[root] != NODES:
            raise Wrong(f"the root counts {self.label[root]} of {NODES} nodes")
        self.label[root] = 0
        for level in range(levels):
            self.launch(
                "treelabel", NODES, self.starts, self.list, self.info, self.in_tree,
                self.negative, self.parent, self.queue, self.label, level, borders[level],
                borders[level + 1],
            )  # fmt: skip

    def initial_signs(self) -> None:
        """What the kernel initMinus is for: it races, as one block's first loop overwrites what
        another's second has stored, on NVIDIA's GPUs too; so the host does its work."""
        self.minus[:] = 1
        for row in zip(self.starts[:-1], self.starts[1:], strict=True):
            for at in range(*map(int, row)):
                if not self.list[at] & 1:
                    break
                self.minus[at] = self.info[2 * at + 1] & 1

    def check_signs(self, root: int) -> None:
        """An edge gets the sign of the tree's path between its ends."""
        _, neighbours, weights = signed_graph()
        sign = {
            (node, int(neighbours[at])): int(weights[at] == -1)
            for node in range(NODES)
            for at in range(self.starts[node], self.starts[node + 1])
        }
        from_root = np.zeros(NODES, np.int32)
        for node in map(int, self.queue):
            if node != root:
                above = int(self.parent[node]) >> 2
                from_root[node] = from_root[above] ^ sign[above, node]
        wrong = lost = 0
        for node in range(NODES):
            row = slice(self.starts[node], self.starts[node + 1])
            others = self.list[row] >> 1
            lost += int((np.sort(others) != neighbours[row]).sum())
            one_way = others > node
            right = from_root[node] ^ from_root[others]
            wrong += int((one_way & (self.minus[row] != right)).sum())
        if lost:
            raise Wrong(f"{lost} of {self.edges} entries of the neighbour lists are lost")
        if wrong:
            raise Wrong(f"{wrong} of {self.edges // 2} edges have a wrong sign")

    def camps(self) -> None:
        """What positive edges join, and how many negative ones are between."""
        self.launch("init3", NODES, self.starts, self.list, self.label, self.queue)
        self.launch(
            "compute1", NODES, self.starts, self.list, self.label, self.minus, self.negative
        )
        self.launch("flatten", NODES, self.label)
        self.launch("ccSize", NODES, self.label, self.queue)
        self.launch("largestCC", NODES, self.queue)
        self.launch(
            "ccHopCount", NODES, self.starts, self.list, self.label, self.queue, self.ws1, self.ws2
        )
        changed = np.ones(1, np.uint8)
        while changed[0]:
            changed[0] = 0
            for _ in range(3):
                self.launch("BellmanFord", self.queue, changed, self.ws1, self.ws2)
        self.launch("incrementCC", NODES, self.label, self.queue, self.agrees)

    def expected_agreement(self) -> NDArray[np.int32]:
        """Camps of the signs as they stand, worked out on the host: 1 where a node agrees."""
        camp = list(range(NODES))

        def first(node: int) -> int:
            while camp[node] != node:
                node = camp[node]
            return node

        owner = np.repeat(np.arange(NODES), np.diff(self.starts))
        others = self.list >> 1
        for a, b in zip(owner[self.minus == 0], others[self.minus == 0], strict=True):
            one, two = sorted((first(int(a)), first(int(b))))
            camp[two] = one
        label = np.array([first(node) for node in range(NODES)])
        sizes = np.bincount(label, minlength=NODES)
        largest = int(np.nonzero(sizes == sizes.max())[0][-1])
        hops = {largest: 0}
        front = [largest]
        while front:
            after = []
            for at in front:
                for other in set(label[others[label[owner] == at]]):
                    if other not in hops:
                        hops[int(other)] = hops[at] + 1
                        after.append(int(other))
            front = after
        return np.array([(hops[int(at)] % 2) ^ 1 for at in label], np.int32)
