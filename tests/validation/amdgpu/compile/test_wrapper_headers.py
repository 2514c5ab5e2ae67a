"""Our HIP headers for toolchains without them: they compile everywhere, and compute right.

The host half of the half and bfloat16 headers is built and run; NumPy is the reference.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from crossport.validation.amdgpu.compile import Toolchain, check_host, compile_hip, find_toolchains
from crossport.validation.amdgpu.compile.cache import Cache
from crossport.validation.amdgpu.compile.commands import host_command

TOOLCHAINS = find_toolchains()
pytestmark = pytest.mark.skipif(not TOOLCHAINS, reason="no HIP compiler on this machine")

USES_EVERYTHING = """
#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
#include <hip/hip_bf16.h>
#include <hip/hip_complex.h>
#include <hip/hip_math_constants.h>
#include <hip/hip_cooperative_groups.h>
namespace cg = cooperative_groups;
__global__ void k(const __half* x, __half2* y, __hip_bfloat16* z, float* o) {
  auto block = cg::this_thread_block();
  auto tile = cg::tiled_partition<32>(block);
  auto few = cg::tiled_partition(block, 16);
  auto here = cg::coalesced_threads();
  int i = block.thread_rank();
  float sum = o[i];
  for (int by = tile.size() / 2; by > 0; by /= 2) sum += tile.shfl_down(sum, by);
  y[i] = __hfma2(y[i], __half2half2(x[i]), __float2half2_rn(HIP_PI_F));
  z[i] = z[i] * __float2bfloat16(2.0f) + hexp(z[i]);
  if (__hgt(x[i], __float2half(0.0f))) sum += __half2float(hexp(x[i])) + tile.ballot(i & 1);
  hipComplex c = hipCmulf(make_hipComplex(1, 2), make_hipComplex(sum, 3));
  o[i] = hipCabsf(c) + tile.any(i) + here.all(i) + here.size() + few.thread_rank();
  tile.sync();
  block.sync();
}
int main() { k<<<1, 64>>>(nullptr, nullptr, nullptr, nullptr); }
"""


@pytest.mark.parametrize(
    ("toolchain", "arch"),
    [
        pytest.param(t, arch, id=f"{t.kind}-{arch}")
        for t in TOOLCHAINS
        if t.rocm_path is None
        for arch in ("gfx942", "gfx1100")
    ],
)
def test_every_header_compiles_for_device_and_host(
    toolchain: Toolchain, arch: str, tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    assert compile_hip(USES_EVERYTHING, arch, toolchain=toolchain, cache=cache)[:4] == b"\x7fELF"
    assert check_host(USES_EVERYTHING, toolchain=toolchain, cache=cache).diagnostics == ()


PRINTS_ROUNDING = """
#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>
#include <hip/hip_bf16.h>
#include <cstdio>
int main() {
  float f;
  while (fread(&f, 4, 1, stdin) == 1) {
    unsigned short out[7] = {
        __half_as_ushort(__float2half(f)),    __half_as_ushort(__float2half_rz(f)),
        __half_as_ushort(__float2half_rd(f)), __half_as_ushort(__float2half_ru(f)),
        __bfloat16_as_ushort(__float2bfloat16(f)),
        __half_as_ushort(__hadd(__half(f), __half(1.5f))),
        __half_as_ushort(__hfma(__half(f), __half(3.0f), __half(-0.1f)))};
    fwrite(out, 2, 7, stdout);
  }
}
"""


@pytest.fixture(scope="module")
def rounding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program above, built for the host by a toolchain that uses our headers."""
    toolchain = next((t for t in TOOLCHAINS if t.kind == "clang" and t.rocm_path is None), None)
    if toolchain is None:
        pytest.skip("needs a system clang, which can link a host program")
    folder = tmp_path_factory.mktemp("rounding")
    source, program = folder / "rounding.hip", folder / "rounding"
    source.write_text(PRINTS_ROUNDING)
    command = host_command(toolchain)
    flags = [flag for flag in command.flags if flag != "-fsyntax-only"]
    objects = folder / "rounding.o"
    # An object first: linking as HIP would ask for the HIP runtime, which nothing here calls.
    subprocess.run([*command.driver, *flags, "-w", "-c", source, "-o", objects], check=True)
    subprocess.run([*command.driver, objects, "-o", program], check=True)
    return program


def test_rounding_agrees_with_numpy(rounding: Path) -> None:
    rng = np.random.default_rng(7)
    some = rng.integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)
    near_halves = (np.arange(0, 65536, 7, dtype=np.uint16).view(np.float16)).astype(np.float32)
    with np.errstate(invalid="ignore"):
        ties = np.nextafter(near_halves, np.float32(np.inf))
    special = np.array([0, -0.0, 1, 65504, 65519.9, 65520, 1e-8, 6e-8, -3e-8], np.float32)
    values = np.concatenate([some, near_halves, ties, special])
    values = values[np.isfinite(values)]
    done = subprocess.run([rounding], input=values.tobytes(), capture_output=True, check=True)
    out = np.frombuffer(done.stdout, np.uint16).reshape(-1, 7)

    with np.errstate(over="ignore", invalid="ignore"):
        nearest = values.astype(np.float16)
    np.testing.assert_array_equal(out[:, 0], nearest.view(np.uint16))
    wide = values.astype(np.float64)
    zero, down, up = (out[:, i].view(np.float16).astype(np.float64) for i in (1, 2, 3))
    assert (np.abs(zero) <= np.abs(wide)).all()
    assert (down <= wide).all()
    assert (up >= wide).all()
    # Neighbours: nothing lies between the two directed roundings.
    inside = np.isfinite(down) & np.isfinite(up)
    gap = up[inside] > down[inside]
    with np.errstate(over="ignore"):
        stepped = np.nextafter(down[inside].astype(np.float16), np.float16(np.inf))
    np.testing.assert_array_equal(stepped[gap].astype(np.float64), up[inside][gap])
    bits = values.view(np.uint32).astype(np.uint64)
    bf16 = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(out[:, 4], bf16)
    with np.errstate(over="ignore"):
        added = nearest + np.float16(1.5)
    np.testing.assert_array_equal(out[:, 5], added.view(np.uint16))
