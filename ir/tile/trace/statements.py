"""Statements and branches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import (
    Const,
    Expr,
)
from crossport.ir.tile.trace.rounds import Rounds
from crossport.ir.tile.trace.values import (
    NotTraced,
)

MOST_STEPS = 20_000


class Tracer(Rounds):
    """Follows a kernel."""

    def body(self, body: flat.Body) -> None:
        for position, statement in enumerate(body):
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise NotTraced("it takes too many steps")
            if isinstance(statement, flat.Branch) and self.leaves(statement):
                # The rest is for the others.
                with self.where(fold.negate(statement.condition)):
                    self.body(body[position + 1 :])
                return
            self.statement(statement)

    def leaves(self, statement: flat.Branch) -> bool:
        match statement.then, statement.otherwise:
            case [flat.Leave("kernel")], []:
                return not self.in_loop
            case _:
                return False

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Set(var, value):
                self.assign(var.name, None if value is None else self.value(value))
            case flat.Load():
                self.load(statement)
            case flat.Store():
                self.store(statement)
            case flat.Branch(condition, then, otherwise):
                self.branch(condition, then, otherwise)
            case flat.Loop():
                self.loop(statement)
            case flat.Sync("block"):
                if self.path or not self.active.all():
                    raise NotTraced("a barrier that some threads may miss")
                self.phase += 1
            case flat.Scope(label, body) if not any(
                isinstance(s, flat.Leave) and s.label == label for s in flat.statements(body)
            ):
                self.body(body)
            case _:
                raise NotTraced(f"a {type(statement).__name__} statement")

    @contextmanager
    def where(self, condition: Expr) -> Iterator[None]:
        """The threads where a condition holds."""
        active, path = self.active, self.path
        known = self.known(condition)
        if known is not None:
            self.active = active & known
        else:
            self.path = (*path, *self.conditions(condition))
        yield
        self.active, self.path = active, path

    def branch(self, condition: Expr, then: flat.Body, otherwise: flat.Body) -> None:
        known = self.known(condition)
        if known is not None:
            for body, test in ((then, condition), (otherwise, fold.negate(condition))):
                with self.where(test):
                    if self.active.any():
                        self.body(body)
            return
        # Both arms from the same start; where they leave different floats, the choice is a mask.
        start = dict(self.env), {k: v.copy() for k, v in self.memory.items()}
        with self.where(condition):
            self.body(then)
        taken = dict(self.env), {k: v.copy() for k, v in self.memory.items()}
        self.env, self.memory = dict(start[0]), {k: v.copy() for k, v in start[1].items()}
        tests = self.conditions(condition)
        if otherwise:
            if all(_sets_constants(s) for s in otherwise):
                self.body(otherwise)  # whatever its condition: what is kept must be 0
            else:
                with self.where(fold.negate(condition)):
                    self.body(otherwise)
        for name, value in taken[0].items():
            if self.env.get(name) is not value:
                other = self.env.get(name)
                self.env[name] = None if name not in start[0] else self.choose(tests, value, other)
        for name, cells in taken[1].items():
            for cell in np.flatnonzero(cells != self.memory[name]):
                thread = int(self.writer[name][cell][1])
                old = int(self.memory[name][cell])
                self.memory[name][cell] = self.chosen(tests, int(cells[cell]), old, thread)


def _sets_constants(statement: flat.Statement) -> bool:
    """Is it an assignment of a constant, to a variable or in shared memory?"""
    match statement:
        case flat.Set(_, Const()):
            return True
        case flat.Store(ref, Const()):
            return ref.root.space == "shared"
        case _:
            return False
