"""Run candidates on a GPU that is here: the original on NVIDIA, HIP ports on NVIDIA or AMD.

    nvidia_runner()     CUDA by nvcc
    amd_runner()        HIP by hipcc on an AMD GPU
    hip_runner()        the latter, or HIP by nvcc on an NVIDIA GPU, HIP's names being CUDA's there

A launcher is written and compiled around the candidate; it runs in the sandbox, and its arrays are
exchanged like those of generated modules: files between guard bands, read when it is gone.
"""

from __future__ import annotations

import os
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
AMD_DEVICE = Path("/dev/kfd")
_CUDA = "/usr/local/cuda/bin"


@dataclass
class NativeRunner:
    """A compiler for a GPU, and the GPU."""

    name: str
    targets: tuple[str, ...]
    compiler: str | None
    flags: tuple[str, ...]
    lacks: str
    """What this machine lacks for it; "" where there is everything."""
    limits: Limits
    hide: tuple[Path, ...] = ()
    last: Ran | None = None

    def missing(self) -> str | None:
        """The compiler or the GPU that this machine lacks."""
        return self.lacks or None

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
        if ran.status == "ok" and (work / "launcher").is_file():
            return None
        if ran.status == "timeout":
            return f"the compiler was still running after {_BUILD_SECONDS:.0f} s"
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
    return _by_nvcc("nvidia", "cuda", _nvidia_lacks(), seconds, hide)


def hip_runner(
    seconds: float = 120.0, hide: Sequence[Path] = (), rocm_path: str | None = None
) -> NativeRunner:
    """HIP on this machine's GPU, whichever it is."""
    if AMD_DEVICE.exists():
        return amd_runner(seconds, hide, rocm_path)
    lacks = _nvidia_lacks()
    either = f"an AMD GPU ({AMD_DEVICE}) and hipcc of ROCm; or {lacks}"
    return _by_nvcc("hip on NVIDIA", "hip", either if lacks else "", seconds, hide)


def amd_runner(
    seconds: float = 120.0, hide: Sequence[Path] = (), rocm_path: str | None = None
) -> NativeRunner:
    """HIP by hipcc: that of `rocm_path`, of the environment's ROCm, or of the usual place."""
    roots = [rocm_path, os.environ.get("ROCM_PATH"), os.environ.get("HIP_PATH"), "/opt/rocm"]
    places = [str(Path(root) / "bin") for root in roots if root]
    compiler = _find("hipcc", os.pathsep.join(places))
    lacks = "" if AMD_DEVICE.exists() else f"an AMD GPU ({AMD_DEVICE})"
    if compiler is None:
        lacks = f"hipcc of ROCm (looked in {', '.join(places)} and PATH)"
    flags = ("-std=c++17", "-O3", "-ffp-contract=on", "--offload-arch=native", "-x", "hip")
    return NativeRunner("hip", ("hip",), compiler, flags, lacks, _limits(seconds), tuple(hide))


def _by_nvcc(
    name: str, target: str, lacks: str, seconds: float, hide: Sequence[Path]
) -> NativeRunner:
    headers = f"-I{_HERE / 'hip_on_nvidia'}"
    flags = ("-std=c++17", "-O2", "-arch=native", "-x", "cu", headers)
    compiler = _find("nvcc", _CUDA)
    return NativeRunner(name, (target,), compiler, flags, lacks, _limits(seconds), tuple(hide))


def _find(name: str, folders: str) -> str | None:
    return shutil.which(name, path=folders) or shutil.which(name)


def _nvidia_lacks() -> str:
    if _find("nvcc", _CUDA) is None:
        return "nvcc of the CUDA toolkit, and an NVIDIA GPU"
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "an NVIDIA GPU and its driver (nvidia-smi finds none)"
    return "" if "GPU" in listed.stdout else "an NVIDIA GPU (nvidia-smi finds none)"
