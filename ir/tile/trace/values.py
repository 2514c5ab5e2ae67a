"""What a trace knows of values, and what it finds.

Integers are polynomials (polynomial.py). Inside the loop a float is an element of an array, a
product of two, or a running total; behind it an expression of totals.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import (
    Expr,
    Var,
)
from crossport.ir.tile.polynomial import Lanes, Poly
from crossport.ir.types import F32, Scalar

ROUND = "round"


class NotTraced(Exception):
    """The kernel is not of this kind; the reason."""


@dataclass(frozen=True)
class Condition:
    """`poly < 0` or `poly == 0`."""

    poly: Poly
    is_equal: bool = False

    def same(self, other: Condition) -> bool:
        """Is it the same condition?"""
        return self.is_equal == other.is_equal and self.poly.same(other.poly)


Conditions = tuple[Condition, ...]

SOURCE = Var("@source", F32)

NOWHERE = flat.Root("@nowhere", "global", F32)


@dataclass(frozen=True)
class Element:
    """What one load statement reads, thread by thread; 0 in threads where a condition fails.

    `value`: what is made of it, in terms of `SOURCE`.
    """

    load: flat.Load
    index: Poly
    conditions: Conditions
    value: Expr


@dataclass(frozen=True)
class Elements:
    """A float of each thread: `codes` is threads * (number of the element) + thread."""

    codes: Lanes


@dataclass(frozen=True)
class Pair:
    """A product of two."""

    left: Elements
    right: Elements


@dataclass(frozen=True)
class Total:
    """What a variable held at the start of the round, and what was added to it since."""

    name: str
    added: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Formula:
    """A float expression of totals, loads, parameters and constants."""

    expr: Expr


@dataclass(frozen=True)
class Store:
    """A store behind the loop."""

    ref: flat.Ref
    index: Poly
    value: Expr
    conditions: Conditions


Value = Poly | Conditions | Elements | Pair | Total | Formula | None


@dataclass
class Trace:
    """What was found."""

    threads: int
    elements: list[Element] = field(default_factory=list)
    totals: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    rounds: Expr | None = None
    """How often the loop runs, in the launch's numbers."""
    around: Conditions = ()
    """What must hold for a thread to take part in the loop."""
    loads: dict[str, tuple[flat.Load, Poly, Conditions]] = field(default_factory=dict)
    """Loads behind the loop, by the variable."""
    stores: list[Store] = field(default_factory=list)
    symbols: dict[str, Expr] = field(default_factory=dict)
    wide: bool = False
    """Are indices formed in more than 32 bits?"""


def is_integer(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_integer


def is_float(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_float


def is_natural(symbol: str) -> bool:
    """Is the unknown never negative?"""
    return symbol == ROUND or symbol.startswith(("block.", "grid_dim."))


def expression(poly: Poly, symbols: dict[str, Expr], kind: Scalar, threads: int) -> Expr:
    """A polynomial that all threads share as an expression."""
    del threads
    total: Expr = fold.constant(0, kind)
    for monomial, coefficients in sorted(poly.terms.items()):
        if (coefficients != coefficients[0]).any():
            raise NotTraced("a number that differs between threads")
        term: Expr = fold.constant(int(coefficients[0]), kind)
        for symbol in monomial:
            term = fold.binary("*", fold.cast(symbols[symbol], kind), term)
        total = fold.binary("+", total, term)
    return total
