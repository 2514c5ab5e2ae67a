"""Atomic operations: lanes act one after the other in ascending order, each gets the old value.

    lanes 0 1 2 3 add 1 to a == 5        old values 5 6 7 8, a == 9

Lanes are grouped by address (a stable sort keeps their order). Within a group the running result is
`ufunc.accumulate`, which works in the operands' type, one after the other: float sums round as they
would on a GPU that took the lanes in this order. Operations that have no ufunc go round by round:
the first lane of every group, then the second, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.ir.interpreter.intrinsics_math import fmax, fmin
from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import MemoryObject
from crossport.ir.interpreter.pointers import locate

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime


def atomic(
    rt: Runtime,
    mask: Mask,
    op: str,
    pointer: Any,
    j: Any,
    operands: tuple[Any, ...],
    kind: Kind,
    wanted: bool,
    scope: str,
    site: int,
) -> Any:
    """One atomic statement: `op` on `pointer[j]` in every lane; the old values."""
    result: Any = None
    for target, lanes, offset in locate(rt, mask, pointer, j, kind.size, site, "atomic"):
        lanes, element = target._aligned(lanes, offset, kind, site)
        if lanes is None:
            continue
        if op == "load":
            old = target.load(lanes, element, kind, site)
        elif op == "store":
            target.store(lanes, element, operands[0], kind, site)
            old = kind.zero
        else:
            old = _on_object(rt, target, lanes, op, element, operands, kind, wanted, scope, site)
        result = old if result is None or lanes is mask else np.where(lanes, old, result)
    return kind.zero if result is None else result


def _on_object(
    rt: Runtime,
    target: MemoryObject,
    mask: Mask,
    op: str,
    j: Any,
    operands: tuple[Any, ...],
    kind: Kind,
    wanted: bool,
    scope: str,
    site: int,
) -> Any:
    if type(j) is not ndarray:
        j = np.full(rt.lanes, j, np.int64)
    mask, j = target._inside(mask, j, kind, site, "atomic")
    if mask is None:
        return kind.zero
    if target.space == "constant":
        rt.fault("out-of-bounds", site, mask, f"atomic on __constant__ {target.name}")
        return kind.zero
    if rt.watch is not None:
        rt.watch.atomic(target, mask, j, kind, scope, site)
    who = np.flatnonzero(lanes_of(mask, rt.lanes))
    at = target.flat(j, kind)[who]
    values = [v[who] if type(v) is ndarray else np.full(len(who), v) for v in operands]
    raw = target.view(kind)
    shadow = target.shadow(kind) if kind.oracle else None

    def fetch(where: NDArray[np.int64]) -> Any:
        if shadow is None:
            return kind.decode(raw[where])
        return target._oracle_load(raw[where], where, kind)

    def put(where: NDArray[np.int64], value: Any) -> None:
        raw[where] = kind.encode(value)
        if shadow is not None:
            shadow[where] = value

    before = None if op not in ("cas", "exch") else raw[at].copy()
    old = _run(op, at, values, kind, fetch, put, wanted)
    if before is None or (raw[at] != before).any():
        # A compare-and-swap that changes nothing is no progress (see Runtime.wait).
        rt.version += 1
    if old is None:
        return kind.zero
    if mask is True:
        return old
    result = np.zeros(rt.lanes, kind.register)
    result[who] = old
    return result


_UFUNCS: dict[str, np.ufunc] = {
    "add": np.add, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip


def _run(
    op: str, at: Any, values: list[Any], kind: Kind, fetch: Any, put: Any, wanted: bool
) -> Any:
    if op == "sub":
        op, values = "add", [-values[0]]
    ufunc = _UFUNCS.get(op)
    if op in ("min", "max") and not kind.is_float:
        ufunc = np.minimum if op == "min" else np.maximum
    if kind.name == "bf16" and not kind.oracle:
        ufunc = None  # each sum rounds to bf16
    if at.size == 1:
        old = fetch(at)
        put(at, _step(op, old, values, kind))
        return old
    order = np.argsort(at, kind="stable")
    places = at[order]
    sorted_values = [v[order] for v in values]
    starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
    ends = np.append(starts[1:], len(places))
    olds = np.empty(len(places), kind.register)
    if ufunc is not None and (len(starts) <= 64 or len(starts) * 8 < len(places)):
        _by_group(ufunc, places, sorted_values[0], starts, ends, olds, fetch, put)
    else:
        _by_round(op, places, sorted_values, starts, ends, olds, kind, fetch, put)
    if not wanted:
        return None
    result = np.empty_like(olds)
    result[order] = olds
    return result


def _by_group(
    ufunc: np.ufunc, places: Any, values: Any, starts: Any, ends: Any, olds: Any,
    fetch: Any, put: Any,
) -> None:  # fmt: skip
    first = places[starts]
    initial = fetch(first)
    final = np.empty_like(initial)
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        chain = np.empty(end - start + 1, values.dtype)
        chain[0] = initial[i]
        chain[1:] = values[start:end]
        running = ufunc.accumulate(chain, dtype=values.dtype)
        olds[start:end] = running[:-1]
        final[i] = running[-1]
    put(first, final)


def _by_round(
    op: str, places: Any, values: list[Any], starts: Any, ends: Any, olds: Any, kind: Kind,
    fetch: Any, put: Any,
) -> None:  # fmt: skip
    turn = starts.copy()
    while turn.size:
        where = places[turn]
        old = fetch(where)
        olds[turn] = old
        put(where, _step(op, old, [v[turn] for v in values], kind))
        turn = turn + 1
        left = turn < ends
        turn, ends = turn[left], ends[left]


def _step(op: str, old: Any, values: list[Any], kind: Kind) -> Any:
    value = values[0]
    match op:
        case "add":
            total = old + value
            if kind.name == "bf16" and not kind.oracle:
                from crossport.ir.interpreter.kinds import round_bf16

                return round_bf16(total)
            return total
        case "exch":
            return value
        case "min":
            return fmin(old, value) if kind.is_float else np.minimum(old, value)
        case "max":
            return fmax(old, value) if kind.is_float else np.maximum(old, value)
        case "and":
            return old & value
        case "or":
            return old | value
        case "xor":
            return old ^ value
        case "inc":
            return np.where(old >= value, kind.zero, old + kind.register(1))
        case "dec":
            return np.where((old == 0) | (old > value), value, old - kind.register(1))
        case _:
            # CUDA compares the bits.
            if kind.is_float and not kind.oracle:
                same = kind.encode(old).view(f"u{kind.size}") == kind.encode(value).view(
                    f"u{kind.size}"
                )
            else:
                same = old == value
            return np.where(same, values[1], old)
