"""Along which axes of a block of several axes does a value differ?

    index_y * width                    y: a column of values, broadcast where it meets others
    sum = 0; for (...) sum += x[i]     y, x: written more than once, so as large as it ever gets

Values keep the smallest shape, which saves index arithmetic; what is written in several places, or
under a mask, has the whole block's.
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat
from crossport.ir.lift.uniform import Uniformity
from crossport.ir.nodes import Expr, Var, walk
from crossport.ir.tile.retile import index_var


class Extents:
    """The answer for one program with free axes; without several axes nothing is narrow."""

    def __init__(
        self, program: flat.Program, facts: Uniformity, dimensions: tuple[str, ...]
    ) -> None:
        self.facts = facts
        self.whole = frozenset(dimensions)
        self.axes: dict[str, frozenset[str]] = {index_var(a).name: frozenset(a) for a in dimensions}
        self.writes = Counter(
            v.name for s in flat.statements(program.body) for v in flat.targets(s)
        )
        for statement in flat.statements(program.body):
            if isinstance(statement, flat.Set) and self._is_single(statement):
                assert statement.value is not None
                self.axes[statement.var.name] = self.of(statement.value)

    def _is_single(self, statement: flat.Set) -> bool:
        return (
            statement.value is not None
            and self.writes[statement.var.name] == 1
            and id(statement) not in self.facts.masked_sets
        )

    def of(self, expr: Expr) -> frozenset[str]:
        """The axes along which an expression may differ."""
        found: frozenset[str] = frozenset()
        for node in walk(expr):
            if isinstance(node, Var) and node.name in self.facts.varying:
                found |= self.axes.get(node.name, self.whole)
        return found

    def is_narrow(self, expr: Expr) -> bool:
        """Has the value fewer dimensions than the block?"""
        return self.of(expr) != self.whole

    def must_spread(self, statement: flat.Set) -> bool:
        """Must a narrow value be given the whole shape, for its variable has that elsewhere?"""
        if statement.value is None or self._is_single(statement):
            return False
        is_narrow = self.is_narrow(statement.value)
        return is_narrow and statement.var.name in self.facts.varying
