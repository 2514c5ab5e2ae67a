"""The functions that Pallas ports carry, against NumPy and Python's whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402
from jax.experimental import pallas as pl  # noqa: E402
from jax.experimental.pallas import tpu as pltpu  # noqa: E402

from crossport.backends.pallas.contraction import PRODUCT_HELPERS  # noqa: E402
from crossport.backends.pallas.math import HELPERS  # noqa: E402
from crossport.backends.pallas.vmem_helpers import VMEM_HELPERS  # noqa: E402

Words = tuple[Any, Any]
CORNERS = [0, 1, 2, 3, 31, 32, 33, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 1]
CORNERS += [(1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2, 0x123456789ABCDEF0]


@pytest.fixture(scope="module")
def helpers() -> dict[str, Any]:
    """All of them, as a port's module has them."""
    space: dict[str, Any] = {"jax": jax, "jnp": jnp, "lax": lax, "pl": pl, "pltpu": pltpu}
    for text in (HELPERS | VMEM_HELPERS | PRODUCT_HELPERS).values():
        exec(text, space)
    return space


def pairs(values: list[int]) -> Words:
    low = np.array([v & 0xFFFFFFFF for v in values], np.uint32).reshape(8, -1)
    high = np.array([v >> 32 for v in values], np.uint32).reshape(8, -1)
    return jnp.asarray(low), jnp.asarray(high)


def numbers(words: Words) -> list[int]:
    low, high = (np.asarray(w).reshape(-1).tolist() for w in words)
    return [a | b << 32 for a, b in zip(low, high, strict=True)]


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def quotient(x: int, y: int) -> int:
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


def operands() -> tuple[list[int], list[int]]:
    """Every pair of corners, and some in between, a whole number of rows of eight."""
    rng = np.random.default_rng(1)
    every = [(a, b) for a in CORNERS for b in CORNERS]
    more = rng.integers(0, 1 << 63, (479, 2)).tolist()
    every += [(2 * a + 1, b >> (a % 60)) for a, b in more]
    return [a for a, _ in every], [b for _, b in every]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_add_wide", lambda a, b: a + b),
        ("_sub_wide", lambda a, b: a - b),
        ("_mul_wide", lambda a, b: a * b),
    ],
)
def test_wide_arithmetic_wraps(
    helpers: dict[str, Any], name: str, expected: Callable[[int, int], int]
) -> None:
    x, y = operands()
    found = numbers(jax.jit(helpers[name])(pairs(x), pairs(y)))
    assert found == [expected(a, b) & (1 << 64) - 1 for a, b in zip(x, y, strict=True)]


@pytest.mark.parametrize("is_signed", [True, False])
def test_wide_quotients_and_order(helpers: dict[str, Any], is_signed: bool) -> None:
    x, y = operands()
    y = [b or 1 for b in y]

    def both(a: Words, b: Words) -> Any:
        return helpers["_divide_wide"](a, b, is_signed), helpers["_less_wide"](a, b, is_signed)

    (found, rest), less = jax.jit(both)(pairs(x), pairs(y))
    real = [(signed(a), signed(b)) if is_signed else (a, b) for a, b in zip(x, y, strict=True)]
    mask = (1 << 64) - 1
    assert numbers(found) == [quotient(a, b) & mask for a, b in real]
    assert numbers(rest) == [(a - b * quotient(a, b)) & mask for a, b in real]
    assert np.asarray(less).reshape(-1).tolist() == [a < b for a, b in real]


@pytest.mark.parametrize("is_signed", [True, False])
def test_wide_shifts_and_conversions(helpers: dict[str, Any], is_signed: bool) -> None:
    x, y = operands()
    amounts = [b % 64 for b in y]
    n = jnp.asarray(np.array(amounts, np.int32).reshape(8, -1))

    def all_of(a: Words, n: Any) -> Any:
        left = helpers["_left_wide"](a, n)
        return left, helpers["_right_wide"](a, n, is_signed), helpers["_float_wide"](a, is_signed)

    left, right, floats = jax.jit(all_of)(pairs(x), n)
    mask = (1 << 64) - 1
    real = [signed(a) if is_signed else a for a in x]
    assert numbers(left) == [(a << b) & mask for a, b in zip(x, amounts, strict=True)]
    assert numbers(right) == [(a >> b) & mask for a, b in zip(real, amounts, strict=True)]
    kind = np.int64 if is_signed else np.uint64
    wanted = np.array(real, kind).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(floats).reshape(-1), wanted)


def test_short_floats_are_rounded_to_nearest_even(helpers: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    halves = np.nan_to_num(halves, nan=1.0, posinf=65504.0, neginf=-65504.0)
    between = (halves[:-1] + halves[1:]) / 2
    wild = rng.integers(0, 1 << 32, 4096, dtype=np.uint32).view(np.float32)
    corners = np.array([np.inf, -np.inf, np.nan, 65519.0, 65520.0], np.float32)
    x = np.concatenate([halves, between, wild, corners])
    # The CPU, as the TPU, may count denormal float32 as zero.
    x = np.where(np.abs(x) < np.finfo(np.float32).tiny, 0, x)
    with np.errstate(over="ignore"):
        wanted = x.astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(jax.jit(helpers["_half"])(x)), wanted)
    found = np.asarray(jax.jit(helpers["_bfloat"])(x))
    np.testing.assert_array_equal(found, x.astype(jnp.bfloat16).astype(np.float32))


def test_a_fused_multiply_add_of_halves_rounds_once(helpers: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    x, y, z = (rng.normal(0, 4, 20000).astype(np.float16).astype(np.float32) for _ in range(3))
    z = z * np.float32(2.0) ** rng.integers(-12, 6, z.size)
    z = z.astype(np.float16).astype(np.float32)
    wanted = (x.astype(np.float64) * y + z).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(jax.jit(helpers["_half_fma"])(x, y, z)), wanted)


def run(body: Callable[..., None], *arrays: Any, out: Any) -> Any:
    """A kernel in interpret mode; its last array is written and starts as `out`."""

    def kernel(*refs: Any) -> None:
        refs[-1][...] = refs[-2][...]
        body(*refs[:-2], refs[-1])

    shape = jax.ShapeDtypeStruct(out.shape, out.dtype)
    return np.asarray(pl.pallas_call(kernel, out_shape=shape, interpret=True)(*arrays, out))


def test_memory_by_index(helpers: dict[str, Any]) -> None:
    rng = np.random.default_rng(4)
    table = rng.normal(size=(16, 128)).astype(np.float32)
    index = rng.integers(0, 2048, (8, 256)).astype(np.int32)
    index[0] = np.arange(256) + 100  # a run of neighbours, the way most threads write
    mask = rng.random((8, 256)) < 0.8
    empty = np.zeros_like(table)

    def copy(table_ref: Any, index_ref: Any, mask_ref: Any, out_ref: Any) -> None:
        lanes, here = index_ref[...], mask_ref[...] != 0
        value = helpers["_gather"](table_ref, lanes, here)
        helpers["_scatter"](out_ref, lanes, value, here)

    found = run(copy, table, index, mask.astype(np.int32), out=empty).reshape(-1)
    wanted = np.zeros(2048, np.float32)
    wanted[index[mask]] = table.reshape(-1)[index[mask]]
    np.testing.assert_array_equal(found, wanted)


def test_updates_by_index(helpers: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    index = rng.integers(0, 40, (8, 128)).astype(np.int32) * 7
    counts = np.zeros((8, 128), np.int32)

    def count(index_ref: Any, out_ref: Any) -> None:
        lanes = index_ref[...]
        one, here = jnp.ones(lanes.shape, jnp.int32), lanes >= 0
        helpers["_combine"](out_ref, lanes, one, here, jnp.sum, jnp.add, 0)
        old = helpers["_update"](out_ref, lanes, here, jnp.add, one)
        # Each lane saw another number: what was counted before, and those ahead of it.
        helpers["_combine"](out_ref, lanes + 512, old, here, jnp.sum, jnp.add, 0)

    found = run(count, index, out=counts).reshape(-1)
    number = np.bincount(index.reshape(-1), minlength=512)
    np.testing.assert_array_equal(found[:512], 2 * number)
    np.testing.assert_array_equal(found[512:], number * number + number * (number - 1) // 2)


def test_a_product_with_ragged_edges(helpers: dict[str, Any]) -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(-4, 5, 37 * 70).astype(np.float32), rng.integers(-4, 5, (70, 300))

    def at(row: int, inner: int) -> int:
        return row * 70 + inner

    left = helpers["_matrix"](jnp.asarray(a), at, (37, 70))
    turned = helpers["_matrix"](jnp.asarray(a), lambda i, j: at(j, i), (70, 37))
    sparse = helpers["_matrix"](jnp.asarray(a), lambda i, j: 3 * i + 5 * j, (900, 2))
    np.testing.assert_array_equal(left, a.reshape(37, 70))
    np.testing.assert_array_equal(turned, a.reshape(37, 70).T)
    places = 3 * np.arange(900)[:, None] + [0, 5]
    np.testing.assert_array_equal(sparse, np.where(places < a.size, a[places % a.size], 0))
    found = helpers["_product"](left, jnp.asarray(b, jnp.float32), True)
    np.testing.assert_array_equal(found, a.reshape(37, 70) @ b)
    sums = helpers["_row_products"](left, jnp.asarray(b[:, :1].T, jnp.float32), True)
    np.testing.assert_array_equal(sums, a.reshape(37, 70) @ b[:, :1])
