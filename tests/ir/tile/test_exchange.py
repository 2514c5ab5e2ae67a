"""Exchanges are summarised by what they compute, whatever their spelling."""

import importlib.util
from pathlib import Path

import pytest

from crossport.ir.lift import flat
from crossport.ir.tile.exchange import lift_exchanges
from crossport.ir.tile.limits import NotLifted

_SPEC = importlib.util.spec_from_file_location("kernels", Path(__file__).with_name("kernels.py"))
assert _SPEC is not None and _SPEC.loader is not None
kernels = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(kernels)
program, tree, found = kernels.program, kernels.tree, kernels.found

BLOCK = (256, 1, 1)


def lift(source: flat.Program, block: tuple[int, int, int] = BLOCK) -> flat.Program:
    return lift_exchanges(source, block, eager=False)


def test_a_tree_is_a_reduction_over_all_lanes() -> None:
    (reduce,) = found(lift(tree()), flat.LaneReduce)
    assert (reduce.op, reduce.width, reduce.scan) == ("+", 0, None)


def test_nothing_of_the_shared_memory_is_left() -> None:
    lifted = lift(tree())
    assert lifted.shared == ()
    assert not found(lifted, flat.Loop)
    assert not found(lifted, flat.Sync)


def test_a_tree_that_stops_early_is_no_reduction_over_all_lanes() -> None:
    lifted = lift(tree(stop=1))
    for reduce in found(lifted, flat.LaneReduce):
        assert "Select" in repr(reduce.source), "it would be a sum over every lane"


def test_a_missing_barrier_refuses() -> None:
    with pytest.raises(NotLifted, match="race"):
        lift(tree(barrier="syncwarp()"))


def test_a_block_smaller_than_the_tree_refuses() -> None:
    with pytest.raises(NotLifted, match="nobody wrote"):
        lift(tree(), (128, 1, 1))


def test_shuffles_down_are_a_reduction_of_a_warp() -> None:
    source = program("""
  let v: f32 = x[(%thread.x as i32)]
  let o: f32
  let k: i32 = 16
  for (k > 0) {
    o = shuffle.down(v, k; mask=4294967295u32)
    v = (v + o)
  } step {
    k = (k >> 1)
  }
  if ((%thread.x as i32) == 0) {
    y[0] = v
  }
""")
    (reduce,) = found(lift(source, (32, 1, 1)), flat.LaneReduce)
    assert reduce.op == "+"


def test_butterflies_leave_the_sum_of_its_warp_in_every_lane() -> None:
    source = program("""
  let v: f32 = x[(%thread.x as i32)]
  let o: f32
  let k: i32 = 16
  for (k > 0) {
    o = shuffle.xor(v, k; mask=4294967295u32)
    v = (v + o)
  } step {
    k = (k >> 1)
  }
  y[(%thread.x as i32)] = v
""")
    (reduce,) = found(lift(source, (128, 1, 1)), flat.LaneReduce)
    assert reduce.width == 32


def test_reading_the_neighbour_is_a_gather() -> None:
    source = program("""
  shared s: f32[64]
  let t: i32 = (%thread.x as i32)
  s[t] = x[t]
  barrier()
  y[t] = s[(63 - t)]
""")
    (gather,) = found(lift(source, (64, 1, 1)), flat.LaneGather)
    assert "lane" in repr(gather.lane)


def test_a_place_that_depends_on_data_refuses() -> None:
    source = program("""
  shared s: f32[64]
  let t: i32 = (%thread.x as i32)
  s[(x[t] as i32)] = 1.0f
  barrier()
  y[t] = s[t]
""")
    with pytest.raises(NotLifted, match="depends on data"):
        lift(source, (64, 1, 1))


STAGED = """
  shared s: f32[256]
  let t: i32 = (%thread.x as i32)
  s[t] = x[t]
  barrier()
"""


def test_a_read_where_data_says_is_a_gather() -> None:
    lifted = lift(program(STAGED + "  y[t] = s[(n & 255)]\n"))
    assert found(lifted, flat.LaneGather)
    assert lifted.shared == ()


def test_a_loop_that_only_reads_stays_a_loop() -> None:
    body = """
  let sum: f32 = 0.0f
  let j: i32 = 0
  for (j < t) {
    sum = (sum + (s[j] * s[j]))
  } step {
    j = (j + 1)
  }
"""
    lifted = lift_exchanges(program(STAGED + body + "  y[t] = sum\n"), BLOCK, rolled=True)
    (loop,) = found(lifted, flat.Loop)
    assert isinstance(loop, flat.Loop)
    assert any(isinstance(s, flat.LaneGather) for s in loop.body)


def test_a_write_right_after_such_a_loop_is_a_race() -> None:
    body = """
  let sum: f32 = 0.0f
  let j: i32 = 0
  for (j < n) {
    sum = (sum + s[(j & 255)])
  } step {
    j = (j + 1)
  }
  s[t] = sum
  barrier()
  y[t] = s[(255 - t)]
"""
    with pytest.raises(NotLifted, match="race"):
        lift(program(STAGED + body))


COUNTED = """
  shared total: i32[1]
  let t: i32 = (%thread.x as i32)
  if (t == 0) {
    total[0] = 5
  }
  BARRIER
  let i: i32 = t
  for (i < n) {
    if (x[i] > 0.5f) {
      atomic.add.device(total[0], i)
    }
  } step {
    i = (i + 256)
  }
  barrier()
  if (t == 0) {
    y[0] = total[0]
  }
"""


def test_atomics_on_one_cell_are_a_reduction_of_shares() -> None:
    params = "x: const f32*, y: i32*, n: i32"
    lifted = lift(program(COUNTED.replace("BARRIER", "barrier()"), params))
    (reduce,) = found(lifted, flat.LaneReduce)
    assert (reduce.op, reduce.width) == ("+", 0)
    assert not found(lifted, flat.AtomicUpdate)


def test_an_atomic_that_races_with_the_zeroing_refuses() -> None:
    with pytest.raises(NotLifted, match="race"):
        lift(program(COUNTED.replace("BARRIER", "syncwarp()"), "x: const f32*, y: i32*, n: i32"))


def test_atomics_that_add_up_over_rounds_refuse() -> None:
    body = """
  shared total: i32[1]
  let t: i32 = (%thread.x as i32)
  if (t == 0) {
    total[0] = 0
  }
  barrier()
  let r: i32 = 0
  for (r < n) {
    atomic.add.device(total[0], t)
    barrier()
    y[t] = total[0]
    barrier()
  } step {
    r = (r + 1)
  }
"""
    with pytest.raises(NotLifted, match="nobody wrote"):
        lift(program(body, "y: i32*, n: i32"))


def test_a_permutation_without_a_formula_is_looked_up() -> None:
    body = "  y[t] = s[(((t * t) + ((t >> 1) * 7)) & 255)]\n"
    lifted = lift(program(STAGED + body))
    (table,) = lifted.globals
    t = range(256)
    assert table.init == tuple((i * i + (i >> 1) * 7) & 255 for i in t)


def test_lanes_turned_round_have_a_formula() -> None:
    lifted = lift(program(STAGED + "  y[t] = s[(((t / 32) * 32) + ((t + 5) & 31))]\n"))
    assert lifted.globals == ()
    assert found(lifted, flat.LaneGather)


def test_two_values_a_thread_are_scanned_one_by_one() -> None:
    body = """
  shared s: f32[512]
  let t: i32 = (%thread.x as i32)
  s[t] = x[t]
  s[(t + 256)] = x[(t + 256)]
  barrier()
  let d: i32 = 1
  for (d < 512) {
    let a: f32 = ((t >= d) ? s[(t - d)] : 0.0f)
    let b: f32 = (((t + 256) >= d) ? s[((t + 256) - d)] : 0.0f)
    barrier()
    s[t] = (s[t] + a)
    s[(t + 256)] = (s[(t + 256)] + b)
    barrier()
  } step {
    d = (d * 2)
  }
  y[t] = s[t]
  y[(t + 256)] = s[(t + 256)]
"""
    lifted = lift(program(body))
    reduces = found(lifted, flat.LaneReduce)
    assert [r.scan for r in reduces].count("inclusive") == 2
    assert [r.scan for r in reduces].count(None) == 1


def test_a_table_for_all_lanes_is_not_looked_up_by_some() -> None:
    body = """
  shared s: f32[256]
  let t: i32 = (%thread.x as i32)
  s[((t * 77) ^ ((t >> 3) & 5)) & 255] = x[t]
  barrier()
  WHERE {
    y[t] = s[(n & 255)]
  }
""".replace("s[((t * 77) ^ ((t >> 3) & 5)) & 255]", "s[(((t * 77) + ((t * t) * 2)) & 255)]")
    everyone = lift(program(body.replace("WHERE", "if (n > 3)")))
    assert everyone.globals, "the places have no formula"
    with pytest.raises(NotLifted, match="formula"):
        lift(program(body.replace("WHERE", "if (t < 32)")))
