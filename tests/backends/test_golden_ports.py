"""Thirteen ports in full: what a reader of the generated code sees."""

from pathlib import Path

import pytest

from crossport.backends.pallas.port import port_module as to_jax
from crossport.backends.triton.port import port_module as to_triton
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift.naming import Options

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "ports"
PORTS = [
    ("vecadd", "triton"),
    ("saxpy_grid_stride", "triton"),
    ("lens_struct", "triton"),
    ("softmax_rows", "triton"),
    ("reduce_warp_shuffle", "triton"),
    ("scan_hillis_steele", "triton"),
    ("matmul_tiled", "triton"),
    ("histogram_shared_atomic", "triton"),
    ("saxpy_grid_stride", "pallas"),
    ("reduce_shared_tree", "pallas"),
    ("matmul_tiled", "pallas"),
    ("histogram_shared_atomic", "pallas"),
    ("spmv_csr_scalar", "pallas"),
]


@pytest.mark.parametrize(("name", "target"), PORTS)
def test_a_port_reads_as_before(name: str, target: str, update_golden: bool) -> None:
    source = ROOT / "corpus" / name / f"{name}.cu"
    unit = parse(source)
    shapes: dict[str, tuple[tuple[int, int, int], ...]] = {}
    for launch in unit.launches:
        x, y, z = launch.block.values
        if x is not None and y is not None and z is not None:
            shapes[str(launch.kernel)] = ((x, y, z),)
    options = Options(source_name=source.name, blocks=shapes)
    port = to_triton if target == "triton" else to_jax
    text = port(lower_unit(unit), source.read_text(), options).text
    compile(text, name, "exec")
    file = GOLDEN / f"{name}.{target}.py"
    if update_golden:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()
