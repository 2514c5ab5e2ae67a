"""Arithmetic on halves in host code: CUDA has it, HIP 6 has it for the device only.

Example:

    void reference(const __half *a, __half *r) { r[0] = a[0] + a[1]; }      needs host_half.h
    template <typename T> void reference(const T *a, T *r) { r[0] += a[1]; }   likewise

The type of a template's argument is not known from the text; where the project uses halves at all,
such a template counts.
"""

from __future__ import annotations

from crossport.backends.hip.functions import DEVICE
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import SourceText

FP16_HEADERS = frozenset({"cuda_fp16.h", "hip/hip_fp16.h", "mma.h", "crossport_wmma.h"})
_HALF = frozenset({b"half", b"__half"})
_BINARY = frozenset({b"+", b"-", b"*", b"/"})
_COMPARE = frozenset({b"==", b"!=", b"<=", b">="})
_SPECIFIERS = frozenset(b"const __restrict__ __restrict volatile * &".split())


def has_host_arithmetic(text: SourceText) -> bool:
    """Whether a host function computes with halves, or with values of a template's type."""
    tokens = text.tokens
    for index, word in enumerate(tokens.text):
        if word != b"{" or tokens.kind[index] != Kind.PUNCT or tokens.at(index - 1) != b")":
            continue
        end = tokens.partner.get(index)
        opening = tokens.partner.get(index - 1)
        if end is None or opening is None or not tokens.is_name(opening - 1):
            continue
        head = _head(text, opening)
        if not DEVICE.isdisjoint(head):
            continue
        types = _HALF | _template_types(head)
        if types & (text.words | _HALF) and _computes(text, opening, end, types):
            return True
    return False


def _head(text: SourceText, opening: int) -> list[bytes]:
    """The words of a function before its parameters, `template <...>` among them."""
    tokens = text.tokens
    first = opening
    while first > 0 and tokens.text[first - 1] not in (b";", b"}", b"{"):
        first -= 1
    return tokens.text[first:opening]


def _template_types(head: list[bytes]) -> frozenset[bytes]:
    if b"template" not in head:
        return frozenset()
    return frozenset(
        head[i + 1] for i, word in enumerate(head[:-1]) if word in (b"typename", b"class")
    )


def _computes(text: SourceText, opening: int, end: int, types: frozenset[bytes]) -> bool:
    tokens = text.tokens
    variables: set[bytes] = set()
    for index in range(opening, end):
        if tokens.text[index] in types:
            at = index + 1
            while tokens.at(at) in _SPECIFIERS:
                at += 1
            if tokens.is_name(at):
                variables.add(tokens.at(at))
    for index in range(opening, end):
        sides = {_base_before(text, index), _base_after(text, index)}
        if tokens.text[index] in _COMPARE and sides <= variables:
            return True
        if tokens.text[index] not in _BINARY or tokens.kind[index] != Kind.PUNCT:
            continue
        left = _base_before(text, index)
        at = index + (2 if tokens.at(index + 1) == b"=" else 1)
        if left in variables and (tokens.at(index + 1) == b"=" or tokens.at(at) in variables):
            return True
        if tokens.at(index - 1) in (b"?", b"=", b"(", b":", b"return") and _is_cast(
            text, index + 1, types
        ):
            return True
    return False


def _base_before(text: SourceText, index: int) -> bytes:
    """The variable of the operand that ends before `index`: `a` of `a[i + 1] +`."""
    tokens = text.tokens
    at = index - 1
    while tokens.at(at) == b"]":
        at = tokens.partner.get(at, at + 1) - 1
    return tokens.at(at)


def _base_after(text: SourceText, index: int) -> bytes:
    """The variable of the operand that begins behind `index`, brackets and casts left out."""
    at = index + 1
    while text.tokens.at(at) in (b"(", b"-", b"*", b"&"):
        at += 1
    return text.tokens.at(at)


def _is_cast(text: SourceText, index: int, types: frozenset[bytes]) -> bool:
    """`-static_cast<T>(x)`"""
    tokens = text.tokens
    return tokens.at(index) == b"static_cast" and tokens.at(index + 2) in types
