"""One Pallas port a form compiles ahead of time for v5e and v6e, and the module's text is clean.

The whole corpus: `python benchmarks/pallas_aot.py corpus`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossport.backends.pallas.compile import Compiled, Launch, compile_launches
from crossport.backends.pallas.port import port_module
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift.naming import Options

pytest.importorskip("libtpu")

ROOT = Path(__file__).resolve().parents[3]
REAL, WHOLE = "float32", "int32"
Shape = tuple[int, int, int]
LAUNCHES: dict[str, tuple[list[Any], Shape, Shape]] = {
    # Elementwise, a product on the matrix unit, a gather by data, atomics, a reduction of lanes.
    "vecadd": ([[REAL, 1000]] * 3 + [1000], (4, 1, 1), (256, 1, 1)),
    "matmul_tiled": (
        [[REAL, 35 * 33], [REAL, 33 * 50], [REAL, 35 * 50], 35, 50, 33], (4, 3, 1), (16, 16, 1),
    ),
    "spmv_csr_scalar": (
        [100, [WHOLE, 101], [WHOLE, 700], [REAL, 700], [REAL, 90], [REAL, 100]],
        (1, 1, 1), (128, 1, 1),
    ),
    "reduce_warp_shuffle": ([[REAL, 5000], [REAL, 8], 5000], (8, 1, 1), (256, 1, 1)),
    # Rows and a halo of 256 MiB: windows move over what VMEM could not hold.
    "softmax_rows": (
        [[REAL, 65536 * 1000], [REAL, 65536 * 1000], 1000], (65536, 1, 1), (128, 1, 1),
    ),
    "stencil_1d_halo": (
        [[WHOLE, 1 << 26], [WHOLE, 1 << 26], 1 << 26], (1 << 19, 1, 1), (128, 1, 1),
    ),
}  # fmt: skip


def port(name: str) -> str:
    source = ROOT / "corpus" / name / f"{name}.cu"
    options = Options(source_name=source.name)
    return port_module(lower_unit(parse(source)), source.read_text(), options).text


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The modules, ported once."""
    return {name: port(name) for name in LAUNCHES}


@pytest.fixture(scope="module")
def compiled(texts: dict[str, str]) -> dict[tuple[int, str], Compiled]:
    """Every launch on both generations, in one worker."""
    launches = [
        Launch(name, args, grid, block, text=texts[name])
        for name, (args, grid, block) in LAUNCHES.items()
    ]
    return compile_launches(launches, timeout=240)


@pytest.mark.parametrize("generation", ["v5e", "v6e"])
@pytest.mark.parametrize("name", LAUNCHES)
def test_a_pallas_kernel_compiles(
    compiled: dict[tuple[int, str], Compiled], name: str, generation: str
) -> None:
    found = compiled[list(LAUNCHES).index(name), generation]
    assert not found.error
    assert found.kernels


def test_what_does_not_compile_says_why(texts: dict[str, str]) -> None:
    # A kernel that asks for more VMEM than there is, between two that compile.
    broken = texts["vecadd"].replace("pl.BlockSpec((8192,)", "pl.BlockSpec((1 << 27,)")
    args, grid, block = LAUNCHES["vecadd"]
    big = [[REAL, 1 << 28]] * 3 + [1 << 28]
    launches = [Launch("vecadd", args, grid, block, text=texts["vecadd"])]
    launches += [Launch("vecadd", big, grid, block, text=broken), launches[0]]
    found = compile_launches(launches, generations=("v5e",), timeout=240)
    assert [bool(found[n, "v5e"].error) for n in range(3)] == [False, True, False]


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_module_is_clean(texts: dict[str, str], name: str, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text(texts[name])
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "E,F,W,B",
        str(file),
    ]
    done = subprocess.run(
        [*command, "--line-length", "100"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "crossport" not in texts[name].split('"""', 2)[2]
