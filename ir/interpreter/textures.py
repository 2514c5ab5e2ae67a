"""Textures and surfaces: arrays behind a handle, fetched by element, by coordinate, or filtered.

    tex2D(t, 3.5f, 2.5f)       texel (3, 2) of a texture with unnormalised coordinates
    linear filter              xb = x - 0.5; i = floor(xb); a = frac(xb) in steps of 1/256;
                               (1 - a) * T[i] + a * T[i + 1]
    in two dimensions          weights 1 - a - b + ab, a - ab, b - ab and ab, all in steps of 1/256

The formulas are those of the CUDA C++ Programming Guide, "Texture Fetching"; the steps of 1/256 are
its 9-bit fixed-point weights. That the four weights of a plane are such steps too is what an H200
does: 99.6 % of 10,863 recorded texels are this sum, rounded once.
Coordinates outside are clamped, mirrored, wrapped or read as 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.interpreter.intrinsics import Kinds, Meaning
from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

Address = Literal["clamp", "border", "wrap", "mirror"]


@dataclass(eq=False)
class Texture:
    """What a texture or surface handle stands for.

    data: shape (width,), (height, width) or (depth, height, width), and a last axis of `channels`
    if there is more than one. is_linear: filtered. is_normalized: coordinates in [0, 1).
    reads_normalized: integers read as numbers in [0, 1] or [-1, 1].
    """

    data: NDArray[Any]
    dims: int
    channels: int = 1
    is_linear: bool = False
    address: Address = "clamp"
    is_normalized: bool = False
    reads_normalized: bool = False

    def texels(self) -> NDArray[Any]:
        """The data with an explicit channel axis."""
        shape = self.data.shape[: self.dims]
        return self.data.reshape(*shape, self.channels)

    def extent(self, axis: int) -> int:
        """Texels along x (0), y (1) or z (2)."""
        return int(self.data.shape[self.dims - 1 - axis])


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a texture fetch, or None."""
    dims = {"tex1Dfetch": 1, "tex1D": 1, "tex2D": 2, "tex3D": 3,
            "tex1DLod": 1, "tex2DLod": 2, "tex3DLod": 3}.get(name)  # fmt: skip
    if dims is None:
        return None

    def call(rt: Runtime, mask: Mask, site: int, handle: Any, *coordinates: Any) -> Any:
        texture = texture_of(rt, mask, handle, site)
        if texture is None:
            found: list[Any] = [kind.zero for kind in result]
        elif name == "tex1Dfetch":
            found = _fetch_element(texture, coordinates[0], result)
        else:
            # Without mipmaps the level of detail has nothing to choose.
            found = _fetch(texture, coordinates[:dims], result)
        return found[0] if len(result) == 1 else tuple(found)

    return Meaning(call, needs_runtime=True)


def texture_of(rt: Runtime, mask: Mask, handle: Any, site: int) -> Texture | None:
    """The one texture that all lanes use."""
    if type(handle) is ndarray:
        used = np.unique(handle[lanes_of(mask, rt.lanes)])
        if len(used) > 1:
            raise PortError(
                Diagnostic(
                    Code.NOT_INTERPRETED,
                    "a texture that differs between threads cannot be interpreted",
                    span=rt.sites[site].span,
                )
            )
        handle = used[0] if len(used) else 0
    table = rt.world.handles
    found = table[int(handle)] if 0 <= int(handle) < len(table) else None
    if isinstance(found, Texture):
        return found
    rt.fault("bad-pointer", site, mask, "fetch through a handle that is no texture")
    return None


def _fetch_element(texture: Texture, index: Any, result: Kinds) -> list[Any]:
    texels = texture.texels().reshape(-1, texture.channels)
    index = np.asarray(index).astype(np.int64)
    inside = (index >= 0) & (index < len(texels))
    safe = np.where(inside, index, 0)
    # Outside, tex1Dfetch gives 0.
    return [
        np.where(inside, _as_kind(texture, texels[safe, c], kind), kind.zero)[()]
        for c, kind in enumerate(result)
    ]


def _fetch(texture: Texture, coordinates: tuple[Any, ...], result: Kinds) -> list[Any]:
    places = []
    for axis, coordinate in enumerate(coordinates):
        x = np.asarray(coordinate, np.float32).astype(np.float64)
        if texture.is_normalized:
            x = x * texture.extent(axis)
        places.append(np.where(np.isfinite(x), x, 0.0))
    if not texture.is_linear:
        whole = [np.floor(x).astype(np.int64) for x in places]
        return [_as_kind(texture, _texel(texture, whole, c), k) for c, k in enumerate(result)]
    corners = _corners(places)
    found = []
    for c, kind in enumerate(result):
        total: Any = 0.0
        for index, weight in corners:
            texel = _as_float(texture, _texel(texture, index, c))
            total = total + weight * texel
        found.append(np.asarray(total).astype(kind.register)[()])
    return found


def _corners(places: list[Any]) -> list[tuple[list[Any], Any]]:
    """The texels around a place, and the weight of each."""
    lows, weights = [], []
    for x in places:
        base = np.floor(x - 0.5)
        lows.append(base.astype(np.int64))
        weights.append(_step(x - 0.5 - base))
    if len(places) == 2:
        (i, j), (a, b) = lows, weights
        both = _step(a * b)
        return [
            ([i, j], 1 - a - b + both), ([i + 1, j], a - both),
            ([i, j + 1], b - both), ([i + 1, j + 1], both),
        ]  # fmt: skip
    corners: list[tuple[list[Any], Any]] = [([], 1.0)]
    for low, weight in zip(lows, weights, strict=True):
        corners = [
            ([*index, low + step], part * (weight if step else 1 - weight))
            for index, part in corners
            for step in (0, 1)
        ]
    return corners


def _step(weight: Any) -> Any:
    return np.floor(weight * 256 + 0.5) / 256


def _texel(texture: Texture, index: list[Any], channel: int) -> Any:
    inside: Any = True
    places = []
    for axis, i in enumerate(index):
        extent = texture.extent(axis)
        inside = inside & (i >= 0) & (i < extent)
        if texture.address == "wrap" and texture.is_normalized:
            i = i % extent
        elif texture.address == "mirror" and texture.is_normalized:
            j = i % (2 * extent)
            i = np.where(j < extent, j, 2 * extent - 1 - j)
        else:
            i = np.clip(i, 0, extent - 1)
        places.append(i)
    texels = texture.texels()
    if channel >= texture.channels:
        return np.zeros(np.shape(places[0]), texels.dtype)
    found = texels[(*places[::-1], channel)]
    if texture.address == "border":
        found = np.where(inside, found, texels.dtype.type(0))
    return found


def _as_float(texture: Texture, texel: Any) -> Any:
    value = np.asarray(texel).astype(np.float64)
    if texture.reads_normalized and texture.data.dtype.kind in "iu":
        # A signed type's lowest number is -1 too.
        value = np.maximum(value / np.iinfo(texture.data.dtype).max, -1.0)
    return value


def _as_kind(texture: Texture, texel: Any, kind: Kind) -> Any:
    if kind.is_float:
        return _as_float(texture, texel).astype(kind.register)[()]
    return np.asarray(texel).astype(kind.register)[()]


# --- Surfaces -----------------------------------------------------------------------------------


def surface(name: str, result: Kinds, value: Kinds) -> Callable[..., Any] | None:
    """`surf1Dread`, `surf2Dread`, `surf3Dread` and the writes; None for layers and cubes.

    The first coordinate counts bytes. The boundary mode comes last: 0 zero, 1 clamp, 2 trap.
    """
    for dims in (1, 2, 3):
        if name == f"surf{dims}Dread":
            return lambda rt, mask, site, handle, *where: _surface_read(
                rt, mask, site, handle, where, dims, result
            )
        if name == f"surf{dims}Dwrite":
            return lambda rt, mask, site, what, handle, *where: _surface_write(
                rt, mask, site, what, handle, where, dims, value
            )
    return None


def _surface_place(
    texture: Texture, where: tuple[Any, ...], dims: int, lanes: int
) -> tuple[list[Any], Any]:
    size = texture.data.dtype.itemsize * texture.channels
    index = [np.broadcast_to(np.asarray(w).astype(np.int64), lanes) for w in where[:dims]]
    index[0] = index[0] // size
    mode = int(np.asarray(where[dims]).reshape(-1)[0]) if len(where) > dims else 2
    inside: Any = np.ones(lanes, bool)
    for axis, i in enumerate(index):
        inside = inside & (i >= 0) & (i < texture.extent(axis))
        index[axis] = np.clip(i, 0, texture.extent(axis) - 1)
    if mode == 1:
        inside = np.ones(lanes, bool)
    return index[::-1], (inside, mode)


def _surface_read(
    rt: Runtime, mask: Mask, site: int, handle: Any, where: tuple[Any, ...], dims: int,
    result: Kinds,
) -> Any:  # fmt: skip
    texture = texture_of(rt, mask, handle, site)
    if texture is None:
        found: list[Any] = [kind.zero for kind in result]
        return found[0] if len(result) == 1 else tuple(found)
    index, (inside, mode) = _surface_place(texture, where, dims, rt.lanes)
    _trap_outside(rt, mask, site, inside, mode)
    texels = texture.texels()
    found = [
        np.where(inside, texels[(*index, c)].astype(kind.register), kind.zero)
        for c, kind in enumerate(result)
    ]
    return found[0] if len(result) == 1 else tuple(found)


def _surface_write(
    rt: Runtime, mask: Mask, site: int, what: Any, handle: Any, where: tuple[Any, ...], dims: int,
    value: Kinds,
) -> None:  # fmt: skip
    texture = texture_of(rt, mask, handle, site)
    if texture is None:
        return
    index, (inside, mode) = _surface_place(texture, where, dims, rt.lanes)
    _trap_outside(rt, mask, site, inside, mode)
    lanes = lanes_of(mask, rt.lanes) & inside
    texels = texture.texels()
    parts = what if isinstance(what, tuple) else (what,)
    for c, part in enumerate(parts):
        whole = np.broadcast_to(np.asarray(part), rt.lanes)
        texels[(*(i[lanes] for i in index), c)] = whole[lanes].astype(texels.dtype)
    rt.version += 1


def _trap_outside(rt: Runtime, mask: Mask, site: int, inside: Any, mode: int) -> None:
    wrong = lanes_of(mask, rt.lanes) & ~inside
    if mode == 2 and wrong.any():
        rt.fault("out-of-bounds", site, wrong, "surface access outside the surface")
