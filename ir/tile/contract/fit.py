"""The whole kernel as a contraction: its factors, and what becomes of a total."""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_nodes
from crossport.ir.nodes import Expr, Node, Read, Special, Var, walk
from crossport.ir.tile.contract.form import COLUMN, ROW, TOTAL, Contraction, Operand
from crossport.ir.tile.contract.formulas import Formulas
from crossport.ir.tile.trace import (
    NotTraced,
    Store,
)


class Fitter(Formulas):
    """Fits a trace."""

    def contraction(self) -> Contraction:
        sides = self.sides()
        varying = [self.varying(side) for side in sides]
        if not any(varying):
            raise NotTraced("all threads sum the same products")
        if not varying[0]:
            sides, varying = sides[::-1], varying[::-1]
        self.axes[ROW] = self.axis(ROW, sides[0])
        is_product = varying[1] and not self.follows(sides[1], self.axes[ROW])
        if is_product:
            self.axes[COLUMN] = self.axis(COLUMN, sides[1])
            self.check_grid()
        operands = [
            self.operand(side, [ROW] if not is_product else [name])
            for side, name in zip(sides, (ROW, COLUMN), strict=True)
        ]
        around = [self.bound(c) for c in self.found.around]
        used = {axis.grid.removeprefix("block.") for axis in self.axes.values()}
        body = self.epilogue()
        column = self.axes.get(COLUMN)
        others = self.other_programs(operands, body, used)
        assert self.found.rounds is not None
        return Contraction(
            operands[0], operands[1], self.axes[ROW].grid[-1],
            None if column is None else column.grid[-1],
            (self.axes[ROW].count, 1 if column is None else column.count),
            self.found.rounds, self.per_round,
            tuple(e for axis, e in around if axis != COLUMN),
            tuple(e for axis, e in around if axis == COLUMN), body, others,
        )  # fmt: skip

    def epilogue(self) -> flat.Body:
        """Stores of all totals, as one of the total of a row and a column."""
        groups: dict[tuple[str, str], dict[str, int]] = {}
        for position, store in enumerate(self.found.stores):
            used = [n for n in self.names if n in _names(store.value)]
            if len(used) != 1:
                raise NotTraced("a store that is not about one total")
            key = (store.ref.root.name, repr(self.neutral(store.value, used[0])))
            if used[0] in groups.setdefault(key, {}):
                raise NotTraced("a total that is stored twice")
            groups[key][used[0]] = position
        body: flat.Body = []
        factors = {
            self.found.elements[int(c) // self.found.threads].load.ref.root.name
            for pairs in self.found.totals.values()
            for pair in pairs
            for c in (pair.left.codes[0], pair.right.codes[0])
        }
        for (root, _), members in groups.items():
            if set(members) != set(self.names):
                raise NotTraced("only some totals are stored")
            if root in factors:
                raise NotTraced("it writes what it multiplies")
            body += self.stored([self.found.stores[members[n]] for n in self.names])
        return body

    def neutral(self, value: Expr, name: str) -> Expr:
        """A stored value with the total and the loads by their order."""
        order: dict[str, str] = {name: TOTAL.name}

        def rule(node: Node) -> Node:
            if isinstance(node, Read) and isinstance(node.place, Var):
                var = node.place
                if var.name in self.found.loads:
                    order.setdefault(var.name, f"loaded_{len(order)}")
                if var.name in order:
                    return Read(Var(order[var.name], var.type))
            return node

        return map_nodes(value, rule)

    def stored(self, stores: list[Store]) -> flat.Body:
        names = list(self.axes)
        first = stores[0]
        loads = [
            [n for n in dict.fromkeys(_names(s.value)) if n in self.found.loads] for s in stores
        ]
        value = self.neutral(first.value, self.names[0])
        tests = [s.conditions for s in stores]
        for conditions in tests:
            if not all(any(a.same(c) for c in conditions) for a in self.found.around):
                raise NotTraced("a total is stored where it was not summed")
        guards = self.masks(tests, names)
        index = self.joined([s.index for s in stores], names)
        ref = replace(first.ref, index=self.text(index))
        inner: flat.Body = []
        for position in range(len(loads[0])):
            mine = [self.found.loads[row[position]] for row in loads]
            load, _, _ = mine[0]
            if len({m[0].ref.root.name for m in mine}) != 1:
                raise NotTraced("totals are joined by elements of different arrays")
            place = self.text(self.joined([m[1] for m in mine], names))
            if load.ref.root == ref.root and place != ref.index:
                raise NotTraced("it reads elsewhere in the array that it writes")
            own = [
                tuple(c for c in m[2] if not any(c.same(t) for t in conditions))
                for m, conditions in zip(mine, tests, strict=True)
            ]
            only: Expr | None = None
            for mask in self.masks(own, names):
                only = fold.conjunction(only, mask)
            var = Var(f"loaded_{position + 1}", load.var.type)
            inner.append(flat.Load(var, replace(load.ref, index=place), only))
        inner.append(flat.Store(ref, value))
        test: Expr | None = None
        for guard in guards:
            test = fold.conjunction(test, guard)
        return inner if test is None else [flat.Branch(test, inner)]

    def other_programs(
        self, operands: list[Operand], body: flat.Body, used: set[str]
    ) -> tuple[str, ...]:
        texts = [o.ref.index for o in operands] + [m for o in operands for m in o.mask]
        texts += [e for s in flat.statements(body) for e in flat.expressions(s)]
        if self.found.rounds is not None:
            texts.append(self.found.rounds)
        found = {x.name for e in texts for x in walk(e) if isinstance(x, Special)}
        if any(not n.startswith("block.") for n in found):
            raise NotTraced("it depends on the launch's size")
        return tuple(a for a in "xyz" if f"block.{a}" in found and a not in used)


def _names(expr: Expr) -> list[str]:
    return [x.name for x in walk(expr) if isinstance(x, Var)]
