"""Loops: a closed form for each variable that a round changes, else a recurrence.

    for (int i = tid; i < n; i += stride)      i = tid + stride*it@1
    for (int s = 1; s < n; s *= 2)             s@2: first 1, next 2*s@2

A round is walked on trial, without notes, until it is known how far its variables vary.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import assert_never

from crossport.ir.facts.symbolic import (
    ZERO,
    Level,
    Poly,
    Symbol,
    substitute,
    symbols,
    unknowns,
)
from crossport.ir.facts.walk.noted import Address, Loop, Value, level_of
from crossport.ir.facts.walk.values import Values
from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Atomic,
    Block,
    Break,
    Call,
    Const,
    Deref,
    DoWhile,
    Element,
    Expr,
    Let,
    Member,
    Node,
    Place,
    Read,
    Return,
    Stmt,
    Var,
    walk,
)

_UNROLLED = 64
"""Rounds up to which a loop of constant length is taken to be unrolled."""
_MOST_ROUNDS = 256
"""Rounds of a loop of constant length that are gone through for its last values."""


class Loops(Values):
    """Walks loops, and keeps what stores change."""

    def _block(self, block: Block) -> bool:
        raise NotImplementedError  # statements.py has it

    def _loop(
        self, stmt: Stmt, condition: Expr, body: Block, step: Block, unroll: int | None
    ) -> None:
        number = self._number("loop")
        counter = Symbol(f"it@{number}", Level.GRID, number)
        before = dict(self.env)
        changed = self._changed_by(stmt, before)
        key = (self.frames[-1].prefix, id(stmt))
        levels = self.loop_levels.setdefault(key, {})
        updates = self._updates(number, changed, condition, body, step, before, levels)
        self.env = dict(before)
        recurrences: list[tuple[Symbol, Poly, Poly]] = []
        for name in changed:
            value, recurrence = self._induction(name, number, counter, updates, before, levels)
            self.env[name] = value
            if recurrence is not None:
                recurrences.append(recurrence)
        inside = dict(self.env)
        with self._free():
            holds = self._integer(condition)
        guards, loops = self.guards, self.loops
        known = not isinstance(stmt, DoWhile) and not _is_constant_true(condition)
        self.loops = (
            *loops,
            Loop(number, counter, tuple(recurrences), holds if known else None, stmt.span, unroll),
        )
        self._note_branch("loop", holds, stmt)
        last = _last(holds, counter, recurrences) if known and not _leaves_early(stmt) else None
        if known:
            self.guards = (*guards, holds)
        self._flush_work(loops)
        # On trial there is nothing to note, and what a round changes is known by now.
        if not self.muted:
            self._block(body)
            with self._free():
                self._block(step)
            if last is None or last[counter.name].value > _UNROLLED:  # type: ignore[operator]
                self._count("int")  # the counter, compared as it is stepped
        self._flush_work()
        self.guards, self.loops = guards, loops
        # Behind the loop its variables have their last values, which no formula gives; but the
        # rounds of a loop of constant length can be gone through.
        self.env = inside
        for name in changed:
            if last is not None:
                self.env[name] = _substituted(self.env[name], last)
                continue
            exit_level = max(levels[name], holds.level, level_of(self.env[name]))
            previous = self.env[name]
            self.env[name] = (
                Address(previous.base, self._unknown(name, exit_level))
                if isinstance(previous, Address)
                else self._unknown(name, exit_level)
            )

    def _changed_by(self, stmt: Stmt, before: dict[str, Value]) -> list[str]:
        """Variables from before the loop that it assigns, by their names here."""
        roots: dict[str, None] = {}
        for node in walk(stmt):
            target: Node | None = None
            if isinstance(node, Assign):
                target = node.place
            elif isinstance(node, Atomic):
                target = node.place
                if node.target is not None:
                    roots[self._name(node.target.name)] = None
            elif not isinstance(node, Let):
                target = getattr(node, "target", None)
            # A reference argument may be written through by the callee.
            if isinstance(node, Call):
                for arg in node.args:
                    if isinstance(arg, AddressOf):
                        roots[self._name(_root(arg.place))] = None
            if isinstance(target, Var | Element | Member):
                roots[self._name(_root(target))] = None
        return [
            name
            for name in before
            if name in roots or any(name.startswith((f"{r}.", f"{r}[")) for r in roots)
        ]

    def _updates(
        self,
        number: int,
        changed: list[str],
        condition: Expr,
        body: Block,
        step: Block,
        before: dict[str, Value],
        levels: dict[str, Level],
    ) -> dict[str, Value]:
        """What one round makes of each variable, in terms of its value at the round's start.

        levels: how much each variable is known to vary at least, from earlier trials; raised here.
        """
        guards, loops = self.guards, self.loops
        self.muted += 1
        saved_numbers = Counter(self.numbers)
        while True:
            for name in changed:
                start = before[name]
                levels[name] = max(levels.get(name, Level.GRID), level_of(start))
                symbol = Poly.atom(Symbol(f"{name}@{number}", levels[name], number))
                self.env[name] = (
                    Address(start.base, symbol) if isinstance(start, Address) else symbol
                )
            self._integer(condition)
            self._block(body)
            self._block(step)
            updates = {name: self.env.get(name, before[name]) for name in changed}
            self.guards, self.loops = guards, loops
            more = {n: level_of(u) for n, u in updates.items() if level_of(u) > levels[n]}
            if not more:
                break
            # Some variable varies more than assumed: what depends on it may too.
            levels |= more
            self.env = dict(before)
        self.muted -= 1
        self.numbers = saved_numbers
        return updates

    def _induction(
        self,
        name: str,
        number: int,
        counter: Symbol,
        updates: dict[str, Value],
        before: dict[str, Value],
        levels: dict[str, Level],
    ) -> tuple[Value, tuple[Symbol, Poly, Poly] | None]:
        start, update = before[name], updates[name]
        symbol = Symbol(f"{name}@{number}", levels[name], number)
        first = start.offset if isinstance(start, Address) else start
        later = update.offset if isinstance(update, Address) else update
        rebased = isinstance(start, Address) != isinstance(update, Address) or (
            isinstance(start, Address) and isinstance(update, Address) and start.base != update.base
        )

        def wrap(poly: Poly) -> Value:
            return Address(start.base, poly) if isinstance(start, Address) else poly

        if rebased:
            return self._unknown(name, symbol.level), None
        step = later - Poly.atom(symbol)
        in_loop = {s.name for s in symbols(step) if s.loop == number}
        if not in_loop and not any(True for _ in unknowns(step)):
            return wrap(first + step * Poly.atom(counter)), None
        runs = {s.name for s in symbols(later) if s.loop == number} <= {symbol.name}
        if runs and not any(True for p in (first, later) for _ in unknowns(p)):
            return wrap(Poly.atom(symbol)), (symbol, first, later)
        return wrap(self._unknown(name, symbol.level)), None

    def _forget_changes(self, before: dict[str, Value], level: Level) -> None:
        for name, value in self.env.items():
            if name not in before or before[name] != value:
                self.env[name] = self._unknown(name, max(level, level_of(value)))

    # --- stores

    def _store_variable(self, var: Var, value: Value) -> None:
        base = self._base(var.name)
        if base is None:
            name = self._name(var.name)
            for member in [k for k in self.env if k.startswith((f"{name}.", f"{name}["))]:
                del self.env[member]
            self.env[name] = value
        else:
            self._note("store", var)

    def _store(self, place: Place, value: Value, volatile: bool) -> None:
        key = self._local_key(place)
        if key is None:
            self._note("store", place, volatile)
        elif key:
            self.env[key] = value
        else:
            # A computed index into a local array: any element may have changed.
            root = self._name(_root(place))
            for name in [k for k in self.env if k.startswith((f"{root}.", f"{root}["))]:
                del self.env[name]
            self._note("store", place, volatile)


def _last(
    holds: Poly, counter: Symbol, recurrences: list[tuple[Symbol, Poly, Poly]]
) -> dict[str, Poly] | None:
    """The loop's symbols when its condition ends to hold, if that takes but constants to know."""
    now = {counter.name: ZERO, **{symbol.name: first for symbol, first, _ in recurrences}}
    if any(value.value is None for value in now.values()):
        return None
    for number in range(_MOST_ROUNDS):
        holds_now = substitute(holds, now).value
        if holds_now is None:
            return None
        if not holds_now:
            return now
        now = {symbol.name: substitute(later, now) for symbol, _, later in recurrences}
        now[counter.name] = Poly.constant(number + 1)
    return None


def _substituted(value: Value, last: dict[str, Poly]) -> Value:
    if isinstance(value, Address):
        return replace(value, offset=substitute(value.offset, last))
    return substitute(value, last)


def _leaves_early(stmt: Stmt) -> bool:
    return any(isinstance(node, Break | Return) for node in walk(stmt))


def _root(place: Place) -> str:
    match place:
        case Var(name):
            return name
        case Element(base, _) | Member(base, _):
            return _root(base)
        case Deref(pointer, _):
            return _root(pointer.place) if isinstance(pointer, Read | AddressOf) else ""
        case _:
            assert_never(place)


def _is_constant_true(expr: Expr) -> bool:
    return isinstance(expr, Const) and bool(expr.value)
