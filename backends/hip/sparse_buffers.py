"""Triangular solves of hipSPARSE that want the work buffer again, which cuSPARSE keeps for itself.

Example:

    cusparseSpSM_analysis(h, ..., descr, buffer);
    cusparseSpSM_solve(h, ..., descr);   ->   hipsparseSpSM_solve(h, ..., descr, buffer);

The buffer is the one of the analysis with the same descriptor, where that is a variable of the same
function; anything else is announced.
"""

from __future__ import annotations

from crossport.backends.hip.edits import Edit, decode
from crossport.backends.hip.functions import body_around
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity

# The solve, its number of arguments in cuSPARSE, and the analysis that takes the buffer last.
_SOLVES = {b"SpSM_solve": (10, b"SpSM_analysis")}
_PREFIXES = (b"cusparse", b"hipsparse")


def sparse_buffer_edits(text: SourceText) -> Findings:
    """Hand the buffer of the analysis to each solve that lacks it."""
    found = Findings()
    for name, (count, analysis) in _SOLVES.items():
        for index, arguments in _calls(text, name):
            if len(arguments) != count:
                continue
            buffer = _buffer(text, index, arguments[-1], analysis)
            if buffer is None:
                found.diagnostics.append(
                    text.diagnostic(
                        Code.HIP_SIGNATURE,
                        f"hipsparse{name.decode()} takes the work buffer as a last argument, and"
                        " the analysis that names it is not in this function",
                        index,
                        Severity.ERROR,
                        f"add the buffer that hipsparse{analysis.decode()} was given",
                    )
                )
                continue
            end = text.tokens.end(arguments[-1][1] - 1)
            found.edits.append(
                Edit(text.file, end, end, f", {buffer}", "hipSPARSE wants the work buffer again")
            )
    return found


def _calls(text: SourceText, name: bytes) -> list[tuple[int, list[tuple[int, int]]]]:
    tokens = text.tokens
    wanted = frozenset(prefix + name for prefix in _PREFIXES) - text.own_names
    if wanted.isdisjoint(text.words):
        return []
    return [
        (index, arguments)
        for index in text.code_names
        if tokens.text[index] in wanted and tokens.at(index + 1) == b"("
        if (arguments := tokens.arguments(index + 1)) is not None
    ]


def _buffer(
    text: SourceText, solve: int, descriptor: tuple[int, int], analysis: bytes
) -> str | None:
    """The buffer of the analysis that prepares this solve, if it is a plain variable in reach."""
    tokens = text.tokens
    wanted = tokens.span_text(*descriptor)
    found = {
        decode(tokens.span_text(*arguments[-1]))
        for index, arguments in _calls(text, analysis)
        if len(arguments) >= 2
        and tokens.span_text(*arguments[-2]) == wanted
        and arguments[-1][1] - arguments[-1][0] == 1
        and body_around(text, index) == body_around(text, solve)
    }
    return found.pop() if len(found) == 1 else None
