"""The static and dynamic profile of a launch. Everything in it is predicted, not measured.

Counts are exact for the code that ran; what they would cost on hardware is a model.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu.arch import Arch
from crossport.validation.amdgpu.code_object import Kernel
from crossport.validation.amdgpu.program import Program

_CLASSES = (
    ("matrix", r"v_(s?mfma|smfmac|wmma)"),
    ("vector f64", r"v_.*_f64"),
    ("transcendental", r"v_(exp|log|rcp|rsq|sqrt|sin|cos)_"),
    ("vector", r"v_"),
    ("LDS", r"ds_"),
    ("scratch", r"scratch_"),
    ("global atomic", r"(global|flat|buffer)_atomic"),
    ("global", r"(global|flat|buffer)_"),
    ("scalar load", r"s_(buffer_)?(load|store)"),
    ("wait", r"s_waitcnt|s_sleep|s_nop|s_delay_alu"),
    ("barrier", r"s_barrier"),
    ("branch", r"s_c?branch|s_setpc|s_swappc|s_call|s_endpgm"),
    ("scalar", r"s_"),
)


@dataclass(frozen=True, slots=True)
class AccessProfile:
    """One memory instruction: what it moved, and in how many transactions."""

    pc: int
    instruction: str
    place: str
    count: int
    bytes: int
    transactions: int
    ideal: int
    conflict_cycles: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Predicted from an emulated run on `arch`."""

    arch: str
    instructions: dict[str, int]
    """Wave instructions by class."""
    lane_utilisation: float
    """Active lanes over all lanes, over vector instructions."""
    global_bytes: int
    global_transactions: int
    global_ideal: int
    lds_bytes: int
    lds_conflict_cycles: int
    matrix_share: float
    vgprs: int
    accumulators: int
    sgprs: int
    lds_per_group: int
    scratch_per_lane: int
    waves_per_simd: int
    accesses: tuple[AccessProfile, ...]
    basis: str = "predicted"


def class_of(name: str) -> str:
    """The class an instruction is counted under."""
    return next((label for label, pattern in _CLASSES if re.match(pattern, name)), "other")


def occupancy(arch: Arch, vgprs: int, lds: int, group_threads: int, wave_size: int) -> int:
    """Waves a SIMD can hold, by registers and by LDS."""
    granule = 8 if arch.is_cdna else 24 if wave_size == 32 else 12
    allocated = max(granule, -(-vgprs // granule) * granule)
    total = arch.vgprs_per_simd_lane // (1 if arch.is_cdna or wave_size == 32 else 2)
    by_registers = min(arch.max_waves_per_simd, total // allocated)
    if not lds:
        return by_registers
    groups = arch.lds_bytes // lds
    waves = -(-group_threads // wave_size)
    return max(1, min(by_registers, -(-groups * waves // arch.simds)))


def profile_of(
    arch: Arch,
    kernel: Kernel,
    program: Program,
    context: Any,
    table: NDArray[np.uint64],
    group_threads: int,
    lds: int,
) -> Profile:
    """Sum the counters of a run."""
    by_class: dict[str, int] = {}
    vector_count = vector_lanes = 0
    accesses = []
    for instruction, row in zip(program.instructions, table.tolist(), strict=True):
        if instruction is None or not row[0]:
            continue
        label = class_of(instruction.name)
        by_class[label] = by_class.get(label, 0) + row[0]
        if instruction.name.startswith(("v_", "ds_", "global_", "flat_", "buffer_", "scratch_")):
            vector_count += row[0]
            vector_lanes += row[1]
        if row[2]:
            place = context.place(instruction.pc)
            accesses.append(
                AccessProfile(
                    *(instruction.pc, instruction.name, place, row[0], row[2], row[3], row[5]),
                    row[4],
                )
            )
    lds_rows = [a for a in accesses if a.instruction.startswith("ds_")]
    global_rows = [a for a in accesses if not a.instruction.startswith(("ds_", "scratch_"))]
    total = sum(by_class.values()) or 1
    metadata = kernel.metadata
    vgprs = int(metadata.get(".vgpr_count", 0))
    return Profile(
        arch=arch.name,
        instructions=dict(sorted(by_class.items(), key=lambda item: -item[1])),
        lane_utilisation=vector_lanes / max(1, vector_count * kernel.wave_size),
        global_bytes=_sum(a.bytes for a in global_rows),
        global_transactions=_sum(a.transactions for a in global_rows),
        global_ideal=_sum(a.ideal for a in global_rows),
        lds_bytes=_sum(a.bytes for a in lds_rows),
        lds_conflict_cycles=_sum(a.conflict_cycles for a in lds_rows),
        matrix_share=by_class.get("matrix", 0) / total,
        vgprs=vgprs,
        accumulators=int(metadata.get(".agpr_count", 0)),
        sgprs=int(metadata.get(".sgpr_count", 0)),
        lds_per_group=lds,
        scratch_per_lane=kernel.scratch_bytes,
        waves_per_simd=occupancy(arch, vgprs, lds, group_threads, kernel.wave_size),
        accesses=tuple(accesses),
    )


def _sum(values: Iterable[int]) -> int:
    return sum(values)
