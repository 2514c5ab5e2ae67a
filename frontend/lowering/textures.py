"""Textures and surfaces: fetches are pure (a kernel cannot change a texture), surfaces are not.

tex2D<float4>(t, x, y)              tex2D:float4(t, x, y)
tex1Dfetch(&v, t, i)                v = tex1Dfetch(t, i)
surf2Dwrite(v, s, x, y)             Effect("surf2Dwrite", v, s, x, y, boundary)
"""

from __future__ import annotations

from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Handler, effect
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.ir.intrinsics import row
from crossport.ir.nodes import Cast, Expr, Intrinsic
from crossport.ir.types import I32, SCALARS, U64, VOID, Handle, Pointer

_FETCHES = (
    "tex1Dfetch", "tex1D", "tex2D", "tex3D", "tex1DLod", "tex2DLod", "tex3DLod", "tex1DLayered",
    "tex2DLayered", "texCubemap", "texCubemapLayered", "tex2Dgather", "tex1DGrad", "tex2DGrad",
)  # fmt: skip
_SURFACES = ("surf1D", "surf2D", "surf3D", "surf1DLayered", "surf2DLayered", "surfCubemap")


def _fetch(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        values = ctx.values(site.args)
        pointer = values.pop(0) if isinstance(values[0].type, Pointer) else None
        shape = row(name).args
        args = [_handle(values[0], "cudaTextureObject_t")]
        for value, wanted in zip(values[1:], shape[1:], strict=False):
            kind = SCALARS.get(wanted)
            args.append(ctx.convert(value, kind) if kind is not None else value)
        ctx.here = cursors.span(site.cursor) or ctx.here
        if pointer is None:
            return Intrinsic(name, tuple(args), ctx.type(site.cursor), span=ctx.here)
        place = ctx.target(pointer)
        ctx.store(place, Intrinsic(name, tuple(args), place.type, span=ctx.here))
        return _nothing()

    return lower


def _handle(value: Expr, what: str) -> Expr:
    """The texture as a handle, also where its type was lost on the way."""
    if isinstance(value.type, Handle):
        return value
    return Cast(value, Handle(what), span=value.span)


def _nothing() -> Expr:
    from crossport.frontend.lowering.literals import NOTHING

    return NOTHING


def _read(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        values = ctx.values(site.args)
        pointer = values.pop(0) if isinstance(values[0].type, Pointer) else None
        args = (
            _handle(values[0], "cudaSurfaceObject_t"),
            *(ctx.convert(v, I32) for v in values[1:]),
        )
        if pointer is None:
            return effect(ctx, f"{name}read", args, ctx.type(site.cursor))
        place = ctx.target(pointer)
        ctx.store(place, effect(ctx, f"{name}read", args, place.type))
        return _nothing()

    return lower


def _write(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        value, surface, *rest = ctx.values(site.args)
        args = (
            value,
            _handle(surface, "cudaSurfaceObject_t"),
            *(ctx.convert(v, I32) for v in rest),
        )
        return effect(ctx, f"{name}write", args, VOID)

    return lower


HANDLERS: dict[str, Handler] = {
    **{name: _fetch(name) for name in _FETCHES},
    **{f"{name}read": _read(name) for name in _SURFACES},
    **{f"{name}write": _write(name) for name in _SURFACES},
}

__all__ = ["HANDLERS", "U64"]
