"""Access through pointers: find the object each lane points into, then let the object do it.

p[i]    p uniform: one object, indices i           p differs by lane: group lanes by object
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import HALF, ID_SHIFT, OFFSET_MASK, MemoryObject

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime


def load(rt: Runtime, mask: Mask, pointer: Any, j: Any, kind: Kind, site: int) -> Any:
    """`((kind*)pointer)[j]`."""
    if type(pointer) is not ndarray:
        pointer = rt.windows.generic(pointer)
        target = rt.objects.get(int(pointer) >> ID_SHIFT)
        if target is None:
            rt.bad_pointer(mask, pointer, site, "read")
            return kind.zero
        offset = (int(pointer) & OFFSET_MASK) - HALF
        if offset == 0:
            return target.load(mask, j, kind, site)
        return target.load_bytes(mask, j * kind.size + offset, kind, site)
    address = pointer + j * kind.size
    result: Any = None
    for target, lanes, offset in objects_at(rt, mask, address, site, "read"):
        value = target.load_bytes(lanes, offset, kind, site)
        if lanes is True or lanes is mask:
            return value
        if result is None:
            result = np.zeros(len(address), kind.register)
        result = np.where(lanes, value, result)
    return kind.zero if result is None else result


def store(rt: Runtime, mask: Mask, pointer: Any, j: Any, value: Any, kind: Kind, site: int) -> None:
    """`((kind*)pointer)[j] = value`."""
    if type(pointer) is not ndarray:
        pointer = rt.windows.generic(pointer)
        target = rt.objects.get(int(pointer) >> ID_SHIFT)
        if target is None:
            rt.bad_pointer(mask, pointer, site, "write")
            return
        offset = (int(pointer) & OFFSET_MASK) - HALF
        if offset == 0:
            target.store(mask, j, value, kind, site)
        else:
            target.store_bytes(mask, j * kind.size + offset, value, kind, site)
        return
    address = pointer + j * kind.size
    for target, lanes, offset in objects_at(rt, mask, address, site, "write"):
        target.store_bytes(lanes, offset, value, kind, site)


def locate(
    rt: Runtime, mask: Mask, pointer: Any, j: Any, size: int, site: int, what: str
) -> Iterator[tuple[MemoryObject, Mask, Any]]:
    """The objects behind `pointer + j * size`, with the lanes and byte offsets of each."""
    if type(pointer) is not ndarray:
        pointer = rt.windows.generic(pointer)
        target = rt.objects.get(int(pointer) >> ID_SHIFT)
        if target is None:
            rt.bad_pointer(mask, pointer, site, what)
            return
        yield target, mask, j * size + ((int(pointer) & OFFSET_MASK) - HALF)
        return
    yield from objects_at(rt, mask, pointer + j * size, site, what)


def objects_at(
    rt: Runtime, mask: Mask, address: Any, site: int, what: str
) -> Iterator[tuple[MemoryObject, Mask, Any]]:
    """Lanes grouped by the object that each one's address lies in, with byte offsets."""
    if mask is None:
        return
    address = rt.windows.generic(address)
    ids = address >> ID_SHIFT
    offset = (address & OFFSET_MASK) - HALF
    active = ids if mask is True else ids[mask]
    if not active.size:
        return
    first = int(active[0])
    if active.min() == first == active.max():
        target = rt.objects.get(first)
        if target is None:
            rt.bad_pointer(mask, address, site, what)
            return
        yield target, mask, offset
        return
    every = lanes_of(mask, len(address))
    for identity in np.unique(active):
        lanes = every & (ids == identity)
        target = rt.objects.get(int(identity))
        if target is None:
            rt.bad_pointer(lanes, address, site, what)
        else:
            yield target, lanes, offset
