"""Say a table of lane numbers as an expression of the lane, exactly or not at all.

[1, 0, 3, 2, 5, 4, ...]     ->    lane ^ 1    (as weights of the lane's binary digits)
[0, 0, 0, ...]              ->    0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossport.ir.lift import fold
from crossport.ir.nodes import Binary, Expr, Read, Select, Var
from crossport.ir.types import BOOL, I32

LANE = Var("lane", I32)
Table = NDArray[np.int64]


def lane() -> Expr:
    """The number of the thread in its block."""
    return Read(LANE)


def fit(values: Table, lanes: Table, threads: int) -> Expr | None:
    """The table over those lanes as an i32 expression; None where it has no simple one."""
    first = int(values[0])
    if (values == first).all():
        return fold.constant(first, I32)
    shift = values - lanes
    if (shift == shift[0]).all():
        return fold.binary("+", lane(), fold.constant(int(shift[0]), I32))
    flipped = values ^ lanes
    if (flipped == flipped[0]).all():
        return fold.binary("^", lane(), fold.constant(int(flipped[0]), I32))
    turned = values + lanes
    if (turned == turned[0]).all():
        return fold.binary("-", fold.constant(int(turned[0]), I32), lane())
    return _digits(values, lanes, threads) or _rotation(values, lanes, threads)


def _rotation(values: Table, lanes: Table, threads: int) -> Expr | None:
    """The lanes of every group, or of all, turned round (and perhaps back to front)."""
    for period in (p for p in range(2, threads + 1) if threads % p == 0):
        if (values // period != lanes // period).any():
            continue
        for sign in (1, -1):
            shift = (values - sign * lanes) % period
            if (shift != shift[0]).any():
                continue
            amount = fold.constant(int(shift[0]), I32)
            # Both operands are at least 0 before the remainder is taken.
            turned = (
                fold.binary("+", lane(), amount) if sign == 1
                else fold.binary("-", fold.constant(int(shift[0]) + threads, I32), lane())
            )  # fmt: skip
            whole = fold.constant(period, I32)
            place = fold.binary("%", turned, whole)
            if period == threads:
                return place
            start = fold.binary("*", fold.binary("/", lane(), whole), whole)
            return fold.binary("+", start, place)
    return None


def _digits(values: Table, lanes: Table, threads: int) -> Expr | None:
    """A sum of weighted digits of the lane, in the mixed radix of the block's size."""
    places: list[tuple[int, int]] = []  # (weight of the digit in the lane, its radix)
    place, rest = 1, threads
    while rest > 1:
        radix = next(p for p in range(2, rest + 1) if rest % p == 0)
        places.append((place, radix))
        place, rest = place * radix, rest // radix
    columns = [np.ones(len(lanes))]
    kept: list[tuple[int, int]] = []
    for place, radix in places:
        digit = lanes // place % radix
        if (digit != digit[0]).any():
            columns.append(digit.astype(float))
            kept.append((place, radix))
    matrix = np.stack(columns, 1)
    solution, _, rank, _ = np.linalg.lstsq(matrix, values.astype(float), rcond=None)
    weights = np.rint(solution).astype(np.int64)
    if rank < matrix.shape[1] or (matrix.astype(np.int64) @ weights != values).any():
        return None
    # Neighbouring digits whose weights grow with their places are one digit.
    merged: list[tuple[int, int, int]] = []  # place, radix, weight
    for (place, radix), weight in zip(kept, weights[1:].tolist(), strict=True):
        if merged:
            before, size, factor = merged[-1]
            if place == before * size and weight == factor * size:
                merged[-1] = (before, size * radix, factor)
                continue
        merged.append((place, radix, weight))
    total: Expr = fold.constant(int(weights[0]), I32)
    for place, radix, weight in merged:
        if weight == 0:
            continue
        digit_text: Expr = fold.binary("/", lane(), fold.constant(place, I32))
        if place * radix < threads:
            digit_text = fold.binary("%", digit_text, fold.constant(radix, I32))
        part = fold.binary("*", digit_text, fold.constant(weight, I32))
        total = part if fold.as_int(total) == 0 else fold.binary("+", total, part)
    return total


def predicate(mask: NDArray[np.bool_], threads: int) -> Expr | None:
    """A set of lanes as a bool expression; None where it has no simple one."""
    inside = np.nonzero(mask)[0]
    if len(inside) == threads:
        return fold.TRUE
    if len(inside) == 0:
        return fold.FALSE
    low, high = int(inside[0]), int(inside[-1])
    if high - low + 1 == len(inside):
        above = fold.binary(">=", lane(), fold.constant(low, I32)) if low else None
        below = None
        if high < threads - 1:
            below = fold.binary("<", lane(), fold.constant(high + 1, I32))
        return fold.conjunction(above, below) or fold.TRUE
    # A stretch of every period.
    every = np.arange(threads)
    for period in (p for p in range(2, threads) if threads % p == 0):
        one = mask[:period]
        if (np.tile(one, threads // period) == mask).all():
            digits = np.nonzero(one)[0]
            low, high = int(digits[0]), int(digits[-1])
            if high - low + 1 != len(digits):
                continue
            digit = fold.binary("%", lane(), fold.constant(period, I32))
            above = fold.binary(">=", digit, fold.constant(low, I32)) if low else None
            below = None
            if high < period - 1:
                below = fold.binary("<", digit, fold.constant(high + 1, I32))
            return fold.conjunction(above, below) or fold.TRUE
    for place in (p for p in range(2, threads) if threads % p == 0):
        for wanted in range(threads // place):
            if ((every // place == wanted) == mask).all():
                quotient = fold.binary("/", lane(), fold.constant(place, I32))
                return Binary("==", quotient, fold.constant(wanted, I32))
        for wanted in (0, 1):
            if ((every // place % 2 == wanted) == mask).all():
                digit = fold.binary("/", lane(), fold.constant(place, I32))
                digit = fold.binary("%", digit, fold.constant(2, I32))
                return Binary("==", digit, fold.constant(wanted, I32))
    return None


__all__ = ["BOOL", "LANE", "Select", "fit", "lane", "predicate"]
