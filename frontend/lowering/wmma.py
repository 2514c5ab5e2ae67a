"""Warp matrices: fragments are handles behind pointers, operations are effects.

wmma::load_matrix_sync(f, p, ld)     Effect("wmma::load_matrix_sync", &f, p, ld)
f.x[i] = v                           Effect("wmma::set", &f, i, v)      (places.py)
"""

from __future__ import annotations

from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Handler, effect, is_default
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.ir.nodes import Const, Expr
from crossport.ir.types import BOOL, I32, U32, VOID


def _fragment(ctx: Lowering, site: Site, position: int) -> Expr:
    return ctx.address(ctx.plain_place(site.args[position]))


def _fill(ctx: Lowering, site: Site) -> Expr:
    args = ctx.sequence(lambda: _fragment(ctx, site, 0), lambda: ctx.value(site.args[1]))
    return effect(ctx, "wmma::fill_fragment", tuple(args), VOID)


def _load(ctx: Lowering, site: Site) -> Expr:
    parts = [lambda: _fragment(ctx, site, 0)]
    parts += [lambda a=a: ctx.value(a) for a in site.args[1:]]  # type: ignore[misc]
    fragment, pointer, stride, *layout = ctx.sequence(*parts)
    ctx.here = cursors.span(site.cursor) or ctx.here
    args = (fragment, pointer, ctx.convert(stride, U32))
    if layout:
        layout_value = ctx.convert(layout[0], I32)
        return effect(ctx, "wmma::load_matrix_sync_layout", (*args, layout_value), VOID)
    return effect(ctx, "wmma::load_matrix_sync", args, VOID)


def _store(ctx: Lowering, site: Site) -> Expr:
    pointer, fragment, stride, layout = ctx.sequence(
        lambda: ctx.value(site.args[0]),
        lambda: _fragment(ctx, site, 1),
        lambda: ctx.value(site.args[2]),
        lambda: ctx.value(site.args[3]),
    )
    ctx.here = cursors.span(site.cursor) or ctx.here
    args = (pointer, fragment, ctx.convert(stride, U32), ctx.convert(layout, I32))
    return effect(ctx, "wmma::store_matrix_sync", args, VOID)


def _multiply(ctx: Lowering, site: Site) -> Expr:
    parts = [lambda i=i: _fragment(ctx, site, i) for i in range(4)]
    args = ctx.sequence(*parts)
    saturate: Expr = Const(False, BOOL)
    if len(site.args) > 4 and not is_default(site.args[4]):
        saturate = ctx.convert(ctx.value(site.args[4]), BOOL)
    ctx.here = cursors.span(site.cursor) or ctx.here
    return effect(ctx, "wmma::mma_sync", (*args, saturate), VOID)


def _tf32(ctx: Lowering, site: Site) -> Expr:
    """Round to 10 bits of mantissa, nearest, ties away: what the hardware's cvt.rna does."""
    from crossport.ir.nodes import Binary, Bitcast
    from crossport.ir.types import F32

    bits = Bitcast(ctx.convert(ctx.value(site.args[0]), F32), U32, span=ctx.here)
    rounded = Binary("+", bits, Const(0x1000, U32), span=ctx.here)
    return Bitcast(Binary("&", rounded, Const(0xFFFFE000, U32)), F32, span=ctx.here)


HANDLERS: dict[str, Handler] = {
    "wmma::fill_fragment": _fill,
    "wmma::load_matrix_sync": _load,
    "wmma::store_matrix_sync": _store,
    "wmma::mma_sync": _multiply,
    "wmma::__float_to_tf32": _tf32,
}
