"""Control flow for all threads of a grid: masks, and `lax.while_loop` while any thread is in it.

    while (i < n) i += s;    ->    def round(state): ...
                                   i, going = lax.while_loop(any lane is going, round, (i, going))

A loop carries what it changes.
"""

from __future__ import annotations

from crossport.backends.pallas.grid_base import GridBase
from crossport.ir.lift import flat, fold
from crossport.ir.nodes import Read, Var
from crossport.ir.types import BOOL


class GridControl(GridBase):
    """Branches, loops, scopes."""

    def branch(self, statement: flat.Branch) -> None:
        before = self.mask
        condition = statement.condition
        if statement.then and statement.otherwise:
            taken = self.names.fresh("taken")
            self.put(taken, self.e(condition))
            condition = Read(Var(taken, BOOL))
        for body, negated in ((statement.then, False), (statement.otherwise, True)):
            if not body:
                continue
            test = self.e.tight(fold.negate(condition) if negated else condition, 3)
            self.mask = self.names.fresh("mask", keep_first=False)
            self.put(self.mask, f"{before} & {test}")
            self.masks.append(("", self.mask))
            self.body(body)
            self.masks.pop()
            self.mask = before

    def loop(self, statement: flat.Loop) -> None:
        before = self.mask
        going = self.names.fresh("going")
        condition = statement.condition
        self.in_head += 1
        if statement.test_first:
            self.body(statement.head)
            self.put(going, f"{before} & {self.e.tight(condition, 4)}")
        else:
            self.put(going, before)
        outside = dict(self.known)
        record: dict[str, None] = {}
        self.assigned.append(record)
        lines, self.lines = self.lines, []
        self.in_head -= 1
        with self.indented():
            self.mask = going
            self.masks.append((statement.label, going))
            self.body(statement.body)
            self.body(statement.step)
            self.in_head += 1
            self.body(statement.head)
            self.in_head -= 1
            self.put(going, f"{going} & {self.e.tight(condition, 4)}")
            self.masks.pop()
            self.mask = before
        inside, self.lines = self.lines, lines
        self.assigned.pop()
        carried = [name for name in outside if name in record]
        for name in list(self.known):
            if name not in outside:
                del self.known[name]
        state = ", ".join(carried) + ("," if len(carried) == 1 else "")
        number = going.removeprefix("going").strip("_")
        suffix = f"_{number}" if number else ""
        body_name = f"round{suffix}"
        position = carried.index(going)
        self.line("")
        self.line(f"def {body_name}(state):")
        with self.indented():
            self.line(f"{state} = state")
            self.lines += inside
            self.line(f"return {state}")
        self.line("")
        test = f"lambda state: jnp.any(state[{position}])"
        self.line(f"{state} = lax.while_loop({test}, {body_name}, ({state}))")
        for name in carried:
            for outer in self.assigned:
                if name in outside:
                    outer.setdefault(name, None)

    def scope(self, statement: flat.Scope, label: str, body: flat.Body) -> None:
        before = self.mask
        self.mask = self.names.fresh("here", keep_first=False)
        self.put(self.mask, before)
        self.masks.append((label, self.mask))
        self.body(body)
        self.masks.pop()
        self.mask = before

    def leave(self, label: str) -> None:
        leaving = self.mask
        inner: list[str] = []
        for name, mask in reversed(self.masks):
            if mask not in inner:
                inner.append(mask)
            if name == label:
                break
        for mask in reversed(inner):
            if mask != leaving:
                self.put(mask, f"{mask} & ~{leaving}")
        self.put(leaving, f"jnp.zeros_like({leaving})")
