"""What a TPU makes of a kernel: no lanes of its own to schedule, but tiles, gathers and VMEM.

    x[tid + 4*k]       rows of 128 lanes         vector loads, tiles of 8 x 128
    x[tid * n + k]     lanes n apart             a transposed tile: the axis of threads is not minor
    x[idx[tid]]        data-dependent            a gather: XLA does it outside the kernel
    atomicAdd(&h[b])   many lanes, one place     a sort or a one-hot product takes its place

A TPU core runs one program on (8, 128) vector registers; blocks become grid steps in sequence.
There are no warps, barriers, atomics or float64 units. The notes say what a port must change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crossport.diagnostics import Span
from crossport.ir.facts.hardware import TpuTarget
from crossport.ir.facts.symbolic import Level, unknowns
from crossport.ir.facts.walk import Access, Trace

TpuShape = Literal["vector", "broadcast", "strided", "gather", "scatter", "atomic"]


@dataclass(frozen=True, slots=True)
class TpuAccess:
    """One access of global memory, as tiles see it."""

    access: Access
    shape: TpuShape


@dataclass(frozen=True, slots=True)
class TpuFacts:
    """What one TPU makes of a kernel.

    bound: by the matrix unit's rate in bf16; arithmetic that is no matrix product runs on the
    vector unit, far below it. vmem_share: shared memory of a block as a share of VMEM.
    """

    target: TpuTarget
    accesses: tuple[TpuAccess, ...]
    intensity: float | None
    bound: Literal["memory", "compute", "unknown"]
    vmem_share: float
    notes: tuple[tuple[Span | None, str], ...]

    @property
    def balance(self) -> float:
        """bf16 operations a byte at which the roofline bends."""
        return self.target.bf16_flops / self.target.bandwidth


def tpu_facts(
    target: TpuTarget,
    trace: Trace,
    operations: Mapping[str, float],
    moved: float,
    shared: int,
) -> TpuFacts:
    """The facts of a walked kernel on a TPU."""
    accesses = tuple(
        TpuAccess(access, tpu_shape(access))
        for access in trace.accesses
        if access.base.space in ("global", "constant") or access.kind == "atomic"
    )
    flops = sum(operations.get(kind, 0.0) for kind in ("f16", "f32", "f64", "special"))
    intensity = flops / moved if moved else None
    balance = target.bf16_flops / target.bandwidth
    bound: Literal["memory", "compute", "unknown"] = "unknown"
    if intensity is not None:
        bound = "memory" if intensity < balance else "compute"
    return TpuFacts(
        target,
        accesses,
        intensity,
        bound,
        shared / target.vmem,
        tuple(_notes(target, trace, accesses, operations)),
    )


def tpu_shape(access: Access) -> TpuShape:
    """How the lanes of a tile would reach an access."""
    if access.kind == "atomic":
        return "atomic"
    if any(unknown.level is Level.LANE for unknown in unknowns(access.offset)):
        return "gather" if access.kind == "load" else "scatter"
    if access.offset.level is not Level.LANE:
        return "broadcast"
    step = access.offset.coefficient("thread.x").value
    return "vector" if step is not None and abs(step) in (access.size, 0) else "strided"


def _notes(
    target: TpuTarget,
    trace: Trace,
    accesses: tuple[TpuAccess, ...],
    operations: Mapping[str, float],
) -> list[tuple[Span | None, str]]:
    sentences = {
        "strided": "neighbouring threads are not neighbours in memory: load the tile with the "
        "contiguous axis minor and transpose it in VMEM",
        "gather": "the address depends on data: gather rows outside the kernel (XLA), or prefetch "
        "the indices as scalars",
        "scatter": "the place written depends on data: sort or segment outside the kernel",
        "atomic": "there are no atomics: accumulate over the sequential grid, or sort and segment",
    }
    found = [
        (
            each.access.span,
            f"{each.access.kind} of {each.access.base.name}: {sentences[each.shape]}",
        )
        for each in accesses
        if each.shape in sentences
    ]
    if operations.get("f64"):
        found.append((None, "there is no float64 unit: it is emulated, or computed in float32"))
    if trace.exchanges:
        span = trace.exchanges[0].node.span
        found.append((span, "warp exchanges become reductions or rolls along the 128 lanes"))
    if trace.syncs:
        span = trace.syncs[0].node.span
        found.append((span, "barriers have no counterpart: a block's phases are whole-tile steps"))
    return list(dict.fromkeys(found))
