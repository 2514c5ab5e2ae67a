"""Operators on concrete numbers, a lane each, with C's types."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crossport.ir.nodes import COMPARISONS
from crossport.ir.tile.exchange.values import OWN, Concrete
from crossport.ir.types import BOOL, F32, F64, Scalar


def wrapped(value: Concrete, kind: object) -> Concrete:
    """Integers as their type holds them."""
    if not isinstance(kind, Scalar) or kind.is_float or kind == BOOL:
        return value
    bits = 8 * kind.size
    if bits >= 64:
        return value
    value = value & ((1 << bits) - 1)
    if kind.is_signed:
        value = np.where(value >> (bits - 1) != 0, value - (1 << bits), value)
    return value


def converted(value: Concrete, source: Scalar, kind: Scalar) -> object:
    """The numbers as another type; OWN where they are not worth knowing."""
    if kind == BOOL:
        return value != 0
    if kind.is_float:
        if kind in (F32, F64):
            return value.astype(np.float32 if kind == F32 else np.float64).astype(np.float64)
        return OWN
    if source.is_float:
        return OWN
    return wrapped(value.astype(np.int64), kind)


def computed(op: str, a: Concrete, b: Concrete, kind: object, result: object) -> Concrete | None:
    """The operator on concrete numbers; None where it is not worth knowing."""
    assert isinstance(kind, Scalar)
    if op in COMPARISONS:
        return {
            "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal,
            ">": np.greater, ">=": np.greater_equal,
        }[op](a, b)  # fmt: skip
    if op in ("&&", "||"):
        return np.logical_and(a, b) if op == "&&" else np.logical_or(a, b)
    if kind.is_float:
        return None
    if op in ("/", "%"):
        if (np.asarray(b) == 0).any():
            return None
        quotient = np.abs(a) // np.abs(b) * np.where((a < 0) == (b < 0), 1, -1)
        return wrapped(quotient if op == "/" else a - quotient * b, result)
    if op in ("<<", ">>"):
        if (np.asarray(b) < 0).any() or (np.asarray(b) > 31).any():
            return None
        return wrapped(np.left_shift(a, b) if op == "<<" else np.right_shift(a, b), result)
    simple: dict[str, Callable[[Concrete, Concrete], Concrete]] = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "&": np.bitwise_and,
        "|": np.bitwise_or, "^": np.bitwise_xor, "min": np.minimum, "max": np.maximum,
    }  # fmt: skip
    return wrapped(simple[op](a, b), result) if op in simple else None
