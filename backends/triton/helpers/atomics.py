"""Atomic updates that Triton has not."""

from __future__ import annotations

ATOMICS: dict[str, str] = {
    "_atomic_cas": '''
@triton.jit
def _atomic_cas(pointer, compare, value, mask, spare):
    """Compare and swap in the lanes of the mask; what cannot succeed is a look, and no more."""
    old = tl.load(pointer, mask=mask, other=0, volatile=True)
    mask = mask & (old == compare)
    if tl.max(mask.to(tl.int32)) != 0:
        # The other lanes turn to a spare word.
        swapped = tl.atomic_cas(tl.where(mask, pointer, spare), compare, value)
        old = tl.where(mask, swapped, old)
    return old
''',
    "_atomic_min": '''
@triton.jit
def _atomic_min(pointer, value, mask, SCOPE: tl.constexpr):
    """atomicMin of signed numbers, one sign at a time.

    Triton 3.9 for AMD first combines lanes at one address, and compares them as unsigned.
    """
    tl.atomic_min(pointer, value, mask=mask & (value < 0), sem="relaxed", scope=SCOPE)
    tl.atomic_min(pointer, value, mask=mask & (value >= 0), sem="relaxed", scope=SCOPE)
''',
    "_atomic_max": '''
@triton.jit
def _atomic_max(pointer, value, mask, SCOPE: tl.constexpr):
    """atomicMax of signed numbers, one sign at a time.

    Triton 3.9 for AMD first combines lanes at one address, and compares them as unsigned.
    """
    tl.atomic_max(pointer, value, mask=mask & (value < 0), sem="relaxed", scope=SCOPE)
    tl.atomic_max(pointer, value, mask=mask & (value >= 0), sem="relaxed", scope=SCOPE)
''',
    "_atomic_wrap": '''
@triton.jit
def _atomic_wrap(pointer, limit, mask, spare, DOWN: tl.constexpr):
    """atomicInc or atomicDec: the old value; lanes try again until theirs is taken.

    The first guess is 0, the next what the attempt saw: a load would be made by every warp on its
    own, and they could see different values.
    """
    waiting = mask
    result = limit
    old = limit * 0
    while tl.max(waiting.to(tl.int32)) != 0:
        if DOWN:
            new = tl.where((old == 0) | (old > limit), limit, old - 1)
        else:
            new = tl.where(old >= limit, old * 0, old + 1)
        seen = tl.atomic_cas(tl.where(waiting, pointer, spare), old, new)
        done = waiting & (seen == old)
        result = tl.where(done, old, result)
        waiting = waiting & (seen != old)
        old = seen
    return result
''',
    "_atomic_wrap_one": '''
@triton.jit
def _atomic_wrap_one(pointer, limit, DOWN: tl.constexpr):
    """atomicInc or atomicDec by one thread: the old value."""
    old = tl.load(pointer, volatile=True)
    waiting = True
    while waiting:
        if DOWN:
            new = tl.where((old == 0) | (old > limit), limit, old - 1)
        else:
            new = tl.where(old >= limit, old * 0, old + 1)
        seen = tl.atomic_cas(pointer, old, new)
        waiting = seen != old
        old = seen
    return old
''',
}
