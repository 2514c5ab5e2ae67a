"""Variables of device code that outlive a launch: what a port could count its launches in.

    __device__ int calls;                    calls
    static unsigned seen = 0;                seen, inside a function
    #define KEEP __device__
    KEEP float memo[64];                     memo
    __device__ const float half = 0.5f;      nothing: it cannot change

Read off the tokens, so inactive branches count as well. A port may keep what its original keeps.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossport.backends.hip.lexer import Kind, Tokens

_SPACES = frozenset({b"__device__", b"__managed__", b"__constant__"})
_FIXED = frozenset({b"const", b"constexpr", b"__shared__", b"typedef", b"using"})
_WITH_BRACKETS = frozenset({b"__align__", b"alignas", b"__attribute__", b"__launch_bounds__"})
_MOST = 40


def kept_variables(tokens: Tokens) -> Iterator[tuple[int, bytes]]:
    """Where each is declared, and its name."""
    macros = dict(_macros(tokens))
    inside = _directive_lines(tokens)
    depth = 0
    for at, text in enumerate(tokens.text):
        depth += (text == b"{") - (text == b"}")
        start = tokens.start[at]
        if tokens.kind[at] != Kind.NAME or any(a <= start < b for a, b in inside.get(at, ())):
            continue
        meaning = macros.get(text, text)
        if meaning in _SPACES or (meaning == b"static" and depth > 0):
            name = _declared(tokens, at, meaning)
            if name:
                yield start, name


def _macros(tokens: Tokens) -> Iterator[tuple[bytes, bytes]]:
    """Names that stand for one of the words."""
    for at, text in enumerate(tokens.text):
        if tokens.kind[at] != Kind.DIRECTIVE or not text.endswith(b"define"):
            continue
        end = tokens.line_end(tokens.start[at])
        body = [i for i in range(at + 2, min(at + 42, len(tokens))) if tokens.start[i] < end]
        words = {tokens.text[i] for i in body}
        for word in (*sorted(_SPACES), b"static"):
            if word in words and not words & _FIXED:
                yield tokens.text[at + 1], word


def _directive_lines(tokens: Tokens) -> dict[int, tuple[tuple[int, int], ...]]:
    """The tokens that belong to directives: what a macro is made of is no declaration yet."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for at, kind in enumerate(tokens.kind):
        if kind != Kind.DIRECTIVE:
            continue
        start, end = tokens.start[at], tokens.line_end(tokens.start[at])
        i = at
        while i < len(tokens) and tokens.start[i] < end:
            found[i] = ((start, end),)
            i += 1
    return found


def _declared(tokens: Tokens, at: int, meaning: bytes) -> bytes:
    """The name of the variable that a declaration declares; b"" where it is a function or fixed."""
    if at and tokens.text[at - 1] in (*_FIXED, b"]"):
        return b""  # `constexpr static int n`, or a lambda's `[=] __device__ (...)`.
    name = b""
    words: set[bytes] = set()
    angle = bracket = 0
    for i in range(at + 1, min(at + _MOST, len(tokens))):
        text = tokens.text[i]
        if bracket or text == b"(":
            if text == b"(" and not bracket and name not in _WITH_BRACKETS:
                return b""
            bracket += (text == b"(") - (text == b")")
        elif text in (b"<", b"<<<", b">", b">>>"):
            angle += 1 if text[:1] == b"<" else -1
        elif text == b"}" or (text == b"{" and not name):
            return b""
        elif text in (b";", b"=", b"["):
            fixed = words & _FIXED or (meaning == b"static" and words & _SPACES)
            return b"" if fixed else name
        elif tokens.kind[i] == Kind.NAME and angle <= 0:
            words.add(text)
            name = text
    return b""
