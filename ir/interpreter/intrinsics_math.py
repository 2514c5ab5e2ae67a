"""Math functions, for f64 (`sin`) and f32 (`sinf`), and CUDA's fast float32 forms (`__sinf`).

A float32 function is evaluated in float64 and rounded once: its result is the correctly rounded
one unless the exact value lies within 2**-29 ULP of the middle between two floats, so it is within
0.5000001 ULP. A float64 function is the C library's (within 1 ULP; `erfinv`, `normcdfinv` and
their like, which C does not have, within 4). CUDA's own results differ from these by
the bounds in its math documentation, and the fast forms by more. What IEEE defines exactly (fma,
sqrt, floor, fmod, nextafter...) is exact here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from crossport.ir.interpreter import arithmetic
from crossport.ir.interpreter.intrinsics import Kinds, Meaning

Function = Callable[..., Any]


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a math function, or None."""
    if name in ("isnan", "isinf", "isfinite", "signbit"):
        return Meaning(getattr(np, name))
    if name in _FAST:
        return Meaning(_rounded(_FAST[name], args, result))
    stem = name
    kinds = [k[0] for k in args]
    is_f32 = "f32" in [k.name for k in kinds]
    if is_f32:
        if name.startswith("frexpf_"):
            stem = name.replace("frexpf_", "frexp_")
        elif name.endswith("f") and name != "erf":
            stem = name[:-1]
    if stem == "fma":
        if result[0].register is np.float64:
            return Meaning(arithmetic.fma_f64)
        return Meaning(arithmetic.fma_f32)
    exact = _EXACT.get(stem)
    if exact is not None:
        return Meaning(exact)
    function = _WIDE.get(stem)
    if function is None:
        return None
    return Meaning(_rounded(function, args, result))


def _rounded(function: Function, args: tuple[Kinds, ...], result: Kinds) -> Function:
    """Evaluate in float64, then round once to the result's kind."""
    out = result[0].register
    if out is np.float64 and all(a[0].register is np.float64 for a in args):
        return function

    def call(*values: Any) -> Any:
        wide = [v.astype(np.float64) if v.dtype.kind == "f" else v for v in values]
        found = function(*wide)
        return found.astype(out)

    return call


# --- exact in any float type --------------------------------------------------------------------


def fmin(x: Any, y: Any) -> Any:
    """The smaller; a NaN loses to a number; -0 is below +0."""
    return _zeros(np.fmin(x, y), x, y, np.bitwise_or)


def fmax(x: Any, y: Any) -> Any:
    """The larger; a NaN loses to a number; +0 is above -0."""
    return _zeros(np.fmax(x, y), x, y, np.bitwise_and)


def _zeros(found: Any, x: Any, y: Any, combine: Function) -> Any:
    zero = (x == 0) & (y == 0)
    if not np.any(zero):
        return found
    bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[found.dtype.itemsize]
    mixed = combine(x.view(bits), y.view(bits)).view(found.dtype)
    return np.where(zero, mixed, found)[()]


def round_away(x: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    whole = np.trunc(x)
    up = np.abs(x - whole) >= x.dtype.type(0.5)
    return np.copysign(whole + np.where(up, np.copysign(x.dtype.type(1), x), x.dtype.type(0)), x)[
        ()
    ]


def _fdim(x: Any, y: Any) -> Any:
    return np.where(np.isnan(x) | np.isnan(y), x + y, np.where(x > y, x - y, x.dtype.type(0)))[()]


def _ldexp(x: Any, n: Any) -> Any:
    return np.ldexp(x, n)


def _logb(x: Any) -> Any:
    exponent = np.frexp(x)[1].astype(x.dtype) - x.dtype.type(1)
    found = np.where(x == 0, x.dtype.type(-np.inf), exponent)
    return np.where(np.isfinite(x), found, np.abs(x))[()]


def _ilogb(x: Any) -> Any:
    exponent = (np.frexp(x)[1] - 1).astype(np.int32)
    found = np.where(x == 0, np.int32(-(2**31)), exponent)
    found = np.where(np.isinf(x), np.int32(2**31 - 1), found)
    return np.where(np.isnan(x), np.int32(-(2**31)), found)[()]


def _to_i64(rounding: Function) -> Function:
    from crossport.ir.interpreter.kinds import kind_named

    saturate = arithmetic.float_to_integer(kind_named("i64"))
    return lambda x: saturate(rounding(x))


def _remainder(x: Any, y: Any) -> Any:
    def one(a: float, b: float) -> float:
        if math.isinf(a) or b == 0 or math.isnan(a) or math.isnan(b):
            return math.nan
        return math.remainder(a, b)

    return _each(one)(x, y).astype(x.dtype)


_EXACT: dict[str, Function] = {
    "fabs": np.abs, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint,
    "nearbyint": np.rint, "round": round_away, "sqrt": np.sqrt, "fmin": fmin, "fmax": fmax,
    "fmod": np.fmod, "copysign": np.copysign, "nextafter": np.nextafter, "fdim": _fdim,
    "ldexp": _ldexp, "scalbn": _ldexp, "logb": _logb, "ilogb": _ilogb,
    "lrint": _to_i64(np.rint), "llrint": _to_i64(np.rint),
    "lround": _to_i64(round_away), "llround": _to_i64(round_away),
    "frexp_fraction": lambda x: np.frexp(x)[0], "frexp_exponent": lambda x: np.frexp(x)[1],
    "remainder": _remainder,
}  # fmt: skip


# --- in float64 ---------------------------------------------------------------------------------


def _each(function: Callable[..., float]) -> Function:
    """A function on Python floats, lane by lane, with C's answers where Python raises."""

    def safe(*values: float) -> float:
        try:
            return function(*values)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    lanes = np.frompyfunc(
        safe, function.__code__.co_argcount if hasattr(function, "__code__") else 1, 1
    )

    def call(*values: Any) -> Any:
        found = lanes(*values)
        return found.astype(np.float64) if isinstance(found, np.ndarray) else np.float64(found)

    return call


def _sinpi(x: Any) -> Any:
    reduced = np.fmod(x, 2.0)
    whole = np.rint(reduced * 2)
    rest = (reduced - whole / 2) * math.pi
    quadrant = np.where(np.isfinite(whole), whole, 0).astype(np.int64) & 3
    found = np.choose(quadrant, [np.sin(rest), np.cos(rest), -np.sin(rest), -np.cos(rest)])
    found = np.where((reduced == np.trunc(reduced)), np.copysign(0.0, x), found)
    return np.where(np.isfinite(x), found, np.nan)[()]


def _cospi(x: Any) -> Any:
    reduced = np.fmod(np.abs(x), 2.0)
    whole = np.rint(reduced * 2)
    rest = (reduced - whole / 2) * math.pi
    quadrant = np.where(np.isfinite(whole), whole, 0).astype(np.int64) & 3
    found = np.choose(quadrant, [np.cos(rest), -np.sin(rest), -np.cos(rest), np.sin(rest)])
    return np.where(np.isfinite(x), found, np.nan)[()]


def _gamma(x: float) -> float:
    if x == 0:
        return math.copysign(math.inf, x)
    if x == -math.inf:
        return math.nan
    return math.gamma(x)


def _lgamma(x: float) -> float:
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return math.inf
    return math.lgamma(x)


def _erfcx(x: float) -> float:
    if x < 25:
        return math.exp(x * x) * math.erfc(x)
    # The asymptotic series; at 25 its ninth term is below 1e-20.
    term = total = 1.0
    for k in range(1, 9):
        term *= -(2 * k - 1) / (2 * x * x)
        total += term
    return total / (x * math.sqrt(math.pi))


def _erfinv(x: float) -> float:
    if abs(x) >= 1:
        return math.copysign(math.inf, x) if abs(x) == 1 else math.nan
    if x == 0 or x != x:
        return x
    if abs(x) > 0.5:
        return math.copysign(_erfcinv(1 - abs(x)), x)
    guess = x * math.sqrt(math.pi) / 2
    for _ in range(60):
        step = (math.erf(guess) - x) / (2 / math.sqrt(math.pi) * math.exp(-guess * guess))
        guess -= step / (1 + guess * step)
        if abs(step) <= 1e-17 * abs(guess):
            break
    return guess


def _erfcinv(x: float) -> float:
    if x <= 0 or x >= 2:
        return math.inf if x == 0 else -math.inf if x == 2 else math.nan
    if x > 1:
        return -_erfcinv(2 - x)
    if x > 0.5:
        return _erfinv(1 - x)
    guess = math.sqrt(max(-math.log(x * math.sqrt(math.pi) * math.sqrt(-math.log(x))), 0.1))
    for _ in range(60):
        density = 2 / math.sqrt(math.pi) * math.exp(-guess * guess)
        step = -(math.erfc(guess) - x) / density
        guess -= step / (1 + guess * step)
        if abs(step) <= 1e-16 * abs(guess):
            break
    return guess


def _normcdfinv(x: float) -> float:
    return -math.sqrt(2) * _erfcinv(2 * x)


def _norm(*parts: Any) -> Any:
    return np.sqrt(sum(p * p for p in parts))


def _tanpi(x: Any) -> Any:
    return _sinpi(x) / _cospi(x)


def _bessel(order: Any, x: Any, *, is_modified: bool = False) -> Any:
    """J or I of an integer order by the trapezoidal rule, which converges exponentially here."""
    x = np.asarray(x, np.float64)
    size = float(np.nanmax(np.where(np.isfinite(x), np.abs(x), 0.0), initial=0.0))
    top = int(np.max(np.abs(np.asarray(order)), initial=0))
    nodes = int(min(2.0 * (size + top) + 80, 20_000))
    total = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(order)))
    for i in range(nodes):
        angle = math.pi * (i + 0.5) / nodes
        if is_modified:
            total = total + np.exp(x * math.cos(angle)) * np.cos(order * angle)
        else:
            total = total + np.cos(order * angle - x * math.sin(angle))
    # Far out the sum would need more nodes than these: refuse with NaN rather than guess.
    found = np.where(np.abs(x) < 9_000, total / nodes, np.nan)
    limit = np.abs(x) if is_modified else 0.0
    return np.where(np.isinf(x), limit, found)[()]


_WIDE: dict[str, Function] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "exp": np.exp, "exp2": np.exp2,
    "exp10": lambda x: np.power(10.0, x), "expm1": np.expm1, "log": np.log, "log2": np.log2,
    "log10": np.log10, "log1p": np.log1p, "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "cbrt": np.cbrt, "rcbrt": lambda x: 1.0 / np.cbrt(x), "erf": _each(lambda x: math.erf(x)),
    "erfc": _each(lambda x: math.erfc(x)), "erfinv": _each(_erfinv), "erfcinv": _each(_erfcinv),
    "erfcx": _each(_erfcx), "tgamma": _each(_gamma), "lgamma": _each(_lgamma),
    "sinpi": _sinpi, "cospi": _cospi, "tanpi": _tanpi,
    "j0": lambda x: _bessel(0, x), "j1": lambda x: _bessel(1, x),
    "jn": lambda n, x: _bessel(n, x),
    "cyl_bessel_i0": lambda x: _bessel(0, x, is_modified=True),
    "cyl_bessel_i1": lambda x: _bessel(1, x, is_modified=True),
    "normcdf": _each(lambda x: 0.5 * math.erfc(-x / math.sqrt(2))),
    "normcdfinv": _each(_normcdfinv),
    "pow": np.power, "atan2": np.arctan2, "hypot": np.hypot,
    "rhypot": lambda x, y: 1.0 / np.hypot(x, y), "norm3d": _norm, "norm4d": _norm,
    "rnorm3d": lambda *p: 1.0 / _norm(*p), "rnorm4d": lambda *p: 1.0 / _norm(*p),
}  # fmt: skip


def _fast_divide(x: Any, y: Any) -> Any:
    # CUDA C++ Programming Guide, "Intrinsic Functions": 0 for 2**126 < |y| < 2**128.
    large = (np.abs(y) > 2.0**126) & np.isfinite(y)
    return np.where(large, x * 0.0, x / y)[()]


def _saturate(x: Any) -> Any:
    return np.where(np.isnan(x), 0.0, np.clip(x, 0.0, 1.0))[()]


_FAST: dict[str, Function] = {
    "__sinf": np.sin, "__cosf": np.cos, "__tanf": np.tan, "__expf": np.exp,
    "__exp10f": lambda x: np.power(10.0, x), "__logf": np.log, "__log2f": np.log2,
    "__log10f": np.log10, "__saturatef": _saturate, "__tanhf": np.tanh,
    "__powf": lambda x, y: np.exp2(y * np.log2(x)), "__fdividef": _fast_divide,
}  # fmt: skip
