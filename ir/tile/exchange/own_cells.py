"""Shared cells that one lane alone touches while a loop runs: a variable of that lane.

    s[t] = 0                                         own = s[t]
    while (i < n) { s[t] += x[i]; i += g }     ->    while (i < n) { own += x[i]; i += g }
                                                     s[t] = own

Needs a loop without barriers and exchanges that names each shared array it stores to by one place,
the same in every round, different in every lane, and written before. The lanes may then leave
the loop when they like.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Read, Var
from crossport.ir.tile.exchange.state import assigned
from crossport.ir.tile.exchange.updates import Updates
from crossport.ir.tile.limits import NotLifted


class OwnCells(Updates):
    """Loops over cells of one's own."""

    def with_own_cells(self, loop: flat.Loop) -> flat.Body | None:
        """The loop on variables, what fills them and what keeps them; None where it may not be."""
        refs = _places(loop)
        if not refs or not all(self._are_own(ref, loop) for ref in refs.values()):
            return None
        own = {name: Var(self.names.fresh(f"{name}_own"), ref.type) for name, ref in refs.items()}
        changed = flat.Loop(
            loop.label, _on_variables(loop.head, own), loop.condition,
            _on_variables(loop.body, own), _on_variables(loop.step, own), loop.test_first,
        )  # fmt: skip
        self.exchanging |= {id(s) for s in flat.statements([changed]) if self.exchanges(s)}
        return [
            *(flat.Load(own[name], ref) for name, ref in refs.items()),
            changed,
            *(flat.Store(ref, Read(own[name])) for name, ref in refs.items()),
        ]

    def _are_own(self, ref: flat.Ref, loop: flat.Loop) -> bool:
        """Has each lane that is here one cell of its own there, the same in every round?"""
        if reads(ref.index) & assigned([loop]):
            return False
        try:
            cells, where = self.place(ref)
        except NotLifted:
            return False
        here = where[self.act]
        written = cells.values[here] != self.graph.undefined
        return len(np.unique(here)) == len(here) and bool(written.all())


def _places(loop: flat.Loop) -> dict[str, flat.Ref]:
    """The one place in each shared array that the loop stores to; {} where there is none or more.

    {} as well where lanes meet in the loop.
    """
    inside = list(flat.statements([loop]))
    if any(
        isinstance(s, flat.Sync | flat.Exchange | flat.Ballot | flat.GroupReduce) for s in inside
    ):
        return {}
    found: dict[str, flat.Ref] = {}
    stored: set[str] = set()
    for statement in inside:
        if not isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
            continue
        root = statement.ref.root
        if root.space != "shared":
            continue
        if isinstance(statement, flat.AtomicUpdate) or statement.volatile:
            return {}
        if found.setdefault(root.name, statement.ref) != statement.ref:
            return {}
        if isinstance(statement, flat.Store):
            stored.add(root.name)
    return found if stored else {}


def _on_variables(body: flat.Body, own: dict[str, Var]) -> flat.Body:
    """The statements, with variables in the places of shared cells."""
    return [_on_variable(statement, own) for statement in body]


def _on_variable(statement: flat.Statement, own: dict[str, Var]) -> flat.Statement:
    match statement:
        case flat.Load(var, ref) if ref.root.space == "shared":
            return flat.Set(var, Read(own[ref.root.name]), declare=True)
        case flat.Store(ref, value) if ref.root.space == "shared":
            return flat.Set(own[ref.root.name], value)
        case flat.Branch(condition, then, otherwise):
            return flat.Branch(condition, _on_variables(then, own), _on_variables(otherwise, own))
        case flat.Loop(label, head, condition, body, step, test_first):
            return flat.Loop(
                label, _on_variables(head, own), condition, _on_variables(body, own),
                _on_variables(step, own), test_first,
            )  # fmt: skip
        case flat.Scope(label, body):
            return flat.Scope(label, _on_variables(body, own))
        case _:
            return replace(statement)
