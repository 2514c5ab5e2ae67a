"""Exchanges are summarised by what they compute, whatever their spelling."""

import importlib.util
from pathlib import Path

import pytest

from crossport.ir.lift import flat
from crossport.ir.tile.exchange import lift_exchanges
from crossport.ir.tile.summary import NotLifted

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
