"""Cases are worked out from running a kernel; evidence without NVIDIA is called what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.porting import Options
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import parse_cases
from crossport.validation.infer import LaunchHint, infer_cases
from crossport.validation.judge_port import candidate_from_file
from crossport.validation.runners.interp import InterpRunner
from crossport.validation.verify import verify
from crossport.verification import inferred_cases

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def _inferred(name: str, block: tuple[int, int, int] = (128, 1, 1)) -> str:
    module = lower_unit(parse(CORPUS / name / f"{name}.cu"))
    hints = {k.name: LaunchHint(block) for k in module.kernels}
    return infer_cases(module, launches=hints, source=f"{name}.cu")


def test_lengths_and_roles_are_observed() -> None:
    loaded = parse_cases(_inferred("vecadd"), CORPUS / "vecadd" / "cases.toml")
    by_size = {case.params["n"]: case for case in loaded.cases}
    assert set(by_size) >= {1, 31, 257, 1009}
    roles = {a.name: (a.role, a.count) for a in by_size[257].arrays}
    assert roles == {"a": ("in", 257), "b": ("in", 257), "c": ("out", 257)}
    assert by_size[257].grid == (3, 1, 1)


def test_the_launch_site_is_the_first_case(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(const float* in, float* out, int rows, int columns, float scale) {\n"
        "  extern __shared__ float row[];\n"
        "  for (int c = threadIdx.x; c < columns; c += blockDim.x) {\n"
        "    row[c] = in[blockIdx.x * columns + c];\n"
        "    out[c * rows + blockIdx.x] = row[c] * scale;\n"
        "  }\n"
        "}\n"
        "void go(const float* a, float* b) { k<<<7, 64, 400>>>(a, b, 7, 100, 0.25f); }\n"
    )
    loaded = parse_cases(inferred_cases(source, Options()), tmp_path / "cases.toml")
    first, *others = loaded.cases
    assert (first.grid, first.block, first.shared_bytes) == ((7, 1, 1), (64, 1, 1), 400)
    assert dict(first.params) | {"rows": 7, "columns": 100} == dict(first.params)
    assert {a.name: a.count for a in first.arrays} == {"in": 700, "out": 700}
    # 257 columns do not fit into 400 bytes; different sizes come with the equal ones.
    assert {case.params["columns"] for case in others} == {1, 31, 33, 65, 70, 5, 18}


@pytest.mark.parametrize(
    "name", ["saxpy_grid_stride", "transpose_naive", "bit_tricks", "gelu_template"]
)
def test_inferred_cases_run_and_judge(name: str) -> None:
    text = _inferred(name, (16, 16, 1) if "transpose" in name else (128, 1, 1))
    loaded = parse_cases(text, CORPUS / name / "inferred.toml")
    evidence = interpreted_bundle(loaded)
    source = CORPUS / name / f"{name}.cu"
    verdict = verify(candidate_from_file(source, "cuda"), evidence, InterpRunner())
    assert verdict.passes, verdict.render()
    assert verdict.evidence["device"] is None
    assert any("interpreter only" in c for c in verdict.cautions)


def test_a_kernel_that_cannot_be_guessed_is_said(tmp_path: Path) -> None:
    module = lower_unit(parse(CORPUS / "lens_struct" / "lens_struct.cu"))
    with pytest.raises(PortError, match="could be worked out"):
        infer_cases(module, source="lens_struct.cu")
