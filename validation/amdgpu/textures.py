"""Texture objects: an array behind the descriptors that image instructions read.

Example:

    device.launch(code, "rotate", grid, block, [Texture(pixels, is_linear=True), out])

What a kernel gets is a pointer to twelve words of image (or buffer) description and four of
sampler, as ROCm's image runtime lays them out: the image in words 0 to 7, its channels and width in
words 8 to 10, the sampler from word 12. Words differ between generations; images.h reads what is
written here.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.arch import Arch

Address = Literal["wrap", "mirror", "clamp", "border"]
_CLAMPS = {"wrap": 0, "mirror": 1, "clamp": 2, "border": 6}
_ROW = 256
"""Bytes that rows of a linear image, and images, are aligned to."""
_KINDS = ("unorm", "snorm", "uscaled", "sscaled", "uint", "sint", "float")
_FORMATS_9 = {
    (8, 1): 1, (16, 1): 2, (8, 2): 3, (32, 1): 4, (16, 2): 5, (8, 4): 10, (32, 2): 11, (16, 4): 12,
    (32, 4): 14,
}  # fmt: skip
_FORMATS_11 = {
    (8, 1): 1, (16, 1): 7, (8, 2): 14, (32, 1): 20, (16, 2): 23, (8, 4): 42, (32, 2): 48,
    (16, 4): 51, (32, 4): 61,
}  # fmt: skip
_SELECT = {1: 0o1004, 2: 0o1054, 4: 0o7654}
"""Which channel each result is: 0 and 1 are constants, 4 to 7 the channels."""
_CHANNEL_TYPES = {"snorm": 0, "unorm": 2, "sint": 8, "uint": 11, "float": 13}
"""Of one byte; of two and four bytes the next ones."""
_CHANNEL_ORDERS = {1: 1, 2: 3, 4: 8}
_ONE_D, _TWO_D, _THREE_D = 8, 9, 10


@dataclass(eq=False)
class Texture:
    """A texture or surface over an array of shape (x), (y, x) or (z, y, x), channels last."""

    array: NDArray[Any]
    channels: int = 1
    is_linear: bool = False
    address: Address = "clamp"
    is_normalized: bool = False
    """Coordinates in [0, 1)."""
    reads_normalized: bool = False
    """Integers read as numbers in [0, 1] or [-1, 1]."""
    is_buffer: bool = False
    """Over linear memory (tex1Dfetch): an index, no filter."""
    storage: NDArray[np.uint8] = field(init=False)
    words: NDArray[np.uint32] = field(init=False)

    def __post_init__(self) -> None:
        shape = self.array.shape[: self.array.ndim - (self.channels > 1)]
        bits = self.array.dtype.itemsize * 8
        known = (bits, self.channels) in _FORMATS_9 and self.array.dtype.kind in "iuf"
        if not known or (self.channels > 1 and self.array.shape[-1] != self.channels):
            raise _bad(f"{self.array.dtype} with {self.channels} channels, shape {shape}")
        if not 1 <= len(shape) <= 3 or 0 in shape or (self.is_buffer and len(shape) != 1):
            raise _bad(f"an array of shape {self.array.shape}")
        self.extent = (*reversed(shape), 1, 1)[:3]
        self.dims = len(shape)
        row = self.extent[0] * bits // 8 * self.channels
        self.pitch = row if self.is_buffer else -(-row // _ROW) * _ROW
        self._texels = np.ascontiguousarray(self.array).reshape(-1, self.extent[0] * self.channels)
        self.storage = _aligned(self.pitch * len(self._texels))
        self._rows()[:, :row] = self._texels.view(np.uint8).reshape(len(self._texels), row)
        self.words = np.zeros(16, np.uint32)

    def _rows(self) -> NDArray[np.uint8]:
        return self.storage.reshape(-1, self.pitch)

    def collect(self) -> None:
        """Bring what a kernel stored back to the array."""
        row = self._texels.shape[1] * self.array.dtype.itemsize
        found = np.ascontiguousarray(self._rows()[:, :row]).view(self.array.dtype)
        if self.array.flags.writeable and found.tobytes() != self._texels.tobytes():
            self.array[...] = found.reshape(self.array.shape)

    def describe(self, arch: Arch, address: int) -> None:
        """Write the descriptors for texels at a device address."""
        if not arch.has_images:
            raise _bad(f"{arch.name}, which has no image instructions")
        self.words[:8] = (
            self._buffer(arch, address) if self.is_buffer else self._image(arch, address)
        )
        self.words[8:11] = self._channel_type(), _CHANNEL_ORDERS[self.channels], self.extent[0]
        clamp = _CLAMPS[self.address]
        self.words[12] = clamp | clamp << 3 | clamp << 6 | (0 if self.is_normalized else 1 << 15)
        self.words[14] = 5 << 20 if self.is_linear else 0

    def _kind(self) -> str:
        kind = {"f": "float", "i": "sint", "u": "uint"}[self.array.dtype.kind]
        if self.reads_normalized and kind != "float":
            return "snorm" if kind == "sint" else "unorm"
        return kind

    def _channel_type(self) -> int:
        """The number that the Heterogeneous System Architecture gives the type."""
        size = (1, 2, 4).index(self.array.dtype.itemsize)
        return _CHANNEL_TYPES[self._kind()] + size

    def _format(self, arch: Arch) -> int:
        """gfx9: data format | number format << 6; later: one number."""
        bits, kind = self.array.dtype.itemsize * 8, self._kind()
        if arch.is_cdna:
            return _FORMATS_9[bits, self.channels] | _NUMBERS_9[kind] << 6
        order = ("uint", "sint", "float") if bits == 32 else _KINDS
        return _FORMATS_11[bits, self.channels] + order.index(kind)

    def _image(self, arch: Arch, address: int) -> list[int]:
        width, height, depth = (n - 1 for n in self.extent)
        form, high = self._format(arch), address >> 40 & 0xFF
        kind = (_ONE_D, _TWO_D, _THREE_D)[self.dims - 1]
        pitch = self.pitch // (self.array.dtype.itemsize * self.channels) - 1
        select = _SELECT[self.channels] | kind << 28
        if arch.is_cdna:
            first = high | (form & 63) << 20 | (form >> 6) << 26
            return [address >> 8 & 0xFFFFFFFF, first, width | height << 14, select,
                    depth | pitch << 13, 0, 0, 0]  # fmt: skip
        first = high | form << (17 if arch.is_rdna4 else 20) | (width & 3) << 30
        last = depth if self.dims == 3 else pitch
        return [address >> 8 & 0xFFFFFFFF, first, width >> 2 | height << 14, select, last, 0, 0, 0]

    def _buffer(self, arch: Arch, address: int) -> list[int]:
        size = self.array.dtype.itemsize * self.channels
        form = self._format(arch)
        last = (form >> 6) << 12 | (form & 63) << 15 if arch.is_cdna else form << 12
        return [address & 0xFFFFFFFF, address >> 32 & 0xFFFF | size << 16, self.extent[0],
                _SELECT[self.channels] | last, 0, 0, 0, 0]  # fmt: skip


_NUMBERS_9 = {"unorm": 0, "snorm": 1, "uint": 4, "sint": 5, "float": 7}


def _aligned(size: int) -> NDArray[np.uint8]:
    whole = np.zeros(size + _ROW, np.uint8)
    start = -int(whole.ctypes.data) % _ROW
    return whole[start : start + size]


def _bad(what: str) -> PortError:
    return PortError(Diagnostic(Code.EMULATOR_BAD_LAUNCH, f"a texture cannot be made of {what}"))
