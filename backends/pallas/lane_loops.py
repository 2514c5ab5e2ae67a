"""Loops of lanes: `lax.while_loop` while any lane is in it.

Masks are carried as integers, and lanes that start as a constant are laid out first: Mosaic carries
no vector of bools, and no vector that is one value for all lanes.
"""

from __future__ import annotations

from crossport.backends.pallas.lane_memory import LaneMemory
from crossport.backends.pallas.wide import is_wide
from crossport.ir.lift import flat
from crossport.ir.types import BOOL


class LaneLoops(LaneMemory):
    """Loops."""

    def loop(self, statement: flat.Loop) -> None:
        divergent = id(statement) in self.facts.divergent
        before = self.mask
        going = self.names.fresh("going")
        test = statement.condition
        if statement.test_first:
            self.body(statement.head)
            condition = self.e.tight(test, 4)
            self.put(going, f"{before} & {condition}" if divergent else self.e(test))
        else:
            self.put(going, before if divergent else "True")
        outside = dict(self.known)
        record: dict[str, None] = {}
        self.assigned.append(record)
        lines, self.lines = self.lines, []
        with self.indented():
            if divergent:
                self.mask = going
            self.masks.append((statement.label, self.mask))
            self.body(statement.body)
            self.body(statement.step)
            self.body(statement.head)
            condition = self.e.tight(test, 4)
            self.put(going, f"{going} & {condition}" if divergent else self.e(test))
            self.masks.pop()
            self.mask = before
        inside, self.lines = self.lines, lines
        self.assigned.pop()
        carried = [name for name in outside if name in record]
        for name in list(self.known):
            if name not in outside:
                del self.known[name]
        self.carry(carried, going, divergent, inside)
        for name in carried:
            for outer in self.assigned:
                outer.setdefault(name, None)

    def carry(self, names: list[str], going: str, divergent: bool, inside: list[str]) -> None:
        """Write the loop. Masks are carried as integers: Mosaic keeps no vector of bools."""
        masks = {mask for _, mask in self.masks} | ({going} if divergent else set())
        bools = [n for n in names if n in masks or (self.is_lanes(n) and self.types[n] == BOOL)]
        lanes = [n for n in names if n in bools or self.is_lanes(n)]
        state = ", ".join(names) + ("," if len(names) == 1 else "")
        number = going.removeprefix("going").strip("_")
        body_name = "round" + (f"_{number}" if number else "")

        def packed(*, first: bool) -> str:
            texts = []
            for name in names:
                text = f"{name}.astype(jnp.int32)" if name in bools else name
                if first and name in lanes:
                    wide = name in self.types and is_wide(self.types[name])
                    text = f"{self.e.use('_apart_wide' if wide else '_apart')}({text})"
                texts.append(text)
            return ", ".join(texts) + ("," if len(texts) == 1 else "")

        def unpack() -> None:
            for name in bools:
                self.line(f"{name} = {name} != 0")

        self.line("")
        self.line(f"def {body_name}(state):")
        with self.indented():
            self.line(f"{state} = state")
            unpack()
            self.lines += inside
            self.line(f"return {packed(first=False)}")
        self.line("")
        position = names.index(going)
        test = f"jnp.max(state[{position}]) > 0" if divergent else f"state[{position}]"
        start = packed(first=True)
        self.line(f"{state} = lax.while_loop(lambda state: {test}, {body_name}, ({start}))")
        unpack()
