"""Arithmetic and conversions with a rounding mode in their name: rn, rz, ru, rd.

    __fadd_ru(1, 2**-30) == 1 + 2**-23        __float2int_rd(-1.5f) == -2

Each is computed to float64 rounded to odd (which never hides on which side of a float the exact
value lies) and then rounded in the wanted direction; float64 arithmetic itself by exact fractions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from crossport.ir.interpreter import arithmetic
from crossport.ir.interpreter.arithmetic import convert, odd_sum, two_product
from crossport.ir.interpreter.intrinsics import Kinds, Meaning
from crossport.ir.interpreter.intrinsics_half import narrow
from crossport.ir.interpreter.kinds import Kind

Function = Callable[..., Any]

_ARITHMETIC = re.compile(
    r"__([fd])(add|sub|mul|div|sqrt|rcp|rsqrt)_(r[nzud])|__(fma|fmaf)_(r[nzud])"
)
_CONVERSION = re.compile(r"__\w+2\w+_(r[nzud])")


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of an intrinsic with a rounding mode, or None."""
    match = _ARITHMETIC.fullmatch(name)
    if match is not None:
        operation = match[2] or "fma"
        mode = match[3] or match[5]
        return Meaning(_operation(operation, mode, result[0], args[0][0].oracle or False))
    match = _CONVERSION.fullmatch(name)
    if match is not None and len(args) == 1:
        return Meaning(_conversion(match[1], args[0][0], result[0]))
    return None


def _operation(name: str, mode: str, kind: Kind, oracle: bool) -> Function:
    if kind.oracle and kind.name != "f64":
        # The oracle has no use for the direction of a rounding that it does not do.
        return _NEAREST[name]
    if mode == "rn":
        if name == "fma":
            return arithmetic.fma_f32 if kind.name == "f32" else arithmetic.fma_f64
        if name == "rsqrt":
            return lambda x: (1.0 / np.sqrt(x.astype(np.float64))).astype(kind.register)
        return _NEAREST[name]
    if kind.name == "f64":
        return _exactly(name, mode)
    return lambda *v: directed(_odd(name, [x.astype(np.float64) for x in v]), mode)


_NEAREST: dict[str, Function] = {
    "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y, "sqrt": np.sqrt, "rcp": lambda x: x.dtype.type(1) / x,
    "rsqrt": lambda x: x.dtype.type(1) / np.sqrt(x), "fma": arithmetic.fma_f64,
}  # fmt: skip


def _odd(name: str, values: list[Any]) -> Any:
    """The operation on f32 values held in f64, rounded to odd."""
    if name == "add":
        return odd_sum(values[0], values[1])
    if name == "sub":
        return odd_sum(values[0], -values[1])
    if name == "mul":
        return values[0] * values[1]
    if name == "fma":
        return odd_sum(values[0] * values[1], values[2])
    if name == "sqrt":
        root = np.sqrt(values[0])
        product, error = two_product(root, root)
        # Exact root above the rounded one: the remainder x - root**2 is positive.
        return odd_sum(
            root, np.where(np.isfinite(root), ((values[0] - product) - error) * 1e-30, 0)
        )
    numerator, denominator = (1.0, values[0]) if name == "rcp" else (values[0], values[1])
    quotient = np.asarray(numerator / denominator)
    product, error = two_product(quotient, denominator)
    remainder = (numerator - product) - error
    side = np.sign(remainder) * np.sign(denominator) * np.abs(quotient) * 1e-30
    return odd_sum(quotient, np.where(np.isfinite(quotient), side, 0.0))


def directed(value: Any, mode: str) -> Any:
    """f64 -> f32 towards zero (rz), up (ru) or down (rd)."""
    value = np.asarray(value, np.float64)
    near = value.astype(np.float32)
    wide = near.astype(np.float64)
    zero, up, down = np.float32(0), np.float32(np.inf), np.float32(-np.inf)
    if mode == "rz":
        away = np.abs(wide) > np.abs(value)
        found = np.where(away, np.nextafter(near, zero), near)
    elif mode == "ru":
        found = np.where(wide < value, np.nextafter(near, up), near)
    else:
        found = np.where(wide > value, np.nextafter(near, down), near)
    return found[()]


def _exactly(name: str, mode: str) -> Function:
    def one(*values: float) -> float:
        if not all(math.isfinite(v) for v in values):
            with np.errstate(all="ignore"):
                return float(_NEAREST[name](*(np.float64(v) for v in values)))
        return _direct_fraction(name, mode, values)

    def call(*values: Any) -> Any:
        lanes = np.frompyfunc(one, len(values), 1)(*values)
        return np.asarray(lanes).astype(np.float64)[()]

    return call


def _direct_fraction(name: str, mode: str, values: tuple[float, ...]) -> float:
    with np.errstate(all="ignore"):
        near = float(_NEAREST[name](*(np.float64(v) for v in values)))
    if not math.isfinite(near):
        overflow = name not in ("div", "rcp") or values[-1] != 0
        towards_zero = mode == "rz" or (mode == "ru") == (near < 0)
        if overflow and near == near and towards_zero:
            return math.copysign(float(np.finfo(np.float64).max), near)
        return near
    exact = [Fraction(v) for v in values]
    if name == "sqrt":
        difference = exact[0] - Fraction(near) ** 2
    else:
        true = {
            "add": lambda: exact[0] + exact[1], "sub": lambda: exact[0] - exact[1],
            "mul": lambda: exact[0] * exact[1], "div": lambda: exact[0] / exact[1],
            "rcp": lambda: 1 / exact[0], "fma": lambda: exact[0] * exact[1] + exact[2],
        }[name]()  # fmt: skip
        difference = true - Fraction(near)
    if difference == 0:
        return near
    if mode == "ru" or (mode == "rz" and near < 0):
        return math.nextafter(near, math.inf) if difference > 0 else near
    return math.nextafter(near, -math.inf) if difference < 0 else near


_TO_WHOLE: dict[str, Function] = {
    "rn": np.rint, "rz": np.trunc, "ru": np.ceil, "rd": np.floor,
}  # fmt: skip


def _conversion(mode: str, source: Kind, target: Kind) -> Function:
    if source.is_float and target.is_integer:
        saturate = arithmetic.float_to_integer(target)
        whole = _TO_WHOLE[mode]
        if target.bits < 32:
            info = np.iinfo(target.register)  # type: ignore[type-var]
            wide = arithmetic.float_to_integer(Kind("i64"))
            return lambda x: np.clip(wide(whole(x)), info.min, info.max).astype(target.register)
        return lambda x: saturate(whole(x))
    plain = convert(source, target)
    if mode == "rn" or target.oracle:
        if callable(plain):
            return plain
        return lambda x: x.astype(target.register)

    def one(value: Any) -> float:
        return _direct_to(
            Fraction(float(value)) if source.is_float else Fraction(int(value)), mode, target
        )

    def call(x: Any) -> Any:
        special = ~np.isfinite(x) if source.is_float else np.zeros(np.shape(x), bool)
        safe = np.where(special, 0, x)
        found = np.asarray(np.frompyfunc(one, 1, 1)(safe)).astype(np.float64)
        found = np.where(special, x, found)
        return (
            narrow(found, target)
            if target.name in ("f16", "bf16")
            else found.astype(target.register)[()]
        )

    return call


# Bits of precision, exponent of the smallest step, largest finite number.
_FORMATS = {
    "f16": (11, -24, 65504.0),
    "bf16": (8, -133, 3.3895313892515355e38),
    "f32": (24, -149, 3.4028234663852886e38),
    "f64": (53, -1074, 1.7976931348623157e308),
}


def _direct_to(value: Fraction, mode: str, target: Kind) -> float:
    """The float of a format next to an exact value, in the direction of the mode."""
    if value == 0:
        return 0.0
    precision, lowest, largest = _FORMATS[target.name]
    negative, size = value < 0, abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if Fraction(2) ** exponent > size:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - precision + 1, lowest)
    down = math.floor(size / unit) * unit
    away = (mode == "ru") != negative and mode != "rz"
    found = down + unit if away and down != size else down
    if found > Fraction(largest):
        return math.copysign(math.inf if away else largest, -1.0 if negative else 1.0)
    return math.copysign(float(found), -1.0 if negative else 1.0)
