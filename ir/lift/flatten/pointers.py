"""Pointers: offsets and addresses of them, and variables that hold them."""

from __future__ import annotations

from crossport.diagnostics import Code
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flatten.context import Context
from crossport.ir.lift.flatten.guesses import Retry
from crossport.ir.lift.flatten.values import (
    ADDRESS,
    Agg,
    FunctionValue,
    Local,
    Ptr,
    PtrCell,
    Texture,
    Value,
    refuse,
    scalar_type,
)
from crossport.ir.types import BOOL, I64, U64, Scalar, Type


class Pointers(Context):
    """Values as pointers, numbers and addresses."""

    def pointer_cell(self, key: str, name: str, element: Type) -> PtrCell:
        if key in self.guesses.addresses:
            return PtrCell(self.fresh(name, I64), 1, ADDRESS, True)
        unit = 1 if key in self.guesses.bytes else max(1, self.layouts.size(element))
        return PtrCell(self.fresh(name, I64), unit, key=key)

    def set_pointer(self, cell: PtrCell, pointer: Ptr) -> None:
        key = cell.key
        if cell.root is ADDRESS:
            self.emit(flat.Set(cell.var, self.address(pointer)))
            return
        if cell.known and cell.root is not pointer.root:
            if isinstance(cell.root, Local) or isinstance(pointer.root, Local):
                raise refuse(
                    "a pointer that may point to different local variables",
                    self.span,
                    Code.POINTER_UNRESOLVED,
                )
            raise Retry("addresses", key)
        if pointer.root is None:
            raise Retry("addresses", key)
        cell.root, cell.known = pointer.root, True
        if any(s % cell.unit for _, s in pointer.terms) or pointer.const % cell.unit:
            raise Retry("bytes", key)
        self.emit(flat.Set(cell.var, self.offset(pointer, cell.unit)))

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
        if pointer.root is None or pointer.root is ADDRESS:
            return offset
        if pointer.root.space in ("shared", "local"):
            raise refuse(
                "a pointer that may be to shared or to global memory",
                self.span,
                Code.POINTER_UNRESOLVED,
            )
        base = n.Read(n.Var("&" + pointer.root.name, I64))
        return fold.binary("+", base, offset)

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

    def select_pointer(self, condition: n.Expr, a: Value, b: Value) -> Ptr:
        left, right = self.as_pointer(a), self.as_pointer(b)
        if left.root is right.root and not isinstance(left.root, Local):
            offset = n.Select(condition, self.offset(left, 1), self.offset(right, 1))
            return Ptr(left.root, ((offset, 1),))
        address = n.Select(condition, self.address(left), self.address(right))
        return Ptr(ADDRESS, ((address, 1),))
