"""Intrinsics on f16 and bf16: evaluated in float64 and rounded once to the type.

__hmax(NaN, 1) == 1      __hmax_nan(NaN, 1) == NaN      __hfma: one rounding
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crossport.ir.interpreter import arithmetic
from crossport.ir.interpreter.intrinsics import Kinds, Meaning
from crossport.ir.interpreter.intrinsics_math import fmax, fmin
from crossport.ir.interpreter.kinds import Kind, round_bf16, round_to_odd_f32

Function = Callable[..., Any]


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a half intrinsic, or None."""
    if not args or not args[0] or args[0][0].name not in ("f16", "bf16"):
        return None
    kind = args[0][0]
    if name in _EXACT:
        return Meaning(_EXACT[name])
    if name in ("__hfma", "__hfma_sat", "__hfma_relu"):
        return Meaning(_fma(name, kind))
    function = _WIDE.get(name)
    if function is None:
        return None
    return Meaning(_rounded(function, kind))


def narrow(value: Any, kind: Kind) -> Any:
    """float64 -> the kind's register, one rounding."""
    if kind.oracle:
        return value
    if kind.name == "f16":
        return value.astype(np.float16)
    return round_bf16(round_to_odd_f32(value))


def _rounded(function: Function, kind: Kind) -> Function:
    def call(*values: Any) -> Any:
        return narrow(function(*(v.astype(np.float64) for v in values)), kind)

    return call


def _fma(name: str, kind: Kind) -> Function:
    def call(a: Any, b: Any, c: Any) -> Any:
        if kind.oracle:
            found = arithmetic.fma_f64(a, b, c)
        elif kind.name == "f16":
            found = arithmetic.fma_f16(a, b, c)
        else:
            found = arithmetic.fma_bf16(a, b, c)
        if name.endswith("_sat"):
            found = _clamp(found)
        if name.endswith("_relu"):
            found = np.where(np.isnan(found), found, np.maximum(found, found.dtype.type(0)))[()]
        return found

    return call


def _clamp(x: Any) -> Any:
    zero, one = x.dtype.type(0), x.dtype.type(1)
    return np.where(np.isnan(x), zero, np.clip(x, zero, one))[()]


_EXACT: dict[str, Function] = {
    "hfloor": np.floor, "hceil": np.ceil, "hrint": np.rint, "htrunc": np.trunc,
    "__habs": np.abs, "__hmax": fmax, "__hmin": fmin,
    "__hmax_nan": lambda x, y: np.where(np.isnan(x) | np.isnan(y), x + y, fmax(x, y))[()],
    "__hmin_nan": lambda x, y: np.where(np.isnan(x) | np.isnan(y), x + y, fmin(x, y))[()],
}  # fmt: skip

_WIDE: dict[str, Function] = {
    "hexp": np.exp, "hexp2": np.exp2, "hexp10": lambda x: np.power(10.0, x), "hlog": np.log,
    "hlog2": np.log2, "hlog10": np.log10, "hsqrt": np.sqrt, "hrsqrt": lambda x: 1.0 / np.sqrt(x),
    "hrcp": lambda x: 1.0 / x, "hsin": np.sin, "hcos": np.cos, "htanh": np.tanh,
    "__hadd_sat": lambda x, y: _clamp(x + y), "__hsub_sat": lambda x, y: _clamp(x - y),
    "__hmul_sat": lambda x, y: _clamp(x * y),
}  # fmt: skip
