"""Places: where an lvalue is, and the values behind a pointer."""

from __future__ import annotations

import struct
from dataclasses import replace

from crossport.diagnostics import Code, Span
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.flatten.values import (
    ADDRESS,
    Agg,
    Choice,
    FunctionValue,
    Local,
    Ptr,
    PtrCell,
    Value,
    refuse,
)
from crossport.ir.lift.flatten.variables import MOST_CELLS, Variables
from crossport.ir.lift.layout import Leaf
from crossport.ir.types import I32, I64, Pointer, Scalar, Type


class Places(Variables):
    """Memory by place."""

    def place(self, place: n.Place) -> Ptr:
        """Where the place is."""
        match place:
            case n.Var(name):
                found = self.lookup(name)
                if found is None:
                    return self.global_variable(name, place.span or self.span)
                if isinstance(found, Local):
                    memory = found.cells.get(-1)
                    return Ptr(memory.root) if isinstance(memory, PtrCell) else Ptr(found)
                if (
                    isinstance(found, Ptr)
                    and isinstance(found.root, Root)
                    and found.root.space in ("shared", "local")
                ):
                    return found
                return Ptr(self.spill(name, place.type, found))
            case n.Element(base, index, type):
                return self.place(base).plus(self.scalar(index), self.layouts.size(type))
            case n.Member(base, name):
                return self.place(base).plus(
                    fold.i64(self.layouts.field_offset(base.type, name)), 1
                )
            case n.Deref(pointer, index, type):
                start = self.as_pointer(self.value(pointer))
                return start.plus(self.scalar(index), self.layouts.size(type))

    def global_variable(self, name: str, span: Span | None) -> Ptr:
        variable = next((g for g in self.module.globals if g.name == name), None)
        if variable is None:
            raise refuse(f"{name} is not defined here", span)
        if name not in self.globals:
            element = self.layouts.natural(variable.type)
            size = self.layouts.size(variable.type)
            root = Root(self.names.fresh(name), variable.space, element, size)
            init = self.global_init(variable, element, span)
            self.globals[name] = flat.GlobalArray(root, size // element.size, init)
        return Ptr(self.globals[name].root)

    def global_init(
        self, variable: n.GlobalVar, element: Scalar, span: Span | None
    ) -> tuple[int | float | bool, ...] | None:
        if variable.init is None:
            return None
        leaves = self.layouts.leaves(variable.type, limit=1 << 20)
        if any(leaf.type != element for leaf in leaves):
            raise refuse(f"{variable.name} is a table of structs with values", span)
        value = self.value(variable.init)
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        numbers: list[int | float | bool] = []
        for leaf in leaves:
            item = given.get(leaf.offset)
            if isinstance(item, FunctionValue):
                item = self.function_number(item.name)
            match item:
                case None:
                    numbers.append(0)
                case n.Const(number):
                    numbers.append(number)
                case n.Bitcast(n.Const(bits), Scalar("f32" | "f64") as kind):
                    word = int(bits).to_bytes(kind.size, "little")
                    numbers.append(struct.unpack("<f" if kind.size == 4 else "<d", word)[0])
                case _:
                    raise refuse(f"{variable.name} has a value that is not constant", span)
        return tuple(numbers)

    def ref(self, pointer: Ptr, type: Scalar) -> Ref:
        """The memory reference for a scalar behind a pointer."""
        root = pointer.root
        if root is None:
            raise refuse("an access through a null pointer", self.span)
        assert isinstance(root, Root)
        whole = pointer.const % type.size == 0 and all(s % type.size == 0 for _, s in pointer.terms)
        if root is ADDRESS:
            whole = False
        unit = type.size if whole else 1
        return Ref(root, self.offset(pointer, unit), type, unit)

    def read_pointer(self, pointer: Ptr, type: Type, volatile: bool) -> Value:
        """The value of a type behind a pointer."""
        if isinstance(pointer.root, Choice):
            return self.read_choice(pointer.root, pointer, type, volatile)
        if isinstance(pointer.root, Local):
            return self.read_local_dynamic(pointer.root, pointer, type)
        leaves = self.layouts.leaves(type, limit=MOST_CELLS)
        values: list[tuple[int, Value]] = []
        for leaf in leaves:
            at = replace(pointer, const=pointer.const + leaf.offset)
            if any(offset == leaf.offset for offset, _ in values):
                continue
            if isinstance(leaf.type, Scalar):
                ref = self.ref(at, leaf.type)
                var = self.fresh(self.load_name(ref, leaf), leaf.type)
                self.steady.add(var.name)
                self.emit(flat.Load(var, ref, self.guard, volatile))
                values.append((leaf.offset, n.Read(var)))
            elif isinstance(leaf.type, Pointer):
                ref = self.ref(at, I64)
                if ref.root.space not in ("param", "global", "constant", "address"):
                    raise refuse(
                        "a pointer kept in shared memory", self.span, Code.POINTER_UNRESOLVED
                    )
                var = self.fresh(f"{ref.root.name}_pointer", I64)
                self.steady.add(var.name)
                self.emit(flat.Load(var, ref, self.guard, volatile))
                values.append((leaf.offset, Ptr(ADDRESS, ((n.Read(var), 1),))))
            else:
                raise refuse(f"a value of type {leaf.type} in memory", self.span)
        if isinstance(type, Scalar | Pointer):
            return values[0][1]
        return Agg(tuple(values))

    def read_choice(self, choice: Choice, pointer: Ptr, type: Type, volatile: bool) -> Value:
        """What the one root of several holds there."""
        result: Value | None = None
        for test, root in self.each_root(choice):
            saved, self.guard = self.guard, fold.conjunction(self.guard, test)
            value = self.read_pointer(replace(pointer, root=root), type, volatile)
            self.guard = saved
            result = value if result is None else self.choose(test, value, result)
        if result is None:
            raise refuse("an access through a null pointer", self.span)
        return result

    def load_name(self, ref: Ref, leaf: Leaf) -> str:
        base = ref.root.name.rstrip("_") if ref.root is not ADDRESS else "loaded"
        return f"{base}_{leaf.path}" if leaf.path else f"{base}_value"

    def write_pointer(self, pointer: Ptr, type: Type, value: Value, volatile: bool) -> None:
        if isinstance(pointer.root, Choice):
            for test, root in self.each_root(pointer.root):
                with self.collecting() as body:
                    self.write_pointer(replace(pointer, root=root), type, value, volatile)
                self.emit(flat.Branch(test, body))
            return
        if isinstance(pointer.root, Local):
            self.write_local_dynamic(pointer.root, pointer, type, value)
            return
        leaves = self.layouts.leaves(type, limit=MOST_CELLS)
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        done: set[int] = set()
        for leaf in leaves:
            if leaf.offset in done:
                continue
            done.add(leaf.offset)
            item = given.get(leaf.offset)
            if item is None:
                if not isinstance(leaf.type, Scalar):
                    raise refuse("a pointer written as zero", self.span)
                item = fold.constant(0, leaf.type)
            at = replace(pointer, const=pointer.const + leaf.offset)
            number = self.as_number(item)
            kind = leaf.type if isinstance(leaf.type, Scalar) else I64
            ref = self.ref(at, kind)
            if not isinstance(leaf.type, Scalar):
                number = fold.cast(number, I64)
            self.emit(flat.Store(ref, self.as_type(number, kind), volatile))

    def write(self, place: n.Place, value: Value, volatile: bool) -> None:
        self.write_pointer(self.place(place), place.type, value, volatile)

    def assign(self, var: n.Var, value: Value) -> None:
        found = self.lookup(var.name)
        if found is None:
            self.scopes[-1][var.name] = self.local(var.name, var.type, value)
            return
        self.write(var, value, False)

    def frozen(self, pointer: Ptr, name: str) -> Ptr:
        """The pointer with its offsets kept in variables, so that later writes do not move it."""
        terms = []
        root = pointer.root
        if isinstance(root, Choice) and not self.is_steady(root.selector):
            selector = self.fresh(f"{name}_root", I32)
            self.steady.add(selector.name)
            self.emit(flat.Set(selector, root.selector, declare=True))
            root = replace(root, selector=n.Read(selector))
        for expr, scale in pointer.terms:
            if isinstance(expr, n.Const) or self.is_steady(expr):
                terms.append((expr, scale))
                continue
            var = self.fresh(f"{name}_offset", I64)
            self.steady.add(var.name)
            self.emit(flat.Set(var, expr, declare=True))
            terms.append((n.Read(var), scale))
        return replace(pointer, root=root, terms=tuple(terms))

    def is_steady(self, expr: n.Expr) -> bool:
        names = {x.name for x in n.walk(expr) if isinstance(x, n.Var)}
        return names <= self.steady
