r"""Inline PTX as text -> operands and instructions. Nothing here knows what an opcode means.

asm volatile("{.reg .pred p; setp.ne.u32 p, %1, 0; @p mov.u32 %0, 7;}" : "=r"(y) : "r"(x));

Asm(template="...", operands=(Operand("=r"), Operand("r")))
Register("p", "pred")
Instruction("setp", ("ne", "u32"), ("p", "%1", "0"))
Instruction("mov", ("u32",), ("%0", "7"), guard="p")
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from crossport.frontend.lowering.errors import NotLowered


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand as the statement lists it: its constraint, and its name if it has one."""

    constraint: str
    name: str = ""

    @property
    def is_output(self) -> bool:
        """Written by the statement."""
        return self.constraint.startswith(("=", "+"))

    @property
    def is_read(self) -> bool:
        """Read by the statement."""
        return not self.constraint.startswith("=")

    @property
    def letter(self) -> str:
        """`r`, `l`, `h`, `f`, `d`, `n` ..."""
        return self.constraint.lstrip("=+&")[:1]


@dataclass(frozen=True, slots=True)
class Asm:
    """An asm statement taken apart."""

    template: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """`.reg .f32 t;`"""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Instruction:
    """`@!p add.s32 d, a, b;`: guard "!p", opcode "add", modifiers ("s32",), operands."""

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[str, ...]
    guard: str = ""

    @property
    def name(self) -> str:
        """The opcode with its modifiers."""
        return ".".join((self.opcode, *self.modifiers))


_HEAD = re.compile(r"(?:__asm__|__asm|asm)\s*((?:volatile|__volatile__|goto|inline)\s*)*\(")
_STRING = re.compile(r'(?:u8|L|u|U)?("(?:[^"\\]|\\.)*")', re.S)


def starts_statement(text: str) -> bool:
    """Does a text begin with an asm statement?"""
    return _HEAD.match(text) is not None


def statements_in(text: str) -> list[str]:
    """Every asm statement of a text, each with all that follows it."""
    return [text[found.start() :] for found in re.finditer(r"\b" + _HEAD.pattern, text)]


def parse_statement(text: str) -> Asm:
    """Take an asm statement apart. `NotLowered` where it is not made of string literals."""
    text = text.replace("\\\n", " ").replace("\\\r\n", " ")
    head = _HEAD.match(text)
    if head is None:
        raise NotLowered("inline assembly that cannot be read")
    sections = list(_sections(text, head.end()))
    template = _literal(sections[0])
    operands: list[Operand] = []
    for section in sections[1:3]:
        operands += _operands(section)
    return Asm(template, tuple(operands))


def _sections(text: str, start: int) -> Iterator[str]:
    """The parts between colons, up to the closing parenthesis."""
    depth, begin, position = 0, start, start
    while position < len(text):
        letter = text[position]
        if letter == '"':
            found = _STRING.match(text, position)
            if found is None:
                break
            position = found.end()
            continue
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            if depth == 0:
                yield text[begin:position]
                return
            depth -= 1
        elif letter == ":" and depth == 0:
            yield text[begin:position]
            begin = position + 1
            if text.startswith("::", position - 1) and position == begin - 1:
                pass
        position += 1
    raise NotLowered("inline assembly that does not end")


def _literal(text: str) -> str:
    rest = _STRING.sub("", text).strip()
    if rest:
        raise NotLowered("inline assembly whose text is made by macros")
    return "".join(
        ast.literal_eval(m.group(1).replace("\n", "\\n")) for m in _STRING.finditer(text)
    )


def _operands(section: str) -> Iterator[Operand]:
    for part in _split(section):
        found = re.match(r'\s*(?:\[\s*(\w+)\s*\])?\s*"([^"]*)"\s*\(', part)
        if found is None:
            raise NotLowered("an operand of inline assembly")
        yield Operand(found.group(2), found.group(1) or "")


def _split(text: str, separator: str = ",") -> list[str]:
    """Split at separators outside brackets and strings."""
    parts, depth, begin, position = [], 0, 0, 0
    while position < len(text):
        letter = text[position]
        if letter == '"':
            found = _STRING.match(text, position)
            position = found.end() if found else len(text)
            continue
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == separator and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    parts.append(text[begin:])
    return [p for p in parts if p.strip()]


def instructions(template: str) -> Iterator[Register | Instruction]:
    """The template's declarations and instructions, in order."""
    text = re.sub(r"/\*.*?\*/", " ", template, flags=re.S)
    text = re.sub(r"//[^\n]*", " ", text).replace("%%", "\0")
    for statement in _statements(text):
        if re.match(r"[\w$]+\s*:", statement) and not statement.startswith("::"):
            raise NotLowered("a label in inline assembly")
        if statement.startswith(".reg"):
            yield from _registers(statement)
        elif statement.startswith("."):
            raise NotLowered(f"PTX directive {statement.split()[0]}")
        else:
            yield _instruction(statement)


def _statements(text: str) -> Iterator[str]:
    """Split at semicolons; braces that open and close scopes stand alone."""
    for part in text.split(";"):
        part = part.strip()
        while part[:1] in ("{", "}") and part:
            part = part[1:].strip()
        while part.endswith(("{", "}")) and part.count("{") != part.count("}"):
            part = part[:-1].strip()
        if part:
            yield part


def _registers(statement: str) -> Iterator[Register]:
    words = statement.split(None, 2)
    if len(words) != 3 or not words[1].startswith("."):
        raise NotLowered("a register declaration in inline assembly")
    for name in words[2].split(","):
        name = name.strip()
        several = re.fullmatch(r"(.*)<(\d+)>", name)
        if several:
            for number in range(int(several.group(2))):
                yield Register(f"{several.group(1)}{number}", words[1][1:])
        else:
            yield Register(name, words[1][1:])


def _instruction(statement: str) -> Instruction:
    guard = ""
    if statement.startswith("@"):
        guard, _, statement = statement[1:].partition(" ")
        statement = statement.strip()
    opcode, _, rest = statement.partition(" ")
    if "\t" in opcode or "\n" in opcode:
        opcode, *more = re.split(r"\s", statement, maxsplit=1)
        rest = more[0] if more else ""
    words = opcode.split(".")
    operands = tuple(part.strip().replace("\0", "%%") for part in _split(rest))
    return Instruction(words[0], tuple(w for w in words[1:] if w), operands, guard.strip())
