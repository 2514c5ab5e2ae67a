"""Element types of arrays and scalars: how they lie in memory, and how they become numbers.

    "bfloat16"  ->  stored as uint16 words, read as float32, 8 significant bits
    "float16"   ->  stored as NumPy float16, 11 significant bits

NumPy has no bfloat16, so an array of them is kept as its 16-bit words; `to_float64` and
`from_float64` are the only places that know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class DType:
    """One element type. `storage` is the NumPy type that its bytes are kept in."""

    name: str
    storage: str
    c_type: str
    kind: Literal["int", "uint", "float", "bool"]
    bits: int
    significand: int = 0
    """Significant bits of a float, the hidden one included; 0 for integers."""
    min_exponent: int = 0
    """Exponent of the smallest normal number of a float."""

    @property
    def bytes(self) -> int:
        """Size of one element."""
        return self.bits // 8

    @property
    def is_float(self) -> bool:
        """Whether elements are floating-point numbers."""
        return self.kind == "float"


_ROWS = (
    DType("bool", "uint8", "bool", "bool", 8),
    DType("int8", "int8", "signed char", "int", 8),
    DType("uint8", "uint8", "unsigned char", "uint", 8),
    DType("int16", "int16", "short", "int", 16),
    DType("uint16", "uint16", "unsigned short", "uint", 16),
    DType("int32", "int32", "int", "int", 32),
    DType("uint32", "uint32", "unsigned int", "uint", 32),
    DType("int64", "int64", "long long", "int", 64),
    DType("uint64", "uint64", "unsigned long long", "uint", 64),
    DType("float16", "float16", "__half", "float", 16, 11, -14),
    DType("bfloat16", "uint16", "__nv_bfloat16", "float", 16, 8, -126),
    DType("float32", "float32", "float", "float", 32, 24, -126),
    DType("float64", "float64", "double", "float", 64, 53, -1022),
)

DTYPES: dict[str, DType] = {row.name: row for row in _ROWS}


def to_float64(values: Array, dtype: DType) -> NDArray[np.float64]:
    """The numbers in an array, exactly, as float64 (64-bit integers round)."""
    if dtype.name == "bfloat16":
        words = values.view(np.uint16).astype(np.uint32) << np.uint32(16)
        return words.view(np.float32).astype(np.float64)
    with np.errstate(invalid="ignore"):  # A signalling NaN stays a NaN, quietly.
        return values.astype(np.float64)


def from_float64(numbers: NDArray[np.float64], dtype: DType) -> Array:
    """Round numbers to an element type, to nearest even; integers truncate and wrap."""
    if dtype.name == "bfloat16":
        return _round_bfloat16(numbers)
    if dtype.is_float:
        with np.errstate(over="ignore"):
            return numbers.astype(dtype.storage)
    with np.errstate(invalid="ignore"):
        return numbers.astype(np.int64).astype(dtype.storage)


def _round_bfloat16(numbers: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Round to float32, then to bfloat16, as device code does that computes in float."""
    with np.errstate(over="ignore"):
        words = numbers.astype(np.float32).view(np.uint32)
    nan = np.isnan(numbers)
    rounded = words + np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1))
    out = (rounded >> np.uint32(16)).astype(np.uint16)
    out[nan] = 0x7FC0
    return out
