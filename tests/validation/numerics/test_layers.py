"""Each layer of the verdict says what it should of data made for it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from crossport.validation.dtypes import DTYPES, from_float64
from crossport.validation.numerics.layers import Evidence, judge_array
from crossport.validation.numerics.units import bits_apart, ulp_size
from crossport.validation.numerics.words import Word, worst

F32 = DTYPES["float32"]


def _float(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def judge(port: Any, original: Any, **more: Any) -> Any:
    """Judge float32 data."""
    return judge_array("y", F32, Evidence(_float(original), **more), _float(port))


def test_equal_bits_are_exact() -> None:
    assert judge([1, np.nan, -0.0], [1, np.nan, -0.0]).word is Word.EXACT


def test_nan_payload_and_sign_of_zero_do_not_matter() -> None:
    odd = np.array([0x7FC00001, 0x80000000], dtype=np.uint32).view(np.float32)
    assert judge(odd, [np.nan, 0.0]).word is Word.EXACT


@pytest.mark.parametrize(
    ("port", "original"),
    [(0.0, np.nan), (np.nan, 0.0), (np.inf, 3e38), (-np.inf, np.inf), (0.0, 1e-39), (1.0, np.inf)],
)
def test_classes_must_match(port: float, original: float) -> None:
    found = judge([1.0, port], [1.0, original], oracle=np.array([1.0, original]))
    assert found.word is Word.DIVERGENT
    assert found.first.index == (1,)


def test_integers_are_held_to_every_bit() -> None:
    evidence = Evidence(np.arange(10, dtype=np.int32), shape=(2, 5))
    port = np.arange(10, dtype=np.int32)
    port[7] = 0
    found = judge_array("y", DTYPES["int32"], evidence, port)
    assert found.word is Word.DIVERGENT
    assert found.first is not None and found.first.index == (1, 2)


def test_without_an_oracle_a_difference_is_undecided() -> None:
    assert judge([1.0000001], [1.0]).word is Word.UNDECIDED


def test_noise_covers_what_lies_inside() -> None:
    noise = (np.array([0.9]), np.array([1.1]))
    assert judge([1.05], [1.0], noise=noise).word is Word.WITHIN_NOISE
    assert judge([1.2], [1.0], noise=noise).word is Word.UNDECIDED


def test_twice_the_error_passes_and_more_does_not() -> None:
    true = np.full(1000, 1.0)
    unit = float(ulp_size(np.ones(1), F32)[0])
    original = true + 10 * unit
    assert judge(true + 19 * unit, original, oracle=true).word is Word.EQUIVALENT
    assert judge(true + 22 * unit, original, oracle=true).word is Word.DIVERGENT


def test_one_bad_element_in_a_million_is_found() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=1_000_000)
    port = _float(true)
    port[777_777] *= np.float32(1 + 1e-5)
    found = judge(port, _float(true), oracle=true)
    assert found.word is Word.DIVERGENT
    assert found.first.flat == 777_777


def test_a_bad_tile_is_found() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(size=64 * 256)
    original = _float(true * (1 + 2e-7 * rng.normal(size=true.size)))
    port = original.copy()
    start = 17 * 256
    port[start : start + 256] = _float(true[start : start + 256] * (1 + 6e-7))
    found = judge(port, original, oracle=true)
    assert found.word is Word.DIVERGENT
    assert "4352" in found.reason


def test_sensitivity_excuses_what_inputs_do_not_determine() -> None:
    true = np.array([1e-9, 1.0])
    port, original = [3e-8, 1.0], [1e-9, 1.0]
    assert judge(port, original, oracle=true).word is Word.DIVERGENT
    sensitivity = np.array([1e-8, 1e-8])
    assert judge(port, original, oracle=true, sensitivity=sensitivity).word is Word.EQUIVALENT


def test_exact_sums_leave_no_room() -> None:
    true = np.array([8.0, 16.0])
    port = np.nextafter(_float(true), np.float32(99))
    found = judge(port, true, oracle=true, is_exact_regime=True)
    assert found.word is Word.DIVERGENT and "room for rounding" in found.reason


@pytest.mark.parametrize(("bits", "name"), [(10, "tf32"), (7, "bfloat16"), (11, "float16")])
def test_a_narrower_type_is_found(bits: int, name: str) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(64, 64)), rng.normal(size=(64, 64))
    a, b = a.astype(np.float32).astype(np.float64), b.astype(np.float32).astype(np.float64)

    def narrow(x: NDArray[np.float64]) -> NDArray[np.float64]:
        mantissa, exponent = np.frexp(x)
        return np.ldexp(np.round(mantissa * 2.0 ** (bits + 1)) / 2.0 ** (bits + 1), exponent)

    true = (a @ b).ravel()
    original = (a.astype(np.float32) @ b.astype(np.float32)).ravel()
    port = (narrow(a).astype(np.float32) @ narrow(b).astype(np.float32)).ravel()
    sensitivity = 2.0**-23 * np.sqrt(np.square(a) @ np.square(b)).ravel()
    found = judge(port, original, oracle=true, sensitivity=sensitivity)
    assert found.word is Word.DIVERGENT, name


def test_a_half_result_computed_in_half_is_found() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(200, 256)).astype(np.float16)
    true = x.astype(np.float64).sum(axis=1)
    dtype = DTYPES["float16"]
    running = np.zeros(200, dtype=np.float16)
    for column in x.T:
        running = (running + column).astype(np.float16)
    original = from_float64(x.astype(np.float32).sum(axis=1).astype(np.float64), dtype)
    evidence = Evidence(original, oracle=true)
    assert judge_array("y", dtype, evidence, running).word is Word.DIVERGENT


def test_multisets_ignore_order_and_nothing_else() -> None:
    evidence = Evidence(np.array([3, 1, 2], np.int32), may_reorder=True)
    dtype = DTYPES["int32"]
    assert judge_array("y", dtype, evidence, np.array([1, 2, 3], np.int32)).word is Word.EXACT
    assert judge_array("y", dtype, evidence, np.array([1, 2, 2], np.int32)).word is Word.DIVERGENT


def test_the_worst_word_wins() -> None:
    assert worst([Word.EXACT, Word.UNDECIDED, Word.EQUIVALENT]) is Word.UNDECIDED
    assert worst([]) is Word.UNDECIDED
    assert not Word.UNDECIDED.passes


@given(hnp.arrays(np.float32, 20, elements=st.floats(width=32)))
@settings(max_examples=60, deadline=None)
def test_a_run_agrees_with_itself(values: NDArray[np.float32]) -> None:
    assert judge(values, values).word is Word.EXACT
    apart = bits_apart(values, values, F32)
    assert (apart == 0).all()


@given(
    hnp.arrays(np.float32, 12, elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(0, 11),
)
@settings(max_examples=80, deadline=None)
def test_any_visible_change_is_noticed(values: NDArray[np.float32], at: int) -> None:
    port = values.copy()
    port[at] += np.float32(1e-3) * np.maximum(np.abs(port[at]), np.float32(1))
    found = judge(port, values, oracle=values.astype(np.float64))
    assert found.word is Word.DIVERGENT


def test_a_hundred_megabytes_are_judged_in_two_seconds() -> None:
    rng = np.random.default_rng(5)
    original = rng.normal(size=25_000_000).astype(np.float32)
    port = original.copy()
    port[24_999_999] += 1
    began = time.process_time()
    found = judge(port, original)
    assert found.first.flat == 24_999_999
    assert time.process_time() - began < 2.0
