"""The state of printing one kernel: lines, names, masks, and what the launcher must provide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crossport.backends.triton.divisors import trusted_parameters
from crossport.backends.triton.expressions import Expressions, tl_type
from crossport.backends.triton.extents import ROWS, Extents
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.loose import loose_sets
from crossport.ir.lift.names import Names
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Binary, Expr, Read, Var, children, walk
from crossport.ir.tile.retile import FreeShape, index_var
from crossport.ir.types import BOOL, U8, Scalar

SPARE_WORDS = 1 << 15


@dataclass
class KernelText:
    """A printed kernel and what its launcher must hand over."""

    lines: list[str]
    expressions: Expressions
    uses_scratch: bool = False
    uses_spare: bool = False
    shared_offsets: dict[str, int] = field(default_factory=dict)
    static_shared: int = 0
    local_bytes: int = 0
    scalar_arrays: tuple[str, ...] = ()
    uses_warps: bool = False
    uses_votes: bool = False
    """Are there loops that lanes leave at different times?"""
    batched: bool = False
    """Is it for several blocks, as a tile of (blocks, threads)?"""
    loads_alike: bool = False
    """Do the blocks of such a tile share what their lanes load?"""


@dataclass
class Pending:
    """Accesses since the last barrier, by root name."""

    loads: dict[str, set[str]] = field(default_factory=dict)
    stores: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> Pending:
        """An independent copy."""
        return Pending(
            {k: set(v) for k, v in self.loads.items()}, {k: set(v) for k, v in self.stores.items()}
        )

    def join(self, other: Pending) -> None:
        """Either may have happened."""
        for mine, theirs in ((self.loads, other.loads), (self.stores, other.stores)):
            for key, value in theirs.items():
                mine.setdefault(key, set()).update(value)


class State:
    """Lines so far, and the facts that printing goes by."""

    def __init__(
        self,
        program: flat.Program,
        name: str,
        free: FreeShape | None,
        batched: bool = False,
        in_row: bool = False,
    ) -> None:
        self.program = program
        self.name = name
        self.free = free
        self.batched = batched
        self.in_row = in_row
        """Do the threads of a block stand in one row?"""
        self.one_thread: set[str] = set()
        """Masks that hold for one thread at most."""
        self.is_independent = free is not None or batched
        """Does no thread wait for another's accesses to memory?"""
        varying = {"lane"} | ({index_var(a).name for a in free.axes} if free else set())
        self.facts: Uniformity = uniformity(program, blocks=batched, varying=varying)
        self.loose = loose_sets(program, self.facts)
        self.e = Expressions()
        self.e.trusted = trusted_parameters(program)
        self.names = Names()
        self.reserve()
        self.lines: list[str] = []
        self.depth = 1
        self.mask = "active"
        self.masks: list[tuple[str, str]] = [("kernel", "active")]
        self.pending = Pending()
        self.steady = _steady(program) | self.facts.varying - _written(program)
        self.places: dict[str, tuple[str, int, int] | None] = {}
        self.views: dict[tuple[str, str], str] = {}
        self.uses_scratch = False
        self.uses_spare = False
        self.uses_votes = False
        self.loads_alike = False
        self.uses_warps = any(
            isinstance(s, flat.WarpStatement) or (isinstance(s, flat.LaneReduce) and s.width > 0)
            for s in flat.statements(program.body)
        )
        self.shared_offsets, self.static_shared = placed(program.shared)
        self.local_offsets, self.local_bytes = placed(program.locals)
        self.dirty_kernel = "kernel" in self.facts.left
        # Blocks of several axes are tensors of several dimensions: each access gets the layout
        # that suits its own contiguous axis. Lanes of thread blocks stand in a row.
        axes = free.axes if free is not None else ()
        self.dimensions = tuple(reversed(axes)) if len(axes) > 1 else ()
        self.shape = f"[{', '.join(f'BLOCK_{a.upper()}' for a in self.dimensions)}]"
        if batched:
            self.dimensions, self.shape = ("y", "x"), "[BLOCKS, LANES]"
        elif not self.dimensions:
            self.shape = "[LANES]"
        self.zero = "zero" if self.dimensions else "lane * 0"
        self.extents = Extents(program, self.facts, self.dimensions)
        self.row_masks: dict[str, str] = {"active": "block_x < blocks"} if batched else {}
        """Of masks that are a question of blocks: which blocks have a lane in them."""
        # Masks of loops that run while any lane is in them, until a lane leaves.
        self.inhabited: set[str] = set()
        self.alone = self.scalars_alone()

    def scalars_alone(self) -> set[str]:
        """Scalars in arithmetic that no tensor takes part in."""
        found: set[str] = set()
        for statement in flat.statements(self.program.body):
            for expr in flat.expressions(statement):
                for node in walk(expr):
                    if isinstance(node, Read) or not self.facts.is_uniform(node):  # type: ignore[arg-type]
                        continue
                    found |= {
                        c.place.name
                        for c in children(node)
                        if isinstance(c, Read) and isinstance(c.place, Var)
                    }
        return found

    def reserve(self) -> None:
        for statement in flat.statements(self.program.body):
            for var in flat.targets(statement):
                self.names.fresh(var.name)
        for parameter in self.program.parameters:
            for _, root in parameter.roots:
                self.names.fresh(root.name)
            for _, var in parameter.scalars:
                self.names.fresh(var.name)
        for name in (
            *(f"{n}_{a}" for n in ("index", "size") for a in "xyz"),
            "active", "zero", "scratch", "scratch_bytes", "spare", "slot", "program",
            "lane", "lane_id", "warp_id", "blocks",
            *(f"{a}_{d}" for a in ("thread", "block", "block_dim", "grid_dim") for d in "xyz"),
            *(r.name for r in (*self.program.shared, *self.program.locals)),
            *(g.root.name for g in self.program.globals),
        ):  # fmt: skip
            self.names.fresh(name)

    def line(self, text: str) -> None:
        self.lines.append(("    " * self.depth + text).rstrip())

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.line("pass")
        self.depth -= 1

    def lanes(self, expr: Expr) -> str:
        """The value as one a lane."""
        if self.facts.is_uniform(expr):
            return f"tl.full({self.shape}, {self.e(expr)}, {tl_type(expr.type)})"
        return self.e.typed(expr)

    def masked(self, mask: str, condition: Expr, binds: int = 4) -> str:
        """The lanes of a mask where the condition holds."""
        if self.mixes(condition):
            # `mask & condition` of a scalar is an int32 in Triton's CPU interpreter.
            return f"tl.where({self.e(condition)}, {mask}, False)"
        return f"{mask} & {self.e.tight(condition, binds)}"

    def mixes(self, guard: Expr) -> bool:
        """Is a part of the condition the same in all lanes?"""
        parts = guard
        if isinstance(parts, Binary) and parts.op in ("&&", "||"):
            return self.mixes(parts.lhs) or self.mixes(parts.rhs)
        return self.facts.is_uniform(parts)

    def is_narrow(self, ref: Ref) -> bool:
        """Is the address the same along some axis of the lanes, for lanes that differ otherwise?"""
        if ref.root.space == "local" or self.row_mask(ref) is not None:
            return False
        return self.facts.is_uniform(ref.index) or self.extents.is_narrow(ref.index)

    def row_mask(self, ref: Ref, *exprs: Expr) -> str | None:
        """The mask of an access that each block makes once; None if its threads differ."""
        mask = self.row_masks.get(self.mask)
        if mask is None or self.facts.is_uniform(ref.index):
            return None
        return mask if all(self.extents.of(e) <= ROWS for e in (ref.index, *exprs)) else None

    def may_be_empty(self, mask: str) -> bool:
        """May all lanes be idle where this mask is the current one?"""
        return mask not in self.inhabited and (mask != "active" or self.dirty_kernel)

    def is_inside(self, ref: Ref) -> bool:
        """Is the place known to be part of an array of known size?"""
        place = fold.as_int(ref.index)
        counts = {g.root.name: g.count for g in self.program.globals}
        count = counts.get(ref.root.name, 0)
        return ref.is_whole and ref.type == ref.root.element and place in range(count)

    def body(self, body: flat.Body) -> None:
        raise NotImplementedError


def _written(program: flat.Program) -> set[str]:
    return {v.name for s in flat.statements(program.body) for v in flat.targets(s)}


def _steady(program: flat.Program) -> set[str]:
    """Variables that keep one value: parameters, and what is written once and in no loop."""
    writes = Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))
    looped = {
        v.name
        for loop in flat.statements(program.body)
        if isinstance(loop, flat.Loop)
        for s in flat.statements([loop])
        for v in flat.targets(s)
    }
    scalars = {var.name for p in program.parameters for _, var in p.scalars}
    return scalars - writes.keys() | {n for n, count in writes.items() if count == 1} - looped


def stored(kind: Scalar) -> Scalar:
    """The type in memory: a bool is a byte."""
    return U8 if kind == BOOL else kind


def placed(roots: tuple[Root, ...]) -> tuple[dict[str, int], int]:
    """Offsets of the arrays in a row, aligned to 16; the one of unknown size last."""
    offsets: dict[str, int] = {}
    at = 0
    for root in sorted(roots, key=lambda r: r.name == "dynamic_shared"):
        offsets[root.name] = at
        at += -(-root.size // 16) * 16
    return offsets, at
