"""Shuffles, votes, matches and reductions against lane-by-lane definitions."""

from __future__ import annotations

import numpy as np
import pytest

from crossport.ir.interpreter import Checks, run
from crossport.ir.parser import parse_module


def _source(mode: str, lane: int, own: int, width: int, warp: int) -> int:
    """PTX ISA, shfl.sync: the lane that lane `own` reads from."""
    segment = warp - width
    first = own & segment
    last = first | ((warp - 1) & ~segment)
    b = lane & (warp - 1)
    j = {"idx": first | (b & ~segment), "up": own - b, "down": own + b, "xor": own ^ b}[mode]
    valid = j >= first if mode == "up" else j <= last
    return j if valid else own


@pytest.mark.parametrize("warp", [32, 64])
@pytest.mark.parametrize("width", [1, 2, 8, 16, 32, 64])
@pytest.mark.parametrize("mode", ["idx", "up", "down", "xor"])
def test_shuffles(mode: str, width: int, warp: int) -> None:
    if width > warp:
        pytest.skip("wider than the warp")
    module = parse_module(f"""
kernel k(x: i32*, by: i32*, out: i32*) {{
  let t: u32 = ((%block.x * %block_dim.x) + %thread.x)
  let r: i32
  r = shuffle.{mode}(x[t], by[t]; mask=4294967295u32, width={width})
  out[t] = r
}}
""")
    rng = np.random.default_rng(width)
    n = 2 * 2 * warp
    x = rng.integers(0, 10**6, n).astype(np.int32)
    by = rng.integers(0, 70, n).astype(np.int32)
    out = np.zeros(n, np.int32)
    run(module, "k", 2, 2 * warp, [x, by, out], warp_size=warp)
    for i in range(n):
        base, own = i // warp * warp, i % warp
        assert out[i] == x[base + _source(mode, int(by[i]), own, width, warp)], i


@pytest.mark.parametrize("warp", [32, 64])
def test_votes_with_divergence(warp: int) -> None:
    module = parse_module("""
kernel k(x: i32*, out: u64*) {
  let t: u32 = %thread.x
  if (x[t] >= 0) {
    let any: i32
    let all: i32
    let bits: u64
    let active: u64
    any = vote.any((x[t] > 5))
    all = vote.all((x[t] > 5))
    bits = vote.ballot((x[t] > 5))
    active = vote.active()
    out[(t * 4u32)] = (any as u64)
    out[((t * 4u32) + 1u32)] = (all as u64)
    out[((t * 4u32) + 2u32)] = bits
    out[((t * 4u32) + 3u32)] = active
  }
}
""")
    rng = np.random.default_rng(3)
    x = rng.integers(-3, 12, 96).astype(np.int32)
    x[:32] = np.abs(x[:32]) + 6
    out = np.zeros((96, 4), np.uint64)
    run(module, "k", 1, 96, [x, out], warp_size=warp)
    for i in range(96):
        if x[i] < 0:
            continue
        lanes = [j for j in range(i // warp * warp, min(i // warp * warp + warp, 96)) if x[j] >= 0]
        yes = [j for j in lanes if x[j] > 5]
        assert out[i, 0] == bool(yes)
        assert out[i, 1] == (len(yes) == len(lanes))
        assert int(out[i, 2]) == sum(1 << (j % warp) for j in yes)
        assert int(out[i, 3]) == sum(1 << (j % warp) for j in lanes)


def test_ballot_of_a_tile_starts_at_its_first_lane() -> None:
    module = parse_module("""
kernel k(out: u32*) {
  let b: u32
  b = vote.ballot(((%thread.x & 3u32) == 1u32); width=8)
  out[%thread.x] = b
}
""")
    out = np.zeros(32, np.uint32)
    run(module, "k", 1, 32, [out])
    assert (out == 0b00100010).all()


def test_match_any_and_all() -> None:
    module = parse_module("""
kernel k(x: i32*, any: u32*, all: u32*, pred: i32*) {
  let t: u32 = %thread.x
  let a: u32
  let b: u32
  let p: i32
  a = match.any(x[t]; mask=4294967295u32)
  b, p = match.all((x[t] & 0); mask=4294967295u32)
  any[t] = a
  all[t] = b
  pred[t] = p
}
""")
    x = np.random.default_rng(0).integers(0, 5, 64).astype(np.int32)
    any_, all_, pred = np.zeros(64, np.uint32), np.zeros(64, np.uint32), np.zeros(64, np.int32)
    run(module, "k", 1, 64, [x, any_, all_, pred])
    for i in range(64):
        base = i // 32 * 32
        assert int(any_[i]) == sum(1 << j for j in range(32) if x[base + j] == x[i])
    assert (all_ == 0xFFFFFFFF).all() and (pred == 1).all()


@pytest.mark.parametrize("op", ["add", "min", "max", "and", "or", "xor"])
def test_reductions_over_matched_groups(op: str) -> None:
    module = parse_module(f"""
kernel k(x: i32*, key: i32*, out: i32*) {{
  let t: u32 = %thread.x
  let m: u32
  m = match.any(key[t]; mask=4294967295u32)
  let r: i32
  r = warp_reduce.{op}(x[t]; mask=m)
  out[t] = r
}}
""")
    rng = np.random.default_rng(5)
    x = rng.integers(-100, 100, 64).astype(np.int32)
    key = rng.integers(0, 4, 64).astype(np.int32)
    out = np.zeros(64, np.int32)
    run(module, "k", 1, 64, [x, key, out])
    ufunc = {"add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
             "or": np.bitwise_or, "xor": np.bitwise_xor}[op]  # fmt: skip
    for i in range(64):
        base = i // 32 * 32
        group = [x[j] for j in range(base, base + 32) if key[j] == key[i]]
        assert out[i] == ufunc.reduce(group)


@pytest.mark.parametrize("scan", ["inclusive", "exclusive"])
def test_scans_over_tiles(scan: str) -> None:
    module = parse_module(f"""
kernel k(x: i32*, out: i32*) {{
  let r: i32
  r = warp_reduce.add.{scan}(x[%thread.x]; width=16)
  out[%thread.x] = r
}}
""")
    x = np.random.default_rng(5).integers(-100, 100, 64).astype(np.int32)
    out = np.zeros(64, np.int32)
    run(module, "k", 1, 64, [x, out])
    sums = np.cumsum(x.reshape(-1, 16), axis=1)
    want = sums if scan == "inclusive" else sums - x.reshape(-1, 16)
    assert (out.reshape(-1, 16) == want).all()


def test_barrier_reductions() -> None:
    module = parse_module("""
kernel k(x: i32*, out: i32*) {
  let t: u32 = ((%block.x * %block_dim.x) + %thread.x)
  let n: i32
  let a: i32
  let o: i32
  n = barrier.block.count((x[t] > 2))
  a = barrier.block.and((x[t] > -1))
  o = barrier.block.or((x[t] > 8))
  out[t] = (((n * 10) + (a * 2)) + o)
}
""")
    x = np.random.default_rng(5).integers(-1, 9, 3 * 50).astype(np.int32)
    out = np.zeros(150, np.int32)
    run(module, "k", 3, 50, [x, out])
    for b in range(3):
        part = x[b * 50 : b * 50 + 50]
        want = (part > 2).sum() * 10 + (part > -1).all() * 2 + (part > 8).any()
        assert (out[b * 50 : b * 50 + 50] == want).all()


def test_inactive_source_is_found() -> None:
    module = parse_module("""
kernel k(x: i32*) {
  if (%thread.x < 16u32) {
    let r: i32
    r = shuffle.down(x[%thread.x], 8; mask=65535u32)
    x[%thread.x] = r
  }
}
""")
    report = run(module, "k", 1, 32, [np.zeros(32, np.int32)], checks=Checks(warp=True))
    assert [f.kind for f in report.findings] == ["inactive-lane"]
    assert report.findings[0].thread and report.findings[0].thread.thread == (8, 0, 0)
