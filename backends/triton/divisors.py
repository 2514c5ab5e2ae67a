"""Divisors that are zero in some lane, though none divides there.

    if (d != 0) y = x / d;      ->      y_value = x_value // _divisor(d)

A tile divides in every lane, also where the source does not. To the compiler a division by zero is
undefined, so that a division says that its divisor is not zero: it may drop the very test that
keeps the lane from it, and a loop that ends when a remainder is zero would never end. So a divisor
is 1 where it is 0, unless it cannot be: a constant, the size of a block or grid, a parameter that
nobody compares with a constant (each thread of the source divides by it as well), and products of
these.
"""

from __future__ import annotations

from crossport.ir.lift import flat
from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    Cast,
    Const,
    Expr,
    Node,
    Read,
    Special,
    Unary,
    Var,
    walk,
)
from crossport.ir.types import BOOL


def trusted_parameters(program: flat.Program) -> set[str]:
    """The scalars among a program's parameters that nothing tests and nothing assigns."""
    names = {var.name for parameter in program.parameters for _, var in parameter.scalars}
    for statement in flat.statements(program.body):
        names -= {var.name for var in flat.targets(statement)}
        for expr in flat.expressions(statement):
            for node in walk(expr):
                names -= _tested(node)
    return names


def is_never_zero(divisor: Expr, trusted: set[str]) -> bool:
    """May a lane divide by it whether or not it means to?"""
    match divisor:
        case Const(value):
            return bool(value)
        case Special(name):
            return name.startswith(("block_dim", "grid_dim")) or name == "warp_size"
        case Read(Var(name)):
            return name in trusted
        case Cast(inner):
            return is_never_zero(inner, trusted)
        case Binary("*", left, right):
            return is_never_zero(left, trusted) and is_never_zero(right, trusted)
        case _:
            return False


def _tested(node: Node) -> set[str]:
    """The variable that a node compares with a constant, or takes for a truth value."""
    match node:
        case Binary(op, left, right) if op in COMPARISONS:
            sides = (_stripped(left), _stripped(right))
            if any(isinstance(side, Const) for side in sides):
                return _names(*sides)
        case Unary("!", value):
            return _names(_stripped(value))
        case Cast(value, kind) if kind == BOOL:
            return _names(_stripped(value))
    return set()


def _stripped(expr: Expr) -> Expr:
    while isinstance(expr, Cast):
        expr = expr.value
    return expr


def _names(*exprs: Expr) -> set[str]:
    return {e.place.name for e in exprs if isinstance(e, Read) and isinstance(e.place, Var)}
