"""What a host compiler makes of a random program: the expected values, thread by thread."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from random_cuda.program import SLOTS

THREADS = 8

# Device functions that the programs call; the CUDA side has the same text.
PRELUDE = """
__device__ double bounded(double x) { return x > -1e4 && x < 1e4 ? x : 0.0; }
__device__ double positive(double x) { return x > 0.0 && x < 1e4 ? x : 0.0; }
__device__ double sqrt_of(double x) { return sqrt(fabs(x)); }
"""

_HEAD = """
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#define __device__
#define __global__
#define __constant__ static
struct { unsigned x, y, z; } threadIdx;
typedef long long ll; typedef unsigned long long ull; typedef unsigned u;
using std::floor; using std::ceil; using std::trunc; using std::fabs; using std::sqrt;
#define CROSS(name, op) \\
    int name(int a, int b) { return a op b ? a : b; } \\
    u name(u a, u b) { return a op b ? a : b; } \\
    u name(int a, u b) { return name((u)a, b); } u name(u a, int b) { return name(a, (u)b); } \\
    ll name(ll a, ll b) { return a op b ? a : b; } \\
    ull name(ull a, ull b) { return a op b ? a : b; } \\
    ll name(ll a, int b) { return name(a, (ll)b); } ll name(ll a, u b) { return name(a, (ll)b); } \\
    ull name(ull a, int b) { return name(a, (ull)b); } \\
    ull name(ull a, u b) { return name(a, (ull)b); }
CROSS(min, <)
CROSS(max, >)
int __popc(u x) { return __builtin_popcount(x); }
int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
int __ffs(int x) { return __builtin_ffs(x); }
u __brev(u x) { u r = 0; for (int i = 0; i < 32; i++) r |= (x >> i & 1u) << (31 - i); return r; }
"""

_MAIN = """
static ll out[%(size)d]; static double real[%(size)d];
static void run(void (*kernel)(ll*, double*)) {
    memset(out, 0, sizeof out); memset(real, 0, sizeof real);
    for (unsigned t = 0; t < %(threads)d; t++) { threadIdx.x = t; kernel(out, real); }
    fwrite(out, sizeof out, 1, stdout); fwrite(real, sizeof real, 1, stdout);
}
int main() { %(calls)s }
"""


def host_values(
    text: str, kernels: list[str], folder: Path
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Compile a text as plain C++ and run its kernels: (out, real) of each."""
    compiler = shutil.which("g++")
    assert compiler is not None, "a host C++ compiler is needed"
    size = THREADS * SLOTS
    calls = " ".join(f"run({name});" for name in kernels)
    source, binary = folder / "host.cpp", folder / "host"
    source.write_text(
        _HEAD + PRELUDE + text + _MAIN % {"size": size, "threads": THREADS, "calls": calls}
    )
    options = ["-std=c++17", "-O0", "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing", "-w"]
    subprocess.run([compiler, *options, str(source), "-o", str(binary)], check=True)
    data = subprocess.run([str(binary)], check=True, capture_output=True, timeout=60).stdout
    found = {}
    for i, name in enumerate(kernels):
        start = i * size * 16
        out = np.frombuffer(data, np.int64, size, start)
        real = np.frombuffer(data, np.float64, size, start + size * 8)
        found[name] = out, real
    return found
