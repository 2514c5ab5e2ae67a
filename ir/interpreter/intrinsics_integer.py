"""Integer intrinsics: bit counts, products, byte shuffles, min, max, abs.

__clz(0) == 32      __ffs(0) == 0      __umulhi(x, y) == (u64)x * y >> 32
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crossport.ir.interpreter.intrinsics import Kinds, Meaning

_U32, _U64, _I32, _I64 = np.uint32, np.uint64, np.int32, np.int64


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of an integer intrinsic, or None."""
    call = _TABLE.get(name)
    if call is None:
        return None
    kind = args[0][0]
    if name in ("min", "max", "abs"):
        if not kind.is_integer:
            return None
        if name == "abs" and not kind.is_signed:
            return Meaning(lambda x: x)
    if name in ("__dp4a", "__dp2a_lo", "__dp2a_hi"):
        return Meaning(_dot(name, any(not a[0].is_signed for a in args[:2])))
    return Meaning(call)


def popc(x: Any) -> Any:
    """The number of bits set, as i32."""
    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(x).astype(_I32)
    wide = np.asarray(x).astype(_U64)
    wide = wide - ((wide >> _U64(1)) & _U64(0x5555555555555555))
    wide = (wide & _U64(0x3333333333333333)) + ((wide >> _U64(2)) & _U64(0x3333333333333333))
    wide = (wide + (wide >> _U64(4))) & _U64(0x0F0F0F0F0F0F0F0F)
    return ((wide * _U64(0x0101010101010101)) >> _U64(56)).astype(_I32)[()]


def clz32(x: Any) -> Any:
    """Leading zeros of a u32."""
    # The exponent of a double is exact for 32 bits.
    return (_I32(32) - np.frexp(x.astype(np.float64))[1]).astype(_I32)


def clz64(x: Any) -> Any:
    """Leading zeros of a u64."""
    high = (x >> _U64(32)).astype(_U32)
    low = x.astype(_U32)
    return np.where(high != 0, clz32(high), _I32(32) + clz32(low)).astype(_I32)[()]


def ffs(x: Any) -> Any:
    """Position of the lowest bit set, counting from 1; 0 for 0."""
    lowest = x & (~x + x.dtype.type(1))
    one = x.dtype.type(1)
    return np.where(x == 0, _I32(0), popc(lowest - one) + _I32(1)).astype(_I32)[()]


def brev32(x: Any) -> Any:
    """The bits of a u32 in reverse."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        x = ((x >> _U32(shift)) & _U32(mask)) | ((x & _U32(mask)) << _U32(shift))
    return (x >> _U32(16)) | (x << _U32(16))


def brev64(x: Any) -> Any:
    """The bits of a u64 in reverse."""
    low, high = brev32(x.astype(_U32)), brev32((x >> _U64(32)).astype(_U32))
    return (low.astype(_U64) << _U64(32)) | high.astype(_U64)


def byte_perm(x: Any, y: Any, selector: Any) -> Any:
    """Four of the eight bytes (y, x), one a nibble of the selector (its top bit: the sign)."""
    both = (y.astype(_U64) << _U64(32)) | x.astype(_U64)
    result: Any = _U32(0)
    for i in range(4):
        nibble = (selector >> _U32(4 * i)) & _U32(0xF)
        byte = ((both >> ((nibble & _U32(7)).astype(_U64) * _U64(8))) & _U64(0xFF)).astype(_U32)
        spread = np.where(byte & _U32(0x80), _U32(0xFF), _U32(0))
        byte = np.where(nibble & _U32(8), spread, byte)
        result = result | (byte.astype(_U32) << _U32(8 * i))
    return result


def mulhi32(x: Any, y: Any) -> Any:
    """Upper half of the signed 64-bit product."""
    return ((x.astype(_I64) * y.astype(_I64)) >> _I64(32)).astype(_I32)


def umulhi32(x: Any, y: Any) -> Any:
    """Upper half of the unsigned 64-bit product."""
    return ((x.astype(_U64) * y.astype(_U64)) >> _U64(32)).astype(_U32)


def umulhi64(x: Any, y: Any) -> Any:
    """Upper half of the unsigned 128-bit product."""
    mask, half = _U64(0xFFFFFFFF), _U64(32)
    xl, xh, yl, yh = x & mask, x >> half, y & mask, y >> half
    low = xl * yl
    middle = xh * yl + (low >> half)
    cross = xl * yh + (middle & mask)
    return xh * yh + (middle >> half) + (cross >> half)


def mulhi64(x: Any, y: Any) -> Any:
    """Upper half of the signed 128-bit product."""
    high = umulhi64(x.astype(_U64), y.astype(_U64)).astype(_I64)
    return high - (x >> _I64(63) & y) - (y >> _I64(63) & x)


def _mul24(x: Any, y: Any) -> Any:
    shift = _I32(8)
    return ((x << shift) >> shift) * ((y << shift) >> shift)


def _umul24(x: Any, y: Any) -> Any:
    return (x & _U32(0xFFFFFF)) * (y & _U32(0xFFFFFF))


def _average(wide: type[np.generic], rounding: int) -> Callable[[Any, Any], Any]:
    def average(x: Any, y: Any) -> Any:
        total = x.astype(wide) + y.astype(wide) + wide(rounding)
        return (total >> wide(1)).astype(x.dtype)

    return average


def _sad(x: Any, y: Any, z: Any) -> Any:
    difference = np.abs(x.astype(_I64) - y.astype(_I64))
    return z + difference.astype(_U32)


def _funnel(left: bool, clamp: bool) -> Callable[[Any, Any, Any], Any]:
    def shift(low: Any, high: Any, amount: Any) -> Any:
        both = (high.astype(_U64) << _U64(32)) | low.astype(_U64)
        count = np.minimum(amount, _U32(32)) if clamp else amount & _U32(31)
        if left:
            return ((both << count.astype(_U64)) >> _U64(32)).astype(_U32)
        return (both >> count.astype(_U64)).astype(_U32)

    return shift


def _fns(mask: Any, base: Any, offset: Any) -> Any:
    """The n-th set bit from `base` on (n > 0 upwards, n < 0 downwards); all ones if none."""
    mask, base, offset = np.broadcast_arrays(mask, base, offset)
    found = np.full(mask.shape, 0xFFFFFFFF, _U32)
    for direction in (1, -1):
        seen = np.zeros(mask.shape, np.int64)
        for step in range(32):
            position = base.astype(np.int64) + direction * step
            valid = (position >= 0) & (position < 32)
            place = np.where(valid, position, 0).astype(_U32)
            bit = valid & (((mask >> place) & _U32(1)) != 0)
            seen = seen + bit
            wanted = direction * offset.astype(np.int64)
            hit = bit & (wanted > 0) & (seen == wanted)
            found = np.where(hit, place, found)
    own = ((mask >> (base & _U32(31))) & _U32(1)) != 0
    return np.where((offset == 0) & own & (base < 32), base, found).astype(_U32)[()]


def _dot(name: str, unsigned: bool) -> Callable[[Any, Any, Any], Any]:
    byte, half = (np.uint8, np.uint16) if unsigned else (np.int8, np.int16)

    def dot(x: Any, y: Any, z: Any) -> Any:
        bits_x, bits_y = x.astype(_U32), y.astype(_U32)
        total: Any = z.astype(_I64)
        for i in range(4 if name == "__dp4a" else 2):
            if name == "__dp4a":
                first = (bits_x >> _U32(8 * i)).astype(byte)
            else:
                first = (bits_x >> _U32(16 * i)).astype(half)
            at = i + (2 if name == "__dp2a_hi" else 0)
            second = (bits_y >> _U32(8 * at)).astype(byte)
            total = total + first.astype(_I64) * second.astype(_I64)
        return total.astype(z.dtype)

    return dot


_TABLE: dict[str, Callable[..., Any]] = {
    "min": np.minimum, "max": np.maximum, "abs": np.abs,
    "__popc": popc, "__popcll": popc, "__clz": clz32, "__clzll": clz64,
    "__ffs": ffs, "__ffsll": ffs, "__brev": brev32, "__brevll": brev64,
    "__byte_perm": byte_perm, "__mul24": _mul24, "__umul24": _umul24,
    "__mulhi": mulhi32, "__umulhi": umulhi32, "__mul64hi": mulhi64, "__umul64hi": umulhi64,
    "__hadd": _average(_I64, 0), "__rhadd": _average(_I64, 1),
    "__uhadd": _average(_U64, 0), "__urhadd": _average(_U64, 1),
    "__sad": _sad, "__usad": _sad,
    "__funnelshift_l": _funnel(True, False), "__funnelshift_lc": _funnel(True, True),
    "__funnelshift_r": _funnel(False, False), "__funnelshift_rc": _funnel(False, True),
    "__fns": _fns, "__dp4a": _sad, "__dp2a_lo": _sad, "__dp2a_hi": _sad,
}  # fmt: skip
