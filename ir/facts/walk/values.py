"""Values: scalars as polynomials, pointers as a base and an offset, places as addresses.

x[i + 1]        load  x  offset 4*i + 4        i * n + tid       a polynomial of three symbols
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, assert_never

from crossport.ir.facts.symbolic import ZERO, Level, Poly, Symbol, apply, unknowns
from crossport.ir.facts.walk.noted import Access, Address, Base, Value, level_of
from crossport.ir.facts.walk.state import State
from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Binary,
    Bitcast,
    Cast,
    Const,
    Deref,
    Element,
    Expr,
    Extract,
    FunctionRef,
    Intrinsic,
    Member,
    Null,
    OpaqueValue,
    Place,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Special,
    Unary,
    Var,
    children,
)
from crossport.ir.printer import print_place
from crossport.ir.types import Pointer, Scalar, Type

_HEAVIEST = 200
"""Atoms in a polynomial, beyond which a value counts as unknown."""

_LANE_ARITHMETIC = frozenset((("%", 32), ("/", 32), ("&", 31), (">>", 5)))
"""Operations that take a lane or warp number out of a thread index, for warps of 32."""

_CHEAP = frozenset(("fminf", "fmaxf", "fabsf", "fmin", "fmax", "fabs", "min", "max", "abs"))


class Values(State):
    """Evaluates expressions, and notes what they load."""

    def _integer(self, expr: Expr) -> Poly:
        value = self._value(expr)
        return value if isinstance(value, Poly) else self._unknown("pointer", level_of(value))

    def _value(self, expr: Expr) -> Value:
        match expr:
            case Const(value, type):
                return Poly.constant(int(value)) if not type.is_float else self._number_value()
            case Special(name):
                return _special(name)
            case Read(place, volatile):
                return self._read(place, volatile)
            case AddressOf(place):
                key = self._local_key(place)
                return Address(Base(key, "local"), ZERO) if key else self._address(place)
            case PointerAdd(pointer, index):
                return self._moved(pointer, index, expr.type)
            case Cast(value, type):
                return self._cast(value, type)
            case Unary(op, value):
                return self._unary(op, value)
            case Binary():
                return self._binary(expr)
            case Select(condition, then, otherwise):
                return self._select(condition, then, otherwise)
            case Intrinsic(name, args, type):
                return self._intrinsic(name, args, type)
            case PointerDiff() | Bitcast() | Aggregate() | Extract():
                values = [self._value(c) for c in children(expr) if isinstance(c, Expr)]
                return self._unknown("value", max(map(level_of, values), default=Level.GRID))
            case Null():
                return Address(Base("null", "global"), ZERO)
            case FunctionRef() | OpaqueValue():
                if isinstance(expr, OpaqueValue) and not self.muted:
                    self.trace.opaque.append(expr)
                return self._unknown("value", Level.LANE)
            case _:
                assert_never(expr)

    def _number_value(self) -> Poly:
        return self._unknown("number", Level.GRID)

    def _read(self, place: Place, volatile: bool) -> Value:
        key = self._local_key(place)
        if key:
            if key in self.env:
                return self.env[key]
            return self._unknown(key, Level.LANE)
        address = self._note("load", place, volatile)
        level = address.offset.level
        if address.base.space == "shared":
            level = max(level, Level.BLOCK)
        if volatile or key == "":
            level = Level.LANE
        if isinstance(place.type, Pointer):
            return Address(Base(print_place(place), "global"), self._unknown("pointer", level))
        return self._unknown(print_place(place), level)

    def _moved(self, pointer: Expr, index: Expr, type: Type) -> Value:
        address, steps = self._value(pointer), self._integer(index)
        element = type.element if isinstance(type, Pointer) else type
        if not isinstance(address, Address):
            return self._unknown("pointer", max(address.level, steps.level))
        offset = address.offset + steps.scaled(self._size(element))
        return replace(address, offset=offset)

    def _cast(self, value: Expr, type: Type) -> Value:
        inner = self._value(value)
        if isinstance(inner, Address):
            return inner if isinstance(type, Pointer) else self._unknown("pointer", level_of(inner))
        if isinstance(type, Pointer):
            return Address(Base("?", "global"), inner)
        source = value.type
        whole = isinstance(source, Scalar) and not source.is_float
        if not whole or not isinstance(type, Scalar) or type.is_float:
            self._count("convert")
            return self._unknown("number", inner.level)
        if type.kind == "bool" and inner.value not in (0, 1):
            return apply("!=", inner, ZERO) if source != type else inner
        if type.kind in ("u8", "u16") and inner.value is None:
            return apply("&", inner, Poly.constant((1 << (8 * type.size)) - 1))
        return inner

    def _unary(self, op: str, value: Expr) -> Value:
        inner = self._integer(value)
        if isinstance(value.type, Scalar) and value.type.is_float:
            self._count(value.type.kind)
            return self._unknown("number", inner.level)
        return -inner if op == "-" else apply(op, inner)

    def _binary(self, expr: Binary) -> Value:
        left, right = self._value(expr.lhs), self._value(expr.rhs)
        type = expr.lhs.type
        if isinstance(left, Address) or isinstance(right, Address):
            return self._unknown("comparison", max(level_of(left), level_of(right)))
        if isinstance(type, Scalar) and type.is_float:
            self._count("f16" if type.kind == "bf16" else type.kind)
            return self._unknown("number", max(left.level, right.level))
        self._count("int")
        if (expr.op, right.value) in _LANE_ARITHMETIC and left.level is Level.LANE:
            self._note_lane_arithmetic(expr, left)
        if left.weight + right.weight > _HEAVIEST:
            # Hash rounds and the like: no index that anything can be said about.
            return self._unknown("long computation", max(left.level, right.level))
        match expr.op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*" if len(left.terms) * len(right.terms) <= _HEAVIEST:
                return left * right
            case "*":
                return self._unknown("long product", max(left.level, right.level))
            case op:
                return apply(op, left, right)

    def _select(self, condition: Expr, then: Expr, otherwise: Expr) -> Value:
        taken = self._integer(condition)
        guards = self.guards
        self.guards = (*guards, taken)
        left = self._value(then)
        self.guards = (*guards, apply("!", taken))
        right = self._value(otherwise)
        self.guards = guards
        return self._merged(taken, {"": left}, {"": right})[""]

    def _merged(
        self, taken: Poly, then: dict[str, Value], otherwise: dict[str, Value]
    ) -> dict[str, Value]:
        merged: dict[str, Value] = {}
        for name in {**then, **otherwise}:
            left, right = then.get(name), otherwise.get(name)
            if left == right and left is not None:
                merged[name] = left
            elif isinstance(left, Poly) and isinstance(right, Poly):
                parts = (left, right, taken)
                known = sum(p.weight for p in parts) <= _HEAVIEST
                known = known and not any(True for p in parts for _ in unknowns(p))
                level = max(left.level, right.level, taken.level)
                merged[name] = (
                    apply("select", taken, left, right) if known else self._unknown(name, level)
                )
            elif (
                isinstance(left, Address)
                and isinstance(right, Address)
                and (left.base == right.base)
                and left.offset.weight + right.offset.weight + taken.weight <= _HEAVIEST
            ):
                offset = apply("select", taken, left.offset, right.offset)
                merged[name] = Address(left.base, offset)
            elif left is not None and right is not None:
                merged[name] = self._unknown(
                    name, max(level_of(left), level_of(right), taken.level)
                )
        return merged

    def _intrinsic(self, name: str, args: tuple[Expr, ...], type: Type) -> Value:
        values = [self._value(arg) for arg in args]
        level = max(map(level_of, values), default=Level.GRID)
        is_float = isinstance(type, Scalar) and type.is_float
        numbers = [value for value in values if isinstance(value, Poly)]
        if not is_float and name in ("min", "max", "umin", "umax") and len(numbers) == 2:
            return apply(name.removeprefix("u"), *numbers)
        if not is_float and name in ("__mul24", "__umul24") and len(numbers) == 2:
            return numbers[0] * numbers[1]
        if is_float and isinstance(type, Scalar):
            fused = "fma" in name
            kind = "f16" if type.kind == "bf16" else type.kind
            if fused:
                self._count(kind)
            self._count(kind if fused or name in _CHEAP else "special")
        else:
            self._count("int")
        return self._unknown(name, level)

    # --- places

    def _address(self, place: Place) -> Address:
        match place:
            case Var(name):
                return Address(self._base(name) or Base(self._name(name), "local"), ZERO)
            case Element(base, index):
                address = self._address(base)
                with self._free():
                    step = self._integer(index).scaled(self._size(place.type))
                return replace(address, offset=address.offset + step)
            case Member(base, name):
                address = self._address(base)
                offset = self._member_offset(base.type, name)
                return replace(address, offset=address.offset + Poly.constant(offset))
            case Deref(pointer, index):
                with self._free():
                    value = self._value(pointer)
                    step = self._integer(index).scaled(self._size(place.type))
                if isinstance(value, Address):
                    return replace(value, offset=value.offset + step)
                return Address(Base("?", "global"), self._unknown("pointer", value.level) + step)
            case _:
                assert_never(place)

    def _note(
        self, kind: Literal["load", "store", "atomic"], place: Place, volatile: bool = False
    ) -> Address:
        address = self._address(place)
        if not self.muted:
            self.trace.accesses.append(
                Access(
                    kind,
                    address.base,
                    address.offset,
                    self._size(place.type),
                    place.type,
                    print_place(place),
                    self._place(place),
                    self.guards,
                    self.loops,
                    volatile,
                    self.phase,
                )
            )
        return address

    def _local_key(self, place: Place) -> str | None:
        """The name of a local variable or member; "" if computed; None if it is in memory."""
        # Whatever the place's indices read is noted once, by whoever computes the address.
        self.muted += 1
        key = self._key_of(place)
        self.muted -= 1
        return key

    def _key_of(self, place: Place) -> str | None:
        match place:
            case Var(name):
                return self._name(name) if self._base(name) is None else None
            case Member(base, name):
                inner = self._key_of(base)
                return f"{inner}.{name}" if inner else inner
            case Element(base, index):
                inner = self._key_of(base)
                if not inner:
                    return inner
                number = self._integer(index).value
                return "" if number is None else f"{inner}[{number}]"
            case Deref(pointer, index):
                address = self._value(pointer)
                local = isinstance(address, Address) and address.base.space == "local"
                if local and isinstance(address, Address) and address.offset == ZERO:
                    return address.base.name if self._integer(index).value == 0 else ""
                return None
            case _:
                assert_never(place)


def _special(name: str) -> Poly:
    if name in ("lane_id", "warp_id"):
        x, y, z = (_special(f"thread.{axis}") for axis in "xyz")
        linear = x + _special("block_dim.x") * (y + _special("block_dim.y") * z)
        return apply("%" if name == "lane_id" else "/", linear, _special("warp_size"))
    kind = name.partition(".")[0]
    level = {"thread": Level.LANE, "block": Level.BLOCK}.get(kind, Level.GRID)
    return Poly.atom(Symbol(name, level))
