"""A kernel as a whole: its arguments, what it computes first, and its statements in order."""

from __future__ import annotations

import re
from collections import Counter

from crossport.backends.triton.expressions import tl_type
from crossport.backends.triton.simt.control import Control
from crossport.backends.triton.simt.state import SPARE_WORDS, KernelText, stored
from crossport.backends.triton.simt.vectors import run_of
from crossport.ir.lift import flat
from crossport.ir.lift.flatten import refuse
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.tile.strides import Stride, stride_of
from crossport.ir.types import BOOL, F32, F64, I32, Scalar


def print_kernel(
    program: flat.Program,
    name: str,
    free: FreeShape | None = None,
    *,
    batched: bool = False,
    in_row: bool = False,
) -> KernelText:
    """The `@triton.jit` function of a flat program; `free`: in terms of global indices;
    `batched`: for several blocks, as a tile of (blocks, threads); `in_row`: for blocks whose
    threads stand in one row."""
    return Printer(program, name, free, batched, in_row).run()


class Printer(Control):
    """Prints one kernel."""

    def run(self) -> KernelText:
        self.body(self.program.body)
        body = self.lines
        self.lines = []
        self.prologue("\n".join(body))
        scalar_arrays = tuple(
            var.name
            for p in self.program.parameters
            for _, var in p.scalars
            if var.type == Scalar("f64")
        )
        return KernelText(
            lines=[*self.header(), *without_unread([*self.lines, *body])],
            expressions=self.e,
            uses_scratch=self.uses_scratch,
            uses_spare=self.uses_spare,
            shared_offsets=self.shared_offsets,
            static_shared=self.static_shared,
            local_bytes=self.local_bytes,
            scalar_arrays=scalar_arrays,
            uses_warps=self.uses_warps,
            uses_votes=self.uses_votes,
            batched=self.batched,
            loads_alike=self.loads_alike,
        )

    def header(self) -> list[str]:
        arguments: list[str] = []
        for p in self.program.parameters:
            arguments += [root.name for _, root in p.roots]
            # The annotation keeps an argument of 1 from becoming a Python constant.
            arguments += [
                var.name if var.type == F64 else f"{var.name}: {_argument_type(var.type)}"
                for _, var in p.scalars
            ]
        arguments += [g.root.name for g in self.program.globals]
        if self.uses_scratch:
            arguments += ["scratch", "scratch_bytes: tl.int64"]
        if self.uses_spare:
            arguments.append("spare")
        if self.free is not None:
            arguments += [f"{size_var(a).name}: tl.int32" for a in self.free.axes]
            arguments += [f"BLOCK_{a.upper()}: tl.constexpr" for a in self.free.axes]
        elif self.batched:
            arguments += ["blocks: tl.int32"]
            arguments += [f"{name}: tl.constexpr" for name in ("BLOCK_X", "LANES", "BLOCKS")]
        else:
            arguments += [f"BLOCK_{a}: tl.constexpr" for a in "XYZ"]
            arguments.append("LANES: tl.constexpr")
        one_line = f"def {self.name}({', '.join(arguments)}):"
        if len(one_line) <= 88:
            return ["@triton.jit", one_line]
        return ["@triton.jit", f"def {self.name}(", *(f"    {a}," for a in arguments), "):"]

    def free_prologue(self, free: FreeShape, body: str) -> None:
        """Lanes by global index."""
        if free.axes == ("x",):
            self.line("index_x = tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X)")
            self.line("active = index_x < size_x")
            if mentions(body, "LANES"):
                self.line("LANES: tl.constexpr = BLOCK_X")
            if mentions(body, "lane"):
                self.line("lane = tl.arange(0, BLOCK_X)")
        else:
            for a in free.axes:
                extent = f"BLOCK_{a.upper()}"
                place = ", ".join(":" if d == a else "None" for d in self.dimensions)
                number = f"tl.program_id({'xyz'.index(a)})"
                self.line(f"index_{a} = {number} * {extent} + tl.arange(0, {extent})[{place}]")
            tests = " & ".join(f"(index_{a} < size_{a})" for a in free.axes)
            self.line(f"active = {tests}")
            if mentions(body, "zero"):
                self.line(f"zero = tl.zeros({self.shape}, tl.int32)")
        for a in free.programs:
            self.line(f"block_{a} = tl.program_id({'xyz'.index(a)})")
        self.scalars(body)

    def scalars(self, body: str) -> None:
        """Scalar parameters in the types of the source."""
        for p in self.program.parameters:
            for _, var in p.scalars:
                if not mentions(body, var.name):
                    continue
                if var.type == F64:
                    self.line(f"{var.name} = tl.load({var.name})")
                elif var.type == BOOL:
                    self.line(f"{var.name} = {var.name} != 0")
                elif var.type == F32 and var.name in self.alone:
                    # Triton's interpreter passes Python floats, which are wider.
                    self.line(f"{var.name} = tl.cast({var.name}, tl.float32)")
                elif var.type in (Scalar("f16"), Scalar("bf16")):
                    self.line(f"{var.name} = tl.cast({var.name}, {tl_type(var.type)})")
                elif var.type not in (I32, F32):
                    self.line(f"{var.name} = {var.name}.to({tl_type(var.type)})")

    def prologue(self, body: str) -> None:
        used = self.e.specials
        if self.free is not None:
            self.free_prologue(self.free, body)
            self.print_views()
            return
        if self.batched:
            self.batch_prologue(body)
            self.print_views()
            return
        self.line("lane = tl.arange(0, LANES)")
        self.line("active = lane < BLOCK_X * BLOCK_Y * BLOCK_Z")
        if "thread.x" in used:
            self.line("thread_x = lane % BLOCK_X")
        if "thread.y" in used:
            self.line("thread_y = lane // BLOCK_X % BLOCK_Y")
        if "thread.z" in used:
            self.line("thread_z = lane // (BLOCK_X * BLOCK_Y)")
        if "lane_id" in used:
            self.line("lane_id = lane % 32")
        if "warp_id" in used:
            self.line("warp_id = lane // 32")
        for axis, letter in enumerate("xyz"):
            if f"block.{letter}" in used:
                self.line(f"block_{letter} = tl.program_id({axis})")
            if f"block_dim.{letter}" in used:
                self.line(f"block_dim_{letter} = tl.full((), BLOCK_{letter.upper()}, tl.int32)")
            if f"grid_dim.{letter}" in used:
                self.line(f"grid_dim_{letter} = tl.num_programs({axis})")
        self.scalars(body)
        if self.uses_scratch:
            self.line("program = tl.program_id(0).to(tl.int64)")
            self.line("program += tl.num_programs(0) * tl.program_id(1).to(tl.int64)")
            self.line("program += tl.num_programs(0) * tl.num_programs(1) * tl.program_id(2)")
            self.line("scratch += program * scratch_bytes")
            for root in self.program.shared:
                if mentions(body, root.name) or any(k[0] == root.name for k in self.views):
                    offset = self.shared_offsets[root.name]
                    at = f"(scratch + {offset})" if offset else "scratch"
                    kind = tl_type(stored(root.element))
                    self.line(f"{root.name} = {at}.to(tl.pointer_type({kind}), bitcast=True)")
            for root in self.program.locals:
                offset = self.local_offsets[root.name]
                at = f"scratch + (scratch_bytes - LANES * {self.local_bytes} + {offset})"
                kind = tl_type(stored(root.element))
                self.line(
                    f"{root.name} = ({at} + lane * {self.local_bytes})"
                    f".to(tl.pointer_type({kind}), bitcast=True)"
                )
        self.print_views()

    def batch_prologue(self, body: str) -> None:
        """Several blocks as the rows of a tile."""
        used = self.e.specials
        self.line("block_x = tl.program_id(0) * BLOCKS + tl.arange(0, BLOCKS)[:, None]")
        self.line("thread_x = tl.arange(0, LANES)[None, :]")
        self.line("active = (block_x < blocks) & (thread_x < BLOCK_X)")
        if mentions(body, "lane"):
            self.line("lane = thread_x")
        if mentions(body, "zero"):
            self.line(f"zero = tl.zeros({self.shape}, tl.int32)")
        for axis, letter in ((1, "y"), (2, "z")):
            if f"block.{letter}" in used:
                self.line(f"block_{letter} = tl.program_id({axis})")
            if f"grid_dim.{letter}" in used:
                self.line(f"grid_dim_{letter} = tl.num_programs({axis})")
        if "grid_dim.x" in used:
            self.line("grid_dim_x = blocks")
        if "block_dim.x" in used:
            self.line("block_dim_x = tl.full((), BLOCK_X, tl.int32)")
        self.scalars(body)

    def print_views(self) -> None:
        if self.uses_spare:
            # Lanes that take no part in a compare-and-swap turn to a word of their own.
            number = "tl.program_id(0) * LANES + lane"
            if self.batched:
                number = "block_x * LANES + thread_x"
            if self.free is not None:
                number = "index_x"
                for a in self.free.axes[1:]:
                    number = f"{number} + index_{a} * 1031"
            self.line(f"slot = spare + ({number}) % {SPARE_WORDS}")
        for (root_name, kind), view in self.views.items():
            self.line(f"{view} = {root_name}.to(tl.pointer_type({kind}), bitcast=True)")

    def body(self, body: flat.Body) -> None:
        strides: dict[int, Stride] = {}
        starts: set[str] = set()
        indices = frozenset(index_var(a).name for a in self.free.axes) if self.free else frozenset()
        for statement in body:
            if isinstance(statement, flat.Loop) and id(statement) in self.facts.divergent:
                stride = stride_of(statement, body, self.facts, indices)
                if stride is not None:
                    strides[id(statement)] = stride
                    starts.add(stride.variable.name)
        merged: set[int] = set()
        for position, statement in enumerate(body):
            if id(statement) in merged:
                continue
            run = run_of(body, position)
            if run and self.access_together(run):
                merged |= {id(s) for s in run}
                continue
            if id(statement) in strides:
                self.stride_loop(statement, strides[id(statement)])  # type: ignore[arg-type]
                continue
            if isinstance(statement, flat.Set) and statement.var.name in starts:
                continue  # printed at the top of each round
            if isinstance(statement, flat.Loop) and self.range_loop(statement, body, position):
                continue
            if (
                isinstance(statement, flat.Set)
                and position + 1 < len(body)
                and isinstance(body[position + 1], flat.Loop)
                and self.as_range(body[position + 1], body, position + 1) is not None  # type: ignore[arg-type]
                and self.as_range(body[position + 1], body, position + 1)[0] == statement.var.name  # type: ignore[arg-type,index]
            ):
                continue  # printed as the range's start
            self.statement(statement)

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Set():
                self.set(statement)
            case flat.Load():
                self.load(statement)
            case flat.Store():
                self.store(statement)
            case flat.AtomicUpdate():
                self.atomic(statement)
            case flat.Branch():
                self.branch(statement)
            case flat.Loop():
                self.loop(statement)
            case flat.Scope(label, body):
                self.scope(statement, label, body)
            case flat.Leave(label):
                self.leave(label)
            case flat.Sync(scope):
                if scope == "grid":
                    raise refuse("a barrier of the whole grid has no Triton form", None)
                self.barrier()
            case flat.Collect():
                self.collect(statement)
            case flat.Exchange():
                self.exchange(statement)
            case flat.Ballot():
                self.ballot(statement)
            case flat.GroupReduce():
                self.group_reduce(statement)
            case flat.LaneReduce():
                self.lane_reduce(statement)
            case flat.LaneGather(var, source, index):
                if self.facts.is_uniform(source):
                    self.line(f"{var.name} = {self.e.typed(source)}")
                else:
                    # Lanes that the source has no part for may take any.
                    at = f"{self.e.tight(index, 4)} & (LANES - 1)"
                    if self.facts.is_uniform(index):
                        at = self.lanes(index)
                    self.line(f"{var.name} = tl.gather({self.e(source)}, {at}, 0)")
            case flat.LaneDot():
                self.lane_dot(statement)
            case flat.WarpDot():
                self.warp_dot(statement)

    def set(self, statement: flat.Set) -> None:
        var, value = statement.var, statement.value
        varying = var.name in self.facts.varying
        if value is None:
            shape = self.shape if varying else "()"
            self.line(f"{var.name} = tl.full({shape}, 0, {tl_type(var.type)})")
            return
        is_scalar = self.facts.is_uniform(value)
        if varying and is_scalar and statement.declare:
            self.line(f"{var.name} = tl.full({self.shape}, {self.e(value)}, {tl_type(var.type)})")
        elif id(statement) in self.facts.masked_sets - self.loose:
            self.line(f"{var.name} = tl.where({self.mask}, {self.e(value)}, {var.name})")
        elif varying and is_scalar:
            self.line(f"{var.name} = tl.full({self.shape}, {self.e(value)}, {tl_type(var.type)})")
        elif self.extents.must_spread(statement):
            self.line(f"{var.name} = tl.broadcast_to({self.e.typed(value)}, {self.shape})")
        else:
            self.line(f"{var.name} = {self.e.typed(value)}")


def _argument_type(kind: object) -> str:
    """The type by which a launch hands a scalar over."""
    if kind in (Scalar("f16"), Scalar("bf16")):
        return "tl.float32"
    return "tl.int32" if kind == BOOL else tl_type(kind)


def without_unread(lines: list[str]) -> list[str]:
    """The lines without masks and places that nothing reads."""
    kept = list(lines)
    while True:
        words = Counter(w for line in kept for w in set(re.findall(r"\w+", line)))
        for number, line in enumerate(kept):
            found = re.match(r"( +)(mask_\d+|lane|zero|thread_x|block_dim_x) = ", line)
            if found is None or words[found[2]] > 1 or line.count(found[2]) > 1:
                continue
            opens = kept[number - 1].endswith(":") if number else False
            following = kept[number + 1] if number + 1 < len(kept) else ""
            if not opens or following.startswith(found[1]):
                del kept[number]
                break
        else:
            return kept


def mentions(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
