"""Run a Triton port as AMD machine code: Triton's AMD backend compiles, the emulated GPU runs.

    sandbox:  the module, Triton, the compiler           (work_amdgpu.py)
    here:     the emulated GPU                           one launch after the other, as asked for

The module and the compiler run locked in; what they ask for is machine code and arrays, as files of
the work folder, and machine code reaches nothing but the arrays it is given. So nothing that a
candidate does is trusted.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.dtypes import Array
from crossport.validation.runners.base import Call, Candidate, RunOutput
from crossport.validation.runners.exchange import Exchange
from crossport.validation.runners.python_module import _ending
from crossport.validation.runners.sandbox import Limits, Ran, run_sandboxed

_HERE = Path(__file__).resolve().parent
_PAUSE = 0.002
_LARGEST = 4 << 30
_SCALARS = {
    "i1": "int8", "u1": "uint8", "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16",
    "i32": "int32", "u32": "uint32", "i64": "int64", "u64": "uint64",
    "fp16": "float16", "fp32": "float32", "fp64": "float64",
}  # fmt: skip


def run_triton(
    arch: str, candidate: Candidate, calls: Sequence[Call], limits: Limits, hide: Sequence[Path]
) -> tuple[list[RunOutput], Ran]:
    """Make all calls of a Triton module; also how its process ended."""
    from crossport.validation.amdgpu.arch import ARCHS

    work = Path(tempfile.mkdtemp(prefix="crossport-run-"))
    try:
        for folder in (work, work / "ask", work / "answer"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        for name, data in candidate.files.items():
            path = work / "candidate" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for script in ("work_python.py", "work_amdgpu.py"):
            shutil.copyfile(_HERE / script, work / script)
        exchange = Exchange.create(work, "triton", f"candidate/{candidate.entry}", calls)
        environment = {
            "CROSSPORT_ARCH": arch,
            "CROSSPORT_LDS": str(ARCHS[arch].lds_bytes),
            "OMP_NUM_THREADS": "1",
        }
        server = _Server(arch, work, limits.seconds)
        server.start()
        try:
            ran = run_sandboxed(
                [sys.executable, "-s", "-P", "work_amdgpu.py"], work, limits,
                hide=hide, environment=environment,
            )  # fmt: skip
        finally:
            server.stop()
        return exchange.outputs(*_ending(ran, limits)), ran
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Server(threading.Thread):
    """Answers the launches that a sandboxed module asks for."""

    def __init__(self, arch: str, work: Path, seconds: float) -> None:
        super().__init__(daemon=True)
        self.arch, self.work, self.seconds = arch, work, seconds
        self._over = threading.Event()
        self._codes: dict[str, Any] = {}

    def run(self) -> None:
        """One launch after the other until the module's process is gone."""
        from crossport.validation.amdgpu.device import Device

        number = 0
        with Device(self.arch) as device:
            while not self._over.is_set():
                if not (self.work / f"ask/{number}.json").exists():
                    time.sleep(_PAUSE)
                    continue
                try:
                    self._launch(device, number)
                    answer = {}
                except PortError as error:
                    answer = {"fault": error.diagnostic.message}
                except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
                    answer = {"fault": f"a launch that makes no sense: {error!r}"[:300]}
                part = self.work / f"answer/{number}.part"
                part.write_text(json.dumps(answer))
                part.chmod(0o644)
                part.replace(self.work / f"answer/{number}.json")
                number += 1

    def stop(self) -> None:
        """End the thread, and with it the device's process."""
        self._over.set()
        self.join(10)

    def _launch(self, device: Any, number: int) -> None:
        from crossport.validation.amdgpu.device import Options, Pointer

        asked = json.loads(self._read(f"ask/{number}.json"))
        names = [f"ask/{number}-{k}.bin" for k in range(int(asked["arrays"]))]
        arrays = [_aligned(self._read(name)) for name in names]
        arguments: list[Any] = []
        for argument in asked["arguments"]:
            if "array" not in argument:
                arguments.append(_scalar(argument["type"], argument["value"]))
            elif argument["array"] < 0:
                arguments.append(None)
            else:
                arguments.append(Pointer(arrays[argument["array"]], int(argument["offset"])))
        device.launch(
            self._code(str(asked["code"])), str(asked["kernel"]), [int(n) for n in asked["grid"]],
            int(asked["block"]), arguments, dynamic_lds=int(asked["shared"]),
            options=Options(seconds=self.seconds),
        )  # fmt: skip
        for name, values in zip(names, arrays, strict=True):
            handle = os.open(self.work / name, os.O_WRONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "wb") as file:
                file.write(values.tobytes())

    def _code(self, name: str) -> Any:
        from crossport.validation.amdgpu.code_object import CodeObject

        if name not in self._codes:
            if "/" in name.removeprefix("ask/"):
                raise ValueError(name)
            self._codes[name] = CodeObject.load(self._read(name), self.arch)
        return self._codes[name]

    def _read(self, name: str) -> bytes:
        """A file that the sandbox wrote: never through a link, never a device."""
        handle = os.open(self.work / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if os.fstat(handle).st_size > _LARGEST:
                raise ValueError(f"{name} is too large")
            return file.read()


def _aligned(data: bytes) -> Array:
    """As a GPU's allocator would place them: Triton's alignment hints count from the base."""
    room = np.empty(len(data) + 256, np.uint8)
    start = -room.ctypes.data % 256
    values = room[start : start + len(data)]
    values[:] = np.frombuffer(data, np.uint8)
    return values


def _scalar(kind: str, value: float) -> Any:
    if kind == "bf16":
        return np.uint16(np.float32(value).view(np.uint32) >> 16)
    with np.errstate(over="ignore"):
        return np.array(value).astype(_SCALARS[kind])[()]
