"""A kernel's status counts the errors that it reaches, and only these."""

from __future__ import annotations

from pathlib import Path

import pytest

import crossport

ASM = 'asm volatile("wgmma.fence.sync.aligned;");'


@pytest.mark.parametrize(
    ("source", "partial"),
    [
        (f"__global__ void k() {{ {ASM} }}", {"k"}),
        (f"__device__ void f() {{ {ASM} }}\n__global__ void k() {{ f(); }}", {"k"}),
        (
            f"__device__ void f() {{ {ASM} }}\n__device__ void g() {{ f(); }}\n"
            "__global__ void k() { g(); }\n__global__ void other() {}",
            {"k"},
        ),
        (
            f"template <class T> __device__ void f(T) {{ {ASM} }}\n"
            "__global__ void k() { f(1); }\n__global__ void other() {}",
            {"k"},
        ),
        (f"#define FENCE() {ASM}\n__global__ void k() {{ FENCE(); }}", {"k"}),
        (f"__global__ void k() {{ {ASM} }}\n__global__ void other() {{ }}", {"k"}),
    ],
)
def test_status(tmp_path: Path, source: str, partial: set[str]) -> None:
    path = tmp_path / "k.cu"
    path.write_text(source + "\n")
    result = crossport.port(path, to="rocm")
    assert {k.name for k in result.kernels if k.status == "partial"} == partial
    for kernel in result.kernels:
        assert bool(kernel.diagnostics) == (kernel.name in partial)
