"""libcu++ in a port, executed: atomics, copies of one thread, constexpr parts of the library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossport.backends.hip.port import port_unit
from crossport.diagnostics import Code
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device

SOURCE = """
#include <cuda/atomic>
#include <cuda/pipeline>
#include <cuda/std/tuple>
#include <cuda/std/limits>
#include <cuda/std/array>
#include <cooperative_groups.h>
__device__ cuda::atomic<int, cuda::thread_scope_device> counter;
__global__ void k(int* p, float* f, const int* in, int* out) {
  __shared__ int tile[128];
  __shared__ cuda::atomic<int, cuda::thread_scope_block> total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  auto pipe = cuda::make_pipeline();
  pipe.producer_acquire();
  cuda::memcpy_async(tile + threadIdx.x, in + threadIdx.x, sizeof(int), pipe);
  pipe.producer_commit();
  cuda::pipeline_consumer_wait_prior<0>(pipe);
  __syncthreads();
  cuda::atomic_ref<int, cuda::thread_scope_device> a(p[0]);
  a.fetch_add(tile[127 - threadIdx.x], cuda::memory_order_relaxed);
  cuda::atomic_ref<int, cuda::thread_scope_device> m(p[1]);
  m.fetch_max(tile[threadIdx.x]);
  cuda::atomic_ref<float> g(f[0]);
  g.fetch_add(1.5f);
  total.fetch_add(1, cuda::std::memory_order_relaxed);
  counter++;
  int seen = p[2];
  while (!cuda::atomic_ref<int>(p[2]).compare_exchange_weak(seen, seen + 2)) {}
  __syncthreads();
  cuda::std::array<int, 3> three = {1, 2, 3};
  auto t = cuda::std::make_tuple(1, 2.5f);
  bool large = cuda::std::numeric_limits<int>::max() > 5;
  out[threadIdx.x] = total.load() + three[threadIdx.x % 3] + int(2 * cuda::std::get<1>(t)) + large
                     + cuda::std::min(3, 4);
  cuda::atomic_thread_fence(cuda::memory_order_seq_cst, cuda::thread_scope_device);
}
"""


@pytest.mark.parametrize("arch", ["gfx942", "gfx1100"])
def test_atomics_and_copies(tmp_path: Path, arch: str) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    ported = port_unit(tmp_path / "k.cu")
    assert not ported.diagnostics
    for file in ported.files:
        (tmp_path / file.target).write_bytes(file.ported)
    code = CodeObject.load(compile_hip(tmp_path / "k.hip", arch, include=[tmp_path]), arch)
    values = np.random.default_rng(2).integers(-1000, 1000, 128).astype(np.int32)
    p, f, out = np.array([5, -2000, 7], np.int32), np.zeros(1, np.float32), np.zeros(128, np.int32)
    counter = np.zeros(1, np.int32)
    with Device(arch) as device:
        device.launch(
            code, next(iter(code.kernels)), 1, 128, [p, f, values, out],
            globals={"counter": counter},
        )  # fmt: skip
    assert p.tolist() == [5 + values.sum(), values.max(), 7 + 2 * 128]
    assert f[0] == 1.5 * 128 and counter[0] == 128
    assert np.array_equal(out, 128 + np.arange(128) % 3 + 1 + 5 + 1 + 3)


@pytest.mark.parametrize(
    "use",
    [
        "cuda::barrier<cuda::thread_scope_block>* b",
        "cuda::pipeline<cuda::thread_scope_block>* p",
        "cuda::std::span<int> s",
    ],
)
def test_what_threads_share_is_reported(use: str, tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(f"#include <cuda/barrier>\n__device__ void f({use});\n")
    found = port_unit(tmp_path / "k.cu").diagnostics
    assert [d.code for d in found] == [Code.HIP_NAMESPACE]
