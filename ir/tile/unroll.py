"""Write loops out whose counters choose among variables: the elements of a small local array.

    for (k = 0; k < 3; ++k)                             w_0 = x[i]
      w_0 = k == 0 ? x[i + k] : w_0, w_1 = ...    ->    w_1 = x[i + 1]
                                                        w_2 = x[i + 2]

A loop is followed round by round with the values that its integers can have. It may end where data
says, as in an insertion sort: then each round is a branch inside the last one's. What a variable
may be where such branches meet again is a few numbers, and a choice among others goes.

A loop is written out only if that does away with most of its choices, and stays short.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_nodes, map_own
from crossport.ir.lift.tidy import tidy
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
    Unary,
    Var,
    walk,
)
from crossport.ir.types import BOOL, Scalar

MOST_ROUNDS = 64
MOST_STATEMENTS = 400
MOST_VALUES = 16

Values = frozenset[int]


class _TooLong(Exception):
    """Written out, the loop would be too long."""


def unroll_choices(program: flat.Program) -> flat.Program:
    """The program with such loops written out, in place."""
    if any(_choices([s]) for s in program.body):
        program.body = _Unroller(program).body(program.body)
        tidy(program)
    return program


def _choices(body: flat.Body) -> int:
    """How many choices by a number there are."""
    return sum(
        isinstance(x, Select)
        and isinstance(x.condition, Binary)
        and x.condition.op == "=="
        and fold.as_int(x.condition.rhs) is not None
        for s in flat.statements(body)
        for e in flat.expressions(s)
        for x in walk(e)
    )


class _Unroller:
    def __init__(self, program: flat.Program) -> None:
        self.known: dict[str, Values] = {}
        self.copies: dict[str, Var] = {}
        """Variables that hold what another holds."""
        self.renamed: dict[str, Var] = {}
        self.names = Names()
        for name in _all_names(program):
            self.names.fresh(name)

    # --- Expressions ------------------------------------------------------------------------------

    def expr(self, expr: Expr) -> Expr:
        """The expression with what is known in it."""
        return map_nodes(expr, self.rule)

    def rule(self, node: Node) -> Node:
        match node:
            case Read(Var(name)):
                var = self.renamed.get(name)
                var = None if var is _PENDING else var
                values = self.known.get(name if var is None else var.name, frozenset())
                if len(values) == 1 and isinstance(node.type, Scalar):
                    return fold.constant(next(iter(values)), node.type)
                same = self.copies.get(name if var is None else var.name)
                if same is not None:
                    return Read(same)
                return node if var is None else Read(var)
            case Binary(op, lhs, rhs):
                if op in COMPARISONS:
                    outcomes = self.values(node)
                    if outcomes is not None and len(outcomes) == 1:
                        return Const(bool(next(iter(outcomes))), BOOL)
                return fold.binary(op, lhs, rhs)
            case Cast(value, kind):
                return fold.cast(value, kind)
            case Select(condition, then, otherwise):
                return fold.select(condition, then, otherwise)
            case Unary(op, value):
                return fold.unary(op, value)
            case Intrinsic(name, args, kind):
                return fold.intrinsic(name, args, kind)
            case _:
                return node

    def values(self, expr: Expr) -> Values | None:
        """What an integer may be; None if it may be many things."""
        match expr:
            case Const(value) if not isinstance(value, float):
                return frozenset((int(value),))
            case Read(Var(name)):
                return self.known.get(name)
            case Cast(value, Scalar() as kind) if kind.is_integer and kind != BOOL:
                inner = self.values(value)
                return None if inner is None else frozenset(fold.wrap(v, kind) for v in inner)
            case Binary(op, lhs, rhs):
                a, b = self.values(lhs), self.values(rhs)
                if a is None or b is None:
                    return None
                of = lhs.type
                if not isinstance(of, Scalar) or of.is_float:
                    return None
                found = {
                    fold.as_int(fold.binary(op, fold.constant(x, of), fold.constant(y, of)))
                    for x, y in product(a, b)
                }
                if None in found or len(found) > MOST_VALUES:
                    return None
                return frozenset(v for v in found if v is not None)
            case _:
                return None

    # --- Statements -------------------------------------------------------------------------------

    def body(self, body: flat.Body) -> flat.Body:
        out: flat.Body = []
        for statement in body:
            out += self.statement(statement)
        return out

    def statement(self, statement: flat.Statement) -> flat.Body:
        match statement:
            case flat.Branch(condition, then, otherwise):
                test = self.expr(condition)
                if isinstance(test, Const):
                    return self.body(then if test.value else otherwise)
                before = dict(self.known)
                first = self.body(then)
                after, self.known = self.known, before
                self.forget_copies(first)
                second = self.body(otherwise)
                self.forget_copies(second)
                self.known = _joined(self.known, after)
                return [flat.Branch(test, first, second)]
            case flat.Scope(label, inner):
                changed = self.targets([statement])
                copy = flat.Scope(label, self.body(inner))
                self.forget(changed)
                return [copy]
            case flat.Loop():
                return self.unrolled(statement) or [self.kept(statement)]
            case flat.Set(var, value, declare):
                new = None if value is None else self.expr(value)
                found = None if new is None else self.values(new)
                copy_set = flat.Set(self.target(var, declare), new, declare)
                held = self.copies.get(copy_set.var.name, copy_set.var)
                if new is not None and new == Read(held):
                    return []  # it holds that already
                self.know(copy_set.var, found)
                if isinstance(new, Read) and isinstance(new.place, Var):
                    self.copies[copy_set.var.name] = new.place
                return [copy_set]
            case _:
                other = replace(statement)
                map_own(other, self.expr)
                for var in flat.targets(other):
                    new_var = self.target(var, declare=True)
                    flat.retarget(other, var.name, new_var)
                    self.know(new_var, None)
                return [other]

    def target(self, var: Var, declare: bool) -> Var:
        """The variable by its name in this round."""
        if declare and self.renamed.get(var.name) is _PENDING:
            self.renamed[var.name] = Var(self.names.fresh(var.name), var.type)
        found = self.renamed.get(var.name)
        return var if found is None or found is _PENDING else found

    def know(self, var: Var, values: Values | None) -> None:
        """The variable has a new value."""
        self.copies = {n: v for n, v in self.copies.items() if n != var.name and v.name != var.name}
        if values is None or var.type == BOOL:
            self.known.pop(var.name, None)
        else:
            self.known[var.name] = values

    def targets(self, body: flat.Body) -> set[str]:
        return {v.name for s in flat.statements(body) for v in flat.targets(s)}

    def forget_copies(self, body: flat.Body) -> None:
        """Some lanes went through these statements, some did not."""
        changed = self.targets(body)
        self.copies = {
            n: v for n, v in self.copies.items() if n not in changed and v.name not in changed
        }

    def forget(self, names: set[str]) -> None:
        self.copies.clear()
        for name in names:
            self.known.pop(name, None)
            if (var := self.renamed.get(name)) is not None and var is not _PENDING:
                self.known.pop(var.name, None)

    def kept(self, loop: flat.Loop) -> flat.Loop:
        """The loop as it is, with what is known in all rounds."""
        changed = self.targets([loop])
        self.forget(changed)
        head = self.body(loop.head)
        condition = self.expr(loop.condition)
        body = self.body(loop.body)
        self.forget(changed)
        step = self.body(loop.step)
        self.forget(changed)
        return flat.Loop(loop.label, head, condition, body, step, loop.test_first)

    def unrolled(self, loop: flat.Loop) -> flat.Body | None:
        """The loop's rounds; None if it is better kept."""
        if loop.head or not loop.test_first or _leaves(loop):
            return None
        before = _choices([loop])
        if not before or sum(1 for _ in flat.statements([loop])) > MOST_STATEMENTS:
            return None
        saved = dict(self.known), dict(self.renamed)
        self.copies.clear()
        try:
            out = self.round(loop)
            if sum(1 for _ in flat.statements(out)) > MOST_STATEMENTS:
                raise _TooLong
            rounds = max(1, self.count_rounds(loop, *saved))
        except _TooLong:
            self.known, self.renamed = saved
            self.copies.clear()
            return None
        if 2 * _choices(out) > before * rounds:
            self.known, self.renamed = saved
            self.copies.clear()
            return None
        return out

    def count_rounds(
        self, loop: flat.Loop, known: dict[str, Values], renamed: dict[str, Var]
    ) -> int:
        """How many rounds the loop has at most."""
        here = self.known, self.renamed, self.copies
        self.known, self.renamed, self.copies = dict(known), dict(renamed), {}
        count = 0
        while not _is_false(self.expr(loop.condition)) and count < MOST_ROUNDS:
            self.body([*loop.body, *loop.step])
            count += 1
        self.known, self.renamed, self.copies = here
        return count

    def round(self, loop: flat.Loop, depth: int = 0) -> flat.Body:
        """This round and those after it."""
        out: flat.Body = []
        declared = _declared([*loop.body, *loop.step])
        while True:
            test = self.expr(loop.condition)
            if _is_false(test):
                return out
            depth += 1
            if depth > MOST_ROUNDS or len(out) > MOST_STATEMENTS:
                raise _TooLong
            before = dict(self.known)
            for name in declared:
                self.renamed[name] = _PENDING
            part = self.body([*loop.body, *loop.step])
            if isinstance(test, Const):
                out += part
                continue
            part += self.round(loop, depth)
            self.known = _joined(self.known, before)
            self.forget_copies(part)
            out.append(flat.Branch(test, part))
            return out


# A variable that is declared in a round and has no name of its own yet.
_PENDING = Var("", BOOL)


def _is_false(expr: Expr) -> bool:
    return isinstance(expr, Const) and not expr.value


def _declared(body: flat.Body) -> set[str]:
    """Variables that begin in a round."""
    return {
        v.name
        for s in flat.statements(body)
        for v in flat.targets(s)
        if not isinstance(s, flat.Set) or s.declare
    }


def _leaves(loop: flat.Loop) -> bool:
    """Does something in the loop leave it, or a region around it?"""
    inside = {
        s.label for s in flat.statements([loop])
        if isinstance(s, flat.Scope | flat.Loop) and s is not loop
    }  # fmt: skip
    return any(isinstance(s, flat.Leave) and s.label not in inside for s in flat.statements([loop]))


def _joined(one: dict[str, Values], other: dict[str, Values]) -> dict[str, Values]:
    """What is known where two ways meet."""
    joined = {n: one[n] | other[n] for n in one.keys() & other.keys()}
    return {n: v for n, v in joined.items() if len(v) <= MOST_VALUES}


def _all_names(program: flat.Program) -> Iterator[str]:
    seen: set[str] = set()
    for statement in flat.statements(program.body):
        for var in flat.targets(statement):
            if var.name not in seen:
                seen.add(var.name)
                yield var.name
    for parameter in program.parameters:
        for _, root in parameter.roots:
            yield root.name
        for _, scalar in parameter.scalars:
            yield scalar.name
