"""CUB's block and warp collectives, written out: what they compute, in plain IR.

    BlockReduce(temp).Sum(x)     _t1 = call `cub::BlockReduce<f32, 256>::add`(x)

    function `cub::BlockReduce<f32, 256>::add`(x: f32) -> f32 {
      shared cells: f32[256]       store, barrier, combine neighbours at distance 1, 2, 4 ...

A collective becomes a device function of its own, so that everything downstream sees shared memory,
barriers and shuffles, and nothing has to know CUB. Neighbours are combined in order, which holds
for operators that do not commute. The caller's temporary storage is not used.
"""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.cub_common import (
    Collective,
    collective_of,
)
from crossport.frontend.lowering.cub_move import (
    move,
)
from crossport.frontend.lowering.cub_reduce import (
    reduce,
)
from crossport.frontend.lowering.cub_scan import (
    scan,
)
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import Expr

_FUNCTORS = ("Sum", "Max", "Min", "Equality", "Inequality", "ArgMax", "ArgMin", "KeyValuePair")


def lower(ctx: Lowering, site: Site, name: str) -> Found | None:
    """Lower a CUB collective; None if the call is no business of CUB's."""
    if not name.startswith("cub::"):
        return None
    owner, _, method = name.removeprefix("cub::").rpartition("::")
    if owner in _FUNCTORS:
        return None
    handler = _METHODS.get((owner, method))
    if handler is None:
        raise NotLowered(f"cub::{owner}::{method}" if owner else f"cub::{method}")
    return Found(handler(ctx, site, collective_of(ctx, site, owner)))


_METHODS: dict[tuple[str, str], Callable[[Lowering, Site, Collective], Expr]] = {
    **{(c, m): reduce for c in ("BlockReduce", "WarpReduce") for m in ("Sum", "Reduce")},
    **{
        (c, m): scan
        for c in ("BlockScan", "WarpScan")
        for m in ("ExclusiveSum", "InclusiveSum", "ExclusiveScan", "InclusiveScan")
    },
    ("BlockLoad", "Load"): move,
    ("BlockStore", "Store"): move,
}
