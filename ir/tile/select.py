"""Make a branch that only chooses values a choice.

    if (i < n) { a = x[i]; v = a } else { v = 0 }    ->    a = x[i] if i < n; v = i < n ? a : 0

A value that is written once has the shape of what it is made of; one that two arms write has that
of everything.
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import Binary, Expr, Read, walk
from crossport.ir.types import Scalar


def choose_values(program: flat.Program) -> None:
    """Replace such branches, in place."""
    writes = Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))
    _body(program.body, writes)


def _body(body: flat.Body, writes: Counter[str]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _body(below, writes)
    position = 0
    while position < len(body):
        statement = body[position]
        if isinstance(statement, flat.Branch):
            made = _chosen(statement, body[:position], writes)
            if made is not None:
                names = {s.var.name for s in made if isinstance(s, flat.Set)}
                body[position : position + 1] = made
                body[:] = [
                    s for s in body
                    if not (isinstance(s, flat.Set) and s.value is None and s.var.name in names)
                ]  # fmt: skip
        position += 1


def _chosen(branch: flat.Branch, before: flat.Body, writes: Counter[str]) -> flat.Body | None:
    bare = {s.var.name for s in before if isinstance(s, flat.Set) and s.declare and s.value is None}
    arms: list[dict[str, flat.Set]] = []
    made: flat.Body = []
    for body, test in (
        (branch.then, branch.condition),
        (branch.otherwise, fold.negate(branch.condition)),
    ):
        last: dict[str, flat.Set] = {}
        for statement in body:
            match statement:
                case flat.Load(_, ref, guard, False) if ref.root.space in ("param", "global"):
                    made.append(flat.Load(statement.var, ref, fold.conjunction(test, guard)))
                case flat.Set(var, value, True) if value is not None and _is_harmless(value):
                    made.append(statement)
                case flat.Set(var, value, False) if value is not None and _is_harmless(value):
                    if var.name in last or var.name not in bare or writes[var.name] != 3:
                        return None
                    last[var.name] = statement
                case _:
                    return None
        arms.append(last)
    if not arms[0] or arms[0].keys() != arms[1].keys():
        return None
    results = arms[0].keys()
    parts = [e for s in (*made, *arms[0].values(), *arms[1].values()) for e in flat.expressions(s)]
    if any(isinstance(x, Read) and _name(x) in results for e in parts for x in walk(e)):
        return None
    for name, one in arms[0].items():
        other = arms[1][name]
        assert one.value is not None and other.value is not None
        value = fold.select(branch.condition, one.value, other.value)
        made.append(flat.Set(one.var, value, declare=True))
    return made


def _name(read: Read) -> str:
    return getattr(read.place, "name", "")


def _is_harmless(value: Expr) -> bool:
    """May it be computed where nobody wants it? No division of integers."""
    return not any(
        isinstance(x, Binary)
        and x.op in ("/", "%")
        and isinstance(x.type, Scalar)
        and x.type.is_integer
        for x in walk(value)
    )
