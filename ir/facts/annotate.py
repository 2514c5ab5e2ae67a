"""The source with what is known about each line below it, kernel first, then what it calls.

8 |   tile[ty + j][tx] = in[(y + j) * n + x];
  |     load in, 4 B a lane: sm_90 4 sectors (100%) · gfx942 2 lines of 128 B (100%)
  |     store tile, shared: sm_90 1 pass · gfx942 2 passes
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossport.diagnostics import Span
from crossport.ir.facts.changes import WORTH_SAYING
from crossport.ir.facts.kernel import KernelFacts
from crossport.ir.facts.symbolic import Level
from crossport.ir.facts.tables import cost
from crossport.ir.facts.walk import Access

Place = tuple[str, int]
"""A file and a line."""


def annotated(facts: KernelFacts, span: Span, *, with_source: bool = True) -> list[str]:
    """The listing. Without source, only the lines that have notes are named."""
    found = notes(facts)
    shown = _stretch(span, found, with_source)
    for name, place in facts.called:
        if any((place.file, n) in found for n in range(place.line, _last(place) + 1)):
            where = "" if place.file == span.file else f", {place.file}"
            shown += ["", f"  {name}{where}", *_stretch(place, found, with_source)]
    return shown


def _last(span: Span) -> int:
    return max(span.line, span.end_line or 0)


def _stretch(span: Span, found: Mapping[Place, Sequence[str]], with_source: bool) -> list[str]:
    text = _source_lines(span.file) if with_source else ()
    shown: list[str] = []
    for number in range(span.line, _last(span) + 1):
        below = found.get((span.file, number), ())
        if below or with_source:
            line = text[number - 1].rstrip() if 0 < number <= len(text) else ""
            shown.append(
                f"{number:>5} | {line}".rstrip() if not with_source else f"{number:>5} | {line}"
            )
        shown += [f"      |     {note}" for note in below]
    return shown


def notes(facts: KernelFacts) -> dict[Place, list[str]]:
    """What is to be said about each line."""
    found: dict[Place, list[str]] = defaultdict(list)

    def add(span: Span | None, note: str) -> None:
        if span is not None and note and note not in found[span.file, span.line]:
            found[span.file, span.line].append(note)

    for index, access in enumerate(facts.accesses):
        if access.base.space != "local":
            add(access.span, _access_note(facts, index, access))
    for sync in facts.barriers:
        guarded = any(g.level is Level.LANE for g in sync.guards)
        doubt = ", reached under a condition that differs between threads" if guarded else ""
        scope = "" if sync.node.scope == "block" else f" of the {sync.node.scope}"
        add(sync.node.span, f"barrier{scope}{doubt}")
    for splits in zip(*(on.divergence for on in facts.targets.values()), strict=True):
        add(splits[0].branch.span, _divergence_note(facts, [s.share for s in splits]))
    said: set[str] = set()
    for assumption in facts.warp_assumptions:
        verdict = "right at 64 lanes" if assumption.safe else "WRONG at 64 lanes"
        reason = ", as above" if assumption.reason in said else f": {assumption.reason}"
        said.add(assumption.reason)
        add(assumption.span, f"{assumption.kind}: {verdict}{reason}")
    return {place: lines for place, lines in found.items() if lines}


def _divergence_note(facts: KernelFacts, shares: Sequence[float | None]) -> str:
    """In how many wavefronts lanes part; "" where that is hardly any."""
    if None in shares:
        return "lanes may part here: the condition depends on data"
    known = [share for share in shares if share is not None]
    if max(known) < WORTH_SAYING:
        return ""
    if len(set(known)) == 1:
        return f"lanes part in {known[0]:.0%} of waves"
    each = (f"{name} {s:.0%}" for name, s in zip(facts.targets, known, strict=True))
    return f"lanes part in a share of waves: {' · '.join(each)}"


def _access_note(facts: KernelFacts, index: int, access: Access) -> str:
    space = "" if access.base.space == "global" else f", {access.base.space}"
    costs = [f"{name} {cost(on.patterns[index], on)}" for name, on in facts.targets.items()]
    if all(on.patterns[index].shape == "data-dependent" for on in facts.targets.values()):
        costs = ["the place depends on data"]
    head = f"{access.kind} {access.base.name}{space}, {access.size} B a lane"
    return f"{head}: {' · '.join(dict.fromkeys(costs))}"


def _source_lines(file: str) -> Sequence[str]:
    try:
        return Path(file).read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
