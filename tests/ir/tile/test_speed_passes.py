"""Passes that only make a port faster: what they do, and when they keep their hands off."""

from pathlib import Path

from ir.tile.kernels import found, program, tree

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift import flat
from crossport.ir.lift.loose import loose_sets
from crossport.ir.lift.prepare import prepare
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Select, walk
from crossport.ir.tile.batch import may_batch
from crossport.ir.tile.blocks import lift_for_blocks, lift_warps
from crossport.ir.tile.hoist import hoist_loads
from crossport.ir.tile.reload import reload_gathers
from crossport.ir.tile.reroll import reroll_vectors
from crossport.ir.tile.retile import FreeShape, retile
from crossport.ir.tile.share import share_exchanges
from crossport.ir.tile.unroll import unroll_choices
from crossport.ir.tile.widen import take_rounds

CORPUS = Path(__file__).resolve().parents[3] / "corpus"


def corpus(name: str) -> flat.Program:
    module = lower_unit(parse(CORPUS / name / f"{name}.cu"))
    return prepare(module, module.kernels[0])


def choices(of: flat.Program) -> int:
    return sum(
        isinstance(x, Select)
        for s in flat.statements(of.body)
        for e in flat.expressions(s)
        for x in walk(e)
    )


ROWS = """
  let row: i32 = (%thread.x as i32)
  let k: i32 = s[row]
  let total: f32 = 0.0f
  for (k < s[(row + 1)]) {
    BODY
  } step {
    k = (k + 1)
  }
  y[row] = total
"""
ROW_PARAMS = "s: const i32*, x: const f32*, y: f32*, t: i32*"


def test_loops_over_a_small_array_are_written_out() -> None:
    made = corpus("median_window")
    before = choices(made)
    unroll_choices(made)
    assert not found(made, flat.Loop)
    assert choices(made) * 2 < before * 9  # of nine rounds


def test_loops_that_choose_nothing_stay() -> None:
    made = corpus("game_of_life")
    loops = len(found(made, flat.Loop))
    assert len(found(unroll_choices(made), flat.Loop)) == loops


def test_the_end_of_a_row_is_loaded_once() -> None:
    made = program(ROWS.replace("BODY", "total = (total + x[k])"), ROW_PARAMS)
    (loop,) = found(hoist_loads(made), flat.Loop)
    assert isinstance(loop, flat.Loop) and not loop.head


def test_an_array_that_the_loop_writes_is_read_in_each_round() -> None:
    text = ROWS.replace("s[row]", "t[row]").replace("s[(row + 1)]", "t[(row + 1)]")
    made = program(text.replace("BODY", "t[k] = 1"), ROW_PARAMS)
    (loop,) = found(hoist_loads(made), flat.Loop)
    assert isinstance(loop, flat.Loop) and loop.head


def test_a_counter_that_nobody_reads_later_needs_no_mask() -> None:
    made = hoist_loads(program(ROWS.replace("BODY", "total = (total + x[k])"), ROW_PARAMS))
    facts = uniformity(made)
    free = loose_sets(made, facts)
    names = {s.var.name for s in flat.statements(made.body) if id(s) in free}  # type: ignore[union-attr]
    assert "k" in names
    assert "total" not in names


def test_small_blocks_stand_side_by_side() -> None:
    lifted = lift_for_blocks(tree, [(256, 1, 1)])
    assert not isinstance(lifted, str)
    assert may_batch(lifted.program)
    assert not may_batch(tree())


def test_a_neighbours_value_is_loaded_again() -> None:
    lifted = lift_for_blocks(lambda: corpus("stencil_1d_halo"), [(128, 1, 1)])
    assert not isinstance(lifted, str)
    assert found(lifted.program, flat.LaneGather)
    reload_gathers(lifted.program, lifted.shapes)
    assert not found(lifted.program, flat.LaneGather)


def test_far_lanes_values_are_exchanged() -> None:
    lifted = lift_for_blocks(lambda: corpus("shared_bank_conflict"), [(32, 32, 1)])
    assert not isinstance(lifted, str)
    reload_gathers(lifted.program, lifted.shapes)
    assert found(lifted.program, flat.LaneGather)


def test_parts_of_a_vector_are_taken_one_by_one() -> None:
    made = corpus("int8_quantize")
    stores = len(found(made, flat.Store))
    assert len(found(reroll_vectors(made), flat.Store)) == stores - 3


def test_parts_that_go_other_ways_stay_together() -> None:
    text = """
  let q: i32 = (%thread.x as i32)
  for (q < n) {
    y[(q * 2)] = x[(q * 2)]
    y[((q * 2) + 1)] = (x[((q * 2) + 1)] * 2.0f)
  } step {
    q = (q + 128)
  }
"""
    made = program(text)
    assert len(found(reroll_vectors(made), flat.Store)) == 2


def test_lanes_take_several_rounds_of_a_block() -> None:
    lifted = lift_for_blocks(lambda: corpus("reduce_cg_tile"), [(256, 1, 1)])
    assert not isinstance(lifted, str)
    assert take_rounds(lifted.program, lifted.threads) is not None


def test_part_of_a_warp_is_a_block() -> None:
    lifted = lift_warps(lambda: corpus("spmv_csr_vector"), [(128, 1, 1)])
    assert not isinstance(lifted, str)
    assert lifted.threads == 8


def test_a_sum_that_goes_to_one_place_is_split() -> None:
    made = corpus("reduce_atomic_float")
    shape = retile(made, splits_sums=True)
    assert isinstance(shape, FreeShape)
    assert shape.bounds
    assert not found(made, flat.Loop)


def test_a_maximum_is_taken_once() -> None:
    lifted = lift_for_blocks(lambda: corpus("int8_quantize"), [(128, 1, 1)])
    assert not isinstance(lifted, str)
    share_exchanges(lifted.program)
    assert len(found(lifted.program, flat.LaneReduce)) == 1
