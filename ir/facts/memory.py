"""What an access costs on a target: segments a request, bank conflicts, bytes moved and used.

    x[tid], 4 bytes      sm_90: 4 sectors of 32 B (4 are ideal)   gfx942: 2 lines of 128 B
    tile[tid*33]         sm_90: 1 pass over 32 banks              gfx942: 2 parts, 1 pass each
    x[tid*32]            sm_90: 32 sectors, 12.5 % of the bytes are used

Addresses are computed for whole wavefronts of sample blocks and loop rounds, from the polynomial
of the access; bases are taken as aligned to 256 bytes (what allocators give). A size that no launch
fixes stands in as 1024. Data-dependent addresses have no pattern here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from crossport.ir.facts.hardware import GpuTarget
from crossport.ir.facts.sampling import Launch, Request, Samples
from crossport.ir.facts.symbolic import Level, Poly, Unknown, Values, unknowns
from crossport.ir.facts.walk import Access

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


def pattern(
    access: Access, target: GpuTarget, launch: Launch, samples: Samples | None = None
) -> Pattern:
    """How `access` behaves on `target` in `launch`; `samples` of both, if there are many to do."""
    if any(unknown.level is Level.LANE for unknown in unknowns(access.offset)):
        return Pattern("data-dependent")
    if _step_is_unknown(access.offset):
        return Pattern("data-dependent")
    sampled = list((samples or Samples(target, launch)).requests(access))
    active = [request for request in sampled if len(request[0])]
    if not active:
        is_known = sampled and not any(True for guard in access.guards for _ in unknowns(guard))
        return Pattern("never" if is_known else "data-dependent")
    requests = _distinct(active)
    make = _shared_pattern if access.base.space == "shared" else _global_pattern
    return replace(make(requests, access, target), wave_share=len(active) / len(sampled))


@dataclass(frozen=True, slots=True)
class _Request:
    """Requests that cost the same: offsets from an aligned place, lanes, how many there are."""

    offsets: Values
    lanes: Values
    count: int


_ALIGNED = 256
"""Requests that lie apart by a multiple of it meet the same parts of segments and banks."""


def _distinct(requests: Iterable[Request]) -> list[_Request]:
    counts: Counter[tuple[bytes, bytes]] = Counter()
    first: dict[tuple[bytes, bytes], Request] = {}
    for offsets, lanes in requests:
        near = offsets - int(offsets.min()) // _ALIGNED * _ALIGNED
        key = (near.tobytes(), lanes.tobytes())
        counts[key] += 1
        first.setdefault(key, (near, lanes))
    return [_Request(*first[key], count) for key, count in counts.items()]


def _mean(requests: list[_Request], values: Iterable[float]) -> float:
    return float(np.average(list(values), weights=[r.count for r in requests]))


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


def _global_pattern(requests: list[_Request], access: Access, target: GpuTarget) -> Pattern:
    size, segment = access.size, target.segment
    touched = _mean(requests, (segments_touched(r.offsets, size, segment) for r in requests))
    used = [_bytes_used(r.offsets, size) for r in requests]
    ideal = _mean(requests, (max(1, -(-count // segment)) for count in used))
    shape, stride = _shape(requests, size)
    if shape in ("strided", "scattered") and touched <= ideal * 1.26:
        shape = "coalesced"
    leaves_over = _mean(requests, used) < touched * segment
    return Pattern(
        shape,
        stride,
        segments=touched,
        ideal=ideal,
        aligned=all(int(r.offsets.min()) % segment == 0 for r in requests),
        active_lanes=_mean(requests, (len(r.offsets) for r in requests)),
        rounds_per_segment=_rounds_per_segment(access, target, leaves_over),
    )


def _rounds_per_segment(access: Access, target: GpuTarget, leaves_over: bool) -> float | None:
    """How many rounds of the innermost loop stay in a segment, if they step inside it."""
    if not access.loops or not leaves_over:
        return None
    step = access.offset.coefficient(access.loops[-1].counter.name).value
    return target.segment / abs(step) if step and abs(step) < target.segment else None


def _shared_pattern(requests: list[_Request], access: Access, target: GpuTarget) -> Pattern:
    counted = [bank_passes(r.offsets, access.size, r.lanes, target) for r in requests]
    shape, stride = _shape(requests, access.size)
    return Pattern(
        shape,
        stride,
        passes=_mean(requests, (cycles for cycles, _ in counted)),
        ideal_passes=_mean(requests, (parts for _, parts in counted)),
        active_lanes=_mean(requests, (len(r.offsets) for r in requests)),
    )


def _bytes_used(offsets: Values, size: int) -> int:
    return len(np.unique((offsets[:, None] + np.arange(size)[None, :]).ravel()))


def _shape(requests: list[_Request], size: int) -> tuple[Shape, int | None]:
    several = [np.diff(r.offsets) for r in requests if len(r.offsets) > 1]
    steps = np.concatenate(several or [np.zeros(1)])
    if not steps.any():
        return "broadcast", 0
    stride = int(steps[0]) if (steps == steps[0]).all() else None
    if stride == size:
        return "coalesced", stride
    return ("strided", stride) if stride is not None else ("scattered", None)
