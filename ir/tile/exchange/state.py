"""The state of an execution: what variables hold, which lanes are here, what was emitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_nodes, map_own
from crossport.ir.nodes import Binary, Cast, Expr, Node, Read, Var
from crossport.ir.tile.exchange.values import OWN, Cells, Concrete, Mask, Nodes
from crossport.ir.tile.graph import Graph, Ids
from crossport.ir.tile.limits import MOST_STATEMENTS, NotLifted
from crossport.ir.tile.summary import Summariser
from crossport.ir.types import Scalar


class Environment(dict[str, object]):
    """What variables hold now; every assignment makes a new version."""

    def __init__(self, owner: State) -> None:
        super().__init__()
        self._owner = owner

    def __setitem__(self, name: str, value: object) -> None:
        versions = self._owner.versions
        versions[name] = versions.get(name, 0) + 1
        super().__setitem__(name, value)


class State:
    """Variables, lanes and output."""

    def __init__(
        self,
        program: flat.Program,
        block: tuple[int, int, int],
        eager: bool,
        rolled: bool,
        dynamic_bytes: int,
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
        self.env: dict[str, object] = Environment(self)
        self.versions: dict[str, int] = {}
        self.kept: dict[tuple[str, int], Var] = {}
        """The variable that holds an own value for others, by name and version."""
        self.types: dict[str, Scalar] = {}
        self.cells: dict[str, Cells] = {}
        self.act: Mask = np.ones(self.threads, bool)
        self.symbolic = 0
        self.rolled = rolled
        self.in_kept_loop: frozenset[str] | None = None
        """The labels inside the outermost loop that is kept, where execution is in one."""
        self.hoisted: flat.Body | None = None
        """What must stand before the outermost branch on data, or kept loop, around here."""
        self.phase = 0
        self.warp_phase = 0
        self.out: flat.Body = []
        self.names = Names()
        for statement in flat.statements(program.body):
            for var in flat.targets(statement):
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

    def emit(self, statement: flat.Statement) -> None:
        self.out.append(statement)
        if len(self.out) > MOST_STATEMENTS:
            raise NotLifted("unrolling it gives too many statements")

    def plain(self, statement: flat.Statement) -> None:
        """A statement that stays as it is, but for foreign values in it."""
        copy = self.forced(statement)
        self.emit(copy)
        for var in flat.targets(copy):
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
            for var in flat.targets(statement):
                self.env[var.name] = OWN
                self.types[var.name] = var.type  # type: ignore[assignment]
        return result

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

    def settle(self, names: set[str]) -> None:
        """Give variables that hold foreign values a value of their own, here and now."""
        for name in sorted(names):
            value = self.env.get(name)
            if isinstance(value, Nodes):
                var = Var(name, self.types[name])
                summary = self.summarise(value, var.type)
                self.emit(flat.Set(var, summary))
                self.env[name] = OWN


def assigned(body: flat.Body) -> set[str]:
    """The variables that the statements write."""
    return {v.name for s in flat.statements(body) for v in flat.targets(s)}
