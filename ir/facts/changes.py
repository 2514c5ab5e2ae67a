"""What another target makes different, what stays costly there, and a way out: a sentence each.

gfx942, line 37: load of src uses 3% of the bytes it fetches, as before: neighbouring threads
are 4*n bytes apart; let them take what lies side by side, or stage tiles through shared memory
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from crossport.diagnostics import Span
from crossport.ir.facts.kernel import KernelFacts, TargetFacts
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.steps import lane_step
from crossport.ir.facts.walk import Access

WORTH_SAYING = 0.1
Change = tuple[Span | None, str]


def changes(facts: KernelFacts) -> list[str]:
    """All sentences; what holds in several places is said once, with the lines."""
    names = list(facts.targets)
    origin = facts.targets[names[0]]
    lines_of: dict[tuple[str, str], list[int | None]] = defaultdict(list)
    for name in names[1:]:
        for span, sentence in _on_target(facts, origin, facts.targets[name]):
            lines_of[name, sentence].append(span.line if span else None)
    on_tpus: dict[Change, list[str]] = defaultdict(list)
    for name, tpu in facts.tpus.items():
        for each in tpu.notes:
            on_tpus[each].append(name)
    for (span, sentence), tpus in on_tpus.items():
        lines_of[", ".join(tpus), sentence].append(span.line if span else None)
    merged = _both_ways({key: _places(lines) for key, lines in lines_of.items()})
    return [f"{name}{places}: {sentence}" for (name, sentence), places in merged.items()]


def _both_ways(said: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What a load and a store at the same places have in common is said once."""
    found = dict(said)
    for (name, sentence), places in said.items():
        store = (name, sentence.replace("load of", "store of", 1))
        if sentence.startswith("load of") and found.get(store) == places:
            del found[store]
            both = sentence.replace("load of", "load and store of", 1)
            found = {
                (n, both if (n, s) == (name, sentence) else s): p for (n, s), p in found.items()
            }
    return found


def _places(lines: Sequence[int | None]) -> str:
    known = sorted({line for line in lines if line is not None})
    if not known:
        return ""
    return f", line{'s' if len(known) > 1 else ''} {', '.join(map(str, known))}"


def _on_target(facts: KernelFacts, origin: TargetFacts, other: TargetFacts) -> list[Change]:
    found: list[Change] = []
    if other.target.wave > origin.target.wave:
        unsafe = [w for w in facts.warp_assumptions if not w.safe]
        found += [(w.span, f"{w.kind}: {w.reason}") for w in unsafe]
    found += [(None, sentence) for sentence in _whole(facts, origin, other)]
    for access, before, after in zip(facts.accesses, origin.patterns, other.patterns, strict=True):
        for sentence in _access(access, before, after, origin, other):
            found.append((access.span, sentence))
    return list(dict.fromkeys(found))


# --- the kernel as a whole -----------------------------------------------------------------------


def _whole(facts: KernelFacts, origin: TargetFacts, other: TargetFacts) -> Iterator[str]:
    threads, wave = facts.launch.threads, other.target.wave
    filled = threads / (-(-threads // wave) * wave)
    if filled < 1 - WORTH_SAYING:
        yield (
            f"blocks of {threads} threads fill {filled:.0%} of the lanes of their waves: launch a "
            f"multiple of {wave}, or let a wave do the work of {wave // max(1, threads)} blocks"
            if threads < wave
            else f"blocks of {threads} threads fill {filled:.0%} of the lanes of their waves: "
            f"launch a multiple of {wave}"
        )
    if facts.shared_bytes > other.target.shared_per_block:
        yield (
            f"a block needs {facts.shared_bytes} B of shared memory and the LDS holds "
            f"{other.target.shared_per_block}: it cannot be launched; use smaller tiles, or keep "
            "part of them in registers"
        )
    elif other.occupancy.share < origin.occupancy.share - WORTH_SAYING:
        yield (
            f"occupancy falls from {origin.occupancy.share:.0%} to {other.occupancy.share:.0%}, "
            f"limited by {other.occupancy.limit}{_room(facts, other)}"
        )
    slower = other.target.fp32_flops / other.target.fp64_flops
    if facts.operations.get("f64") and slower > 8 and "f64" in other.roofline.limits:
        yield f"double runs at 1/{slower:.0f} of float: use float where the result allows it"
    if other.bound != origin.bound and "unknown" not in (other.bound, origin.bound):
        yield f"it waits for {other.roofline.name}, for {origin.roofline.name} before"


def _room(facts: KernelFacts, other: TargetFacts) -> str:
    """What a block takes of what runs out, and what there is."""
    if other.occupancy.limit == "shared memory":
        unit = other.target.shared_per_unit >> 10
        return f": a block takes {facts.shared_bytes} B of the unit's {unit} KiB"
    if other.occupancy.limit == "registers":
        return f": a thread takes about {facts.registers}"
    return ""


# --- accesses ------------------------------------------------------------------------------------


def _access(
    access: Access, before: Pattern, after: Pattern, origin: TargetFacts, other: TargetFacts
) -> list[str]:
    what = f"{access.kind} of {access.base.name}"
    if access.kind == "atomic" and after.shape == "broadcast" and (after.active_lanes or 0) > 1:
        return [
            f"{what}: {after.active_lanes:.0f} lanes of a wave take turns at one address; combine "
            "within the wave first"
        ]
    if after.shape == "never" and before.shape not in ("never", "data-dependent"):
        return [
            f"{what} never happens: no thread of a block fulfils its condition in waves of "
            f"{other.target.wave}"
        ]
    if after.shape == "data-dependent" and access.base.space == "global":
        segment, old_segment = other.target.segment, origin.target.segment
        if segment > old_segment and access.size < segment:
            return [
                f"{what}: the place depends on data, and a lane that no other shares with fetches "
                f"{segment} B for the {access.size} it uses, {old_segment} B before: order the "
                "indices so that neighbours meet in a line"
            ]
        return []
    old, new = before.efficiency, after.efficiency
    if old is None or new is None:
        return []
    if after.passes is not None and after.ideal_passes:
        return _bank_conflicts(what, access, before, after) if new < 1 - WORTH_SAYING else []
    lanes = after.active_lanes or 1.0
    fetched = (after.segments or 0) * other.target.segment / lanes
    # One lane alone, or many that share what is fetched: nothing to gain.
    if (new >= old - WORTH_SAYING and new >= 0.5) or lanes <= 1 or fetched <= access.size:
        return []
    longer = new < old - WORTH_SAYING
    compared = f"{old:.0%} before" if longer else "as before"
    cause = "lines are longer" if longer and old >= 0.5 else _distance(access, after)
    return [f"{what} uses {new:.0%} of the bytes it fetches, {compared}: {cause}{_rest(after)}"]


def _bank_conflicts(what: str, access: Access, before: Pattern, after: Pattern) -> list[str]:
    assert after.passes is not None and after.ideal_passes
    factor = after.passes / after.ideal_passes
    old = (before.passes or 1) / (before.ideal_passes or 1)
    compared = "as before" if abs(old - factor) < WORTH_SAYING else f"{old:.3g} times before"
    step = lane_step(access, after)
    way = "; pad the rows by one word" if step.isdigit() and int(step) > 4 else ""
    return [
        f"{what} takes {factor:.3g} times the LDS cycles it needs ({compared}): lanes of a wave "
        f"meet in a bank{way}"
    ]


def _distance(access: Access, after: Pattern) -> str:
    """How far apart lanes are, and what to do about it."""
    step = lane_step(access, after)
    if step == "0" or (after.active_lanes or 0) <= 1:
        return "the lanes of a wave share a few bytes"
    if after.stride is not None and 0 < abs(after.stride) <= 64:
        return (
            f"neighbouring threads are {step} bytes apart: load what lies between in one piece "
            "(float4), or store each field in an array of its own"
        )
    apart = "far apart" if step == "varies" else f"{step} bytes apart"
    return (
        f"neighbouring threads are {apart}: let them take what lies side by side, or stage tiles "
        "through shared memory"
    )


def _rest(after: Pattern) -> str:
    if not after.rounds_per_segment:
        return ""
    return (
        f"; the next {after.rounds_per_segment:.3g} rounds of the loop use the rest, if the cache "
        "still holds it"
    )
