"""A texture object as a HIP port in software sees it: a pointer to a crossport_image.

The layout is that of `struct crossport_image` in backends/hip/polyfill/crossport_array.h.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

from crossport.ir.interpreter.textures import Texture
from crossport.validation.cases import TextureArg
from crossport.validation.dtypes import Array, DType

# data, pitch, slice; extent[3], layers; channels, bytes, kind; is_linear, is_normalized,
# reads_normalized; address[3]; border[4]
_IMAGE = struct.Struct("<QQQ4i3B3?3B3x4f4x")
_KINDS = {"int": 0, "uint": 1, "bool": 1, "float": 2}
_NUMPY_KINDS = {"i": 0, "u": 1, "f": 2}
_ADDRESSES = {"wrap": 0, "clamp": 1, "mirror": 2, "border": 3}


def has_software_textures(files: Collection[str]) -> bool:
    """Whether a port's textures are in software, as its files show."""
    return any(PurePosixPath(name).name == "crossport_array.h" for name in files)


def software_texture(arg: TextureArg, dtype: DType, values: Array) -> Any:
    """The object over an array of the case, as an argument for the emulated device."""
    from crossport.validation.runners.interp import texture

    return image(texture(arg, values), values, _KINDS[dtype.kind])


def image(texture: Texture, values: Array, kind: int | None = None) -> Any:
    """What the interpreter's texture is to a port, over the same values."""
    from crossport.validation.amdgpu.device import InMemory, Struct

    dtype = texture.data.dtype
    extent = [texture.extent(axis) if axis < texture.dims else 1 for axis in range(3)]
    pitch = extent[0] * texture.channels * dtype.itemsize
    data = _IMAGE.pack(
        0, pitch, pitch * extent[1], *extent, 1,
        texture.channels, dtype.itemsize, _NUMPY_KINDS[dtype.kind] if kind is None else kind,
        texture.is_linear, texture.is_normalized, texture.reads_normalized,
        *[_ADDRESSES[texture.address]] * 3, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip
    return InMemory(Struct(data, {0: values}))
