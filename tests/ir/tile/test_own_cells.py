"""A shared cell that one lane alone touches in a loop is a variable of that lane."""

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

BLOCK = (256, 1, 1)
SUM = """
  shared s: f32[256]
  let t: i32 = (%thread.x as i32)
  {first}
  let i: i32 = t
  while (i < n) {{
    s[{place}] = (s[{place}] + x[i])
    i = (i + 256)
    {also}
  }}
  barrier()
  y[t] = s[(255 - t)]
"""


def lift(first: str = "s[t] = 0.0f", place: str = "t", also: str = "") -> flat.Program:
    source = kernels.program(SUM.format(first=first, place=place, also=also))
    return lift_exchanges(source, BLOCK)


def test_lanes_may_leave_such_a_loop_at_different_times() -> None:
    lifted = lift()
    (loop,) = kernels.found(lifted, flat.Loop)
    assert not [s for s in flat.statements([loop]) if isinstance(s, flat.Store)]
    assert kernels.found(lifted, flat.LaneGather)
    assert lifted.shared == ()


def test_another_order_of_the_cells_is_as_good() -> None:
    assert lift("s[(t ^ 5)] = 0.0f", place="(t ^ 5)").shared == ()


@pytest.mark.parametrize(
    ("first", "place", "also"),
    [
        pytest.param("s[t] = 0.0f\n  barrier()", "(t & 31)", "", id="lanes share a cell"),
        pytest.param("s[t] = 0.0f", "t", "s[(t ^ 1)] = 1.0f", id="another's cell as well"),
        pytest.param("s[t] = 0.0f\n  barrier()", "(i & 255)", "", id="another cell each round"),
        pytest.param("", "t", "", id="nobody wrote it before"),
        pytest.param("s[t] = 0.0f", "t", "syncwarp()", id="lanes meet in the loop"),
    ],
)
def test_other_loops_refuse(first: str, place: str, also: str) -> None:
    with pytest.raises(NotLifted):
        lift(first, place, also)
