"""HIP to AMD machine code on any machine: toolchains found, code compiled, errors explained.

find_toolchains()                      what is here, best first
compile_hip(source, "gfx942")          a code object, as bytes
check_device(path, "gfx942"), check_host(path)      only the errors
"""

from crossport.validation.amdgpu.compile.archs import ARCHS, Arch, arch_named
from crossport.validation.amdgpu.compile.commands import Language
from crossport.validation.amdgpu.compile.compiler import (
    Outcome,
    check_device,
    check_host,
    choose_toolchain,
    compile_hip,
)
from crossport.validation.amdgpu.compile.toolchains import Toolchain, find_toolchains

__all__ = [
    "ARCHS",
    "Arch",
    "Language",
    "Outcome",
    "Toolchain",
    "arch_named",
    "check_device",
    "check_host",
    "choose_toolchain",
    "compile_hip",
    "find_toolchains",
]
