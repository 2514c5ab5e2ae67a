"""How fast the AMD GPU emulator runs: wave instructions a second of one core, and cold starts.

    python benchmarks/amdgpu_speed.py [--arch gfx942] [--repeat 5]

Rates are per second of processor time, so that a busy machine disturbs them less; the best of the
repeats is shown. `cold` is the time from a code object to the end of the first launch with an empty
cache of instruction bodies.
"""

import argparse
import os
import tempfile
import time

import numpy as np

from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options

SOURCE = r"""
#include <hip/hip_runtime.h>
extern "C" {
__global__ void polynomial(float *x, int rounds) {
    float v = x[blockIdx.x * 256 + threadIdx.x], w = v;
    for (int k = 0; k < rounds; k++) {
        v = v * 0.999f + 0.25f;
        w = w * v - 0.5f;
        v = v - w * 1e-6f;
    }
    x[blockIdx.x * 256 + threadIdx.x] = v + w;
}
__global__ void integers(unsigned *x, int rounds) {
    unsigned v = x[blockIdx.x * 256 + threadIdx.x];
    for (int k = 0; k < rounds; k++) { v ^= v << 13; v ^= v >> 17; v ^= v << 5; }
    x[blockIdx.x * 256 + threadIdx.x] = v;
}
__global__ void reduce(const float *x, float *y) {
    __shared__ float s[256];
    int t = threadIdx.x;
    s[t] = x[blockIdx.x * 256 + t];
    __syncthreads();
    for (int k = 128; k > 0; k >>= 1) { if (t < k) s[t] += s[t + k]; __syncthreads(); }
    if (t == 0) y[blockIdx.x] = s[0];
}
__global__ void copy(const float *x, float *y) {
    for (int k = 0; k < 16; k++) {
        int i = (k * gridDim.x + blockIdx.x) * 256 + threadIdx.x;
        y[i] = x[i] * 2.0f;
    }
}
__global__ void doubles(double *x, int rounds) {
    double v = x[blockIdx.x * 256 + threadIdx.x];
    for (int k = 0; k < rounds; k++) v = v * 0.999 + 0.25;
    x[blockIdx.x * 256 + threadIdx.x] = v;
}
typedef _Float16 half4 __attribute__((ext_vector_type(4)));
typedef float float16 __attribute__((ext_vector_type(16)));
__global__ void matrix(const half4 *a, const half4 *b, float16 *c, int rounds) {
#if defined(__gfx90a__) || defined(__gfx942__) || defined(__gfx950__)
    __shared__ half4 s[256];
    int t = threadIdx.x;
    float16 sum = c[t];
    for (int k = 0; k < rounds; k++) {
        s[t] = a[(k & 7) * 256 + t];
        __syncthreads();
        half4 x = s[t ^ 1], y = b[(k & 7) * 256 + t];
        sum = __builtin_amdgcn_mfma_f32_32x32x8f16(x, y, sum, 0, 0, 0);
        __syncthreads();
    }
    c[t] = sum;
#endif
}
}
"""


def arguments(name: str, groups: int) -> list[object]:
    """Arrays and scalars of one kernel."""
    n = groups * 256
    match name:
        case "polynomial":
            return [np.ones(n, np.float32), 200]
        case "integers":
            return [np.arange(1, n + 1, dtype=np.uint32), 200]
        case "doubles":
            return [np.ones(n), 200]
        case "reduce":
            return [np.ones(n, np.float32), np.zeros(groups, np.float32)]
        case "copy":
            return [np.ones(n * 16, np.float32), np.zeros(n * 16, np.float32)]
        case _:
            half, out = np.ones(8 * 256 * 4, np.float16), np.zeros(256 * 16, np.float32)
            return [half, half.copy(), out, 64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="gfx942")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    code = CodeObject.load(compile_hip(SOURCE, options.arch))
    print(f"{'kernel':12} {'M wave-inst/s':>14} {'wave inst':>12}")
    with Device(options.arch) as device:
        for name in ("polynomial", "integers", "reduce", "copy", "doubles", "matrix"):
            if name == "matrix" and not device.arch.is_cdna:
                continue
            best, count = 0.0, 0
            groups = {"matrix": 32, "reduce": 512, "copy": 64}.get(name, 64)
            for _ in range(options.repeat):
                report = device.launch(
                    code, name, groups, 256, arguments(name, groups), options=Options(threads=1)
                )
                best, count = max(best, report.instructions_per_second), report.instructions
            print(f"{name:12} {best / 1e6:14.1f} {count:12d}")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["CROSSPORT_CACHE"] = empty
        from crossport.validation.amdgpu import native

        native._folder.cache_clear()
        started = time.monotonic()
        native.core_library()
        core = time.monotonic() - started
        kernel = code.kernels["reduce"]
        with Device(options.arch) as device:
            started = time.monotonic()
            device.launch(code, "reduce", 1, 256, arguments("reduce", 1))
            cold = time.monotonic() - started
        print(f"core {core:.2f} s once; first launch of a {kernel.size} byte kernel {cold:.2f} s")


if __name__ == "__main__":
    main()
