"""Ports compute what the thread interpreter computes, on three cases of each of these kernels.

One kernel a class. Every case of the whole corpus: `python benchmarks/lift.py corpus`.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TILE = ["vecadd", "saxpy_grid_stride", "softmax_rows", "reduce_warp_shuffle", "matmul_tiled"]
OTHERS = ["histogram_shared_atomic", "particles_aos"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The benchmark's rows for the kernels above, both targets."""
    out = tmp_path_factory.mktemp("lift") / "rows.json"
    command = [
        sys.executable, str(ROOT / "benchmarks" / "lift.py"), str(ROOT / "corpus"),
        "--json", str(out), "--cases", "3", "--limit", "400", "--only", *TILE, *OTHERS,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    result: list[dict[str, str]] = json.loads(out.read_text())
    return result


@pytest.mark.parametrize("target", ["triton", "tpu"])
@pytest.mark.parametrize("name", TILE + OTHERS)
def test_a_port_is_right_on_its_cases(rows: list[dict[str, str]], name: str, target: str) -> None:
    mine = [r for r in rows if r["program"] == name and r["target"] == target]
    assert mine
    assert {r["result"] for r in mine} == {"right"}, mine


@pytest.mark.parametrize("target", ["triton", "tpu"])
@pytest.mark.parametrize("name", TILE)
def test_these_reach_the_tile_tier(rows: list[dict[str, str]], name: str, target: str) -> None:
    mine = [r for r in rows if r["program"] == name and r["target"] == target]
    assert {r["tier"] for r in mine} == {"tile"}
    assert not any("XLA alone" in r["why"] for r in mine)
