"""Calls: the function's body, in place of the call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.jumps import drop_tail_leaves, uses_label
from crossport.ir.lift.flatten.names_in import assigned
from crossport.ir.lift.flatten.recursion import Recursion
from crossport.ir.lift.flatten.values import FunctionValue, Local, Ptr, Target, Value, refuse
from crossport.ir.lift.layout import is_function
from crossport.ir.types import U64, Array, Handle, Pointer, Scalar, Struct, Type

MOST_INLINE_DEPTH = 40


class Calls(Recursion):
    """Inlining, with the callee's names in a scope of their own."""

    def call(self, stmt: n.Call) -> None:
        if isinstance(stmt.function, str):
            name = stmt.function
        else:
            value = self.value(stmt.function)
            if not isinstance(value, FunctionValue):
                self.call_one_of(stmt, self.as_number(value))
                return
            name = value.name
        try:
            function = self.module.function(name)
        except KeyError:
            raise refuse(f"{name} is not defined here", stmt.span or self.span) from None
        result = self.inline(function, [self.value(a) for a in stmt.args])
        if stmt.target is not None and result is not None:
            self.assign(stmt.target, result)

    def call_one_of(self, stmt: n.Call, number: n.Expr) -> None:
        """A call through a pointer: a branch for each function that it may be."""
        chosen = self.fresh("function", U64)
        self.emit(flat.Set(chosen, fold.cast(number, U64), declare=True))
        args = [self.value(a) for a in stmt.args]
        kept = [self.frozen(a, "argument") if isinstance(a, Ptr) else a for a in args]
        candidates = self.candidates(stmt)
        if not candidates:
            raise refuse("a call through a pointer to no function here", stmt.span or self.span)
        for function in candidates:
            test = fold.binary("==", n.Read(chosen), self.function_number(function.name))
            with self.collecting() as body:
                result = self.inline(function, kept)
                if stmt.target is not None and result is not None:
                    self.assign(stmt.target, result)
            self.emit(flat.Branch(test, body))

    def candidates(self, stmt: n.Call) -> list[n.Function]:
        """The functions whose address is taken and that such a call can call."""
        taken = {
            node.name
            for part in (*self.module.functions, *self.module.globals)
            for node in n.walk(part)
            if isinstance(node, n.FunctionRef)
        }
        wanted = [a.type for a in stmt.args]
        result = stmt.target.type if stmt.target is not None else None
        return [
            f for f in self.module.functions
            if f.name in taken
            and len(f.params) == len(wanted)
            and all(_alike(p.type, type) for p, type in zip(f.params, wanted, strict=True))
            and (result is None or f.result == result)
        ]  # fmt: skip

    def inline(self, function: n.Function, args: Sequence[Value]) -> Value | None:
        """The function's body, here; its result."""
        if function.name in self.activations:
            return self.call_again(function, args)
        if function.name in self.active:
            raise refuse(f"{function.name} calls itself through others in two ways", self.span)
        if self.calls_itself(function) and not self.activations:
            return self.run_with_stack(function, args)
        if len(self.active) > MOST_INLINE_DEPTH:
            raise refuse("calls nest too deeply", self.span)
        written = assigned(function)
        self.written.append(written)
        scope: dict[str, Local | Value] = {}
        for param, value in zip(function.params, args, strict=True):
            if (
                (isinstance(value, FunctionValue) and param.name not in written)
                or (isinstance(param.type, Handle) and not is_function(param.type))
                or (isinstance(value, n.Const) and param.name not in written)
            ):
                scope[param.name] = value
            elif (
                isinstance(value, Ptr)
                and isinstance(param.type, Pointer)
                and param.name not in written
            ):
                scope[param.name] = self.frozen(value, param.name)
            else:
                scope[param.name] = self.local(param.name, param.type, value)
        result: Local | None = None
        if isinstance(function.result, Scalar | Pointer | Struct | Array):
            result = self.local(f"{_short(function.name)}_result", function.result, None)
        label = self.names.fresh(_short(function.name) + "_end", keep_first=False)
        self.scopes.append(scope)
        self.active.append(function.name)
        self.declare_shared(function)
        self.targets.append(Target("function", label, result=result))
        body = self.block(function.body)
        self.targets.pop()
        self.active.pop()
        self.scopes.pop()
        self.written.pop()
        drop_tail_leaves(body, label)
        if uses_label(body, label):
            self.emit(flat.Scope(label, body))
        else:
            self.out.extend(body)
        return self.read_local(result, function.result, 0) if result is not None else None

    def declare_shared(self, function: n.Function) -> None:
        for var in function.shared:
            dynamic = isinstance(var.type, Array) and self.layouts.size(var.type) == 0
            key = "dynamic_shared" if dynamic else self.names.fresh(var.name)
            root = next((r for r in self.shared if r.name == key), None)
            if root is None:
                size = self.layouts.size(var.type)
                kind = var.type
                while dynamic and isinstance(kind, Array):
                    kind = kind.element
                root = Root(key, "shared", self.layouts.natural(kind), size)
                self.shared.append(root)
            self.scopes[-1][var.name] = Ptr(root)


def _alike(one: Type, other: Type) -> bool:
    return one == other or (isinstance(one, Pointer) and isinstance(other, Pointer))


def _short(name: str) -> str:
    return re.split(r"[<(]", name)[0].rsplit("::", 1)[-1] or "call"
