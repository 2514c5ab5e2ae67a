"""Reduce once what is reduced in several places.

all = reduce max over lanes of top; ... again = reduce max over lanes of top    ->    again = all
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.nodes import Read, Var


def share_exchanges(program: flat.Program) -> None:
    """Let reductions and gathers of the same values be one, in place."""
    writes = Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))

    def visit(body: flat.Body, known: dict[str, Var]) -> bool:
        changed = False
        for position, statement in enumerate(body):
            match statement:
                case flat.LaneReduce(var) | flat.LaneGather(var) if writes[var.name] == 1:
                    used = {n for e in flat.expressions(statement) for n in reads(e)}
                    if any(writes[n] > 1 for n in used):
                        continue
                    key = repr(statement).replace(repr(var), "", 1)
                    earlier = known.setdefault(key, var)
                    if earlier != var:
                        body[position] = flat.Set(var, Read(earlier), declare=True)
                        changed = True
                case _:
                    for below in flat.bodies(statement):
                        changed = visit(below, dict(known)) or changed
        return changed

    if visit(program.body, {}):
        tidy(program)
