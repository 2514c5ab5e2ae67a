"""Print a sum of products as a Pallas kernel on the matrix unit, and what becomes of the totals.

    total[row, column] = sum of A[row * K + k] * B[k * N + column]
        ->  a, b = _matrix(A, ...), _matrix(B, ...)
            total = _product(a, b)              tiles of 256 x 256, k innermost, in float32
            _kernel(total, ...)                 stores, scaled and guarded as in the source

The operands' strides are numbers once a launch is traced: a dense matrix is a reshape. float32 is
multiplied in full precision (six passes of the matrix unit). Without columns, products are summed
along rows.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.backends.pallas.expressions import Expressions
from crossport.backends.pallas.mosaic import NotTiled
from crossport.backends.pallas.vmem import TileText, VmemPrinter
from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import Binary, Cast, Const, Expr, Node, Read, Var, walk
from crossport.ir.tile.contract import COLUMN, INNER, ROW, TOTAL, Contraction, Operand
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.tile.trace import NOWHERE, SOURCE
from crossport.ir.types import F32

SIGNS = ("+", "-", "*", "<", "==")

PRODUCT_HELPERS: dict[str, str] = {
    "_static": '''
def _static(*values):
    """Are these numbers known while the launch is traced?"""
    return not any(isinstance(value, jax.core.Tracer) for value in values)
''',
    "_matrix": '''
def _matrix(array, at, shape):
    """The elements at the places `at(i, j)`, affine in both, as a matrix."""
    start = at(0, 0)
    down, across = at(1, 0) - start, at(0, 1) - start
    if across == 1 and down >= shape[1] and start >= 0:
        end = start + shape[0] * down
        rows = jnp.pad(array, (0, max(0, end - array.size)))[start:end].reshape(shape[0], down)
        return rows[:, : shape[1]]
    if down == 1 and across >= shape[0] and start >= 0:
        return _matrix(array, lambda i, j: at(j, i), shape[::-1]).T
    place = start + down * jnp.arange(shape[0])[:, None] + across * jnp.arange(shape[1])
    place = jnp.where(place < 0, array.size, place)
    return array.at[place].get(mode="fill", fill_value=0)
''',
    "_axes": '''
def _axes(shape):
    """The row and the column numbers of a matrix."""
    return jnp.arange(shape[0])[:, None], jnp.arange(shape[1])[None, :]
''',
    "_product": '''
def _product_kernel(a_ref, b_ref, total_ref):
    @pl.when(pl.program_id(2) == 0)
    def _():
        total_ref[...] = jnp.zeros_like(total_ref)

    total_ref[...] += jnp.dot(
        a_ref[...],
        b_ref[...],
        precision=lax.Precision.HIGHEST,
        preferred_element_type=jnp.float32,
    )


def _product(a, b, interpret):
    """The product of two matrices: a tile of the result at a time, along the inner axis."""
    (rows, inner), columns = a.shape, b.shape[1]
    if rows * columns * inner == 0:
        return jnp.zeros((rows, columns), jnp.float32)
    tile_m, tile_n, tile_k = (
        min(most, -(-size // step) * step)
        for most, size, step in ((256, rows, 8), (256, columns, 128), (512, inner, 128))
    )
    m, n, k = pl.cdiv(rows, tile_m), pl.cdiv(columns, tile_n), pl.cdiv(inner, tile_k)
    a = jnp.pad(a, ((0, m * tile_m - rows), (0, k * tile_k - inner)))
    b = jnp.pad(b, ((0, k * tile_k - inner), (0, n * tile_n - columns)))
    with jax.enable_x64(False):
        total = pl.pallas_call(
            _product_kernel,
            grid=(m, n, k),
            in_specs=[
                pl.BlockSpec((tile_m, tile_k), lambda i, j, k: (i, k)),
                pl.BlockSpec((tile_k, tile_n), lambda i, j, k: (k, j)),
            ],
            out_specs=pl.BlockSpec((tile_m, tile_n), lambda i, j, k: (i, j)),
            out_shape=jax.ShapeDtypeStruct((m * tile_m, n * tile_n), jnp.float32),
            compiler_params=pltpu.CompilerParams(
                dimension_semantics=("parallel", "parallel", "arbitrary")
            ),
            interpret=interpret,
            name="product",
        )(a, b)
    return total[:rows, :columns]
''',
    "_row_products": '''
def _row_products_kernel(a_ref, b_ref, total_ref):
    @pl.when(pl.program_id(1) == 0)
    def _():
        total_ref[...] = jnp.zeros_like(total_ref)

    total_ref[...] += jnp.sum(a_ref[...] * b_ref[...], axis=1, keepdims=True)


def _row_products(a, b, interpret):
    """The sum along each row of `a * b`; `b` has as many rows, or one for all."""
    rows, inner = a.shape
    if rows * inner == 0:
        return jnp.zeros((rows, 1), jnp.float32)
    tile_m, tile_k = min(256, -(-rows // 8) * 8), min(1024, -(-inner // 128) * 128)
    m, k = pl.cdiv(rows, tile_m), pl.cdiv(inner, tile_k)
    a = jnp.pad(a, ((0, m * tile_m - rows), (0, k * tile_k - inner)))
    b = jnp.pad(b, ((0, m * tile_m - rows if len(b) > 1 else 0), (0, k * tile_k - inner)))
    tall = len(b) > 1
    with jax.enable_x64(False):
        total = pl.pallas_call(
            _row_products_kernel,
            grid=(m, k),
            in_specs=[
                pl.BlockSpec((tile_m, tile_k), lambda i, k: (i, k)),
                pl.BlockSpec((tile_m if tall else 1, tile_k), lambda i, k: (i if tall else 0, k)),
            ],
            out_specs=pl.BlockSpec((tile_m, 1), lambda i, k: (i, 0)),
            out_shape=jax.ShapeDtypeStruct((m * tile_m, 1), jnp.float32),
            compiler_params=pltpu.CompilerParams(dimension_semantics=("parallel", "arbitrary")),
            interpret=interpret,
            name="row_products",
        )(a, b)
    return total[:rows]
''',
}


def print_contraction(
    program: flat.Program, name: str, contraction: Contraction, guard: str
) -> TileText:
    """The kernel of what follows the product, and a launcher that computes the product first."""
    if contraction.programs:
        raise NotTiled("a product for each block along another axis")
    taken = {r.name for p in program.parameters for _, r in p.roots}
    taken |= {v.name for p in program.parameters for _, v in p.scalars}
    taken |= {p.name for p in program.parameters} | {g.root.name for g in program.globals}
    if taken & _OWN:
        raise NotTiled("names that the product needs for itself")
    axes = ("x",) if contraction.column_axis is None else ("x", "y")
    names = {ROW: index_var(axes[-1]), COLUMN: index_var("x")}

    def rule(node: Node) -> Node:
        if isinstance(node, Read) and isinstance(node.place, Var) and node.place.name in names:
            return fold.cast(Read(names[node.place.name]), node.type)
        return node

    total = flat.Root("total", "param", F32)
    index: Expr = Read(index_var("x"))
    if len(axes) == 2:
        row = Binary("*", Read(index_var("y")), Read(size_var("x")))
        index = Binary("+", row, index)
    body: flat.Body = [flat.Load(TOTAL, flat.Ref(total, index, F32, 4)), *contraction.body]
    map_expressions(body, lambda e: map_nodes(e, rule))
    epilogue = replace(program, body=body, shared=(), locals=())
    return _ContractionPrinter(epilogue, name, contraction, FreeShape(axes, ()), guard).print()


class _ContractionPrinter(VmemPrinter):
    """Prints what is done with each total, a lane each."""

    def __init__(
        self,
        program: flat.Program,
        name: str,
        contraction: Contraction,
        free: FreeShape,
        guard: str,
    ) -> None:
        super().__init__(program, name, free, guard)
        self.contraction = contraction
        self.inputs = [flat.Root("total", "param", F32)]
        self.plain = Expressions()

    def windows(self, roots: list[flat.Root]) -> None:
        """None: what is left once the product is made is small beside it."""

    def is_own(self, ref: flat.Ref) -> bool:
        return ref.root.name == "total" or super().is_own(ref)

    def footprint(self, roots: list[flat.Root], written: list[flat.Root]) -> str:
        text = super().footprint(roots, written)
        sizes = " * ".join(size_var(a).name for a in self.contraction_axes())
        return text.replace("total.size", sizes)

    def contraction_axes(self) -> tuple[str, ...]:
        assert self.free is not None
        return self.free.axes

    # --- The launcher ---------------------------------------------------------------------------

    def sizes(self, free: FreeShape) -> list[str]:
        c = self.contraction
        rows = self.extent(c.row_axis, c.tile[0])
        if c.column_axis is None:
            return [f"    size_x = {rows}"]
        columns = self.extent(c.column_axis, c.tile[1])
        return [f"    size_x, size_y = {columns}, {rows}"]

    def extent(self, axis: str, tile: int) -> str:
        number = "xyz".index(axis)
        return f"grid[{number}] * " + (str(tile) if self.guard else f"block[{number}]")

    def idle(self, free: FreeShape) -> list[str]:
        used = {self.contraction.row_axis, self.contraction.column_axis}
        kinds = ("grid",) if self.guard else ("grid", "block")
        return [f"{k}[{'xyz'.index(a)}] != 1" for a in "xyz" if a not in used for k in kinds]

    def numbers(self) -> list[str]:
        """The parameters that the operands' places are made of."""
        c = self.contraction
        exprs = [c.rounds, *c.row_mask, *c.column_mask, *c.left.mask, *c.right.mask]
        exprs += [o.ref.index for o in (c.left, c.right) if o.ref.root != NOWHERE]
        found = {x.name for e in exprs for x in walk(e) if isinstance(x, Var)}
        scalars = [v.name for p in self.program.parameters for _, v in p.scalars]
        return [n for n in scalars if n in found]

    def more_tests(self) -> list[str]:
        numbers = self.numbers()
        if not numbers:
            return []
        return [f"not {self.e.use('_static')}({', '.join(numbers)})"]

    def before(self) -> list[str]:
        c = self.contraction
        lines = [f"    {n} = int({n})" for n in self.numbers()]
        inner = f"max(0, {_python(c.rounds)})"
        if c.per_round > 1:
            inner += f" * {c.per_round}"
        row_size = "size_x" if c.column_axis is None else "size_y"
        bounds = {ROW: [row_size], COLUMN: ["size_x"], INNER: [inner]}
        rests: list[list[Expr]] = []
        for operand, around in ((c.left, c.row_mask), (c.right, c.column_mask)):
            rest = []
            for mask in (*around, *operand.mask):
                found = _bound(mask)
                if found is not None and found[0] in bounds:
                    bounds[found[0]].append(_python(found[1]))
                else:
                    rest.append(mask)
            rests.append(rest)
        if c.column_axis is None:
            del bounds[COLUMN]
        for axis, texts in bounds.items():
            own = list(dict.fromkeys(texts))
            text = own[0] if len(own) == 1 else f"max(0, min({', '.join(own)}))"
            lines.append(f"    {_COUNTS[axis]} = {text}")
        lines += self.factor("left", c.left, (ROW, INNER), rests[0])
        if c.column_axis is not None:
            lines += self.factor("right", c.right, (INNER, COLUMN), rests[1])
            lines.append(f"    total = {self.e.use('_product')}(left, right, interpret)")
            lines.append("    edges = ((0, size_y - rows), (0, size_x - columns))")
        else:
            lines += self.factor("right", c.right, (ROW, INNER), rests[1])
            lines.append(f"    total = {self.e.use('_row_products')}(left, right, interpret)")
            lines.append("    edges = ((0, size_x - rows), (0, 0))")
        lines.append("    total = jnp.pad(total, edges).reshape(-1)")
        return lines

    def factor(
        self, name: str, operand: Operand, axes: tuple[str, str], masks: list[Expr]
    ) -> list[str]:
        """One operand as a matrix."""
        shape = f"({_COUNTS[axes[0]]}, {_COUNTS[axes[1]]})"
        if isinstance(operand.value, Const):
            return [f"    {name} = jnp.full({shape}, {operand.value.value}, jnp.float32)"]
        ref = operand.ref
        if ref.type != ref.root.element or not ref.is_whole:
            raise NotTiled(f"it multiplies {ref.root.name} as another type")
        used = {x.name for e in (ref.index, *masks) for x in walk(e) if isinstance(x, Var)}
        if self.contraction.column_axis is None and ROW not in used:
            shape = f"(1, {_COUNTS[INNER]})"
        self.e.use("_matrix")
        place = f"lambda {axes[0]}, {axes[1]}: {_python(ref.index)}"
        lines = [f"    {name} = _matrix({ref.root.name}, {place}, {shape})"]
        source = Read(replace(SOURCE, type=ref.type))

        def rule(node: Node) -> Node:
            if isinstance(node, Var) and node.name == SOURCE.name:
                return Var(name, node.type)
            return node

        if operand.value != source:
            lines.append(f"    {name} = {self.plain(map_nodes(operand.value, rule))}")
        if masks:
            self.e.use("_axes")
            tests = " & ".join(f"({_python(m)})" for m in masks)
            lines.append(f"    {axes[0]}, {axes[1]} = _axes({name}.shape)")
            lines.append(f"    {name} = jnp.where({tests}, {name}, 0)")
        return lines


_OWN = {
    ROW, COLUMN, INNER, TOTAL.name, "left", "right", "rows", "columns", "inner_size", "edges",
    "size_x", "size_y",
}  # fmt: skip
_COUNTS = {ROW: "rows", COLUMN: "columns", INNER: "inner_size"}


def _bound(mask: Expr) -> tuple[str, Expr] | None:
    """(axis, bound) of `axis < bound`."""
    match mask:
        case Binary("<", lhs, rhs):
            while isinstance(lhs, Cast):
                lhs = lhs.value
            axes = {ROW, COLUMN, INNER}
            free = not any(isinstance(x, Var) and x.name in axes for x in walk(rhs))
            if isinstance(lhs, Read) and isinstance(lhs.place, Var) and lhs.place.name in axes:
                return (lhs.place.name, rhs) if free else None
    return None


def _python(expr: Expr) -> str:
    """An expression of whole numbers, as Python counts: it is exact, so it wraps nowhere."""
    match expr:
        case Const(value):
            return str(int(value))
        case Read(Var(name)):
            return name
        case Cast(value):
            return _python(value)
        case Binary("/", lhs, Const(number)) if int(number) > 0:
            return f"({_python(lhs)}) // {number}"
        case Binary(op, lhs, rhs) if op in SIGNS:
            left, right = _python(lhs), _python(rhs)
            if op in ("*", "-"):
                left = f"({left})" if " " in left and op == "*" else left
                right = f"({right})" if " " in right else right
            return f"{left} {op} {right}"
        case _:
            raise NotTiled("places that are not whole numbers")
