"""The search for a failing launch: it finds one, makes it small, and keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import parse_cases
from crossport.validation.explore import explore
from crossport.validation.judge_port import candidate_from_file, judge_port
from crossport.validation.numerics.words import Word
from crossport.validation.runners.base import Candidate
from crossport.validation.runners.interp import InterpRunner

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def _edited(name: str, old: str, new: str) -> Candidate:
    whole = candidate_from_file(CORPUS / name / f"{name}.cu", "cuda")
    text = whole.files[whole.entry].decode()
    assert old in text
    return Candidate("cuda", {whole.entry: text.replace(old, new).encode()}, whole.entry)


def test_a_failure_beyond_a_size_is_shrunk_to_that_size(tmp_path: Path) -> None:
    candidate = _edited("vecadd", "i < n)", "i < n && n < 33)")
    bundle = load_bundle(CORPUS / "vecadd" / "h200.bundle")
    found = explore(candidate, bundle, InterpRunner(), seed="a")
    assert found.verdict is not None and found.verdict.word is Word.DIVERGENT
    assert found.verdict.case == "n33"
    kept = parse_cases(found.text, tmp_path / "failing.toml")
    assert [case.params["n"] for case in kept.cases] == [33]
    # What was kept fails again, on its own.
    (tmp_path / "failing.toml").write_text(found.text)
    (tmp_path / "vecadd.cu").write_bytes((CORPUS / "vecadd" / "vecadd.cu").read_bytes())
    again = judge_port(candidate, interpreted_bundle(tmp_path / "failing.toml"))
    assert again.word is Word.DIVERGENT


def test_what_the_original_may_not_do_is_not_asked_for() -> None:
    """A block of bitonic_sort_shared sorts 256 keys: no other number of them is a launch."""
    bundle = load_bundle(CORPUS / "bitonic_sort_shared" / "h200.bundle")
    source = CORPUS / "bitonic_sort_shared" / "bitonic_sort_shared.cu"
    honest = candidate_from_file(source, "cuda")
    found = explore(honest, bundle, InterpRunner(), examples=10, seed="b")
    assert found.verdict is None and found.text == ""
    assert found.launches > 0


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stencil_1d_halo", "in[g] : 0", "(short)in[g] : 0"),
        ("saxpy_grid_stride", "alpha * x", "2.5f * x"),
    ],
)
def test_a_verdict_carries_what_the_search_found(name: str, old: str, new: str) -> None:
    text = (CORPUS / name / f"{name}.cu").read_text()
    if old not in text:
        pytest.skip(f"{name} is spelled another way")
    verdict = judge_port(
        _edited(name, old, new), CORPUS / name / "h200.bundle", explore=20, seed="c"
    )
    assert verdict.word is Word.DIVERGENT
    assert "launches" in verdict.layers["explored"]
    assert verdict.counterexample
    assert verdict.as_json()["counterexample"] == verdict.counterexample
