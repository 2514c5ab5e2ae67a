"""Functions on cooperative groups: `tiled_partition`, `reduce`, `memcpy_async`."""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend.clang import Cursor, TypeKind
from crossport.frontend.lowering import cursors, warps
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering, as_block
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.group_methods import group_rank, group_size, group_sync
from crossport.frontend.lowering.group_values import (
    Group,
    group_of,
    index_op,
    lane_id,
    nothing,
)
from crossport.frontend.lowering.members import extract
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    Assign,
    Cast,
    Const,
    Deref,
    Expr,
    For,
    Let,
    Read,
    Select,
)
from crossport.ir.types import U8, U32, U64, VOID, Pointer, Scalar, Struct, Type


def _stateless(ctx: Lowering, site: Site) -> Expr:
    """this_thread_block() and other groups that their type says all about."""
    return nothing()


def _partition(ctx: Lowering, site: Site) -> Expr:
    """tiled_partition<32>(g) has its width in the type; tiled_partition(g, n) is a value."""
    kind = group_kind(site.cursor.type)
    if kind is not None and kind[0] == "generic":
        return ctx.convert(ctx.value(site.args[1]), U32)
    if kind is not None and kind[0] == "tile":
        return nothing()
    raise NotLowered("a partition of a coalesced group")


def _coalesced(ctx: Lowering, site: Site) -> Expr:
    return warps.active_mask(ctx)


def _binary_partition(ctx: Lowering, site: Site) -> Expr:
    """The lanes of the group that agree with this one."""
    from crossport.ir.nodes import Unary
    from crossport.ir.types import BOOL

    group = group_of(ctx, site.args[0])
    predicate = ctx.stable(ctx.convert(ctx.value(site.args[1]), BOOL))
    members = _members(ctx, group)
    ballot = ctx.kept(warps.vote(ctx, "ballot", members, predicate))
    others = index_op(ctx, "&", members, Unary("~", ballot))
    return Select(predicate, ballot, others, span=ctx.here)


def _labeled_partition(ctx: Lowering, site: Site) -> Expr:
    from crossport.ir.nodes import Match

    group = group_of(ctx, site.args[0])
    label = ctx.value(site.args[1])
    target = ctx.new_temp(U32)
    ctx.emit(Match(target, "any", _members(ctx, group), label, span=ctx.here))
    return Read(target, span=ctx.here)


def _members(ctx: Lowering, group: Group) -> Expr:
    """A group within a warp as a lane mask."""
    if group.kind == "coalesced":
        assert group.mask is not None
        return group.mask
    if group.kind == "tile" and isinstance(group.width, Const):
        width = int(group.width.value)
        if width == 32:
            return Const(0xFFFFFFFF, U32)
        first = index_op(ctx, "-", lane_id(ctx), index_op(ctx, "%", lane_id(ctx), group.width))
        return ctx.kept(index_op(ctx, "<<", Const((1 << width) - 1, U32), first))
    raise NotLowered(f"the lanes of a {group.kind} group")


_OPERATIONS = {"plus": "add", "less": "min", "greater": "max", "bit_and": "and", "bit_or": "or",
               "bit_xor": "xor"}  # fmt: skip


def _operation(cursor: Cursor) -> str:
    functor = _functor(cursor)
    if not is_known(cursor):
        raise NotLowered(f"a group reduction with {functor.spelling or 'a function'}")
    return _OPERATIONS[str(functor.spelling)]


def is_known(cursor: Cursor) -> bool:
    """Is an operator one of the library's, which the warp has instructions for?"""
    functor = _functor(cursor)
    return functor.spelling in _OPERATIONS and cursors.is_shim(functor)


def _functor(cursor: Cursor) -> Cursor:
    kind = cursor.type.get_canonical()
    if kind.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        kind = kind.get_pointee().get_canonical()
    return kind.get_declaration()


def _reduce(scan: str | None) -> Callable[[Lowering, Site], Expr]:
    def lower(ctx: Lowering, site: Site) -> Expr:
        group = group_of(ctx, site.args[0])
        value = ctx.value(site.args[1])
        op = _operation(site.args[2]) if len(site.args) > 2 else "add"
        if group.kind == "tile":
            return warps.warp_reduce(ctx, op, None, value, group.width, scan)
        if group.kind == "coalesced":
            return warps.warp_reduce(ctx, op, group.mask, value, None, scan)
        raise NotLowered(f"a reduction over a {group.kind} group")

    return lower


def _sync_function(ctx: Lowering, site: Site) -> Expr:
    return group_sync(ctx, group_of(ctx, site.args[0]), [])


def _rank_function(ctx: Lowering, site: Site) -> Expr:
    return group_rank(ctx, group_of(ctx, site.args[0]), [])


def _size_function(ctx: Lowering, site: Site) -> Expr:
    return group_size(ctx, group_of(ctx, site.args[0]), [])


def _memcpy_async(ctx: Lowering, site: Site) -> Expr:
    """A copy that the group's threads share: each takes every size-th element."""
    if len(site.args) != 4:
        raise NotLowered("memcpy_async with layouts")
    group = group_of(ctx, site.args[0])
    target, source, count = ctx.values(site.args[1:])
    if isinstance(count.type, Struct):  # cuda::aligned_size_t
        count = extract(count, "value", U64, ctx)
    element = _common_element(target.type, source.type)
    kind = Pointer(element)
    to, origin = ctx.temp(_as(target, kind)), ctx.temp(_as(source, kind))
    size = element.size if isinstance(element, Scalar) else ctx.types.size_of(element)[0]
    elements = index_op(ctx, "/", ctx.convert(count, U64), Const(size, U64))
    total = ctx.temp(elements)
    index = ctx.temp_var(U64)
    ctx.emit(Let(index, ctx.convert(group_rank(ctx, group, []), U64), span=ctx.here))
    position = Read(index, span=ctx.here)
    copy = Assign(
        Deref(to, position, element), Read(Deref(origin, position, element)), span=ctx.here
    )
    stride = ctx.convert(group_size(ctx, group, []), U64)
    step = Assign(index, index_op(ctx, "+", position, stride), span=ctx.here)
    ctx.emit(For(index_op(ctx, "<", position, total), (step,), as_block([copy]), span=ctx.here))
    return nothing()


def _common_element(one: Type, other: Type) -> Type:
    if isinstance(one, Pointer) and one == other and one.element != VOID:
        return one.element
    return U8


def _as(pointer: Expr, kind: Pointer) -> Expr:
    return pointer if pointer.type == kind else Cast(pointer, kind, span=pointer.span)


FUNCTIONS: dict[str, Callable[[Lowering, Site], Expr]] = {
    "this_thread_block": _stateless, "this_grid": _stateless, "this_cluster": _stateless,
    "this_thread": _stateless, "coalesced_threads": _coalesced, "tiled_partition": _partition,
    "binary_partition": _binary_partition, "labeled_partition": _labeled_partition,
    "reduce": _reduce(None), "inclusive_scan": _reduce("inclusive"),
    "exclusive_scan": _reduce("exclusive"), "sync": _sync_function,
    "thread_rank": _rank_function, "group_size": _size_function,
    "memcpy_async": _memcpy_async, "wait": _sync_function, "wait_prior": _sync_function,
}  # fmt: skip
