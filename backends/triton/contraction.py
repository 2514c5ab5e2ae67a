"""Print a sum of products as a tiled Triton kernel, and its launcher's part.

    total[row, column] = sum of A[..row, k..] * B[..k, column..]
        ->  for start in range(0, inner, BLOCK_K):
                total = _dot(a, b, total, PRECISION)

Tiles are the port's own. fp32 factors go through the matrix unit in three tf32 products where the
device has them (tf32x3: no less exact than fp32 fused multiply-adds), else as fp32; f16 and bf16 as
they are, summed in fp32. Without columns a tile of rows and inner elements is summed along rows.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.backends.triton.expressions import tl_type
from crossport.backends.triton.simt.kernel import Printer
from crossport.backends.triton.simt.state import KernelText, stored
from crossport.ir.lift import flat
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import Cast, Const, Expr, Node, Read, Var, walk
from crossport.ir.tile.contract import COLUMN, INNER, ROW, TOTAL, Contraction, Operand
from crossport.ir.tile.retile import host_text
from crossport.ir.tile.trace import SOURCE
from crossport.ir.types import F32, I32, I64, Scalar

TILE_ORDER = '''
@triton.jit
def _tile(rows, columns, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    """This program's tile: eight rows of tiles at a time, so that neighbours share operands."""
    program = tl.program_id(0)
    down, across = tl.cdiv(rows, BLOCK_M), tl.cdiv(columns, BLOCK_N)
    first = program // (8 * across) * 8
    height = tl.minimum(down - first, 8)
    place = program % (8 * across)
    return first + place % height, place // height
'''
DOT = '''
if triton.knobs.runtime.interpret:

    def _dot(a, b, total, precision):
        """A product of tiles for Triton's CPU interpreter, added up in the order of the source."""
        sums = total.handle.data
        left, right = a.handle.data.astype(np.float32), b.handle.data.astype(np.float32)
        for k in range(right.shape[0]):
            sums = sums + left[:, k, None] * right[k]
        return tl.tensor(TensorHandle(sums, tl.float32), total.type)

else:

    @triton.jit
    def _dot(a, b, total, PRECISION: tl.constexpr):
        """`total` and the product of two tiles."""
        return tl.dot(a, b, total, input_precision=PRECISION)
'''
TILES = '''
def _precision():
    """How fp32 is multiplied: no less exactly than by fused multiply-adds."""
    return "tf32x3" if torch.version.hip is None else "ieee"


def _tiles(rows, columns):
    """Tiles (rows, columns, inner) with their warps and stages, the usual one first."""
    is_small = rows * columns < 2048 * 2048
    if torch.version.hip is not None:
        tiles = [(64, 64, 32, 4, 2), (128, 128, 32, 8, 2), (128, 64, 32, 4, 2)]
        options = [{"matrix_instr_nonkdim": 16, "waves_per_eu": 2}, {"matrix_instr_nonkdim": 32}]
        tiles.sort(key=lambda tile: (tile[0] == 64) != is_small)
    else:
        tiles = [(128, 64, 32, 4, 3), (128, 64, 32, 8, 3), (64, 64, 32, 4, 3), (128, 128, 32, 8, 3)]
        options = [{}]
        tiles.sort(key=lambda tile: (tile[3] == 8) != is_small)
    return [
        {
            "block_m": m, "block_n": n, "block_k": k, "num_warps": w,
            "options": {"num_stages": s, **more},
        }
        for more in options
        for m, n, k, w, s in tiles
    ]
'''


def print_contraction(
    program: flat.Program, name: str, contraction: Contraction
) -> tuple[KernelText, dict[str, str]]:
    """The kernel, and the names of what its launcher computes."""
    body = flat.Program(
        program.name, program.parameters, program.globals, (), (), contraction.body,
        max_threads=program.max_threads, notes=program.notes, span=program.span,
    )  # fmt: skip
    printer = _Printer(body, name, contraction)
    return printer.run(), printer.chosen


class _Printer(Printer):
    """Prints the loop, then what becomes of the totals as any other program."""

    def __init__(self, program: flat.Program, name: str, contraction: Contraction) -> None:
        super().__init__(program, name, None)
        self.contraction = contraction
        self.is_product = contraction.column_axis is not None
        fresh = (
            "row", "column", "total", "rows", "columns", "inner", "start", "k", "k_down",
            "a", "b", "used",
        )  # fmt: skip
        self.chosen = {n: self.names.fresh(n) for n in fresh}
        n = self.chosen
        self.shape = "[BLOCK_M, BLOCK_N]" if self.is_product else "[BLOCK_M]"
        self.zero = f"tl.zeros({self.shape}, tl.int32)"
        self.varying = {n["row"], n["column"], n["total"]}
        self.facts.varying |= self.varying
        rename = {ROW: n["row"], COLUMN: n["column"], TOTAL.name: n["total"]}

        def rule(node: Node) -> Node:
            if isinstance(node, Var) and node.name in rename:
                return Var(rename[node.name], node.type)
            return node

        map_expressions(program.body, lambda e: map_nodes(e, rule))
        for statement in flat.statements(program.body):
            if isinstance(statement, flat.Load):
                self.facts.varying.add(statement.var.name)
            if isinstance(statement, flat.Branch):
                self.facts.divergent.add(id(statement))
        if self.is_product:
            self.extents.whole = frozenset("mn")
            self.extents.axes = {n["row"]: frozenset("m"), n["column"]: frozenset("n")}

    def run(self) -> KernelText:
        self.product()
        self.line("")
        self.body(self.program.body)
        body = self.lines
        self.lines = []
        self.first_lines("\n".join(body))
        arrays = tuple(
            v.name for p in self.program.parameters for _, v in p.scalars if v.type == Scalar("f64")
        )
        lines = [*self.header(), *self.lines, *body]
        return KernelText(lines, self.e, scalar_arrays=arrays)

    def header(self) -> list[str]:
        lines = super().header()
        n = self.chosen
        extents = (
            [n["rows"], n["columns"], n["inner"]] if self.is_product else [n["rows"], n["inner"]]
        )
        own = [f"{name}: tl.int32" for name in extents]
        blocks = ["BLOCK_M", "BLOCK_N", "BLOCK_K"] if self.is_product else ["BLOCK_M", "BLOCK_K"]
        own += [f"{name}: tl.constexpr" for name in blocks]
        if self.is_product:
            own.append("PRECISION: tl.constexpr")
        text = "\n".join(lines)
        kept = [a for a in _arguments(text) if not a.startswith(("BLOCK_", "LANES"))]
        arguments = [*kept, *own]
        return ["@triton.jit", f"def {self.name}(", *(f"    {a}," for a in arguments), "):"]

    def first_lines(self, body: str) -> None:
        """Which rows and columns, and the parameters in their types."""
        n = self.chosen
        if self.is_product:
            self.line(f"tile_m, tile_n = _tile({n['rows']}, {n['columns']}, BLOCK_M, BLOCK_N)")
            self.line(f"{n['row']} = tile_m * BLOCK_M + tl.arange(0, BLOCK_M)[:, None]")
            self.line(f"{n['column']} = tile_n * BLOCK_N + tl.arange(0, BLOCK_N)[None, :]")
            self.line(f"active = ({n['row']} < {n['rows']}) & ({n['column']} < {n['columns']})")
        else:
            self.line(f"{n['row']} = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)")
            self.line(f"active = {n['row']} < {n['rows']}")
        for position, axis in enumerate(self.contraction.programs):
            self.line(f"block_{axis} = tl.program_id({position + 1})")
        self.scalars(body)
        self.print_views()

    def product(self) -> None:
        """The loop along the inner axis."""
        n, c = self.chosen, self.contraction
        row_mask = [f"{n['row']} < {n['rows']}", *(self.bare(m) for m in c.row_mask)]
        column_mask = [f"{n['column']} < {n['columns']}", *(self.bare(m) for m in c.column_mask)]
        inner = n["inner"]
        if c.row_mask or c.column_mask:
            # Where no row or no column takes part, nothing is looked at.
            tests = [f"{self.e.use('_any')}({_all(row_mask)})"]
            tests += [f"_any({_all(column_mask)})"] if self.is_product else []
            self.line(f"{inner} = tl.where({_all(tests)}, {inner}, 0)")
        if not self.is_product:
            self.along_rows(row_mask)
            return
        self.line(f"{n['total']} = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)")
        self.line(f"for {n['start']} in range(0, {inner}, BLOCK_K):")
        is_half = _half(c.left) is not None and _half(c.left) == _half(c.right)
        with self.indented():
            self.line(f"{n['k']} = {n['start']} + tl.arange(0, BLOCK_K)[None, :]")
            self.line(f"{n['k_down']} = {n['start']} + tl.arange(0, BLOCK_K)[:, None]")
            self.factor(n["a"], c.left, n["k"], row_mask, is_half=is_half)
            self.factor(n["b"], c.right, n["k_down"], column_mask, is_half=is_half)
            self.line(f"{n['total']} = _dot({n['a']}, {n['b']}, {n['total']}, PRECISION)")

    def along_rows(self, row_mask: list[str]) -> None:
        n, c = self.chosen, self.contraction
        column = [m.replace(n["row"], f"{n['row']}[:, None]") for m in row_mask[:1]]
        column += [self.bare(m, down=True) for m in c.row_mask]
        self.line("partial = tl.zeros([BLOCK_M, BLOCK_K], tl.float32)")
        self.line(f"for {n['start']} in range(0, {n['inner']}, BLOCK_K):")
        with self.indented():
            self.line(f"{n['k']} = {n['start']} + tl.arange(0, BLOCK_K)[None, :]")
            self.factor(n["a"], c.left, n["k"], column, down=True)
            if isinstance(c.right.value, Const):
                self.line(f"partial += {n['a']}")
            else:
                own = column if _names_row(c.right) else []
                self.factor(n["b"], c.right, n["k"], own, down=True)
                self.line(f"partial += {n['a']} * {n['b']}")
        self.line(f"{n['total']} = tl.sum(partial, axis=1)")

    def factor(
        self, name: str, operand: Operand, k: str, around: list[str], *,
        is_half: bool = False, down: bool = False,
    ) -> None:  # fmt: skip
        """One operand's tile: 0 outside its mask."""
        tests = [*around, f"{k} < {self.chosen['inner']}"]
        tests += [self.text(m, k, down=down) for m in operand.mask]
        ref = operand.ref
        base = ref.root.name
        if stored(ref.root.element) != stored(ref.type):
            base = self.view(ref.root, tl_type(stored(ref.type)))
        place = self.text(ref.index, k, down=down, tight=True)
        loaded = f"tl.load({base} + {place}, mask={_all(list(dict.fromkeys(tests)))}, other=0)"
        if is_half or operand.value == Read(replace(SOURCE, type=ref.type)):
            self.line(f"{name} = {loaded}")
            return
        self.line(f"{name} = {loaded}")

        def rule(node: Node) -> Node:
            if isinstance(node, Var) and node.name == SOURCE.name:
                return Var(name, node.type)
            return node

        self.line(f"{name} = {self.e(map_nodes(operand.value, rule))}")

    def bare(self, expr: Expr, *, down: bool = False) -> str:
        return self.text(expr, self.chosen["k"], down=down)

    def text(self, expr: Expr, k: str, *, down: bool = False, tight: bool = False) -> str:
        """An index or a mask in the kernel's names; `down`: rows along a further axis."""
        n = self.chosen
        row = f"{n['row']}[:, None]" if down else n["row"]
        names = {ROW: row, COLUMN: n["column"], INNER: k}

        def rule(node: Node) -> Node:
            if isinstance(node, Read) and isinstance(node.place, Var):
                var = node.place
                if var.name in names:
                    read = Read(Var(names[var.name], I32))
                    return Cast(read, I64) if var.type == I64 else read
            return node

        found = map_nodes(expr, rule)
        return self.e.tight(found, 5) if tight else self.e(found)


def _arguments(header: str) -> list[str]:
    """The arguments of a printed header."""
    inside = header.split("(", 1)[1].rsplit(")", 1)[0]
    return [a.strip() for a in inside.replace("\n", " ").split(",") if a.strip()]


def _all(tests: list[str]) -> str:
    if len(tests) == 1:
        return tests[0]
    return " & ".join(f"({t})" for t in tests)


def _half(operand: Operand) -> Scalar | None:
    """The half type that an operand is widened from, if that is all that happens to it."""
    match operand.value:
        case Cast(Read(Var(SOURCE.name, Scalar() as kind)), wide) if (
            wide == F32 and kind.kind in ("f16", "bf16") and kind == operand.ref.type
        ):
            return kind
        case _:
            return None


def _names_row(operand: Operand) -> bool:
    texts = [operand.ref.index, *operand.mask]
    return any(isinstance(x, Var) and x.name == ROW for e in texts for x in walk(e))


def launch_lines(
    contraction: Contraction,
    chosen: dict[str, str],
    call: list[str],
    kernel: str,
    is_free: bool,
    array: str,
) -> list[str]:
    """Cut rows and columns into tiles, and launch."""
    c, n = contraction, chosen
    lines = []

    def extent(axis: str, tile: int) -> str:
        number = "xyz".index(axis)
        return f"grid[{number}] * " + (f"block[{number}]" if is_free else str(tile))

    lines.append(f"    {n['rows']} = {extent(c.row_axis, c.tile[0])}")
    if c.column_axis is not None:
        lines.append(f"    {n['columns']} = {extent(c.column_axis, c.tile[1])}")
    rounds = host_text(c.rounds)
    times = f" * {c.per_round}" if c.per_round > 1 else ""
    lines.append(f"    {n['inner']} = max(0, {rounds}){times}")
    others = [f"grid[{'xyz'.index(a)}]" for a in c.programs]
    if c.column_axis is None:
        programs = [f"triton.cdiv({n['rows']}, block_m)", *others]
        comma = "," if len(programs) == 1 else ""
        arguments = [*call, n["rows"], n["inner"], "block_m", "block_k"]
        arguments += ["num_warps=num_warps", "**options"]
        key = ", ".join([f'"{kernel}"', n["rows"], n["inner"]])
        lines += [
            "",
            "    def launch(block_m, block_k, num_warps, options):",
            f"        {kernel}[({', '.join(programs)}{comma})]({', '.join(arguments)})",
            "",
            "    configurations = _near(block_m=16, block_k=256, num_warps=4)",
            f"    _tuned(launch, configurations, ({key}), {array}.device)",
        ]
        return lines
    tiles = f"triton.cdiv({n['rows']}, block_m) * triton.cdiv({n['columns']}, block_n)"
    programs = [tiles, *others]
    comma = "," if len(programs) == 1 else ""
    lines.append("    precision = _precision()")
    arguments = [
        *call, n["rows"], n["columns"], n["inner"], "block_m", "block_n", "block_k", "precision",
        "num_warps=num_warps", "**options",
    ]  # fmt: skip
    grid = f"({', '.join(programs)}{comma})"
    key = ", ".join([f'"{kernel}"', n["rows"], n["columns"], n["inner"]])
    lines += [
        "",
        "    def launch(block_m, block_n, block_k, num_warps, options):",
        f"        {kernel}[{grid}]({', '.join(arguments)})",
        "",
        f"    _tuned(launch, _tiles({n['rows']}, {n['columns']}), ({key}), {array}.device)",
    ]
    return lines
