"""Find inline assembly in a file's tokens.

asm volatile("add.u32 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b) : "memory");

AsmStatement(template="add.u32 %0, %1, %2;", outputs=(=r sum,), inputs=(r a, r b))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossport.backends.hip.lexer import Kind
from crossport.backends.hip.semantics.context import File

_WORDS = (b"asm", b"__asm__", b"__asm")
_QUALIFIERS = (b"volatile", b"__volatile__", b"__volatile", b"inline", b"goto")


@dataclass(frozen=True, slots=True)
class Operand:
    """`[name] "constraint" (expression)`; `text` is the expression as written."""

    constraint: str
    text: str
    name: str = ""

    @property
    def register(self) -> str:
        """The register class: r, l, h, f, d, n, C ..."""
        return self.constraint.lstrip("=+&")[:1]


@dataclass(frozen=True, slots=True)
class AsmStatement:
    """One statement; `first` and `last` are its tokens, `last` being the `;` (or the bracket)."""

    first: int
    last: int
    template: str
    outputs: tuple[Operand, ...]
    inputs: tuple[Operand, ...]
    ends_with_semicolon: bool
    problem: str = ""

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Outputs, then inputs: the order that `%0`, `%1` count in."""
        return (*self.outputs, *self.inputs)


def asm_statements(file: File) -> Iterator[AsmStatement]:
    """Every inline assembly of a file, in order, outside HIP-only code."""
    if file.text.words.isdisjoint(_WORDS):
        return
    tokens = file.text.tokens
    for index in file.uses(_WORDS):
        at = index + 1
        while tokens.at(at) in _QUALIFIERS:
            at += 1
        closing = tokens.partner.get(at)
        if tokens.at(at) != b"(" or closing is None:
            continue
        ends = tokens.at(closing + 1) == b";"
        yield _statement(file, index, at, closing, ends)


def _statement(file: File, first: int, opening: int, closing: int, ends: bool) -> AsmStatement:
    last = closing + 1 if ends else closing
    sections = _sections(file, opening, closing)
    try:
        template = _strings(file, *sections[0])
        outputs = _operands(file, *sections[1]) if len(sections) > 1 else ()
        inputs = _operands(file, *sections[2]) if len(sections) > 2 else ()
    except ValueError as error:
        return AsmStatement(first, last, "", (), (), ends, str(error))
    return AsmStatement(first, last, template, outputs, inputs, ends)


def _sections(file: File, opening: int, closing: int) -> list[tuple[int, int]]:
    """Token ranges between the colons (`::` is two of them)."""
    tokens = file.text.tokens
    sections: list[tuple[int, int]] = []
    begin = index = opening + 1
    while index < closing:
        text = tokens.text[index]
        if text in (b"(", b"[", b"{"):
            index = tokens.partner.get(index, index)
        elif text in (b":", b"::"):
            sections.append((begin, index))
            begin = index + 1
            if text == b"::":
                sections.append((begin, begin))
        index += 1
    sections.append((begin, closing))
    return sections


def _strings(file: File, first: int, end: int) -> str:
    tokens = file.text.tokens
    parts = []
    for index in range(first, end):
        if tokens.kind[index] != Kind.STRING:
            raise ValueError("its template is put together by a macro")
        parts.append(_literal(tokens.text[index].decode("utf-8", "replace")))
    return "".join(parts)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'", "\n": ""}


def _literal(text: str) -> str:
    raw = re.match(r'R"([^(]*)\((.*)\)\1"$', text, re.DOTALL)
    if raw:
        return raw[2]
    inner = text[text.index('"') + 1 :].removesuffix('"')
    return re.sub(r"\\(\r?\n|.)", lambda m: _ESCAPES.get(m[1][-1], m[1]), inner, flags=re.DOTALL)


def _operands(file: File, first: int, end: int) -> tuple[Operand, ...]:
    tokens = file.text.tokens
    found: list[Operand] = []
    index = first
    while index < end:
        name = ""
        if tokens.text[index] == b",":
            index += 1
            continue
        if tokens.text[index] == b"[":
            name = tokens.text[index + 1].decode()
            index = tokens.partner.get(index, index) + 1
        opening = index + 1
        if tokens.kind[index] != Kind.STRING or tokens.at(opening) != b"(":
            raise ValueError("an operand is put together by a macro")
        closing = tokens.partner.get(opening)
        if closing is None:
            raise ValueError("an operand's brackets do not match")
        constraint = _literal(tokens.text[index].decode("utf-8", "replace"))
        found.append(Operand(constraint, file.source(opening + 1, closing), name))
        index = closing + 1
    return tuple(found)
