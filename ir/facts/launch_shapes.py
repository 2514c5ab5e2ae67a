"""Which block shapes a kernel was probably written for, where no launch of it is at hand.

    __shared__ float tile[16][17];  ... tile[threadIdx.y][threadIdx.x] ...
        ->  (16, 16, 1), (32, 32, 1), ..., most plausible first

Only directions that the kernel reads get an extent. What says most about a block is its launch
bound, then the extents of shared arrays, with and without room for padding or a halo; the usual
shapes stand between: a kernel that loops over its data takes any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossport.ir.nodes import Function, Module, Special, walk
from crossport.ir.reachable import reachable
from crossport.ir.types import Array, Type

Shape = tuple[int, int, int]

MOST_THREADS = 1024
_USUAL: dict[int, tuple[Shape, ...]] = {
    1: tuple((n, 1, 1) for n in (256, 128, 512, 64, 1024, 32)),
    2: (
        *((x, y, 1) for x, y in ((16, 16), (32, 32), (8, 8), (32, 8), (32, 16))),
        *((x, y, 1) for x, y in ((32, 4), (64, 4), (16, 8), (16, 4), (64, 8), (128, 2))),
    ),
    3: ((8, 8, 8), (8, 8, 4), (32, 4, 4), (16, 4, 4), (4, 4, 4)),
}
_SMALL: dict[int, tuple[Shape, ...]] = {
    1: ((16, 1, 1), (8, 1, 1), (1, 1, 1)),
    2: ((8, 4, 1), (4, 4, 1), (1, 1, 1)),
    3: ((4, 4, 2), (2, 2, 2), (1, 1, 1)),
}
_ROOM = (0, 1, 2, 4)
"""Elements of padding or halo that a shared array may have beside one a thread."""


@dataclass(frozen=True, slots=True)
class Directions:
    """Which axes (0: x) a kernel, with all it calls, reads of its threads and of its blocks."""

    threads: frozenset[int]
    blocks: frozenset[int]

    @property
    def rank(self) -> int:
        """How many axes its blocks have: 1, 2 or 3."""
        return max(self.threads, default=0) + 1


def directions(module: Module, kernel: Function) -> Directions:
    """What a kernel reads of `threadIdx`, `blockDim`, `blockIdx` and `gridDim`."""
    names = {
        node.name
        for function in reachable(module, kernel)
        for statement in function.body
        for node in walk(statement)
        if isinstance(node, Special)
    }

    def axes(*roots: str) -> frozenset[int]:
        return frozenset(
            axis for axis, letter in enumerate("xyz") for r in roots if f"{r}.{letter}" in names
        )

    return Directions(axes("thread", "block_dim"), axes("block", "grid_dim"))


def likely_blocks(module: Module, kernel: Function) -> tuple[Shape, ...]:
    """Block shapes to try, the most plausible first; at least one thread, at most 1024."""
    rank = directions(module, kernel).rank
    bound = kernel.kernel.launch_bounds[0] if kernel.kernel is not None else 0
    limit = min(bound or MOST_THREADS, MOST_THREADS)
    found = [*_USUAL[rank], *_of_shared(module, kernel, rank), *_SMALL[rank]]
    if bound and rank == 1:
        found.insert(0, (limit, 1, 1))
    fitting = [s for s in dict.fromkeys(found) if s[0] * s[1] * s[2] <= limit]
    if bound:
        fitting.sort(key=lambda s: s[0] * s[1] * s[2] != limit)
    return tuple(fitting)


def _of_shared(module: Module, kernel: Function, rank: int) -> Iterator[Shape]:
    """Shapes with one thread for each element along the last axes of a shared array."""
    for function in reachable(module, kernel):
        for variable in function.shared:
            extents = _extents(variable.type)
            for room in _ROOM:
                x, y, z = (*(e - room for e in reversed(extents[-rank:])), 1, 1, 1)[:3]
                if len(extents) >= rank and min(x, y, z) > 0 and x % 4 == 0:
                    yield (x, y, z)
            if rank == 2 and len(extents) >= 2:
                # Rows of several elements a thread: only the number of rows is the block's.
                yield from ((x, extents[-2], 1) for x in (32, 16, 64, 8))


def _extents(kind: Type) -> list[int]:
    extents = []
    while isinstance(kind, Array):
        extents.append(kind.length)
        kind = kind.element
    return extents
