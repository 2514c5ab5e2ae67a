"""Print a flat program as a Pallas kernel on lane tensors (tier `tile`).

    if (i < n) y[p[i]] = 2 * x[i]       mask_1 = active & (i < n)
                                  ->    p_value = _gather(p_ref, i, mask_1)
                                        x_value = _gather(x_ref, i, mask_1)
                                        _scatter(y_ref, p_value, 2.0 * x_value, mask_1)

A thread is a lane of an (8, lanes) tensor: a step of the sequential grid runs eight thread blocks,
a row each, or, where threads exchange nothing, the next 1024 threads. Arrays are in VMEM as rows of
128 words, so the kernel takes launches whose arrays fit; the caller has another form for the rest.
What threads of a block exchange is reductions, scans and gathers along a row. Steps run in order:
what one writes the next one sees, and sums over blocks are carried in the output.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.backends.pallas.expressions import jnp_type, literal, narrow_index
from crossport.backends.pallas.mosaic import MosaicExpressions, NotTiled, held
from crossport.backends.pallas.wide import is_wide
from crossport.backends.pallas.xla import GridPrinter, KernelText
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Cast, Const, Expr, Read, Var, walk
from crossport.ir.tile.retile import FreeShape, host_text, index_var, size_var
from crossport.ir.tile.summary import neutral
from crossport.ir.types import BOOL, F32, I32, U8, U32, Scalar

ROWS = 8
# v5e and v6e have 128 MiB of VMEM a core; the compiler wants some for itself.
BUDGET = "80 << 20"
LIMIT = "100 << 20"
# A gather by data goes over all rows of a table: beyond this, XLA's own is faster.
TABLE = "1 << 16"


@dataclass
class TileText:
    """The kernel function, and the launcher's body, which calls it."""

    kernel: list[str]
    text: KernelText


def print_vmem(
    program: flat.Program, name: str, free: FreeShape | None = None, guard: str = ""
) -> TileText:
    """The Pallas form of a program; NotTiled if it has none.

    `free`: it is in terms of global indices. `guard`: Python over `block`, when it is right.
    """
    return VmemPrinter(program, name, free, guard).print()


class VmemPrinter(GridPrinter):
    """Prints one program."""

    def __init__(
        self, program: flat.Program, name: str, free: FreeShape | None, guard: str
    ) -> None:
        super().__init__(program)
        indices = [index_var(a).name for a in free.axes] if free else []
        self.facts = uniformity(program, grid=True, varying=indices)
        exact = self.e.exact_fma
        self.e = MosaicExpressions()
        self.e.exact_fma = exact
        self.name = name
        self.free = free
        self.guard = guard
        self.types: dict[str, Scalar] = {}
        self.storage: dict[str, Scalar] = {}
        self.inputs: list[Root] = []
        self.check()

    # --- What is taken --------------------------------------------------------------------------

    def check(self) -> None:
        """Every type has 32-bit form, and every array is read in units of its own elements."""
        seen: dict[str, tuple[Root, set[Scalar]]] = {}
        for statement in flat.statements(self.program.body):
            for var in flat.targets(statement):
                self.e.see(var.type)
                assert isinstance(var.type, Scalar)
                self.types[var.name] = var.type
            if isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
                ref = statement.ref
                if ref.root.space == "address" or not ref.is_whole:
                    raise NotTiled(f"it reads {ref.root.name} by bytes")
                seen.setdefault(ref.root.name, (ref.root, set()))[1].add(_stored(ref.type))
        for name, (root, kinds) in seen.items():
            element = _stored(root.element)
            kind = next(iter(kinds)) if len(kinds) == 1 else element
            self.e.see(kind)
            if {k.size for k in kinds} != {element.size}:
                raise NotTiled(f"it reads {name} as another type")
            if len(kinds | {element}) > 1 and element.size < 4:
                raise NotTiled(f"it reads {name} as another type")
            self.storage[name] = kind
        for parameter in self.program.parameters:
            for _, var in parameter.scalars:
                if var.name in self.used_scalars():
                    self.e.see(var.type)

    def used_scalars(self) -> set[str]:
        """The scalar parameters that the program reads."""
        return {
            node.name
            for s in flat.statements(self.program.body)
            for e in flat.expressions(s)
            for node in walk(e)
            if isinstance(node, Var)
        }

    def tables(self) -> set[str]:
        """The arrays that are read or written where other data says."""
        tainted: set[str] = set()
        found: set[str] = set()
        while True:
            before = len(tainted)
            for statement in flat.statements(self.program.body):
                data = isinstance(statement, flat.Load | flat.AtomicUpdate) or any(
                    _mentions(e, tainted) for e in flat.expressions(statement)
                )
                if data:
                    tainted |= {var.name for var in flat.targets(statement)}
                if isinstance(statement, _ACCESSES) and _mentions(statement.ref.index, tainted):
                    found.add(statement.ref.root.name)
            if len(tainted) == before:
                return found

    # --- The kernel -----------------------------------------------------------------------------

    def print(self) -> TileText:
        """The kernel and its launcher."""
        self.body(self.program.body)
        body, self.lines = self.lines, []
        roots = [r for p in self.program.parameters for _, r in p.roots]
        roots += [g.root for g in self.program.globals]
        roots = [r for r in (*self.inputs, *roots) if r.name in self.storage]
        stored = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        written = [r for r in roots if r.name in stored]
        if not written:
            raise NotTiled("it writes nothing")
        used = self.used_scalars()
        scalars = [v for p in self.program.parameters for _, v in p.scalars if v.name in used]
        scratch = [
            r for r in (*self.program.shared, *self.program.locals) if r.name in self.storage
        ]
        self.prologue_of(roots, written, scalars, scratch)
        kernel = [*self.lines, *body]
        globals_ = [g.root.name for g in self.program.globals]
        lines = self.launch(roots, written, scalars, scratch)
        text = KernelText(
            lines,
            self.e,
            tuple(r.name for r in written if r.name not in globals_),
            tuple(r.name for r in written if r.name in globals_),
            is_wide=any(r.element.size == 8 for p in self.program.parameters for _, r in p.roots),
        )
        return TileText(kernel, text)

    def prologue_of(
        self, roots: list[Root], written: list[Root], scalars: list[Var], scratch: list[Root]
    ) -> None:
        """The head of the kernel function."""
        arguments = ["grid", "block"]
        if any(r.name == "dynamic_shared" for r in scratch):
            arguments.append("shared_bytes")
        if self.free:
            arguments += [size_var(a).name for a in self.free.axes]
        arguments += [f"{v.name}_ref" for v in scalars]
        arguments += [f"{r.name}_in" if r in written else f"{r.name}_ref" for r in roots]
        arguments += [f"{r.name}_ref" for r in (*written, *scratch)]
        self.depth = 0
        self.line(f"def _{self.name}_kernel({', '.join(arguments)}):")
        self.depth = 1
        self.line("@pl.when(pl.program_id(0) == 0)")
        self.line("def _():")
        for root in written:
            self.line(f"    {root.name}_ref[...] = {root.name}_in[...]")
        self.line("")
        for var in scalars:
            if is_wide(var.type):
                self.line(f"{var.name} = {var.name}_ref[0], {var.name}_ref[1]")
                continue
            test = " != 0" if var.type == BOOL else ""
            self.line(f"{var.name} = {var.name}_ref[0]{test}")
        if self.free:
            self.free_indices(self.free)
        else:
            self.block_indices()
        for root in scratch:
            self.line(f"{root.name}_ref[...] = jnp.zeros_like({root.name}_ref)")

    def free_indices(self, free: FreeShape) -> None:
        """Each lane's place in the index space."""
        self.line("shape = (8, 128)")
        self.line(
            "thread = (pl.program_id(0) * 8 + lax.broadcasted_iota(jnp.int32, shape, 0)) * 128"
        )
        self.line("thread += lax.broadcasted_iota(jnp.int32, shape, 1)")
        sizes = [size_var(a).name for a in free.axes]
        total = " * ".join(sizes)
        self.line(f"active = thread < {total}")
        if len(free.axes) == 1:
            self.line(f"{index_var(free.axes[0]).name} = thread")
            return
        left = "thread"
        for axis, size in zip(free.axes[:-1], sizes, strict=False):
            self.line(f"{index_var(axis).name} = lax.rem({left}, jnp.int32({size}))")
            rest = f"lax.div({left}, jnp.int32({size}))"
            left = rest if axis == free.axes[-2] else self.kept(rest)
        self.line(f"{index_var(free.axes[-1]).name} = {left}")

    def kept(self, text: str) -> str:
        name = self.names.fresh("rest")
        self.line(f"{name} = {text}")
        return name

    def block_indices(self) -> None:
        """Each lane's thread, each row's block."""
        used = self.e.specials
        whole = self.one_step
        self.line("blocks, threads = math.prod(grid), math.prod(block)")
        self.line(f"shape = ({'-(-blocks // 8) * 8' if whole else '8'}, _lanes(threads))")
        self.e.use("_lanes")
        start = "" if whole else "pl.program_id(0) * 8 + "
        self.line(f"row = {start}lax.broadcasted_iota(jnp.int32, shape, 0)")
        self.line("lane = lax.broadcasted_iota(jnp.int32, shape, 1)")
        self.line("active = (row < blocks) & (lane < threads)")
        rows = {
            "thread.x": ("lane", "", "block[0]"),
            "thread.y": ("lane", "block[0]", "block[1]"),
            "thread.z": ("lane", "block[0] * block[1]", ""),
            "block.x": ("row", "", "grid[0]"),
            "block.y": ("row", "grid[0]", "grid[1]"),
            "block.z": ("row", "grid[0] * grid[1]", ""),
            "lane_id": ("lane", "", "32"),
            "warp_id": ("lane", "32", ""),
        }
        for name, (text, divisor, modulus) in rows.items():
            if name in used:
                if divisor:
                    text = f"lax.div({text}, jnp.int32({divisor}))"
                if modulus:
                    text = f"lax.rem({text}, jnp.int32({modulus}))"
                self.line(f"{name.replace('.', '_')} = {text}")

    @property
    def one_step(self) -> bool:
        """Must all blocks run together? Those of a cooperative launch wait for each other."""
        return any(
            isinstance(s, flat.Sync) and s.scope == "grid"
            for s in flat.statements(self.program.body)
        )

    # --- The launcher ---------------------------------------------------------------------------

    def launch(
        self, roots: list[Root], written: list[Root], scalars: list[Var], scratch: list[Root]
    ) -> list[str]:
        """The lines that run the kernel on flat arrays; LEAVE stands for another way to go."""
        lines: list[str] = []
        tests = [f"not ({self.guard})"] if self.guard else []
        tests += self.more_tests()
        tests += [f"4 * ({self.footprint(roots, written)}) > {BUDGET}"]
        tables = self.tables()
        tests += [f"{r.name}.size > {TABLE}" for r in roots if r.name in tables]
        static: list[str] = ["grid", "block"]
        if any(r.name == "dynamic_shared" for r in scratch):
            static.append("shared_bytes")
        if self.free:
            lines += self.sizes(self.free)
            static += [size_var(a).name for a in self.free.axes]
            tests += self.idle(self.free)
            total = " * ".join(size_var(a).name for a in self.free.axes)
            steps = f"pl.cdiv({total}, 1024)"
        else:
            steps = "1" if self.one_step else "pl.cdiv(math.prod(grid), 8)"
            if any(r.space == "local" for r in scratch):
                lines.append("    lanes = _lanes(math.prod(block))")
        lines += _unless(tests)
        lines.append("        LEAVE")
        lines += self.before()
        arguments = [self.passed(v) for v in scalars]
        self.e.use("_words")
        arguments += [self.words(r) for r in roots]
        lines.append("    whole = pl.BlockSpec(memory_space=pltpu.VMEM)")
        specs = f"[whole] * {len(roots)}"
        if scalars:
            lines.append("    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)")
            specs = f"[scalar] * {len(scalars)} + {specs}"
        lines.append(f"    words = [{', '.join(arguments)}]")
        places = [len(scalars) + roots.index(r) for r in written]
        shapes = ", ".join(f"_like_words(words[{n}])" for n in places)
        self.e.use("_like_words")
        results = ", ".join(r.name + "_words" for r in written)
        results = results if len(written) > 1 else f"({results},)"
        lines.append("    with jax.enable_x64(False):")
        lines.append(f"        {results} = pl.pallas_call(")
        lines.append(f"            functools.partial(_{self.name}_kernel, {', '.join(static)}),")
        lines.append(f"            grid=({steps},),")
        lines.append(f"            in_specs={specs},")
        lines.append(f"            out_specs=[whole] * {len(written)},")
        lines.append(f"            out_shape=[{shapes}],")
        if scratch:
            rooms = ", ".join(self.room(r) for r in scratch)
            lines.append(f"            scratch_shapes=[{rooms}],")
        lines.append(f"            compiler_params=pltpu.CompilerParams(vmem_limit_bytes={LIMIT}),")
        lines.append("            interpret=interpret,")
        lines.append(f'            name="{self.name}",')
        lines.append("        )(*words)")
        lines += [self.back(r) for r in written]
        return lines

    def more_tests(self) -> list[str]:
        """Further launches that do not fit."""
        return []

    def before(self) -> list[str]:
        """What the launcher computes first."""
        return []

    def passed(self, var: Var) -> str:
        """A number for SMEM."""
        if is_wide(var.type):
            return f"{self.e.use('_words_of')}({var.name})"
        kind = "jnp.int32" if var.type == BOOL else held(var.type)
        return f"{self.e.use('_scalar')}({var.name}, {kind})"

    def back(self, root: Root) -> str:
        """A written array as it was given."""
        helper = "_unhalves" if is_wide(self.storage[root.name]) else "_unwords"
        return f"    {root.name} = {self.e.use(helper)}({root.name}_words, {root.name})"

    def footprint(self, roots: list[Root], written: list[Root]) -> str:
        counts = {r: (1 + (r in written)) * (1 + is_wide(self.storage[r.name])) for r in roots}
        return " + ".join(f"{f'{n} * ' if n > 1 else ''}{r.name}.size" for r, n in counts.items())

    def words(self, root: Root) -> str:
        kind = self.storage[root.name]
        text = root.name
        if is_wide(kind):
            return f"_words({self.e.use('_halves')}({text}), jnp.int32)"
        if kind != _stored(root.element):
            text = f"{self.e.use('_view')}({text}, {jnp_type(kind)})"
        return f"_words({text}, {_word_type(kind)})"

    def room(self, root: Root) -> str:
        kind = self.storage[root.name]
        rows = f"{ROWS}" if not self.one_step else "-(-math.prod(grid) // 8) * 8"
        if root.space == "local":
            count = f"{root.size // _stored(root.element).size} * lanes"
        else:
            count = self.room_of_block(root)
        if is_wide(kind):
            count = f"2 * {count}"
        return f"pltpu.VMEM(({rows} * {count} // 128, 128), {_word_type(kind)})"

    def room_of_block(self, root: Root) -> str:
        """Words that a block has of a shared array: whole rows of 128."""
        size = _stored(root.element).size
        if root.name == "dynamic_shared":
            return f"(-(-shared_bytes // {128 * size}) * 128)"
        return str(-(-root.size // size // 128) * 128)

    def sizes(self, free: FreeShape) -> list[str]:
        """How far the index space reaches."""
        lines = []
        for axis in free.axes:
            number = "xyz".index(axis)
            text = f"grid[{number}] * block[{number}]"
            if free.bounds:
                texts = list(dict.fromkeys(host_text(b) for b in free.bounds))
                text = f"max(1, {', '.join(texts)})"
            lines.append(f"    {size_var(axis).name} = {text}")
        return lines

    def idle(self, free: FreeShape) -> list[str]:
        """Launches that use an axis which the kernel does not look at, or another block size."""
        tests = [
            f"{kind}[{'xyz'.index(a)}] != 1"
            for a in "xyz" if a not in free.axes for kind in ("grid", "block")
        ]  # fmt: skip
        return tests + [f"block[{'xyz'.index(a)}] != {n}" for a, n in free.required.items()]

    # --- Statements -----------------------------------------------------------------------------

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.LaneGather():
                self.lane_gather(statement)
            case flat.LaneDot():
                self.lane_dot(statement)
            case flat.WarpDot():
                raise NotTiled("its warps multiply matrices that their lanes hold")
            case _:
                super().statement(statement)

    def full(self, value: Expr, kind: object) -> str:
        if is_wide(kind):
            return f"{self.e.use('_full_wide')}({self.e(value)}, shape)"
        if isinstance(value, Const):
            return f"jnp.full(shape, {literal(value.value)}, {held(kind)})"
        if not self.facts.is_uniform(value) and isinstance(value, Expr):
            return self.e(value)
        return f"jnp.broadcast_to({self.e(value)}, shape)"

    def set(self, statement: flat.Set) -> None:
        var, value = statement.var, statement.value
        varying = var.name in self.facts.varying
        if value is None and is_wide(var.type):
            value = fold.constant(0, self.types[var.name])
        if value is None:
            text = f"jnp.zeros(shape, {held(var.type)})" if varying else f"{held(var.type)}(0)"
        elif id(statement) in self.facts.masked_sets:
            where = self.e.use("_where_wide") if is_wide(var.type) else "jnp.where"
            text = f"{where}({self.mask}, {self.e(value)}, {var.name})"
        elif varying and self.writes[var.name] > 1:
            text = self.full(value, var.type)
        else:
            text = self.e.typed(value)
        self.put(var.name, text)

    # --- Memory ---------------------------------------------------------------------------------

    def place_in(self, ref: Ref) -> tuple[str, bool]:
        """(index in words, is it one for all lanes)."""
        root = ref.root
        index = narrow_index(ref.index)
        uniform = self.facts.is_uniform(index)
        if root.space == "shared":
            base = f"lax.broadcasted_iota(jnp.int32, shape, 0) * {self.room_of_block(root)}"
            return (base if self.e(index) == "0" else f"{base} + {self.e.tight(index, 5)}"), False
        if root.space == "local":
            # Element by element, all lanes of one side by side.
            step = (
                f"{self.e.tight(index, 6)} * shape[0] + lax.broadcasted_iota(jnp.int32, shape, 0)"
            )
            return f"({step}) * shape[1] + lane", False
        return self.e(index), uniform

    def is_own(self, ref: Ref) -> bool:
        """Is the array looked at where the thread's own number says?"""
        if self.free is None or len(self.free.axes) != 1 or is_wide(ref.type):
            return False
        inner = ref.index
        while isinstance(inner, Cast):
            inner = inner.value
        return inner == Read(index_var(self.free.axes[0])) and ref.root.space != "local"

    def lanes_of(self, text: str, uniform: bool) -> str:
        return f"jnp.broadcast_to({text}, shape)" if uniform else text

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        if self.is_own(ref):
            words = f"{self.e.use('_here')}({ref.root.name}_ref)"
            self.put(var.name, self.from_word(words, self.storage[ref.root.name], ref.type))
            return
        index, uniform = self.place_in(ref)
        name = f"{ref.root.name}_ref"
        wide = "_wide" if is_wide(ref.type) else ""
        if uniform:
            text = f"{self.e.use('_at' + wide)}({name}, {index})"
        else:
            mask = self.mask
            if statement.guard is not None:
                mask = f"{mask} & {self.e.tight(statement.guard, 4)}"
            text = f"{self.e.use('_gather' + wide)}({name}, {index}, {mask})"
        if wide:
            lanes = uniform and var.name in self.facts.varying
            self.put(var.name, f"{self.e.use('_full_wide')}({text}, shape)" if lanes else text)
            return
        text = self.from_word(text, self.storage[ref.root.name], ref.type)
        if uniform and var.name in self.facts.varying:
            text = f"jnp.broadcast_to({text}, shape)"
        self.put(var.name, text)

    def from_word(self, text: str, storage: Scalar, kind: Scalar) -> str:
        """A word of an array as a value of the type."""
        if kind == BOOL:
            return f"{text} != 0"
        if storage.is_float != kind.is_float:
            return f"{self.e.use('_word')}({text}, {held(kind)})"
        return f"{text}.astype(jnp.uint32)" if kind == U32 else text

    def to_word(self, value: Expr, storage: Scalar, kind: Scalar) -> str:
        """Lanes of a value as words of the array."""
        text = self.full(value, kind)
        if is_wide(kind):
            return text
        if kind == BOOL:
            return f"({text}).astype(jnp.int32)"
        if storage.is_float != kind.is_float:
            return f"{self.e.use('_word')}({text}, {_word_type(storage)})"
        return f"({text}).astype(jnp.int32)" if kind == U32 else text

    def store(self, statement: flat.Store) -> None:
        ref = statement.ref
        index, uniform = self.place_in(ref)
        value = self.to_word(statement.value, self.storage[ref.root.name], ref.type)
        if self.is_own(ref):
            self.line(f"{self.e.use('_keep_here')}({ref.root.name}_ref, {value}, {self.mask})")
            return
        at = self.lanes_of(index, uniform)
        scatter = self.e.use("_scatter_wide" if is_wide(ref.type) else "_scatter")
        self.line(f"{scatter}({ref.root.name}_ref, {at}, {value}, {self.mask})")

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        storage = self.storage[ref.root.name]
        if kind == BOOL or _stored(ref.root.element).size != 4:
            raise NotTiled(f"an atomic on {kind}")
        index, uniform = self.place_in(ref)
        at = self.lanes_of(index, uniform)
        name = f"{ref.root.name}_ref"
        same = storage.is_float == kind.is_float
        if statement.var is None and same and (op in ("add", "sub") or _is_ordered(op, kind)):
            value = self.to_word(statement.operands[0], storage, kind)
            if op == "sub":
                value = f"-({value})"
            reduce, combine = {
                "min": ("jnp.min", "jnp.minimum"), "max": ("jnp.max", "jnp.maximum"),
            }.get(op, ("jnp.sum", "jnp.add"))  # fmt: skip
            number = _neutral_text("add" if op == "sub" else op, kind)
            call = f"{self.e.use('_combine')}({name}, {at}, {value}, {self.mask}"
            self.line(f"{call}, {reduce}, {combine}, {number})")
            return
        operands = [self.to_word(o, storage, kind) for o in statement.operands]
        call = f"{self.e.use('_update')}({name}, {at}, {self.mask}, {self.updating(op, kind, same)}"
        text = ", ".join([call, *operands]) + ")"
        if statement.var is None:
            self.line(text)
            return
        self.put(statement.var.name, self.from_word(text, storage, kind))

    def updating(self, op: str, kind: Scalar, same: bool) -> str:
        """What an atomic makes of the old word and the operand, as a Python function."""
        if not same:
            raise NotTiled("an atomic on words of another type")
        if kind == U32 and op in ("min", "max", "inc", "dec"):
            helpers = {"inc": "_count_up", "dec": "_count_down"}
            inner = self.e.use(helpers[op]) if op in helpers else f"jnp.{op}imum"
            return f"{self.e.use('_unsigned')}({inner})"
        rows = {
            "add": "jnp.add", "sub": "jnp.subtract", "min": "jnp.minimum", "max": "jnp.maximum",
            "and": "jnp.bitwise_and", "or": "jnp.bitwise_or", "xor": "jnp.bitwise_xor",
            "exch": "_second", "cas": "_swap_if",
        }  # fmt: skip
        if op not in rows:
            raise NotTiled(f"atomic {op}")
        return self.e.use(rows[op]) if rows[op].startswith("_") else rows[op]

    # --- Control flow ---------------------------------------------------------------------------

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

    def is_lanes(self, name: str) -> bool:
        return name in self.types and name in self.facts.varying

    # --- Between lanes --------------------------------------------------------------------------

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        if statement.mode == "and":
            miss = f"({self.mask} & jnp.logical_not({test})).astype(jnp.int32)"
            text = f"1 - jnp.max({miss}, axis=1, keepdims=True)"
        else:
            function = "jnp.sum" if statement.mode == "count" else "jnp.max"
            here = f"({self.mask} & {test}).astype(jnp.int32)"
            more = ", dtype=jnp.int32" if statement.mode == "count" else ""
            text = f"{function}({here}, axis=1, keepdims=True{more})"
        self.put(statement.var.name, f"jnp.broadcast_to({text}, shape)")

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.put(name, self.e.typed(statement.value))
            return
        position = f"(lane & {width - 1})"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {self.e.tight(statement.lane, 5)}",
            "xor": f"{position} ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        if self.facts.is_uniform(statement.lane) and statement.mode == "idx":
            source = f"jnp.broadcast_to({source}, shape)"
        self.put(name, self.moved("_other_lane", statement.value, f"{source}, {width}"))

    def moved(self, helper: str, value: Expr, rest: str) -> str:
        """A call on lanes of the value; bools travel as integers."""
        if is_wide(value.type):
            raise NotTiled("threads exchange 64-bit integers")
        text = self.full(value, value.type)
        call = f"{self.e.use(helper)}"
        if value.type == BOOL:
            return f"{call}(({text}).astype(jnp.int32), {rest}) != 0"
        return f"{call}({text}, {rest})"

    def ballot(self, statement: flat.Ballot) -> None:
        width, mode = statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        vote = self.e.use("_vote")
        kind = held(statement.var.type)
        if mode in ("ballot", "active"):
            text = f"{vote}({test}, {width}).astype({kind})"
        elif mode == "any":
            text = f"({vote}({test}, {width}) != 0).astype({kind})"
        elif mode == "all" and statement.predicate is not None:
            miss = f"{self.mask} & jnp.logical_not({self.e(statement.predicate)})"
            text = f"({vote}({miss}, {width}) == 0).astype({kind})"
        else:
            raise NotTiled("__uni_sync")
        self.put(statement.var.name, text)

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        number = _neutral_text(statement.op, kind)
        value = f"jnp.where({self.mask}, {self.e(statement.value)}, {number})"
        self.put(statement.var.name, self.reduced(
            value, _FUNCTIONS[statement.op], number, str(statement.width), statement.scan
        ))  # fmt: skip

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        held(kind)
        number = _neutral_text(statement.op, kind)
        value = f"jnp.where(lane < threads, {self.e(statement.source)}, {number})"
        function = _FUNCTIONS.get(statement.op)
        if function is None:
            raise NotTiled(f"a reduction by {statement.op}")
        text = ""
        if not statement.width and not statement.scan and kind in (F32, I32):
            along = {"jnp.add": "sum", "jnp.minimum": "min", "jnp.maximum": "max"}.get(function)
            if along:
                more = f", dtype={held(kind)}" if along == "sum" else ""
                row = f"jnp.{along}({value}, axis=1, keepdims=True{more})"
                text = f"jnp.broadcast_to({row}, shape)"
        width = str(statement.width) if statement.width else "shape[1]"
        self.put(
            statement.var.name,
            text or self.reduced(value, function, number, width, statement.scan),
        )

    def reduced(self, value: str, function: str, number: str, width: str, scan: str | None) -> str:
        """A reduction or scan of each group of lanes."""
        if scan is None:
            return f"{self.e.use('_fold_lanes')}({value}, {function}, {width})"
        text = f"{self.e.use('_scan_lanes')}({value}, {function}, {width})"
        if scan == "inclusive":
            return text
        moved = f"{self.e.use('_take')}({text}, jnp.maximum(lane - 1, 0))"
        return f"jnp.where(lane & {width} - 1 == 0, {number}, {moved})"

    def lane_gather(self, statement: flat.LaneGather) -> None:
        at = self.full(statement.lane, I32)
        self.put(statement.var.name, self.moved("_take", statement.source, at))

    def lane_dot(self, statement: flat.LaneDot) -> None:
        s = statement
        at_x = (1, s.rows) if s.a_columns else (s.inner, 1)
        at_y = (1, s.inner) if s.b_columns else (s.columns, 1)
        x, y = self.full(s.a, s.var.type), self.full(s.b, s.var.type)
        call = f"{self.e.use('_dot_lanes')}({x}, {y}, {s.inner}, {s.columns}, {at_x}, {at_y})"
        self.put(s.var.name, call)


_FUNCTIONS = {
    "add": "jnp.add", "+": "jnp.add", "*": "jnp.multiply", "min": "jnp.minimum",
    "max": "jnp.maximum", "fminf": "jnp.fmin", "fmaxf": "jnp.fmax", "and": "jnp.bitwise_and",
    "&": "jnp.bitwise_and", "or": "jnp.bitwise_or", "|": "jnp.bitwise_or",
    "xor": "jnp.bitwise_xor", "^": "jnp.bitwise_xor",
}  # fmt: skip


_ACCESSES = (flat.Load, flat.Store, flat.AtomicUpdate)
_SIGNS = {"add": "+", "and": "&", "or": "|", "xor": "^"}


def _stored(kind: Scalar) -> Scalar:
    return U8 if kind == BOOL else kind


def _word_type(kind: Scalar) -> str:
    return "jnp.float32" if kind.is_float else "jnp.int32"


def _unless(tests: list[str]) -> list[str]:
    """`if` any of the tests holds, in as many lines as it takes."""
    line = f"    if {' or '.join(tests)}:"
    if len(line) <= 100:
        return [line]
    first, *rest = tests
    return ["    if (", f"        {first}", *(f"        or {t}" for t in rest), "    ):"]


def _neutral_text(op: str, kind: Scalar) -> str:
    """The value that changes nothing, typed."""
    number = neutral(_SIGNS.get(op, op), kind)
    assert isinstance(number, Const)
    return f"{held(kind)}({literal(number.value)})"


def _is_ordered(op: str, kind: Scalar) -> bool:
    return op in ("min", "max") and kind != U32


def _mentions(expr: Expr, names: set[str]) -> bool:
    return any(isinstance(node, Var) and node.name in names for node in walk(expr))


__all__ = ["TileText", "print_vmem"]
