"""What launchers and kernels call for arrays of which a step sees a window, not the whole.

    places = _places(8, blocks, threads, (in_.size, out.size), (False, True), reach)
    places[0]        (8000, 0, 72, 1): in step s, 72 rows of 128 words from word 8000 * s on
    places[1]        None: the array stands whole in VMEM

A window starts on a multiple of 1024 words. That of an array that is written stays for `group`
steps, and no two windows share a row: then each is read once, before its first step, and written
back once, after its last.
"""

from __future__ import annotations

WINDOW_HELPERS: dict[str, str] = {
    "_below": '''
def _below(size, limit):
    """An extent, no further than its limit, where that is known when the launch is traced."""
    try:
        return max(1, min(size, limit()))
    except jax.errors.ConcretizationTypeError:
        return size
''',
    "_span": '''
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
''',
    "_sum": '''
def _sum(*spans):
    """The span of a sum."""
    if any(span is None for span in spans):
        return None
    return sum(low for low, _ in spans), sum(high for _, high in spans)
''',
    "_scaled": '''
def _scaled(span, number):
    """The span of a multiple."""
    if span is None:
        return None
    low, high = span[0] * number, span[1] * number
    return np.minimum(low, high), np.maximum(low, high)
''',
    "_ratio": '''
def _ratio(span, number):
    """The span of a quotient; None where a number may be negative, or have wrapped."""
    if span is None or number < 1 or np.min(span[0]) < 0 or np.max(span[1]) > 2**31 - 1:
        return None
    return span[0] // number, span[1] // number
''',
    "_left": '''
def _left(span, number):
    """The span of a remainder."""
    if span is None or number < 1 or np.min(span[0]) < 0 or np.max(span[1]) > 2**31 - 1:
        return None
    turns = span[0] // number != span[1] // number
    return np.where(turns, 0, span[0] % number), np.where(turns, number - 1, span[1] % number)
''',
    "_is_whole": '''
def _is_whole(*spans):
    """Are all of these known, and did nothing wrap on the way?"""
    return all(
        span is not None and np.min(span[0]) >= -(2**30) and np.max(span[1]) < 2**31 - 1
        for span in spans
    )
''',
    "_least": '''
def _least(a, b):
    """The span of the smaller one."""
    if not _is_whole(a, b):
        return None
    return np.minimum(a[0], b[0]), np.minimum(a[1], b[1])
''',
    "_most": '''
def _most(a, b):
    """The span of the larger one."""
    if not _is_whole(a, b):
        return None
    return np.maximum(a[0], b[0]), np.maximum(a[1], b[1])
''',
    "_hull": '''
def _hull(*spans):
    """The span of one or the other."""
    if not _is_whole(*spans):
        return None
    low, high = spans[0]
    for span in spans[1:]:
        low, high = np.minimum(low, span[0]), np.maximum(high, span[1])
    return low, high
''',
    "_between": '''
def _between(a, b):
    """From the first of one to the last of the other."""
    if not _is_whole(a, b):
        return None
    return a[0], np.maximum(a[0], b[1])
''',
    "_places": '''
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
''',
    "_first_row": '''
def _first_row(place, step):
    """The first row of a window."""
    slope, offset, _, group = place
    return jnp.maximum((slope * (step // group) + offset) >> 10, 0) * 8
''',
    "_room": '''
def _room(place, size):
    """Words of VMEM that an array takes: whole, or two windows in turn."""
    return size if place is None else 2 * 128 * place[2]
''',
    "_rows_of": '''
def _rows_of(place, steps):
    """Rows that the last window ends at."""
    if place is None:
        return 8
    slope, offset, rows, group = place
    ends = [max((slope * (step // group) + offset) >> 10, 0) * 8 for step in (0, steps - 1)]
    return max(ends) + rows
''',
    "_spec": '''
def _spec(place):
    """The block of an array that a step sees."""
    if place is None:
        return pl.BlockSpec(memory_space=pltpu.VMEM)
    shape = (pl.Element(place[2]), pl.Element(128))
    return pl.BlockSpec(shape, lambda step: (_first_row(place, step), 0))
''',
    "_base": '''
def _base(place):
    """The number of the first word that this step sees of an array."""
    return 0 if place is None else _first_row(place, pl.program_id(0)) * 128
''',
    "_begins": '''
def _begins(place):
    """Is this the first step that sees the window?"""
    group = 0 if place is None else place[3]
    step = pl.program_id(0)
    return step == 0 if group == 0 else lax.rem(step, jnp.int32(group)) == 0
''',
}

WINDOW_NEEDS: dict[str, tuple[str, ...]] = {
    "_least": ("_is_whole",),
    "_most": ("_is_whole",),
    "_hull": ("_is_whole",),
    "_between": ("_is_whole",),
    "_places": ("_is_whole",),
    "_spec": ("_first_row",),
    "_base": ("_first_row",),
}
