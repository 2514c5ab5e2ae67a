"""Counts of concrete launches, against sets of segments and banks written out by hand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from crossport.ir.facts import Launch, gpu, kernel_facts
from crossport.ir.facts.counts import global_counts, shared_counts
from crossport.ir.facts.trace import trace_launch
from crossport.ir.parser import parse_module

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("target", ["sm_90", "gfx942", "gfx90a"])
@pytest.mark.parametrize("size", [1, 4, 8, 16])
def test_segments(target: str, size: int) -> None:
    row = gpu(target)
    offset = RNG.integers(0, 600, 300) * size
    wave = np.sort(RNG.integers(0, 6, 300))
    got = global_counts(offset, size, wave, row)
    touched, used = defaultdict(set), defaultdict(set)
    for o, w in zip(offset.tolist(), wave.tolist(), strict=True):
        for byte in range(o, o + size):
            touched[w].add(byte // row.segment)
            used[w].add(byte)
    assert got.requests == len(touched)
    assert got.segments == sum(len(s) for s in touched.values())
    assert got.ideal == sum(max(1, -(-len(s) // row.segment)) for s in used.values())
    assert got.used == sum(len(s) for s in used.values()) and got.lanes == 300


@pytest.mark.parametrize("target", ["sm_90", "gfx942"])
def test_bank_passes_of_words(target: str) -> None:
    row = gpu(target)
    lanes = np.arange(64)
    wave = lanes // row.wave
    for stride in (0, 1, 2, 3, 16, 32, 33):
        got = shared_counts(lanes * stride * 4, 4, lanes, wave, row)
        want = 0
        for part in range(2):
            banks = defaultdict(set)
            for lane in range(32 * part, 32 * part + 32):
                banks[lane * stride % 32].add(lane * stride)
            want += max(len(words) for words in banks.values())
        assert got.passes == want, stride


def test_wide_shared_loads_on_nvidia() -> None:
    """As measured on an H200: a broadcast float4 takes 2 cycles, distinct ones 4."""
    row, lanes = gpu("sm_90"), np.arange(32)
    wave = np.zeros(32, np.int64)
    assert shared_counts(np.zeros(32, np.int64), 16, lanes, wave, row).passes == 2
    assert shared_counts(lanes * 16, 16, lanes, wave, row).passes == 4
    assert shared_counts(np.zeros(32, np.int64), 8, lanes, wave, row).passes == 1
    assert shared_counts(lanes * 8, 8, lanes, wave, row).passes == 2
    assert shared_counts(lanes // 2 * 8, 8, lanes, wave, row).passes == 1


VECTOR = """
struct float4 size 16 align 16 {
  x: f32 @0
  y: f32 @4
  z: f32 @8
  w: f32 @12
}

struct float3 size 12 align 4 {
  x: f32 @0
  y: f32 @4
  z: f32 @8
}

kernel k(a: float4*, b: float3*, out: f32*) {
  let v: float4 = a[%thread.x]
  let w: float3 = b[%thread.x]
  out[%thread.x] = (v.x + w.z)
}
"""


def test_aligned_structs_move_at_once() -> None:
    a, b, out = np.zeros(256, np.float32), np.zeros(192, np.float32), np.zeros(64, np.float32)
    trace = trace_launch(parse_module(VECTOR), "k", 1, 64, [a, b, out], targets=("sm_90", "gfx942"))
    by_base = {key.base: counts for key, counts in trace.on("sm_90").sites.items()}
    assert (by_base["a"].requests, by_base["a"].segments) == (2, 32)
    # Three loads of 4 bytes, 12 apart: each touches all twelve sectors of its 384 bytes.
    assert (by_base["b"].requests, by_base["b"].segments) == (6, 72)
    on_amd = {key.base: counts for key, counts in trace.on("gfx942").sites.items()}
    assert (on_amd["a"].requests, on_amd["a"].segments) == (1, 8)


REGULAR = """
kernel k(x: f32*, out: f32*, n: i32) {
  shared tile: f32[1056]
  let tx: i32 = (%thread.x as i32)
  let ty: i32 = (%thread.y as i32)
  tile[((ty * 33) + tx)] = x[((ty * n) + tx)]
  barrier.block()
  out[((tx * n) + ty)] = (tile[((tx * 33) + ty)] + tile[(tx * 32)])
}
"""


def test_a_trace_and_the_facts_agree_where_both_know() -> None:
    module = parse_module(REGULAR)
    x, out = np.zeros(1024, np.float32), np.zeros(1024, np.float32)
    targets = ("sm_90", "gfx942")
    trace = trace_launch(module, "k", 1, (32, 32), [x, out, 32], targets=targets)
    facts = kernel_facts(module, "k", Launch((1, 1, 1), (32, 32, 1), {"n": 32}), targets)
    for name in targets:
        patterns = facts.on(name).patterns
        known = [(a.base.name, a.kind, p.segments or p.passes)
                 for a, p in zip(facts.accesses, patterns, strict=True)]  # fmt: skip
        counted = [
            (key.base, key.kind, c.segments_per_request or c.passes_per_request)
            for key, c in trace.on(name).sites.items()
        ]
        assert sorted(counted) == sorted(known)


def test_a_walk_along_a_row_uses_the_segments_it_fetched() -> None:
    module = parse_module("""
kernel k(x: f32*, out: f32*, n: i32) {
  let t: i32 = (%thread.x as i32)
  let s: f32 = 0.0f
  let j: i32 = 0
  for (j < n) {
    s = (s + x[((t * n) + j)])
  } step {
    j = (j + 1)
  }
  out[t] = s
}
""")
    facts = kernel_facts(module, "k", Launch((1, 1, 1), (64, 1, 1), {"n": 512}))
    assert facts.on("sm_90").patterns[0].rounds_per_segment == 8
    assert facts.on("gfx942").patterns[0].rounds_per_segment == 32
    assert facts.on("gfx942").patterns[1].rounds_per_segment is None


def test_atomics_on_one_address_are_named() -> None:
    from crossport.diagnostics import Span
    from crossport.ir.facts.changes import changes
    from crossport.ir.facts.report import KernelReport

    module = parse_module("""
kernel k(sum: f32*, x: f32*) {
  atomic.add.device(sum[0], x[%thread.x])
}
""")
    report = KernelReport(kernel_facts(module, "k"), Span("k.cu", 1))
    assert any("64 lanes of a wave take turns at one address" in c for c in changes(report.facts))


MERGED = """
kernel k(x: const f32*, out: f32*) {
  shared tile: f32[128]
  tile[%thread.x] = x[%thread.x]
  barrier.block()
  let sum: f32 = 0.0f
  let i: i32 = 0
  for (i < 4) {
    sum = (sum + tile[((4 * (%thread.x as i32)) + (i + START))])
  } step {
    i = (i + 1)
  }
  out[%thread.x] = sum
}
"""


@pytest.mark.parametrize(("start", "requests"), [(0, 1), (2, 2), (1, 3)])
def test_neighbouring_words_of_shared_memory_are_one_load(start: int, requests: int) -> None:
    """Four words from a place that divides by 16, 8 or 4 bytes."""
    module = parse_module(MERGED.replace("START", str(start)))
    x, out = np.ones(128, np.float32), np.zeros(128, np.float32)
    trace = trace_launch(module, "k", 1, 31, [x, out]).on("sm_90")
    assert trace.total("shared", "load").requests == requests
    assert trace.total("shared", "store").requests == 1


REPEATED = """
kernel k(x: f32*, out: f32*) {
  let best: f32 = 0.0f
  if (x[%thread.x] > best) {
    best = x[%thread.x]
  }
  STORE
  best = (best + x[%thread.x])
  out[%thread.x] = best
}
"""


@pytest.mark.parametrize(
    ("between", "requests"),
    [("best = best", 1), ("out[0] = 1.0f", 2), ("barrier.block()", 2), ("best = x[0]", 3)],
)
def test_a_value_is_loaded_again_only_after_a_write(between: str, requests: int) -> None:
    module = parse_module(REPEATED.replace("STORE", between))
    x, out = np.ones(32, np.float32), np.zeros(32, np.float32)
    trace = trace_launch(module, "k", 1, 32, [x, out]).on("sm_90")
    assert trace.total("global", "load").requests == requests
