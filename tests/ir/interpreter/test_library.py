"""Generators, warp matrices, textures, printf, device malloc, launches from the device."""

from __future__ import annotations

import numpy as np
import pytest

from crossport.diagnostics import Code, PortError
from crossport.ir.interpreter import Texture, run
from crossport.ir.interpreter.random import philox
from crossport.ir.parser import parse_module


def words(text: str) -> list[np.uint32]:
    return [np.uint32(int(w, 16)) for w in text.split()]


@pytest.mark.parametrize(
    ("counter", "key", "want"),
    [
        ("0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_philox_known_answers(counter: str, key: str, want: str) -> None:
    """The known answers of Random123, kat_vectors, philox4x32 10."""
    with np.errstate(over="ignore"):
        assert philox(words(counter), words(key)) == words(want)


def xorwow(seed: int, skip: int, count: int) -> list[int]:
    """Marsaglia's xorwow with cuRAND's seeding, step by step."""
    m = 0xFFFFFFFF
    s0, s1 = (seed & m) ^ 0xAAD26B49, (seed >> 32) ^ 0xF7DCEFDD
    t0, t1 = 1099087573 * s0 & m, 2591861531 * s1 & m
    d = (6615241 + t1 + t0) & m
    v = [(123456789 + t0) & m, 362436069 ^ t0, (521288629 + t1) & m, 88675123 ^ t1,
         (5783321 + t0) & m]  # fmt: skip
    found = []
    for _ in range(skip + count):
        t = v[0] ^ v[0] >> 2
        v = [*v[1:], (v[4] ^ v[4] << 4 ^ t ^ t << 1) & m]
        d = (d + 362437) & m
        found.append((v[4] + d) & m)
    return found[skip:]


GENERATE = """
kernel k(out: u32*, seed: u64, offset: u64) {
  let state: handle`curandStateXORWOW`
  effect curand_init((seed + (%thread.x as u64)), 0u64, (offset * (%thread.x as u64)), &state)
  let i: u32 = 0u32
  for (i < 3u32) {
    let r: u32
    r = effect curand(&state)
    out[((%thread.x * 3u32) + i)] = r
  } step {
    i = (i + 1u32)
  }
}
"""


def test_xorwow_and_its_jumps() -> None:
    out = np.zeros(12, np.uint32)
    run(parse_module(GENERATE), "k", 1, 4, [out, 2**40 + 5, 1000])
    want = [x for t in range(4) for x in xorwow(2**40 + 5 + t, 1000 * t, 3)]
    assert out.tolist() == want


def test_generator_states_live_in_memory() -> None:
    module = parse_module("""
kernel start(states: handle`curandStatePhilox4_32_10`*) {
  effect curand_init(7u64, (%thread.x as u64), 0u64, (states + %thread.x))
}

kernel draw(states: handle`curandStatePhilox4_32_10`*, out: u32*) {
  let mine: handle`curandStatePhilox4_32_10` = states[%thread.x]
  let r: u32
  r = effect curand(&mine)
  out[%thread.x] = r
  states[%thread.x] = mine
}
""")
    states, out = np.zeros(8 * 16, np.uint32), np.zeros((5, 8), np.uint32)
    run(module, "start", 1, 8, [states])
    for row in out:
        run(module, "draw", 1, 8, [states, row])
    with np.errstate(over="ignore"):
        for t in range(8):
            first = philox(words(f"0 0 {t:x} 0"), words("7 0"))
            second = philox(words(f"1 0 {t:x} 0"), words("7 0"))
            assert out[:, t].tolist() == [*first, second[0]]


def fragment(use: str, element: str, layout: str = "") -> str:
    tail = f", nvcuda::wmma::{layout}" if layout else ""
    return f"handle`nvcuda::wmma::fragment<nvcuda::wmma::{use}, 16, 16, 16, {element}{tail}>`"


def test_warp_matrices() -> None:
    module = parse_module(f"""
kernel k(a: f16*, b: f16*, c: f32*) {{
  let fa: {fragment("matrix_a", "__half", "row_major")}
  let fb: {fragment("matrix_b", "__half", "col_major")}
  let fc: {fragment("accumulator", "float")}
  let w: u32 = %warp_id
  effect `wmma::fill_fragment`(&fc, 1.0f)
  effect `wmma::load_matrix_sync`(&fa, (a + (w * 256u32)), 16u32)
  effect `wmma::load_matrix_sync`(&fb, b, 16u32)
  effect `wmma::mma_sync`(&fc, &fa, &fb, &fc, false)
  let i: i32 = 0
  for (i < 8) {{
    let v: f32
    v = effect `wmma::get`(&fc, i)
    effect `wmma::set`(&fc, i, (v * 2.0f))
  }} step {{
    i = (i + 1)
  }}
  effect `wmma::store_matrix_sync`((c + (w * 256u32)), &fc, 16u32, 0)
}}
""")
    rng = np.random.default_rng(0)
    a = rng.integers(-4, 5, (2, 16, 16)).astype(np.float16)
    b = rng.integers(-4, 5, (16, 16)).astype(np.float16)
    c = np.zeros((2, 16, 16), np.float32)
    run(module, "k", 1, 64, [a, b.T.copy(), c])
    assert (c == 2 * (a.astype(np.float32) @ b.astype(np.float32) + 1)).all()


def test_textures() -> None:
    module = parse_module("""
kernel k(t: handle`cudaTextureObject_t`, x: f32*, y: f32*, out: f32*) {
  let i: u32 = %thread.x
  out[i] = tex2D:f32(t, x[i], y[i])
}
""")
    data = np.arange(12, dtype=np.float32).reshape(3, 4)
    x = np.array([0.5, 1.99, -3.0, 9.0, 2.0], np.float32)
    y = np.array([0.5, 2.0, 1.0, 1.5, 1.0], np.float32)
    out = np.zeros(5, np.float32)
    run(module, "k", 1, 5, [Texture(data, 2), x, y, out])
    assert out.tolist() == [0, 9, 4, 7, 6]
    run(module, "k", 1, 5, [Texture(data, 2, address="border"), x, y, out])
    assert out.tolist() == [0, 9, 0, 0, 6]
    run(module, "k", 1, 5, [Texture(data, 2, is_linear=True), x, y, out])
    # 1.99: weight 0.49 is 125/256.
    assert out.tolist() == [0, np.float32(1 + 125 / 256 + 6), 2, 7, (1 + 2 + 5 + 6) / 4]
    wrap = Texture(data, 2, address="wrap", is_normalized=True)
    run(module, "k", 1, 2, [wrap, x - np.float32(0.5) + 1, np.zeros(2, np.float32), out])
    assert out[:2].tolist() == [0, 1]


def test_surfaces() -> None:
    module = parse_module("""
kernel k(s: handle`cudaSurfaceObject_t`) {
  let x: i32 = ((%thread.x * 4u32) as i32)
  let v: f32
  v = effect surf2Dread(s, x, 1, 2)
  effect surf2Dwrite((v + 1.0f), s, x, 0, 2)
}
""")
    data = np.arange(8, dtype=np.float32).reshape(2, 4)
    run(module, "k", 1, 4, [Texture(data, 2)])
    assert data.tolist() == [[5, 6, 7, 8], [4, 5, 6, 7]]
    with pytest.raises(PortError, match="outside the surface"):
        run(module, "k", 1, 5, [Texture(data, 2)])


def test_printf_in_lane_order() -> None:
    module = parse_module("""
kernel k(x: f32*) {
  if (%thread.x < 2u32) {
    print "%d: %5.2f %s%%\\n"(%thread.x, (x[%thread.x] as f64), 3)
  }
}
""")
    report = run(module, "k", 1, 32, [np.array([1.5, -2.25], np.float32)])
    assert report.output == "0:  1.50 3%\n1: -2.25 3%\n"


def test_device_malloc_and_free() -> None:
    module = parse_module("""
kernel k(out: i32*, bad: i32) {
  let raw: u8*
  raw = effect malloc(16u64)
  let p: i32* = (raw as i32*)
  p[3] = (%thread.x as i32)
  effect memset((raw as u8*), 255, 8u64)
  out[%thread.x] = (p[3] + p[1])
  effect free((raw as u8*))
  if (bad == 1) {
    p[0] = 1
  }
}
""")
    out = np.zeros(4, np.int32)
    run(module, "k", 1, 4, [out, 0])
    assert out.tolist() == [-1, 0, 1, 2]
    with pytest.raises(PortError, match="freed"):
        run(module, "k", 1, 4, [out, 1])


def test_launches_from_the_device() -> None:
    module = parse_module("""
kernel child(x: i32*, n: i32) {
  if ((%thread.x as i32) < n) {
    x[%thread.x] = (x[%thread.x] + n)
  }
}

kernel parent(x: i32*) {
  if (%thread.x < 3u32) {
    let p: i32* = (x + (%thread.x * 4u32))
    launch child<1u32, 1u32, 1u32, 32u32, 1u32, 1u32, 0u64>(p, (%thread.x as i32))
  }
  x[(%thread.x * 4u32)] = 10
}
""")
    x = np.zeros(16, np.int32)
    report = run(module, "parent", 1, 4, [x])
    assert x.reshape(4, 4).tolist() == [[10, 0, 0, 0], [11, 0, 0, 0], [12, 2, 0, 0], [10, 0, 0, 0]]
    assert report.launches == 4


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([1], "takes 2 arguments"),
        ([np.zeros(1, np.float32), 2**31], "does not fit i32"),
        ([3.5, 1], "no array"),
        ([np.zeros(1, np.float32), "x"], "no i32"),
    ],
)
def test_launches_that_do_not_fit(args: list[object], message: str) -> None:
    module = parse_module("kernel k(x: f32*, n: i32) {\n  x[0] = (n as f32)\n}\n")
    with pytest.raises(PortError, match=message) as caught:
        run(module, "k", 1, 1, args)
    assert caught.value.diagnostic.code == Code.BAD_LAUNCH


def test_launch_shapes_that_do_not_fit() -> None:
    module = parse_module("kernel k(x: f32*) {\n  x[0] = 1.0f\n}\n")
    x = np.zeros(1, np.float32)
    for grid, block in ((0, 1), (1, 2048), ((1, 2, 3, 4), 1)):
        with pytest.raises(PortError):
            run(module, "k", grid, block, [x])
    with pytest.raises(PortError, match="no kernel named j"):
        run(module, "j", 1, 1, [x])


def test_what_is_opaque_is_refused() -> None:
    module = parse_module('kernel k(x: f32*) {\n  opaque("asm", "inline assembly")\n}\n')
    with pytest.raises(PortError) as caught:
        run(module, "k", 1, 1, [None])
    assert caught.value.diagnostic.code == Code.NOT_INTERPRETED


def test_fused_multiply_add_on_request() -> None:
    module = parse_module("kernel k(x: f32*) {\n  x[0] = ((x[0] * x[1]) - x[2])\n}\n")
    start = np.array([1 + 2**-12, 1 + 2**-12, 1 + 2**-11], np.float32)
    plain, fused = start.copy(), start.copy()
    run(module, "k", 1, 1, [plain])
    run(module, "k", 1, 1, [fused], contract=True)
    assert plain[0] == 0 and fused[0] == 2**-24


def test_oracle_of_an_array_given_as_bytes() -> None:
    module = parse_module("kernel k(x: f32*) {\n  x[0] = (1.0f / 3.0f)\n}\n")
    report = run(module, "k", 1, 1, [np.zeros(8, np.uint8)], mode="oracle")
    assert report.oracle[0].tolist() == [1 / 3, 0.0]
