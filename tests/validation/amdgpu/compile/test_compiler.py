"""Code objects from every toolchain here, and errors at the user's line."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.diagnostics import Code, PortError
from crossport.validation.amdgpu.compile import (
    Toolchain,
    arch_named,
    check_device,
    check_host,
    compile_hip,
    find_toolchains,
)
from crossport.validation.amdgpu.compile.cache import Cache

SAXPY = """#include <hip/hip_runtime.h>
#include <cmath>
__global__ void saxpy(float a, const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i] + std::sqrt(sinf(y[i])) + max(x[i], 0.0f);
}
"""
TOOLCHAINS = find_toolchains()
EF_AMDGPU_MACH = {"gfx90a": 0x3F, "gfx942": 0x4C, "gfx950": 0x4F, "gfx1100": 0x41, "gfx1201": 0x4E}

pytestmark = pytest.mark.skipif(not TOOLCHAINS, reason="no HIP compiler on this machine")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.mark.parametrize(
    ("toolchain", "arch"),
    [
        pytest.param(t, arch, id=f"{t.kind}-{arch}")
        for t in TOOLCHAINS
        for arch in ("gfx942", "gfx1100", "gfx950")
        if arch in t.archs
    ],
)
def test_a_kernel_becomes_a_code_object_of_its_arch(
    toolchain: Toolchain, arch: str, cache: Cache
) -> None:
    made = compile_hip(SAXPY, arch, toolchain=toolchain, cache=cache)
    assert made[:4] == b"\x7fELF"
    assert int.from_bytes(made[48:52], "little") & 0xFF == EF_AMDGPU_MACH[arch]
    assert b"saxpy" in made


@pytest.mark.parametrize("toolchain", TOOLCHAINS, ids=lambda t: t.kind)
def test_an_error_stands_at_the_users_line(
    toolchain: Toolchain, tmp_path: Path, cache: Cache
) -> None:
    source = tmp_path / "wrong.hip"
    source.write_text(SAXPY.replace("a * x[i]", "a * nowhere[i]"))
    with pytest.raises(PortError) as raised:
        compile_hip(source, "gfx942", toolchain=toolchain, cache=cache)
    found = raised.value.diagnostic
    assert found.code is Code.DOES_NOT_COMPILE
    assert found.span is not None
    assert (found.span.file, found.span.line) == (str(source), 5)
    assert "nowhere" in found.message


def test_an_error_inside_a_hip_header_is_told_at_the_users_line(
    tmp_path: Path, cache: Cache
) -> None:
    source = tmp_path / "mask.hip"
    source.write_text(
        "#define HIP_ENABLE_WARP_SYNC_BUILTINS 1\n#include <hip/hip_runtime.h>\n"
        "__global__ void k(int* p) {\n  *p = __shfl_sync(0xffffffffu, *p, 0);\n}\n"
    )
    outcome = check_device(source, "gfx942", cache=cache)
    assert not outcome.ok
    span = outcome.diagnostics[0].span
    assert span is not None
    assert (span.file, span.line) == (str(source), 4)
    assert "64-bit" in outcome.diagnostics[0].message


def test_the_host_side_is_checked_apart(cache: Cache) -> None:
    device_only_wrong = SAXPY.replace("std::sqrt(", "__no_such_thing(")
    assert not check_host(device_only_wrong, cache=cache).ok
    calls = SAXPY + "int main() { saxpy<<<1, 64>>>(2.f, nullptr, nullptr, 0); return 0; }\n"
    assert check_host(calls, cache=cache).ok


def test_a_result_comes_from_the_cache_until_a_header_changes(tmp_path: Path, cache: Cache) -> None:
    header = tmp_path / "answer.h"
    header.write_text("#define ANSWER 1\n")
    source = tmp_path / "k.hip"
    source.write_text('#include "answer.h"\n__global__ void k(int* p) { *p = ANSWER; }\n')
    first = compile_hip(source, "gfx942", cache=cache)
    assert compile_hip(source, "gfx942", cache=cache) == first
    header.write_text("#define ANSWER 2\n")
    assert compile_hip(source, "gfx942", cache=cache) != first


def test_an_unknown_arch_is_a_diagnostic() -> None:
    with pytest.raises(PortError) as raised:
        arch_named("sm_90")
    assert raised.value.diagnostic.code is Code.UNKNOWN_ARCH
