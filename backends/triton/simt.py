"""Print a flat program as a Triton kernel: one program a thread block, one lane a thread.

    if (i < n) y[i] = 2 * x[i]          mask_1 = active & (i < n)
                                  ->    x_value = tl.load(x + i, mask=mask_1, other=0)
                                        tl.store(y + i, 2.0 * x_value, mask=mask_1)

Values that all threads share stay scalars and their control flow stays control flow; the rest are
tensors of LANES values under masks, and a loop that threads leave at different times runs while any
thread is in it. Shared memory and large local arrays live in a scratch buffer of the program.
A barrier stands wherever a lane may read memory that another thread of the GPU wrote: Triton is
free to move a lane to another thread between two operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crossport.backends.triton.expressions import Expressions, literal, tl_type
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.flatten import refuse
from crossport.ir.lift.names import Names
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Binary, Cast, Const, Expr, Read, Select, Var, children, walk
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.tile.strides import Stride, stride_of
from crossport.ir.tile.summary import neutral
from crossport.ir.types import BOOL, F32, F64, I32, I64, U8, Scalar


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


def print_kernel(program: flat.Program, name: str, free: FreeShape | None = None) -> KernelText:
    """The `@triton.jit` function of a flat program; `free`: in terms of global indices."""
    return _Printer(program, name, free).run()


class _Printer:
    def __init__(self, program: flat.Program, name: str, free: FreeShape | None) -> None:
        self.program = program
        self.name = name
        self.free = free
        varying = {"lane"} | ({index_var(a).name for a in free.axes} if free else set())
        self.facts: Uniformity = uniformity(program, varying=varying)
        self.e = Expressions()
        self.names = Names()
        self.reserve()
        self.lines: list[str] = []
        self.depth = 1
        self.mask = "active"
        self.masks: list[tuple[str, str]] = [("kernel", "active")]
        self.pending = Pending()
        self.views: dict[tuple[str, str], str] = {}
        self.uses_scratch = False
        self.uses_spare = False
        self.uses_warps = any(
            isinstance(s, flat.Exchange | flat.Ballot | flat.GroupReduce)
            or (isinstance(s, flat.LaneReduce) and s.width > 0)
            for s in flat.statements(program.body)
        )
        self.shared_offsets, self.static_shared = _place(program.shared)
        self.local_offsets, self.local_bytes = _place(program.locals)
        self.dirty_kernel = "kernel" in self.facts.left
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
            if (var := flat.target(statement)) is not None:
                self.names.fresh(var.name)
        for parameter in self.program.parameters:
            for _, root in parameter.roots:
                self.names.fresh(root.name)
            for _, var in parameter.scalars:
                self.names.fresh(var.name)
        for name in (
            *(f"{n}_{a}" for n in ("index", "size") for a in "xyz"),
            "active", "scratch", "scratch_bytes", "spare", "program", "lane", "lane_id", "warp_id",
            *(f"{a}_{d}" for a in ("thread", "block", "block_dim", "grid_dim") for d in "xyz"),
            *(r.name for r in (*self.program.shared, *self.program.locals)),
            *(g.root.name for g in self.program.globals),
        ):  # fmt: skip
            self.names.fresh(name)

    # --- Output ---------------------------------------------------------------------------------

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
            lines=[*self.header(), *self.lines, *body],
            expressions=self.e,
            uses_scratch=self.uses_scratch,
            uses_spare=self.uses_spare,
            shared_offsets=self.shared_offsets,
            static_shared=self.static_shared,
            local_bytes=self.local_bytes,
            scalar_arrays=scalar_arrays,
            uses_warps=self.uses_warps,
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
            if _mentions(body, "LANES"):
                self.line("LANES: tl.constexpr = BLOCK_X")
            if _mentions(body, "lane"):
                self.line("lane = tl.arange(0, BLOCK_X)")
        else:
            lanes = " * ".join(f"BLOCK_{a.upper()}" for a in free.axes)
            self.line(f"LANES: tl.constexpr = {lanes}")
            self.line("lane = tl.arange(0, LANES)")
            under = ""
            for a in free.axes:
                extent = f"BLOCK_{a.upper()}"
                place = f"lane // ({under})" if under else "lane"
                if a != free.axes[-1]:
                    place = f"{place} % {extent}"
                axis = "xyz".index(a)
                self.line(f"index_{a} = tl.program_id({axis}) * {extent} + {place}")
                under = f"{under} * {extent}" if under else extent
            tests = " & ".join(f"(index_{a} < size_{a})" for a in free.axes)
            self.line(f"active = {tests}")
        for a in free.programs:
            self.line(f"block_{a} = tl.program_id({'xyz'.index(a)})")
        self.scalars(body)

    def scalars(self, body: str) -> None:
        """Scalar parameters in the types of the source."""
        for p in self.program.parameters:
            for _, var in p.scalars:
                if not _mentions(body, var.name):
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
                if _mentions(body, root.name) or any(k[0] == root.name for k in self.views):
                    offset = self.shared_offsets[root.name]
                    at = f"(scratch + {offset})" if offset else "scratch"
                    kind = tl_type(_stored(root.element))
                    self.line(f"{root.name} = {at}.to(tl.pointer_type({kind}), bitcast=True)")
            for root in self.program.locals:
                offset = self.local_offsets[root.name]
                at = f"scratch + (scratch_bytes - LANES * {self.local_bytes} + {offset})"
                kind = tl_type(_stored(root.element))
                self.line(
                    f"{root.name} = ({at} + lane * {self.local_bytes})"
                    f".to(tl.pointer_type({kind}), bitcast=True)"
                )
        self.print_views()

    def print_views(self) -> None:
        for (root_name, kind), view in self.views.items():
            self.line(f"{view} = {root_name}.to(tl.pointer_type({kind}), bitcast=True)")

    # --- Statements -----------------------------------------------------------------------------

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
        for position, statement in enumerate(body):
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

    def set(self, statement: flat.Set) -> None:
        var, value = statement.var, statement.value
        varying = var.name in self.facts.varying
        if value is None:
            shape = "[LANES]" if varying else "()"
            self.line(f"{var.name} = tl.full({shape}, 0, {tl_type(var.type)})")
            return
        is_scalar = self.facts.is_uniform(value)
        if varying and is_scalar and statement.declare:
            self.line(f"{var.name} = tl.full([LANES], {self.e(value)}, {tl_type(var.type)})")
        elif id(statement) in self.facts.masked_sets:
            self.line(f"{var.name} = tl.where({self.mask}, {self.e(value)}, {var.name})")
        elif varying and is_scalar:
            self.line(f"{var.name} = tl.full([LANES], {self.e(value)}, {tl_type(var.type)})")
        else:
            self.line(f"{var.name} = {self.e.typed(value)}")

    # --- Memory ---------------------------------------------------------------------------------

    def pointer(self, ref: Ref, *, spread: bool) -> str:
        """The address; `spread`: as one a lane even where all lanes share it."""
        root, index = ref.root, ref.index
        kind = tl_type(_stored(ref.type))
        if root.space in ("shared", "local"):
            self.uses_scratch = True
        if root.space == "address":
            text = f"{self.e.tight(index)}.to(tl.pointer_type({kind}))"
            return (
                text
                if not spread
                else f"({self.e.tight(index)} + lane * 0).to(tl.pointer_type({kind}))"
            )
        if ref.is_whole:
            base = (
                root.name if _stored(root.element) == _stored(ref.type) else self.view(root, kind)
            )
            return self.offset(base, index, spread)
        base = root.name if _stored(root.element) == U8 else self.view(root, "tl.uint8")
        return f"({self.offset(base, index, spread)}).to(tl.pointer_type({kind}), bitcast=True)"

    def offset(self, base: str, index: Expr, spread: bool) -> str:
        if isinstance(index, Cast) and index.type == I64 and index.value.type == I32:
            index = index.value  # Triton extends offsets with the sign
        extra = " + lane * 0" if spread else ""
        if isinstance(index, Const) and index.value == 0:
            return base + extra
        return f"{base} + {self.e.tight(index, 5)}{extra}"

    def view(self, root: Root, kind: str) -> str:
        key = (root.name, kind)
        if key not in self.views:
            self.views[key] = self.names.fresh(f"{root.name}_{kind.removeprefix('tl.')}")
        return self.views[key]

    def access(self, ref: Ref, *, store: flat.Statement | None = None) -> None:
        """Put a barrier before an access that another access of the block must precede.

        A statement needs none against itself, nor a store against a load of the same place: the
        same lane does both.
        """
        key = ref.root.name
        form = f"{self.e(ref.index)}:{ref.type}"
        stored = self.pending.stores.get(key, set())
        loaded = self.pending.loads.get(key, set())
        if store is None:
            if stored:
                self.barrier()
            self.pending.loads.setdefault(key, set()).add(form)
            return
        own = str(id(store))
        if stored - {own} or loaded - {form}:
            self.barrier()
        self.pending.stores.setdefault(key, set()).add(own)

    def barrier(self) -> None:
        if self.lines and self.lines[-1].strip() == "tl.debug_barrier()":
            self.pending = Pending()
            return
        self.line("tl.debug_barrier()")
        self.pending = Pending()

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        self.access(ref)
        varying = var.name in self.facts.varying
        if varying:
            mask = self.mask
            if statement.guard is not None:
                mask = f"{mask} & {self.e.tight(statement.guard, 4)}"
            spread = self.facts.is_uniform(ref.index) and ref.root.space != "local"
            arguments = f", mask={mask}, other=0"
        else:
            spread = False
            conditions = []
            if self.mask != "active" or self.dirty_kernel:
                conditions.append(f"{self.e.use('_any')}({self.mask})")
            if statement.guard is not None:
                conditions.append(self.e.tight(statement.guard, 4))
            arguments = f", mask={' & '.join(conditions)}, other=0" if conditions else ""
        if statement.volatile:
            arguments += ", volatile=True"
        text = f"tl.load({self.pointer(ref, spread=spread)}{arguments})"
        if var.type == BOOL:
            text = f"{text} != 0"
        self.line(f"{var.name} = {text}")

    def store(self, statement: flat.Store) -> None:
        ref, value = statement.ref, statement.value
        self.access(ref, store=statement)
        uniform_index = self.facts.is_uniform(ref.index) and ref.root.space != "local"
        is_bool = ref.type == BOOL
        text = f"{self.e.method(value)}.to(tl.uint8)" if is_bool else self.e(value)
        mask = self.mask
        spread = False
        if uniform_index and self.facts.is_uniform(value):
            if self.mask == "active" and not self.dirty_kernel:
                self.line(f"tl.store({self.pointer(ref, spread=False)}, {text})")
                return
            mask = f"{self.e.use('_any')}({self.mask})"
        elif uniform_index:
            spread = True
        self.line(f"tl.store({self.pointer(ref, spread=spread)}, {text}, mask={mask})")

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        if kind.size < 4 and not (op == "add" and kind.kind in ("f16", "bf16")):
            raise refuse(f"an atomic on {kind} has no Triton form", None)
        if op == "cas" and not kind.is_integer:
            raise refuse(f"a compare-and-swap on {kind} has no Triton form", None)
        if op in ("min", "max") and kind.is_float:
            raise refuse(f"an atomic {op} on {kind} has no Triton form", None)
        if ref.root.space == "local":
            raise refuse("an atomic on a local array", None)
        self.access(ref, store=statement)
        if statement.var is not None and self.pending.stores.keys() - {ref.root.name}:
            # The others may look at this counter to learn that earlier stores are there.
            self.barrier()
            self.access(ref, store=statement)
        spread = self.facts.is_uniform(ref.index)
        pointer = self.pointer(ref, spread=spread)
        values = [self.e.typed(o) for o in statement.operands]
        target = f"{statement.var.name} = " if statement.var is not None else ""
        if op == "cas":
            self.uses_spare = True
            self.e.use("_atomic_cas")
            spare = f"spare.to(tl.pointer_type({tl_type(kind)}), bitcast=True)"
            compare, value = (self.lanes(o) for o in statement.operands)
            self.line(f"{target}_atomic_cas({pointer}, {compare}, {value}, {self.mask}, {spare})")
            return
        if op in ("inc", "dec"):
            self.uses_spare = True
            self.e.use("_atomic_wrap")
            spare = f"spare.to(tl.pointer_type({tl_type(kind)}), bitcast=True)"
            limit = self.lanes(statement.operands[0])
            self.line(
                f"{target}_atomic_wrap({pointer}, {limit}, {self.mask}, {spare}, {op == 'dec'})"
            )
            return
        name = {"sub": "add", "exch": "xchg"}.get(op, op)
        value = values[0]
        if op == "sub":
            value = f"0 - ({value})" if not kind.is_signed else f"-({value})"
        scope = ', scope="cta"' if ref.root.space == "shared" else ""
        relaxed = ', sem="relaxed"' if statement.var is None else ""
        self.line(f"{target}tl.atomic_{name}({pointer}, {value}, mask={self.mask}{relaxed}{scope})")

    def lanes(self, expr: Expr) -> str:
        """The value as one a lane."""
        if self.facts.is_uniform(expr):
            return f"tl.full([LANES], {self.e(expr)}, {tl_type(expr.type)})"
        return self.e.typed(expr)

    # --- Control flow ---------------------------------------------------------------------------

    def branch(self, statement: flat.Branch) -> None:
        if id(statement) not in self.facts.divergent:
            self.uniform_branch(statement)
            return
        condition = statement.condition
        if statement.otherwise and statement.then:
            name = self.names.fresh("taken")
            self.line(f"{name} = {self.e(condition)}")
            condition = Read(Var(name, BOOL))
        before = self.mask
        for body, negated in ((statement.then, False), (statement.otherwise, True)):
            if not body:
                continue
            test = self.e.tight(fold.negate(condition) if negated else condition, 3)
            self.mask = self.names.fresh("mask", keep_first=False)
            self.line(f"{self.mask} = {before} & {test}")
            self.masks.append(("", self.mask))
            self.body(body)
            self.masks.pop()
            self.mask = before

    def uniform_branch(self, statement: flat.Branch) -> None:
        start = self.pending.copy()
        self.line(f"if {self.e(statement.condition)}:")
        with self.indented():
            self.body(statement.then)
        after = self.pending
        self.pending = start.copy()
        if statement.otherwise:
            self.line("else:")
            with self.indented():
                self.body(statement.otherwise)
        self.pending.join(after)

    def enter_loop(self, statement: flat.Loop) -> None:
        """At the top of a loop, everything in it may just have happened."""
        for inner in flat.statements([statement]):
            match inner:
                case flat.Load(_, ref):
                    form = f"{self.e(ref.index)}:{ref.type}"
                    self.pending.loads.setdefault(ref.root.name, set()).add(form)
                case flat.Store(ref) | flat.AtomicUpdate(_, _, ref):
                    self.pending.stores.setdefault(ref.root.name, set()).add(str(id(inner)))
                case _:
                    pass

    def loop(self, statement: flat.Loop) -> None:
        if id(statement) in self.facts.divergent:
            self.divergent_loop(statement)
            return
        entry = self.pending.copy()
        if statement.head or not statement.test_first:
            going = self.names.fresh("going")
            if statement.test_first:
                self.body(statement.head)
                self.line(f"{going} = {self.e(statement.condition)}")
            else:
                self.line(f"{going} = tl.full((), True, tl.int1)")
            test = going
        else:
            going = ""
            test = self.e(statement.condition)
        self.enter_loop(statement)
        self.line(f"while {test}:")
        with self.indented():
            self.body(statement.body)
            self.body(statement.step)
            if going:
                self.body(statement.head)
                self.line(f"{going} = {self.e(statement.condition)}")
        self.pending.join(entry)

    def divergent_loop(self, statement: flat.Loop) -> None:
        before = self.mask
        going = self.names.fresh("going")
        if statement.test_first:
            self.body(statement.head)
            self.line(f"{going} = {before} & {self.e.tight(statement.condition, 4)}")
        else:
            self.line(f"{going} = {before}")
        entry = self.pending.copy()
        self.enter_loop(statement)
        self.line(f"while {self.e.use('_any')}({going}):")
        self.mask = going
        self.masks.append((statement.label, going))
        with self.indented():
            self.body(statement.body)
            self.body(statement.step)
            self.body(statement.head)
            if self.facts.is_uniform(statement.condition):
                kept = self.e.tight(statement.condition, 4)
                if kept != "True":
                    self.line(f"{going} = {going} & {kept}")
            else:
                self.line(f"{going} = {going} & {self.e.tight(statement.condition, 4)}")
        self.masks.pop()
        self.mask = before
        self.pending.join(entry)

    def stride_loop(self, statement: flat.Loop, stride: Stride) -> None:
        """A loop whose rounds the lanes share: counted, with a mask for the last round."""
        before = self.mask
        name = stride.variable.name
        start = self.names.fresh(f"{name}_start")
        going = self.names.fresh("going")
        arguments = f"{self.e(stride.base)}, {self.e(stride.bound)}, {self.e(stride.step)}"
        entry = self.pending.copy()
        self.enter_loop(statement)
        self.line(f"for {start} in range({arguments}):")
        self.mask = going
        self.masks.append((statement.label, going))
        with self.indented():
            self.line(f"{name} = {start} + {self.e.tight(stride.offset, 6)}")
            self.line(f"{going} = {before} & ({self.e(statement.condition)})")
            self.body(statement.body)
        self.masks.pop()
        self.mask = before
        self.pending.join(entry)

    def as_range(
        self, statement: flat.Loop, body: flat.Body, position: int
    ) -> tuple[str, Expr, Expr, int] | None:
        """(variable, start, end, step) of a loop that `range` can say."""
        if id(statement) in self.facts.divergent or statement.head or not statement.test_first:
            return None
        if position == 0 or len(statement.step) != 1 or statement.label in self.facts.left:
            return None
        start, step, test = body[position - 1], statement.step[0], statement.condition
        if not isinstance(start, flat.Set) or not isinstance(step, flat.Set):
            return None
        if not start.declare or start.value is None or start.var.name != step.var.name:
            return None
        var = start.var
        if var.type != I32 or var.name in self.facts.varying:
            return None
        match step.value, test:
            case (
                Binary("+", Read(Var(a)), Const(amount)),
                Binary("<" | "<=" as op, Read(Var(b)), end),
            ) if a == b == var.name and int(amount) > 0:
                pass
            case _:
                return None
        written = {
            v.name for s in flat.statements(statement.body) if (v := flat.target(s)) is not None
        }
        used = reads(end)
        if var.name in written or used & written or var.name in used:
            return None
        for other in body[position + 1 :]:
            for inner in flat.statements([other]):
                if any(var.name in reads(x) for x in flat.expressions(inner)):
                    return None
        if op == "<=":
            end = Binary("+", end, Const(1, I32))
            if not isinstance(end.lhs, Const):
                return None  # the end might wrap
        return var.name, start.value, end, int(amount)

    def range_loop(self, statement: flat.Loop, body: flat.Body, position: int) -> bool:
        found = self.as_range(statement, body, position)
        if found is None:
            return False
        name, start, end, step = found
        arguments = [self.e(start), self.e(end)]
        if step == 1 and arguments[0] == "0":
            arguments = arguments[1:]
        elif step != 1:
            arguments.append(str(step))
        entry = self.pending.copy()
        self.e.counters.add(name)
        self.enter_loop(statement)
        self.line(f"for {name} in range({', '.join(arguments)}):")
        with self.indented():
            self.body(statement.body)
        self.pending.join(entry)
        return True

    def scope(self, statement: flat.Scope, label: str, body: flat.Body) -> None:
        if id(statement) not in self.facts.divergent:
            self.body(body)
            return
        before = self.mask
        self.mask = self.names.fresh("here", keep_first=False)
        self.line(f"{self.mask} = {before}")
        self.masks.append((label, self.mask))
        self.body(body)
        self.masks.pop()
        self.mask = before

    def leave(self, label: str) -> None:
        # A mask outside the current one first, for it still needs the current one.
        leaving = self.mask
        inner: list[str] = []
        for name, mask in reversed(self.masks):
            if mask not in inner:
                inner.append(mask)
            if name == label:
                break
        for mask in reversed(inner):
            if mask != leaving:
                self.line(f"{mask} = {mask} & ({leaving} == 0)")
        self.line(f"{leaving} = {leaving} & (lane < 0)")

    # --- Between lanes --------------------------------------------------------------------------

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        counted = f"tl.sum(({self.mask} & {test}).to(tl.int32), axis=0)"
        name = statement.var.name
        if statement.mode == "count":
            self.line(f"{name} = {counted}")
        elif statement.mode == "or":
            self.line(f"{name} = ({counted} != 0).to(tl.int32)")
        else:
            missing = f"tl.sum(({self.mask} & (({test}) == 0)).to(tl.int32), axis=0)"
            self.line(f"{name} = ({missing} == 0).to(tl.int32)")

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.line(f"{name} = {self.e.typed(statement.value)}")
            return
        lane = self.e.tight(statement.lane, 5)
        position = f"lane % {width}"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {lane}",
            "xor": f"({position}) ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        value = self.e(statement.value)
        # Booleans and halves travel as what every target can gather.
        if kind == BOOL:
            value = f"{self.e.method(statement.value)}.to(tl.int32)"
        chosen = f"{self.e.use('_source')}(lane, {source}, {width})"
        text = f"tl.gather({value}, {chosen}, 0)"
        self.line(f"{name} = {text} != 0" if kind == BOOL else f"{name} = {text}")

    def ballot(self, statement: flat.Ballot) -> None:
        name, width, mode = statement.var.name, statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        if mode in ("ballot", "active"):
            self.line(f"{name} = {self.e.use('_ballot')}({test}, LANES, {width})")
        elif mode == "any":
            self.line(f"{name} = {self.e.use('_group_any')}({test}, LANES, {width})")
        elif mode == "all":
            assert statement.predicate is not None
            miss = f"{self.mask} & ({self.e.tight(statement.predicate, 1)} == 0)"
            self.line(f"{name} = 1 - {self.e.use('_group_any')}({miss}, LANES, {width})")
        else:
            raise refuse("__uni_sync has no Triton form", None)
        kind = statement.var.type
        if kind not in (I32,) and mode in ("any", "all"):
            self.line(f"{name} = {name}.to({tl_type(kind)})")
        if kind == I32 and mode in ("ballot", "active"):
            self.line(f"{name} = {name}.to(tl.int32)")

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        name, width = statement.var.name, statement.width
        source = self.lanes(statement.source)
        if not (
            isinstance(statement.source, Select)
            and statement.source.otherwise == neutral(statement.op, kind)
        ) or self.facts.is_uniform(statement.source):
            source = f"tl.where(active, {source}, {self.e.typed(neutral(statement.op, kind))})"
        function, helper = _REDUCERS[statement.op]
        if statement.scan is None and width == 0:
            if function:
                text = f"{function}({source}, axis=0)"
            else:
                text = f"tl.reduce({source}, 0, {self.e.use(helper)})"
            # Small integers are summed in 32 bits.
            if kind.size < 4 and function:
                text = f"{text}.to({tl_type(kind)})"
            self.line(f"{name} = {text}")
            return
        combine = self.e.use(helper)
        if statement.scan is None:
            grouped = f"{self.e.use('_group')}({source}, {width})"
            reduced = f"tl.reduce({grouped}, 1, {combine})"
            self.line(f"{name} = {self.e.use('_spread')}({reduced}, LANES, {width})")
            return
        if width:
            grouped = f"{self.e.use('_group')}({source}, {width})"
            scanned = f"tl.reshape(tl.associative_scan({grouped}, 1, {combine}), [LANES])"
        else:
            scanned = f"tl.associative_scan({source}, 0, {combine})"
        if statement.scan == "inclusive":
            self.line(f"{name} = {scanned}")
            return
        first = f"lane % {width} == 0" if width else "lane == 0"
        unit = self.e.typed(neutral(statement.op, kind))
        self.line(f"{name} = {scanned}")
        self.line(f"{name} = tl.gather({name}, tl.maximum(lane - 1, 0), 0)")
        self.line(f"{name} = tl.where({first}, {unit}, {name})")

    def lane_dot(self, statement: flat.LaneDot) -> None:
        rows, inner, columns = statement.rows, statement.inner, statement.columns
        a = self.lanes(statement.a)
        b = self.lanes(statement.b)
        a_shape = f"[{inner}, {rows}]" if statement.a_columns else f"[{rows}, {inner}]"
        b_shape = f"[{columns}, {inner}]" if statement.b_columns else f"[{inner}, {columns}]"
        left = f"tl.reshape({a}, {a_shape})"
        right = f"tl.reshape({b}, {b_shape})"
        if statement.a_columns:
            left = f"tl.trans({left})"
        if statement.b_columns:
            right = f"tl.trans({right})"
        name = statement.var.name
        if statement.var.type == F32 and min(rows, inner, columns) >= 16:
            text = f'tl.dot({left}, {right}, input_precision="ieee")'
        else:
            text = f"tl.sum({left}[:, :, None] * {right}[None, :, :], axis=1)"
        self.line(f"{name} = tl.reshape({text}, [LANES])")

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        width, name = statement.width, statement.var.name
        value = self.lanes(statement.value)
        neutral = _neutral(statement.op, kind)
        value = f"tl.where({self.mask}, {value}, {neutral})"
        function = {
            "add": "_add", "min": "_smaller", "max": "_larger", "and": "_and", "or": "_or",
            "xor": "_xor",
        }[statement.op]  # fmt: skip
        grouped = f"{self.e.use('_group')}({value}, {width})"
        self.e.use(function)
        if statement.scan is None:
            reduced = f"tl.reduce({grouped}, 1, {function})"
            self.line(f"{name} = {self.e.use('_spread')}({reduced}, LANES, {width})")
            return
        scanned = f"tl.reshape(tl.associative_scan({grouped}, 1, {function}), [LANES])"
        if statement.scan == "inclusive":
            self.line(f"{name} = {scanned}")
            return
        shifted = (
            f"tl.gather({scanned}, {self.e.use('_source')}(lane, lane % {width} - 1, {width}), 0)"
        )
        self.line(f"{name} = tl.where(lane % {width} == 0, {neutral}, {shifted})")


_REDUCERS: dict[str, tuple[str, str]] = {
    "+": ("tl.sum", "_add"),
    "*": ("", "_multiply"),
    "&": ("", "_and"),
    "|": ("", "_or"),
    "^": ("tl.xor_sum", "_xor"),
}
for _op in ("min", "fmin", "fminf", "__hmin"):
    _REDUCERS[_op] = ("tl.min", "_smaller")
for _op in ("max", "fmax", "fmaxf", "__hmax"):
    _REDUCERS[_op] = ("tl.max", "_larger")


def _argument_type(kind: object) -> str:
    """The type by which a launch hands a scalar over."""
    if kind in (Scalar("f16"), Scalar("bf16")):
        return "tl.float32"
    return "tl.int32" if kind == BOOL else tl_type(kind)


def _neutral(op: str, kind: Scalar) -> str:
    bits = 8 * kind.size
    if op in ("add", "or", "xor"):
        number: int | float = 0
    elif op == "and":
        number = -1 if kind.is_signed else (1 << bits) - 1
    elif kind.is_float:
        number = float("inf") if op == "min" else float("-inf")
    elif kind.is_signed:
        number = (1 << (bits - 1)) - 1 if op == "min" else -(1 << (bits - 1))
    else:
        number = (1 << bits) - 1 if op == "min" else 0
    return f"tl.full((), {literal(number)}, {tl_type(kind)})"


def _stored(kind: Scalar) -> Scalar:
    """The type in memory: a bool is a byte."""
    return U8 if kind == BOOL else kind


def _place(roots: tuple[Root, ...]) -> tuple[dict[str, int], int]:
    """Offsets of the arrays in a row, aligned to 16; the one of unknown size last."""
    offsets: dict[str, int] = {}
    at = 0
    for root in sorted(roots, key=lambda r: r.name == "dynamic_shared"):
        offsets[root.name] = at
        at += -(-root.size // 16) * 16
    return offsets, at


def _mentions(text: str, name: str) -> bool:
    import re

    return re.search(rf"\b{re.escape(name)}\b", text) is not None


__all__ = ["I64", "KernelText", "Select", "print_kernel"]
