"""JAX port of histogram_shared_atomic.cu, made by crossport 0.1.0.

Source sha256: 175e6f70c4229e22fa7e79e6bd9c8cd1e9d062e55663bffdb442d94ffad485a7
Kernels, and the tier of each:
    histogram_shared_atomic: tile
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


def _between(a, b):
    """From the first of one to the last of the other."""
    if not _is_whole(a, b):
        return None
    return a[0], np.maximum(a[0], b[1])


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


def _lanes(threads):
    """Lanes for the threads of a block: a power of two, in whole rows of 128."""
    return max(128, 1 << (threads - 1).bit_length())


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


def _rows(x):
    """Lanes as rows of 128."""
    parts = [x[:, at : at + 128] for at in range(0, x.shape[1], 128)]
    return jnp.concatenate(parts, axis=0)


def _column(row):
    """128 lanes as 128 rows of one."""
    square = (128, 128)
    diagonal = lax.broadcasted_iota(jnp.int32, square, 0)
    diagonal = diagonal == lax.broadcasted_iota(jnp.int32, square, 1)
    spread = jnp.where(diagonal, jnp.broadcast_to(row, square), jnp.zeros((), row.dtype))
    return jnp.sum(spread, axis=1, keepdims=True, dtype=row.dtype)


def _put(ref, at, words):
    """Write 128 lanes' words (int32) at `at`; -1 is nowhere, and the last of equal places wins."""
    lane = lax.broadcasted_iota(jnp.int32, (1, 128), 1)
    below = lax.broadcasted_iota(jnp.int32, (128, 128), 0)
    end = ref.shape[0] * 128

    def write(r, hit, found):
        found = lax.bitcast_convert_type(found, ref.dtype)
        ref[pl.ds(r, 1), :] = jnp.where(hit, found, ref[pl.ds(r, 1), :])

    low = jnp.min(jnp.where(at < 0, end, at - lane))
    high = jnp.max(jnp.where(at < 0, -end, at - lane))

    @pl.when(low == high)
    def _():
        # A run of neighbours: it moves to its place in two rows.
        shift, first = low & 127, low >> 7
        moved = pltpu.roll(jnp.broadcast_to(words, (8, 128)), shift, 1)[:1, :]
        hits = pltpu.roll(jnp.broadcast_to(at, (8, 128)), shift, 1)[:1, :] >= 0
        for r, side in ((first, lane >= shift), (first + 1, lane < shift)):
            pl.when(jnp.max((hits & side).astype(jnp.int32)) > 0)(
                lambda r=r, side=side: write(r, hits & side, moved)
            )

    @pl.when(low < high)
    def _():
        place, word = _column(at), _column(words)

        def put(r, carry):
            match = place == lane + r * 128
            winner = jnp.max(jnp.where(match, below, -1), axis=0, keepdims=True)
            chosen = jnp.where(match & (below == winner), word, 0)
            write(r, winner >= 0, jnp.sum(chosen, axis=0, keepdims=True, dtype=jnp.int32))
            return carry

        first = jnp.min(jnp.where(at < 0, end, at)) >> 7
        lax.fori_loop(first, (jnp.max(at) >> 7) + 1, put, 0)


def _scatter(ref, index, value, mask):
    """Write each lane of the mask at its index."""
    end = ref.shape[0] * 128
    inside = mask & (index >= 0) & (index < end)
    places = _rows(jnp.where(inside, index, -1))
    values = _rows(lax.bitcast_convert_type(value, jnp.int32))

    def with_scratch(place_ref, value_ref):
        place_ref[...], value_ref[...] = places, values

        def put(r, carry):
            _put(ref, place_ref[pl.ds(r, 1), :], value_ref[pl.ds(r, 1), :])
            return carry

        lax.fori_loop(0, places.shape[0], put, 0)

    scratch = pltpu.VMEM(places.shape, jnp.int32)
    pl.run_scoped(with_scratch, scratch, scratch)


def _combine(ref, index, value, mask, reduce, combine, neutral):
    """Combine each lane's value of the mask into the word at its index."""
    end = ref.shape[0] * 128
    inside = mask & (index >= 0) & (index < end)
    places, values = _rows(jnp.where(inside, index, -1)), _rows(value)
    lane = lax.broadcasted_iota(jnp.int32, (1, 128), 1)

    def with_scratch(place_ref, value_ref):
        place_ref[...], value_ref[...] = places, values

        def add(chunk, carry):
            at = place_ref[pl.ds(chunk, 1), :]
            place, part = _column(at), _column(value_ref[pl.ds(chunk, 1), :])

            def add_row(r, carry):
                mine = jnp.where(place == lane + r * 128, part, neutral)
                total = reduce(mine, axis=0, keepdims=True)
                ref[pl.ds(r, 1), :] = combine(ref[pl.ds(r, 1), :], total)
                return carry

            first = jnp.min(jnp.where(at < 0, end, at)) >> 7
            return lax.fori_loop(first, (jnp.max(at) >> 7) + 1, add_row, carry)

        lax.fori_loop(0, places.shape[0], add, 0)

    scratch = [pltpu.VMEM(places.shape, jnp.int32), pltpu.VMEM(places.shape, ref.dtype)]
    pl.run_scoped(with_scratch, *scratch)


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


def _histogram_shared_atomic_by_grid(
    grid,
    block,
    data,
    bins,
    n,
    *,
    shared_bytes=0,
    interpret=False,
):
    """`histogram_shared_atomic<<<grid, block>>>`; returns (bins)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    data = _flat(data, jnp.uint8)
    bins_given = bins
    bins = _flat(bins, jnp.uint32)
    blocks = grid[0] * grid[1] * grid[2]
    threads = block[0] * block[1] * block[2]
    shape = (blocks, threads)
    lane = jnp.arange(shape[1], dtype=jnp.int32)[None, :]
    row = jnp.arange(blocks, dtype=jnp.int32)[:, None]
    active = jnp.broadcast_to(lane < threads, shape)
    thread_x = lane % block[0]
    block_x = row % grid[0]
    n = jnp.asarray(n, jnp.int32)
    local = jnp.zeros(blocks * 256, jnp.uint32)
    b = jnp.broadcast_to(thread_x, shape)
    going = active & (b < 256)

    def round(state):
        local, b, going = state
        local = local.at[jnp.where(going, row * 256 + b, local.size)].set(0, mode="drop")
        b = jnp.where(going, b + jnp.int32(block[0]), b)
        going = going & (b < 256)
        return local, b, going

    local, b, going = lax.while_loop(lambda state: jnp.any(state[2]), round, (local, b, going))
    stride = jnp.int32(block[0]) * jnp.int32(grid[0])
    i = jnp.broadcast_to(block_x * jnp.int32(block[0]) + thread_x, shape)
    going_2 = active & (i < n)

    def round_2(state):
        local, i, going_2 = state
        data_value = data[i]
        local = local.at[jnp.where(going_2, row * 256 + data_value.astype(jnp.int32), local.size)].add(
            jnp.uint32(1),
            mode="drop",
        )
        i = jnp.where(going_2, i + stride, i)
        going_2 = going_2 & (i < n)
        return local, i, going_2

    local, i, going_2 = lax.while_loop(
        lambda state: jnp.any(state[2]),
        round_2,
        (local, i, going_2),
    )
    b_2 = jnp.broadcast_to(thread_x, shape)
    going_3 = active & (b_2 < 256)

    def round_3(state):
        bins, b_2, going_3 = state
        local_value = local[row * 256 + b_2]
        mask_1 = going_3 & (local_value != 0)
        local_value_2 = local[row * 256 + b_2]
        bins = bins.at[jnp.where(mask_1, b_2, bins.size)].add(local_value_2, mode="drop")
        b_2 = jnp.where(going_3, b_2 + jnp.int32(block[0]), b_2)
        going_3 = going_3 & (b_2 < 256)
        return bins, b_2, going_3

    bins, b_2, going_3 = lax.while_loop(
        lambda state: jnp.any(state[2]),
        round_3,
        (bins, b_2, going_3),
    )
    return (_like(bins, bins_given),)


def _histogram_shared_atomic_kernel(
    places,
    grid,
    block,
    n_ref,
    data_ref,
    bins_in,
    bins_ref,
    local_ref,
):
    @pl.when(_begins(places[1]))
    def _():
        bins_ref[...] = bins_in[...]

    data_base = _base(places[0])
    bins_base = _base(places[1])
    n = n_ref[0]
    blocks, threads = math.prod(grid), math.prod(block)
    shape = (8, _lanes(threads))
    row = pl.program_id(0) * 8 + lax.broadcasted_iota(jnp.int32, shape, 0)
    lane = lax.broadcasted_iota(jnp.int32, shape, 1)
    active = (row < blocks) & (lane < threads)
    thread_x = lax.rem(lane, jnp.int32(block[0]))
    block_x = lax.rem(row, jnp.int32(grid[0]))
    local_ref[...] = jnp.zeros_like(local_ref)
    b = thread_x
    going = active & (b < 256)

    def round(state):
        b, going = state
        going = going != 0
        _scatter(
            local_ref,
            lax.broadcasted_iota(jnp.int32, shape, 0) * 256 + b,
            (jnp.full(shape, 0, jnp.uint32)).astype(jnp.int32),
            going,
        )
        b = jnp.where(going, b + jnp.int32(block[0]), b)
        going = going & (b < 256)
        return b, going.astype(jnp.int32)

    b, going = lax.while_loop(
        lambda state: jnp.max(state[1]) > 0,
        round,
        (_apart(b), _apart(going.astype(jnp.int32))),
    )
    going = going != 0
    stride = jnp.int32(block[0]) * jnp.int32(grid[0])
    i = block_x * jnp.int32(block[0]) + thread_x
    going_2 = active & (i < n)

    def round_2(state):
        i, going_2 = state
        going_2 = going_2 != 0
        data_value = _gather(data_ref, i - data_base, going_2)
        _combine(
            local_ref,
            lax.broadcasted_iota(jnp.int32, shape, 0) * 256 + data_value,
            (jnp.full(shape, 1, jnp.uint32)).astype(jnp.int32),
            going_2,
            jnp.sum,
            jnp.add,
            jnp.uint32(0),
        )
        i = jnp.where(going_2, i + stride, i)
        going_2 = going_2 & (i < n)
        return i, going_2.astype(jnp.int32)

    i, going_2 = lax.while_loop(
        lambda state: jnp.max(state[1]) > 0,
        round_2,
        (_apart(i), _apart(going_2.astype(jnp.int32))),
    )
    going_2 = going_2 != 0
    b_2 = thread_x
    going_3 = active & (b_2 < 256)

    def round_3(state):
        b_2, going_3 = state
        going_3 = going_3 != 0
        local_value = _gather(local_ref, lax.broadcasted_iota(jnp.int32, shape, 0) * 256 + b_2, going_3).astype(
            jnp.uint32,
        )
        mask_1 = going_3 & (local_value != 0)
        local_value_2 = _gather(local_ref, lax.broadcasted_iota(jnp.int32, shape, 0) * 256 + b_2, mask_1).astype(
            jnp.uint32,
        )
        _combine(
            bins_ref,
            b_2 - bins_base,
            (local_value_2).astype(jnp.int32),
            mask_1,
            jnp.sum,
            jnp.add,
            jnp.uint32(0),
        )
        b_2 = jnp.where(going_3, b_2 + jnp.int32(block[0]), b_2)
        going_3 = going_3 & (b_2 < 256)
        return b_2, going_3.astype(jnp.int32)

    b_2, going_3 = lax.while_loop(
        lambda state: jnp.max(state[1]) > 0,
        round_3,
        (_apart(b_2), _apart(going_3.astype(jnp.int32))),
    )
    going_3 = going_3 != 0


@_traced_once(2)
def histogram_shared_atomic(grid, block, data, bins, n, *, shared_bytes=0, interpret=False):
    """`histogram_shared_atomic<<<grid, block>>>`; returns (bins)."""
    grid, block = _dim3(grid), _dim3(block)
    if block[0] * block[1] * block[2] > 1024:
        raise ValueError(f"a block has at most 1024 threads, not {block}")
    data = _flat(data, jnp.uint8)
    bins_given = bins
    bins = _flat(bins, jnp.uint32)
    steps = pl.cdiv(math.prod(grid), 8)

    def reach(items, threads):
        return (
            [
                _between(
                    _sum(_span(items, grid, (block[0], 0, 0)), _span(threads, block, (1, 0, 0))),
                    (int(n) - 1, int(n) - 1),
                ),
            ],
            [
                _between(_span(threads, block, (1, 0, 0)), (255, 255)),
            ],
        )

    places = _places(
        8, math.prod(grid), math.prod(block), (data.size, bins.size), (False, True), reach
    )
    needed = _room(places[0], data.size) + 2 * _room(places[1], bins.size)
    if 4 * needed > 80 << 20:
        return _histogram_shared_atomic_by_grid(
            grid,
            block,
            data,
            bins_given,
            n,
            shared_bytes=shared_bytes,
        )
    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)
    words = [
        _scalar(n, jnp.int32),
        _words(data, jnp.int32, _rows_of(places[0], steps)),
        _words(bins, jnp.int32, _rows_of(places[1], steps)),
    ]
    with jax.enable_x64(False):
        (bins_words,) = pl.pallas_call(
            functools.partial(_histogram_shared_atomic_kernel, places, grid, block),
            grid=(steps,),
            in_specs=[scalar] * 1 + [_spec(places[0]), _spec(places[1])],
            out_specs=[_spec(places[1])],
            out_shape=[_like_words(words[2])],
            scratch_shapes=[pltpu.VMEM((8 * 256 // 128, 128), jnp.int32)],
            compiler_params=pltpu.CompilerParams(vmem_limit_bytes=100 << 20),
            input_output_aliases={2: 0},
            interpret=interpret,
            name="histogram_shared_atomic",
        )(*words)
    bins = _unwords(bins_words, bins)
    return (_like(bins, bins_given),)


KERNELS = {
    "histogram_shared_atomic": histogram_shared_atomic,
}
