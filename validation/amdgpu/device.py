"""Run kernels of a code object on an emulated AMD GPU.

Example:

    code = CodeObject.load("saxpy.hsaco")
    with Device("gfx942") as device:
        device.launch(code, "saxpy", grid=(4,), block=(256,), args=[n, np.float32(2), x, y])

Arrays are NumPy arrays and are updated in place. The GPU code runs in a process of its own;
whatever it does there, the caller gets a report or a `DeviceFault`. docs/amdgpu.md says what can be
trusted.
"""

import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.arch import ARCHS, Arch
from crossport.validation.amdgpu.code_object import CodeObject, Kernel
from crossport.validation.amdgpu.kernarg import bad
from crossport.validation.amdgpu.launching import Launching, Options, Schedule, Shape
from crossport.validation.amdgpu.memory_image import InMemory, Pointer, Struct
from crossport.validation.amdgpu.process import Worker
from crossport.validation.amdgpu.program import Program, build_program
from crossport.validation.amdgpu.report import DeviceFault, LaunchReport
from crossport.validation.amdgpu.textures import Texture

__all__ = [
    "CodeObject", "Device", "DeviceFault", "InMemory", "LaunchReport", "Options", "Pointer",
    "Schedule", "Struct", "Texture",
]  # fmt: skip

_CODE_OBJECTS_KEPT = 64


class Device:
    """One emulated GPU; its process starts at the first launch and stays for the next."""

    def __init__(self, arch: str = "gfx942") -> None:
        if arch not in ARCHS:
            raise PortError(
                Diagnostic(
                    Code.WRONG_ARCH,
                    f"the emulator does not know {arch}",
                    help=f"it runs {', '.join(ARCHS)}",
                )
            )
        self.arch: Arch = ARCHS[arch]
        self._worker: Worker | None = None
        self._programs: dict[int, tuple[CodeObject, dict[str, Program]]] = {}
        self.lock = threading.Lock()
        """One launch at a time: the device's process answers in order."""

    def __enter__(self) -> "Device":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the device's process; a later launch starts a new one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def program(self, code: CodeObject, kernel: str) -> Program:
        """The lowered code of a kernel, made once while its code object is in use here."""
        # A code object cannot be hashed cheaply; holding it keeps its identity unique.
        _, programs = self._programs.setdefault(id(code), (code, {}))
        if kernel not in programs:
            programs[kernel] = build_program(code, code.kernel(kernel))
        while len(self._programs) > _CODE_OBJECTS_KEPT:
            self._programs.pop(next(iter(self._programs)))
        return programs[kernel]

    def launch(
        self,
        code: CodeObject,
        kernel: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        args: Sequence[Any] = (),
        *,
        dynamic_lds: int = 0,
        globals: Mapping[str, NDArray[Any]] | None = None,
        options: Options | None = None,
    ) -> LaunchReport:
        """Run a kernel to its end.

        `grid` and `block` are as in `<<<grid, block>>>`. `args` follow the kernel's parameters:
        arrays (updated in place), Pointer, NumPy or Python scalars, bytes or Struct for structs,
        InMemory for a pointer to a struct, None for a null pointer. `globals` are the code
        object's variables by symbol, read before the launch and updated after it. Raises
        DeviceFault when the kernel misbehaves.
        """
        options = options or Options()
        if code.arch is not self.arch:
            raise PortError(
                Diagnostic(
                    Code.WRONG_ARCH,
                    f"the code object is for {code.arch.name}, the device is a {self.arch.name}",
                )
            )
        k = code.kernel(kernel)
        shape = Shape(_three(grid, "grid"), _three(block, "block"), dynamic_lds)
        _check_shape(self.arch, k, shape)
        program = self.program(code, kernel)
        launch = Launching(self.worker, self.lock, code, k, program, shape, options)
        return launch.run(args, globals or {})

    def worker(self) -> Worker:
        if self._worker is None or not self._worker.alive:
            self._worker = Worker()
        return self._worker


def _three(value: int | Sequence[int], what: str) -> tuple[int, int, int]:
    items = [value] if isinstance(value, (int, np.integer)) else list(value)
    items = [int(v) for v in items] + [1] * (3 - len(items))
    if len(items) != 3 or any(v < 0 or v > 0x7FFFFFFF for v in items):
        raise bad(f"{what} must be one to three sizes, not {value!r}")
    return (items[0], items[1], items[2])


def _check_shape(arch: Arch, kernel: Kernel, shape: Shape) -> None:
    if shape.threads < 1 or shape.groups < 1:
        raise bad("the grid and the block must not be empty")
    if shape.threads > kernel.max_block:
        raise bad(
            f"a block of {shape.threads} threads is more than {kernel.name} was built for",
            f"its limit is {kernel.max_block} (__launch_bounds__)",
        )
    lds = kernel.lds_bytes + shape.dynamic_lds
    if shape.dynamic_lds < 0 or lds > arch.lds_bytes:
        raise bad(
            f"{kernel.name} needs {lds} bytes of LDS; {arch.name} has {arch.lds_bytes} a workgroup"
        )
