"""What a variable of the file holds at the start: constants, computed as a compiler does.

    {4.f / 9, -PI, 2 * N}    ->    {0.44444445f, -3.1415927f, 32}

Each operation rounds to its own type, so that the numbers are those of the compiled program.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from crossport.frontend.lowering.context import convert_constant, wrap
from crossport.ir.nodes import (
    COMPARISONS,
    Aggregate,
    Binary,
    Bitcast,
    Cast,
    Const,
    Expr,
    FunctionRef,
    Read,
    Select,
    Unary,
    Var,
)
from crossport.ir.passes.fold_constants import integer
from crossport.ir.types import BOOL, Scalar

Lookup = Callable[[str], Expr | None]

_FLOATS: dict[str, type[np.floating[Any]]] = {"f32": np.float32, "f64": np.float64}


def fold_initial(value: Expr, lookup: Lookup) -> Expr:
    """The value with all that is constant in it computed; what is not stays as it is.

    lookup: the initial value of another variable that cannot change, by name; None for others.
    """
    match value:
        case Aggregate(values):
            return replace(value, values=tuple(fold_initial(v, lookup) for v in values))
        case Read(Var(name)):
            return lookup(name) or value
        case Cast(inner, Scalar() as kind):
            operand = fold_initial(inner, lookup)
            return (_converted(operand, kind) if isinstance(operand, Const) else None) or value
        case Unary(op, inner):
            operand = fold_initial(inner, lookup)
            return (_unary(op, operand) if isinstance(operand, Const) else None) or value
        case Binary(op, left, right):
            a, b = fold_initial(left, lookup), fold_initial(right, lookup)
            if isinstance(a, Const) and isinstance(b, Const):
                return _binary(op, a, b) or value
            return value
        case Select(condition, then, otherwise):
            decided = fold_initial(condition, lookup)
            if isinstance(decided, Const):
                return fold_initial(then if decided.value else otherwise, lookup)
            return value
        case _:
            return value


def is_constant(value: Expr) -> bool:
    """Made of numbers and functions only."""
    match value:
        case Const() | FunctionRef():
            return True
        case Bitcast(Const()) | Cast(Const()) | Cast(FunctionRef()):
            return True
        case Aggregate(values):
            return all(is_constant(v) for v in values)
        case _:
            return False


def _converted(value: Const, kind: Scalar) -> Const | None:
    number = value.value
    if kind.is_integer and isinstance(number, float):
        bits = kind.size * 8 - kind.is_signed
        low = -(1 << bits) if kind.is_signed else 0
        if math.isfinite(number) and low <= math.trunc(number) < 1 << bits:
            return Const(math.trunc(number), kind, span=value.span)
        return None
    return convert_constant(value, kind)


def _unary(op: str, value: Const) -> Expr | None:
    kind, number = value.type, value.value
    if op == "!":
        return Const(not number, BOOL, span=value.span)
    if kind.is_integer and op in ("-", "~"):
        whole = int(number)
        return Const(wrap(-whole if op == "-" else ~whole, kind), kind, span=value.span)
    return _spelled(-float(number), kind, value) if op == "-" else None


def _binary(op: str, a: Const, b: Const) -> Expr | None:
    kind, one, two = a.type, a.value, b.value
    if op in ("&&", "||"):
        both = bool(one) and bool(two)
        return Const(both if op == "&&" else bool(one) or bool(two), BOOL, span=a.span)
    if op in COMPARISONS:
        outcomes = {
            "==": one == two, "!=": one != two, "<": one < two, "<=": one <= two,
            ">": one > two, ">=": one >= two,
        }  # fmt: skip
        return Const(outcomes[op], BOOL, span=a.span)
    if kind.is_integer:
        whole = integer(op, int(one), int(two), kind)
        return None if whole is None else Const(whole, kind, span=a.span)
    made = _FLOATS.get(kind.kind)
    if made is None or op not in ("+", "-", "*", "/"):
        return None
    x, y = made(one), made(two)
    with np.errstate(all="ignore"):
        result = x + y if op == "+" else x - y if op == "-" else x * y if op == "*" else x / y
    return _spelled(float(result), kind, a)


def _spelled(number: float, kind: Scalar, at: Const) -> Expr | None:
    """A float as the IR writes it: no constant spells NaN and -0.0, but the cast of their bits."""
    if not math.isnan(number) and (number != 0 or math.copysign(1, number) > 0):
        return Const(number, kind, span=at.span)
    made = _FLOATS.get(kind.kind)
    if made is None:
        return None
    word = Scalar("u32" if kind.size == 4 else "u64")
    bits = int.from_bytes(made(number).tobytes(), "little")
    return Bitcast(Const(bits, word), kind, span=at.span)
