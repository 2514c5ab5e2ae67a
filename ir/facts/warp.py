"""Each place that takes a warp to have 32 lanes, and what a wavefront of 64 makes of it.

    __shfl_xor_sync(m, v, 16)       safe: partners stay inside each half
    __shfl_down_sync(m, v, 16)      unsafe: lanes 16..31 read from the other half
    unsigned b = __ballot_sync(..)  unsafe: 64 lanes do not fit in 32 bits

"Safe" means: with plain API names, the value in each lane is the one that 32-lane warps compute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossport.diagnostics import Span
from crossport.ir.facts.symbolic import Poly
from crossport.ir.facts.walk import Access, Exchange, Trace
from crossport.ir.nodes import Match, Shuffle, SyncWarp, Vote, WarpReduce

WARP = 32

Kind = Literal[
    "shuffle", "vote", "match", "reduce", "syncwarp", "lane arithmetic", "warp-synchronous"
]


@dataclass(frozen=True, slots=True)
class WarpAssumption:
    """A place that bakes in 32 lanes; `reason` says why it is safe at 64 or not."""

    kind: Kind
    safe: bool
    reason: str
    span: Span | None


def warp_assumptions(trace: Trace) -> tuple[WarpAssumption, ...]:
    """All of them, in program order within each kind."""
    exchanges = [_exchange(e) for e in trace.exchanges]
    talks = _warp_synchronous(trace)
    found = list(exchanges)
    # Where lanes never talk to their warp, i / 32 is a number like any other (padding, tiling).
    if exchanges or talks:
        found += _lane_arithmetic(trace, all(e.safe for e in (*exchanges, *talks) if e))
    found += talks
    return tuple(dict.fromkeys(a for a in found if a is not None))


def _lane_arithmetic(trace: Trace, exchanges_are_safe: bool) -> list[WarpAssumption | None]:
    """Lane and warp numbers for warps of 32: as right as the exchanges that use them."""
    reason = (
        "every exchange here stays within 32 lanes"
        if exchanges_are_safe
        else "a lane or warp number for warps of 32, while exchanges here span the wavefront"
    )
    return [
        WarpAssumption("lane arithmetic", exchanges_are_safe, reason, expr.span)
        for expr, _ in trace.lane_arithmetic
    ]


def _exchange(exchange: Exchange) -> WarpAssumption | None:
    node = exchange.node
    width = exchange.width.value if exchange.width is not None else None
    if width is not None and width <= WARP and not isinstance(node, Vote | Match):
        kind: Kind = "syncwarp" if isinstance(node, SyncWarp) else "shuffle"
        reason = f"spans {width} lanes whatever the wavefront"
        return WarpAssumption(kind, True, reason, node.span)
    match node:
        case Shuffle():
            return _shuffle(node, exchange.lane)
        case Vote(_, "any" | "all" | "uni" as mode):
            reason = f"{mode} joins both halves of a wavefront of 64"
            return WarpAssumption("vote", False, reason, node.span)
        case Vote():
            return WarpAssumption(
                "vote", False, "64 lanes do not fit in a result of 32 bits", node.span
            )
        case Match():
            return WarpAssumption("match", False, "compares 64 lanes, not 32", node.span)
        case WarpReduce():
            return WarpAssumption("reduce", False, "joins 64 lanes, not 32", node.span)
        case SyncWarp():
            return WarpAssumption("syncwarp", True, "orders at least the same lanes", node.span)


def _shuffle(node: Shuffle, lane: Poly | None) -> WarpAssumption:
    distance = lane.value if lane is not None else None
    if node.mode == "xor" and distance is not None and distance < WARP:
        reason = f"lane ^ {distance} stays inside each half of a wavefront of 64"
        return WarpAssumption("shuffle", True, reason, node.span)
    reasons = {
        "xor": "the partner may lie in the other half of a wavefront of 64",
        "up": f"lane {WARP} reads from lane {WARP - 1}, where a warp of 32 keeps its own value",
        "down": f"lane {WARP - 1} reads from lane {WARP}, where a warp of 32 keeps its own value",
        "idx": f"lanes {WARP} and up read from the lower half instead of their own",
    }
    return WarpAssumption("shuffle", False, reasons[node.mode], node.span)


def _warp_synchronous(trace: Trace) -> list[WarpAssumption | None]:
    """Volatile shared memory: lanes of a warp talk without a barrier."""
    volatile = [a for a in trace.accesses if a.volatile and a.base.space == "shared"]
    stores = {a.base for a in volatile if a.kind == "store"}
    talks: list[Access] = [a for a in volatile if a.kind == "load" and a.base in stores]
    return [
        WarpAssumption(
            "warp-synchronous",
            False,
            f"{access.base.name} is read without a barrier after other lanes wrote it: it counts "
            "on the 32 lanes of a warp to step together",
            access.span,
        )
        for access in talks
    ]
