"""Find the axes of a sum of products: rows, columns and the inner one.

    acc[thread, i] += A[(64 by + r) K + k] * B[k N + 64 bx + c]
        every (thread, i) has one r and one c, every round and step one k
    ->  total[row, column] = sum over k of A[row * K + k] * B[k * N + column]

trace.py says which elements each thread multiplies. If the places are affine in a row number that
only the left ones depend on, a column number that only the right ones do, and the number of the
product, then the thread blocks are gone: the port may cut rows, columns and the inner axis as it
likes. Every place of every thread is compared with the formula, so a fit is exact. Without columns
it is a sum along rows (matrix times vector).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_nodes
from crossport.ir.nodes import Binary, Expr, Intrinsic, Node, Read, Special, Var, walk
from crossport.ir.tile.polynomial import Lanes, Monomial, Poly
from crossport.ir.tile.trace import (
    NOWHERE,
    ROUND,
    Condition,
    Conditions,
    Element,
    NotTraced,
    Store,
    Trace,
    trace,
)
from crossport.ir.types import F32, I32, I64

ROW, COLUMN, INNER = "row", "column", "inner"
TOTAL = Var("total", F32)


@dataclass(frozen=True)
class Operand:
    """One factor: `value`, in terms of SOURCE, of `ref` where the mask holds; 0 elsewhere.

    Index and mask are in terms of the row or column, and of the inner number.
    """

    ref: flat.Ref
    mask: tuple[Expr, ...]
    value: Expr
    is_contiguous: bool
    """Does the inner number go from one element to the next?"""


@dataclass(frozen=True)
class Contraction:
    """A kernel that is one sum of products.

    `row_axis`, `column_axis`: the axes of the grid whose blocks cut rows and columns, `tile` of
    them each. `rounds * per_round`: the extent of the inner axis. `row_mask`, `column_mask`: where
    they fail no element is looked at. `body`: what happens to `total` of a row and a column.
    """

    left: Operand
    right: Operand
    row_axis: str
    column_axis: str | None
    tile: tuple[int, int]
    rounds: Expr
    per_round: int
    row_mask: tuple[Expr, ...]
    column_mask: tuple[Expr, ...]
    body: flat.Body
    programs: tuple[str, ...]
    """Other axes of the grid that are used."""


def contract(program: flat.Program, shape: tuple[int, int, int]) -> Contraction:
    """The contraction that a kernel is; raises NotTraced."""
    found = trace(program, shape)
    return _Fitter(found).contraction()


def may_contract(program: flat.Program) -> bool:
    """Does some loop add products, or elements, to a float?"""
    for loop in flat.statements(program.body):
        if not isinstance(loop, flat.Loop):
            continue
        for statement in flat.statements(loop.body):
            match statement:
                case flat.Set(var, Binary("+", lhs, rhs)) if Read(var) in (lhs, rhs):
                    if var.type == F32:
                        return True
                case flat.Set(var, Intrinsic("fma" | "fmaf", (_, _, last))) if last == Read(var):
                    return True
    return False


@dataclass
class _Axis:
    """A numbering of rows or columns: `number[total, thread]`, `count` of them a block."""

    name: str
    number: Lanes
    count: int
    grid: str = ""
    """The block number that goes with it."""


@dataclass
class _Affine:
    """Coefficients by monomial: `base + slopes[axis] * axis`, an integer each."""

    base: dict[Monomial, int] = field(default_factory=dict)
    slopes: dict[str, dict[Monomial, int]] = field(default_factory=dict)


class _Fitter:
    def __init__(self, found: Trace) -> None:
        self.found = found
        self.names = list(found.totals)
        counts = {len(p) for p in found.totals.values()}
        if len(counts) != 1:
            raise NotTraced("the totals sum different numbers of products")
        self.per_round = counts.pop()
        self.kind = I64 if found.wide else I32
        self.axes: dict[str, _Axis] = {}

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

    # --- Which elements -------------------------------------------------------------------------

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

    # --- Axes -----------------------------------------------------------------------------------

    def first(self, side: Lanes) -> dict[Monomial, Lanes]:
        """The places of each round's first product."""
        return {m: c[:, 0, :] for m, c in self.indices(side).items()}

    def varying(self, side: Lanes) -> bool:
        return any((c != c[0, 0]).any() for c in self.first(side).values())

    def axis(self, name: str, side: Lanes) -> _Axis:
        """Number what a side's places differ by between threads and totals."""
        places = self.first(side)
        values = next(c for _, c in sorted(places.items()) if (c != c[0, 0]).any())
        distinct = np.unique(values)
        steps = np.diff(distinct)
        if (steps != steps[0]).any():
            raise NotTraced(f"{name}s at irregular distances")
        number = (values - distinct[0]) // steps[0]
        axis = _Axis(name, number, len(distinct))
        slopes = {m: self.slope(c, axis) for m, c in places.items()}
        grids = {s for m in places for s in m if s.startswith("block.")}
        for grid in sorted(grids):
            moved = {_without(m, grid): int(c[0, 0]) for m, c in places.items() if grid in m}
            wanted = {m: axis.count * s for m, s in slopes.items() if s}
            if moved == wanted:
                axis.grid = grid
                return axis
        raise NotTraced(f"blocks do not go on where the {name}s of the last end")

    def slope(self, values: Lanes, axis: _Axis) -> int:
        low, high = values[axis.number == 0], values[axis.number == 1]
        slope = int(high[0] - low[0])
        if (values != low[0] + slope * axis.number).any():
            raise NotTraced(f"places that are not affine in the {axis.name}")
        return slope

    def follows(self, side: Lanes, axis: _Axis) -> bool:
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

    # --- Formulas -------------------------------------------------------------------------------

    def affine(self, places: dict[Monomial, Lanes], names: list[str]) -> _Affine:
        """Places by (total, thread) as a formula of the axes; verified at each."""
        result = _Affine(slopes={n: {} for n in names})
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
            moved = {_without(m, grid): c for m, c in result.base.items() if grid in m}
            slopes = result.slopes.get(axis.name, {})
            if any(grid in m for s in result.slopes.values() for m in s):
                raise NotTraced("places that depend on the block in another way")
            if moved != {m: axis.count * s for m, s in slopes.items()}:
                raise NotTraced("places that depend on the block in another way")
            result.base = {m: c for m, c in result.base.items() if grid not in m}
        return result

    def stepped(self, places: dict[Monomial, Lanes], names: list[str]) -> _Affine:
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
        moved = {_without(m, ROUND): c for m, c in rounds.base.items()}
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
            ref, index = element.load.ref, _Affine()
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

    def text(self, affine: _Affine) -> Expr:
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

    def comparison(self, affine: _Affine, is_equal: bool) -> Expr:
        """`affine < 0`, with what is subtracted on the other side."""
        above, below = _Affine(), _Affine()
        for monomial, value in affine.base.items():
            (above if value > 0 else below).base[monomial] = abs(value)
        for name, slopes in affine.slopes.items():
            for monomial, value in slopes.items():
                into = (above if value > 0 else below).slopes.setdefault(name, {})
                into[monomial] = abs(value)
        return Binary("==" if is_equal else "<", self.text(above), self.text(below))

    # --- Behind the loop ------------------------------------------------------------------------

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

    def joined(self, polys: list[Poly], names: list[str]) -> _Affine:
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


def _without(monomial: Monomial, symbol: str) -> Monomial:
    names = list(monomial)
    names.remove(symbol)
    return tuple(names)


def _names(expr: Expr) -> list[str]:
    return [x.name for x in walk(expr) if isinstance(x, Var)]
