"""Polynomials mean what integer arithmetic means, and equal things have equal forms."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossport.ir.facts.symbolic import (
    Level,
    NotEvaluable,
    Poly,
    Symbol,
    Unknown,
    apply,
    evaluate,
    symbols,
)

VALUES = {"t": np.arange(64), "b": np.int64(5), "n": np.int64(7)}
ATOMS = {
    "t": Poly.atom(Symbol("t", Level.LANE)),
    "b": Poly.atom(Symbol("b", Level.BLOCK)),
    "n": Poly.atom(Symbol("n", Level.GRID)),
}
T, B, N = ATOMS["t"], ATOMS["b"], ATOMS["n"]

# An expression as a pair: the polynomial that we build, and NumPy's value of the same formula.
Pair = tuple[Poly, Any]
leaves = st.one_of(
    st.sampled_from([(ATOMS[name], VALUES[name]) for name in ATOMS]),
    st.integers(-9, 9).map(lambda k: (Poly.constant(k), np.int64(k))),
)


def combine(children: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    ring = st.tuples(st.sampled_from("+-*"), children, children).map(
        lambda x: (
            {"+": Poly.__add__, "-": Poly.__sub__, "*": Poly.__mul__}[x[0]](x[1][0], x[2][0]),
            {"+": np.add, "-": np.subtract, "*": np.multiply}[x[0]](x[1][1], x[2][1]),
        )
    )
    division = st.tuples(st.sampled_from("/%"), children, st.integers(1, 40)).map(
        lambda x: (
            apply(x[0], x[1][0], Poly.constant(x[2])),
            np.trunc(np.divide(x[1][1], x[2])).astype(np.int64)
            if x[0] == "/"
            else np.fmod(x[1][1], x[2]),
        )
    )
    return ring | division


@settings(deadline=None)
@given(st.recursive(leaves, combine, max_leaves=6))
def test_evaluation_agrees_with_numpy(pair: Pair) -> None:
    poly, expected = pair
    found, wanted = np.broadcast_arrays(evaluate(poly, VALUES), expected)
    assert np.array_equal(found, wanted)


def test_equal_formulas_have_one_form() -> None:
    assert (T + N) * B - B * N == T * B
    assert apply("<<", T, Poly.constant(3)) == T.scaled(8)
    assert apply("&", T, Poly.constant(31)) == apply("%", T, Poly.constant(32))
    assert apply("/", T.scaled(32) + N.scaled(64), Poly.constant(32)) == T + N.scaled(2)


def test_strides_and_levels_are_read_off() -> None:
    index = B * N + T.scaled(4) + Poly.constant(3)
    assert index.coefficient("t").value == 4
    assert index.coefficient("b") == N
    assert index.level is Level.LANE
    assert (index - T.scaled(4)).level is Level.BLOCK
    assert index.is_affine_in(frozenset("tb"))
    assert not (T * T).is_affine_in(frozenset("t"))
    assert not apply("%", T, N).is_affine_in(frozenset("t"))
    assert {s.name for s in symbols(apply("%", T, N))} == {"t", "n"}


def test_an_unknown_has_no_value() -> None:
    with pytest.raises(NotEvaluable):
        evaluate(T + Poly.atom(Unknown("index[i]", Level.LANE, 1)), VALUES)


@pytest.mark.parametrize(
    ("poly", "text"),
    [
        (Poly(), "0"),
        (T.scaled(-1), "-t"),
        (B * N + T + Poly.constant(-2), "b*n+t-2"),
        (apply("%", T, Poly.constant(3)).scaled(2), "2*(t % 3)"),
    ],
)
def test_text(poly: Poly, text: str) -> None:
    assert str(poly) == text
