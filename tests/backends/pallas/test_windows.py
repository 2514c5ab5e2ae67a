"""Arrays larger than VMEM pass through windows: where a step reaches is computed, and holds."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crossport
from crossport.backends.pallas.vmem_helpers import VMEM_HELPERS

jax = pytest.importorskip("jax")

ROOT = Path(__file__).resolve().parents[3]
Helpers = dict[str, Any]


@pytest.fixture(scope="module")
def helpers() -> Helpers:
    """As a port's module has them."""
    space: Helpers = {"jax": jax, "jnp": jax.numpy, "np": np}
    for text in VMEM_HELPERS.values():
        exec(text, space)
    return space


def test_a_span_holds_every_index_and_is_tight_along_one_axis(helpers: Helpers) -> None:
    chooser = random.Random(1)
    for _ in range(300):
        sizes = tuple(chooser.choice((1, 2, 3, 5, 8, 16)) for _ in range(3))
        steps = tuple(
            chooser.choice((0, 1, -1, 2, 7, sizes[0], sizes[0] * sizes[1])) for _ in range(3)
        )
        total = int(np.prod(sizes))
        each = chooser.choice((1, 2, 8))
        first = np.arange(-(-total // each)) * each
        last = np.minimum(first + each, total) - 1
        low, high = helpers["_span"]((first, last), sizes, steps)
        items = list(itertools.product(*(range(n) for n in reversed(sizes))))
        values = [sum(i * s for i, s in zip(item[::-1], steps, strict=True)) for item in items]
        for n, (a, b) in enumerate(zip(first, last, strict=True)):
            inside = values[a : b + 1]
            least, most = (int(np.broadcast_to(x, len(first))[n]) for x in (low, high))
            assert least <= min(inside) and max(inside) <= most
            if steps[1] == steps[0] * sizes[0] and steps[2] == steps[1] * sizes[1]:
                assert (least, most) == (min(inside), max(inside))


@pytest.mark.parametrize("is_written", [False, True])
def test_a_window_holds_what_its_steps_reach_and_is_written_once(
    helpers: Helpers, is_written: bool
) -> None:
    chooser = random.Random(2)
    kept = 0
    for _ in range(200):
        steps, stride = chooser.randrange(2, 90), chooser.choice((1024, 1000, 8168, 4096, 96))
        first = np.arange(steps) * stride + chooser.choice((0, -3, 500))
        spans = [(first - chooser.choice((0, 1)), first + stride - 1)]
        place = helpers["_place"](steps, 1 << 22, is_written, spans)
        if place is None:
            continue
        kept += 1
        rows = [int(helpers["_first_row"](place, step)) for step in range(steps)]
        for step, row in enumerate(rows):
            assert row % 8 == 0 and row * 128 <= max(spans[0][0][step], 0)
            assert spans[0][1][step] < (row + place[2]) * 128
        if is_written:
            distinct = list(dict.fromkeys(rows))
            assert all(b - a >= place[2] for a, b in itertools.pairwise(distinct))
            assert rows == sorted(rows)
        assert helpers["_rows_of"](place, steps) == max(rows) + place[2]
    assert kept > 50


def test_what_may_have_wrapped_has_no_window(helpers: Helpers) -> None:
    wrapped = (np.array([0, 2**32 - 1]), np.array([5, 2**32 + 4]))
    negative = (np.array([-1, 7]), np.array([6, 14]))
    for helper, arguments in (
        ("_ratio", (negative, 2)), ("_left", (negative, 8)), ("_least", (wrapped, negative)),
        ("_hull", (wrapped, None)), ("_ratio", (wrapped, 2)), ("_sum", (negative, None)),
    ):  # fmt: skip
        assert helpers[helper](*arguments) is None
    assert helpers["_place"](2, 1 << 20, False, [wrapped]) is None


def _port(name: str) -> tuple[Any, list[Any]]:
    """A kernel of the corpus, and the windows of the launches that it makes."""
    (output,) = crossport.port(ROOT / "corpus" / name / f"{name}.cu", to="tpu").outputs
    space: dict[str, Any] = {"__name__": "port"}
    exec(compile(output.data.decode(), f"{name}_pallas.py", "exec"), space)
    seen: list[Any] = []
    plain = space["_places"]

    def spy(*arguments: Any) -> Any:
        seen.append(plain(*arguments))
        return seen[-1]

    space["_places"] = spy
    return space[name], seen


@pytest.mark.parametrize(("rows", "cols"), [(40, 1024), (272, 1000), (37, 129)])
def test_rows_pass_through_windows(rows: int, cols: int) -> None:
    softmax, seen = _port("softmax_rows")
    x = np.random.default_rng(rows).normal(size=(rows, cols)).astype(np.float32)
    out = np.full_like(x, np.nan)
    (found,) = softmax((rows, 1, 1), (128, 1, 1), x, out, cols, interpret=True)
    true = np.exp(x - x.max(1, keepdims=True).astype(np.float64))
    np.testing.assert_allclose(found, true / true.sum(1, keepdims=True), rtol=2e-6, atol=1e-9)
    moving = [place is not None for place in seen[0]]
    assert moving == ([True, True] if cols > 129 else [True, False])


def test_a_halo_is_read_from_overlapping_windows() -> None:
    stencil, seen = _port("stencil_1d_halo")
    n = 21 * 1024 + 77
    x = np.random.default_rng(3).integers(-99, 99, n).astype(np.int32)
    out = np.full(n + 5000, 7, np.int32)
    (found,) = stencil((-(-n // 128), 1, 1), (128, 1, 1), x, out, n, interpret=True)
    wide = np.pad(x, 3)
    assert (np.asarray(found)[:n] == sum(wide[i : i + n] for i in range(7))).all()
    assert (np.asarray(found)[n:] == 7).all(), "what the kernel leaves alone stays"
    assert None not in seen[0]


def test_a_stencil_of_a_plane_needs_its_rows_only() -> None:
    """Lanes beyond the width, where the kernel has no effect, are none: rows follow each other."""
    conv, seen = _port("conv2d_constant")
    width, height = 300, 27
    x = np.random.default_rng(6).normal(size=(height, width)).astype(np.float32)
    weights = np.random.default_rng(7).normal(size=25).astype(np.float32)
    conv.globals["filter"] = weights
    grid = (-(-width // 16), -(-height // 16), 1)
    out = np.zeros_like(x)
    (found,) = conv(grid, (16, 16, 1), x, out, width, height, interpret=True)
    wide = np.pad(x.astype(np.float64), 2)
    true = sum(
        weights[5 * dy + dx] * wide[dy : dy + height, dx : dx + width]
        for dy in range(5)
        for dx in range(5)
    )
    np.testing.assert_allclose(found, true, atol=2e-5)
    assert seen[0][0] is not None and seen[0][1] == (1024, 0, 8, 1)


def test_what_many_steps_write_to_stays_whole() -> None:
    total, seen = _port("reduce_shared_tree")
    n = 40 * 256 + 5
    x = np.random.default_rng(4).integers(-9, 9, n).astype(np.float32)
    blocks = -(-n // 256)
    out = np.zeros(blocks, np.float32)
    (found,) = total((blocks, 1, 1), (256, 1, 1), x, out, n, interpret=True)
    assert np.asarray(found).sum() == x.sum()
    assert [place is not None for place in seen[0]] == [True, False]


def test_a_number_that_is_not_known_yet_leaves_arrays_whole() -> None:
    softmax, seen = _port("softmax_rows")
    x = np.random.default_rng(5).normal(size=(32, 1024)).astype(np.float32)

    def launch(values: Any, cols: Any) -> Any:
        return softmax((32, 1, 1), (128, 1, 1), values, values, cols, interpret=True)[0]

    known = softmax((32, 1, 1), (128, 1, 1), x, x, 1024, interpret=True)[0]
    np.testing.assert_array_equal(jax.jit(launch)(x, 1024), known)
    assert seen == [((8192, 0, 64, 1),) * 2, (None, None)]
