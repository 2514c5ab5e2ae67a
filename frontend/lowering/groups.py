"""Cooperative groups dissolve: a tile is a width, a coalesced group a lane mask, a block nothing.

    tile.shfl_down(x, 4)          Shuffle(_t1, "down", x, 4, width 16)
    tile.thread_rank()            lane_id % 16
    cg::reduce(tile, x, plus)     WarpReduce(_t1, "add", x, width 16)
    block.sync(), grid.sync()     Barrier, Barrier(grid)

A `thread_group`, whose kind is not in its type, carries its width; 0 stands for the block.
"""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.functions import definition_of
from crossport.frontend.lowering.group_functions import FUNCTIONS, is_known
from crossport.frontend.lowering.group_methods import METHODS
from crossport.frontend.lowering.group_values import (
    Group,
    by_type,
    group_of,
)
from crossport.ir.nodes import (
    Expr,
)
from crossport.ir.types import Scalar


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
        handler = METHODS.get(method)
        if handler is None:
            raise NotLowered(f"cooperative group method {method}")
        args = ctx.values(site.args)
        value = handler(ctx, group, args)
        return Found(_result(ctx, site, value))
    if clang.body(definition_of(site.callee)) is not None and not is_known(site.args[-1]):
        return None  # a reduction with a function of the user's, written out in the header
    function = FUNCTIONS.get(name)
    if function is None:
        raise NotLowered(f"cooperative_groups::{name}")
    return Found(_result(ctx, site, function(ctx, site)))


def _result(ctx: Lowering, site: Site, value: Expr) -> Expr:
    try:
        kind = ctx.type(site.cursor)
    except NotLowered:
        return value
    return ctx.convert(value, kind) if isinstance(kind, Scalar) else value


def _receiver(ctx: Lowering, site: Site, owner: str) -> Group | None:
    if site.object is not None:
        return group_of(ctx, site.object)
    parent = site.callee.semantic_parent
    found = by_type(parent.type)
    if found is None or found.kind in ("coalesced", "generic"):
        raise NotLowered(f"a group of kind {owner} without an object")
    return found
