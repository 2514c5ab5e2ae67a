"""What a kernel's parameters are to somebody who has to launch it: arrays, sizes, numbers.

const float3* p    array of float32, three to an element
int n              a size
float a            a number
Lens l             its members, each one of these
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossport.ir.nodes import Function, Module
from crossport.ir.types import Array, Pointer, Scalar, Struct, Type
from crossport.validation.dtypes import DTYPES, DType

_KINDS = {
    "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16", "i32": "int32", "u32": "uint32",
    "i64": "int64", "u64": "uint64", "f16": "float16", "bf16": "bfloat16", "f32": "float32",
    "f64": "float64", "bool": "bool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrayParam:
    """A pointer. `width` numbers of `dtype` make an element; `touched`: its name to a watch.

    fields: the members of a struct of several types; `dtype` is then a word that they all fill.
    """

    name: str
    touched: str
    dtype: DType
    width: int
    fields: tuple[DType, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberParam:
    """A number; whole numbers are taken for sizes."""

    name: str
    dtype: DType

    @property
    def is_size(self) -> bool:
        """Whether it is a whole number."""
        return self.dtype.kind in ("int", "uint")


@dataclass(frozen=True, slots=True)
class StructParam:
    """A struct by value: (member, what it is), in the order in which they lie."""

    name: str
    c_type: str
    members: tuple[tuple[str, ArrayParam | NumberParam], ...]


Parameter = ArrayParam | NumberParam | StructParam


def parameters(module: Module, kernel: Function) -> tuple[Parameter, ...] | None:
    """The parameters of a kernel; None if one of them is none of these."""
    found = []
    for param in kernel.params:
        made = _parameter(module, param.name, param.type)
        if made is None:
            return None
        found.append(made)
    return tuple(found)


def leaves(params: tuple[Parameter, ...]) -> Iterator[ArrayParam | NumberParam]:
    """Every array and number, members of structs in their place."""
    for param in params:
        if isinstance(param, StructParam):
            yield from (part for _, part in param.members)
        else:
            yield param


def _parameter(module: Module, name: str, kind: Type) -> Parameter | None:
    if not isinstance(kind, Struct):
        return _simple(module, name, name, kind)
    members = []
    for field in sorted(module.struct(kind.name).fields, key=lambda f: f.offset):
        part = _simple(module, f"{name}_{field.name}", f"{name}.{field.name}", field.type)
        if part is None:
            return None
        members.append((field.name, part))
    return StructParam(name, kind.name, tuple(members))


def _simple(module: Module, name: str, touched: str, kind: Type) -> ArrayParam | NumberParam | None:
    if isinstance(kind, Scalar) and kind.kind in _KINDS:
        return NumberParam(name, DTYPES[_KINDS[kind.kind]])
    if isinstance(kind, Pointer):
        numbers = list(_numbers(module, kind.element))
        if not set(numbers) <= _KINDS.keys():
            return None
        dtypes = tuple(DTYPES[_KINDS[number]] for number in numbers)
        size = sum(dtype.bytes for dtype in dtypes)
        if size == 0 or size != _size(module, kind.element):
            return None
        if len(set(dtypes)) == 1:
            return ArrayParam(name, touched, dtypes[0], len(dtypes))
        word = DTYPES[f"uint{8 * min(dtype.bytes for dtype in dtypes)}"]
        return ArrayParam(name, touched, word, size // word.bytes, dtypes)
    return None


def _numbers(module: Module, kind: Type) -> Iterator[str]:
    """The kinds of the numbers that a type is made of; "" for anything else in it."""
    match kind:
        case Scalar():
            yield kind.kind
        case Array(element, length) if length:
            yield from [number for _ in range(length) for number in _numbers(module, element)]
        case Struct(name):
            for field in module.struct(name).fields:
                yield from _numbers(module, field.type)
        case _:
            yield ""


def _size(module: Module, kind: Type) -> int:
    """Bytes from one element of an array to the next."""
    match kind:
        case Scalar():
            return kind.size
        case Array(element, length):
            return length * _size(module, element)
        case Struct(name):
            return module.struct(name).size
        case _:
            return 0
