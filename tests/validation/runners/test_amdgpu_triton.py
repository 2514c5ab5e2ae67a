"""Triton ports as AMD machine code: a right one, and one that leaves its arrays."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("tinygrad")
pytest.importorskip("triton")

import crossport
from crossport.porting import Options
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import candidate_of, judge_port
from crossport.validation.runners.amdgpu import AmdgpuRunner
from crossport.validation.runners.base import Call
from crossport.verification import evidence_for

SOURCE = Path(__file__).resolve().parents[3] / "corpus" / "vecadd" / "vecadd.cu"
BUNDLE = SOURCE.with_name("h200.bundle")


def test_a_port_compiled_for_the_gpu_repeats_the_recorded_run() -> None:
    result = crossport.port(SOURCE, to="triton")
    verdict = judge_port(result, BUNDLE, runner="amdgpu", arch="gfx942", fresh=1)
    assert verdict.passes, verdict.render()
    assert verdict.runner == "amdgpu:gfx942"
    assert "no network" in verdict.guards


def test_a_store_outside_every_array_is_a_fault() -> None:
    candidate = candidate_of(crossport.port(SOURCE, to="triton"))
    text = candidate.files[candidate.entry].decode()
    assert text.count("int(n)") == 1
    wild = {candidate.entry: text.replace("int(n)", "int(n) + 100000").encode()}
    case = next(c for c in load_bundle(BUNDLE).cases.checked if c.params["n"] > 1)
    case = replace(case, grid=(case.grid[0] + 300, 1, 1))
    outputs = AmdgpuRunner("gfx942").run(
        replace(candidate, files=wild), [Call(case, case.initial())]
    )
    assert outputs[0].status == "failed"
    assert "outside" in outputs[0].message


def test_signed_least_and_largest_are_combined_as_signed(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(const int* in, int* least, int* largest, int n) {\n"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
        "  if (i < n) { atomicMin(least, in[i] - 15); atomicMax(largest, in[i] - 40); }\n"
        "}\n"
    )
    verdict = judge_port(
        crossport.port(source, to="triton"), evidence_for(source, Options()),
        runner="amdgpu", arch="gfx942", fresh=1,
    )  # fmt: skip
    assert verdict.word.value == "exact", verdict.render()
