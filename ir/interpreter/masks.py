"""Which lanes run: masks, and how they split and meet.

    True            every lane of the chunk          None     no lane
    bool array      one element a lane

Masks are never changed in place, so that `m1 is m0` tells "no lane left since then" for free:
`split`, `without` and `meet` hand back the very object where nothing changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import count_nonzero, ndarray

Mask = Any
"""True, None, or a bool array."""


def split(mask: Mask, condition: Any) -> tuple[Mask, Mask]:
    """The lanes of `mask` where `condition` holds, and the others."""
    if type(condition) is not ndarray:
        return (mask, None) if condition else (None, mask)
    taken = condition if mask is True else mask & condition
    count = count_nonzero(taken)
    if count == 0:
        return None, mask
    if count == (taken.size if mask is True else count_nonzero(mask)):
        return mask, None
    return taken, (~taken if mask is True else mask & ~taken)


def narrow(mask: Mask, condition: Any) -> Mask:
    """The lanes of `mask` where `condition` holds."""
    if type(condition) is not ndarray:
        return mask if condition else None
    taken = condition if mask is True else mask & condition
    count = count_nonzero(taken)
    if count == 0:
        return None
    if count == (taken.size if mask is True else count_nonzero(mask)):
        return mask
    return taken


def without(mask: Mask, left: Mask) -> Mask:
    """The lanes of `mask` that are not in `left`."""
    if left is None or mask is None:
        return mask
    if left is mask or left is True:
        return None
    rest = ~left if mask is True else mask & ~left
    count = count_nonzero(rest)
    if count == 0:
        return None
    if mask is not True and count == count_nonzero(mask):
        return mask
    return rest


def union(first: Mask, second: Mask) -> Mask:
    """The lanes in either."""
    if first is None:
        return second
    if second is None or first is True or first is second:
        return first
    if second is True:
        return True
    both = first | second
    return True if both.all() else both


def meet(before: Mask, start1: Mask, end1: Mask, start2: Mask, end2: Mask) -> Mask:
    """Two branches join again: `before` itself if no lane left on the way."""
    if end1 is start1 and end2 is start2:
        return before
    return union(end1, end2)


def choose(mask: Mask, new: Any, old: Any) -> Any:
    """`new` in the lanes of `mask`, `old` elsewhere."""
    if mask is True:
        return new
    if new is old:
        return old
    return np.where(mask, new, old)


def put(mask: Mask, region: Mask, new: Any, old: Any) -> Any:
    """`choose`, but `new` as it is where every lane that can see the variable takes part."""
    if mask is region or mask is True:
        return new
    return np.where(mask, new, old)


def select(condition: Any, then: Any, otherwise: Any) -> Any:
    """`condition ? then : otherwise` on registers."""
    if type(condition) is not ndarray:
        return then if condition else otherwise
    return np.where(condition, then, otherwise)


def either(condition: Any, then: Any, otherwise: Any) -> Any:
    """`select` where an arm that no lane took is None."""
    if otherwise is None:
        return then
    if then is None:
        return otherwise
    return np.where(condition, then, otherwise)


def merge(mask: Mask, new: Any, old: Any) -> Any:
    """`choose`, where there may be no old value yet or no lane at all."""
    if old is None or mask is True:
        return new
    if mask is None:
        return old
    return np.where(mask, new, old)


def lanes_of(mask: Mask, count: int) -> Any:
    """The mask as a bool array of `count` lanes."""
    if mask is True:
        return np.ones(count, bool)
    if mask is None:
        return np.zeros(count, bool)
    return mask
