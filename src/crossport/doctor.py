"""What this machine can compile, run and verify, for `port doctor`.

    ok       parse CUDA       libclang 18.1.1
    ok       compile HIP      clang: Debian clang version 19.1.7 (gfx90a, gfx942, gfx1100)
    missing  run NVIDIA       no nvcc, no NVIDIA driver         -> needs an NVIDIA machine

Looks at files and versions only; nothing heavy is imported, nothing is compiled.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One ability: whether it is there, by what, and what would bring it."""

    ability: str
    available: bool
    detail: str
    help: str = ""

    def as_text(self) -> str:
        """One line for people."""
        state = "ok" if self.available else "missing"
        advice = f"  -> {self.help}" if self.help and not self.available else ""
        return f"{state:<8} {self.ability:<26} {self.detail}{advice}"

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1)."""
        return {
            "ability": self.ability,
            "available": self.available,
            "detail": self.detail,
            "help": self.help or None,
        }


def examine() -> list[Finding]:
    """Every ability, in the order in which a port needs them."""
    return [
        _package("parse CUDA", ("libclang",), "pip install crossport"),
        *_hip_compilers(),
        _package(
            "run AMD code (emulator)",
            ("tinygrad", "pyelftools", "msgpack", "ziglang"),
            "pip install 'crossport[amd]'",
        ),
        _amd_gpu(),
        _package(
            "run Triton on the CPU", ("triton", "torch"), "pip install torch 'crossport[triton]'"
        ),
        _package("run Pallas (interpret)", ("jax", "jaxlib"), "pip install 'crossport[pallas]'"),
        _package("compile for TPU", ("jax", "libtpu"), "pip install 'crossport[pallas]'"),
        _nvcc(),
        _nvidia_gpu(),
    ]


def _package(ability: str, names: tuple[str, ...], help: str) -> Finding:
    versions = {name: _version(name) for name in names}
    lacking = [name for name, version in versions.items() if version is None]
    if lacking:
        return Finding(ability, False, f"not installed: {', '.join(lacking)}", help)
    return Finding(ability, True, ", ".join(f"{name} {v}" for name, v in versions.items()))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _hip_compilers() -> list[Finding]:
    from crossport.validation.amdgpu.compile import find_toolchains

    found = [
        Finding("compile HIP", True, f"{tool.name}: {', '.join(tool.archs)}")
        for tool in find_toolchains()
    ]
    help = "pip install 'crossport[amd]', or clang-19, lld-19 and rocm-device-libs, or ROCm"
    return found or [Finding("compile HIP", False, "no compiler for amdgcn found", help)]


def _amd_gpu() -> Finding:
    ability, help = "run HIP on an AMD GPU", "an AMD GPU with ROCm; the emulator needs neither"
    if not Path("/dev/kfd").exists():
        return Finding(ability, False, "no AMD GPU (/dev/kfd)", help)
    hipcc = shutil.which("hipcc") or shutil.which("hipcc", path="/opt/rocm/bin")
    return Finding(ability, hipcc is not None, hipcc or "GPU found, but no hipcc", help)


def _nvcc() -> Finding:
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if nvcc is None:
        return Finding(
            "compile CUDA", False, "no nvcc", "NVIDIA's CUDA toolkit; not needed to port"
        )
    lines = _output([nvcc, "--version"]).splitlines()
    release = next((line.strip() for line in lines if "release" in line), nvcc)
    return Finding("compile CUDA", True, release)


def _nvidia_gpu() -> Finding:
    smi = shutil.which("nvidia-smi")
    names = _output([smi, "--query-gpu=name", "--format=csv,noheader"]).strip() if smi else ""
    if not names:
        help = "an NVIDIA machine: recorded bundles stand in for one"
        return Finding("run CUDA (port record)", False, "no NVIDIA GPU", help)
    return Finding("run CUDA (port record)", True, ", ".join(names.splitlines()))


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
