"""PTX moves, conversions, comparisons.

cvt.rzi.s32.f32 d, a       d = (a as i32)
setp.lt.and.s32 p, a, b, q p = ((a < b) && q)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_arithmetic import CUDA_MODES
from crossport.frontend.lowering.ptx_common import ROUNDINGS, TYPES, kind_of
from crossport.ir.nodes import (
    Binary,
    BinaryOp,
    Bitcast,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Select,
    Unary,
)
from crossport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    VOID,
    Pointer,
    Scalar,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def move(machine: Machine, i: Instruction) -> None:
    target, source = i.operands
    if source.startswith("{") or target.startswith("{"):
        _pack(machine, i)
        return
    machine.write(target, machine.value(source, kind_of(i)))


def _pack(machine: Machine, i: Instruction) -> None:
    """mov.b64 d, {low, high} and back."""
    target, source = i.operands
    whole = kind_of(i)
    parts = [p.strip() for p in (source if source.startswith("{") else target)[1:-1].split(",")]
    size = whole.size // len(parts)
    piece = {1: U8, 2: U16, 4: U32}[size]
    here = machine.here
    if source.startswith("{"):
        total: Expr | None = None
        for number, part in enumerate(parts):
            value: Expr = Cast(machine.value(part, piece), whole, span=here)
            if number:
                value = Binary("<<", value, Const(number * size * 8, U32), span=here)
            total = value if total is None else Binary("|", total, value, span=here)
        assert total is not None
        machine.write(target, total)
        return
    value = machine.kept(machine.value(source, whole))
    for number, part in enumerate(parts):
        if part == "_":
            continue
        shifted = Binary(">>", value, Const(number * size * 8, U32)) if number else value
        machine.write(part, Cast(shifted, piece, span=here))


def convert(machine: Machine, i: Instruction) -> None:
    """cvt.rounding.to.from d, a."""
    kinds = [TYPES[m] for m in i.modifiers if m in TYPES]
    if len(kinds) != 2 or any(m in ("f16x2", "bf16x2", "tf32", "e4m3x2") for m in i.modifiers):
        _convert_pair(machine, i)
        return
    target, source = kinds
    mode = next((m.removesuffix("i") for m in i.modifiers if m.removesuffix("i") in ROUNDINGS), "")
    value = machine.value(i.operands[1], source)
    result = _converted(machine, i, value, target, source, mode)
    if "sat" in i.modifiers:
        if target != F32:
            raise NotLowered(f"PTX {i.name}")
        result = Intrinsic("__saturatef", (result,), F32, span=machine.here)
    machine.write(i.operands[0], result)


def _converted(
    machine: Machine, i: Instruction, value: Expr, target: Scalar, source: Scalar, mode: str
) -> Expr:
    here = machine.here
    names = {I32: "int", U32: "uint", I64: "ll", U64: "ull", F32: "float", F64: "double"}
    if source.is_float and target.is_float and target.size == source.size:
        round_names = {"rn": "rint", "rz": "trunc", "rm": "floor", "rp": "ceil"}
        if not mode:
            return value
        if target not in (F32, F64):
            raise NotLowered(f"PTX {i.name}")
        suffix = "f" if target == F32 else ""
        return Intrinsic(round_names[mode] + suffix, (value,), target, span=here)
    if source.is_float and target.is_integer and mode in ("rn", "rm", "rp"):
        if target not in names or source not in (F32, F64):
            raise NotLowered(f"PTX {i.name}")
        name = f"__{names[source]}2{names[target]}_{CUDA_MODES[mode]}"
        return Intrinsic(name, (value,), target, span=here)
    if target.is_float and mode in ("rz", "rm", "rp"):
        if target not in names or source not in names:
            raise NotLowered(f"PTX {i.name}")
        name = f"__{names[source]}2{names[target]}_{CUDA_MODES[mode]}"
        return Intrinsic(name, (value,), target, span=here)
    return Cast(value, target, span=here) if target != source else value


def _convert_pair(machine: Machine, i: Instruction) -> None:
    """cvt.rn.f16x2.f32 d, high, low, and cvt.rna.tf32.f32."""
    here = machine.here
    if "tf32" in i.modifiers:
        bits = machine.value(i.operands[1], U32)
        rounded = Binary("+", bits, Const(0x1000, U32), span=here)
        machine.write(i.operands[0], Binary("&", rounded, Const(0xFFFFE000, U32), span=here))
        return
    half = F16 if "f16x2" in i.modifiers else BF16 if "bf16x2" in i.modifiers else None
    if half is None or len(i.operands) != 3 or "rn" not in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    high, low = (Cast(Bitcast(Cast(machine.value(o, F32), half), U16), U32) for o in i.operands[1:])
    packed = Binary("|", Binary("<<", high, Const(16, U32)), low, span=here)
    machine.write(i.operands[0], packed)


def address(machine: Machine, i: Instruction) -> None:
    """cvta and cvta.to: addresses of all spaces are one kind here."""
    value = machine.value(i.operands[1], kind_of(i))
    if i.modifiers[:2] == ("to", "shared"):
        pointer = Cast(value, Pointer(VOID), span=machine.here)
        value = Intrinsic("__cvta_generic_to_shared", (pointer,), U64, span=machine.here)
        value = Cast(value, kind_of(i), span=machine.here) if kind_of(i) != U64 else value
    machine.write(i.operands[0], value)


def compare(machine: Machine, i: Instruction) -> None:
    """setp.cmp.type p|q, a, b."""
    test = _test(machine, i, i.operands[1], i.operands[2])
    logic = next((m for m in i.modifiers if m in ("and", "or", "xor")), "")
    targets = [t.strip() for t in i.operands[0].split("|")]
    if logic:
        other = machine.value(i.operands[3], BOOL)
        op: BinaryOp = {"and": "&&", "or": "||", "xor": "!="}[logic]  # type: ignore[assignment]
        test = Binary(op, test, other, span=machine.here)
    test = machine.kept(test)
    machine.write(targets[0], test)
    if len(targets) > 1 and targets[1] != "_":
        machine.write(targets[1], Unary("!", test, span=machine.here))


_TESTS: dict[str, BinaryOp] = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "lo": "<", "ls": "<=",
    "hi": ">", "hs": ">=",
}  # fmt: skip
_OPPOSITE: dict[str, BinaryOp] = {
    "equ": "!=", "ltu": ">=", "leu": ">", "gtu": "<=", "geu": "<",
}  # fmt: skip


def _test(machine: Machine, i: Instruction, first: str, second: str) -> Expr:
    kind = kind_of(i)
    one, two = machine.value(first, kind), machine.value(second, kind)
    word = i.modifiers[0]
    if word in _TESTS:
        if word == "ne" and kind.is_float:  # ordered
            one, two = machine.kept(one), machine.kept(two)
            return Binary("||", Binary("<", one, two), Binary(">", one, two), span=machine.here)
        return Binary(_TESTS[word], one, two, span=machine.here)
    if word == "neu":
        return Binary("!=", one, two, span=machine.here)
    if word in _OPPOSITE:
        return Unary("!", Binary(_OPPOSITE[word], one, two), span=machine.here)
    raise NotLowered(f"PTX {i.name}")


def set_flag(machine: Machine, i: Instruction) -> None:
    """set.cmp.u32.type d, a, b: all ones or 1.0 where it holds."""
    kinds = [TYPES[m] for m in i.modifiers if m in TYPES]
    test = _test(machine, i, i.operands[1], i.operands[2])
    result = kinds[0]
    yes: Expr = Const(1.0, F32) if result == F32 else Unary("~", Const(0, result))
    no: Expr = Const(0.0, F32) if result == F32 else Const(0, result)
    machine.write(i.operands[0], Select(test, yes, no, span=machine.here))


def select(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    test = machine.value(i.operands[3], BOOL)
    machine.write(i.operands[0], Select(test, one, two, span=machine.here))
