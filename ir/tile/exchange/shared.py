"""Shared memory and shuffles: who put what into which cell, and who gets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat
from crossport.ir.nodes import Const, Expr
from crossport.ir.tile.exchange.evaluation import Evaluation
from crossport.ir.tile.exchange.values import Cells, Mask, Nodes
from crossport.ir.tile.graph import AC_OPERATORS, Ids
from crossport.ir.tile.limits import NotLifted, WrongShape
from crossport.ir.tile.summary import neutral
from crossport.ir.types import Scalar

_OPERATORS = {"add": "+", "min": "min", "max": "max", "and": "&", "or": "|", "xor": "^"}


class Shared(Evaluation):
    """Accesses to cells, checked for races."""

    def place(self, ref: flat.Ref) -> tuple[Cells, Ids]:
        """The array and the cell of each lane."""
        index = self.evaluate(ref.index)
        if not isinstance(index, np.ndarray):
            raise NotLifted(f"the place in {ref.root.name} depends on data")
        cells = self.cells_of(ref)
        where = np.broadcast_to(index, (self.threads,)).astype(np.int64)
        here = where[self.act]
        if len(here) and (here.min() < 0 or here.max() >= len(cells.values)):
            raise WrongShape(f"an access outside {ref.root.name}")
        return cells, where

    def cells_of(self, ref: flat.Ref) -> Cells:
        """The cells of the array."""
        if not ref.is_whole or ref.type.size != ref.root.element.size:
            raise NotLifted(f"{ref.root.name} is read as several types")
        cells = self.cells.get(ref.root.name)
        if cells is None:
            size = ref.root.size or self.dynamic_bytes
            count = size // ref.type.size
            if count == 0:
                raise NotLifted(f"the size of {ref.root.name} is not known")
            never = np.full(count, -1, np.int64)
            cells = Cells(
                ref.type.size, np.full(count, self.graph.undefined, np.int64), never.copy(),
                never.copy(), never.copy(), never.copy(), never.copy(),
            )  # fmt: skip
            self.cells[ref.root.name] = cells
        return cells

    def shared_load(self, statement: flat.Load) -> None:
        var = statement.var
        if statement.guard is not None:
            guard = self.evaluate(statement.guard)
            # A condition on data: reading where it does not hold does no harm.
            wanted = guard.astype(bool) if isinstance(guard, np.ndarray) else True
            saved, self.act = self.act, self.act & wanted
            self.shared_load(replace(statement, guard=None))
            self.act = saved
            return
        if not isinstance(self.evaluate(statement.ref.index), np.ndarray):
            self.dynamic_load(statement)
            return
        cells, where = self.place(statement.ref)
        act = self.act
        a, at = self.lanes[act], where[act]
        raced = (cells.write_phase[at] == self.phase) & (cells.writer[at] != a)
        self.check(raced, cells.writer[at], a, cells.write_warp_phase[at], statement.volatile)
        several = (cells.read_phase[at] == self.phase) & (cells.reader[at] // 32 != a // 32)
        cells.reader[at] = np.where(several & (cells.reader[at] != a), -2, a)
        cells.read_phase[at] = self.phase
        found = np.full(self.threads, self.graph.undefined, np.int64)
        found[act] = cells.values[at]
        if (found[act] == self.graph.undefined).any():
            if not self.symbolic:
                raise WrongShape(f"{statement.ref.root.name} is read where nobody wrote")
            raise NotLifted(f"{statement.ref.root.name} is read before this round wrote it")
        self.placeholder(var, declare=True)
        self.types[var.name] = var.type  # type: ignore[assignment]
        if act.any():
            found[~act] = found[act][0]
        self.env[var.name] = Nodes(found)

    def dynamic_load(self, statement: flat.Load) -> None:
        raise NotImplementedError

    def check(self, raced: Mask, other: Ids, a: Ids, warp_phase: Ids, volatile: bool) -> None:
        """Refuse what two threads do to one cell with no barrier in between."""
        if not raced.any():
            return
        same_warp = (other >= 0) & (other // 32 == a // 32)
        ordered = (warp_phase < self.warp_phase) | volatile
        if (raced & ~(same_warp & ordered)).any():
            raise WrongShape("threads race for shared memory")

    def shared_store(self, statement: flat.Store) -> None:
        cells, where = self.place(statement.ref)
        act = self.act
        a, at = self.lanes[act], where[act]
        value = self.evaluate(statement.value)
        war = (cells.read_phase[at] == self.phase) & (cells.reader[at] != a)
        self.check(
            war, cells.reader[at], a, np.full(len(a), self.warp_phase - 1), statement.volatile
        )
        waw = (cells.write_phase[at] == self.phase) & (cells.writer[at] != a)
        self.check(waw, cells.writer[at], a, cells.write_warp_phase[at], statement.volatile)
        if self.symbolic and (cells.values[at] != self.graph.undefined).any():
            raise NotLifted("shared memory is overwritten under a condition on data")
        if isinstance(value, Nodes):
            ids = self.atoms(self.force(statement.value)) if self.eager else value.ids
        elif isinstance(value, np.ndarray):
            ids = self.constants(value)
        else:
            ids = self.atoms(self.force(statement.value))
            if not self.varies(statement.value):
                ids = np.full(self.threads, ids[act][0])
        if len(np.unique(at)) < len(at) and not self.agree(ids[act], at):
            raise NotLifted("several threads write one cell of shared memory")
        cells.values[at] = ids[act]
        cells.writer[at] = a
        cells.write_phase[at] = self.phase
        cells.write_warp_phase[at] = self.warp_phase

    def agree(self, ids: Ids, at: Ids) -> bool:
        """Do all who write one cell write the same there?"""
        for cell in np.unique(at).tolist():
            first, *others = np.unique(ids[at == cell]).tolist()
            head = self.graph.nodes[first][0]
            for other in others:
                if head not in AC_OPERATORS or self.graph.nodes[other][0] != head:
                    return False
                # One combination, put together in another order.
                one, two = (self.graph.leaves(i, str(head)) for i in (first, other))
                if one.tobytes() != two.tobytes():
                    return False
        return True

    def varies(self, expr: Expr) -> bool:
        raise NotImplementedError

    def exchange(self, statement: flat.Exchange) -> None:
        lane = self.evaluate(statement.lane)
        if not isinstance(lane, np.ndarray) or self.eager or self.in_kept_loop is not None:
            self.plain(statement)
            return
        width = statement.width
        position = self.lanes % width
        lane = np.broadcast_to(lane, (self.threads,)).astype(np.int64)
        source = {
            "idx": lane & (width - 1), "up": position - lane, "down": position + lane,
            "xor": position ^ lane,
        }[statement.mode]  # fmt: skip
        source = np.where((source < 0) | (source >= width), position, source)
        source = np.minimum(self.lanes - position + source, self.threads - 1)
        value = self.evaluate(statement.value)
        if isinstance(value, np.ndarray):
            # Numbers that depend on the lane alone stay known.
            self.plain(statement)
            self.env[statement.var.name] = np.broadcast_to(value, (self.threads,))[source]
            return
        ids = value.ids if isinstance(value, Nodes) else self.atoms(self.force(statement.value))
        self.placeholder(statement.var, declare=True)
        self.types[statement.var.name] = statement.var.type  # type: ignore[assignment]
        self.env[statement.var.name] = Nodes(ids[source])

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        """A reduction or scan of the lanes of each group, where it is known which are here."""
        op = _OPERATORS[statement.op]
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        if (
            self.symbolic
            or self.eager
            or self.in_kept_loop is not None
            or (kind.is_float and op != "+")
        ):
            self.plain(statement)
            return
        value = self.evaluate(statement.value)
        ids = self.as_nodes(value, statement.value)
        found = np.full(self.threads, self.graph.undefined, np.int64)
        unit = neutral(op, kind)
        assert isinstance(unit, Const)
        start = self.graph.make("const", unit.value)
        for first in range(0, self.threads, statement.width):
            lanes = [t for t in range(first, first + statement.width) if t < self.threads]
            total: int | None = None
            for t in (t for t in lanes if self.act[t]):
                if statement.scan == "exclusive":
                    found[t] = start if total is None else total
                mine = int(ids[t])
                total = mine if total is None else self.graph.make(op, total, mine)
                if statement.scan == "inclusive":
                    found[t] = total
            if statement.scan is None and total is not None:
                found[[t for t in lanes if self.act[t]]] = total
        self.placeholder(statement.var, declare=True)
        self.types[statement.var.name] = kind
        if self.act.any():
            found[~self.act] = found[self.act][0]
        self.env[statement.var.name] = Nodes(found)
