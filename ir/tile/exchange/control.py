"""Statements in order, branches and loops: unrolled where all is known, kept where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Expr, Var
from crossport.ir.tile.exchange.own_cells import OwnCells
from crossport.ir.tile.exchange.state import assigned
from crossport.ir.tile.exchange.updates import Update
from crossport.ir.tile.exchange.values import OWN, Mask, Nodes
from crossport.ir.tile.graph import Ids
from crossport.ir.tile.limits import NotLifted

MOST_ROUNDS = 1024


class Executor(OwnCells):
    """Executes a kernel for one block."""

    def __init__(
        self, program: flat.Program, block: tuple[int, int, int], eager: bool, rolled: bool,
        dynamic_bytes: int,
    ) -> None:  # fmt: skip
        super().__init__(program, block, eager, rolled, dynamic_bytes)
        self.updates: list[Update] = []

    def body(self, body: flat.Body, out: flat.Body) -> None:
        saved, self.out = self.out, out
        for statement in body:
            self.statement(statement)
        self.out = saved

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Branch():
                self.branch(statement)
            case flat.Loop() | flat.Scope():
                if id(statement) in self.exchanging:
                    if self.in_kept_loop is not None:
                        self.kept_region(statement)
                        return
                    if isinstance(statement, flat.Scope):
                        raise NotLifted("threads leave a region in which others exchange values")
                    parts = self.with_own_cells(statement)
                    if parts is not None:
                        self.body(parts, self.out)
                        return
                    self.loop(statement)
                else:
                    self.opaque_region(statement)
            case flat.Leave(label) if self.in_kept_loop is not None and label in self.in_kept_loop:
                self.emit(statement)
            case flat.Leave():
                raise NotLifted("threads leave early where others exchange values")
            case flat.Set(var, value):
                self.assign(statement, var, value)
            case flat.Load(var, ref):
                if ref.root.space == "shared":
                    self.shared_load(statement)
                else:
                    self.plain(statement)
            case flat.Store(ref):
                if ref.root.space == "shared":
                    self.shared_store(statement)
                else:
                    self.plain(statement)
            case flat.AtomicUpdate(_, _, ref):
                if ref.root.space == "shared":
                    self.shared_atomic(statement)
                else:
                    self.plain(statement)
            case flat.Sync(scope):
                if scope == "block":
                    if self.symbolic:
                        raise NotLifted("a barrier under a condition")
                    self.phase += 1
                self.warp_phase += 1
                self.emit(statement)
            case flat.Exchange():
                self.exchange(statement)
            case flat.GroupReduce():
                self.group_reduce(statement)
            case _:
                self.plain(statement)

    def assign(self, statement: flat.Set, var: Var, value: Expr | None) -> None:
        self.types[var.name] = var.type  # type: ignore[assignment]
        if value is None:
            self.emit(replace(statement))
            self.env[var.name] = OWN
            return
        result = self.evaluate(value)
        if isinstance(result, Nodes):
            if self.symbolic and not statement.declare:
                # Only some lanes take it: as a value of their own.
                copy = replace(statement, value=self.force(value))
                self.emit(copy)
                self.env[var.name] = OWN
                return
            # Whoever needs it gets a summary: the value itself is never computed.
            self.placeholder(var, statement.declare)
            self.merge(var, result, statement.declare)
            return
        self.emit(replace(statement, value=self.force(value)))
        self.merge(var, result, statement.declare)

    def branch(self, statement: flat.Branch) -> None:
        test = self.evaluate(statement.condition)
        if isinstance(test, np.ndarray):
            mask = np.broadcast_to(test, (self.threads,)).astype(bool)
            self.concrete_branch(statement, mask)
            return
        condition = self.force(statement.condition)
        inside = assigned(statement.then) | assigned(statement.otherwise)
        self.settle({n for n in inside if isinstance(self.env.get(n), Nodes)})
        arms: list[flat.Body] = []
        # All threads or none: those inside are no fewer than those before.
        together = not self.varies(statement.condition)
        start = {name: cells.values.copy() for name, cells in self.cells.items()}
        changed: dict[str, Mask] = {}
        with nullcontext() if together else self.region():
            for body in (statement.then, statement.otherwise):
                out: flat.Body = []
                before = dict(self.env)
                self.body(body, out)
                saved, self.out = self.out, out
                self.settle({v for v in assigned(body) if v in before})
                self.out = saved
                arms.append(out)
                # The other arm starts from what was there before this one.
                for name in assigned(body):
                    self.env[name] = before.get(name, OWN)
                if together:
                    self.take_back(start, changed)
            for name in inside:
                self.env[name] = OWN
            # What is in a cell now depends on the arm that was taken.
            for name, where in changed.items():
                self.cells[name].values[where] = self.graph.undefined
            copy = flat.Branch(condition, arms[0], arms[1])
        self.emit(copy)
        self.end_region()

    def take_back(self, start: dict[str, Ids], changed: dict[str, Mask]) -> None:
        """Undo what an arm wrote to shared memory, and note where that was."""
        for name, cells in self.cells.items():
            old = start.get(name)
            if old is None:
                old = np.full(len(cells.values), self.graph.undefined, np.int64)
            where = cells.values != old
            changed[name] = changed.get(name, np.zeros(len(where), bool)) | where
            cells.values[:] = old

    @contextmanager
    def region(self) -> Iterator[None]:
        """Statements that not all lanes that are here run, or that run repeatedly."""
        outermost = self.hoisted is None
        if outermost:
            self.hoisted = []
        self.symbolic += 1
        try:
            yield
        finally:
            self.symbolic -= 1
        if outermost:
            assert self.hoisted is not None
            self.out.extend(self.hoisted)
            self.hoisted = None

    def end_region(self) -> None:
        """After the statement: what its lanes put aside is combined."""
        if self.hoisted is None:
            pending, self.updates = self.updates, []
            for update in pending:
                self.combine(update)

    def kept_region(self, statement: flat.Loop | flat.Scope) -> None:
        """A loop that only reads shared memory, or adds to it: it stays, and lanes gather in it."""
        inside = assigned([statement])
        used: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                used |= reads(expr)
        self.settle({n for n in used | inside if isinstance(self.env.get(n), Nodes)})
        outer = self.in_kept_loop
        if outer is None:
            self.in_kept_loop = frozenset(
                s.label
                for s in flat.statements([statement])
                if isinstance(s, flat.Loop | flat.Scope)
            )
        with self.region():
            for name in inside:
                self.env[name] = OWN
            copy: flat.Loop | flat.Scope
            if isinstance(statement, flat.Scope):
                copy = flat.Scope(statement.label, [])
                self.body(statement.body, copy.body)
            else:
                copy = flat.Loop(
                    statement.label, [], statement.condition, [], [], statement.test_first
                )
                self.body(statement.head, copy.head)
                copy.condition = self.force(statement.condition)
                self.body(statement.body, copy.body)
                for name in inside:
                    self.env[name] = OWN
                self.body(statement.step, copy.step)
            for name in inside:
                self.env[name] = OWN
        self.in_kept_loop = outer
        self.emit(copy)
        self.end_region()

    def only_reads(self, statement: flat.Loop) -> bool:
        """Does the loop nothing beyond its warp but read, or add to, shared memory?"""
        return not any(
            (isinstance(s, flat.Sync) and s.scope != "warp")
            or isinstance(s, flat.Collect)
            or (isinstance(s, flat.Store) and s.ref.root.space == "shared")
            for s in flat.statements([statement])
        )

    def concrete_branch(self, statement: flat.Branch, mask: Mask) -> None:
        saved = self.act
        arms: list[flat.Body] = []
        for body, taken in ((statement.then, mask), (statement.otherwise, ~mask)):
            out: flat.Body = []
            self.act = saved & taken
            if self.act.any():
                self.body(body, out)
            arms.append(out)
        self.act = saved
        if (mask | ~saved).all():
            self.out.extend(arms[0])
        elif not (mask & saved).any():
            self.out.extend(arms[1])
        else:
            self.emit(flat.Branch(self.force(statement.condition), arms[0], arms[1]))

    def opaque_region(self, statement: flat.Loop | flat.Scope) -> None:
        """A loop in which each thread is on its own: it stays, with foreign values summarised."""
        inside = assigned([statement])
        used: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                used |= reads(expr)
        self.settle({n for n in used | inside if isinstance(self.env.get(n), Nodes)})
        self.emit(flat.copied(statement))
        for name in inside:
            self.env[name] = OWN
        for inner in flat.statements([statement]):
            for var in flat.targets(inner):
                self.types[var.name] = var.type  # type: ignore[assignment]

    def loop(self, statement: flat.Loop) -> None:
        test = self.peek(statement)
        if self.only_reads(statement) and (self.rolled or not isinstance(test, np.ndarray)):
            self.kept_region(statement)
        elif isinstance(test, np.ndarray):
            self.unrolled(statement)
        else:
            self.symbolic_loop(statement)

    def peek(self, statement: flat.Loop) -> object:
        """What the loop's condition is now; OWN where its head has to run for that."""
        if statement.head or not statement.test_first:
            return OWN
        return self.evaluate(statement.condition)

    def unrolled(self, statement: flat.Loop) -> None:
        saved = self.act
        for _ in range(MOST_ROUNDS):
            test = self.evaluate(statement.condition)
            if not isinstance(test, np.ndarray):
                raise NotLifted("a loop that exchanges values ends where data says")
            mask = np.broadcast_to(test, (self.threads,)).astype(bool)
            self.act = self.act & mask
            if not self.act.any():
                self.act = saved
                return
            if (self.act == saved).all():
                self.body(statement.body, self.out)
                self.body(statement.step, self.out)
            else:
                out: flat.Body = []
                before = self.force(statement.condition)
                self.body([*statement.body, *statement.step], out)
                self.emit(flat.Branch(before, out))
        raise NotLifted("a loop that exchanges values has too many rounds")

    def symbolic_loop(self, statement: flat.Loop) -> None:
        if any(isinstance(s, flat.Leave) for s in flat.statements([statement])):
            raise NotLifted("threads leave a loop in which others exchange values")
        if not self.act.all():
            raise NotLifted("a loop that exchanges values runs in some threads only")
        if self.varies(statement.condition):
            raise NotLifted("a loop that exchanges values ends at different times")
        inside = assigned([statement])
        used: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                used |= reads(expr)
        self.settle({n for n in used | inside if isinstance(self.env.get(n), Nodes)})
        outside = {n for n in inside if n in self.env}
        written = {
            s.ref.root.name
            for s in flat.statements([statement])
            if isinstance(s, flat.Store | flat.AtomicUpdate) and s.ref.root.space == "shared"
        }
        copy = flat.Loop(statement.label, [], statement.condition, [], [], statement.test_first)
        # Twice: the second round meets what the first did to shared memory, which shows races
        # from one round to the next.
        for _ in range(2):
            for name in inside:
                self.env[name] = OWN
            for name in written:
                if name in self.cells:
                    self.cells[name].values[:] = self.graph.undefined
            copy.head, copy.body, copy.step = [], [], []
            self.body(statement.head, copy.head)
            copy.condition = self.force_quiet(statement.condition)
            self.body(statement.body, copy.body)
            saved, self.out = self.out, copy.body
            self.settle(outside)
            self.out = saved
            self.body(statement.step, copy.step)
            saved, self.out = self.out, copy.step
            self.settle(outside)
            self.out = saved
        for name in inside:
            self.env[name] = OWN
        for name in written:
            if name in self.cells:
                self.cells[name].values[:] = self.graph.undefined
        self.emit(copy)

    def force_quiet(self, expr: Expr) -> Expr:
        for name in reads(expr):
            if isinstance(self.env.get(name), Nodes):
                raise NotLifted("a loop's end depends on exchanged values")
        return expr

    def varies(self, expr: Expr) -> bool:
        """May the value differ between threads of the block?"""
        if not hasattr(self, "_facts"):
            self._facts = uniformity(self.program)
        return not self._facts.is_uniform(expr)
