"""Guards on CUDA's versions: the branch that a current CUDA takes is the one to port.

Example:

    #if CUDART_VERSION >= 9000       ->   #if CUDART_VERSION >= 9000 || defined(__HIP__)
    #if __CUDA_ARCH__ < 600     ->   #if __CUDA_ARCH__ < 600 && !defined(__HIP_DEVICE_COMPILE__)
    #ifdef __CUDA_ARCH__             ->   #ifdef __HIP_DEVICE_COMPILE__

HIP leaves these macros undefined, so that a guard would quietly choose the oldest code: on
`CUDART_VERSION < 9000`, intrinsics without masks, and ballots cut to 32 bits. Each comparison is
settled as for CUDA 12 and for compute capability 7.0, the newest whose code needs no tensor-core or
asynchronous-copy PTX.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity


@dataclass(frozen=True, slots=True)
class Guard:
    """A macro of CUDA's, the value to settle it by, and the macro that HIP has in its place."""

    value: int
    hip: str


GUARDS = {
    b"__CUDA_ARCH__": Guard(700, "__HIP_DEVICE_COMPILE__"),
    b"CUDART_VERSION": Guard(12060, "__HIP__"),
    b"CUDA_VERSION": Guard(12060, "__HIP__"),
    b"__CUDACC_VER_MAJOR__": Guard(12, "__HIP__"),
    b"__NVCC__": Guard(1, "__HIP__"),
}
_COMPARE: dict[bytes, Callable[[int, int], bool]] = {
    b">=": operator.ge,
    b">": operator.gt,
    b"<=": operator.le,
    b"<": operator.lt,
    b"==": operator.eq,
    b"!=": operator.ne,
}
_SWAPPED = {b">=": b"<=", b">": b"<", b"<=": b">=", b"<": b">", b"==": b"==", b"!=": b"!="}
# Words that mark a comparison as settled, so that a port of a port changes nothing.
_SETTLED = (b"__HIP__", b"__HIP_DEVICE_COMPILE__")


def condition_edits(text: SourceText) -> Findings:
    """Settle each guard of a file."""
    found = Findings()
    if not any(macro in text.words for macro in GUARDS):
        return found
    tokens = text.tokens
    line_end = -1
    directive = b""
    first = 0
    for index, kind in enumerate(tokens.kind):
        if kind == Kind.DIRECTIVE:
            directive = tokens.text[index].lstrip(b"# \t")
            line_end = tokens.line_end(tokens.start[index])
            first = index + 1
        elif kind == Kind.NAME and tokens.text[index] in GUARDS:
            is_in_line = tokens.start[index] < line_end
            if is_in_line and directive in (b"if", b"elif", b"ifdef", b"ifndef"):
                _settle(text, index, first, line_end, directive, found)
            elif not (is_in_line and directive in (b"define", b"undef")):
                _used_as_value(text, index, found)
    return found


def _settle(
    text: SourceText, index: int, first: int, line_end: int, directive: bytes, found: Findings
) -> None:
    tokens = text.tokens
    guard = GUARDS[tokens.text[index]]
    last = tokens.index_at(line_end) - 1
    if directive in (b"ifdef", b"ifndef") or tokens.at(index - 1) in (b"defined", b"("):
        is_defined = directive in (b"ifdef", b"ifndef") or _in_defined(text, index)
        if is_defined:
            found.edits.append(text.edit(index, index, guard.hip, "macro of the HIP compiler"))
            return
    low, high, compare, number = index, index, tokens.at(index + 1), tokens.at(index + 2)
    if compare in _COMPARE and tokens.at(index + 3) not in (b"*", b"/", b"%", b"+", b"-"):
        high = index + 2
    elif tokens.at(index - 1) in _COMPARE:
        compare, number = _SWAPPED[tokens.at(index - 1)], tokens.at(index - 2)
        low = index - 2
    else:
        _unclear(text, index, found)
        return
    value = _integer(text.number(number))
    if value is None:
        _unclear(text, index, found)
        return
    if any(tokens.text[i] in _SETTLED for i in range(high + 1, min(high + 6, last + 1))):
        return
    holds = _COMPARE[compare](guard.value, value)
    addition = f" || defined({guard.hip})" if holds else f" && !defined({guard.hip})"
    reason = f"{tokens.text[index].decode()} is not defined by HIP"
    if low == first and high == last:
        end = tokens.end(high)
        found.edits.append(Edit(text.file, end, end, addition, reason))
        return
    written = tokens.span_text(low, high + 1).decode("utf-8", "surrogateescape")
    if _has_brackets(text, low, high):
        found.edits.append(text.edit(low, high, written + addition, reason))
    else:
        found.edits.append(text.edit(low, high, f"({written}{addition})", reason))


def _in_defined(text: SourceText, index: int) -> bool:
    tokens = text.tokens
    if tokens.at(index - 1) == b"defined":
        return True
    return tokens.at(index - 1) == b"(" and tokens.at(index - 2) == b"defined"


def _has_brackets(text: SourceText, low: int, high: int) -> bool:
    tokens = text.tokens
    return (
        tokens.at(low - 1) == b"(" and tokens.at(high + 1) == b")" and not tokens.is_name(low - 2)
    )


def _integer(number: bytes) -> int | None:
    try:
        return int(number.rstrip(b"uUlL"), 0)
    except ValueError:
        return None


def _unclear(text: SourceText, index: int, found: Findings) -> None:
    name = text.tokens.text[index].decode()
    before = text.tokens.at(index - 1)
    after = text.tokens.at(index + 1)
    is_alone = after in (b"&&", b"||", b")") or text.tokens.start[index + 1 : index + 2] >= [
        text.tokens.line_end(text.tokens.start[index])
    ]
    if is_alone and (before.endswith((b"if", b"elif")) or before in (b"&&", b"||", b"!", b"(")):
        # `#if __CUDA_ARCH__`: true where device code is compiled.
        guard = GUARDS[text.tokens.text[index]]
        found.edits.append(
            text.edit(index, index, f"defined({guard.hip})", f"{name} is not defined by HIP")
        )
        return
    found.diagnostics.append(
        text.diagnostic(
            Code.HIP_VERSION_GUARD,
            f"{name} is not defined by HIP, and this condition is not a plain comparison",
            index,
            Severity.WARNING,
            "test __HIP__ or __HIP_DEVICE_COMPILE__ in this condition",
        )
    )


def _used_as_value(text: SourceText, index: int, found: Findings) -> None:
    name = text.tokens.text[index].decode()
    found.diagnostics.append(
        text.diagnostic(
            Code.HIP_VERSION_GUARD,
            f"{name} is used as a value; HIP does not define it",
            index,
            Severity.ERROR,
            "use HIP_VERSION, or leave the value out of the HIP build",
        )
    )
