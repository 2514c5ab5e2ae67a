"""What a cooperative group is here: its kind, width, mask; ranks and sizes as arithmetic."""

from __future__ import annotations

import re

from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    Binary,
    BinaryOp,
    Cast,
    Const,
    Expr,
    Special,
    SpecialName,
)
from crossport.ir.types import U32, U64


class Group:
    """A group at one place in the code: its kind, and what its kind needs to know."""

    def __init__(self, kind: str, width: Expr | None = None, mask: Expr | None = None,
                 parent: int = 0) -> None:  # fmt: skip
        self.kind = kind
        self.width = width
        self.mask = mask
        self.parent = parent


def group_of(ctx: Lowering, cursor: Cursor) -> Group:
    """The group that an expression stands for."""
    inner = cursor
    while inner.kind in (CursorKind.UNEXPOSED_EXPR, CursorKind.PAREN_EXPR):
        below = cursors.operands(inner)
        if len(below) != 1 or group_kind(below[0].type) is None:
            break
        inner = below[0]
    found = by_type(inner.type)
    if found is None:
        raise NotLowered(f"a group of type {inner.type.spelling}")
    if found.kind == "coalesced":
        found.mask = ctx.kept(ctx.value(inner))
    elif found.kind == "generic":
        found.width = ctx.kept(ctx.value(inner))
    return found


def by_type(kind: object) -> Group | None:
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


def special(ctx: Lowering, name: SpecialName) -> Expr:
    return Special(name, span=ctx.here)


def index_op(ctx: Lowering, op: BinaryOp, one: Expr, two: Expr) -> Expr:
    return Binary(op, one, two, span=ctx.here)


def block_rank(ctx: Lowering) -> Expr:
    """The thread's number in its block."""
    row = index_op(
        ctx, "+", special(ctx, "thread.y"),
        index_op(ctx, "*", special(ctx, "block_dim.y"), special(ctx, "thread.z")),
    )  # fmt: skip
    return index_op(
        ctx, "+", special(ctx, "thread.x"), index_op(ctx, "*", special(ctx, "block_dim.x"), row)
    )


def block_size(ctx: Lowering) -> Expr:
    """Threads in a block."""
    plane = index_op(ctx, "*", special(ctx, "block_dim.x"), special(ctx, "block_dim.y"))
    return index_op(ctx, "*", plane, special(ctx, "block_dim.z"))


def grid_rank(ctx: Lowering) -> Expr:
    row = index_op(
        ctx, "+", special(ctx, "block.y"),
        index_op(ctx, "*", special(ctx, "grid_dim.y"), special(ctx, "block.z")),
    )  # fmt: skip
    return index_op(
        ctx, "+", special(ctx, "block.x"), index_op(ctx, "*", special(ctx, "grid_dim.x"), row)
    )


def grid_blocks(ctx: Lowering) -> Expr:
    plane = index_op(ctx, "*", special(ctx, "grid_dim.x"), special(ctx, "grid_dim.y"))
    return index_op(ctx, "*", plane, special(ctx, "grid_dim.z"))


def lane_id(ctx: Lowering) -> Expr:
    return special(ctx, "lane_id")


def widened(value: Expr) -> Expr:
    return Cast(value, U64, span=value.span)


def nothing() -> Expr:
    from crossport.frontend.lowering.literals import NOTHING

    return NOTHING
