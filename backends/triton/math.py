"""How each math intrinsic is spelled in Triton: one row a function.

`{0}` is the first argument. `libdevice.f` must exist for NVIDIA and for AMD alike (checked by
tests/backends/triton/test_math.py); what does not is composed of what does. Functions in HELPERS
are printed into the module that uses them.
"""

from __future__ import annotations

# Stem of the CUDA name (the `f` of float32 dropped) -> expression for f32 and f64.
FLOAT: dict[str, str] = {
    "sqrt": "tl.sqrt({0})",
    "rsqrt": "_rsqrt({0})",
    "fabs": "tl.abs({0})",
    "floor": "_floor({0})",
    "ceil": "_ceil({0})",
    "fmax": "tl.maximum({0}, {1})",
    "fmin": "tl.minimum({0}, {1})",
    "fma": "tl.fma({0}, {1}, {2})",
    "round": "libdevice.round({0})",
    "rint": "libdevice.rint({0})",
    "nearbyint": "libdevice.rint({0})",
    "trunc": "libdevice.trunc({0})",
    "exp": "libdevice.exp({0})",
    "exp2": "libdevice.exp2({0})",
    "exp10": "libdevice.pow(tl.zeros_like({0}) + 10, {0})",
    "log": "_log({0})",
    "log2": "_log2({0})",
    "log10": "_log10({0})",
    "pow": "libdevice.pow({0}, {1})",
    "atan2": "_atan2({0}, {1})",
    "fmod": "_fmod({0}, {1})",
    "hypot": "libdevice.hypot({0}, {1})",
    "copysign": "libdevice.copysign({0}, {1})",
    "nextafter": "libdevice.nextafter({0}, {1})",
    "fdim": "tl.where({0} <= {1}, 0.0, {0} - {1})",
    "erf": "_erf({0})",
    "erfc": "libdevice.erfc({0})",
    "erfinv": "libdevice.erfinv({0})",
    "lgamma": "libdevice.lgamma({0})",
    "ldexp": "libdevice.ldexp({0}, {1})",
    "scalbn": "libdevice.ldexp({0}, {1})",
    "normcdf": "(libdevice.erfc({0} * -0.7071067811865476) * 0.5)",
    "cbrt": "_cbrt({0})",
    "rcbrt": "(1 / _cbrt({0}))",
    "sinpi": "_sinpi({0})",
    "cospi": "_cospi({0})",
}
for _name in "cos acos cosh acosh".split():
    FLOAT[_name] = f"libdevice.{_name}({{0}})"

# Triton links libdevice so that it takes denormal float32 numbers for zero. These functions are the
# identity there, and come through helpers that say so.
NEAR_IDENTITY = tuple("sin tan asin atan sinh tanh asinh atanh expm1 log1p".split())
for _name in NEAR_IDENTITY:
    FLOAT[_name] = f"_{_name}({{0}})"

# Whole names.
NAMED: dict[str, str] = {
    "sqrtf": "tl.sqrt_rn({0})",
    "__fsqrt_rn": "tl.sqrt_rn({0})",
    "__frsqrt_rn": "tl.div_rn(1.0, tl.sqrt_rn({0}))",
    "__frcp_rn": "tl.div_rn(1.0, {0})",
    "__drcp_rn": "(1 / {0})",
    "__sinf": "libdevice.sin({0})",
    "__cosf": "libdevice.cos({0})",
    "__tanf": "libdevice.tan({0})",
    "__tanhf": "libdevice.tanh({0})",
    "__expf": "tl.exp({0})",
    "__exp10f": "libdevice.pow(tl.zeros_like({0}) + 10, {0})",
    "__logf": "tl.log({0})",
    "__log2f": "tl.log2({0})",
    "__log10f": "libdevice.log10({0})",
    "__powf": "libdevice.pow({0}, {1})",
    "__fdividef": "({0} / {1})",
    "__saturatef": "tl.where({0} > 0, tl.minimum({0}, 1.0), 0.0)",
    "__fadd_rn": "({0} + {1})",
    "__fsub_rn": "({0} - {1})",
    "__fmul_rn": "({0} * {1})",
    "__fdiv_rn": "tl.div_rn({0}, {1})",
    "__fmaf_rn": "tl.fma({0}, {1}, {2})",
    "__dadd_rn": "({0} + {1})",
    "__dsub_rn": "({0} - {1})",
    "__dmul_rn": "({0} * {1})",
    "__ddiv_rn": "({0} / {1})",
    "__fma_rn": "tl.fma({0}, {1}, {2})",
    "__dsqrt_rn": "tl.sqrt({0})",
    "isnan": "({0} != {0})",
    "isinf": '(tl.abs({0}) == float("inf"))',
    "isfinite": '(tl.abs({0}) < float("inf"))',
    "min": "tl.minimum({0}, {1})",
    "max": "tl.maximum({0}, {1})",
    "abs": "tl.abs({0})",
    "__popc": "_popc({0})",
    "__popcll": "_popcll({0})",
    "__clz": "_clz({0})",
    "__clzll": "_clzll({0})",
    "__ffs": "_ffs({0})",
    "__ffsll": "_ffsll({0})",
    "__brev": "_brev({0})",
    "__umulhi": "tl.umulhi({0}, {1})",
    "__umul64hi": "tl.umulhi({0}, {1})",
    "__mulhi": "(({0}.to(tl.int64) * {1}) >> 32).to(tl.int32)",
    "__mul24": "_mul24({0}, {1})",
    "__umul24": "(({0} & 0xFFFFFF) * ({1} & 0xFFFFFF))",
    "__hadd": "(({0}.to(tl.int64) + {1}) >> 1).to(tl.int32)",
    "__rhadd": "(({0}.to(tl.int64) + {1} + 1) >> 1).to(tl.int32)",
    "__uhadd": "(({0}.to(tl.uint64) + {1}) >> 1).to(tl.uint32)",
    "__urhadd": "(({0}.to(tl.uint64) + {1} + 1) >> 1).to(tl.uint32)",
    "__sad": "(tl.where({0} > {1}, {0} - {1}, {1} - {0}).to(tl.uint32) + {2})",
    "__usad": "(tl.where({0} > {1}, {0} - {1}, {1} - {0}) + {2})",
    "__funnelshift_l": "_funnel_left({0}, {1}, {2})",
    "__funnelshift_r": "_funnel_right({0}, {1}, {2})",
    "__byte_perm": "_byte_perm({0}, {1}, {2})",
    "__dp4a": "_dp4a({0}, {1}, {2})",
    "__float2int_rn": "_to_int(libdevice.rint({0}), tl.int32)",
    "__float2int_rd": "_to_int(_floor({0}), tl.int32)",
    "__float2int_ru": "_to_int(_ceil({0}), tl.int32)",
    "__float2uint_rn": "_to_int(libdevice.rint({0}), tl.uint32)",
    "__float2uint_rd": "_to_int(_floor({0}), tl.uint32)",
    "__float2uint_ru": "_to_int(_ceil({0}), tl.uint32)",
    "__double2int_rn": "_to_int(libdevice.rint({0}), tl.int32)",
    "__double2int_rd": "_to_int(_floor({0}), tl.int32)",
    "__double2int_ru": "_to_int(_ceil({0}), tl.int32)",
    "lrintf": "_to_int(libdevice.rint({0}), tl.int64)",
    "lrint": "_to_int(libdevice.rint({0}), tl.int64)",
    "llrintf": "_to_int(libdevice.rint({0}), tl.int64)",
    "llrint": "_to_int(libdevice.rint({0}), tl.int64)",
    "lroundf": "_to_int(libdevice.round({0}), tl.int64)",
    "lround": "_to_int(libdevice.round({0}), tl.int64)",
    "__hmax": "tl.maximum({0}, {1})",
    "__hmin": "tl.minimum({0}, {1})",
    "__habs": "tl.abs({0})",
}

# f16 and bf16 functions, computed in float32.
HALF: dict[str, str] = {
    "hexp": "libdevice.exp({0})",
    "hexp2": "libdevice.exp2({0})",
    "hlog": "libdevice.log({0})",
    "hlog2": "libdevice.log2({0})",
    "hlog10": "libdevice.log10({0})",
    "hsqrt": "tl.sqrt_rn({0})",
    "hrsqrt": "libdevice.rsqrt({0})",
    "hrcp": "tl.div_rn(1.0, {0})",
    "hsin": "libdevice.sin({0})",
    "hcos": "libdevice.cos({0})",
    "htanh": "libdevice.tanh({0})",
    "hfloor": "tl.floor({0})",
    "hceil": "tl.ceil({0})",
    "hrint": "libdevice.rint({0})",
    "htrunc": "libdevice.trunc({0})",
    "__hmax": "tl.maximum({0}, {1})",
    "__hmin": "tl.minimum({0}, {1})",
    "__habs": "tl.abs({0})",
}

# fma of halves is exact in float64 up to the last rounding.
HALF_FMA = {"__hfma": "({0} * {1} + {2})"}

# NumPy's stand-ins for libdevice under Triton's CPU interpreter.
NUMPY: dict[str, str] = {
    name: f"np.{name}"
    for name in "sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p rint trunc fmod "
    "hypot copysign nextafter ldexp".split()
}
NUMPY |= {
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    "asinh": "np.arcsinh",
    "acosh": "np.arccosh",
    "atanh": "np.arctanh",
    "atan2": "np.arctan2",
    "pow": "np.power",
    "rsqrt": "lambda x: 1 / np.sqrt(x)",
    "round": "lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x)",
    "erf": "np.vectorize(math.erf)",
    "erfc": "np.vectorize(math.erfc)",
    "lgamma": "np.vectorize(math.lgamma)",
    "erfinv": "np.vectorize(lambda x: statistics.NormalDist().inv_cdf((x + 1) / 2) / 2**0.5)",
}
NUMPY_IMPORTS = {"erf": "math", "erfc": "math", "lgamma": "math", "erfinv": "statistics"}

HELPERS: dict[str, str] = {
    "_warp_dot": '''
if triton.knobs.runtime.interpret:

    def _warp_dot(a, b, total):
        """`total` and a product, rounded once: matrix units add up wider than float32."""
        data = np.matmul(
            a.to(tl.float32).handle.data.astype(np.float64), b.to(tl.float32).handle.data
        )
        data = (data + total.handle.data).astype(np.float32)
        return tl.tensor(TensorHandle(data, tl.float32), total.type)

else:

    @triton.jit
    def _warp_dot(a, b, total):
        """`total` and the product of two matrices."""
        return tl.dot(a, b, total, input_precision="ieee")
''',
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
    "_cbrt": '''
@triton.jit
def _cbrt(x):
    """The cube root."""
    wide = tl.abs(x).to(tl.float64)
    positive = tl.where(wide > 0, wide, 1.0)
    root = tl.where(wide > 0, libdevice.pow(positive, tl.zeros_like(wide) + 1.0 / 3.0), wide)
    return tl.where(x < 0, -root, root).to(x.dtype)
''',
    "_sinpi": '''
@triton.jit
def _sinpi(x):
    """sin(pi x)."""
    wide = x.to(tl.float64)
    wide = wide - 2.0 * libdevice.rint(wide * 0.5)
    return libdevice.sin(wide * 3.141592653589793).to(x.dtype)
''',
    "_cospi": '''
@triton.jit
def _cospi(x):
    """cos(pi x)."""
    wide = x.to(tl.float64)
    wide = wide - 2.0 * libdevice.rint(wide * 0.5)
    return libdevice.cos(wide * 3.141592653589793).to(x.dtype)
''',
    "_floor": '''
@triton.jit
def _floor(x):
    """floor(x). Triton's, on NVIDIA, takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, tl.where(x < 0, -1.0, x * 0.0), tl.floor(x))
''',
    "_ceil": '''
@triton.jit
def _ceil(x):
    """ceil(x). Triton's, on NVIDIA, takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, tl.where(x > 0, 1.0, x * 0.0), tl.ceil(x))
''',
    "_rsqrt": '''
@triton.jit
def _rsqrt(x):
    """1 / sqrt(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return libdevice.rsqrt(tl.where(tiny, x * 16777216.0, x)) * tl.where(tiny, 4096.0, 1.0)
''',
    "_erf": '''
@triton.jit
def _erf(x):
    """erf(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    return tl.where(tiny, x * 1.1283791670955126, libdevice.erf(x))
''',
    "_fmod": '''
@triton.jit
def _fmod(x, y):
    """fmod(x, y), x where it is the smaller. libdevice takes denormal numbers for zero."""
    return tl.where(tl.abs(x) < tl.abs(y), x, libdevice.fmod(x, y))
''',
    "_atan2": '''
@triton.jit
def _atan2(y, x):
    """atan2(y, x), y / x where y is tiny. libdevice takes denormal numbers for zero."""
    angle = libdevice.atan2(y, x)
    ratio = tl.where(x > 1e-20, y / tl.where(x > 1e-20, x, 1.0), angle)
    return tl.where(tl.abs(y) < 1e-30, ratio, angle)
''',
    "_divisor": '''
@triton.jit
def _divisor(x):
    """1 where it is 0: lanes that rest divide as well, by nothing that is undefined."""
    return x + (x == 0).to(x.dtype)
''',
    "_any": '''
@triton.jit
def _any(mask):
    """Does any lane hold?"""
    return tl.max(mask.to(tl.int32)) != 0
''',
    "_split2": '''
@triton.jit
def _split2(x):
    """The two columns of a tensor."""
    return tl.split(x)
''',
    "_split4": '''
@triton.jit
def _split4(x):
    """The four columns of a tensor."""
    even, odd = tl.split(tl.reshape(x, x.shape[:-1] + [2, 2]))
    a, c = tl.split(even)
    b, d = tl.split(odd)
    return a, b, c, d
''',
    "_split8": '''
@triton.jit
def _split8(x):
    """The eight columns of a tensor."""
    even, odd = tl.split(tl.reshape(x, x.shape[:-1] + [4, 2]))
    a, c, e, g = _split4(even)
    b, d, f, h = _split4(odd)
    return a, b, c, d, e, f, g, h
''',
    "_join2": '''
@triton.jit
def _join2(a, b):
    """Two tensors as the columns of one."""
    return tl.join(a, b)
''',
    "_join4": '''
@triton.jit
def _join4(a, b, c, d):
    """Four tensors as the columns of one."""
    return tl.reshape(tl.join(tl.join(a, c), tl.join(b, d)), a.shape + [4])
''',
    "_join8": '''
@triton.jit
def _join8(a, b, c, d, e, f, g, h):
    """Eight tensors as the columns of one."""
    return tl.reshape(tl.join(_join4(a, c, e, g), _join4(b, d, f, h)), a.shape + [8])
''',
    "_group": '''
@triton.jit
def _group(x, WIDTH: tl.constexpr):
    """Lanes as (groups, lanes of a group)."""
    return tl.reshape(x, [x.shape[0] // WIDTH, WIDTH])
''',
    "_spread": '''
@triton.jit
def _spread(x, LANES: tl.constexpr, WIDTH: tl.constexpr):
    """A value a group, given to each lane of the group."""
    return tl.reshape(tl.broadcast_to(x[:, None], [LANES // WIDTH, WIDTH]), [LANES])
''',
    "_ballot": '''
@triton.jit
def _ballot(mask, LANES: tl.constexpr, WIDTH: tl.constexpr):
    """A bit a lane of the group."""
    bit = tl.full((), 1, tl.uint32) << (tl.arange(0, LANES) % WIDTH).to(tl.uint32)
    bits = tl.where(mask, bit, tl.zeros([LANES], tl.uint32))
    return _spread(tl.sum(_group(bits, WIDTH), axis=1).to(tl.uint32), LANES, WIDTH)
''',
    "_group_any": '''
@triton.jit
def _group_any(mask, LANES: tl.constexpr, WIDTH: tl.constexpr):
    """1 where any lane of the group holds."""
    return _spread(tl.max(_group(mask.to(tl.int32), WIDTH), axis=1), LANES, WIDTH)
''',
    "_and": """
@triton.jit
def _and(x, y):
    return x & y
""",
    "_or": """
@triton.jit
def _or(x, y):
    return x | y
""",
    "_xor": """
@triton.jit
def _xor(x, y):
    return x ^ y
""",
    "_add": """
@triton.jit
def _add(x, y):
    return x + y
""",
    "_smaller": """
@triton.jit
def _smaller(x, y):
    return tl.minimum(x, y)
""",
    "_larger": """
@triton.jit
def _larger(x, y):
    return tl.maximum(x, y)
""",
    "_source": '''
@triton.jit
def _source(lane, source, WIDTH: tl.constexpr):
    """The lane that a shuffle reads: its own where the source is outside the group."""
    position = lane % WIDTH
    inside = (source >= 0) & (source < WIDTH)
    return lane - position + tl.where(inside, source, position)
''',
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
for _name in NEAR_IDENTITY:
    HELPERS[f"_{_name}"] = f'''
@triton.jit
def _{_name}(x):
    """{_name}(x), x where that is tiny. libdevice takes denormal numbers for zero."""
    return tl.where(tl.abs(x) < 1.1754943508222875e-38, x, libdevice.{_name}(x))
'''
for _name, _scale in {"log": 16.635532333438686, "log2": 24.0, "log10": 7.224719895935548}.items():
    HELPERS[f"_{_name}"] = f'''
@triton.jit
def _{_name}(x):
    """{_name}(x). libdevice takes denormal numbers for zero."""
    tiny = tl.abs(x) < 1.1754943508222875e-38
    result = libdevice.{_name}(tl.where(tiny, x * 16777216.0, x))
    return tl.where(tiny, result - {_scale}, result)
'''
HELPER_NEEDS: dict[str, tuple[str, ...]] = {
    "_split8": ("_split4",),
    "_join8": ("_join4",),
    "_popcll": ("_popc",),
    "_clz": ("_popc",),
    "_clzll": ("_clz",),
    "_ffs": ("_popc",),
    "_ffsll": ("_popcll",),
    "_ballot": ("_group", "_spread"),
    "_group_any": ("_group", "_spread"),
}
