"""Take the parts of a vector one by one: a loop over float4 becomes one over floats.

    for (q = tid; q < n / 4; q += T)                     for (c = tid; c < n / 4 * 4; c += T)
      y[4 q] = f(x[4 q]); y[4 q + 1] = f(x[4 q + 1])  ->   y[c] = f(x[c])
      ...

How many elements a thread moves at once is the compiler's business; what counts is that all lanes
have work. It holds where every part goes the same way from memory to memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.ir.lift import flat, fold
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Binary, Cast, Expr, Read, Special, Var, children
from crossport.ir.tile.strides import stride_of
from crossport.ir.types import I32, I64, Scalar

WIDTHS = (8, 4, 2)


class _OtherWayError(Exception):
    """The parts do not all go the same way."""


def reroll_vectors(program: flat.Program) -> flat.Program:
    """The program with such loops taken part by part, in place."""
    facts = uniformity(program)

    def visit(body: flat.Body) -> bool:
        changed = False
        for position, statement in enumerate(body):
            if isinstance(statement, flat.Loop):
                new = _rerolled(program, body, statement, facts)
                if new is not None:
                    body[position] = new
                    changed = True
                    continue
            for below in flat.bodies(statement):
                changed = visit(below) or changed
        return changed

    if visit(program.body):
        tidy(program)
    return program


def _rerolled(
    program: flat.Program, body: flat.Body, loop: flat.Loop, facts: Uniformity
) -> flat.Loop | None:
    stride = stride_of(loop, body, facts)
    if stride is None or not isinstance(loop.condition, Binary):
        return None
    whole = fold.as_int(stride.base) == 0 and stride.offset == Cast(Special("thread.x"), I32)
    if not whole or not all(isinstance(s, flat.Set | flat.Load | flat.Store) for s in loop.body):
        return None
    stores = [s for s in loop.body if isinstance(s, flat.Store)]
    defined = {v.name: s for s in loop.body for v in flat.targets(s)}
    if len(defined) + len(stores) != len(loop.body) or not stores:
        return None
    roots: dict[str, list[flat.Store]] = {}
    for store in stores:
        roots.setdefault(store.ref.root.name, []).append(store)
    width = len(next(iter(roots.values())))
    if width not in WIDTHS or any(len(group) != width for group in roots.values()):
        return None
    if {s.ref.root.name for s in loop.body if isinstance(s, flat.Load)} & roots.keys():
        return None
    follower = _Follower(stride.variable, width, defined)
    try:
        first = [follower.first(group) for group in roots.values()]
        wanted: set[str] = set()
        for store in first:
            follower.collect(store.value, wanted)
        new_body: flat.Body = []
        for statement in loop.body:
            if isinstance(statement, flat.Store):
                if statement in first:
                    new_body.append(flat.Store(follower.place(statement.ref), statement.value))
            elif any(v.name in wanted for v in flat.targets(statement)):
                new_body.append(follower.copied(statement))
    except _OtherWayError:
        return None
    bound = fold.binary("*", stride.bound, fold.constant(width, I32))
    condition = Binary("<", Read(stride.variable), bound)
    return flat.Loop(loop.label, [], condition, new_body, loop.step, loop.test_first)


@dataclass
class _Follower:
    """Compares how the parts go, and makes the way of one element of the first part's."""

    variable: Var
    width: int
    defined: dict[str, flat.Statement]

    def first(self, group: list[flat.Store]) -> flat.Store:
        """The store of the first part, if the others do as it does."""
        ordered = sorted(group, key=lambda s: self.split(s.ref.index)[1])
        start = ordered[0]
        for number, other in enumerate(ordered):
            self.same_place(start.ref, other.ref, number)
            self.same(start.value, other.value, number)
        if self.split(start.ref.index)[1] != 0:
            raise _OtherWayError
        return start

    def split(self, index: Expr) -> tuple[Expr, int]:
        """An index as something plus a number."""
        if isinstance(index, Binary) and index.op == "+":
            number = fold.as_int(index.rhs)
            if number is not None:
                return index.lhs, number
        return index, 0

    def same_place(self, one: flat.Ref, other: flat.Ref, number: int) -> None:
        a, b = self.split(one.index), self.split(other.index)
        same = a[0] == b[0] and a[1] + number == b[1]
        if one.root != other.root or one.type != other.type or not same or not one.is_whole:
            raise _OtherWayError

    def same(self, one: Expr, other: Expr, number: int) -> None:
        """Is the other value to part `number` what the one is to the first?"""
        a, b = self.local(one), self.local(other)
        if a is None and b is None:
            if type(one) is not type(other) or one.type != other.type:
                raise _OtherWayError
            mine, others = _children(one), _children(other)
            if not mine:
                if one != other or self.variable.name in reads(one):
                    raise _OtherWayError
                return
            if _shape(one) != _shape(other) or len(mine) != len(others):
                raise _OtherWayError
            for x, y in zip(mine, others, strict=True):
                self.same(x, y, number)
            return
        match a, b:
            case flat.Set(_, flat_value), flat.Set(_, other_value) if flat_value and other_value:
                self.same(flat_value, other_value, number)
            case flat.Load(_, ref, None), flat.Load(_, other_ref, None):
                if self.variable.name in reads(ref.index):
                    self.same_place(ref, other_ref, number)
                elif ref != other_ref:
                    raise _OtherWayError
            case _:
                raise _OtherWayError

    def local(self, expr: Expr) -> flat.Statement | None:
        if isinstance(expr, Read) and isinstance(expr.place, Var):
            return self.defined.get(expr.place.name)
        return None

    def collect(self, expr: Expr, wanted: set[str]) -> None:
        """The variables that a value is made of."""
        for name in reads(expr) & self.defined.keys() - wanted:
            wanted.add(name)
            for inner in flat.expressions(self.defined[name]):
                self.collect(inner, wanted)

    def copied(self, statement: flat.Statement) -> flat.Statement:
        match statement:
            case flat.Load(var, ref, guard, volatile):
                if self.variable.name in reads(ref.index):
                    ref = self.place(ref)
                return flat.Load(var, ref, guard, volatile)
            case _:
                return statement

    def place(self, ref: flat.Ref) -> flat.Ref:
        """The place of one element: `width * variable` has become the variable."""
        rest, number = self.split(ref.index)
        terms = self.terms(rest, 1)
        mine = [t for t, scale in terms if self.is_variable(t) and scale == self.width]
        others = [(t, scale) for t, scale in terms if not self.is_variable(t)]
        if number or len(mine) != 1 or len(mine) + len(others) != len(terms):
            raise _OtherWayError
        if any(self.variable.name in reads(t) for t, _ in others):
            raise _OtherWayError
        index: Expr = fold.cast(Read(self.variable), I64)
        for term, scale in reversed(others):
            part = fold.binary("*", term, fold.i64(scale))
            index = fold.binary("+", part, index)
        return flat.Ref(ref.root, index, ref.type, ref.unit)

    def terms(self, expr: Expr, scale: int) -> list[tuple[Expr, int]]:
        """An i64 sum, with factors; sums of i32 in it do not overflow, for they are places."""
        match expr:
            case Binary("+", lhs, rhs):
                return [*self.terms(lhs, scale), *self.terms(rhs, scale)]
            case Binary("*", lhs, rhs) if (factor := fold.as_int(rhs)) is not None:
                return self.terms(lhs, scale * factor)
            case Cast(Binary("+", lhs, rhs), kind) if kind == I64 and lhs.type == I32:
                return [*self.terms(Cast(lhs, I64), scale), *self.terms(Cast(rhs, I64), scale)]
            case _:
                return [(expr, scale)]

    def is_variable(self, expr: Expr) -> bool:
        return isinstance(expr, Cast) and expr.value == Read(self.variable)


def _children(expr: Expr) -> list[Expr]:
    """Operands; none of what is a leaf."""
    if isinstance(expr, Read | Special):
        return []
    return [c for c in children(expr) if not isinstance(c, Var)]  # type: ignore[misc]


def _shape(expr: Expr) -> object:
    """What an expression is, operands aside."""
    return (type(expr), getattr(expr, "op", None), getattr(expr, "name", None), _kind(expr))


def _kind(expr: Expr) -> Scalar | None:
    return expr.type if isinstance(expr.type, Scalar) else None
