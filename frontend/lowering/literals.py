"""Literals, and constants of a type: `1.5f`, `nullptr`, `sizeof(T)`, zero of anything."""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor
from crossport.frontend.lowering.context import Lowering, convert_constant, wrap
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import (
    Bitcast,
    Cast,
    Const,
    Expr,
    Null,
)
from crossport.ir.types import (
    BOOL,
    F64,
    I32,
    U64,
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    Type,
)

# What `ctx.value` gives for an expression of type void: its statements are out already.
NOTHING = Const(0, I32)


def literal(ctx: Lowering, cursor: Cursor) -> Expr:
    number = clang.evaluate(cursor)
    if number is None:
        raise NotLowered("literal")
    return constant(ctx, number, ctx.type(cursor))


def constant(ctx: Lowering, number: int | float, kind: Type) -> Expr:
    """A number as an IR constant of a type."""
    if isinstance(kind, Pointer):
        if number == 0:
            return Null(kind, span=ctx.here)
        return Cast(Const(int(number) & (2**64 - 1), U64), kind, span=ctx.here)
    if not isinstance(kind, Scalar):
        raise NotLowered(f"constant of type {kind}")
    if kind == BOOL:
        return Const(bool(number), BOOL, span=ctx.here)
    if kind.is_integer:
        return Const(wrap(int(number), kind), kind, span=ctx.here)
    return float_constant(ctx, float(number), kind)


def float_constant(ctx: Lowering, number: float, kind: Scalar) -> Expr:
    """A float; NaN and -0.0 are spelled by their bits."""
    import struct

    if number != number or (number == 0 and str(number).startswith("-")):
        if kind.kind == "f64":
            bits = struct.unpack("<Q", struct.pack("<d", number))[0]
            return Bitcast(Const(bits, U64), kind, span=ctx.here)
        bits = struct.unpack("<I", struct.pack("<f", number))[0]
        from crossport.ir.types import F32, U32

        return ctx.convert(Bitcast(Const(bits, U32), F32, span=ctx.here), kind)
    exact = Const(number, F64, span=ctx.here)
    if kind.kind == "f64":
        return exact
    if number in (float("inf"), float("-inf")):
        return Const(number, kind, span=ctx.here)
    return convert_constant(exact, kind) or Cast(exact, kind, span=ctx.here)


def null(ctx: Lowering, cursor: Cursor) -> Expr:
    kind = ctx.type(cursor)
    if isinstance(kind, Pointer):
        return Null(kind, span=ctx.here)
    return constant(ctx, 0, kind)  # __null has an integer type


def sizeof(ctx: Lowering, cursor: Cursor) -> Expr:
    number = clang.evaluate(cursor)
    if number is None:
        raise NotLowered("sizeof")
    return constant(ctx, number, ctx.type(cursor))


def string(ctx: Lowering, cursor: Cursor) -> Expr:
    return ctx.module.string(ctx, cursor)


def zero(ctx: Lowering, kind: Type) -> Expr:
    """The value that `T()` or a missing initialiser stands for."""
    from crossport.ir.nodes import Aggregate

    match kind:
        case Scalar():
            if kind.is_float:
                return Const(0.0, kind, span=ctx.here)
            return Const(False if kind == BOOL else 0, kind, span=ctx.here)
        case Pointer():
            return Null(kind, span=ctx.here)
        case Struct() | Array():
            return Aggregate((), kind, span=ctx.here)
        case Handle():
            return Cast(Const(0, U64), kind, span=ctx.here)
        case _:
            return NOTHING
