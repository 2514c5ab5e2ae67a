"""Read what clang says and say it again as diagnostics at the user's line.

Example, with the user's file `k.hip` and a HIP header below it:

    /opt/rocm/include/hip/x.h:9:3:{9:3-9:8}: error: static assertion failed: ...
    k.hip:14:7: note: in instantiation of function template specialization 'f<int>' requested here

becomes one `Diagnostic` at k.hip:14:7, because that is the line a person can change. Clang is asked
for source ranges (`-fdiagnostics-print-source-range-info`) and not for carets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from crossport.diagnostics import Code, Diagnostic, Severity, Span

_LINE = re.compile(
    r"^(?P<file>(?:[A-Za-z]:)?[^:\n]+):(?P<line>\d+):(?P<column>\d+):"
    r"(?P<ranges>(?:\{\d+:\d+-\d+:\d+\})*:?)?"
    r" (?P<kind>fatal error|error|warning|note): (?P<text>.*)$"
)
_PLACELESS = re.compile(
    r"^(?:[\w./+-]*(?:clang|lld|ld\.lld|zig)[\w.+-]*|error|fatal error): "
    r"(?P<kind>fatal error: |error: )?(?P<text>.*)$"
)
_INCLUDED = re.compile(r"^(?:In file included from|\s+from) (?P<file>[^:\n]+):(?P<line>\d+)[:,]")
_RANGE = re.compile(r"\{(\d+):(\d+)-(\d+):(\d+)\}")
_OPENED = re.compile(r"^\.+ (?P<file>.+)$")


@dataclass
class _Finding:
    kind: str
    text: str
    span: Span | None
    includes: list[Span] = field(default_factory=list)
    notes: list[tuple[Span, str]] = field(default_factory=list)


def parse_messages(
    stderr: str,
    is_users: Callable[[str], bool],
    rename: Callable[[str], str] = lambda name: name,
) -> list[Diagnostic]:
    """Clang's errors, in order, each placed in a file for which `is_users` is true if there is one.

    `rename` maps the names that the compiler saw to those that the user knows.
    """
    return [
        _diagnose(finding, is_users, rename)
        for finding in _findings(stderr)
        if finding.kind in ("error", "fatal error")
    ]


def opened_files(stderr: str) -> list[str]:
    """The headers that clang's `-H` names."""
    return [m["file"] for m in map(_OPENED.match, stderr.splitlines()) if m]


def _findings(stderr: str) -> list[_Finding]:
    found: list[_Finding] = []
    includes: list[Span] = []
    for line in stderr.splitlines():
        if (m := _INCLUDED.match(line)) is not None:
            if line.startswith("In file"):
                includes = []
            includes.append(Span(m["file"], int(m["line"])))
        elif (m := _LINE.match(line)) is not None:
            span = _span(m)
            if m["kind"] == "note":
                if found:
                    found[-1].notes.append((span, m["text"]))
            else:
                found.append(_Finding(m["kind"], m["text"], span, includes))
            includes = []
        elif (m := _PLACELESS.match(line)) is not None and not line.startswith("clang version"):
            is_error = m["kind"] is not None or line.startswith(("error: ", "fatal error: "))
            if is_error:
                found.append(_Finding("error", m["text"], None))
    return found


def _span(m: re.Match[str]) -> Span:
    line, column = int(m["line"]), int(m["column"])
    for a, b, c, d in _RANGE.findall(m["ranges"] or ""):
        if int(a) == line and int(b) <= column:
            return Span(m["file"], line, column, int(c), int(d))
    return Span(m["file"], line, column)


def _diagnose(
    finding: _Finding, is_users: Callable[[str], bool], rename: Callable[[str], str]
) -> Diagnostic:
    place = finding.span
    told = finding.text
    if place is not None and not is_users(place.file):
        # The innermost place that a person can change: who instantiated it, else who included it.
        origin = f"{_base(place.file)}:{place.line}"
        requested = [s for s, _ in finding.notes if is_users(s.file)]
        included = [s for s in finding.includes if is_users(s.file)]
        if requested or included:
            place = (requested or included)[0]
            told = f"{told} (in {origin})"
    if place is not None:
        place = Span(rename(place.file), place.line, place.column, place.end_line, place.end_column)
    hints = [
        text for _, text in finding.notes if not text.startswith(("in instantiation", "expand"))
    ]
    return Diagnostic(
        Code.DOES_NOT_COMPILE,
        f"the compiler says: {told}",
        span=place,
        severity=Severity.ERROR,
        help=f"the compiler adds: {hints[0]}" if hints else "",
    )


def _base(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
