"""Memory that a launch over 256 MiB of arrays takes: this process and the emulator's own.

    python benchmarks/amdgpu_memory.py [--mib 256] [--arch gfx942]

Peaks of resident memory (VmHWM). The arrays exist twice: here, and in the memory file that the
emulator's process maps.
"""

import argparse
import re
import time
from pathlib import Path

import numpy as np

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device

SOURCE = """
#include <hip/hip_runtime.h>
extern "C" __global__ void saxpy(int n, float a, const float *x, float *y) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        y[i] = a * x[i] + y[i];
}
"""


def peak(process: str) -> float:
    """Peak resident memory of a process, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--arch", default="gfx942")
    options = parser.parse_args()
    n = options.mib * (1 << 20) // 8
    code = CodeObject.load(compile_hip(SOURCE, options.arch))
    x, y = np.ones(n, np.float32), np.ones(n, np.float32)
    with Device(options.arch) as device:
        began = time.monotonic()
        device.launch(code, "saxpy", 512, 256, [n, np.float32(2), x, y])
        seconds = time.monotonic() - began
        here, there = peak("self"), peak(str(device.worker().process.pid))
    assert (y == 3).all()
    print(
        f"{options.mib} MiB of arrays: {here:.0f} MiB here + {there:.0f} MiB in the emulator "
        f"= {here + there:.0f} MiB; {seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
