"""A roofline as an SVG: launches as points under the roof of the device they ran on.

    svg = roofline_svg(bench_bundle(bundle))

Both axes are logarithmic. Text only, no drawing library: the file opens in any browser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from crossport.validation.performance.bench import BenchRow

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 760, 460, 70, 60
_LOW, _HIGH = -3.0, 3.5
_COLOURS = {"original": "#1f77b4", "hip": "#d62728", "triton": "#2ca02c", "pallas": "#9467bd"}


def roofline_svg(rows: Sequence[BenchRow]) -> str:
    """The plot of the rows whose operations are known; all must be from one device."""
    shown = [row for row in rows if row.intensity]
    roof = rows[0].roof if rows else None
    peak = (roof.flops_per_second if roof else None) or 1e14
    memory = roof.bytes_per_second if roof else 1e12
    top = math.ceil(math.log10(peak))
    bottom = top - 7

    def x(intensity: float) -> float:
        place = (math.log10(intensity) - _LOW) / (_HIGH - _LOW)
        return _LEFT + place * (_WIDTH - _LEFT - 20)

    def y(flops: float) -> float:
        place = (max(math.log10(flops), bottom) - bottom) / (top - bottom)
        return _HEIGHT - _BOTTOM - place * (_HEIGHT - _BOTTOM - 30)

    ridge = peak / memory
    low, high = 10.0**_LOW, 10.0**_HIGH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<polyline fill="none" stroke="black" stroke-width="2" points="'
        f"{x(low):.1f},{y(low * memory):.1f} {x(ridge):.1f},{y(peak):.1f} "
        f'{x(high):.1f},{y(peak):.1f}"/>',
    ]
    for power in range(math.ceil(_LOW), math.floor(_HIGH) + 1):
        at = x(10.0**power)
        parts.append(f'<text x="{at:.1f}" y="{_HEIGHT - 38}" text-anchor="middle">1e{power}</text>')
    for power in range(bottom, top + 1):
        parts.append(f'<text x="8" y="{y(10.0**power) + 4:.1f}">1e{power}</text>')
    device = escape(rows[0].device) if rows else ""
    parts.append(
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 14}" text-anchor="middle">operations a byte</text>'
        f'<text x="{_LEFT}" y="18">operations a second; {device}, measured, cold cache</text>'
    )
    for row in shown:
        assert row.intensity is not None and row.flops is not None
        speed = row.flops / (row.median_us * 1e-6)
        label = escape(f"{row.kernel} ({row.who}): {row.median_us:.1f} µs, {row.fraction:.0%}")
        colour = _COLOURS.get(row.who, "#7f7f7f")
        parts.append(
            f'<circle cx="{x(max(row.intensity, low)):.1f}" cy="{y(speed):.1f}" r="4" '
            f'fill="{colour}"><title>{label}</title></circle>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
