"""Times become fractions of a roof; what was not measured is not called so."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crossport.cli import run
from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.cases import load_cases
from crossport.validation.performance.bench import (
    BenchRow,
    Roof,
    bench_bundle,
    least_bytes,
    measured_elsewhere,
)
from crossport.validation.performance.predict import predict_bundle
from crossport.validation.performance.roofline import write_roofline
from crossport.validation.performance.table import predicted_table, table

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


def test_no_launch_of_the_corpus_is_above_its_roof() -> None:
    """mandelbrot's loop ends early, wherever data say so: its operations are not known."""
    (row,) = bench_bundle(load_bundle(CORPUS / "mandelbrot" / "h200.bundle"))
    assert row.flops is None and row.fraction < 1
    (prediction,) = predict_bundle(load_bundle(CORPUS / "mandelbrot" / "h200.bundle"), ["gfx942"])
    assert prediction.flops is None and prediction.bound == "memory"


def test_the_recorded_matrix_product() -> None:
    rows = bench_bundle(load_bundle(CORPUS / "matmul_tiled" / "h200.bundle"))
    (row,) = rows
    assert row.as_json()["kind"] == "measured"
    assert row.clocks == "1980 MHz, memory 3201 MHz"
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


MATMUL = CORPUS / "matmul_tiled" / "h200.bundle"


def test_a_prediction_is_bounds_and_stands_apart() -> None:
    bundle = load_bundle(MATMUL)
    gpu, tpu = predict_bundle(bundle, ["gfx942", "v5e"])
    assert gpu.bound == "compute" and gpu.uncached_us is not None
    # 2 * 1024^3 operations at the manual's rate; every element of A and B read 1024 / 16 times.
    assert gpu.floor_us == pytest.approx(2 * 1024**3 / 163.4e12 * 1e6, rel=0.3)
    assert gpu.uncached_us == pytest.approx(2 * 1024**3 / 16 * 4 / 5.3e12 * 1e6, rel=0.1)
    assert tpu.bound == "memory"
    text = predicted_table([gpu, tpu])
    assert text.startswith("predicted, not measured") and "measured on" not in text
    assert "predicted" not in table(bench_bundle(bundle))
    with pytest.raises(PortError, match="gfx9999"):
        predict_bundle(bundle, ["gfx9999"])


def test_times_of_ports_from_elsewhere_stand_beside_their_original(tmp_path: Path) -> None:
    rows = bench_bundle(load_bundle(MATMUL))
    launch = {"kernel": rows[0].kernel, "case": rows[0].case, "who": "triton"}
    here = {**launch, "device": rows[0].device, "times_us": [rows[0].median_us / 2]}
    there = {**launch, "device": "gfx942", "times_us": [100, 101, 102]}
    other = {**launch, "case": "unknown", "device": "gfx942", "times_us": [1]}
    guess = {**here, "kind": "predicted", "times_us": [0.001]}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"launches": [here, there, other, guess]}))
    found = measured_elsewhere(path, rows)
    assert [(row.who, row.device) for row in found] == [
        ("triton", rows[0].device), ("triton", "gfx942"),
    ]  # fmt: skip
    assert found[1].roof.bytes_per_second == pytest.approx(5.3e12)
    text = table([*rows, *found])
    assert "0.500 x" in text and "one median" in text
    # Microseconds of another device are not held against the original's.
    assert text.count(" x") == 1 and "measured on gfx942" in text
    for broken in ("", "{}", '{"launches": [{"who": "hip"}]}', "[]", '{"launches": 3}'):
        path.write_text(broken)
        with pytest.raises(PortError, match="holds no measured launches"):
            measured_elsewhere(path, rows)


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    bundle = load_bundle(MATMUL)
    rows, predictions = bench_bundle(bundle), predict_bundle(bundle, ["gfx942", "v5e"])
    write_roofline(rows, predictions, tmp_path / "r.svg")
    tree = ElementTree.parse(tmp_path / "r.svg").getroot()
    assert tree.tag.endswith("svg")
    write_roofline(rows, predictions, tmp_path / "r.png")
    assert (tmp_path / "r.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(PortError, match="cannot write"):
        write_roofline(rows, [], tmp_path / "no" / "r.png")


def test_bench_goes_on_after_what_has_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.cu").write_text("__global__ void k() {}\n")
    good = str(CORPUS / "matmul_tiled" / "matmul_tiled.cu")
    assert run(["bench", str(tmp_path / "k.cu"), good, str(tmp_path), "--json"]) == 4
    printed = capsys.readouterr()
    assert printed.err.count("CP5006") == 2
    data = json.loads(printed.out)
    assert data["schema"] == 1
    assert {row["kind"] for row in data["launches"]} == {"measured"}
    assert {row["kind"] for row in data["predictions"]} == {"predicted"}
    assert run(["bench", good, "--predict", "gfx942,sm_90"]) == 0
    printed = capsys.readouterr()
    assert printed.out.index("measured on NVIDIA H200") < printed.out.index("predicted, not")
