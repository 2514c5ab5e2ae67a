"""Times of a recorded run, as fractions of what the device could do.

    vecadd/n16777216   52.6 µs (52.4..52.9)   201.3 MB   3.83 TB/s   80% of memory bandwidth

Only what was measured on a device is called measured. Bytes are the least that the launch must
move: every input read once, every output written once. Operations are counted by the facts, where
they can be; both roofs come from what the device said of itself when it was recorded.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import Case, ScalarArg

# float32 lanes of a multiprocessor by compute capability (CUDA C++ Programming Guide,
# "Arithmetic Instructions"); a fused multiply-add counts as two operations.
_LANES = {"7.0": 64, "7.5": 64, "8.0": 64, "8.6": 128, "8.7": 128, "8.9": 128, "9.0": 128,
          "10.0": 128, "12.0": 128}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Roof:
    """What a device can do at most, from its own description."""

    device: str
    bytes_per_second: float
    flops_per_second: float | None

    @classmethod
    def of(cls, device: Mapping[str, Any]) -> Roof:
        """From a bundle's device facts."""
        # Double data rate: two transfers a clock.
        moved = 2e3 * float(device["memory_clock_khz"]) * float(device["memory_bus_bits"]) / 8
        lanes = _LANES.get(str(device["compute_capability"]))
        flops = None
        if lanes:
            flops = 2e3 * lanes * float(device["multiprocessors"]) * float(device["clock_khz"])
        return cls(str(device["name"]), moved, flops)


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One timed launch."""

    kernel: str
    case: str
    who: str
    """original, or the target of a port."""
    device: str
    times_us: tuple[float, ...]
    least_bytes: int
    flops: float | None
    roof: Roof
    kind: str = "measured"

    @property
    def median_us(self) -> float:
        """The middle of the times."""
        return statistics.median(self.times_us)

    @property
    def spread_us(self) -> tuple[float, float]:
        """The tenth and ninetieth percentile."""
        ordered = sorted(self.times_us)
        last = len(ordered) - 1
        return ordered[round(last * 0.1)], ordered[round(last * 0.9)]

    @property
    def bandwidth(self) -> float:
        """Bytes a second that the launch cannot have done without."""
        return self.least_bytes / (self.median_us * 1e-6)

    @property
    def intensity(self) -> float | None:
        """Operations for each byte that must move."""
        return self.flops / self.least_bytes if self.flops and self.least_bytes else None

    @property
    def fraction(self) -> float:
        """Of the roof over this launch: the floor of its time over its time."""
        floors = [self.least_bytes / self.roof.bytes_per_second]
        if self.flops and self.roof.flops_per_second:
            floors.append(self.flops / self.roof.flops_per_second)
        return max(floors) / (self.median_us * 1e-6)

    @property
    def bound(self) -> str:
        """Which roof is the nearer one."""
        if not self.flops or not self.roof.flops_per_second:
            return "memory"
        arithmetic = self.flops / self.roof.flops_per_second
        return "compute" if arithmetic > self.least_bytes / self.roof.bytes_per_second else "memory"

    def as_json(self) -> dict[str, object]:
        """The stable form."""
        return {
            "kernel": self.kernel, "case": self.case, "who": self.who, "device": self.device,
            "kind": self.kind, "median_us": self.median_us, "p10_us": self.spread_us[0],
            "p90_us": self.spread_us[1], "samples": len(self.times_us),
            "least_bytes": self.least_bytes, "bandwidth": self.bandwidth, "flops": self.flops,
            "bound": self.bound, "roofline_fraction": self.fraction,
        }  # fmt: skip


def bench_bundle(bundle: Bundle) -> list[BenchRow]:
    """The original's times: of the launches recorded for timing, or of all if there are none."""
    roof = Roof.of(bundle.device)
    timed = [c for c in bundle.cases.cases if c.is_bench and bundle.has(c)]
    timed = timed or [c for c in bundle.cases.cases if bundle.has(c)]
    operations = count_operations(bundle, timed)
    rows = []
    for case in timed:
        times = tuple(float(t) for t in bundle.record(case)["cold_times_us"])
        rows.append(
            BenchRow(
                case.kernel, case.name, "original", roof.device, times, least_bytes(case),
                operations.get(case.id), roof,
            )
        )  # fmt: skip
    return rows


def least_bytes(case: Case) -> int:
    """What a launch must move: inputs once, outputs once, updated arrays twice."""
    return sum(a.bytes * (2 if a.role == "inout" else 1) for a in case.arrays)


def count_operations(bundle: Bundle, cases: Sequence[Case]) -> dict[str, float]:
    """Floating-point operations of launches, as the facts count them; those they can count."""
    from crossport.diagnostics import PortError
    from crossport.ir.facts import Launch, kernel_facts
    from crossport.validation.runners.interp import Subject

    name = next(n for n in bundle.files if n.startswith("source/"))
    try:
        subject = Subject.of_source(
            name.removeprefix("source/"), bundle.cases.kernels, text=bundle.files[name]
        )
    except PortError:
        return {}
    found: dict[str, float] = {}
    for case in cases:
        numbers = {
            a.name: int(a.value)
            for a in case.args
            if isinstance(a, ScalarArg) and not a.dtype.is_float
        }
        launch = Launch(case.grid, case.block, numbers, case.shared_bytes)
        try:
            facts = kernel_facts(
                subject.module, subject.kernel(case.kernel).name, launch, ["sm_90"]
            )
        except Exception:  # An estimate that cannot be made is left out, whatever the reason.
            continue
        per_thread = sum(facts.operations.get(k, 0.0) for k in ("f16", "f32", "f64", "special"))
        threads = 1
        for size in (*case.grid, *case.block):
            threads *= size
        if per_thread:
            found[case.id] = per_thread * threads
    return found


def table(rows: Sequence[BenchRow]) -> str:
    """For a terminal."""
    lines = [
        f"{'kernel':<34} {'who':<9} {'median':>10} {'p10..p90':>19} {'moved':>9} "
        f"{'bandwidth':>10}  of its roof"
    ]
    for row in rows:
        low, high = row.spread_us
        lines.append(
            f"{row.kernel[:34]:<34} {row.who:<9} {row.median_us:>7.1f} µs "
            f"{low:>8.1f}..{high:<8.1f} {row.least_bytes / 1e6:>6.1f} MB "
            f"{row.bandwidth / 1e12:>5.2f} TB/s  {row.fraction:>5.0%} ({row.bound}) {row.kind}"
        )
    if rows:
        lines.append(
            f"device: {rows[0].device}, cold L2 cache, {len(rows[0].times_us)} launches each"
        )
    return "\n".join(lines)
