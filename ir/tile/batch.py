"""May one program take several thread blocks at once, as the rows of a tile?

    part = s[tid]; total = reduce + over the block's threads; if (tid == 0) out[block.x] = total

    block.x, thread.x    ->    a column of block numbers, a row of thread numbers
    LaneReduce           ->    along the rows

Small blocks leave a machine idle between their few loads; a tile of several has more of them in
flight, and what is the same for all blocks is computed once. It holds where nothing orders the
accesses of one thread after another's, and lanes meet in reductions and scans of whole blocks only.
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import Binary, Cast, Node, Special, walk
from crossport.ir.types import U32

_KNOWN = frozenset(
    ("thread.x", "block.x", "block.y", "block.z", "block_dim.x", "grid_dim.x", "grid_dim.y",
     "grid_dim.z")
)  # fmt: skip


def in_one_row(program: flat.Program) -> flat.Program:
    """The program for blocks whose threads stand in one row, in place."""

    def rule(node: Node) -> Node:
        match node:
            case Special("thread.y" | "thread.z"):
                return fold.constant(0, U32)
            case Special("block_dim.y" | "block_dim.z"):
                return fold.constant(1, U32)
            case Special("lane_id"):
                return fold.binary("%", Special("thread.x"), fold.constant(32, U32))
            case Special("warp_id"):
                return fold.binary("/", Special("thread.x"), fold.constant(32, U32))
            case Cast(value, kind):
                return fold.cast(value, kind)
            case Binary(op, lhs, rhs):
                return fold.binary(op, lhs, rhs)
            case _:
                return node

    map_expressions(program.body, lambda e: map_nodes(e, rule))
    return program


def may_batch(program: flat.Program) -> bool:
    """Is the program right for several blocks side by side?"""
    if program.shared or program.locals:
        return False
    writes = Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))
    for statement in flat.statements(program.body):
        match statement:
            case (
                flat.Sync() | flat.Collect() | flat.Exchange() | flat.Ballot() | flat.GroupReduce()
                | flat.LaneGather() | flat.LaneDot() | flat.WarpDot()
            ):  # fmt: skip
                return False
            case flat.LaneReduce(var, _, _, width):
                if width or writes[var.name] > 1:
                    return False
            case flat.Load(_, ref) | flat.Store(ref) | flat.AtomicUpdate(_, _, ref):
                if ref.root.space == "address":
                    return False
            case _:
                pass
        for expr in flat.expressions(statement):
            if any(isinstance(x, Special) and x.name not in _KNOWN for x in walk(expr)):
                return False
    return True
