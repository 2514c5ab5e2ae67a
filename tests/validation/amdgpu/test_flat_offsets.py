"""Offsets of generic addresses: 0 to 4095 before RDNA4, where 2048 and more are not negative."""

import numpy as np
import pytest

from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device

SOURCE = """
#include <hip/hip_runtime.h>
__device__ __attribute__((noinline)) int far(const int* p) {
  return p[0] + 10 * p[511] + 100 * p[512] + 1000 * p[1023];
}
__global__ void k(const int* p, int* out) { out[threadIdx.x] = far(p + threadIdx.x); }
"""


@pytest.mark.parametrize("arch", ["gfx942", "gfx1100", "gfx1201"])
def test_offsets_beyond_2047(arch: str) -> None:
    code = CodeObject.load(compile_hip(SOURCE, arch), arch)
    values = np.random.default_rng(1).integers(0, 10, 1100).astype(np.int32)
    out = np.zeros(64, np.int32)
    with Device(arch) as device:
        device.launch(code, next(iter(code.kernels)), 1, 64, [values, out])
    at = np.arange(64)
    expected = sum(10**n * values[at + step] for n, step in enumerate((0, 511, 512, 1023)))
    assert np.array_equal(out, expected)
