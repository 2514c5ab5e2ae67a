"""A roofline as a picture: launches as points under the roof of the device they ran on.

    write_roofline(rows, predictions, Path("roofline.png"))       or .svg

Measured launches are filled points; predictions are hollow, in a panel of their own. Both axes are
logarithmic. A launch whose operations nobody could count, or that has none, has no place here; the
picture says how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.facts import GpuTarget, targets
from crossport.validation.performance.bench import BenchRow, Roof
from crossport.validation.performance.predict import Prediction

_COLOURS = {"original": "#3b6fb6", "hip": "#c8443c", "triton": "#2f8f5b", "pallas": "#8058a8"}
_LABELLED = 12


def write_roofline(rows: Sequence[BenchRow], predictions: Sequence[Prediction], path: Path) -> None:
    """Write the picture, in the format that the suffix names. Raises PortError without matplotlib,
    or where the file cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PortError(
            Diagnostic(
                Code.CANNOT_WRITE,
                "no plot without matplotlib",
                help="pip install 'crossport[plot]'",
            )
        ) from None
    devices = list(dict.fromkeys(row.device for row in rows))
    predicted = list(dict.fromkeys(row.device for row in predictions))
    panels = len(devices) + len(predicted) or 1
    figure = Figure(figsize=(8.5, 5.2 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, squeeze=False)[:, 0]
    for axis, device in zip(axes, devices, strict=False):
        _measured(axis, [row for row in rows if row.device == device])
    for axis, device in zip(axes[len(devices) :], predicted, strict=False):
        _predicted(axis, [row for row in predictions if row.device == device])
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise PortError(Diagnostic(Code.CANNOT_WRITE, f"cannot write {path}: {error}")) from None


def _measured(axis: Any, rows: Sequence[BenchRow]) -> None:
    shown = [row for row in rows if row.intensity]
    points = [(row.intensity or 0, (row.flops or 0) / (row.median_us * 1e-6)) for row in shown]
    clocks = f", {rows[0].clocks}" if rows[0].clocks else ""
    title = f"{rows[0].device}: measured, cold L2 cache{clocks}"
    _frame(axis, rows[0].roof, points, title, len(rows) - len(shown))
    for who in dict.fromkeys(row.who for row in shown):
        mine = [point for row, point in zip(shown, points, strict=True) if row.who == who]
        colour = _COLOURS.get(who, "#6b6b6b")
        axis.plot(*zip(*mine, strict=True), "o", color=colour, markersize=6, label=who, zorder=3)
    # The spread of the repeats, where it is wider than the point.
    for row, (x, _) in zip(shown, points, strict=True):
        low, high = ((row.flops or 0) / (time * 1e-6) for time in reversed(row.spread_us))
        axis.plot([x, x], [low, high], color=_COLOURS.get(row.who, "#6b6b6b"), linewidth=1)
    names = [row.kernel for row in shown if row.who == "original"]
    if len(names) <= _LABELLED:
        for row, point in zip(shown, points, strict=True):
            if row.who == "original":
                text = f"{_short(row.kernel)}  {row.fraction:.0%}"
                is_right = point[0] ** 2 > axis.get_xlim()[0] * axis.get_xlim()[1]
                offset, side = ((-7, -3), "right") if is_right else ((7, -3), "left")
                axis.annotate(
                    text, point, xytext=offset, textcoords="offset points", fontsize=8, ha=side
                )
    if shown:
        axis.legend(loc="lower right", frameon=False)


def _predicted(axis: Any, rows: Sequence[Prediction]) -> None:
    name = rows[0].device.partition(" ")[0]
    row = targets()[name]
    peak = row.fp32_flops if isinstance(row, GpuTarget) else None
    roof = Roof(rows[0].device, row.bandwidth, peak)
    shown = [row for row in rows if row.flops]
    ends: list[tuple[float, float, float]] = []
    for row_ in shown:
        flops = row_.flops or 0
        top = flops / (row_.floor_us * 1e-6)
        low = flops / ((row_.uncached_us or row_.floor_us) * 1e-6)
        ends.append((flops / row_.least_bytes if row_.least_bytes else 0, low, top))
    points = [(x, y) for x, low, top in ends for y in (low, top) if x]
    title = f"{rows[0].device}: predicted, not measured"
    if peak is None:
        title += " (memory only: the matrix unit's peak is no roof for fp32)"
    _frame(axis, roof, points, title, len(rows) - len(shown))
    for number, (x, low, top) in enumerate(ends):
        label = "between no cache and the roof" if number == 0 else None
        axis.plot([x, x], [low, top], color="#8a8a8a", linewidth=1, linestyle=":", label=label)
        axis.plot([x, x], [low, top], "o", color="#8a8a8a", markerfacecolor="white", markersize=5)
    if shown:
        axis.legend(loc="lower right", frameon=False)


def _frame(
    axis: Any, roof: Roof, points: Sequence[tuple[float, float]], title: str, left_out: int
) -> None:
    """Axes, the roof, and what is not shown."""
    xs, ys = [x for x, _ in points] or [1.0], [y for _, y in points] or [1e12]
    ridge = (roof.flops_per_second or 1e14) / roof.bytes_per_second
    low, high = min(*xs, ridge) / 4, max(*xs, ridge) * 4
    corners = [low, ridge, high] if roof.flops_per_second else [low, high]
    tops = [min(x * roof.bytes_per_second, roof.flops_per_second or 1e300) for x in corners]
    axis.plot(corners, tops, color="#222222", linewidth=1.6)
    axis.annotate(
        f"{roof.bytes_per_second / 1e12:.2f} TB/s", (3 * low, 3 * low * roof.bytes_per_second),
        xytext=(8, -8), textcoords="offset points", fontsize=8,
    )  # fmt: skip
    if roof.flops_per_second:
        axis.annotate(
            f"{roof.flops_per_second / 1e12:.0f} TFLOP/s (fp32)", (high, roof.flops_per_second),
            xytext=(-4, 5), textcoords="offset points", fontsize=8, ha="right",
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(low, high)
    axis.set_ylim(min(*ys, tops[0]) / 3, max(tops) * 3)
    axis.grid(visible=True, which="major", color="#e4e4e4", linewidth=0.7)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_ylabel("operations a second")
    note = f"   ({left_out} launches without counted operations are not shown)" if left_out else ""
    axis.set_xlabel(f"operations for each byte that must move{note}")


def _short(name: str) -> str:
    return name if len(name) <= 34 else f"{name[:33]}…"
