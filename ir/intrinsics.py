"""Every intrinsic of the thread IR by its CUDA name: arguments, result, and whether it is pure.

    Intrinsic("sqrtf", (x,), F32)          row("sqrtf")     sqrtf(f32) -> f32, pure
    Effect(t, "clock64", ())               row("clock64")   clock64() -> i64, an effect

The lowering emits these names and no others; the interpreter and the backends give them meaning.
Where C++ has overloads (`sin(float)`, `std::max(int, int)`), the lowering picks the C name of the
argument type (`sinf`, `max`), so that there is one row a meaning. What C++ has a plain operator for
never appears here: `__fmaf_rn` does, `__hadd(half, half)` is a `Binary`, `__ldg(p)` a `Read`,
`__float_as_int` a `Bitcast`, `half2` arithmetic is an `Aggregate` of scalar arithmetic.

Argument patterns, by word: `f32`... an exact type; `I` any integer, `F` any float, `H` f16 or bf16,
`T` anything, the same for every `T` in the row; `*` a pointer to anything; `h` a handle;
`...` any more of anything. Result: `T` is the arguments' `T`; `-` none; `?` as the node says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class IntrinsicRow:
    """One intrinsic. `pure`: an `Intrinsic` expression; otherwise an `Effect` statement."""

    name: str
    args: tuple[str, ...]
    result: str
    pure: bool
    about: str = ""

    @property
    def arity(self) -> int | None:
        """How many arguments; None for any number."""
        return None if "..." in self.args else len(self.args)


def row(name: str) -> IntrinsicRow:
    """The row of that name; KeyError if there is none."""
    found = find(name)
    if found is None:
        raise KeyError(name)
    return found


def find(name: str) -> IntrinsicRow | None:
    """The row of that name, or None. A PTX name has its row by opcode: `ptx::mma`."""
    found = _table().get(name)
    if found is None and name.startswith("ptx::"):
        found = _table().get(name.partition(".")[0])
    return found


def rows() -> tuple[IntrinsicRow, ...]:
    """All rows, in the order below."""
    return tuple(_table().values())


# --- Rows ---------------------------------------------------------------------------------------
# `names: args -> result`, one line a shape. In MATH, a name stands for itself on f64 and for the
# name with an `f` appended on f32 (`sin`, `sinf`).

MATH = """
sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh: F -> F
exp exp2 exp10 expm1 log log2 log10 log1p logb: F -> F
sqrt rsqrt cbrt rcbrt fabs floor ceil round trunc rint nearbyint: F -> F
erf erfc erfinv erfcinv erfcx tgamma lgamma j0 j1 y0 y1: F -> F
sinpi cospi tanpi normcdf normcdfinv cyl_bessel_i0 cyl_bessel_i1: F -> F
pow atan2 fmod hypot rhypot fmax fmin fdim copysign nextafter remainder: F F -> F
fma norm3d rnorm3d: F F F -> F
norm4d rnorm4d: F F F F -> F
ldexp scalbn: F i32 -> F
jn yn: i32 F -> F
ilogb: F -> i32
lrint lround llrint llround: F -> i64
frexp_fraction: F -> F
frexp_exponent: F -> i32
"""

PURE = """
# Tests on floats of any type.
isnan isinf isfinite signbit: F -> bool

# Fast float32 approximations, and operations with a rounding mode (never contracted).
__sinf __cosf __tanf __expf __exp10f __logf __log2f __log10f __saturatef __tanhf: f32 -> f32
__powf __fdividef: f32 f32 -> f32
__fadd_rn __fadd_rz __fadd_ru __fadd_rd __fsub_rn __fsub_rz __fsub_ru __fsub_rd: f32 f32 -> f32
__fmul_rn __fmul_rz __fmul_ru __fmul_rd __fdiv_rn __fdiv_rz __fdiv_ru __fdiv_rd: f32 f32 -> f32
__fsqrt_rn __fsqrt_rz __fsqrt_ru __fsqrt_rd: f32 -> f32
__frcp_rn __frcp_rz __frcp_ru __frcp_rd __frsqrt_rn: f32 -> f32
__fmaf_rn __fmaf_rz __fmaf_ru __fmaf_rd: f32 f32 f32 -> f32
__dadd_rn __dadd_rz __dadd_ru __dadd_rd __dsub_rn __dsub_rz __dsub_ru __dsub_rd: f64 f64 -> f64
__dmul_rn __dmul_rz __dmul_ru __dmul_rd __ddiv_rn __ddiv_rz __ddiv_ru __ddiv_rd: f64 f64 -> f64
__dsqrt_rn __dsqrt_rz __dsqrt_ru __dsqrt_rd: f64 -> f64
__drcp_rn __drcp_rz __drcp_ru __drcp_rd: f64 -> f64
__fma_rn __fma_rz __fma_ru __fma_rd: f64 f64 f64 -> f64

# Conversions that do not round as a C cast does (those are `Cast`).
__float2int_rn __float2int_ru __float2int_rd: f32 -> i32
__float2uint_rn __float2uint_ru __float2uint_rd: f32 -> u32
__float2ll_rn __float2ll_ru __float2ll_rd: f32 -> i64
__float2ull_rn __float2ull_ru __float2ull_rd: f32 -> u64
__double2int_rn __double2int_ru __double2int_rd: f64 -> i32
__double2uint_rn __double2uint_ru __double2uint_rd: f64 -> u32
__double2ll_rn __double2ll_ru __double2ll_rd: f64 -> i64
__double2ull_rn __double2ull_ru __double2ull_rd: f64 -> u64
__double2float_rz __double2float_ru __double2float_rd: f64 -> f32
__int2float_rz __int2float_ru __int2float_rd: i32 -> f32
__uint2float_rz __uint2float_ru __uint2float_rd: u32 -> f32
__ll2float_rz __ll2float_ru __ll2float_rd: i64 -> f32
__ull2float_rz __ull2float_ru __ull2float_rd: u64 -> f32
__ll2double_rz __ll2double_ru __ll2double_rd: i64 -> f64
__ull2double_rz __ull2double_ru __ull2double_rd: u64 -> f64
__float2half_rz __float2half_ru __float2half_rd: f32 -> f16
__float2bfloat16_rz __float2bfloat16_ru __float2bfloat16_rd: f32 -> bf16
__half2int_rn __half2int_ru __half2int_rd: H -> i32
__half2uint_rn __half2uint_ru __half2uint_rd: H -> u32
__half2short_rn __half2short_ru __half2short_rd: H -> i16
__half2ushort_rn __half2ushort_ru __half2ushort_rd: H -> u16
__half2ll_rn __half2ll_ru __half2ll_rd: H -> i64
__half2ull_rn __half2ull_ru __half2ull_rd: H -> u64
__int2half_rz __int2half_ru __int2half_rd: i32 -> H
__uint2half_rz __uint2half_ru __uint2half_rd: u32 -> H
__short2half_rz __short2half_ru __short2half_rd: i16 -> H
__ushort2half_rz __ushort2half_ru __ushort2half_rd: u16 -> H
__ll2half_rz __ll2half_ru __ll2half_rd: i64 -> H
__ull2half_rz __ull2half_ru __ull2half_rd: u64 -> H

# f16 and bf16: one name for both; the argument type decides.
hexp hexp2 hexp10 hlog hlog2 hlog10 hsqrt hrsqrt hrcp hsin hcos htanh: H -> H
hfloor hceil hrint htrunc __habs: H -> H
__hmax __hmin __hmax_nan __hmin_nan __hadd_sat __hsub_sat __hmul_sat: H H -> H
__hfma __hfma_sat __hfma_relu: H H H -> H

# fp8: (value, saturate?, 0 for e4m3, 1 for e5m2) and back: (bits, format).
__nv_cvt_float_to_fp8: f32 i32 i32 -> u8
__nv_cvt_double_to_fp8: f64 i32 i32 -> u8
__nv_cvt_halfraw_to_fp8: f16 i32 i32 -> u8
__nv_cvt_fp8_to_halfraw: u8 i32 -> f16

# Integers.
min max: T T -> T
abs: T -> T
__popc __clz __ffs: u32 -> i32
__popcll __clzll __ffsll: u64 -> i32
__brev: u32 -> u32
__brevll: u64 -> u64
__byte_perm: u32 u32 u32 -> u32
__mul24 __mulhi __hadd __rhadd: i32 i32 -> i32
__umul24 __umulhi __uhadd __urhadd: u32 u32 -> u32
__mul64hi: i64 i64 -> i64
__umul64hi: u64 u64 -> u64
__sad: i32 i32 u32 -> u32
__usad: u32 u32 u32 -> u32
__funnelshift_l __funnelshift_lc __funnelshift_r __funnelshift_rc: u32 u32 u32 -> u32
__fns: u32 u32 i32 -> u32
__dp4a __dp2a_lo __dp2a_hi: T T T -> T

# Packed bytes and halfwords in a u32.
__vabs2 __vabs4 __vabsss2 __vabsss4 __vneg2 __vneg4 __vnegss2 __vnegss4: u32 -> u32
__vadd2 __vadd4 __vaddss2 __vaddss4 __vaddus2 __vaddus4: u32 u32 -> u32
__vsub2 __vsub4 __vsubss2 __vsubss4 __vsubus2 __vsubus4: u32 u32 -> u32
__vavgs2 __vavgs4 __vavgu2 __vavgu4 __vhaddu2 __vhaddu4: u32 u32 -> u32
__vabsdiffs2 __vabsdiffs4 __vabsdiffu2 __vabsdiffu4: u32 u32 -> u32
__vmaxs2 __vmaxs4 __vmaxu2 __vmaxu4 __vmins2 __vmins4 __vminu2 __vminu4: u32 u32 -> u32
__vcmpeq2 __vcmpeq4 __vcmpne2 __vcmpne4: u32 u32 -> u32
__vcmpgts2 __vcmpgts4 __vcmpgtu2 __vcmpgtu4 __vcmpges2 __vcmpges4: u32 u32 -> u32
__vcmpgeu2 __vcmpgeu4 __vcmplts2 __vcmplts4 __vcmpltu2 __vcmpltu4: u32 u32 -> u32
__vcmples2 __vcmples4 __vcmpleu2 __vcmpleu4: u32 u32 -> u32
__vseteq2 __vseteq4 __vsetne2 __vsetne4 __vsetgts2 __vsetgts4 __vsetgtu2 __vsetgtu4: u32 u32 -> u32
__vsetges2 __vsetges4 __vsetgeu2 __vsetgeu4 __vsetlts2 __vsetlts4: u32 u32 -> u32
__vsetltu2 __vsetltu4 __vsetles2 __vsetles4 __vsetleu2 __vsetleu4: u32 u32 -> u32
__vsads2 __vsads4 __vsadu2 __vsadu4: u32 u32 -> u32

# Addresses. The shared window's offset is the pointer's own bits in this IR.
__isGlobal __isShared __isLocal __isConstant: * -> bool
__cvta_generic_to_shared __cvta_generic_to_global __cvta_generic_to_local: * -> u64
__cvta_shared_to_generic __cvta_global_to_generic: u64 -> *

# Where the thread runs, beyond `Special`.
__smid __nsmid __warpid __nwarpid __gridid: -> u32
dynamic_smem_size total_smem_size: -> u32

# Textures do not change while a kernel runs. Coordinates as CUDA passes them.
tex1Dfetch: h i32 -> ?
tex1D: h f32 -> ?
tex2D: h f32 f32 -> ?
tex3D: h f32 f32 f32 -> ?
tex1DLod: h f32 f32 -> ?
tex2DLod: h f32 f32 f32 -> ?
tex3DLod: h f32 f32 f32 f32 -> ?
tex1DLayered: h f32 i32 -> ?
tex2DLayered: h f32 f32 i32 -> ?
texCubemap: h f32 f32 f32 -> ?
texCubemapLayered: h f32 f32 f32 i32 -> ?
tex2Dgather: h f32 f32 i32 -> ?
tex1DGrad: h f32 f32 f32 -> ?
tex2DGrad: h f32 f32 ? ? -> ?
"""

EFFECTS = """
# Clocks and waiting.
clock: -> i32
clock64: -> i64
globaltimer: -> u64
__nanosleep: u32 -> -
__brkpt: -> -
__prof_trigger: i32 -> -

# Memory.
malloc: u64 -> *
free: * -> -
memcpy memmove: * * u64 -> -
memset: * i32 u64 -> -
prefetch: * -> -

# Asynchronous copies: (destination, source, bytes, bytes to zero); groups as in PTX cp.async.
cp_async: * * u64 u64 -> -
cp_async_commit: -> -
cp_async_wait: i32 -> -

# bar.sync id, threads (0: the whole block); bar.arrive id, threads.
bar_sync: u32 u32 -> -
bar_arrive: u32 u32 -> -

# Surfaces: byte x, then y, z or layer, then the boundary mode. Writes have the value first.
surf1Dread: h i32 i32 -> ?
surf2Dread: h i32 i32 i32 -> ?
surf3Dread: h i32 i32 i32 i32 -> ?
surf1DLayeredread surf2DLayeredread surfCubemapread: ... -> ?
surf1Dwrite: ? h i32 i32 -> -
surf2Dwrite: ? h i32 i32 i32 -> -
surf3Dwrite: ? h i32 i32 i32 i32 -> -
surf1DLayeredwrite surf2DLayeredwrite surfCubemapwrite: ... -> -

# curand on the device: the state is behind the last pointer.
curand_init: u64 u64 u64 * -> -
curand: * -> u32
curand4 curand_uniform4 curand_normal4 curand_log_normal4 curand_poisson4: * ... -> ?
curand_uniform: * -> f32
curand_uniform_double: * -> f64
curand_uniform2_double curand_normal2 curand_normal2_double curand_log_normal2: * ... -> ?
curand_normal: * -> f32
curand_normal_double: * -> f64
curand_log_normal: * f32 f32 -> f32
curand_log_normal_double: * f64 f64 -> f64
curand_poisson: * f64 -> u32
skipahead skipahead_sequence skipahead_subsequence: u64 * -> -

# wmma: fragments are handles behind pointers; layout 0 row, 1 column. get and set are element i.
wmma::fill_fragment: * ? -> -
wmma::load_matrix_sync: * * u32 -> -
wmma::load_matrix_sync_layout: * * u32 i32 -> -
wmma::store_matrix_sync: * * u32 i32 -> -
wmma::mma_sync: * * * * bool -> -
wmma::get: * i32 -> ?
wmma::set: * i32 ? -> -

# PTX that has no other name, under its full one (`ptx::mma.sync.aligned.m16n8k16...`): pointers to
# the u32 results first, then u32 operands and addresses.
ptx::mma ptx::ldmatrix: ... -> -

# CUB collectives. operator: "add", "min", "max" or a function `(a, b) -> c`; see lowering/cub.py.
cub::BlockReduce cub::BlockScan cub::WarpReduce cub::WarpScan: ... -> ?
"""


@lru_cache(maxsize=1)
def _table() -> dict[str, IntrinsicRow]:
    table: dict[str, IntrinsicRow] = {}
    for entry in [*_math(), *_parse(PURE, pure=True), *_parse(EFFECTS, pure=False)]:
        assert entry.name not in table, entry.name
        table[entry.name] = entry
    return table


def _math() -> Iterator[IntrinsicRow]:
    for entry in _parse(MATH, pure=True):
        for suffix, kind in (("", "f64"), ("f", "f32")):
            args = tuple(kind if a == "F" else a for a in entry.args)
            result = kind if entry.result == "F" else entry.result
            yield IntrinsicRow(_with_suffix(entry.name, suffix), args, result, pure=True)


def _with_suffix(name: str, suffix: str) -> str:
    stem, underscore, part = name.partition("_")
    return f"{stem}{suffix}{underscore}{part}" if name.startswith("frexp") else name + suffix


def _parse(text: str, *, pure: bool) -> Iterator[IntrinsicRow]:
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        # Names may hold `::`; the shape starts after the first colon that a blank follows.
        names, _, shape = line.partition(": ")
        args, _, result = shape.rpartition("->")
        for name in names.split():
            yield IntrinsicRow(name, tuple(args.split()), result.strip(), pure)
