"""Pointers, structs, unions, local and shared memory, aliasing, out-of-bounds."""

from __future__ import annotations

import numpy as np
import pytest

from crossport.diagnostics import Code, PortError
from crossport.ir.interpreter import Checks, run
from crossport.ir.parser import parse_module


def test_pointer_arithmetic_and_casts() -> None:
    module = parse_module("""
kernel k(x: f32*, out: f32*, bits: u32*) {
  let p: f32* = (x + %thread.x)
  let q: u8* = ((p + 2) as u8*)
  let r: f32* = ((q + -4) as f32*)
  out[%thread.x] = r[0]
  bits[%thread.x] = ((p as u32*))[0]
}
""")
    x = np.arange(10, dtype=np.float32) + 0.5
    out, bits = np.zeros(8, np.float32), np.zeros(8, np.uint32)
    run(module, "k", 1, 8, [x, out, bits])
    assert (out == x[1:9]).all()
    assert (bits == x.view(np.uint32)[:8]).all()


def test_pointer_difference_and_comparison() -> None:
    module = parse_module("""
kernel k(x: f64*, out: i64*) {
  let p: f64* = (x + (%thread.x * 2u32))
  out[%thread.x] = ((p - x) + ((p > x) as i64))
}
""")
    out = np.zeros(4, np.int64)
    run(module, "k", 1, 4, [np.zeros(8), out])
    assert out.tolist() == [0, 3, 5, 7]


def test_pointers_in_memory_and_in_structs() -> None:
    module = parse_module("""
struct Pair size 16 align 8 {
  p: f32* @0
  n: i32 @8
}

kernel k(rows: f32**, s: Pair, out: f32*) {
  shared table: f32*[2]
  if (%thread.x < 2u32) {
    table[%thread.x] = rows[(1u32 - %thread.x)]
  }
  barrier.block()
  let v: Pair = s
  v.n = (v.n + 1)
  let t: u32 = (%thread.x & 1u32)
  out[%thread.x] = ((table[t][%thread.x] + v.p[0]) + (v.n as f32))
}
""")
    a, b = np.arange(4, dtype=np.float32), np.arange(4, dtype=np.float32) * 10
    out = np.zeros(4, np.float32)
    run(module, "k", 1, 4, [[a, b], (np.array([100.0], np.float32), 6), out])
    assert out.tolist() == [107.0, 108.0, 127.0, 110.0]


def test_structs_through_memory() -> None:
    module = parse_module("""
struct float4 size 16 align 16 {
  x: f32 @0
  y: f32 @4
  z: f32 @8
  w: f32 @12
}

struct Particle size 32 align 16 {
  p: float4 @0
  tag: u8 @16
  v: f32[3] @20
}

function bump(v: float4, by: f32) -> float4 {
  v.x = (v.x + by)
  return new float4{v.w, v.z, v.y, v.x}
}

kernel k(q: Particle*, out: float4*) {
  let mine: Particle = q[%thread.x]
  let r: float4
  r = call bump(mine.p, mine.v[1])
  out[%thread.x] = r
  q[%thread.x].tag = (mine.tag + 1u8)
}
""")
    dtype = np.dtype(
        {"names": ["p", "tag", "v"], "formats": [("f4", 4), "u1", ("f4", 3)],
         "offsets": [0, 16, 20], "itemsize": 32}
    )  # fmt: skip
    q = np.zeros(3, dtype)
    q["p"] = np.arange(12).reshape(3, 4)
    q["v"] = 100
    q["tag"] = 255
    out = np.zeros((3, 4), np.float32)
    run(module, "k", 1, 3, [q, out])
    want = q["p"][:, ::-1].copy()
    want[:, 3] += 100
    assert (out == want).all()
    assert q["tag"].tolist() == [0, 0, 0]


def test_union_and_address_of_local() -> None:
    module = parse_module("""
struct U size 4 align 4 {
  f: f32 @0
  i: u32 @0
}

function twice(p: f32*) -> void {
  p[0] = (p[0] * 2.0f)
}

kernel k(x: f32*, out: u32*) {
  let u: U
  u.f = x[%thread.x]
  call twice(&u.f)
  let w: U = u
  out[%thread.x] = w.i
}
""")
    x = np.array([1.5, -2.0, 3e38], np.float32)
    out = np.zeros(3, np.uint32)
    run(module, "k", 1, 3, [x, out])
    with np.errstate(over="ignore"):
        assert (out == (x * 2).view(np.uint32)).all()


def test_local_array_through_a_pointer_is_per_thread() -> None:
    module = parse_module("""
function fill(p: i32*, n: i32) -> void {
  let i: i32 = 0
  for (i < n) {
    p[i] = (i * (%thread.x as i32))
  } step {
    i = (i + 1)
  }
}

kernel k(out: i32*) {
  let a: i32[6]
  call fill(&a[0], 6)
  let j: i32 = ((%thread.x as i32) % 6)
  out[%thread.x] = (a[j] + a[5])
}
""")
    out = np.zeros(40, np.int32)
    run(module, "k", 1, 40, [out])
    t = np.arange(40)
    assert (out == (t % 6) * t + 5 * t).all()


def test_recursion_and_its_limit() -> None:
    module = parse_module("""
function fact(n: u32) -> u32 {
  if (n < 2u32) {
    return 1u32
  }
  let r: u32
  r = call fact((n - 1u32))
  return (r * n)
}

function forever(n: u32) -> u32 {
  let r: u32
  r = call forever((n + 1u32))
  return r
}

kernel k(out: u32*) {
  let r: u32
  r = call fact(%thread.x)
  out[%thread.x] = r
}

kernel bad(out: u32*) {
  let r: u32
  r = call forever(0u32)
  out[0] = r
}
""")
    out = np.zeros(10, np.uint32)
    run(module, "k", 1, 10, [out])
    assert out.tolist() == [1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880]
    with pytest.raises(PortError, match="nest deeper"):
        run(module, "bad", 1, 1, [out])


def test_function_pointers() -> None:
    module = parse_module("""
function add(a: i32, b: i32) -> i32 {
  return (a + b)
}

function mul(a: i32, b: i32) -> i32 {
  return (a * b)
}

kernel k(out: i32*) {
  let t: i32 = (%thread.x as i32)
  let r: i32
  r = call *(((t & 1) == 0) ? @add : @mul)(t, 10)
  out[t] = r
}
""")
    out = np.zeros(4, np.int32)
    run(module, "k", 1, 4, [out])
    assert out.tolist() == [10, 10, 12, 30]


def test_table_of_functions_in_global_memory() -> None:
    module = parse_module("""
constant table: handle`int (*)(int)`[2] = new handle`int (*)(int)`[2]{@twice, @square}

function twice(x: i32) -> i32 {
  return (x * 2)
}

function square(x: i32) -> i32 {
  return (x * x)
}

kernel k(out: i32*) {
  let t: i32 = (%thread.x as i32)
  let r: i32
  r = call *table[(t & 1)](t)
  out[t] = r
}
""")
    out = np.zeros(6, np.int32)
    run(module, "k", 1, 6, [out])
    assert out.tolist() == [0, 1, 4, 9, 8, 25]


def test_last_lane_wins_a_store() -> None:
    module = parse_module("""
kernel k(out: u32*) {
  out[0] = %thread.x
  out[(1u32 + (%thread.x & 1u32))] = %thread.x
}
""")
    out = np.zeros(3, np.uint32)
    run(module, "k", 1, 50, [out])
    assert out.tolist() == [49, 48, 49]


def test_aliasing_arguments() -> None:
    module = parse_module("""
kernel k(a: f32*, b: f32*) {
  a[%thread.x] = (a[%thread.x] + 1.0f)
  b[%thread.x] = (b[%thread.x] * 10.0f)
}
""")
    x = np.arange(12, dtype=np.float32)
    run(module, "k", 1, 8, [x[:8], x[4:]])
    want = np.arange(12, dtype=np.float32)
    want[:8] += 1
    want[4:] *= 10
    assert (x == want).all()


def test_array_that_is_not_contiguous_is_written_back() -> None:
    module = parse_module("""
kernel k(a: f32*) {
  a[%thread.x] = 7.0f
}
""")
    x = np.zeros((4, 2), np.float32)
    run(module, "k", 1, 4, [x[:, 1]])
    assert x[:, 1].tolist() == [7] * 4 and x[:, 0].tolist() == [0] * 4


def test_globals_and_constants() -> None:
    module = parse_module("""
constant table: i32[3] = new i32[3]{10, 20, 30}

global counter: u32

kernel k(out: i32*) {
  out[%thread.x] = table[%thread.x]
  atomic.add.device(counter, 1u32)
}
""")
    out, counter = np.zeros(3, np.int32), np.array([5], np.uint32)
    run(module, "k", 2, 3, [out], globals_={"counter": counter})
    assert out.tolist() == [10, 20, 30] and counter[0] == 11
    table = np.array([1, 2, 3], np.int32)
    run(module, "k", 1, 3, [out], globals_={"table": table})
    assert out.tolist() == [1, 2, 3]


@pytest.mark.parametrize("index", ["(i + 1)", "(i - 1)", "(i * 1000000)"])
def test_out_of_bounds_names_the_thread(index: str) -> None:
    module = parse_module(f"""
kernel k(x: f32*) {{
  let i: i32 = (((%block.x * %block_dim.x) + %thread.x) as i32)
  x[{index}] = 1.0f
}}
""")
    x = np.zeros(64, np.float32)
    with pytest.raises(PortError) as caught:
        run(module, "k", 2, 32, [x])
    assert caught.value.diagnostic.code == Code.KERNEL_FAULT
    assert "thread" in str(caught.value)


def test_faults_as_findings() -> None:
    module = parse_module("""
kernel k(x: f32*, p: f32*, q: u8*) {
  x[(%thread.x + 30u32)] = 1.0f
  let i: u32 = %thread.x
  if (i == 3u32) {
    p[0] = 2.0f
  }
  if (i == 4u32) {
    ((q + 1) as f32*)[0] = 2.0f
  }
}
""")
    x, q = np.zeros(32, np.float32), np.zeros(16, np.uint8)
    report = run(module, "k", 1, 32, [x, None, q], checks=Checks(stop_on_fault=False))
    found = {f.kind: f for f in report.findings}
    assert set(found) == {"out-of-bounds", "bad-pointer", "misaligned"}
    assert found["out-of-bounds"].count == 30
    assert found["out-of-bounds"].thread and found["out-of-bounds"].thread.thread == (2, 0, 0)
    assert x[:30].sum() == 0 and x[30:].sum() == 2


def test_lanes_that_do_not_take_part_may_point_anywhere() -> None:
    module = parse_module("""
kernel k(x: i32*, n: i32) {
  let i: i32 = (%thread.x as i32)
  let v: i32 = ((i < n) ? x[i] : -1)
  if ((i < n) && (x[i] > 0)) {
    x[i] = (v * 2)
  }
}
""")
    x = np.array([1, -2, 3], np.int32)
    run(module, "k", 1, 64, [x, 3])
    assert x.tolist() == [2, -2, 6]


def test_dynamic_shared_memory() -> None:
    module = parse_module("""
kernel k(out: f32*) {
  shared buf: f32[0]
  buf[%thread.x] = (%thread.x as f32)
  barrier.block()
  let d: f64* = ((&buf[64]) as f64*)
  d[%thread.x] = (buf[(63u32 - %thread.x)] as f64)
  barrier.block()
  out[((%block.x * 64u32) + %thread.x)] = (d[%thread.x] as f32)
}
""")
    out = np.zeros(128, np.float32)
    run(module, "k", 2, 64, [out], shared_bytes=64 * 4 + 64 * 8)
    assert (out.reshape(2, 64) == np.arange(63, -1, -1)).all()
    with pytest.raises(PortError, match="shared"):
        run(module, "k", 2, 64, [out], shared_bytes=64 * 4 + 63 * 8)


def test_oracle_keeps_float64_through_memory() -> None:
    module = parse_module("""
kernel k(x: f32*, y: f32*, h: f16*) {
  shared s: f32[32]
  let t: u32 = %thread.x
  s[t] = (x[t] / 3.0f)
  barrier.block()
  y[t] = (s[(31u32 - t)] * s[t])
  h[t] = ((s[t] as f16) + 1.0f16)
}
""")
    x = (np.arange(32) + 1).astype(np.float32)
    y, h = np.zeros(32, np.float32), np.zeros(32, np.float16)
    report = run(module, "k", 1, 32, [x, y, h], mode="oracle")
    third = x.astype(np.float64) / 3
    assert (report.oracle[1] == third[::-1] * third).all()
    assert (report.oracle[2] == third + 1).all()
    assert (y == report.oracle[1].astype(np.float32)).all()


def test_oracle_respects_bits_written_as_integers() -> None:
    module = parse_module("""
kernel k(x: f32*, y: f32*) {
  x[0] = (1.0f / 3.0f)
  let p: u32* = (x as u32*)
  p[0] = (p[0] + 1u32)
  y[0] = x[0]
}
""")
    x, y = np.zeros(1, np.float32), np.zeros(1, np.float32)
    report = run(module, "k", 1, 1, [x, y], mode="oracle")
    assert report.oracle[1][0] == float(np.nextafter(np.float32(1) / np.float32(3), np.float32(1)))
