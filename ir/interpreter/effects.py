"""Effects of ir/intrinsics.py: clocks, device memory, copies, wmma, generators, surfaces.

Each is a function `(rt, mask, site, *arguments) -> result`. `find_effect` answers None for what has
no meaning here; the caller refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter import ptx_matrix, random, textures, wmma
from crossport.ir.interpreter.intrinsics import Kinds
from crossport.ir.interpreter.kinds import kind_named
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import MemoryObject
from crossport.ir.interpreter.pointers import load, store
from crossport.ir.types import Type

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

Effect = Callable[..., Any]


def find_effect(
    name: str, args: tuple[Kinds, ...], result: Kinds, types: tuple[Type, ...]
) -> Effect | None:
    """The meaning of an effect, or None."""
    if name.startswith(("curand", "skipahead")):
        return random.find(name, result, types)
    if name.startswith("wmma::"):
        return wmma.find(name, types)
    if name.startswith("ptx::"):
        return ptx_matrix.find(name, types)
    if name.startswith("surf"):
        return textures.surface(name, result, args[0] if args else ())
    return _TABLE.get(name)


def _nothing(rt: Runtime, mask: Mask, site: int, *args: Any) -> None:
    """No effect that a program can see."""


def _clock(dtype: type[np.generic]) -> Effect:
    def clock(rt: Runtime, mask: Mask, site: int) -> Any:
        # Time goes on, and that is all that may be relied on.
        rt.world.ticks += 1
        return dtype(rt.world.ticks)

    return clock


def _malloc(rt: Runtime, mask: Mask, site: int, size: Any) -> Any:
    """One object a lane."""
    result = np.zeros(rt.lanes, np.int64)
    for lane in np.flatnonzero(lanes_of(mask, rt.lanes)):
        count = int(size[lane]) if type(size) is ndarray else int(size)
        buffer = np.zeros(-(-max(count, 1) // 16) * 16, np.uint8)
        made = MemoryObject(rt, f"malloc({count})", "global", buffer, count)
        rt.objects[made.id] = made
        result[lane] = made.address
    return result


def _free(rt: Runtime, mask: Mask, site: int, pointer: Any) -> None:
    for lane in np.flatnonzero(lanes_of(mask, rt.lanes)):
        address = int(pointer[lane]) if type(pointer) is ndarray else int(pointer)
        if address == 0:
            continue
        found = rt.locate_one(address)
        if found is None or found[1] != 0 or not found[0].name.startswith("malloc("):
            rt.bad_pointer(np.arange(rt.lanes) == lane, np.int64(address), site, "free")
            return
        found[0].is_free = True


def _memcpy(rt: Runtime, mask: Mask, site: int, to: Any, source: Any, count: Any) -> None:
    """Lane by lane in order; the units are as wide as all addresses and sizes allow."""
    every = lanes_of(mask, rt.lanes)
    size = np.broadcast_to(np.asarray(count).astype(np.int64), rt.lanes)
    bits = np.bitwise_or.reduce(size[every]) if every.any() else 0
    for pointer in (to, source):
        values = np.broadcast_to(np.asarray(pointer), rt.lanes)[every]
        bits = bits | np.bitwise_or.reduce(values)
    unit = next((u for u in (8, 4, 2) if int(bits) % u == 0), 1)
    kind = kind_named(f"u{unit * 8}")
    most = int(size[every].max()) if every.any() else 0
    values = []
    for i in range(0, most, unit):
        lanes = every & (size > i)
        values.append((lanes, load(rt, lanes, source, i // unit, kind, site)))
    for i, (lanes, value) in enumerate(values):
        store(rt, lanes, to, i, value, kind, site)


def _memset(rt: Runtime, mask: Mask, site: int, to: Any, value: Any, count: Any) -> None:
    every = lanes_of(mask, rt.lanes)
    size = np.broadcast_to(np.asarray(count).astype(np.int64), rt.lanes)
    most = int(size[every].max()) if every.any() else 0
    byte = value.astype(np.uint8)
    for i in range(most):
        store(rt, every & (size > i), to, i, byte, kind_named("u8"), site)


def _cp_async(
    rt: Runtime, mask: Mask, site: int, to: Any, source: Any, count: Any, zero: Any
) -> None:
    """Copy at once, then fill with zeros: nobody may look before the wait."""
    _memcpy(rt, mask, site, to, source, count)
    _memset(rt, mask, site, to + np.asarray(count).astype(np.int64), np.int32(0), zero)


def _bar_sync(rt: Runtime, mask: Mask, site: int, name: Any, threads: Any) -> None:
    rt.barrier(mask, "block", site)


_TABLE: dict[str, Effect] = {
    "clock": _clock(np.int32), "clock64": _clock(np.int64), "globaltimer": _clock(np.uint64),
    "__nanosleep": _nothing, "__prof_trigger": _nothing, "prefetch": _nothing,
    "malloc": _malloc, "free": _free, "memcpy": _memcpy, "memmove": _memcpy, "memset": _memset,
    "cp_async": _cp_async, "cp_async_commit": _nothing, "cp_async_wait": _nothing,
    "bar_sync": _bar_sync,
}  # fmt: skip
