"""Shared memory read where data says: the cells become values of lanes, and a read a gather.

    s[tid] = x; barrier              x_row is x in each lane
    v = s[idx]                 ->    v = x_row of lane idx

More cells than threads make several such values, of which the index chooses.
"""

from __future__ import annotations

import math

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import Binary, Cast, Const, Expr, Read, Var
from crossport.ir.tile.exchange.shared import Shared
from crossport.ir.tile.exchange.values import Cells
from crossport.ir.tile.graph import Ids
from crossport.ir.tile.limits import NotLifted, WrongShape
from crossport.ir.types import I32, I64, Scalar

MOST_PARTS = 8


class Dynamic(Shared):
    """Reads at places that are not known while the kernel is executed."""

    def dynamic_load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        cells = self.cells_of(ref)
        index, stride, first = _linear(self.force(ref.index))
        if not 0 <= first < len(cells.values):
            raise WrongShape(f"an access outside {ref.root.name}")
        if stride == 0:
            stride = len(cells.values)
        at = np.arange(first, len(cells.values), stride)
        self.read_by_all(cells, at, ref.root.name)
        row = cells.values[at]
        parts = -(-len(row) // self.threads)
        if parts > MOST_PARTS:
            raise NotLifted(f"the place in {ref.root.name} depends on data")
        kind = var.type
        assert isinstance(kind, Scalar)
        place = Var(self.names.fresh("place"), I32)
        self.emit(flat.Set(place, fold.cast(index, I32), declare=True))
        result: Expr | None = None
        for part in reversed(range(parts)):
            low = part * self.threads
            source = self.row(row[low : low + self.threads], kind)
            found = Var(self.names.fresh(var.name), kind)
            lane = fold.binary("-", Read(place), fold.constant(low, I32))
            # A place outside is an error of the kernel's; any lane will do then.
            lanes = 1 << (self.threads - 1).bit_length()
            lane = Binary("&", lane, Const(lanes - 1, I32))
            self.emit(flat.LaneGather(found, source, lane))
            value: Expr = Read(found)
            if result is not None:
                here = fold.binary("<", Read(place), fold.constant(low + self.threads, I32))
                value = fold.select(here, value, result)
            result = value
        assert result is not None
        self.emit(flat.Set(var, result, declare=True))
        self.assign_own(var)

    def row(self, ids: Ids, kind: Scalar) -> Expr:
        """Values as those of lanes: the first of lane 0, and so on; computed outside loops."""
        lanes = np.full(self.threads, ids[0], np.int64)
        lanes[: len(ids)] = ids
        here = np.zeros(self.threads, bool)
        here[: len(ids)] = True
        statements: flat.Body = []
        value = self.summary.express(lanes, here, kind, statements)
        if not self.act.all() and any(isinstance(s, flat.Load) for s in statements):
            # Lanes that are not here would look up nothing.
            raise NotLifted("some threads read what has no formula")
        out = self.out if self.hoisted is None else self.hoisted
        for statement in statements:
            out.append(statement)
            for target in flat.targets(statement):
                self.assign_own(target)
        if isinstance(value, Read | Const):
            return value
        kept = Var(self.names.fresh("row"), kind)
        out.append(flat.Set(kept, value, declare=True))
        self.assign_own(kept)
        return Read(kept)

    def read_by_all(self, cells: Cells, at: Ids, name: str) -> None:
        """Any thread may read any of these cells now."""
        written = cells.write_phase[at] == self.phase
        if written.any():
            raise WrongShape("threads race for shared memory")
        if (cells.values[at] == self.graph.undefined).any():
            raise NotLifted(f"{name} is read before this round wrote it")
        cells.reader[at] = -2
        cells.read_phase[at] = self.phase


def _linear(expr: Expr) -> tuple[Expr, int, int]:
    """An i64 index as `stride * index + first`, where it says so; stride 0: it is constant."""
    if isinstance(expr, Const):
        return fold.i64(0), 0, int(expr.value)
    terms, first = _terms(expr, 1)
    stride = 0
    for _, scale in terms:
        stride = math.gcd(stride, scale)
    if stride <= 1 or first < 0:
        return expr, 1, 0
    index: Expr = fold.i64(0)
    for term, scale in terms:
        part = fold.binary("*", term, fold.i64(scale // stride))
        index = part if fold.as_int(index) == 0 else fold.binary("+", index, part)
    more, first = divmod(first, stride)
    return fold.binary("+", index, fold.i64(more)), stride, first


def _terms(expr: Expr, scale: int) -> tuple[list[tuple[Expr, int]], int]:
    """A sum of i64 terms with their factors, and its constant."""
    match expr:
        case Const(value):
            return [], int(value) * scale
        case Binary("+", lhs, rhs):
            left, a = _terms(lhs, scale)
            right, b = _terms(rhs, scale)
            return [*left, *right], a + b
        case Binary("*", lhs, Const(factor)):
            return _terms(lhs, scale * int(factor))
        case Cast(Binary("+", lhs, Const(value)), kind) if kind == I64 and lhs.type == I32:
            # No overflow: the index of an element of shared memory.
            left, a = _terms(Cast(lhs, I64), scale)
            return left, a + int(value) * scale
        case _:
            return [(expr, scale)], 0
