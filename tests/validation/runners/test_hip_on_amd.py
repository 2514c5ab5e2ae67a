"""The `hip` runner on a machine with an AMD GPU, as far as one without can tell: which compiler is
called how, that the launcher is good HIP, and what becomes of compilers and programs that lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import crossport
from crossport.cli import run
from crossport.diagnostics import PortError
from crossport.validation.amdgpu.compile import choose_toolchain
from crossport.validation.amdgpu.compile.archs import arch_named
from crossport.validation.amdgpu.compile.commands import device_command, host_command
from crossport.validation.amdgpu.compile.compiler import run_compiler
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import judge_port
from crossport.validation.runners import native_gpu
from crossport.validation.runners.base import Call
from crossport.validation.runners.launcher import launcher_text
from crossport.validation.verdict import Verdict

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
VECADD = CORPUS / "vecadd"
RUNNERS = Path(crossport.__file__).parent / "validation" / "runners"

StubCompiler = Callable[[str], Path]
_GOOD = '{"status": "ok", "faults": [], "sums": {}}'
_FORGED = f"echo '[{', '.join([_GOOD] * 99)}]' > reply.json"


@pytest.fixture
def hipcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StubCompiler:
    """Puts a `hipcc` that is a shell script into a ROCm root; the machine says it has a GPU."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    device = tmp_path / "kfd"
    device.touch()
    monkeypatch.setattr(native_gpu, "AMD_DEVICE", device)

    def write(script: str) -> Path:
        tool = tmp_path / "rocm" / "bin" / "hipcc"
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text("#!/bin/sh\n" + script)
        tool.chmod(0o755)
        tool.parent.chmod(0o755)
        return tmp_path / "rocm"

    return write


def _program(body: str) -> str:
    """A compiler whose output is a script."""
    return f"cat > launcher <<'END'\n#!/bin/sh\n{body}\nEND\nchmod 755 launcher\n"


def _judge(root: Path, seconds: float = 20) -> Verdict:
    port = crossport.port(VECADD / "vecadd.cu", to="rocm")
    return judge_port(
        port, VECADD / "h200.bundle", runner="hip", rocm_path=str(root), seconds=seconds, unseen=0
    )


def test_hipcc_is_called_for_the_gpu_that_is_here(hipcc: StubCompiler) -> None:
    root = hipcc('echo "error: called with $*"\nexit 1\n')
    runner = native_gpu.hip_runner(rocm_path=str(root))
    assert (runner.name, runner.missing()) == ("hip", None)
    assert runner.compiler == str(root / "bin" / "hipcc")
    verdict = _judge(root)
    assert verdict.exit_code == 3 and verdict.first is not None
    said = verdict.first.reason
    assert "does not compile: error: called with" in said
    for flag in ("-x hip", "--offload-arch=native", "-ffp-contract=on", "launcher.cu -o launcher"):
        assert flag in said, said


def test_no_hipcc_is_exit_4_and_says_where_it_was_looked_for(
    hipcc: StubCompiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ROCM_PATH", str(tmp_path / "nothing"))
    arguments = ["verify", str(VECADD / "vecadd.cu"), "--runner", "hip"]
    assert run(arguments) == 4
    printed = capsys.readouterr().out
    assert "cannot be verified here" in printed
    assert "hipcc of ROCm" in printed and str(tmp_path / "nothing" / "bin") in printed
    assert run([*arguments, "--rocm-path", str(tmp_path / "other")]) == 4
    assert str(tmp_path / "other" / "bin") in capsys.readouterr().out


def test_no_gpu_of_either_kind_is_exit_4_and_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_gpu, "AMD_DEVICE", tmp_path / "kfd")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["verify", str(VECADD / "vecadd.cu"), "--runner", "hip"]) == 4
    printed = capsys.readouterr().out
    assert "an AMD GPU" in printed and "NVIDIA GPU" in printed


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 0\n", "does not compile"),
        ("kill -9 $$\n", "does not compile"),
        (_program("exit 0"), "the process ended with 0"),
        (_program("kill -11 $$"), "the process ended with"),
        (_program("while :; do :; done"), "still running after 2 s"),
        (_program("sleep 600"), "still running after 2 s"),
        (_program("echo PASS; echo exact; echo '[]' > reply.json"), "the process ended with 0"),
        (_program(_FORGED), "was written after the return"),
        (_program("head -c 5000000 /dev/zero > calls/0/c.bin"), "the process ended with 0"),
    ],
    ids=["makes-nothing", "compiler-dies", "does-nothing", "crashes", "spins", "sleeps",
         "prints-results", "forges-the-reply", "overwrites-an-array"],
)  # fmt: skip
def test_a_compiler_or_program_that_lies_fails_its_verdict(
    hipcc: StubCompiler, script: str, said: str
) -> None:
    verdict = _judge(hipcc(script), seconds=2 if "still" in said else 20)
    assert verdict.exit_code == 3, verdict.render()
    assert not any(v.word.passes for v in verdict.launches)
    assert verdict.first is not None
    assert said in " ".join([verdict.first.reason, *verdict.first.faults])


def test_a_compiler_that_hangs_is_ended(
    hipcc: StubCompiler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_gpu, "_BUILD_SECONDS", 1.0)
    verdict = _judge(hipcc("sleep 600\n"))
    assert verdict.exit_code == 3 and verdict.first is not None
    assert "the compiler was still running after 1 s" in verdict.first.reason


@pytest.mark.parametrize("name", ["vecadd", "lens_struct", "conv2d_constant", "grid_sync_steps"])
def test_the_launcher_is_good_hip_for_host_and_device(name: str, tmp_path: Path) -> None:
    """What hipcc would read, checked by the HIP compiler that is here."""
    try:
        toolchain = choose_toolchain(arch_named("gfx942"))
    except PortError as error:
        pytest.skip(error.diagnostic.message)
    result = crossport.port(CORPUS / name / f"{name}.cu", to="rocm")
    (tmp_path / "candidate").mkdir()
    (output,) = [o for o in result.outputs if o.path.suffix == ".hip"]
    (tmp_path / "candidate" / output.path.name).write_bytes(output.data)
    header = (RUNNERS / "launcher_runtime.h").read_text()
    (tmp_path / "launcher_runtime.h").write_text(header)
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    calls = [Call(case, case.initial()) for case in bundle.cases.checked]
    source = tmp_path / "launcher.cu"
    source.write_text(launcher_text(output.path.name, calls))
    commands = (
        host_command(toolchain),
        device_command(toolchain, arch_named("gfx942"), link=False),
    )
    for command in commands:
        outcome = run_compiler(
            command, toolchain, source, flags=["-std=c++17", "-fsyntax-only"],
            include=[tmp_path], name="launcher.cu", timeout=200,
        )  # fmt: skip
        assert outcome.ok, outcome.diagnostics
