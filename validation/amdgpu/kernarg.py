"""A kernel's argument block: the caller's values and the hidden ones the compiler asked for."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.arch import PRIVATE_APERTURE, SHARED_APERTURE
from crossport.validation.amdgpu.code_object import Argument, Kernel
from crossport.validation.amdgpu.hostcalls import HOSTCALL_ADDRESS
from crossport.validation.amdgpu.memory_image import QUEUE_ADDRESS, InMemory, Pointer, Struct
from crossport.validation.amdgpu.textures import Texture

_FLOATS = {2: "<e", 4: "<f", 8: "<d"}


def bad(message: str, help: str = "") -> PortError:
    return PortError(Diagnostic(Code.EMULATOR_BAD_LAUNCH, message, help=help))


def match_arguments(kernel: Kernel, values: Sequence[Any]) -> list[tuple[Argument, Any]]:
    """Pair the caller's values with the kernel's visible arguments."""
    expected = kernel.visible_arguments
    padded = list(values)
    if len(expected) == len(values) + 2 and all(a.size == 8 for a in expected[-2:]):
        # Triton appends two scratch pointers that only its launcher knows of.
        names = {a.name for a in expected}
        if names == {""} or any("scratch" in n for n in names):
            padded += [None, None]
    if len(expected) != len(padded):
        shown = ", ".join(f"{a.name or n}: {a.size} bytes" for n, a in enumerate(expected))
        raise bad(
            f"kernel {kernel.name} takes {len(expected)} arguments, {len(values)} were given",
            f"it takes ({shown})",
        )
    return list(zip(expected, padded, strict=True))


def build_kernarg(
    kernel: Kernel,
    pairs: list[tuple[Argument, Any]],
    address_of: Callable[[Any], int],
    grid: tuple[int, ...],
    block: tuple[int, ...],
    dynamic_lds: int,
) -> bytes:
    """The argument block's bytes."""
    ends = [a.offset + a.size for a in kernel.arguments]
    size = -(-max([kernel.kernarg_bytes, 16, *ends]) // 64) * 64
    out = bytearray(size)
    for place, (declared, value) in enumerate(pairs):
        # Compilers leave the names out: then its place says which argument it is.
        argument = replace(declared, name=declared.name or str(place))
        data = _encode(argument, value, address_of)
        out[argument.offset : argument.offset + argument.size] = data
    for argument in kernel.arguments:
        if argument.is_hidden:
            number = _hidden(argument.kind, grid, block, dynamic_lds)
            field = number.to_bytes(8, "little")[: argument.size]
            out[argument.offset : argument.offset + len(field)] = field
    return bytes(out)


def _encode(argument: Argument, value: Any, address_of: Callable[[Any], int]) -> bytes:
    name, size = argument.name, argument.size
    if value is None:
        return bytes(size)
    if isinstance(value, (bytes, bytearray)):
        if len(value) != size:
            raise bad(f"argument {name} has {size} bytes, {len(value)} were given")
        return bytes(value)
    if isinstance(value, Struct):
        _encode(argument, value.data, address_of)
        return struct_bytes(value, name, address_of)
    is_array = isinstance(value, np.ndarray) and value.ndim > 0
    if isinstance(value, (Pointer, InMemory, Texture)) or is_array:
        if size != 8:
            raise bad(f"argument {name} has {size} bytes; an array was given")
        return struct.pack("<Q", address_of(value))
    if isinstance(value, (np.generic, np.ndarray)):
        raw = value.tobytes()
        if len(raw) != size:
            raise bad(
                f"argument {name} has {size} bytes, a {value.dtype} has {len(raw)}",
                "pass a NumPy scalar of the kernel's own type",
            )
        return raw
    if isinstance(value, float):
        if size not in _FLOATS:
            raise bad(f"argument {name} has {size} bytes; a float was given")
        try:
            return struct.pack(_FLOATS[size], value)
        except OverflowError:
            return np.array(value).astype({2: "<f2", 4: "<f4"}[size]).tobytes()
    if isinstance(value, int):
        try:
            return int(value).to_bytes(size, "little", signed=value < 0)
        except OverflowError:
            raise bad(f"argument {name} has {size} bytes; {value} does not fit") from None
    raise bad(
        f"argument {name} cannot be a {type(value).__name__}",
        "pass a NumPy array or scalar, a number, bytes, a Pointer, a Struct, a Texture or None",
    )


def struct_bytes(value: Struct, name: str, address_of: Callable[[Any], int]) -> bytes:
    """A struct with its pointer members filled in."""
    whole = bytearray(value.data)
    for offset, target in value.pointers.items():
        if not 0 <= offset <= len(whole) - 8:
            raise bad(f"argument {name} has {len(whole)} bytes, no pointer at {offset}")
        whole[offset : offset + 8] = struct.pack("<Q", address_of(target))
    return bytes(whole)


def _hidden(kind: str, grid: tuple[int, ...], block: tuple[int, ...], dynamic_lds: int) -> int:
    axis = "xyz".find(kind[-1])
    if kind.startswith("hidden_block_count_"):
        return grid[axis]
    if kind.startswith("hidden_group_size_"):
        return block[axis]
    return {
        "hidden_grid_dims": 3 if grid[2] * block[2] > 1 else 2 if grid[1] * block[1] > 1 else 1,
        "hidden_dynamic_lds_size": dynamic_lds,
        "hidden_private_base": PRIVATE_APERTURE >> 32,
        "hidden_shared_base": SHARED_APERTURE >> 32,
        "hidden_queue_ptr": QUEUE_ADDRESS,
        "hidden_hostcall_buffer": HOSTCALL_ADDRESS,
    }.get(kind, 0)
