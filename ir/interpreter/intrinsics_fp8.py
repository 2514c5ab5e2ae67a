"""Conversions to and from 8-bit floats: e4m3 (largest 448, one NaN) and e5m2 (as half, cut short).

__nv_cvt_float_to_fp8(500.0f, saturate, e4m3) == 0x7e        448, the largest number
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.interpreter.intrinsics import Kinds, Meaning


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of an fp8 conversion, or None."""
    if name == "__nv_cvt_fp8_to_halfraw":
        register = result[0].register

        def expand(bits: Any, form: Any) -> Any:
            tables = np.stack([_values(0), _values(1)])
            return tables[form, bits].astype(register)

        return Meaning(expand)
    if name in ("__nv_cvt_float_to_fp8", "__nv_cvt_double_to_fp8", "__nv_cvt_halfraw_to_fp8"):
        return Meaning(_narrow)
    return None


@lru_cache(maxsize=2)
def _values(form: int) -> NDArray[np.float64]:
    """What each of the 256 codes means."""
    code = np.arange(256)
    bits, bias = (3, 7) if form == 0 else (2, 15)
    exponent, fraction = (code & 0x7F) >> bits, code & ((1 << bits) - 1)
    size = np.where(
        exponent == 0,
        fraction * 2.0 ** (1 - bias - bits),
        (1 + fraction / 2.0**bits) * 2.0 ** (exponent - bias),
    )
    if form == 0:
        size = np.where((code & 0x7F) == 0x7F, np.nan, size)
    else:
        size = np.where(exponent == 31, np.where(fraction == 0, np.inf, np.nan), size)
    return np.where(code & 0x80, -size, size)


def _narrow(value: Any, saturate: Any, form: Any) -> Any:
    value, saturate, form = np.broadcast_arrays(
        np.asarray(value, np.float64), np.asarray(saturate), np.asarray(form)
    )
    found = np.zeros(value.shape, np.uint8)
    for which in (0, 1):
        for limited in (False, True):
            chosen = (form == which) & ((saturate != 0) == limited)
            found = np.where(chosen, _round(value, limited, which), found)
    return found.astype(np.uint8)[()]


def _round(value: NDArray[np.float64], limited: bool, form: int) -> NDArray[Any]:
    top = 0x7E if form == 0 else 0x7B
    table = _values(form)[: top + 1]
    size = np.abs(np.where(np.isnan(value), 0.0, value))
    above = np.searchsorted(table, np.minimum(size, table[top]))
    below = np.maximum(above - 1, 0)
    middle = (table[above] + table[below]) / 2
    # To nearest, ties to the even code.
    up = (size > middle) | ((size == middle) & (above % 2 == 0))
    code = np.where(size == table[above], above, np.where(up, above, below))
    step = table[top] - table[top - 1]
    overflow = size >= table[top] + step / 2
    beyond = (0x7F if form == 0 else 0x7C) if not limited else top
    code = np.where(overflow, beyond, code)
    code = np.where(np.isnan(value), 0x7F, code)
    return np.where(np.signbit(value) & ~np.isnan(value), code | 0x80, code)
