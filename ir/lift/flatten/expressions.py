"""Expressions: thread IR's to scalars, pointers and aggregates; what they read becomes loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossport.ir import nodes as n
from crossport.ir.lift import fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.names_in import base_name
from crossport.ir.lift.flatten.places import Places
from crossport.ir.lift.flatten.values import (
    Agg,
    Choice,
    Compound,
    FunctionValue,
    Local,
    Ptr,
    Texture,
    Value,
    is_shared,
    refuse,
    scalar_type,
)
from crossport.ir.lift.library import PREFIX, library
from crossport.ir.types import BOOL, I32, U8, U32, Handle, Pointer, Scalar, Type

ADDRESS_CASTS = {
    f"__cvta_{a}" for a in ("generic_to_shared", "shared_to_generic")
}  # fmt: skip
FIND_NTH_SET = library().function(PREFIX + "find_nth_set")


class Expressions(Places):
    """The value of every kind of expression."""

    def scalar(self, expr: n.Expr) -> n.Expr:
        return self.as_number(self.value(expr))

    def truth(self, expr: n.Expr) -> n.Expr:
        value = self.scalar(expr)
        return value if value.type == BOOL else fold.cast(value, BOOL)

    def lazily(self, expr: n.Expr, condition: n.Expr) -> Value:
        """The value, where the condition holds: reads inside are guarded."""
        saved, self.guard = self.guard, fold.conjunction(self.guard, condition)
        try:
            return self.value(expr)
        finally:
            self.guard = saved

    def value(self, expr: n.Expr) -> Value:
        match expr:
            case n.Const():
                return expr
            case n.Null():
                return Ptr(None)
            case n.Special(name):
                return self.special(expr)
            case n.Read(place, volatile):
                return self.read(place, volatile)
            case n.AddressOf(place):
                return self.place(place)
            case n.Unary(op, value):
                return fold.unary(op, self.scalar(value))
            case n.Binary(op, lhs, rhs):
                return self.binary(op, lhs, rhs)
            case n.PointerAdd(pointer, index):
                start = self.as_pointer(self.value(pointer))
                element = pointer.type.element if isinstance(pointer.type, Pointer) else U8
                return start.plus(self.scalar(index), max(1, self.layouts.size(element)))
            case n.PointerDiff(lhs, rhs):
                return self.pointer_difference(expr)
            case n.Select(condition, then, otherwise):
                return self.select(condition, then, otherwise)
            case n.Cast(value, type):
                return self.cast(self.value(value), type)
            case n.Bitcast(value, type):
                return self.as_type(self.scalar(value), scalar_type(type))
            case n.Intrinsic("__fns", args):
                found = self.inline(FIND_NTH_SET, [self.scalar(a) for a in args])
                return self.as_number(found) if found is not None else fold.FALSE
            case n.Intrinsic(name, (pointer,)) if name in ADDRESS_CASTS:
                return self.value(pointer)
            case n.Intrinsic(name, args, type):
                if name.startswith("tex"):
                    return self.fetch(name, args, type)
                if name in ("__isGlobal", "__isShared"):
                    raise refuse(f"{name} has no counterpart", expr.span or self.span)
                if not isinstance(type, Scalar):
                    raise refuse(f"{name} has no counterpart", expr.span or self.span)
                return fold.intrinsic(name, tuple(self.scalar(a) for a in args), type)
            case n.Aggregate(values, type):
                return self.aggregate(values, type)
            case n.Extract(value, name, type):
                return self.extract(self.value(value), value.type, name, type)
            case n.FunctionRef(name):
                return FunctionValue(name)
            case n.OpaqueValue(text, reason):
                raise refuse(f"`{text[:60]}` was not understood: {reason}", expr.span or self.span)

    def special(self, expr: n.Special) -> n.Expr:
        if expr.name == "warp_size":
            return fold.constant(32, I32)
        return expr

    def read(self, place: n.Place, volatile: bool) -> Value:
        if isinstance(place, n.Var):
            found = self.lookup(place.name)
            if found is not None and not isinstance(found, Local):
                is_memory = isinstance(found, Ptr) and isinstance(found.root, Root)
                shared = is_memory and found.root.space in ("shared", "local")  # type: ignore[union-attr]
                if not (shared and not isinstance(place.type, Pointer)):
                    return found
        arms = self.one_of_two(place)
        if arms is not None:
            condition, one, other = arms
            return self.select(condition, n.Read(one, volatile), n.Read(other, volatile))
        return self.read_pointer(self.place(place), place.type, volatile)

    def one_of_two(self, place: n.Place) -> tuple[n.Expr, n.Place, n.Place] | None:
        """`(condition ? &a : &b)->member`, where one is a local variable: two places."""
        match place:
            case n.Deref(n.Select(condition, then, otherwise), index, type):
                if not any(self.is_local(p) for p in (then, otherwise)):
                    return None
                return condition, n.Deref(then, index, type), n.Deref(otherwise, index, type)
            case n.Member(base) | n.Element(base):
                arms = self.one_of_two(base)
                if arms is None:
                    return None
                return arms[0], replace(place, base=arms[1]), replace(place, base=arms[2])
            case _:
                return None

    def is_local(self, pointer: n.Expr) -> bool:
        match pointer:
            case n.AddressOf(place):
                return isinstance(self.lookup(base_name(place)), Local)
            case n.Select(_, then, otherwise):
                return self.is_local(then) or self.is_local(otherwise)
            case _:
                return False

    def binary(self, op: n.BinaryOp, lhs: n.Expr, rhs: n.Expr) -> Value:
        if op in ("&&", "||"):
            left = self.truth(lhs)
            condition = left if op == "&&" else fold.negate(left)
            if isinstance(left, n.Const):
                return self.truth(rhs) if bool(condition.value) else left  # type: ignore[union-attr]
            right = self.as_number(self.lazily(rhs, condition))
            return fold.binary(op, left, right)
        left_value, right_value = self.value(lhs), self.value(rhs)
        if is_shared(left_value) and op in ("+", "-") and not isinstance(right_value, Compound):
            return moved(self.as_pointer(left_value), right_value, 1 if op == "+" else -1)
        if is_shared(right_value) and op == "+" and not isinstance(left_value, Compound):
            return moved(self.as_pointer(right_value), left_value, 1)
        if isinstance(left_value, Ptr) or isinstance(right_value, Ptr):
            return self.compare_pointers(op, left_value, right_value)
        left, right = self.as_number(left_value), self.as_number(right_value)
        if left.type != right.type and op not in ("<<", ">>"):
            right = fold.cast(right, left.type)
        return fold.binary(op, left, right)

    def compare_pointers(self, op: n.BinaryOp, a: Value, b: Value) -> n.Expr:
        left, right = self.as_pointer(a), self.as_pointer(b)
        if left.root == right.root and left.root is not None:
            return fold.binary(op, self.offset(left, 1), self.offset(right, 1))
        if left.root is None and right.root is None:
            return fold.binary(op, fold.i64(left.const), fold.i64(right.const))
        for one, other in ((left, right), (right, left)):
            local = isinstance(one.root, Local) or (
                isinstance(one.root, Root) and one.root.space in ("shared", "local", "global")
            )
            if local and other.root is None and op in ("==", "!="):
                return n.Const(op == "!=", BOOL)
        mine, its = self.as_choice(left.root), self.as_choice(right.root)
        if op in ("==", "!=") and mine is not None and its is not None:
            # An argument may be null; only its address says so.
            may_be_null = any(
                root is not None and root.space == "param" and None in other.roots
                for choice, other in ((mine, its), (its, mine))
                for root in choice.roots
            )
            if not may_be_null:
                return self.same_place(op, mine, its, left, right)
        return fold.binary(op, self.address(left), self.address(right))

    def same_place(
        self, op: n.BinaryOp, one: Choice, another: Choice, left: Ptr, right: Ptr
    ) -> n.Expr:
        """Do they point to the same place? Null is the same at any offset."""
        equal: n.Expr = fold.FALSE
        apart = fold.binary("==", self.offset(left, 1), self.offset(right, 1))
        for i, root in enumerate(one.roots):
            for j, other in enumerate(another.roots):
                if root == other:
                    both = fold.binary(
                        "&&",
                        fold.binary("==", one.selector, fold.constant(i, I32)),
                        fold.binary("==", another.selector, fold.constant(j, I32)),
                    )
                    if root is not None:
                        both = fold.binary("&&", both, apart)
                    equal = fold.binary("||", equal, both)
        return equal if op == "==" else fold.negate(equal)

    def pointer_difference(self, expr: n.PointerDiff) -> n.Expr:
        left, right = self.as_pointer(self.value(expr.lhs)), self.as_pointer(self.value(expr.rhs))
        kind = expr.lhs.type
        size = self.layouts.size(kind.element) if isinstance(kind, Pointer) else 1
        if left.root == right.root and left.root is not None:
            bytes_apart = fold.binary("-", self.offset(left, 1), self.offset(right, 1))
        else:
            bytes_apart = fold.binary("-", self.address(left), self.address(right))
        return fold.binary("/", bytes_apart, fold.i64(size))

    def select(self, condition: n.Expr, then: n.Expr, otherwise: n.Expr) -> Value:
        test = self.truth(condition)
        if isinstance(test, n.Const):
            return self.value(then if test.value else otherwise)
        a = self.lazily(then, test)
        b = self.lazily(otherwise, fold.negate(test))
        return self.choose(test, a, b)

    def choose(self, test: n.Expr, a: Value, b: Value) -> Value:
        if isinstance(a, Ptr) or isinstance(b, Ptr):
            return self.select_pointer(test, a, b)
        if isinstance(a, Agg) and isinstance(b, Agg):
            other = dict(b.leaves)
            return Agg(tuple((o, self.choose(test, v, other[o])) for o, v in a.leaves))
        return fold.select(test, self.as_number(a), self.as_number(b))

    def cast(self, value: Value, type: Type) -> Value:
        if isinstance(type, Pointer):
            return value if isinstance(value, Ptr) else self.as_pointer(value)
        if isinstance(type, Handle):
            return value
        if isinstance(value, FunctionValue):
            return fold.TRUE if type == BOOL else value
        if is_shared(value) and isinstance(type, Scalar) and type.size >= 4:
            return value
        if isinstance(value, Ptr):
            return (
                fold.cast(self.as_number(value), type)
                if type != BOOL
                else fold.binary("!=", self.address(value), fold.i64(0))
            )
        if isinstance(value, Agg | Texture):
            return value
        return fold.cast(value, type)

    def aggregate(self, values: Sequence[n.Expr], type: Type) -> Agg:
        parts = self.layouts.parts(type)
        leaves: list[tuple[int, Value]] = []
        for value, (offset, part) in zip(values, parts, strict=False):
            item = self.value(value)
            if isinstance(item, Agg):
                leaves += [(offset + o, v) for o, v in item.leaves]
            elif isinstance(part, Scalar) and not isinstance(item, Ptr | FunctionValue):
                leaves.append((offset, item))
            else:
                leaves.append((offset, item))
        return Agg(tuple(leaves))

    def extract(self, value: Value, of: Type, name: str, type: Type) -> Value:
        if not isinstance(value, Agg):
            raise refuse("a member of something that is not a struct", self.span)
        start = self.layouts.field_offset(of, name)
        given = dict(value.leaves)
        if isinstance(type, Scalar | Pointer):
            item = given.get(start)
            if item is None:
                return fold.constant(0, type) if isinstance(type, Scalar) else Ptr(None)
            if isinstance(type, Scalar) and not isinstance(item, Compound):
                return self.as_type(item, type)
            return item
        end = start + self.layouts.size(type)
        return Agg(tuple((o - start, v) for o, v in value.leaves if start <= o < end))


def moved(pointer: Ptr, amount: n.Expr, sign: int) -> Ptr:
    """An address of shared memory and a number of bytes, factors of which are kept apart."""
    kind = scalar_type(amount.type)
    match amount:
        case n.Binary("+" | "-" as op, lhs, rhs):
            return moved(moved(pointer, lhs, sign), rhs, sign if op == "+" else -sign)
        case n.Binary("*", lhs, n.Const(factor)):
            return moved(pointer, lhs, sign * int(factor))
        case n.Binary("<<", lhs, n.Const(by)) if 0 <= int(by) < 31:
            return moved(pointer, lhs, sign << int(by))
        case n.Cast(value) if scalar_type(value.type).is_integer and kind.size >= 4:
            return moved(pointer, value, sign)
        case _:
            # Shared memory is small, so what is left of 32 bits is a small number with a sign.
            return pointer.plus(fold.cast(amount, I32) if kind == U32 else amount, sign)
