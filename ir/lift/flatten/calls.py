"""Calls: the function's body, in place of the call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossport.ir import nodes as n
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.jumps import drop_tail_leaves, uses_label
from crossport.ir.lift.flatten.loops import Loops
from crossport.ir.lift.flatten.names_in import assigned
from crossport.ir.lift.flatten.values import FunctionValue, Local, Ptr, Target, Value, refuse
from crossport.ir.types import Array, Handle, Pointer, Scalar, Struct

MOST_INLINE_DEPTH = 40


class Calls(Loops):
    """Inlining, with the callee's names in a scope of their own."""

    def call(self, stmt: n.Call) -> None:
        if isinstance(stmt.function, str):
            name = stmt.function
        else:
            value = self.value(stmt.function)
            if not isinstance(value, FunctionValue):
                raise refuse("a call through a function pointer", stmt.span or self.span)
            name = value.name
        try:
            function = self.module.function(name)
        except KeyError:
            raise refuse(f"{name} is not defined here", stmt.span or self.span) from None
        if name in self.active:
            raise refuse(f"{name} calls itself", stmt.span or self.span)
        if len(self.active) > MOST_INLINE_DEPTH:
            raise refuse("calls nest too deeply", stmt.span or self.span)
        result = self.inline(function, [self.value(a) for a in stmt.args])
        if stmt.target is not None and result is not None:
            self.assign(stmt.target, result)

    def inline(self, function: n.Function, args: Sequence[Value]) -> Value | None:
        """The function's body, here; its result."""
        written = assigned(function)
        self.written.append(written)
        scope: dict[str, Local | Value] = {}
        for param, value in zip(function.params, args, strict=True):
            if (
                isinstance(value, FunctionValue)
                or isinstance(param.type, Handle)
                or (isinstance(value, n.Const) and param.name not in written)
            ):
                scope[param.name] = value
            elif isinstance(value, Ptr) and param.name not in written:
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


def _short(name: str) -> str:
    return re.split(r"[<(]", name)[0].rsplit("::", 1)[-1] or "call"
