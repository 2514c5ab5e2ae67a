"""The command lines: one HIP file, one toolchain, for the device or for the host.

Example (clang, device):

    clang++-19 -x hip --offload-arch=gfx942 --offload-device-only --no-gpu-bundle-output
        --rocm-path=ROOT --rocm-device-lib-path=LIBS ... -c k.hip -o k.co

What differs between toolchains lives here and nowhere else.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.compile.archs import Arch
from crossport.validation.amdgpu.compile.cache import cache_root, content_key, partial_name
from crossport.validation.amdgpu.compile.toolchains import WRAPPERS, Toolchain

Language = Literal["hip", "c++", "c"]

# How clang's messages are wanted: ranges for a diagnostic, no colours, no quoted source, and every
# header that is opened (-H), so that results can be cached by what they depend on.
MESSAGE_FLAGS = (
    "-fno-color-diagnostics",
    "-fno-caret-diagnostics",
    "-fdiagnostics-print-source-range-info",
    "-fno-elide-type",
    "-ferror-limit=20",
    "-H",
)

# Rounding of a*b+c as nvcc and a C compiler do it; HIP's own default also fuses across statements.
DEFAULT_FLAGS = ("-ffp-contract=on",)


@dataclass(frozen=True, slots=True)
class Command:
    """A compiler call without source and output, and what must stand in front of PATH."""

    driver: tuple[str, ...]
    flags: tuple[str, ...]
    path_prefix: str = ""

    def environment(self) -> dict[str, str]:
        """The process environment for this call."""
        env = dict(os.environ)
        if self.path_prefix:
            env["PATH"] = f"{self.path_prefix}{os.pathsep}{env.get('PATH', '')}"
        env["LC_ALL"] = "C"
        return env


def device_command(toolchain: Toolchain, arch: Arch, *, link: bool = True) -> Command:
    """Compile for `arch`: to a loadable code object, or (`link=False`) only as far as checking."""
    common = ("-x", "hip", f"--offload-arch={arch.name}", "--offload-device-only")
    bundle = ("--no-gpu-bundle-output",) if link else ()
    prefix = _lld_folder(toolchain) if toolchain.kind == "pip" else ""
    libs = _device_library_flags(toolchain, arch) if link else ("-nogpulib",)
    flags = (*common, *bundle, *_header_flags(toolchain), *libs, *DEFAULT_FLAGS)
    return Command(toolchain.driver, flags, prefix)


def host_command(toolchain: Toolchain, language: Language = "hip") -> Command:
    """Check the host side: parse and type-check, no code."""
    if language == "hip":
        side = ("-x", "hip", "--offload-host-only", "-nogpulib", *_header_flags(toolchain))
    else:
        side = ("-x", language, "-D__HIP_PLATFORM_AMD__", *_plain_header_flags(toolchain))
    return Command(toolchain.driver, (*side, "-fsyntax-only", *DEFAULT_FLAGS))


def _header_flags(toolchain: Toolchain) -> tuple[str, ...]:
    match toolchain.kind:
        case "rocm":
            return (f"--rocm-path={toolchain.rocm_path}",)
        case "clang":
            flags = ["-nogpuinc", "-include", "__clang_hip_runtime_wrapper.h"]
            if toolchain.wrappers is not None:
                flags += ["-isystem", str(toolchain.wrappers)]
            if toolchain.headers != Path("/usr/include"):
                flags += ["-isystem", str(toolchain.headers)]
            # Ours fill the gaps of a wheel; real headers are to be taken as they are.
            if toolchain.rocm_path is None:
                flags += ["-isystem", str(WRAPPERS)]
            return tuple(flags)
        case "pip":
            return _pip_header_flags(toolchain)


def _plain_header_flags(toolchain: Toolchain) -> tuple[str, ...]:
    """For C and C++: HIP's API can be included, and nothing is included by itself."""
    if toolchain.kind == "pip":
        return _pip_folders(toolchain)
    return ("-isystem", str(toolchain.headers))


def _pip_header_flags(toolchain: Toolchain) -> tuple[str, ...]:
    wrapper = str(WRAPPERS / "crossport_hip_device.h")
    return ("-nogpuinc", *_pip_folders(toolchain), "-include", wrapper)


def _pip_folders(toolchain: Toolchain) -> tuple[str, ...]:
    """Zig's clang finds no headers by itself: name libc++, clang's own, glibc, HIP, ours."""
    lib = Path(toolchain.driver[0]).parent / "lib"
    folders = [
        lib / "libcxx" / "include",
        lib / "libcxxabi" / "include",
        lib / "include",
        *(lib / "libc" / "include" / part for part in _GLIBC_HEADERS),
    ]
    # Ours fill the gaps of the wheel; real headers are to be taken as they are.
    folders += [toolchain.headers, *([WRAPPERS] if toolchain.rocm_path is None else [])]
    flags = ["--target=x86_64-linux-gnu", "-nostdinc", "-nostdinc++"]
    flags += [part for folder in folders for part in ("-isystem", str(folder))]
    flags += [f"-D{define}" for define in _LIBCPP_SETTINGS]
    return tuple(flags)


_GLIBC_HEADERS = ("x86-linux-gnu", "generic-glibc", "x86-linux-any", "any-linux-any")

# libc++ is configured when it is built; these are the settings for glibc on Linux with threads.
_LIBCPP_SETTINGS = (
    "_LIBCPP_ABI_VERSION=1",
    "_LIBCPP_ABI_NAMESPACE=__1",
    "_LIBCPP_HAS_THREADS=1",
    "_LIBCPP_HAS_MONOTONIC_CLOCK=1",
    "_LIBCPP_HAS_LOCALIZATION=1",
    "_LIBCPP_HAS_WIDE_CHARACTERS=1",
    "_LIBCPP_HAS_UNICODE=1",
    "_LIBCPP_HAS_TERMINAL=1",
    "_LIBCPP_HAS_RANDOM_DEVICE=1",
    "_LIBCPP_HAS_FILESYSTEM=1",
    "_LIBCPP_HAS_TIME_ZONE_DATABASE=1",
    "_LIBCPP_HAS_NO_STD_MODULES",
    "_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE",
    "_LIBCPP_ASSERTION_SEMANTIC_DEFAULT=_LIBCPP_ASSERTION_SEMANTIC_IGNORE",
    "_LIBCPP_PSTL_BACKEND_SERIAL",
    "_LIBCPP_HAS_MUSL_LIBC=0",
    "_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0",
    "_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
)


# ---- device libraries ---------------------------------------------------------------------------


def _device_library_flags(toolchain: Toolchain, arch: Arch) -> tuple[str, ...]:
    match toolchain.kind:
        case "rocm":
            return ()
        case "clang" if (toolchain.device_libs / "oclc_abi_version_500.bc").is_file():
            return (f"--rocm-device-lib-path={_completed_libraries(toolchain, arch)}",)
        case "clang" | "pip":
            libs = (
                toolchain.device_libs / "ocml.bc",
                toolchain.device_libs / "ockl.bc",
                _constants(toolchain, arch),
            )
            linked = [
                part
                for lib in libs
                for part in ("-Xclang", "-mlink-builtin-bitcode", "-Xclang", str(lib))
            ]
            return ("-nogpulib", "-mcode-object-version=5", *linked)


_CONSTANT = '__attribute__((address_space(4), visibility("hidden"))) const'


def _constants(toolchain: Toolchain, arch: Arch) -> Path:
    """All of the device library's control constants, for one arch, as bitcode."""
    wave64 = int(arch.wave_size == 64)
    flags = {
        "unsafe_math_opt": 0,
        "finite_only_opt": 0,
        "daz_opt": 0,
        "correctly_rounded_sqrt32": 1,
        "wavefrontsize64": wave64,
    }
    source = "".join(
        f"extern {_CONSTANT} unsigned char __oclc_{name};\n"
        f"{_CONSTANT} unsigned char __oclc_{name} = {value};\n"
        for name, value in flags.items()
    )
    return _constant_bitcode(
        toolchain,
        arch.name,
        source
        + f"{_CONSTANT} unsigned __oclc_ISA_version = {arch.isa_version};\n"
        + f"{_CONSTANT} unsigned __oclc_ABI_version = 500;\n",
    )


def _completed_libraries(toolchain: Toolchain, arch: Arch) -> Path:
    """The toolchain's library folder, or links to it with the missing arch's constant added."""
    number = arch.name.removeprefix("gfx")
    missing = f"oclc_isa_version_{number}.bc"
    if (toolchain.device_libs / missing).is_file():
        return toolchain.device_libs
    source = f"{_CONSTANT} unsigned __oclc_ISA_version = {arch.isa_version};\n"
    constant = _constant_bitcode(toolchain, arch.name, source)
    folder = cache_root() / "device-libs" / content_key(str(toolchain.device_libs))[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*toolchain.device_libs.glob("*.bc"), constant):
        link = folder / (missing if path == constant else path.name)
        with contextlib.suppress(FileExistsError):
            link.symlink_to(path)
    return folder


@functools.lru_cache(maxsize=64)
def _constant_bitcode(toolchain: Toolchain, arch_name: str, source: str) -> Path:
    folder = cache_root() / "device-libs"
    target = folder / f"{content_key(toolchain.version, arch_name, source)[:24]}.bc"
    if target.is_file():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = partial_name(target)
    # No code-object version inside, or it would contradict the program's when they are linked.
    command = [
        *toolchain.driver,
        *("-x", "c", "-target", "amdgcn-amd-amdhsa", f"-mcpu={arch_name}", "-O1", "-nogpulib"),
        *("-Xclang", "-mcode-object-version=none", "-emit-llvm", "-c", "-", "-o", str(partial)),
    ]
    done = subprocess.run(command, input=source, text=True, capture_output=True, errors="replace")
    if done.returncode != 0:
        raise PortError(
            Diagnostic(
                Code.NO_COMPILER,
                f"{toolchain.name} cannot build AMD device constants: {done.stderr.strip()[:300]}",
                help="port doctor shows the toolchains of this machine",
            )
        )
    os.replace(partial, target)
    return target


def _lld_folder(toolchain: Toolchain) -> str:
    """A folder with an `lld` for clang to call, since zig's is a subcommand of zig."""
    zig = toolchain.driver[0]
    folder = cache_root() / "lld" / content_key(zig)[:16]
    script = folder / "lld"
    if not script.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = partial_name(script)
        # clang calls `lld -flavor gnu ...`; zig's spelling has the flavor in the name.
        partial.write_text(f'#!/bin/sh\nshift 2\nexec "{zig}" ld.lld "$@"\n')
        partial.chmod(0o755)
        os.replace(partial, script)
    return str(folder)
