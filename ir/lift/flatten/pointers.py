"""Pointers: offsets and addresses of them, and variables that hold them."""

from __future__ import annotations

import math

from crossport.diagnostics import Code, PortError
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.context import Context
from crossport.ir.lift.flatten.guesses import Retry
from crossport.ir.lift.flatten.values import (
    ADDRESS,
    Agg,
    Choice,
    FunctionValue,
    Local,
    Ptr,
    PtrCell,
    Texture,
    Value,
    refuse,
    scalar_type,
)
from crossport.ir.types import BOOL, I32, I64, U64, VOID, Scalar, Type

MOST_ROOTS = 4
"""Roots of one pointer variable; with more it is an address."""


class Pointers(Context):
    """Values as pointers, numbers and addresses."""

    def pointer_cell(self, key: str, name: str, element: Type) -> PtrCell:
        if key in self.guesses.addresses:
            return PtrCell(self.fresh(name, I64), 1, ADDRESS, True)
        unit = 1 if key in self.guesses.bytes else max(1, self.layouts.size(element))
        cell = PtrCell(self.fresh(name, I64), unit, key=key)
        cell.is_typed = element != VOID or key in self.guesses.bytes
        if key in self.guesses.roots:
            cell.roots, cell.known = self.guesses.roots[key], True
            cell.selector = self.fresh(f"{name}_root", I32)
            self.emit(flat.Set(cell.selector, None, declare=True))
        return cell

    def set_pointer(self, cell: PtrCell, pointer: Ptr) -> None:
        key = cell.key
        if cell.root is ADDRESS:
            self.emit(flat.Set(cell.var, self.address(pointer)))
            return
        if cell.selector is not None:
            chosen = self.as_choice(pointer.root)
            if chosen is None or not set(chosen.roots) <= set(cell.roots):
                raise self.another_root(key, cell.roots, pointer)
            number = _renumbered(chosen, cell.roots)
            self.emit(flat.Set(cell.selector, number))
        elif isinstance(pointer.root, Choice) or pointer.root is None:
            raise self.another_root(key, (cell.root,) if cell.known else (), pointer)
        elif cell.known and cell.root != pointer.root:
            raise self.another_root(key, (cell.root,), pointer)
        else:
            if not (cell.known or cell.is_typed) and isinstance(pointer.root, Root):
                cell.unit = pointer.root.element.size
            cell.root, cell.known = pointer.root, True
        if any(s % cell.unit for _, s in pointer.terms) or pointer.const % cell.unit:
            raise Retry("bytes", key)
        self.emit(flat.Set(cell.var, self.offset(pointer, cell.unit)))

    def another_root(
        self, key: str, known: tuple[Root | Local | None, ...], pointer: Ptr
    ) -> PortError:
        """A variable points into one more root: walk again with that in mind (raised from here)."""
        if any(isinstance(r, Local) for r in (*known, pointer.root)):
            return refuse(
                "a pointer that may point to different local variables",
                self.span,
                Code.POINTER_UNRESOLVED,
            )
        chosen = self.as_choice(pointer.root)
        found = dict.fromkeys((*known, *(chosen.roots if chosen else ())))
        # In one order for all variables: a pointer that takes over another's takes its number too.
        roots = tuple(sorted(found, key=lambda r: r.name if r is not None else ""))
        if chosen is None or ADDRESS in roots or len(roots) > MOST_ROOTS:
            raise Retry("addresses", key)
        raise Retry("roots", key, roots)  # type: ignore[arg-type]

    def as_choice(self, root: Root | Local | Choice | None) -> Choice | None:
        """A root as one of several; None for locals and plain addresses."""
        if isinstance(root, Choice):
            return root
        if isinstance(root, Local) or root is ADDRESS:
            return None
        return Choice((root,), fold.constant(0, I32))

    def each_root(self, choice: Choice) -> list[tuple[n.Expr, Root]]:
        """The roots that are memory, each with the condition that it is the one."""
        return [
            (fold.binary("==", choice.selector, fold.constant(number, I32)), root)
            for number, root in enumerate(choice.roots)
            if root is not None
        ]

    def offset(self, pointer: Ptr, unit: int) -> n.Expr:
        """The pointer's offset in units, an i64."""
        total: n.Expr = fold.i64(0)
        for expr, scale in pointer.terms:
            wide = fold.cast(expr, I64)
            part = fold.binary("*", wide, fold.i64(scale // unit))
            total = fold.binary("+", total, part)
        return fold.binary("+", total, fold.i64(pointer.const // unit))

    def address(self, pointer: Ptr) -> n.Expr:
        """The pointer as an absolute address, an i64."""
        if isinstance(pointer.root, Local):
            raise refuse("the address of a local variable as a number", self.span)
        offset = self.offset(pointer, 1)
        if isinstance(pointer.root, Choice):
            base: n.Expr = fold.i64(0)
            for test, root in self.each_root(pointer.root):
                base = fold.select(test, self.address(Ptr(root)), base)
            return fold.binary("+", base, offset)
        if pointer.root is None or pointer.root is ADDRESS:
            return offset
        if pointer.root.space in ("shared", "local"):
            raise refuse(
                "a pointer that may be to shared or to global memory",
                self.span,
                Code.POINTER_UNRESOLVED,
            )
        start = n.Read(n.Var("&" + pointer.root.name, I64))
        return fold.binary("+", start, offset)

    def as_pointer(self, value: Value) -> Ptr:
        if isinstance(value, Ptr):
            return value
        if isinstance(value, Agg | FunctionValue | Texture):
            raise refuse("a struct used as a pointer", self.span)
        return Ptr(ADDRESS, ((fold.cast(value, I64), 1),))

    def as_number(self, value: Value) -> n.Expr:
        if isinstance(value, Ptr):
            return fold.cast(self.address(value), U64)
        if isinstance(value, Agg) and len(value.leaves) == 1:
            return self.as_number(value.leaves[0][1])
        if isinstance(value, FunctionValue):
            return self.function_number(value.name)
        if isinstance(value, Agg | Texture):
            raise refuse("a struct or texture used as a number", self.span)
        return value

    def function_number(self, name: str) -> n.Const:
        """The number that stands for a function of the module; none has 0."""
        names = [f.name for f in self.module.functions]
        if name not in names:
            raise refuse(f"{name} is not defined here", self.span)
        return n.Const(1 + names.index(name), U64)

    def as_type(self, value: n.Expr, type: Scalar) -> n.Expr:
        """The value's bits as that type (union members, pointer casts to locals)."""
        kind = scalar_type(value.type)
        if kind == type:
            return value
        if kind.size == type.size:
            if BOOL in (kind, type):
                return fold.cast(value, type)
            if kind.is_integer and type.is_integer:
                return fold.cast(value, type)
            return n.Bitcast(value, type)
        raise refuse(f"part of a {kind} read or written as {type}", self.span)

    def either_offset(self, condition: n.Expr, left: Ptr, right: Ptr) -> tuple[n.Expr, int]:
        """One of two offsets, in the largest unit that both are whole in."""
        unit = math.gcd(left.const, right.const, *(s for _, s in (*left.terms, *right.terms))) or 1
        return fold.select(condition, self.offset(left, unit), self.offset(right, unit)), unit

    def select_pointer(self, condition: n.Expr, a: Value, b: Value) -> Ptr:
        left, right = self.as_pointer(a), self.as_pointer(b)
        if left.root == right.root and not isinstance(left.root, Local):
            offset, unit = self.either_offset(condition, left, right)
            return Ptr(left.root, ((offset, unit),))
        one, other = self.as_choice(left.root), self.as_choice(right.root)
        if one is not None and other is not None:
            roots = tuple(dict.fromkeys((*one.roots, *other.roots)))
            selector = n.Select(condition, _renumbered(one, roots), _renumbered(other, roots))
            offset, unit = self.either_offset(condition, left, right)
            return Ptr(Choice(roots, selector), ((offset, unit),))
        address = n.Select(condition, self.address(left), self.address(right))
        return Ptr(ADDRESS, ((address, 1),))


def _renumbered(choice: Choice, roots: tuple[Root | None, ...]) -> n.Expr:
    """The choice's selector as a number among `roots`, which holds all of its own."""
    numbers = [fold.constant(roots.index(root), I32) for root in choice.roots]
    result: n.Expr = numbers[0]
    for old, new in enumerate(numbers[1:], 1):
        test = fold.binary("==", choice.selector, fold.constant(old, I32))
        result = fold.select(test, new, result)
    return result
