"""HeCBench's graph colouring (gc) on an emulated GPU: its host loop, and what a right colouring is.

A colouring is right when no edge joins two nodes of one colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options
from crossport.validation.runners.amdgpu import kernel_symbols

NODES, BLOCKS, BLOCK = 600, 4, 512
LIMITS = Options(instruction_limit=20_000_000, schedule="round-robin")
Ints = NDArray[np.int32]


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
