"""Which ports may measure their own configurations, and which may not."""

from pathlib import Path

import pytest

import crossport

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def text(name: str) -> str:
    (output,) = crossport.port(CORPUS / name / f"{name}.cu", to="triton").outputs
    return output.data.decode()


@pytest.mark.parametrize("name", ["vecadd", "matmul_tiled", "softmax_rows"])
def test_a_port_that_can_be_launched_again_can_be_tuned(name: str) -> None:
    assert "    _tuned(" in text(name)


@pytest.mark.parametrize("name", ["saxpy_grid_stride", "compact_ballot", "reduce_atomic_float"])
def test_a_port_whose_second_launch_does_something_else_cannot(name: str) -> None:
    assert "_tuned(" not in text(name)
