"""Loop counters and values that are computed once: what they are, and between what they lie.

for (k = 0; k < min(64, n - t * 64); ++k)      k: from 0 to 63, and below min(...)
row = thread.y * 16; s[row + k]                thread.y * 16 + k
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_nodes
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Binary, Cast, Expr, Intrinsic, Node, Read, Select, Var
from crossport.ir.tile.linear import Linear, Range, linear
from crossport.ir.types import Scalar


@dataclass(frozen=True)
class Counter:
    """`for (var = start; var < bound; var += step)`; `top`: the greatest value, if known."""

    var: Var
    start: Expr
    step: int
    bound: Expr | None
    top: int | None


class Counters:
    """The counters of one program."""

    def __init__(self, program: flat.Program, ranges: dict[Expr, Range]) -> None:
        self.ranges = ranges
        """Of whatever is known; those of counters are in it while a walk is inside their loop."""
        self.ends: dict[Expr, Expr] = {}
        self.writes = Tally(v.name for s in flat.statements(program.body) for v in flat.targets(s))
        self.once: dict[str, flat.Set] = {}
        self.begins: set[str] = set()
        self.around: dict[int, frozenset[int]] = {}
        self.stepped: dict[str, set[int]] = {}
        self.moved: set[str] = set()
        """Variables that change elsewhere than in the step of a loop."""
        self._note(program.body, frozenset(), None)

    def _note(self, body: flat.Body, around: frozenset[int], step_of: int | None) -> None:
        for statement in body:
            self.around[id(statement)] = around
            for var in flat.targets(statement):
                begins = not isinstance(statement, flat.Set) or statement.declare
                if begins and self.writes[var.name] == 1:
                    self.begins.add(var.name)
                    if isinstance(statement, flat.Set) and statement.value is not None:
                        self.once[var.name] = statement
                elif step_of is not None:
                    self.stepped.setdefault(var.name, set()).add(step_of)
                elif not begins:
                    self.moved.add(var.name)
            if isinstance(statement, flat.Loop):
                inner = around | {id(statement)}
                self._note(statement.head, inner, None)
                self._note(statement.body, inner, None)
                self._note(statement.step, inner, id(statement))
            else:
                for below in flat.bodies(statement):
                    self._note(below, around, step_of)

    def steady(self, expr: Expr, depth: int = 8) -> Expr:
        """The expression with variables that are computed once replaced, while that is the same.

        It is where what they are made of has not changed since: it begins once itself, or changes
        only between rounds of a loop that the variable begins in.
        """

        def rule(node: Node) -> Node:
            if not (isinstance(node, Read) and isinstance(node.place, Var)) or not depth:
                return node
            made = self.once.get(node.place.name)
            if made is None or made.value is None:
                return node
            if all(self._is_same(name, made) for name in reads(made.value)):
                return self.steady(made.value, depth - 1)
            return node

        return map_nodes(expr, rule)

    def _is_same(self, name: str, since: flat.Set) -> bool:
        if not self.writes[name] or name in self.begins:
            return True
        return name not in self.moved and self.stepped.get(name, set()) <= self.around[id(since)]

    def of(self, loop: flat.Loop, body: flat.Body) -> Counter | None:
        """The counter of a loop in `body`, if it has one that goes up."""
        if loop.head or not loop.test_first or len(loop.step) != 1:
            return None
        step = loop.step[0]
        if not isinstance(step, flat.Set):
            return None
        var = step.var
        match step.value:
            case Binary("+", Read(Var(own)), amount) if own == var.name:
                number = fold.as_int(amount)
            case _:
                return None
        inside = sum(v.name == var.name for s in flat.statements([loop]) for v in flat.targets(s))
        if number is None or number < 1 or inside != 1:
            return None
        position = next(i for i, s in enumerate(body) if s is loop)
        for before in reversed(body[:position]):
            if isinstance(before, flat.Set) and before.var.name == var.name:
                if before.value is None:
                    return None
                changed = {v.name for s in flat.statements([loop]) for v in flat.targets(s)}
                bound, top = None, None
                for limit in _limits(loop.condition, var):
                    if bound is None and not reads(limit) & changed:
                        bound = limit
                    most = self.most(limit)
                    top = top if most is None else min(most - 1, most - 1 if top is None else top)
                return Counter(var, before.value, number, bound, top)
            if any(v.name == var.name for s in flat.statements([before]) for v in flat.targets(s)):
                return None
        return None

    def most(self, expr: Expr) -> int | None:
        """The greatest value that an expression may have, if known."""
        match expr:
            case Intrinsic("min", args):
                known = [m for a in args if (m := self.most(a)) is not None]
                return min(known, default=None)
            case Select(Binary(), then, otherwise):
                one, other = self.most(then), self.most(otherwise)
                chosen = _smaller(expr)
                if chosen and (one is not None or other is not None):
                    return min(m for m in (one, other) if m is not None)
                return None if one is None or other is None else max(one, other)
            case Cast(value, _) if isinstance(value.type, Scalar) and value.type.is_integer:
                return self.most(value)
            case _:
                known_range = linear(self.steady(expr), self.ranges).range(self.ranges)
                return None if known_range is None else known_range[1]

    @contextmanager
    def inside(self, statement: flat.Statement, body: flat.Body) -> Iterator[None]:
        """Below a statement of `body`: the counter of a loop has a range there."""
        counter = self.of(statement, body) if isinstance(statement, flat.Loop) else None
        key: Expr | None = None
        if counter is not None:
            start = linear(self.steady(counter.start), self.ranges).range(self.ranges)
            if start is not None and counter.var.name not in reads(counter.start):
                key = Read(counter.var)
                if counter.top is not None:
                    self.ranges[key] = (start[0], max(start[0], counter.top))
                if start[0] >= 0 and counter.bound is not None:
                    self.ends[key] = self.steady(counter.bound)
        yield
        if key is not None:
            self.ranges.pop(key, None)
            self.ends.pop(key, None)

    def is_below(self, number: Linear, bound: Expr | None) -> bool:
        """Is it a counter, from 0 on and below that bound, whatever that is?"""
        if bound is None or number.number or len(number.terms) != 1:
            return False
        ((value, weight),) = number.terms.items()
        return weight == 1 and value in self.ends and self.ends[value] == bound


def _limits(condition: Expr, var: Var) -> Iterator[Expr]:
    """What the variable is below where the condition holds."""
    match condition:
        case Binary("&&", lhs, rhs):
            yield from _limits(lhs, var)
            yield from _limits(rhs, var)
        case Binary("<", Read(Var(name)), limit) if name == var.name:
            yield limit
        case Binary("<=", Read(Var(name)), limit) if name == var.name:
            yield fold.binary("+", limit, fold.constant(1, limit.type))  # type: ignore[arg-type]


def _smaller(choice: Select) -> bool:
    """Does it choose the smaller of the two?"""
    match choice.condition:
        case Binary("<" | "<=", lhs, rhs):
            return (lhs, rhs) == (choice.then, choice.otherwise)
        case Binary(">" | ">=", lhs, rhs):
            return (rhs, lhs) == (choice.then, choice.otherwise)
        case _:
            return False
