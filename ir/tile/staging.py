"""Read what shared memory is a copy of, and not the copy.

    s[thread.x] = j < n ? x[j] : 0        (j = t * 64 + thread.x)
    barrier
    for (k = 0; k < 64; ++k)         ->   for (k = 0; k < 64; ++k)
      use s[k]                              use t * 64 + k < n ? x[t * 64 + k] : 0
    barrier

What thread f wrote to cell f is an expression of f, of values that all threads share and of arrays
that nothing writes. A read of cell g computes it again for the thread that wrote the cell. Copies
that threads make of a whole table, round by round (`for (i = thread.x; i < n; i += 64) s[i] =
x[i]`), are the same with `i` in the thread's place.

It holds for one block shape. Refused is a read that may meet a cell of another round, a cell that
several threads write, an access that no barrier separates from another's, and a value that is dear
to compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import gcd

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.lift.tidy import tidy
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Cast, Expr, Node, Read, Special, Var
from crossport.ir.tile.linear import Linear, Range, linear
from crossport.ir.tile.recipes import THREAD, Recipe, Recorder, Unknown
from crossport.ir.types import I32, U32

Shape = tuple[int, int, int]


class _Kept(Exception):
    """The array stays in shared memory; the reason."""


def forward_staged(program: flat.Program, shape: Shape) -> str | None:
    """Take all shared memory out of a program for blocks of that shape, in place; None if done.

    Else says why not; the program is then of no use.
    """
    if not program.shared:
        return "it has no shared memory"
    _fix_shape(program, shape)
    try:
        _Forwarder(program, shape).run()
    except (_Kept, Unknown) as reason:
        return str(reason)
    tidy(program)
    return None


def _fix_shape(program: flat.Program, shape: Shape) -> None:
    sizes = {f"block_dim.{a}": shape[n] for n, a in enumerate("xyz")}
    idle = {f"thread.{a}" for n, a in enumerate("xyz") if shape[n] == 1}

    def rule(node: Node) -> Node:
        if isinstance(node, Special) and node.name in sizes:
            return fold.constant(sizes[node.name], U32)
        if isinstance(node, Special) and node.name in idle:
            return fold.constant(0, U32)
        return _folded(node)

    map_expressions(program.body, lambda e: map_nodes(e, rule))


def _folded(node: Node) -> Node:
    match node:
        case Cast(Cast(value, between), kind) if between == U32 and value.type == kind == I32:
            return value
        case Cast(value, kind):
            return fold.cast(value, kind)
        case _:
            return node


@dataclass(frozen=True)
class _Place:
    """A list of statements, and what is around it: outermost first."""

    body: flat.Body
    around: tuple[flat.Statement, ...]


class _Forwarder:
    def __init__(self, program: flat.Program, shape: Shape) -> None:
        self.program = program
        self.shape = shape
        self.facts: Uniformity = uniformity(program)
        self.ranges: dict[Expr, Range] = {
            thread: (0, extent - 1) for thread, extent in zip(THREAD, shape, strict=True)
        }
        self.names = Names()
        for statement in flat.statements(program.body):
            for var in flat.targets(statement):
                self.names.fresh(var.name)
        for parameter in program.parameters:
            for _, root in parameter.roots:
                self.names.fresh(root.name)
            for _, var in parameter.scalars:
                self.names.fresh(var.name)
        self.recorder = Recorder(program, self.facts, shape, self.ranges)

    def run(self) -> None:
        for root in self.program.shared:
            self.forward(root)
        self.program.shared = ()
        self.program.has_dynamic_shared = False
        touched = [s for s in flat.statements(self.program.body) if isinstance(s, flat.Load)]
        stored = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        if not any(s.ref.root.name in stored for s in touched):
            _drop_barriers(self.program.body)

    def forward(self, root: flat.Root) -> None:
        """Take one array out of the program."""
        place = self.place_of(root)
        if place is None:
            self.drop_stores(self.program.body, root)  # nobody reads it
            return
        is_repeated = any(isinstance(s, flat.Loop) for s in place.around)
        first, last = self.check_order(place.body, root, is_repeated)
        recipes = self.recorder.record(place.body[:first], root, is_repeated)
        for number, one in enumerate(recipes):
            if any(self.may_meet(one, other) for other in recipes[number + 1 :]):
                raise _Kept("several stores write one cell of shared memory")
        changed = {v.name for s in flat.statements(place.body[:last]) for v in flat.targets(s)}
        for recipe in recipes:
            if recipe.leaves & changed:
                raise _Kept("what was staged depends on a value that changes before it is read")
        self.read_sources(place.body, root, recipes)
        self.drop_stores(place.body, root)

    # --- Where ----------------------------------------------------------------------------------

    def place_of(self, root: flat.Root) -> _Place | None:
        """The innermost list with a barrier that has all accesses to the array below it."""
        accesses = [s for s in flat.statements(self.program.body) if _touches(s, root)]
        if not any(isinstance(s, flat.Load) for s in accesses):
            return None
        found: _Place | None = None
        for place in _places(self.program.body, ()):
            inside = sum(_touches(s, root) for s in flat.statements(place.body))
            has_barrier = any(_is_barrier(s) for s in place.body)
            if inside == len(accesses) and has_barrier:
                found = place
        if found is None:
            raise _Kept("no barrier stands between what is staged and its use")
        if "kernel" in self.facts.left or any(id(s) in self.facts.divergent for s in found.around):
            raise _Kept("threads may have left before they stage their part")
        return found

    def check_order(self, body: flat.Body, root: flat.Root, is_repeated: bool) -> tuple[int, int]:
        """Stores, a barrier, loads, and a barrier before the next stores. Where the barrier is,
        and where the last load ends."""
        stores, loads, barriers = [], [], []
        for position, statement in enumerate(body):
            inside = [s for s in flat.statements([statement]) if _touches(s, root)]
            if any(isinstance(s, flat.Load) for s in inside):
                loads.append(position)
            if any(isinstance(s, flat.Store) for s in inside):
                stores.append(position)
            if any(isinstance(s, flat.AtomicUpdate) for s in inside):
                raise _Kept("shared memory is updated in place")
            if _is_barrier(statement):
                barriers.append(position)
        if not stores:
            raise _Kept("shared memory is read that nobody wrote")
        between = [b for b in barriers if stores[-1] < b < loads[0]]
        if not between:
            raise _Kept("no barrier stands between what is staged and its use")
        if is_repeated and not any(b < stores[0] or b > loads[-1] for b in barriers):
            raise _Kept("no barrier stands between the use of a round and the next one's stores")
        return between[0], loads[-1] + 1

    def may_meet(self, one: Recipe, other: Recipe) -> bool:
        """May two stores write the same cell?"""
        step = gcd(*one.place.terms.values(), *other.place.terms.values())
        if step and (one.place.number - other.place.number) % step:
            return False
        a, b = (r.place.range({**self.ranges, **r.ranges}) for r in (one, other))
        return a is None or b is None or (a[0] <= b[1] and b[0] <= a[1])

    # --- What -----------------------------------------------------------------------------------

    def read_sources(self, body: flat.Body, root: flat.Root, recipes: list[Recipe]) -> None:
        """Replace every read of the array below."""
        made: flat.Body = []
        for statement in body:
            if isinstance(statement, flat.Load) and _touches(statement, root):
                made += self.source(statement, recipes)
                continue
            if isinstance(statement, flat.Loop) and any(
                _touches(s, root) for s in flat.statements([*statement.head, *statement.step])
            ):
                raise _Kept("shared memory is read between the rounds of a loop")
            with self.recorder.inside(statement, body):
                for below in flat.bodies(statement):
                    self.read_sources(below, root, recipes)
            made.append(statement)
        body[:] = made

    def source(self, load: flat.Load, recipes: list[Recipe]) -> flat.Body:
        """What the cell is a copy of."""
        if load.volatile or not load.ref.is_whole:
            raise _Kept("shared memory is read in another size, or while it changes")
        cell = linear(self.recorder.steady(load.ref.index), self.ranges)
        for recipe in recipes:
            if recipe.type != load.ref.type:
                raise _Kept("shared memory is read as another type")
            writer = self.writer(recipe, cell)
            if writer is not None:
                return self.copy(load, recipe, writer)
        raise _Kept("it is not known who wrote a cell of shared memory that is read")

    def writer(self, recipe: Recipe, cell: Linear) -> dict[Expr, Expr] | None:
        """Which thread, or round, wrote the cell: values for the axes of the store."""
        rest = cell.plus(Linear(recipe.place.number, {}), -1)
        # What both sides share is no axis.
        for value, weight in recipe.place.terms.items():
            if value not in recipe.extents:
                rest = rest.plus(Linear(0, {value: weight}), -1)
        weights = {a: recipe.place.terms.get(a, 0) for a in recipe.extents}
        found: dict[Expr, Expr] = {}
        for axis in sorted(recipe.extents, key=lambda a: -weights[a]):
            weight = weights[axis]
            if weight <= 0:
                return None
            number, rest = rest.divided(weight)
            below = rest.range(self.ranges)
            if below is None or below[0] < 0 or below[1] >= weight:
                return None
            known = number.range(self.ranges)
            extent = recipe.extents[axis]
            if known is not None and known[0] >= 0 and extent is not None and known[1] < extent:
                pass
            elif not self.recorder.is_below(number, recipe.bounds.get(axis)):
                return None
            found[axis] = number.expression()
        return found if not rest.terms and not rest.number else None

    def copy(self, load: flat.Load, recipe: Recipe, writer: dict[Expr, Expr]) -> flat.Body:
        """The recipe for another thread, into the variable that was loaded."""
        made: flat.Body = []
        renamed: dict[str, Expr] = {}

        def rule(node: Node) -> Node:
            if isinstance(node, Special | Read) and node in writer:
                number = writer[node]
                return fold.cast(number, U32) if isinstance(node, Special) else number
            if isinstance(node, Read) and isinstance(node.place, Var):
                return renamed.get(node.place.name, node)
            return _folded(node)

        for token in recipe.loads:
            var = Var(self.names.fresh(token.ref.root.name + "_value"), token.var.type)
            ref = replace(token.ref, index=map_nodes(token.ref.index, rule))
            guard = None if token.guard is None else map_nodes(token.guard, rule)
            made.append(flat.Load(var, ref, fold.conjunction(load.guard, guard)))
            renamed[token.var.name] = Read(var)
        made.append(flat.Set(load.var, map_nodes(recipe.value, rule), declare=True))
        return made

    def drop_stores(self, body: flat.Body, root: flat.Root) -> None:
        for statement in body:
            for below in flat.bodies(statement):
                self.drop_stores(below, root)
        body[:] = [s for s in body if not (isinstance(s, flat.Store) and _touches(s, root))]


def _touches(statement: flat.Statement, root: flat.Root) -> bool:
    return (
        isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate)
        and statement.ref.root.name == root.name
    )


def _is_barrier(statement: flat.Statement) -> bool:
    return isinstance(statement, flat.Sync) and statement.scope == "block"


def _places(body: flat.Body, around: tuple[flat.Statement, ...]) -> Iterator[_Place]:
    """Every list of statements, those around before those inside."""
    yield _Place(body, around)
    for statement in body:
        for below in flat.bodies(statement):
            yield from _places(below, (*around, statement))


def _drop_barriers(body: flat.Body) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _drop_barriers(below)
    body[:] = [s for s in body if not _is_barrier(s)]
