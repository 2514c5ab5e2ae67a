"""Along which axes of a block of several axes does a value differ?

    index_y * width                    y: a column of values, broadcast where it meets others
    sum = 0; for (...) sum += x[i]     y, x: written more than once, so as large as it ever gets

Values keep the smallest shape, which saves index arithmetic; what is written in several places, or
under a mask, has the whole block's.
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.lift.uniform import Uniformity
from crossport.ir.nodes import Binary, Cast, Const, Expr, Special, Var, walk
from crossport.ir.tile.retile import index_var

ROWS = frozenset("y")
LANES = frozenset("x")


class Extents:
    """The answer for one program with free axes; without several axes nothing is narrow."""

    def __init__(
        self, program: flat.Program, facts: Uniformity, dimensions: tuple[str, ...]
    ) -> None:
        self.facts = facts
        self.whole = frozenset(dimensions)
        self.axes: dict[str, frozenset[str]] = {index_var(a).name: frozenset(a) for a in dimensions}
        # Of a tile of (blocks, threads).
        self.specials = {"block.x": frozenset("y")}
        self.axes["lane"] = frozenset("x")
        self.writes = Counter(
            v.name for s in flat.statements(program.body) for v in flat.targets(s)
        )
        for statement in flat.statements(program.body):
            if isinstance(statement, flat.Set) and self._is_single(statement):
                assert statement.value is not None
                self.axes[statement.var.name] = self.of(statement.value)
            if isinstance(statement, flat.LaneReduce) and statement.scan is None:
                self.axes[statement.var.name] = ROWS
            if isinstance(statement, flat.Load) and id(statement) in self.by_row(program):
                self.axes[statement.var.name] = ROWS
            if isinstance(statement, flat.Load) and id(statement) in self.by_lane(program):
                self.axes[statement.var.name] = LANES

    def by_lane(self, program: flat.Program) -> set[int]:
        """Loads of a tile of (blocks, threads) that all blocks make alike: one row is enough."""
        if not self.facts.blocks:
            return set()
        found: set[int] = set()

        def visit(body: flat.Body) -> None:
            for statement in body:
                if isinstance(statement, flat.Load) and self.is_lane_load(statement):
                    found.add(id(statement))
                if id(statement) not in self.facts.divergent:
                    for below in flat.bodies(statement):
                        visit(below)

        if not self.facts.left:
            visit(program.body)
        return found

    def is_lane_load(self, load: flat.Load) -> bool:
        """Does the place depend on the thread alone?"""
        exprs = [load.ref.index, *([load.guard] if load.guard is not None else [])]
        single = self.writes[load.var.name] == 1
        return (
            self.of(load.ref.index) == LANES and single and all(self.of(e) <= LANES for e in exprs)
        )

    def by_row(self, program: flat.Program) -> set[int]:
        """Statements that run for whole blocks of a tile of (blocks, threads), or by one thread
        for all of its block: which take part is a question of rows."""
        if not self.facts.blocks:
            return set()
        found: set[int] = set()

        def visit(body: flat.Body) -> None:
            for statement in body:
                if isinstance(statement, flat.Load) and self.is_row_load(statement):
                    found.add(id(statement))
                if isinstance(statement, flat.Branch):
                    test = row_test(statement.condition, self)
                    if test is not None:
                        visit(statement.then)
                        if test is not fold.TRUE:
                            visit(statement.otherwise)

        visit(program.body)
        return found

    def is_row_load(self, load: flat.Load) -> bool:
        """Has each block one place to load from?"""
        varies = not self.facts.is_uniform(load.ref.index)
        exprs = [load.ref.index, *([load.guard] if load.guard is not None else [])]
        single = self.writes[load.var.name] == 1
        return varies and single and all(self.of(e) <= ROWS for e in exprs)

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
            if isinstance(node, Special) and node.name in self.facts.special:
                found |= self.specials.get(node.name, frozenset("x"))
        return found

    def is_narrow(self, expr: Expr) -> bool:
        """Has the value fewer dimensions than the block?"""
        return bool(self.whole) and self.of(expr) != self.whole

    def must_spread(self, statement: flat.Set) -> bool:
        """Must a narrow value be given the whole shape, for its variable has that elsewhere?"""
        if statement.value is None or self._is_single(statement):
            return False
        is_narrow = self.is_narrow(statement.value)
        return is_narrow and statement.var.name in self.facts.varying


def row_test(condition: Expr, extents: Extents) -> Expr | None:
    """The condition as one on blocks; TRUE for "the first thread", None if it is something else."""
    if extents.of(condition) <= ROWS:
        return condition
    match condition:
        case Binary("==", Cast(Special("thread.x")), Const(0)):
            return fold.TRUE
        case Binary("&&", lhs, rhs):
            both = [row_test(lhs, extents), row_test(rhs, extents)]
            if both[0] is None or both[1] is None or fold.TRUE not in both:
                return None
            other = both[1] if both[0] is fold.TRUE else both[0]
            return fold.TRUE if other is fold.TRUE else None
        case _:
            return None
