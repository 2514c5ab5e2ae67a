"""Floats of all threads at once: elements, products and totals; behind the loop, expressions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Unary,
    Var,
)
from crossport.ir.tile.polynomial import Poly
from crossport.ir.tile.trace.integers import Integers
from crossport.ir.tile.trace.values import (
    NOWHERE,
    SOURCE,
    Conditions,
    Element,
    Elements,
    Formula,
    NotTraced,
    Pair,
    Total,
    Value,
    is_float,
)
from crossport.ir.types import F32, Scalar


class Floats(Integers):
    """Floats."""

    def element(self, element: Element) -> Elements:
        number = len(self.found.elements)
        self.found.elements.append(element)
        return Elements(np.arange(self.threads) + number * self.threads)

    def elements(self, value: Value) -> Elements:
        match value:
            case Elements():
                return value
            case Formula(Const() as number) if self.in_loop:
                load = flat.Load(SOURCE, flat.Ref(NOWHERE, fold.i64(0), number.type, 4))
                return self.element(Element(load, Poly({}), (), number))
            case _:
                raise NotTraced("a value that is no element of an array")

    def value(self, expr: Expr) -> Value:
        kind = expr.type
        if not isinstance(kind, Scalar):
            raise NotTraced("a value of another type")
        if kind.is_float:
            return self.float(expr)
        if kind.kind == "bool":
            return self.conditions(expr)
        return self.integer(expr)

    def float(self, expr: Expr) -> Value:
        match expr:
            case Read(Var(name)):
                value = self.env.get(name)
                if value is None:
                    raise NotTraced(f"`{name}` has no value that is understood")
                return value
            case Const():
                return Formula(expr)
            case Select(condition, then, otherwise) if (known := self.known(condition)) is not None:
                if known.all() or not known.any():
                    return self.float(then if known.all() else otherwise)
                a, b = self.elements(self.float(then)), self.elements(self.float(otherwise))
                return Elements(np.where(known, a.codes, b.codes))
            case Select(condition, then, otherwise) if self.in_loop:
                tests = self.conditions(condition)
                return self.choose(tests, self.elements(self.float(then)), self.float(otherwise))
            case Binary("+", lhs, rhs) if self.in_loop and expr.type == F32:
                return self.sum(self.float(lhs), self.float(rhs))
            case Binary("*", lhs, rhs) if self.in_loop and expr.type == F32:
                return self.product(self.float(lhs), self.float(rhs))
            case Intrinsic("fma" | "fmaf", (a, b, c)) if self.in_loop and expr.type == F32:
                return self.sum(self.float(c), self.product(self.float(a), self.float(b)))
            case Cast(value, kind) if self.in_loop:
                inner = self.elements(self.float(value))
                return self.mapped(inner, lambda v: Cast(v, kind))
        if self.in_loop:
            raise NotTraced("arithmetic inside the loop that is no sum of products")
        return Formula(self.formula(expr))

    def formula(self, expr: Expr) -> Expr:
        """An expression behind the loop, of totals and loads."""
        match expr:
            case Const():
                return expr
            case Read(Var(name)):
                value = self.env.get(name)
                if not isinstance(value, Formula):
                    raise NotTraced(f"`{name}` has no value that is understood")
                return value.expr
            case Binary(op, lhs, rhs) if is_float(lhs):
                return Binary(op, self.formula(lhs), self.formula(rhs))
            case Unary("-", value):
                return Unary("-", self.formula(value))
            case Cast(value, kind) if is_float(value):
                return Cast(self.formula(value), kind)
            case Intrinsic(name, args, kind) if all(is_float(a) for a in args):
                return Intrinsic(name, tuple(self.formula(a) for a in args), kind)
            case Select(Binary(op, lhs, rhs), then, otherwise) if is_float(lhs):
                test = Binary(op, self.formula(lhs), self.formula(rhs))
                return Select(test, self.formula(then), self.formula(otherwise))
            case _:
                raise NotTraced("arithmetic behind the loop of another kind")

    def sum(self, left: Value, right: Value) -> Total:
        if isinstance(right, Total):
            left, right = right, left
        if not isinstance(left, Total):
            raise NotTraced("a sum that is no running total")
        if isinstance(right, Elements):
            one = Formula(Const(1.0, F32))
            right = Pair(right, self.elements(one))
        if not isinstance(right, Pair):
            raise NotTraced("a total of something else than products")
        if len(self.path) != len(self.found.around) or not self.active.all():
            raise NotTraced("a total that some threads skip")
        return Total(left.name, (*left.added, right))

    def product(self, left: Value, right: Value) -> Pair:
        return Pair(self.elements(left), self.elements(right))

    def mapped(self, value: Elements, change: object) -> Elements:
        """A function of each element."""
        result = value.codes.copy()
        for number in np.unique(value.codes[self.active] // self.threads):
            element = self.found.elements[number]
            made = self.element(replace(element, value=change(element.value)))  # type: ignore[operator]
            chosen = (value.codes // self.threads == number) & self.active
            result[chosen] = made.codes[value.codes[chosen] % self.threads]
        return Elements(result)

    def choose(self, tests: Conditions, value: Value, other: Value) -> Value:
        if isinstance(value, Elements) and isinstance(other, Elements | Formula):
            pairs = zip(value.codes, self.elements(other).codes, strict=True)
            codes = [self.chosen(tests, int(a), int(b), t) for t, (a, b) in enumerate(pairs)]
            return Elements(np.array(codes))
        return None

    def chosen(self, tests: Conditions, code: int, other: int, thread: int) -> int:
        """The first where the thread's tests hold, 0 elsewhere: the other must be 0."""
        if code == other:
            return code
        if code < 0 or not self.is_zero(other):
            raise NotTraced("a choice between two elements")
        number, owner = divmod(code, self.threads)
        if self.is_zero(code):
            return code
        if owner != thread:
            raise NotTraced("a mask on an element of another thread")
        key = (number, *(id(t) for t in tests))
        if key not in self.masks:
            element = self.found.elements[number]
            if not _keeps_zero(element.value):
                raise NotTraced("a choice after arithmetic")
            missing = [t for t in tests if not any(t.same(c) for c in element.conditions)]
            masked = replace(element, conditions=(*element.conditions, *missing))
            self.masks[key] = number if not missing else len(self.found.elements)
            if missing:
                self.element(masked)
        return self.masks[key] * self.threads + thread

    def is_zero(self, code: int) -> bool:
        if code < 0:
            return False
        value = self.found.elements[code // self.threads].value
        return isinstance(value, Const) and value.value == 0


def _keeps_zero(expr: Expr) -> bool:
    """Is the function of an element 0 where the element is?"""
    while isinstance(expr, Cast):
        expr = expr.value
    return isinstance(expr, Read)
