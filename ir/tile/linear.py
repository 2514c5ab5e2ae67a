"""Integers as sums of values with constant weights, and the ranges that they lie in.

    (k as i64) * 4 + 3    ->    4 [k] + 3, from 3 to 255 where k is below 64

Signed arithmetic is exact, for a source whose sums overflow has no meaning to keep; unsigned
arithmetic and narrowing conversions are looked through where the range shows that nothing wraps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossport.ir.lift import fold
from crossport.ir.nodes import Binary, Cast, Const, Expr, Special
from crossport.ir.types import I32, Scalar

Range = tuple[int, int]
Ranges = Mapping[Expr, Range]
"""The least and the greatest value of expressions where that is known."""


@dataclass(frozen=True)
class Linear:
    """`number` and the sum of `weight * value` over the terms."""

    number: int
    terms: dict[Expr, int]

    def plus(self, other: Linear, times: int = 1) -> Linear:
        """This and `times` the other."""
        terms = dict(self.terms)
        for value, weight in other.terms.items():
            terms[value] = terms.get(value, 0) + times * weight
        kept = {v: w for v, w in terms.items() if w}
        return Linear(self.number + times * other.number, kept)

    def range(self, ranges: Ranges) -> Range | None:
        """From where to where it goes, if that is known."""
        low = high = self.number
        for value, weight in self.terms.items():
            known = ranges.get(value)
            if known is None:
                return None
            ends = sorted((weight * known[0], weight * known[1]))
            low, high = low + ends[0], high + ends[1]
        return low, high

    def divided(self, divisor: int) -> tuple[Linear, Linear]:
        """What is a multiple of the divisor, divided, and the rest."""
        whole = {v: w // divisor for v, w in self.terms.items() if w % divisor == 0}
        rest = {v: w for v, w in self.terms.items() if w % divisor}
        return Linear(self.number // divisor, whole), Linear(self.number % divisor, rest)

    def expression(self, kind: Scalar = I32) -> Expr:
        """The sum in a type that holds it."""
        total: Expr | None = None
        for value, weight in self.terms.items():
            factor = fold.constant(weight, kind)
            term = fold.binary("*", fold.cast(value, kind), factor)
            total = term if total is None else fold.binary("+", total, term)
        number = fold.constant(self.number, kind)
        return number if total is None else fold.binary("+", total, number)


def linear(expr: Expr, ranges: Ranges) -> Linear:
    """The expression as a sum; what is none is a term of its own."""
    kind = expr.type
    found: Linear | None = None
    match expr:
        case Const(value) if isinstance(value, int):
            return Linear(int(value), {})
        case Cast(Special() as special, _):
            return Linear(0, {special: 1})
        case Cast(value, _) if isinstance(value.type, Scalar) and value.type.is_integer:
            found = linear(value, ranges)
            assert isinstance(kind, Scalar)
            if kind.is_signed and kind.size > value.type.size:
                return found
            return found if _fits(found, kind, ranges) else Linear(0, {expr: 1})
        case Binary("+", lhs, rhs):
            found = linear(lhs, ranges).plus(linear(rhs, ranges))
        case Binary("-", lhs, rhs):
            found = linear(lhs, ranges).plus(linear(rhs, ranges), -1)
        case Binary("*", lhs, rhs):
            a, b = linear(lhs, ranges), linear(rhs, ranges)
            for one, other in ((a, b), (b, a)):
                if not one.terms:
                    found = Linear(0, {}).plus(other, one.number)
        case Binary("<<", lhs, Const(by)) if 0 <= int(by) < 31:
            found = Linear(0, {}).plus(linear(lhs, ranges), 1 << int(by))
    if found is None or not isinstance(kind, Scalar) or not kind.is_integer:
        return Linear(0, {expr: 1})
    return found if kind.is_signed or _fits(found, kind, ranges) else Linear(0, {expr: 1})


def _fits(value: Linear, kind: Scalar, ranges: Ranges) -> bool:
    """Does the type hold every value that the sum may have?"""
    known = value.range(ranges)
    if known is None:
        return False
    bits = 8 * kind.size
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if kind.is_signed else (0, 1 << bits)
    return low <= known[0] and known[1] < high
