"""The value of an `#if` as HIP's compiler or CUDA's facts give it; None where that depends.

    12 * 10000 + 600 < 120200               0
    __CUDACC_VER_MAJOR__ >= 12 && FANCY     None: FANCY is not known
    __CUDA_ARCH__ < 300 && FANCY            0, whatever FANCY is

Version macros stand for the values of guards.py, in device or in host code.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossport.backends.hip.guards import COMPARE, GUARDS, integer

# Defined by headers of NVIDIA's that have no counterpart, or by other compilers than HIP's.
_NEVER = frozenset(
    b"NV_NPPIDEFS_H NVJPEGAPI __HIP_PLATFORM_NVIDIA__ __HIP_PLATFORM_NVCC__ __NVCOMPILER".split()
)
_ALWAYS = frozenset(b"__HIP__ __HIPCC__ __HIP_PLATFORM_AMD__ __HIP_PLATFORM_HCC__".split())
_Operation = Callable[[int, int], int | None]
# From the loosest to the tightest; && and || are apart, since one side can decide.
_LEVELS: tuple[dict[bytes, _Operation], ...] = (
    {b"|": operator.or_},
    {b"^": operator.xor},
    {b"&": operator.and_},
    {compare: COMPARE[compare] for compare in (b"==", b"!=")},
    {compare: COMPARE[compare] for compare in (b"<", b">", b"<=", b">=")},
    {b"<<": lambda a, b: a << b if 0 <= b < 64 else None, b">>": lambda a, b: a >> max(0, b)},
    {b"+": operator.add, b"-": operator.sub},
    {
        b"*": operator.mul,
        b"/": lambda a, b: a // b if b and a >= 0 else None,
        b"%": lambda a, b: a % b if b and a >= 0 else None,
    },
)


def truth(words: Sequence[bytes], is_host: bool) -> bool | None:
    """Whether a condition holds, in host or in device code."""
    reader = _Reader(words, is_host)
    value = reader.either()
    return None if value is None or reader.at != len(words) else value != 0


@dataclass
class _Reader:
    """The words of an `#if`, read from left to right; None stands for what is not known."""

    words: Sequence[bytes]
    is_host: bool
    at: int = 0

    def either(self) -> int | None:
        values = [self._both()]
        while self._next(b"||"):
            values.append(self._both())
        if len(values) == 1:
            return values[0]
        return 1 if any(values) else None if None in values else 0

    def _both(self) -> int | None:
        values = [self._level(0)]
        while self._next(b"&&"):
            values.append(self._level(0))
        if len(values) == 1:
            return values[0]
        return 0 if 0 in values else None if None in values else 1

    def _level(self, level: int) -> int | None:
        if level == len(_LEVELS):
            return self._one()
        value = self._level(level + 1)
        while (operation := _LEVELS[level].get(self._peek())) is not None:
            self.at += 1
            other = self._level(level + 1)
            known = value is not None and other is not None
            value = operation(value, other) if known else None  # type: ignore[arg-type]
        return value

    def _one(self) -> int | None:
        if self._next(b"!"):
            value = self._one()
            return None if value is None else int(not value)
        if self._next(b"-"):
            value = self._one()
            return None if value is None else -value
        if self._next(b"("):
            value = self.either()
            return value if self._close() else None
        if self._next(b"defined"):
            has_bracket = self._next(b"(")
            macro = self._take()
            return self._has(macro) if not has_bracket or self._close() else None
        word = self._take()
        if (number := integer(word)) is not None:
            return number
        if self._peek() == b"(":
            # A macro with arguments, or __has_include: nothing behind it is read.
            self.at = len(self.words) + 1
            return None
        guard = GUARDS.get(word)
        if guard is None:
            return None
        return 0 if self.is_host and not guard.is_for_host else guard.value

    def _has(self, macro: bytes) -> int | None:
        if (guard := GUARDS.get(macro)) is not None:
            return int(guard.is_for_host or not self.is_host)
        return 1 if macro in _ALWAYS else 0 if macro in _NEVER else None

    def _peek(self) -> bytes:
        return self.words[self.at] if self.at < len(self.words) else b""

    def _take(self) -> bytes:
        word = self._peek()
        self.at += 1
        return word

    def _next(self, word: bytes) -> bool:
        is_next = self._peek() == word
        self.at += is_next
        return is_next

    def _close(self) -> bool:
        """Step over a closing bracket; where there is none, the rest is not read."""
        is_closed = self._next(b")")
        self.at = self.at if is_closed else len(self.words) + 1
        return is_closed
