"""All facts about one kernel, for a launch and for each target.

facts = kernel_facts(module, "transpose")
facts.accesses.where(space="shared", kind="load")
facts.on("gfx942").patterns[access].passes          4.0
facts.on("gfx942").occupancy.limit                  "shared memory"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossport.diagnostics import Span
from crossport.ir.facts.blocks import typical_block
from crossport.ir.facts.hardware import GpuTarget, TpuTarget, gpu, target
from crossport.ir.facts.memory import Pattern, pattern
from crossport.ir.facts.occupancy import Occupancy, estimate_registers, occupancy, shared_bytes
from crossport.ir.facts.roofline import Bound, Roofline, roofline
from crossport.ir.facts.sampling import (
    TYPICAL_SIZE,
    Launch,
    Samples,
    in_loops,
    is_size,
    wave_values,
    with_sizes,
)
from crossport.ir.facts.symbolic import Level, NotEvaluable, evaluate, symbols, unknowns
from crossport.ir.facts.tpu import TpuFacts, tpu_facts
from crossport.ir.facts.walk import Access, Branch, Loop, Sync, Trace, walk_kernel
from crossport.ir.facts.warp import WarpAssumption, warp_assumptions
from crossport.ir.nesting import room
from crossport.ir.nodes import Function, Module
from crossport.ir.reachable import reachable

DEFAULT_TARGETS = ("sm_90", "gfx942")
_MOST_ROUNDS = 1 << 20
_MOST_SIMULATED = 256


class Accesses(tuple[Access, ...]):
    """The accesses of a kernel in program order, with a query."""

    __slots__ = ()

    def where(
        self,
        *,
        space: str | None = None,
        kind: str | None = None,
        base: str | None = None,
    ) -> Accesses:
        """Those that match every criterion given."""
        return Accesses(
            a
            for a in self
            if (space is None or a.base.space == space)
            and (kind is None or a.kind == kind)
            and (base is None or a.base.name == base)
        )


@dataclass(frozen=True, slots=True)
class Divergence:
    """A branch, and the share of wavefronts in which lanes part there (None: depends on data)."""

    branch: Branch
    share: float | None


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What one GPU makes of a kernel.

    patterns: per access, in the order of `KernelFacts.accesses`.
    """

    target: GpuTarget
    patterns: tuple[Pattern, ...]
    occupancy: Occupancy
    divergence: tuple[Divergence, ...]
    roofline: Roofline

    @property
    def intensity(self) -> float | None:
        """Floating-point operations a byte of global memory fetched."""
        return self.roofline.intensity

    @property
    def bound(self) -> Bound:
        """What the kernel waits for."""
        return self.roofline.bound


@dataclass(frozen=True, slots=True)
class KernelFacts:
    """Everything known about a kernel without running it.

    operations, bytes_moved: per thread, for the launch (sizes that it does not fix are typical).
    assumptions: under what the facts hold.
    """

    name: str
    launch: Launch
    accesses: Accesses
    branches: tuple[Branch, ...]
    barriers: tuple[Sync, ...]
    warp_assumptions: tuple[WarpAssumption, ...]
    operations: Mapping[str, float]
    bytes_moved: float
    registers: int
    shared_bytes: int
    targets: Mapping[str, TargetFacts]
    tpus: Mapping[str, TpuFacts]
    called: tuple[tuple[str, Span], ...] = field(default=())
    """Device functions in the user's text that it may call, and where they stand."""
    assumptions: tuple[str, ...] = field(default=())

    @property
    def phases(self) -> int:
        """Stretches between block-wide barriers."""
        return 1 + sum(1 for sync in self.barriers if sync.node.scope == "block")

    def on(self, target: str) -> TargetFacts:
        """The facts on one of the GPUs asked for; KeyError for another."""
        return self.targets[target]


@room()
@np.errstate(all="ignore")
def kernel_facts(
    module: Module,
    kernel: str,
    launch: Launch | None = None,
    targets: Sequence[str] = DEFAULT_TARGETS,
) -> KernelFacts:
    """The facts about `kernel` (full name). Raises KeyError if the module lacks it.

    Among the targets there is always a GPU to compare with: sm_90, if none was asked for.
    """
    chosen = [target(name) for name in targets]
    gpus = [row for row in chosen if isinstance(row, GpuTarget)] or [gpu("sm_90")]
    function = module.function(kernel)
    trace = walk_kernel(module, function)
    assumed = launch or Launch(block=typical_block(module, function))
    registers = estimate_registers(module, function)
    shared = shared_bytes(module, function, assumed.shared_bytes)
    rounds = _RoundCounter(gpu("sm_90"), assumed)
    operations = _operations(trace, rounds)
    moved = _bytes_moved(trace, rounds)
    on_targets = {
        row.name: _target_facts(row, trace, assumed, operations, rounds, registers, shared)
        for row in gpus
    }
    on_tpus = {
        row.name: tpu_facts(row, trace, operations, moved, shared)
        for row in chosen
        if isinstance(row, TpuTarget)
    }
    return KernelFacts(
        function.name,
        assumed,
        Accesses(trace.accesses),
        tuple(trace.branches),
        tuple(trace.syncs),
        warp_assumptions(trace),
        operations,
        moved,
        registers,
        shared,
        on_targets,
        on_tpus,
        _called(module, function),
        _assumptions(launch, assumed, trace, rounds),
    )


def _called(module: Module, kernel: Function) -> tuple[tuple[str, Span], ...]:
    """In source order; instances of one template once."""
    found: dict[tuple[str, int], tuple[str, Span]] = {}
    for function in reachable(module, kernel):
        if function is not kernel and function.span is not None:
            key = (function.span.file, function.span.line)
            found.setdefault(key, (function.name, function.span))
    return tuple(found[key] for key in sorted(found))


def _assumptions(
    launch: Launch | None, assumed: Launch, trace: Trace, rounds: _RoundCounter
) -> tuple[str, ...]:
    notes = ["no index computation overflows", "pointers are aligned to 256 bytes"]
    if launch is None or "blockDim" in launch.guessed:
        shape = "x".join(map(str, assumed.block))
        notes.append(f"blocks have {shape} threads (no launch of constant size found; see --block)")
    for axis, extent in zip("xyz", assumed.grid, strict=True):
        if f"gridDim.{axis}" in assumed.guessed:
            notes.append(f"gridDim.{axis}, not constant, is {extent}")
    sizes = _sizes(trace, assumed)
    if sizes:
        shown = ", ".join(sizes[:6]) + (", ..." if len(sizes) > 6 else "")
        verb = "is" if len(sizes) == 1 else "are"
        notes.append(f"{shown}, not constant, {verb} {TYPICAL_SIZE}")
    if rounds.guessed:
        notes.append("loops whose length depends on data count as one round")
    return tuple(notes)


def _target_facts(
    target: GpuTarget,
    trace: Trace,
    launch: Launch,
    operations: Mapping[str, float],
    rounds: _RoundCounter,
    registers: int,
    shared: int,
) -> TargetFacts:
    samples = Samples(target, launch)
    patterns = tuple(pattern(access, target, launch, samples) for access in trace.accesses)
    return TargetFacts(
        target,
        patterns,
        occupancy(target, launch.threads, registers, shared),
        tuple(_divergence(branch, samples) for branch in trace.branches),
        roofline(target, trace.accesses, patterns, operations, rounds.times, launch.threads),
    )


def _divergence(branch: Branch, samples: Samples) -> Divergence:
    if branch.condition.level is not Level.LANE:
        return Divergence(branch, 0.0)
    if any(True for _ in unknowns(branch.condition)):
        return Divergence(branch, None)
    rounds = samples.rounds(branch.loops)
    if rounds is None:
        return Divergence(branch, None)
    split: list[bool] = []
    for inside, active in zip(rounds, samples.active(branch), strict=True):
        try:
            sized = with_sizes(branch.condition, inside, samples.launch)
            taken = np.broadcast_to(evaluate(branch.condition, sized), active.shape) != 0
        except NotEvaluable:
            return Divergence(branch, None)
        for first in range(0, len(active), samples.wave):
            here = taken[first : first + samples.wave][active[first : first + samples.wave]]
            if len(here):
                split.append(bool(here.any() and not here.all()))
    return Divergence(branch, float(np.mean(split)) if split else 0.0)


def _sizes(trace: Trace, launch: Launch) -> list[str]:
    """Scalar parameters that indices or conditions depend on and that the launch does not fix."""
    polys = [a.offset for a in trace.accesses if a.base.space != "local"]
    polys += [b.condition for b in trace.branches]
    found = {s.name for poly in polys for s in symbols(poly) if is_size(s)}
    return sorted(found - set(launch.args))


# --- how often -----------------------------------------------------------------------------------


class _RoundCounter:
    """Mean rounds of loops over the threads of sample wavefronts."""

    def __init__(self, target: GpuTarget, launch: Launch) -> None:
        self.launch = launch
        self.waves = list(wave_values(target, launch))[:4]
        self.guessed = False
        self.known: dict[tuple[int, ...], float] = {}

    def times(self, loops: tuple[Loop, ...]) -> float:
        """How often a statement inside `loops` runs, for one thread."""
        product = 1.0
        for depth in range(len(loops)):
            key = tuple(loop.number for loop in loops[: depth + 1])
            if key not in self.known:
                self.known[key] = self._rounds(loops[: depth + 1])
            product *= self.known[key]
        return product

    def _rounds(self, loops: tuple[Loop, ...]) -> float:
        loop, outer = loops[-1], loops[:-1]
        if loop.condition is None or any(True for _ in unknowns(loop.condition)):
            self.guessed = True
            return 1.0
        try:
            return float(np.mean([self._in_wave(loop, outer, wave) for wave in self.waves]))
        except NotEvaluable:
            self.guessed = True
            return 1.0

    def _in_wave(self, loop: Loop, outer: tuple[Loop, ...], wave: dict[str, Any]) -> float:
        def holds(number: int) -> Any:
            inside = in_loops((*outer, loop), (*(0 for _ in outer), number), wave, self.launch)
            assert loop.condition is not None
            sized = with_sizes(loop.condition, inside, self.launch)
            return np.broadcast_to(evaluate(loop.condition, sized), wave["thread.x"].shape) != 0

        if loop.recurrences:
            return self._simulated(loop, outer, wave)
        # The condition of a counting loop holds up to some round: bisect for the mean lane.
        low, high = 0, 1
        while high < _MOST_ROUNDS and holds(high).any():
            high *= 2
        total = np.zeros(wave["thread.x"].shape)
        if high <= _MOST_SIMULATED:
            for number in range(high):
                total += holds(number)
            return float(total.mean())
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(middle).any() else (low, middle)
        return float(high)

    def _simulated(self, loop: Loop, outer: tuple[Loop, ...], wave: dict[str, Any]) -> float:
        """Rounds of a loop whose variables are only known step by step."""
        assert loop.condition is not None
        inside = in_loops((*outer, loop), (*(0 for _ in outer), 0), wave, self.launch)
        counts = np.zeros(wave["thread.x"].shape)
        for number in range(_MOST_SIMULATED):
            inside[loop.counter.name] = np.int64(number)
            still = evaluate(loop.condition, with_sizes(loop.condition, inside, self.launch)) != 0
            if not np.any(still):
                break
            counts += still
            inside |= {
                symbol.name: evaluate(following, with_sizes(following, inside, self.launch))
                for symbol, _, following in loop.recurrences
            }
        return float(counts.mean())


def _operations(trace: Trace, rounds: _RoundCounter) -> dict[str, float]:
    totals: Counter[str] = Counter()
    for work in trace.work:
        times = rounds.times(work.loops)
        for kind, count in work.operations.items():
            totals[kind] += count * times  # type: ignore[assignment]
    return {kind: float(count) for kind, count in sorted(totals.items())}


def _bytes_moved(trace: Trace, rounds: _RoundCounter) -> float:
    return sum(
        access.size * rounds.times(access.loops) * (2 if access.kind == "atomic" else 1)
        for access in trace.accesses
        if access.base.space == "global"
    )
