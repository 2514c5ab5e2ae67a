"""Count the instructions that a warp matrix product of a port takes on emulated AMD GPUs.

    python benchmarks/warp_matrix_cost.py

A wavefront of 64 lanes holds two warps. With both there, a product is two; with one, half of it
idles. What is counted is one step of the usual loop: load A, load B (global memory, contiguous
along k), multiply; the difference between kernels with nine steps and one, divided by eight.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import crossport
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device, Options

ARCHS = ("gfx942", "gfx90a", "gfx1100")
FORMS = {
    "wmma 16x16x16 half, whole wavefront": ("wmma_half", 64),
    "wmma 16x16x16 half, one warp of two": ("wmma_half_one", 64),
    "wmma 16x16x16 signed char, whole wavefront": ("wmma_bytes", 64),
    "mma.m16n8k16 half, whole wavefront": ("mma_half", 64),
}
SOURCE = """
#include <mma.h>
using namespace nvcuda;

template <class T, class S, int times> __device__ void product(const T* in, S* out) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, T, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, T, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, S> c;
  wmma::fill_fragment(c, S(0));
#pragma unroll
  for (int i = 0; i < times; ++i) {
    wmma::load_matrix_sync(a, in + i * 512, 16);
    wmma::load_matrix_sync(b, in + i * 512 + 256, 16);
    wmma::mma_sync(c, a, b, c);
  }
  wmma::store_matrix_sync(out + threadIdx.x / 32 * 256, c, 16, wmma::mem_row_major);
}
__global__ void wmma_half(const __half* in, float* out) { product<__half, float, TIMES>(in, out); }
__global__ void wmma_half_one(const __half* in, float* out) {
  if (threadIdx.x >= 32) product<__half, float, TIMES>(in, out);
}
__global__ void wmma_bytes(const signed char* in, int* out) {
  product<signed char, int, TIMES>(in, out);
}
__global__ void mma_half(const unsigned* in, float* out) {
  float d[4] = {};
#pragma unroll
  for (int i = 0; i < TIMES; ++i) {
    const unsigned* a = in + (threadIdx.x + i * 64) * 6;
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]));
  }
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = d[i];
}
"""
_TIMES = (1, 9)


def main() -> int:
    print("| a step: load A, load B, multiply | " + " | ".join(ARCHS) + " |")
    print("|---|" + "---|" * len(ARCHS))
    columns = [_counts(arch) for arch in ARCHS]
    for form in FORMS:
        print(f"| {form} | " + " | ".join(column[form] for column in columns) + " |")
    return 0


def _counts(arch: str) -> dict[str, str]:
    totals: dict[str, list[tuple[int, dict[str, int]]]] = {form: [] for form in FORMS}
    for times in _TIMES:
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "k.cu"
            source.write_text(f"#define TIMES {times}\n{SOURCE}")
            crossport.port(source, to="rocm", arch=[arch]).write(scratch)
            compiled = compile_hip(Path(scratch) / "k.hip", arch, include=[scratch])
        code = CodeObject.load(compiled, arch)
        with Device(arch) as device:
            for form, (kernel, block) in FORMS.items():
                symbol = next(s for s in code.kernels if f"{len(kernel)}{kernel}" in s)
                report = device.launch(
                    code, symbol, 1, block,
                    [np.zeros(1 << 14, np.uint8), np.zeros(1024, np.float32)],
                    options=Options(profile=True),
                )  # fmt: skip
                totals[form].append((report.instructions, report.profile.instructions))  # type: ignore[union-attr]
    return {form: _shown(*found) for form, found in totals.items()}


def _shown(one: tuple[int, dict[str, int]], nine: tuple[int, dict[str, int]]) -> str:
    by = _TIMES[1] - _TIMES[0]
    matrix = sum(n for name, n in nine[1].items() if "matrix" in name or "mfma" in name)
    matrix -= sum(n for name, n in one[1].items() if "matrix" in name or "mfma" in name)
    words = f"{(nine[0] - one[0]) / by:.0f}"
    return f"{words}, {matrix / by:.0f} of them matrix instructions" if matrix else words


if __name__ == "__main__":
    sys.exit(main())
