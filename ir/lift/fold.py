"""Build scalar expressions, folding what is constant as the hardware would compute it.

    binary("+", i, 0)         ->    i
    cast(5u, I64)             ->    5
    binary("<<", 1, 4)        ->    16

Integers wrap at their width; division by zero is never folded.
"""

from __future__ import annotations

import math

from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    BinaryOp,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Select,
    Unary,
)
from crossport.ir.types import BOOL, I64, Scalar, Type


def wrap(value: int, type: Scalar) -> int:
    """The integer as its type holds it."""
    bits = 8 * type.size
    value &= (1 << bits) - 1
    if type.is_signed and value >> (bits - 1):
        value -= 1 << bits
    return value


def constant(value: int | float | bool, type: Scalar) -> Const:
    """A constant of that type, wrapped or rounded to it where the type is an integer."""
    if type == BOOL:
        return Const(bool(value), type)
    if type.is_integer:
        return Const(wrap(int(value), type), type)
    return Const(float(value), type)


def as_int(expr: Expr) -> int | None:
    """The value of an integer constant."""
    if isinstance(expr, Const) and isinstance(expr.value, int) and not expr.type.is_float:
        return int(expr.value)
    return None


def i64(value: int) -> Const:
    """A 64-bit integer constant."""
    return Const(value, I64)


TRUE = Const(True, BOOL)
FALSE = Const(False, BOOL)


def cast(value: Expr, type: Type) -> Expr:
    """`(type) value`; integer constants are converted now."""
    if value.type == type:
        return value
    number = as_int(value)
    if number is not None and isinstance(type, Scalar):
        if type == BOOL:
            return Const(number != 0, BOOL)
        if type.is_integer:
            return Const(wrap(number, type), type)
        if type.kind in ("f32", "f64") and abs(number) <= 1 << 24:
            return Const(float(number), type)
    if isinstance(value, Const) and value.type.is_float and isinstance(type, Scalar):
        if type.kind == "f64" and value.type.kind == "f32":
            return Const(_to_f32(float(value.value)), type)
        if type.kind == "f32" and value.type.kind == "f64":
            rounded = _to_f32(float(value.value))
            if math.isfinite(rounded) and not (rounded == 0 and math.copysign(1, rounded) < 0):
                return Const(rounded, type)
    return Cast(value, type, span=value.span)


def _to_f32(value: float) -> float:
    import struct

    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def negate(value: Expr) -> Expr:
    """`!value` for a bool, without double negation."""
    if isinstance(value, Const):
        return Const(not value.value, BOOL)
    if isinstance(value, Unary) and value.op == "!":
        return value.value
    return Unary("!", value, span=value.span)


def conjunction(lhs: Expr | None, rhs: Expr | None) -> Expr | None:
    """`lhs && rhs`, where None is "true"."""
    if lhs is None or lhs == TRUE:
        return rhs
    if rhs is None or rhs == TRUE:
        return lhs
    return binary("&&", lhs, rhs)


def binary(op: BinaryOp, lhs: Expr, rhs: Expr) -> Expr:
    """`lhs op rhs`, both of one type (shifts: each its own)."""
    a, b = as_int(lhs), as_int(rhs)
    kind = lhs.type
    if op in ("&&", "||"):
        short = op == "||"
        for this, other in ((lhs, rhs), (rhs, lhs)):
            if isinstance(this, Const):
                return Const(short, BOOL) if bool(this.value) == short else other
        return Binary(op, lhs, rhs)
    if a is not None and b is not None and isinstance(kind, Scalar):
        folded = _fold_ints(op, a, b, kind)
        if folded is not None:
            return folded
    if isinstance(kind, Scalar) and kind.is_integer:
        if b == 0 and op in ("+", "-", "|", "^", "<<", ">>"):
            return lhs
        if a == 0 and op in ("+", "|", "^"):
            return rhs
        if b == 1 and op in ("*", "/"):
            return lhs
        if a == 1 and op == "*":
            return rhs
        if (a == 0 or b == 0) and op in ("*", "&"):
            return constant(0, kind)
        if b == 1 and op == "%":
            return constant(0, kind)
        if op == "+" and b is not None and isinstance(lhs, Binary) and lhs.op == "+":
            inner = as_int(lhs.rhs)
            if inner is not None:
                return binary("+", lhs.lhs, constant(inner + b, kind))
    return Binary(op, lhs, rhs)


def _fold_ints(op: BinaryOp, a: int, b: int, kind: Scalar) -> Const | None:
    if op in COMPARISONS:
        holds = {
            "==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b,
        }[op]  # fmt: skip
        return Const(holds, BOOL)
    if kind == BOOL:
        values = {"&": a & b, "|": a | b, "^": a ^ b}
        return Const(bool(values[op]), BOOL) if op in values else None
    bits = 8 * kind.size
    if op in ("/", "%"):
        if b == 0:
            return None
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return constant(quotient if op == "/" else a - quotient * b, kind)
    if op in ("<<", ">>"):
        if b < 0:
            return None
        amount = min(b, bits)
        return constant(a << amount if op == "<<" else a >> amount, kind)
    value = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[op]
    return constant(value, kind)


def unary(op: str, value: Expr) -> Expr:
    """`-x`, `~x`, `!x`."""
    if op == "!":
        return negate(value)
    number = as_int(value)
    if number is not None and isinstance(value.type, Scalar) and value.type.is_integer:
        return constant(-number if op == "-" else ~number, value.type)
    if op == "-" and isinstance(value, Const) and value.type.is_float and value.value != 0:
        return Const(-value.value, value.type)
    return Unary("-" if op == "-" else "~", value, span=value.span)


def select(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """`condition ? then : otherwise` of values that are both at hand."""
    if isinstance(condition, Const):
        return then if condition.value else otherwise
    if then == otherwise:
        return then
    return Select(condition, then, otherwise)


def intrinsic(name: str, args: tuple[Expr, ...], type: Type) -> Expr:
    """A pure function; integer min and max fold."""
    numbers = [as_int(a) for a in args]
    if name in ("min", "max") and isinstance(type, Scalar) and type.is_integer:
        known = [n for n in numbers if n is not None]
        if len(known) == 2:
            return constant(min(known) if name == "min" else max(known), type)
    return Intrinsic(name, args, type)
