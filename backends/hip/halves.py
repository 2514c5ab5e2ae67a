"""Halves and bfloat16, where HIP's types take less than CUDA's.

Example:

    __half2 v; atomicAdd(&out[i], v);    ->    crossport_half_atomic_add(&out[i], v);
    res2 = {};                           ->    res2 = half2{};

A variable counts as a half when every declaration of its name in the file says so.
"""

from __future__ import annotations

import re
from functools import cached_property

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import Findings, SourceText

HALF_ATOMIC = "half_atomic.h"
_TYPE = re.compile(rb"\A(?:(?:__)?half2?|(?:__nv_|nv_|__hip_)bfloat162?)\Z")
# A function that makes a half: `__floats2half2_rn`, not `__half2float`.
_MAKER = re.compile(rb"\A__\w+2(?:half2?|bfloat162?)(?:_rn)?\Z")
_OTHER = frozenset(b"float double int unsigned long char short float2 float4 int2 uint T".split())


class Halves:
    """The halves of one file."""

    def __init__(self, text: SourceText) -> None:
        self._text = text

    @cached_property
    def variables(self) -> dict[bytes, bytes]:
        """Name -> type of the variables, parameters and pointers that are halves."""
        tokens = self._text.tokens
        found: dict[bytes, bytes] = {}
        others: set[bytes] = set()
        for index, kind in enumerate(tokens.kind):
            word = tokens.text[index]
            is_type = kind == Kind.NAME and _TYPE.match(word)
            if not is_type and word not in _OTHER:
                continue
            at = index + 1
            while tokens.at(at) in (b"*", b"&", b"const", b"__restrict__", b"__restrict"):
                at += 1
            if tokens.is_name(at):
                if is_type:
                    found[tokens.at(at)] = word
                else:
                    others.add(tokens.at(at))
        return {name: kind for name, kind in found.items() if name not in others}

    def in_range(self, first: int, last: int) -> bool:
        """Whether the tokens name a half, a cast to one or a function that makes one."""
        tokens = self._text.tokens
        for index in range(first, last):
            word = tokens.text[index]
            if _TYPE.match(word) or _MAKER.match(word):
                return True
            is_base = tokens.at(index - 1) in (b"(", b",", b"&", b"*") and word in self.variables
            if is_base and tokens.at(index + 1) not in (b".", b"->"):
                return True
        return False


def half_edits(text: SourceText, definitions: set[str]) -> Findings:
    """Rewrite atomic additions and empty initialisers; the stand-ins go to `definitions`."""
    found = Findings()
    if not any(_TYPE.match(word) for word in text.words):
        return found
    halves = Halves(text)
    tokens = text.tokens
    for index in text.code_names:
        word = tokens.text[index]
        if word == b"atomicAdd" and tokens.at(index + 1) == b"(":
            closing = tokens.partner.get(index + 1, index)
            if halves.in_range(index + 2, closing) and not _reads_floats(text, index + 2, closing):
                new = "crossport_half_atomic_add"
                found.edits.append(text.edit(index, index, new, "HIP has no atomicAdd on halves"))
                definitions.add(HALF_ATOMIC)
        elif word in halves.variables and tokens.text[index + 1 : index + 5] == _EMPTY:
            kind = halves.variables[word]
            if kind.endswith(b"2") and tokens.at(index - 1) in (b";", b"{", b"}", b")"):
                written = _HIP_NAMES.get(kind, kind).decode() + "{}"
                reason = "HIP's assignment from {} is ambiguous"
                found.edits.append(text.edit(index + 2, index + 3, written, reason))
    return found


_EMPTY = [b"=", b"{", b"}", b";"]
_HIP_NAMES = {b"__nv_bfloat162": b"__hip_bfloat162", b"nv_bfloat162": b"__hip_bfloat162"}


def _reads_floats(text: SourceText, first: int, last: int) -> bool:
    """`atomicAdd(sum, __half2float(h))` adds a float."""
    words = text.tokens.text[first:last]
    return any(re.match(rb"__\w*(half|bfloat16)2?2float\w*\Z|__half22float2\Z", w) for w in words)
