"""Methods of cooperative groups: `tile.shfl_down(x, 4)`, `block.sync()`, `grid.thread_rank()`."""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend.lowering import warps
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.group_values import (
    Group,
    block_rank,
    block_size,
    grid_blocks,
    grid_rank,
    index_op,
    lane_id,
    nothing,
    special,
    widened,
)
from crossport.ir.nodes import (
    Aggregate,
    Barrier,
    Cast,
    Const,
    Expr,
    If,
    Intrinsic,
    Read,
    Select,
    SyncWarp,
)
from crossport.ir.types import I32, U32


def group_rank(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    match group.kind:
        case "block":
            return block_rank(ctx)
        case "tile":
            assert group.width is not None
            return index_op(ctx, "%", lane_id(ctx), group.width)
        case "grid":
            blocks = index_op(ctx, "*", widened(grid_rank(ctx)), widened(block_size(ctx)))
            return index_op(ctx, "+", blocks, widened(block_rank(ctx)))
        case "coalesced":
            return _coalesced_rank(ctx, group)
        case "generic":
            return _by_width(
                ctx, group, block_rank(ctx), lambda w: index_op(ctx, "%", lane_id(ctx), w)
            )
        case _:
            raise NotLowered(f"thread_rank of a {group.kind} group")


def _coalesced_rank(ctx: Lowering, group: Group) -> Expr:
    assert group.mask is not None
    below = index_op(ctx, "-", index_op(ctx, "<<", Const(1, U32), lane_id(ctx)), Const(1, U32))
    count = Intrinsic("__popc", (index_op(ctx, "&", group.mask, below),), I32, span=ctx.here)
    return Cast(count, U32, span=ctx.here)


def _by_width(ctx: Lowering, group: Group, block: Expr, tile: Callable[[Expr], Expr]) -> Expr:
    assert group.width is not None
    if isinstance(group.width, Const):
        return tile(group.width) if group.width.value else block
    test = index_op(ctx, "==", group.width, Const(0, U32))
    return Select(test, block, tile(group.width), span=ctx.here)


def group_size(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    match group.kind:
        case "block":
            return block_size(ctx)
        case "tile":
            assert group.width is not None
            return group.width
        case "grid":
            return index_op(ctx, "*", widened(grid_blocks(ctx)), widened(block_size(ctx)))
        case "coalesced":
            assert group.mask is not None
            count = Intrinsic("__popc", (group.mask,), I32, span=ctx.here)
            return Cast(count, U32, span=ctx.here)
        case "generic":
            return _by_width(ctx, group, block_size(ctx), lambda w: w)
        case _:
            raise NotLowered(f"size of a {group.kind} group")


def group_sync(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
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
            test = index_op(ctx, "==", group.width, Const(0, U32))
            tile = SyncWarp(None, group.width, span=ctx.here)
            ctx.emit(If(test, (Barrier(span=ctx.here),), (tile,), span=ctx.here))
        case _:
            raise NotLowered(f"sync of a {group.kind} group")
    return nothing()


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
        number = ctx.convert(index_op(ctx, "+", rank, Const(1, U32)), I32)
        args = (group.mask, Const(0, U32), number)
        return Intrinsic("__fns", args, U32, span=ctx.here)  # type: ignore[arg-type]

    if mode == "idx":
        return nth(lane)
    rank = ctx.temp(_coalesced_rank(ctx, group))
    lane = ctx.stable(lane)
    if mode == "down":
        target = index_op(ctx, "+", rank, lane)
        inside = index_op(ctx, "<", target, group_size(ctx, group, []))
    elif mode == "up":
        target = index_op(ctx, "-", rank, lane)
        inside = index_op(ctx, ">=", rank, lane)
    else:
        raise NotLowered("shfl_xor in a coalesced group")
    return Select(inside, nth(target), lane_id(ctx), span=ctx.here)


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
        inside = index_op(ctx, "%", lane_id(ctx), Const(group.parent, U32))
        return index_op(ctx, "/", inside, group.width)
    return index_op(ctx, "/", block_rank(ctx), group.width)


def _meta_size(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "tile" or group.width is None:
        raise NotLowered(f"meta_group_size of a {group.kind} group")
    if group.parent:
        return index_op(ctx, "/", Const(group.parent, U32), group.width)
    last = index_op(ctx, "-", index_op(ctx, "+", block_size(ctx), group.width), Const(1, U32))
    return index_op(ctx, "/", last, group.width)


def _three(names: str) -> Callable[[Lowering, Group, list[Expr]], Expr]:
    """`group_index()` and its kin, as dim3."""

    def lower(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
        prefix = names
        if group.kind == "grid":
            prefix = {"block_dim": "grid_dim"}.get(names, names)
        parts = tuple(special(ctx, f"{prefix}.{axis}") for axis in "xyz")  # type: ignore[arg-type]
        return Aggregate(parts, ctx.module.dim3, span=ctx.here)

    return lower


def _blocks(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "grid":
        raise NotLowered(f"num_blocks of a {group.kind} group")
    return widened(grid_blocks(ctx))


def _block_number(ctx: Lowering, group: Group, args: list[Expr]) -> Expr:
    if group.kind != "grid":
        raise NotLowered(f"block_rank of a {group.kind} group")
    return widened(grid_rank(ctx))


METHODS: dict[str, Callable[[Lowering, Group, list[Expr]], Expr]] = {
    "thread_rank": group_rank, "size": group_size, "num_threads": group_size, "sync": group_sync,
    "shfl": _shfl("idx"), "shfl_down": _shfl("down"), "shfl_up": _shfl("up"),
    "shfl_xor": _shfl("xor"), "any": _vote("any"), "all": _vote("all"),
    "ballot": _vote("ballot"), "match_any": _match_any, "meta_group_rank": _meta_rank,
    "meta_group_size": _meta_size, "group_index": _three("block"),
    "thread_index": _three("thread"), "group_dim": _three("block_dim"),
    "dim_threads": _three("block_dim"), "dim_blocks": _three("grid_dim"),
    "block_index": _three("block"), "num_blocks": _blocks, "block_rank": _block_number,
    "is_valid": lambda ctx, group, args: Const(1, I32),
}  # fmt: skip
