"""What one opcode's function works with: names of operands, and the lines written so far."""

from __future__ import annotations

from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import CPP, Names, NoTranslation


class Context:
    """Grows the translation of one template."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self._locals: dict[str, str] = {}
        self._count = 0

    def emit(self, line: str) -> None:
        """Add a statement."""
        self.lines.append(line)

    def read(self, operand: str, kind: str) -> str:
        """A source operand as an expression."""
        return self.names.read(operand, kind)

    def write(self, operand: str, text: str, kind: str) -> None:
        """Store a value of PTX type `kind`."""
        self.emit(self.names.write(operand, text, kind))

    def local(self, name: str, cpp: str) -> str:
        """A variable of the block that lives across instructions (the carry flag)."""
        name = self.names.fresh(name)
        self._locals[name] = cpp
        return name

    def temporary(self, cpp: str, value: str) -> str:
        """A constant of the block."""
        name = self.names.fresh(f"t{self._count}")
        self._count += 1
        self.emit(f"const {cpp} {name} = {value};")
        return name

    def variable(self, cpp: str, name: str) -> str:
        """A variable of the block without a value yet."""
        name = self.unique(name)
        self.emit(f"{cpp} {name};")
        return name

    def unique(self, name: str) -> str:
        """A name of the block, other for each use."""
        name = self.names.fresh(name if not self._count else f"{name}{self._count}")
        self._count += 1
        return name

    def declarations(self) -> list[str]:
        """The variables that `local` made."""
        return [f"{cpp} {name} = 0;" for name, cpp in self._locals.items()]


def cpp_type(kind: str) -> str:
    """The C++ type of a PTX type; `NoTranslation` where there is none."""
    found = CPP.get(kind)
    if found is None:
        raise NoTranslation(f"type .{kind}")
    return found


def refuse_modifiers(instruction: Instruction, *allowed: str) -> None:
    """`NoTranslation` for a modifier that is neither a type nor in `allowed`."""
    for modifier in instruction.modifiers:
        if modifier not in CPP and modifier not in allowed:
            raise NoTranslation(f"instruction {instruction.spelled}")
