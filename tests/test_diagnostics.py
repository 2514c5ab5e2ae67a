"""Diagnostics render with the source line and a caret, and sort by place."""

from pathlib import Path

from crossport.diagnostics import (
    Code,
    Diagnostic,
    PortError,
    Severity,
    Span,
    placed,
    sort_diagnostics,
)


def test_text_shows_the_line_and_underlines_the_span(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text("int a;\n\tif (lane & 31) x();\n")
    span = Span(str(source), 2, 6, 2, 15)
    diagnostic = Diagnostic(Code.NOT_LOWERED, "32 lanes", span, Severity.WARNING, "use warpSize")
    assert diagnostic.render() == (
        f"{source}:2:6: warning: CP3001: 32 lanes\n"
        "    2 | \tif (lane & 31) x();\n"
        "      | \t    ^~~~~~~~~\n"
        "  help: use warpSize"
    )


def test_a_span_outside_its_file_renders_without_a_quote(tmp_path: Path) -> None:
    gone = Span(str(tmp_path / "gone.cu"), 3)
    assert Diagnostic(Code.USAGE, "m", gone).render() == f"{gone}: error: CP9001: m"


def test_json_has_the_contract_fields() -> None:
    diagnostic = Diagnostic(Code.USAGE, "m", Span("a.cu", 4, 2))
    assert diagnostic.as_json() == {
        "code": "CP9001", "severity": "error", "file": "a.cu", "line": 4, "column": 2,
        "message": "m", "help": None,
    }  # fmt: skip


def test_sorting_drops_duplicates_and_orders_by_place() -> None:
    def at(line: int) -> Diagnostic:
        return Diagnostic(Code.USAGE, "m", Span("a.cu", line))

    assert sort_diagnostics([at(9), at(2), at(9)]) == [at(2), at(9)]


def test_an_error_carries_all_its_findings() -> None:
    first, second = Diagnostic(Code.USAGE, "one"), Diagnostic(Code.USAGE, "two")
    error = PortError(first, second)
    assert error.diagnostic is first
    assert str(error) == "error: CP9001: one\nerror: CP9001: two"


def test_a_finding_without_a_place_gets_its_kernels() -> None:
    kernel = Span("k.cu", 3, 1)
    own = Diagnostic(Code.NO_TENSOR_FORM, "a", Span("k.cu", 5, 2))
    assert placed((own, Diagnostic(Code.NO_TENSOR_FORM, "b")), kernel) == (
        own,
        Diagnostic(Code.NO_TENSOR_FORM, "b", kernel),
    )
