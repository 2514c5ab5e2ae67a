"""Image instructions and typed buffers on the three generations of descriptors."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tinygrad")

from amdgpu_encoding import encode
from numpy.typing import NDArray

from crossport.diagnostics import PortError
from crossport.validation.amdgpu.arch import ARCHS
from crossport.validation.amdgpu.compile import compile_hip
from crossport.validation.amdgpu.device import CodeObject, Device, DeviceFault, Texture
from crossport.validation.amdgpu.stepping import State, addresses_of, run_code

GPUS = ("gfx90a", "gfx1100", "gfx1201")
X, DATA, D = 10, 16, 4
EXEC = 0xF0F0_F00F
ON = [lane for lane in range(32) if EXEC >> lane & 1]
each_gpu = pytest.mark.parametrize("arch", GPUS)


def _state(texture: Texture, arch: str) -> State:
    """Descriptors in s[8:15] and s[16:19], as a kernel would have loaded them."""
    state = State(exec=EXEC, arrays=[texture.storage])
    texture.describe(ARCHS[arch], addresses_of(state.arrays)[0])
    state.sgprs[8:16], state.sgprs[16:20] = texture.words[:8], texture.words[12:16]
    for k in range(4):
        state.vgprs[D + k] = 0x5A5A0000 + k
    return state


def _code(arch: str, name: str, dims: int, mask: int, **fields: int) -> bytes:
    common = {"vdata": D, "dmask": mask} | fields
    if arch == "gfx90a":
        return encode("MIMG", name, arch=arch, vaddr=X, srsrc=2, ssamp=4, **common)
    if arch == "gfx1100":
        return encode("MIMG", name, arch=arch, vaddr=X, srsrc=2, ssamp=4, dim=dims - 1, **common)
    registers = {f"vaddr{k}": X + k for k in range(4)}
    if "sample" in name or "gather" in name:
        return encode(
            "VSAMPLE", name, arch=arch, rsrc=8, samp=16, dim=dims - 1, **registers, **common
        )
    return encode("VIMAGE", name, arch=arch, rsrc=8, dim=dims - 1, **registers, **common)


def _run(device: Device, code: bytes, state: State) -> State:
    return run_code(device, code, state, wave_size=64 if device.arch.is_cdna else 32)


def _words(values: Any) -> Any:
    return np.asarray(values, np.float32).view(np.uint32)


FORMATS = [
    (np.float32, 1, False), (np.float32, 4, False), (np.float16, 2, False), (np.uint8, 4, True),
    (np.int8, 1, True), (np.uint16, 2, True), (np.int16, 4, True), (np.uint8, 1, False),
    (np.int16, 2, False), (np.uint32, 2, False), (np.int32, 4, False), (np.int8, 4, False),
]  # fmt: skip


def _array(t: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    rng = np.random.default_rng(6)
    if np.dtype(t).kind == "f":
        return rng.uniform(-8, 8, shape).astype(t)
    info = np.iinfo(t)
    return rng.integers(info.min, info.max, shape, t, endpoint=True)


def _seen(value: Any, *, normalized: bool) -> int:
    """The register that a component is read into."""
    t = value.dtype
    if t.kind == "f":
        return int(np.float32(value).view(np.uint32))
    if normalized:
        return int(np.float32(max(int(value) / np.iinfo(t).max, -1.0)).view(np.uint32))
    return int(value) & 0xFFFFFFFF


def _texel(pixels: NDArray[Any], at: tuple[int, ...], channels: int, normalized: bool) -> list[int]:
    """Channels that the format has, then 0, 0 and 1."""
    found = pixels[at].reshape(-1)
    one = int(_words(1.0)) if normalized or pixels.dtype.kind == "f" else 1
    rest = [0, 0, 0, one]
    return [_seen(found[c], normalized=normalized) for c in range(channels)] + rest[channels:]


@each_gpu
@pytest.mark.parametrize(("t", "channels", "normalized"), FORMATS)
def test_load(
    devices: Callable[[str], Device], arch: str, t: Any, channels: int, normalized: bool
) -> None:
    """Every format, all four components; outside of the image a load gives 0."""
    shape = (5, 7, channels) if channels > 1 else (5, 7)
    pixels = _array(t, shape)
    state = _state(Texture(pixels, channels, reads_normalized=normalized), arch)
    lanes = np.arange(64)
    state.vgprs[X], state.vgprs[X + 1] = lanes % 9, lanes // 9
    after = _run(devices(arch), _code(arch, "image_load", 2, 15), state)
    for lane in range(32):
        x, y = lane % 9, lane // 9
        want = [0x5A5A0000 + k for k in range(4)]
        if lane in ON:
            want = _texel(pixels, (y, x), channels, normalized) if x < 7 and y < 5 else [0] * 4
        assert [int(after.vgprs[D + k][lane]) for k in range(4)] == want, lane


@each_gpu
@pytest.mark.parametrize(("t", "channels", "normalized"), FORMATS)
def test_store(
    devices: Callable[[str], Device], arch: str, t: Any, channels: int, normalized: bool
) -> None:
    """What is stored reads back; numbers beyond the format saturate; outside nothing happens."""
    shape = (4, 6, channels) if channels > 1 else (4, 6)
    texture = Texture(np.zeros(shape, t), channels, reads_normalized=normalized)
    state = _state(texture, arch)
    lanes = np.arange(64)
    state.vgprs[X], state.vgprs[X + 1] = lanes % 7, lanes // 7
    rng = np.random.default_rng(3)
    is_float = normalized or np.dtype(t).kind == "f"
    for k in range(4):
        state.vgprs[D + k] = (
            _words(rng.uniform(-1.5, 1.5, 64)) if is_float else rng.integers(0, 1 << 32, 64)
        )
    _run(devices(arch), _code(arch, "image_store", 2, (1 << channels) - 1), state)
    texture.collect()
    want = np.zeros(shape, t)
    for lane in ON:
        x, y = lane % 7, lane // 7
        if x >= 6 or y >= 4:
            continue
        cell = want[y, x : x + 1].reshape(-1)
        for c in range(channels):
            word = int(state.vgprs[D + c][lane])
            number = float(np.uint32(word).view(np.float32))
            if normalized:
                top, low = np.iinfo(t).max, 0.0 if np.dtype(t).kind == "u" else -1.0
                cell[c] = np.rint(min(max(number, low), 1.0) * top)
            elif is_float:
                cell[c] = number
            else:
                info = np.iinfo(t)
                whole = word if np.dtype(t).kind == "u" else word - (word >> 31 << 32)
                cell[c] = min(max(whole, info.min), info.max)
    assert np.array_equal(texture.array, want)


@each_gpu
def test_level_of_an_access(devices: Callable[[str], Device], arch: str) -> None:
    """The forms that name a level, of which there is one."""
    pixels = _array(np.float32, (5, 7))
    texture = Texture(pixels)
    state = _state(texture, arch)
    lanes = np.arange(64)
    state.vgprs[X], state.vgprs[X + 1], state.vgprs[X + 2] = lanes % 7, lanes // 7, 0
    after = _run(devices(arch), _code(arch, "image_load_mip", 2, 1), state)
    for lane in ON:
        assert after.vgprs[D].view(np.float32)[lane] == pixels[lane // 7, lane % 7]
    state.vgprs[D] = _words(lanes + 0.5)
    _run(devices(arch), _code(arch, "image_store_mip", 2, 1), state)
    texture.collect()
    for lane in ON:
        assert pixels[lane // 7, lane % 7] == lane + 0.5


def _index(i: int, extent: int, address: str) -> int | None:
    """Where texel i of a row is read; None is the border."""
    if 0 <= i < extent:
        return i
    match address:
        case "wrap":
            return i % extent
        case "mirror":
            j = i % (2 * extent)
            return j if j < extent else 2 * extent - 1 - j
        case "border":
            return None
        case _:
            return min(max(i, 0), extent - 1)


def _filtered(pixels: NDArray[Any], place: list[float], texture: Texture) -> float:
    """One channel of a sample, from the formulas of the CUDA guide with weights of 1/256."""
    dims = pixels.ndim
    extent = pixels.shape[::-1]
    place = [p * e if texture.is_normalized else p for p, e in zip(place, extent, strict=True)]

    def read(corner: list[int]) -> float:
        at = [_index(i, e, texture.address) for i, e in zip(corner, extent, strict=True)]
        return 0.0 if None in at else float(pixels[tuple(reversed(at))])

    if not texture.is_linear:
        return read([math.floor(p) for p in place])
    lows = [math.floor(p - 0.5) for p in place]
    parts = [
        math.floor((p - 0.5 - low) * 256 + 0.5) / 256 for p, low in zip(place, lows, strict=True)
    ]
    total = 0.0
    both = math.floor(parts[0] * parts[-1] * 256 + 0.5) / 256
    plane = [1 - parts[0] - parts[-1] + both, parts[0] - both, parts[-1] - both, both]
    for corner in range(1 << dims):
        steps = [corner >> k & 1 for k in range(dims)]
        weight = math.prod(p if s else 1 - p for p, s in zip(parts, steps, strict=True))
        weight = plane[corner] if dims == 2 else weight
        if weight:
            total += weight * read([low + s for low, s in zip(lows, steps, strict=True)])
    return float(np.float32(total))


@each_gpu
@pytest.mark.parametrize("dims", (1, 2, 3))
@pytest.mark.parametrize("linear", (False, True))
@pytest.mark.parametrize(
    ("address", "normalized"),
    [("clamp", False), ("border", False), ("wrap", True), ("mirror", True), ("clamp", True)],
)
def test_sample(
    devices: Callable[[str], Device], arch: str, dims: int, linear: bool, address: Any,
    normalized: bool,
) -> None:  # fmt: skip
    pixels = _array(np.float32, (3, 5, 7)[3 - dims :])
    texture = Texture(pixels, 1, linear, address, normalized)
    state = _state(texture, arch)
    rng = np.random.default_rng(11)
    places = rng.uniform(-1.2, 2.2, (dims, 64)).astype(np.float32)
    if not normalized:
        places = (places * 6).astype(np.float32)
    for k in range(dims):
        state.vgprs[X + k] = _words(places[k])
    name = "image_sample" if arch == "gfx90a" else "image_sample_lz"
    after = _run(devices(arch), _code(arch, name, dims, 1), state)
    for lane in ON:
        want = _filtered(pixels, [float(p) for p in places[:, lane]], texture)
        assert after.vgprs[D].view(np.float32)[lane] == np.float32(want), lane


@pytest.mark.parametrize("arch", ("gfx1100", "gfx1201"))
@pytest.mark.parametrize("kind", ("", "_l", "_d", "_b"))
def test_sample_of_one_level(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    """What would choose a level of detail is passed over: before the coordinates or after them."""
    pixels = _array(np.float32, (5, 7))
    state = _state(Texture(pixels), arch)
    first = {"_d": 4, "_b": 1}.get(kind, 0)
    lanes = np.arange(64)
    for k in range(7):
        state.vgprs[X + k] = _words(np.full(64, 99.0))
    state.vgprs[X + first] = _words(lanes % 7 + 0.5)
    state.vgprs[X + first + 1] = _words(lanes // 7 + 0.5)
    after = _run(devices(arch), _code(arch, f"image_sample{kind}", 2, 1), state)
    for lane in ON:
        assert after.vgprs[D].view(np.float32)[lane] == pixels[lane // 7, lane % 7]


def test_addresses_apart(devices: Callable[[str], Device]) -> None:
    """RDNA3's longer form names each coordinate's register."""
    pixels = _array(np.float32, (5, 7))
    state = _state(Texture(pixels), "gfx1100")
    lanes = np.arange(64)
    state.vgprs[30], state.vgprs[21] = lanes % 7, lanes // 7
    code = encode(
        "MIMG", "image_load", arch="gfx1100", vaddr=30, srsrc=2, vdata=D, dmask=1, dim=1, nsa=1
    )
    after = _run(devices("gfx1100"), code + bytes([21, 0, 0, 0]), state)
    for lane in ON:
        assert after.vgprs[D].view(np.float32)[lane] == pixels[lane // 7, lane % 7]


@pytest.mark.parametrize("arch", ("gfx1100", "gfx1201"))
@pytest.mark.parametrize("kind", ("", "_l", "_b", "_lz"))
def test_gather(devices: Callable[[str], Device], arch: str, kind: str) -> None:
    pixels = _array(np.float32, (5, 7, 4))
    state = _state(Texture(pixels, 4), arch)
    lanes = np.arange(64)
    first = X + (kind == "_b")
    state.vgprs[first], state.vgprs[first + 1] = _words(lanes % 6 + 1.0), _words(lanes // 6 + 1.0)
    after = _run(devices(arch), _code(arch, f"image_gather4{kind}", 2, 4), state)
    for lane in ON:
        x, y = lane % 6, lane // 6
        want = [pixels[min(y + dy, 4), x + dx, 2] for dx, dy in ((0, 1), (1, 1), (1, 0), (0, 0))]
        if y < 5:
            assert [after.vgprs[D + k].view(np.float32)[lane] for k in range(4)] == want


@each_gpu
def test_size_query(devices: Callable[[str], Device], arch: str) -> None:
    state = _state(Texture(np.zeros((3, 5, 7), np.float32)), arch)
    after = _run(devices(arch), _code(arch, "image_get_resinfo", 3, 15), state)
    assert [int(after.vgprs[D + k][0]) for k in range(4)] == [7, 5, 3, 1]


@each_gpu
@pytest.mark.parametrize(("t", "channels", "normalized"), FORMATS)
def test_typed_buffer(
    devices: Callable[[str], Device], arch: str, t: Any, channels: int, normalized: bool
) -> None:
    """An index into linear memory; beyond its end 0. A store writes what a load reads."""
    table = _array(t, (20, channels) if channels > 1 else (20,))
    texture = Texture(table, channels, reads_normalized=normalized, is_buffer=True)
    state = _state(texture, arch)
    state.vgprs[X] = np.arange(64)
    new = {"rsrc": 8, "soffset": 124} if arch == "gfx1201" else {"srsrc": 2, "soffset": 128}
    for count in (1, 2, 3, 4):
        name = f"buffer_load_format_{'xyzw'[:count]}"
        code = encode("MUBUF", name, arch=arch, vaddr=X, vdata=D, idxen=1, **new)
        after = _run(devices(arch), code, state)
        for lane in ON:
            want = _texel(table, (lane,), channels, normalized) if lane < 20 else [0] * 4
            got = [int(after.vgprs[D + k][lane]) for k in range(count)]
            assert got == want[:count], (count, lane)
        empty = Texture(np.zeros_like(table), channels, reads_normalized=normalized, is_buffer=True)
        stored = _state(empty, arch)
        stored.vgprs[X] = np.arange(64)
        for k in range(4):
            stored.vgprs[D + k] = after.vgprs[D + k]
        code = encode(
            "MUBUF", name.replace("load", "store"), arch=arch, vaddr=X, vdata=D, idxen=1, **new
        )
        _run(devices(arch), code, stored)
        empty.collect()
        for lane in (n for n in ON if n < 20):
            kept = table[lane].reshape(-1)[:count].astype(np.float64)
            got_ = empty.array[lane].reshape(-1)[:count].astype(np.float64)
            # The lowest number of a signed normalised type is read as -1, like the next one.
            assert np.abs(got_ - kept).max() <= (1 if normalized else 0), lane


KERNEL = r"""
#include <hip/hip_runtime.h>
extern "C" __global__ void turn(hipTextureObject_t image, hipSurfaceObject_t to, float *out, int w,
                                int h) {
  int x = threadIdx.x, y = blockIdx.x;
  if (x >= w || y >= h) return;
  float v = tex2D<float>(image, y + 0.5f, x + 0.5f);
  out[y * w + x] = v;
  surf2Dwrite<float>(v + 1.0f, to, x * 4, y);
}
"""


@each_gpu
def test_a_kernel_with_texture_and_surface(devices: Callable[[str], Device], arch: str) -> None:
    try:
        code = CodeObject.load(compile_hip(KERNEL, arch))
    except PortError as error:
        if "surf" in error.diagnostic.message or "unknown type" in error.diagnostic.message:
            pytest.skip(f"headers without surfaces: {error.diagnostic.message[:80]}")
        raise
    pixels, out = _array(np.float32, (9, 6)), np.zeros((6, 9), np.float32)
    surface = Texture(np.zeros((6, 9), np.float32))
    devices(arch).launch(code, "turn", 6, 64, [Texture(pixels), surface, out, 9, 6])
    assert np.array_equal(out, pixels.T)
    assert np.array_equal(surface.array, pixels.T + 1)


def test_what_is_no_texture_is_said_so(devices: Callable[[str], Device]) -> None:
    with pytest.raises(PortError, match="float64 with 1 channels"):
        Texture(np.zeros((2, 2)))
    with pytest.raises(PortError, match="gfx942, which has no image instructions"):
        Texture(np.zeros((2, 2), np.float32)).describe(ARCHS["gfx942"], 0)
    state = _state(Texture(np.zeros((2, 2), np.float32)), "gfx90a")
    state.sgprs[9] = 0  # format 0
    with pytest.raises(DeviceFault, match="image or buffer format"):
        _run(devices("gfx90a"), _code("gfx90a", "image_load", 2, 1), state)
