"""HeCBench's graph colouring (its issue 167), by hand and by us, on the emulated wave64 GPU.

    python benchmarks/amdgpu_twins.py HeCBench/src

Three HIP versions colour the same random graph: the suite's own twin; the twin as it was before its
authors adapted it to waves of 64 (`-U__GFX9__` takes the adaptation away again); our port of the
CUDA original. A colouring is right when no edge joins two nodes of one colour.
"""

from __future__ import annotations

import argparse
import sys
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
Ints = NDArray[np.int32]


def main() -> int:
    """Colour with each, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    suite = parser.parse_args().suite
    include = next(p.parent for p in suite.glob("*/graph.h") if "ECLgraph" in p.read_text())
    flags = [f"-I{include}"]
    twin = (suite / "gc-hip" / "main.cu").read_text()
    port = crossport.port(suite / "gc-cuda" / "main.cu", to="rocm", flags=flags)
    ours = next(o.data for o in port.outputs if o.path.suffix == ".hip").decode()
    print("| version | gfx942 | gfx1100 |\n|---|---|---|")
    for name, text, extra in (
        ("the suite's HIP twin", twin, []),
        ("the twin without its wave64 branch", twin, ["-U__GFX9__"]),
        ("our port of the CUDA original", ours, []),
    ):
        words = [colour(text, arch, [*flags, *extra]) for arch in ("gfx942", "gfx1100")]
        print(f"| {name} | {' | '.join(words)} |")
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
    try:
        code = CodeObject.load(compile_hip(text, arch, flags=flags))
        symbols = kernel_symbols(tuple(code.kernels))
        with Device(arch) as device:

            def launch(kernel: str, *args: Any) -> None:
                device.launch(
                    code, symbols[kernel], BLOCKS, BLOCK, args,
                    options=Options(instruction_limit=20_000_000, schedule="round-robin"),
                )  # fmt: skip

            launch("init", NODES, edges, nidx, nlist, nlist2, posscol, posscol2, color, wl, wlsize)
            launch("runLarge", NODES, nidx, nlist2, posscol, posscol2, color, wl, wlsize)
            launch("runSmall", NODES, nidx, nlist, posscol, color)
    except PortError as error:
        return f"fails: {error.diagnostic.message[:100]}"
    owner = np.repeat(np.arange(NODES), np.diff(nidx))
    wrong = int((color[owner] == color[nlist]).sum() // 2)
    return f"{wrong} edges join one colour" if wrong else f"right, {color.max() + 1} colours"


if __name__ == "__main__":
    sys.exit(main())
