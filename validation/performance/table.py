"""The tables of `port bench`: what was measured, and, apart from it, what is predicted."""

from __future__ import annotations

from collections.abc import Sequence

from crossport.validation.performance.bench import BenchRow
from crossport.validation.performance.predict import Prediction


def table(rows: Sequence[BenchRow]) -> str:
    """Measured launches, the ports of each under its original; one table a device."""
    parts = []
    for device in dict.fromkeys(row.device for row in rows):
        here = [row for row in rows if row.device == device]
        order = {name: place for place, name in enumerate(dict.fromkeys(row.id for row in here))}
        here.sort(key=lambda row: (order[row.id], row.who != "original", row.who))
        clocks = next((f", {row.clocks}" for row in here if row.clocks), "")
        parts.append("\n".join([f"measured on {device}{clocks}, cold L2 cache", *_measured(here)]))
    return "\n\n".join(parts)


def _measured(rows: Sequence[BenchRow]) -> list[str]:
    width = min(max(len(row.id) for row in rows), 60)
    lines = [
        f"{'launch':<{width}} {'who':<9} {'median':>11} {'p10..p90':>19} {'moved':>10} "
        f"{'bandwidth':>10} {'of its roof':>15} {'of the original':>16}"
    ]
    originals = {row.id: row for row in rows if row.who == "original"}
    for row in rows:
        low, high = row.spread_us
        spread = f"{low:.1f}..{high:.1f}" if len(row.times_us) > 1 else "one median"
        first = originals.get(row.id)
        ratio = f"{row.median_us / first.median_us:.3f} x" if first and first is not row else ""
        lines.append(
            f"{_short(row.id, width):<{width}} {row.who:<9} {row.median_us:>8.1f} µs {spread:>19} "
            f"{row.least_bytes / 1e6:>7.1f} MB {row.bandwidth / 1e12:>5.2f} TB/s "
            f"{f'{row.fraction:.0%} ({row.bound})':>15} {ratio:>16}".rstrip()
        )
    return lines


def predicted_table(rows: Sequence[Prediction]) -> str:
    """Bounds for devices that are not here."""
    if not rows:
        return ""
    width = min(max(len(f"{row.kernel}/{row.case}") for row in rows), 60)
    lines = [
        "predicted, not measured: the floor by peak rates, and the time if no cache helped",
        f"{'launch':<{width}} {'device':<28} {'at least':>11} {'no cache':>12}  bound",
    ]
    for row in rows:
        uncached = "" if row.uncached_us is None else f"{row.uncached_us:.1f} µs"
        lines.append(
            f"{_short(f'{row.kernel}/{row.case}', width):<{width}} {row.device[:28]:<28} "
            f"{row.floor_us:>8.1f} µs {uncached:>12}  {row.bound}"
        )
    return "\n".join(lines)


def _short(text: str, width: int) -> str:
    """A name that is too long keeps both its ends."""
    if len(text) <= width:
        return text
    half = (width - 1) // 2
    return f"{text[: width - 1 - half]}…{text[-half:]}"
