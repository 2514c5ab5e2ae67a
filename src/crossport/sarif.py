"""Diagnostics as SARIF 2.1.0, the format that code hosts show beside a change.

Fields are those of the OASIS standard "Static Analysis Results Interchange Format", 2.1.0.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from crossport import __version__
from crossport.diagnostics import Code, Diagnostic, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def to_sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """One SARIF log with one run; rules are the codes that occur, in order of their number."""
    findings = list(diagnostics)
    codes = sorted({d.code for d in findings})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "crossport",
                        "version": __version__,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "results": [_result(d, codes.index(d.code)) for d in findings],
            }
        ],
    }


def _rule(code: Code) -> dict[str, object]:
    return {"id": code.value, "name": code.name.title().replace("_", "")}


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    text = diagnostic.message + (f"\n{diagnostic.help}" if diagnostic.help else "")
    result: dict[str, object] = {
        "ruleId": diagnostic.code.value,
        "ruleIndex": rule,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": text},
    }
    if (span := diagnostic.span) is not None:
        region = {"startLine": span.line, "startColumn": span.column}
        if span.end_line:
            region |= {"endLine": span.end_line, "endColumn": max(1, span.end_column)}
        path = Path(span.file)
        uri = path.as_uri() if path.is_absolute() else path.as_posix()
        result["locations"] = [
            {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
        ]
    return result
