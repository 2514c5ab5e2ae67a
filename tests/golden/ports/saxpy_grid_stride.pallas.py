"""JAX port of saxpy_grid_stride.cu, made by crossport 0.1.0.

Source sha256: 09d0c84ddbb92340926408abbec49e884380cf49bde1904e6132659f09e70fb3
Kernels, and the tier of each:
    saxpy_grid_stride: xla
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


def saxpy_grid_stride(grid, block, n, alpha, x, y, *, shared_bytes=0, interpret=False):
    """`saxpy_grid_stride<<<grid, block>>>`; returns (y)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    x = _flat(x, jnp.float32)
    y_given = y
    y = _flat(y, jnp.float32)
    blocks = grid[0] * grid[1] * grid[2]
    threads = block[0] * block[1] * block[2]
    shape = (blocks, threads)
    lane = jnp.arange(shape[1], dtype=jnp.int32)[None, :]
    row = jnp.arange(blocks, dtype=jnp.int32)[:, None]
    active = jnp.broadcast_to(lane < threads, shape)
    thread_x = lane % block[0]
    block_x = row % grid[0]
    n = jnp.asarray(n, jnp.int32)
    alpha = jnp.asarray(alpha, jnp.float32)
    i = jnp.broadcast_to(block_x * jnp.int32(block[0]) + thread_x, shape)
    going = active & (i < n)

    def round(state):
        y, i, going = state
        x_value = x[i]
        y_value = y[i]
        y = y.at[jnp.where(going, i, y.size)].set(alpha * x_value + y_value, mode="drop")
        i = jnp.where(going, i + jnp.int32(block[0]) * jnp.int32(grid[0]), i)
        going = going & (i < n)
        return y, i, going

    y, i, going = lax.while_loop(lambda state: jnp.any(state[2]), round, (y, i, going))
    return (_like(y, y_given),)


KERNELS = {
    "saxpy_grid_stride": saxpy_grid_stride,
}
