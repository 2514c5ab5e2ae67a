"""Distances between floating-point numbers, in units that mean the same at every magnitude.

    error of 1.0000002 against 1.0 in float32   ->   2 units in the last place

`ulp_size` is the spacing of a type around a number; `bits_apart` counts representable numbers
between two stored values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossport.validation.dtypes import Array, DType

F64 = NDArray[np.float64]
_ORDERED = {2: np.int16, 4: np.int32, 8: np.int64}


def ulp_size(numbers: F64, dtype: DType) -> F64:
    """The spacing of a type's numbers at each magnitude; the smallest spacing for 0."""
    magnitude = np.abs(numbers)
    finite = np.where(np.isfinite(magnitude), magnitude, 1.0)
    _, exponent = np.frexp(finite)
    exponent = np.maximum(exponent - 1, dtype.min_exponent)
    spacing = np.ldexp(1.0, exponent - (dtype.significand - 1))
    return np.asarray(spacing, dtype=np.float64)


def bits_apart(a: Array, b: Array, dtype: DType) -> NDArray[np.float64]:
    """How many representable steps lie between stored values; NaN where either is NaN."""
    order = _ORDERED[dtype.bytes]
    x, y = (_ordered(v.view(order)).astype(np.float64) for v in (a, b))
    return np.asarray(np.abs(x - y))


def _ordered(words: Array) -> Array:
    """Sign-magnitude words as integers that count in the order of the numbers; -0 equals +0."""
    least = np.array(np.iinfo(words.dtype).min, dtype=words.dtype)
    with np.errstate(over="ignore"):
        return np.where(words < 0, least - words, words)


CLASSES = ("number", "zero", "denormal", "+Inf", "-Inf", "NaN")


def classes(numbers: F64, dtype: DType) -> NDArray[np.int8]:
    """The special-value class of each number, as an index into CLASSES."""
    magnitude = np.abs(numbers)
    out = np.zeros(numbers.shape, dtype=np.int8)
    out[magnitude < 2.0**dtype.min_exponent] = 2
    out[magnitude == 0] = 1
    out[numbers == np.inf] = 3
    out[numbers == -np.inf] = 4
    out[np.isnan(numbers)] = 5
    return out
