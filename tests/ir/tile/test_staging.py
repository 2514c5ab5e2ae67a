"""Copies in shared memory are read where they came from, and only where that is the same."""

from functools import cache
from pathlib import Path

import pytest
from ir.tile.kernels import found

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift import flat
from crossport.ir.lift.prepare import prepare
from crossport.ir.nodes import Module, Special, walk
from crossport.ir.tile.retile import FreeShape, retile
from crossport.ir.tile.spread import spread_rounds
from crossport.ir.tile.staging import forward_staged

SOURCE = Path(__file__).with_name("cases") / "staging.cu"
ROW, SQUARE = (64, 1, 1), (8, 8, 1)


@cache
def module() -> Module:
    return lower_unit(parse(SOURCE))


def kernel(name: str) -> flat.Program:
    (source,) = [k for k in module().kernels if k.name == name]
    return prepare(module(), source)


def loops(program: flat.Program) -> list[flat.Loop]:
    return [s for s in flat.statements(program.body) if isinstance(s, flat.Loop)]


def sources(program: flat.Program) -> set[str]:
    return {s.ref.root.name for s in flat.statements(program.body) if isinstance(s, flat.Load)}


def free(program: flat.Program) -> FreeShape:
    shape = retile(program, splits_sums=True)
    assert isinstance(shape, FreeShape), shape
    return shape


@pytest.mark.parametrize("name", ["pairs", "short_round", "structs", "square"])
def test_copies_are_read_where_they_came_from(name: str) -> None:
    program = kernel(name)
    assert forward_staged(program, SQUARE if name == "square" else ROW) is None
    assert not program.shared
    assert not found(program, flat.Sync)
    assert sources(program) == {"x"}


def test_a_read_is_guarded_as_the_copy_was() -> None:
    program = kernel("pairs")
    assert forward_staged(program, ROW) is None
    (loop,) = [s for s in loops(program) if s.label == "loop_2"]
    (load,) = [s for s in loop.body if isinstance(s, flat.Load)]
    assert load.guard is not None
    parts = [*walk(load.ref.index), *walk(load.guard)]
    assert not any(isinstance(x, Special) for x in parts)  # of every thread's own


def test_a_table_is_read_up_to_the_end_it_was_filled_to() -> None:
    program = kernel("table")
    assert forward_staged(program, ROW) is None
    assert sources(program) == {"centers", "x"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_barrier", "no barrier stands between what is staged and its use"),
        ("no_second_barrier", "no barrier stands between the use of a round"),
        ("writes_the_source", "not made of loaded values"),
        ("unguarded_tail", "may keep what an earlier round left there"),
        ("beyond_the_block", "not known who wrote a cell"),
        ("moves_on", "depends on a value that changes"),
        ("two_stores", "several stores write one cell"),
        ("some_left", "may have left"),
        ("dear", "dear to compute"),
    ],
)
def test_near_misses_are_kept(name: str, reason: str) -> None:
    assert reason in str(forward_staged(kernel(name), ROW))


def test_a_smaller_block_does_not_write_all_that_is_read() -> None:
    assert "not known who wrote" in str(forward_staged(kernel("pairs"), (32, 1, 1)))


def test_rounds_become_lanes_of_a_row() -> None:
    program = kernel("pairs")
    assert forward_staged(program, ROW) is None
    assert spread_rounds(program, free(program)) == 64
    assert [s.label for s in loops(program)] == ["loop_1"]
    (total,) = found(program, flat.LaneReduce)
    assert total in program.body  # behind the loop, and once


def test_a_round_that_may_be_shorter_keeps_its_end() -> None:
    program = kernel("short_round")
    assert forward_staged(program, ROW) is None
    assert spread_rounds(program, free(program)) == 64
    assert len(loops(program)) == 2


def test_rounds_without_a_known_number_are_taken_so_many_at_a_time() -> None:
    program = kernel("long_sums")
    assert spread_rounds(program, free(program)) == 64
    assert len(found(program, flat.LaneReduce)) == 2
    (loop,) = loops(program)
    loads = [s for s in flat.statements([loop]) if isinstance(s, flat.Load)]
    assert all(s.guard is not None for s in loads if s.ref.root.name == "c")


@pytest.mark.parametrize("name", ["own_elements", "reads_its_sum", "sums_doubles"])
def test_other_loops_stay_with_their_threads(name: str) -> None:
    program = kernel(name)
    shape = free(program)
    before = repr(program.body)
    assert spread_rounds(program, shape) is None
    assert repr(program.body) == before
