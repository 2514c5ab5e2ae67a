"""Launch arguments -> registers and memory objects.

    float* x      <- np.ndarray: its bytes are the object, so stores land in it
    float** p     <- [array, array]: an array of addresses
    struct S s    <- (1, array, 2.0) or a record, field by field
    int n         <- 5

Arrays that share memory become one object, so that aliasing pointers alias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError
from crossport.ir.interpreter.compile_module import CompiledModule
from crossport.ir.interpreter.kinds import (
    Kind,
    Layout,
    bytes_of,
    kind_named,
    round_bf16,
    round_to_odd_f32,
    state_words,
)
from crossport.ir.interpreter.memory import MemoryObject
from crossport.ir.interpreter.runtime import World
from crossport.ir.nodes import Aggregate, Bitcast, Cast, Const, Expr, FunctionRef, Null
from crossport.ir.types import Array, Handle, Pointer, Scalar, Struct, Type


class _Ids:
    """Stands in for a Runtime while objects are made before any chunk runs."""

    def __init__(self, world: World) -> None:
        self.world = world

    def new_id(self) -> int:
        self.world.next_id += 1
        return self.world.next_id


class Bound:
    """The arguments of a launch."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        # By position: the array, its object, its offset in it, and the kind of its elements.
        self.arrays: dict[int, tuple[Any, MemoryObject, int, Kind | None]] = {}
        self.copies: list[tuple[Any, NDArray[Any]]] = []

    def write_back(self) -> None:
        """Copy what could not be shared (arrays that are not contiguous) back."""
        for original, copy in self.copies:
            original[...] = copy

    def oracle_arrays(self) -> dict[int, NDArray[np.float64]]:
        """The float64 contents of each float array by argument position."""
        found = {}
        for position, (array, target, offset, kind) in self.arrays.items():
            if kind is None or not kind.is_float:
                continue
            first = offset // kind.size
            flat = np.arange(first, first + array.nbytes // kind.size)
            oracle = kind_named(kind.name, True)
            raw = target.view(oracle)[flat]
            numbers = target._oracle_load(raw, flat, oracle)
            # An array given as bytes has another shape than its numbers.
            same = array.dtype.itemsize == kind.size
            found[position] = numbers.reshape(array.shape) if same else numbers
        return found


class Binder:
    """Makes memory objects of arrays."""

    def __init__(self, world: World, layout: Layout) -> None:
        self.world, self.layout = world, layout
        self.ids: Any = _Ids(world)
        self.ranges: list[tuple[int, int, MemoryObject]] = []
        self.bound = Bound()
        # Arrays made here live as long as the launch: their addresses are keys.
        self.kept: list[NDArray[Any]] = []

    def prepare(self, arrays: list[NDArray[Any]]) -> None:
        """Objects for arrays, those that overlap together."""
        spans = sorted(
            (a.__array_interface__["data"][0], a.__array_interface__["data"][0] + a.nbytes)
            for a in arrays
            if a.flags.c_contiguous and a.nbytes and not a.dtype.hasobject
        )
        merged: list[list[int]] = []
        for start, end in spans:
            if merged and start < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self.merged = merged

    def address(self, array: NDArray[Any], name: str) -> tuple[np.int64, MemoryObject, int]:
        """Where an array lies."""
        if not array.flags.c_contiguous:
            array = self._contiguous(array)
        start = array.__array_interface__["data"][0]
        for first, last, target in self.ranges:
            if first <= start and start + array.nbytes <= last and array.nbytes:
                return target.address + np.int64(start - first), target, start - first
        buffer = bytes_of(array)
        first, last = start, start + array.nbytes
        for low, high in self.merged:
            if low <= start < high and (low, high) != (first, last):
                import ctypes

                first, last = low, high
                buffer = np.ctypeslib.as_array((ctypes.c_uint8 * (high - low)).from_address(low))
        if not array.flags.writeable:
            buffer = buffer.copy()
        target = MemoryObject(self.ids, name, "global", buffer, len(buffer))
        self.world.objects[target.id] = target
        self.ranges.append((first, last, target))
        return target.address + np.int64(start - first), target, start - first

    def _contiguous(self, array: NDArray[Any]) -> NDArray[Any]:
        for original, copy in self.bound.copies:
            if original is array:
                return copy
        copy = np.ascontiguousarray(array)
        self.bound.copies.append((array, copy))
        return copy


def bind_arguments(code: CompiledModule, world: World, args: Any, kernel: str) -> Bound:
    """All arguments of a launch, flattened to leaves."""
    params = code.kernel.params
    if len(args) != len(params):
        raise _error(f"{kernel} takes {len(params)} arguments, not {len(args)}")
    binder = Binder(world, code.layout)
    binder.prepare(_arrays(args))
    for position, (param, value) in enumerate(zip(params, args, strict=True)):
        binder.bound.values += _leaves(binder, param.type, value, param.name)
        if isinstance(value, np.ndarray) and isinstance(param.type, Pointer):
            _, target, offset = binder.address(value, param.name)
            element = param.type.element
            kind = kind_named(element.kind) if isinstance(element, Scalar) else None
            if kind is None:
                leaves = code.layout.leaves(element) if not _is_void(element) else ()
                kinds = {leaf.kind.name for leaf in leaves}
                kind = kind_named(kinds.pop()) if len(kinds) == 1 else None
            binder.bound.arrays[position] = (value, target, offset, kind)
    return binder.bound


def _is_void(type: Type) -> bool:
    return str(type) == "void"


def _arrays(values: Any) -> list[NDArray[Any]]:
    found: list[NDArray[Any]] = []
    for value in values:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += _arrays(value)
        elif isinstance(value, dict):
            found += _arrays(value.values())
    return found


def _error(message: str) -> PortError:
    return PortError(Diagnostic(DiagnosticCode.BAD_LAUNCH, message))


def _leaves(binder: Binder, type: Type, value: Any, name: str) -> list[Any]:
    match type:
        case Pointer():
            return [_pointer(binder, value, name)]
        case Handle() if not state_words(type):
            return [_handle(binder, value)]
        case Scalar(kind):
            return [scalar_register(kind_named(kind, binder.layout._oracle), value, name)]
        case Array(element, length):
            if len(value) != length:
                raise _error(f"{name} is {type}, but {len(value)} values were given")
            return [x for item in value for x in _leaves(binder, element, item, name)]
        case Struct(struct):
            return _struct(binder, struct, value, name)
        case _:
            raise _error(f"an argument of type {type}")


def _pointer(binder: Binder, value: Any, name: str) -> np.int64:
    if value is None:
        return np.int64(0)
    if isinstance(value, np.ndarray):
        return binder.address(value, name)[0]
    if isinstance(value, list | tuple):
        addresses = [_pointer(binder, v, f"{name}[{i}]") for i, v in enumerate(value)]
        kept = np.array(addresses, np.int64)
        binder.kept.append(kept)
        return binder.address(kept, name)[0]
    if isinstance(value, int | np.integer):
        return np.int64(int(value))
    raise _error(f"{name} is a pointer; {type(value).__name__} is no array")


def _handle(binder: Binder, value: Any) -> np.int64:
    if isinstance(value, int | np.integer):
        return np.int64(int(value))
    binder.world.handles.append(value)
    return np.int64(len(binder.world.handles) - 1)


def scalar_register(kind: Kind, value: Any, name: str) -> Any:
    """A number as a register, refused if it does not fit an integer type."""
    try:
        if kind.is_integer:
            number = int(value)
            low = -(1 << (kind.bits - 1)) if kind.is_signed else 0
            if not low <= number < low + (1 << kind.bits):
                raise _error(f"{name} = {number} does not fit {kind.name}")
            return kind.register(number)
        if kind.name == "bool":
            return np.bool_(value)
        real: Any = np.float64(value)
        if kind.name == "bf16":
            real = round_bf16(round_to_odd_f32(real))
        return kind.register(kind.memory(real) if kind.name != "bf16" else real)
    except (TypeError, ValueError) as problem:
        raise _error(f"{name} = {value!r} is no {kind.name}") from problem


def _struct(binder: Binder, struct: str, value: Any, name: str) -> list[Any]:
    definition = binder.layout.struct(struct)
    fields = sorted(definition.fields, key=lambda f: f.offset)
    if isinstance(value, bytes | bytearray | np.void | np.ndarray):
        raw = bytes(value) if isinstance(value, bytes | bytearray) else value.tobytes()
        if len(raw) != definition.size:
            raise _error(f"{name} has {definition.size} bytes, not {len(raw)}")
        data = np.frombuffer(raw, np.uint8)
        found = []
        for leaf in binder.layout.leaves(Struct(struct)):
            part = data[leaf.offset : leaf.offset + leaf.kind.size].copy()
            found.append(leaf.kind.decode(part.view(leaf.kind.memory)[0]))
        return found
    if isinstance(value, dict):
        value = tuple(value[f.name] for f in fields)
    if not isinstance(value, tuple | list) or len(value) != len(fields):
        raise _error(f"{name} is a {struct} of {len(fields)} fields")
    return [
        x
        for field, item in zip(fields, value, strict=True)
        for x in _leaves(binder, field.type, item, f"{name}.{field.name}")
    ]


# --- __device__ and __constant__ variables --------------------------------------------------------


def bind_globals(code: CompiledModule, world: World, given: Mapping[str, Any]) -> None:
    """Objects for the module's variables, from arrays or their initialisers."""
    module, layout, functions = code.module, code.layout, code.unit.function_ids
    known = {entry.name for entry in module.globals}
    unknown = sorted(set(given) - known)
    if unknown:
        raise _error(f"no __device__ or __constant__ variable named {', '.join(unknown)}")
    ids: Any = _Ids(world)
    for entry in module.globals:
        size = layout.size(entry.type)
        if entry.name in given:
            array = np.asarray(given[entry.name])
            if not array.flags.c_contiguous or array.nbytes < size:
                raise _error(f"{entry.name} needs a contiguous array of {size} bytes")
            buffer = bytes_of(array)
        else:
            buffer = np.zeros(-(-size // 16) * 16, np.uint8)
            if entry.init is not None:
                _fill(layout, entry.type, entry.init, buffer, functions)
        target = MemoryObject(ids, entry.name, entry.space, buffer, size)
        world.objects[target.id] = target
        world.globals[entry.name] = target


def _fill(
    layout: Layout, type: Type, init: Expr, buffer: NDArray[np.uint8], functions: dict[str, int]
) -> None:
    values = _flatten(init, functions)
    for leaf, value in zip(layout.leaves(type), values, strict=False):
        kind = Kind(leaf.kind.name)
        if kind.name == "ptr":
            register: Any = np.int64(value)
        else:
            register = scalar_register(kind, value, "an initialiser")
        raw = np.asarray(kind.encode(register))
        buffer[leaf.offset : leaf.offset + kind.size] = raw.reshape(1).view(np.uint8)


def _flatten(init: Expr, functions: dict[str, int]) -> list[Any]:
    match init:
        case Const(value):
            return [value]
        case Null():
            return [0]
        case FunctionRef(name) if name in functions:
            return [functions[name]]
        case Cast(value=inner):
            return _flatten(inner, functions)
        case Bitcast(Const(bits), Scalar("f32" | "f64") as kind):
            word = int(bits).to_bytes(kind.size, "little")
            return [float(np.frombuffer(word, np.float32 if kind.size == 4 else np.float64)[0])]
        case Aggregate(values):
            return [x for v in values for x in _flatten(v, functions)]
        case _:
            raise _error("an initialiser that is not constant")
