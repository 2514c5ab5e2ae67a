"""Sample threads: the indices, loop variables and active lanes that polynomials are computed for.

    block_values(target, launch)      thread.x = 0, 1, 2 ... of the first block and of a middle one
    Samples(target, launch).of(a)     for each sample round of a's loops: values, and who is there

A size that no launch fixes stands in as TYPICAL_SIZE.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossport.ir.facts.hardware import GpuTarget
from crossport.ir.facts.symbolic import (
    UNIFORM,
    Level,
    NotEvaluable,
    Poly,
    Symbol,
    Values,
    evaluate,
    symbols,
    unknowns,
)
from crossport.ir.facts.walk import Access, Branch, Loop

TYPICAL_SIZE = 1024
Request = tuple[Values, Values]
"""Byte offsets of the active lanes of one wavefront, and those lanes' numbers."""

_ROUNDS = (0, 1, 2, 3, 5, 7)
_MOST_SAMPLES = 12
_MOST_WAVES = 32


@dataclass(frozen=True, slots=True)
class Launch:
    """A concrete launch: extents of grid and block, and scalar arguments by parameter name."""

    grid: tuple[int, int, int] = (TYPICAL_SIZE, 1, 1)
    block: tuple[int, int, int] = (256, 1, 1)
    args: Mapping[str, int] = field(default_factory=dict)
    shared_bytes: int = 0
    guessed: tuple[str, ...] = ()
    """What is not known and was chosen: "gridDim.x", "blockDim"."""

    @property
    def threads(self) -> int:
        """Threads of a block."""
        x, y, z = self.block
        return x * y * z


class Samples:
    """Requests of sample waves. What accesses of one place have in common is computed once."""

    def __init__(self, target: GpuTarget, launch: Launch) -> None:
        self.wave = target.wave
        self.launch = launch
        self.blocks = list(block_values(target, launch))
        # By identity: accesses next to each other share the tuples.
        self._rounds: dict[int, list[dict[str, Any]] | None] = {}
        self._active: dict[tuple[int, int], list[Any]] = {}
        self._guards: dict[tuple[int, int], list[Any]] = {}

    def requests(self, access: Access) -> Iterator[Request]:
        """Offsets and lane numbers of the active lanes (if any) of each sample wave and round."""
        taken = 0
        rounds = self.rounds(access.loops)
        if rounds is None:
            return
        active_in = self.active(access)
        for inside, active in zip(rounds, active_in, strict=True):
            if taken >= _MOST_SAMPLES * _MOST_WAVES:
                return
            try:
                offsets = evaluate(access.offset, with_sizes(access.offset, inside, self.launch))
            except NotEvaluable:
                return
            offsets = np.broadcast_to(offsets, inside["thread.x"].shape)
            for first in range(0, len(active), self.wave):
                here = active[first : first + self.wave]
                taken += 1
                yield offsets[first : first + self.wave][here], np.flatnonzero(here)

    def rounds(self, loops: tuple[Loop, ...]) -> list[dict[str, Any]] | None:
        """Values in each sample round that the loops have; None where they cannot be computed."""
        if id(loops) not in self._rounds:
            try:
                self._rounds[id(loops)] = list(self._compute(loops))
            except NotEvaluable:
                self._rounds[id(loops)] = None
        return self._rounds[id(loops)]

    def _compute(self, loops: tuple[Loop, ...]) -> Iterator[dict[str, Any]]:
        conditions = tuple(loop.condition for loop in loops if loop.condition is not None)
        for values in self.blocks:
            # All rounds of the inner loops, while there are not too many of them.
            every = itertools.product(_ROUNDS, repeat=len(loops))
            for rounds in itertools.islice(every, _MOST_SAMPLES):
                inside = in_loops(loops, rounds, values, self.launch)
                # Rounds past the end of a loop are none.
                if active_lanes(conditions, inside, self.launch).any():
                    yield inside

    def active(self, access: Access | Branch) -> list[Any]:
        """Which lanes get there, in each round."""
        key = (id(access.loops), id(access.guards))
        if key not in self._active:
            rounds = self.rounds(access.loops) or []
            masks = [self._passing(guard, access.loops, rounds) for guard in access.guards]
            everyone = [np.ones(r["thread.x"].shape, dtype=bool) for r in rounds]
            self._active[key] = [
                np.logical_and.reduce(each) for each in zip(everyone, *masks, strict=True)
            ]
        return self._active[key]

    def _passing(
        self, guard: Poly, loops: tuple[Loop, ...], rounds: list[dict[str, Any]]
    ) -> list[Any]:
        """Which lanes one guard lets through, in each round."""
        key = (id(loops), id(guard))
        if key not in self._guards:
            self._guards[key] = [active_lanes((guard,), r, self.launch) for r in rounds]
        return self._guards[key]


def wave_values(target: GpuTarget, launch: Launch) -> Iterator[dict[str, Any]]:
    """The built-in indices of sample wavefronts, of the first block and of one in the middle."""
    for values in block_values(target, launch):
        for first in range(0, len(values["thread.x"]), target.wave):
            part = slice(first, first + target.wave)
            yield values | {f"thread.{a}": values[f"thread.{a}"][part] for a in "xyz"}


def block_values(target: GpuTarget, launch: Launch) -> Iterator[dict[str, Any]]:
    """The built-in indices of all threads of the first block, and of one in the middle."""
    bx, by, _ = launch.block
    middle = tuple(extent // 2 for extent in launch.grid)
    linear = np.arange(min(launch.threads, target.wave * _MOST_WAVES), dtype=np.int64)
    for block in dict.fromkeys(((0, 0, 0), middle)):
        yield {
            "thread.x": linear % bx,
            "thread.y": linear // bx % by,
            "thread.z": linear // (bx * by),
            "warp_size": np.int64(target.wave),
            UNIFORM: np.int64(0),
            **{f"block.{a}": np.int64(v) for a, v in zip("xyz", block, strict=True)},
            **{f"block_dim.{a}": np.int64(v) for a, v in zip("xyz", launch.block, strict=True)},
            **{f"grid_dim.{a}": np.int64(v) for a, v in zip("xyz", launch.grid, strict=True)},
        }


def in_loops(
    loops: tuple[Loop, ...], rounds: tuple[int, ...], values: dict[str, Any], launch: Launch
) -> dict[str, Any]:
    """`values`, with the loop variables as they are in the given round of each loop."""
    inside = dict(values)
    for loop, number in zip(loops, rounds, strict=True):
        inside[loop.counter.name] = np.int64(number)
        for symbol, first, _ in loop.recurrences:
            inside[symbol.name] = evaluate(first, with_sizes(first, inside, launch))
        for _ in range(number if loop.recurrences else 0):
            later = {
                symbol.name: evaluate(following, with_sizes(following, inside, launch))
                for symbol, _, following in loop.recurrences
            }
            inside |= later
    return inside


def active_lanes(guards: tuple[Poly, ...], values: dict[str, Any], launch: Launch) -> Any:
    """Which lanes are let through; a guard that cannot be computed is taken as true."""
    active = np.ones(values["thread.x"].shape, dtype=bool)
    for guard in guards:
        if any(unknown.level is Level.LANE for unknown in unknowns(guard)):
            continue
        if any(True for _ in unknowns(guard)):
            continue
        try:
            active &= evaluate(guard, with_sizes(guard, values, launch)) != 0
        except NotEvaluable:
            continue
    return active


def with_sizes(poly: Poly, values: dict[str, Any], launch: Launch) -> dict[str, Any]:
    """`values`, with the launch's (or typical) values for scalar parameters in `poly`."""
    missing = {
        s.name: np.int64(launch.args.get(s.name, TYPICAL_SIZE))
        for s in symbols(poly)
        if s.name not in values and is_size(s)
    }
    return values | missing


def is_size(symbol: Symbol) -> bool:
    """Is it a number that comes from outside: no index, extent, or loop counter?"""
    return (
        symbol.loop is None
        and symbol.level is Level.GRID
        and symbol.name != "warp_size"
        and not symbol.name.startswith(("grid_dim.", "block_dim."))
    )
