"""What crossport says to a user about their source: where, what, why, and what next.

A `Diagnostic` is about the user's input; an `assert` is about our own logic. Rendered as text:

    reduce.cu:14:22: warning: CP2001: lane mask assumes 32 lanes; this target has 64
      14 |   if ((threadIdx.x & 31) == 0)
         |                      ^~
      help: compute the mask from warpSize

Each code has a page in docs/diagnostics/ named after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path


class Severity(StrEnum):
    """How much of the port a finding touches.

    `error`: the construct was left unported (exit code 2 or worse). `warning`: ported, but a person
    should look. `note`: for information.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """Every diagnostic that crossport can print. One page each in docs/diagnostics/."""

    # CP1xxx: input and frontend.
    CANNOT_READ = "CP1001"
    NOT_TEXT = "CP1002"
    EMPTY_INPUT = "CP1003"
    NOT_CUDA = "CP1004"
    SYNTAX_ERROR = "CP1005"
    CANNOT_WRITE = "CP1006"
    DEVICE_CODE_UNRESOLVED = "CP1007"
    MISSING_HEADER = "CP1008"
    INCLUDE_CYCLE = "CP1009"
    CANNOT_INSTANTIATE = "CP1010"

    # CP2xxx: HIP. 21xx: names, headers and signatures.
    HIP_API_MISSING = "CP2101"
    HIP_HEADER_MISSING = "CP2102"
    HIP_DEVICE_FUNCTION_MISSING = "CP2103"
    HIP_API_DIFFERS = "CP2104"
    HIP_SIGNATURE = "CP2105"
    HIP_NEEDS_NEWER = "CP2106"
    HIP_VERSION_GUARD = "CP2107"
    HIP_RUNTIME_SOURCE = "CP2108"
    HIP_NAMESPACE = "CP2109"
    HIP_TEXTURE_ARCH = "CP2110"
    HIP_EDIT_CONFLICT = "CP2111"

    # 22xx: meaning.
    WARP_CALL_OPEN = "CP2201"
    WARP_WIDTH_QUERY = "CP2202"
    LAUNCH_BOUNDS_DIFFER = "CP2203"
    VECTOR_OPERATOR_CLASH = "CP2204"
    DYNAMIC_PARALLELISM = "CP2205"
    WMMA = "CP2206"
    PTX_NOT_TRANSLATED = "CP2208"
    WARP_WIDTH_DEFAULT = "CP2209"
    GROUP_MASK_WIDTH = "CP2210"
    SPIN_LOCK = "CP2211"

    # CP3xxx: IR, lowering, facts.
    NOT_LOWERED = "CP3001"
    MALFORMED_IR = "CP3002"
    # 31xx: the interpreter.
    KERNEL_FAULT = "CP3101"
    NOT_INTERPRETED = "CP3102"
    NO_PROGRESS = "CP3103"
    BAD_LAUNCH = "CP3104"

    # CP4xxx: Triton and Pallas.
    NO_TENSOR_FORM = "CP4001"
    CROSS_THREAD_WAIT = "CP4002"
    POINTER_UNRESOLVED = "CP4003"
    LOWER_TIER = "CP4004"
    DROPPED_IN_PORT = "CP4005"
    KERNEL_TOO_LARGE = "CP4006"

    # CP5xxx: validation.
    CASES_INVALID = "CP5001"
    BUNDLE_INVALID = "CP5002"
    BUNDLE_TAMPERED = "CP5003"
    CANDIDATE_FAILED = "CP5005"
    CASES_MISSING = "CP5006"

    # CP6xxx: compilation and the emulator.
    DOES_NOT_COMPILE = "CP6001"
    UNKNOWN_ARCH = "CP6002"
    NO_COMPILER = "CP6003"
    COMPILER_TIMEOUT = "CP6004"
    NOTHING_TO_CHECK = "CP6005"
    KERNEL_NOT_FOUND = "CP6011"
    BAD_CODE_OBJECT = "CP6012"
    WRONG_ARCH = "CP6013"
    EMULATOR_BAD_LAUNCH = "CP6014"
    DEVICE_FAULT = "CP6015"
    DEVICE_LIMIT = "CP6016"
    EMULATOR_CRASHED = "CP6017"
    NO_HOST_COMPILER = "CP6018"

    # CP9xxx: crossport itself.
    USAGE = "CP9001"
    INTERNAL = "CP9002"
    MISSING_EXTRA = "CP9003"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one source file. Lines and columns count from 1, byte offsets from 0.

    `end_*` is exclusive. `end_line` 0 means "unknown": the span is a point.
    """

    file: str
    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0
    offset: int = -1
    end_offset: int = -1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message` says what and why, `help` the way out."""

    code: Code
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    help: str = ""

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1)."""
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "file": self.span.file if self.span else None,
            "line": self.span.line if self.span else None,
            "column": self.span.column if self.span else None,
            "message": self.message,
            "help": self.help or None,
        }

    def render(self) -> str:
        """The finding as text, with the source line and a caret where the file can be read."""
        place = f"{self.span}: " if self.span else ""
        lines = [f"{place}{self.severity.value}: {self.code.value}: {self.message}"]
        if self.span is not None:
            lines += _quote(self.span)
        if self.help:
            lines.append(f"  help: {self.help}")
        return "\n".join(lines)


class PortError(Exception):
    """The one exception that crossport's public functions raise for bad input."""

    def __init__(self, diagnostic: Diagnostic, *more: Diagnostic) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (diagnostic, *more)
        super().__init__(diagnostic.message)

    @property
    def diagnostic(self) -> Diagnostic:
        """The first, usually only, finding."""
        return self.diagnostics[0]

    def __str__(self) -> str:
        return "\n".join(d.render() for d in self.diagnostics)


def placed(diagnostics: Sequence[Diagnostic], span: Span) -> tuple[Diagnostic, ...]:
    """The findings; those without a place of their own at `span` (the kernel they are about)."""
    return tuple(d if d.span is not None else replace(d, span=span) for d in diagnostics)


def missing_extra(extra: str, package: str) -> PortError:
    """The error for a feature whose optional dependency is not installed."""
    return PortError(
        Diagnostic(
            Code.MISSING_EXTRA,
            f"this needs the Python package {package}, which is not installed",
            help=f"pip install 'crossport[{extra}]'",
        )
    )


def sort_diagnostics(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """By place, duplicates dropped: the order in which a reader meets them in the source."""
    unique = dict.fromkeys(diagnostics)
    return sorted(
        unique,
        key=lambda d: (d.span.file, d.span.line, d.span.column) if d.span else ("", 0, 0),
    )


def _quote(span: Span) -> list[str]:
    text = _source_line(span.file, span.line)
    if text is None:
        return []
    # Tabs stay tabs, so that the caret lands under the same glyph in any terminal.
    lead = "".join("\t" if c == "\t" else " " for c in text[: span.column - 1])
    width = span.end_column - span.column if span.end_line == span.line else 1
    width = max(1, min(width, len(text) - span.column + 1))
    gutter = f"{span.line:>5}"
    return [
        f"{gutter} | {text}",
        f"{'':>{len(gutter)}} | {lead}^{'~' * (width - 1)}",
    ]


@lru_cache(maxsize=64)
def _lines(file: str) -> tuple[str, ...]:
    try:
        return tuple(Path(file).read_bytes().decode("utf-8", errors="replace").splitlines())
    except OSError:
        return ()


def _source_line(file: str, line: int) -> str | None:
    lines = _lines(file)
    return lines[line - 1] if 0 < line <= len(lines) else None
