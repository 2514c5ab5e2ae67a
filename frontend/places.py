"""Where things stand in the original text.

    place_of(cursor)        Span(file, 14:9 .. 14:21, bytes 310 .. 322)
    unit_places.editable(span)      False inside a macro's body: edit its definition, or its use
    tokens(data, start, end)        the words of a stretch of source, with offsets and comments

Spans count bytes of the file on disk. For a cursor that comes out of a macro the span is the
macro's use, as libclang reports it; `Places.macro_at` says which macro that is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crossport.diagnostics import Span
from crossport.frontend.clang import Cursor
from crossport.frontend.unit import MacroUse


def place_of(cursor: Cursor) -> Span:
    """The stretch of source that a cursor covers (the macro's use, inside one)."""
    extent = cursor.extent
    start, end = extent.start, extent.end
    file = start.file
    return Span(
        file.name if file is not None else "",
        start.line,
        start.column,
        end.line,
        end.column,
        start.offset,
        end.offset,
    )


def point_of(cursor: Cursor) -> Span:
    """The place of a cursor's name: for a function, the name and not the return type."""
    location = cursor.location
    length = len(cursor.spelling.encode())
    return Span(
        location.file.name if location.file is not None else "",
        location.line,
        location.column,
        location.line,
        location.column + length,
        location.offset,
        location.offset + length,
    )


class Places:
    """Answers about macros for the places of one translation unit."""

    def __init__(self, macros: Iterable[MacroUse]) -> None:
        self._uses: dict[str, list[MacroUse]] = {}
        for use in macros:
            self._uses.setdefault(use.file, []).append(use)
        for uses in self._uses.values():
            uses.sort(key=lambda use: (use.start, -use.end))
        self._starts = {file: [u.start for u in uses] for file, uses in self._uses.items()}

    def macro_at(self, file: str, offset: int) -> MacroUse | None:
        """The outermost macro whose use covers a byte, or None."""
        uses = self._uses.get(file)
        if not uses:
            return None
        index = bisect_right(self._starts[file], offset) - 1
        found = None
        # Uses nest (a macro in an argument of another), so an earlier one may reach further.
        while index >= 0:
            use = uses[index]
            if use.start <= offset < use.end:
                found = use
            elif found is not None or offset - use.start > _LONGEST_USE:
                break
            index -= 1
        return found

    def editable(self, span: Span) -> bool:
        """Is the span plain text, no part of which comes out of a macro's body?

        An argument of a macro, and a macro that stands for a whole operand, count as not plain.
        """
        return self.macro_at(span.file, span.offset) is None


_LONGEST_USE = 1 << 16


@dataclass(frozen=True, slots=True)
class Word:
    """A token of the source: `kind` is name, number, string, char, comment or mark."""

    kind: str
    text: str
    start: int
    end: int


_WORD = re.compile(
    rb"""
    (?P<space>(?:\s|\\\r?\n)+)
  | (?P<comment>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z))
  | (?P<string>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
      |(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"?)
  | (?P<char>[uUL]?'(?:\\.|[^'\\\n])*'?)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.]|'[0-9A-Za-z])*)
  | (?P<name>[A-Za-z_$\x80-\xff][A-Za-z0-9_$\x80-\xff]*)
  | (?P<punctuation><<<|>>>|<<=|>>=|\.\.\.|->\*|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\|
      |[-+*/%&|^]=|\#\#|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def words(
    data: bytes, start: int = 0, end: int | None = None, *, comments: bool = False
) -> Iterator[Word]:
    """The tokens of a stretch of source, comments only on request."""
    stop = len(data) if end is None else end
    at = start
    while at < stop:
        match = _WORD.match(data, at, stop)
        if match is None:
            at += 1
            continue
        kind = match.lastgroup or ""
        if kind == "mark":  # the delimiter inside a raw string
            kind = "string"
        if kind != "space" and (comments or kind != "comment"):
            yield Word(
                "mark" if kind == "punctuation" else kind,
                match.group().decode("utf-8", errors="replace"),
                match.start(),
                match.end(),
            )
        at = match.end()


def comments(data: bytes) -> Iterator[Word]:
    """The comments of a source, in order."""
    return (word for word in words(data, comments=True) if word.kind == "comment")
