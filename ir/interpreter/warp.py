"""What the lanes of a warp tell each other: shuffles, votes, matches, reductions and scans.

Lanes of a chunk are padded to whole warps, so a register reshapes to (warps, width) and a lane is a
column. PTX defines where a shuffle's source lies: with `segmask = warp width - width`,

    first = lane & segmask        last = first | (warp width - 1 & ~segmask)
    idx:  first | (b & ~segmask)  up: lane - b if >= first   down: lane + b if <= last
    xor:  lane ^ b if <= last     otherwise the lane's own value

A 32-bit member mask names lanes 0..31 of a 64-lane warp. A lane that reads from one that does not
take part gets what that lane's register holds, and a finding is kept if warps are checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter.intrinsics_math import fmax, fmin
from crossport.ir.interpreter.kinds import Kind, round_bf16
from crossport.ir.interpreter.masks import Mask, lanes_of

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime


def _spread(rt: Runtime, value: Any) -> Any:
    """A register as an array, one number a lane."""
    return value if type(value) is ndarray else np.full(rt.lanes, value)


def shuffle(
    rt: Runtime, mask: Mask, mode: str, members: Any, value: Any, lane: Any, width: Any, site: int
) -> Any:
    """`__shfl_sync` and its kin."""
    if type(value) is not ndarray and not rt.checks.warp:
        return value
    warp = rt.width
    own = rt.lane_in_warp
    size = np.int64(warp) if width is None else width.astype(np.int64)
    segmask = warp - size
    first = own & segmask
    last = first | ((warp - 1) & ~segmask)
    b = lane.astype(np.int64) & (warp - 1)
    if mode == "idx":
        source = first | (b & ~segmask)
        valid = source <= last
    elif mode == "up":
        source = own - b
        valid = source >= first
    elif mode == "down":
        source = own + b
        valid = source <= last
    else:
        source = own ^ b
        valid = source <= last
    source = np.where(valid, source, own) + rt.warp_base
    if rt.checks.warp:
        _check_members(rt, mask, members, site)
        active = lanes_of(mask, rt.lanes)
        idle = active & ~active[source]
        if idle.any():
            rt.finding(
                "inactive-lane", site, idle, "a shuffle reads from a lane that does not take part"
            )
    return _spread(rt, value)[source]


def _check_members(rt: Runtime, mask: Mask, members: Any, site: int) -> None:
    if members is None:
        return
    named = (_member_bits(rt, members) >> rt.lane_in_warp.astype(np.uint64)) & np.uint64(1)
    missing = lanes_of(mask, rt.lanes) & (named == 0)
    if missing.any():
        rt.finding(
            "member-mask", site, missing, "a lane takes part that its member mask does not name"
        )


def _member_bits(rt: Runtime, members: Any) -> Any:
    # A 32-bit mask is zero-extended: lanes 32..63 of a wide warp are not named by it.
    return _spread(rt, members).astype(np.uint64)


def _groups(rt: Runtime, mask: Mask, members: Any, width: Any) -> Any:
    """(warps, W, W) bools: lane i combines with lane k."""
    w = rt.width
    active = lanes_of(mask, rt.lanes).reshape(-1, 1, w)
    lane = np.arange(w)
    group = np.broadcast_to(active, (active.shape[0], w, w))
    if members is not None:
        bits = _member_bits(rt, members).reshape(-1, w, 1)
        group = group & (((bits >> lane.astype(np.uint64)) & np.uint64(1)) != 0)
    if width is not None:
        size = _spread(rt, width).astype(np.int64).reshape(-1, w, 1)
        group = group & ((lane.reshape(1, w, 1) // size) == (lane.reshape(1, 1, w) // size))
    return group


def _is_plain(rt: Runtime, mask: Mask, members: Any, width: Any) -> bool:
    """Whether whole warps take part together."""
    if width is not None and (type(width) is ndarray or width != rt.width):
        return False
    if members is None or type(members) is ndarray:
        return members is None
    return int(members) & ((1 << rt.width) - 1) == (1 << rt.width) - 1


def vote(
    rt: Runtime, mask: Mask, mode: str, members: Any, predicate: Any, width: Any, kind: Kind,
    site: int,
) -> Any:  # fmt: skip
    """`__any_sync`, `__all_sync`, `__uni_sync`, `__ballot_sync`, `__activemask`."""
    w, out = rt.width, kind.register
    if rt.checks.warp and mode != "active":
        _check_members(rt, mask, members, site)
    active = lanes_of(mask, rt.lanes)
    true = active if mode == "active" else _spread(rt, predicate != 0).astype(bool)
    if mode == "active":
        members = None
    if _is_plain(rt, mask, members, width):
        rows, on = true.reshape(-1, w), active.reshape(-1, w)
        if mode in ("ballot", "active"):
            answer = _pack_bits(rows & on)
        elif mode == "any":
            answer = (rows & on).any(1)
        elif mode == "all":
            answer = (rows | ~on).all(1)
        else:
            answer = (rows | ~on).all(1) | ~(rows & on).any(1)
        return np.repeat(answer, w).astype(out)
    group = _groups(rt, mask, members, width)
    rows = true.reshape(-1, 1, w)
    if mode in ("ballot", "active"):
        bits = _pack_bits(group & rows).reshape(-1)
        if width is not None:
            size = _spread(rt, width).astype(np.int64)
            bits = bits >> ((rt.lane_in_warp // size) * size).astype(np.uint64)
        return bits.astype(out)
    if mode == "any":
        found = (group & rows).any(2)
    elif mode == "all":
        found = (rows | ~group).all(2)
    else:
        found = (rows | ~group).all(2) | ~(group & rows).any(2)
    return found.reshape(-1).astype(out)


def _pack_bits(rows: Any) -> Any:
    weights = np.uint64(1) << np.arange(rows.shape[-1], dtype=np.uint64)
    return (rows * weights).sum(-1, dtype=np.uint64)


def match(
    rt: Runtime, mask: Mask, mode: str, members: Any, values: tuple[Any, ...], width: Any,
    kind: Kind, site: int,
) -> tuple[Any, Any]:  # fmt: skip
    """`__match_any_sync` and `__match_all_sync`: (bits, predicate)."""
    w = rt.width
    if rt.checks.warp:
        _check_members(rt, mask, members, site)
    group = _groups(rt, mask, members, width)
    same = group
    for value in values:
        bits = _spread(rt, value)
        bits = bits.view(f"u{bits.dtype.itemsize}").reshape(-1, w)
        same = same & (bits[:, :, None] == bits[:, None, :])
    if mode == "any":
        return _pack_bits(same).reshape(-1).astype(kind.register), np.int32(1)
    all_same = (same | ~group).all(2).reshape(-1)
    everyone = _pack_bits(group).reshape(-1)
    return np.where(all_same, everyone, np.uint64(0)).astype(kind.register), all_same.astype(
        np.int32
    )


def reduce(
    rt: Runtime, mask: Mask, op: str, members: Any, value: Any, width: Any, scan: str | None,
    kind: Kind, site: int,
) -> Any:  # fmt: skip
    """`__reduce_*_sync`, and cooperative groups' reduce, inclusive_scan and exclusive_scan.

    A reduction takes the lanes in the order of a butterfly (xor 16, 8, 4 ...), as CUDA's headers
    do, a scan in ascending order; for integers the order does not matter.
    """
    w = rt.width
    if rt.checks.warp:
        _check_members(rt, mask, members, site)
    group = _groups(rt, mask, members, width)
    lane = np.arange(w)
    if scan == "inclusive":
        group = group & (lane[None, :] <= lane[:, None])
    elif scan == "exclusive":
        group = group & (lane[None, :] < lane[:, None])
    identity = _identity(op, kind)
    rows = np.where(group, _spread(rt, value).reshape(-1, 1, w), identity)
    if scan is None:
        while rows.shape[-1] > 1:
            half = rows.shape[-1] // 2
            rows = _combine(op, rows[..., :half], rows[..., half:], kind)
        return rows.reshape(-1).astype(kind.register)
    total = rows[..., 0]
    for i in range(1, w):
        total = np.where(group[..., i], _combine(op, total, rows[..., i], kind), total)
    return total.reshape(-1).astype(kind.register)


def _combine(op: str, x: Any, y: Any, kind: Kind) -> Any:
    match op:
        case "add":
            total = x + y
            return round_bf16(total) if kind.name == "bf16" and not kind.oracle else total
        case "min":
            return fmin(x, y) if kind.is_float else np.minimum(x, y)
        case "max":
            return fmax(x, y) if kind.is_float else np.maximum(x, y)
        case "and":
            return x & y
        case "or":
            return x | y
        case _:
            return x ^ y


def _identity(op: str, kind: Kind) -> Any:
    if kind.is_float:
        # NaN loses against every number in min and max.
        value: Any = 0.0 if op == "add" else np.nan
        return kind.register(value)
    info = np.iinfo(kind.register)  # type: ignore[type-var]
    values = {"add": 0, "or": 0, "xor": 0, "min": info.max, "max": info.min}
    if op == "and":
        return np.invert(kind.zero)
    return kind.register(values[op])
