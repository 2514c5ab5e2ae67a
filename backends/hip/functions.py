"""Which function a token belongs to, by text: enough to tell host code from device code.

namespace n { struct S { __device__ int f(int a) { return a; } }; }
                         ^^^^^^^^^^^^^^^^^^^^^^^   head of the body that `return` stands in
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import SourceText

DEVICE = frozenset({b"__device__", b"__global__"})
_SCOPES = frozenset({b"struct", b"class", b"namespace", b"union", b"enum", b"extern"})
_WITH_BRACKETS = frozenset(
    b"alignas __align__ __builtin_align__ __attribute__ __declspec aligned".split()
)


@dataclass(frozen=True, slots=True)
class Body:
    """A function's braces, as tokens, and the words before them: specifiers, type, parameters."""

    opening: int
    closing: int
    head: frozenset[bytes]


@lru_cache(maxsize=256)
def bodies(text: SourceText) -> tuple[Body, ...]:
    """The outermost braces that are no namespace or type, in order."""
    tokens = text.tokens
    found: list[Body] = []
    start = index = 0
    while index < len(tokens):
        word = tokens.text[index]
        if tokens.kind[index] == Kind.PUNCT:
            if word in (b";", b"}"):
                start = index + 1
            elif word == b"{":
                closing = tokens.partner.get(index)
                head = frozenset(tokens.text[start:index])
                if closing is None or (head & _SCOPES and not _has_parameters(text, start, index)):
                    start = index + 1
                else:
                    found.append(Body(index, closing, head))
                    index, start = closing, closing + 1
        index += 1
    return tuple(found)


def _has_parameters(text: SourceText, first: int, end: int) -> bool:
    """Whether a head has brackets of its own: `struct alignas(8) S` has none."""
    tokens = text.tokens
    return any(
        tokens.text[i] == b"("
        and tokens.at(i - 1) not in _WITH_BRACKETS
        and tokens.at(i - 1) != b"("
        for i in range(first, end)
    )


def body_around(text: SourceText, index: int) -> Body | None:
    """The function's body that a token stands in; None outside of all."""
    known = bodies(text)
    at = bisect_right(known, index, key=lambda body: body.opening) - 1
    return known[at] if at >= 0 and index < known[at].closing else None


def head_words(text: SourceText, index: int) -> frozenset[bytes]:
    """The head of the body around a token; in a parameter list, what stands before the token."""
    body = body_around(text, index)
    if body is not None:
        return body.head
    first = index
    while first > 0 and text.tokens.text[first - 1] not in (b";", b"}", b"{"):
        first -= 1
    return frozenset(text.tokens.text[first:index])


def is_device_code(text: SourceText, index: int) -> bool:
    """Whether the token is in a kernel, or in a function that device code may call."""
    return bool(head_words(text, index) & DEVICE)


def is_device_only(text: SourceText, index: int) -> bool:
    """Whether the token is in the body of a function that the host never runs."""
    body = body_around(text, index)
    return body is not None and bool(body.head & DEVICE) and b"__host__" not in body.head


def is_host_code(text: SourceText, index: int) -> bool:
    """Whether the token is in the body of a function of the host alone."""
    body = body_around(text, index)
    return body is not None and not body.head & DEVICE
