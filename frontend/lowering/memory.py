"""Memory: cached loads and stores, block copies, address spaces, asynchronous copies.

__ldg(p + i)          Read(Deref(p, i))        __stcs(p, v)      *p = v
memcpy(d, s, n)       Effect("memcpy", d, s, n)
"""

from __future__ import annotations

from crossport.frontend.lowering.builtins import Handler, effect, is_default
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.ir.nodes import Cast, Const, Expr, Read
from crossport.ir.types import I32, U64, VOID, Pointer


def _nothing() -> Expr:
    from crossport.frontend.lowering.literals import NOTHING

    return NOTHING


def _load(*, volatile: bool) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        place = ctx.target(ctx.value(site.args[0]))
        return Read(place, volatile, span=ctx.here)

    return lower


def _store(ctx: Lowering, site: Site) -> Expr:
    pointer, value = ctx.values(site.args)
    ctx.store(ctx.target(pointer), value)
    return _nothing()


def _copy(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        target, source, count = ctx.values(site.args)
        target = ctx.stable(target) if site.wanted else target
        effect(ctx, name, (target, source, ctx.convert(count, U64)), VOID)
        return ctx.convert(target, ctx.type(site.cursor)) if site.wanted else _nothing()

    return lower


def _fill(ctx: Lowering, site: Site) -> Expr:
    target, value, count = ctx.values(site.args)
    target = ctx.stable(target) if site.wanted else target
    effect(ctx, "memset", (target, ctx.convert(value, I32), ctx.convert(count, U64)), VOID)
    return ctx.convert(target, ctx.type(site.cursor)) if site.wanted else _nothing()


def _malloc(ctx: Lowering, site: Site) -> Expr:
    size = ctx.convert(ctx.value(site.args[0]), U64)
    return effect(ctx, "malloc", (size,), Pointer(VOID))


def _async_copy(ctx: Lowering, site: Site) -> Expr:
    """__pipeline_memcpy_async(destination, source, bytes, zeroed = 0)."""
    given = [a for a in site.args if not is_default(a)]
    target, source, count, *zeroed = ctx.values(given)
    missing = ctx.convert(zeroed[0], U64) if zeroed else Const(0, U64)
    effect(ctx, "cp_async", (target, source, ctx.convert(count, U64), missing), VOID)
    return _nothing()


def _async_wait(ctx: Lowering, site: Site) -> Expr:
    count = ctx.convert(ctx.value(site.args[0]), I32)
    effect(ctx, "cp_async_wait", (count,), VOID)
    return _nothing()


def _address_space(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        from crossport.frontend.lowering.math import intrinsic

        value = intrinsic(ctx, name, ctx.value(site.args[0]))
        return ctx.convert(value, ctx.type(site.cursor))

    return lower


def _generic(ctx: Lowering, site: Site) -> Expr:
    """__cvta_shared_to_generic: the same bits, as a pointer."""
    return Cast(ctx.convert(ctx.value(site.args[0]), U64), Pointer(VOID), span=ctx.here)


HANDLERS: dict[str, Handler] = {
    "__ldg": _load(volatile=False), "__ldca": _load(volatile=False),
    "__ldcg": _load(volatile=False), "__ldcs": _load(volatile=False),
    "__ldlu": _load(volatile=False), "__ldcv": _load(volatile=True),
    "__stwb": _store, "__stcg": _store, "__stcs": _store, "__stwt": _store,
    "memcpy": _copy("memcpy"), "memmove": _copy("memmove"), "memset": _fill,
    "__builtin_memcpy": _copy("memcpy"), "__builtin_memset": _fill,
    "malloc": _malloc, "__pipeline_memcpy_async": _async_copy,
    "__pipeline_wait_prior": _async_wait,
    "__pipeline_commit": lambda ctx, site: effect(ctx, "cp_async_commit", (), VOID),
    "__isGlobal": _address_space("__isGlobal"), "__isShared": _address_space("__isShared"),
    "__isLocal": _address_space("__isLocal"), "__isConstant": _address_space("__isConstant"),
    "__cvta_shared_to_generic": _generic, "__cvta_global_to_generic": _generic,
    "__cvta_local_to_generic": _generic,
}  # fmt: skip
