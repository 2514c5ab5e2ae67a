"""`=`, `+=` and its kin, `++` and `--`: statements here, values in C++.

x = y = 0            y = 0; x = 0
c += 100             c = (u8)((i32)c + 100)           (c unsigned char)
a[i++] = b           _t1 = i; i = i + 1; a[_t1] = b
"""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import BitField, FragmentElement, Lowering, Lvalue
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.places import is_volatile
from crossport.ir.nodes import (
    Binary,
    BinaryOp,
    Cast,
    Const,
    Deref,
    Element,
    Expr,
    Member,
    Place,
    PointerAdd,
    Read,
    Unary,
    Var,
    walk,
)
from crossport.ir.types import BOOL, I32, I64, Pointer, Scalar, Type

_OPERATORS: dict[str, BinaryOp] = {
    "+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "<<": "<<", ">>": ">>",
    "&": "&", "|": "|", "^": "^",
}  # fmt: skip


def assign(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """Emit an assignment, plain or compound; the result is its left side."""
    operator = clang.binary_operator(cursor)
    left, right = cursors.operands(cursor)
    if operator == "=":
        value = ctx.value(right)
        value, target = ctx.then_place(value, left)
        ctx.here = cursors.span(cursor)
        ctx.store(target, value, volatile=is_volatile(left))
        return target
    value = ctx.value(right)
    value, target = ctx.then_place(value, left)
    ctx.here = cursors.span(cursor)
    target = once(ctx, target)
    old = ctx.load(target, volatile=is_volatile(left))
    result = combine(ctx, operator.removesuffix("="), old, value)
    ctx.here = cursors.span(cursor)
    ctx.store(target, result, volatile=is_volatile(left))
    return target


def combine(ctx: Lowering, operator: str, old: Expr, value: Expr) -> Expr:
    """`old op value` computed in the type that C++ computes it in, not converted back yet."""
    op = _OPERATORS.get(operator)
    if op is None:
        raise NotLowered(f"operator {operator}=")
    kind = old.type
    if isinstance(kind, Pointer):
        step = value if op == "+" else negate(ctx, value)
        return PointerAdd(old, step, span=ctx.here)
    if op in ("<<", ">>"):
        return Binary(op, ctx.convert(old, promoted(kind)), value, span=ctx.here)
    # The right side was converted to the computation's type already; the left side was not.
    target = common(kind, value.type)
    return Binary(op, ctx.convert(old, target), ctx.convert(value, target), span=ctx.here)


def increment(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """`++x` or `--x`, emitted; the result is x."""
    operand = cursors.operands(cursor)[0]
    target = once(ctx, ctx.place(operand))
    ctx.here = cursors.span(cursor)
    volatile = is_volatile(operand)
    step = "+" if "+" in clang.unary_operator(cursor) else "-"
    ctx.store(target, stepped(ctx, ctx.load(target, volatile=volatile), step), volatile=volatile)
    return target


def post_increment(ctx: Lowering, cursor: Cursor) -> Expr:
    """`x++` or `x--`, emitted; the result is the old value."""
    operand = cursors.operands(cursor)[0]
    target = once(ctx, ctx.place(operand))
    ctx.here = cursors.span(cursor)
    volatile = is_volatile(operand)
    old = ctx.temp(ctx.load(target, volatile=volatile))
    step = "+" if "+" in clang.unary_operator(cursor) else "-"
    ctx.store(target, stepped(ctx, old, step), volatile=volatile)
    return old


def stepped(ctx: Lowering, old: Expr, step: str) -> Expr:
    """`old + 1` or `old - 1` in the type that C++ computes it in."""
    kind = old.type
    if isinstance(kind, Pointer):
        return PointerAdd(old, Const(1 if step == "+" else -1, I32), span=ctx.here)
    if not isinstance(kind, Scalar):
        raise NotLowered(f"{step}{step} on {kind}")
    wide = promoted(kind)
    assert isinstance(wide, Scalar)
    one = Const(1.0 if wide.is_float else 1, wide)
    op: BinaryOp = "+" if step == "+" else "-"
    return Binary(op, ctx.convert(old, wide), one, span=ctx.here)


def once(ctx: Lowering, target: Lvalue) -> Lvalue:
    """The place with its indices saved where evaluating them twice would cost or differ."""
    match target:
        case BitField(unit, bits):
            return BitField(_once_place(ctx, unit), bits)
        case FragmentElement():
            return FragmentElement(
                ctx.stable(target.fragment), ctx.stable(target.index), target.type
            )
        case _:
            return _once_place(ctx, target)


def _once_place(ctx: Lowering, place: Place) -> Place:
    match place:
        case Var():
            return place
        case Element(base, index, kind):
            return Element(_once_place(ctx, base), _once(ctx, index), kind, span=place.span)
        case Member(base, name, kind):
            return Member(_once_place(ctx, base), name, kind, span=place.span)
        case Deref(pointer, index, kind):
            return Deref(_once(ctx, pointer), _once(ctx, index), kind, span=place.span)


def _once(ctx: Lowering, value: Expr) -> Expr:
    """Pure arithmetic on variables may be repeated; a read of memory may not."""
    for node in walk(value):
        if isinstance(node, Read) and not isinstance(node.place, Var):
            return ctx.temp(value)
    return value


def promoted(kind: Type) -> Type:
    """C's integer promotion."""
    if isinstance(kind, Scalar) and (kind == BOOL or (kind.is_integer and kind.size < 4)):
        return I32
    return kind


_RANK = ("i32", "u32", "i64", "u64", "f16", "bf16", "f32", "f64")


def common(one: Type, other: Type) -> Type:
    """C's usual arithmetic conversions."""
    one, other = promoted(one), promoted(other)
    if not isinstance(one, Scalar) or not isinstance(other, Scalar):
        return one
    return max(one, other, key=lambda kind: _RANK.index(kind.kind))


def negate(ctx: Lowering, value: Expr) -> Expr:
    """`-value` for an index, wide enough that an unsigned one does not wrap."""
    if isinstance(value, Const) and isinstance(value.value, int):
        return Const(-value.value, I64 if value.value < -(1 << 31) else I32, span=value.span)
    kind = value.type
    if isinstance(kind, Scalar) and (not kind.is_signed or kind.size < 4):
        value = Cast(value, I64, span=value.span)
    return Unary("-", value, span=ctx.here)
