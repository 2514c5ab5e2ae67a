"""HeCBench's Steiner trees (rsmt) on an emulated GPU: its host code, and what right trees are.

Trees are right when each joins all pins of its net and none is longer than the net's spanning tree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options
from crossport.validation.runners.amdgpu import kernel_symbols

BLOCKS, NETS, MOST_PINS = 4, 120, 24
LIMITS = Options(instruction_limit=20_000_000, schedule="round-robin")
ASKS_FOR_64 = "defined(__GFX8__) || defined(__GFX9__)"
"""What the mended twin asks before it takes 64 for the width of a wave."""
Ints = NDArray[np.int32]


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
    kernel = wide if ASKS_FOR_64 in text and arch == "gfx942" else narrow
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
