"""What a launch can take on a device that is not here: bounds by manuals and facts, never a time.

    matmul_tiled on gfx942   at least 15.8 µs (compute)   201 µs if every byte came from memory

Nothing is run. The floor is the roof's: bytes that must move and operations that must be done, at
the peak rates of the manual. The other end has every byte that threads ask for come from memory,
with no cache in between. Where a port lands between the two, only a measurement says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crossport.ir.facts import GpuTarget, Target, target
from crossport.validation.bundle.archive import Bundle
from crossport.validation.performance.bench import (
    count_operations,
    facts_of,
    least_bytes,
    timed_cases,
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Bounds on the time of one launch on one device."""

    kernel: str
    case: str
    device: str
    floor_us: float
    uncached_us: float | None
    """None where the facts do not count the bytes that threads ask for."""
    bound: str
    flops: float | None
    least_bytes: int

    @property
    def roofline_fraction(self) -> float | None:
        """Of the roof, if no cache helps."""
        return None if self.uncached_us is None else self.floor_us / self.uncached_us

    def as_json(self) -> dict[str, object]:
        """The stable form."""
        return {
            "kernel": self.kernel, "case": self.case, "device": self.device, "kind": "predicted",
            "floor_us": self.floor_us, "uncached_us": self.uncached_us, "bound": self.bound,
            "flops": self.flops, "least_bytes": self.least_bytes,
            "uncached_roofline_fraction": self.roofline_fraction,
        }  # fmt: skip


def predict_bundle(bundle: Bundle, devices: Sequence[str]) -> list[Prediction]:
    """Bounds for the launches of a bundle. Raises PortError (CP9001) for an unknown device."""
    rows = [target(name) for name in devices]
    cases = timed_cases(bundle)
    facts = facts_of(bundle, cases) if rows else {}
    operations = count_operations(bundle, cases) if rows else {}
    found: list[Prediction] = []
    for row in rows:
        for case in cases:
            flops, moved = operations.get(case.id), None
            if case.id in facts:
                counted, threads = facts[case.id]
                moved = threads * counted.bytes_moved or None
            found.append(_bounds(case.kernel, case.name, row, least_bytes(case), moved, flops))
    return found


def _bounds(
    kernel: str, case: str, row: Target, least: int, moved: float | None, flops: float | None
) -> Prediction:
    memory = least / row.bandwidth
    # A TPU's peak is its matrix unit's in bf16: no floor for float arithmetic of another kind.
    peak = row.fp32_flops if isinstance(row, GpuTarget) else None
    compute = flops / peak if flops and peak else 0.0
    floor = max(memory, compute)
    uncached = max(floor, moved / row.bandwidth) if moved else None
    return Prediction(
        kernel, case, f"{row.name} ({row.product})", floor * 1e6,
        uncached * 1e6 if uncached else None,
        "compute" if compute > memory else "memory", flops, least,
    )  # fmt: skip
