"""Cooperative groups dissolve: a tile is a width, a coalesced group a lane mask, a block nothing.

    tile.shfl_down(x, 4)          Shuffle(_t1, "down", x, 4, width 16)
    tile.thread_rank()            lane_id % 16
    cg::reduce(tile, x, plus)     WarpReduce(_t1, "add", x, width 16)
    block.sync(), grid.sync()     Barrier, Barrier(grid)

A `thread_group`, whose kind is not in its type, carries its width; 0 stands for the block.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, warps
from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering, as_block
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.module import definition_of
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    Aggregate,
    Assign,
    Barrier,
    Binary,
    BinaryOp,
    Cast,
    Const,
    Deref,
    Expr,
    For,
    If,
    Intrinsic,
    Let,
    Read,
    Select,
    Special,
    SpecialName,
    SyncWarp,
)
from crossport.ir.types import I32, U8, U32, U64, VOID, Pointer, Scalar, Type


def lower(ctx: Lowering, site: Site, name: str) -> Found | None:
    """Lower a call on or of a group; None if it is neither."""
    if not name.startswith("cg::"):
        return None
    name = name.removeprefix("cg::").removeprefix("experimental::")
    owner, _, method = name.rpartition("::")
    if owner in ("plus", "less", "greater", "bit_and", "bit_or", "bit_xor"):
        return None  # ordinary functors, with bodies
    group = _receiver(ctx, site, owner) if owner else None
    if group is not None:
        handler = _METHODS.get(method)
        if handler is None:
            raise NotLowered(f"cooperative group method {method}")
        args = ctx.values(site.args)
        value = handler(ctx, group, args)
        return Found(_result(ctx, site, value))
    if clang.body(definition_of(site.callee)) is not None and not _is_known(site.args[-1]):
        return None  # a reduction with a function of the user's, written out in the header
    function = _FUNCTIONS.get(name)
    if function is None:
        raise NotLowered(f"cooperative_groups::{name}")
    return Found(_result(ctx, site, function(ctx, site)))


def _result(ctx: Lowering, site: Site, value: Expr) -> Expr:
    try:
        kind = ctx.type(site.cursor)
    except NotLowered:
        return value
    return ctx.convert(value, kind) if isinstance(kind, Scalar) else value


# --- What a group is ---------------------------------------------------------------------------


class Group:
    """A group at one place in the code: its kind, and what its kind needs to know."""

    def __init__(self, kind: str, width: Expr | None = None, mask: Expr | None = None,
                 parent: int = 0) -> None:  # fmt: skip
        self.kind = kind
        self.width = width
        self.mask = mask
        self.parent = parent


def _receiver(ctx: Lowering, site: Site, owner: str) -> Group | None:
    if site.object is not None:
        return group_of(ctx, site.object)
    parent = site.callee.semantic_parent
    found = _by_type(parent.type)
    if found is None or found.kind in ("coalesced", "generic"):
        raise NotLowered(f"a group of kind {owner} without an object")
    return found


def group_of(ctx: Lowering, cursor: Cursor) -> Group:
    """The group that an expression stands for."""
    inner = cursor
    while inner.kind in (CursorKind.UNEXPOSED_EXPR, CursorKind.PAREN_EXPR):
        below = cursors.operands(inner)
        if len(below) != 1 or group_kind(below[0].type) is None:
            break
        inner = below[0]
    found = _by_type(inner.type)
    if found is None:
        raise NotLowered(f"a group of type {inner.type.spelling}")
    if found.kind == "coalesced":
        found.mask = ctx.kept(ctx.value(inner))
    elif found.kind == "generic":
        found.width = ctx.kept(ctx.value(inner))
    return found


def _by_type(kind: object) -> Group | None:
    found = group_kind(kind)
    if found is None:
        return None
    label, width = found
    if label != "tile":
        return Group(label)
    if width > 32:
        raise NotLowered(f"a tile of {width} threads spans warps")
    spelled = str(kind.get_canonical().spelling)  # type: ignore[attr-defined]
    parent = re.search(r"thread_block_tile<\d+, .*?thread_block_tile<(\d+)", spelled)
    return Group("tile", Const(width, U32), parent=int(parent.group(1)) if parent else 0)


def generic_width(ctx: Lowering, cursor: Cursor) -> Expr:
    """The width that a group has as a `thread_group`."""
    group = group_of(ctx, cursor)
    if group.kind == "block":
        return Const(0, U32)
    if group.kind in ("tile", "generic"):
        assert group.width is not None
        return group.width
    raise NotLowered(f"a {group.kind} group as a thread_group")


# --- Arithmetic on indices ---------------------------------------------------------------------


def _special(ctx: Lowering, name: SpecialName) -> Expr:
    return Special(name, span=ctx.here)


def _op(ctx: Lowering, op: BinaryOp, one: Expr, two: Expr) -> Expr:
    return Binary(op, one, two, span=ctx.here)


def block_rank(ctx: Lowering) -> Expr:
    """The thread's number in its block."""
    row = _op(
        ctx, "+", _special(ctx, "thread.y"),
        _op(ctx, "*", _special(ctx, "block_dim.y"), _special(ctx, "thread.z")),
    )  # fmt: skip
    return _op(
        ctx, "+", _special(ctx, "thread.x"), _op(ctx, "*", _special(ctx, "block_dim.x"), row)
    )


def block_size(ctx: Lowering) -> Expr:
    """Threads in a block."""
    plane = _op(ctx, "*", _special(ctx, "block_dim.x"), _special(ctx, "block_dim.y"))
    return _op(ctx, "*", plane, _special(ctx, "block_dim.z"))


def _grid_rank(ctx: Lowering) -> Expr:
    row = _op(
        ctx, "+", _special(ctx, "block.y"),
        _op(ctx, "*", _special(ctx, "grid_dim.y"), _special(ctx, "block.z")),
    )  # fmt: skip
    return _op(ctx, "+", _special(ctx, "block.x"), _op(ctx, "*", _special(ctx, "grid_dim.x"), row))


def _grid_blocks(ctx: Lowering) -> Expr:
    plane = _op(ctx, "*", _special(ctx, "grid_dim.x"), _special(ctx, "grid_dim.y"))
    return _op(ctx, "*", plane, _special(ctx, "grid_dim.z"))


def _lane(ctx: Lowering) -> Expr:
    return _special(ctx, "lane_id")


def _wide(value: Expr) -> Expr:
    return Cast(value, U64, span=value.span)


# --- Methods -----------------------------------------------------------------------------------


def _rank(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    match group.kind:
        case "block":
            return block_rank(ctx)
        case "tile":
            assert group.width is not None
            return _op(ctx, "%", _lane(ctx), group.width)
        case "grid":
            blocks = _op(ctx, "*", _wide(_grid_rank(ctx)), _wide(block_size(ctx)))
            return _op(ctx, "+", blocks, _wide(block_rank(ctx)))
        case "coalesced":
            return _coalesced_rank(ctx, group)
        case "generic":
            return _by_width(ctx, group, block_rank(ctx), lambda w: _op(ctx, "%", _lane(ctx), w))
        case _:
            raise NotLowered(f"thread_rank of a {group.kind} group")


def _coalesced_rank(ctx: Lowering, group: Group) -> Expr:
    assert group.mask is not None
    below = _op(ctx, "-", _op(ctx, "<<", Const(1, U32), _lane(ctx)), Const(1, U32))
    count = Intrinsic("__popc", (_op(ctx, "&", group.mask, below),), I32, span=ctx.here)
    return Cast(count, U32, span=ctx.here)


def _by_width(ctx: Lowering, group: Group, block: Expr, tile: Callable[[Expr], Expr]) -> Expr:
    assert group.width is not None
    if isinstance(group.width, Const):
        return tile(group.width) if group.width.value else block
    test = _op(ctx, "==", group.width, Const(0, U32))
    return Select(test, block, tile(group.width), span=ctx.here)


def _size(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    match group.kind:
        case "block":
            return block_size(ctx)
        case "tile":
            assert group.width is not None
            return group.width
        case "grid":
            return _op(ctx, "*", _wide(_grid_blocks(ctx)), _wide(block_size(ctx)))
        case "coalesced":
            assert group.mask is not None
            count = Intrinsic("__popc", (group.mask,), I32, span=ctx.here)
            return Cast(count, U32, span=ctx.here)
        case "generic":
            return _by_width(ctx, group, block_size(ctx), lambda w: w)
        case _:
            raise NotLowered(f"size of a {group.kind} group")


def _sync(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    match group.kind:
        case "block" | "grid" | "cluster":
            ctx.emit(Barrier(group.kind, span=ctx.here))
        case "tile":
            ctx.emit(SyncWarp(None, group.width, span=ctx.here))
        case "coalesced":
            ctx.emit(SyncWarp(group.mask, span=ctx.here))
        case "generic" if isinstance(group.width, Const):
            if group.width.value:
                ctx.emit(SyncWarp(None, group.width, span=ctx.here))
            else:
                ctx.emit(Barrier(span=ctx.here))
        case "generic":
            assert group.width is not None
            test = _op(ctx, "==", group.width, Const(0, U32))
            tile = SyncWarp(None, group.width, span=ctx.here)
            ctx.emit(If(test, (Barrier(span=ctx.here),), (tile,), span=ctx.here))
        case _:
            raise NotLowered(f"sync of a {group.kind} group")
    return _nothing()


def _nothing() -> Expr:
    from crossport.frontend.lowering.expressions import NOTHING

    return NOTHING


def _shfl(mode: str) -> Callable[[Lowering, Group, list[Expr]], Expr]:
    def lower(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
        value, lane = args
        if group.kind == "tile":
            assert group.width is not None
            width = ctx.convert(group.width, I32)
            return warps.shuffle(ctx, mode, None, value, lane, width)
        if group.kind == "coalesced":
            source = _coalesced_source(ctx, group, mode, ctx.convert(lane, U32))
            return warps.shuffle(ctx, "idx", group.mask, value, source, None)
        raise NotLowered(f"a shuffle in a {group.kind} group")

    return lower


def _coalesced_source(ctx: Lowering, group: Group, mode: str, lane: Expr) -> Expr:
    """The warp lane of a rank in a coalesced group."""
    assert group.mask is not None

    def nth(rank: Expr) -> Expr:
        number = ctx.convert(_op(ctx, "+", rank, Const(1, U32)), I32)
        args = (group.mask, Const(0, U32), number)
        return Intrinsic("__fns", args, U32, span=ctx.here)  # type: ignore[arg-type]

    if mode == "idx":
        return nth(lane)
    rank = ctx.temp(_coalesced_rank(ctx, group))
    lane = ctx.stable(lane)
    if mode == "down":
        target = _op(ctx, "+", rank, lane)
        inside = _op(ctx, "<", target, _size(ctx, group, []))
    elif mode == "up":
        target = _op(ctx, "-", rank, lane)
        inside = _op(ctx, ">=", rank, lane)
    else:
        raise NotLowered("shfl_xor in a coalesced group")
    return Select(inside, nth(target), _lane(ctx), span=ctx.here)


def _vote(mode: str) -> Callable[[Lowering, Group, list[Expr]], Expr]:
    def lower(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
        if group.kind == "tile":
            return warps.vote(ctx, mode, None, args[0], group.width)
        if group.kind == "coalesced" and mode != "ballot":
            return warps.vote(ctx, mode, group.mask, args[0])
        raise NotLowered(f"{mode} in a {group.kind} group")

    return lower


def _match_any(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    from crossport.ir.nodes import Match

    if group.kind != "tile":
        raise NotLowered(f"match_any in a {group.kind} group")
    target = ctx.new_temp(U32)
    ctx.emit(Match(target, "any", None, args[0], None, group.width, span=ctx.here))
    return Read(target, span=ctx.here)


def _meta_rank(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "tile" or group.width is None:
        raise NotLowered(f"meta_group_rank of a {group.kind} group")
    if group.parent:
        inside = _op(ctx, "%", _lane(ctx), Const(group.parent, U32))
        return _op(ctx, "/", inside, group.width)
    return _op(ctx, "/", block_rank(ctx), group.width)


def _meta_size(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "tile" or group.width is None:
        raise NotLowered(f"meta_group_size of a {group.kind} group")
    if group.parent:
        return _op(ctx, "/", Const(group.parent, U32), group.width)
    last = _op(ctx, "-", _op(ctx, "+", block_size(ctx), group.width), Const(1, U32))
    return _op(ctx, "/", last, group.width)


def _three(names: str) -> Callable[[Lowering, Group, list[Expr]], Expr]:
    """`group_index()` and its kin, as dim3."""

    def lower(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
        prefix = names
        if group.kind == "grid":
            prefix = {"block_dim": "grid_dim"}.get(names, names)
        parts = tuple(_special(ctx, f"{prefix}.{axis}") for axis in "xyz")  # type: ignore[arg-type]
        return Aggregate(parts, ctx.module.dim3, span=ctx.here)

    return lower


def _blocks(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "grid":
        raise NotLowered(f"num_blocks of a {group.kind} group")
    return _wide(_grid_blocks(ctx))


def _block_number(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "grid":
        raise NotLowered(f"block_rank of a {group.kind} group")
    return _wide(_grid_rank(ctx))


_METHODS: dict[str, Callable[[Lowering, Group, list[Expr]], Expr]] = {
    "thread_rank": _rank, "size": _size, "num_threads": _size, "sync": _sync,
    "shfl": _shfl("idx"), "shfl_down": _shfl("down"), "shfl_up": _shfl("up"),
    "shfl_xor": _shfl("xor"), "any": _vote("any"), "all": _vote("all"),
    "ballot": _vote("ballot"), "match_any": _match_any, "meta_group_rank": _meta_rank,
    "meta_group_size": _meta_size, "group_index": _three("block"),
    "thread_index": _three("thread"), "group_dim": _three("block_dim"),
    "dim_threads": _three("block_dim"), "dim_blocks": _three("grid_dim"),
    "block_index": _three("block"), "num_blocks": _blocks, "block_rank": _block_number,
    "is_valid": lambda ctx, group, args: Const(1, I32),
}  # fmt: skip


# --- Functions ---------------------------------------------------------------------------------


def _stateless(ctx: Lowering, site: Site) -> Expr:
    """this_thread_block() and other groups that their type says all about."""
    return _nothing()


def _partition(ctx: Lowering, site: Site) -> Expr:
    """tiled_partition<32>(g) has its width in the type; tiled_partition(g, n) is a value."""
    kind = group_kind(site.cursor.type)
    if kind is not None and kind[0] == "generic":
        return ctx.convert(ctx.value(site.args[1]), U32)
    if kind is not None and kind[0] == "tile":
        return _nothing()
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
    others = _op(ctx, "&", members, Unary("~", ballot))
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
        first = _op(ctx, "-", _lane(ctx), _op(ctx, "%", _lane(ctx), group.width))
        return ctx.kept(_op(ctx, "<<", Const((1 << width) - 1, U32), first))
    raise NotLowered(f"the lanes of a {group.kind} group")


_OPERATIONS = {"plus": "add", "less": "min", "greater": "max", "bit_and": "and", "bit_or": "or",
               "bit_xor": "xor"}  # fmt: skip


def _operation(cursor: Cursor) -> str:
    functor = _functor(cursor)
    if not _is_known(cursor):
        raise NotLowered(f"a group reduction with {functor.spelling or 'a function'}")
    return _OPERATIONS[str(functor.spelling)]


def _is_known(cursor: Cursor) -> bool:
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
    return _sync(ctx, group_of(ctx, site.args[0]), [])


def _rank_function(ctx: Lowering, site: Site) -> Expr:
    return _rank(ctx, group_of(ctx, site.args[0]), [])


def _size_function(ctx: Lowering, site: Site) -> Expr:
    return _size(ctx, group_of(ctx, site.args[0]), [])


def _memcpy_async(ctx: Lowering, site: Site) -> Expr:
    """A copy that the group's threads share: each takes every size-th element."""
    if len(site.args) != 4:
        raise NotLowered("memcpy_async with layouts")
    group = group_of(ctx, site.args[0])
    target, source, count = ctx.values(site.args[1:])
    element = _common_element(target.type, source.type)
    kind = Pointer(element)
    to, origin = ctx.temp(_as(target, kind)), ctx.temp(_as(source, kind))
    size = element.size if isinstance(element, Scalar) else ctx.types.size_of(element)[0]
    elements = _op(ctx, "/", ctx.convert(count, U64), Const(size, U64))
    total = ctx.temp(elements)
    index = ctx.temp_var(U64)
    ctx.emit(Let(index, ctx.convert(_rank(ctx, group, []), U64), span=ctx.here))
    position = Read(index, span=ctx.here)
    copy = Assign(
        Deref(to, position, element), Read(Deref(origin, position, element)), span=ctx.here
    )
    stride = ctx.convert(_size(ctx, group, []), U64)
    step = Assign(index, _op(ctx, "+", position, stride), span=ctx.here)
    ctx.emit(For(_op(ctx, "<", position, total), (step,), as_block([copy]), span=ctx.here))
    return _nothing()


def _common_element(one: Type, other: Type) -> Type:
    if isinstance(one, Pointer) and one == other and one.element != VOID:
        return one.element
    return U8


def _as(pointer: Expr, kind: Pointer) -> Expr:
    return pointer if pointer.type == kind else Cast(pointer, kind, span=pointer.span)


_FUNCTIONS: dict[str, Callable[[Lowering, Site], Expr]] = {
    "this_thread_block": _stateless, "this_grid": _stateless, "this_cluster": _stateless,
    "this_thread": _stateless, "coalesced_threads": _coalesced, "tiled_partition": _partition,
    "binary_partition": _binary_partition, "labeled_partition": _labeled_partition,
    "reduce": _reduce(None), "inclusive_scan": _reduce("inclusive"),
    "exclusive_scan": _reduce("exclusive"), "sync": _sync_function,
    "thread_rank": _rank_function, "group_size": _size_function,
    "memcpy_async": _memcpy_async, "wait": _sync_function, "wait_prior": _sync_function,
}  # fmt: skip
