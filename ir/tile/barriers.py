"""Take barriers out of conditions: all threads of the block come to one, or none does.

    if (row < n) {                       t = row < n
      s[x] = a[row]; barrier      ->     if (t) s[x] = a[row]
      b[row] = s[y]                      barrier
    }                                    if (t) b[row] = s[y]

A barrier that only some threads come to is undefined in CUDA, so this changes no program that has
a meaning. Conditions that all threads of a block share stay as they are, and so do loops with
barriers inside conditions.
"""

from __future__ import annotations

from crossport.ir.lift import flat
from crossport.ir.lift.cutting import undeclare, written
from crossport.ir.lift.names import Names
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Read, Unary, Var
from crossport.ir.types import BOOL


def hoist_barriers(program: flat.Program) -> None:
    """Rewrite in place."""
    names = Names()
    for statement in flat.statements(program.body):
        for var in flat.targets(statement):
            names.fresh(var.name)
    for parameter in program.parameters:
        for _, root in parameter.roots:
            names.fresh(root.name)
        for _, scalar in parameter.scalars:
            names.fresh(scalar.name)
    for root in (*program.shared, *program.locals, *(g.root for g in program.globals)):
        names.fresh(root.name)
    _body(program.body, names, uniformity(program).divergent)


def _body(body: flat.Body, names: Names, divergent: set[int]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _body(below, names, divergent)
    position = 0
    while position < len(body):
        statement = body[position]
        if id(statement) in divergent and isinstance(statement, flat.Branch) and _splits(statement):
            parts = _split(statement, names)
            body[position : position + 1] = parts
            position += len(parts)
        else:
            position += 1


def _splits(branch: flat.Branch) -> bool:
    arms = (branch.then, branch.otherwise)
    if any(isinstance(s, flat.Leave) for arm in arms for s in flat.statements(arm)):
        return False  # who leaves would come to what stands behind
    return any(_is_barrier(s) for arm in arms for s in arm)


def _is_barrier(statement: flat.Statement) -> bool:
    return isinstance(statement, flat.Sync) and statement.scope == "block"


def _split(branch: flat.Branch, names: Names) -> flat.Body:
    test = Var(names.fresh("holds"), BOOL)
    out: flat.Body = [flat.Set(test, branch.condition, declare=True)]
    for arm, condition in (
        (branch.then, Read(test)), (branch.otherwise, Unary("!", Read(test))),
    ):  # fmt: skip
        if not any(_is_barrier(s) for s in arm):
            if arm:
                out.append(flat.Branch(condition, arm))
            continue
        stretches: list[flat.Body] = [[]]
        barriers: list[flat.Statement] = []
        for statement in arm:
            if _is_barrier(statement):
                barriers.append(statement)
                stretches.append([])
            else:
                stretches[-1].append(statement)
        out += _shared_variables(stretches, names)
        for number, stretch in enumerate(stretches):
            if number:
                out.append(barriers[number - 1])
            if stretch:
                out.append(flat.Branch(condition, stretch))
    return out


def _shared_variables(stretches: list[flat.Body], names: Names) -> flat.Body:
    """Declarations of what one stretch begins and another uses."""
    begun: dict[str, Var] = {}
    for stretch in stretches:
        for statement in stretch:
            if not isinstance(statement, flat.Set) or statement.declare:
                for var in flat.targets(statement):
                    begun.setdefault(var.name, var)
    uses = [
        {n for s in flat.statements(stretch) for n in (*written(s), *_read(s))}
        for stretch in stretches
    ]
    shared = {n for n in begun if sum(n in u for u in uses) > 1}
    for stretch in stretches:
        undeclare(stretch, shared, names.fresh)
    return [flat.Set(begun[n], None, declare=True) for n in sorted(shared)]


def _read(statement: flat.Statement) -> set[str]:
    return {n for e in flat.expressions(statement) for n in reads(e)}
