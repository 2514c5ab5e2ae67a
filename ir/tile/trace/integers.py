"""Numbers of all threads at once: places, bounds and conditions."""

from __future__ import annotations

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Read,
    Special,
    Unary,
    Var,
)
from crossport.ir.tile.polynomial import Lanes, Poly
from crossport.ir.tile.trace.values import (
    ROUND,
    Condition,
    Conditions,
    Formula,
    NotTraced,
    Trace,
    Value,
    expression,
    is_integer,
    is_natural,
)
from crossport.ir.types import I32, I64, Scalar

MOST_CELLS = 1 << 15


class Integers:
    """What every layer shares, and integers."""

    def __init__(self, program: flat.Program, shape: tuple[int, int, int]) -> None:
        x, y, z = shape
        self.threads = x * y * z
        number = np.arange(self.threads)
        self.found = Trace(self.threads)
        self.env: dict[str, Value] = {}
        self.specials = {
            "thread.x": number % x, "thread.y": number // x % y, "thread.z": number // (x * y),
            "block_dim.x": number * 0 + x, "block_dim.y": number * 0 + y,
            "block_dim.z": number * 0 + z,
        }  # fmt: skip
        self.active = np.ones(self.threads, bool)
        self.path: Conditions = ()
        self.phase = 0
        self.steps = 0
        self.in_loop = False
        self.masks: dict[tuple[int, ...], int] = {}
        self.quotients: dict[str, str] = {}
        cells = {r.name: r.size // max(r.element.size, 1) for r in program.shared}
        if sum(cells.values()) > MOST_CELLS or any(not r.size for r in program.shared):
            raise NotTraced("its shared memory is large or of unknown size")
        if program.locals:
            raise NotTraced("it keeps data in large local arrays")
        self.memory = {name: np.full(count, -1) for name, count in cells.items()}
        self.writer = {name: np.full((count, 2), -1) for name, count in cells.items()}
        self.reader = {name: np.full((count, 2), -1) for name, count in cells.items()}
        for parameter in program.parameters:
            for _, var in parameter.scalars:
                if var.type in (I32, I64) or var.type == Scalar("u32"):
                    self.env[var.name] = self.unknown(var.name, Read(var))
                elif isinstance(var.type, Scalar) and var.type.is_float:
                    self.env[var.name] = Formula(Read(var))

    def unknown(self, name: str, expr: Expr) -> Poly:
        self.found.symbols[name] = expr
        return Poly.unknown(name, self.threads)

    def integer(self, expr: Expr) -> Poly:
        kind = expr.type
        assert isinstance(kind, Scalar)
        if kind.size < 4 or kind.is_float:
            raise NotTraced("an index of another type")
        match expr:
            case Const(value):
                return Poly.of(np.full(self.threads, int(value)))
            case Special(name) if name in self.specials:
                return Poly.of(self.specials[name])
            case Special(name) if name.startswith(("block.", "grid_dim.")):
                return self.unknown(name, Cast(expr, I64))
            case Read(Var(name)) if isinstance(self.env.get(name), Poly):
                self.found.wide |= kind.size > 4
                return self.env[name]  # type: ignore[return-value]
            case Cast(value, _):
                inner = self.integer(value)
                if kind.size > 4 and not (isinstance(value, Special) or value.type == kind):
                    self.found.wide |= not self.formed_narrow(value)
                return inner
            case Binary("+", lhs, rhs):
                return self.integer(lhs) + self.integer(rhs)
            case Binary("-", lhs, rhs):
                return self.integer(lhs) - self.integer(rhs)
            case Binary("*", lhs, rhs):
                return self.integer(lhs) * self.integer(rhs)
            case Binary("<<", lhs, Const(by)) if 0 <= int(by) < 31:
                return self.integer(lhs) * Poly.of(np.full(self.threads, 1 << int(by)))
            case Binary("/" | ">>" | "%" | "&" as op, lhs, Const(number)):
                return self.divided(op, lhs, int(number), expr)
            case Binary(op, lhs, rhs):
                a, b = (self.integer(v).values(self.threads) for v in (lhs, rhs))
                if a is not None and b is not None and op in _BITWISE:
                    return Poly.of(_BITWISE[op](a, b))
        raise NotTraced("an index that is no polynomial")

    def formed_narrow(self, value: Expr) -> bool:
        return isinstance(value.type, Scalar) and value.type == I32

    def divided(self, op: str, lhs: Expr, number: int, expr: Expr) -> Poly:
        value = self.integer(lhs)
        known = value.values(self.threads)
        if known is not None and (known >= 0).all() and number >= 0:
            results: dict[str, Lanes] = {
                "/": known // max(number, 1), ">>": known >> min(number, 63),
                "%": known % max(number, 1), "&": known & number,
            }  # fmt: skip
            return Poly.of(results[op])
        divisor = {"/": number, ">>": 1 << min(number, 31), "%": number, "&": number + 1}[op]
        if divisor < 1 or (op == "&" and divisor & number):
            raise NotTraced("an index that is no polynomial")
        # Unknowns that are never negative: block numbers and rounds.
        signed = [m for m in value.terms if any(not is_natural(s) for s in m)]
        parts = None if signed else value.split(divisor)
        if parts is not None and all((c >= 0).all() for c in value.terms.values()):
            return parts[0] if op in ("/", ">>") else parts[1]
        if value.is_uniform() and not value.mentions(ROUND) and op in ("/", ">>"):
            whole = expression(value, self.found.symbols, I64, self.threads)
            if op == "/":
                quotient = Binary("/", whole, fold.i64(number))
                name = self.quotients.setdefault(repr(quotient), f"/{len(self.quotients)}")
                return self.unknown(name, quotient)
        raise NotTraced("an index that is no polynomial")

    def known(self, expr: Expr) -> Lanes | None:
        """A condition that thread numbers alone decide."""
        match expr:
            case Const(value):
                return np.full(self.threads, bool(value))
            case Unary("!", inner):
                found = self.known(inner)
                return None if found is None else ~found
            case Binary("&&" | "||" as op, lhs, rhs):
                a, b = self.known(lhs), self.known(rhs)
                if a is None or b is None:
                    return None
                both: Lanes = a & b if op == "&&" else a | b
                return both
            case Binary(op, lhs, rhs) if op in _COMPARE and is_integer(lhs):
                try:
                    difference = (self.integer(lhs) - self.integer(rhs)).values(self.threads)
                except NotTraced:
                    return None
                if difference is None:
                    return None
                holds: Lanes = _COMPARE[op](difference, 0)
                return holds
            case _:
                return None

    def conditions(self, expr: Expr) -> Conditions:
        match expr:
            case Const(True):
                return ()
            case Binary("&&", lhs, rhs):
                return (*self.conditions(lhs), *self.conditions(rhs))
            case Unary("!", Binary("||", lhs, rhs)):
                return (*self.conditions(fold.negate(lhs)), *self.conditions(fold.negate(rhs)))
            case Unary("!", Binary(op, lhs, rhs)) if op in _OPPOSITE and is_integer(lhs):
                return self.conditions(Binary(_OPPOSITE[op], lhs, rhs))  # type: ignore[arg-type]
            case Read(Var(name)) if isinstance(self.env.get(name), tuple):
                return self.env[name]  # type: ignore[return-value]
            case Binary("<" | "<=" | ">" | ">=" | "==" as op, lhs, rhs) if is_integer(lhs):
                a, b = self.integer(lhs), self.integer(rhs)
                if not lhs.type.is_signed:  # type: ignore[union-attr]
                    self.check_natural(a, b)
                one = Poly.of(np.ones(self.threads))
                match op:
                    case "<":
                        return (Condition(a - b),)
                    case "<=":
                        return (Condition(a - b - one),)
                    case ">":
                        return (Condition(b - a),)
                    case ">=":
                        return (Condition(b - a - one),)
                    case _:
                        return (Condition(a - b, is_equal=True),)
        raise NotTraced("a condition that is no conjunction of comparisons")

    def check_natural(self, *values: Poly) -> None:
        """Unsigned numbers compare as the integers they are only where none is below 0."""
        for value in values:
            for monomial, coefficients in value.terms.items():
                if (coefficients < 0).any() or not all(is_natural(s) for s in monomial):
                    raise NotTraced("an unsigned comparison of what may be negative")


_BITWISE = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}

_COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal,
}  # fmt: skip

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "!=": "=="}
