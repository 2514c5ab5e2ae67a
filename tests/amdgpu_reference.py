"""What each opcode should compute, one lane at a time, from the ISA guides and IEEE 754.

Independent of the emulator: integers are Python's, floats are exact fractions rounded once (or
NumPy's own correctly rounded operations). Nothing here reads AMD's pseudocode or the emulator's C.

`VECTOR[name](sources, old, carry, literal)` gives the result's bits, or (bits, carry out), or a
bool for a comparison. `SCALAR[name](s0, s1, old, scc, exec)` gives (result or None, scc or None,
exec or None).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

# ---- numbers as bits


def signed(x: int, bits: int) -> int:
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


FORMATS = {16: (5, 10), 32: (8, 23), 64: (11, 52)}
_TYPES: dict[int, Any] = {16: np.float16, 32: np.float32, 64: np.float64}


def to_float(x: int, bits: int) -> float:
    return float(np.array(x & ((1 << bits) - 1), f"u{bits // 8}").view(_TYPES[bits]))


def is_nan(x: int, bits: int) -> bool:
    return math.isnan(to_float(x, bits))


def from_fraction(value: Fraction, bits: int, negative_zero: bool = False) -> int:
    """Round to nearest even, from an exact value."""
    exponent_bits, mantissa = FORMATS[bits]
    bias = (1 << (exponent_bits - 1)) - 1
    if value == 0:
        return (1 << (bits - 1)) if negative_zero else 0
    sign, magnitude = (1, -value) if value < 0 else (0, value)
    e = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** e > magnitude:
        e -= 1
    e = max(e, 1 - bias)
    scaled = magnitude / Fraction(2) ** (e - mantissa)
    low = scaled.numerator // scaled.denominator
    rest = scaled - low
    if rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low & 1):
        low += 1
    if low >= 2 << mantissa:
        low >>= 1
        e += 1
    if e > bias:
        return sign << (bits - 1) | ((1 << exponent_bits) - 1) << mantissa
    raw = low if low < 1 << mantissa else (e + bias) << mantissa | (low - (1 << mantissa))
    return sign << (bits - 1) | raw


def from_float(value: float, bits: int) -> int:
    with np.errstate(all="ignore"):
        return int(np.array(value).astype(_TYPES[bits]).view(f"u{bits // 8}"))


def arithmetic(op: str, a: int, b: int, bits: int) -> int:
    """a op b, correctly rounded: NumPy's operations are."""
    t = _TYPES[bits]
    x, y = t(to_float(a, bits)), t(to_float(b, bits))
    with np.errstate(all="ignore"):
        result = {"+": x + y, "-": x - y, "*": x * y}[op]
    return int(np.array(result, t).view(f"u{bits // 8}"))


def fma(a: int, b: int, c: int, bits: int) -> int:
    x, y, z = (to_float(v, bits) for v in (a, b, c))
    if not all(math.isfinite(v) for v in (x, y, z)):
        with np.errstate(all="ignore"):
            product = np.float64(x) * np.float64(y)
            if math.isfinite(x) and math.isfinite(y):
                product = np.float64(0)
            return from_float(float(product + np.float64(z)), bits)
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    zero_sign = math.copysign(1, x) * math.copysign(1, y)
    negative = exact == 0 and zero_sign < 0 and math.copysign(1, z) < 0
    return from_fraction(exact, bits, negative)


def minimum(a: int, b: int, bits: int, *, most: bool) -> int:
    """minNum/maxNum with ordered zeros; IEEE mode: a signalling NaN gives a quiet NaN."""
    quiet_bit = 1 << (FORMATS[bits][1] - 1)
    for candidate in (a, b):
        if is_nan(candidate, bits) and not candidate & quiet_bit:
            return candidate | quiet_bit
    if is_nan(a, bits):
        return b
    if is_nan(b, bits):
        return a
    x, y = to_float(a, bits), to_float(b, bits)
    if x == y:
        first_negative = bool(a >> (bits - 1))
        return b if first_negative == most else a
    return a if (x > y) == most else b


def to_integer(x: float, low: int, high: int) -> int:
    if math.isnan(x):
        return 0
    if x <= low:
        return low
    if x >= high:
        return high
    return math.trunc(x)


# ---- vector opcodes

Reference = Callable[[list[int], int, int, int], Any]
VECTOR: dict[str, Any] = {}
APPROXIMATE: dict[str, tuple[int, Callable[[float], float]]] = {}
"""name -> (bits, exact function): allowed to differ by one unit in the last place."""


def _add(name: str, function: Callable[..., Any]) -> None:
    """A function of as many sources as it takes."""
    count = function.__code__.co_argcount
    VECTOR[name] = lambda s, old, carry, literal: function(*s[:count])


M32, M64, M16 = 0xFFFFFFFF, (1 << 64) - 1, 0xFFFF


def _integers() -> None:
    _add("v_mov_b32", lambda a: a)
    _add("v_mov_b64", lambda a: a)
    _add("v_not_b32", lambda a: ~a & M32)
    _add("v_bfrev_b32", lambda a: int(f"{a:032b}"[::-1], 2))
    _add("v_ffbh_u32", lambda a: 32 - a.bit_length() if a else M32)
    _add("v_ffbl_b32", lambda a: (a & -a).bit_length() - 1 if a else M32)
    _add("v_ffbh_i32", lambda a: _leading_same(a))
    _add("v_and_b32", lambda a, b: a & b)
    _add("v_or_b32", lambda a, b: a | b)
    _add("v_xor_b32", lambda a, b: a ^ b)
    _add("v_xnor_b32", lambda a, b: ~(a ^ b) & M32)
    _add("v_lshlrev_b32", lambda a, b: b << (a & 31) & M32)
    _add("v_lshrrev_b32", lambda a, b: b >> (a & 31))
    _add("v_ashrrev_i32", lambda a, b: signed(b, 32) >> (a & 31) & M32)
    _add("v_lshlrev_b64", lambda a, b: b << (a & 63) & M64)
    _add("v_lshrrev_b64", lambda a, b: b >> (a & 63))
    _add("v_ashrrev_i64", lambda a, b: signed(b, 64) >> (a & 63) & M64)
    _add("v_lshlrev_b16", lambda a, b: b << (a & 15) & M16)
    _add("v_lshrrev_b16", lambda a, b: (b & M16) >> (a & 15))
    _add("v_ashrrev_i16", lambda a, b: signed(b, 16) >> (a & 15) & M16)
    for t in ("u32", "i32", "u16", "i16"):
        bits = int(t[1:])
        mask = (1 << bits) - 1
        _add(f"v_add_{t}", lambda a, b, m=mask: a + b & m)
        _add(f"v_sub_{t}", lambda a, b, m=mask: a - b & m)
        _add(f"v_subrev_{t}", lambda a, b, m=mask: b - a & m)
        VECTOR[f"v_add_{t}"] = lambda s, o, c, k, m=mask: s[0] + s[1] & m
        VECTOR[f"v_sub_{t}"] = lambda s, o, c, k, m=mask: s[0] - s[1] & m
        VECTOR[f"v_subrev_{t}"] = lambda s, o, c, k, m=mask: s[1] - s[0] & m
        for stem, pick in (("min", min), ("max", max)):
            VECTOR[f"v_{stem}_{t}"] = _extreme(pick, t, 2)
            VECTOR[f"v_{stem}3_{t}"] = _extreme(pick, t, 3)
        if t[0] == "u":
            VECTOR[f"v_med3_{t}"] = lambda s, o, c, k, m=mask: sorted(x & m for x in s[:3])[1]
        else:
            VECTOR[f"v_med3_{t}"] = lambda s, o, c, k, n=bits, m=mask: (
                sorted(signed(x, n) for x in s[:3])[1] & m
            )
    _add("v_add_co_u32", lambda a, b: (a + b & M32, int(a + b > M32)))
    _add("v_sub_co_u32", lambda a, b: (a - b & M32, int(b > a)))
    _add("v_subrev_co_u32", lambda a, b: (b - a & M32, int(a > b)))
    VECTOR["v_addc_co_u32"] = lambda s, o, c, k: (s[0] + s[1] + c & M32, int(s[0] + s[1] + c > M32))
    VECTOR["v_subb_co_u32"] = lambda s, o, c, k: (s[0] - s[1] - c & M32, int(s[1] + c > s[0]))
    VECTOR["v_subbrev_co_u32"] = lambda s, o, c, k: (s[1] - s[0] - c & M32, int(s[0] + c > s[1]))
    VECTOR["v_cndmask_b32"] = lambda s, o, c, k: s[1] if c else s[0]
    _add("v_mul_lo_u32", lambda a, b: a * b & M32)
    _add("v_mul_hi_u32", lambda a, b: a * b >> 32)
    _add("v_mul_hi_i32", lambda a, b: signed(a, 32) * signed(b, 32) >> 32 & M32)
    _add("v_mul_lo_u16", lambda a, b: a * b & M16)
    _add("v_mul_u32_u24", lambda a, b: (a & 0xFFFFFF) * (b & 0xFFFFFF) & M32)
    _add("v_mul_i32_i24", lambda a, b: signed(a, 24) * signed(b, 24) & M32)
    _add("v_mul_hi_u32_u24", lambda a, b: (a & 0xFFFFFF) * (b & 0xFFFFFF) >> 32)
    _add("v_mul_hi_i32_i24", lambda a, b: signed(a, 24) * signed(b, 24) >> 32 & M32)
    _add("v_mad_u32_u24", lambda a, b, c: (a & 0xFFFFFF) * (b & 0xFFFFFF) + c & M32)
    _add("v_mad_i32_i24", lambda a, b, c: signed(a, 24) * signed(b, 24) + c & M32)
    _add("v_mad_u32_u16", lambda a, b, c: (a & M16) * (b & M16) + c & M32)
    _add("v_mad_i32_i16", lambda a, b, c: signed(a, 16) * signed(b, 16) + c & M32)
    for name in ("v_mad_u16", "v_mad_i16", "v_mad_legacy_u16", "v_mad_legacy_i16"):
        _add(name, lambda a, b, c: a * b + c & M16)
    _add("v_mad_u64_u32", lambda a, b, c: (a * b + c & M64, int(a * b + c > M64)))
    VECTOR["v_mad_i64_i32"] = lambda s, o, c, k: (
        signed(s[0], 32) * signed(s[1], 32) + signed(s[2], 64) & M64,
        signed(s[0], 32) * signed(s[1], 32) + signed(s[2], 64) >> 64 & 1,
    )
    _add("v_bfe_u32", lambda a, b, c: a >> (b & 31) & ((1 << (c & 31)) - 1))
    _add("v_bfe_i32", lambda a, b, c: _bfe_i32(a, b & 31, c & 31))
    _add("v_bfi_b32", lambda a, b, c: a & b | ~a & c & M32)
    _add("v_bfm_b32", lambda a, b: ((1 << (a & 31)) - 1) << (b & 31) & M32)
    _add("v_alignbit_b32", lambda a, b, c: (a << 32 | b) >> (c & 31) & M32)
    _add("v_alignbyte_b32", lambda a, b, c: (a << 32 | b) >> 8 * (c & 3) & M32)
    _add("v_lshl_add_u32", lambda a, b, c: (a << (b & 31)) + c & M32)
    _add("v_add_lshl_u32", lambda a, b, c: (a + b & M32) << (c & 31) & M32)
    _add("v_add3_u32", lambda a, b, c: a + b + c & M32)
    _add("v_lshl_or_b32", lambda a, b, c: a << (b & 31) & M32 | c)
    _add("v_and_or_b32", lambda a, b, c: a & b | c)
    _add("v_or3_b32", lambda a, b, c: a | b | c)
    _add("v_xad_u32", lambda a, b, c: (a ^ b) + c & M32)
    _add("v_lshl_add_u64", lambda a, b, c: (a << (b & 7)) + c & M64)
    _add("v_bcnt_u32_b32", lambda a, b: a.bit_count() + b & M32)
    _add("v_perm_b32", _perm)
    _add("v_sad_u8", lambda a, b, c: c + sum(abs(x - y) for x, y in _byte_pairs(a, b)) & M32)
    _add(
        "v_sad_hi_u8",
        lambda a, b, c: (sum(abs(x - y) for x, y in _byte_pairs(a, b)) << 16) + c & M32,
    )
    _add(
        "v_sad_u16",
        lambda a, b, c: abs((a & M16) - (b & M16)) + abs((a >> 16) - (b >> 16)) + c & M32,
    )
    _add("v_sad_u32", lambda a, b, c: abs(a - b) + c & M32)
    _add("v_msad_u8", lambda a, b, c: c + sum(abs(x - y) for x, y in _byte_pairs(a, b) if y) & M32)
    _add("v_lerp_u8", _lerp)
    _add("v_qsad_pk_u16_u8", lambda a, b, c: _quad_sad(a, b, c, masked=False))
    _add("v_mqsad_pk_u16_u8", lambda a, b, c: _quad_sad(a, b, c, masked=True))
    _add("v_sat_pk_u8_i16", lambda a: _sat8(a) | _sat8(a >> 16) << 8)
    _add("v_cvt_pk_u16_u32", lambda a, b: min(a, M16) | min(b, M16) << 16)
    _add("v_cvt_pk_i16_i32", lambda a, b: _sat16(a) | _sat16(b) << 16)
    _add("v_pack_b32_f16", lambda a, b: a & M16 | (b & M16) << 16)
    VECTOR["v_mbcnt_lo_u32_b32"] = lambda s, o, lane, k: (
        (s[0] & ((1 << min(lane, 32)) - 1)).bit_count() + s[1] & M32
    )
    VECTOR["v_mbcnt_hi_u32_b32"] = lambda s, o, lane, k: (
        (s[0] & ((1 << max(lane - 32, 0)) - 1)).bit_count() + s[1] & M32
    )


def _extreme(pick: Callable[..., int], type_: str, count: int) -> Reference:
    """min or max of two or three integers."""
    bits = int(type_[1:])
    mask = (1 << bits) - 1

    def inner(s: list[int], old: int, carry: int, literal: int) -> int:
        if type_[0] == "u":
            return pick(x & mask for x in s[:count])
        return pick(signed(x, bits) for x in s[:count]) & mask

    return inner


def _leading_same(a: int) -> int:
    x = a ^ M32 if a >> 31 else a
    return 32 - x.bit_length() if x else M32


def _bfe_i32(a: int, at: int, count: int) -> int:
    if not count:
        return 0
    return signed(signed(a, 32) >> at & ((1 << count) - 1), count) & M32


def _byte_pairs(a: int, b: int) -> list[tuple[int, int]]:
    return [(a >> k & 255, b >> k & 255) for k in range(0, 32, 8)]


def _perm(a: int, b: int, sel: int) -> int:
    data, out = a << 32 | b, 0
    for k in range(4):
        s = sel >> 8 * k & 255
        if s >= 13:
            byte = 255
        elif s == 12:
            byte = 0
        elif s >= 8:
            byte = 255 * (data >> (16 * (s - 8) + 15) & 1)
        else:
            byte = data >> 8 * s & 255
        out |= byte << 8 * k
    return out


def _lerp(a: int, b: int, c: int) -> int:
    out = 0
    for k in range(0, 32, 8):
        out |= ((a >> k & 255) + (b >> k & 255) + (c >> k & 1) >> 1) << k
    return out


def _quad_sad(a: int, b: int, c: int, *, masked: bool) -> int:
    out = 0
    for k in range(4):
        pairs = _byte_pairs(a >> 8 * k & M32, b)
        total = sum(abs(x - y) for x, y in pairs if y or not masked)
        out |= (total + (c >> 16 * k & M16) & M16) << 16 * k
    return out


def _sat8(x: int) -> int:
    return max(0, min(255, signed(x, 16)))


def _sat16(x: int) -> int:
    return max(-32768, min(32767, signed(x, 32))) & M16


def _floats() -> None:
    for bits in (16, 32, 64):
        t = f"f{bits}"
        for stem, op in (("add", "+"), ("mul", "*"), ("sub", "-")):
            VECTOR[f"v_{stem}_{t}"] = lambda s, o, c, k, p=op, n=bits: arithmetic(p, s[0], s[1], n)
        VECTOR[f"v_subrev_{t}"] = lambda s, o, c, k, n=bits: arithmetic("-", s[1], s[0], n)
        VECTOR[f"v_fma_{t}"] = lambda s, o, c, k, n=bits: fma(s[0], s[1], s[2], n)
        VECTOR[f"v_fmac_{t}"] = lambda s, o, c, k, n=bits: fma(s[0], s[1], o, n)
        VECTOR[f"v_fmamk_{t}"] = lambda s, o, c, k, n=bits: fma(s[0], k, s[1], n)
        VECTOR[f"v_fmaak_{t}"] = lambda s, o, c, k, n=bits: fma(s[0], s[1], k, n)
        for stem, most in (("min", False), ("max", True)):
            VECTOR[f"v_{stem}_{t}"] = lambda s, o, c, k, m=most, n=bits: minimum(
                s[0], s[1], n, most=m
            )
            VECTOR[f"v_{stem}3_{t}"] = lambda s, o, c, k, m=most, n=bits: minimum(
                minimum(s[0], s[1], n, most=m), s[2], n, most=m
            )
        VECTOR[f"v_med3_{t}"] = lambda s, o, c, k, n=bits: _median(s, n)
        rounders = {
            "trunc": math.trunc,
            "ceil": math.ceil,
            "floor": math.floor,
            "rndne": round,
        }
        for stem, function in rounders.items():
            VECTOR[f"v_{stem}_{t}"] = lambda s, o, c, k, f=function, n=bits: _integral(s[0], n, f)
        VECTOR[f"v_fract_{t}"] = lambda s, o, c, k, n=bits: _fract(s[0], n)
        VECTOR[f"v_frexp_mant_{t}"] = lambda s, o, c, k, n=bits: _frexp(s[0], n)[0]
        integer = "i16" if bits == 16 else "i32"
        VECTOR[f"v_frexp_exp_{integer}_{t}"] = lambda s, o, c, k, n=bits: (
            _frexp(s[0], n)[1] & (M16 if n == 16 else M32)
        )
        VECTOR[f"v_ldexp_{t}"] = lambda s, o, c, k, n=bits: _ldexp(
            s[0], signed(s[1], 16 if n == 16 else 32), n
        )
        VECTOR[f"v_sqrt_{t}"] = lambda s, o, c, k, n=bits: _sqrt(s[0], n)
        for name, test in _COMPARISONS.items():
            for prefix in ("v_cmp", "v_cmpx"):
                VECTOR[f"{prefix}_{name}_{t}"] = lambda s, o, c, k, f=test, n=bits: f(
                    to_float(s[0], n), to_float(s[1], n)
                )
        for prefix in ("v_cmp", "v_cmpx"):
            VECTOR[f"{prefix}_class_{t}"] = lambda s, o, c, k, n=bits: _class(s[0], s[1], n)
    VECTOR["v_mac_f16"] = lambda s, o, c, k: arithmetic("+", arithmetic("*", s[0], s[1], 16), o, 16)
    for name in ("v_mad_f16", "v_mad_legacy_f16"):
        VECTOR[name] = lambda s, o, c, k: arithmetic("+", arithmetic("*", s[0], s[1], 16), s[2], 16)
    VECTOR["v_fma_legacy_f16"] = VECTOR["v_fma_f16"]
    VECTOR["v_madmk_f16"] = lambda s, o, c, k: arithmetic(
        "+", arithmetic("*", s[0], k, 16), s[1], 16
    )
    VECTOR["v_madak_f16"] = lambda s, o, c, k: arithmetic(
        "+", arithmetic("*", s[0], s[1], 16), k, 16
    )
    VECTOR["v_mul_legacy_f32"] = lambda s, o, c, k: (
        0 if to_float(s[0], 32) == 0 or to_float(s[1], 32) == 0 else arithmetic("*", s[0], s[1], 32)
    )
    for t in ("i16", "u16", "i32", "u32", "i64", "u64"):
        bits = int(t[1:])
        for name, relation in _INTEGER_COMPARISONS.items():
            for prefix in ("v_cmp", "v_cmpx"):
                if t[0] == "i":
                    VECTOR[f"{prefix}_{name}_{t}"] = lambda s, o, c, k, f=relation, n=bits: f(
                        signed(s[0], n), signed(s[1], n)
                    )
                else:
                    VECTOR[f"{prefix}_{name}_{t}"] = lambda s, o, c, k, f=relation, n=bits: f(
                        s[0] & (1 << n) - 1, s[1] & (1 << n) - 1
                    )


def _ordered(a: float, b: float) -> bool:
    return not (math.isnan(a) or math.isnan(b))


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "f": lambda a, b: False,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "lg": lambda a, b: _ordered(a, b) and a != b,
    "ge": lambda a, b: a >= b,
    "o": _ordered,
    "u": lambda a, b: not _ordered(a, b),
    "nge": lambda a, b: not a >= b,
    "nlg": lambda a, b: not (_ordered(a, b) and a != b),
    "ngt": lambda a, b: not a > b,
    "nle": lambda a, b: not a <= b,
    "neq": lambda a, b: a != b,
    "nlt": lambda a, b: not a < b,
    "tru": lambda a, b: True,
    "t": lambda a, b: True,
}
_INTEGER_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "f": lambda a, b: False,
    "lt": lambda a, b: a < b,
    "eq": lambda a, b: a == b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ne": lambda a, b: a != b,
    "ge": lambda a, b: a >= b,
    "t": lambda a, b: True,
}


def _median(s: list[int], bits: int) -> int:
    a, b, c = s[:3]
    if any(is_nan(x, bits) for x in (a, b, c)):
        return minimum(minimum(a, b, bits, most=False), c, bits, most=False)
    most = minimum(minimum(a, b, bits, most=True), c, bits, most=True)
    same = to_float(most, bits)
    if to_float(a, bits) == same:
        return minimum(b, c, bits, most=True)
    if to_float(b, bits) == same:
        return minimum(a, c, bits, most=True)
    return minimum(a, b, bits, most=True)


def _integral(x: int, bits: int, function: Callable[[float], int]) -> int:
    value = to_float(x, bits)
    if not math.isfinite(value):
        return x
    return from_float(math.copysign(float(function(value)), value), bits)


def _fract(x: int, bits: int) -> int:
    value = to_float(x, bits)
    if not math.isfinite(value):
        return from_float(math.nan, bits)
    exact = Fraction(value) - math.floor(value)
    largest = Fraction(1) - Fraction(1, 2 ** (FORMATS[bits][1] + 1))
    rounded = from_fraction(exact, bits)
    return from_fraction(largest, bits) if to_float(rounded, bits) >= 1 else rounded


def _frexp(x: int, bits: int) -> tuple[int, int]:
    value = to_float(x, bits)
    if not math.isfinite(value) or value == 0:
        return x, 0
    mantissa, exponent = math.frexp(value)
    return from_float(mantissa, bits), exponent


def _ldexp(x: int, n: int, bits: int) -> int:
    value = to_float(x, bits)
    if not math.isfinite(value) or value == 0:
        return x
    n = max(-5000, min(5000, n))
    return from_fraction(Fraction(value) * Fraction(2) ** n, bits)


def _sqrt(x: int, bits: int) -> int:
    value = to_float(x, bits)
    if bits == 32 and abs(value) < 2.0**-126:
        value = math.copysign(0.0, value)
    if value < 0:
        return from_float(math.nan, bits)
    with np.errstate(all="ignore"):
        return from_float(float(np.sqrt(_TYPES[bits](value))), bits)


def _class(x: int, mask: int, bits: int) -> bool:
    value = to_float(x, bits)
    mantissa = FORMATS[bits][1]
    negative = bool(x >> (bits - 1) & 1)
    tiny = 2.0 ** (1 - ((1 << (FORMATS[bits][0] - 1)) - 1))
    if math.isnan(value):
        bit = 1 if x >> (mantissa - 1) & 1 else 0
    elif math.isinf(value):
        bit = 2 if negative else 9
    elif value == 0:
        bit = 5 if negative else 6
    elif abs(value) < tiny:
        bit = 4 if negative else 7
    else:
        bit = 3 if negative else 8
    return bool(mask >> bit & 1)


def _conversions() -> None:
    def one(name: str, function: Callable[..., int]) -> None:
        VECTOR[name] = lambda s, o, c, k: function(s[0])

    for source in ("f32", "f64", "f16"):
        n = int(source[1:])
        one(
            f"v_cvt_i32_{source}",
            lambda x, n=n: to_integer(to_float(x, n), -(2**31), 2**31 - 1) & M32,
        )
        one(f"v_cvt_u32_{source}", lambda x, n=n: to_integer(to_float(x, n), 0, M32))
    one("v_cvt_u16_f16", lambda x: to_integer(to_float(x, 16), 0, M16))
    one("v_cvt_i16_f16", lambda x: to_integer(to_float(x, 16), -32768, 32767) & M16)
    one("v_cvt_f32_i32", lambda x: from_fraction(Fraction(signed(x, 32)), 32))
    one("v_cvt_f32_u32", lambda x: from_fraction(Fraction(x), 32))
    one("v_cvt_f64_i32", lambda x: from_fraction(Fraction(signed(x, 32)), 64))
    one("v_cvt_f64_u32", lambda x: from_fraction(Fraction(x), 64))
    one("v_cvt_f16_u16", lambda x: from_fraction(Fraction(x & M16), 16))
    one("v_cvt_f16_i16", lambda x: from_fraction(Fraction(signed(x, 16)), 16))
    for a, b in ((16, 32), (32, 16), (32, 64), (64, 32)):
        one(f"v_cvt_f{b}_f{a}", lambda x, a=a, b=b: from_float(to_float(x, a), b))
    for k in range(4):
        one(f"v_cvt_f32_ubyte{k}", lambda x, k=k: from_float(float(x >> 8 * k & 255), 32))
    one("v_cvt_off_f32_i4", lambda x: from_float(signed(x & 15, 4) / 16, 32))
    one("v_cvt_flr_i32_f32", lambda x: _to_i32(x, lambda v: math.floor(v)))
    one(
        "v_cvt_rpi_i32_f32",
        lambda x: _to_i32(arithmetic("+", x, 0x3F000000, 32), lambda v: math.floor(v)),
    )
    one("v_cvt_norm_i16_f16", lambda x: _norm(to_float(x, 16), -1, 32767) & M16)
    one("v_cvt_norm_u16_f16", lambda x: _norm(to_float(x, 16), 0, 65535))

    def two(name: str, function: Callable[..., int]) -> None:
        VECTOR[name] = lambda s, o, c, k: function(s[0]) & M16 | (function(s[1]) & M16) << 16

    two("v_cvt_pknorm_i16_f32", lambda x: _norm(to_float(x, 32), -1, 32767))
    two("v_cvt_pknorm_u16_f32", lambda x: _norm(to_float(x, 32), 0, 65535))
    two("v_cvt_pknorm_i16_f16", lambda x: _norm(to_float(x, 16), -1, 32767))
    two("v_cvt_pknorm_u16_f16", lambda x: _norm(to_float(x, 16), 0, 65535))
    two("v_cvt_pkrtz_f16_f32", _toward_zero)
    two("v_cvt_pk_f16_f32", lambda x: from_float(to_float(x, 32), 16))
    two("v_cvt_pk_bf16_f32", _bfloat)
    VECTOR["v_cvt_pk_u8_f32"] = lambda s, o, c, k: (
        s[2] & ~(255 << 8 * (s[1] & 3)) & M32
        | to_integer(to_float(s[0], 32), 0, 255) << 8 * (s[1] & 3)
    )
    VECTOR["v_cvt_pkaccum_u8_f32"] = lambda s, o, c, k: (
        o & ~(255 << 8 * (s[1] & 3)) & M32
        | to_integer(to_float(s[0], 32), 0, 255) << 8 * (s[1] & 3)
    )
    for kind, (exponent, mantissa) in {"fp8": (4, 3), "bf8": (5, 2)}.items():
        one(f"v_cvt_f32_{kind}", lambda x, m=mantissa: _small(x & 255, m))
        one(
            f"v_cvt_pk_f32_{kind}",
            lambda x, m=mantissa: _small(x & 255, m) | _small(x >> 8 & 255, m) << 32,
        )
        VECTOR[f"v_cvt_pk_{kind}_f32"] = lambda s, o, c, k, m=mantissa: (
            o & 0xFFFF0000 | _to_small(s[0], m) | _to_small(s[1], m) << 8
        )
        del exponent


def _to_i32(x: int, function: Callable[[float], int]) -> int:
    value = to_float(x, 32)
    if math.isinf(value):
        return 0x7FFFFFFF if value > 0 else 0x80000000
    if math.isnan(value):
        return 0
    return max(-(2**31), min(2**31 - 1, function(value))) & M32


def _norm(value: float, low: int, scale: int) -> int:
    if math.isnan(value):
        return 0
    return round(Fraction(max(low, min(1.0, value))) * scale)


def _toward_zero(x: int) -> int:
    value = to_float(x, 32)
    if math.isnan(value) or math.isinf(value):
        return from_float(value, 16)
    nearest = from_float(value, 16)
    if abs(to_float(nearest, 16)) > abs(value):
        nearest -= 1
    return nearest


def _bfloat(x: int) -> int:
    if is_nan(x, 32):
        return x >> 16 | 64
    return (x + 0x7FFF + (x >> 16 & 1)) >> 16


def _small_value(x: int, mantissa: int) -> Fraction | None:
    """FNUZ 8-bit floats: value, or None for the one NaN."""
    if x == 0x80:
        return None
    bias = 8 if mantissa == 3 else 16
    m, e = x & (1 << mantissa) - 1, (x & 127) >> mantissa
    if e:
        v = Fraction(m + (1 << mantissa)) * Fraction(2) ** (e - bias - mantissa)
    else:
        v = Fraction(m) * Fraction(2) ** (1 - bias - mantissa)
    return -v if x >> 7 else v


def _small(x: int, mantissa: int) -> int:
    v = _small_value(x, mantissa)
    return 0x7FC00000 if v is None else from_fraction(v, 32)


def _to_small(x: int, mantissa: int) -> int:
    """Nearest of all 8-bit values, ties to the even code, saturating."""
    value = to_float(x, 32)
    if not math.isfinite(value):
        return 0x80
    codes = [(c, v) for c in range(128) if (v := _small_value(c, mantissa)) is not None]
    magnitude = abs(Fraction(value))
    best = min(codes, key=lambda item: (abs(item[1] - magnitude), item[0] & 1))[0]
    return best | (0x80 if value < 0 and best else 0)


def _approximations() -> None:
    def reciprocal(x: float) -> float:
        return math.copysign(math.inf, x) if x == 0 else 1 / x

    def root(x: float) -> float:
        if x == 0:
            return math.copysign(math.inf, x)
        return math.nan if x < 0 else 1 / math.sqrt(x)

    def log2(x: float) -> float:
        return (
            math.nan
            if x < 0
            else -math.inf
            if x == 0
            else math.inf
            if math.isinf(x)
            else math.log2(x)
        )

    def exp2(x: float) -> float:
        return math.inf if x > 1100 else 0.0 if x < -1100 else 2.0**x

    def turns(function: Callable[[float], float]) -> Callable[[float], float]:
        def inner(x: float) -> float:
            return math.nan if math.isinf(x) else function(2 * math.pi * math.fmod(x, 1.0))

        return inner

    for bits in (16, 32):
        t = f"f{bits}"
        APPROXIMATE[f"v_rcp_{t}"] = (bits, reciprocal)
        APPROXIMATE[f"v_rsq_{t}"] = (bits, root)
        APPROXIMATE[f"v_exp_{t}"] = (bits, exp2)
        APPROXIMATE[f"v_log_{t}"] = (bits, log2)
        APPROXIMATE[f"v_sin_{t}"] = (bits, turns(math.sin))
        APPROXIMATE[f"v_cos_{t}"] = (bits, turns(math.cos))
    APPROXIMATE["v_rcp_iflag_f32"] = (32, reciprocal)
    APPROXIMATE["v_exp_legacy_f32"] = (32, exp2)
    APPROXIMATE["v_log_legacy_f32"] = (32, log2)
    APPROXIMATE["v_rcp_f64"] = (64, reciprocal)
    APPROXIMATE["v_rsq_f64"] = (64, root)


def _packed() -> None:
    def halves(function: Callable[..., int]) -> Reference:
        def inner(s: list[int], old: int, carry: int, literal: int) -> int:
            low = function(*(x & M16 for x in s))
            high = function(*(x >> 16 & M16 for x in s))
            return low & M16 | (high & M16) << 16

        return inner

    VECTOR["v_pk_add_f16"] = halves(lambda a, b, c=0: arithmetic("+", a, b, 16))
    VECTOR["v_pk_mul_f16"] = halves(lambda a, b, c=0: arithmetic("*", a, b, 16))
    VECTOR["v_pk_fma_f16"] = halves(lambda a, b, c=0: fma(a, b, c, 16))
    VECTOR["v_pk_min_f16"] = halves(lambda a, b, c=0: minimum(a, b, 16, most=False))
    VECTOR["v_pk_max_f16"] = halves(lambda a, b, c=0: minimum(a, b, 16, most=True))
    for t in ("u16", "i16"):
        VECTOR[f"v_pk_add_{t}"] = halves(lambda a, b, c=0: a + b)
        VECTOR[f"v_pk_sub_{t}"] = halves(lambda a, b, c=0: a - b)
        VECTOR[f"v_pk_mad_{t}"] = halves(lambda a, b, c=0: a * b + c)
    VECTOR["v_pk_mul_lo_u16"] = halves(lambda a, b, c=0: a * b)
    VECTOR["v_pk_lshlrev_b16"] = halves(lambda a, b, c=0: b << (a & 15))
    VECTOR["v_pk_lshrrev_b16"] = halves(lambda a, b, c=0: b >> (a & 15))
    VECTOR["v_pk_ashrrev_i16"] = halves(lambda a, b, c=0: signed(b, 16) >> (a & 15))
    VECTOR["v_pk_min_u16"] = halves(lambda a, b, c=0: min(a, b))
    VECTOR["v_pk_max_u16"] = halves(lambda a, b, c=0: max(a, b))
    VECTOR["v_pk_min_i16"] = halves(lambda a, b, c=0: min(signed(a, 16), signed(b, 16)))
    VECTOR["v_pk_max_i16"] = halves(lambda a, b, c=0: max(signed(a, 16), signed(b, 16)))

    def words(function: Callable[..., int]) -> Reference:
        def inner(s: list[int], old: int, carry: int, literal: int) -> int:
            return function(*(x & M32 for x in s)) | function(*(x >> 32 & M32 for x in s)) << 32

        return inner

    VECTOR["v_pk_fma_f32"] = words(lambda a, b, c=0: fma(a, b, c, 32))
    VECTOR["v_pk_mul_f32"] = words(lambda a, b, c=0: arithmetic("*", a, b, 32))
    VECTOR["v_pk_add_f32"] = words(lambda a, b, c=0: arithmetic("+", a, b, 32))
    for count, width in ((2, 16), (4, 8), (8, 4)):
        for sign in ("i", "u"):
            VECTOR[f"v_dot{count}_{sign}32_{sign}{width}"] = (
                lambda s, o, c, k, n=count, w=width, g=sign: _dot(s[0], s[1], s[2], n, w, g == "i")
            )
        VECTOR[f"v_dot{count}c_i32_i{width}"] = lambda s, o, c, k, n=count, w=width: _dot(
            s[0], s[1], o, n, w, True
        )
    VECTOR["v_pk_fmac_f16"] = lambda s, o, c, k: (
        fma(s[0] & M16, s[1] & M16, o & M16, 16) | fma(s[0] >> 16, s[1] >> 16, o >> 16, 16) << 16
    )


def _dot(a: int, b: int, c: int, count: int, bits: int, is_signed: bool) -> int:
    total = c
    for k in range(count):
        x, y = a >> bits * k & (1 << bits) - 1, b >> bits * k & (1 << bits) - 1
        total += signed(x, bits) * signed(y, bits) if is_signed else x * y
    return total & M32


# ---- division: the three helpers are checked through the quotient they build (test_division.py)

_RDNA3_NAMES = {
    "v_clz_i32_u32": "v_ffbh_u32",
    "v_ctz_i32_b32": "v_ffbl_b32",
    "v_cls_i32": "v_ffbh_i32",
    "v_cvt_floor_i32_f32": "v_cvt_flr_i32_f32",
    "v_cvt_nearest_i32_f32": "v_cvt_rpi_i32_f32",
    "v_cvt_pk_norm_i16_f32": "v_cvt_pknorm_i16_f32",
    "v_cvt_pk_norm_u16_f32": "v_cvt_pknorm_u16_f32",
    "v_cvt_pk_norm_i16_f16": "v_cvt_pknorm_i16_f16",
    "v_cvt_pk_norm_u16_f16": "v_cvt_pknorm_u16_f16",
    "v_cvt_pk_rtz_f16_f32": "v_cvt_pkrtz_f16_f32",
    "v_mul_dx9_zero_f32": "v_mul_legacy_f32",
    "v_add_co_ci_u32": "v_addc_co_u32",
    "v_sub_co_ci_u32": "v_subb_co_u32",
    "v_mad_co_u64_u32": "v_mad_u64_u32",
    "v_mad_co_i64_i32": "v_mad_i64_i32",
    "v_subrev_co_ci_u32": "v_subbrev_co_u32",
}


_RDNA3_SCALARS = {
    "and_not1": "andn2",
    "or_not1": "orn2",
    "and_not0": "andn1",
    "or_not0": "orn1",
    "ctz_i32": "ff1_i32",
    "clz_i32_u32": "flbit_i32_b32",
    "clz_i32_u64": "flbit_i32_b64",
    "cls_i32_i64": "flbit_i32_i64",
    "cls_i32": "flbit_i32",
    "add_nc": "add",
    "sub_nc": "sub",
    "add_co_ci": "addc",
    "sub_co_ci": "subb",
    "add_co": "add",
    "sub_co": "sub",
}


def canonical(name: str) -> str:
    """RDNA3's name of an opcode -> the name that it has in these tables."""
    if name.startswith("s_"):
        for new, old in _RDNA3_SCALARS.items():
            if name.startswith(f"s_{new}"):
                return name.replace(new, old)
        return name
    return _RDNA3_NAMES.get(name, name.replace("_nc_", "_"))


# ---- scalar opcodes

Scalar = Callable[[int, int, int, int, int], tuple[int | None, int | None, int | None]]
SCALAR: dict[str, Any] = {}


def _scalars() -> None:
    def plain(name: str, function: Callable[..., int], *, scc: bool, bits: int = 32) -> None:
        mask = (1 << bits) - 1

        def inner(a: int, b: int, old: int, old_scc: int, exec_: int) -> Any:
            value = function(a, b) & mask
            return value, int(value != 0) if scc else None, None

        SCALAR[name] = inner

    for bits in (32, 64):
        m = (1 << bits) - 1
        t = f"b{bits}"
        plain(f"s_mov_{t}", lambda a, b: a, scc=False, bits=bits)
        plain(f"s_not_{t}", lambda a, b: ~a, scc=True, bits=bits)
        plain(f"s_and_{t}", lambda a, b: a & b, scc=True, bits=bits)
        plain(f"s_or_{t}", lambda a, b: a | b, scc=True, bits=bits)
        plain(f"s_xor_{t}", lambda a, b: a ^ b, scc=True, bits=bits)
        plain(f"s_andn2_{t}", lambda a, b: a & ~b, scc=True, bits=bits)
        plain(f"s_orn2_{t}", lambda a, b, m=m: a | ~b & m, scc=True, bits=bits)
        plain(f"s_nand_{t}", lambda a, b: ~(a & b), scc=True, bits=bits)
        plain(f"s_nor_{t}", lambda a, b: ~(a | b), scc=True, bits=bits)
        plain(f"s_xnor_{t}", lambda a, b: ~(a ^ b), scc=True, bits=bits)
        plain(f"s_lshl_{t}", lambda a, b, n=bits: a << (b & n - 1), scc=True, bits=bits)
        plain(f"s_lshr_{t}", lambda a, b, n=bits: a >> (b & n - 1), scc=True, bits=bits)
        plain(
            f"s_ashr_i{bits}", lambda a, b, n=bits: signed(a, n) >> (b & n - 1), scc=True, bits=bits
        )
        plain(f"s_brev_{t}", lambda a, b, n=bits: int(f"{a:0{n}b}"[::-1], 2), scc=False, bits=bits)
        plain(
            f"s_bfm_{t}",
            lambda a, b, n=bits: ((1 << (a & n - 1)) - 1) << (b & n - 1),
            scc=False,
            bits=bits,
        )
        plain(f"s_bcnt1_i32_{t}", lambda a, b: a.bit_count(), scc=True)
        plain(f"s_bcnt0_i32_{t}", lambda a, b, n=bits: n - a.bit_count(), scc=True)
        plain(f"s_ff1_i32_{t}", lambda a, b: (a & -a).bit_length() - 1, scc=False)
        plain(
            f"s_ff0_i32_{t}", lambda a, b, m=m: ((~a & m) & -(~a & m)).bit_length() - 1, scc=False
        )
        plain(f"s_flbit_i32_{t}", lambda a, b, n=bits: n - a.bit_length() if a else -1, scc=False)
        plain(
            f"s_wqm_{t}",
            lambda a, b, n=bits: sum(15 << k for k in range(0, n, 4) if a >> k & 15),
            scc=True,
            bits=bits,
        )
        plain(
            f"s_quadmask_{t}",
            lambda a, b, n=bits: sum(1 << k // 4 for k in range(0, n, 4) if a >> k & 15),
            scc=True,
            bits=bits,
        )
        SCALAR[f"s_cselect_{t}"] = lambda a, b, o, c, e: (a if c else b, None, None)
        SCALAR[f"s_cmov_{t}"] = lambda a, b, o, c, e: (a if c else o, None, None)
        SCALAR[f"s_bitset0_{t}"] = lambda a, b, o, c, e, n=bits: (
            o & ~(1 << (a & n - 1)),
            None,
            None,
        )
        SCALAR[f"s_bitset1_{t}"] = lambda a, b, o, c, e, n=bits: (o | 1 << (a & n - 1), None, None)
        for k in (0, 1):
            SCALAR[f"s_bitcmp{k}_{t}"] = lambda a, b, o, c, e, n=bits, k=k: (
                None,
                int(a >> (b & n - 1) & 1 == k),
                None,
            )
        plain(
            f"s_bfe_u{bits}",
            lambda a, b, n=bits: a >> (b & n - 1) & (1 << (b >> 16 & 127)) - 1,
            scc=True,
            bits=bits,
        )
        plain(f"s_bfe_i{bits}", lambda a, b, n=bits: _scalar_bfe(a, b, n), scc=True, bits=bits)
    plain("s_flbit_i32", lambda a, b: _leading_same(a), scc=False)
    plain("s_flbit_i32_i64", lambda a, b: _leading_same64(a), scc=False)
    plain("s_sext_i32_i8", lambda a, b: signed(a, 8), scc=False)
    plain("s_sext_i32_i16", lambda a, b: signed(a, 16), scc=False)
    plain("s_abs_i32", lambda a, b: abs(signed(a, 32)), scc=True)
    plain("s_absdiff_i32", lambda a, b: abs(signed(a - b, 32)), scc=True)
    plain("s_mul_i32", lambda a, b: a * b, scc=False)
    plain("s_mul_hi_u32", lambda a, b: a * b >> 32, scc=False)
    plain("s_mul_hi_i32", lambda a, b: signed(a, 32) * signed(b, 32) >> 32, scc=False)
    plain("s_pack_ll_b32_b16", lambda a, b: a & M16 | b << 16, scc=False)
    plain("s_pack_lh_b32_b16", lambda a, b: a & M16 | b & 0xFFFF0000, scc=False)
    plain("s_pack_hh_b32_b16", lambda a, b: a >> 16 | b & 0xFFFF0000, scc=False)
    plain(
        "s_bitreplicate_b64_b32",
        lambda a, b: sum(3 << 2 * k for k in range(32) if a >> k & 1),
        scc=False,
        bits=64,
    )
    SCALAR["s_add_u32"] = lambda a, b, o, c, e: (a + b & M32, int(a + b > M32), None)
    SCALAR["s_sub_u32"] = lambda a, b, o, c, e: (a - b & M32, int(b > a), None)
    SCALAR["s_addc_u32"] = lambda a, b, o, c, e: (a + b + c & M32, int(a + b + c > M32), None)
    SCALAR["s_subb_u32"] = lambda a, b, o, c, e: (a - b - c & M32, int(b + c > a), None)
    SCALAR["s_add_i32"] = lambda a, b, o, c, e: (
        a + b & M32,
        _overflow(signed(a, 32) + signed(b, 32)),
        None,
    )
    SCALAR["s_sub_i32"] = lambda a, b, o, c, e: (
        a - b & M32,
        _overflow(signed(a, 32) - signed(b, 32)),
        None,
    )
    for k in range(1, 5):
        SCALAR[f"s_lshl{k}_add_u32"] = lambda a, b, o, c, e, k=k: (
            (a << k) + b & M32,
            int((a << k) + b > M32),
            None,
        )
    for t in ("i32", "u32"):
        key = (lambda x: signed(x, 32)) if t == "i32" else (lambda x: x)
        SCALAR[f"s_min_{t}"] = lambda a, b, o, c, e, f=key: (
            min(a, b, key=f),
            int(f(a) < f(b)),
            None,
        )
        SCALAR[f"s_max_{t}"] = lambda a, b, o, c, e, f=key: (
            max(a, b, key=f),
            int(f(a) >= f(b)),
            None,
        )
        for name, test in {**_INTEGER_COMPARISONS, "lg": lambda a, b: a != b}.items():
            SCALAR[f"s_cmp_{name}_{t}"] = lambda a, b, o, c, e, f=key, g=test: (
                None,
                int(g(f(a), f(b))),
                None,
            )
    SCALAR["s_cmp_eq_u64"] = lambda a, b, o, c, e: (None, int(a == b), None)
    SCALAR["s_cmp_lg_u64"] = lambda a, b, o, c, e: (None, int(a != b), None)
    masks: dict[str, Callable[[int, int], int]] = {
        "and": lambda a, e: a & e,
        "or": lambda a, e: a | e,
        "xor": lambda a, e: a ^ e,
        "andn2": lambda a, e: a & ~e,
        "orn2": lambda a, e: a | ~e,
        "nand": lambda a, e: ~(a & e),
        "nor": lambda a, e: ~(a | e),
        "xnor": lambda a, e: ~(a ^ e),
        "andn1": lambda a, e: ~a & e,
        "orn1": lambda a, e: ~a | e,
    }
    for name, function in masks.items():
        SCALAR[f"s_{name}_saveexec_b64"] = lambda a, b, o, c, e, f=function: (
            e,
            int(f(a, e) & M64 != 0),
            f(a, e) & M64,
        )
        SCALAR[f"s_{name}_saveexec_b32"] = lambda a, b, o, c, e, f=function: (
            e & M32,
            int(f(a, e) & M32 != 0),
            f(a, e) & M32,
        )
    for name in ("andn1", "andn2"):
        SCALAR[f"s_{name}_wrexec_b32"] = lambda a, b, o, c, e, f=masks[name]: (
            f(a, e) & M32,
            int(f(a, e) & M32 != 0),
            f(a, e) & M32,
        )
        SCALAR[f"s_{name}_wrexec_b64"] = lambda a, b, o, c, e, f=masks[name]: (
            f(a, e) & M64,
            int(f(a, e) & M64 != 0),
            f(a, e) & M64,
        )


def _leading_same64(a: int) -> int:
    x = a ^ M64 if a >> 63 else a
    return 64 - x.bit_length() if x else -1


def _scalar_bfe(a: int, b: int, bits: int) -> int:
    at, count = b & bits - 1, b >> 16 & 127
    if not count:
        return 0
    field = signed(a, bits) >> at & (1 << count) - 1
    return signed(field, count) if count < bits else field


def _overflow(value: int) -> int:
    return int(not -(2**31) <= value < 2**31)


_integers()
_floats()
_conversions()
_approximations()
_packed()
_scalars()
