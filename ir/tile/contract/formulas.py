"""Places and masks as formulas of row, column and inner number, verified at each thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from crossport.ir.lift import fold
from crossport.ir.nodes import Binary, Expr, Read, Var
from crossport.ir.tile.contract.axes import Axes, without
from crossport.ir.tile.contract.form import INNER, Operand
from crossport.ir.tile.polynomial import Lanes, Monomial, Poly
from crossport.ir.tile.trace import (
    NOWHERE,
    ROUND,
    Condition,
    Conditions,
    Element,
    NotTraced,
)


@dataclass
class Affine:
    """Coefficients by monomial: `base + slopes[axis] * axis`, an integer each."""

    base: dict[Monomial, int] = field(default_factory=dict)
    slopes: dict[str, dict[Monomial, int]] = field(default_factory=dict)


class Formulas(Axes):
    """Formulas of the axes."""

    def affine(self, places: dict[Monomial, Lanes], names: list[str]) -> Affine:
        """Places by (total, thread) as a formula of the axes; verified at each."""
        result = Affine(slopes={n: {} for n in names})
        axes = [self.axes[n] for n in names]
        grids = {a.grid: a for a in self.axes.values()}
        for monomial, values in places.items():
            rest, bases = values, 0
            corner = np.ones(values.shape, bool)
            for axis in axes:
                corner &= axis.number == 0
            bases = int(values[corner][0])
            rest = values - bases
            for axis in axes:
                along = np.ones(values.shape, bool)
                for other in axes:
                    along &= other.number == (1 if other is axis else 0)
                slope = int(rest[along][0]) if axis.count > 1 else 0
                if slope:
                    result.slopes[axis.name][monomial] = slope
                rest = rest - slope * axis.number
            if rest.any():
                raise NotTraced("places that are not affine in row and column")
            if bases:
                result.base[monomial] = bases
        for grid, axis in grids.items():
            moved = {without(m, grid): c for m, c in result.base.items() if grid in m}
            slopes = result.slopes.get(axis.name, {})
            if any(grid in m for s in result.slopes.values() for m in s):
                raise NotTraced("places that depend on the block in another way")
            if moved != {m: axis.count * s for m, s in slopes.items()}:
                raise NotTraced("places that depend on the block in another way")
            result.base = {m: c for m, c in result.base.items() if grid not in m}
        return result

    def stepped(self, places: dict[Monomial, Lanes], names: list[str]) -> Affine:
        """Places by (total, product, thread), the inner axis included."""
        step: dict[Monomial, int] = {}
        for monomial, values in places.items():
            moves = np.diff(values, axis=1)
            if moves.size and (moves != moves.flat[0]).any():
                raise NotTraced("products that are not evenly spaced")
            if moves.size and moves.flat[0]:
                step[monomial] = int(moves.flat[0])
        flat_places = {m: c[:, 0, :] for m, c in places.items()}
        whole = self.affine({m: c for m, c in flat_places.items() if ROUND not in m}, names)
        rounds = self.affine({m: c for m, c in flat_places.items() if ROUND in m}, names)
        if any(s for s in rounds.slopes.values()) or any(ROUND in m for m in step):
            raise NotTraced("rounds that move rows and columns differently")
        moved = {without(m, ROUND): c for m, c in rounds.base.items()}
        if any(ROUND in m for m in moved):
            raise NotTraced("places that are not affine in the round")
        if self.per_round == 1:
            step = moved
        elif moved != {m: self.per_round * c for m, c in step.items()}:
            raise NotTraced("rounds do not go on where the last one ended")
        whole.slopes[INNER] = step
        return whole

    def operand(self, side: Lanes, names: list[str]) -> Operand:
        number = int(side.flat[0]) // self.found.threads
        element: Element = self.found.elements[number]
        if element.load.ref.root == NOWHERE:
            ref, index = element.load.ref, Affine()
        else:
            index = self.stepped(self.indices(side), names)
            ref = replace(element.load.ref, index=self.text(index))
        masks = [
            self.comparison(self.stepped(c, names), is_equal)
            for is_equal, c in self.conditions(side)
        ]
        contiguous = index.slopes.get(INNER, {}) == {(): 1}
        return Operand(ref, tuple(masks), element.value, contiguous)

    def bound(self, condition: Condition) -> tuple[str, Expr]:
        """A condition around the loop, and the axis that it is about."""
        places = {
            m: np.broadcast_to(c, (len(self.names), self.found.threads))
            for m, c in condition.poly.terms.items()
        }
        for name in self.axes:
            try:
                fitted = self.affine(places, [name])
            except NotTraced:
                continue
            return name, self.comparison(fitted, condition.is_equal)
        raise NotTraced("a condition on rows and columns together")

    def text(self, affine: Affine) -> Expr:
        """The formula as an expression: `row * K + inner`."""
        total: Expr | None = None
        monomials = {**affine.base, **{m: 0 for s in affine.slopes.values() for m in s}}
        for monomial in sorted(monomials, key=lambda m: (-len(m), m)):
            part: Expr | None = None
            for name, slopes in affine.slopes.items():
                if slopes.get(monomial):
                    axis: Expr = Read(Var(name, self.kind))
                    factor = fold.constant(slopes[monomial], self.kind)
                    term = fold.binary("*", axis, factor)
                    part = term if part is None else fold.binary("+", part, term)
            base = affine.base.get(monomial, 0)
            if part is None:
                part = fold.constant(base, self.kind)
            elif base:
                part = fold.binary("+", part, fold.constant(base, self.kind))
            for symbol in monomial:
                known = fold.cast(self.found.symbols[symbol], self.kind)
                part = known if part == fold.constant(1, self.kind) else Binary("*", part, known)
            total = part if total is None else fold.binary("+", total, part)
        return total if total is not None else fold.constant(0, self.kind)

    def comparison(self, affine: Affine, is_equal: bool) -> Expr:
        """`affine < 0`, with what is subtracted on the other side."""
        above, below = Affine(), Affine()
        for monomial, value in affine.base.items():
            (above if value > 0 else below).base[monomial] = abs(value)
        for name, slopes in affine.slopes.items():
            for monomial, value in slopes.items():
                into = (above if value > 0 else below).slopes.setdefault(name, {})
                into[monomial] = abs(value)
        return Binary("==" if is_equal else "<", self.text(above), self.text(below))

    def joined(self, polys: list[Poly], names: list[str]) -> Affine:
        """A number of each total and thread as a formula."""
        places: dict[Monomial, Lanes] = {}
        for row, poly in enumerate(polys):
            for monomial, coefficients in poly.terms.items():
                shape = (len(polys), self.found.threads)
                places.setdefault(monomial, np.zeros(shape, np.int64))[row] = coefficients
        return self.affine(places, names)

    def masks(self, of: list[Conditions], names: list[str]) -> list[Expr]:
        if len({len(c) for c in of}) != 1:
            raise NotTraced("totals are stored under different conditions")
        found = []
        for position in range(len(of[0])):
            kinds = {c[position].is_equal for c in of}
            if len(kinds) != 1:
                raise NotTraced("totals are stored under different conditions")
            joined = self.joined([c[position].poly for c in of], names)
            found.append(self.comparison(joined, kinds.pop()))
        return found
