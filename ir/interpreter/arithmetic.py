"""C's operators on registers: what NumPy does differently from a GPU is put right here.

    7 / -2 == -3        INT_MIN / -1 == INT_MIN        x / 0 == x % 0 == all ones (as NVIDIA's code)
    x << 40 == 0        (int8)-1 >> 9 == -1            (int)3e9f == INT_MAX, (int)NaN == 0

Additions, subtractions, products and bit operations wrap in NumPy as they do in C, so they are not
here. A float becomes an 8- or 16-bit integer by way of 32 bits (saturating, then cut off).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter.kinds import Kind, round_bf16, round_to_odd_f32

Unary = Callable[[Any], Any]


def divide_unsigned(x: Any, y: Any) -> Any:
    """x / y for unsigned integers; all ones where y is 0."""
    ones = ~x.dtype.type(0)
    if type(y) is not ndarray:
        if y == 0:
            return np.full_like(x, ones) if type(x) is ndarray else ones
        return x // y
    if y.all():
        return x // y
    zero = y == 0
    return np.where(zero, ones, x // np.where(zero, y.dtype.type(1), y))


def modulo_unsigned(x: Any, y: Any) -> Any:
    """x % y for unsigned integers; all ones where y is 0."""
    ones = ~x.dtype.type(0)
    if type(y) is not ndarray:
        if y == 0:
            return np.full_like(x, ones) if type(x) is ndarray else ones
        if y & (y - y.dtype.type(1)) == 0:
            return x & (y - y.dtype.type(1))
        return x - (x // y) * y
    if y.all():
        return x % y
    zero = y == 0
    return np.where(zero, ones, x % np.where(zero, y.dtype.type(1), y))


def divide_signed(x: Any, y: Any) -> Any:
    """x / y truncated towards zero; -1 where y is 0; INT_MIN / -1 wraps."""
    if type(y) is ndarray:
        if not y.all():
            zero = y == 0
            safe = divide_signed(x, np.where(zero, y.dtype.type(1), y))
            return np.where(zero, y.dtype.type(-1), safe)
    elif y == 0:
        minus = x.dtype.type(-1)
        return np.full_like(x, minus) if type(x) is ndarray else minus
    elif y == -1:
        return -x
    floor = x // y
    if type(x) is ndarray:
        if x.size and x.min() >= 0 and (y > 0 if type(y) is not ndarray else y.min() > 0):
            return floor
    elif type(y) is not ndarray and x >= 0 and y > 0:
        return floor
    # Floor and truncation differ by one where the signs differ and the division is inexact.
    inexact = (x - floor * y) != 0
    quotient = floor + (inexact & ((x < 0) != (y < 0))).astype(x.dtype)
    if type(y) is ndarray:
        # NumPy's INT_MIN // -1 is platform-dependent; C's product -x wraps to INT_MIN.
        return np.where(y == -1, -x, quotient)
    return quotient


def modulo_signed(x: Any, y: Any) -> Any:
    """x % y with the sign of x; -1 where y is 0."""
    if type(y) is ndarray:
        if not y.all():
            zero = y == 0
            safe = modulo_signed(x, np.where(zero, y.dtype.type(1), y))
            return np.where(zero, y.dtype.type(-1), safe)
    elif y == 0:
        minus = x.dtype.type(-1)
        return np.full_like(x, minus) if type(x) is ndarray else minus
    return x - divide_signed(x, y) * y


def shift_left(x: Any, amount: Any) -> Any:
    """x << amount; 0 from the width of x on (a negative amount counts as huge)."""
    bits = x.dtype.itemsize * 8
    if type(amount) is not ndarray:
        if not 0 <= amount < bits:
            return np.zeros_like(x) if type(x) is ndarray else x.dtype.type(0)
        return x << x.dtype.type(amount)
    wide = (amount < 0) | (amount >= bits)
    shifted = x << np.where(wide, amount.dtype.type(0), amount).astype(x.dtype)
    return np.where(wide, x.dtype.type(0), shifted)


def shift_right(x: Any, amount: Any) -> Any:
    """x >> amount, arithmetic for signed types; the sign (or 0) from the width of x on."""
    bits = x.dtype.itemsize * 8
    signed = x.dtype.kind == "i"
    if type(amount) is not ndarray:
        if not 0 <= amount < bits:
            if signed:
                return x >> x.dtype.type(bits - 1)
            return np.zeros_like(x) if type(x) is ndarray else x.dtype.type(0)
        return x >> x.dtype.type(amount)
    wide = (amount < 0) | (amount >= bits)
    if signed:
        return x >> np.where(wide, amount.dtype.type(bits - 1), amount).astype(x.dtype)
    shifted = x >> np.where(wide, amount.dtype.type(0), amount).astype(x.dtype)
    return np.where(wide, x.dtype.type(0), shifted)


# --- Conversions --------------------------------------------------------------------------------


def float_to_integer(target: Kind) -> Unary:
    """A float (already integral or to be truncated) -> integer, as PTX cvt.rzi does."""
    if target.bits < 32:
        via = np.int32 if target.is_signed else np.uint32
        narrow = target.register
        return lambda x: _saturate(x, via).astype(narrow)
    wide = target.register
    return lambda x: _saturate(x, wide)


def _saturate(x: Any, target: type[np.generic]) -> Any:
    info = np.iinfo(target)  # type: ignore[type-var]
    if type(x) is not ndarray:
        if x != x:
            return target(0)
        value = min(max(int(x), info.min), info.max) if abs(x) != np.inf else (
            info.max if x > 0 else info.min
        )  # fmt: skip
        return target(value)
    if x.dtype == np.float16:
        x = x.astype(np.float32)
    # 2**bits is exact in any float type, so `below` is exact although info.max may not be.
    limit = x.dtype.type(2.0 ** (info.bits - (1 if info.min else 0)))
    low = -limit if info.min else x.dtype.type(0)
    inside = (x > low - 1) & (x < limit) if info.bits < 64 else (x >= low) & (x < limit)
    if inside.all():
        return x.astype(target)
    safe = np.where(inside, x, x.dtype.type(0)).astype(target)
    safe[x >= limit] = info.max
    safe[x <= low] = info.min
    return safe


def convert(source: Kind, target: Kind) -> Unary | str | None:
    """How a register of `source` becomes one of `target`: a function, a NumPy type's name, or None.

    None: nothing to do. A string: `.astype` of that type is exact C.
    """
    if source == target:
        return None
    if target.name == "bool":
        return lambda x: x != 0
    if target.is_float:
        return _to_float(source, target)
    if source.is_float:
        return float_to_integer(target)
    return target.register.__name__


def _to_float(source: Kind, target: Kind) -> Unary | str | None:
    if target.register is source.register and (target.oracle or target.name == source.name):
        return None
    if target.oracle or target.name in ("f64", "f32") or source.name == "bool":
        return target.register.__name__
    if target.name == "f16":
        if source.name in ("f32", "bf16", "f64"):
            return "float16"
        # NumPy rounds an integer to half by way of double: exact, since half ends at 65504.
        return lambda x: x.astype(np.float64).astype(np.float16)
    if source.name in ("f16", "i8", "u8", "i16", "u16"):
        return lambda x: round_bf16(x.astype(np.float32))
    if source.name == "f32":
        return round_bf16
    if source.is_integer and source.bits == 64:
        return lambda x: round_bf16(_integer_to_odd_f32(x))
    return lambda x: round_bf16(round_to_odd_f32(x.astype(np.float64)))


def _integer_to_odd_f32(x: Any) -> Any:
    """A 64-bit integer -> f32 rounded to odd (so that bf16 rounds once)."""
    near = np.asarray(x).astype(np.float64)
    # The integer minus its nearest double tells on which side of it the integer lies.
    back = np.where(np.abs(near) >= 2.0**63, np.sign(near) * 2.0**63, near)
    delta = np.asarray(x).astype(object) - np.vectorize(int, otypes=[object])(back)
    nudged = np.where(delta == 0, near, np.nextafter(near, np.where(delta > 0, np.inf, -np.inf)))
    return round_to_odd_f32(nudged.astype(np.float64))


def bitcast(source: Kind, target: Kind) -> Unary | None:
    """The same bits as another kind of the same size; None if the register stays as it is."""
    assert source.size == target.size, (source, target)
    if source == target:
        return None
    encode, decode, memory = source.encode, target.decode, target.memory

    def change(x: Any) -> Any:
        return decode(encode(x).view(memory))

    return change


# --- Exact arithmetic on floats ------------------------------------------------------------------


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b as rounded sum and exact error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """a * b as rounded product and exact error (Dekker), barring overflow and underflow."""
    product = a * b
    ah, al = _halves(a)
    bh, bl = _halves(b)
    return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = a * 134217729.0
    high = scaled - (scaled - a)
    return high, a - high


def odd_sum(a: Any, b: Any) -> Any:
    """a + b in f64, made odd where inexact: rounding it again to f32 or less is exact."""
    total, error = two_sum(np.asarray(a, np.float64), np.asarray(b, np.float64))
    bits = total.view(np.int64)
    inexact = (error != 0) & np.isfinite(total)
    even = inexact & ((bits & 1) == 0)
    # The neighbour on the side of the error; both neighbours of an even number are odd.
    towards = np.where((error > 0) == (total > 0), np.int64(1), np.int64(-1))
    return np.where(even, bits + towards, bits).view(np.float64)


def fma_narrow(a: Any, b: Any, c: Any) -> Any:
    """a*b + c in f64, such that rounding to f32, f16 or bf16 rounds once."""
    product = a.astype(np.float64) * b.astype(np.float64)  # exact: 24 + 24 bits
    return odd_sum(product, c.astype(np.float64))


def fma_f32(a: Any, b: Any, c: Any) -> Any:
    """fmaf: one rounding."""
    return _scalar_again(fma_narrow(a, b, c).astype(np.float32), a, b, c)


def fma_f16(a: Any, b: Any, c: Any) -> Any:
    """__hfma on half: one rounding."""
    return _scalar_again(fma_narrow(a, b, c).astype(np.float16), a, b, c)


def fma_bf16(a: Any, b: Any, c: Any) -> Any:
    """__hfma on bf16: one rounding."""
    odd = round_to_odd_f32(fma_narrow(a, b, c))
    return _scalar_again(np.asarray(round_bf16(np.asarray(odd))), a, b, c)


def fma_f64(a: Any, b: Any, c: Any) -> Any:
    """fma: one rounding (Boldo and Melquiond; extreme exponents by exact fractions)."""
    a, b, c = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (a, b, c)))
    high, low = two_product(a, b)
    sum_high, sum_low = two_sum(c, low)
    value_high, value_low = two_sum(high, sum_high)
    result = value_high + odd_sum(sum_low, value_low)
    # Where a product or its error may leave the range of double, or one is not finite.
    extreme = ~(_plain(a) & _plain(b) & _plain(c)) | ((a * b) == 0) | (a == 0) | (b == 0)
    if extreme.any():
        flat = np.array(result, ndmin=1)
        for i in np.flatnonzero(np.atleast_1d(extreme)):
            flat[i] = fma_exact(
                float(a.reshape(-1)[i]), float(b.reshape(-1)[i]), float(c.reshape(-1)[i])
            )
        result = flat.reshape(np.shape(result))
    return result if np.ndim(result) else np.float64(result)


def _plain(x: Any) -> Any:
    size = np.abs(x)
    return (size == 0) | ((size > 1e-120) & (size < 1e120))


def fma_exact(a: float, b: float, c: float) -> float:
    """fma on Python floats, by exact rational arithmetic."""
    from fractions import Fraction
    from math import copysign, inf, isfinite, nan

    if not (isfinite(a) and isfinite(b) and isfinite(c)):
        product = a * b if isfinite(a) and isfinite(b) else _infinite_product(a, b)
        return nan if product != product else (
            product + c if not (isfinite(a) and isfinite(b)) else c
        )  # fmt: skip
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        # The sign of an exact zero is that of the IEEE sum of the (signed) operands.
        sign = copysign(1.0, a) * copysign(1.0, b)
        if a == 0 or b == 0:
            return sign * 0.0 + c
        return 0.0
    try:
        return copysign(float(exact), 1.0 if exact > 0 else -1.0)
    except OverflowError:
        return inf if exact > 0 else -inf


def _infinite_product(a: float, b: float) -> float:
    return a * b


def _scalar_again(result: Any, *operands: Any) -> Any:
    if any(type(o) is ndarray for o in operands):
        return result
    return result[()] if type(result) is ndarray else result
