"""JAX port of spmv_csr_scalar.cu, made by crossport 0.1.0.

Source sha256: f53752d6f2adae2b8d4b06fb94a56580f30f9750b828ef96829999498fec58ea
Kernels, and the tier of each:
    spmv_csr_scalar: tile
"""


import functools
import inspect
import math

import jax
import jax.numpy as jnp
import numpy as np
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


def _span(items, sizes, steps):
    """Smallest and largest sum of index * step, of items that count through the sizes."""
    first, last = items
    axes = []
    for size, step in zip(sizes, steps, strict=True):
        if size > 1 and axes and step == axes[-1][0] * axes[-1][1]:
            axes[-1] = (axes[-1][0] * size, axes[-1][1])
        elif size > 1 or not axes:
            axes.append((size, step))
    least, most, stride = 0, 0, 1
    for size, step in axes:
        a, b = first // stride, last // stride
        turns = a // size != b // size
        a, b = np.where(turns, 0, a % size), np.where(turns, size - 1, b % size)
        least, most = least + np.minimum(a * step, b * step), most + np.maximum(a * step, b * step)
        stride *= size
    return least, most


def _sum(*spans):
    """The span of a sum."""
    if any(span is None for span in spans):
        return None
    return sum(low for low, _ in spans), sum(high for _, high in spans)


def _is_whole(*spans):
    """Are all of these known, and did nothing wrap on the way?"""
    return all(
        span is not None and np.min(span[0]) >= -(2**30) and np.max(span[1]) < 2**31 - 1
        for span in spans
    )


def _places(each, total, threads, sizes, written, reach):
    """Of each array the window that moves with the steps, or None: it stands whole in VMEM.

    A step does `each` of `total` items. `reach`: the spans of every array, by all steps' items.
    """
    steps = -(-total // each)
    first = np.arange(steps, dtype=np.int64) * each
    items = first, np.minimum(first + each, total) - 1
    try:
        spans = reach(items, (np.int64(0), np.int64(threads - 1)))
    except jax.errors.ConcretizationTypeError:
        spans = [None] * len(sizes)  # A number that the places hang on is not known yet.
    return tuple(map(_place, [steps] * len(sizes), sizes, written, spans))


def _place(steps, size, is_written, spans):
    """The window of one array: (words a group of steps, first word, rows, steps a group)."""
    if steps < 2 or not spans or not _is_whole(*spans):
        return None
    least = np.min([np.broadcast_to(low, steps) for low, _ in spans], axis=0)
    most = np.max([np.broadcast_to(high, steps) for _, high in spans], axis=0)
    for group in (1, 2, 4, 8, 16, 32, 64, 128) if is_written else (1,):
        number = np.arange(-(-steps // group))
        low = np.minimum.reduceat(least, number * group)
        high = np.maximum.reduceat(most, number * group)
        slope = int((low[-1] - low[0]) // max(len(low) - 1, 1))
        offset = int(np.min(low - slope * number))
        page = np.maximum((slope * number + offset) // 1024, 0)
        pages = max(int(np.max(high // 1024 - page)) + 1, 1)
        if pages * 1024 >= size:
            return None
        if not is_written or np.all(np.diff(page) >= pages):
            return slope, offset, 8 * pages, group
    return None


def _first_row(place, step):
    """The first row of a window."""
    slope, offset, _, group = place
    return jnp.maximum((slope * (step // group) + offset) >> 10, 0) * 8


def _room(place, size):
    """Words of VMEM that an array takes: whole, or two windows in turn."""
    return size if place is None else 2 * 128 * place[2]


def _rows_of(place, steps):
    """Rows that the last window ends at."""
    if place is None:
        return 8
    slope, offset, rows, group = place
    ends = [max((slope * (step // group) + offset) >> 10, 0) * 8 for step in (0, steps - 1)]
    return max(ends) + rows


def _spec(place):
    """The block of an array that a step sees."""
    if place is None:
        return pl.BlockSpec(memory_space=pltpu.VMEM)
    shape = (pl.Element(place[2]), pl.Element(128))
    return pl.BlockSpec(shape, lambda step: (_first_row(place, step), 0))


def _base(place):
    """The number of the first word that this step sees of an array."""
    return 0 if place is None else _first_row(place, pl.program_id(0)) * 128


def _begins(place):
    """Is this the first step that sees the window?"""
    group = 0 if place is None else place[3]
    step = pl.program_id(0)
    return step == 0 if group == 0 else lax.rem(step, jnp.int32(group)) == 0


def _scalar(value, dtype):
    """A number as the kernel reads it from SMEM."""
    return jnp.asarray(value).astype(dtype).reshape(1)


def _like_words(words):
    """The shape of an array of words."""
    return jax.ShapeDtypeStruct(words.shape, words.dtype)


def _words(array, dtype, rows=8):
    """A flat array as at least so many rows of 128 words; short types are widened."""
    rows = max(rows, -(-array.size // 1024) * 8)
    array = array.astype(dtype) if array.dtype.itemsize < 4 else _view(array, dtype)
    return jnp.pad(array, (0, rows * 128 - array.size)).reshape(rows, 128)


def _unwords(words, array):
    """What `_words` made, as the array was."""
    words = words.reshape(-1)[: array.size]
    if array.dtype.itemsize < 4:
        return words.astype(array.dtype)
    return lax.bitcast_convert_type(words, array.dtype)


def _apart(x):
    """The same lanes, each laid out for itself: a loop could not carry what a constant becomes."""
    place = [lax.broadcasted_iota(jnp.int32, x.shape, axis) for axis in (0, 1)]
    return jnp.where((place[0] + place[1]) >> 20 == 0, x, jnp.ones_like(x))


def _here(ref, base):
    """This step's words of an array that each thread reads at its own number."""
    start = jnp.minimum(pl.program_id(0) * 8 - (base >> 7), ref.shape[0] - 8)
    return ref[pl.ds(pl.multiple_of(start, 8), 8), :]


def _keep_here(ref, base, words, mask):
    """Write this step's words in the lanes of the mask."""
    start = jnp.minimum(pl.program_id(0) * 8 - (base >> 7), ref.shape[0] - 8)
    rows = pl.ds(pl.multiple_of(start, 8), 8)
    ref[rows, :] = jnp.where(mask, words, ref[rows, :])


def _gather(ref, index, mask):
    """The words at `index` in the lanes of the mask, 0 in the others."""
    row, lane = index >> 7, index & 127
    rows, width = ref.shape[0], index.shape[1]
    first = jnp.clip(jnp.min(jnp.where(mask, row, rows)), 0, rows)
    last = jnp.clip(jnp.max(jnp.where(mask, row, -1)), -1, rows - 1)

    def add_row(r, found):
        words = jnp.broadcast_to(ref[pl.ds(r, 1), :], (index.shape[0], 128))
        picked = [
            jnp.take_along_axis(words, lane[:, at : at + 128], axis=1)
            for at in range(0, width, 128)
        ]
        return jnp.where(mask & (row == r), jnp.concatenate(picked, axis=1), found)

    return lax.fori_loop(first, last + 1, add_row, _apart(jnp.zeros(index.shape, ref.dtype)))


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


def _spmv_csr_scalar_by_grid(
    grid,
    block,
    rows,
    row_start,
    col,
    value,
    x,
    y,
    *,
    shared_bytes=0,
    interpret=False,
):
    """`spmv_csr_scalar<<<grid, block>>>`; returns (y)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    row_start = _flat(row_start, jnp.int32)
    col = _flat(col, jnp.int32)
    value = _flat(value, jnp.float32)
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
    rows = jnp.asarray(rows, jnp.int32)
    row_ = block_x * jnp.int32(block[0]) + thread_x
    mask_1 = active & (row_ < rows)
    sum_ = jnp.full(shape, 0.0, jnp.float32)
    row_start_value = row_start[row_]
    k = jnp.broadcast_to(row_start_value, shape)
    row_start_value_3 = jnp.broadcast_to(row_start[row_ + 1], shape)
    going = mask_1 & (k < row_start_value_3)

    def round(state):
        sum_, k, row_start_value_3, going = state
        value_value = value[k]
        col_value = col[k]
        x_value = x[col_value]
        sum_ = jnp.where(going, sum_ + value_value * x_value, sum_)
        k = jnp.where(going, k + 1, k)
        row_start_value_3 = jnp.broadcast_to(row_start[row_ + 1], shape)
        going = going & (k < row_start_value_3)
        return sum_, k, row_start_value_3, going

    sum_, k, row_start_value_3, going = lax.while_loop(
        lambda state: jnp.any(state[3]),
        round,
        (sum_, k, row_start_value_3, going),
    )
    y = y.at[jnp.where(mask_1, row_, y.size)].set(sum_, mode="drop")
    return (_like(y, y_given),)


def _spmv_csr_scalar_kernel(
    places,
    grid,
    block,
    size_x,
    rows_ref,
    row_start_ref,
    col_ref,
    value_ref,
    x_ref,
    y_in,
    y_ref,
):
    @pl.when(_begins(places[1]))
    def _():
        y_ref[...] = y_in[...]

    row_start_base = _base(places[0])
    y_base = _base(places[1])
    rows = rows_ref[0]
    shape = (8, 128)
    thread = (pl.program_id(0) * 8 + lax.broadcasted_iota(jnp.int32, shape, 0)) * 128
    thread += lax.broadcasted_iota(jnp.int32, shape, 1)
    active = thread < size_x
    index_x = thread
    mask_1 = active & (index_x < rows)
    sum_ = jnp.full(shape, 0.0, jnp.float32)
    row_start_value = _here(row_start_ref, row_start_base)
    k = row_start_value
    row_start_value_3 = _gather(row_start_ref, index_x + 1 - row_start_base, mask_1)
    going = mask_1 & (k < row_start_value_3)

    def round(state):
        sum_, k, row_start_value_3, going = state
        going = going != 0
        value_value = _gather(value_ref, k, going)
        col_value = _gather(col_ref, k, going)
        x_value = _gather(x_ref, col_value, going)
        sum_ = jnp.where(going, sum_ + value_value * x_value, sum_)
        k = jnp.where(going, k + 1, k)
        row_start_value_3 = _gather(row_start_ref, index_x + 1 - row_start_base, going)
        going = going & (k < row_start_value_3)
        return sum_, k, row_start_value_3, going.astype(jnp.int32)

    sum_, k, row_start_value_3, going = lax.while_loop(
        lambda state: jnp.max(state[3]) > 0,
        round,
        (_apart(sum_), _apart(k), _apart(row_start_value_3), _apart(going.astype(jnp.int32))),
    )
    going = going != 0
    _keep_here(y_ref, y_base, sum_, mask_1)


@_traced_once(0)
def spmv_csr_scalar(
    grid,
    block,
    rows,
    row_start,
    col,
    value,
    x,
    y,
    *,
    shared_bytes=0,
    interpret=False,
):
    """`spmv_csr_scalar<<<grid, block>>>`; returns (y)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    row_start = _flat(row_start, jnp.int32)
    col = _flat(col, jnp.int32)
    value = _flat(value, jnp.float32)
    x = _flat(x, jnp.float32)
    y_given = y
    y = _flat(y, jnp.float32)
    size_x = grid[0] * block[0]
    if (
        col.size > 1 << 16
        or value.size > 1 << 16
        or x.size > 1 << 16
        or grid[1] != 1
        or block[1] != 1
        or grid[2] != 1
        or block[2] != 1
    ):
        return _spmv_csr_scalar_by_grid(
            grid,
            block,
            rows,
            row_start,
            col,
            value,
            x,
            y_given,
            shared_bytes=shared_bytes,
        )
    steps = pl.cdiv(size_x, 1024)

    def reach(items, threads):
        return (
            [
                _span(items, (size_x,), (1,)),
                _sum(_span(items, (size_x,), (1,)), (1, 1)),
            ],
            [
                _span(items, (size_x,), (1,)),
            ],
        )

    places = _places(
        1024, size_x, math.prod(block), (row_start.size, y.size), (False, True), reach
    )
    needed = (
        _room(places[0], row_start.size)
        + col.size
        + value.size
        + x.size
        + 2 * _room(places[1], y.size)
    )
    if 4 * needed > 80 << 20:
        return _spmv_csr_scalar_by_grid(
            grid,
            block,
            rows,
            row_start,
            col,
            value,
            x,
            y_given,
            shared_bytes=shared_bytes,
        )
    whole = pl.BlockSpec(memory_space=pltpu.VMEM)
    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)
    words = [
        _scalar(rows, jnp.int32),
        _words(row_start, jnp.int32, _rows_of(places[0], steps)),
        _words(col, jnp.int32),
        _words(value, jnp.float32),
        _words(x, jnp.float32),
        _words(y, jnp.float32, _rows_of(places[1], steps)),
    ]
    with jax.enable_x64(False):
        (y_words,) = pl.pallas_call(
            functools.partial(_spmv_csr_scalar_kernel, places, grid, block, size_x),
            grid=(steps,),
            in_specs=[scalar] * 1 + [_spec(places[0]), whole, whole, whole, _spec(places[1])],
            out_specs=[_spec(places[1])],
            out_shape=[_like_words(words[5])],
            compiler_params=pltpu.CompilerParams(vmem_limit_bytes=100 << 20),
            input_output_aliases={5: 0},
            interpret=interpret,
            name="spmv_csr_scalar",
        )(*words)
    y = _unwords(y_words, y)
    return (_like(y, y_given),)


KERNELS = {
    "spmv_csr_scalar": spmv_csr_scalar,
}
