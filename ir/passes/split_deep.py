"""Give the inner parts of an expression that nests very deep names of their own.

    x = a + b + c + ... + z         let _part = a + b + ...      (the first DEEP levels)
                              ->    x = _part + ... + z

Expressions have no side effects, so a part can be computed just before its statement. Two things
stay where they are: what a lazy operator may skip, if it reads memory or divides, and conditions of
loops, which are computed again each round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crossport.ir.nodes import (
    Binary,
    Block,
    Deref,
    DoWhile,
    Element,
    Expr,
    For,
    Function,
    Let,
    Node,
    Read,
    Select,
    Stmt,
    Var,
    While,
    fields_with_nodes,
    walk,
)
from crossport.ir.passes.usage import Names
from crossport.ir.rewrite import rewrite_statements
from crossport.ir.types import Pointer, Scalar

DEEP = 40


def split_deep(function: Function, deep: int = DEEP) -> Function:
    """The function with no expression much deeper than `deep` levels, where that can be had."""
    names = Names(function)

    def rule(statement: Stmt) -> Block:
        if isinstance(statement, For | While | DoWhile):
            return (statement,)
        splitter = _Splitter(names, deep)
        copy = splitter.statement(statement)
        return (*splitter.parts, copy)

    return rewrite_statements(function, rule)


class _Splitter:
    """Takes parts out of the expressions of one statement."""

    def __init__(self, names: Names, deep: int) -> None:
        self.names = names
        self.deep = deep
        self.parts: list[Stmt] = []

    def statement(self, statement: Stmt) -> Stmt:
        changes: dict[str, Any] = {}
        for name in fields_with_nodes(type(statement)):
            value = getattr(statement, name)
            if name in ("then", "otherwise", "cases"):
                continue  # blocks: their statements have had their turn
            if isinstance(value, Node):
                changes[name] = self.split(value, lazy=False)[0]
            elif isinstance(value, tuple):
                changes[name] = tuple(self.split(v, lazy=False)[0] for v in value)
        if all(changes[name] is getattr(statement, name) for name in changes):
            return statement
        return replace(statement, **changes)

    def split(self, node: Node, *, lazy: bool) -> tuple[Any, int]:
        """The node with nothing deeper than that below it, and how deep it is now."""
        changes: dict[str, Any] = {}
        deepest = 0
        for name in fields_with_nodes(type(node)):
            value = getattr(node, name)
            is_lazy = lazy or _is_lazy(node, name)
            if isinstance(value, tuple):
                found = [self.below(v, is_lazy) for v in value]
                if any(new is not old for (new, _), old in zip(found, value, strict=True)):
                    changes[name] = tuple(new for new, _ in found)
                deepest = max([deepest, *(depth for _, depth in found)])
            elif isinstance(value, Node):
                new, depth = self.below(value, is_lazy)
                if new is not value:
                    changes[name] = new
                deepest = max(deepest, depth)
        return (replace(node, **changes) if changes else node), deepest + 1

    def below(self, node: Node, lazy: bool) -> tuple[Any, int]:
        new, depth = self.split(node, lazy=lazy)
        kind = getattr(new, "type", None)
        if (
            depth < self.deep
            or not isinstance(new, Expr)
            or not isinstance(kind, Scalar | Pointer)
            or (lazy and not _is_harmless(new))
        ):
            return new, depth
        var = Var(self.names.fresh("_part"), kind)
        self.parts.append(Let(var, new, span=new.span))
        return Read(var, span=new.span), 2


def _is_lazy(node: Node, field: str) -> bool:
    """Is the operand only computed if another one says so?"""
    match node:
        case Select():
            return field != "condition"
        case Binary(op):
            return op in ("&&", "||") and field == "rhs"
        case _:
            return False


def _is_harmless(expr: Expr) -> bool:
    """May it be computed where nobody asks for it?"""
    return not any(
        isinstance(node, Deref | Element) or (isinstance(node, Binary) and node.op in ("/", "%"))
        for node in walk(expr)
    )
