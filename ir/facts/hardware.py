"""The machines that facts are computed for: one table a vendor, one row a target.

    target("gfx942").wave            64
    target("sm_90").shared_per_unit  233472 bytes

Sizes are bytes, rates are per second. "Unit" is what a block runs on: a streaming multiprocessor
(NVIDIA), a compute unit (AMD); a "partition" is its part with registers of its own (SIMD).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossport.diagnostics import Code, Diagnostic, PortError


@dataclass(frozen=True, slots=True)
class GpuTarget:
    """A GPU as its manuals describe it. `sources` names them, for the whole row.

    wave: lanes that step together. segment: bytes of the unit in which global memory is fetched
    (NVIDIA: sector; AMD: cache line of the vector L1). line: bytes of a cache line. banks: LDS or
    shared memory banks of `bank_bytes`. registers: 32-bit registers a lane can name.
    register_file: 32-bit registers of a partition, for all its lanes. *_granule: allocation steps
    (registers of a lane, shared bytes). reserved_shared: what the system takes of each block.
    *_lanes: results a unit gives in a cycle: float multiply-adds, integer additions, square roots.
    """

    name: str
    product: str
    vendor: Literal["nvidia", "amd"]
    wave: int
    segment: int
    line: int
    banks: int
    bank_bytes: int
    shared_per_block: int
    shared_per_unit: int
    shared_granule: int
    reserved_shared: int
    registers: int
    register_file: int
    register_granule: int
    partitions: int
    waves_per_partition: int
    blocks_per_unit: int
    threads_per_block: int
    units: int
    fp32_lanes: int
    int_lanes: int
    special_lanes: int
    fp32_flops: float
    fp64_flops: float
    bandwidth: float
    sources: tuple[str, ...]

    @property
    def clock(self) -> float:
        """Cycles a second at which the peak is reached (a fused multiply-add counts as two)."""
        return self.fp32_flops / (2 * self.units * self.fp32_lanes)

    @property
    def balance(self) -> float:
        """FP32 operations a byte at which the roofline bends."""
        return self.fp32_flops / self.bandwidth


@dataclass(frozen=True, slots=True)
class TpuTarget:
    """A TPU chip: vector registers of `sublanes` x `lanes`, a matrix unit, VMEM, HBM."""

    name: str
    product: str
    sublanes: int
    lanes: int
    mxu: int
    vmem: int
    hbm: int
    bf16_flops: float
    bandwidth: float
    sources: tuple[str, ...]


Target = GpuTarget | TpuTarget


def target(name: str) -> Target:
    """The row of that name. Raises PortError (CP9001) if there is none."""
    table = targets()
    if name not in table:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"no facts about the target {name!r}",
                help=f"one of {', '.join(table)}",
            )
        )
    return table[name]


def gpu(name: str) -> GpuTarget:
    """The row of that name, which must be a GPU's. Raises PortError (CP9001) otherwise."""
    found = target(name)
    if isinstance(found, GpuTarget):
        return found
    raise PortError(Diagnostic(Code.USAGE, f"{name} is a TPU, not a GPU"))


def targets() -> dict[str, Target]:
    """All rows, NVIDIA first."""
    from crossport.ir.facts import hardware_amd, hardware_nvidia, hardware_tpu

    rows = (*hardware_nvidia.ROWS, *hardware_amd.ROWS, *hardware_tpu.ROWS)
    return {row.name: row for row in rows}
