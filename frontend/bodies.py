"""What is worth looking for in a function's body, told by its text before any cursor is visited.

    __global__ void k(float* x) { x[0] = 1; }       nothing
    int main() { k<<<1, 1>>>(x); }                  calls
    template <class T> void run(T* x) { ... }       in such a unit: every reference to a function

Visiting cursors is most of what a parse costs, and most bodies hold nothing of interest. Words may
come out of macros, so a body that uses a macro holds what the macro's own text does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crossport.frontend.clang import Cursor, CursorKind

_LAUNCH = rb"<<<|<<[ \t\\\r\n]*<|cudaLaunch\w*|cuda\w*Configur\w*|__cudaPush\w*"
_SPACE = rb"__(?:shared|constant|device|managed)__|\b__attribute"
# A unit without these instantiates no function: its bodies refer to plain functions only.
_TEMPLATE = re.compile(rb"\btemplate\b|\]\s*\([^)]*\bauto\b|\(\s*(?:const\s+)?auto\b")
_INTEREST = re.compile(rb"(?P<launch>" + _LAUNCH + rb")|(?P<space>" + _SPACE + rb")")
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:\\\r?\n|[^\n])*)", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_]\w*")

_REFERENCES = frozenset(
    (
        CursorKind.CALL_EXPR,
        CursorKind.DECL_REF_EXPR,
        CursorKind.MEMBER_REF_EXPR,
        CursorKind.VAR_DECL,
    )
)
_CALLS = frozenset((CursorKind.CALL_EXPR, CursorKind.VAR_DECL))
_VARIABLES = frozenset((CursorKind.VAR_DECL,))
_NOTHING: frozenset[CursorKind] = frozenset()


class Bodies:
    """The bodies of one unit, whose project files are given as bytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.has_templates = any(_TEMPLATE.search(data) for data in files.values())
        self._macros = _macros_of_interest(files.values())

    def wanted_in(self, function: Cursor) -> frozenset[CursorKind]:
        """The kinds of cursors to look for below `function`."""
        if self.has_templates:
            return _REFERENCES
        extent = function.extent
        start = extent.start
        data = self._files.get(start.file.name) if start.file is not None else None
        if data is None:
            return _CALLS
        text = data[start.offset : extent.end.offset]
        if self._macros and any(word in self._macros for word in _WORD.findall(text)):
            return _CALLS
        found = {match.lastgroup for match in _INTEREST.finditer(text)}
        return _CALLS if "launch" in found else _VARIABLES if found else _NOTHING


def _macros_of_interest(files: Iterable[bytes]) -> frozenset[bytes]:
    """Names of macros whose text, or that of a macro in it, holds something of interest."""
    defined = [(name, text) for data in files for name, text in _DEFINE.findall(data)]
    found = {name for name, text in defined if _INTEREST.search(text)}
    while found:
        more = {
            name
            for name, text in defined
            if name not in found and not found.isdisjoint(_WORD.findall(text))
        }
        if not more:
            break
        found |= more
    return frozenset(found)
