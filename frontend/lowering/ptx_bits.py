"""PTX on bits: fields, permutations, three-input logic.

bfe.u32 d, a, 7, 11        d = ((a >> 7) & 2047)
lop3.b32 d, a, b, c, 0xE8  d = the majority of a, b, c, bit by bit
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_common import TYPES, Handler, kind_of, scalar
from crossport.ir.nodes import (
    Binary,
    Const,
    Expr,
    Intrinsic,
    Unary,
)
from crossport.ir.types import (
    I32,
    U32,
    Scalar,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def extract(machine: Machine, i: Instruction) -> None:
    """bfe: `length` bits from `start`, sign-extended for signed types."""
    kind = kind_of(i)
    here = machine.here
    value = machine.kept(machine.value(i.operands[1], kind))
    start, length = _byte(machine, i.operands[2]), _byte(machine, i.operands[3])
    width = kind.size * 8
    known = isinstance(start, Const) and isinstance(length, Const)
    if not kind.is_signed:
        shifted = Binary(">>", value, start, span=here)
        machine.write(i.operands[0], Binary("&", shifted, _low_ones(length, kind, here), span=here))
        return
    if not known:
        raise NotLowered(f"PTX {i.name} with a field that is not constant")
    assert isinstance(start, Const) and isinstance(length, Const)
    count = min(int(length.value), width - min(int(start.value), width))
    if count <= 0:
        sign = Binary(">>", value, Const(width - 1, U32))
        machine.write(i.operands[0], sign if length.value else Const(0, kind))
        return
    up = width - int(start.value) - count
    moved = Binary("<<", value, Const(up, U32), span=here)
    machine.write(i.operands[0], Binary(">>", moved, Const(width - count, U32), span=here))


def find_leading(machine: Machine, i: Instruction) -> None:
    """bfind: the place of the highest bit that is not the sign's; all ones where there is none."""
    kind = kind_of(i)
    if "shiftamt" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    here = machine.here
    value = machine.kept(machine.value(i.operands[1], kind))
    if kind.is_signed:  # a negative number's own bits are the zeros
        sign = Binary(">>", value, Const(kind.size * 8 - 1, U32), span=here)
        value = Binary("^", value, sign, span=here)
    name = "__clz" if kind.size == 4 else "__clzll"
    zeros = Intrinsic(name, (value,), I32, span=here)
    place = Binary("-", Const(kind.size * 8 - 1, I32), zeros, span=here)
    machine.write(i.operands[0], place)


def _byte(machine: Machine, operand: str) -> Expr:
    """PTX looks at the low byte of a bit position or count."""
    value = machine.value(operand, U32)
    if isinstance(value, Const):
        return Const(int(value.value) & 255, U32)
    return Binary("&", value, Const(255, U32), span=machine.here)


def _low_ones(length: Expr, kind: Scalar, here: object) -> Expr:
    """A mask of `length` low bits; all of them from the width on (shifts beyond it give 0)."""
    if isinstance(length, Const):
        count = min(int(length.value), kind.size * 8)
        return Const((1 << count) - 1, kind)
    return Unary("~", Binary("<<", Unary("~", Const(0, kind)), length))


def insert(machine: Machine, i: Instruction) -> None:
    """bfi d, a, b, start, length: b with a's low bits at start."""
    kind = kind_of(i)
    here = machine.here
    field, base = (machine.value(o, kind) for o in i.operands[1:3])
    start, length = machine.kept(_byte(machine, i.operands[3])), _byte(machine, i.operands[4])
    mask = machine.kept(Binary("<<", _low_ones(length, kind, here), start, span=here))
    inside = Binary("&", Binary("<<", field, start, span=here), mask, span=here)
    outside = Binary("&", base, Unary("~", mask, span=here), span=here)
    machine.write(i.operands[0], Binary("|", inside, outside, span=here))


def logic3(machine: Machine, i: Instruction) -> None:
    """lop3.b32 d, a, b, c, table."""
    kind = kind_of(i)
    one, two, three = (machine.kept(machine.value(o, kind)) for o in i.operands[1:4])
    table = machine.value(i.operands[4], U32)
    if not isinstance(table, Const):
        raise NotLowered("PTX lop3 with a table that is not constant")
    machine.write(i.operands[0], logic_table(one, two, three, int(table.value)))


def logic_table(one: Expr, two: Expr, three: Expr, table: int) -> Expr:
    """A three-input boolean function: Shannon's expansion, simplest arms first."""
    kind = scalar(one.type)
    zero, ones = Const(0, kind), Const((1 << (kind.size * 8)) - 1, kind)

    def single(bits: int, value: Expr) -> Expr:
        choices: dict[int, Expr] = {0: zero, 1: Unary("~", value), 2: value, 3: ones}
        return choices[bits]

    def pair(bits: int, first: Expr, second: Expr) -> Expr:
        return _mix(first, single(bits >> 2, second), single(bits & 3, second), zero, ones)

    return _mix(one, pair(table >> 4 & 15, two, three), pair(table & 15, two, three), zero, ones)


def _mix(bit: Expr, if_set: Expr, if_clear: Expr, zero: Expr, ones: Expr) -> Expr:
    """`bit ? if_set : if_clear`, bit by bit."""
    if if_set == if_clear:
        return if_set
    if (if_set, if_clear) == (ones, zero):
        return bit
    if (if_set, if_clear) == (zero, ones):
        return Unary("~", bit)
    if if_clear == zero:
        return Binary("&", bit, if_set)
    if if_set == zero:
        return Binary("&", Unary("~", bit), if_clear)
    if if_set == ones:
        return Binary("|", bit, if_clear)
    if if_clear == ones:
        return Binary("|", Unary("~", bit), if_set)
    if if_clear == Unary("~", if_set):
        return Unary("~", Binary("^", bit, if_set))
    if if_set == Unary("~", if_clear):
        return Binary("^", bit, if_clear)
    return Binary("|", Binary("&", bit, if_set), Binary("&", Unary("~", bit), if_clear))


def permute(machine: Machine, i: Instruction) -> None:
    if any(m not in TYPES for m in i.modifiers):
        raise NotLowered(f"PTX {i.name}")
    values = tuple(machine.value(o, U32) for o in i.operands[1:])
    machine.write(i.operands[0], Intrinsic("__byte_perm", values, U32, span=machine.here))


def funnel(machine: Machine, i: Instruction) -> None:
    """shf.l/r.wrap/clamp.b32 d, low, high, amount."""
    side = "l" if "l" in i.modifiers else "r"
    name = f"__funnelshift_{side}" + ("c" if "clamp" in i.modifiers else "")
    values = tuple(machine.value(o, U32) for o in i.operands[1:])
    machine.write(i.operands[0], Intrinsic(name, values, U32, span=machine.here))


def sum_of_differences(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    if kind.size != 4:
        raise NotLowered(f"PTX {i.name}")
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    third = machine.value(i.operands[3], U32)
    name = "__sad" if kind.is_signed else "__usad"
    machine.write(i.operands[0], Intrinsic(name, (one, two, third), U32, span=machine.here))


def dot(name: str) -> Handler:
    def lower(machine: Machine, i: Instruction) -> None:
        first, second = (TYPES[m] for m in i.modifiers if m in TYPES)
        if first != second:
            raise NotLowered(f"PTX {i.name}")
        full = name
        if name == "__dp2a":
            full = "__dp2a_lo" if "lo" in i.modifiers else "__dp2a_hi"
        values = tuple(machine.value(o, first) for o in i.operands[1:])
        machine.write(i.operands[0], Intrinsic(full, values, first, span=machine.here))

    return lower
