"""The block that a kernel is likely launched with, where no launch says so.

uses threadIdx.y, and __shared__ float tile[32][33]     32 x 32
uses threadIdx.y, no square tile                        16 x 16
uses threadIdx.x only                                   256 x 1
"""

from __future__ import annotations

from crossport.ir.nodes import Function, Module, Special, walk
from crossport.ir.reachable import reachable
from crossport.ir.types import Array

Shape = tuple[int, int, int]
_TILES = (8, 16, 32)


def typical_block(module: Module, kernel: Function) -> Shape:
    """A guess that fits the launch bounds, the axes in use and the shared tiles."""
    functions = list(reachable(module, kernel))
    bound = kernel.kernel.launch_bounds[0] if kernel.kernel else 0
    used = {n.name for f in functions for s in f.body for n in walk(s) if isinstance(n, Special)}
    if "thread.z" in used:
        shape = (8, 8, 4)
    elif "thread.y" in used:
        side = _tile_side(functions)
        shape = (side, side, 1)
    else:
        return (bound or 256, 1, 1)
    threads = shape[0] * shape[1] * shape[2]
    return shape if not bound or threads <= bound else (bound, 1, 1)


def _tile_side(functions: list[Function]) -> int:
    """The side of the square tiles that the block fills, padding apart."""
    for function in functions:
        for variable in function.shared:
            kind = variable.type
            if isinstance(kind, Array) and isinstance(kind.element, Array):
                rows, columns = kind.length, kind.element.length
                if rows in _TILES and columns in (rows, rows + 1):
                    return rows
    return 16
