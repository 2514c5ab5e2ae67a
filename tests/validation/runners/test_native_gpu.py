"""The runners for a GPU that is here: what they write for any, what they do where there is none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import crossport
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import candidate_of, judge_port
from crossport.validation.runners.base import Call
from crossport.validation.runners.launcher import can_launch, launcher_text
from crossport.validation.runners.native_gpu import NativeRunner, hip_runner, nvidia_runner

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
RUNNERS = Path(crossport.__file__).parent / "validation" / "runners"


def _calls(name: str) -> list[Call]:
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    return [Call(case, case.initial()) for case in bundle.cases.checked]


def test_every_kind_of_argument_is_written() -> None:
    text = launcher_text("lens_struct.hip", _calls("lens_struct"))
    assert text.count("static void call_") == len(_calls("lens_struct"))
    assert "lens_.gain = static_cast<decltype(lens_.gain)>(gain_);" in text
    text = launcher_text("conv2d_constant.hip", _calls("conv2d_constant"))
    assert 's.variable("filter", 100, filter_);' in text


def test_what_cannot_be_passed_answers_so() -> None:
    calls = _calls("texture_fetch_1d")
    assert not can_launch(calls[0].case)
    assert "unsupported" in launcher_text("t.hip", calls)


def test_a_machine_without_a_gpu_says_what_it_lacks() -> None:
    for runner in (nvidia_runner(), hip_runner()):
        if runner.missing() is None:
            pytest.skip("this machine has a GPU")
        assert "GPU" in str(runner.missing()) or "nvcc" in str(runner.missing())
    result = crossport.port(CORPUS / "vecadd" / "vecadd.cu", to="rocm")
    verdict = judge_port(result, CORPUS / "vecadd" / "h200.bundle", runner="hip")
    assert verdict.exit_code == 4
    assert verdict.missing


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="needs nvcc")
def test_the_launcher_compiles_with_hip_on_nvidia(tmp_path: Path) -> None:
    """Front end only: what it takes to run is a GPU."""
    result = crossport.port(CORPUS / "lens_struct" / "lens_struct.cu", to="rocm")
    candidate = candidate_of(result)
    (tmp_path / "candidate").mkdir()
    (tmp_path / "candidate" / candidate.entry).write_bytes(candidate.files[candidate.entry])
    shutil.copyfile(RUNNERS / "launcher_runtime.h", tmp_path / "launcher_runtime.h")
    source = tmp_path / "launcher.cu"
    source.write_text(launcher_text(candidate.entry, _calls("lens_struct")))
    headers = f"-I{RUNNERS / 'hip_on_nvidia'}"
    flags = ["-std=c++17", "-arch=sm_90", "-x", "cu", "-cuda", "-I.", headers]
    command = ["nvcc", *flags, str(source), "-o", str(tmp_path / "out.ii")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[:2000]


@pytest.mark.parametrize("name", ["vecadd", "lens_struct", "conv2d_constant", "compact_ballot"])
def test_a_hip_port_on_a_gpu_is_verified(name: str) -> None:
    runner: NativeRunner = hip_runner()
    if (lacking := runner.missing()) is not None:
        pytest.skip(lacking)
    result = crossport.port(CORPUS / name / f"{name}.cu", to="rocm")
    assert judge_port(result, CORPUS / name / "h200.bundle", runner="hip").passes
