"""Warps that go their own way become blocks; others stay."""

from pathlib import Path

import pytest

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift import flat
from crossport.ir.lift.prepare import prepare
from crossport.ir.nodes import Special, walk
from crossport.ir.tile.blocks import lift_warps
from crossport.ir.tile.rows import one_round
from crossport.ir.tile.warps import Warps, split_warps
from crossport.ir.tile.widen import widen

CORPUS = Path(__file__).resolve().parents[3] / "corpus"


def program(name: str) -> flat.Program:
    module = lower_unit(parse(CORPUS / name / f"{name}.cu"))
    return prepare(module, module.kernels[0])


def specials(of: flat.Program) -> set[str]:
    return {
        x.name
        for s in flat.statements(of.body)
        for e in flat.expressions(s)
        for x in walk(e)
        if isinstance(x, Special)
    }


@pytest.mark.parametrize(
    ("name", "row_each"),
    [("cross_entropy_rows", False), ("dot_dp4a", False), ("online_softmax_warp", True)],
)
def test_a_warp_a_row_is_a_block_a_row(name: str, row_each: bool) -> None:
    made = program(name)
    assert split_warps(made, Warps(row_each)) is None
    assert specials(made) <= {"block.x", "thread.x"}


def test_a_place_in_the_block_is_no_place_in_the_warp() -> None:
    made = program("reduce_warp_shuffle")
    assert split_warps(made, Warps(False)) is not None


def test_a_row_that_fits_is_loaded_once() -> None:
    lifted = lift_warps(lambda: program("dot_dp4a"), [(128, 1, 1)])
    assert not isinstance(lifted, str)
    assert widen(lifted.program, lifted.threads)
    whole = one_round(lifted.program)
    assert whole is not None
    assert not any(isinstance(s, flat.Loop) for s in flat.statements(whole[0].body))
