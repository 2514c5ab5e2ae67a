"""Facts as an engineer reads them: the source annotated line by line, tables, what changes and why.

       8 |   tile[ty + j][tx] = in[(y + j) * n + x];
         |     load in, 4 B a lane: sm_90 4 sectors (100 %) · gfx942 2 lines (100 %)
         |     store tile, shared: sm_90 1 pass · gfx942 2 passes

The first target is the one that the kernel was written for; the others are compared with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crossport.diagnostics import Span
from crossport.ir.facts.kernel import KernelFacts, TargetFacts
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.symbolic import Level
from crossport.ir.facts.tables import access_table, cost, target_table
from crossport.ir.facts.tpu import TpuFacts
from crossport.ir.facts.walk import Access

_WORTH_SAYING = 0.1


@dataclass(frozen=True)
class KernelReport:
    """The facts of one kernel with its place in the source."""

    facts: KernelFacts
    span: Span

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1): what `port inspect --json` adds to a kernel."""
        facts = self.facts
        return {
            "name": facts.name,
            "file": self.span.file,
            "line": self.span.line,
            "facts": {
                "launch": {"grid": facts.launch.grid, "block": facts.launch.block},
                "phases": facts.phases,
                "registers_estimate": facts.registers,
                "shared_bytes": facts.shared_bytes,
                "operations_per_thread": dict(facts.operations),
                "bytes_per_thread": facts.bytes_moved,
                "assumptions": list(facts.assumptions),
                "accesses": [_access_json(facts, i) for i in range(len(facts.accesses))],
                "warp_assumptions": [
                    {
                        "kind": w.kind,
                        "safe_at_64": w.safe,
                        "reason": w.reason,
                        "line": w.span.line if w.span else None,
                    }
                    for w in facts.warp_assumptions
                ],
                "targets": {
                    **{name: _target_json(on) for name, on in facts.targets.items()},
                    **{name: _tpu_json(on) for name, on in facts.tpus.items()},
                },
                "changes": self.changes,
            },
        }

    def as_text(self) -> str:
        """The report for a terminal."""
        facts = self.facts
        grid, block = ("x".join(map(str, e)) for e in (facts.launch.grid, facts.launch.block))
        lines = [
            f"{facts.name}  {self.span}",
            f"  blocks of {block} in a grid of {grid}; "
            f"{_count(facts.phases, 'phase')} between barriers; "
            f"about {facts.registers} registers; {facts.shared_bytes} B shared",
            "",
            *self._annotated_source(),
            "",
            access_table(facts),
            target_table(facts),
        ]
        if self.changes:
            lines += ["What changes, and why it matters", *(f"  - {c}" for c in self.changes), ""]
        lines.append(f"Holds if: {'; '.join(facts.assumptions)}.")
        return "\n".join(lines) + "\n"

    @cached_property
    def changes(self) -> list[str]:
        """Sentences on what another target makes different, and on what stays costly there."""
        names = list(self.facts.targets)
        origin = self.facts.targets[names[0]]
        # Lines by target and sentence: what holds in several places is said once.
        lines_of: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        for name in names[1:]:
            for span, sentence in _changes(self.facts, origin, self.facts.targets[name]):
                lines_of[name, sentence].append(span.line if span else None)
        on_tpus: dict[tuple[Span | None, str], list[str]] = defaultdict(list)
        for name, tpu in self.facts.tpus.items():
            for each in tpu.notes:
                on_tpus[each].append(name)
        for (span, sentence), tpus in on_tpus.items():
            lines_of[", ".join(tpus), sentence].append(span.line if span else None)
        return [
            f"{name}{_places(lines)}: {sentence}" for (name, sentence), lines in lines_of.items()
        ]

    # --- the annotated source

    def _annotated_source(self) -> list[str]:
        notes = self._notes()
        text = _source_lines(self.span.file)
        lines = sorted(notes)
        first = self.span.line
        last = max([self.span.end_line, *lines]) if lines else self.span.end_line
        shown: list[str] = []
        for number in range(first, last + 1):
            line = text[number - 1].rstrip() if 0 < number <= len(text) else ""
            shown.append(f"{number:>5} | {line}")
            shown += [f"      |     {note}" for note in notes.get(number, ())]
        return shown

    def _notes(self) -> dict[int, list[str]]:
        notes: dict[int, list[str]] = defaultdict(list)

        def add(span: Span | None, note: str) -> None:
            here = span is not None and span.file == self.span.file
            if span is not None and here and note and note not in notes[span.line]:
                notes[span.line].append(note)

        for index, access in enumerate(self.facts.accesses):
            if access.base.space != "local":
                add(access.span, self._access_note(index, access))
        for sync in self.facts.barriers:
            guarded = any(g.level is Level.LANE for g in sync.guards)
            doubt = ", reached under a condition that differs between threads" if guarded else ""
            add(sync.node.span, f"barrier{doubt}")
        for splits in zip(*(on.divergence for on in self.facts.targets.values()), strict=True):
            add(splits[0].branch.span, self._divergence_note([s.share for s in splits]))
        for assumption in self.facts.warp_assumptions:
            verdict = "right at 64 lanes" if assumption.safe else "WRONG at 64 lanes"
            add(assumption.span, f"{assumption.kind}: {verdict}: {assumption.reason}")
        return notes

    def _divergence_note(self, shares: Sequence[float | None]) -> str:
        """In how many wavefronts lanes part; "" where that is hardly any."""
        if None in shares:
            return "lanes may part here: the condition depends on data"
        known = [share for share in shares if share is not None]
        if max(known) < _WORTH_SAYING:
            return ""
        if len(set(known)) == 1:
            return f"lanes part in {known[0]:.0%} of waves"
        each = (f"{name} {s:.0%}" for name, s in zip(self.facts.targets, known, strict=True))
        return f"lanes part in a share of waves: {' · '.join(each)}"

    def _access_note(self, index: int, access: Access) -> str:
        space = "" if access.base.space == "global" else f", {access.base.space}"
        costs = [
            f"{name} {cost(on.patterns[index], on)}" for name, on in self.facts.targets.items()
        ]
        head = f"{access.kind} {access.base.name}{space}, {access.size} B a lane"
        return f"{head}: {' · '.join(dict.fromkeys(costs))}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def inspect_text(reports: Iterable[KernelReport]) -> str:
    """All reports, one after the other."""
    return "\n".join(report.as_text() for report in reports)


def inspect_json(reports: Iterable[KernelReport]) -> list[dict[str, object]]:
    """All reports as JSON values."""
    return [report.as_json() for report in reports]


def _places(lines: Sequence[int | None]) -> str:
    known = sorted({line for line in lines if line is not None})
    if not known:
        return ""
    return f", line{'s' if len(known) > 1 else ''} {', '.join(map(str, known))}"


def _changes(
    facts: KernelFacts, origin: TargetFacts, other: TargetFacts
) -> list[tuple[Span | None, str]]:
    found: list[tuple[Span | None, str]] = []
    if other.target.wave > origin.target.wave:
        unsafe = [w for w in facts.warp_assumptions if not w.safe]
        found += [(w.span, f"{w.kind}: {w.reason}") for w in unsafe]
    for access, before, after in zip(facts.accesses, origin.patterns, other.patterns, strict=True):
        found += [(access.span, sentence) for sentence in _access_changes(access, before, after)]
    if facts.shared_bytes > other.target.shared_per_block:
        found.append(
            (
                None,
                f"a block needs {facts.shared_bytes} B of shared memory and the LDS holds "
                f"{other.target.shared_per_block}: it cannot be launched",
            )
        )
    elif other.occupancy.share < origin.occupancy.share - _WORTH_SAYING:
        found.append(
            (
                None,
                f"occupancy falls from {origin.occupancy.share:.0%} to "
                f"{other.occupancy.share:.0%}, limited by {other.occupancy.limit}",
            )
        )
    return list(dict.fromkeys(found))


def _access_changes(access: Access, before: Pattern, after: Pattern) -> list[str]:
    what = f"{access.kind} of {access.base.name}"
    if access.kind == "atomic" and after.shape == "broadcast" and (after.active_lanes or 0) > 1:
        return [
            f"{what}: {after.active_lanes:.0f} lanes of a wave take turns at one address; combine "
            "within the wave first"
        ]
    old, new = before.efficiency, after.efficiency
    if old is None or new is None:
        return []
    if after.passes is not None and after.ideal_passes and new < 1 - _WORTH_SAYING:
        factor = after.passes / after.ideal_passes
        return [f"{what} takes {factor:.3g} times the LDS cycles it needs: bank conflicts"]
    rest = ""
    if after.rounds_per_segment:
        rest = (
            f"; the next {after.rounds_per_segment:.3g} rounds of the loop use the rest, if the "
            "cache still holds it"
        )
    if new < old - _WORTH_SAYING:
        return [
            f"{what} uses {new:.0%} of the bytes it fetches, {old:.0%} before: "
            f"lines are longer{rest}"
        ]
    if new < 0.5:
        return [
            f"{what} uses {new:.0%} of the bytes it fetches, as before: lanes are far apart{rest}"
        ]
    return []


def _access_json(facts: KernelFacts, index: int) -> dict[str, Any]:
    access = facts.accesses[index]
    level = access.offset.level
    return {
        "kind": access.kind,
        "space": access.base.space,
        "base": access.base.name,
        "text": access.text,
        "line": access.span.line if access.span else None,
        "bytes_per_lane": access.size,
        "offset": access.offset.text,
        "lane_stride": access.offset.coefficient("thread.x").text,
        "uniform_over": {Level.GRID: "grid", Level.BLOCK: "block", Level.LANE: "lane"}[level],
        "volatile": access.volatile,
        "loop_depth": len(access.loops),
        "targets": {name: _pattern_json(on.patterns[index]) for name, on in facts.targets.items()},
    }


def _pattern_json(pattern: Pattern) -> dict[str, Any]:
    return {
        "shape": pattern.shape,
        "stride": pattern.stride,
        "segments_per_request": pattern.segments,
        "shared_passes_per_request": pattern.passes,
        "efficiency": pattern.efficiency,
        "aligned": pattern.aligned,
        "rounds_per_segment": pattern.rounds_per_segment,
    }


def _target_json(on: TargetFacts) -> dict[str, Any]:
    return {
        "occupancy": {
            "waves": on.occupancy.waves,
            "most": on.occupancy.most,
            "blocks": on.occupancy.blocks,
            "limit": on.occupancy.limit,
        },
        "intensity": on.intensity,
        "balance": on.target.balance,
        "bound": on.bound,
        "wave": on.target.wave,
        "predicted": True,
    }


def _tpu_json(on: TpuFacts) -> dict[str, Any]:
    return {
        "intensity": on.intensity,
        "balance": on.balance,
        "bound": on.bound,
        "vmem_share": on.vmem_share,
        "accesses": [
            {
                "line": each.access.span.line if each.access.span else None,
                "base": each.access.base.name,
                "kind": each.access.kind,
                "shape": each.shape,
            }
            for each in on.accesses
        ],
        "predicted": True,
    }


def _source_lines(file: str) -> Sequence[str]:
    try:
        return Path(file).read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
