"""Cases are worked out from running a kernel; evidence without NVIDIA is called what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.porting import Options
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import Case, parse_cases
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


def _of(text: str, tmp_path: Path) -> tuple[str, list[Case]]:
    source = tmp_path / "k.cu"
    source.write_text(text)
    made = inferred_cases(source, Options())
    return made, list(parse_cases(made, tmp_path / "cases.toml").cases)


def test_the_block_that_fits_shared_memory_is_found(tmp_path: Path) -> None:
    """No launch is at hand: 256 to 32 threads leave the tile, 16 do not."""
    _, cases = _of(
        "__global__ void k(const int* in, int* out, int pitch) {\n"
        "  __shared__ int tile[16][17];\n"
        "  for (int r = 0; r < 16; r++) tile[r][threadIdx.x] = in[r * pitch + threadIdx.x];\n"
        "  __syncthreads();\n"
        "  for (int r = 0; r < 16; r++) out[r * pitch + threadIdx.x] = tile[threadIdx.x][r];\n"
        "}\n",
        tmp_path,
    )
    assert {case.block for case in cases} == {(16, 1, 1)}
    # The kernel reads no block index: a second block would do the same work again.
    assert {case.grid for case in cases} == {(1, 1, 1)}


def test_launches_in_which_threads_race_are_dropped(tmp_path: Path) -> None:
    """With more than `n` threads the last element is written by several."""
    _, cases = _of(
        "__global__ void k(const float* in, float* out, int n) {\n"
        "  int i = min(int(threadIdx.x), n - 1);\n"
        "  out[i] = in[i] + out[i];\n"
        "}\n",
        tmp_path,
    )
    assert cases
    # Threads of one warp run in lock-step; those of another warp race with them.
    assert all(case.params["n"] > case.block[0] - 32 for case in cases)


def test_arrays_of_structs_and_structs_by_value(tmp_path: Path) -> None:
    text, cases = _of(
        "struct Node { float split; int next; };\n"
        "struct Where { const float3* at; int count; float scale; };\n"
        "__global__ void k(const Node* nodes, Where w, int* out) {\n"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        "  if (i >= w.count) return;\n"
        "  Node n = nodes[i];\n"
        "  out[i] = w.at[i].y * w.scale > n.split ? n.next : -1;\n"
        "}\n",
        tmp_path,
    )
    case = next(case for case in cases if case.params["w_count"] == 33)
    assert {a.name: (a.dtype.name, a.shape) for a in case.arrays} == {
        "nodes": ("uint32", (33, 2)), "out": ("int32", (33,)), "w_at": ("float32", (33, 3)),
    }  # fmt: skip
    words = case.initial()["nodes"].reshape(33, 2)
    assert np.abs(words[:, 0].view(np.float32)).max() < 6.0
    assert words[:, 1].max() <= 30
    evidence = interpreted_bundle(parse_cases(text, tmp_path / "cases.toml"))
    verdict = verify(candidate_from_file(tmp_path / "k.cu", "cuda"), evidence, InterpRunner())
    assert verdict.passes, verdict.render()


def test_a_kernel_that_cannot_be_guessed_is_said(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="could be worked out"):
        _of("__global__ void k(float** rows) { rows[0][threadIdx.x] = 1; }\n", tmp_path)
