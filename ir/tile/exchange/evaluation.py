"""Expressions: concrete numbers, a lane's own value, or nodes of others' values."""

from __future__ import annotations

import numpy as np

from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.tile.exchange.arithmetic import computed, converted, wrapped
from crossport.ir.tile.exchange.state import State
from crossport.ir.tile.exchange.values import OWN, Nodes
from crossport.ir.tile.graph import AC_OPERATORS, Ids
from crossport.ir.types import BOOL, Scalar


class Evaluation(State):
    """The value of an expression in all lanes."""

    def evaluate(self, expr: Expr) -> object:
        """Concrete numbers, OWN, or Nodes."""
        result = self._evaluate(expr)
        # NumPy makes plain numbers of what has no dimensions.
        return np.asarray(result) if isinstance(result, np.generic) else result

    def _evaluate(self, expr: Expr) -> object:
        match expr:
            case Const(value, kind):
                dtype = np.bool_ if kind == BOOL else np.float64 if kind.is_float else np.int64
                return np.asarray(value, dtype)
            case Special(name):
                if name in self.special:
                    return self.special[name]
                axis = "xyz".index(name[-1])
                if name.startswith("block_dim"):
                    return np.asarray(self.block[axis], np.int64)
                return OWN
            case Read(Var(name)):
                return self.env.get(name, OWN)
            case Binary(op, lhs, rhs):
                return self.operate(op, expr, lhs, rhs)
            case Intrinsic(name, (lhs, rhs)):
                return self.operate(name, expr, lhs, rhs)
            case Cast(value, kind):
                inner = self.evaluate(value)
                if isinstance(inner, np.ndarray) and isinstance(kind, Scalar):
                    return converted(inner, value.type, kind)  # type: ignore[arg-type]
                return OWN
            case Unary(op, value):
                inner = self.evaluate(value)
                if isinstance(inner, np.ndarray):
                    if op == "!":
                        return ~inner.astype(bool)
                    return wrapped(-inner if op == "-" else ~inner, expr.type)
                return OWN
            case Select(condition, then, otherwise):
                test, a, b = (self.evaluate(x) for x in (condition, then, otherwise))
                if isinstance(test, np.ndarray):
                    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
                        return np.where(test, a, b)
                    if isinstance(a, Nodes) or isinstance(b, Nodes):
                        x, y = self.as_nodes(a, then), self.as_nodes(b, otherwise)
                        mask = np.broadcast_to(test, (self.threads,)).astype(bool)
                        return Nodes(np.where(mask, x, y))
                return OWN
            case _:
                return OWN

    def as_nodes(self, value: object, expr: Expr) -> Ids:
        if isinstance(value, Nodes):
            return value.ids
        if isinstance(value, np.ndarray):
            return self.constants(value)
        return self.atoms(self.force(expr))

    def operate(self, op: str, expr: Expr, lhs: Expr, rhs: Expr) -> object:
        a, b = self.evaluate(lhs), self.evaluate(rhs)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            result = computed(op, a, b, lhs.type, expr.type)
            return OWN if result is None else result
        if op in AC_OPERATORS and (isinstance(a, Nodes) or isinstance(b, Nodes)):
            return Nodes(self.graph.apply(op, self.as_nodes(a, lhs), self.as_nodes(b, rhs)))
        return OWN
