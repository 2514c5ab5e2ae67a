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

from dataclasses import dataclass

from crossport.backends.hip.guards import COMPARE, GUARDS, settled
from crossport.backends.hip.lexer import Kind, Tokens

# Defined by headers of NVIDIA's that have no counterpart, or by other compilers than HIP's.
_NEVER = frozenset(
    b"NV_NPPIDEFS_H NVJPEGAPI __HIP_PLATFORM_NVIDIA__ __HIP_PLATFORM_NVCC__ __NVCOMPILER".split()
)
_ALWAYS = frozenset(b"__HIP__ __HIPCC__ __HIP_PLATFORM_AMD__ __HIP_PLATFORM_HCC__".split())


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
    values = {_Condition(words, is_host).value() for is_host in (False, True)}
    return values.pop() if len(values) == 1 else None


@dataclass
class _Condition:
    """The words of an `#if`, read from left to right; None stands for what is not known."""

    words: list[bytes]
    is_host: bool
    at: int = 0

    def value(self) -> bool | None:
        """The whole condition's value."""
        value = self._either()
        return value if self.at == len(self.words) else None

    def _either(self) -> bool | None:
        values = [self._both()]
        while self._next(b"||"):
            values.append(self._both())
        return True if True in values else False if set(values) == {False} else None

    def _both(self) -> bool | None:
        values = [self._one()]
        while self._next(b"&&"):
            values.append(self._one())
        return False if False in values else True if set(values) == {True} else None

    def _one(self) -> bool | None:
        if self._next(b"!"):
            return _not(self._one())
        if self._next(b"("):
            value = self._either()
            return value if self._close() else None
        if self._next(b"defined"):
            has_bracket = self._next(b"(")
            macro = self._take()
            return self._has(macro) if not has_bracket or self._close() else None
        first = self._take()
        if self.at < len(self.words) and self.words[self.at] in COMPARE:
            return settled(first, self._take(), self._take(), self.is_host)
        return first == b"1" if first in (b"0", b"1") else None

    def _has(self, macro: bytes) -> bool | None:
        if (guard := GUARDS.get(macro)) is not None:
            return guard.is_for_host or not self.is_host
        return True if macro in _ALWAYS else False if macro in _NEVER else None

    def _take(self) -> bytes:
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else b""

    def _next(self, word: bytes) -> bool:
        is_next = self.words[self.at : self.at + 1] == [word]
        self.at += is_next
        return is_next

    def _close(self) -> bool:
        """Step over a closing bracket; where there is none, the rest is not read."""
        is_closed = self._next(b")")
        self.at = self.at if is_closed else len(self.words) + 1
        return is_closed


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
