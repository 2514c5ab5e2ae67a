"""Load what all rounds of a loop read from one place once, before the loop.

    for (k = start[row]; k < start[row + 1]; ++k)        end = start[row + 1]
      sum += value[k]                              ->    for (k = start[row]; k < end; ++k)
                                                           sum += value[k]

Only what the loop's first test reads anyway, so that nothing is read that was not; and only from
arrays that nothing in the loop writes, where no thread of the loop waits for others.
"""

from __future__ import annotations

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads


def hoist_loads(program: flat.Program) -> flat.Program:
    """The program with such loads before their loops, in place."""
    _body(program.body)
    return program


def _body(body: flat.Body) -> None:
    position = 0
    while position < len(body):
        statement = body[position]
        for below in flat.bodies(statement):
            _body(below)
        if isinstance(statement, flat.Loop) and statement.test_first:
            steady = _steady(statement)
            body[position:position] = steady
            position += len(steady)
        position += 1


def _steady(loop: flat.Loop) -> flat.Body:
    """Take the loads and values out of the loop's head that are the same in all rounds."""
    inside = list(flat.statements([loop]))
    if any(isinstance(s, flat.Sync) for s in inside):
        return []
    stored = {
        s.ref.root.name for s in inside if isinstance(s, flat.Store | flat.AtomicUpdate)
    }  # fmt: skip
    count: dict[str, int] = {}
    for statement in inside:
        for var in flat.targets(statement):
            count[var.name] = count.get(var.name, 0) + 1
    taken: flat.Body = []
    for statement in list(loop.head):
        targets = flat.targets(statement)
        used = {n for e in flat.expressions(statement) for n in reads(e)}
        if len(targets) != 1 or count[targets[0].name] != 1 or used & count.keys():
            continue
        if isinstance(statement, flat.Load):
            root = statement.ref.root
            if statement.volatile or root.space in ("shared", "local", "address"):
                continue
            if root.name in stored or "address" in stored:
                continue
        elif not (isinstance(statement, flat.Set) and statement.declare):
            continue
        del count[targets[0].name]
        loop.head.remove(statement)
        taken.append(statement)
    return taken
