"""C++ and CUDA text as tokens with byte offsets: also in macros and inactive `#if` branches.

Example:

    b'#include "a.h"\\ncudaFree(p); // cudaFree'

    directive  #include      name   cudaFree     name  p         punct ;
    string     "a.h"         punct  (            punct )         (the comment is no token)

Comments and white space are no tokens; strings and characters are single tokens, so that a name in
them is never taken for code. One compiled pattern does the work (about a microsecond a token).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property, lru_cache

_SPLICE = rb"\\\r?\n"
_PREFIX = rb"(?:u8|[uUL])?"

# The groups are numbered in the order of `Kind`; a delimiter group in between would shift them,
# so the raw string's is counted as one of them.
_TOKEN = re.compile(
    rb"(?m)"
    rb"//[^\\\n]*(?:\\(?:\r?\n)?[^\\\n]*)*"  # line comment, also spliced
    rb"|/\*(?:[\s\S]*?\*/|[\s\S]*)"  # block comment, also unterminated
    rb"|(" + _PREFIX + rb"R\"([^()\\\s]{0,16})\([\s\S]*?\)\2\""  # 1: raw string (2: delimiter)
    rb"|" + _PREFIX + rb"\"[^\"\\\n]*(?:\\\r?[\s\S][^\"\\\n]*)*\"?)"  # 1: string
    rb"|([A-Za-z_$\x80-\xff][\w$\x80-\xff]*)"  # 3: name
    rb"|(\.?[0-9](?:[eEpP][+-]|'[0-9A-Za-z_]|[\w.])*)"  # 4: number
    rb"|(" + _PREFIX + rb"'[^'\\\n]*(?:\\\r?[\s\S][^'\\\n]*)*'?)"  # 5: character
    rb"|(^[ \t]*\#(?:[ \t]|" + _SPLICE + rb")*[a-z_]*)"  # 6: directive
    rb"|(<<<|>>>|::|->|&&|\|\||[<>=!]=|[^\s\\])"  # 7: punctuation
)

_INCLUDE_PATH = re.compile(rb"[ \t]*(<[^>\n]*>|\"[^\"\n]*\")")


class Kind(IntEnum):
    """What a token is; the value is the number of its group in the pattern."""

    STRING = 1
    NAME = 3
    NUMBER = 4
    CHARACTER = 5
    DIRECTIVE = 6
    PUNCT = 7


@lru_cache(maxsize=512)
def tokens_of(source: bytes) -> Tokens:
    """The tokens of a text, shared by all who ask for them: a header has many includers."""
    return Tokens(source)


class Tokens:
    """The tokens of one file, as parallel lists: `kind[i]`, `start[i]`, `text[i]`."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.kind: list[int] = []
        self.start: list[int] = []
        self.text: list[bytes] = []
        add_kind, add_start, add_text = self.kind.append, self.start.append, self.text.append
        for match in _TOKEN.finditer(source):
            group = match.lastindex
            if group is None:
                continue
            # A raw string closes group 2 before group 1, so `lastindex` is 1 for both strings.
            add_kind(group)
            add_start(match.start(group))
            add_text(match[group])

    def __len__(self) -> int:
        return len(self.kind)

    def end(self, index: int) -> int:
        """The byte after token `index`."""
        return self.start[index] + len(self.text[index])

    def is_name(self, index: int) -> bool:
        """Whether token `index` exists and is an identifier."""
        return 0 <= index < len(self.kind) and self.kind[index] == Kind.NAME

    def at(self, index: int) -> bytes:
        """The text of token `index`; empty outside the file."""
        return self.text[index] if 0 <= index < len(self.text) else b""

    def index_at(self, offset: int) -> int:
        """The first token that starts at `offset` or later."""
        return bisect_left(self.start, offset)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(m.end() for m in re.finditer(rb"\n", self.source))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of a byte offset; columns count characters."""
        line = bisect_right(self._line_starts, offset)
        text = self.source[self._line_starts[line - 1] : offset]
        return line, len(text.decode("utf-8", "replace")) + 1

    def line_end(self, offset: int) -> int:
        """The end of the logical line at `offset` (spliced lines are one), before its newline."""
        at = offset
        while True:
            newline = self.source.find(b"\n", at)
            if newline < 0:
                return len(self.source)
            stop = newline - 1 if self.source[newline - 1 : newline] == b"\r" else newline
            if self.source[stop - 1 : stop] != b"\\":
                return stop
            at = newline + 1

    @cached_property
    def partner(self) -> dict[int, int]:
        """For each opening bracket's token the closing one's, and the other way round.

        Brackets that do not match (an `#if` with two openings) are left out.
        """
        pairs: dict[int, int] = {}
        stack: list[int] = []
        closers = {b")": b"(", b"]": b"[", b"}": b"{"}
        for index, text in enumerate(self.text):
            if self.kind[index] != Kind.PUNCT:
                continue
            if text in (b"(", b"[", b"{"):
                stack.append(index)
            elif text in closers:
                opener = closers[text]
                # Give up on unmatched openings above a matching one, never across a brace.
                depth = len(stack) - 1
                while depth >= 0 and self.text[stack[depth]] not in (opener, b"{"):
                    depth -= 1
                if depth >= 0 and self.text[stack[depth]] == opener:
                    pairs[stack[depth]] = index
                    pairs[index] = stack[depth]
                    del stack[depth:]
        return pairs

    def arguments(self, opening: int) -> list[tuple[int, int]] | None:
        """The token ranges of a call's arguments, given its opening bracket's token.

        Commas in nested brackets do not split; template angles do only when they are no list
        (`f<a, b>(c)` is one argument). `None`: the bracket has no partner.
        """
        closing = self.partner.get(opening)
        if closing is None:
            return None
        ranges: list[tuple[int, int]] = []
        begin = index = opening + 1
        while index < closing:
            text = self.text[index]
            if self.kind[index] == Kind.PUNCT:
                if text in (b"(", b"[", b"{"):
                    index = self.partner.get(index, index)
                elif text == b"<":
                    index = self._template_end(index, closing) or index
                elif text == b",":
                    ranges.append((begin, index))
                    begin = index + 1
            index += 1
        if ranges or begin < closing:
            ranges.append((begin, closing))
        return ranges

    def _template_end(self, opening: int, limit: int) -> int | None:
        """The `>` of a template argument list that opens here, if what follows can follow one."""
        if not self.is_name(opening - 1):
            return None
        depth = 0
        index = opening
        while index < limit:
            text = self.text[index]
            if text == b"<":
                depth += 1
            elif text == b">":
                depth -= 1
                if depth == 0:
                    following = self.at(index + 1)
                    return index if following in (b"(", b"::", b"{", b",", b")", b"*") else None
            elif text in (b"&&", b"||", b";", b"{"):
                return None
            elif text == b"(":
                index = self.partner.get(index, index)
            index += 1
        return None

    def span_text(self, first: int, last: int) -> bytes:
        """The source from token `first` to the end of token `last - 1`, comments included."""
        if first >= last:
            return b""
        return self.source[self.start[first] : self.end(last - 1)]

    def includes(self) -> Iterator[Include]:
        """Every `#include` of a literal path, in inactive branches too."""
        for index, kind in enumerate(self.kind):
            if kind != Kind.DIRECTIVE or not self.text[index].endswith((b"include", b"_next")):
                continue
            match = _INCLUDE_PATH.match(self.source, self.end(index))
            if match:
                yield Include(self.start[index], match.start(1), match.end(1), match[1])


class Include:
    """One `#include`: where the line and its path (delimiters included) stand."""

    __slots__ = ("end", "line_start", "start", "written")

    def __init__(self, line_start: int, start: int, end: int, written: bytes) -> None:
        self.line_start = line_start
        self.start = start
        self.end = end
        self.written = written

    @property
    def path(self) -> str:
        """The path without its delimiters."""
        return self.written[1:-1].decode("utf-8", "replace").strip()

    @property
    def is_quoted(self) -> bool:
        """Whether the path is looked up next to the including file first."""
        return self.written.startswith(b'"')
