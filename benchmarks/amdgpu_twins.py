"""HeCBench's twins that depend on the wave's width, by hand and by us, on the emulated GPUs.

    python benchmarks/amdgpu_twins.py HeCBench/src

Graph colouring (that suite's issue 167) and rectilinear Steiner trees (171): three HIP versions
each work on the same random input: the suite's own twin; the twin without the branch for waves of
64 that its authors added; our port of the CUDA original. A colouring is right when no edge joins
two nodes of one colour. Trees are right when each joins all pins of its net and none is longer than
the net's spanning tree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crossport
from crossport.diagnostics import PortError
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options
from crossport.validation.runners.amdgpu import kernel_symbols

NODES, BLOCKS, BLOCK = 600, 4, 512
WIDE = "defined(__GFX8__) || defined(__GFX9__)"
"""What the twins ask before they take 64 for the width of a wave."""
NETS, MOST_PINS = 120, 24
LIMITS = Options(instruction_limit=20_000_000, schedule="round-robin")
Ints = NDArray[np.int32]


def main() -> int:
    """Colour with each, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    suite = parser.parse_args().suite
    include = next(p.parent for p in suite.glob("*/graph.h") if "ECLgraph" in p.read_text())
    print("| program | version | gfx942 | gfx1100 |\n|---|---|---|---|")
    for program, flags, judge in (
        ("gc", [f"-I{include}"], colour),
        ("rsmt", [f"-I{suite / 'rsmt-hip'}"], connect),
    ):
        twin = (suite / f"{program}-hip" / "main.cu").read_text()
        source = suite / f"{program}-cuda" / "main.cu"
        port = crossport.port(source, to="rocm", flags=[f"-I{source.parent}", *flags])
        ours = next(o.data for o in port.outputs if o.path.suffix == ".hip").decode()
        headers = tempfile.mkdtemp(prefix="twins-")
        for output in port.outputs:
            (Path(headers) / output.path.name).write_bytes(output.data)
        for name, text, extra in (
            ("the suite's HIP twin", twin, []),
            ("the twin without its wave64 branch", twin.replace(WIDE, "0"), []),
            ("our port of the CUDA original", ours, [f"-I{headers}", f"-I{source.parent}"]),
        ):
            words = []
            for arch in ("gfx942", "gfx1100"):
                try:
                    words.append(judge(text, arch, [*extra, *flags]))
                except PortError as error:
                    words.append(f"fails: {error.diagnostic.message[:100]}")
            print(f"| {program} | {name} | {' | '.join(words)} |", flush=True)
    return 0


def graph() -> tuple[Ints, Ints]:
    """A random graph with some nodes of many neighbours, as row starts and neighbour lists."""
    rng = np.random.default_rng(3)
    near = rng.random((NODES, NODES)) < 0.02
    near[:20] |= rng.random((20, NODES)) < 0.2
    near = np.triu(near, 1)
    near |= near.T
    starts = np.concatenate([[0], np.cumsum(near.sum(1))]).astype(np.int32)
    return starts, np.nonzero(near)[1].astype(np.int32)


def colour(text: str, arch: str, flags: list[str]) -> str:
    """What a version makes of the graph on one GPU."""
    nidx, nlist = graph()
    edges = nlist.size
    nlist2, posscol2 = np.zeros(edges, np.int32), np.zeros(edges // 32 + 1, np.int32)
    posscol, color, wl = (np.zeros(NODES, np.int32) for _ in range(3))
    wlsize = np.zeros(1, np.int32)
    code = CodeObject.load(compile_hip(text, arch, flags=flags))
    symbols = kernel_symbols(tuple(code.kernels))
    with Device(arch) as device:

        def launch(kernel: str, *args: Any) -> None:
            device.launch(code, symbols[kernel], BLOCKS, BLOCK, args, options=LIMITS)

        launch("init", NODES, edges, nidx, nlist, nlist2, posscol, posscol2, color, wl, wlsize)
        launch("runLarge", NODES, nidx, nlist2, posscol, posscol2, color, wl, wlsize)
        launch("runSmall", NODES, nidx, nlist, posscol, color)
    owner = np.repeat(np.arange(NODES), np.diff(nidx))
    wrong = int((color[owner] == color[nlist]).sum() // 2)
    return f"{wrong} edges join one colour" if wrong else f"right, {color.max() + 1} colours"


def connect(text: str, arch: str, flags: list[str]) -> str:
    """What a version makes of random nets of 2 to 24 pins on one GPU."""
    rng = np.random.default_rng(4)
    sizes = rng.integers(2, MOST_PINS + 1, NETS)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    pins = int(starts[-1])
    x, y = (rng.integers(0, 1000, pins).astype(np.int32) for _ in range(2))
    out = np.zeros(NETS + 1, np.int32)
    x_out, y_out = np.full(2 * pins, -1, np.int32), np.full(2 * pins, -1, np.int32)
    edges, left = np.zeros((2 * pins, 2), np.int16), np.zeros(NETS, np.int32)
    code = CodeObject.load(compile_hip(text, arch, flags=flags))
    symbols = kernel_symbols(tuple(code.kernels))
    # As the hosts do: the twin has half as many waves of twice the width.
    narrow, wide = "largeNetKernel<24,64>", "largeNetKernel<12,64>"
    kernel = wide if WIDE in text and arch == "gfx942" else narrow
    with Device(arch) as device:
        arguments = [starts, x, y, out, x_out, y_out, edges.reshape(-1), NETS, left]
        device.launch(code, symbols[kernel], BLOCKS, 24 * 32, arguments, options=LIMITS)
    wrong, total = 0, 0
    for net in range(NETS):
        first = 2 * int(starts[net])
        last = 2 * int(starts[net + 1])
        count = int((x_out[first:last] >= 0).sum())
        points = np.stack([x_out[first : first + count], y_out[first : first + count]], 1)
        tree = edges[first : first + max(count - 1, 0)]
        length = tree_length(points, tree, int(sizes[net]))
        shortest = spanning_length(np.stack([x, y], 1)[starts[net] : starts[net + 1]])
        wrong += length is None or length > shortest
        total += length or 0
    return f"{wrong} of {NETS} trees are wrong" if wrong else f"right, length {total}"


def tree_length(points: Ints, tree: NDArray[np.int16], pins: int) -> int | None:
    """The length of a tree; None when it does not join all pins."""
    if len(points) < pins or (tree < 0).any() or (tree >= len(points)).any():
        return None
    group = list(range(len(points)))

    def root(k: int) -> int:
        while group[k] != k:
            k = group[k]
        return k

    for a, b in tree:
        group[root(int(a))] = root(int(b))
    if len({root(k) for k in range(pins)}) != 1:
        return None
    return int(np.abs(points[tree[:, 0]] - points[tree[:, 1]]).sum())


def spanning_length(points: Ints) -> int:
    """The length of the shortest spanning tree (Prim)."""
    distance = np.abs(points - points[0]).sum(1)
    rest, total = set(range(1, len(points))), 0
    while rest:
        near = min(rest, key=lambda k: int(distance[k]))
        rest.remove(near)
        total += int(distance[near])
        distance = np.minimum(distance, np.abs(points - points[near]).sum(1))
    return total


if __name__ == "__main__":
    sys.exit(main())
