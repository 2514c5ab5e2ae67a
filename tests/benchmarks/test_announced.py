"""A compiler error counts as announced only by a finding at its place or of its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks_loader import load

from crossport.diagnostics import Code, Diagnostic, Severity, Span

Announced = load("announced").Announced


def _error(file: Path, line: int, message: str) -> Diagnostic:
    return Diagnostic(Code.DOES_NOT_COMPILE, f"the compiler says: {message}", Span(str(file), line))


@pytest.fixture
def tree(tmp_path: Path) -> tuple[Path, Path]:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    (source / "k.cu").write_text("one\ntwo\nthree\n")
    (out / "k.hip").write_text("#include <hip/hip_runtime.h>\none\nzwei\nthree\n")
    return source, out


def test_a_place_counts_through_the_lines_that_the_port_put_in(tree: tuple[Path, Path]) -> None:
    source, out = tree
    finding = Diagnostic(Code.PTX_NOT_TRANSLATED, "no such thing", Span(str(source / "k.cu"), 2))
    told = Announced([finding], source, out)
    assert told.covers(_error(out / "k.hip", 3, "expected ';'"))
    assert not told.covers(_error(out / "k.hip", 2, "expected ';'"))


@pytest.mark.parametrize(
    ("finding", "error", "is_told"),
    [
        ("cudaFoo: HIP declares no counterpart", "use of undeclared identifier 'hipFoo'", True),
        ("cudaFoo: HIP declares no counterpart", "use of undeclared identifier 'hipBar'", False),
        ("header 'gdal/priv.h' not found; what it", "'gdal/priv.h' file not found", True),
        ("header 'gdal/priv.h' not found; what it", "'cpl/priv.h' file not found", False),
        ("HIP has operator* on vectors", "use of overloaded operator '*' is ambiguous", True),
        ("HIP has operator* on vectors", "use of overloaded operator '/' is ambiguous", False),
        ("what it declares is unknown", "use of undeclared identifier 'what'", False),
    ],
)
def test_a_name_counts(finding: str, error: str, is_told: bool, tree: tuple[Path, Path]) -> None:
    source, out = tree
    told = Announced([Diagnostic(Code.HIP_API_MISSING, finding)], source, out)
    assert told.covers(_error(out / "k.hip", 1, error)) == is_told


def test_a_note_announces_nothing(tree: tuple[Path, Path]) -> None:
    source, out = tree
    note = Diagnostic(Code.HIP_API_DIFFERS, "cudaFoo differs", severity=Severity.NOTE)
    assert not Announced([note], source, out).covers(_error(out / "k.hip", 1, "no 'hipFoo'"))
