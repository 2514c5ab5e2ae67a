"""Compute a neighbour's value again instead of fetching it: what it loaded is in the cache.

    v = x[i] of lane t                       v = x[block.x * 128 + thread.x]
    left = v of lane t - 1           ->      left = x[block.x * 128 + thread.x - 1], for t >= 1

Shared memory that only passes loaded values to near threads exists because a GPU once had no cache.
A gather is replaced where the value is made of one load, constants and the thread's place, where
nothing in the program writes the array, and where the lanes of a warp read near each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_nodes
from crossport.ir.lift.tidy import tidy
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import (
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
    walk,
)
from crossport.ir.tile.affine import LANE, lane
from crossport.ir.types import I32, U32, Scalar

MOST_GATHERS = 16
WARP = 32
Table = NDArray[np.int64]
Shape = tuple[int, int, int]
_COUNT = Cast(Special("block_dim.x"), I32)


class _NotAgain(Exception):
    """The value cannot be computed again."""


@dataclass(frozen=True)
class _Definition:
    """How a variable got its value, and the conditions under which."""

    statement: flat.Set | flat.Load
    path: tuple[Expr, ...]


def reload_gathers(program: flat.Program, shapes: Sequence[Shape]) -> None:
    """Replace such gathers, in place, for blocks of those shapes."""
    count = sum(isinstance(s, flat.LaneGather) for s in flat.statements(program.body))
    if 0 < count <= MOST_GATHERS and _Reloader(program, shapes).body(program.body, {}, ()):
        tidy(program)


class _Reloader:
    def __init__(self, program: flat.Program, shapes: Sequence[Shape]) -> None:
        self.block = shapes[0]
        self.counts = [x * y * z for x, y, z in shapes]
        self.facts: Uniformity = uniformity(program, varying={"lane"})
        self.writes = Counter(
            v.name for s in flat.statements(program.body) for v in flat.targets(s)
        )
        self.stored = {
            s.ref.root.name
            for s in flat.statements(program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        self.names = Names()
        for name in self.writes:
            self.names.fresh(name)
        for parameter in program.parameters:
            for _, root in parameter.roots:
                self.names.fresh(root.name)
            for _, var in parameter.scalars:
                self.names.fresh(var.name)

    def body(self, body: flat.Body, known: dict[str, _Definition], path: tuple[Expr, ...]) -> bool:
        """Go through statements with the definitions that hold; did anything change?"""
        changed = False
        result: flat.Body = []
        for statement in body:
            match statement:
                case flat.Set(var, value) if value is not None and self.writes[var.name] == 1:
                    known[var.name] = _Definition(statement, path)
                case flat.Load(var) if self.writes[var.name] == 1:
                    known[var.name] = _Definition(statement, path)
                case flat.LaneGather(var, source, index) if not self.facts.is_uniform(source):
                    again = self.again(var, source, index, known)
                    if again is not None:
                        result += again
                        for new in again:
                            assert isinstance(new, flat.Set | flat.Load)
                            known[new.var.name] = _Definition(new, path)
                        changed = True
                        continue
                case flat.Branch(condition, then, otherwise):
                    for arm, test in ((then, condition), (otherwise, fold.negate(condition))):
                        inner = (*path, test) if id(statement) in self.facts.divergent else path
                        changed = self.body(arm, known, inner) or changed
                case flat.Loop() | flat.Scope():
                    for below in flat.bodies(statement):
                        changed = self.body(below, dict(known), path) or changed
                case _:
                    pass
            result.append(statement)
        body[:] = result
        return changed

    def again(
        self, var: Var, source: Expr, index: Expr, known: dict[str, _Definition]
    ) -> flat.Body | None:
        """Statements that give the variable what the source holds in the lane `index`."""
        tables = [(_table(index, count), count) for count in self.counts]
        inside: Expr | None = None
        for table, _ in tables:
            if table is None or not _is_near(table):
                return None
            if table.min() < 0:
                inside = fold.binary(">=", index, fold.constant(0, I32))
        if any(table is not None and table.max() >= count for table, count in tables):
            x, y, z = self.block
            end = fold.constant(x * y * z, I32)
            below = fold.binary("<", index, _COUNT if y * z == 1 else end)
            inside = fold.conjunction(inside, below)
        maker = _Maker(self, index, inside, known)
        try:
            value = maker.expr(source)
        except _NotAgain:
            return None
        if maker.loads != 1:
            return None
        return [*maker.out, flat.Set(var, value, declare=True)]


def _is_near(table: Table) -> bool:
    """Do the lanes of each warp read from a stretch of two warps at most?"""
    parts = (table[first : first + WARP] // WARP for first in range(0, len(table), WARP))
    return all(part.max() - part.min() <= 1 for part in parts)


class _Maker:
    """Makes a value again for another lane."""

    def __init__(
        self, owner: _Reloader, index: Expr, inside: Expr | None, known: dict[str, _Definition]
    ) -> None:
        self.owner = owner
        self.index = _by_thread(index, owner.block)
        self.inside = None if inside is None else _by_thread(inside, owner.block)
        self.known = known
        self.out: flat.Body = []
        self.loads = 0

    def expr(self, expr: Expr) -> Expr:
        """The expression as the other lane has it."""
        if self.owner.facts.is_uniform(expr):
            return expr
        return map_nodes(expr, self.rule)

    def rule(self, node: Node) -> Node:
        match node:
            case Special(name):
                x, y, _ = self.owner.block
                place = fold.cast(self.index, U32)
                if name == "thread.x":
                    return place if y == 1 else fold.binary("%", place, fold.constant(x, U32))
                if name == "thread.y" and y > 1:
                    row = fold.binary("/", place, fold.constant(x, U32))
                    return fold.binary("%", row, fold.constant(y, U32))
                if name.startswith(("thread.", "lane_id", "warp_id")):
                    raise _NotAgain
                return node
            case Read(Var("lane")):
                return self.index
            case Read(Var(name)):
                return node if name not in self.owner.facts.varying else self.variable(name)
            case Cast(value, kind):
                return _cast(value, kind)
            case Binary(op, lhs, rhs):
                return fold.binary(op, lhs, rhs)
            case Select(condition, then, otherwise):
                return fold.select(condition, then, otherwise)
            case Const() | Unary() | Intrinsic() | Var():
                return node
            case _:
                raise _NotAgain

    def variable(self, name: str) -> Expr:
        definition = self.known.get(name)
        if definition is None:
            raise _NotAgain
        match definition.statement:
            case flat.Set(_, value):
                assert value is not None
                return self.expr(value)
            case flat.Load(var, ref, guard, volatile):
                if volatile or ref.root.name in self.owner.stored or ref.root.space == "address":
                    raise _NotAgain
                if any(self.loaded(e) for e in (ref.index, *definition.path)):
                    raise _NotAgain
                condition = self.inside
                for test in (*definition.path, *([guard] if guard is not None else [])):
                    condition = fold.conjunction(condition, self.expr(test))
                self.loads += 1
                copy = Var(self.owner.names.fresh(var.name), var.type)
                place = flat.Ref(ref.root, self.expr(ref.index), ref.type, ref.unit)
                self.out.append(flat.Load(copy, place, condition))
                return Read(copy)

    def loaded(self, expr: Expr) -> bool:
        """Does the expression depend on what a thread loaded?"""
        for node in walk(expr):
            if isinstance(node, Var) and node.name in self.owner.facts.varying:
                definition = self.known.get(node.name)
                if definition is None or isinstance(definition.statement, flat.Load):
                    return node != LANE
                value = definition.statement.value
                if value is not None and self.loaded(value):
                    return True
        return False


def _cast(value: Expr, kind: object) -> Expr:
    """A conversion; of a place there and back again it is the place."""
    assert isinstance(kind, Scalar)
    if kind == I32 and isinstance(value, Cast) and value.type == U32 and value.value.type == I32:
        return value.value
    return fold.cast(value, kind)


def _by_thread(expr: Expr, block: tuple[int, int, int]) -> Expr:
    """In a row of threads, the lane is the thread's number."""
    if block[1] * block[2] != 1:
        return expr
    thread = fold.cast(Special("thread.x"), I32)
    return map_nodes(expr, lambda n: thread if n == lane() else n)


def _table(expr: Expr, threads: int) -> Table | None:
    """The lane numbers that an expression of the lane gives."""
    operators = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.floor_divide,
        "%": np.remainder, "&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor,
    }  # fmt: skip

    def value(node: Expr) -> Table | None:
        match node:
            case Const(number):
                return np.asarray(int(number))
            case Read(Var("lane")):
                return np.arange(threads)
            case Cast(inner, Scalar() as kind) if kind.is_integer and kind.size >= 4:
                return value(inner)
            case Binary(op, lhs, rhs) if op in operators:
                a, b = value(lhs), value(rhs)
                if a is None or b is None or (op in ("/", "%") and (a.min() < 0 or b.min() < 1)):
                    return None
                return operators[op](a, b)
            case _:
                return None

    found = value(expr)
    return None if found is None else np.broadcast_to(found, (threads,))
