"""How each math intrinsic is spelled in jax.numpy: one row a function."""

from __future__ import annotations

FLOAT: dict[str, str] = {
    name: f"jnp.{name}({{0}})"
    for name in "sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p sqrt floor ceil "
    "trunc rint cbrt".split()
}
FLOAT |= {
    "tanh": "_tanh({0})",
    "asin": "jnp.arcsin({0})",
    "acos": "jnp.arccos({0})",
    "atan": "jnp.arctan({0})",
    "asinh": "jnp.arcsinh({0})",
    "acosh": "jnp.arccosh({0})",
    "atanh": "jnp.arctanh({0})",
    "atan2": "jnp.arctan2({0}, {1})",
    "rsqrt": "lax.rsqrt({0})",
    "rcbrt": "(1 / jnp.cbrt({0}))",
    "fabs": "jnp.abs({0})",
    "fmax": "jnp.fmax({0}, {1})",
    "fmin": "jnp.fmin({0}, {1})",
    "fma": "({0} * {1} + {2})",
    "round": "(jnp.trunc({0}) + jnp.copysign((jnp.abs({0} - jnp.trunc({0})) >= 0.5), {0})"
    ".astype(({0}).dtype))",
    "nearbyint": "jnp.rint({0})",
    "exp10": "jnp.power(jnp.full_like({0}, 10), {0})",
    "pow": "jnp.power({0}, {1})",
    "fmod": "jnp.fmod({0}, {1})",
    "hypot": "jnp.hypot({0}, {1})",
    "copysign": "jnp.copysign({0}, {1})",
    "nextafter": "jnp.nextafter({0}, {1})",
    "fdim": "jnp.where({0} <= {1}, 0, {0} - {1})",
    "erf": "lax.erf({0})",
    "erfc": "lax.erfc({0})",
    "erfinv": "lax.erf_inv({0})",
    "lgamma": "lax.lgamma({0})",
    "tgamma": "jnp.exp(lax.lgamma({0}))",
    "ldexp": "jnp.ldexp({0}, {1})",
    "scalbn": "jnp.ldexp({0}, {1})",
    "normcdf": "(0.5 * lax.erfc(-0.7071067811865476 * ({0})))",
    "sinpi": "jnp.sin(3.141592653589793 * ({0} - 2 * jnp.rint(0.5 * ({0}))))",
    "cospi": "jnp.cos(3.141592653589793 * ({0} - 2 * jnp.rint(0.5 * ({0}))))",
}
del FLOAT["tgamma"]  # only right for positive arguments

NAMED: dict[str, str] = {
    "__fsqrt_rn": "jnp.sqrt({0})",
    "__dsqrt_rn": "jnp.sqrt({0})",
    "__frsqrt_rn": "(1 / jnp.sqrt({0}))",
    "__frcp_rn": "(1 / ({0}))",
    "__drcp_rn": "(1 / ({0}))",
    "__sinf": "jnp.sin({0})",
    "__cosf": "jnp.cos({0})",
    "__tanf": "jnp.tan({0})",
    "__tanhf": "jnp.tanh({0})",
    "__expf": "jnp.exp({0})",
    "__exp10f": "jnp.power(jnp.full_like({0}, 10), {0})",
    "__logf": "jnp.log({0})",
    "__log2f": "jnp.log2({0})",
    "__log10f": "jnp.log10({0})",
    "__powf": "jnp.power({0}, {1})",
    "__fdividef": "({0} / {1})",
    "__saturatef": "jnp.where({0} > 0, jnp.fmin({0}, 1), 0)",
    "__fadd_rn": "({0} + {1})",
    "__fsub_rn": "({0} - {1})",
    "__fmul_rn": "({0} * {1})",
    "__fdiv_rn": "({0} / {1})",
    "__fmaf_rn": "({0} * {1} + {2})",
    "__dadd_rn": "({0} + {1})",
    "__dsub_rn": "({0} - {1})",
    "__dmul_rn": "({0} * {1})",
    "__ddiv_rn": "({0} / {1})",
    "__fma_rn": "({0} * {1} + {2})",
    "isnan": "jnp.isnan({0})",
    "isinf": "jnp.isinf({0})",
    "isfinite": "jnp.isfinite({0})",
    "signbit": "jnp.signbit({0})",
    "min": "jnp.minimum({0}, {1})",
    "max": "jnp.maximum({0}, {1})",
    "abs": "jnp.abs({0})",
    "__popc": "lax.population_count({0}).astype(jnp.int32)",
    "__popcll": "lax.population_count({0}).astype(jnp.int32)",
    "__clz": "lax.clz({0}).astype(jnp.int32)",
    "__clzll": "lax.clz({0}).astype(jnp.int32)",
    "__ffs": "_ffs({0})",
    "__ffsll": "_ffs({0})",
    "__brev": "_brev({0})",
    "__umulhi": "_umulhi({0}, {1})",
    "__mulhi": "_mulhi({0}, {1})",
    "__mul24": "((({0} << 8) >> 8) * (({1} << 8) >> 8))",
    "__umul24": "(({0} & 0xFFFFFF) * ({1} & 0xFFFFFF))",
    "__hadd": "(({0} & {1}) + (({0} ^ {1}) >> 1))",
    "__uhadd": "(({0} & {1}) + (({0} ^ {1}) >> 1))",
    "__rhadd": "(({0} | {1}) - (({0} ^ {1}) >> 1))",
    "__urhadd": "(({0} | {1}) - (({0} ^ {1}) >> 1))",
    "__sad": "(jnp.where({0} > {1}, {0} - {1}, {1} - {0}).astype(jnp.uint32) + {2})",
    "__usad": "(jnp.where({0} > {1}, {0} - {1}, {1} - {0}) + {2})",
    "__funnelshift_l": "_funnel_left({0}, {1}, {2})",
    "__funnelshift_r": "_funnel_right({0}, {1}, {2})",
    "__byte_perm": "_byte_perm({0}, {1}, {2})",
    "__dp4a": "_dp4a({0}, {1}, {2})",
    "__float2int_rn": "jnp.rint({0}).astype(jnp.int32)",
    "__float2int_rd": "jnp.floor({0}).astype(jnp.int32)",
    "__float2int_ru": "jnp.ceil({0}).astype(jnp.int32)",
    "__float2uint_rn": "jnp.rint({0}).astype(jnp.uint32)",
    "__float2uint_rd": "jnp.floor({0}).astype(jnp.uint32)",
    "__float2uint_ru": "jnp.ceil({0}).astype(jnp.uint32)",
    "__double2int_rn": "jnp.rint({0}).astype(jnp.int32)",
    "__double2int_rd": "jnp.floor({0}).astype(jnp.int32)",
    "__double2int_ru": "jnp.ceil({0}).astype(jnp.int32)",
    "lrintf": "jnp.rint({0}).astype(jnp.int64)",
    "lrint": "jnp.rint({0}).astype(jnp.int64)",
    "llrintf": "jnp.rint({0}).astype(jnp.int64)",
    "llrint": "jnp.rint({0}).astype(jnp.int64)",
    "__habs": "jnp.abs({0})",
}

# f16 and bf16 functions, computed in float32.
HALF: dict[str, str] = {
    name: f"jnp.{stem}({{0}})"
    for name, stem in (
        ("hexp", "exp"), ("hexp2", "exp2"), ("hlog", "log"), ("hlog2", "log2"),
        ("hlog10", "log10"), ("hsqrt", "sqrt"), ("hsin", "sin"), ("hcos", "cos"),
        ("htanh", "tanh"), ("hfloor", "floor"), ("hceil", "ceil"), ("hrint", "rint"),
        ("htrunc", "trunc"), ("__habs", "abs"),
    )
}  # fmt: skip
HALF |= {
    "hrsqrt": "lax.rsqrt({0})",
    "hrcp": "(1 / ({0}))",
    "__hmax": "jnp.fmax({0}, {1})",
    "__hmin": "jnp.fmin({0}, {1})",
    "isnan": "jnp.isnan({0})",
    "isinf": "jnp.isinf({0})",
    "isfinite": "jnp.isfinite({0})",
}

HELPERS: dict[str, str] = {
    "_dot_divide": "",
    "_tanh": '''
def _tanh(x):
    """tanh to the last places near 1, where XLA's own is a few off."""
    far = 1 - 2 / (jnp.exp(2 * jnp.abs(x)) + 1)
    return jnp.where(jnp.abs(x) < 0.625, jnp.tanh(x), jnp.copysign(far, x))
''',
    "_divide": '''
def _divide(x, y):
    """The quotient of integers, cut towards zero."""
    return lax.div(*jnp.broadcast_arrays(x, y))
''',
    "_remainder": '''
def _remainder(x, y):
    """The remainder of integers, with the sign of x."""
    return lax.rem(*jnp.broadcast_arrays(x, y))
''',
    "_ffs": '''
def _ffs(x):
    """The position of the lowest one bit, from 1; 0 if there is none."""
    return jnp.where(x == 0, 0, lax.population_count(x ^ (x - 1)).astype(jnp.int32))
''',
    "_brev": '''
def _brev(x):
    """The bits of a 32-bit integer in reverse order."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        x = ((x >> shift) & jnp.uint32(mask)) | ((x & jnp.uint32(mask)) << shift)
    return (x >> 16) | (x << 16)
''',
    "_umulhi": '''
def _umulhi(x, y):
    """The upper word of the product of two 32-bit integers."""
    x_low, x_high, y_low, y_high = x & 0xFFFF, x >> 16, y & 0xFFFF, y >> 16
    middle = x_high * y_low + (x_low * y_low >> 16)
    other = x_low * y_high + (middle & 0xFFFF)
    return x_high * y_high + (middle >> 16) + (other >> 16)
''',
    "_mulhi": '''
def _mulhi(x, y):
    """The upper word of the product of two signed 32-bit integers."""
    high = _umulhi(x.astype(jnp.uint32), y.astype(jnp.uint32)).astype(jnp.int32)
    return high - jnp.where(x < 0, y, 0) - jnp.where(y < 0, x, 0)
''',
    "_funnel_left": '''
def _funnel_left(low, high, shift):
    """The upper word of `high:low` shifted left by `shift & 31`."""
    shift = (shift & 31).astype(jnp.uint32)
    return jnp.where(shift == 0, high, (high << shift) | (low >> (32 - shift)))
''',
    "_funnel_right": '''
def _funnel_right(low, high, shift):
    """The lower word of `high:low` shifted right by `shift & 31`."""
    shift = (shift & 31).astype(jnp.uint32)
    return jnp.where(shift == 0, low, (low >> shift) | (high << (32 - shift)))
''',
    "_byte_perm": '''
def _byte_perm(x, y, selector):
    """Four bytes picked from `y:x` by the selector's nibbles; bit 3 replicates the sign."""
    result = x & 0
    for i in range(4):
        nibble = (selector >> (4 * i)) & 15
        word = jnp.where((nibble & 4) != 0, y, x)
        byte = (word >> ((nibble & 3) * 8)) & 255
        byte = jnp.where((nibble & 8) != 0, (byte >> 7) * 255, byte)
        result = result | (byte << (8 * i))
    return result
''',
    "_dp4a": '''
def _dp4a(x, y, total):
    """Dot product of four bytes each, signed or unsigned by the words' type, plus a total."""
    for i in range(4):
        if x.dtype == jnp.int32:
            total = total + ((x << (24 - 8 * i)) >> 24) * ((y << (24 - 8 * i)) >> 24)
        else:
            total = total + ((x >> (8 * i)) & 255) * ((y >> (8 * i)) & 255)
    return total
''',
    "_bits": '''
def _bits(x, dtype):
    """The same bits as another type of the same size."""
    return lax.bitcast_convert_type(x, dtype)
''',
    "_view": '''
def _view(array, dtype):
    """The memory of a flat array as elements of another type."""
    if array.dtype == dtype:
        return array
    old, new = array.dtype.itemsize, jnp.dtype(dtype).itemsize
    if new > old:
        array = array[: array.size // (new // old) * (new // old)].reshape(-1, new // old)
    return lax.bitcast_convert_type(array, dtype).reshape(-1)
''',
    "_unview": '''
def _unview(view, array):
    """What `_view` made, as the array was; a tail that it cut off is kept."""
    back = _view(view, array.dtype)
    return back if back.size == array.size else array.at[: back.size].set(back)
''',
    "_load_bytes": '''
def _load_bytes(array, at, dtype):
    """The value at any byte of a flat array."""
    size = jnp.dtype(dtype).itemsize
    data = _view(array, jnp.uint8)[at[..., None] + jnp.arange(size)]
    return lax.bitcast_convert_type(data if size > 1 else data[..., 0], dtype)
''',
    "_store_bytes": '''
def _store_bytes(array, at, value, mask):
    """The array with values written at any byte."""
    data = lax.bitcast_convert_type(jnp.broadcast_to(value, mask.shape), jnp.uint8)
    size = value.dtype.itemsize
    data = data if size > 1 else data[..., None]
    flat = _view(array, jnp.uint8)
    at = jnp.where(mask[..., None], at[..., None] + jnp.arange(size), flat.size)
    return _unview(flat.at[at].set(data, mode="drop"), array)
''',
    "_atomic": '''
def _atomic(array, index, mask, update, *operands):
    """Update one lane after the other; returns the array and each lane's old value."""
    shape = mask.shape
    index = jnp.broadcast_to(index, shape).reshape(-1)
    operands = [jnp.broadcast_to(o, shape).reshape(-1) for o in operands]
    mask = mask.reshape(-1)

    def step(lane, state):
        array, old = state
        at = jnp.where(mask[lane], index[lane], array.size)
        value = array.at[at].get(mode="clip")
        new = update(value, *(o[lane] for o in operands))
        return array.at[at].set(new, mode="drop"), old.at[lane].set(value)

    old = jnp.zeros(mask.size, array.dtype)
    array, old = lax.fori_loop(0, mask.size, step, (array, old))
    return array, old.reshape(shape)
''',
    "_shuffle": '''
def _shuffle(value, source, width):
    """The value of another lane of the group; the lane's own where the source is outside."""
    lane = jnp.arange(value.shape[1])[None, :]
    position = lane % width
    inside = (source >= 0) & (source < width)
    chosen = lane - position + jnp.where(inside, source, position)
    return jnp.take_along_axis(value, jnp.broadcast_to(chosen, value.shape), 1)
''',
    "_groups": '''
def _groups(value, width):
    """Lanes as (blocks, groups, lanes of a group)."""
    return value.reshape(value.shape[0], -1, width)
''',
    "_spread": '''
def _spread(value, width):
    """A value a group, given to each lane of the group."""
    return jnp.repeat(value, width, axis=1)
''',
    "_ballot": '''
def _ballot(mask, width):
    """A bit a lane of the group."""
    bits = jnp.where(_groups(mask, width), jnp.uint32(1) << jnp.arange(width, dtype=jnp.uint32), 0)
    return _spread(bits.astype(jnp.uint32).sum(axis=2, dtype=jnp.uint32), width)
''',
    "_group_any": '''
def _group_any(mask, width):
    """1 where any lane of the group holds."""
    return _spread(_groups(mask, width).any(axis=2).astype(jnp.int32), width)
''',
}
HELPER_NEEDS: dict[str, tuple[str, ...]] = {
    "_mulhi": ("_umulhi",),
    "_unview": ("_view",),
    "_load_bytes": ("_view",),
    "_store_bytes": ("_view", "_unview"),
    "_ballot": ("_groups", "_spread"),
    "_group_any": ("_groups", "_spread"),
}
del HELPERS["_dot_divide"]
