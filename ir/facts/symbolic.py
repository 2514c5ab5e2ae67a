"""Integer expressions in a normal form: polynomials over symbols, exact over the integers.

    block.x * block_dim.x + thread.x      Poly: {(block.x, block_dim.x): 1, (thread.x,): 1}
    (thread.x / 32) * 33                  Poly over the atom Apply("/", thread.x, 32)
    index[i]                              Poly over an Unknown: data-dependent

Two index expressions that mean the same have one form, so strides and differences can be read off.
Wraparound is ignored: facts hold while no index computation overflows (every report says so).
`evaluate` computes a polynomial for many threads at once, given values for its symbols.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int64]


class Level(IntEnum):
    """Over which threads a value is the same. A greater level varies more."""

    GRID = 0
    BLOCK = 1
    LANE = 2


@dataclass(frozen=True, slots=True)
class Symbol:
    """A built-in index, a scalar parameter, or a loop counter (`loop` set)."""

    name: str
    level: Level
    loop: int | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that no formula describes: loaded from memory, merged after a branch, a float."""

    what: str
    level: Level
    number: int

    def __str__(self) -> str:
        return f"<{self.what}>"


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation that is not polynomial: / % << >> & | ^ min max, a comparison, a select."""

    op: str
    args: tuple[Poly, ...]

    @property
    def level(self) -> Level:
        """The most varying argument's level."""
        return max((arg.level for arg in self.args), default=Level.GRID)

    def __str__(self) -> str:
        if len(self.args) == 2 and not self.op[0].isalpha():
            return f"({_inside(self.args[0])} {self.op} {_inside(self.args[1])})"
        return f"{self.op}({', '.join(map(str, self.args))})"


def _inside(arg: Poly) -> str:
    return f"({arg})" if len(arg.terms) > 1 else str(arg)


def _weight(atom: Atom) -> int:
    return 1 + sum(arg.weight for arg in atom.args) if isinstance(atom, Apply) else 1


Atom = Symbol | Unknown | Apply
Monomial = tuple[Atom, ...]


@dataclass(frozen=True)
class Poly:
    """A sum of integer coefficients times products of atoms, in one canonical order."""

    terms: tuple[tuple[Monomial, int], ...] = ()
    level: Level = field(default=Level.GRID, compare=False)
    weight: int = field(default=0, compare=False)
    """How many atoms it takes to write it down."""

    @staticmethod
    def of(terms: Mapping[Monomial, int]) -> Poly:
        """The polynomial with these terms; zeros are dropped."""
        kept = sorted(((m, c) for m, c in terms.items() if c), key=lambda term: str(term[0]))
        level = max((a.level for m, _ in kept for a in m), default=Level.GRID)
        weight = sum(1 + sum(_weight(a) for a in m) for m, _ in kept)
        return Poly(tuple(kept), level, weight)

    @staticmethod
    def constant(value: int) -> Poly:
        """A number."""
        return Poly.of({(): value})

    @staticmethod
    def atom(atom: Atom) -> Poly:
        """A single symbol."""
        return Poly.of({(atom,): 1})

    @property
    def value(self) -> int | None:
        """The number that this is, or None."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    def __add__(self, other: Poly) -> Poly:
        terms = dict(self.terms)
        for monomial, coefficient in other.terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return Poly.of(terms)

    def __neg__(self) -> Poly:
        return self.scaled(-1)

    def __sub__(self, other: Poly) -> Poly:
        return self + -other

    def __mul__(self, other: Poly) -> Poly:
        terms: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in other.terms:
                monomial = tuple(sorted((*left, *right), key=str))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return Poly.of(terms)

    def scaled(self, factor: int) -> Poly:
        """Every coefficient times `factor`."""
        return Poly.of({m: c * factor for m, c in self.terms})

    def coefficient(self, name: str) -> Poly:
        """What the symbol `name` is multiplied with, where it occurs linearly."""
        terms: dict[Monomial, int] = {}
        for monomial, coefficient in self.terms:
            hits = [a for a in monomial if isinstance(a, Symbol) and a.name == name]
            if len(hits) == 1:
                rest = tuple(a for a in monomial if a is not hits[0])
                terms[rest] = terms.get(rest, 0) + coefficient
        return Poly.of(terms)

    def is_affine_in(self, names: frozenset[str]) -> bool:
        """Whether each symbol of `names` occurs only linearly and outside other operations."""
        for monomial, _ in self.terms:
            hits = 0
            for atom in monomial:
                if isinstance(atom, Symbol):
                    hits += atom.name in names
                elif any(s.name in names for s in symbols(Poly.atom(atom))):
                    return False
            if hits > 1:
                return False
        return True

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        text = ""
        # Symbols first, the constant last: it reads as an index is written.
        for monomial, coefficient in sorted(self.terms, key=lambda t: not t[0]):
            sign = "-" if coefficient < 0 else "+"
            names = "*".join(map(str, monomial))
            size = abs(coefficient)
            part = names if names and size == 1 else f"{size}*{names}" if names else str(size)
            text += part if not text and sign == "+" else f"{sign}{part}"
        return text

    @property
    def text(self) -> str:
        """As a reader sees it: without the numbers that tell calls of one function apart."""
        return re.sub(r"\b\d+:", "", str(self))


ZERO, ONE = Poly.constant(0), Poly.constant(1)


def symbols(poly: Poly) -> Iterator[Symbol]:
    """Every symbol below, in operations too."""
    for monomial, _ in poly.terms:
        for atom in monomial:
            if isinstance(atom, Symbol):
                yield atom
            elif isinstance(atom, Apply):
                for arg in atom.args:
                    yield from symbols(arg)


def unknowns(poly: Poly) -> Iterator[Unknown]:
    """Every unknown below, in operations too."""
    for monomial, _ in poly.terms:
        for atom in monomial:
            if isinstance(atom, Unknown):
                yield atom
            elif isinstance(atom, Apply):
                for arg in atom.args:
                    yield from unknowns(arg)


def substitute(poly: Poly, values: Mapping[str, Poly]) -> Poly:
    """The polynomial with values in place of the symbols of those names."""
    if not any(symbol.name in values for symbol in symbols(poly)):
        return poly
    total = ZERO
    for monomial, coefficient in poly.terms:
        product = Poly.constant(coefficient)
        for atom in monomial:
            product = product * _substituted(atom, values)
        total = total + product
    return total


def _substituted(atom: Atom, values: Mapping[str, Poly]) -> Poly:
    match atom:
        case Symbol(name) if name in values:
            return values[name]
        case Apply(op, args):
            return apply(op, *(substitute(arg, values) for arg in args))
        case _:
            return Poly.atom(atom)


def apply(op: str, *args: Poly) -> Poly:
    """`op` of the arguments: folded where they are numbers, simplified where that is exact."""
    numbers = [arg.value for arg in args]
    if all(number is not None for number in numbers):
        folded = _OPERATIONS[op](*(np.int64(n) for n in numbers if n is not None))
        return Poly.constant(int(folded))
    match op, args, numbers:
        case (("/" | "<<" | ">>" | "|" | "^"), (left, _), (_, 0)):
            return left if op != "/" else Poly.atom(Apply(op, args))
        case "/", (left, _), (_, 1):
            return left
        case "<<", (left, _), (_, int(shift)) if 0 < shift < 63:
            return left.scaled(1 << shift)
        case ">>", (left, _), (_, int(shift)) if 0 < shift < 31:
            # Indices are not negative, where a shift is a division.
            return apply("/", left, Poly.constant(1 << shift))
        case "&", (left, _), (_, int(mask)) if mask >= 0 and (mask + 1) & mask == 0:
            return apply("%", left, Poly.constant(mask + 1))
        case "/", (left, _), (_, int(divisor)) if divisor > 1 and _divisible(left, divisor):
            return Poly.of({m: c // divisor for m, c in left.terms})
        case "%", (left, _), (_, int(divisor)) if divisor > 0 and _divisible(left, divisor):
            return ZERO
        case "%", (_, _), (_, 1):
            return ZERO
        case _:
            return Poly.atom(Apply(op, args))


def _divisible(poly: Poly, divisor: int) -> bool:
    return all(c % divisor == 0 for _, c in poly.terms)


def _divide(a: Any, b: Any) -> Any:
    divisor = np.where(b == 0, 1, b)
    return np.where(b == 0, 0, (np.abs(a) // np.abs(divisor)) * np.sign(a) * np.sign(divisor))


def _remainder(a: Any, b: Any) -> Any:
    return a - _divide(a, b) * b


def _shift_left(a: Any, b: Any) -> Any:
    return a << np.clip(b, 0, 62)


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "/": _divide,
    "%": _remainder,
    "<<": _shift_left,
    ">>": lambda a, b: a >> np.clip(b, 0, 62),
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "min": np.minimum,
    "max": np.maximum,
    "~": lambda a: ~a,
    "!": lambda a: np.asarray(a == 0).astype(np.int64),
    "==": lambda a, b: np.asarray(a == b).astype(np.int64),
    "!=": lambda a, b: np.asarray(a != b).astype(np.int64),
    "<": lambda a, b: np.asarray(a < b).astype(np.int64),
    "<=": lambda a, b: np.asarray(a <= b).astype(np.int64),
    ">": lambda a, b: np.asarray(a > b).astype(np.int64),
    ">=": lambda a, b: np.asarray(a >= b).astype(np.int64),
    "&&": lambda a, b: np.asarray((a != 0) & (b != 0)).astype(np.int64),
    "||": lambda a, b: np.asarray((a != 0) | (b != 0)).astype(np.int64),
    "select": lambda c, a, b: np.where(c != 0, a, b),
}
OPERATIONS = frozenset(_OPERATIONS)


UNIFORM = "?uniform"
"""The key under which `evaluate` finds a stand-in for unknowns that all lanes share."""


class NotEvaluable(Exception):
    """A polynomial depends on an unknown value."""


def evaluate(poly: Poly, values: Mapping[str, Any]) -> Values:
    """The polynomial for each thread: `values` gives a number or an array for every symbol.

    Raises NotEvaluable where an unknown, or a symbol without a value, takes part.
    """
    total: Any = np.int64(0)
    for monomial, coefficient in poly.terms:
        product: Any = np.int64(coefficient)
        for atom in monomial:
            product = product * _atom_value(atom, values)
        total = total + product
    return np.asarray(total, dtype=np.int64)


def _atom_value(atom: Atom, values: Mapping[str, Any]) -> Any:
    match atom:
        case Symbol(name) if name in values:
            return values[name]
        case Unknown(_, level) if level < Level.LANE and UNIFORM in values:
            return values[UNIFORM]
        case Apply(op, args):
            return _OPERATIONS[op](*(evaluate(arg, values) for arg in args))
        case _:
            raise NotEvaluable(str(atom))
