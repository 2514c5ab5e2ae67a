"""The AMD GPUs that we compile for, and what their device library has to know about them.

Example:

    ARCHS["gfx942"].wave_size == 64        ARCHS["gfx1100"].wave_size == 32
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.diagnostics import Code, Diagnostic, PortError


@dataclass(frozen=True, slots=True)
class Arch:
    """One processor name of LLVM's AMDGPU backend.

    `isa_version` is the number that AMD's device library calls `__oclc_ISA_version`: major * 1000 +
    minor * 100 + stepping, as LLVM's "User Guide for AMDGPU Backend" lists the processors.
    """

    name: str
    isa_version: int
    wave_size: int
    has_images: bool
    product: str


_ROWS = (
    Arch("gfx908", 9008, 64, True, "MI100"),
    Arch("gfx90a", 9010, 64, True, "MI200 series"),
    Arch("gfx942", 9402, 64, False, "MI300 series"),
    Arch("gfx950", 9500, 64, False, "MI350 series"),
    Arch("gfx1030", 10300, 32, True, "RX 6800 and 6900"),
    Arch("gfx1100", 11000, 32, True, "RX 7900"),
    Arch("gfx1101", 11001, 32, True, "RX 7700 and 7800"),
    Arch("gfx1200", 12000, 32, True, "RX 9060"),
    Arch("gfx1201", 12001, 32, True, "RX 9070"),
)
ARCHS: dict[str, Arch] = {arch.name: arch for arch in _ROWS}


def arch_named(name: str) -> Arch:
    """The arch called `name`, feature `:xnack-` and the like ignored; a diagnostic if unknown."""
    arch = ARCHS.get(name.split(":")[0])
    if arch is None:
        raise PortError(
            Diagnostic(
                Code.UNKNOWN_ARCH,
                f"unknown AMD GPU {name!r}",
                help=f"one of {', '.join(ARCHS)}",
            )
        )
    return arch
