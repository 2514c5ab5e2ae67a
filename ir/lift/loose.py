"""Assignments in a loop that need no mask: who left the loop never looks at the variable again.

    while any lane is in the loop:
        k = where(going, k + 1, k)        ->    k = k + 1
        going = going & (k < end)

It holds for variables that begin right before the loop, are read in it alone, and are assigned by
all lanes that are still there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import Uniformity


def loose_sets(program: flat.Program, facts: Uniformity) -> set[int]:
    """The ids of such assignments."""
    total = _reads(program.body)
    found: set[int] = set()

    def visit(body: flat.Body) -> None:
        begun: set[str] = set()
        for statement in body:
            if isinstance(statement, flat.Loop) and id(statement) in facts.divergent:
                inside = _reads([statement])
                if not _meets([statement]):
                    free = {v for v in begun if inside[v] == total[v]}
                    found.update(id(s) for s in _of_all(statement) if s.var.name in free)
            if isinstance(statement, flat.Set) and statement.declare:
                begun.add(statement.var.name)
            for below in flat.bodies(statement):
                visit(below)

    visit(program.body)
    return found


def _reads(body: flat.Body) -> Counter[str]:
    return Counter(n for s in flat.statements(body) for e in flat.expressions(s) for n in reads(e))


def _meets(body: flat.Body) -> bool:
    """May a lane see what another holds?"""
    return any(
        isinstance(
            s,
            flat.Exchange | flat.Ballot | flat.GroupReduce | flat.Collect | flat.LaneReduce
            | flat.LaneGather | flat.LaneDot | flat.WarpDot,
        )
        for s in flat.statements(body)
    )  # fmt: skip


def _of_all(loop: flat.Loop) -> Iterator[flat.Set]:
    """Assignments that every lane makes that has not left the loop."""

    def visit(body: flat.Body) -> Iterator[flat.Set]:
        for statement in body:
            match statement:
                case flat.Set(_, value, False) if value is not None:
                    yield statement
                case flat.Branch(_, then, otherwise):
                    if _ends_in(then, loop.label):
                        yield from visit(otherwise)
                    elif _ends_in(otherwise, loop.label):
                        yield from visit(then)
                case _:
                    pass

    for part in (loop.head, loop.body, loop.step):
        yield from visit(part)


def _ends_in(body: flat.Body, label: str) -> bool:
    """Do all lanes that run these statements leave the loop?"""
    return bool(body) and isinstance(body[-1], flat.Leave) and body[-1].label in (label, "kernel")
