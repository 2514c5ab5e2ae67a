"""Whether a compiler's error in a port was told before: by a finding at its place, or of its name.

    k.hip:120: no matching function for call to 'hipFoo'
    k.cu:97:  CP2101: cudaFoo: HIP declares no counterpart          announced: line 97 became 120
    k.hip:4: 'gate.h' file not found
    k.cu:3: CP1008: header 'gate.h' not found                       announced: the same name

Only errors and warnings count, and only those about a construct. What suite.py asks is the first
error of each unit on each side: those behind it are often its consequences (the types of a header
that is not there).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, Severity

_QUOTED = re.compile(r"(operator )?'([^']+)'")
# What is a name for sure in a sentence: quoted, before a colon, or with a capital, digit or
# underscore inside.
_NAME = re.compile(r"'([^']+)'|^(\w+)(?=:)|\b([A-Za-z_]\w*[A-Z0-9_]\w*)\b")
_HEADER = re.compile(r"[\w./+-]+\.\w+")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NOT_ABOUT_A_CONSTRUCT = frozenset({Code.NOT_CUDA})
_COMMON = frozenset("const int float double char void bool unsigned long short struct auto".split())


class Announced:
    """The findings of one program's port, and the original's lines behind those of the port."""

    def __init__(self, findings: Sequence[Diagnostic], source: Path, out: Path) -> None:
        self._source, self._out = source.resolve(), out.resolve()
        told = [
            f
            for f in findings
            if f.severity is not Severity.NOTE and f.code not in _NOT_ABOUT_A_CONSTRUCT
        ]
        self._places = {
            (Path(f.span.file).resolve(), line)
            for f in told
            if f.span is not None
            for line in range(f.span.line, max(f.span.line, f.span.end_line) + 1)
        }
        self._names = frozenset().union(*(_names(f.message) for f in told))
        self._lines: dict[Path, list[int]] = {}

    def covers(self, error: Diagnostic) -> bool:
        """Whether a finding is at the error's line, or about the name that it quotes first."""
        quoted = _QUOTED.search(error.message)
        if quoted is not None and self._knows(_quoted_names(quoted)):
            return True
        if error.span is None:
            return False
        file, line = self._original(Path(error.span.file).resolve(), error.span.line)
        return (file, line) in self._places

    def _knows(self, names: frozenset[str]) -> bool:
        wanted = {_neutral(name) for name in names}
        return any(_neutral(name) in wanted for name in self._names)

    def _original(self, file: Path, line: int) -> tuple[Path, int]:
        if not file.is_relative_to(self._out):
            return file, line
        source = self._source / file.relative_to(self._out)
        if source.suffix == ".hip" and not source.is_file():
            source = source.with_suffix(".cu")
        if file not in self._lines:
            self._lines[file] = _line_map(file, source)
        known = self._lines[file]
        return source, known[line] if line < len(known) else line


def _names(text: str) -> frozenset[str]:
    """The identifiers, operators and header names of a message."""
    found = set(_HEADER.findall(text)) | set(re.findall(r"operator[^\w\s]+", text))
    for match in _NAME.finditer(_HEADER.sub(" ", text)):
        found.update(_WORD.findall(next(part for part in match.groups() if part)))
    return frozenset(found) - _COMMON


def _quoted_names(quoted: re.Match[str]) -> frozenset[str]:
    """What an error quotes: a name, a type with a name in it, an operator, a header."""
    return _names(f"operator{quoted[2]}" if quoted[1] else f"'{quoted[2]}' {quoted[2]}")


def _neutral(name: str) -> str:
    """CUDA's and HIP's spelling of a name as one."""
    return re.sub(r"^(make_)?(__)?(cuda|cu|CUDA_|CU|hip_|hip|HIP_|HIP|nv_)", r"\1", name)


def _line_map(ported: Path, source: Path) -> list[int]:
    """For each line of the port (from 1), the line of the original that it comes from."""
    try:
        new = ported.read_bytes().splitlines()
        old = source.read_bytes().splitlines()
    except OSError:
        return []
    lines = [0] * (len(new) + 1)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        for at in range(new_start, new_end):
            lines[at + 1] = min(old_start + at - new_start, max(old_start, old_end - 1)) + 1
    return lines
