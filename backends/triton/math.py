"""How each math intrinsic is spelled in Triton: one row a function.

`{0}` is the first argument. `libdevice.f` must exist for NVIDIA and for AMD alike (checked by
tests/backends/test_triton_math.py); what does not is composed of what does. `_name` is one
of `helpers/`.
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
