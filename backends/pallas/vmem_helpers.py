"""What Pallas kernels on lane tensors call: memory by index, and values between lanes.

An array in VMEM is rows of 128 words. Mosaic gathers along 128 lanes and stores whole rows, so a
gather goes over the rows between the smallest and the largest index, and a scatter over the rows
that 128 lanes reach. What is local costs little, whatever its shape: a stencil's window, a
transpose's column, a strided read.
"""

from __future__ import annotations

from crossport.backends.pallas.wide import WIDE_HELPERS, WIDE_NEEDS
from crossport.backends.pallas.window_helpers import WINDOW_HELPERS, WINDOW_NEEDS

VMEM_HELPERS: dict[str, str] = (
    WIDE_HELPERS
    | WINDOW_HELPERS
    | {
        "_lanes": '''
def _lanes(threads):
    """Lanes for the threads of a block: a power of two, in whole rows of 128."""
    return max(128, 1 << (threads - 1).bit_length())
''',
        "_scalar": '''
def _scalar(value, dtype):
    """A number as the kernel reads it from SMEM."""
    return jnp.asarray(value).astype(dtype).reshape(1)
''',
        "_like_words": '''
def _like_words(words):
    """The shape of an array of words."""
    return jax.ShapeDtypeStruct(words.shape, words.dtype)
''',
        "_words": '''
def _words(array, dtype, rows=8):
    """A flat array as at least so many rows of 128 words; short types are widened."""
    rows = max(rows, -(-array.size // 1024) * 8)
    array = array.astype(dtype) if array.dtype.itemsize < 4 else _view(array, dtype)
    return jnp.pad(array, (0, rows * 128 - array.size)).reshape(rows, 128)
''',
        "_unwords": '''
def _unwords(words, array):
    """What `_words` made, as the array was."""
    words = words.reshape(-1)[: array.size]
    if array.dtype.itemsize < 4:
        return words.astype(array.dtype)
    return lax.bitcast_convert_type(words, array.dtype)
''',
        "_word": '''
def _word(x, dtype):
    """The same 32 bits as another type."""
    x = jnp.asarray(x)
    if x.dtype == dtype:
        return x
    if jnp.ndim(x) == 0:
        return lax.bitcast_convert_type(jnp.full((8, 128), x), dtype)[0, 0]
    return lax.bitcast_convert_type(x, dtype)
''',
        "_half": '''
def _half(x):
    """A float32 rounded to the nearest value of a float16."""
    size = jnp.abs(x)
    bits = _word(size, jnp.int32)
    normal = _word((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF, jnp.float32)
    small = jnp.rint(size * 2.0**24) * 2.0**-24
    near = jnp.where(size < 6.103515625e-05, small, jnp.where(normal > 65504, jnp.inf, normal))
    return jnp.where(jnp.isnan(x), x, jnp.copysign(near, x))
''',
        "_bfloat": '''
def _bfloat(x):
    """A float32 rounded to the nearest value of a bfloat16."""
    bits = _word(x, jnp.int32)
    near = _word((bits + 0x7FFF + ((bits >> 16) & 1)) & ~0xFFFF, jnp.float32)
    return jnp.where(jnp.isnan(x), x, near)
''',
        "_half_fma": '''
def _half_fma(x, y, z):
    """x * y + z of halves, rounded once: the sum in float32 is rounded to odd first."""
    product = x * y
    total = product + z
    part = total - product
    error = (product - (total - part)) + (z - part)
    bits = _word(total, jnp.int32)
    towards = jnp.where((error > 0) == (total > 0), 1, -1)
    odd = (error != 0) & (bits & 1 == 0) & jnp.isfinite(total)
    return _half(_word(jnp.where(odd, bits + towards, bits), jnp.float32))
''',
        "_expm1": '''
def _expm1(x):
    """exp(x) - 1, exact near 0."""
    half = jnp.tanh(0.5 * x)
    return jnp.where(jnp.abs(x) < 0.5, 2 * half / (1 - half), jnp.exp(x) - 1)
''',
        "_sinh": '''
def _sinh(x):
    """The hyperbolic sine, exact near 0."""
    less = _expm1(jnp.abs(x))
    near = 0.5 * (less + less / (less + 1))
    far = jnp.exp(jnp.abs(x) - 0.6931471805599453)
    return jnp.copysign(jnp.where(jnp.abs(x) < 20, near, far), x)
''',
        "_cbrt": '''
def _cbrt(x):
    """The cube root: a guess by logarithm, then a step of Newton's method."""
    size = jnp.abs(x)
    guess = jnp.exp(jnp.log(size) * 0.3333333333333333)
    near = guess - (guess - size / (guess * guess)) * 0.3333333333333333
    plain = (size >= 1.1754943508222875e-38) & (size < jnp.inf)
    return jnp.copysign(jnp.where(plain, near, size), x)
''',
        "_apart": '''
def _apart(x):
    """The same lanes, each laid out for itself: a loop could not carry what a constant becomes."""
    place = [lax.broadcasted_iota(jnp.int32, x.shape, axis) for axis in (0, 1)]
    return jnp.where((place[0] + place[1]) >> 20 == 0, x, jnp.ones_like(x))
''',
        "_at": '''
def _at(ref, index):
    """The word at one place of an array, as a scalar."""
    index = jnp.clip(index, 0, ref.shape[0] * 128 - 1)
    row = ref[pl.ds(index >> 7, 1), :]
    here = lax.broadcasted_iota(jnp.int32, (1, 128), 1) == index & 127
    # The filler is what changes no sum, not even -0. Mosaic sums no integers to a scalar.
    if ref.dtype == jnp.int32:
        return jnp.max(jnp.where(here, row, jnp.int32(-(2**31))))
    return jnp.sum(jnp.where(here, row, jnp.float32(-0.0)))
''',
        "_here": '''
def _here(ref, base):
    """This step's words of an array that each thread reads at its own number."""
    start = jnp.minimum(pl.program_id(0) * 8 - (base >> 7), ref.shape[0] - 8)
    return ref[pl.ds(pl.multiple_of(start, 8), 8), :]
''',
        "_keep_here": '''
def _keep_here(ref, base, words, mask):
    """Write this step's words in the lanes of the mask."""
    start = jnp.minimum(pl.program_id(0) * 8 - (base >> 7), ref.shape[0] - 8)
    rows = pl.ds(pl.multiple_of(start, 8), 8)
    ref[rows, :] = jnp.where(mask, words, ref[rows, :])
''',
        "_take": '''
def _take(value, lane):
    """Each lane's value of another lane of its row; 0 where there is no such lane."""
    found = jnp.zeros_like(value)
    for start in range(0, value.shape[1], 128):
        part = value[:, start : start + 128]
        picked = [
            jnp.take_along_axis(part, lane[:, at : at + 128] & 127, axis=1)
            for at in range(0, value.shape[1], 128)
        ]
        found = jnp.where(lane >> 7 == start >> 7, jnp.concatenate(picked, axis=1), found)
    return found
''',
        "_gather": '''
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
''',
        "_rows": '''
def _rows(x):
    """Lanes as rows of 128."""
    parts = [x[:, at : at + 128] for at in range(0, x.shape[1], 128)]
    return jnp.concatenate(parts, axis=0)
''',
        "_unrows": '''
def _unrows(x, shape):
    """What `_rows` made, as it was."""
    parts = [x[at : at + shape[0], :] for at in range(0, x.shape[0], shape[0])]
    return jnp.concatenate(parts, axis=1)
''',
        "_column": '''
def _column(row):
    """128 lanes as 128 rows of one."""
    square = (128, 128)
    diagonal = lax.broadcasted_iota(jnp.int32, square, 0)
    diagonal = diagonal == lax.broadcasted_iota(jnp.int32, square, 1)
    spread = jnp.where(diagonal, jnp.broadcast_to(row, square), jnp.zeros((), row.dtype))
    return jnp.sum(spread, axis=1, keepdims=True, dtype=row.dtype)
''',
        "_put": '''
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
''',
        "_scatter": '''
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
''',
        "_combine": '''
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
''',
        "_second": '''
def _second(old, value):
    """What an exchange leaves."""
    return value
''',
        "_swap_if": '''
def _swap_if(old, compare, value):
    """What a compare-and-swap leaves."""
    return jnp.where(old == compare, value, old)
''',
        "_unsigned": '''
def _unsigned(update):
    """An update of unsigned words, on the signed ones that memory holds."""

    def on_words(*words):
        return update(*(w.astype(jnp.uint32) for w in words)).astype(jnp.int32)

    return on_words
''',
        "_count_up": '''
def _count_up(old, most):
    """One more, or 0 after the most."""
    return jnp.where(old >= most, 0, old + 1)
''',
        "_count_down": '''
def _count_down(old, most):
    """One less, or the most after 0."""
    return jnp.where((old == 0) | (old > most), most, old - 1)
''',
        "_update": '''
def _update(ref, index, mask, update, *operands):
    """Update the word at each lane's index, one lane after the other; returns the old words.

    Of the lanes that wait for the same place, the first goes; the others wait for another round.
    """
    shape, end = index.shape, ref.shape[0] * 128
    inside = mask & (index >= 0) & (index < end)
    places = _rows(jnp.where(inside, index, -1))
    operands = [_rows(jnp.broadcast_to(o, shape)) for o in operands]
    below = lax.broadcasted_iota(jnp.int32, (128, 128), 0)
    lane = lax.broadcasted_iota(jnp.int32, (128, 128), 1)

    def with_scratch(place_ref, old_ref, *operand_refs):
        place_ref[...], old_ref[...] = places, jnp.zeros(places.shape, ref.dtype)
        for operand_ref, operand in zip(operand_refs, operands):
            operand_ref[...] = operand

        def chunk(c, carry):
            def turn(left):
                at = place_ref[pl.ds(c, 1), :]
                before = (_column(at) == at) & (below < lane)
                first = jnp.max(before.astype(jnp.int32), axis=0, keepdims=True) == 0
                first &= at >= 0
                old = _gather(ref, jnp.broadcast_to(at, (8, 128)), first)[:1, :]
                new = update(old, *(o[pl.ds(c, 1), :] for o in operand_refs))
                new = lax.bitcast_convert_type(new, jnp.int32)
                _put(ref, jnp.where(first, at, -1), new)
                old_ref[pl.ds(c, 1), :] = jnp.where(first, old, old_ref[pl.ds(c, 1), :])
                place_ref[pl.ds(c, 1), :] = jnp.where(first, -1, at)
                return jnp.max(jnp.where(first, -1, at))

            lax.while_loop(lambda left: left >= 0, turn, jnp.max(place_ref[pl.ds(c, 1), :]))
            return carry

        lax.fori_loop(0, places.shape[0], chunk, 0)
        return _unrows(old_ref[...], shape)

    scratch = [pltpu.VMEM(places.shape, kind) for kind in (jnp.int32, ref.dtype)]
    scratch += [pltpu.VMEM(places.shape, o.dtype) for o in operands]
    return pl.run_scoped(with_scratch, *scratch)
''',
        "_fold_lanes": '''
def _fold_lanes(value, combine, width):
    """The combination of each group of `width` lanes, given to each of them."""
    lane = lax.broadcasted_iota(jnp.int32, value.shape, 1)
    step = 1
    while step < width:
        value = combine(value, _take(value, lane ^ step))
        step *= 2
    return value
''',
        "_scan_lanes": '''
def _scan_lanes(value, combine, width):
    """The combination of the lanes of the group up to each lane."""
    lane = lax.broadcasted_iota(jnp.int32, value.shape, 1)
    step = 1
    while step < width:
        before = _take(value, jnp.maximum(lane - step, 0))
        value = jnp.where(lane & width - 1 >= step, combine(before, value), value)
        step *= 2
    return value
''',
        "_other_lane": '''
def _other_lane(value, source, width):
    """The value of another lane of the group; the lane's own where the source is outside."""
    lane = lax.broadcasted_iota(jnp.int32, value.shape, 1)
    position = lane & width - 1
    inside = (source >= 0) & (source < width)
    return _take(value, lane - position + jnp.where(inside, source, position))
''',
        "_vote": '''
def _vote(mask, width):
    """A bit a lane of the group."""
    lane = lax.broadcasted_iota(jnp.int32, mask.shape, 1)
    bits = jnp.where(mask, jnp.left_shift(1, lane & width - 1), 0)
    return _fold_lanes(bits, jnp.bitwise_or, width)
''',
        "_dot_lanes": '''
def _dot_lanes(x, y, inner, columns, strides_x, strides_y):
    """The product of two matrices whose elements are lanes of a row, at these strides."""
    lane = lax.broadcasted_iota(jnp.int32, x.shape, 1)
    row, column = lax.div(lane, jnp.int32(columns)), lax.rem(lane, jnp.int32(columns))
    total = jnp.zeros_like(x)
    for k in range(inner):
        at_x, at_y = row * strides_x[0] + k * strides_x[1], k * strides_y[0] + column * strides_y[1]
        total += _take(x, at_x) * _take(y, at_y)
    return total
''',
    }
)
NEEDS: dict[str, tuple[str, ...]] = (
    WIDE_NEEDS
    | WINDOW_NEEDS
    | {
        "_words": ("_view",),
        "_half": ("_word",),
        "_bfloat": ("_word",),
        "_half_fma": ("_half", "_word"),
        "_sinh": ("_expm1",),
        "_gather": ("_apart",),
        "_update": ("_gather", "_apart", "_put", "_rows", "_unrows", "_column"),
        "_put": ("_column",),
        "_scatter": ("_put", "_column", "_rows"),
        "_combine": ("_column", "_rows"),
        "_fold_lanes": ("_take",),
        "_scan_lanes": ("_take",),
        "_other_lane": ("_take",),
        "_vote": ("_fold_lanes", "_take"),
        "_dot_lanes": ("_take",),
    }
)
