"""Which findings concern a kernel: those in it, in functions it calls, and in what it names.

    __device__ float load(...) { asm("..."); }       an error here
    __global__ void k(...) { ... load(x) ... }       concerns k

Functions, macros and variables are followed by name, so that a finding may count for a kernel that
has only another function of that name in its text: rather too often than once too seldom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from crossport.diagnostics import Diagnostic, Severity, Span
from crossport.frontend.places import place_of
from crossport.frontend.unit import Kernel, TranslationUnit

_WORD = re.compile(rb"[A-Za-z_]\w*")
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\\\r?\n|[^\n])*", re.MULTILINE)
# A line that declares something at file scope: `texture<float, 2> image;`
_DECLARED = re.compile(rb"\b([A-Za-z_]\w*)\s*(?:\[[^]]*\]\s*)*[;=,]")


class Concerns:
    """The findings of a port, asked for kernel by kernel."""

    def __init__(self, units: Sequence[TranslationUnit], findings: Sequence[Diagnostic]) -> None:
        self._findings = findings
        self._files: dict[str, bytes] = {}
        # The stretches of source that a name stands for.
        self._meaning: dict[bytes, dict[Span, None]] = {}
        self._kernels = [kernel.span for unit in units for kernel in unit.kernels]
        # Names whose meaning holds an error, each with these errors.
        self._carriers: dict[bytes, list[Diagnostic]] = {}
        errors = [d for d in findings if d.severity is Severity.ERROR and d.span is not None]
        if errors:
            for unit in units:
                self._learn(unit)
            for error in errors:
                for name in self._names_of(error):
                    self._carriers.setdefault(name, []).append(error)

    def of(self, kernel: Kernel) -> tuple[Diagnostic, ...]:
        """The findings in the kernel's own text, then the errors that it reaches by name."""
        found = [d for d in self._findings if is_within(d.span, kernel.span)]
        if self._carriers:
            words = self._reached_words(kernel.span)
            reached = (d for name in words & self._carriers.keys() for d in self._carriers[name])
            order = {id(d): at for at, d in enumerate(self._findings)}
            more = {id(d): d for d in reached if d not in found}
            found += sorted(more.values(), key=lambda d: order[id(d)])
        return tuple(found)

    def _learn(self, unit: TranslationUnit) -> None:
        for name, file in unit.files.items():
            if name in self._files:
                continue
            self._files[name] = file.data
            for macro in _DEFINE.finditer(file.data):
                line = file.data.count(b"\n", 0, macro.start()) + 1
                last = line + macro[0].count(b"\n")
                self._add(macro[1], Span(name, line, 1, last, 1, macro.start(), macro.end()))
        for function in unit.functions:
            self._add(function.spelling.encode(), place_of(function))
        for pattern in unit.patterns:
            self._add(pattern.name.rpartition("::")[2].encode(), pattern.span)

    def _add(self, name: bytes, span: Span) -> None:
        self._meaning.setdefault(name, {})[span] = None

    def _names_of(self, error: Diagnostic) -> Iterable[bytes]:
        """What a kernel has to name to be concerned."""
        assert error.span is not None
        holders = [
            name
            for name, spans in self._meaning.items()
            if any(is_within(error.span, span) for span in spans)
        ]
        if holders or any(is_within(error.span, kernel) for kernel in self._kernels):
            return holders
        lines = self._files.get(error.span.file, b"").split(b"\n")
        line = lines[error.span.line - 1] if error.span.line <= len(lines) else b""
        return () if line.lstrip().startswith(b"#") else _DECLARED.findall(line)

    def _reached_words(self, span: Span) -> frozenset[bytes]:
        words: set[bytes] = set()
        waiting = [span]
        seen: set[Span] = set()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            text = self._files.get(here.file, b"")[here.offset : here.end_offset]
            for word in set(_WORD.findall(text)) - words:
                words.add(word)
                waiting += self._meaning.get(word, ())
        return frozenset(words)


def is_within(inner: Span | None, outer: Span) -> bool:
    """Whether the first line of one stretch lies in another."""
    if inner is None or inner.file != outer.file:
        return False
    return outer.line <= inner.line <= (outer.end_line or outer.line)
