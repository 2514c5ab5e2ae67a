"""Each case file says what becomes of a few lines of CUDA; a port of the port changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossport.backends.hip.edits import apply_edits, merge_edits
from crossport.backends.hip.port import HipOptions
from crossport.backends.hip.semantics import semantic_edits
from crossport.backends.hip.semantics.helpers import _HEADLINE, _OTHER_HEADLINE
from crossport.diagnostics import Diagnostic
from crossport.frontend.parse import parse

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    """`before` is CUDA, `after` what the semantic edits make of it, helpers left out."""

    name: str
    before: str
    after: str


def read_cases(file: Path) -> list[Case]:
    """`# title`, text, `---`, text; a blank line and `#` begin the next."""
    cases = []
    for part in re.split(r"(?m)^# ", file.read_text())[1:]:
        title, _, body = part.partition("\n")
        before, _, after = body.partition("---\n")
        cases.append(Case(f"{file.stem}: {title}", before.strip() + "\n", after.strip() + "\n"))
    return cases


ALL = [case for file in sorted(CASES.glob("*.cu")) for case in read_cases(file)]


def port(text: str, tmp_path: Path) -> tuple[str, list[Diagnostic]]:
    """The text after the semantic edits, and what they report."""
    path = tmp_path / "case.cu"
    path.write_text(text)
    edits, diagnostics = semantic_edits(parse(path, probe=False), HipOptions())
    merged = merge_edits(edits)
    assert not merged.conflicts
    return apply_edits(text.encode(), merged.edits).decode(), diagnostics


def without_helpers(text: str) -> str:
    """The port without the functions that were put in."""
    text = re.sub(r"(?ms)^#ifndef (CROSSPORT_\w+)\n#define \1\n.*?^#endif\n", "", text)
    for line in (_HEADLINE, _OTHER_HEADLINE):
        text = text.replace(f"\n{line}\n", "")
    return text.lstrip("\n")


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    """The edits make `after` of `before`, and nothing of `after`."""
    ported, _ = port(case.before, tmp_path)
    assert without_helpers(ported) == case.after
    again, _ = port(ported, tmp_path)
    assert again == ported
