"""Every corpus kernel has a source, cases that load, and enough of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.validation.cases import load_cases

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
ENTRIES = sorted(path.parent.name for path in CORPUS.glob("*/cases.toml"))


@pytest.mark.parametrize("entry", ENTRIES)
def test_cases_load_and_match_the_source(entry: str) -> None:
    loaded = load_cases(CORPUS / entry)
    text = loaded.source.read_text()
    assert loaded.features, "say which feature classes the kernel is here for"
    assert len(loaded.checked) >= 3
    for case in loaded.cases:
        assert case.function in text
        assert case.written, f"{case.id} has no output to judge"


@pytest.mark.parametrize("entry", ENTRIES)
def test_contents_are_deterministic(entry: str) -> None:
    first, second = load_cases(CORPUS / entry), load_cases(CORPUS / entry)
    for a, b in zip(first.checked, second.checked, strict=True):
        assert a == b
        for name, values in a.initial().items():
            assert values.tobytes() == b.initial()[name].tobytes()


def test_every_folder_is_an_entry() -> None:
    folders = {path.name for path in CORPUS.iterdir() if path.is_dir()}
    assert folders == set(ENTRIES)
