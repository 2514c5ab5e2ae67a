"""Which values are the same in all threads of a block, and which control flow splits them.

    i = block.x * 256          uniform
    t = thread.x               varying
    if (t < n) k = 1           k is varying: some threads have it, some do not

A variable is uniform when every value it gets is, and when every assignment happens to all the
threads that were there at its declaration, or to none. A loop or scope that some threads may leave
before others is divergent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from crossport.ir.lift import flat
from crossport.ir.nodes import Expr, Special, Var, walk

_VARYING = frozenset(("thread.x", "thread.y", "thread.z", "lane_id", "warp_id"))
_BLOCKS = frozenset(("block.x", "block.y", "block.z"))


@dataclass
class Uniformity:
    """The answer for one program. Statements are known by identity."""

    varying: set[str] = field(default_factory=set)
    divergent: set[int] = field(default_factory=set)
    masked_sets: set[int] = field(default_factory=set)
    """Assignments that some of the threads at the variable's declaration may not take part in."""
    left: set[str] = field(default_factory=set)
    """Labels that some `Leave` leaves."""
    special: frozenset[str] = _VARYING
    """The built-in indices that vary."""
    grid: bool = False
    blocks: bool = False
    """Is the question what several blocks along x share, which stand in one tile?"""

    def is_uniform(self, expr: Expr) -> bool:
        """Is the value the same in all threads of the block?"""
        for node in walk(expr):
            if isinstance(node, Var) and node.name in self.varying:
                return False
            if isinstance(node, Special) and node.name in self.special:
                return False
        return True


def uniformity(
    program: flat.Program, *, grid: bool = False, blocks: bool = False, varying: Iterable[str] = ()
) -> Uniformity:
    """Analyse a program. `grid`: ask for what is the same in all threads of the grid; `blocks`:
    in several blocks along x."""
    special = _VARYING | _BLOCKS if grid else _VARYING | {"block.x"} if blocks else _VARYING
    result = Uniformity(special=special, grid=grid, blocks=blocks)
    result.varying.update(varying)
    result.left = {s.label for s in flat.statements(program.body) if isinstance(s, flat.Leave)}
    while True:
        before = (len(result.varying), len(result.divergent))
        _Pass(result).body(program.body, ())
        if before == (len(result.varying), len(result.divergent)):
            break
    return result


class _Pass:
    def __init__(self, result: Uniformity) -> None:
        self.result = result
        self.declared: dict[str, int] = {}

    def body(self, body: flat.Body, regions: tuple[int, ...]) -> None:
        """`regions`: the statements around, outermost first."""
        for statement in body:
            self.statement(statement, regions)

    def statement(self, statement: flat.Statement, regions: tuple[int, ...]) -> None:
        result = self.result
        here = (*regions, id(statement))
        match statement:
            case flat.Set(var, value, declare):
                if declare:
                    self.declared[var.name] = len(regions)
                elif any(r in result.divergent for r in regions[self.declared.get(var.name, 0) :]):
                    result.masked_sets.add(id(statement))
                    result.varying.add(var.name)
                if value is not None and not result.is_uniform(value):
                    result.varying.add(var.name)
            case flat.Load(var, ref, guard):
                self.declared[var.name] = len(regions)
                varies = ref.root.space == "local" or not result.is_uniform(ref.index)
                varies = varies or (result.grid and ref.root.space == "shared")
                if varies or (guard is not None and not result.is_uniform(guard)):
                    result.varying.add(var.name)
            case flat.AtomicUpdate(var) if var is not None:
                self.declared[var.name] = len(regions)
                result.varying.add(var.name)
            case flat.Exchange(var, _, value):
                self.declared[var.name] = len(regions)
                if not result.is_uniform(value):
                    result.varying.add(var.name)
            case flat.LaneReduce(var, _, _, width, scan):
                self.declared[var.name] = len(regions)
                if width or scan or result.grid or result.blocks:
                    result.varying.add(var.name)
            case flat.LaneGather(var, source):
                self.declared[var.name] = len(regions)
                if not result.is_uniform(source):
                    result.varying.add(var.name)
            case flat.Ballot(var) | flat.GroupReduce(var) | flat.LaneDot(var):
                self.declared[var.name] = len(regions)
                result.varying.add(var.name)
            case flat.WarpDot(vars):
                for var in vars:
                    self.declared[var.name] = len(regions)
                    result.varying.add(var.name)
            case flat.Collect(var):
                self.declared[var.name] = len(regions)
                if result.grid:
                    result.varying.add(var.name)
            case flat.Branch(condition, then, otherwise):
                # All threads of a grid go through both arms together, under masks.
                if result.grid or not result.is_uniform(condition):
                    result.divergent.add(id(statement))
                self.body(then, here)
                self.body(otherwise, here)
            case flat.Loop(_, head, condition, body, step):
                if not result.is_uniform(condition) or self.may_leave(statement):
                    result.divergent.add(id(statement))
                for part in (head, body, step):
                    self.body(part, here)
            case flat.Scope(_, body):
                if self.may_leave(statement):
                    result.divergent.add(id(statement))
                self.body(body, here)
            case _:
                pass

    def may_leave(self, region: flat.Loop | flat.Scope) -> bool:
        """Does a `Leave` inside go to this region's end, or past it?"""
        inside = {
            s.label for s in flat.statements([region])
            if isinstance(s, flat.Loop | flat.Scope) and s is not region
        }  # fmt: skip
        return any(
            isinstance(s, flat.Leave) and s.label not in inside for s in flat.statements([region])
        )
