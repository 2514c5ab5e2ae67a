"""Integers: conversions, shifts, bits, bytes."""

from __future__ import annotations

INTEGERS: dict[str, str] = {
    "_to_int": '''
@triton.jit
def _to_int(x, dtype: tl.constexpr):
    """Truncate as CUDA does: out of range saturates, NaN gives 0."""
    bits: tl.constexpr = dtype.primitive_bitwidth
    signed: tl.constexpr = dtype.is_int_signed()
    low: tl.constexpr = -(2.0 ** (bits - 1)) if signed else 0.0
    high: tl.constexpr = 2.0 ** (bits - 1) if signed else 2.0**bits
    smallest: tl.constexpr = -(2 ** (bits - 1)) if signed else 0
    largest: tl.constexpr = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    inside = (x > low) & (x < high)
    result = tl.where(inside, x, 0.0).to(dtype)
    result = tl.where(x >= high, tl.full((), largest, dtype), result)
    return tl.where(x <= low, tl.full((), smallest, dtype), result)
''',
    "_shift_left": '''
@triton.jit
def _shift_left(x, amount, BITS: tl.constexpr):
    """Shift as the hardware does: by the width or more gives 0."""
    inside = (amount >= 0) & (amount < BITS)
    return tl.where(inside, x << (amount & (BITS - 1)).to(x.dtype), tl.zeros_like(x))
''',
    "_shift_right": '''
@triton.jit
def _shift_right(x, amount, BITS: tl.constexpr):
    """Shift as the hardware does: by the width or more gives 0, or the sign."""
    inside = (amount >= 0) & (amount < BITS)
    far = (x >> (BITS - 1)) if x.dtype.is_int_signed() else tl.zeros_like(x)
    return tl.where(inside, x >> (amount & (BITS - 1)).to(x.dtype), far)
''',
    "_popc": '''
@triton.jit
def _popc(x):
    """The number of one bits of a 32-bit integer."""
    x = x.to(tl.uint32)
    x = x - ((x >> 1) & 0x55555555)
    x = (x & 0x33333333) + ((x >> 2) & 0x33333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F
    return ((x * 0x01010101) >> 24).to(tl.int32)
''',
    "_popcll": '''
@triton.jit
def _popcll(x):
    """The number of one bits of a 64-bit integer."""
    x = x.to(tl.uint64)
    return _popc((x >> 32).to(tl.uint32)) + _popc(x.to(tl.uint32))
''',
    "_clz": '''
@triton.jit
def _clz(x):
    """The number of leading zero bits of a 32-bit integer."""
    x = x.to(tl.uint32)
    x = x | (x >> 1)
    x = x | (x >> 2)
    x = x | (x >> 4)
    x = x | (x >> 8)
    x = x | (x >> 16)
    return 32 - _popc(x)
''',
    "_clzll": '''
@triton.jit
def _clzll(x):
    """The number of leading zero bits of a 64-bit integer."""
    high = (x.to(tl.uint64) >> 32).to(tl.uint32)
    return tl.where(high != 0, _clz(high), 32 + _clz(x.to(tl.uint32)))
''',
    "_ffs": '''
@triton.jit
def _ffs(x):
    """The position of the lowest one bit, from 1; 0 if there is none."""
    x = x.to(tl.uint32)
    return tl.where(x != 0, _popc(x ^ (x - 1)), 0)
''',
    "_ffsll": '''
@triton.jit
def _ffsll(x):
    """The position of the lowest one bit, from 1; 0 if there is none."""
    x = x.to(tl.uint64)
    return tl.where(x != 0, _popcll(x ^ (x - 1)), 0)
''',
    "_brev": '''
@triton.jit
def _brev(x):
    """The bits of a 32-bit integer in reverse order."""
    x = ((x >> 1) & 0x55555555) | ((x & 0x55555555) << 1)
    x = ((x >> 2) & 0x33333333) | ((x & 0x33333333) << 2)
    x = ((x >> 4) & 0x0F0F0F0F) | ((x & 0x0F0F0F0F) << 4)
    x = ((x >> 8) & 0x00FF00FF) | ((x & 0x00FF00FF) << 8)
    return (x >> 16) | (x << 16)
''',
    "_mul24": '''
@triton.jit
def _mul24(x, y):
    """The low 32 bits of the product of two sign-extended 24-bit integers."""
    return ((x << 8) >> 8) * ((y << 8) >> 8)
''',
    "_funnel_left": '''
@triton.jit
def _funnel_left(low, high, shift):
    """The upper word of `high:low` shifted left by `shift & 31`."""
    both = (high.to(tl.uint64) << 32) | low.to(tl.uint64)
    return ((both << (shift & 31).to(tl.uint64)) >> 32).to(tl.uint32)
''',
    "_funnel_right": '''
@triton.jit
def _funnel_right(low, high, shift):
    """The lower word of `high:low` shifted right by `shift & 31`."""
    both = (high.to(tl.uint64) << 32) | low.to(tl.uint64)
    return (both >> (shift & 31).to(tl.uint64)).to(tl.uint32)
''',
    "_byte_perm": '''
@triton.jit
def _byte_perm(x, y, selector):
    """Four bytes picked from `y:x` by the selector's nibbles; bit 3 replicates the sign."""
    both = (y.to(tl.uint64) << 32) | x.to(tl.uint64)
    result = (x & 0).to(tl.uint64)
    for i in tl.static_range(4):
        nibble = ((selector >> (4 * i)) & 15).to(tl.uint64)
        byte = (both >> ((nibble & 7) * 8)) & 255
        byte = tl.where((nibble & 8) != 0, (byte >> 7) * 255, byte)
        result = result | (byte << (8 * i))
    return result.to(tl.uint32)
''',
    "_dp4a": '''
@triton.jit
def _dp4a(x, y, total):
    """Dot product of four bytes each, signed or unsigned by the words' type, plus a total."""
    for i in tl.static_range(4):
        if x.dtype.is_int_signed():
            total += ((x << (24 - 8 * i)) >> 24) * ((y << (24 - 8 * i)) >> 24)
        else:
            total += ((x >> (8 * i)) & 255) * ((y >> (8 * i)) & 255)
    return total
''',
    "_divisor": '''
@triton.jit
def _divisor(x):
    """1 where it is 0: lanes that rest divide as well, by nothing that is undefined."""
    return x + (x == 0).to(x.dtype)
''',
}
