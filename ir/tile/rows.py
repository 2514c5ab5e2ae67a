"""A row that fits the lanes: each shared loop is one round, and what was loaded stays at hand.

    for (c = tid; c < cols; c += width) m = max(m, x[c]);            c = tid
    ...                                                          ->  if (c < cols) v = x[c], ...
    for (c = tid; c < cols; c += width) sum += exp(x[c] - m);        if (c < cols) sum += exp(v - m)

Right for launches with at least as many lanes as the longest loop has elements; the launcher asks.
"""

from __future__ import annotations

import copy
from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Expr, Read, Var
from crossport.ir.tile.retile import is_host_expression, resolve, single_values
from crossport.ir.tile.strides import stride_of

Key = tuple[str, str, str, str]


def one_round(program: flat.Program) -> tuple[flat.Program, tuple[Expr, ...]] | None:
    """The program for whole rows, and the lengths that the lanes must cover; None if unknown."""
    whole = copy.deepcopy(program)
    facts = uniformity(whole)
    values = single_values(whole)
    scalars = {var.name for p in whole.parameters for _, var in p.scalars}
    bounds: list[Expr] = []

    def visit(body: flat.Body) -> bool:
        for position, statement in enumerate(body):
            if isinstance(statement, flat.Loop):
                stride = stride_of(statement, body, facts)
                if stride is not None:
                    bound = resolve(stride.bound, values)
                    if fold.as_int(stride.base) != 0 or not is_host_expression(bound):
                        return False
                    if not reads(bound) <= scalars:
                        return False
                    bounds.append(bound)
                    body[position] = flat.Branch(statement.condition, statement.body)
                    continue
            if not all(visit(below) for below in flat.bodies(statement)):
                return False
        return True

    if not visit(whole.body) or not bounds:
        return None
    _Reuse(whole).body(whole.body, {}, ())
    tidy(whole)
    return whole, tuple(dict.fromkeys(bounds))


class _Reuse:
    """Loads of the same place, with nothing stored to the array in between, become one."""

    def __init__(self, program: flat.Program) -> None:
        self.facts: Uniformity = uniformity(program)
        self.values = steady_values(program)
        self.writes = writes_of(program)

    def is_steady(self, *exprs: Expr) -> bool:
        """Do the values stay what they are?"""
        return all(self.writes[r] <= 1 for e in exprs for r in reads(resolve(e, self.values)))

    def body(self, body: flat.Body, known: dict[Key, Var], path: tuple[str, ...]) -> None:
        for position, statement in enumerate(body):
            match statement:
                case flat.Load(var, ref, guard, volatile):
                    if volatile or ref.root.space == "address" or "" in path:
                        continue
                    if not self.is_steady(ref.index, *([guard] if guard is not None else [])):
                        continue
                    place = repr((resolve(ref.index, self.values), ref.unit))
                    key = (ref.root.name, place, f"{ref.type} {guard!r}", repr(path))
                    earlier = known.get(key)
                    if earlier is None:
                        known[key] = var
                    else:
                        body[position] = flat.Set(var, Read(earlier), declare=True)
                case flat.Store(ref) | flat.AtomicUpdate(_, _, ref):
                    self.forget(known, ref.root)
                case flat.Branch(condition, then, otherwise) if (
                    id(statement) in self.facts.divergent
                ):
                    # Under masks one statement follows the other: what one arm loads, later
                    # arms of the same condition have.
                    test = repr(resolve(condition, self.values))
                    if not self.is_steady(condition):
                        test = ""  # the same text may mean something else
                    self.body(then, known, (*path, test))
                    self.body(otherwise, known, (*path, test and f"not {test}"))
                case flat.Branch(_, then, otherwise):
                    for arm in (then, otherwise):
                        self.body(arm, dict(known), path)
                    self.forget_stores([statement], known)
                case flat.Loop() | flat.Scope():
                    self.forget_stores([statement], known)
                    for below in flat.bodies(statement):
                        self.body(below, {}, path)
                case _:
                    pass

    def forget(self, known: dict[Key, Var], root: flat.Root) -> None:
        for key in [k for k in known if k[0] == root.name or root.space == "address"]:
            del known[key]

    def forget_stores(self, body: flat.Body, known: dict[Key, Var]) -> None:
        for statement in flat.statements(body):
            if isinstance(statement, flat.Store | flat.AtomicUpdate):
                self.forget(known, statement.ref.root)


def steady_values(program: flat.Program) -> dict[str, Expr]:
    """Values of variables that are written once, made of others that are."""
    values = single_values(program)
    writes = writes_of(program)
    while True:
        moving = {n for n, v in values.items() if any(writes[r] > 1 for r in reads(v))}
        if not moving:
            return values
        for name in moving:
            del values[name]
            writes[name] = 2


def writes_of(program: flat.Program) -> Counter[str]:
    """How many statements write each variable."""
    return Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))
