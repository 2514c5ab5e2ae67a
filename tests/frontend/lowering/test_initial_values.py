"""What variables of the file hold at the start is what a compiler makes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.interpreter.run import run

SOURCE = """
#define PI 3.14159265358979f
const float THIRD = 1.0f / 3.0f;
constexpr int N = 1 << 3;
__constant__ double values[] = {
  4.f / 9, -PI / 4, 2 * N, THIRD * 2, (float)(1.0 / 3.0), 1e-3 - 1, -0.0, 7 / 2, -7 % 3, (int)2.9f,
  ~5, N > 7 ? 0.1f : 0.2f, sizeof(double) * 3, 1.0f / 3 * 1e-38f * 0.01f, 16777217 + 0.5f, !N,
  (unsigned)-1 / 2, (unsigned char)300, 0.1f + 0.2f, 0.1 + 0.2, 5u - 6u, N && 0, 1.5f * PI,
};
"""
KERNEL = """
__global__ void k(double* out) {
  for (int i = threadIdx.x; i < sizeof(values) / sizeof(double); i += blockDim.x)
    out[i] = values[i];
}
"""
MAIN = """
#include <cstdio>
int main() { for (double v : values) std::printf("%a\\n", v); }
"""


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler is installed")
def test_constants_are_computed_as_the_host_compiler_does(tmp_path: Path) -> None:
    host = tmp_path / "host.cpp"
    host.write_text("#define __constant__ static\n" + SOURCE.replace("= {", "= {", 1) + MAIN)
    # Narrowing in braces is an error of C++ that CUDA sources get away with.
    subprocess.run(
        ["c++", "-std=c++17", "-Wno-narrowing", "-o", tmp_path / "host", host], check=True
    )
    printed = subprocess.run([tmp_path / "host"], check=True, capture_output=True, text=True)
    want = np.array([float.fromhex(line) for line in printed.stdout.split()])
    out = np.full(len(want), 7.0)
    run(lower_unit(parse("k.cu", text=(SOURCE + KERNEL).encode())), "k", 1, 32, [out])
    assert out.tobytes() == want.tobytes()


def test_what_is_not_constant_is_said() -> None:
    source = "int f();\nconst int n = f();\n__global__ void k(int* out) { out[0] = n; }\n"
    (kernel,) = lower_unit(parse("k.cu", text=source.encode())).kernels
    assert "n is not constant" in str(kernel.body)
