"""Run candidates on a GPU that is here: the original on NVIDIA, HIP ports on NVIDIA or AMD.

    nvidia_runner()     CUDA by nvcc
    hip_runner()        HIP by hipcc on an AMD GPU; else by nvcc, HIP's names being CUDA's there

A launcher is written and compiled around the candidate; it runs in the sandbox, and its arrays are
exchanged like those of generated modules: files between guard bands, read when it is gone.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossport.validation.runners.base import Call, Candidate, RunOutput, Status
from crossport.validation.runners.exchange import Exchange
from crossport.validation.runners.launcher import can_launch, launcher_text
from crossport.validation.runners.sandbox import Limits, Ran, remove_tree, run_sandboxed

_HERE = Path(__file__).resolve().parent
_BUILD_SECONDS = 300.0


@dataclass
class NativeRunner:
    """A compiler for a GPU, and the GPU."""

    name: str
    targets: tuple[str, ...]
    compiler: str | None
    flags: tuple[str, ...]
    gpu: str
    """What is missing of the GPU; "" where there is one."""
    limits: Limits
    hide: tuple[Path, ...] = ()
    last: Ran | None = None

    def missing(self) -> str | None:
        """The compiler or the GPU that this machine lacks."""
        if self.compiler is None:
            return "a compiler: nvcc of the CUDA toolkit, or hipcc of ROCm"
        return self.gpu or None

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """Compile one program for all calls, and run it once."""
        if not calls:
            return []
        assert self.compiler is not None
        work = Path(tempfile.mkdtemp(prefix="run-"))
        try:
            work.chmod(0o777)
            for name, data in candidate.files.items():
                path = work / "candidate" / _inside(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            entry = _inside(candidate.entry)
            shutil.copyfile(_HERE / "launcher_runtime.h", work / "launcher_runtime.h")
            (work / "launcher.cu").write_text(launcher_text(entry, calls))
            exchange = Exchange.create(work, self.name, entry, calls)
            failure = self._build(work)
            if failure is not None:
                return [RunOutput("failed", message=f"does not compile: {failure}") for _ in calls]
            self.last = run_sandboxed([str(work / "launcher")], work, self.limits, hide=self.hide)
            return [
                output
                if can_launch(call.case)
                else RunOutput("missing", message="this runner passes no textures")
                for call, output in zip(calls, exchange.outputs(*self._ending()), strict=True)
            ]
        finally:
            remove_tree(work)

    def _build(self, work: Path) -> str | None:
        """The first error of the compiler. It runs in the sandbox, too: it reads the candidate."""
        assert self.compiler is not None
        command = [
            self.compiler,
            *self.flags,
            "-I.",
            "-Icandidate",
            "launcher.cu",
            "-o",
            "launcher",
        ]
        ran = run_sandboxed(command, work, Limits(seconds=_BUILD_SECONDS), hide=self.hide)
        if ran.status == "ok":
            return None
        lines = ran.output.strip().splitlines() or [ran.status]
        errors = [line for line in lines if "error" in line]
        return (errors or lines)[0][:500]

    def _ending(self) -> tuple[Status, str]:
        assert self.last is not None
        if self.last.status == "timeout":
            return "timeout", f"still running after {self.limits.seconds:.0f} s"
        lines = self.last.output.strip().splitlines()[-1:] or ["no output"]
        return "crashed", f"the process ended with {self.last.code}: {lines[0][:500]}"


def _limits(seconds: float) -> Limits:
    """A GPU's driver reserves addresses by the terabyte: they are no measure of memory here."""
    return Limits(seconds=seconds, memory=1 << 47)


def _inside(name: str) -> str:
    """Where a file of a candidate lies: its relative path, or its name where that leads outside."""
    path = Path(name)
    return path.name if path.is_absolute() or ".." in path.parts else path.as_posix()


def nvidia_runner(seconds: float = 120.0, hide: Sequence[Path] = ()) -> NativeRunner:
    """The original, or anything in CUDA, on this machine's NVIDIA GPU."""
    return NativeRunner(
        "nvidia", ("cuda",), _find("nvcc", "/usr/local/cuda/bin"), _nvcc_flags(), _nvidia_gpu(),
        _limits(seconds), tuple(hide),
    )  # fmt: skip


def hip_runner(seconds: float = 120.0, hide: Sequence[Path] = ()) -> NativeRunner:
    """HIP on this machine's GPU, whichever it is."""
    if Path("/dev/kfd").exists():
        flags = ("-std=c++17", "-O3", "-ffp-contract=on", "-x", "hip")
        compiler = _find("hipcc", "/opt/rocm/bin")
        return NativeRunner("hip", ("hip",), compiler, flags, "", _limits(seconds), tuple(hide))
    return NativeRunner(
        "hip on NVIDIA", ("hip",), _find("nvcc", "/usr/local/cuda/bin"), _nvcc_flags(),
        _nvidia_gpu(), _limits(seconds), tuple(hide),
    )  # fmt: skip


def _nvcc_flags() -> tuple[str, ...]:
    headers = f"-I{_HERE / 'hip_on_nvidia'}"
    return ("-std=c++17", "-O2", "-arch=native", "-x", "cu", headers)


def _find(name: str, folder: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=folder)


def _nvidia_gpu() -> str:
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "an NVIDIA GPU and its driver"
    return "" if "GPU" in listed.stdout else "an NVIDIA GPU"
