"""64-bit integers in Pallas kernels: pairs of words, since Mosaic has no wider ones.

    size_t at = row * pitch + i        at = _add_wide(_mul_wide(row, pitch), _widen(i))
    x[at]                              x_value = _gather(x_ref, at[0].astype(jnp.int32), mask)

A value is (low, high), two uint32 of any shape. Signed and unsigned ones differ in comparisons,
quotients, shifts right and conversions alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.ir.lift import fold
from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.types import BOOL, F32, I32, Scalar

if TYPE_CHECKING:
    from crossport.backends.pallas.mosaic import MosaicExpressions

_ARITHMETIC = {"+": "_add_wide", "-": "_sub_wide", "*": "_mul_wide"}
_BITS = {"&": "jnp.bitwise_and", "|": "jnp.bitwise_or", "^": "jnp.bitwise_xor"}


def is_wide(kind: object) -> bool:
    """Is the type a 64-bit integer?"""
    return isinstance(kind, Scalar) and kind.kind in ("i64", "u64")


def wide_text(e: MosaicExpressions, expr: Expr) -> str | None:
    """A pair of words; None where no form of it is known."""
    kind = expr.type
    assert isinstance(kind, Scalar)
    match expr:
        case Const(value):
            bits = int(value) & (1 << 64) - 1
            return f"(jnp.uint32({bits & 0xFFFFFFFF}), jnp.uint32({bits >> 32}))"
        case Read(Var(name)):
            return name
        case Cast(Special() as special):
            return f"{e.use('_widen')}({e(Cast(special, I32))})"
        case Cast(value) if is_wide(value.type):
            return e(value)
        case Cast(value) if isinstance(value.type, Scalar) and not value.type.is_float:
            return f"{e.use('_widen')}({e.typed(value)})"
        case Binary(op, lhs, rhs) if op in _ARITHMETIC:
            return f"{e.use(_ARITHMETIC[op])}({e(lhs)}, {e(rhs)})"
        case Binary(op, lhs, rhs) if op in _BITS:
            return f"{e.use('_bits_wide')}({_BITS[op]}, {e(lhs)}, {e(rhs)})"
        case Binary("<<", lhs, rhs):
            return f"{e.use('_left_wide')}({e(lhs)}, {_amount(e, rhs)})"
        case Binary(">>", lhs, rhs):
            return f"{e.use('_right_wide')}({e(lhs)}, {_amount(e, rhs)}, {kind.is_signed})"
        case Binary("/" | "%" as op, lhs, rhs):
            position = 0 if op == "/" else 1
            return f"{e.use('_divide_wide')}({e(lhs)}, {e(rhs)}, {kind.is_signed})[{position}]"
        case Unary("-", value):
            return f"{e.use('_sub_wide')}({wide_text(e, fold.constant(0, kind))}, {e(value)})"
        case Unary("~", value):
            every = fold.constant(-1, kind)
            return f"{e.use('_bits_wide')}(jnp.bitwise_xor, {e(value)}, {wide_text(e, every)})"
        case Select(condition, then, otherwise):
            return f"{e.use('_where_wide')}({e(condition)}, {e(then)}, {e(otherwise)})"
        case Intrinsic("min" | "max" as name, (a, b)):
            first, second = (a, b) if name == "min" else (b, a)
            less = f"{e.use('_less_wide')}({e(first)}, {e(second)}, {kind.is_signed})"
            return f"{e.use('_where_wide')}({less}, {e(a)}, {e(b)})"
        case _:
            return None


def from_wide(e: MosaicExpressions, value: Expr, kind: Scalar) -> str | None:
    """A 64-bit value as another type; None where no form of it is known."""
    source = value.type
    assert isinstance(source, Scalar)
    if kind == BOOL:
        return f"{e.use('_any_wide')}({e(value)})"
    if kind == F32:
        return f"{e.use('_float_wide')}({e(value)}, {source.is_signed})"
    if kind.is_float:
        return None
    return f"{e(value)}[0]"


def compared(e: MosaicExpressions, op: str, lhs: Expr, rhs: Expr) -> str:
    """A comparison of two 64-bit values."""
    assert isinstance(lhs.type, Scalar) and op in COMPARISONS
    if op in ("==", "!="):
        equal = f"{e.use('_equal_wide')}({e(lhs)}, {e(rhs)})"
        return equal if op == "==" else f"jnp.logical_not({equal})"
    first, second = (lhs, rhs) if op in ("<", ">=") else (rhs, lhs)
    less = f"{e.use('_less_wide')}({e(first)}, {e(second)}, {lhs.type.is_signed})"
    return less if op in ("<", ">") else f"jnp.logical_not({less})"


def _amount(e: MosaicExpressions, expr: Expr) -> str:
    return str(expr.value) if isinstance(expr, Const) else e.typed(fold.cast(expr, I32))


WIDE_HELPERS: dict[str, str] = {
    "_widen": '''
def _widen(x):
    """A 32-bit integer or a bool as 64 bits."""
    x = jnp.asarray(x)
    if x.dtype == jnp.uint32:
        return x, jnp.zeros_like(x)
    x = x.astype(jnp.int32)
    return x.astype(jnp.uint32), (x >> 31).astype(jnp.uint32)
''',
    "_words_of": '''
def _words_of(value):
    """A 64-bit number as the kernel reads it from SMEM."""
    if isinstance(value, int):
        return jnp.array([value & 0xFFFFFFFF, (value >> 32) & 0xFFFFFFFF], jnp.uint32)
    value = jnp.asarray(value)
    high = value >> (32 if value.dtype.itemsize == 8 else 31)
    if value.dtype == jnp.uint32:
        high = jnp.zeros_like(value)
    return jnp.stack([value.astype(jnp.uint32), high.astype(jnp.uint32)])
''',
    "_halves": '''
def _halves(array):
    """64-bit elements as two words each, the lower first."""
    words = jnp.stack([array.astype(jnp.uint32), (array >> 32).astype(jnp.uint32)], axis=1)
    return words.reshape(-1)
''',
    "_unhalves": '''
def _unhalves(words, array):
    """What `_halves` made, as the array was."""
    words = lax.bitcast_convert_type(words.reshape(-1)[: 2 * array.size], jnp.uint32)
    words = words.reshape(-1, 2).astype(array.dtype)
    return words[:, 0] | (words[:, 1] << 32)
''',
    "_add_wide": '''
def _add_wide(x, y):
    """The sum of 64-bit integers."""
    low = x[0] + y[0]
    return low, x[1] + y[1] + (low < x[0]).astype(jnp.uint32)
''',
    "_sub_wide": '''
def _sub_wide(x, y):
    """The difference of 64-bit integers."""
    return x[0] - y[0], x[1] - y[1] - (x[0] < y[0]).astype(jnp.uint32)
''',
    "_mul_wide": '''
def _mul_wide(x, y):
    """The lower half of the product of 64-bit integers."""
    return x[0] * y[0], _umulhi(x[0], y[0]) + x[0] * y[1] + x[1] * y[0]
''',
    "_bits_wide": '''
def _bits_wide(operation, x, y):
    """A bitwise operation on 64-bit integers."""
    return operation(x[0], y[0]), operation(x[1], y[1])
''',
    "_where_wide": '''
def _where_wide(condition, x, y):
    """One 64-bit integer or the other."""
    return jnp.where(condition, x[0], y[0]), jnp.where(condition, x[1], y[1])
''',
    "_full_wide": '''
def _full_wide(x, shape):
    """A 64-bit integer in every lane."""
    return jnp.broadcast_to(x[0], shape), jnp.broadcast_to(x[1], shape)
''',
    "_apart_wide": '''
def _apart_wide(x):
    """`_apart` of both words."""
    return _apart(x[0]), _apart(x[1])
''',
    "_any_wide": '''
def _any_wide(x):
    """Is a 64-bit integer not 0?"""
    return (x[0] | x[1]) != 0
''',
    "_equal_wide": '''
def _equal_wide(x, y):
    """Are 64-bit integers equal?"""
    return (x[0] == y[0]) & (x[1] == y[1])
''',
    "_less_wide": '''
def _less_wide(x, y, signed):
    """Is one 64-bit integer less than the other?"""
    kind = jnp.int32 if signed else jnp.uint32
    x_high, y_high = x[1].astype(kind), y[1].astype(kind)
    return (x_high < y_high) | ((x_high == y_high) & (x[0] < y[0]))
''',
    "_left_wide": '''
def _left_wide(x, amount):
    """A 64-bit integer shifted left."""
    n = jnp.asarray(amount).astype(jnp.uint32)
    low = jnp.where(n < 32, x[0] << (n & 31), 0)
    across = jnp.where((n > 0) & (n < 32), x[0] >> ((32 - n) & 31), 0)
    far = jnp.where((n >= 32) & (n < 64), x[0] << (n & 31), 0)
    high = jnp.where(n < 32, x[1] << (n & 31), 0) | across | far
    return low.astype(jnp.uint32), high.astype(jnp.uint32)
''',
    "_right_wide": '''
def _right_wide(x, amount, signed):
    """A 64-bit integer shifted right."""
    n = jnp.asarray(amount).astype(jnp.uint32)
    top = x[1].astype(jnp.int32) if signed else x[1]
    fill = (top >> 31).astype(jnp.uint32) if signed else jnp.zeros_like(x[1])
    moved = (top >> (n & 31).astype(top.dtype)).astype(jnp.uint32)
    across = jnp.where((n > 0) & (n < 32), x[1] << ((32 - n) & 31), 0)
    near = (x[0] >> (n & 31)) | across.astype(jnp.uint32)
    low = jnp.where(n < 32, near, jnp.where(n < 64, moved, fill))
    return low, jnp.where(n < 32, moved, fill)
''',
    "_divide_wide": '''
def _divide_wide(x, y, signed):
    """The quotient of 64-bit integers, cut towards zero, and the remainder: bit by bit."""
    zero = (jnp.uint32(0), jnp.uint32(0))
    less = [jnp.zeros_like(v[1], jnp.bool_) for v in (x, y)]
    if signed:
        less = [v[1] >> 31 != 0 for v in (x, y)]
        x, y = (_where_wide(n, _sub_wide(zero, v), v) for n, v in zip(less, (x, y)))
    shape = jnp.broadcast_shapes(x[0].shape, y[0].shape)
    x = tuple(jnp.broadcast_to(word, shape) for word in x)
    y = tuple(jnp.broadcast_to(word, shape) for word in y)

    def step(_, state):
        quotient, rest = state
        top = quotient[1] >> 31
        quotient = (quotient[0] << 1, (quotient[1] << 1) | (quotient[0] >> 31))
        carry = rest[1] >> 31 != 0
        rest = ((rest[0] << 1) | top, (rest[1] << 1) | (rest[0] >> 31))
        fits = carry | jnp.logical_not(_less_wide(rest, y, False))
        rest = _where_wide(fits, _sub_wide(rest, y), rest)
        return (quotient[0] | fits.astype(jnp.uint32), quotient[1]), rest

    nothing = (x[0] ^ x[0], x[0] ^ x[0])
    start = (x, nothing)
    if shape:
        start = jax.tree.map(_apart, start)
    quotient, rest = lax.fori_loop(0, 64, step, start)
    quotient = _where_wide(less[0] != less[1], _sub_wide(zero, quotient), quotient)
    return quotient, _where_wide(less[0], _sub_wide(zero, rest), rest)
''',
    "_clz_wide": '''
def _clz_wide(x):
    """The leading zeros of a 64-bit integer."""
    zeros = jnp.where(x[1] == 0, 32 + lax.clz(x[0]), lax.clz(x[1]))
    return zeros.astype(jnp.int32)
''',
    "_ffs_wide": '''
def _ffs_wide(x):
    """The position of the lowest one bit of a 64-bit integer, from 1; 0 if there is none."""
    above = jnp.where(x[1] == 0, 0, 32 + _ffs(x[1]))
    return jnp.where(x[0] == 0, above, _ffs(x[0]))
''',
    "_float_wide": '''
def _float_wide(x, signed):
    """A 64-bit integer as float32, rounded once: bits that are cut off leave a trace."""
    below = (x[1] >> 31 != 0) & signed
    low, high = _where_wide(below, _sub_wide((jnp.uint32(0), jnp.uint32(0)), x), x)
    shift = 32 - lax.clz(high)
    across = jnp.where(shift > 31, 0, high << ((32 - shift) & 31))
    near = jnp.where(shift > 31, high, across | (low >> (shift & 31)))
    lost = jnp.where(shift > 31, low, low & ((jnp.uint32(1) << (shift & 31)) - 1))
    word = jnp.where(shift == 0, low, near | (lost != 0).astype(jnp.uint32))
    scale = _word((127 + shift.astype(jnp.int32)) << 23, jnp.float32)
    size = word.astype(jnp.float32) * scale
    return jnp.where(below, -size, size)
''',
    "_gather_wide": '''
def _gather_wide(ref, index, mask):
    """The 64-bit elements at `index` in the lanes of the mask."""
    low, high = _gather(ref, 2 * index, mask), _gather(ref, 2 * index + 1, mask)
    return low.astype(jnp.uint32), high.astype(jnp.uint32)
''',
    "_at_wide": '''
def _at_wide(ref, index):
    """The 64-bit element at one place."""
    return _at(ref, 2 * index).astype(jnp.uint32), _at(ref, 2 * index + 1).astype(jnp.uint32)
''',
    "_scatter_wide": '''
def _scatter_wide(ref, index, value, mask):
    """Write each lane's 64-bit integer of the mask at its index."""
    for word in (0, 1):
        _scatter(ref, 2 * index + word, value[word].astype(jnp.int32), mask)
''',
}
WIDE_NEEDS: dict[str, tuple[str, ...]] = {
    "_ffs_wide": ("_ffs",),
    "_mul_wide": ("_umulhi",),
    "_apart_wide": ("_apart",),
    "_divide_wide": ("_where_wide", "_sub_wide", "_less_wide", "_apart"),
    "_float_wide": ("_where_wide", "_sub_wide", "_word"),
    "_gather_wide": ("_gather", "_apart"),
    "_at_wide": ("_at",),
    "_scatter_wide": ("_scatter", "_put", "_column", "_rows"),
}
