"""Stretches of a file that no HIP compiler reads, so that nothing in them is left unported.

    #ifdef NV_NPPIDEFS_H             a library that ROCm has not: never included
    static const char* name(NppStatus error) {...}
    #endif

    #if 0                            nobody reads it
    #ifndef __HIP__                  kept for CUDA only
    #if __CUDA_ARCH__ >= 800         settled as for compute capability 7.0 (guards.py)

Names in them are renamed all the same; but what they define is not there, and what would be an
error in them is none.
"""

from __future__ import annotations

from crossport.backends.hip.condition_value import truth
from crossport.backends.hip.lexer import Kind, Tokens


def inactive_stretches(tokens: Tokens) -> list[tuple[int, int]]:
    """Byte ranges of the branches that are known to be left out."""
    found: list[tuple[int, int]] = []
    # For each open `#if`: where the branch starts, its condition, whether one before it was taken.
    stack: list[tuple[int, bool | None, bool]] = []
    for index, kind in enumerate(tokens.kind):
        if kind != Kind.DIRECTIVE:
            continue
        start = tokens.start[index]
        word = tokens.text[index].lstrip(b"# \t\\\r\n")
        if word in (b"if", b"ifdef", b"ifndef"):
            stack.append((start, _condition(tokens, index, word), False))
        elif word in (b"elif", b"else", b"endif") and stack:
            begin, value, is_taken = stack.pop()
            if value is False:
                found.append((begin, start))
            is_taken = is_taken or value is True
            if word != b"endif":
                other = None if word == b"else" else _condition(tokens, index, b"if")
                stack.append((start, False if is_taken else other, is_taken))
    return found


def _condition(tokens: Tokens, index: int, word: bytes) -> bool | None:
    """Whether HIP takes the branch; None: that depends."""
    last = tokens.index_at(tokens.line_end(tokens.start[index]))
    words = tokens.text[index + 1 : last]
    if word in (b"ifdef", b"ifndef"):
        words = [b"defined", *words] if word == b"ifdef" else [b"!", b"defined", *words]
    values = {truth(words, is_host) for is_host in (False, True)}
    return values.pop() if len(values) == 1 else None
