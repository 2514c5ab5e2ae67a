"""Types of the thread IR, with the sizes and layouts of CUDA C++ on 64-bit hosts.

i32          Scalar("i32")                 f32*         Pointer(F32)
f32[16][17]  Array(Array(F32, 17), 16)     float4       Struct("float4")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScalarKind = Literal[
    "bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64",
    "f16", "bf16", "f32", "f64",
]  # fmt: skip

_SIZES: dict[ScalarKind, int] = {
    "bool": 1, "i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8, "u64": 8,
    "f16": 2, "bf16": 2, "f32": 4, "f64": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number. Integers wrap at their width; floats are IEEE (bf16: truncated binary32)."""

    kind: ScalarKind

    def __str__(self) -> str:
        return self.kind

    @property
    def size(self) -> int:
        """Bytes."""
        return _SIZES[self.kind]

    @property
    def is_float(self) -> bool:
        """f16, bf16, f32 or f64."""
        return self.kind in ("f16", "bf16", "f32", "f64")

    @property
    def is_integer(self) -> bool:
        """Any integer type; bool is not one."""
        return not self.is_float and self.kind != "bool"

    @property
    def is_signed(self) -> bool:
        """A signed integer or a float."""
        return self.is_float or self.kind.startswith("i")


@dataclass(frozen=True, slots=True)
class Void:
    """No value."""

    def __str__(self) -> str:
        return "void"


@dataclass(frozen=True, slots=True)
class Pointer:
    """An address of `element`s. Which memory it points into is a fact, not part of the type."""

    element: Type

    def __str__(self) -> str:
        return f"{self.element}*"


@dataclass(frozen=True, slots=True)
class Array:
    """`length` elements in a row. A dynamic `extern __shared__` array has length 0."""

    element: Type
    length: int

    def __str__(self) -> str:
        inner, dims = self.element, f"[{self.length}]"
        while isinstance(inner, Array):
            dims += f"[{inner.length}]"
            inner = inner.element
        return f"{inner}{dims}"


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct, union or class by name; the fields stand in `Module.structs`.

    CUDA's vector types are structs too: float4, uchar2, dim3 ... (and half2: two f16).
    """

    name: str

    def __str__(self) -> str:
        return self.name if self.name.isidentifier() else f"`{self.name}`"


@dataclass(frozen=True, slots=True)
class Handle:
    """An object that only intrinsics look into: a texture, a surface, a wmma fragment, a function.

    `what` is the C++ spelling, e.g. "cudaTextureObject_t" or "wmma::fragment<...>".
    """

    what: str

    def __str__(self) -> str:
        return f"handle`{self.what}`"


Type = Scalar | Void | Pointer | Array | Struct | Handle

BOOL, VOID = Scalar("bool"), Void()
I8, U8, I16, U16 = Scalar("i8"), Scalar("u8"), Scalar("i16"), Scalar("u16")
I32, U32, I64, U64 = Scalar("i32"), Scalar("u32"), Scalar("i64"), Scalar("u64")
F16, BF16, F32, F64 = Scalar("f16"), Scalar("bf16"), Scalar("f32"), Scalar("f64")

SCALARS: dict[str, Scalar] = {kind: Scalar(kind) for kind in _SIZES}
POINTER_SIZE = 8


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a struct, `offset` bytes from its start. Union members share offsets."""

    name: str
    type: Type
    offset: int


@dataclass(frozen=True, slots=True)
class StructDef:
    """The layout of a struct, as the CUDA compiler lays it out. Sizes in bytes."""

    name: str
    fields: tuple[Field, ...]
    size: int
    align: int

    def field(self, name: str) -> Field:
        """The member of that name; KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no member {name}")
