"""One file of a unit, with what the passes of this folder ask about it.

`File` adds to `SourceText` the stretches that are HIP's already (`#ifdef __HIP_PLATFORM_AMD__`),
the calls of a function by name, and a list of edits:

    for call in file.calls({b"__shfl_sync"}):
        file.replace(call.name, call.name, "__shfl", "why")
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.source import SourceText
from crossport.diagnostics import Code, Diagnostic, Severity

# Above the renames (0): a rewrite by meaning knows what it covers.
PRIORITY = 10

# What the guards of the functions that a port puts in begin with (helpers.py).
GUARD = "CROSSPORT_"

_HIP_CONDITION = re.compile(
    rb"__HIP|HIP_PLATFORM|USE_ROCM|USE_HIP|ENABLE_HIP|GGML_USE_HIP|__AMDGCN__|__AMD__"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call: the token of the name, of both brackets, and the token ranges of the arguments."""

    name: int
    opening: int
    closing: int
    arguments: tuple[tuple[int, int], ...]


@dataclass
class File:
    """A file under semantic edit."""

    text: SourceText
    own_names: frozenset[bytes]
    edits: list[Edit] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    helpers: set[str] = field(default_factory=set)
    # Where a helper is used by text that stays as it is.
    first_use: int | None = None

    def calls(self, names: Collection[bytes]) -> Iterator[Call]:
        """Calls of these free functions that are CUDA's, outside HIP-only stretches."""
        tokens = self.text.tokens
        for index in self.uses(names):
            if tokens.at(index + 1) != b"(":
                continue
            arguments = tokens.arguments(index + 1)
            if arguments is not None:
                closing = tokens.partner[index + 1]
                yield Call(index, index + 1, closing, tuple(arguments))

    def uses(self, names: Collection[bytes]) -> Iterator[int]:
        """Tokens of these names: no members, none that the project defines, none in HIP code."""
        wanted = frozenset(names) - self.own_names
        if self.text.words.isdisjoint(wanted):
            return
        tokens = self.text.tokens
        for index in self.text.code_names:
            if tokens.text[index] not in wanted or self.in_hip_code(index):
                continue
            before = tokens.at(index - 1)
            if before in (b".", b"->") or self._is_qualified(index) or self._is_defined(index):
                continue
            yield index

    def _is_qualified(self, index: int) -> bool:
        tokens = self.text.tokens
        return tokens.at(index - 1) == b"::" and tokens.is_name(index - 2)

    def _is_defined(self, index: int) -> bool:
        """Is it the name in `#define name`, `#ifdef name` or `defined(name)`?"""
        tokens = self.text.tokens
        before = tokens.at(index - 1)
        if index and tokens.kind[index - 1] == Kind.DIRECTIVE:
            return before.endswith((b"define", b"undef", b"ifdef", b"ifndef"))
        return before == b"defined" or (before == b"(" and tokens.at(index - 2) == b"defined")

    def replace(self, first: int, last: int, replacement: str, reason: str) -> None:
        """Replace tokens `first` to `last` (inclusive)."""
        self.edits.append(self.text.edit(first, last, replacement, reason, PRIORITY))

    def replace_bytes(self, start: int, end: int, replacement: str, reason: str) -> None:
        """Replace a stretch of bytes; equal ends insert."""
        self.edits.append(Edit(self.text.file, start, end, replacement, reason, PRIORITY))

    def use(self, helper: str, offset: int) -> None:
        """Have a helper that unchanged text calls, there first."""
        self.helpers.add(helper)
        self.first_use = min(offset, offset if self.first_use is None else self.first_use)

    def insert_before(self, index: int, insertion: str, reason: str) -> None:
        """Put text right before a token."""
        start = self.text.tokens.start[index]
        self.replace_bytes(start, start, insertion, reason)

    def source(self, first: int, end: int) -> str:
        """The text of tokens `first` to `end` (exclusive), as written."""
        return self.text.tokens.span_text(first, end).decode("utf-8", "surrogateescape")

    def report(
        self, code: Code, message: str, index: int, severity: Severity, help: str = ""
    ) -> None:
        """A finding at a token."""
        self.diagnostics.append(self.text.diagnostic(code, message, index, severity, help))

    def in_hip_code(self, index: int) -> bool:
        """Does a token stand in a branch that only HIP compiles?"""
        start = self.text.tokens.start[index]
        return any(first <= start < end for first, end in self.hip_stretches)

    @cached_property
    def hip_stretches(self) -> tuple[tuple[int, int], ...]:
        """Byte ranges of the branches whose condition asks for HIP."""
        found: list[tuple[int, int]] = []
        stack: list[_Branch] = []
        tokens = self.text.tokens
        for index, kind in enumerate(tokens.kind):
            if kind != Kind.DIRECTIVE:
                continue
            start = tokens.start[index]
            word = tokens.text[index].lstrip(b"# \t\\\r\n")
            condition = tokens.source[tokens.end(index) : tokens.line_end(start)]
            if word in (b"if", b"ifdef", b"ifndef"):
                asks = _HIP_CONDITION.search(condition) is not None
                denies = (
                    word == b"ifndef" or re.match(rb"\s*!\s*\(?\s*defined", condition) is not None
                )
                is_ported = condition.lstrip().startswith(GUARD.encode())
                stack.append(_Branch(start, is_ported or (asks and not denies), asks and denies))
            elif word in (b"else", b"elif", b"elifdef", b"endif") and stack:
                branch = stack[-1]
                if branch.is_hip:
                    found.append((branch.start, start))
                if word == b"endif":
                    stack.pop()
                else:
                    is_hip = branch.excludes_hip and word == b"else"
                    if word == b"elif":
                        is_hip = _HIP_CONDITION.search(condition) is not None
                    stack[-1] = _Branch(start, is_hip, branch.excludes_hip)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Branch:
    start: int
    is_hip: bool
    excludes_hip: bool
