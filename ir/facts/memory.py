"""What an access costs on a target: segments a request, bank conflicts, bytes moved and used.

    x[tid], 4 bytes      sm_90: 4 sectors of 32 B (4 are ideal)   gfx942: 2 lines of 128 B
    tile[tid*33]         sm_90: 1 pass over 32 banks              gfx942: 2 parts, 1 pass each
    x[tid*32]            sm_90: 32 sectors, 12.5 % of the bytes are used

Addresses are computed for whole wavefronts of sample blocks and loop rounds, from the polynomial
of the access; bases are taken as aligned to 256 bytes (what allocators give). A size that no launch
fixes stands in as 1024. Data-dependent addresses have no pattern here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from crossport.ir.facts.hardware import GpuTarget
from crossport.ir.facts.symbolic import (
    UNIFORM,
    Level,
    NotEvaluable,
    Poly,
    Symbol,
    Unknown,
    Values,
    evaluate,
    symbols,
    unknowns,
)
from crossport.ir.facts.walk import Access, Loop

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
    """Extents that are not known and stand as TYPICAL_SIZE: "gridDim.x"."""

    @property
    def threads(self) -> int:
        """Threads of a block."""
        x, y, z = self.block
        return x * y * z


Shape = Literal["broadcast", "coalesced", "strided", "scattered", "data-dependent", "never"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One access as one target sees it, per request of a whole wavefront (means over samples).

    shape: how neighbouring lanes' addresses lie; "never": no thread of a block gets there.
    stride: bytes between neighbours, if constant.
    segments / ideal: global memory segments touched, and the fewest that could hold the bytes used.
    passes / ideal_passes: shared memory cycles, likewise. aligned: the first lane starts a segment.
    """

    shape: Shape
    stride: int | None = None
    segments: float | None = None
    ideal: float | None = None
    passes: float | None = None
    ideal_passes: float | None = None
    aligned: bool | None = None
    active_lanes: float | None = None
    wave_share: float = 1.0
    """The share of waves in which any lane makes the access."""
    rounds_per_segment: float | None = None
    """Where a request leaves bytes of its segments over and the innermost loop walks through them:
    how many rounds it takes."""

    @property
    def efficiency(self) -> float | None:
        """Share of the bytes (global) or passes (shared) moved that the program asked for."""
        if self.segments and self.ideal:
            return self.ideal / self.segments
        if self.passes and self.ideal_passes:
            return self.ideal_passes / self.passes
        return None


def pattern(access: Access, target: GpuTarget, launch: Launch) -> Pattern:
    """How `access` behaves on `target` in `launch`."""
    if any(unknown.level is Level.LANE for unknown in unknowns(access.offset)):
        return Pattern("data-dependent")
    if _step_is_unknown(access.offset):
        return Pattern("data-dependent")
    sampled = list(_requests(access, target, launch))
    requests = [request for request in sampled if len(request[0])]
    if not requests:
        is_known = sampled and not any(True for guard in access.guards for _ in unknowns(guard))
        return Pattern("never" if is_known else "data-dependent")
    make = _shared_pattern if access.base.space == "shared" else _global_pattern
    return replace(make(requests, access, target), wave_share=len(requests) / len(sampled))


def _step_is_unknown(offset: Poly) -> bool:
    """Does a value that nothing is known about scale the thread's number?"""
    return any(
        any(isinstance(atom, Unknown) for atom in monomial)
        and any(atom.level is Level.LANE for atom in monomial)
        for monomial, _ in offset.terms
    )


def segments_touched(offsets: Values, size: int, segment: int) -> int:
    """Distinct `segment`-byte pieces that accesses of `size` bytes at `offsets` touch."""
    first, last = offsets // segment, (offsets + size - 1) // segment
    touched = [first + step for step in range(int((last - first).max()) + 1)]
    return len(np.unique(np.concatenate([np.minimum(t, last) for t in touched])))


def bank_passes(offsets: Values, size: int, lanes: Values, target: GpuTarget) -> tuple[int, int]:
    """Cycles for one shared memory request, and the fewest possible for that many active lanes.

    The request goes in parts of as many lanes as fill the banks once; in a part, each bank serves
    one word a cycle, and lanes that want the same word share it. Sources: CUDA C++ Programming
    Guide, "Shared Memory"; composable_kernel documentation, "LDS and bank conflicts".
    """
    words = max(1, size // target.bank_bytes)
    part = max(1, min(32, target.banks) // words)
    cycles = parts = 0
    for chunk in np.unique(lanes // part):
        inside = offsets[lanes // part == chunk]
        word = (inside[:, None] // target.bank_bytes + np.arange(words)[None, :]).ravel()
        distinct = np.unique(word)
        cycles += int(np.bincount(distinct % target.banks, minlength=1).max())
        parts += 1
    return cycles, parts


def _global_pattern(requests: list[Request], access: Access, target: GpuTarget) -> Pattern:
    touched = [segments_touched(o, access.size, target.segment) for o, _ in requests]
    ideal = [_fewest(o, access.size, target.segment) for o, _ in requests]
    used = sum(_bytes_used(o, access.size) for o, _ in requests)
    shape, stride = _shape(requests, access.size)
    if shape in ("strided", "scattered") and sum(touched) <= sum(ideal) * 1.26:
        shape = "coalesced"
    return Pattern(
        shape,
        stride,
        segments=float(np.mean(touched)),
        ideal=float(np.mean(ideal)),
        aligned=all(int(o.min()) % target.segment == 0 for o, _ in requests),
        active_lanes=float(np.mean([len(o) for o, _ in requests])),
        rounds_per_segment=_rounds_per_segment(
            access, target, used < sum(touched) * target.segment
        ),
    )


def _rounds_per_segment(access: Access, target: GpuTarget, leaves_over: bool) -> float | None:
    """How many rounds of the innermost loop stay in a segment, if they step inside it."""
    if not access.loops or not leaves_over:
        return None
    step = access.offset.coefficient(access.loops[-1].counter.name).value
    return target.segment / abs(step) if step and abs(step) < target.segment else None


def _shared_pattern(requests: list[Request], access: Access, target: GpuTarget) -> Pattern:
    counted = [bank_passes(o, access.size, lanes, target) for o, lanes in requests]
    shape, stride = _shape(requests, access.size)
    return Pattern(
        shape,
        stride,
        passes=float(np.mean([cycles for cycles, _ in counted])),
        ideal_passes=float(np.mean([parts for _, parts in counted])),
        active_lanes=float(np.mean([len(o) for o, _ in requests])),
    )


def _fewest(offsets: Values, size: int, segment: int) -> int:
    return max(1, -(-_bytes_used(offsets, size) // segment))


def _bytes_used(offsets: Values, size: int) -> int:
    return len(np.unique((offsets[:, None] + np.arange(size)[None, :]).ravel()))


def _shape(requests: list[Request], size: int) -> tuple[Shape, int | None]:
    steps = np.concatenate([np.diff(o) for o, _ in requests if len(o) > 1] or [np.zeros(1)])
    if not steps.any():
        return "broadcast", 0
    stride = int(steps[0]) if (steps == steps[0]).all() else None
    if stride == size:
        return "coalesced", stride
    return ("strided", stride) if stride is not None else ("scattered", None)


# --- sampling ----------------------------------------------------------------------------------


def _requests(access: Access, target: GpuTarget, launch: Launch) -> Iterator[Request]:
    """Offsets and lane numbers of the active lanes (if any), for sample waves and rounds."""
    taken = 0
    for values in block_values(target, launch):
        # All rounds of the inner loops, while there are not too many of them.
        every = itertools.product(_ROUNDS, repeat=len(access.loops))
        for rounds in itertools.islice(every, _MOST_SAMPLES):
            if taken >= _MOST_SAMPLES * _MOST_WAVES:
                return
            try:
                inside = in_loops(access.loops, rounds, values, launch)
                offsets = np.broadcast_to(
                    evaluate(access.offset, with_sizes(access.offset, inside, launch)),
                    values["thread.x"].shape,
                )
            except NotEvaluable:
                return
            # Rounds past the end of a loop are none.
            if not active_lanes(_conditions(access.loops), inside, launch).any():
                continue
            active = active_lanes(access.guards, inside, launch)
            for first in range(0, len(active), target.wave):
                here = active[first : first + target.wave]
                taken += 1
                yield offsets[first : first + target.wave][here], np.flatnonzero(here)


def _conditions(loops: tuple[Loop, ...]) -> tuple[Poly, ...]:
    return tuple(loop.condition for loop in loops if loop.condition is not None)


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
        for _ in range(number):
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
