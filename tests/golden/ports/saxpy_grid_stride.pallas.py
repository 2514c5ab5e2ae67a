"""JAX port of saxpy_grid_stride.cu, made by crossport 0.1.0.

Source sha256: 09d0c84ddbb92340926408abbec49e884380cf49bde1904e6132659f09e70fb3
Kernels, and the tier of each:
    saxpy_grid_stride: tile
"""


import functools
import inspect

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu


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


def _traced_once(*numbers):
    """Trace and compile a launch once for each grid, block and shape, and for each value of the
    whole numbers, which stand at these places behind the block."""

    def wrap(function):
        signature, compiled = inspect.signature(function), {}

        @functools.wraps(function)
        def launch(grid, block, *args, **named):
            given = signature.bind(_dim3(grid), _dim3(block), *args, **named)
            given.apply_defaults()
            grid, block, *values = given.args
            if any(isinstance(value, jax.core.Tracer) for value in values):
                return function(*given.args, **given.kwargs)
            fixed = {n: int(values[n]) for n in numbers}
            arrays = {n: v for n, v in enumerate(values) if n not in fixed}
            key = (grid, block, *fixed.values(), *given.kwargs.values())

            def run(arrays):
                both = {**arrays, **fixed}
                return function(grid, block, *(both[n] for n in sorted(both)), **given.kwargs)

            if key not in compiled:
                if len(compiled) >= 64:
                    compiled.clear()
                compiled[key] = jax.jit(run)
            return compiled[key](arrays)

        return launch

    return wrap


def _saxpy_grid_stride_kernel(n_ref, alpha_ref, size_ref, x_ref, y_ref, y_out):
    n = n_ref[0]
    alpha = alpha_ref[0]
    index_x = pl.program_id(0) * 8192
    index_x += lax.broadcasted_iota(jnp.int32, (8192,), 0)
    active = index_x < size_ref[0]
    x = x_ref[...]
    y = y_ref[...]
    mask_1 = active & (index_x < n)
    x_value = x
    y_value = y
    y = jnp.where(mask_1, alpha * x_value + y_value, y)
    y_out[...] = y


@_traced_once(0)
def saxpy_grid_stride(grid, block, n, alpha, x, y, *, shared_bytes=0, interpret=False):
    """`saxpy_grid_stride<<<grid, block>>>`; returns (y)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    x = _flat(x, jnp.float32)
    y_given = y
    y = _flat(y, jnp.float32)
    size_x = n
    length = max(x.size, y.size, 1)
    vector = pl.BlockSpec((8192,), lambda i: (i,))
    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)
    with jax.enable_x64(False):
        (y,) = pl.pallas_call(
            _saxpy_grid_stride_kernel,
            grid=(pl.cdiv(length, 8192),),
            in_specs=[scalar] * 3 + [vector] * 2,
            out_specs=[vector] * 1,
            out_shape=[jax.ShapeDtypeStruct(y.shape, y.dtype)],
            input_output_aliases={4: 0},
            interpret=interpret,
            name="saxpy_grid_stride",
        )(
            jnp.asarray(n, jnp.int32).reshape(1),
            jnp.asarray(alpha, jnp.float32).reshape(1),
            jnp.asarray(size_x, jnp.int32).reshape(1),
            x,
            y,
        )
    return (_like(y, y_given),)


KERNELS = {
    "saxpy_grid_stride": saxpy_grid_stride,
}
