"""Replace exchanges through shared memory and shuffles by what they compute.

    s[tid] = x; barrier                                         x_all = reduce + over lanes of x
    for (k = 128; k > 0; k >>= 1) {                       ->    if (tid == 0) out[block.x] = x_all
      if (tid < k) s[tid] += s[tid + k]; barrier }
    if (tid == 0) out[block.x] = s[0]

The kernel is executed for all threads of one block at once: values that depend on nothing but the
thread numbers are concrete, all others are atoms (a variable in a lane), and shared memory holds
such values a cell. Where a value made of other lanes' atoms meets anything but an associative
operator, it is summarised: a reduction, a scan, a matrix product, a permutation. No spelling is
recognised; only what each lane ends up with counts.

The result holds for the block shape it was made for. `NotLifted` says what had no summary: then
the kernel keeps its shared memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_nodes, map_own
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Node,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.tile.graph import AC_OPERATORS, Graph, Ids
from crossport.ir.tile.summary import NotLifted, Summariser
from crossport.ir.types import BOOL, F32, F64, Scalar

MOST_ROUNDS = 1024
MOST_STATEMENTS = 6000
Concrete = NDArray[Any]
Mask = NDArray[np.bool_]


class _Own:
    """A value that each lane computed from what is its own."""


OWN = _Own()
Value = "Concrete | _Own | Nodes"


@dataclass(frozen=True)
class Nodes:
    """A value a lane as nodes of the graph: somebody else's values are in it."""

    ids: Ids


@dataclass
class Cells:
    """A shared array: the value of each cell, and who touched it last."""

    unit: int
    values: Ids
    writer: NDArray[np.int64]
    write_phase: NDArray[np.int64]
    write_warp_phase: NDArray[np.int64]
    reader: NDArray[np.int64]
    read_phase: NDArray[np.int64]


def lift_exchanges(
    program: flat.Program, block: tuple[int, int, int], *, eager: bool, dynamic_bytes: int = 0
) -> flat.Program:
    """The program without shared memory, for that block shape; NotLifted if there is no such."""
    executor = _Executor(program, block, eager, dynamic_bytes)
    body: flat.Body = []
    executor.body(program.body, body)
    lifted = replace(program, body=body)
    _strip_shared(lifted)
    return lifted


def _strip_shared(program: flat.Program) -> None:
    """Drop barriers that order nothing any more."""
    tidy(program)
    program.shared = ()
    program.has_dynamic_shared = False
    stored = {
        s.ref.root.name
        for s in flat.statements(program.body)
        if isinstance(s, flat.Store | flat.AtomicUpdate)
    }
    loaded = {s.ref.root.name for s in flat.statements(program.body) if isinstance(s, flat.Load)}
    if not stored & loaded:
        _drop(program.body, lambda s: isinstance(s, flat.Sync) and s.scope != "grid")
        tidy(program)
    if sum(1 for _ in flat.statements(program.body)) > MOST_STATEMENTS:
        raise NotLifted("the program without shared memory is too long")


def _drop(body: flat.Body, wanted: Callable[[flat.Statement], bool]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _drop(below, wanted)
    body[:] = [s for s in body if not wanted(s)]


@dataclass
class _Place:
    """Where execution is: which lanes, and under how many conditions not known now."""

    act: Mask
    symbolic: int = 0


class _Environment(dict[str, object]):
    """What variables hold now; every assignment makes a new version."""

    def __init__(self, owner: _Executor) -> None:
        super().__init__()
        self._owner = owner

    def __setitem__(self, name: str, value: object) -> None:
        versions = self._owner.versions
        versions[name] = versions.get(name, 0) + 1
        super().__setitem__(name, value)


class _Executor:
    def __init__(
        self, program: flat.Program, block: tuple[int, int, int], eager: bool, dynamic_bytes: int
    ) -> None:
        self.program = program
        self.block = block
        self.threads = block[0] * block[1] * block[2]
        self.eager = eager
        self.dynamic_bytes = dynamic_bytes
        t = np.arange(self.threads, dtype=np.int64)
        self.lanes = t
        self.special = {
            "thread.x": t % block[0],
            "thread.y": t // block[0] % block[1],
            "thread.z": t // (block[0] * block[1]),
            "lane_id": t % 32,
            "warp_id": t // 32,
        }
        self.graph = Graph()
        self.env: dict[str, object] = _Environment(self)
        self.versions: dict[str, int] = {}
        self.kept: dict[tuple[str, int], Var] = {}
        """The variable that holds an own value for others, by name and version."""
        self.types: dict[str, Scalar] = {}
        self.cells: dict[str, Cells] = {}
        self.act: Mask = np.ones(self.threads, bool)
        self.symbolic = 0
        self.phase = 0
        self.warp_phase = 0
        self.out: flat.Body = []
        self.names = Names()
        for statement in flat.statements(program.body):
            if (var := flat.target(statement)) is not None:
                self.names.fresh(var.name)
                self.types[var.name] = var.type  # type: ignore[assignment]
        for parameter in program.parameters:
            for _, var in parameter.scalars:
                self.names.fresh(var.name)
            for _, root in parameter.roots:
                self.names.fresh(root.name)
        self.summary = Summariser(self.graph, self.threads, block, self.names, self.types)
        self.exchanging = {id(s) for s in flat.statements(program.body) if self.exchanges(s)}

    def exchanges(self, statement: flat.Statement) -> bool:
        """Does the statement, or any below it, pass values between lanes?"""
        return any(
            isinstance(s, flat.Sync | flat.Exchange)
            or (isinstance(s, flat.Load | flat.Store | flat.AtomicUpdate)
                and s.ref.root.space == "shared")
            for s in flat.statements([statement])
        )  # fmt: skip

    # --- Statements -----------------------------------------------------------------------------

    def body(self, body: flat.Body, out: flat.Body) -> None:
        saved, self.out = self.out, out
        for statement in body:
            self.statement(statement)
        self.out = saved

    def emit(self, statement: flat.Statement) -> None:
        self.out.append(statement)
        if len(self.out) > MOST_STATEMENTS:
            raise NotLifted("unrolling it gives too many statements")

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Branch():
                self.branch(statement)
            case flat.Loop() | flat.Scope():
                if id(statement) in self.exchanging:
                    if isinstance(statement, flat.Scope):
                        raise NotLifted("threads leave a region in which others exchange values")
                    self.loop(statement)
                else:
                    self.opaque_region(statement)
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
                    raise NotLifted("atomics on shared memory")
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
            case _:
                self.plain(statement)

    def plain(self, statement: flat.Statement) -> None:
        """A statement that stays as it is, but for foreign values in it."""
        copy = self.forced(statement)
        self.emit(copy)
        var = flat.target(copy)
        if var is not None:
            self.assign_own(var)

    def forced(self, statement: flat.Statement) -> flat.Statement:
        """The statement with every foreign value in it summarised."""
        copy = replace(statement)
        map_own(copy, self.force)
        return copy

    def force(self, expr: Expr) -> Expr:
        """The expression with foreign values replaced by summaries."""

        def rule(node: Node) -> Node:
            if isinstance(node, Read) and isinstance(node.place, Var):
                value = self.env.get(node.place.name)
                if isinstance(value, Nodes):
                    return self.summarise(value, node.place.type)
                if isinstance(value, np.ndarray):
                    here = np.broadcast_to(value, (self.threads,))[self.act]
                    kind = node.place.type
                    if len(here) and (here == here[0]).all() and isinstance(kind, Scalar):
                        return fold.constant(here[0].item(), kind)
            if isinstance(node, Binary):
                return fold.binary(node.op, node.lhs, node.rhs)
            if isinstance(node, Cast):
                return fold.cast(node.value, node.type)
            return node

        return map_nodes(expr, rule)

    def summarise(self, value: Nodes, kind: object) -> Expr:
        assert isinstance(kind, Scalar)
        statements: flat.Body = []
        result = self.summary.express(value.ids, self.act, kind, statements)
        for statement in statements:
            self.emit(statement)
            var = flat.target(statement)
            if var is not None:
                self.env[var.name] = OWN
                self.types[var.name] = var.type  # type: ignore[assignment]
        return result

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

    def placeholder(self, var: Var, declare: bool) -> None:
        """Let a variable begin here whose value, if anyone needs it, comes as a summary."""
        if declare:
            self.emit(flat.Set(var, None, declare=True))

    def assign_own(self, var: Var) -> None:
        self.types[var.name] = var.type  # type: ignore[assignment]
        self.env[var.name] = OWN

    def merge(self, var: Var, new: object, declare: bool) -> None:
        """The variable's value after an assignment in the lanes that are here."""
        old = self.env.get(var.name)
        if declare or (self.act.all() and not self.symbolic) or old is None:
            self.env[var.name] = new
            return
        if self.symbolic:
            self.env[var.name] = OWN
            return
        if isinstance(new, np.ndarray) and isinstance(old, np.ndarray):
            self.env[var.name] = np.where(self.act, new, old)
        elif isinstance(new, Nodes) or isinstance(old, Nodes):
            a, b = self.ids(new, var), self.ids(old, var)
            self.env[var.name] = Nodes(np.where(self.act, a, b))
        else:
            self.env[var.name] = OWN

    def ids(self, value: object, var: Var) -> Ids:
        """A variable's value as nodes."""
        if isinstance(value, Nodes):
            return value.ids
        if isinstance(value, np.ndarray):
            return self.constants(value)
        return self.atoms(Read(var))

    def constants(self, value: Concrete) -> Ids:
        flat_values = np.broadcast_to(value, (self.threads,)).tolist()
        return np.array([self.graph.make("const", v) for v in flat_values], np.int64)

    def atoms(self, expr: Expr) -> Ids:
        """An own value as atoms: kept in a variable that nothing assigns again."""
        kind = expr.type
        assert isinstance(kind, Scalar)
        stem = "part"
        key: tuple[str, int] | None = None
        if isinstance(expr, Read) and isinstance(expr.place, Var):
            stem = expr.place.name
            key = (stem, self.versions.get(stem, 0))
            if key in self.kept:
                return self.graph.atoms(self.kept[key].name, self.lanes)
        kept = Var(self.names.fresh(stem), kind)
        if key is not None:
            self.kept[key] = kept
        self.emit(flat.Set(kept, expr, declare=True))
        self.types[kept.name] = kind
        self.env[kept.name] = OWN
        self.summary.hoist(kept)
        return self.graph.atoms(kept.name, self.lanes)

    # --- Shared memory --------------------------------------------------------------------------

    def place(self, ref: flat.Ref) -> tuple[Cells, Ids]:
        """The array and the cell of each lane."""
        index = self.evaluate(ref.index)
        if not isinstance(index, np.ndarray):
            raise NotLifted(f"the place in {ref.root.name} depends on data")
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
        where = np.broadcast_to(index, (self.threads,)).astype(np.int64)
        here = where[self.act]
        if len(here) and (here.min() < 0 or here.max() >= len(cells.values)):
            raise NotLifted(f"an access outside {ref.root.name}")
        return cells, where

    def shared_load(self, statement: flat.Load) -> None:
        var = statement.var
        if statement.guard is not None:
            guard = self.evaluate(statement.guard)
            if not isinstance(guard, np.ndarray):
                raise NotLifted("a shared load under a condition on data")
            saved, self.act = self.act, self.act & guard.astype(bool)
            self.shared_load(replace(statement, guard=None))
            self.act = saved
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
                raise NotLifted(f"{statement.ref.root.name} is read where nobody wrote")
            raise NotLifted(f"{statement.ref.root.name} is read before this round wrote it")
        self.placeholder(var, declare=True)
        self.types[var.name] = var.type  # type: ignore[assignment]
        if act.any():
            found[~act] = found[act][0]
        self.env[var.name] = Nodes(found)

    def check(self, raced: Mask, other: Ids, a: Ids, warp_phase: Ids, volatile: bool) -> None:
        """Refuse what two threads do to one cell with no barrier in between."""
        if not raced.any():
            return
        same_warp = (other >= 0) & (other // 32 == a // 32)
        ordered = (warp_phase < self.warp_phase) | volatile
        if (raced & ~(same_warp & ordered)).any():
            raise NotLifted("threads race for shared memory")

    def shared_store(self, statement: flat.Store) -> None:
        cells, where = self.place(statement.ref)
        act = self.act
        a, at = self.lanes[act], where[act]
        value = self.evaluate(statement.value)
        if len(np.unique(at)) < len(at):
            raise NotLifted("several threads write one cell of shared memory")
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
        cells.values[at] = ids[act]
        cells.writer[at] = a
        cells.write_phase[at] = self.phase
        cells.write_warp_phase[at] = self.warp_phase

    def exchange(self, statement: flat.Exchange) -> None:
        lane = self.evaluate(statement.lane)
        if not isinstance(lane, np.ndarray) or self.eager:
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
            ids = self.constants(value)
        elif isinstance(value, Nodes):
            ids = value.ids
        else:
            ids = self.atoms(self.force(statement.value))
        self.placeholder(statement.var, declare=True)
        self.types[statement.var.name] = statement.var.type  # type: ignore[assignment]
        self.env[statement.var.name] = Nodes(ids[source])

    # --- Control flow ---------------------------------------------------------------------------

    def branch(self, statement: flat.Branch) -> None:
        test = self.evaluate(statement.condition)
        if isinstance(test, np.ndarray):
            mask = np.broadcast_to(test, (self.threads,)).astype(bool)
            self.concrete_branch(statement, mask)
            return
        condition = self.force(statement.condition)
        arms: list[flat.Body] = []
        # All threads or none: those inside are no fewer than those before.
        together = not self.program.shared and not self.varies(statement.condition)
        self.symbolic += not together
        for body in (statement.then, statement.otherwise):
            out: flat.Body = []
            before = set(self.env)
            self.body(body, out)
            saved, self.out = self.out, out
            self.settle({v for v in _assigned(body) if v in before})
            self.out = saved
            arms.append(out)
        self.symbolic -= not together
        for name in _assigned(statement.then) | _assigned(statement.otherwise):
            self.env[name] = OWN
        self.emit(flat.Branch(condition, arms[0], arms[1]))

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

    def settle(self, names: set[str]) -> None:
        """Give variables that hold foreign values a value of their own, here and now."""
        for name in sorted(names):
            value = self.env.get(name)
            if isinstance(value, Nodes):
                var = Var(name, self.types[name])
                summary = self.summarise(value, var.type)
                self.emit(flat.Set(var, summary))
                self.env[name] = OWN

    def opaque_region(self, statement: flat.Loop | flat.Scope) -> None:
        """A loop in which each thread is on its own: it stays, with foreign values summarised."""
        inside = _assigned([statement])
        used: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                used |= reads(expr)
        self.settle({n for n in used | inside if isinstance(self.env.get(n), Nodes)})
        self.emit(_copied(statement))
        for name in inside:
            self.env[name] = OWN
        for inner in flat.statements([statement]):
            if (var := flat.target(inner)) is not None:
                self.types[var.name] = var.type  # type: ignore[assignment]

    def loop(self, statement: flat.Loop) -> None:
        test = self.peek(statement)
        if isinstance(test, np.ndarray):
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
        for expr_statement in [statement]:
            if self.varies(expr_statement.condition):
                raise NotLifted("a loop that exchanges values ends at different times")
        assigned = _assigned([statement])
        used: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                used |= reads(expr)
        self.settle({n for n in used | assigned if isinstance(self.env.get(n), Nodes)})
        outside = {n for n in assigned if n in self.env}
        written = {
            s.ref.root.name
            for s in flat.statements([statement])
            if isinstance(s, flat.Store) and s.ref.root.space == "shared"
        }
        copy = flat.Loop(statement.label, [], statement.condition, [], [], statement.test_first)
        # Twice: the second round meets what the first did to shared memory, which shows races
        # from one round to the next.
        for _ in range(2):
            for name in assigned:
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
        for name in assigned:
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
        from crossport.ir.lift.uniform import uniformity

        if not hasattr(self, "_facts"):
            self._facts = uniformity(self.program)
        return not self._facts.is_uniform(expr)

    # --- Expressions ----------------------------------------------------------------------------

    def evaluate(self, expr: Expr) -> object:
        """Concrete numbers, OWN, or Nodes."""
        result = self._evaluate(expr)
        # NumPy makes plain numbers of what has no dimensions.
        return np.asarray(result) if isinstance(result, np.generic) else result

    def _evaluate(self, expr: Expr) -> object:
        match expr:
            case Const(value, kind):
                dtype = np.bool_ if kind == BOOL else np.float64 if kind.is_float else np.int64
                return np.asarray(value, dtype)
            case Special(name):
                if name in self.special:
                    return self.special[name]
                axis = "xyz".index(name[-1])
                if name.startswith("block_dim"):
                    return np.asarray(self.block[axis], np.int64)
                return OWN
            case Read(Var(name)):
                return self.env.get(name, OWN)
            case Binary(op, lhs, rhs):
                return self.operate(op, expr, lhs, rhs)
            case Intrinsic(name, (lhs, rhs)):
                return self.operate(name, expr, lhs, rhs)
            case Cast(value, kind):
                inner = self.evaluate(value)
                if isinstance(inner, np.ndarray) and isinstance(kind, Scalar):
                    return _convert(inner, value.type, kind)  # type: ignore[arg-type]
                return OWN
            case Unary(op, value):
                inner = self.evaluate(value)
                if isinstance(inner, np.ndarray):
                    if op == "!":
                        return ~inner.astype(bool)
                    return _wrapped(-inner if op == "-" else ~inner, expr.type)
                return OWN
            case Select(condition, then, otherwise):
                test, a, b = (self.evaluate(x) for x in (condition, then, otherwise))
                if isinstance(test, np.ndarray):
                    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
                        return np.where(test, a, b)
                    if isinstance(a, Nodes) or isinstance(b, Nodes):
                        x, y = self.as_nodes(a, then), self.as_nodes(b, otherwise)
                        mask = np.broadcast_to(test, (self.threads,)).astype(bool)
                        return Nodes(np.where(mask, x, y))
                return OWN
            case _:
                return OWN

    def as_nodes(self, value: object, expr: Expr) -> Ids:
        if isinstance(value, Nodes):
            return value.ids
        if isinstance(value, np.ndarray):
            return self.constants(value)
        return self.atoms(self.force(expr))

    def operate(self, op: str, expr: Expr, lhs: Expr, rhs: Expr) -> object:
        a, b = self.evaluate(lhs), self.evaluate(rhs)
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            result = _compute(op, a, b, lhs.type, expr.type)
            return OWN if result is None else result
        if op in AC_OPERATORS and (isinstance(a, Nodes) or isinstance(b, Nodes)):
            return Nodes(self.graph.apply(op, self.as_nodes(a, lhs), self.as_nodes(b, rhs)))
        return OWN


def _assigned(body: flat.Body) -> set[str]:
    return {v.name for s in flat.statements(body) if (v := flat.target(s)) is not None}


def _copied(statement: flat.Statement) -> flat.Statement:
    """A copy down to the statements; expressions are shared, for they never change."""
    match statement:
        case flat.Branch(condition, then, otherwise):
            return flat.Branch(
                condition, [_copied(s) for s in then], [_copied(s) for s in otherwise]
            )
        case flat.Loop(label, head, condition, body, step, test_first):
            return flat.Loop(
                label, [_copied(s) for s in head], condition, [_copied(s) for s in body],
                [_copied(s) for s in step], test_first,
            )  # fmt: skip
        case flat.Scope(label, body):
            return flat.Scope(label, [_copied(s) for s in body])
        case _:
            return replace(statement)


def _wrapped(value: Concrete, kind: object) -> Concrete:
    """Integers as their type holds them."""
    if not isinstance(kind, Scalar) or kind.is_float or kind == BOOL:
        return value
    bits = 8 * kind.size
    if bits >= 64:
        return value
    value = value & ((1 << bits) - 1)
    if kind.is_signed:
        value = np.where(value >> (bits - 1) != 0, value - (1 << bits), value)
    return value


def _convert(value: Concrete, source: Scalar, kind: Scalar) -> object:
    if kind == BOOL:
        return value != 0
    if kind.is_float:
        if kind in (F32, F64):
            return value.astype(np.float32 if kind == F32 else np.float64).astype(np.float64)
        return OWN
    if source.is_float:
        return OWN
    return _wrapped(value.astype(np.int64), kind)


def _compute(op: str, a: Concrete, b: Concrete, kind: object, result: object) -> Concrete | None:
    """The operator on concrete numbers; None where it is not worth knowing."""
    assert isinstance(kind, Scalar)
    if op in COMPARISONS:
        return {
            "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal,
            ">": np.greater, ">=": np.greater_equal,
        }[op](a, b)  # fmt: skip
    if op in ("&&", "||"):
        return np.logical_and(a, b) if op == "&&" else np.logical_or(a, b)
    if kind.is_float:
        return None
    if op in ("/", "%"):
        if (np.asarray(b) == 0).any():
            return None
        quotient = np.abs(a) // np.abs(b) * np.where((a < 0) == (b < 0), 1, -1)
        return _wrapped(quotient if op == "/" else a - quotient * b, result)
    if op in ("<<", ">>"):
        if (np.asarray(b) < 0).any() or (np.asarray(b) > 31).any():
            return None
        return _wrapped(np.left_shift(a, b) if op == "<<" else np.right_shift(a, b), result)
    simple: dict[str, Callable[[Concrete, Concrete], Concrete]] = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "&": np.bitwise_and,
        "|": np.bitwise_or, "^": np.bitwise_xor, "min": np.minimum, "max": np.maximum,
    }  # fmt: skip
    return _wrapped(simple[op](a, b), result) if op in simple else None


__all__ = ["NotLifted", "lift_exchanges"]
