"""One thread at a time, with Python numbers: an independent model of what the thread IR means.

Integers are Python ints reduced to their width, floats are Python floats rounded by `struct` after
each operation. Slow and plain on purpose: the interpreter is compared with it.
"""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from fractions import Fraction
from typing import Any

from crossport.ir.nodes import (
    Assign,
    Binary,
    Bitcast,
    Break,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Element,
    Expr,
    For,
    Function,
    If,
    Let,
    Place,
    Read,
    Return,
    Select,
    Special,
    Stmt,
    Switch,
    Unary,
    Var,
    While,
)
from crossport.ir.types import Array, Scalar

BITS = {"i8": 8, "u8": 8, "i16": 16, "u16": 16, "i32": 32, "u32": 32, "i64": 64, "u64": 64}
PACK = {"f16": "e", "f32": "f", "f64": "d"}


def wrap(kind: str, value: int) -> int:
    """An integer modulo its width."""
    bits = BITS[kind]
    value &= (1 << bits) - 1
    if kind[0] == "i" and value >> (bits - 1):
        value -= 1 << bits
    return value


def round_float(kind: str, value: float) -> float:
    """A double rounded to a format, to nearest even."""
    if kind == "f64" or not math.isfinite(value) or value == 0:
        return value
    if kind == "bf16":
        return _round_bf16(value)
    try:
        return float(struct.unpack(PACK[kind], struct.pack(PACK[kind], value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _round_bf16(value: float) -> float:
    exact = abs(Fraction(value))
    exponent = max(math.frexp(value)[1] - 8, -133)
    unit = Fraction(2) ** exponent
    whole = round(exact / unit)  # Python rounds halves to even
    rounded = whole * unit
    if rounded >= Fraction(2) ** 128:
        return math.copysign(math.inf, value)
    return math.copysign(float(rounded), value)


def is_float(kind: str) -> bool:
    return kind in ("f16", "bf16", "f32", "f64")


def binary(op: str, kind: str, x: Any, y: Any) -> Any:
    """`x op y` for one kind (the amount of a shift is a plain number)."""
    compare = {
        "==": lambda: x == y, "!=": lambda: x != y, "<": lambda: x < y,
        "<=": lambda: x <= y, ">": lambda: x > y, ">=": lambda: x >= y,
    }  # fmt: skip
    if op in compare:
        return compare[op]()
    if is_float(kind):
        return round_float(kind, _float(op, x, y))
    if kind == "bool":
        return {"&": x and y, "|": x or y, "^": x != y}[op]
    bits = BITS[kind]
    match op:
        case "+":
            return wrap(kind, x + y)
        case "-":
            return wrap(kind, x - y)
        case "*":
            return wrap(kind, x * y)
        case "&":
            return wrap(kind, x & y)
        case "|":
            return wrap(kind, x | y)
        case "^":
            return wrap(kind, x ^ y)
        case "<<":
            return wrap(kind, x << y) if 0 <= y < bits else 0
        case ">>":
            return x >> (y if 0 <= y < bits else bits - 1) if kind[0] == "i" or 0 <= y < bits else 0
        case "/":
            if y == 0:
                return wrap(kind, -1)
            return wrap(kind, abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1))
        case "%":
            if y == 0:
                return wrap(kind, -1)
            return wrap(kind, abs(x) % abs(y) * (1 if x >= 0 else -1))
    raise AssertionError(op)


def _float(op: str, x: float, y: float) -> float:
    if op == "+":
        return x + y
    if op == "-":
        return x - y
    if op == "*":
        return x * y
    if y == 0:
        if x == 0 or x != x:
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1, y)
    return x / y


def cast(source: str, target: str, x: Any) -> Any:
    """A C conversion, float to integer as NVIDIA does it."""
    if target == "bool":
        return x != 0
    if is_float(target):
        if is_float(source):
            return round_float(target, x)
        return _int_to_float(target, int(x))
    if not is_float(source):
        return wrap(target, int(x))
    if x != x:
        return 0
    via = target if BITS[target] >= 32 else target[0] + "32"
    low = -(1 << (BITS[via] - 1)) if via[0] == "i" else 0
    high = low + (1 << BITS[via]) - 1
    whole = high if x == math.inf else low if x == -math.inf else int(x)
    return wrap(target, min(max(whole, low), high))


def _int_to_float(target: str, value: int) -> float:
    precision = {"f16": 11, "bf16": 8, "f32": 24, "f64": 53}[target]
    size = abs(value)
    shift = max(size.bit_length() - precision, 0)
    rounded = float(round(Fraction(size, 1 << shift)) << shift)
    if target == "f16" and rounded >= 65520:
        rounded = math.inf
    return math.copysign(rounded, value) if value else 0.0


def kind_of(expr: Expr) -> str:
    """The kind of a number."""
    return named(expr.type)


def named(type: Any) -> str:
    """The name of a number's type."""
    assert isinstance(type, Scalar)
    return type.kind


class _Leave(Exception):
    pass


class _Break(_Leave):
    pass


class _Continue(_Leave):
    pass


class _Return(_Leave):
    pass


class Thread:
    """Runs a kernel for one thread. `memory`: parameter name -> list of numbers."""

    def __init__(self, special: dict[str, int], values: dict[str, Any]) -> None:
        self.special = special
        self.values = dict(values)

    def run(self, kernel: Function) -> None:
        """The whole body."""
        with suppress(_Return):
            self.block(kernel.body)

    def block(self, stmts: tuple[Stmt, ...]) -> None:
        for stmt in stmts:
            self.stmt(stmt)

    def stmt(self, stmt: Stmt) -> None:
        match stmt:
            case Let(var, init):
                if isinstance(var.type, Array):
                    self.values[var.name] = [self.zero(var.type.element)] * var.type.length
                else:
                    self.values[var.name] = self.zero(var.type) if init is None else self.expr(init)
            case Assign(place, value):
                self.assign(place, self.expr(value))
            case If(condition, then, otherwise):
                self.block(then if self.expr(condition) else otherwise)
            case While(condition, body):
                self.loop(condition, body, (), True)
            case For(condition, step, body):
                self.loop(condition, body, step, True)
            case DoWhile(body, condition):
                self.loop(condition, body, (), False)
            case Switch(value, cases):
                chosen = self.expr(value)
                start = next((i for i, c in enumerate(cases) if chosen in c.values), None)
                if start is None:
                    start = next((i for i, c in enumerate(cases) if not c.values), None)
                try:
                    for case in cases[start:] if start is not None else ():
                        self.block(case.body)
                except _Break:
                    pass
            case Break():
                raise _Break
            case Continue():
                raise _Continue
            case Return():
                raise _Return
            case _:
                raise AssertionError(stmt)

    def loop(
        self, condition: Expr, body: tuple[Stmt, ...], step: tuple[Stmt, ...], test: bool
    ) -> None:
        first = not test
        while first or self.expr(condition):
            first = False
            try:
                self.block(body)
            except _Break:
                return
            except _Continue:
                pass
            self.block(step)

    def zero(self, type: Any) -> Any:
        assert isinstance(type, Scalar)
        return 0.0 if type.is_float else False if type.kind == "bool" else 0

    def where(self, place: Place) -> tuple[list[Any], int]:
        match place:
            case Element(Var(name), index):
                return self.values[name], int(self.expr(index))
            case Deref(Read(Var(name)), index):
                return self.values[name], int(self.expr(index))
        raise AssertionError(place)

    def assign(self, place: Place, value: Any) -> None:
        if isinstance(place, Var):
            self.values[place.name] = value
            return
        cells, index = self.where(place)
        cells[index] = value

    def expr(self, expr: Expr) -> Any:
        match expr:
            case Const(value, type):
                if type.is_integer:
                    return wrap(type.kind, int(value))
                return round_float(type.kind, float(value)) if type.is_float else bool(value)
            case Special(name):
                return self.special[name]
            case Read(Var(name)):
                return self.values[name]
            case Read(place):
                cells, index = self.where(place)
                return cells[index]
            case Unary("-", value):
                x, kind = self.expr(value), kind_of(value)
                return -x if is_float(kind) else wrap(kind, -x)
            case Unary("~", value):
                return wrap(kind_of(value), ~self.expr(value))
            case Unary("!", value):
                return not self.expr(value)
            case Binary("&&", lhs, rhs):
                return self.expr(lhs) and self.expr(rhs)
            case Binary("||", lhs, rhs):
                return self.expr(lhs) or self.expr(rhs)
            case Binary(op, lhs, rhs):
                return binary(op, kind_of(lhs), self.expr(lhs), self.expr(rhs))
            case Select(condition, then, otherwise):
                return self.expr(then if self.expr(condition) else otherwise)
            case Cast(value, type):
                return cast(kind_of(value), named(type), self.expr(value))
            case Bitcast(value, type):
                return bits(kind_of(value), named(type), self.expr(value))
        raise AssertionError(expr)


_CODES = {
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q",
    **PACK,
}  # fmt: skip


def bits(source: str, target: str, x: Any) -> Any:
    """The same bits as another kind."""
    raw = struct.pack("<f", x)[2:] if source == "bf16" else struct.pack("<" + _CODES[source], x)
    if target == "bf16":
        return struct.unpack("<f", b"\0\0" + raw)[0]
    return struct.unpack("<" + _CODES[target], raw)[0]
