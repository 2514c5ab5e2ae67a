"""PTX arithmetic, with carries and rounding modes, and logic.

mad.lo.s32 d, a, b, c      d = ((a * b) + c)
add.cc.u32 d, a, b         d = (a + b); carry = (d < a)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_common import Handler, kind_of, plain, pure, scalar
from crossport.ir.nodes import (
    Binary,
    BinaryOp,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Unary,
)
from crossport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I16,
    I32,
    I64,
    U16,
    U32,
    U64,
    Scalar,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def binary(op: BinaryOp) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        if "sat" in i.modifiers:
            if kind != F32:
                raise NotLowered(f"PTX {i.name}")
            whole = Binary(op, v[0], v[1], span=machine.here)
            return Intrinsic("__saturatef", (whole,), F32, span=machine.here)
        plain(i, "rn", "lo", "full", "approx", "ftz", "rz", "rm", "rp")
        if kind.is_float and any(m in ("rz", "rm", "rp") for m in i.modifiers):
            return _rounded(machine, i, op, v, kind)
        return Binary(op, v[0], v[1], span=machine.here)

    return pure(rule)


_ROUNDED = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
CUDA_MODES = {"rn": "rn", "rz": "rz", "rm": "rd", "rp": "ru"}


def _rounded(machine: Machine, i: Instruction, op: str, v: list[Expr], kind: Scalar) -> Expr:
    mode = next(CUDA_MODES[m] for m in i.modifiers if m in ("rz", "rm", "rp"))
    if kind not in (F32, F64):
        raise NotLowered(f"PTX {i.name}")
    letter = "f" if kind == F32 else "d"
    return Intrinsic(f"__{letter}{_ROUNDED[op]}_{mode}", tuple(v), kind, span=machine.here)


def add(op: BinaryOp) -> Handler:
    """add and sub, with the carry flag that .cc sets."""
    plain = binary(op)

    def lower(machine: Machine, i: Instruction) -> None:
        if "cc" not in i.modifiers:
            plain(machine, i)
            return
        carrying(op, with_carry=False)(machine, i)

    return lower


def carrying(op: BinaryOp, *, with_carry: bool) -> Handler:
    """add.cc, addc, sub.cc, subc: unsigned arithmetic with one bit more."""

    def lower(machine: Machine, i: Instruction) -> None:
        kind = kind_of(i)
        word = U32 if kind.size == 4 else U64
        one, two = (machine.kept(machine.value(o, word)) for o in i.operands[1:])
        carry = machine.carry(word) if with_carry else Const(0, word)
        here = machine.here
        first = machine.kept(Binary(op, one, two, span=here))
        total = machine.kept(Binary(op, first, carry, span=here)) if with_carry else first
        if "cc" in i.modifiers:
            lost = Binary("<", first, one) if op == "+" else Binary("<", one, two)
            if with_carry:
                more = Binary("<", total, first) if op == "+" else Binary("<", first, carry)
                machine.set_carry(Binary("||", lost, more, span=here))
            else:
                machine.set_carry(lost)
        machine.write(i.operands[0], total)

    return lower


def _product(machine: Machine, i: Instruction, one: Expr, two: Expr, kind: Scalar) -> Expr:
    """mul.lo, mul.hi, mul.wide, or a float product."""
    here = machine.here
    if kind.is_float:
        modes = [m for m in i.modifiers if m in ("rz", "rm", "rp")]
        return (
            _rounded(machine, i, "*", [one, two], kind)
            if modes
            else Binary("*", one, two, span=here)
        )
    if "wide" in i.modifiers:
        wide = {I16: I32, U16: U32, I32: I64, U32: U64}.get(kind)
        if wide is None:
            raise NotLowered(f"PTX {i.name}")
        return Binary("*", Cast(one, wide), Cast(two, wide), span=here)
    if "hi" in i.modifiers:
        names = {I32: "__mulhi", U32: "__umulhi", I64: "__mul64hi", U64: "__umul64hi"}
        if kind not in names:
            raise NotLowered(f"PTX {i.name}")
        return Intrinsic(names[kind], (one, two), kind, span=here)
    return Binary("*", one, two, span=here)


def multiply(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    one, two = (machine.value(o, kind) for o in i.operands[1:])
    product = _product(machine, i, one, two, kind)
    if "sat" in i.modifiers:
        product = Intrinsic("__saturatef", (product,), F32, span=machine.here)
    machine.write(i.operands[0], product)


def multiply_add(machine: Machine, i: Instruction) -> None:
    if "cc" in i.modifiers or i.opcode == "madc":
        _multiply_add_carry(machine, i)
        return
    kind = kind_of(i)
    if kind.is_float:
        fused(machine, i)
        return
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    product = _product(machine, i, one, two, kind)
    third = machine.value(i.operands[3], scalar(product.type))
    machine.write(i.operands[0], Binary("+", product, third, span=machine.here))


def _multiply_add_carry(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    word = U32 if kind.size == 4 else U64
    one, two = (machine.value(o, word) for o in i.operands[1:3])
    product = machine.kept(_product(machine, i, one, two, word))
    third = machine.kept(machine.value(i.operands[3], word))
    here = machine.here
    first = machine.kept(Binary("+", product, third, span=here))
    total = first
    lost: Expr = Binary("<", first, product, span=here)
    if i.opcode == "madc":
        total = machine.kept(Binary("+", first, machine.carry(word), span=here))
        lost = Binary("||", lost, Binary("<", total, first), span=here)
    if "cc" in i.modifiers:
        machine.set_carry(lost)
    machine.write(i.operands[0], total)


def fused(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    values = tuple(machine.value(o, kind) for o in i.operands[1:])
    mode = next((m for m in i.modifiers if m in CUDA_MODES), "rn")
    names = {F32: "fmaf", F64: "fma", F16: "__hfma", BF16: "__hfma"}
    name = names.get(kind)
    if name is None:
        raise NotLowered(f"PTX {i.name}")
    if mode != "rn":
        name = f"__fmaf_{CUDA_MODES[mode]}" if kind == F32 else f"__fma_{CUDA_MODES[mode]}"
    result: Expr = Intrinsic(name, values, kind, span=machine.here)
    if "relu" in i.modifiers and kind in (F16, BF16):
        result = Intrinsic("__hfma_relu", values, kind, span=machine.here)
    if "sat" in i.modifiers and kind == F32:
        result = Intrinsic("__saturatef", (result,), F32, span=machine.here)
    machine.write(i.operands[0], result)


def unary_op(op: str) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        return Unary(op, v[0], span=machine.here)  # type: ignore[arg-type]

    return pure(rule)


def logical_not(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    value = machine.value(i.operands[1], kind)
    machine.write(i.operands[0], Unary("!" if kind == BOOL else "~", value, span=machine.here))


def logic(op: BinaryOp) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        if kind == BOOL:
            logical: BinaryOp = {"&": "&&", "|": "||", "^": "!="}[op]  # type: ignore[assignment]
            return Binary(logical, v[0], v[1], span=machine.here)
        return Binary(op, v[0], v[1], span=machine.here)

    return pure(rule)


def shift(op: BinaryOp) -> Handler:
    def lower(machine: Machine, i: Instruction) -> None:
        kind = kind_of(i)
        value = machine.value(i.operands[1], kind)
        amount = machine.value(i.operands[2], U32)
        machine.write(i.operands[0], Binary(op, value, amount, span=machine.here))

    return lower


def named(names: dict[Scalar, str]) -> Handler:
    """An instruction that is an intrinsic of each type."""

    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        name = names.get(kind)
        if name is None:
            raise NotLowered(f"PTX {i.name}")
        return Intrinsic(name, tuple(v), kind, span=machine.here)

    return pure(rule)


def bits(names: dict[Scalar, str], result: Scalar | None) -> Handler:
    """popc, clz, brev."""

    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        word = U32 if kind.size == 4 else U64
        found = Intrinsic(names[word], (v[0],), result or word, span=machine.here)
        return Cast(found, U32, span=machine.here) if result else found

    return pure(rule)


def absolute(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    names = {F32: "fabsf", F64: "fabs", F16: "__habs", BF16: "__habs"}
    value = machine.value(i.operands[1], kind)
    name = names.get(kind, "abs")
    machine.write(i.operands[0], Intrinsic(name, (value,), kind, span=machine.here))


def extremum(which: str) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        plain(i, "ftz", "NaN")
        nan = "NaN" in i.modifiers
        names = {F32: f"f{which}f", F64: f"f{which}", F16: f"__h{which}", BF16: f"__h{which}"}
        name = names.get(kind, which)
        if nan:
            if kind not in (F16, BF16):
                raise NotLowered(f"PTX {i.name}")
            name += "_nan"
        result: Expr = Intrinsic(name, (v[0], v[1]), kind, span=machine.here)
        if len(v) > 2:
            result = Intrinsic(name, (result, v[2]), kind, span=machine.here)
        return result

    return pure(rule)
