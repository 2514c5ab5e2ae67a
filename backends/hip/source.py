"""One source file under work: its tokens, what it defines, and what was found in it.

`SourceText` is what each edit module reads, `Findings` what it returns:

    def include_edits(text: SourceText) -> Findings
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.inactive import inactive_stretches
from crossport.backends.hip.lexer import Include, Kind, Tokens, tokens_of
from crossport.diagnostics import Code, Diagnostic, Severity, Span

_NOT_A_TYPE = frozenset(
    b"return else do case goto throw new delete sizeof typedef using co_return"
    b" and or not in".split()
)


# Sources and headers that are CUDA's by their name, and those of the port.
CUDA_FILES = (".cu", ".cuh", ".hip")


@dataclass
class Findings:
    """Edits and diagnostics, gathered in any order."""

    edits: list[Edit] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take in what another module found."""
        self.edits += other.edits
        self.diagnostics += other.diagnostics


@dataclass(frozen=True, slots=True)
class Defined:
    """Names that a project declares: entities of its own, and other spellings (macros, aliases).

    `numbers`: the macros that stand for a plain number. `announced`: what looks like a function
    declared without a body.
    """

    entities: frozenset[bytes] = frozenset()
    spellings: frozenset[bytes] = frozenset()
    numbers: Mapping[bytes, bytes] = field(default_factory=dict)
    announced: frozenset[bytes] = frozenset()

    def __or__(self, other: Defined) -> Defined:
        return Defined(
            self.entities | other.entities,
            self.spellings | other.spellings,
            {**self.numbers, **other.numbers},
            self.announced | other.announced,
        )

    def within(self, project: Defined) -> Defined:
        """These names, with those entities of the rest of the project that are declared here."""
        return replace(self, entities=self.entities | (project.entities & self.announced))

    @property
    def all(self) -> frozenset[bytes]:
        """Both kinds."""
        return self.entities | self.spellings


class SourceText:
    """A file's bytes as tokens. `own_names`: what the project defines, this file included."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self.source = source
        self.tokens = tokens_of(source)
        self._project = Defined()
        self._project_words: frozenset[bytes] = frozenset()
        self.project_includes: frozenset[str] = frozenset()
        self.project_has_host_halves = False
        self.project_templates: frozenset[bytes] = frozenset()

    def set_project(
        self, defined: Defined, words: frozenset[bytes], includes: frozenset[str]
    ) -> None:
        """Tell the file what its project defines, which words it uses, and what it includes."""
        self._project = defined
        self._project_words = words
        self.project_includes = includes

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """The `#include` lines."""
        return tuple(self.tokens.includes())

    @cached_property
    def declared(self) -> Defined:
        """What this file declares, by kind."""
        return defined_names(self.tokens, self.inactive)

    @cached_property
    def inactive(self) -> tuple[tuple[int, int], ...]:
        """The stretches that no HIP compiler reads."""
        return tuple(inactive_stretches(self.tokens))

    def is_inactive(self, offset: int) -> bool:
        """Whether a byte lies in such a stretch."""
        return any(start <= offset < end for start, end in self.inactive)

    @property
    def hip_macro(self) -> bytes:
        """What HIP's builds define where this file is read. Host compilers read the other files
        too, and do not define __HIP__."""
        return b"__HIP__" if self.file.endswith(CUDA_FILES) else b"__HIP_PLATFORM_AMD__"

    def is_cuda_only(self, index: int) -> bool:
        """Whether token `index` lies between `#ifndef __HIP__` and its end."""
        offset = self.tokens.start[index]
        return any(start <= offset < end for start, end in self._cuda_only)

    @cached_property
    def _cuda_only(self) -> tuple[tuple[int, int], ...]:
        is_guard = re.compile(rb"#[ \t]*ifndef[ \t]+__HIP(?:_PLATFORM_AMD)?__\b").match
        return tuple(stretch for stretch in self.inactive if is_guard(self.source, stretch[0]))

    @property
    def defined(self) -> frozenset[bytes]:
        """Functions, types, variables and macros of this file."""
        return self.declared.all

    @property
    def own_names(self) -> frozenset[bytes]:
        """What the project declares under a name, macros and aliases too, as far as it is known."""
        return self._own.all

    @property
    def own_entities(self) -> frozenset[bytes]:
        """The functions, types and variables among them: not the API, whatever they are called."""
        return self._own.entities

    def number(self, name: bytes) -> bytes:
        """What a macro of the project stands for, if that is a number; else the name."""
        return self._own.numbers.get(name, name)

    @property
    def _own(self) -> Defined:
        return self._project if self._project.all else self.declared

    @property
    def project_words(self) -> frozenset[bytes]:
        """Every identifier of the project, as far as it is known."""
        return self._project_words or self.words

    @cached_property
    def code_names(self) -> list[int]:
        """The indices of identifiers, those of include paths left out."""
        tokens = self.tokens
        kinds = tokens.kind
        name = int(Kind.NAME)
        found = [i for i, kind in enumerate(kinds) if kind == name]
        paths = [(include.start, include.end) for include in self.includes]
        if not paths:
            return found
        hidden: set[int] = set()
        for start, end in paths:
            hidden.update(range(tokens.index_at(start), tokens.index_at(end)))
        return [i for i in found if i not in hidden]

    @cached_property
    def words(self) -> frozenset[bytes]:
        """Every identifier of the file, for a quick "is there any"."""
        texts = self.tokens.text
        return frozenset(texts[i] for i in self.code_names)

    def line_before(self, offset: int) -> int:
        """Where a line can be put in before `offset`: its line's start, or the place itself where
        that line begins inside a comment."""
        start = self.source.rfind(b"\n", 0, offset) + 1
        return offset if self.source[start:offset].strip() else start

    def line_after(self, offset: int) -> int:
        """The start of the next line; the one behind a comment that begins on this line."""
        end = self.tokens.line_end(offset)
        rest = self.source[offset:end]
        comment = rest.find(b"/*")
        is_open = comment >= 0 and b"*/" not in rest[comment:] and b"//" not in rest[:comment]
        if is_open:
            closing = self.source.find(b"*/", end)
            return self.line_after(closing + 2) if closing >= 0 else len(self.source)
        newline = self.source.find(b"\n", end)
        return newline + 1 if newline >= 0 else len(self.source)

    def edit(self, first: int, last: int, replacement: str, reason: str, priority: int = 0) -> Edit:
        """Replace tokens `first` to `last` (inclusive)."""
        tokens = self.tokens
        return Edit(self.file, tokens.start[first], tokens.end(last), replacement, reason, priority)

    def span(self, first: int, last: int | None = None) -> Span:
        """The place of tokens `first` to `last` (inclusive)."""
        tokens = self.tokens
        start = tokens.start[first]
        end = tokens.end(first if last is None else last)
        return self.byte_span(start, end)

    def byte_span(self, start: int, end: int) -> Span:
        """The place of a byte range."""
        line, column = self.tokens.place(start)
        end_line, end_column = self.tokens.place(end)
        return Span(self.file, line, column, end_line, end_column, start, end)

    def diagnostic(
        self,
        code: Code,
        message: str,
        index: int,
        severity: Severity = Severity.ERROR,
        help: str = "",
    ) -> Diagnostic:
        """A finding at token `index`."""
        return Diagnostic(code, message, self.span(index), severity, help)


@lru_cache(maxsize=512)
def defined_names(tokens: Tokens, inactive: tuple[tuple[int, int], ...] = ()) -> Defined:
    """What the file declares, outside `inactive` byte ranges.

    Text alone decides, so this holds in inactive branches and with headers missing. A name counts
    when a type stands before it (`int atomicMax(`, `struct cuNode`), which no use of it has.
    """
    entities: set[bytes] = set()
    spellings: set[bytes] = set()
    announced: set[bytes] = set()
    numbers: dict[bytes, bytes] = {}
    kinds, texts = tokens.kind, tokens.text
    name = int(Kind.NAME)
    for index, kind in enumerate(kinds):
        if kind != name:
            continue
        if inactive and any(start <= tokens.start[index] < end for start, end in inactive):
            continue
        before = texts[index - 1] if index else b""
        if before in (b"struct", b"class", b"enum", b"union", b"namespace", b"concept"):
            if tokens.at(index + 1) in (b"{", b":", b"final"):
                entities.add(texts[index])
            continue
        if before.endswith(b"define") and kinds[index - 1] == Kind.DIRECTIVE:
            spellings.add(texts[index])
            is_number = index + 1 < len(kinds) and kinds[index + 1] == Kind.NUMBER
            if is_number and tokens.line_end(tokens.start[index]) == tokens.end(index + 1):
                numbers[texts[index]] = texts[index + 1]
            continue
        after = tokens.at(index + 1)
        if after == b"(" and _follows_type(tokens, index):
            ending = _behind_brackets(tokens, index)
            if ending in (b"{", b"const", b"noexcept", b"->"):
                entities.add(texts[index])
            elif ending == b";":
                announced.add(texts[index])
        elif before == b"using" and after == b"=":
            spellings.add(texts[index])
        elif (
            (after == b"=" and _follows_type(tokens, index))
            # `flags & cudaHostAllocMapped)` looks like a reference: only a plain type counts here.
            or (after in (b";", b"[", b",", b")") and _follows_name(tokens, index))
        ):
            (spellings if _is_typedef(tokens, index) else entities).add(texts[index])
    return Defined(frozenset(entities), frozenset(spellings), numbers, frozenset(announced))


def _is_typedef(tokens: Tokens, index: int) -> bool:
    at = index - 1
    while at >= 0 and tokens.text[at] not in (b";", b"{", b"}"):
        if tokens.text[at] == b"typedef":
            return True
        at -= 1
    return False


def _behind_brackets(tokens: Tokens, index: int) -> bytes:
    """What stands behind `name(...)`. A mere `X name(...);` may be a call behind a macro."""
    closing = tokens.partner.get(index + 1)
    return tokens.at(closing + 1) if closing is not None else b""


def _follows_type(tokens: Tokens, index: int) -> bool:
    at = index - 1
    while tokens.at(at) in (b"*", b"&", b"&&"):
        at -= 1
    if at != index - 1 and tokens.at(at - 1) in (b"=", b"(", b",", b"return"):
        return False
    return tokens.at(at) == b">" or _follows_name(tokens, at + 1)


def _follows_name(tokens: Tokens, index: int) -> bool:
    return tokens.is_name(index - 1) and tokens.at(index - 1) not in _NOT_A_TYPE
