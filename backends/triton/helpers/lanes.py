"""Lanes of a program: matrices, votes, vectors' parts, groups, and what reductions combine by."""

from __future__ import annotations

LANES: dict[str, str] = {
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
}
