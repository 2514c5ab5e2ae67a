"""Give a variable a new name where all threads give it a new value.

    let top = -inf; for (...) top = max(top, x)         let top = -inf; ...
    top = all_top                                  ->   let top_2 = all_top
    y = log(sum) + top                                  y = log(sum) + top_2

The old value ends there for everyone, so facts about the new one (that all threads share it, say)
are no longer spoiled by the old.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.lift import flat
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import Node, Var


def split_versions(program: flat.Program) -> None:
    """Rename in place."""
    names = Names()
    for statement in flat.statements(program.body):
        for var in flat.targets(statement):
            names.fresh(var.name)
    for parameter in program.parameters:
        for _, root in parameter.roots:
            names.fresh(root.name)
        for _, var in parameter.scalars:
            names.fresh(var.name)
    _body(program.body, names)


def _body(body: flat.Body, names: Names) -> None:
    declared: set[str] = set()
    for position, statement in enumerate(body):
        if isinstance(statement, flat.Set):
            name = statement.var.name
            if statement.declare:
                declared.add(name)
            elif name in declared and statement.value is not None:
                var = Var(names.fresh(name), statement.var.type)
                # Its own right side still means the old one.
                body[position] = flat.Set(var, statement.value, declare=True)
                _rename(body[position + 1 :], name, var)
                declared.add(var.name)
        for below in flat.bodies(statement):
            _body(below, names)


def _rename(body: flat.Body, old: str, new: Var) -> None:
    def rule(node: Node) -> Node:
        return new if isinstance(node, Var) and node.name == old else node

    map_expressions(body, lambda e: map_nodes(e, rule))
    for statement in flat.statements(body):
        if any(var.name == old for var in flat.targets(statement)):
            flat.retarget(statement, old, replace(new))
