"""cases.toml: expressions, generators, and complaints about what is malformed."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossport.diagnostics import Code, PortError
from crossport.validation.cases import parse_cases
from crossport.validation.dtypes import DTYPES, from_float64, to_float64
from crossport.validation.expressions import ExpressionError, evaluate, evaluate_int
from crossport.validation.generators import RECORD, RULES, Generator, checksum, generate, poison

GOOD = """
schema = 1
[[kernel]]
name = "k<float, 4>"
grid = ["ceil_div(n, 256)"]
block = [256]
shared = "4 * block_x"
args = [
  {name = "x", dtype = "float32", shape = ["n"], role = "in", gen = "uniform", range = [-1, "n"]},
  {name = "y", dtype = "float32", shape = ["n"], role = "out"},
  {name = "n", dtype = "int32", value = "n"},
]
cases = [{n = 1000}, {name = "odd", n = 3, set = {x = {gen = "special"}}}]
"""


def test_a_case_holds_numbers_only() -> None:
    first, odd = parse_cases(GOOD, "k/cases.toml").cases
    assert (first.name, first.grid, first.block, first.shared_bytes) == (
        "n1000", (4, 1, 1), (256, 1, 1), 1024,
    )  # fmt: skip
    assert first.function == "k"
    assert first.arrays[0].generator == Generator("uniform", {"range": (-1, 1000)})
    assert odd.arrays[0].generator == Generator("special", {})


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("schema = 1", "schema = 2", "schema is 2"),
        ("block = [256]", "block = [2048]", "more than 1024 threads"),
        ("block = [256]", "", "block is None"),
        ('"uniform"', '"unifrom"', "no generator 'unifrom'"),
        ('"float32"', '"float31"', "known: bool"),
        ('role = "in"', 'role = "input"', "role is 'input'"),
        ("ceil_div(n, 256)", "ceil_div(m, 256)", "unknown name 'm'"),
        ("ceil_div(n, 256)", "__import__('os')", "not allowed"),
        ("ceil_div(n, 256)", "n // 0", "divides by zero"),
        ("ceil_div(n, 256)", "n / 7", "not a whole number"),
        ("ceil_div(n, 256)", "0", "at least 1"),
        ('name = "y"', 'name = "x"', "two arguments are called x"),
        ("set = {x", "set = {z", "names z"),
        ("n = 3, set", "n = 3, sets", "is {"),
        ('{name = "odd", n = 3', '{name = "n1000", n = 3', "two cases are called"),
        ('shape = ["n"], role = "out"', 'shape = ["n * 4294967296"], role = "out"', "4 GiB"),
        ('"k<float, 4>"', "4", "kernel name is 4"),
        ("cases = [", "cases = [] #", "no cases"),
        ("[[kernel]]", "[[kernel]]\nblocks = 4", "unknown key 'blocks'"),
        ("schema = 1", "schema = = 1", "not TOML"),
    ],
)
def test_what_is_malformed_is_named(old: str, new: str, complaint: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(PortError) as error:
        parse_cases(text, "k/cases.toml")
    assert error.value.diagnostic.code is Code.CASES_INVALID
    assert complaint in error.value.diagnostic.message


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_an_expression(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        evaluate(text, {"n": 4})


def test_expressions() -> None:
    names = {"n": 10, "m": 3}
    assert evaluate_int("ceil_div(n, m) + min(n, m) * (1 if n > m else 0)", names) == 7
    assert evaluate("n / 4", names) == 2.5
    assert evaluate_int("1 << 4", {}) == 16


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("dtype", ["float32", "int32", "float16", "bfloat16", "uint8", "bool"])
def test_generators_are_deterministic_and_sized(rule: str, dtype: str) -> None:
    settings_ = {"values": (0, 1, 2), "total": 50}
    fields = ((DTYPES["int16"], Generator("iota")), (DTYPES["float64"], Generator("normal")))
    generator = Generator(rule, settings_, fields if rule == RECORD else ())
    for count in (0, 1, 17):
        made = generate(generator, count, DTYPES[dtype], "key")
        again = generate(generator, count, DTYPES[dtype], "key")
        assert made.dtype == DTYPES[dtype].storage
        assert len(made) == count
        assert made.tobytes() == again.tobytes()


def test_generators_keep_their_promises() -> None:
    words = generate(Generator("uniform", {"range": (-3, 3)}), 5000, DTYPES["int32"], "k")
    assert set(words.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    rows = generate(Generator("offsets", {"total": 40}), 9, DTYPES["int32"], "k")
    assert rows[0] == 0 and rows[-1] == 40 and (np.diff(rows) >= 0).all()
    order = generate(Generator("permutation"), 100, DTYPES["int32"], "k")
    assert sorted(order.tolist()) == list(range(100))
    special = to_float64(
        generate(Generator("special"), 4000, DTYPES["float32"], "k"), DTYPES["float32"]
    )
    assert np.isnan(special).any() and np.isinf(special).any()
    assert ((np.abs(special) < 2.0**-126) & (special != 0)).any()


def test_known_words() -> None:
    """Pinned: recorded bundles depend on these bytes."""
    made = generate(Generator("uniform", {"range": (-100, 100)}), 1000, DTYPES["float32"], "pin")
    assert checksum(made.tobytes()) == 0x66B25DA7D389D517


def test_poison_is_no_plausible_answer() -> None:
    values = poison(1000, DTYPES["float32"])
    assert np.isnan(values).all()
    assert poison(10, DTYPES["int32"], 1).tobytes() != poison(10, DTYPES["int32"]).tobytes()


@given(st.floats(width=32, allow_nan=False))
def test_bfloat16_rounds_to_nearest_even(value: float) -> None:
    dtype = DTYPES["bfloat16"]
    back = to_float64(from_float64(np.array([value]), dtype), dtype)[0]
    if np.isfinite(back) and value != 0:
        assert abs(back - value) <= max(abs(value) * 2.0**-8, 2.0**-134)
