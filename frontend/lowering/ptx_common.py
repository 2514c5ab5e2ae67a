"""What the PTX instruction families share: types by modifier, and pure instructions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.ir.nodes import (
    Expr,
)
from crossport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Scalar,
    Type,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


TYPES: dict[str, Scalar] = {
    "s8": I8, "u8": U8, "b8": U8, "s16": I16, "u16": U16, "b16": U16, "s32": I32, "u32": U32,
    "b32": U32, "s64": I64, "u64": U64, "b64": U64, "f16": F16, "bf16": BF16, "f32": F32,
    "f64": F64, "pred": BOOL,
}  # fmt: skip

ROUNDINGS = ("rn", "rz", "rm", "rp", "rna")
Handler = Callable[["Machine", Instruction], None]


def kind_of(instruction: Instruction, position: int = -1) -> Scalar:
    """The type among the modifiers (the last one, or the one at a position)."""
    found = [TYPES[m] for m in instruction.modifiers if m in TYPES]
    if not found:
        raise NotLowered(f"PTX {instruction.name}")
    return found[position]


def pure(rule: Callable[[Machine, Instruction, list[Expr], Scalar], Expr]) -> Handler:
    """An instruction that computes its first operand from the rest."""

    def lower(machine: Machine, instruction: Instruction) -> None:
        kind = kind_of(instruction)
        values = [machine.value(o, kind) for o in instruction.operands[1:]]
        machine.write(instruction.operands[0], rule(machine, instruction, values, kind))

    return lower


def plain(instruction: Instruction, *allowed: str) -> None:
    """Refuse modifiers that change the meaning and are not handled."""
    for modifier in instruction.modifiers:
        if modifier not in TYPES and modifier not in allowed:
            raise NotLowered(f"PTX {instruction.name}")


def scalar(kind: Type) -> Scalar:
    assert isinstance(kind, Scalar)
    return kind
