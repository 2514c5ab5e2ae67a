"""A texture's port fetches what the interpreter fetches, in every mode and dimension."""

import itertools
from typing import Any

import numpy as np
import pytest

from crossport.backends.pallas.port import port_module
from crossport.ir.interpreter import run
from crossport.ir.interpreter.textures import Texture
from crossport.ir.lift.naming import Options
from crossport.ir.parser import parse_module

ADDRESSES = ("wrap", "clamp", "mirror", "border")
SHAPE = (3, 4, 5)  # depth, height, width

MODULE = parse_module("""
kernel k(t: handle`cudaTextureObject_t`, at: f32*, out: f32*) {
  let i: u32 = %thread.x
  out[i] = tex2D:f32(t, at[i], at[(i + 1u32)])
}

kernel k3(t: handle`cudaTextureObject_t`, at: f32*, out: f32*) {
  let i: u32 = %thread.x
  out[i] = tex3D:f32(t, at[i], at[(i + 1u32)], at[(i + 2u32)])
}

kernel rows(s: handle`cudaSurfaceObject_t`, n: i32) {
  let i: i32 = (%thread.x as i32)
  let v: f32
  v = effect surf2Dread(s, (i * 4), 1, 0)
  effect surf2Dwrite((v + 1.0f), s, (i * 4), 2, 0)
}
""")


@pytest.fixture(scope="module")
def port() -> dict[str, Any]:
    """The JAX port of the kernels above."""
    ported = port_module(MODULE, "", Options(tiers=("xla",)))
    assert [k.status for k in ported.kernels] == ["ported"] * 3, ported.diagnostics
    names: dict[str, Any] = {}
    exec(compile(ported.text, "port", "exec"), names)
    return names


def descriptor(texture: Texture) -> dict[str, Any]:
    return {
        "data": texture.data.copy(),
        "width": texture.extent(0),
        "height": texture.extent(1),
        "depth": texture.extent(2) if texture.dims > 2 else 0,
        "filterMode": int(texture.is_linear),
        "addressMode": ADDRESSES.index(texture.address),
        "normalizedCoords": int(texture.is_normalized),
    }


MODES = list(itertools.product(ADDRESSES, (False, True), (False, True)))


@pytest.mark.parametrize("dims", [2, 3])
def test_fetches_agree(port: dict[str, Any], dims: int) -> None:
    rng = np.random.default_rng(1)
    texels = rng.normal(size=SHAPE[3 - dims :]).astype(np.float32)
    kernel = "k" if dims == 2 else "k3"
    for address, linear, normalized in MODES:
        texture = Texture(texels, dims, 1, linear, address, normalized)  # type: ignore[arg-type]
        at = rng.uniform(-9, 9, 66).astype(np.float32) / (4 if normalized else 1)
        at[5] = np.nan
        exact = np.zeros(64, np.float32)
        run(MODULE, kernel, 1, 64, [texture, at, exact])
        found = port[kernel](1, 64, descriptor(texture), at, np.zeros(64, np.float32))
        np.testing.assert_allclose(
            np.asarray(found[0]), exact, rtol=1e-5, atol=2e-2 if linear else 0
        )


def test_a_surface_is_read_and_written(port: dict[str, Any]) -> None:
    texels = np.arange(15, dtype=np.float32).reshape(3, 5)
    texture = Texture(texels, 2)
    given = descriptor(texture)
    (found,) = port["rows"](1, 8, given, 0)
    expected = texels.copy()
    expected[2] = expected[1] + 1
    np.testing.assert_array_equal(np.asarray(found).reshape(3, 5), expected)
