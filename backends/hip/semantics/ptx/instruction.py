"""A PTX template as instructions.

"{ .reg .pred p; setp.ne.b32 p, %1, 0; @p mov.u32 %0, 1; }"

Register("p", "pred")  Instruction("setp", ("ne", "b32"), ("p", "%1", "0"))
Instruction("mov", ("u32",), ("%0", "1"), guard="p")
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Instruction:
    """`@guard opcode.modifiers operands`; a vector operand keeps its braces."""

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[str, ...]
    guard: str = ""

    def has(self, *names: str) -> bool:
        """Is one of these among the modifiers?"""
        return any(name in self.modifiers for name in names)

    @property
    def kind(self) -> str:
        """The last modifier that is a type: u32, f64 ... ("" for none)."""
        return next((m for m in reversed(self.modifiers) if m in TYPES), "")

    @property
    def spelled(self) -> str:
        """`mul.wide.u32`."""
        return ".".join((self.opcode, *self.modifiers))


@dataclass
class Program:
    """The instructions of one template, and its registers with their types."""

    instructions: list[Instruction] = field(default_factory=list)
    registers: dict[str, str] = field(default_factory=dict)
    problem: str = ""


TYPES = frozenset(
    "b8 b16 b32 b64 u8 u16 u32 u64 s8 s16 s32 s64 f16 bf16 f16x2 bf16x2 f32 f64 pred".split()
)

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_INSTRUCTION = re.compile(r"(?:@(!?)(%?[\w$%]+)\s+)?([a-z]\w*(?:\.[\w:]+)*)\s*(.*)$", re.DOTALL)


def parse_template(template: str) -> Program:
    """Parse a template; what is not understood becomes `Program.problem`."""
    program = Program()
    text = _COMMENT.sub(" ", template).replace("%%", "\x01")
    for statement in _statements(text):
        if statement.startswith(".reg"):
            _register(program, statement)
            continue
        match = _INSTRUCTION.match(statement)
        if match is None:
            program.problem = f"cannot read {statement.replace(chr(1), '%')!r}"
            return program
        negated, guard, name, rest = match.groups()
        opcode, *modifiers = name.replace("::", ":").split(".")
        program.instructions.append(
            Instruction(
                opcode,
                tuple(modifiers),
                tuple(operand.replace("\x01", "%%") for operand in _operands(rest)),
                f"{negated}{guard}" if guard else "",
            )
        )
    return program


def _statements(text: str) -> list[str]:
    """Split at semicolons; braces that only open a scope go."""
    found = []
    for part in re.split(r";|\n(?=\s*[.@a-z])", text):
        piece = part.strip()
        while piece.startswith(("{", "}")):
            piece = piece[1:].strip()
        if piece.endswith("}") and piece.count("}") > piece.count("{"):
            piece = piece[:-1].strip()
        if piece:
            found.append(" ".join(piece.split()))
    return found


def _register(program: Program, statement: str) -> None:
    match = re.match(r"\.reg\s+\.(\w+)\s+(.*)$", statement, re.DOTALL)
    if match is None:
        program.problem = f"cannot read {statement!r}"
        return
    for name in match[2].split(","):
        name = name.strip()
        count = re.match(r"(\S+)<(\d+)>$", name)
        names = [f"{count[1]}{i}" for i in range(int(count[2]))] if count else [name]
        program.registers.update(dict.fromkeys(names, match[1]))


def _operands(text: str) -> list[str]:
    """Split at commas outside brackets and braces."""
    found: list[str] = []
    depth = 0
    current = ""
    for character in text:
        if character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        if character == "," and depth == 0:
            found.append(current.strip())
            current = ""
        else:
            current += character
    if current.strip():
        found.append(current.strip())
    # `p|q` names two destinations.
    return found
