"""Times become fractions of a roof; what was not measured is not called so."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.cases import load_cases
from crossport.validation.performance.bench import BenchRow, Roof, bench_bundle, least_bytes, table
from crossport.validation.performance.roofline import roofline_svg

CORPUS = Path(__file__).resolve().parents[3] / "corpus"
H200 = {
    "name": "NVIDIA H200", "compute_capability": "9.0", "multiprocessors": 132,
    "clock_khz": 1980000, "memory_clock_khz": 3201000, "memory_bus_bits": 6016,
}  # fmt: skip


def test_the_roof_is_the_datasheet_of_the_device() -> None:
    roof = Roof.of(H200)
    assert roof.bytes_per_second == pytest.approx(4.8e12, rel=0.01)
    assert roof.flops_per_second == pytest.approx(67e12, rel=0.01)
    assert Roof.of({**H200, "compute_capability": "99.0"}).flops_per_second is None


def test_a_row_says_how_near_the_roof_it_is() -> None:
    roof = Roof("d", 1e12, 1e13)
    row = BenchRow("k", "c", "original", "d", (1.0, 2.0, 9.0), 1_000_000, None, roof)
    assert row.median_us == 2.0
    assert row.fraction == pytest.approx(0.5)
    assert row.bound == "memory"
    heavy = BenchRow("k", "c", "triton", "d", (2.0,), 1_000_000, 1.5e7, roof)
    assert heavy.bound == "compute"
    assert heavy.fraction == pytest.approx(0.75)
    assert heavy.intensity == 15.0


def test_least_bytes_count_updates_twice() -> None:
    case = next(
        c for c in load_cases(CORPUS / "saxpy_grid_stride").cases if c.name.startswith("n1000")
    )
    assert least_bytes(case) == 3 * 4000


def test_the_recorded_matrix_product() -> None:
    rows = bench_bundle(load_bundle(CORPUS / "matmul_tiled" / "h200.bundle"))
    (row,) = rows
    assert row.kind == "measured"
    assert row.flops is not None and row.flops == pytest.approx(2 * 1024**3, rel=0.3)
    assert 0.02 < row.fraction < 1
    assert "compute" in table(rows)
    json.dumps([r.as_json() for r in rows])


def test_no_recorded_time_beats_the_roof() -> None:
    """Of launches whose data exceed the L2 cache: a faster one would have skipped work."""
    for path in sorted(CORPUS.glob("*/h200.bundle")):
        bundle = load_bundle(path)
        roof = Roof.of(bundle.device)
        for case in bundle.cases.cases:
            if case.is_bench and least_bytes(case) > 64 << 20 and "spmv" not in case.kernel:
                median = sorted(bundle.record(case)["cold_times_us"])[10]
                assert least_bytes(case) / (median * 1e-6) < roof.bytes_per_second, case.id


def test_the_plot_is_a_picture() -> None:
    rows = bench_bundle(load_bundle(CORPUS / "matmul_tiled" / "h200.bundle"))
    tree = ElementTree.fromstring(roofline_svg(rows))
    assert tree.tag.endswith("svg")
    assert len(tree.findall("{http://www.w3.org/2000/svg}circle")) == 1
    ElementTree.fromstring(roofline_svg([]))
