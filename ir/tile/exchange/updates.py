"""Atomics on shared cells that the thread number chooses: each lane's share, then a combination.

    __shared__ int total;                     share = 0
    for (...) if (hit) atomicAdd(&total, 1)   for (...) if (hit) share = share + 1
    barrier                             ->    total holds the sum of share over the lanes

Only where nobody asks for the old value. Sums are reassociated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossport.ir.lift import flat
from crossport.ir.nodes import Read, Var
from crossport.ir.tile.exchange.dynamic import Dynamic
from crossport.ir.tile.exchange.values import Cells, Mask
from crossport.ir.tile.graph import Ids
from crossport.ir.tile.limits import NotLifted, WrongShape
from crossport.ir.tile.summary import applied, neutral

OPERATORS = {"add": "+", "min": "min", "max": "max", "and": "&", "or": "|", "xor": "^"}


@dataclass(frozen=True)
class Update:
    """A share that is to be combined into cells once the region that adds to it has ended."""

    cells: Cells
    where: Ids
    act: Mask
    op: str
    share: Var


class Updates(Dynamic):
    """Atomics on shared memory."""

    updates: list[Update]

    def shared_atomic(self, statement: flat.AtomicUpdate) -> None:
        op = OPERATORS.get(statement.op)
        kind = statement.ref.type
        if statement.var is not None or op is None or (kind.is_float and op != "+"):
            raise NotLifted("atomics on shared memory")
        cells, where = self.place(statement.ref)
        act = self.act.copy()
        a, at = self.lanes[act], where[act]
        # Updates may meet in one cell; whoever else was there must be past a barrier.
        read = (cells.read_phase[at] == self.phase) & (cells.reader[at] != a)
        plain = (cells.write_phase[at] == self.phase) & (cells.writer[at] >= 0)
        if (read | (plain & (cells.writer[at] != a))).any():
            raise WrongShape("threads race for shared memory")
        cells.writer[at] = -2
        cells.write_phase[at] = self.phase
        cells.write_warp_phase[at] = self.warp_phase
        share = Var(self.names.fresh("share"), kind)
        value = self.force(statement.operands[0])
        if self.hoisted is None:
            self.emit(flat.Set(share, value, declare=True))
            self.combine(Update(cells, where, act, op, share))
            return
        self.hoisted.append(flat.Set(share, neutral(op, kind), declare=True))
        self.emit(flat.Set(share, applied(op, Read(share), value, kind)))
        self.updates.append(Update(cells, where, act, op, share))

    def combine(self, update: Update) -> None:
        """Give the cells every lane's share."""
        self.assign_own(update.share)
        ids = self.atoms(Read(update.share))
        for lane in np.nonzero(update.act)[0].tolist():
            cell = int(update.where[lane])
            old = int(update.cells.values[cell])
            if old == self.graph.undefined:
                raise NotLifted("an atomic where nobody wrote")
            update.cells.values[cell] = self.graph.make(update.op, old, int(ids[lane]))
