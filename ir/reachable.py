"""Which functions a kernel may call, itself included."""

from __future__ import annotations

from collections.abc import Iterator

from crossport.ir.nodes import Call, Function, FunctionRef, Module, Var, walk


def reachable(module: Module, kernel: Function) -> Iterator[Function]:
    """The kernel and every function that it may call."""
    functions = {f.name: f for f in module.functions}
    tables = {
        g.name: [n.name for n in walk(g.init) if isinstance(n, FunctionRef)]
        for g in module.globals
        if g.init is not None
    }
    seen: set[str] = set()
    pending = [kernel.name]
    while pending:
        name = pending.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        function = functions[name]
        yield function
        for statement in function.body:
            for node in walk(statement):
                if isinstance(node, Call) and isinstance(node.function, str):
                    pending.append(node.function)
                elif isinstance(node, FunctionRef):
                    pending.append(node.name)
                elif isinstance(node, Var):
                    pending += tables.get(node.name, ())
