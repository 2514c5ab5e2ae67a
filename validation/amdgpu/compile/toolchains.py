"""Find what on this machine can turn HIP into AMD machine code.

Three kinds, best first:

    rocm    a ROCm installation: its own clang, headers and device libraries
    clang   a clang of the system (Debian: clang-19, lld-19, rocm-device-libs), with HIP headers
            from --rocm-path, the system, or the triton wheel
    pip     the clang and lld inside the ziglang wheel, with the HIP headers and device libraries
            of the triton wheel and our own wrapper headers: works wherever pip works

`find_toolchains()` looks at files and asks compilers for their version; it compiles nothing.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crossport.validation.amdgpu.compile.archs import ARCHS

Kind = Literal["rocm", "clang", "pip"]

WRAPPERS = Path(__file__).resolve().parent / "include"
"""Our own HIP headers: what a wheel or a bare clang lacks."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler with the headers and device libraries that go with it."""

    kind: Kind
    driver: tuple[str, ...]
    version: str
    headers: Path
    device_libs: Path
    archs: tuple[str, ...]
    rocm_path: Path | None = None
    wrappers: Path | None = None
    """clang's own C++ headers for GPU code, which must come before the C++ library's."""

    @property
    def name(self) -> str:
        """One line for `port doctor`."""
        return f"{self.kind}: {self.version} ({' '.join(self.driver)})"


def find_toolchains(rocm_path: Path | str | None = None) -> list[Toolchain]:
    """Every toolchain of this machine, the preferred one first.

    `rocm_path` (or the environment's ROCM_PATH) names a folder laid out as a ROCm installation;
    with headers alone in it, they are used together with a compiler of the system.
    """
    named = rocm_path if rocm_path is not None else _headers_in_environment()
    return list(_found(Path(named).resolve() if named is not None else None))


def _headers_in_environment() -> Path | None:
    """The folder that ROCM_PATH names, where it holds headers but no compiler of its own."""
    place = os.environ.get("ROCM_PATH")
    if not place or not (Path(place) / "include" / "hip" / "hip_runtime.h").is_file():
        return None
    return None if (Path(place) / "llvm" / "bin" / "clang++").is_file() else Path(place)


@functools.lru_cache(maxsize=8)
def _found(root: Path | None) -> tuple[Toolchain, ...]:
    return tuple(
        toolchain
        for found in (_rocm(root), _clang(root), _pip(root))
        for toolchain in found
        if toolchain.archs
    )


def hip_version(headers: Path) -> str:
    """The version that an include folder's hip_version.h states, or an empty string."""
    try:
        text = (headers / "hip" / "hip_version.h").read_text(errors="replace")
    except OSError:
        return ""
    found = dict(re.findall(r"#define HIP_VERSION_(MAJOR|MINOR|PATCH) (\d+)", text))
    return ".".join(found.get(part, "0") for part in ("MAJOR", "MINOR", "PATCH"))


# ---- a ROCm installation ------------------------------------------------------------------------


def _rocm(root: Path | None) -> list[Toolchain]:
    named = [Path(p) for p in (os.environ.get("ROCM_PATH"), os.environ.get("HIP_PATH")) if p]
    places = [root] if root is not None else [*named, Path("/opt/rocm"), *_versioned_rocm()]
    for place in places:
        driver = place / "llvm" / "bin" / "clang++"
        libs = place / "amdgcn" / "bitcode"
        if driver.is_file() and libs.is_dir() and (place / "include" / "hip").is_dir():
            version = _version_of((str(driver),))
            known = _supported((str(driver),))
            return [
                Toolchain("rocm", (str(driver),), version, place / "include", libs, known, place)
            ]
    return []


def _versioned_rocm() -> list[Path]:
    return sorted(Path("/opt").glob("rocm-*"), reverse=True)


# ---- a clang of the system ----------------------------------------------------------------------


def _clang(root: Path | None) -> list[Toolchain]:
    libs = next((p for p in _SYSTEM_DEVICE_LIBS if (p / "ocml.bc").is_file()), None)
    triton = _triton_amd()
    for command in (*(f"clang++-{n}" for n in range(24, 16, -1)), "clang++"):
        driver = shutil.which(command)
        if driver is None:
            continue
        version = _version_of((driver,))
        if not _has_lld(driver):
            continue
        # The triton wheel's device libraries are LLVM 20 bitcode: an older clang cannot read them.
        device_libs = libs
        if device_libs is None and triton is not None and _major(version) >= 20:
            device_libs = triton / "lib"
        headers = _headers_for_clang(root, triton)
        if device_libs is None or headers is None:
            continue
        return [
            Toolchain(
                "clang",
                (driver,),
                version,
                headers,
                device_libs,
                _supported((driver,)),
                root if headers == (root / "include" if root else None) else None,
                _clang_wrappers((driver,)),
            )
        ]
    return []


_SYSTEM_DEVICE_LIBS = (
    Path("/usr/lib/x86_64-linux-gnu/amdgcn/bitcode"),
    Path("/usr/lib/amdgcn/bitcode"),
    Path("/usr/lib64/amdgcn/bitcode"),
)


def _headers_for_clang(root: Path | None, triton: Path | None) -> Path | None:
    places = [root / "include" if root else None, triton / "include" if triton else None]
    places.append(Path("/usr/include"))
    for place in places:
        if place is not None and (place / "hip" / "hip_runtime.h").is_file():
            return place
    return None


def _has_lld(driver: str) -> bool:
    beside = Path(driver).resolve().parent
    return (beside / "lld").is_file() or (beside / "ld.lld").is_file()


# ---- from pip alone -----------------------------------------------------------------------------


def _pip(root: Path | None) -> list[Toolchain]:
    zig = _package("ziglang")
    triton = _triton_amd()
    if zig is None or triton is None or not (zig / "zig").is_file():
        return []
    driver = (str(zig / "zig"), "clang")
    own = root / "include" if root else None
    use_root = own is not None and (own / "hip" / "hip_runtime.h").is_file()
    headers = own if own is not None and use_root else triton / "include"
    return [
        Toolchain(
            "pip",
            driver,
            _version_of(driver),
            headers,
            triton / "lib",
            _supported(driver),
            root if use_root else None,
        )
    ]


def _triton_amd() -> Path | None:
    triton = _package("triton")
    if triton is None:
        return None
    amd = triton / "backends" / "amd"
    complete = (amd / "lib" / "ocml.bc").is_file() and (amd / "include" / "hip").is_dir()
    return amd if complete else None


def _package(name: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def _clang_wrappers(driver: tuple[str, ...]) -> Path | None:
    folder = Path(_run([*driver, "-print-resource-dir"]).strip()) / "include" / "cuda_wrappers"
    return folder if folder.is_dir() else None


# ---- asking compilers ---------------------------------------------------------------------------


@functools.lru_cache(maxsize=32)
def _version_of(driver: tuple[str, ...]) -> str:
    said = _run([*driver, "--version"])
    m = re.search(r"^(.*clang version \S+)", said, re.MULTILINE)
    return m[1].strip() if m else ""


def _major(version: str) -> int:
    m = re.search(r"version (\d+)", version)
    return int(m[1]) if m else 0


@functools.lru_cache(maxsize=32)
def _supported(driver: tuple[str, ...]) -> tuple[str, ...]:
    """Which of our architectures the compiler's AMDGPU backend knows."""
    said = _run([*driver, "-target", "amdgcn-amd-amdhsa", "-nogpulib", "-print-supported-cpus"])
    known = set(re.findall(r"\bgfx[0-9a-f]+\b", said))
    return tuple(name for name in ARCHS if name in known)


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr
