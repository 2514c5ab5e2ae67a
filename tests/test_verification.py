"""`port verify` and `crossport.verify`, end to end: a right port passes, a wrong one does not."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import crossport
from crossport.cli import run
from crossport.porting import Options
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import parse_cases
from crossport.verification import bundle_beside, evidence_for, verify_source

pytest.importorskip("tinygrad", reason="the emulator's extra, crossport[amd], is not installed")

CORPUS = Path(__file__).parents[1] / "corpus"
VECADD = CORPUS / "vecadd" / "vecadd.cu"


def test_a_right_port_is_verified_against_the_nvidia_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["verify", str(VECADD), "--to", "rocm", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert found["verdict"]["word"] == "exact"
    assert "H200" in found["verdict"]["evidence"]["device"]


def test_a_port_that_is_asked_to_verifies_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([str(VECADD), "--to", "rocm", "--verify", "--json", "-o", str(tmp_path)]) == 0
    (kernel,) = json.loads(capsys.readouterr().out)["kernels"]
    assert (kernel["status"], kernel["reason"]) == ("verified", "exact by amdgpu:gfx942")


def test_a_wrong_port_is_divergent_and_located() -> None:
    result = crossport.port(VECADD, to="rocm")
    (output,) = result.outputs
    assert b"a[i] + b[i]" in output.data
    wrong = replace(output, data=output.data.replace(b"a[i] + b[i]", b"a[i] - b[i]"))
    verdict = crossport.verify(replace(result, outputs=(wrong,)), bundle_beside(VECADD))
    assert (verdict.word.value, verdict.exit_code) == ("divergent", 3)
    assert verdict.first is not None
    assert any(array.first for array in verdict.first.arrays)


def test_a_port_on_disk_is_judged_as_it_lies_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([str(VECADD), "--to", "rocm", "-o", str(tmp_path)]) == 0
    port = tmp_path / "vecadd.hip"
    bundle = str(bundle_beside(VECADD))
    assert run(["verify", str(port), "--against", bundle]) == 0
    # One more kernel of the same name: which of them a program launches, nobody can say.
    second = "\n__global__ void vecadd(const float*, const float*, float*, long) {}\n"
    port.write_text(port.read_text() + second)
    assert run(["verify", str(port), "--against", bundle]) == 3
    assert "more often than the original" in capsys.readouterr().out


def test_a_tampered_bundle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "vecadd.bundle"
    data = bytearray(bundle_beside(VECADD).read_bytes())
    data[len(data) // 2] ^= 0x40
    bundle.write_bytes(data)
    assert run(["verify", str(VECADD), "--against", str(bundle)]) == 4
    printed = capsys.readouterr().err
    assert "CP500" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["verify", "no/such.cu"], 1, "no/such.cu"),
        (["verify", str(VECADD), "--against", "no.bundle"], 4, "no.bundle"),
        (["verify", str(VECADD), "--runner", "triton"], 4, "not hip"),
        (["record", str(VECADD), "--cases", "no.toml", "-o", "x"], 1, "no.toml"),
    ],
)
def test_what_cannot_be_verified_says_why(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    assert message in capsys.readouterr().err


def test_without_a_bundle_the_interpreter_stands_in_and_nothing_is_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "vecadd.cu"
    shutil.copy(VECADD, source)
    out = str(tmp_path / "out")
    assert run([str(source), "--to", "triton", "--verify", "--json", "-o", out]) == 4
    (kernel,) = json.loads(capsys.readouterr().out)["kernels"]
    assert kernel["status"] == "unverified"
    assert "exact" in kernel["reason"]
    assert "interpreter only" in kernel["reason"]


def test_without_a_bundle_what_differs_from_the_interpreter_is_wrong(tmp_path: Path) -> None:
    source = tmp_path / "vecadd.cu"
    shutil.copy(VECADD, source)
    result = crossport.port(source, to="triton")
    (output,) = result.outputs
    wrong = replace(output, data=output.data.replace(b"tl.load(b", b"tl.load(a", 1))
    assert wrong.data != output.data
    evidence = evidence_for(source, Options())
    verdict = crossport.verify(replace(result, outputs=(wrong,)), evidence)
    assert (verdict.word.value, verdict.exit_code) == ("divergent", 3)


def test_launches_that_cannot_be_worked_out_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "rows.cu"
    source.write_text("__global__ void k(float** rows) { rows[0][threadIdx.x] = 1; }\n")
    assert run(["verify", str(source), "--to", "rocm"]) == 4
    assert "cases.toml" in capsys.readouterr().err


def test_inferred_launches_in_which_threads_race_are_no_evidence(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(int* d, int n) { d[min(int(threadIdx.x), n - 1)] = threadIdx.x; }\n"
    )
    text = (
        'schema = 1\nsource = "k.cu"\n[[kernel]]\nname = "k"\ngrid = [1]\nblock = [64]\n'
        'args = [{name = "d", dtype = "int32", shape = [64], role = "out"},\n'
        '        {name = "n", dtype = "int32", value = "n"}]\n'
        "cases = [{n = 64}, {n = 40}]\n"
    )
    cases = parse_cases(text, tmp_path / "cases.toml")
    inferred, written = interpreted_bundle(cases, inferred=True), interpreted_bundle(cases)
    assert [inferred.has(case) for case in cases.checked] == [True, False]
    assert [written.has(case) for case in cases.checked] == [True, True]


def test_counters_of_unrolled_loops_may_be_cast(tmp_path: Path) -> None:
    """They are Python numbers under Triton's interpreter, and sums of them as well."""
    pytest.importorskip("triton", reason="the extra crossport[triton] is not installed")
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(const int* in, int* out) {\n"
        "  __shared__ int s[16][17];\n"
        "  for (int r = 0; r < 16; r++) s[r][(threadIdx.x * in[r]) & 15] = in[threadIdx.x] + r;\n"
        "  __syncthreads();\n"
        "  for (int r = 0; r < 15; r++)\n"
        "    out[(size_t)(r + 1) * 16 + threadIdx.x] = s[r + 1][(threadIdx.x * in[r + 1]) & 15];\n"
        "}\n"
        "void go(const int* in, int* out) { k<<<1, 16>>>(in, out); }\n"
    )
    verdict = verify_source(source, "triton", Options())
    assert "failed" not in verdict.render()
