"""JAX port of reduce_shared_tree.cu, made by crossport 0.1.0.

Source sha256: d75e3bf182d4085e26f696e9d53bce8a75fafee4c560b5ca51c10d2762e39e85
Kernels, and the tier of each:
    reduce_shared_tree: xla
"""


import jax.numpy as jnp
from jax import lax


def _dim3(size):
    """A launch size as three numbers."""
    x, y, z = (*((size,) if isinstance(size, int) else tuple(size)), 1, 1)[:3]
    if min(x, y, z) < 1:
        raise ValueError(f"a launch needs sizes of at least 1, not {size}")
    return int(x), int(y), int(z)


def _view(array, dtype):
    """The memory of a flat array as elements of another type."""
    if array.dtype == dtype:
        return array
    old, new = array.dtype.itemsize, jnp.dtype(dtype).itemsize
    if new > old:
        array = array[: array.size // (new // old) * (new // old)].reshape(-1, new // old)
    return lax.bitcast_convert_type(array, dtype).reshape(-1)


def _flat(array, dtype):
    """An array as the kernel addresses it: flat, in the kernel's type; None is a null pointer."""
    if array is None:
        return jnp.zeros(0, dtype)
    array = jnp.asarray(array)
    if array.dtype == jnp.bool_:
        array = array.astype(jnp.uint8)
    return _view(array.reshape(-1), dtype)


def _like(result, array):
    """A flat result in the shape and type of the array that it replaces."""
    array = jnp.asarray(array)
    if array.dtype == jnp.bool_:
        return _view(result, jnp.uint8).astype(jnp.bool_).reshape(array.shape)
    flat = _view(result, array.dtype)
    if flat.size != array.size:
        flat = array.reshape(-1).at[: flat.size].set(flat)
    return flat.reshape(array.shape)


def reduce_shared_tree(grid, block, in_, out, n, *, shared_bytes=0, interpret=False):
    """`reduce_shared_tree<<<grid, block>>>`; returns (out)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    in_ = _flat(in_, jnp.float32)
    out_given = out
    out = _flat(out, jnp.float32)
    blocks = grid[0] * grid[1] * grid[2]
    threads = block[0] * block[1] * block[2]
    shape = (blocks, threads)
    lane = jnp.arange(shape[1], dtype=jnp.int32)[None, :]
    row = jnp.arange(blocks, dtype=jnp.int32)[:, None]
    active = jnp.broadcast_to(lane < threads, shape)
    thread_x = lane % block[0]
    block_x = row % grid[0]
    n = jnp.asarray(n, jnp.int32)
    buffer = jnp.zeros(blocks * 256, jnp.float32)
    i = block_x * 256 + thread_x
    in_value = in_[i]
    buffer = buffer.at[jnp.where(active, row * 256 + thread_x, buffer.size)].set(
        jnp.where(i < n, in_value, 0.0),
        mode="drop",
    )
    stride = jnp.int32(128)
    going = active & (stride > 0)

    def round(state):
        buffer, stride, going = state
        mask_1 = going & (thread_x < stride)
        buffer_value = buffer[row * 256 + thread_x]
        buffer_value_2 = buffer[row * 256 + thread_x + stride]
        buffer = buffer.at[jnp.where(mask_1, row * 256 + thread_x, buffer.size)].set(
            buffer_value + buffer_value_2,
            mode="drop",
        )
        stride = stride >> 1
        going = going & (stride > 0)
        return buffer, stride, going

    buffer, stride, going = lax.while_loop(
        lambda state: jnp.any(state[2]),
        round,
        (buffer, stride, going),
    )
    mask_2 = active & (thread_x == 0)
    buffer_value_3 = buffer[row * 256]
    out = out.at[jnp.where(mask_2, block_x, out.size)].set(buffer_value_3, mode="drop")
    return (_like(out, out_given),)


KERNELS = {
    "reduce_shared_tree": reduce_shared_tree,
}
