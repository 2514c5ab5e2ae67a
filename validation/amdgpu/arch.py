"""Facts of the GPUs that the emulator runs code for, one row each.

Numbers from AMD's CDNA2 to CDNA4, RDNA3 and RDNA4 instruction set guides and LLVM's AMDGPU usage
page (https://llvm.org/docs/AMDGPUUsage.html).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arch:
    """One GPU architecture."""

    name: str
    elf_machine: int
    tables: str
    """Which decoding tables (and pseudocode) describe it."""
    wave_sizes: tuple[int, ...]
    lds_bytes: int
    compute_units: int
    vgprs_per_simd_lane: int
    """Architected VGPRs (with AccVGPRs where unified) that waves of a SIMD share."""
    max_waves_per_simd: int
    simds: int
    ocp_fp8: bool
    has_images: bool

    @property
    def is_cdna(self) -> bool:
        return self.tables == "cdna"

    @property
    def is_rdna4(self) -> bool:
        return self.tables == "rdna4"

    @property
    def m0(self) -> int:
        return 124 if self.is_cdna else 125


ARCHS = {
    row.name: row
    for row in (
        Arch("gfx90a", 0x3F, "cdna", (64,), 65536, 104, 512, 8, 4, False, True),
        Arch("gfx942", 0x4C, "cdna", (64,), 65536, 304, 512, 8, 4, False, False),
        Arch("gfx950", 0x4F, "cdna", (64,), 163840, 256, 512, 8, 4, True, False),
        Arch("gfx1100", 0x41, "rdna3", (32, 64), 65536, 96, 1536, 16, 2, False, True),
        Arch("gfx1201", 0x4E, "rdna4", (32, 64), 65536, 64, 1536, 16, 2, True, True),
    )
}

# High halves of the addresses through which FLAT instructions reach LDS and scratch.
SHARED_APERTURE = 0x1_0000 << 32
PRIVATE_APERTURE = 0x2_0000 << 32
