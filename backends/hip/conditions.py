"""Guards on CUDA's versions: the branch that a current CUDA takes is the one to port.

Example:

    #if CUDART_VERSION >= 9000       ->   #if CUDART_VERSION >= 9000 || defined(__HIP__)
    #if __CUDA_ARCH__ < 600     ->   #if __CUDA_ARCH__ < 600 && !defined(__HIP_DEVICE_COMPILE__)
    #if CUDA_VERSION / 1000 >= 11    ->   #if CUDA_VERSION / 1000 >= 11 || defined(__HIP__)
    #ifdef __CUDA_ARCH__             ->   #ifdef __HIP_DEVICE_COMPILE__

HIP leaves these macros undefined, so that a guard would quietly choose the oldest code: on
`CUDART_VERSION < 9000`, intrinsics without masks, and ballots cut to 32 bits. Each comparison is
settled by the facts in guards.py.
"""

from __future__ import annotations

from crossport.backends.hip.condition_value import truth
from crossport.backends.hip.edits import Edit
from crossport.backends.hip.guards import COMPARE, GUARDS, Guard, integer
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText
from crossport.diagnostics import Code, Severity

# What stands for a macro where its number is used and not compared.
_ARCH_VALUE = "CROSSPORT_ARCH"
_VALUES = {
    "__CUDA_ARCH__": _ARCH_VALUE,
    "CUDART_VERSION": "HIP_VERSION",
    "CUDA_VERSION": "HIP_VERSION",
}
_SWAPPED = {b">=": b"<=", b">": b"<", b"<=": b">=", b"<": b">", b"==": b"==", b"!=": b"!="}
_ARITHMETIC = (b"*", b"/", b"%", b"+", b"-")
# Where a comparison ends that is part of a condition.
_ENDS = (b"&&", b"||", b"!", b"?", b":")
# Words that mark a comparison as settled, so that a port of a port changes nothing.
_SETTLED = (b"__HIP__", b"__HIP_DEVICE_COMPILE__", b"__HIP_PLATFORM_AMD__")


def uses_arch_value(text: SourceText) -> bool:
    """Whether the port names the architecture as a value (polyfill/cuda_arch.h)."""
    return b"__CUDA_ARCH__" in text.words and any(
        edit.replacement == _ARCH_VALUE for edit in condition_edits(text).edits
    )


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
            elif not (is_in_line and directive in (b"define", b"undef") and index == first):
                _used_as_value(text, index, found)
    return found


def _settle(
    text: SourceText, index: int, first: int, line_end: int, directive: bytes, found: Findings
) -> None:
    tokens = text.tokens
    guard = GUARDS[tokens.text[index]]
    hip = _macro(text, guard)
    last = tokens.index_at(line_end) - 1
    if directive in (b"ifdef", b"ifndef") or tokens.at(index - 1) in (b"defined", b"("):
        is_defined = directive in (b"ifdef", b"ifndef") or _in_defined(text, index)
        if is_defined:
            found.edits.append(text.edit(index, index, hip, "macro of the HIP compiler"))
            return
    low, high, compare, number = index, index, tokens.at(index + 1), tokens.at(index + 2)
    if compare in COMPARE and tokens.at(index + 3) not in _ARITHMETIC:
        high = index + 2
    elif _stands_alone(text, index):
        compare, number = _SWAPPED[tokens.at(index - 1)], tokens.at(index - 2)
        low = index - 2
    value = integer(text.number(number)) if low != high else None
    holds = COMPARE[compare](guard.value, value) if value is not None else None
    if holds is None:
        low, high = _comparison(text, index, first, last)
        holds = truth(tokens.text[low : high + 1], is_host=False) if low != high else None
        guards = [i for i in range(low, high + 1) if tokens.text[i] in GUARDS]
        if any(GUARDS[tokens.text[i]].hip != guard.hip for i in guards):
            holds = None
        if holds is not None and guards[0] != index:
            return  # settled where the first of them stands
    if holds is None:
        _unclear(text, index, found)
        return
    if any(tokens.text[i] in _SETTLED for i in range(high + 1, min(high + 6, last + 1))):
        return
    addition = f" || defined({hip})" if holds else f" && !defined({hip})"
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


def _stands_alone(text: SourceText, index: int) -> bool:
    """Whether this is all of a comparison's right side, and its left side is one token."""
    tokens = text.tokens
    around = (tokens.at(index - 3), tokens.at(index + 1))
    return tokens.at(index - 1) in COMPARE and not any(word in _ARITHMETIC for word in around)


def _comparison(text: SourceText, index: int, first: int, last: int) -> tuple[int, int]:
    """The tokens of the comparison that token `index` is part of; only `index`, if of none."""
    tokens = text.tokens
    low = high = index
    while True:
        while low > first and tokens.text[low - 1] not in (*_ENDS, b"("):
            low = tokens.partner.get(low - 1, low - 1)
        while high < last and tokens.text[high + 1] not in (*_ENDS, b")"):
            high = tokens.partner.get(high + 1, high + 1)
        if any(word in COMPARE for word in tokens.text[low : high + 1]):
            return low, high
        is_bracketed = low > first and high < last and tokens.text[low - 1] == b"("
        if not is_bracketed or tokens.text[high + 1] != b")" or tokens.at(low - 2) == b"defined":
            return index, index
        low, high = low - 1, high + 1


def _macro(text: SourceText, guard: Guard) -> str:
    """What stands for the guard's macro in this file."""
    return text.hip_macro.decode() if guard.is_for_host else guard.hip


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


def _unclear(text: SourceText, index: int, found: Findings) -> None:
    name = text.tokens.text[index].decode()
    before = text.tokens.at(index - 1)
    after = text.tokens.at(index + 1)
    is_alone = after in (b"&&", b"||", b")") or text.tokens.start[index + 1 : index + 2] >= [
        text.tokens.line_end(text.tokens.start[index])
    ]
    if is_alone and (before.endswith((b"if", b"elif")) or before in (b"&&", b"||", b"!", b"(")):
        # `#if __CUDA_ARCH__`: true where device code is compiled.
        hip = _macro(text, GUARDS[text.tokens.text[index]])
        found.edits.append(
            text.edit(index, index, f"defined({hip})", f"{name} is not defined by HIP")
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
    value = _VALUES.get(name)
    before = text.tokens.at(index - 1)
    if before.endswith((b"endif", b"else")) or name in (value, "__NVCC__"):
        return
    if value is not None:
        found.edits.append(text.edit(index, index, value, f"{name} is not defined by HIP"))
    found.diagnostics.append(
        text.diagnostic(
            Code.HIP_VERSION_GUARD,
            f"{name} is used as a value; HIP does not define it"
            + (f", so {value} stands there" if value is not None else ""),
            index,
            Severity.WARNING if value is not None else Severity.ERROR,
            "see that the number does what it should here, or leave it out of the HIP build",
        )
    )
