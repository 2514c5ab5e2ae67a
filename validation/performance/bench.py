"""Times of recorded runs, as fractions of what the device could do.

    vecadd/n16777216   52.6 µs (52.4..52.9)   201.3 MB   3.83 TB/s   80% of memory bandwidth

What is here was measured on a device; what was not is a `Prediction` (predict.py), which is another
type, another list in --json and another table. Bytes are the least that the launch must
move: every input read once, every output written once. Operations are counted by the facts, where
they can be; both roofs come from what the device said of itself when it was recorded.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import Case, ScalarArg

if TYPE_CHECKING:
    from crossport.ir.facts import KernelFacts

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
    clocks: str = ""
    """Highest clocks of the device, as it states them."""

    @property
    def id(self) -> str:
        """The launch; a case belongs to one kernel."""
        return f"{self.kernel}/{self.case}"

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
            "kind": "measured", "median_us": self.median_us, "p10_us": self.spread_us[0],
            "p90_us": self.spread_us[1], "samples": len(self.times_us),
            "least_bytes": self.least_bytes, "bandwidth": self.bandwidth, "flops": self.flops,
            "bound": self.bound, "roofline_fraction": self.fraction, "clocks": self.clocks,
            "times_us": list(self.times_us),
        }  # fmt: skip


def bench_bundle(bundle: Bundle) -> list[BenchRow]:
    """The original's times: of the launches recorded for timing, or of all if there are none."""
    roof = Roof.of(bundle.device)
    timed = timed_cases(bundle)
    operations = count_operations(bundle, timed)
    clocks = "{:.0f} MHz, memory {:.0f} MHz".format(
        float(bundle.device["clock_khz"]) / 1e3, float(bundle.device["memory_clock_khz"]) / 1e3
    )
    rows = []
    for case in timed:
        times = tuple(float(t) for t in bundle.record(case)["cold_times_us"])
        rows.append(
            BenchRow(
                case.kernel, case.name, "original", roof.device, times, least_bytes(case),
                operations.get(case.id), roof, clocks,
            )
        )  # fmt: skip
    return rows


def measured_elsewhere(path: Path, originals: Sequence[BenchRow]) -> list[BenchRow]:
    """Times of ports from a file: a list under "launches", with kernel, case, who, device and
    times_us each, as --json prints them. Those of launches that `originals` has are taken, and
    compared on the same device only. Raises PortError for another file."""
    known = {row.id: row for row in originals}
    found: list[BenchRow] = []
    try:
        for line in json.loads(path.read_text())["launches"]:
            if line.get("kind", "measured") != "measured" or line["who"] == "original":
                continue
            original = known.get(f"{line['kernel']}/{line['case']}")
            times = tuple(float(time) for time in line["times_us"])
            if original is not None and times and min(times) > 0:
                same = line["device"] == original.device
                roof = original.roof if same else _roof_named(str(line["device"]))
                found.append(
                    replace(
                        original, who=str(line["who"]), device=str(line["device"]), times_us=times,
                        roof=roof, clocks=str(line.get("clocks", "")),
                    )
                )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortError(
            Diagnostic(
                Code.CANNOT_READ,
                f"{path} holds no measured launches: {error.__class__.__name__}: {error}",
                help='{"launches": [{"kernel", "case", "who", "device", "times_us"}, ...]}',
            )
        ) from None
    return found


def _roof_named(device: str) -> Roof:
    """The roof of a device that is not the recording's: by the manuals, or unknown."""
    from crossport.ir.facts import GpuTarget, targets

    for row in targets().values():
        if isinstance(row, GpuTarget) and device in (row.name, row.product):
            return Roof(device, row.bandwidth, row.fp32_flops)
    raise PortError(
        Diagnostic(Code.CANNOT_READ, f"no roof is known of a device {device!r}",
                   help=f"one of {', '.join(targets())}")
    )  # fmt: skip


def timed_cases(bundle: Bundle) -> list[Case]:
    """The launches recorded for timing, or all that were recorded."""
    recorded = [c for c in bundle.cases.cases if bundle.has(c)]
    return [c for c in recorded if c.is_bench] or recorded


def least_bytes(case: Case) -> int:
    """What a launch must move: inputs once, outputs once, updated arrays twice."""
    return sum(a.bytes * (2 if a.role == "inout" else 1) for a in case.arrays)


def count_operations(bundle: Bundle, cases: Sequence[Case]) -> dict[str, float]:
    """Floating-point operations of launches, as the facts count them; those they can count.

    A loop that data ends early is counted in full: where that is more than the device can have done
    in the time, the count is no count.
    """
    roof = Roof.of(bundle.device)
    found = facts_of(bundle, cases)
    counted: dict[str, float] = {}
    for case in cases:
        if case.id not in found:
            continue
        facts, threads = found[case.id]
        kinds = ("f16", "f32", "f64", "special")
        flops = threads * sum(facts.operations.get(kind, 0.0) for kind in kinds)
        seconds = statistics.median(bundle.record(case)["cold_times_us"]) * 1e-6
        peak = roof.flops_per_second or math.inf
        if 0 < flops <= peak * seconds:
            counted[case.id] = flops
    return counted


def facts_of(bundle: Bundle, cases: Sequence[Case]) -> dict[str, tuple[KernelFacts, int]]:
    """The facts of launches, and how many threads each has; without those that cannot be had."""
    from crossport.ir.facts import Launch, kernel_facts

    try:
        subject = bundle.subject
    except PortError:
        return {}
    found: dict[str, tuple[KernelFacts, int]] = {}
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
        found[case.id] = facts, math.prod((*case.grid, *case.block))
    return found
