"""Variables of host code at file scope: their initialisers run before main, and they keep state.

    static Probe probe;             probe
    int started = begin();          started
    thread_local int calls;         calls
    const float k = 0.5f;           nothing: no code runs for it, and it cannot change

Read off the tokens. What stands in functions, classes and headers is not looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from crossport.backends.hip.lexer import Kind, Tokens

_NO_VARIABLE = frozenset(
    b"constexpr constinit typedef using extern friend template static_assert operator asm "
    b"__device__ __managed__ __constant__ __shared__ __global__".split()
)
_TYPES = frozenset({b"struct", b"class", b"union", b"enum"})


def host_variables(tokens: Tokens) -> Iterator[tuple[int, bytes]]:
    """Where each is declared, and its name."""
    macros = _macros(tokens)
    statement: list[int] = []
    at = 0
    while at < len(tokens):
        text = tokens.text[at]
        if tokens.kind[at] == Kind.DIRECTIVE:
            at = max(tokens.index_at(tokens.line_end(tokens.start[at])), at + 1)
        elif text == b"{":
            words = {tokens.text[i] for i in statement}
            if b"namespace" in words or (b"extern" in words and len(statement) == 2):
                statement = []  # What is inside is at file scope, too.
                at += 1
                continue
            at = tokens.partner.get(at, len(tokens)) + 1
            is_type = bool(words & _TYPES) and not words & {b"(", b"typedef"}
            if is_type and b"=" not in words:
                statement = [at - 1]  # The type's end stands for it: declared is what follows.
            elif b"(" in words and b"=" not in words:
                statement = []  # A function.
        elif text == b";":
            yield from _declared(tokens, statement, macros)
            statement = []
            at += 1
        elif text == b"}":
            statement = []
            at += 1
        else:
            statement.append(at)
            at += 1


def _macros(tokens: Tokens) -> dict[bytes, set[bytes]]:
    """The words that each macro of the file stands for."""
    found: dict[bytes, set[bytes]] = {}
    for at, text in enumerate(tokens.text):
        if tokens.kind[at] == Kind.DIRECTIVE and text.endswith(b"define"):
            end = tokens.index_at(tokens.line_end(tokens.start[at]))
            found[tokens.at(at + 1)] = set(tokens.text[at + 2 : end])
    return found


def _declared(
    tokens: Tokens, statement: list[int], macros: dict[bytes, set[bytes]]
) -> Iterator[tuple[int, bytes]]:
    texts = [tokens.text[i] for i in statement]
    words = set(texts).union(*(macros.get(text, set()) for text in texts))
    if words & _NO_VARIABLE:
        return
    end = texts.index(b"=") if b"=" in texts else len(texts)
    value = statement[end + 1 :]
    if b"(" in texts[:end]:
        inside = texts.index(b"(") + 1
        if inside >= end or tokens.kind[statement[inside]] == Kind.NAME or texts[inside] == b")":
            return  # A function, not a constructor's arguments.
        end = inside - 1
    if b"const" in words and not _calls(tokens, value):
        return
    if b"[" in texts[:end]:
        end = texts.index(b"[")
    names = [i for i in statement[:end] if tokens.kind[i] == Kind.NAME or tokens.text[i] == b"}"]
    if len(names) >= 2 and not (len(names) == 2 and texts[0] in _TYPES):
        yield tokens.start[names[-1]], tokens.text[names[-1]]


def _calls(tokens: Tokens, value: list[int]) -> bool:
    pairs = itertools.pairwise(value)
    return any(tokens.kind[i] == Kind.NAME and tokens.text[j] == b"(" for i, j in pairs)


__all__ = ["host_variables"]
