"""A source with headers beside it is recorded, judged and gated as a whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossport.cli import run
from crossport.validation.bundle.archive import make_bundle
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.bundle.sources import gather
from crossport.validation.cases import load_cases

SOURCE = """#include "util.h"
#include <cmath>
#include "../outside.h"
__global__ void scale(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = x[i] * FACTOR;
}
void run(float* x, int n) { CHECK(cudaGetLastError()); scale<<<(n + 255) / 256, 256>>>(x, n); }
"""
HEADER = """#pragma once
#include "detail/factor.h"
#include <cstdio>
static int seen;
#define CHECK(x) do { if ((x) != cudaSuccess) std::printf("%s\\n", __FILE__); } while (0)
"""
CASES = """schema = 1
source = "k.cu"
[[kernel]]
name = "scale"
grid = ["ceil_div(n, 256)"]
block = [256]
args = [
  {name = "x", dtype = "float32", shape = ["n"], role = "inout", gen = "normal"},
  {name = "n", dtype = "int32", value = "n"},
]
cases = [{n = 1}, {n = 300}]
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A kernel whose constant is two headers away."""
    folder = tmp_path / "program"
    (folder / "detail").mkdir(parents=True)
    (folder / "k.cu").write_text(SOURCE.replace('#include "../outside.h"\n', ""))
    (folder / "util.h").write_text(HEADER)
    (folder / "detail" / "factor.h").write_text('#define FACTOR 3.0f\n#include "../util.h"\n')
    (folder / "cases.toml").write_text(CASES)
    return folder / "k.cu"


def test_headers_below_are_gathered_and_no_others(program: Path) -> None:
    program.write_text(SOURCE)
    (program.parent.parent / "outside.h").write_text("")
    assert list(gather(program)) == ["k.cu", "util.h", "detail/factor.h"]


def test_an_unrecorded_bundle_holds_them(program: Path, tmp_path: Path) -> None:
    make_bundle(program.parent / "cases.toml", tmp_path / "k.bundle.d")
    assert (tmp_path / "k.bundle.d" / "source" / "detail" / "factor.h").is_file()


def test_the_original_is_read_with_them(program: Path) -> None:
    bundle = interpreted_bundle(load_cases(program.parent / "cases.toml"))
    assert list(bundle.sources) == ["k.cu", "detail/factor.h", "util.h"]
    case = bundle.cases.checked[1]
    found = bundle.output(case, case.written[0])
    assert (found == case.initial()["x"] * 3).all()


@pytest.mark.parametrize("target", ["rocm", "triton"])
def test_a_port_of_it_is_judged(
    program: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(program), "--to", target, "--json"]) == 4
    (found,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert found["verdict"]["word"] == "exact", found["verdict"]["launches"]
    assert found["verdict"]["missing"] is None
