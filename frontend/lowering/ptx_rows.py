"""PTX instructions and what they mean in the IR: one function a family, one row an opcode.

bfe.u32 d, a, 7, 11       d = (a >> 7) & 2047          (shifts beyond the width give 0)
lop3.b32 d, a, b, c, F    d = the sum of F's minterms   (0xE8: majority)
shfl.sync.bfly.b32 ...    Shuffle "xor"                 cp.async    Effect("cp_async")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.ir.nodes import (
    Assign,
    Atomic,
    AtomicOp,
    Barrier,
    Binary,
    BinaryOp,
    Bitcast,
    Cast,
    Const,
    Deref,
    Effect,
    Expr,
    Fence,
    Intrinsic,
    Match,
    Null,
    Read,
    Return,
    Select,
    Shuffle,
    SyncWarp,
    Trap,
    Unary,
    Vote,
    WarpReduce,
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
    Pointer,
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

_ROUNDINGS = ("rn", "rz", "rm", "rp", "rna")
Handler = Callable[["Machine", Instruction], None]


def kind_of(instruction: Instruction, position: int = -1) -> Scalar:
    """The type among the modifiers (the last one, or the one at a position)."""
    found = [TYPES[m] for m in instruction.modifiers if m in TYPES]
    if not found:
        raise NotLowered(f"PTX {instruction.name}")
    return found[position]


def operation(machine: Machine, instruction: Instruction) -> None:
    """Emit one instruction."""
    handler = ROWS.get(instruction.opcode)
    if handler is None:
        raise NotLowered(f"PTX {instruction.opcode}")
    handler(machine, instruction)


def _pure(rule: Callable[[Machine, Instruction, list[Expr], Scalar], Expr]) -> Handler:
    """An instruction that computes its first operand from the rest."""

    def lower(machine: Machine, instruction: Instruction) -> None:
        kind = kind_of(instruction)
        values = [machine.value(o, kind) for o in instruction.operands[1:]]
        machine.write(instruction.operands[0], rule(machine, instruction, values, kind))

    return lower


def _plain(instruction: Instruction, *allowed: str) -> None:
    """Refuse modifiers that change the meaning and are not handled."""
    for modifier in instruction.modifiers:
        if modifier not in TYPES and modifier not in allowed:
            raise NotLowered(f"PTX {instruction.name}")


# --- Arithmetic --------------------------------------------------------------------------------


def _binary(op: BinaryOp) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        if "sat" in i.modifiers:
            if kind != F32:
                raise NotLowered(f"PTX {i.name}")
            whole = Binary(op, v[0], v[1], span=machine.here)
            return Intrinsic("__saturatef", (whole,), F32, span=machine.here)
        _plain(i, "rn", "lo", "full", "approx", "ftz", "rz", "rm", "rp")
        if kind.is_float and any(m in ("rz", "rm", "rp") for m in i.modifiers):
            return _rounded(machine, i, op, v, kind)
        return Binary(op, v[0], v[1], span=machine.here)

    return _pure(rule)


_ROUNDED = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_CUDA_MODES = {"rn": "rn", "rz": "rz", "rm": "rd", "rp": "ru"}


def _rounded(machine: Machine, i: Instruction, op: str, v: list[Expr], kind: Scalar) -> Expr:
    mode = next(_CUDA_MODES[m] for m in i.modifiers if m in ("rz", "rm", "rp"))
    if kind not in (F32, F64):
        raise NotLowered(f"PTX {i.name}")
    letter = "f" if kind == F32 else "d"
    return Intrinsic(f"__{letter}{_ROUNDED[op]}_{mode}", tuple(v), kind, span=machine.here)


def _add(op: BinaryOp) -> Handler:
    """add and sub, with the carry flag that .cc sets."""
    plain = _binary(op)

    def lower(machine: Machine, i: Instruction) -> None:
        if "cc" not in i.modifiers:
            plain(machine, i)
            return
        _carrying(op, with_carry=False)(machine, i)

    return lower


def _carrying(op: BinaryOp, *, with_carry: bool) -> Handler:
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


def _multiply(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    one, two = (machine.value(o, kind) for o in i.operands[1:])
    product = _product(machine, i, one, two, kind)
    if "sat" in i.modifiers:
        product = Intrinsic("__saturatef", (product,), F32, span=machine.here)
    machine.write(i.operands[0], product)


def _multiply_add(machine: Machine, i: Instruction) -> None:
    if "cc" in i.modifiers or i.opcode == "madc":
        _multiply_add_carry(machine, i)
        return
    kind = kind_of(i)
    if kind.is_float:
        _fused(machine, i)
        return
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    product = _product(machine, i, one, two, kind)
    third = machine.value(i.operands[3], _scalar(product.type))
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


def _fused(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    values = tuple(machine.value(o, kind) for o in i.operands[1:])
    mode = next((m for m in i.modifiers if m in _CUDA_MODES), "rn")
    names = {F32: "fmaf", F64: "fma", F16: "__hfma", BF16: "__hfma"}
    name = names.get(kind)
    if name is None:
        raise NotLowered(f"PTX {i.name}")
    if mode != "rn":
        name = f"__fmaf_{_CUDA_MODES[mode]}" if kind == F32 else f"__fma_{_CUDA_MODES[mode]}"
    result: Expr = Intrinsic(name, values, kind, span=machine.here)
    if "relu" in i.modifiers and kind in (F16, BF16):
        result = Intrinsic("__hfma_relu", values, kind, span=machine.here)
    if "sat" in i.modifiers and kind == F32:
        result = Intrinsic("__saturatef", (result,), F32, span=machine.here)
    machine.write(i.operands[0], result)


def _unary_op(op: str) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        return Unary(op, v[0], span=machine.here)  # type: ignore[arg-type]

    return _pure(rule)


def _not(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    value = machine.value(i.operands[1], kind)
    machine.write(i.operands[0], Unary("!" if kind == BOOL else "~", value, span=machine.here))


def _logic(op: BinaryOp) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        if kind == BOOL:
            logical: BinaryOp = {"&": "&&", "|": "||", "^": "!="}[op]  # type: ignore[assignment]
            return Binary(logical, v[0], v[1], span=machine.here)
        return Binary(op, v[0], v[1], span=machine.here)

    return _pure(rule)


def _shift(op: BinaryOp) -> Handler:
    def lower(machine: Machine, i: Instruction) -> None:
        kind = kind_of(i)
        value = machine.value(i.operands[1], kind)
        amount = machine.value(i.operands[2], U32)
        machine.write(i.operands[0], Binary(op, value, amount, span=machine.here))

    return lower


def _named(names: dict[Scalar, str]) -> Handler:
    """An instruction that is an intrinsic of each type."""

    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        name = names.get(kind)
        if name is None:
            raise NotLowered(f"PTX {i.name}")
        return Intrinsic(name, tuple(v), kind, span=machine.here)

    return _pure(rule)


def _bits(names: dict[Scalar, str], result: Scalar | None) -> Handler:
    """popc, clz, brev."""

    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        word = U32 if kind.size == 4 else U64
        found = Intrinsic(names[word], (v[0],), result or word, span=machine.here)
        return Cast(found, U32, span=machine.here) if result else found

    return _pure(rule)


def _absolute(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    names = {F32: "fabsf", F64: "fabs", F16: "__habs", BF16: "__habs"}
    value = machine.value(i.operands[1], kind)
    name = names.get(kind, "abs")
    machine.write(i.operands[0], Intrinsic(name, (value,), kind, span=machine.here))


def _extremum(which: str) -> Handler:
    def rule(machine: Machine, i: Instruction, v: list[Expr], kind: Scalar) -> Expr:
        _plain(i, "ftz", "NaN")
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

    return _pure(rule)


# --- Bits --------------------------------------------------------------------------------------


def _extract(machine: Machine, i: Instruction) -> None:
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


def _insert(machine: Machine, i: Instruction) -> None:
    """bfi d, a, b, start, length: b with a's low bits at start."""
    kind = kind_of(i)
    here = machine.here
    field, base = (machine.value(o, kind) for o in i.operands[1:3])
    start, length = machine.kept(_byte(machine, i.operands[3])), _byte(machine, i.operands[4])
    mask = machine.kept(Binary("<<", _low_ones(length, kind, here), start, span=here))
    inside = Binary("&", Binary("<<", field, start, span=here), mask, span=here)
    outside = Binary("&", base, Unary("~", mask, span=here), span=here)
    machine.write(i.operands[0], Binary("|", inside, outside, span=here))


def _logic3(machine: Machine, i: Instruction) -> None:
    """lop3.b32 d, a, b, c, table."""
    kind = kind_of(i)
    one, two, three = (machine.kept(machine.value(o, kind)) for o in i.operands[1:4])
    table = machine.value(i.operands[4], U32)
    if not isinstance(table, Const):
        raise NotLowered("PTX lop3 with a table that is not constant")
    machine.write(i.operands[0], logic_table(one, two, three, int(table.value)))


def logic_table(one: Expr, two: Expr, three: Expr, table: int) -> Expr:
    """A three-input boolean function: Shannon's expansion, simplest arms first."""
    kind = _scalar(one.type)
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


def _permute(machine: Machine, i: Instruction) -> None:
    if any(m not in TYPES for m in i.modifiers):
        raise NotLowered(f"PTX {i.name}")
    values = tuple(machine.value(o, U32) for o in i.operands[1:])
    machine.write(i.operands[0], Intrinsic("__byte_perm", values, U32, span=machine.here))


def _funnel(machine: Machine, i: Instruction) -> None:
    """shf.l/r.wrap/clamp.b32 d, low, high, amount."""
    side = "l" if "l" in i.modifiers else "r"
    name = f"__funnelshift_{side}" + ("c" if "clamp" in i.modifiers else "")
    values = tuple(machine.value(o, U32) for o in i.operands[1:])
    machine.write(i.operands[0], Intrinsic(name, values, U32, span=machine.here))


def _sum_of_differences(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    if kind.size != 4:
        raise NotLowered(f"PTX {i.name}")
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    third = machine.value(i.operands[3], U32)
    name = "__sad" if kind.is_signed else "__usad"
    machine.write(i.operands[0], Intrinsic(name, (one, two, third), U32, span=machine.here))


def _dot(name: str) -> Handler:
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


# --- Moves and conversions ---------------------------------------------------------------------


def _move(machine: Machine, i: Instruction) -> None:
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


def _convert(machine: Machine, i: Instruction) -> None:
    """cvt.rounding.to.from d, a."""
    kinds = [TYPES[m] for m in i.modifiers if m in TYPES]
    if len(kinds) != 2 or any(m in ("f16x2", "bf16x2", "tf32", "e4m3x2") for m in i.modifiers):
        _convert_pair(machine, i)
        return
    target, source = kinds
    mode = next((m.removesuffix("i") for m in i.modifiers if m.removesuffix("i") in _ROUNDINGS), "")
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
        name = f"__{names[source]}2{names[target]}_{_CUDA_MODES[mode]}"
        return Intrinsic(name, (value,), target, span=here)
    if target.is_float and mode in ("rz", "rm", "rp"):
        if target not in names or source not in names:
            raise NotLowered(f"PTX {i.name}")
        name = f"__{names[source]}2{names[target]}_{_CUDA_MODES[mode]}"
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


def _address(machine: Machine, i: Instruction) -> None:
    """cvta and cvta.to: addresses of all spaces are one kind here."""
    machine.write(i.operands[0], machine.value(i.operands[1], kind_of(i)))


def _compare(machine: Machine, i: Instruction) -> None:
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


def _set(machine: Machine, i: Instruction) -> None:
    """set.cmp.u32.type d, a, b: all ones or 1.0 where it holds."""
    kinds = [TYPES[m] for m in i.modifiers if m in TYPES]
    test = _test(machine, i, i.operands[1], i.operands[2])
    result = kinds[0]
    yes: Expr = Const(1.0, F32) if result == F32 else Unary("~", Const(0, result))
    no: Expr = Const(0.0, F32) if result == F32 else Const(0, result)
    machine.write(i.operands[0], Select(test, yes, no, span=machine.here))


def _select(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    one, two = (machine.value(o, kind) for o in i.operands[1:3])
    test = machine.value(i.operands[3], BOOL)
    machine.write(i.operands[0], Select(test, one, two, span=machine.here))


# --- Memory ------------------------------------------------------------------------------------


def _elements(i: Instruction, operand: str) -> list[str]:
    if operand.startswith("{"):
        return [p.strip() for p in operand[1:-1].split(",")]
    return [operand]


def _load(machine: Machine, i: Instruction) -> None:
    if "param" in i.modifiers:
        raise NotLowered("PTX ld.param")
    kind = kind_of(i)
    volatile = any(m in ("volatile", "relaxed", "acquire", "cv") for m in i.modifiers)
    targets = _elements(i, i.operands[0])
    pointer = machine.address(i.operands[1], kind, len(targets))
    values = [
        machine.kept(Read(Deref(pointer, Const(n, I32), kind), volatile, span=machine.here))
        for n in range(len(targets))
    ]
    for target, value in zip(targets, values, strict=True):
        machine.write(target, value)


def _store(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    volatile = any(m in ("volatile", "relaxed", "release") for m in i.modifiers)
    sources = _elements(i, i.operands[1])
    pointer = machine.address(i.operands[0], kind, len(sources))
    for number, source in enumerate(sources):
        place = Deref(pointer, Const(number, I32), kind)
        machine.emit(Assign(place, machine.value(source, kind), volatile, span=machine.here))


def _prefetch(machine: Machine, i: Instruction) -> None:
    machine.emit(
        Effect(None, "prefetch", (machine.address(i.operands[0], U8, 1),), span=machine.here)
    )


_SCOPES = {"cta": "block", "gpu": "device", "sys": "system", "cluster": "device"}
_ATOMIC_OPS: dict[str, AtomicOp] = {
    "add": "add", "exch": "exch", "min": "min", "max": "max", "inc": "inc", "dec": "dec",
    "and": "and", "or": "or", "xor": "xor", "cas": "cas",
}  # fmt: skip


def _atomic(machine: Machine, i: Instruction) -> None:
    """atom d, [p], a {, b} and red [p], a."""
    kind = kind_of(i)
    op = next((_ATOMIC_OPS[m] for m in i.modifiers if m in _ATOMIC_OPS), None)
    if op is None or any(m.startswith("v") and m[1:].isdigit() for m in i.modifiers):
        raise NotLowered(f"PTX {i.name}")
    if kind in (U64, U32) and op in ("min", "max") and "b32" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    scope = next((_SCOPES[m] for m in i.modifiers if m in _SCOPES), "device")
    operands = list(i.operands)
    target = operands.pop(0) if i.opcode == "atom" else None
    place = Deref(machine.address(operands[0], kind, 1), Const(0, I32), kind)
    values = tuple(machine.value(o, kind) for o in operands[1:])
    old = machine.new(kind) if target is not None and target != "_" else None
    machine.emit(Atomic(old, op, place, values, scope, span=machine.here))  # type: ignore[arg-type]
    if old is not None and target is not None:
        machine.write(target, Read(old))


def _async(machine: Machine, i: Instruction) -> None:
    """cp.async.{ca,cg}.shared.global [d], [s], bytes {, present}; commit_group; wait_group n."""
    here = machine.here
    if i.modifiers[:1] != ("async",):
        raise NotLowered(f"PTX {i.name}")
    if "bulk" in i.modifiers or "mbarrier" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    if "commit_group" in i.modifiers:
        machine.emit(Effect(None, "cp_async_commit", (), span=here))
        return
    if "wait_group" in i.modifiers or "wait_all" in i.modifiers:
        if "wait_all" in i.modifiers:
            machine.emit(Effect(None, "cp_async_commit", (), span=here))
        left = machine.value(i.operands[0], I32) if i.operands else Const(0, I32)
        machine.emit(Effect(None, "cp_async_wait", (left,), span=here))
        return
    target = machine.address(i.operands[0], U8, 1)
    source = machine.address(i.operands[1], U8, 1)
    count = machine.value(i.operands[2], U64)
    zeroed: Expr = Const(0, U64)
    if len(i.operands) > 3:
        zeroed = Binary("-", count, Cast(machine.value(i.operands[3], U32), U64), span=here)
    machine.emit(Effect(None, "cp_async", (target, source, count, zeroed), span=here))


# --- Threads together --------------------------------------------------------------------------


def _barrier(machine: Machine, i: Instruction) -> None:
    here = machine.here
    words = [m for m in i.modifiers if m not in ("cta", "aligned")]
    if words == ["warp", "sync"]:
        machine.emit(SyncWarp(machine.value(i.operands[0], U32), span=here))
        return
    if words and words[0] == "red":
        raise NotLowered(f"PTX {i.name}")
    name = machine.value(i.operands[0], U32) if i.operands else Const(0, U32)
    threads = machine.value(i.operands[1], U32) if len(i.operands) > 1 else Const(0, U32)
    if words in (["sync"], []) and name == Const(0, U32) and len(i.operands) <= 1:
        machine.emit(Barrier(span=here))
    elif words in (["sync"], ["arrive"]):
        machine.emit(Effect(None, f"bar_{words[0]}", (name, threads), span=here))
    else:
        raise NotLowered(f"PTX {i.name}")


def _fence(machine: Machine, i: Instruction) -> None:
    scope = {"cta": "block", "gl": "device", "gpu": "device", "sys": "system"}
    found = next((scope[m] for m in i.modifiers if m in scope), None)
    if found is None or "proxy" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    machine.emit(Fence(found, span=machine.here))  # type: ignore[arg-type]


_SHUFFLES = {"up": "up", "down": "down", "bfly": "xor", "idx": "idx"}


def _shuffle(machine: Machine, i: Instruction) -> None:
    """shfl.sync.mode.b32 d|p, a, b, c, mask: c holds the clamp and the segment mask."""
    here = machine.here
    mode = next((_SHUFFLES[m] for m in i.modifiers if m in _SHUFFLES), None)
    targets = [t.strip() for t in i.operands[0].split("|")]
    has_mask = "sync" in i.modifiers
    control = machine.value(i.operands[3], U32)
    if mode is None or len(targets) > 1 or not isinstance(control, Const):
        raise NotLowered(f"PTX {i.name}")
    segment, clamp = int(control.value) >> 8 & 31, int(control.value) & 31
    width = 32 - segment
    if width & (width - 1) or clamp != (0 if mode == "up" else 31):
        raise NotLowered(f"PTX {i.name} with this control")
    mask = machine.value(i.operands[4], U32) if has_mask else None
    value = machine.value(i.operands[1], U32)
    lane = machine.value(i.operands[2], U32 if mode in ("up", "down") else I32)
    target = machine.new(U32)
    machine.emit(
        Shuffle(target, mode, mask, value, lane, Const(width, I32), span=here)  # type: ignore[arg-type]
    )
    machine.write(targets[0], Read(target))


def _vote(machine: Machine, i: Instruction) -> None:
    mode = next((m for m in i.modifiers if m in ("any", "all", "uni", "ballot")), None)
    if mode is None:
        raise NotLowered(f"PTX {i.name}")
    operand = i.operands[1]
    negated = operand.startswith("!")
    predicate = machine.value(operand.lstrip("!"), BOOL)
    if negated:
        predicate = Unary("!", predicate)
    mask = machine.value(i.operands[2], U32) if "sync" in i.modifiers else None
    target = machine.new(U32 if mode == "ballot" else I32)
    machine.emit(Vote(target, mode, mask, predicate, span=machine.here))  # type: ignore[arg-type]
    result: Expr = Read(target)
    if mode != "ballot":
        result = Binary("!=", result, Const(0, I32))
    machine.write(i.operands[0], result)


def _match(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    targets = [t.strip() for t in i.operands[0].split("|")]
    value, mask = machine.value(i.operands[1], kind), machine.value(i.operands[2], U32)
    target = machine.new(U32)
    mode = "all" if "all" in i.modifiers else "any"
    predicate = machine.new(I32) if len(targets) > 1 else None
    machine.emit(Match(target, mode, mask, value, predicate, span=machine.here))  # type: ignore[arg-type]
    machine.write(targets[0], Read(target))
    if predicate is not None:
        machine.write(targets[1], Binary("!=", Read(predicate), Const(0, I32)))


def _active(machine: Machine, i: Instruction) -> None:
    target = machine.new(U32)
    machine.emit(Vote(target, "active", None, None, span=machine.here))
    machine.write(i.operands[0], Read(target))


def _reduce(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    op = next((m for m in i.modifiers if m in ("add", "min", "max", "and", "or", "xor")), None)
    if op is None:
        raise NotLowered(f"PTX {i.name}")
    value, mask = machine.value(i.operands[1], kind), machine.value(i.operands[2], U32)
    target = machine.new(kind)
    machine.emit(WarpReduce(target, op, mask, value, span=machine.here))  # type: ignore[arg-type]
    machine.write(i.operands[0], Read(target))


# --- Control -----------------------------------------------------------------------------------


def _exit(machine: Machine, i: Instruction) -> None:
    machine.emit(Return(None, span=machine.here))


def _trap(machine: Machine, i: Instruction) -> None:
    machine.emit(Trap(span=machine.here))


def _sleep(machine: Machine, i: Instruction) -> None:
    machine.emit(
        Effect(None, "__nanosleep", (machine.value(i.operands[0], U32),), span=machine.here)
    )


def _is_space(machine: Machine, i: Instruction) -> None:
    names = {"global": "__isGlobal", "shared": "__isShared", "local": "__isLocal",
             "const": "__isConstant"}  # fmt: skip
    name = next((names[m] for m in i.modifiers if m in names), None)
    if name is None:
        raise NotLowered(f"PTX {i.name}")
    pointer = machine.address(f"[{i.operands[1]}]", U8, 1)
    machine.write(i.operands[0], Intrinsic(name, (pointer,), BOOL, span=machine.here))


def _matrix(machine: Machine, i: Instruction) -> None:
    """mma.sync, ldmatrix: effects under their full name; results first, through pointers."""
    targets = _elements(i, i.operands[0])
    outputs = [machine.new(U32) for _ in targets]
    inputs: list[Expr] = []
    for operand in i.operands[1:]:
        if operand.startswith("["):
            inputs.append(machine.address(operand, U8, 1))
        else:
            inputs += [machine.value(o, U32) for o in _elements(i, operand)]
    pointers = tuple(machine.pointer(v) for v in outputs)
    machine.emit(Effect(None, f"ptx::{i.name}", (*pointers, *inputs), span=machine.here))
    for target, variable in zip(targets, outputs, strict=True):
        machine.write(target, Read(variable))


def _scalar(kind: Type) -> Scalar:
    assert isinstance(kind, Scalar)
    return kind


def _floats(base: str, fast: str = "") -> dict[Scalar, str]:
    return {F32: fast or f"{base}f", F64: base}


ROWS: dict[str, Handler] = {
    "mov": _move, "add": _add("+"), "sub": _add("-"), "addc": _carrying("+", with_carry=True),
    "subc": _carrying("-", with_carry=True), "mul": _multiply, "mad": _multiply_add,
    "madc": _multiply_add, "fma": _fused, "div": _binary("/"), "rem": _binary("%"),
    "neg": _unary_op("-"), "not": _not, "abs": _absolute, "min": _extremum("min"),
    "max": _extremum("max"), "and": _logic("&"), "or": _logic("|"), "xor": _logic("^"),
    "shl": _shift("<<"), "shr": _shift(">>"), "bfe": _extract, "bfi": _insert, "lop3": _logic3,
    "prmt": _permute, "shf": _funnel, "sad": _sum_of_differences, "dp4a": _dot("__dp4a"),
    "dp2a": _dot("__dp2a"), "popc": _bits({U32: "__popc", U64: "__popcll"}, I32),
    "clz": _bits({U32: "__clz", U64: "__clzll"}, I32),
    "brev": _bits({U32: "__brev", U64: "__brevll"}, None),
    "sqrt": _named(_floats("sqrt")), "rsqrt": _named(_floats("rsqrt")),
    "rcp": _named({F32: "__frcp_rn", F64: "__drcp_rn"}), "sin": _named({F32: "__sinf"}),
    "cos": _named({F32: "__cosf"}), "lg2": _named({F32: "__log2f"}),
    "ex2": _named({F32: "exp2f", F16: "hexp2"}), "tanh": _named({F32: "__tanhf", F16: "htanh"}),
    "copysign": _pure(
        lambda m, i, v, k: Intrinsic(
            "copysignf" if k == F32 else "copysign", (v[1], v[0]), k, span=m.here
        )
    ),
    "cvt": _convert, "cvta": _address, "setp": _compare, "set": _set, "selp": _select,
    "ld": _load, "ldu": _load, "st": _store, "prefetch": _prefetch, "prefetchu": _prefetch,
    "atom": _atomic, "red": _atomic, "cp": _async, "bar": _barrier, "barrier": _barrier,
    "membar": _fence, "fence": _fence, "shfl": _shuffle, "vote": _vote, "match": _match,
    "activemask": _active, "redux": _reduce, "exit": _exit, "ret": _exit, "trap": _trap,
    "nanosleep": _sleep, "isspacep": _is_space, "mma": _matrix, "ldmatrix": _matrix,
}  # fmt: skip

__all__ = ["Null", "Pointer", "operation"]
