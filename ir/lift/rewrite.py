"""Rewrite the expressions of a flat program in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crossport.ir.lift import flat
from crossport.ir.nodes import Expr, Node
from crossport.ir.rewrite import rewrite


def map_expressions(body: flat.Body, rule: Callable[[Expr], Expr]) -> None:
    """Replace every expression of every statement, at any depth, by `rule(expression)`."""
    for statement in flat.statements(body):
        map_own(statement, rule)


def map_own(statement: flat.Statement, rule: Callable[[Expr], Expr]) -> None:
    """Replace the expressions that the statement itself evaluates."""
    match statement:
        case flat.Set():
            if statement.value is not None:
                statement.value = rule(statement.value)
        case flat.Load():
            statement.ref = replace(statement.ref, index=rule(statement.ref.index))
            if statement.guard is not None:
                statement.guard = rule(statement.guard)
        case flat.Store():
            statement.ref = replace(statement.ref, index=rule(statement.ref.index))
            statement.value = rule(statement.value)
        case flat.AtomicUpdate():
            statement.ref = replace(statement.ref, index=rule(statement.ref.index))
            statement.operands = tuple(rule(o) for o in statement.operands)
        case flat.Branch() | flat.Loop():
            statement.condition = rule(statement.condition)
        case flat.Collect():
            statement.predicate = rule(statement.predicate)
        case flat.Exchange():
            statement.value = rule(statement.value)
            statement.lane = rule(statement.lane)
        case flat.Ballot():
            if statement.predicate is not None:
                statement.predicate = rule(statement.predicate)
        case flat.LaneReduce():
            statement.source = rule(statement.source)
        case flat.LaneGather():
            statement.source = rule(statement.source)
            statement.lane = rule(statement.lane)
        case flat.LaneDot():
            statement.a = rule(statement.a)
            statement.b = rule(statement.b)
        case flat.WarpDot():
            statement.a = tuple(rule(x) for x in statement.a)
            statement.b = tuple(rule(x) for x in statement.b)
            statement.c = tuple(rule(x) for x in statement.c)
        case flat.GroupReduce():
            statement.value = rule(statement.value)
        case _:
            pass


def map_nodes(expr: Expr, rule: Callable[[Node], Node]) -> Expr:
    """The expression with `rule` applied to every node, children first."""
    return rewrite(expr, rule)
