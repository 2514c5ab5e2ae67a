"""CUDA's video instructions: two halfwords or four bytes at a time in a u32.

__vaddus4(0xff020304, 0x01010101) == 0xff030405        s: signed, u: unsigned, ss/us: saturating
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from crossport.ir.interpreter.intrinsics import Kinds, Meaning

_NAME = re.compile(
    r"__v(absdiff|abs|neg|add|sub|avg|hadd|max|min|cmp|set|sad)(eq|ne|gt|ge|lt|le)?(ss|us|s|u)?([24])"
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": np.equal, "ne": np.not_equal, "gt": np.greater, "ge": np.greater_equal,
    "lt": np.less, "le": np.less_equal,
}  # fmt: skip


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a packed instruction, or None."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    operation, comparison, sign, count = match.groups()
    lanes = int(count)
    signed = sign in ("s", "ss") or (operation in ("abs", "neg"))
    saturating = sign in ("ss", "us")
    bits = 32 // lanes

    def call(*values: Any) -> Any:
        parts = [_unpack(v, lanes, bits, signed) for v in values]
        found = _apply(operation, comparison, parts, bits)
        if operation == "sad":
            return sum(found[1:], found[0]).astype(np.uint32)
        if saturating:
            low, high = (
                (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
            )
            found = [np.clip(f, low, high) for f in found]
        return _pack(found, bits)

    return Meaning(call)


def _apply(operation: str, comparison: str | None, parts: list[list[Any]], bits: int) -> list[Any]:
    x = parts[0]
    if operation == "abs":
        return [np.abs(a) for a in x]
    if operation == "neg":
        return [-a for a in x]
    y = parts[1]
    pairs = list(zip(x, y, strict=True))
    if comparison is not None:
        true = (1 << bits) - 1 if operation == "cmp" else 1
        return [np.where(_COMPARE[comparison](a, b), true, 0) for a, b in pairs]
    match operation:
        case "add":
            return [a + b for a, b in pairs]
        case "sub":
            return [a - b for a, b in pairs]
        case "avg":
            return [_rounded_average(a, b) for a, b in pairs]
        case "hadd":
            return [(a + b) >> 1 for a, b in pairs]
        case "max":
            return [np.maximum(a, b) for a, b in pairs]
        case "min":
            return [np.minimum(a, b) for a, b in pairs]
        case _:
            return [np.abs(a - b) for a, b in pairs]


def _rounded_average(a: Any, b: Any) -> Any:
    total = a + b
    return (total + (total >= 0)) >> 1


def _unpack(value: Any, lanes: int, bits: int, signed: bool) -> list[Any]:
    wide = np.asarray(value).astype(np.int64)
    found = [(wide >> (bits * i)) & ((1 << bits) - 1) for i in range(lanes)]
    if signed:
        half = 1 << (bits - 1)
        found = [(f ^ half) - half for f in found]
    return found


def _pack(parts: list[Any], bits: int) -> Any:
    total: Any = np.int64(0)
    for i, part in enumerate(parts):
        total = total | ((part & ((1 << bits) - 1)) << (bits * i))
    return np.asarray(total).astype(np.uint32)[()]
