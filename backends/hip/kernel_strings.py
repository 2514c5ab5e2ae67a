"""CUDA source in string literals, for compilation at run time (NVRTC, hipRTC).

Example:

    const char *src = R"(__global__ void k() { ... cudaStream_t ... })";   ported in place
    const char *src = "__global__ void k() {...}";                         reported

In a raw string every byte is as it stands, so that edits have a place. In an ordinary one escapes
and pieces hide where a name begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Diagnostic, Severity

_MARK = b"__global__"


def kernel_string_edits(
    text: SourceText, passes: Sequence[Callable[[SourceText], Findings]]
) -> Findings:
    """Port the raw strings that hold kernels with `passes`; report the ordinary ones."""
    found = Findings()
    if _MARK not in text.source:
        return found
    tokens = text.tokens
    for index, kind in enumerate(tokens.kind):
        if kind != Kind.STRING or _MARK not in tokens.text[index]:
            continue
        written = tokens.text[index]
        if b'R"' not in written[:4]:
            found.diagnostics.append(_not_ported(text, index))
            continue
        opening = written.index(b"(") + 1
        base = tokens.start[index] + opening
        inner = SourceText(text.file, written[opening : written.rindex(b")")])
        for edits_of in passes:
            part = edits_of(inner)
            found.edits += [replace(e, start=e.start + base, end=e.end + base) for e in part.edits]
            found.diagnostics += [replace(d, span=text.span(index)) for d in part.diagnostics]
    return found


def _not_ported(text: SourceText, index: int) -> Diagnostic:
    return text.diagnostic(
        Code.HIP_RUNTIME_SOURCE,
        "this string holds CUDA source for run-time compilation; it was left as it is",
        index,
        Severity.WARNING,
        "make it a raw string, or keep the kernel in a file of its own, and port that",
    )
