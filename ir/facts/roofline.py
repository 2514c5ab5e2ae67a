"""What a kernel asks of each resource of a target, and which of them it waits for.

    bytes fetched / bandwidth      f32 / its peak      int / its peak      LDS cycles x clock
    => "memory", and then "int 40%": integer arithmetic would need 40 % of the time that memory does

A thread fetches its share of what its wave does: 32 sectors for 32 lanes are 32 bytes each, however
few of them it uses. Bytes that the next rounds of a loop use count once. Addresses that depend on
data count as asked for, which is the least they can be: the intensity is then an upper bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from crossport.ir.facts.hardware import GpuTarget
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.walk import Access, Loop

Bound = Literal["memory", "compute", "shared memory", "unknown"]
FLOPS = ("f16", "f32", "f64", "special")


@dataclass(frozen=True, slots=True)
class Roofline:
    """Where a kernel stands on one target.

    fetched: bytes of global memory a thread. is_least: some of them depend on data. limits: the
    time that each resource needs, as a share of the longest one's.
    """

    fetched: float
    is_least: bool
    intensity: float | None
    bound: Bound
    limits: Mapping[str, float]

    @property
    def name(self) -> str:
        """The resource that is waited for, by its own name: "int", "f32", "memory"."""
        return next(iter(self.limits), "unknown")


def roofline(
    target: GpuTarget,
    accesses: Sequence[Access],
    patterns: Sequence[Pattern],
    operations: Mapping[str, float],
    times: Callable[[tuple[Loop, ...]], float],
    threads: int,
) -> Roofline:
    """Place a kernel; `times`: how often what stands in these loops runs; `threads`: of a block."""
    # Threads of a wave: blocks that end in part of one leave lanes idle.
    lanes = threads / -(-threads // target.wave)
    fetched = cycles = 0.0
    is_least = False
    seen: set[object] = set()
    for access, found in zip(accesses, patterns, strict=True):
        # What is loaded twice between two barriers is in a register by then.
        again = (access.base, access.offset, access.size, access.loops, access.phase)
        if access.kind == "load" and not access.volatile and again in seen:
            continue
        seen.add(again)
        rounds = times(access.loops)
        if access.base.space == "shared":
            passes = 0.0 if found.shape == "never" else found.passes or 1.0
            cycles += rounds * passes * found.wave_share / lanes
        elif access.base.space == "global":
            is_least |= found.shape == "data-dependent"
            ways = 2 if access.kind == "atomic" else 1
            fetched += rounds * ways * _fetched(access, found, target, lanes) / lanes
    seconds = {"memory": fetched / target.bandwidth} | {
        kind: operations.get(kind, 0.0) / rate * target.wave / lanes
        for kind, rate in rates(target).items()
    }
    seconds["shared memory"] = cycles / (target.units * target.clock)
    longest = max(seconds.values())
    limits = {
        kind: time / longest
        for kind, time in sorted(seconds.items(), key=lambda item: -item[1])
        if longest and time
    }
    flops = sum(operations.get(kind, 0.0) for kind in FLOPS)
    first = next(iter(limits), "unknown")
    bound: Bound = "compute"
    if first in ("memory", "shared memory", "unknown"):
        bound = first  # type: ignore[assignment]
    return Roofline(fetched, is_least, flops / fetched if fetched else None, bound, limits)


def rates(target: GpuTarget) -> dict[str, float]:
    """Operations a second, by class of arithmetic."""
    per_clock = target.units * target.clock
    return {
        "f16": target.fp32_flops,
        "f32": target.fp32_flops,
        "f64": target.fp64_flops,
        "int": per_clock * target.int_lanes,
        "special": per_clock * target.special_lanes,
    }


def _fetched(access: Access, found: Pattern, target: GpuTarget, lanes: float) -> float:
    """Bytes of one request of a wave."""
    if found.shape == "never":
        return 0.0
    if found.segments is None:
        return access.size * lanes
    shared_rounds = max(1.0, found.rounds_per_segment or 1.0)
    return found.segments * target.segment * found.wave_share / shared_rounds
