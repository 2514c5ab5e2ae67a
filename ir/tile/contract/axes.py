"""Number the rows and the columns that the elements of a trace differ by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossport.ir.tile.contract.form import COLUMN, ROW
from crossport.ir.tile.polynomial import Lanes, Monomial, Poly
from crossport.ir.tile.trace import (
    Conditions,
    NotTraced,
    Trace,
)
from crossport.ir.types import I32, I64


@dataclass
class Axis:
    """A numbering of rows or columns: `number[total, thread]`, `count` of them a block."""

    name: str
    number: Lanes
    count: int
    grid: str = ""
    """The block number that goes with it."""


class Axes:
    """Elements by (total, product, thread), and the axes they lie along."""

    def __init__(self, found: Trace) -> None:
        self.found = found
        self.names = list(found.totals)
        counts = {len(p) for p in found.totals.values()}
        if len(counts) != 1:
            raise NotTraced("the totals sum different numbers of products")
        self.per_round = counts.pop()
        self.kind = I64 if found.wide else I32
        self.axes: dict[str, Axis] = {}

    def sides(self) -> list[Lanes]:
        """Codes by (total, product, thread) of the left and of the right factors."""
        keys: list[tuple[str, str]] | None = None
        sides: list[list[list[Lanes]]] = [[], []]
        for name in self.names:
            rows: list[list[Lanes]] = [[], []]
            for pair in self.found.totals[name]:
                codes = [pair.left.codes, pair.right.codes]
                mine = [self.key(c) for c in codes]
                keys = keys or mine
                if mine != keys:
                    codes, mine = codes[::-1], mine[::-1]
                if mine != keys:
                    raise NotTraced("the totals sum products of different arrays")
                for row, c in zip(rows, codes, strict=True):
                    row.append(c)
            for side, row in zip(sides, rows, strict=True):
                side.append(row)
        return [np.array(side) for side in sides]

    def key(self, codes: Lanes) -> tuple[str, str]:
        elements = [self.found.elements[n] for n in np.unique(codes // self.found.threads)]
        keys = {(e.load.ref.root.name, repr(e.value)) for e in elements}
        if len(keys) != 1:
            raise NotTraced("a factor comes from different arrays")
        return keys.pop()

    def polynomials(self, codes: Lanes, of: list[Poly]) -> dict[Monomial, Lanes]:
        """Coefficients of what each element has, in the shape of the codes."""
        number, thread = codes // self.found.threads, codes % self.found.threads
        result: dict[Monomial, Lanes] = {}
        for n in np.unique(number):
            chosen = number == n
            for monomial, coefficients in of[n].terms.items():
                into = result.setdefault(monomial, np.zeros(codes.shape, np.int64))
                into[chosen] = coefficients[thread[chosen]]
        return result

    def indices(self, side: Lanes) -> dict[Monomial, Lanes]:
        return self.polynomials(side, [e.index for e in self.found.elements])

    def conditions(self, side: Lanes) -> list[tuple[bool, dict[Monomial, Lanes]]]:
        """The masks of a side's elements, one after the other, but for those around the loop."""
        own: dict[int, Conditions] = {}
        for n in np.unique(side // self.found.threads):
            element = self.found.elements[n]
            own[n] = tuple(
                c for c in element.conditions if not any(c.same(a) for a in self.found.around)
            )  # fmt: skip
        counts = {len(c) for c in own.values()}
        if len(counts) != 1:
            raise NotTraced("elements of one array have different masks")
        found = []
        for position in range(counts.pop()):
            kinds = {c[position].is_equal for c in own.values()}
            if len(kinds) != 1:
                raise NotTraced("elements of one array have different masks")
            polys = [Poly({})] * len(self.found.elements)
            for n, c in own.items():
                polys[n] = c[position].poly
            found.append((kinds.pop(), self.polynomials(side, polys)))
        return found

    def first(self, side: Lanes) -> dict[Monomial, Lanes]:
        """The places of each round's first product."""
        return {m: c[:, 0, :] for m, c in self.indices(side).items()}

    def varying(self, side: Lanes) -> bool:
        return any((c != c[0, 0]).any() for c in self.first(side).values())

    def axis(self, name: str, side: Lanes) -> Axis:
        """Number what a side's places differ by between threads and totals."""
        places = self.first(side)
        values = next(c for _, c in sorted(places.items()) if (c != c[0, 0]).any())
        distinct = np.unique(values)
        steps = np.diff(distinct)
        if (steps != steps[0]).any():
            raise NotTraced(f"{name}s at irregular distances")
        number = (values - distinct[0]) // steps[0]
        axis = Axis(name, number, len(distinct))
        slopes = {m: self.slope(c, axis) for m, c in places.items()}
        grids = {s for m in places for s in m if s.startswith("block.")}
        for grid in sorted(grids):
            moved = {without(m, grid): int(c[0, 0]) for m, c in places.items() if grid in m}
            wanted = {m: axis.count * s for m, s in slopes.items() if s}
            if moved == wanted:
                axis.grid = grid
                return axis
        raise NotTraced(f"blocks do not go on where the {name}s of the last end")

    def slope(self, values: Lanes, axis: Axis) -> int:
        low, high = values[axis.number == 0], values[axis.number == 1]
        slope = int(high[0] - low[0])
        if (values != low[0] + slope * axis.number).any():
            raise NotTraced(f"places that are not affine in the {axis.name}")
        return slope

    def follows(self, side: Lanes, axis: Axis) -> bool:
        """Do a side's places depend on this axis alone?"""
        try:
            for values in self.first(side).values():
                self.slope(values, axis)
        except NotTraced:
            return False
        return True

    def check_grid(self) -> None:
        row, column = self.axes[ROW], self.axes[COLUMN]
        if row.grid == column.grid:
            raise NotTraced("rows and columns move together")
        pairs = np.unique(row.number * column.count + column.number)
        if len(pairs) != row.count * column.count or len(pairs) != row.number.size:
            raise NotTraced("not every pair of a row and a column has one total")


def without(monomial: Monomial, symbol: str) -> Monomial:
    names = list(monomial)
    names.remove(symbol)
    return tuple(names)
