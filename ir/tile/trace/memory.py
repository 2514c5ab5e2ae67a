"""Accesses: arrays by their places, shared memory cell by cell.

An access that no barrier separates from another thread's is refused, and so is a cell whose
content is older than the round.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat
from crossport.ir.nodes import (
    Read,
    Var,
)
from crossport.ir.tile.polynomial import Lanes, Poly
from crossport.ir.tile.trace.floats import Floats
from crossport.ir.tile.trace.values import (
    SOURCE,
    Element,
    Elements,
    Formula,
    NotTraced,
    Store,
    Value,
)


class Memory(Floats):
    """Arrays and shared memory."""

    def assign(self, name: str, value: Value) -> None:
        if not self.active.all():
            old = self.env.get(name)
            if isinstance(value, Poly) and isinstance(old, Poly):
                value = value.where(self.active, old)
            elif isinstance(value, Elements) and isinstance(old, Elements):
                value = Elements(np.where(self.active, value.codes, old.codes))
            elif old is not None:
                raise NotTraced(f"some threads keep another `{name}`")
        self.env[name] = value

    def load(self, statement: flat.Load) -> None:
        ref, var = statement.ref, statement.var
        if not ref.is_whole or statement.volatile:
            raise NotTraced("an access to part of an element")
        if ref.root.space == "shared":
            self.assign(var.name, self.read_shared(ref))
            return
        if ref.root.space not in ("param", "global", "constant"):
            raise NotTraced("memory of another kind")
        index = self.integer(ref.index)
        conditions = self.path
        if statement.guard is not None:
            conditions = (*conditions, *self.conditions(statement.guard))
        if self.in_loop:
            if not var.type.is_float:  # type: ignore[union-attr]
                raise NotTraced("a product of integers")
            self.env[var.name] = self.element(
                Element(statement, index, conditions, Read(replace(SOURCE, type=var.type)))
            )
        elif self.found.rounds is not None and var.type.is_float:  # type: ignore[union-attr]
            if not self.active.all():
                raise NotTraced("some threads load behind the loop")
            name = f"{var.name}@{len(self.found.loads)}"
            self.found.loads[name] = (statement, index, conditions)
            self.env[var.name] = Formula(Read(Var(name, var.type)))
        else:
            raise NotTraced("a value from memory before the loop")

    def cells(self, ref: flat.Ref) -> Lanes:
        index = self.integer(ref.index).values(self.threads)
        if index is None or ref.type != ref.root.element:
            raise NotTraced("a place in shared memory that the thread does not know")
        inside = (index >= 0) & (index < len(self.memory[ref.root.name]))
        if (~inside & self.active).any():
            raise NotTraced("a place outside the shared array")
        return np.where(inside, index, 0)

    def read_shared(self, ref: flat.Ref) -> Elements:
        name, cells = ref.root.name, self.cells(ref)
        threads = np.flatnonzero(self.active)
        at = cells[threads]
        phase, writer = self.writer[name][at].T
        if ((phase == self.phase) & (writer != threads)).any():
            raise NotTraced("a read that no barrier separates from another thread's write")
        reader = self.reader[name]
        for cell, thread in zip(at, threads, strict=True):
            seen, who = reader[cell]
            mixed = seen == self.phase and who != thread
            reader[cell] = (self.phase, -2 if mixed else thread)
        codes = np.zeros(self.threads, np.int64) - 1
        codes[threads] = self.memory[name][at]
        if (codes[threads] < 0).any():
            raise NotTraced("a cell of shared memory that this round has not written")
        return Elements(codes)

    def store(self, statement: flat.Store) -> None:
        ref = statement.ref
        if not ref.is_whole or statement.volatile:
            raise NotTraced("an access to part of an element")
        value = self.value(statement.value)
        if ref.root.space == "shared":
            self.write_shared(ref, self.elements(value))
            return
        if self.in_loop or self.found.rounds is None or not self.active.all():
            raise NotTraced("a store inside the loop or before it")
        if not isinstance(value, Formula):
            raise NotTraced("a store of something else than totals")
        index = self.integer(ref.index)
        self.found.stores.append(Store(ref, index, value.expr, self.path))

    def write_shared(self, ref: flat.Ref, value: Elements) -> None:
        name, cells = ref.root.name, self.cells(ref)
        threads = np.flatnonzero(self.active)
        at = cells[threads]
        if len(np.unique(at)) != len(at):
            raise NotTraced("two threads write the same cell")
        for seen in (self.writer[name][at], self.reader[name][at]):
            if ((seen[:, 0] == self.phase) & (seen[:, 1] != threads)).any():
                raise NotTraced("a write that no barrier separates from another thread's access")
        self.writer[name][at] = np.stack([np.full(len(at), self.phase), threads], axis=1)
        self.memory[name][at] = value.codes[threads]
