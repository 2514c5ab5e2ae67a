"""References of the opcodes that only RDNA has, added to those of amdgpu_reference.py.

Minima and maxima come in two kinds on RDNA4: `num` ones, where any NaN loses, and those that hand
NaN on. The floats of the scalar unit compute what the vector unit does.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import amdgpu_reference as ref

M16, M32, M64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1
Float = Callable[[int, int, int], int]


def number(a: int, b: int, bits: int, *, most: bool) -> int:
    """minimumNumber: a NaN on one side loses."""
    if ref.is_nan(a, bits) or ref.is_nan(b, bits):
        return b if ref.is_nan(a, bits) else a
    return ref.minimum(a, b, bits, most=most)


def strict(a: int, b: int, bits: int, *, most: bool) -> int:
    """minimum: a NaN on either side is the result."""
    for x in (a, b):
        if ref.is_nan(x, bits):
            return x
    return ref.minimum(a, b, bits, most=most)


def _median(a: int, b: int, c: int, bits: int) -> int:
    def most(x: int, y: int) -> int:
        return number(x, y, bits, most=True)

    if any(ref.is_nan(x, bits) for x in (a, b, c)):
        return number(number(a, b, bits, most=False), c, bits, most=False)
    top = ref.to_float(most(most(a, b), c), bits)
    if ref.to_float(a, bits) == top:
        return most(b, c)
    return most(a, c) if ref.to_float(b, bits) == top else most(a, b)


def _extremes() -> None:
    for bits in (16, 32, 64):
        t = f"f{bits}"
        for stem, pick in (("num", number), ("", strict)):
            low, high = (f"min_{stem}", f"max_{stem}") if stem else ("minimum", "maximum")
            three = ("min3_num", "max3_num") if stem else ("minimum3", "maximum3")
            both = ("minmax_num", "maxmin_num") if stem else ("minimummaximum", "maximumminimum")
            for name, triple, mixed, most in (
                (low, three[0], both[0], False),
                (high, three[1], both[1], True),
            ):

                def two(s: list[int], o: int, c: int, k: int, p: Any = pick, n: int = bits,
                        m: bool = most) -> int:  # fmt: skip
                    return int(p(s[0], s[1], n, most=m))

                def of_three(s: list[int], o: int, c: int, k: int, p: Any = pick, n: int = bits,
                             m: bool = most) -> int:  # fmt: skip
                    return int(p(p(s[0], s[1], n, most=m), s[2], n, most=m))

                def then(s: list[int], o: int, c: int, k: int, p: Any = pick, n: int = bits,
                         m: bool = most) -> int:  # fmt: skip
                    return int(p(p(s[0], s[1], n, most=m), s[2], n, most=not m))

                ref.VECTOR[f"v_{name}_{t}"] = two
                ref.VECTOR[f"v_{triple}_{t}"] = of_three
                ref.VECTOR[f"v_{mixed}_{t}"] = then
        ref.VECTOR[f"v_med3_num_{t}"] = lambda s, o, c, k, n=bits: _median(s[0], s[1], s[2], n)
    for t in ("f16", "f32"):
        bits = int(t[1:])
        for name, most in (("minmax", False), ("maxmin", True)):

            def by_mode(s: list[int], o: int, c: int, k: int, n: int = bits, m: bool = most) -> int:
                first = ref.minimum(s[0], s[1], n, most=m)
                return ref.minimum(first, s[2], n, most=not m)

            ref.VECTOR[f"v_{name}_{t}"] = by_mode
    for name in ("min_num", "max_num", "minimum", "maximum"):

        def halves(s: list[int], o: int, c: int, k: int, v: str = name) -> int:
            one = ref.VECTOR[f"v_{v}_f16"]
            low = one([x & M16 for x in s], o, c, k)
            return int(low | one([x >> 16 for x in s], o, c, k) << 16)

        ref.VECTOR[f"v_pk_{name}_f16"] = halves


def _small() -> None:
    def plain(name: str, function: Callable[..., int], mask: int = M32) -> None:
        ref.VECTOR[name] = lambda s, o, c, k: function(*s) & mask

    plain("v_mov_b16", lambda a: a, M16)
    plain("v_not_b16", lambda a: ~a, M16)
    plain("v_and_b16", lambda a, b: a & b, M16)
    plain("v_or_b16", lambda a, b: a | b, M16)
    plain("v_xor_b16", lambda a, b: a ^ b, M16)
    plain("v_xor3_b32", lambda a, b, c: a ^ b ^ c)
    plain("v_cvt_i32_i16", lambda a: ref.signed(a & M16, 16))
    plain("v_cvt_u32_u16", lambda a: a & M16)
    for t in ("i32", "u32"):

        def key(x: int, t: str = t) -> int:
            return ref.signed(x, 32) if t == "i32" else x

        plain(f"v_maxmin_{t}", lambda a, b, c, k=key: min(max(a, b, key=k), c, key=k))
        plain(f"v_minmax_{t}", lambda a, b, c, k=key: max(min(a, b, key=k), c, key=k))
    for t, low, high in (("i16", -32768, 32767), ("u16", 0, 65535)):

        def pair(a: int, b: int, low: int = low, high: int = high) -> int:
            x, y = (ref.to_integer(ref.to_float(v, 32), low, high) & M16 for v in (a, b))
            return x | y << 16

        plain(f"v_cvt_pk_{t}_f32", pair)
    ref.VECTOR["v_cndmask_b16"] = lambda s, o, carry, k: s[1] if carry else s[0]

    def dx9(a: int, b: int, c: int) -> int:
        zero = 0.0 in (ref.to_float(a, 32), ref.to_float(b, 32))
        return c if zero else ref.fma(a, b, c, 32)

    plain("v_fma_dx9_zero_f32", dx9)


def _scalars() -> None:
    def like_vector(name: str, vector: str, bits: int) -> None:
        mask = (1 << bits) - 1

        def inner(a: int, b: int, old: int, scc: int, exec_: int) -> Any:
            value = ref.VECTOR[vector]([a & mask, b & mask], old & mask, 0, 0)
            return value, None, None

        ref.SCALAR[name] = inner

    for bits in (16, 32):
        t = f"f{bits}"
        for op in ("add", "sub", "mul", "fmac", "min_num", "max_num", "minimum", "maximum"):
            like_vector(f"s_{op}_{t}", f"v_{op}_{t}", bits)
        for op in ("ceil", "floor", "trunc", "rndne"):
            like_vector(f"s_{op}_{t}", f"v_{op}_{t}", bits)
        for relation, holds in ref._COMPARISONS.items():

            def compare(a: int, b: int, old: int, scc: int, exec_: int, h: Any = holds,
                        n: int = bits) -> Any:  # fmt: skip
                x, y = (ref.to_float(v & (1 << n) - 1, n) for v in (a, b))
                return None, int(h(x, y)), None

            ref.SCALAR[f"s_cmp_{relation}_{t}"] = compare
    for op in ("f32_i32", "f32_u32", "i32_f32", "u32_f32", "f16_f32"):
        like_vector(f"s_cvt_{op}", f"v_cvt_{op}", 32)
    like_vector("s_cvt_f32_f16", "v_cvt_f32_f16", 16)
    like_vector("s_cvt_pk_rtz_f16_f32", "v_cvt_pkrtz_f16_f32", 32)
    ref.SCALAR["s_cvt_hi_f32_f16"] = lambda a, b, old, scc, e: (
        ref.VECTOR["v_cvt_f32_f16"]([a >> 16 & M16], 0, 0, 0), None, None,
    )  # fmt: skip
    ref.SCALAR["s_pack_hl_b32_b16"] = lambda a, b, old, scc, e: (
        a >> 16 & M16 | (b & M16) << 16, None, None,
    )  # fmt: skip
    ref.SCALAR["s_add_u64"] = lambda a, b, old, scc, e: (a + b & M64, None, None)
    ref.SCALAR["s_sub_u64"] = lambda a, b, old, scc, e: (a - b & M64, None, None)
    ref.SCALAR["s_mul_u64"] = lambda a, b, old, scc, e: (a * b & M64, None, None)


OCP: dict[str, ref.Reference] = {}
"""8-bit floats as gfx950 and RDNA4 have them: E4M3 and E5M2 of the Open Compute Project."""


def _ocp_value(x: int, mantissa: int) -> float:
    """E4M3 has one NaN and no infinity, E5M2 is a shortened f16."""
    if mantissa == 2:
        return ref.to_float(x << 8, 16)
    m, e = x & 7, x >> 3 & 15
    if x & 127 == 127:
        return math.nan
    v = math.ldexp(m + 8, e - 10) if e else math.ldexp(m, -9)
    return -v if x >> 7 else v


def _ocp_code(x: int, mantissa: int) -> int:
    """The nearest finite value, ties to the even code; infinities and NaN keep their kind."""
    value = ref.to_float(x, 32)
    sign = x >> 31 << 7
    if math.isnan(value):
        return sign | 127
    if math.isinf(value):
        return sign | (127 if mantissa == 3 else 124)
    exact = Fraction(abs(value))
    codes = [(c, Fraction(v)) for c in range(128) if math.isfinite(v := _ocp_value(c, mantissa))]
    return sign | min(codes, key=lambda item: (abs(item[1] - exact), item[0] & 1))[0]


def _ocp() -> None:
    for kind, mantissa in (("fp8", 3), ("bf8", 2)):

        def read(x: int, m: int = mantissa) -> int:
            return ref.from_float(_ocp_value(x & 255, m), 32)

        def one(s: list[int], o: int, c: int, k: int, r: Callable[[int], int] = read) -> int:
            return r(s[0])

        def two(s: list[int], o: int, c: int, k: int, r: Callable[[int], int] = read) -> int:
            return r(s[0]) | r(s[0] >> 8) << 32

        def write(s: list[int], o: int, c: int, k: int, m: int = mantissa) -> int:
            return o & 0xFFFF0000 | _ocp_code(s[0], m) | _ocp_code(s[1], m) << 8

        OCP[f"v_cvt_f32_{kind}"] = one
        OCP[f"v_cvt_pk_f32_{kind}"] = two
        OCP[f"v_cvt_pk_{kind}_f32"] = write


_extremes()
_ocp()
_small()
_scalars()
