"""Textures and surfaces of a port for gfx942, which has no image instructions: run on the emulated
GPU and held against the interpreter of the CUDA source; and the host's side, run here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import crossport
from crossport.backends.hip.port import HipOptions, PortedFiles, port_unit
from crossport.backends.hip.semantics import semantic_edits
from crossport.diagnostics import Code
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.interpreter import run
from crossport.ir.interpreter.textures import Texture
from crossport.validation.amdgpu.compile import (
    check_device,
    check_host,
    choose_toolchain,
    compile_hip,
)
from crossport.validation.amdgpu.device import CodeObject, Device
from crossport.validation.judge_port import judge_port
from crossport.validation.numerics.words import Word
from crossport.validation.runners.amdgpu import kernel_symbols
from crossport.validation.runners.software_textures import image

COUNT = 384
POLYFILL = Path(__file__).parents[3] / "backends/hip/polyfill"

KERNELS = """
__global__ void fetch1(cudaTextureObject_t t, const float* x, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = tex1D<float>(t, x[i]);
}
__global__ void fetch2(cudaTextureObject_t t, const float* x, const float* y, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = tex2D<float>(t, x[i], y[i]);
}
__global__ void fetch3(cudaTextureObject_t t, const float* x, const float* y, const float* z,
                       float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = tex3D<float>(t, x[i], y[i], z[i]);
}
__global__ void fetch_four(cudaTextureObject_t t, const float* x, const float* y, float* out,
                           int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float4 v = tex2D<float4>(t, x[i], y[i]);
  out[4 * i] = v.x; out[4 * i + 1] = v.y; out[4 * i + 2] = v.z; out[4 * i + 3] = v.w;
}
__global__ void fetch_bytes(cudaTextureObject_t t, const float* x, const float* y, int* out,
                            int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  uchar4 v = tex2D<uchar4>(t, x[i], y[i]);
  out[i] = v.x | v.y << 8 | v.z << 16 | v.w << 24;
}
__global__ void fetch_element(cudaTextureObject_t t, const int* at, float* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = tex1Dfetch<float>(t, at[i]);
}
__global__ void surfaces(cudaSurfaceObject_t s, float* out, int width, int height) {
  int x = threadIdx.x, y = blockIdx.x;
  float v;
  surf2Dread(&v, s, x * 4, y, cudaBoundaryModeClamp);
  if (y < height) out[y * 64 + x] = v + surf2Dread<float>(s, x * 4, y + 1, cudaBoundaryModeZero);
  if (x < width && y == 0) surf2Dwrite(v * 2, s, x * 4, height - 1 - y, cudaBoundaryModeTrap);
}
"""


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, CodeObject, dict[str, str]]:
    """The interpreter's module, and the code object of the port with its kernels."""
    folder = tmp_path_factory.mktemp("textures")
    source = folder / "k.cu"
    source.write_text(KERNELS)
    unit = parse(source)
    result = port_unit(source, unit=unit, semantics=semantic_edits)
    assert not result.diagnostics
    for file in result.files:
        (folder / file.target).write_bytes(file.ported)
    code = CodeObject.load(compile_hip(folder / "k.hip", "gfx942", include=[folder]), "gfx942")
    return lower_unit(unit), code, kernel_symbols(tuple(code.kernels))


@pytest.fixture(scope="module")
def device() -> Any:
    with Device("gfx942") as opened:
        yield opened


def _coordinates(random: Any, extent: int, is_normalized: bool) -> NDArray[np.float32]:
    """In and around the texture, on texels, between them and far away; none at a tie of weights."""
    whole = random.uniform(-1.6 * extent, 2.6 * extent, COUNT)
    whole[:64] = np.arange(64) % (extent + 4) - 1.5
    whole[64:70] = [0.0, extent, -1e-4, extent - 1e-3, -1e9, 1e9]
    return np.asarray(whole / extent if is_normalized else whole, np.float32)


def _both(
    ported: Any, device: Any, kernel: str, texture: Texture, arrays: list[NDArray[Any]],
    out: NDArray[Any],
) -> tuple[NDArray[Any], NDArray[Any]]:  # fmt: skip
    module, code, symbols = ported
    mine, theirs = out.copy(), out.copy()
    values = np.ascontiguousarray(texture.data)
    n = len(arrays[0])
    run(module, kernel, -(-n // 128), 128, [texture, *arrays, theirs, n])
    device.launch(
        code, symbols[kernel], -(-n // 128), 128,
        [image(texture, values), *arrays, mine, np.int32(n)],
    )  # fmt: skip
    return mine, theirs


MODES = ("clamp", "border", "wrap", "mirror")


@pytest.mark.parametrize("address", MODES)
@pytest.mark.parametrize("is_normalized", [False, True])
@pytest.mark.parametrize("is_linear", [False, True])
@pytest.mark.parametrize("shape", [(37,), (1,), (19, 33), (1, 5), (5, 7, 11)])
def test_fetches(
    ported: Any, device: Any, shape: tuple[int, ...], is_linear: bool, is_normalized: bool,
    address: Any,
) -> None:  # fmt: skip
    random = np.random.default_rng(len(shape) * 100 + shape[-1])
    data = random.uniform(-8, 8, shape).astype(np.float32)
    texture = Texture(data, len(shape), 1, is_linear, address, is_normalized)
    arrays: list[NDArray[Any]] = [_coordinates(random, e, is_normalized) for e in shape[::-1]]
    out = np.zeros(COUNT, np.float32)
    mine, theirs = _both(ported, device, f"fetch{len(shape)}", texture, arrays, out)
    if is_linear:
        np.testing.assert_array_max_ulp(mine, theirs, 1)
    else:
        assert np.array_equal(mine, theirs)
    assert len(np.unique(mine)) >= min(4, data.size)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
@pytest.mark.parametrize("is_linear", [False, True])
def test_integers_read_as_fractions(
    ported: Any, device: Any, is_linear: bool, dtype: type[np.generic]
) -> None:
    random = np.random.default_rng(5)
    info = np.iinfo(dtype)  # type: ignore[type-var]
    data = random.integers(info.min, info.max + 1, (13, 17, 4)).astype(dtype)
    data[0, 0] = info.min
    texture = Texture(data, 2, 4, is_linear, "wrap", True, True)
    arrays: list[NDArray[Any]] = [_coordinates(random, e, True) for e in (17, 13)]
    out = np.zeros(COUNT * 4, np.float32)
    mine, theirs = _both(ported, device, "fetch_four", texture, arrays, out)
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=3e-7)


def test_half_and_missing_channels(ported: Any, device: Any) -> None:
    """A texture of two halves, read as float4: the rest is 0."""
    random = np.random.default_rng(6)
    data = random.uniform(-4, 4, (6, 9, 2)).astype(np.float16)
    texture = Texture(data, 2, 2, False, "clamp", False)
    arrays: list[NDArray[Any]] = [_coordinates(random, e, False) for e in (9, 6)]
    mine, theirs = _both(
        ported, device, "fetch_four", texture, arrays, np.ones(COUNT * 4, np.float32)
    )
    assert np.array_equal(mine, theirs)


def test_bytes_as_they_are(ported: Any, device: Any) -> None:
    random = np.random.default_rng(8)
    data = random.integers(0, 256, (7, 5, 4)).astype(np.uint8)
    texture = Texture(data, 2, 4, False, "border", False)
    arrays: list[NDArray[Any]] = [_coordinates(random, e, False) for e in (5, 7)]
    mine, theirs = _both(ported, device, "fetch_bytes", texture, arrays, np.ones(COUNT, np.int32))
    assert np.array_equal(mine, theirs)


def test_elements_of_linear_memory(ported: Any, device: Any) -> None:
    """Outside, a fetch gives 0."""
    at = np.array([0, 1, 40, 41, -1, 1 << 30, 17], np.int32)
    texture = Texture(np.arange(1, 42, dtype=np.float32), 1)
    mine, theirs = _both(ported, device, "fetch_element", texture, [at], np.full(7, 9, np.float32))
    assert mine.tolist() == theirs.tolist() == [1, 2, 41, 0, 0, 0, 18]


def test_surfaces(ported: Any, device: Any) -> None:
    module, code, symbols = ported
    data = np.arange(5 * 12, dtype=np.float32).reshape(5, 12)
    mine, theirs = data.copy(), data.copy()
    texture, other = Texture(theirs, 2), Texture(mine, 2)
    out = np.zeros((2, 8 * 64), np.float32)
    run(module, "surfaces", 1, 12, [texture, out[0], 12, 5])
    device.launch(
        code, symbols["surfaces"], 1, 12, [image(other, mine), out[1], np.int32(12), np.int32(5)]
    )
    assert np.array_equal(mine, theirs) and not np.array_equal(mine, data)
    assert np.array_equal(out[0], out[1]) and out.any()


# --- which way a program goes ---


def _port(folder: Path, text: str, *arch: str) -> PortedFiles:
    (folder / "k.cu").write_text(text)
    return port_unit(folder / "k.cu", HipOptions(arch))


HOST = "void f(cudaArray_t* a, cudaChannelFormatDesc d) { cudaMallocArray(a, &d, 4, 4); }\n"


def test_a_gpu_with_images_keeps_hips_own(tmp_path: Path) -> None:
    ported = _port(tmp_path, HOST, "gfx90a", "gfx1100")
    assert b"hipMallocArray" in ported.files[0].ported
    assert len(ported.files) == 1


def test_one_gpu_without_is_enough_for_software(tmp_path: Path) -> None:
    ported = _port(tmp_path, HOST, "gfx90a", "gfx942")
    assert b"crossportMallocArray(a, &d, 4, 4)" in ported.files[0].ported
    assert [f.target.name for f in ported.files[1:]] == ["crossport_array.h"]


def test_what_software_lacks_leaves_all_to_hip(tmp_path: Path) -> None:
    text = (
        HOST + "__device__ float g(cudaTextureObject_t t) { return texCubemap<float>(t, 1, 0, 0); }"
    )
    ported = _port(tmp_path, text, "gfx942")
    assert b"crossport" not in ported.files[0].ported
    assert [d.code for d in ported.diagnostics] == [Code.HIP_TEXTURE_ARCH]
    assert "texCubemap" in ported.diagnostics[0].message


def test_arrays_of_a_graphics_api_are_hips(tmp_path: Path) -> None:
    """Where the array comes from is not seen: it may be an image."""
    text = "void f(cudaResourceDesc* r) { r->resType = cudaResourceTypeArray; }\n"
    text += "__device__ float g(cudaTextureObject_t t) { return tex2D<float>(t, 1, 0); }\n"
    ported = _port(tmp_path, text, "gfx942")
    assert b"crossport" not in ported.files[0].ported
    assert [d.code for d in ported.diagnostics] == [Code.HIP_TEXTURE_ARCH]


def test_plain_3d_copies_stay_hips(tmp_path: Path) -> None:
    ported = _port(tmp_path, "void f(cudaMemcpy3DParms* p) { cudaMemcpy3D(p); }\n", "gfx942")
    assert b"hipMemcpy3D(p)" in ported.files[0].ported


def test_references_become_device_variables(tmp_path: Path) -> None:
    text = (
        "texture<float, 2, cudaReadModeElementType> t;\n"
        "__global__ void k(float* o) { o[0] = tex2D(t, 1, 2); }\n"
        "void f(cudaArray_t a) { t.normalized = 1; cudaBindTextureToArray(t, a); }\n" + HOST
    )
    ported = _port(tmp_path, text, "gfx942").files
    assert b"__device__ crossport_texture<float, 2, hipReadModeElementType> t;" in ported[0].ported
    names = {file.target.name for file in ported[1:]}
    assert names == {"crossport_array.h", "crossport_texture.h", "crossport_texture_reference.h"}


def test_references_compile_on_both_sides(tmp_path: Path) -> None:
    text = (
        "texture<float, 2, cudaReadModeElementType> t;\n"
        "texture<uchar4, 1, cudaReadModeNormalizedFloat> bytes;\n"
        "__global__ void k(float* o) { o[0] = tex2D(t, 1, 2) + tex1Dfetch(bytes, 3).w; }\n"
        "void f(cudaArray_t a, void* p, cudaChannelFormatDesc d) {\n"
        "  t.addressMode[0] = cudaAddressModeWrap; t.filterMode = cudaFilterModeLinear;\n"
        "  t.normalized = true; t.channelDesc = d;\n"
        "  cudaBindTextureToArray(t, a); cudaBindTextureToArray(t, a, d);\n"
        "  cudaBindTexture(0, bytes, p, 64); cudaBindTexture(0, &bytes, p, &d, 64);\n"
        "  cudaBindTexture2D(0, t, p, d, 4, 4, 16); cudaUnbindTexture(bytes);\n"
        "}\n" + HOST
    )
    for file in _port(tmp_path, text, "gfx942").files:
        (tmp_path / file.target).write_bytes(file.ported)
    for outcome in (
        check_device(tmp_path / "k.hip", "gfx942", include=[tmp_path]),
        check_host(tmp_path / "k.hip", include=[tmp_path]),
    ):
        assert outcome.ok, outcome.diagnostics


# --- the host's side ---

PROGRAM = """
#define __HIP_PLATFORM_AMD__
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "crossport_array.h"

extern "C" {
hipError_t hipMalloc(void** p, size_t n) { *p = malloc(n); return hipSuccess; }
hipError_t hipFree(void* p) { free(p); return hipSuccess; }
hipError_t hipMemcpy(void* to, const void* from, size_t n, hipMemcpyKind) {
  memcpy(to, from, n);
  return hipSuccess;
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t n, hipMemcpyKind k, hipStream_t) {
  return hipMemcpy(to, from, n, k);
}
hipError_t hipMemcpy2D(void* to, size_t tp, const void* from, size_t fp, size_t w, size_t h,
                       hipMemcpyKind) {
  for (size_t y = 0; y < h; ++y) memcpy((char*)to + y * tp, (const char*)from + y * fp, w);
  return hipSuccess;
}
hipError_t hipMemcpy2DAsync(void* to, size_t tp, const void* from, size_t fp, size_t w, size_t h,
                            hipMemcpyKind k, hipStream_t) {
  return hipMemcpy2D(to, tp, from, fp, w, h, k);
}
hipError_t hipMemcpy3D(const hipMemcpy3DParms* p) {
  if (p->srcArray != nullptr || p->dstArray != nullptr) return hipErrorInvalidValue;
  for (size_t z = 0; z < p->extent.depth; ++z) {
    for (size_t y = 0; y < p->extent.height; ++y) {
      const hipPitchedPtr &s = p->srcPtr, &d = p->dstPtr;
      memcpy((char*)d.ptr + (p->dstPos.z + z) * d.pitch * d.ysize + (p->dstPos.y + y) * d.pitch +
                 p->dstPos.x,
             (char*)s.ptr + (p->srcPos.z + z) * s.pitch * s.ysize + (p->srcPos.y + y) * s.pitch +
                 p->srcPos.x,
             p->extent.width);
    }
  }
  return hipSuccess;
}
hipError_t hipMemcpy3DAsync(const hipMemcpy3DParms* p, hipStream_t) { return hipMemcpy3D(p); }
}
#define CHECK(x) if (!(x)) { printf("%d: %s\\n", __LINE__, #x); return 1; }

int main() {
  const hipChannelFormatDesc pair = {16, 16, 0, 0, hipChannelFormatKindUnsigned};
  unsigned short from[6][5][2], to[6][4][2] = {};
  for (int i = 0; i < 60; ++i) (&from[0][0][0])[i] = i;

  hipArray_t array;
  CHECK(crossportMallocArray(&array, &pair, 4, 6) == hipSuccess);
  const hipMemcpyKind in = hipMemcpyHostToDevice;
  CHECK(crossportMemcpy2DToArray(array, 0, 0, from, 20, 16, 6, in) == hipSuccess);
  CHECK(crossportMemcpyFromArray(to, array, 0, 0, sizeof to, hipMemcpyDeviceToHost) == hipSuccess);
  for (int y = 0; y < 6; ++y) CHECK(memcmp(to[y], from[y], 16) == 0);
  unsigned short row[2] = {700, 701};
  CHECK(crossportMemcpyToArray(array, 4, 5, row, 4, hipMemcpyHostToDevice) == hipSuccess);
  CHECK(crossportMemcpy2DFromArray(to, 4, array, 4, 4, 4, 2, hipMemcpyDeviceToHost) == hipSuccess);
  CHECK(to[0][0][0] == from[4][1][0] && to[0][1][0] == 700 && to[0][1][1] == 701);

  hipResourceDesc resource = {};
  resource.resType = hipResourceTypeArray;
  resource.res.array.array = array;
  hipTextureDesc how = {};
  how.addressMode[0] = how.addressMode[2] = hipAddressModeMirror;
  how.addressMode[1] = hipAddressModeBorder;
  how.readMode = hipReadModeNormalizedFloat;
  how.filterMode = hipFilterModeLinear;
  how.normalizedCoords = 1;
  how.borderColor[3] = 0.5f;
  hipTextureObject_t object;
  CHECK(crossportCreateTextureObject(&object, &resource, &how, nullptr) == hipSuccess);
  const crossport_image& image = *reinterpret_cast<crossport_image*>(object);
  CHECK(image.extent[0] == 4 && image.extent[1] == 6 && image.extent[2] == 1 && image.layers == 1);
  CHECK(image.pitch == 16 && image.channels == 2 && image.bytes == 2 && image.border[3] == 0.5f);
  CHECK(image.kind == hipChannelFormatKindUnsigned && image.is_linear && image.is_normalized);
  CHECK(image.reads_normalized && image.address[1] == hipAddressModeBorder);
  CHECK(((unsigned short*)(image.data + 5 * image.pitch))[2] == 700);
  CHECK(offsetof(crossport_image, border) == 52 && sizeof(crossport_image) == 72);
  how.sRGB = 1;
  CHECK(crossportCreateTextureObject(&object, &resource, &how, nullptr) == hipErrorNotSupported);
  CHECK(crossportFreeArray(array) == hipSuccess);

  // A volume, and layers: extents and places of an array count elements.
  const hipChannelFormatDesc one = {32, 0, 0, 0, hipChannelFormatKindFloat};
  float volume[3][4][5], part[2][2][2] = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, back[3][4][5];
  for (int i = 0; i < 60; ++i) (&volume[0][0][0])[i] = 100 + i;
  const hipExtent whole = make_hipExtent(5, 4, 3);
  CHECK(crossportMalloc3DArray(&array, &one, whole, hipArrayLayered) == hipSuccess);
  hipMemcpy3DParms p = {};
  p.srcPtr = make_hipPitchedPtr(volume, 20, 5, 4);
  p.dstArray = array;
  p.extent = make_hipExtent(5, 4, 3);
  CHECK(crossportMemcpy3D(&p) == hipSuccess);
  p.srcPtr = make_hipPitchedPtr(part, 8, 2, 2);
  p.dstPos = make_hipPos(3, 1, 1);
  p.extent = make_hipExtent(2, 2, 2);
  CHECK(crossportMemcpy3D(&p) == hipSuccess);
  hipMemcpy3DParms q = {};
  q.srcArray = array;
  q.dstPtr = make_hipPitchedPtr(back, 20, 5, 4);
  q.extent = make_hipExtent(5, 4, 3);
  CHECK(crossportMemcpy3D(&q) == hipSuccess);
  for (int z = 0; z < 2; ++z) {
    for (int y = 0; y < 2; ++y) memcpy(&volume[z + 1][y + 1][3], part[z][y], 8);
  }
  CHECK(memcmp(volume, back, sizeof back) == 0);
  resource.res.array.array = array;
  hipSurfaceObject_t surface;
  CHECK(crossportCreateSurfaceObject(&surface, &resource) == hipSuccess);
  const crossport_image& layers = *reinterpret_cast<crossport_image*>(surface);
  CHECK(layers.layers == 3 && layers.extent[2] == 1 && layers.slice == 80);

  // Plain memory.
  how.sRGB = 0;
  resource.resType = hipResourceTypeLinear;
  resource.res.linear.devPtr = volume;
  resource.res.linear.desc = one;
  resource.res.linear.sizeInBytes = sizeof volume;
  CHECK(crossportCreateTextureObject(&object, &resource, &how, nullptr) == hipSuccess);
  CHECK(reinterpret_cast<crossport_image*>(object)->extent[0] == 60);
  puts("ok");
}
"""


def test_the_hosts_side(tmp_path: Path) -> None:
    compiler = shutil.which("g++") or shutil.which("clang++-19") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    (tmp_path / "host.cpp").write_text(PROGRAM)
    headers = choose_toolchain(None).headers
    command = [compiler, "-std=c++17", "-w", f"-I{POLYFILL}", f"-isystem{headers}", "host.cpp"]
    built = subprocess.run([*command, "-o", "host"], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[:2000]
    ran = subprocess.run([tmp_path / "host"], capture_output=True, text=True)
    assert ran.stdout == "ok\n"


def test_what_an_h200_recorded() -> None:
    """Wrapped, mirrored and clamped, filtered and not, one and four channels: 15 launches."""
    folder = Path(__file__).with_name("texture_modes")
    result = crossport.port(folder / "texture_modes.cu", to="rocm", arch=["gfx942"])
    bundle = folder / "h200.bundle"
    verdict = judge_port(result, bundle, target="hip", arch="gfx942", seed="textures", unseen=1)
    assert verdict.word in (Word.EXACT, Word.EQUIVALENT), verdict


def test_the_header_stands_before_the_first_texture(tmp_path: Path) -> None:
    """An include further down comes too late for what is declared above it."""
    (tmp_path / "later.h").write_text("int later();\n")
    source = tmp_path / "k.cu"
    source.write_text(
        "#include <cstdio>\n"
        "texture<float, 1, cudaReadModeElementType> t;\n"
        '#include "later.h"\n'
        "__global__ void k(float* out) { out[0] = tex1Dfetch(t, 0); }\n"
    )
    text = crossport.port(source, to="rocm", arch=["gfx942"]).outputs[0].text
    assert text.index("crossport_texture_reference.h") < text.index("crossport_texture<float")
