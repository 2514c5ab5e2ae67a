"""How each IR type lies in memory and in a register of the interpreter.

    type          in memory          in a register (one number a lane, or one for all lanes)
    i8 .. u64     the integer        the same NumPy type
    bool          one byte           np.bool_
    f16 f32 f64   IEEE bits          the same NumPy type
    bf16          upper half of f32  np.float32, rounded to bf16 after each operation
    pointer       8 bytes            np.int64: (object id << 40) + 2**39 + byte offset
    handle        8 bytes            np.int64, an index into the launch's handle table
    struct        its fields         a tuple of the leaves above, in field order
    union         its bytes          a tuple of unsigned integers that cover it

In oracle mode every float is an np.float64 in registers (`oracle=True` below); memory keeps, next
to the bytes, what the float64 computation stored there (see memory.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.types import (
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    StructDef,
    Type,
    Void,
)

Lanes = Any
"""A NumPy scalar (all lanes agree) or an array with one element a lane."""

_MEMORY: dict[str, type[np.generic]] = {
    "bool": np.uint8, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16,
    "i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64,
    "f16": np.float16, "bf16": np.uint16, "f32": np.float32, "f64": np.float64,
    "ptr": np.int64,
}  # fmt: skip
_REGISTER: dict[str, type[np.generic]] = {**_MEMORY, "bool": np.bool_, "bf16": np.float32}
_FLOATS = ("f16", "bf16", "f32", "f64")


@dataclass(frozen=True, slots=True)
class Kind:
    """A scalar as the interpreter sees it. `name` is a ScalarKind or "ptr" (pointers, handles)."""

    name: str
    oracle: bool = False

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return int(np.dtype(_MEMORY[self.name]).itemsize)

    @property
    def memory(self) -> type[np.generic]:
        """The NumPy type of the bytes in memory."""
        return _MEMORY[self.name]

    @property
    def register(self) -> type[np.generic]:
        """The NumPy type in a register."""
        return np.float64 if self.oracle and self.is_float else _REGISTER[self.name]

    @property
    def is_float(self) -> bool:
        """f16, bf16, f32, f64."""
        return self.name in _FLOATS

    @property
    def is_signed(self) -> bool:
        """A signed integer."""
        return self.name in ("i8", "i16", "i32", "i64")

    @property
    def is_integer(self) -> bool:
        """Any integer; neither bool nor pointer."""
        return not self.is_float and self.name not in ("bool", "ptr")

    @property
    def bits(self) -> int:
        """Width in bits."""
        return self.size * 8

    @property
    def zero(self) -> Any:
        """The zero of a register."""
        return self.register(0)

    def decode(self, raw: Any) -> Any:
        """Memory -> register, exact."""
        if self.name == "bool":
            return raw != 0
        if self.name == "bf16":
            value = (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
            return value.astype(np.float64) if self.oracle else value
        if self.oracle and self.is_float:
            return raw.astype(np.float64)
        return raw

    def encode(self, value: Any) -> Any:
        """Register -> memory; a float of the oracle is rounded to nearest even."""
        if self.name == "bool":
            return value.astype(np.uint8)
        if self.name == "bf16":
            if self.oracle:
                value = round_to_odd_f32(value)
            return bf16_bits(value)
        if self.oracle and self.is_float:
            with np.errstate(over="ignore"):  # too large for the type: infinity, as it should be
                return value.astype(self.memory)
        return value


@lru_cache(maxsize=64)
def kind_named(name: str, oracle: bool = False) -> Kind:
    """The one Kind object of that name (identity is relied on as a dictionary key)."""
    return Kind(name, oracle and name in _FLOATS)


def kind_of(type: Type, oracle: bool = False) -> Kind:
    """The kind of a scalar, pointer or handle."""
    match type:
        case Scalar(name):
            return kind_named(name, oracle)
        case Pointer() | Handle():
            return kind_named("ptr")
        case _:
            raise AssertionError(f"{type} is not a scalar")


def is_single(type: Type) -> bool:
    """Whether a value of the type is one leaf."""
    return isinstance(type, Scalar | Pointer | Handle) and not state_words(type)


def state_words(type: Type) -> int:
    """32-bit words of a cuRAND state, as cuRAND lays it out; 0 for any other type."""
    if not isinstance(type, Handle):
        return 0
    name = type.what.rpartition("::")[2]
    if name in ("curandState", "curandState_t", "curandStateXORWOW", "curandStateXORWOW_t"):
        return 12
    return 16 if name.startswith("curandStatePhilox4_32_10") else 0


# --- bf16 and round-to-odd ----------------------------------------------------------------------


def bf16_bits(value: Any) -> Any:
    """f32 -> bf16 bits, to nearest even; NaN becomes 0x7fff as on NVIDIA."""
    bits = value.view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    out = (rounded >> np.uint32(16)).astype(np.uint16)
    nan = value != value
    if isinstance(nan, np.ndarray):
        return np.where(nan, np.uint16(0x7FFF), out) if nan.any() else out
    return np.uint16(0x7FFF) if nan else out


def round_bf16(value: Any) -> Any:
    """f32 -> the nearest bf16, still as f32."""
    return (bf16_bits(value).astype(np.uint32) << np.uint32(16)).view(np.float32)


def round_to_odd_f32(value: Any) -> Any:
    """f64 -> f32, inexact results made odd: a later rounding to fewer bits is then exact."""
    value = np.asarray(value, np.float64)
    near = value.astype(np.float32)
    wide = near.astype(np.float64)
    bits = near.view(np.int32)
    inexact = (wide != value) & np.isfinite(wide) & np.isfinite(value)
    # Step one towards zero where rounding went away from it, then set the last bit.
    away = inexact & (np.abs(wide) > np.abs(value))
    odd = np.where(inexact, (bits - away.astype(np.int32)) | np.int32(1), bits)
    # Overflow: the largest finite value stands for "above everything"; it is odd already.
    overflow = np.isinf(wide) & np.isfinite(value)
    odd = np.where(overflow, np.where(value < 0, np.int32(-8388609), np.int32(0x7F7FFFFF)), odd)
    result = odd.astype(np.int32).view(np.float32)
    return result if result.ndim else result[()]


# --- Layout -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar inside a type, `offset` bytes from its start."""

    offset: int
    kind: Kind


class Layout:
    """Sizes and leaves of types, given a module's structs."""

    def __init__(self, structs: tuple[StructDef, ...], oracle: bool = False) -> None:
        self._structs = {s.name: s for s in structs}
        self._oracle = oracle
        self._leaves: dict[Type, tuple[Leaf, ...]] = {}

    def struct(self, name: str) -> StructDef:
        """The definition of a struct."""
        return self._structs[name]

    def size(self, type: Type) -> int:
        """sizeof(type) in bytes."""
        match type:
            case Scalar():
                return type.size
            case Pointer() | Handle():
                return 4 * state_words(type) or 8
            case Array(element, length):
                return self.size(element) * length
            case Struct(name):
                return self._structs[name].size
            case Void():
                return 1

    def align(self, type: Type) -> int:
        """alignof(type) in bytes."""
        match type:
            case Array(element, _):
                return self.align(element)
            case Struct(name):
                return self._structs[name].align
            case Handle():
                return 8
            case _:
                return self.size(type)

    def is_union(self, name: str) -> bool:
        """Whether fields of the struct overlap."""
        end = 0
        for field in sorted(self._structs[name].fields, key=lambda f: f.offset):
            if field.offset < end:
                return True
            end = max(end, field.offset + self.size(field.type))
        return False

    def has_union(self, type: Type) -> bool:
        """Whether a union lies anywhere inside."""
        match type:
            case Array(element, _):
                return self.has_union(element)
            case Struct(name):
                fields = self._structs[name].fields
                return self.is_union(name) or any(self.has_union(f.type) for f in fields)
            case _:
                return False

    def leaves(self, type: Type) -> tuple[Leaf, ...]:
        """The scalars that make up the type, by offset."""
        found = self._leaves.get(type)
        if found is None:
            found = self._leaves[type] = tuple(self._flatten(type))
        return found

    def _flatten(self, type: Type) -> list[Leaf]:
        match type:
            case Array(element, length):
                inner, step = self.leaves(element), self.size(element)
                return [Leaf(i * step + x.offset, x.kind) for i in range(length) for x in inner]
            case Struct(name) if self.is_union(name):
                struct = self._structs[name]
                unit = min(struct.align, 8)
                kind = kind_named(f"u{unit * 8}")
                return [Leaf(offset, kind) for offset in range(0, struct.size, unit)]
            case Struct(name):
                return [
                    Leaf(field.offset + x.offset, x.kind)
                    for field in sorted(self._structs[name].fields, key=lambda f: f.offset)
                    for x in self.leaves(field.type)
                ]
            case Void():
                return []
            case Handle() if words := state_words(type):
                return [Leaf(4 * i, kind_named("u32")) for i in range(words)]
            case _:
                return [Leaf(0, kind_of(type, self._oracle))]

    def field_leaves(self, struct: str, name: str) -> tuple[int, int]:
        """First leaf and number of leaves of a field of a struct that is not a union."""
        definition = self._structs[struct]
        field = definition.field(name)
        first = sum(len(self.leaves(f.type)) for f in definition.fields if f.offset < field.offset)
        return first, len(self.leaves(field.type))


def bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The memory of a contiguous array as bytes, shared."""
    return array.reshape(-1).view(np.uint8)
