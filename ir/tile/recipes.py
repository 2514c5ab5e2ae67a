"""How values that threads store come about, as expressions that can be computed again.

    j = t * 64 + thread.x
    if (j < n) v = x[j]; else v = 0        s[thread.x]: t * 64 + thread.x < n ? loaded : 0
    s[thread.x] = v                          with loaded = x[t * 64 + thread.x], if that is < n

A recipe is in terms of the axes of its store (the thread, or the counter of a loop in which
threads share out a range), of values that all threads of the block share, and of arrays that
nothing writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_nodes
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import Uniformity
from crossport.ir.nodes import Binary, Expr, Intrinsic, Node, Read, Special, Var, walk
from crossport.ir.tile.counters import Counters
from crossport.ir.tile.linear import Linear, Range, linear
from crossport.ir.types import Scalar

Shape = tuple[int, int, int]
THREAD: tuple[Special, ...] = (Special("thread.x"), Special("thread.y"), Special("thread.z"))
MOST_NODES = 60
_CHEAP = frozenset("min max fminf fmaxf fmin fmax fabsf fabs abs fma fmaf".split())


class Unknown(Exception):
    """A value that cannot be computed again; the reason."""


@dataclass(frozen=True)
class Recipe:
    """The value of cells `place` of an array, in terms of the axes."""

    place: Linear
    type: Scalar
    value: Expr
    loads: tuple[flat.Load, ...]
    """What the value needs, in order."""
    extents: dict[Expr, int | None]
    """The axes, each from 0 to below that, where it is a number."""
    bounds: dict[Expr, Expr]
    """The ends of the axes that have an expression for one."""
    leaves: frozenset[str]
    """Variables that all threads share."""
    is_conditional: bool = False
    """May a thread have written nothing?"""

    @property
    def ranges(self) -> dict[Expr, Range]:
        """Of the axes, as far as they are known."""
        return {a: (0, n - 1) for a, n in self.extents.items() if n is not None}


@dataclass(frozen=True)
class _Stored:
    """A value in a cell, and the condition under which this store put it there."""

    place: Linear
    type: Scalar
    value: Expr
    path: Expr | None
    """The condition; None: always, FALSE: it is not known."""
    axis: Var | None


_Key = tuple[int, tuple[tuple[Expr, int], ...]]


@dataclass
class _Scene:
    """What is known at a point: variables (None: not known) and cells."""

    values: dict[str, Expr | None] = field(default_factory=dict)
    cells: dict[_Key, _Stored] = field(default_factory=dict)

    def copy(self) -> _Scene:
        return _Scene(dict(self.values), dict(self.cells))


class Recorder:
    """Follows the statements that stage values."""

    def __init__(
        self,
        program: flat.Program,
        facts: Uniformity,
        shape: Shape,
        ranges: dict[Expr, Range],
    ) -> None:
        self.program = program
        self.facts = facts
        self.shape = shape
        self.counters = Counters(program, ranges)
        self.ranges = ranges
        self.written = {
            s.ref.root.name
            for s in flat.statements(program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        self.addresses = any(
            isinstance(s, flat.Store | flat.AtomicUpdate) and s.ref.root.space == "address"
            for s in flat.statements(program.body)
        )
        self.tokens: dict[str, flat.Load] = {}
        self.bounds: dict[str, tuple[Expr, int | None]] = {}

    def record(self, body: flat.Body, root: flat.Root, is_repeated: bool) -> list[Recipe]:
        """The recipes of all stores to an array in a list of statements."""
        scene = _Scene()
        self.body(body, scene, root, None, None)
        found = [self.recipe(stored) for stored in scene.cells.values()]
        if is_repeated and any(r.is_conditional for r in found):
            raise Unknown("a cell of shared memory may keep what an earlier round left there")
        return found

    # --- Statements -----------------------------------------------------------------------------

    def body(
        self, body: flat.Body, scene: _Scene, root: flat.Root, path: Expr | None, axis: Var | None
    ) -> None:
        for statement in body:
            match statement:
                case flat.Set(var, value):
                    scene.values[var.name] = None if value is None else self.seen(value, scene)
                case flat.Load(var):
                    scene.values[var.name] = self.load(statement, scene, path)
                case flat.Store(ref, value) if ref.root.name == root.name:
                    self.store(ref, value, scene, path, axis)
                case flat.Branch(condition, then, otherwise):
                    self.branch(condition, then, otherwise, scene, root, path, axis)
                case flat.Loop():
                    inner = scene.copy()
                    for name in _assigned(statement):
                        scene.values[name] = inner.values[name] = None
                    if any(_stores_to(s, root) for s in flat.statements([statement])):
                        if axis is not None:
                            raise Unknown("shared memory is filled in loops inside loops")
                        own = self.shared_out(statement, body)
                        inner.values[own.name] = Read(own)
                        self.body(statement.body, inner, root, path, own)
                        scene.cells = inner.cells
                case flat.Scope(_, below):
                    if any(_stores_to(s, root) for s in flat.statements(below)):
                        raise Unknown("threads leave a region in which others stage values")
                    for name in _assigned(statement):
                        scene.values[name] = None
                case flat.Leave():
                    raise Unknown("threads leave early where others stage values")
                case _:
                    for var in flat.targets(statement):
                        scene.values[var.name] = None

    def load(self, load: flat.Load, scene: _Scene, path: Expr | None) -> Expr | None:
        """A token for what is loaded."""
        ref = load.ref
        if ref.root.space not in ("param", "global", "constant") or load.volatile:
            return None
        if ref.root.name in self.written or self.addresses:
            return None
        index = self.seen(ref.index, scene)
        guard = None if load.guard is None else self.seen(load.guard, scene)
        if index is None or (load.guard is not None and guard is None):
            return None
        var = Var(f"@{len(self.tokens)}", load.var.type)
        together = fold.conjunction(path, guard)
        self.tokens[var.name] = flat.Load(var, replace(ref, index=index), together)
        return Read(var)

    def store(
        self, ref: flat.Ref, value: Expr, scene: _Scene, path: Expr | None, axis: Var | None
    ) -> None:
        index, known = self.seen(ref.index, scene), self.seen(value, scene)
        if index is None or known is None or not ref.is_whole:
            raise Unknown("what is staged is not made of loaded values")
        ranges = dict(self.ranges)
        if axis is not None and (extent := self.bounds[axis.name][1]) is not None:
            ranges[Read(axis)] = (0, extent - 1)
        place = linear(index, ranges)
        key = (place.number, tuple(sorted(place.terms.items(), key=repr)))
        scene.cells[key] = _Stored(place, ref.type, known, path, axis)

    def branch(
        self, condition: Expr, then: flat.Body, otherwise: flat.Body, scene: _Scene,
        root: flat.Root, path: Expr | None, axis: Var | None,
    ) -> None:  # fmt: skip
        test = self.seen(condition, scene)
        one, other = scene.copy(), scene.copy()
        never = fold.negate(test) if test is not None else None
        stages = any(_stores_to(s, root) for s in flat.statements([*then, *otherwise]))
        if test is None and stages:
            raise Unknown("values are staged under a condition on data")
        if test is None:
            for name in {n for s in (*then, *otherwise) for n in _assigned(s)}:
                scene.values[name] = None
            return
        self.body(then, one, root, fold.conjunction(path, test), axis)
        self.body(otherwise, other, root, fold.conjunction(path, never), axis)
        for name in {**one.values, **other.values}:
            a, b = one.values.get(name), other.values.get(name)
            known = name in one.values and name in other.values and a is not None and b is not None
            if name in scene.values and one.values.get(name) is other.values.get(name):
                continue
            scene.values[name] = fold.select(test, a, b) if known else None  # type: ignore[arg-type]
        for key in {**one.cells, **other.cells}:
            first, second = one.cells.get(key), other.cells.get(key)
            if first is second:
                continue
            if first is None or second is None:
                scene.cells[key] = first or second  # type: ignore[assignment]
                continue
            value = fold.select(test, first.value, second.value)
            before = scene.cells.get(key)
            kept = path if before is None else before.path
            whole = (fold.conjunction(path, test), fold.conjunction(path, never))
            if before is None and (first.path, second.path) != whole:
                kept = fold.FALSE
            scene.cells[key] = replace(first, value=value, path=kept)

    def shared_out(self, loop: flat.Loop, body: flat.Body) -> Var:
        """The counter of a loop in which the threads of the block share out a range from 0."""
        x, y, z = self.shape
        counter = self.counters.of(loop, body)
        if counter is not None and counter.step == x * y * z:
            start = linear(self.counters.steady(counter.start), self.ranges)
            wanted: dict[Expr, int] = {Special("thread.x"): 1} if x > 1 else {}
            wanted |= {Special("thread.y"): x} if y > 1 else {}
            nested = any(isinstance(s, flat.Loop | flat.Scope) for s in flat.statements(loop.body))
            if start == Linear(0, wanted) and z == 1 and not nested and counter.bound is not None:
                bound = self.counters.steady(counter.bound)
                if not self.facts.is_uniform(bound):
                    raise Unknown("threads fill shared memory up to different ends")
                self.bounds[counter.var.name] = (bound, fold.as_int(bound))
                return counter.var
        raise Unknown("shared memory is filled in a loop of another form")

    # --- Values ---------------------------------------------------------------------------------

    def seen(self, expr: Expr, scene: _Scene) -> Expr | None:
        """The expression in terms of axes, shared values and tokens."""
        missing = False

        def rule(node: Node) -> Node:
            nonlocal missing
            if isinstance(node, Read) and isinstance(node.place, Var):
                name = node.place.name
                if name in scene.values:
                    value = scene.values[name]
                    missing = missing or value is None
                    return value if value is not None else node
                return self.counters.steady(node)
            return node

        found = map_nodes(expr, rule)
        return None if missing else found

    def recipe(self, stored: _Stored) -> Recipe:
        """What is needed to compute the cell's value for any thread."""
        axes: dict[Expr, int | None]
        bounds: dict[Expr, Expr] = {}
        if stored.axis is not None:
            axis = Read(stored.axis)
            bounds[axis], extent = self.bounds[stored.axis.name]
            axes = {axis: extent}
        else:
            axes = {t: n for t, n in zip(THREAD, self.shape, strict=True) if n > 1}
        loads = self.needed(stored.value)
        parts = [stored.value, *stored.place.terms, *bounds.values()]
        parts += [e for load in loads for e in flat.expressions(load)]
        leaves: set[str] = set()
        for part in parts:
            for node in walk(part):
                is_place = isinstance(node, Special) and not self.facts.is_uniform(node)
                if is_place and node not in axes:
                    raise Unknown("what is staged depends on the thread in another way")
                if isinstance(node, Read) and isinstance(node.place, Var):
                    name = node.place.name
                    if node in axes or name in self.tokens:
                        continue
                    if not self.facts.is_uniform(node):
                        raise Unknown("what is staged is a value of the thread's own")
                    leaves.add(name)
                if isinstance(node, Intrinsic) and node.name not in _CHEAP:
                    raise Unknown("what is staged is dear to compute")
                if isinstance(node, Binary) and node.op == "/" and _is_float(node):
                    raise Unknown("what is staged is dear to compute")
        if sum(1 for part in parts for _ in walk(part)) > MOST_NODES * (1 + len(loads)):
            raise Unknown("what is staged is dear to compute")
        return Recipe(
            stored.place, stored.type, stored.value, loads, axes, bounds, frozenset(leaves),
            stored.path is not None,
        )  # fmt: skip

    def needed(self, value: Expr) -> tuple[flat.Load, ...]:
        """The tokens that the value is made of, and those they are made of, in order."""
        wanted = {n for n in reads(value) if n in self.tokens}
        while True:
            more = {
                n
                for w in wanted
                for e in flat.expressions(self.tokens[w])
                for n in reads(e)
                if n in self.tokens
            }
            if more <= wanted:
                return tuple(self.tokens[n] for n in self.tokens if n in wanted)
            wanted |= more

    # --- Where values are read ------------------------------------------------------------------

    def steady(self, expr: Expr) -> Expr:
        """The expression with what is computed once, and cannot change, put in place."""
        return self.counters.steady(expr)

    @contextmanager
    def inside(self, statement: flat.Statement, body: flat.Body) -> Iterator[None]:
        """Below a statement: the counter of a loop has a range there."""
        with self.counters.inside(statement, body):
            yield

    def is_below(self, number: Linear, bound: Expr | None) -> bool:
        """Is the number from 0 on and below that bound, whatever it is?"""
        return self.counters.is_below(number, bound)


def _assigned(statement: flat.Statement) -> set[str]:
    return {v.name for s in flat.statements([statement]) for v in flat.targets(s)}


def _stores_to(statement: flat.Statement, root: flat.Root) -> bool:
    return isinstance(statement, flat.Store) and statement.ref.root.name == root.name


def _is_float(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_float
