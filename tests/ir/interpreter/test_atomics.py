"""Atomics of every operation and type against lanes taken one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crossport.ir.interpreter import run
from crossport.ir.parser import parse_module

TYPES = {
    "i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64,
    "f32": np.float32, "f64": np.float64, "f16": np.float16,
}  # fmt: skip


def _kernel(op: str, type: str, operands: str) -> str:
    return f"""
kernel k(cells: {type}*, at: i32*, v: {type}*, w: {type}*, old: {type}*) {{
  let t: u32 = ((%block.x * %block_dim.x) + %thread.x)
  let r: {type}
  if (at[t] >= 0) {{
    r = atomic.{op}.device(cells[at[t]], {operands})
    old[t] = r
  }}
}}
"""


def _one(op: str, cell: Any, v: Any, w: Any) -> Any:
    match op:
        case "add":
            return cell + v
        case "sub":
            return cell - v
        case "exch":
            return v
        case "min":
            return min(cell, v)
        case "max":
            return max(cell, v)
        case "and":
            return cell & v
        case "or":
            return cell | v
        case "xor":
            return cell ^ v
        case "inc":
            return type(cell)(0) if cell >= v else cell + type(cell)(1)
        case "dec":
            return v if cell == 0 or cell > v else cell - type(cell)(1)
        case _:
            return w if cell == v else cell


@pytest.mark.parametrize("cells", [1, 3, 500])
@pytest.mark.parametrize(
    ("op", "type"),
    [(op, t) for op in ("add", "sub", "exch", "min", "max", "cas") for t in ("i32", "u32", "u64")]
    + [(op, t) for op in ("and", "or", "xor") for t in ("i32", "u64")]
    + [(op, "u32") for op in ("inc", "dec")]
    + [(op, t) for op in ("add", "exch", "min", "max") for t in ("f32", "f64", "f16")],
)
def test_old_values_and_result(op: str, type: str, cells: int) -> None:
    rng = np.random.default_rng(7)
    dtype: Any = TYPES[type]
    n = 2 * 48
    start = rng.integers(0, 20, cells).astype(dtype)
    at = rng.integers(-1, cells, n).astype(np.int32)
    v = rng.integers(0, 20, n).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        v = v + rng.random(n).astype(dtype)
    w = rng.integers(0, 20, n).astype(dtype)
    module = parse_module(_kernel(op, type, "v[t], w[t]" if op == "cas" else "v[t]"))
    got, old = start.copy(), np.zeros(n, dtype)
    run(module, "k", 2, 48, [got, at, v, w, old])
    want, want_old = start.copy(), np.zeros(n, dtype)
    with np.errstate(all="ignore"):
        for t in range(n):
            if at[t] >= 0:
                want_old[t] = want[at[t]]
                want[at[t]] = _one(op, want[at[t]], v[t], w[t])
    assert (got == want).all()
    assert (old == want_old).all()


def test_bf16_add_rounds_each_time() -> None:
    module = parse_module("""
kernel k(cell: bf16*) {
  atomic.add.device(cell[0], 1.0bf16)
}
""")
    cell = np.array([0x4380], np.uint16)  # 256: adding 1 is lost each time
    run(module, "k", 1, 64, [cell])
    assert cell[0] == 0x4380


def test_shared_atomics_are_per_block() -> None:
    module = parse_module("""
kernel hist(x: u8*, bins: u32*) {
  shared h: u32[4]
  if (%thread.x < 4u32) {
    h[%thread.x] = 0u32
  }
  barrier.block()
  atomic.add.block(h[((x[((%block.x * %block_dim.x) + %thread.x)] & 3u8) as i32)], 1u32)
  barrier.block()
  if (%thread.x < 4u32) {
    bins[((%block.x * 4u32) + %thread.x)] = h[%thread.x]
  }
}
""")
    x = np.random.default_rng(0).integers(0, 255, 5 * 96).astype(np.uint8)
    bins = np.zeros((5, 4), np.uint32)
    run(module, "hist", 5, 96, [x, bins])
    want = [np.bincount(row & 3, minlength=4) for row in x.reshape(5, 96)]
    assert (bins == np.array(want)).all()


def test_compare_and_swap_loop() -> None:
    module = parse_module("""
kernel k(cell: u32*, x: f32*) {
  let mine: f32 = x[((%block.x * %block_dim.x) + %thread.x)]
  let old: u32 = cell[0]
  let seen: u32
  do {
    seen = old
    old = atomic.cas.device(cell[0], seen, (((seen bits f32) + mine) bits u32))
  } while (seen != old)
}
""")
    x = np.random.default_rng(1).integers(0, 9, 3 * 64).astype(np.float32)
    cell = np.zeros(1, np.float32)
    run(module, "k", 3, 64, [cell.view(np.uint32), x])
    assert cell[0] == x.sum()


def test_last_block_done() -> None:
    module = parse_module("""
kernel k(count: u32*, parts: u32*, out: u32*) {
  shared last: bool
  if (%thread.x == 0u32) {
    parts[%block.x] = (%block.x + 1u32)
    fence.device()
    let ticket: u32
    ticket = atomic.inc.device(count[0], (%grid_dim.x - 1u32))
    last = (ticket == (%grid_dim.x - 1u32))
  }
  barrier.block()
  if (last && (%thread.x == 0u32)) {
    let s: u32 = 0u32
    let i: u32 = 0u32
    for (i < %grid_dim.x) {
      s = (s + volatile(parts[i]))
    } step {
      i = (i + 1u32)
    }
    out[0] = s
  }
}
""")
    count, parts, out = np.zeros(1, np.uint32), np.zeros(50, np.uint32), np.zeros(1, np.uint32)
    run(module, "k", 50, 64, [count, parts, out])
    assert out[0] == 50 * 51 // 2 and count[0] == 0


def test_spin_locks_and_flags_between_blocks() -> None:
    module = parse_module("""
kernel lock(mutex: i32*, sum: i32*) {
  if (%thread.x == 0u32) {
    let old: i32
    do {
      old = atomic.cas.device(mutex[0], 0, 1)
    } while (old != 0)
    sum[0] = (sum[0] + 1)
    fence.device()
    atomic.exch.device(mutex[0], 0)
  }
}

kernel barrier_by_hand(arrived: u32*, data: u32*, out: u32*) {
  data[%block.x] = (%block.x * 3u32)
  barrier.block()
  if (%thread.x == 0u32) {
    fence.device()
    atomic.add.device(arrived[0], 1u32)
    while (volatile(arrived[0]) < %grid_dim.x) {
    }
  }
  barrier.block()
  out[%block.x] = data[((%grid_dim.x - 1u32) - %block.x)]
}

kernel chain(flag: u32*, prefix: u32*) {
  if (%thread.x == 0u32) {
    let before: u32 = 0u32
    if (%block.x > 0u32) {
      while (volatile(flag[(%block.x - 1u32)]) == 0u32) {
      }
      before = volatile(prefix[(%block.x - 1u32)])
    }
    prefix[%block.x] = (before + %block.x)
    fence.device()
    flag[%block.x] = 1u32
  }
}
""")
    mutex, total = np.zeros(1, np.int32), np.zeros(1, np.int32)
    run(module, "lock", 20, 64, [mutex, total])
    assert total[0] == 20
    arrived, data, out = np.zeros(1, np.uint32), np.zeros(300, np.uint32), np.zeros(300, np.uint32)
    run(module, "barrier_by_hand", 300, 256, [arrived, data, out])
    assert (out == np.arange(299, -1, -1) * 3).all()
    flag, prefix = np.zeros(40, np.uint32), np.zeros(40, np.uint32)
    run(module, "chain", 40, 32, [flag, prefix])
    assert (prefix == np.cumsum(np.arange(40))).all()
