"""Runs inside the sandbox: a Triton module whose kernels are compiled for an AMD GPU.

    module ─▶ Triton's own AMD backend ─▶ hsaco ─▶ ask/N.*    the parent runs it on the emulated
                                                   answer/N   GPU, and writes the arrays back

Triton sees a driver whose device is the emulated GPU. A launch is put down as files and waited
for; the arrays of the module stay ordinary tensors in this process's memory, so that what the
module does between launches is done to what the kernels left. The parent trusts nothing of it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.backends.driver import DriverBase

# The script that makes the calls lies beside this one; by path, as nothing else of the work folder
# may be imported.
_SPEC = importlib.util.spec_from_file_location("work_python", "work_python.py")
assert _SPEC is not None and _SPEC.loader is not None
work_python = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(work_python)

_ARCH = os.environ["CROSSPORT_ARCH"]
_LDS = int(os.environ["CROSSPORT_LDS"])
_PAUSE = 0.002


class Driver(DriverBase):  # type: ignore[misc]
    """What Triton asks of a GPU's driver."""

    def __init__(self) -> None:
        self.utils = SimpleNamespace(
            load_binary=self._load_binary,
            unload_module=lambda module: None,
            get_device_properties=lambda device: {"max_shared_mem": _LDS},
        )
        self.launcher_cls = Launcher
        self.count = 0

    @classmethod
    def is_active(cls) -> bool:
        """Always: this is the device."""
        return True

    def map_python_to_cpp_type(self, ty: str) -> str:
        """Only real launchers need it."""
        raise NotImplementedError(ty)

    def get_current_target(self) -> Any:
        """The GPU that Triton compiles for."""
        return GPUTarget("hip", _ARCH, 64)

    def get_current_device(self) -> int:
        """There is one."""
        return 0

    def get_current_stream(self, device: int) -> int:
        """There is one."""
        return 0

    def get_active_torch_device(self) -> Any:
        """Where tensors live."""
        return torch.device("cpu")

    def get_benchmarker(self) -> Any:
        """Time means nothing here."""
        raise RuntimeError("the emulated GPU has no clock: it cannot tune a kernel")

    def _load_binary(self, name: str, binary: bytes, shared: int, device: int) -> tuple[Any, ...]:
        self.count += 1
        file = f"ask/code-{self.count}.hsaco"
        with open(file, "wb") as out:
            out.write(binary)
        return SimpleNamespace(name=name), file, 0, 0, 1024


class Launcher:
    """A compiled kernel's launch: `(x, y, z, stream, function, ..., hooks, *arguments)`."""

    number = 0

    def __init__(self, src: Any, metadata: Any) -> None:
        self.signature = list(src.signature.values())
        self.metadata = metadata
        if metadata.global_scratch_size or metadata.profile_scratch_size:
            raise RuntimeError("the kernel wants global scratch memory, which is not emulated")

    def __call__(self, x: int, y: int, z: int, stream: int, code: str, *rest: Any) -> None:
        """Put the launch down, wait for the answer, take the arrays back."""
        values = rest[4:]
        storages: dict[int, Any] = {}
        arguments: list[dict[str, Any]] = []
        for kind, value in zip(self.signature, values, strict=True):
            if kind == "constexpr":
                continue
            arguments.append(self._argument(kind, value, storages))
        number = Launcher.number
        Launcher.number += 1
        files = [f"ask/{number}-{k}.bin" for k in range(len(storages))]
        for file, tensor in zip(files, storages.values(), strict=True):
            tensor.numpy().tofile(file)
        _put(
            f"ask/{number}.json",
            {
                "code": code,
                "kernel": self.metadata.name,
                "grid": [x, y, z],
                "block": self.metadata.num_warps * self.metadata.warp_size,
                "shared": self.metadata.shared,
                "arguments": arguments,
                "arrays": len(files),
            },
        )
        fault = _await(f"answer/{number}.json")
        if fault:
            raise RuntimeError(fault)
        for file, tensor in zip(files, storages.values(), strict=True):
            tensor.copy_(torch.from_numpy(np.fromfile(file, np.uint8)))
            os.unlink(file)

    @staticmethod
    def _argument(kind: str, value: Any, storages: dict[int, Any]) -> dict[str, Any]:
        if not kind.startswith("*"):
            number = float(value) if kind.startswith(("fp", "bf")) else int(value)
            return {"type": kind, "value": number}
        if value is None or not value.numel():
            return {"array": -1, "offset": 0}
        storage = value.untyped_storage()
        base = storage.data_ptr()
        if base not in storages:
            storages[base] = torch.empty(0, dtype=torch.uint8).set_(storage)
        place = list(storages).index(base)
        return {"array": place, "offset": value.data_ptr() - base}


def _put(path: str, value: object) -> None:
    with open(f"{path}.part", "w") as file:
        json.dump(value, file)
    os.replace(f"{path}.part", path)


def _await(path: str) -> str:
    while not os.path.exists(path):
        time.sleep(_PAUSE)
    with open(path) as file:
        return str(json.load(file).get("fault", ""))


if __name__ == "__main__":
    triton.runtime.driver.set_active(Driver())
    # A module asks this when it chooses what suits AMD (extents, the width of a wave).
    torch.version.hip = "emulated"
    work_python.main()
