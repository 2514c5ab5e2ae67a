"""Cut a kernel at its grid-wide barriers into phases, each a kernel of its own.

    for (s = 0; s < steps; ++s) {        phase 0: s = 0; if (s < steps) { A; stop at 1 }
      A; grid barrier; B           ->    phase 1: B; ++s; if (s < steps) { A; stop at 1 }
    }

The end of a launch is a barrier of the whole grid. What threads keep from one phase to the next
lies in arrays, an element a thread; shared memory and large local arrays that outlive a phase lie
there too. What all threads of the grid share is an element of `state_before` when a phase begins;
it leaves its own in `state_after`, and in `next_phase` the number of the phase that follows (the
launcher has put -1 there: none).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from crossport.ir.lift import flat, fold
from crossport.ir.lift.cutting import Finish, Stop, stops, stretches, undeclare, used, written
from crossport.ir.lift.flatten.pieces import UNSIGNED
from crossport.ir.lift.flatten.values import refuse
from crossport.ir.lift.names import Names
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Bitcast, Cast, Expr, Read, Special, Var, walk
from crossport.ir.types import BOOL, I32, I64, U8, Pointer, Scalar, Type

OF_THREAD = "phase_of_thread"
BEFORE = flat.Root("state_before", "param", I64)
NEXT = flat.Root("next_phase", "param", I32)
AFTER = flat.Root("state_after", "param", I64)


@dataclass(frozen=True)
class Kept:
    """An array that holds something from one phase to the next: how many elements it needs."""

    parameter: flat.Parameter
    each: int
    per: Literal["thread", "block"]


@dataclass(frozen=True)
class Phases:
    """The phases, and the arrays beyond the kernel's parameters that each is handed."""

    programs: tuple[flat.Program, ...]
    kept: tuple[Kept, ...]
    shared: int
    """Elements of the arrays of what all threads share."""
    axes: int
    """Axes of the grid and the block that threads may be counted along."""


def has_grid_barrier(body: flat.Body) -> bool:
    """Does the body wait for the whole grid?"""
    return any(isinstance(s, flat.Sync) and s.scope == "grid" for s in flat.statements(body))


def split_phases(program: flat.Program) -> Phases:
    """The phases of a kernel; PortError where barriers stand in a way that is not understood."""
    bodies = stretches(
        program.body, lambda s: isinstance(s, flat.Sync) and s.scope == "grid", "kernel",
        program.span,
    )  # fmt: skip
    return _Keeper(program, uniformity(program, grid=True), bodies).run()


class _Keeper:
    """Saves and restores what lives from one phase to the next."""

    def __init__(self, program: flat.Program, facts: Uniformity, bodies: list[flat.Body]) -> None:
        self.program = program
        self.bodies = bodies
        self.varying: set[str] = set(facts.varying)
        self.names = Names()
        self.types: dict[str, Scalar] = {}
        for statement in flat.statements(program.body):
            for var in flat.targets(statement):
                self.names.fresh(var.name)
                self.types[var.name] = var.type  # type: ignore[assignment]
        for parameter in program.parameters:
            self.names.fresh(parameter.name)
            for _, root in parameter.roots:
                self.names.fresh(root.name)
            for _, scalar in parameter.scalars:
                self.names.fresh(scalar.name)
        for root in (*program.shared, *program.locals, *(g.root for g in program.globals)):
            self.names.fresh(root.name)
        specials = {
            x.name
            for s in flat.statements(program.body)
            for e in flat.expressions(s)
            for x in _specials(e)
        }
        self.axes = 1
        if specials & {f"{n}.y" for n in _PLACES}:
            self.axes = 2
        if specials & {f"{n}.z" for n in _PLACES}:
            self.axes = 3
        self.kept: list[Kept] = []
        self.roots: dict[str, flat.Root] = {}
        self.slots: dict[str, int] = {}

    def run(self) -> Phases:
        live = [used(b, set(self.types)) for b in self.bodies]
        state = sorted(set().union(*live))
        # A launch in which some threads are done needs to know which.
        is_ragged = self.ends_at_different_times()
        if is_ragged:
            self.types[OF_THREAD] = I32
            state.append(OF_THREAD)
            self.varying.add(OF_THREAD)
        for name in state:
            if name in self.varying:
                kind = self.types[name]
                root = flat.Root(self.names.fresh(f"{name}_kept"), "param", _stored(kind))
                self.roots[name] = root
                self.kept.append(Kept(_array(root), 1, "thread"))
            else:
                self.slots[name] = len(self.slots)
        self.move_memory()
        parameters = (
            *self.program.parameters, *(k.parameter for k in self.kept), _array(BEFORE),
            _array(AFTER), _array(NEXT),
        )  # fmt: skip
        programs = []
        for number, body in enumerate(self.bodies):
            touched = {v for s in flat.statements(body) for v in written(s)} & set(state)
            wanted = sorted((live[number] | touched | self.slots.keys()) & set(state))
            whole = self.phase(number, body, wanted, is_ragged)
            made = replace(
                self.program, name=f"{self.program.name} phase {number}", body=whole,
                parameters=parameters, shared=self.shared_of(whole),
                locals=tuple(r for r in self.program.locals if _uses(whole, r)),
                notes=list(self.program.notes),
            )  # fmt: skip
            programs.append(tidy(made))
        return Phases(tuple(programs), tuple(self.kept), len(self.slots), self.axes)

    def ends_at_different_times(self) -> bool:
        """May some threads come to the end where others come to a stop?"""

        def differs(body: flat.Body) -> bool:
            return any(
                isinstance(s, flat.Branch)
                and (_has_stop(s.then) or _has_stop(s.otherwise))
                and (bool(reads(s.condition) & self.varying) or _varies(s.condition)
                     or differs(s.then) or differs(s.otherwise))
                for s in body
            )  # fmt: skip

        return any(differs(b) for b in self.bodies)

    def shared_of(self, body: flat.Body) -> tuple[flat.Root, ...]:
        return tuple(r for r in self.program.shared if _uses(body, r))

    def move_memory(self) -> None:
        """Shared memory and local arrays that may outlive a phase go to arrays of the grid."""
        following = {
            number: {s.following for s in stops(body)} for number, body in enumerate(self.bodies)
        }
        for root in (*self.program.shared, *self.program.locals):
            users = [n for n, b in enumerate(self.bodies) if _uses(b, root)]
            if len(users) < 2 and not any(n in _reached(n, following) for n in users):
                continue
            if not root.size:
                raise refuse(
                    "dynamic shared memory that is kept across a grid barrier", self.program.span
                )
            per: Literal["thread", "block"] = "block" if root.space == "shared" else "thread"
            array = flat.Root(self.names.fresh(f"{root.name}_kept"), "param", root.element)
            self.kept.append(Kept(_array(array), root.size // root.element.size, per))
            start = self.block() if per == "block" else self.thread()
            for body in self.bodies:
                for statement in flat.statements(body):
                    if isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
                        ref = statement.ref
                        if ref.root.name == root.name:
                            base = fold.binary("*", start, fold.i64(root.size // ref.unit))
                            index = fold.binary("+", base, ref.index)
                            statement.ref = replace(ref, root=array, index=index)

    def phase(self, number: int, body: flat.Body, wanted: list[str], is_ragged: bool) -> flat.Body:
        """One phase: what it needs is restored, and at each stop saved."""
        wanted = [name for name in wanted if name != OF_THREAD]
        out: flat.Body = []
        for name in wanted:
            var = Var(name, self.types[name])
            out.append(flat.Set(var, None, declare=True))
            if number:
                ref = self.place(name, BEFORE)
                found = Var(self.names.fresh(f"{name}_before"), ref.type)
                out.append(flat.Load(found, ref))
                out.append(flat.Set(var, _unpacked(Read(found), var.type)))
        undeclare(body, set(wanted), self.names.fresh)
        out += self.with_stops(body, wanted)
        if not is_ragged:
            return out
        place = self.place(OF_THREAD, BEFORE)
        out = [flat.Store(place, fold.constant(-1, I32)), *out]
        if not number:
            return out
        here = Var(self.names.fresh("phase_here"), I32)
        test = fold.binary("==", Read(here), fold.constant(number, I32))
        return [flat.Load(here, place), flat.Branch(test, out)]

    def place(self, name: str, table: flat.Root) -> flat.Ref:
        """Where a variable is kept."""
        if name in self.slots:
            return flat.Ref(table, fold.i64(self.slots[name]), I64, 8)
        root = self.roots[name]
        return flat.Ref(root, self.thread(), root.element, root.element.size)

    def with_stops(self, body: flat.Body, saved: list[str]) -> flat.Body:
        """The body with every stop written out."""
        out: flat.Body = []
        for statement in body:
            if isinstance(statement, Finish):
                continue
            if isinstance(statement, Stop):
                for name in saved:
                    ref = self.place(name, AFTER)
                    value = _packed(Read(Var(name, self.types[name])), ref.type)
                    out.append(flat.Store(ref, value))
                if OF_THREAD in self.roots:
                    number = fold.constant(statement.following, I32)
                    out.append(flat.Store(self.place(OF_THREAD, AFTER), number))
                number = fold.constant(statement.following, I32)
                out.append(flat.Store(flat.Ref(NEXT, fold.i64(0), I32, 4), number))
                continue
            if isinstance(statement, flat.Branch):
                statement.then = self.with_stops(statement.then, saved)
                statement.otherwise = self.with_stops(statement.otherwise, saved)
            out.append(statement)
        return out

    def thread(self) -> Expr:
        """The number of the thread in the grid."""
        within = _number("thread", "block_dim", self.axes)
        threads: Expr = fold.i64(1)
        for axis in "xyz"[: self.axes]:
            threads = fold.binary("*", threads, _wide(f"block_dim.{axis}"))
        start = fold.binary("*", self.block(), threads)
        return fold.binary("+", start, within)

    def block(self) -> Expr:
        """The number of the block in the grid."""
        return _number("block", "grid_dim", self.axes)


_PLACES = ("thread", "block", "block_dim", "grid_dim")


def _wide(name: str) -> Expr:
    return Cast(Special(name), I64)  # type: ignore[arg-type]


def _number(place: str, size: str, axes: int) -> Expr:
    total = _wide(f"{place}.{'xyz'[axes - 1]}")
    for axis in reversed("xyz"[: axes - 1]):
        total = fold.binary("*", total, _wide(f"{size}.{axis}"))
        total = fold.binary("+", total, _wide(f"{place}.{axis}"))
    return total


def _array(root: flat.Root) -> flat.Parameter:
    return flat.Parameter(root.name, Pointer(root.element), (("", root),))


def _reached(start: int, following: dict[int, set[int]]) -> set[int]:
    """The phases that may come after one."""
    found: set[int] = set()
    waiting = list(following[start])
    while waiting:
        phase = waiting.pop()
        if phase not in found:
            found.add(phase)
            waiting += following[phase]
    return found


def _stored(kind: Scalar) -> Scalar:
    return U8 if kind == BOOL else kind


def _packed(value: Expr, kind: Scalar) -> Expr:
    """A value as it is kept."""
    assert isinstance(value.type, Scalar)
    if value.type.is_float and kind != value.type:
        bits = UNSIGNED[value.type.size]
        return fold.cast(Bitcast(value, bits), kind)
    return fold.cast(value, kind)


def _unpacked(value: Expr, kind: Type) -> Expr:
    assert isinstance(kind, Scalar)
    if kind.is_float and kind != value.type:
        return Bitcast(fold.cast(value, UNSIGNED[kind.size]), kind)
    return fold.cast(value, kind)


def _specials(expr: Expr) -> list[Special]:
    return [x for x in walk(expr) if isinstance(x, Special)]


def _varies(expr: Expr) -> bool:
    return any(x.name.startswith(("thread", "block.", "lane", "warp_id")) for x in _specials(expr))


def _has_stop(body: flat.Body) -> bool:
    return bool(stops(body))


def _uses(body: flat.Body, root: flat.Root) -> bool:
    return any(
        isinstance(s, flat.Load | flat.Store | flat.AtomicUpdate) and s.ref.root.name == root.name
        for s in flat.statements(body)
    )


__all__ = ["AFTER", "BEFORE", "Kept", "Phases", "has_grid_barrier", "split_phases"]
