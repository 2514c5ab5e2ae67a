"""Deterministic contents for arrays: the same bytes on every machine and NumPy version.

    uniform [0, 1)   ->   0.8327 0.1093 0.5561 ...      keyed by (kernel, case, array, seed)

Words come from Philox (counter-based, keyed); numbers are made from them with operations that
IEEE 754 rounds the same way everywhere: no logarithm, no sine.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.validation.dtypes import Array, DType, from_float64

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Generator:
    """What fills an array: a rule by name, and its settings (already evaluated to numbers).

    fields: for the rule `record`, what fills each member of a struct, in the order of its layout.
    """

    rule: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[tuple[DType, Generator], ...] = ()


class Words:
    """A stream of random 64-bit words, keyed by a text."""

    def __init__(self, key: str) -> None:
        low, high = key_words(key)
        self._philox = np.random.Philox(key=low | high << 64)

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next words."""
        return np.asarray(self._philox.random_raw(count), dtype=np.uint64)

    def unit(self, count: int) -> F64:
        """Numbers in [0, 1), multiples of 2^-53."""
        return (self.words(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, bound: int, count: int) -> NDArray[np.int64]:
        """Whole numbers in [0, bound), bound at most 2^32. The bias is below 2^-32."""
        high = self.words(count) >> np.uint64(32)
        return ((high * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)


def key_words(key: str) -> tuple[int, int]:
    """The two 64-bit words of Philox's key for a text."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def checksum(data: bytes) -> int:
    """A 64-bit sum over mixed words, as driver_runtime.h computes it."""
    words = np.frombuffer(data + b"\0" * (-len(data) % 8), dtype="<u8").copy()
    words ^= np.arange(len(words), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(32)
    words *= np.uint64(0x94D049BB133111EB)
    return (len(data) + int(words.sum(dtype=np.uint64))) & 0xFFFFFFFFFFFFFFFF


def generate(generator: Generator, count: int, dtype: DType, key: str) -> Array:
    """`count` elements. Raises KeyError for a rule that does not exist."""
    if generator.rule == RECORD:
        return _record(generator.fields, count * dtype.bytes, key).view(dtype.storage)
    made = _RULES[generator.rule](Words(key), count, dtype, generator.settings)
    if made.dtype == np.float64 and (dtype.storage != "float64"):
        return from_float64(made, dtype)
    return made.astype(dtype.storage, copy=False)


def poison(count: int, dtype: DType, salt: int = 0) -> Array:
    """Contents of an output before the launch: a fixed odd pattern, no plausible answer in it."""
    words = np.arange(count * dtype.bytes // 4 + 2, dtype=np.uint64)
    mixed = (words + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    pattern = ((mixed >> np.uint64(40)) | np.uint64(0xFFC00000)).astype(np.uint32)
    if dtype.name == "bool":
        return (pattern.view(np.uint8)[:count] & np.uint8(1)).copy()
    return pattern.view(np.uint8)[: count * dtype.bytes].view(dtype.storage).copy()


def _uniform(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    low, high = settings.get("range", (0, 1))
    if dtype.is_float:
        return np.asarray(low + (high - low) * words.unit(count))
    if high < low:
        return np.zeros(count, dtype=np.int64)
    return int(low) + words.below(int(high) - int(low) + 1, count)


def _normal(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Twelve uniforms, summed: mean 0, deviation 1, and no libm in sight."""
    total = np.zeros(count)
    for _ in range(12):
        total += words.unit(count)
    return float(settings.get("mean", 0)) + float(settings.get("std", 1)) * (total - 6.0)


def _skew(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Signs at random and sizes over nine powers of ten, most of them small: sums cancel."""
    sign = np.where(words.words(count) & np.uint64(1), 1.0, -1.0)
    return sign * float(settings.get("scale", 1)) * 0.001 / (words.unit(count) + 1e-6)


def _exact(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Small whole numbers: sums and products of them are exact in any order."""
    low, high = settings.get("range", (-4, 4))
    return (int(low) + words.below(int(high) - int(low) + 1, count)).astype(np.float64)


def _special(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Ordinary numbers mixed with NaN, infinities, zeros of both signs, denormals, extremes."""
    plain = _normal(words, count, dtype, settings)
    tiny = 2.0 ** (dtype.min_exponent - dtype.significand + 1)
    big = 2.0 ** (1 - dtype.min_exponent) * (2.0 - 2.0 ** (1 - dtype.significand))
    odd = np.array(
        [math.nan, math.inf, -math.inf, 0.0, -0.0, tiny, -tiny, 3 * tiny,
         2.0**dtype.min_exponent, big, -big, 1.0, -1.0]
    )  # fmt: skip
    pick = words.below(4, count) == 0
    chosen = odd[words.below(len(odd), count)]
    return np.where(pick, chosen, plain)


def _nonfinite(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Ordinary numbers, an eighth of them NaN, infinite, zero or denormal: nothing that overflows,
    so that the class of a sum does not depend on its order."""
    plain = _normal(words, count, dtype, settings)
    tiny = 2.0 ** (dtype.min_exponent - dtype.significand + 1)
    odd = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, tiny, -3 * tiny, 1.0])
    pick = words.below(8, count) == 0
    return np.where(pick, odd[words.below(len(odd), count)], plain)


def _bits(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    raw = words.words(count * dtype.bytes // 8 + 1).view(np.uint8)[: count * dtype.bytes]
    if dtype.name == "bool":
        return np.asarray(raw & np.uint8(1))
    return raw.copy().view(dtype.storage)


def _const(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    return np.full(count, settings.get("value", 0), np.float64 if dtype.is_float else np.int64)


def _zeros(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    return np.zeros(count, np.float64 if dtype.is_float else np.int64)


def _iota(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """start, start + step, ...: every element tells where it came from."""
    steps = np.arange(count, dtype=np.int64) * int(settings.get("step", 1))
    made = steps + int(settings.get("start", 0))
    return made.astype(np.float64) if dtype.is_float else made


def _permutation(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    made = np.argsort(words.words(count), kind="stable")
    return made.astype(np.float64) if dtype.is_float else made


def _sorted(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    return np.sort(_uniform(words, count, dtype, settings))


def _choice(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    values = np.array(settings["values"], np.float64 if dtype.is_float else np.int64)
    return np.asarray(values[words.below(len(values), count)])


def _offsets(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """Row starts of a ragged structure: 0 first, `total` last, never falling."""
    total = int(settings["total"])
    inner = np.sort(words.below(total + 1, max(count - 2, 0)))
    return np.concatenate([[0], inner, [total]])[:count]


def _identity(words: Words, count: int, dtype: DType, settings: Mapping[str, Any]) -> Array:
    """A square identity matrix, flat: a product with it shows index faults exactly."""
    side = max(math.isqrt(count), 1)
    return np.asarray((np.arange(count) % (side + 1) == 0).astype(np.float64))


def _record(fields: Sequence[tuple[DType, Generator]], size: int, key: str) -> Array:
    """Structs of mixed members, one after the other: `size` bytes of them, the last one cut off."""
    stride = sum(dtype.bytes for dtype, _ in fields)
    count = -(-size // stride)
    table = np.empty((count, stride), np.uint8)
    at = 0
    for position, (dtype, generator) in enumerate(fields):
        made = generate(generator, count, dtype, f"{key}.{position}")
        table[:, at : at + dtype.bytes] = made.view(np.uint8).reshape(count, dtype.bytes)
        at += dtype.bytes
    return table.reshape(-1)[:size].copy()


Rule = Callable[[Words, int, DType, Mapping[str, Any]], Array]

_RULES: dict[str, Rule] = {
    "uniform": _uniform,
    "normal": _normal,
    "skew": _skew,
    "exact": _exact,
    "special": _special,
    "nonfinite": _nonfinite,
    "bits": _bits,
    "const": _const,
    "zeros": _zeros,
    "iota": _iota,
    "permutation": _permutation,
    "sorted": _sorted,
    "choice": _choice,
    "offsets": _offsets,
    "identity": _identity,
}

RECORD = "record"
"""The rule that makes structs: the only one that asks for `fields`."""
RULES: frozenset[str] = frozenset({*_RULES, RECORD})
