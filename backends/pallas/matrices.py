"""Products of matrices that lie in the lanes of each warp, in jax.numpy.

    a_0, a_1, ...  (blocks, lanes) each    ->    (blocks, warps, rows, inner), for jnp.matmul;
    the product                            ->    values a lane again

Elements are stacked behind the lanes; a permutation of axes puts rows and columns in order.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import jnp_type
from crossport.backends.pallas.grid_base import GridBase
from crossport.ir.fragments import Layout, axes
from crossport.ir.lift import flat
from crossport.ir.nodes import Expr
from crossport.ir.types import F64, I32, I64, Scalar

_LEADING = ["blocks", "shape[1] // 32"]


def warp_dot(printer: GridBase, statement: flat.WarpDot) -> None:
    """Print `WarpDot`."""
    left, right, total = (printer.names.fresh(n) for n in ("left", "right", "total"))
    rows, inner, columns = statement.rows, statement.inner, statement.columns
    operands = (
        (left, statement.a, rows, inner), (right, statement.b, inner, columns),
        (total, statement.c, rows, columns),
    )  # fmt: skip
    for (name, values, height, width), layout in zip(operands, statement.layouts, strict=True):
        _matrix(printer, name, values, layout, height, width)
    out = statement.vars[0].type
    assert isinstance(out, Scalar)
    if statement.kind == "tf32":
        for name in (left, right):
            bits = f"lax.bitcast_convert_type({name}, jnp.uint32) & jnp.uint32(0xFFFFE000)"
            printer.put(name, f"lax.bitcast_convert_type({bits}, jnp.float32)")
    # Matrix units add up wider than float32; a sum of integers that saturates needs more bits.
    wide = (I64 if statement.saturates else I32) if out == I32 else F64
    printer.e.see(wide)
    kind = jnp_type(wide)
    factors = f"{left}.astype({kind}), {right}.astype({kind})"
    product = f"jnp.matmul({factors}, precision=lax.Precision.HIGHEST)"
    whole = f"{total}.astype({kind}) + {product}"
    if statement.saturates and out == I32:
        whole = f"jnp.clip({whole}, -(2**31), 2**31 - 1)"
    printer.put(total, f"({whole}).astype({jnp_type(out)})")
    _apart(printer, total, statement)


def _matrix(
    printer: GridBase,
    name: str,
    values: tuple[Expr, ...],
    layout: Layout,
    rows: int,
    columns: int,
) -> None:
    texts = [printer.full(v, v.type) for v in values]
    bits = len(values).bit_length() - 1
    split, order = axes(layout)
    printer.put(name, f"jnp.stack([{', '.join(texts)}], axis=-1)")
    printer.put(name, f"{name}.reshape({_shape([*_LEADING, *split, *([2] * bits)])})")
    printer.put(name, f"{name}.transpose({[0, 1, *(2 + a for a in _stacked(order, split, bits))]})")
    printer.put(name, f"{name}.reshape({_shape([*_LEADING, rows, columns])})")


def _apart(printer: GridBase, name: str, statement: flat.WarpDot) -> None:
    bits = len(statement.vars).bit_length() - 1
    split, order = axes(statement.layouts[2])
    sizes = [*split, *([2] * bits)]
    order = _stacked(order, split, bits)
    printer.put(name, f"{name}.reshape({_shape([*_LEADING, *(sizes[a] for a in order)])})")
    back = [0, 1, *(2 + order.index(a) for a in range(len(sizes)))]
    printer.put(name, f"{name}.transpose({back}).reshape((*shape, {len(statement.vars)}))")
    for number, var in enumerate(statement.vars):
        printer.put(var.name, f"{name}[..., {number}]")


def _stacked(order: list[int], split: list[int], bits: int) -> list[int]:
    """The order with an element's bits as stacking leaves them: the highest first."""
    first = len(split)
    return [a if a < first else first + bits - 1 - (a - first) for a in order]


def _shape(sizes: list[int | str]) -> str:
    return f"({', '.join(map(str, sizes))})"
