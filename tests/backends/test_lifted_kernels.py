"""Ports of small kernels, one mechanism of lifting each, compute what the interpreter computes.

`lifted/NAME/*.cu` are run on made-up arguments: `python benchmarks/lift.py tests/backends/lifted
--fuzz` prints the rows that are asked for here.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNELS = Path(__file__).parent / "lifted"
# Kernels that may keep the source's shared memory, and those that only XLA takes.
RECURSIVE = {"several_recursions", "recursion_in_a_loop", "recursion_for_effects"}
SIMT = RECURSIVE | {"transpose_inside"}
XLA = {
    "packed_halves", "halves_of_a_register", "wide_product", "high_product", "half_totals",
    "bytes_product", "loaded_rows",
}  # fmt: skip
# What a traced function cannot do: stop and say that the stack is full.
REFUSED = {("tpu", name) for name in RECURSIVE}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The benchmark's rows for all kernels, both targets."""
    out = tmp_path_factory.mktemp("lifted") / "rows.json"
    command = [
        sys.executable, str(ROOT / "benchmarks" / "lift.py"), str(KERNELS), "--fuzz",
        "--json", str(out), "--limit", "400",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    result: list[dict[str, str]] = json.loads(out.read_text())
    return result


def test_every_kernel_is_right_on_both_targets(rows: list[dict[str, str]]) -> None:
    assert rows
    wrong = [r for r in rows if r["result"] not in ("right", "refused")]
    assert not wrong, wrong
    refused = {(r["target"], r["kernel"]) for r in rows if r["result"] == "refused"}
    assert refused == REFUSED


def test_kernels_are_in_the_tier_that_is_expected(rows: list[dict[str, str]]) -> None:
    lower = {"triton": SIMT, "tpu": XLA}
    for row in [r for r in rows if r["result"] != "refused"]:
        is_lower = row["kernel"] in lower[row["target"]]
        assert (row["tier"] == "tile") != is_lower, row
