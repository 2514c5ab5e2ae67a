"""The shim's types have CUDA's sizes, and its functions CUDA's result types."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.frontend import cache, shim
from crossport.frontend.lowering import lower_unit, problems
from crossport.frontend.parse import parse
from crossport.frontend.shim.headers import header_parts

LAYOUT = """
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cuda_fp8.h>
#define IS(type, size, align) static_assert(sizeof(type) == size && alignof(type) == align, #type)
IS(char3, 3, 1); IS(uchar4, 4, 4); IS(short2, 4, 4); IS(short3, 6, 2); IS(int2, 8, 8);
IS(int3, 12, 4); IS(uint4, 16, 16);
IS(long2, 16, 16); IS(longlong4, 32, 16); IS(float2, 8, 8); IS(float3, 12, 4);
IS(float4, 16, 16); IS(double2, 16, 16); IS(double3, 24, 8); IS(double4, 32, 16); IS(dim3, 12, 4);
IS(__half, 2, 2); IS(__half2, 4, 4); IS(__nv_bfloat16, 2, 2); IS(__nv_bfloat162, 4, 4);
IS(__nv_fp8_e4m3, 1, 1); IS(size_t, 8, 8); IS(long, 8, 8);
"""

RESULTS = """
#define IS(expression, type) static_assert(std::is_same_v<decltype(expression), type>, #expression)
__global__ void k(float f, double d, int i, unsigned u, long long l, unsigned long long v, int* p) {
  IS(sin(f), float); IS(sin(d), double); IS(sin(i), double); IS(sinf(f), float);
  IS(pow(f, f), float); IS(pow(f, i), double); IS(pow(f, d), double); IS(std::pow(i, i), double);
  IS(max(i, u), unsigned); IS(max(l, l), long long); IS(min(v, l), unsigned long long);
  IS(max(f, d), double); IS(min(i, (size_t)1), size_t); IS(abs(i), int); IS(abs(f), float);
  IS(atomicAdd(p, 1), int); IS(__shfl_sync(~0u, d, 0), double);
  IS(__ballot_sync(~0u, i), unsigned);
  IS(__popc(u), int); IS(__float2int_rn(f), int); IS(__ldg(&f), float); IS(rsqrtf(f), float);
  IS(isnan(f), bool); IS(fmaf(f, f, f), float); IS(__fdividef(f, f), float);
  IS(warpSize, const int);
}
"""


@pytest.mark.parametrize("text", [LAYOUT, RESULTS], ids=["layout", "results"])
def test_types(tmp_path: Path, text: str) -> None:
    """Checked by the parser itself, in static assertions."""
    path = tmp_path / "k.cu"
    path.write_text(text)
    unit = parse(path)
    assert [d.spelling for d in unit.handle.diagnostics if d.severity >= 3] == []


def test_every_header_parses(tmp_path: Path) -> None:
    """All names at once, under each language standard."""
    path = tmp_path / "k.cu"
    path.write_text(
        "".join(f"#include <{name}>\n" for name in header_parts()) + "__global__ void k() {}"
    )
    for standard in ("c++11", "c++14", "c++17", "c++20"):
        unit = parse(path, [f"-std={standard}"])
        assert [d.spelling for d in unit.handle.diagnostics if d.severity >= 3] == [], standard


def test_the_cache_may_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be written serves from a temporary folder."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    cache.include_folder.cache_clear()
    cache.precompiled_prelude.cache_clear()
    try:
        path = tmp_path / "k.cu"
        path.write_text("__global__ void k() {}\n")
        assert parse(path).kernel("k")
    finally:
        cache.include_folder.cache_clear()
        cache.precompiled_prelude.cache_clear()


def test_a_broken_cache_is_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored prelude that was cut short is noticed and replaced."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.include_folder.cache_clear()
    cache.precompiled_prelude.cache_clear()
    path = tmp_path / "k.cu"
    path.write_text("__global__ void k(float4 x) {}\n")
    try:
        parse(path)
        (stored,) = tmp_path.rglob("*.pch")
        stored.write_bytes(b"CPCH" + b"\0" * 100)
        cache.precompiled_prelude.cache_clear()
        assert parse(path).kernel("k").parameters[0].type == "float4"
        assert parse(path).kernel("k").parameters[0].type == "float4"
    finally:
        cache.include_folder.cache_clear()
        cache.precompiled_prelude.cache_clear()


def test_the_fingerprint_covers_every_part() -> None:
    """All files that headers.py names exist."""
    assert all((shim.ROOT / part).is_file() for part in header_parts().values() if part)


EXTENSION = """
#include <torch/extension.h>
#include <c10/cuda/CUDAGuard.h>
template <typename scalar_t> __global__ void scale(const scalar_t* x, scalar_t* y, int n) {
    int i = threadIdx.x;
    if (i < n && x[i] > scalar_t(0)) y[i] = x[i] * static_cast<scalar_t>(2) + 1.0f;
}
__global__ void rows(torch::PackedTensorAccessor32<float, 2, torch::RestrictPtrTraits> x) {
    if (threadIdx.x < x.size(1)) x[blockIdx.x][threadIdx.x] += 1;
}
torch::Tensor run(torch::Tensor x) {
    TORCH_CHECK(x.is_cuda() && x.scalar_type() == torch::kFloat16, "x");
    const at::cuda::OptionalCUDAGuard guard(x.device());
    auto y = torch::empty({x.size(0), 4}, x.options().dtype(torch::kFloat32));
    AT_DISPATCH_FLOATING_TYPES_AND_HALF(x.scalar_type(), "scale", ([&] {
        scale<scalar_t><<<1, 256, 0, at::cuda::getCurrentCUDAStream()>>>(
            x.data_ptr<scalar_t>(), y.data_ptr<scalar_t>(), x.numel());
    }));
    rows<<<x.size(0), 32>>>(y.packed_accessor32<float, 2, torch::RestrictPtrTraits>());
    C10_CUDA_KERNEL_LAUNCH_CHECK();
    return y;
}
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("run", &run, py::arg("x")); }
"""


def test_extensions_of_pytorch_resolve() -> None:
    unit = parse("extension.cu", text=EXTENSION)
    assert unit.diagnostics == ()
    assert [d.spelling for d in unit.handle.diagnostics if d.severity >= 3] == []
    names = ["scale<double>", "scale<float>", "scale<c10::Half>", "rows"]
    assert [k.name for k in unit.kernels] == names
    module = lower_unit(unit, strict=True)
    assert [problems(module, kernel) for kernel in module.kernels] == [[], [], [], []]
