"""What CUDA itself declares: one table from a name to how it is lowered.

    __syncthreads()        Barrier            sinf(x)            Intrinsic("sinf")
    atomicAdd(p, v)        Atomic             sin(x), x float    Intrinsic("sinf")
    __ldg(p)               Read               __float_as_int(x)  Bitcast

A name that no table has is looked up in ir/intrinsics.py; failing that, a header function with a
body is lowered like the user's own; the rest is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crossport.frontend.clang import Cursor
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.intrinsics import IntrinsicRow, find
from crossport.ir.nodes import Aggregate, Effect, Expr, Intrinsic, Read
from crossport.ir.types import SCALARS, VOID, Pointer, Scalar, Struct, Type

Handler = Callable[[Lowering, Site], Expr]


@dataclass(frozen=True, slots=True)
class Found:
    """A built-in's result; `is_place`: a pointer to it."""

    value: Expr
    is_place: bool = False


_NAMESPACES = (
    ("cooperative_groups::", "cg::"),
    ("nvcuda::wmma::", "wmma::"),
    ("cuda::std::", "std::"),
)


def canonical_name(name: str) -> str:
    """A qualified name with CUDA's long namespaces shortened."""
    for long, short in _NAMESPACES:
        if name.startswith(long):
            return short + name.removeprefix(long)
    return name


def lower(ctx: Lowering, site: Site) -> Found | None:
    """Lower a call of something that CUDA declares; None if it is not known as such."""
    name = canonical_name(site.name)
    handler = _handlers().get(name)
    if handler is None and name.startswith("std::"):
        handler = _handlers().get(name.removeprefix("std::"))
    if handler is not None:
        return Found(handler(ctx, site))
    from crossport.frontend.lowering import groups, halves

    for family in (groups.lower, halves.lower):
        found = family(ctx, site, name)
        if found is not None:
            return found
    row = find(name.removeprefix("std::"))
    if row is not None:
        return Found(by_row(ctx, site, row))
    if name in ("std::forward", "std::move") and len(site.args) == 1:
        return Found(ctx.address(ctx.plain_place(site.args[0])), is_place=True)
    if name.startswith("make_"):
        return _maker(ctx, site)
    if name.startswith("__builtin_"):
        return Found(_clang_builtin(ctx, site, name))
    return None


def by_row(ctx: Lowering, site: Site, row: IntrinsicRow) -> Expr:
    """A call whose arguments and result are as the row says."""
    args = tuple(row_arguments(ctx, row, ctx.values(site.args)))
    kind = row_result(ctx, site, row, args)
    ctx.here = cursors.span(site.cursor) or ctx.here
    if row.pure:
        return Intrinsic(row.name, args, kind, span=ctx.here)
    return effect(ctx, row.name, args, kind)


def effect(ctx: Lowering, name: str, args: tuple[Expr, ...], kind: Type) -> Expr:
    """Emit an effect; its result in a new variable."""
    from crossport.frontend.lowering.literals import NOTHING

    if kind == VOID:
        ctx.emit(Effect(None, name, args, span=ctx.here))
        return NOTHING
    target = ctx.new_temp(kind)
    ctx.emit(Effect(target, name, args, span=ctx.here))
    return Read(target, span=ctx.here)


def row_arguments(ctx: Lowering, row: IntrinsicRow, values: list[Expr]) -> list[Expr]:
    """Arguments converted to the types that a row asks for."""
    converted = []
    for position, value in enumerate(values):
        pattern = row.args[position] if position < len(row.args) else "..."
        wanted = SCALARS.get(pattern)
        if wanted is not None:
            value = ctx.convert(value, wanted)
        elif pattern == "*" and not isinstance(value.type, Pointer):
            raise NotLowered(f"{row.name} of {value.type}")
        converted.append(value)
    return converted


def row_result(ctx: Lowering, site: Site, row: IntrinsicRow, args: tuple[Expr, ...]) -> Type:
    """The type of a row's result."""
    exact = SCALARS.get(row.result)
    if exact is not None:
        return exact
    if row.result == "-":
        return VOID
    if row.result in ("T", "F", "H") and args:
        position = row.args.index(row.result) if row.result in row.args else 0
        return args[position].type
    return ctx.type(site.cursor)


def _maker(ctx: Lowering, site: Site) -> Found | None:
    """`make_float4(x, y, z, w)`."""
    kind = ctx.type(site.cursor)
    if not isinstance(kind, Struct):
        return None
    fields = ctx.types.record(site.cursor.type).definition.fields
    if len(fields) != len(site.args):
        return None
    given = ctx.values(site.args)
    ctx.here = cursors.span(site.cursor) or ctx.here
    parts = tuple(ctx.convert(v, f.type) for v, f in zip(given, fields, strict=True))
    return Found(Aggregate(parts, kind, span=ctx.here))


def _clang_builtin(ctx: Lowering, site: Site, name: str) -> Expr:
    from crossport.frontend import clang
    from crossport.frontend.lowering.literals import NOTHING, constant

    number = clang.evaluate(site.cursor)
    if number is not None:
        return constant(ctx, number, ctx.type(site.cursor))
    if name in ("__builtin_expect", "__builtin_assume_aligned"):
        return ctx.value(site.args[0])
    if name in ("__builtin_assume", "__builtin_unreachable"):
        return NOTHING
    raise NotLowered(f"{name} is not known")


_TABLE: dict[str, Handler] = {}


def _handlers() -> dict[str, Handler]:
    if not _TABLE:
        from crossport.frontend.lowering import (
            complexes,
            curand,
            dpx,
            math,
            memory,
            textures,
            warps,
            wmma,
        )

        for family in (math, complexes, dpx, warps, memory, textures, curand, wmma):
            for name, handler in family.HANDLERS.items():
                assert name not in _TABLE, name
                _TABLE[name] = handler
    return _TABLE


def values(ctx: Lowering, site: Site) -> list[Expr]:
    """The arguments' values, in order."""
    return ctx.values(site.args)


def is_default(argument: Cursor) -> bool:
    """Was an argument left out, so that the parameter's default stands there?"""
    return argument.extent.start.file is None


def scalar(kind: Type) -> Scalar:
    """A type that has to be a number."""
    if not isinstance(kind, Scalar):
        raise NotLowered(f"{kind} where a number is wanted")
    return kind
