"""Races, barriers and uninitialised reads are found where they are, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crossport.diagnostics import PortError
from crossport.ir.interpreter import Checks, RunReport, run
from crossport.ir.parser import parse_module

RACES = Checks(stop_on_fault=False, races=True)


def launch(text: str, args: list[Any], checks: Checks, grid: int = 1, block: int = 64) -> RunReport:
    return run(parse_module(text), "k", grid, block, args, checks=checks)


def tree(barrier: str, start: int = 64) -> str:
    return f"""
kernel k(x: f32*, out: f32*) {{
  shared s: f32[128]
  let t: u32 = %thread.x
  s[t] = x[t]
  barrier.block()
  let n: u32 = {start}u32
  for (n > 0u32) {{
    if (t < n) {{
      s[t] = (s[t] + s[(t + n)])
    }}
    {barrier}
  }} step {{
    n = (n >> 1)
  }}
  if (t == 0u32) {{
    out[0] = s[0]
  }}
}}
"""


def test_a_correct_tree_is_clean() -> None:
    args = [np.ones(128, np.float32), np.zeros(1, np.float32)]
    assert launch(tree("barrier.block()"), args, RACES, block=128).is_clean


def test_a_tree_without_its_barrier_races() -> None:
    args = [np.ones(128, np.float32), np.zeros(1, np.float32)]
    report = launch(tree(""), args, RACES, block=128)
    assert {f.kind for f in report.findings} == {"race"}
    found = report.findings[0]
    assert found.thread and found.other and found.thread != found.other


def test_one_warp_is_in_lock_step_unless_asked() -> None:
    args = [np.ones(128, np.float32), np.zeros(1, np.float32)]
    text = tree("", start=16)
    assert launch(text, args, RACES, block=32).is_clean
    strict = Checks(stop_on_fault=False, races=True, warp_races=True)
    assert not launch(text, args, strict, block=32).is_clean


def test_write_after_read() -> None:
    text = """
kernel k(x: f32*) {
  shared s: f32[65]
  let t: u32 = %thread.x
  s[t] = x[t]
  if (t == 0u32) {
    s[64] = 0.0f
  }
  barrier.block()
  let v: f32 = s[(t + 1u32)]
  BARRIER
  s[t] = v
  x[t] = v
}
"""
    args = [np.ones(64, np.float32)]
    assert launch(text.replace("BARRIER", "barrier.block()"), args, RACES).is_clean
    report = launch(text.replace("BARRIER", ""), args, RACES)
    assert any("write of s races with a read" in f.message for f in report.findings)


def test_same_statement_writes() -> None:
    text = """
kernel k(x: u32*) {
  x[0] = VALUE
}
"""
    args = [np.zeros(1, np.uint32)]
    assert launch(text.replace("VALUE", "7u32"), args, RACES, block=32).is_clean
    report = launch(text.replace("VALUE", "%thread.x"), args, RACES, block=32)
    assert ["different values" in f.message for f in report.findings] == [True]


def test_blocks_race_in_global_memory() -> None:
    text = """
kernel k(x: u32*) {
  if (%block.x == 1u32) {
    x[0] = 5u32
  }
  barrier.block()
  if (%block.x == 0u32) {
    x[1] = x[0]
  }
}
"""
    report = launch(text, [np.zeros(2, np.uint32)], RACES, grid=2, block=1)
    found = report.findings[0]
    assert found.kind == "race" and found.thread and found.other
    assert found.thread.block != found.other.block


def test_atomics_do_not_race_with_each_other() -> None:
    text = """
kernel k(x: u32*) {
  atomic.add.device(x[0], 1u32)
  READ
}
"""
    args = [np.zeros(4, np.uint32)]
    assert launch(text.replace("READ", ""), args, RACES, grid=3).is_clean
    report = launch(text.replace("READ", "x[1] = x[0]"), args, RACES, grid=1)
    assert any("a read of x races with a write" in f.message for f in report.findings)


LAST_BLOCK = """
kernel k(count: u32*, parts: u32*, out: u32*) {
  shared last: bool
  if (%thread.x == 0u32) {
    parts[%block.x] = (%block.x + 1u32)
    FENCE
    let ticket: u32
    ticket = atomic.inc.device(count[0], (%grid_dim.x - 1u32))
    last = (ticket == (%grid_dim.x - 1u32))
  }
  barrier.block()
  if (last && (%thread.x == 0u32)) {
    let s: u32 = 0u32
    let i: u32 = 0u32
    for (i < %grid_dim.x) {
      s = (s + parts[i])
    } step {
      i = (i + 1u32)
    }
    out[0] = s
  }
}
"""


def test_hand_over_between_blocks_needs_its_fence() -> None:
    args = [np.zeros(1, np.uint32), np.zeros(9, np.uint32), np.zeros(1, np.uint32)]
    assert launch(LAST_BLOCK.replace("FENCE", "fence.device()"), args, RACES, grid=9).is_clean
    report = launch(LAST_BLOCK.replace("FENCE", ""), args, RACES, grid=9)
    assert {f.kind for f in report.findings} == {"race"}


def test_syncwarp_orders_a_warp() -> None:
    text = """
kernel k(x: u32*) {
  shared s: u32[32]
  let t: u32 = %thread.x
  s[t] = t
  SYNC
  x[t] = s[(31u32 - t)]
}
"""
    strict = Checks(stop_on_fault=False, races=True, warp_races=True)
    args = [np.zeros(32, np.uint32)]
    assert launch(text.replace("SYNC", "syncwarp()"), args, strict, block=32).is_clean
    assert not launch(text.replace("SYNC", ""), args, strict, block=32).is_clean


def test_uninitialised_locals() -> None:
    text = """
kernel k(x: i32*) {
  let a: i32
  let b: i32[3]
  b[1] = 4
  if (x[%thread.x] > 5) {
    a = b[INDEX]
  }
  x[%thread.x] = (a + 1)
}
"""
    checks = Checks(stop_on_fault=False, uninitialised=True)
    report = launch(text.replace("INDEX", "1"), [np.arange(64, dtype=np.int32)], checks)
    assert [(f.message, f.count) for f in report.findings] == [("read of a before any write", 6)]
    report = launch(text.replace("INDEX", "2"), [np.full(64, 9, np.int32)], checks)
    assert [f.message for f in report.findings] == ["read of b before any write"]


def test_two_readers_then_a_write_of_one_of_them() -> None:
    text = """
kernel k(x: u32*) {
  shared s: u32[2]
  let t: u32 = %thread.x
  if (t < 2u32) {
    s[t] = t
  }
  barrier.block()
  x[t] = s[1]
  if (t == 33u32) {
    s[1] = 9u32
  }
}
"""
    assert not launch(text, [np.zeros(64, np.uint32)], RACES).is_clean


def test_readers_of_one_warp_do_not_race_with_its_write() -> None:
    text = """
kernel k(x: u32*) {
  shared s: u32[64]
  let t: u32 = %thread.x
  s[t] = t
  let w: u32 = (t & 4294967264u32)
  x[t] = (s[w] + s[(w + 1u32)])
  s[t] = (s[w] + 1u32)
}
"""
    assert launch(text, [np.zeros(64, np.uint32)], RACES).is_clean
    strict = Checks(stop_on_fault=False, races=True, warp_races=True)
    assert not launch(text, [np.zeros(64, np.uint32)], strict).is_clean
    across = text.replace("(t & 4294967264u32)", "0u32")
    assert not launch(across, [np.zeros(64, np.uint32)], RACES).is_clean


def test_findings_point_into_the_source() -> None:
    from crossport.frontend.lowering import lower_unit
    from crossport.frontend.parse import parse

    source = """__global__ void k(float* x) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = s[63 - threadIdx.x];
}
"""
    module = lower_unit(parse("race.cu", text=source))
    report = run(module, "k", 1, 64, [np.zeros(64, np.float32)], checks=RACES)
    found = report.findings[0]
    assert found.span and found.other_span
    assert (found.span.line, found.other_span.line) == (4, 3)
    assert "race.cu:4" in str(found)


def test_narrow_and_wide_accesses_meet() -> None:
    text = """
kernel k(x: u32*) {
  shared s: u32[64]
  let t: u32 = %thread.x
  s[t] = t
  barrier.block()
  let b: u8* = ((&s[0]) as u8*)
  b[t] = 1u8
  x[t] = s[(t >> 2)]
}
"""
    report = launch(text, [np.zeros(64, np.uint32)], RACES)
    # Threads of one warp are exempt; bytes 32..63 belong to warp 1, words 8..15 are read by it.
    assert report.is_clean
    report = launch(
        text.replace("(t >> 2)", "(15u32 - (t >> 2))"), [np.zeros(64, np.uint32)], RACES
    )
    assert not report.is_clean


def test_barrier_in_divergent_code() -> None:
    text = """
kernel k(x: i32*) {
  if (CONDITION) {
    barrier.block()
  }
  x[%thread.x] = 1
}
"""
    args = [np.zeros(64, np.int32)]
    report = launch(text.replace("CONDITION", "%thread.x < 40u32"), args, Checks())
    assert [f.kind for f in report.findings] == ["barrier"]
    assert report.findings[0].thread and report.findings[0].thread.thread == (40, 0, 0)
    report = launch(text.replace("CONDITION", "%block.x == 0u32"), args, Checks(), grid=2)
    assert report.is_clean


def test_threads_that_returned_do_not_count() -> None:
    text = """
kernel k(x: i32*) {
  if (%thread.x >= 40u32) {
    return
  }
  barrier.block()
  x[%thread.x] = 1
}
"""
    assert launch(text, [np.zeros(64, np.int32)], Checks()).is_clean


def test_uninitialised_reads() -> None:
    checks = Checks(stop_on_fault=False, uninitialised=True, outputs=(0,))
    text = """
function first(p: i32*) -> i32 {
  return p[0]
}

kernel k(out: i32*, x: i32*) {
  shared s: i32[64]
  let a: i32[4]
  let t: u32 = %thread.x
  if (t != 7u32) {
    s[t] = x[t]
  }
  A
  let v: i32
  v = call first(&a[0])
  out[t] = (v + s[t])
  B
}
"""
    args = [np.zeros(64, np.int32), np.ones(64, np.int32)]
    report = launch(text.replace("A", "a[0] = 1").replace("B", ""), args, checks)
    assert [f.message for f in report.findings] == ["read of s before any write"]
    assert report.findings[0].thread and report.findings[0].thread.thread == (7, 0, 0)
    report = launch(text.replace("A", "").replace("B", "x[t] = out[(t ^ 1u32)]"), args, checks)
    assert {f.message for f in report.findings} == {
        "read of s before any write", "read of a before any write",
    }  # fmt: skip
    early = text.replace("A", "a[0] = out[t]").replace("B", "")
    report = launch(early, args, checks)
    assert "read of out before any write" in {f.message for f in report.findings}


def test_assert_and_trap() -> None:
    text = """
kernel k(x: i32*) {
  assert (x[%thread.x] > 0) "x[i] > 0"
}
"""
    args = [np.arange(64, dtype=np.int32)]
    with pytest.raises(PortError, match="assertion failed"):
        launch(text, args, Checks())
    report = launch(text, args, Checks(stop_on_fault=False))
    assert [f.kind for f in report.findings] == ["assert"] and report.findings[0].count == 1
    with pytest.raises(PortError, match="traps"):
        launch("kernel k(x: i32*) {\n  trap\n}\n", args, Checks())
