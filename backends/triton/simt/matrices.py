"""Products of matrices that lie in the lanes of each warp.

    a_0, a_1, ...   (a value a lane each)    ->    one tensor [warps, rows, inner], for tl.dot;
    the product [warps, rows, columns]       ->    values a lane again

Elements are joined to axes of two, the lanes' axis is split where the layout says, and a
permutation puts the matrix's rows and columns in order. Nothing moves that the layout does not ask
for.
"""

from __future__ import annotations

from crossport.backends.triton.expressions import tl_type
from crossport.backends.triton.simt.memory import Memory
from crossport.ir.fragments import Layout, axes
from crossport.ir.lift import flat
from crossport.ir.nodes import Expr
from crossport.ir.types import F32, F64, I32, Scalar

LANE_BITS = 5
# Matrix units take no fewer factors a sum.
LEAST_INNER = 16


class Matrices(Memory):
    """`WarpDot`."""

    def warp_dot(self, statement: flat.WarpDot) -> None:
        rows, inner, columns = statement.rows, statement.inner, statement.columns
        names = [self.names.fresh(n) for n in ("left", "right", "total")]
        operands = (
            (statement.a, rows, inner), (statement.b, inner, columns), (statement.c, rows, columns),
        )  # fmt: skip
        for name, (values, height, width), layout in zip(
            names, operands, statement.layouts, strict=True
        ):
            self.matrix(name, values, layout, height, width)
        left, right, total = names
        out = statement.vars[0].type
        assert isinstance(out, Scalar)
        if statement.kind == "tf32":
            for name in (left, right):
                bits = f"{name}.to(tl.uint32, bitcast=True) & 0xFFFFE000"
                self.line(f"{name} = ({bits}).to(tl.float32, bitcast=True)")
        # Products of tf32 have 22 bits: in double they add up without loss, and round once.
        wide = F64 if statement.kind == "tf32" else out if out in (F64, I32) else F32
        if wide == F32 and inner >= LEAST_INNER and not self.loads_bytes():
            product = f"{self.e.use('_warp_dot')}({left}, {right}, {total}.to(tl.float32))"
            start = ""
        else:
            terms = f"{left}.to({tl_type(wide)})[:, :, :, None]"
            product = f"tl.sum({terms} * {right}.to({tl_type(wide)})[:, None, :, :], axis=2)"
            start = "" if out == I32 else f"{total}.to({tl_type(wide)}) + "
        if out == I32:
            product = f"{product}.to(tl.int64) + {total}"
            if statement.saturates:
                product = f"tl.minimum(tl.maximum({product}, -(2**31)), 2**31 - 1)"
        self.line(f"{total} = ({start}{product}).to({tl_type(out)})")
        self.apart(total, statement)

    def loads_bytes(self) -> bool:
        """Does the kernel load elements of one byte?

        Triton 3.6's product of three-dimensional tensors is wrong on Hopper where a factor comes
        from such, through whatever conversions.
        """
        return any(
            isinstance(s, flat.Load) and s.ref.type.size == 1
            for s in flat.statements(self.program.body)
        )

    def matrix(
        self, name: str, values: tuple[Expr, ...], layout: Layout, rows: int, columns: int
    ) -> None:
        """The matrix of each warp, from what its lanes hold."""
        texts = [self.lanes(v) for v in values]
        while len(texts) > 1:
            half = len(texts) // 2
            pairs = [(texts[2 * i], texts[2 * i + 1]) for i in range(half)]
            texts = [f"tl.join({a}, {b})" for a, b in pairs]
        joined = [2] * (len(values).bit_length() - 1)
        split, order = axes(layout)
        self.line(f"{name} = tl.reshape({texts[0]}, {shape(['LANES // 32', *split, *joined])})")
        self.line(f"{name} = tl.permute({name}, {[0, *(1 + a for a in order)]})")
        self.line(f"{name} = tl.reshape({name}, {shape(['LANES // 32', rows, columns])})")

    def apart(self, name: str, statement: flat.WarpDot) -> None:
        """The result's elements as values a lane."""
        layout = statement.layouts[2]
        bits = len(statement.vars).bit_length() - 1
        split, order = axes(layout)
        sizes = [*split, *([2] * bits)]
        self.line(
            f"{name} = tl.reshape({name}, {shape(['LANES // 32', *(sizes[a] for a in order)])})"
        )
        back = [0, *(1 + order.index(a) for a in range(len(sizes)))]
        self.line(f"{name} = tl.permute({name}, {back})")
        self.line(f"{name} = tl.reshape({name}, {shape(['LANES', *([2] * bits)])})")
        parts = [(name, 0)]
        for bit in reversed(range(bits)):
            halves: list[tuple[str, int]] = []
            for part, number in parts:
                last = bit == 0
                low, high = (
                    (statement.vars[number + h].name for h in (0, 1)) if last
                    else (self.names.fresh("part") for _ in (0, 1))
                )  # fmt: skip
                self.line(f"{low}, {high} = tl.split({part})")
                halves += [(low, number), (high, number + (1 << bit))]
            parts = halves
        if not bits:
            self.line(f"{statement.vars[0].name} = {name}")


def shape(sizes: list[int | str]) -> str:
    return f"[{', '.join(map(str, sizes))}]"
