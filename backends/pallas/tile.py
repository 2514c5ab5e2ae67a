"""Print an elementwise program as a Pallas kernel (tier `tile`): a block of every array at a time.

    if (i < n) y[i] = a * x[i]        def kernel(..., x_ref, y_ref, y_out):
                                          x, y = x_ref[...], y_ref[...]
                                ->        y = jnp.where(active & (index_x < n), a * x, y)
                                          y_out[...] = y

It needs a program in terms of global indices (ir/tile/retile.py) that touches every array at
`index_x` and nowhere else, on the types and functions that Mosaic has. Written arrays are inputs as
well and alias their outputs, so that what the kernel leaves alone stays. `NotTiled` says what
prevents it.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import Expressions, jnp_type
from crossport.backends.pallas.grid_base import KernelText
from crossport.backends.pallas.mosaic import NotTiled
from crossport.backends.pallas.vmem import TileText
from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Cast, Expr, Intrinsic, Read, Var, walk
from crossport.ir.tile.retile import FreeShape, host_text, index_var, size_var
from crossport.ir.types import BOOL, F32, I32, U32, Scalar

TYPES = (F32, I32, U32)
# What lowers for the TensorCore, measured by compiling each.
FUNCTIONS = frozenset(
    "sinf cosf tanf expf exp2f logf log2f log1pf sqrtf rsqrtf tanhf erff powf floorf ceilf rintf "
    "fabsf fmaxf fminf fmaf min max abs __expf __logf __sinf __cosf __fdividef __popc __clz "
    "truncf atan2f copysignf __fadd_rn __fmul_rn __fsub_rn __fdiv_rn __saturatef".split()
)
BLOCK = 8192


def print_tile(program: flat.Program, free: FreeShape, name: str) -> TileText:
    """The Pallas kernel and the body of its launcher; NotTiled if there is none."""
    return _Tile(program, free, name).run()


class _Tile:
    def __init__(self, program: flat.Program, free: FreeShape, name: str) -> None:
        if free.axes != ("x",) or free.programs:
            raise NotTiled("it is not one-dimensional")
        self.program = program
        self.free = free
        self.name = name
        self.e = Expressions()
        self.facts = uniformity(program, varying={index_var("x").name})
        self.names = Names()
        self.lines: list[str] = []
        self.mask = "active"
        self.check()

    def check(self) -> None:
        if self.program.globals:
            raise NotTiled("it reads a table")
        for statement in flat.statements(self.program.body):
            if not isinstance(statement, flat.Set | flat.Load | flat.Store | flat.Branch):
                raise NotTiled("it has loops, atomics or exchanges")
            if isinstance(statement, flat.Load | flat.Store):
                ref = statement.ref
                inner: Expr = ref.index
                while isinstance(inner, Cast):
                    inner = inner.value
                if inner != Read(index_var("x")) or not ref.is_whole:
                    raise NotTiled("it reads or writes elsewhere than at its own index")
                if ref.type != ref.root.element or ref.root.space != "param":
                    raise NotTiled("it reads an array as another type")
            for var in flat.targets(statement):
                self.names.fresh(var.name)
                if var.type not in (*TYPES, BOOL):
                    raise NotTiled(f"it computes in {var.type}")
            for expr in flat.expressions(statement):
                self.check_expression(expr)
        for parameter in self.program.parameters:
            for _, root in parameter.roots:
                if root.element not in TYPES:
                    raise NotTiled(f"{root.name} holds {root.element}")
            for _, scalar in parameter.scalars:
                if scalar.type not in TYPES:
                    raise NotTiled(f"{scalar.name} is {scalar.type}")
        if not any(isinstance(s, flat.Store) for s in flat.statements(self.program.body)):
            raise NotTiled("it writes nothing")

    def check_expression(self, expr: Expr) -> None:
        for node in walk(expr):
            if isinstance(node, Intrinsic) and node.name not in FUNCTIONS:
                raise NotTiled(f"{node.name} does not lower")
            kind = getattr(node, "type", None)
            if isinstance(kind, Scalar) and kind not in (*TYPES, BOOL):
                inner: object = node
                while isinstance(inner, Cast):
                    inner = inner.value
                if inner != Read(index_var("x")):
                    raise NotTiled(f"it computes in {kind}")

    # --- The kernel -----------------------------------------------------------------------------

    def run(self) -> TileText:
        roots = [root for p in self.program.parameters for _, root in p.roots]
        touched = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Load | flat.Store)
        }
        roots = [r for r in roots if r.name in touched]
        written = [
            r.name
            for r in roots
            if any(
                isinstance(s, flat.Store) and s.ref.root == r
                for s in flat.statements(self.program.body)
            )
        ]
        scalars = [var for p in self.program.parameters for _, var in p.scalars]
        self.body(self.program.body)
        body = self.lines
        arguments = [f"{v.name}_ref" for v in scalars] + ["size_ref"]
        arguments += [f"{r.name}_ref" for r in roots] + [f"{name}_out" for name in written]
        lines = [f"def _{self.name}_kernel({', '.join(arguments)}):"]
        lines += [f"    {v.name} = {v.name}_ref[0]" for v in scalars]
        lines.append(f"    index_x = pl.program_id(0) * {BLOCK}")
        lines.append(f"    index_x += lax.broadcasted_iota(jnp.int32, ({BLOCK},), 0)")
        lines.append("    active = index_x < size_ref[0]")
        lines += [f"    {r.name} = {r.name}_ref[...]" for r in roots]
        lines += body
        lines += [f"    {name}_out[...] = {name}" for name in written]
        text = KernelText(
            self.launch([r.name for r in roots], written, scalars), self.e, tuple(written)
        )
        return TileText(lines, text)

    def launch(self, roots: list[str], written: list[str], scalars: list[Var]) -> list[str]:
        """The launcher's body, after its arguments were made flat."""
        lines: list[str] = []
        for axis, extent in self.free.required.items():
            number = "xyz".index(axis)
            lines.append(f"    if block[{number}] != {extent}:")
            lines.append(
                f'        raise ValueError(f"blocks have {extent} threads along {axis}, '
                f'not {{block[{number}]}}")'
            )
        if self.free.bounds:
            texts = list(dict.fromkeys(host_text(b) for b in self.free.bounds))
            size = texts[0] if len(texts) == 1 else f"max({', '.join(texts)})"
            size = size.replace("int(", "(") if len(texts) > 1 or "(" in size[4:] else size[4:-1]
        else:
            size = "grid[0] * block[0]"
        # The schedule covers the arrays; how far the launch reaches may be known only at run time.
        lines.append(f"    {size_var('x').name} = {size}")
        lines.append(f"    length = max({', '.join(f'{r}.size' for r in roots)}, 1)")
        lines.append(f"    vector = pl.BlockSpec(({BLOCK},), lambda i: (i,))")
        lines.append("    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)")
        arguments = [f"jnp.asarray({v.name}, {jnp_type(v.type)}).reshape(1)" for v in scalars]
        arguments.append(f"jnp.asarray({size_var('x').name}, jnp.int32).reshape(1)")
        arguments += roots
        before = len(scalars) + 1
        aliases = ", ".join(
            f"{before + roots.index(name)}: {number}" for number, name in enumerate(written)
        )
        shapes = ", ".join(f"jax.ShapeDtypeStruct({n}.shape, {n}.dtype)" for n in written)
        results = ", ".join(written) if len(written) > 1 else f"({written[0]},)"
        lines.append("    with jax.enable_x64(False):")
        lines.append(f"        {results} = pl.pallas_call(")
        lines.append(f"            _{self.name}_kernel,")
        lines.append(f"            grid=(pl.cdiv(length, {BLOCK}),),")
        lines.append(f"            in_specs=[scalar] * {before} + [vector] * {len(roots)},")
        lines.append(f"            out_specs=[vector] * {len(written)},")
        lines.append(f"            out_shape=[{shapes}],")
        lines.append(f"            input_output_aliases={{{aliases}}},")
        lines.append("            interpret=interpret,")
        lines.append(f'            name="{self.name}",')
        lines.append(f"        )({', '.join(arguments)})")
        return lines

    # --- Statements -----------------------------------------------------------------------------

    def body(self, body: flat.Body) -> None:
        for statement in body:
            match statement:
                case flat.Set(var, value):
                    self.assign(statement, var, value)
                case flat.Load(var, ref):
                    self.line(f"{var.name} = {ref.root.name}")
                case flat.Store(ref, value):
                    name = ref.root.name
                    self.line(f"{name} = jnp.where({self.mask}, {self.e(value)}, {name})")
                case flat.Branch():
                    self.branch(statement)
                case _:
                    raise AssertionError(statement)

    def line(self, text: str) -> None:
        self.lines.append("    " + text)

    def assign(self, statement: flat.Set, var: Var, value: Expr | None) -> None:
        if value is None:
            self.line(f"{var.name} = jnp.zeros(({BLOCK},), {jnp_type(var.type)})")
        elif id(statement) in self.facts.masked_sets:
            self.line(f"{var.name} = jnp.where({self.mask}, {self.e(value)}, {var.name})")
        else:
            self.line(f"{var.name} = {self.e.typed(value)}")

    def branch(self, statement: flat.Branch) -> None:
        condition = statement.condition
        if statement.then and statement.otherwise:
            taken = self.names.fresh("taken")
            self.line(f"{taken} = {self.e(condition)}")
            condition = Read(Var(taken, BOOL))
        before = self.mask
        for body, negated in ((statement.then, False), (statement.otherwise, True)):
            if not body:
                continue
            self.mask = self.names.fresh("mask", keep_first=False)
            test = self.e.tight(fold.negate(condition) if negated else condition, 3)
            self.line(f"{self.mask} = {before} & {test}")
            self.body(body)
            self.mask = before
