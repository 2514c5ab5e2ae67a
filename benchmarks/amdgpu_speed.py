"""How fast the AMD GPU emulator runs: rates, scaling over threads, and cold starts.

    python benchmarks/amdgpu_speed.py [--arch gfx942] [--repeat 5] [--threads 2]

Rates are wave instructions per second of processor time, so that a busy machine disturbs them less;
the best of the repeats is shown. Scaling compares elapsed times of the same launch and means
something on an idle machine only. Cold starts begin with an empty cache and are given as processor
time (children included) and elapsed time: from a code object to the end of its first launch, and a
whole `port verify` of a program of the corpus.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from crossport.validation.amdgpu import native
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import Device, Options

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
VERIFIED = ("vecadd", "math_zoo", "softmax_rows")
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
__global__ void cold(float *x) {
    float v = x[threadIdx.x];
    x[threadIdx.x] = sinf(v) + powf(v, 1.5f) * erff(v) + log1pf(v);
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


def launch(device: Device, code: CodeObject, name: str, threads: int = 1) -> tuple[float, int]:
    """Run one kernel: wave instructions a second of processor time, and their number."""
    groups = {"matrix": 32, "reduce": 512, "copy": 64}.get(name, 64)
    options = Options(threads=threads)
    report = device.launch(code, name, groups, 256, arguments(name, groups), options=options)
    return report.instructions_per_second, report.instructions


def processor_time() -> float:
    """Of this process and of the children it has waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


@contextmanager
def empty_cache() -> Iterator[str]:
    """An empty cache folder, for this process and its children."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("CROSSPORT_CACHE")
        os.environ["CROSSPORT_CACHE"] = folder
        native._folder.cache_clear()
        try:
            yield folder
        finally:
            native._folder.cache_clear()
            if before is None:
                del os.environ["CROSSPORT_CACHE"]
            else:
                os.environ["CROSSPORT_CACHE"] = before


@contextmanager
def timed(what: str) -> Iterator[None]:
    cpu, wall = processor_time(), time.monotonic()
    yield
    cpu, wall = processor_time() - cpu, time.monotonic() - wall
    print(f"{what:44} {cpu:6.2f} s processor time {wall:6.2f} s elapsed")


def rates(device: Device, code: CodeObject, repeat: int) -> None:
    print(f"{'kernel':12} {'M wave-inst/s':>14} {'wave inst':>12}")
    for name in ("polynomial", "integers", "reduce", "copy", "doubles", "matrix"):
        if name == "matrix" and not device.arch.is_cdna:
            continue
        best, count = max(launch(device, code, name) for _ in range(repeat))
        print(f"{name:12} {best / 1e6:14.1f} {count:12d}")


def scaling(device: Device, code: CodeObject, repeat: int, most: int) -> None:
    print(f"{'threads':12} {'elapsed, ms':>14} {'faster':>12}")
    single = 0.0
    for threads in range(1, most + 1):
        elapsed = []
        for _ in range(repeat):
            arrays = arguments("polynomial", 1024)
            report = device.launch(
                code, "polynomial", 1024, 256, arrays, options=Options(threads=threads)
            )
            elapsed.append(report.seconds)
        best = min(elapsed)
        single = single or best
        print(f"{threads:12d} {best * 1e3:14.1f} {single / best:11.2f}x")


def cold_starts(code: CodeObject, arch: str) -> None:
    with empty_cache():
        with timed("the core, built once"):
            native.core_library()
        kernel = code.kernels["cold"]
        with timed(f"first launch of a {kernel.size} byte kernel"), Device(arch) as device:
            device.launch(code, "cold", 1, 256, [np.ones(256, np.float32)])
    port = Path(sys.executable).with_name("port")
    for name in VERIFIED:
        command = [port, "verify", CORPUS / name / f"{name}.cu"]
        command += ["--to", "rocm", "--runner", "amdgpu", "--arch", arch]
        with empty_cache(), timed(f"port verify {name}.cu, everything cold"):
            subprocess.run(command, capture_output=True, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="gfx942")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    code = CodeObject.load(compile_hip(SOURCE, options.arch))
    with Device(options.arch) as device:
        rates(device, code, options.repeat)
        scaling(device, code, options.repeat, options.threads)
    cold_starts(code, options.arch)


if __name__ == "__main__":
    main()
