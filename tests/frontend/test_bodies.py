"""Bodies that hold nothing of interest are not visited; macros and templates are seen through."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.frontend.parse import parse

KERNEL = "__global__ void k(float* x) { x[0] = 1; }\n"


@pytest.mark.parametrize(
    ("body", "launches"),
    [
        ("void f(float* x) { k<<<1, 32>>>(x); }", 1),
        ("void f(float* x) { k <<< 1, 32 >>> (x); }", 1),
        ("#define RUN(g) k<<<g, 32>>>(x)\nvoid f(float* x) { RUN(1); }", 1),
        ("#define A k<<<1, 2>>>\n#define B(x) A(x)\nvoid f(float* x) { B(x); }", 1),
        ("void f(float* x) { void* a[] = {&x}; cudaLaunchKernel((void*)k, 1, 32, a, 0, 0); }", 1),
        ("void f(float* x) { *x = 1 << 2; }", 0),
    ],
)
def test_launches_are_found_in_any_spelling(tmp_path: Path, body: str, launches: int) -> None:
    unit = parse(tmp_path / "k.cu", text=KERNEL + body + "\n")
    assert [launch.kernel for launch in unit.launches] == ["k"] * launches


@pytest.mark.parametrize(
    ("body", "space"),
    [
        ("__shared__ int s[4]; s[0] = 1;", "shared"),
        ("BUFFER s[4]; s[0] = 1;", "shared"),
        ("extern __shared__ int s[]; s[0] = 1;", "dynamic_shared"),
    ],
)
def test_shared_variables_are_found(tmp_path: Path, body: str, space: str) -> None:
    source = f"#define BUFFER __shared__ int\n__global__ void k() {{ {body} }}\n"
    unit = parse(tmp_path / "k.cu", text=source)
    assert [(v.name, v.space) for v in unit.variables] == [("s", space)]


@pytest.mark.parametrize(
    "caller",
    [
        "template <class T> void run(T* x) { t<<<1, 1>>>(x); }\nvoid f(float* x) { run(x); }",
        "void f(float* x) { auto g = [](auto* y) { t<<<1, 1>>>(y); }; g(x); }",
    ],
)
def test_instances_are_found_through_their_callers(tmp_path: Path, caller: str) -> None:
    kernel = "template <class T> __global__ void t(T* x) { x[0] = 1; }\n"
    unit = parse(tmp_path / "k.cu", text=f"{kernel}{caller}\n")
    assert [k.name for k in unit.kernels] == ["t<float>"]
