"""Facts as an engineer reads them: the source annotated line by line, tables, what changes and why.

The first target is the one that the kernel was written for; the others are compared with it. Of the
instances of one template the first is shown whole, the others by what differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from crossport.diagnostics import Span
from crossport.ir.facts.annotate import annotated
from crossport.ir.facts.as_json import kernel_json
from crossport.ir.facts.changes import changes
from crossport.ir.facts.kernel import KernelFacts
from crossport.ir.facts.tables import access_table, instance_table, target_table

_NUMBER = re.compile(r"\b\d[\d.]*\b")


@dataclass(frozen=True)
class KernelReport:
    """The facts of one kernel with its place in the source."""

    facts: KernelFacts
    span: Span

    def as_json(self) -> dict[str, object]:
        """What `port inspect --json` adds to a kernel."""
        return kernel_json(self.facts, self.span)

    def as_text(self, *, with_source: bool = True) -> str:
        """The report for a terminal."""
        facts = self.facts
        grid, block = ("x".join(map(str, e)) for e in (facts.launch.grid, facts.launch.block))
        lines = [
            f"{facts.name}  {self.span}",
            f"  blocks of {block} in a grid of {grid}; "
            f"{_count(facts.phases, 'phase')} between barriers; "
            f"about {facts.registers} registers; {facts.shared_bytes} B shared",
            "",
            *annotated(facts, self.span, with_source=with_source),
            "",
            access_table(facts),
            target_table(facts),
        ]
        if found := changes(facts):
            lines += ["What changes, and why it matters", *(f"  - {c}" for c in found), ""]
        lines.append(f"Holds if: {'; '.join(facts.assumptions)}.")
        return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def inspect_text(reports: Iterable[KernelReport]) -> str:
    """All reports, one after the other; further instances of a template in a table."""
    parts = []
    for _, instances in groupby(reports, lambda r: (r.span.file, r.span.line, r.span.column)):
        first, *others = instances
        parts.append(first.as_text())
        if others:
            parts.append(_others(first, others))
    return "\n".join(parts)


def _others(first: KernelReport, others: Sequence[KernelReport]) -> str:
    base = first.facts.name.partition("<")[0]
    known = {_NUMBER.sub("#", sentence) for sentence in changes(first.facts)}
    lines = [
        f"{_count(len(others), 'more instance')} of {base} (each in full: --kernel 'NAME')",
        "",
        instance_table([first.facts, *(r.facts for r in others)]),
    ]
    # Sentences that differ in numbers only are one: the first instance of it, and how many more.
    new: dict[str, list[tuple[str, str]]] = {}
    for other in others:
        for sentence in changes(other.facts):
            key = _NUMBER.sub("#", sentence)
            if key not in known:
                new.setdefault(key, []).append((other.facts.name, sentence))
    for said in new.values():
        name, sentence = said[-1]
        more = f" (and, with other numbers, {len(said) - 1} more)" if len(said) > 1 else ""
        lines.append(f"  - {name}{more}: {sentence}")
    return "\n".join(lines) + "\n"


def inspect_json(reports: Iterable[KernelReport]) -> list[dict[str, object]]:
    """All reports as JSON values."""
    return [report.as_json() for report in reports]
