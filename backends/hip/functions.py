"""Which function a token belongs to, by text: enough to tell host code from device code."""

from __future__ import annotations

from crossport.backends.hip.source import SourceText

DEVICE = frozenset({b"__device__", b"__global__"})
_SCOPES = frozenset({b"struct", b"class", b"namespace", b"union", b"enum"})


def head_words(text: SourceText, index: int) -> frozenset[bytes]:
    """The words before the outermost braces around a token: specifiers, type, name, parameters.

    In a parameter list, what stands before it. In a struct or namespace, that one's head.
    """
    tokens = text.tokens
    inside = (o for o, c in tokens.partner.items() if o < index < c and tokens.text[o] == b"{")
    opening = min(inside, default=index)
    first = opening
    while first > 0 and tokens.text[first - 1] not in (b";", b"}"):
        first -= 1
    return frozenset(tokens.text[first:opening])


def is_device_code(text: SourceText, index: int) -> bool:
    """Whether the token is in a kernel, or in a function that device code may call."""
    return bool(head_words(text, index) & DEVICE)


def is_host_code(text: SourceText, index: int) -> bool:
    """Whether the token is surely in a function of the host alone."""
    words = head_words(text, index)
    tokens = text.tokens
    is_inside = any(o < index < c for o, c in tokens.partner.items() if tokens.text[o] == b"{")
    return is_inside and not words & (DEVICE | _SCOPES)
