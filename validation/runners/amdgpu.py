"""Run a port's compiled code object on the emulated AMD GPU.

    AmdgpuRunner("gfx942").run(candidate, calls)      wave64
    AmdgpuRunner("gfx1100").run(candidate, calls)     wave32: one port must be right on both

A HIP port is compiled as a user would, once; its device code reaches nothing but the device memory
that the emulator gives it, and leaving an array is a fault there. A Triton port is compiled by
Triton's AMD backend (amdgpu_triton.py).
"""

from __future__ import annotations

import ctypes
import re
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.bundle.driver import scalar_bytes
from crossport.validation.cases import ArrayArg, Case, ScalarArg, StructArg, TextureArg
from crossport.validation.dtypes import Array
from crossport.validation.runners.amdgpu_triton import run_triton
from crossport.validation.runners.base import Call, Candidate, RunOutput, Status
from crossport.validation.runners.sandbox import Limits, Ran
from crossport.validation.runners.software_textures import (
    has_software_textures,
    software_texture,
)

if TYPE_CHECKING:
    from crossport.validation.amdgpu.code_object import CodeObject
    from crossport.validation.amdgpu.device import Device, LaunchReport, Options


class _NotPassed(Exception):
    """An argument that this runner has no way to hand over."""


@dataclass
class AmdgpuRunner:
    """The `amdgpu` runner, for one architecture."""

    arch: str = "gfx942"
    seconds: float = 120.0
    flags: tuple[str, ...] = ()
    hide: tuple[Path, ...] = ()
    """Folders out of a Triton module's sight."""
    rocm_path: str | None = None
    """A ROCm install, or its headers, to compile with."""
    last: Ran | None = None
    """How the last sandboxed process ended, and under which guards."""

    @property
    def name(self) -> str:
        """With the architecture: two of them are two pieces of evidence."""
        return f"amdgpu:{self.arch}"

    targets = ("hip", "triton")

    def missing(self) -> str | None:
        """What is needed to compile and emulate."""
        from crossport.validation.amdgpu.arch import ARCHS
        from crossport.validation.amdgpu.compile import arch_named, choose_toolchain

        if self.arch not in ARCHS:
            return f"an emulator of {self.arch}: there is one of {', '.join(ARCHS)}"
        try:
            choose_toolchain(arch_named(self.arch), self.rocm_path)
        except PortError as error:
            return error.diagnostic.message
        return None

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """Compile once, then make the calls one after the other on a fresh device."""
        from crossport.validation.amdgpu.device import Device

        if candidate.target == "triton":
            limits = Limits(seconds=self.seconds)
            outputs, self.last = run_triton(self.arch, candidate, calls, limits, self.hide)
            return outputs
        kernels = tuple(dict.fromkeys(call.case.kernel for call in calls))
        try:
            code = self.compile(candidate, kernels)
        except PortError as error:
            why = f"does not compile: {error.diagnostic.message}"
            # A library's header that this machine lacks says nothing about the port.
            lacks = "file not found" in why
            if candidate.left:
                why = f"not ported: {candidate.left[0]}"
            status: Status = "missing" if lacks or candidate.left else "failed"
            return [RunOutput(status, message=why) for _ in calls]
        in_software = has_software_textures(candidate.files)
        with Device(self.arch) as device:
            return [self._call(device, code, call, in_software=in_software) for call in calls]

    def compile(self, candidate: Candidate, kernels: Sequence[str]) -> CodeObject:
        """The code object of a HIP port, with the template instances that cases name."""
        from crossport.validation.amdgpu.code_object import CodeObject
        from crossport.validation.amdgpu.compile import arch_named, choose_toolchain, compile_hip

        with tempfile.TemporaryDirectory(prefix="crossport-hip-") as scratch:
            for name, data in candidate.files.items():
                path = Path(scratch) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            entry = Path(scratch) / candidate.entry
            entry.write_bytes(candidate.files[candidate.entry] + _keep(kernels).encode())
            toolchain = choose_toolchain(arch_named(self.arch), self.rocm_path)
            compiled = compile_hip(
                entry, self.arch, include=[scratch], flags=["-g1", *self.flags],
                toolchain=toolchain,
            )  # fmt: skip
            return CodeObject.load(compiled, self.arch)

    def _call(
        self, device: Device, code: CodeObject, call: Call, *, in_software: bool
    ) -> RunOutput:  # fmt: skip
        from crossport.validation.amdgpu.device import Options

        case = call.case
        symbol = symbol_of(code, case.kernel)
        if symbol is None:
            return RunOutput("missing", message=f"the code object has no one kernel {case.kernel}")
        arrays = {name: np.array(values) for name, values in call.contents.items()}
        began = time.perf_counter()
        try:
            how = Options(seconds=self.seconds)
            launch(device, code, symbol, case, arrays, how, in_software=in_software)
        except _NotPassed as reason:
            return RunOutput("missing", message=str(reason))
        except PortError as error:
            return RunOutput("failed", message=error.diagnostic.message)
        faults = tuple(
            f"input {a.name} was changed"
            for a in case.arrays
            if a.role == "in" and arrays[a.name].tobytes() != call.contents[a.name].tobytes()
        )
        return RunOutput("ok", arrays, faults, seconds=time.perf_counter() - began)


def launch(
    device: Device, code: CodeObject, symbol: str, case: Case, arrays: Mapping[str, Array],
    options: Options, *, in_software: bool,
) -> LaunchReport:  # fmt: skip
    """One launch of a case; the arrays are updated in place. `in_software`: its textures are."""
    types = {a.name: a.dtype for a in case.arrays}
    arguments = [
        software_texture(arg, types[arg.array], arrays[arg.array])
        if in_software and isinstance(arg, TextureArg)
        else _argument(arg, arrays)
        for arg in case.args
    ]
    return device.launch(
        code, symbol, case.grid, case.block, arguments, dynamic_lds=case.shared_bytes,
        globals=_globals(case, arrays), options=options,
    )  # fmt: skip


def symbol_of(code: CodeObject, kernel: str) -> str | None:
    """The symbol of a kernel as a case names it; None where there is none, or more than one."""
    return kernel_symbols(tuple(code.kernels)).get(plain_name(kernel))


def _keep(kernels: Sequence[str]) -> str:
    """Text that makes the compiler emit the template instances that cases name."""
    wanted = [name for name in kernels if "<" in name]
    lines = [
        f"__attribute__((used)) static auto* crossport_keep_{i} = &{name};"
        for i, name in enumerate(wanted)
    ]
    return "\n" + "\n".join(lines) + "\n"


def kernel_symbols(mangled: Sequence[str]) -> dict[str, str]:
    """From kernels' plain names to their symbols in the code object; overloads are left out.

    Which of two overloads a name means cannot be told, and running the other one tells nothing.
    """
    names = Counter(plain_name(demangle(symbol)) for symbol in mangled)
    plain = {plain_name(demangle(symbol)): symbol for symbol in mangled}
    return {name: symbol for name, symbol in plain.items() if names[name] == 1}


def plain_name(name: str) -> str:
    """`void k<float, 256u>(float*)` and `k<float, 256>` -> `k<float,256>`."""
    name = re.sub(r"\(bool\)1", "true", re.sub(r"\(bool\)0", "false", name))
    depth = 0
    for at, letter in enumerate(name):
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            name = name[:at]
            break
    name = name.split("void ", 1)[-1] if name.startswith("void ") else name
    name = re.sub(r"(?<![\w.])(-?\d+)[uUlL]+", r"\1", name)
    return re.sub(r"\b(struct|class|enum) ", "", name).replace(" ", "")


def demangle(symbol: str) -> str:
    """A C++ symbol in words; as it is where the C++ library is not at hand."""
    for library in ("libstdc++.so.6", "libc++abi.so.1"):
        try:
            function = ctypes.CDLL(library).__cxa_demangle
        except (OSError, AttributeError):
            continue
        function.restype = ctypes.c_void_p
        status = ctypes.c_int()
        found = function(symbol.encode(), None, None, ctypes.byref(status))
        if status.value != 0 or not found:
            return symbol
        return ctypes.string_at(found).decode()
    inner = re.match(r"_Z(\d+)", symbol)
    if inner is None:
        return symbol
    start = inner.end()
    return symbol[start : start + int(inner.group(1))]


def _argument(arg: object, arrays: Mapping[str, Array]) -> Any:
    match arg:
        case ArrayArg():
            return arrays[arg.name]
        case ScalarArg():
            return np.frombuffer(scalar_bytes(arg.dtype, arg.value), arg.dtype.storage)[0]
        case StructArg():
            return _struct(arg, arrays)
        case TextureArg():
            return _texture(arg, arrays[arg.array])
        case _:
            raise _NotPassed(f"an argument of kind {type(arg).__name__}")


def _texture(arg: TextureArg, values: Array) -> Any:
    from crossport.validation.amdgpu.device import Texture

    shape = (arg.height, arg.width) if arg.height else (arg.width,)
    return Texture(
        values.reshape(*shape, *([arg.channels] if arg.channels > 1 else [])), arg.channels,
        arg.linear_filter, arg.address, arg.normalized, is_buffer=arg.height == 0,
    )  # fmt: skip


def _struct(arg: StructArg, arrays: Mapping[str, Array]) -> Any:
    """A struct by value, laid out as C does."""
    from crossport.validation.amdgpu.device import Struct

    data = bytearray()
    pointers: dict[int, Array] = {}
    widest = 1
    for field in arg.fields:
        raw = bytes(8) if isinstance(field, tuple) else scalar_bytes(field.dtype, field.value)
        data += b"\0" * (-len(data) % len(raw))
        if isinstance(field, tuple):
            pointers[len(data)] = arrays[field[1]]
        data += raw
        widest = max(widest, len(raw))
    data += b"\0" * (-len(data) % widest)
    return Struct(bytes(data) or b"\0", pointers)


def _globals(case: Case, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {b.name: arrays[b.name] for b in case.buffers if b.symbol}
