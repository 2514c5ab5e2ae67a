"""The page and the picture of `port bench` over the corpus.

    python benchmarks/bench_page.py corpus docs/bench.md docs/roofline.png

Times of the originals are those in the bundles; times of HIP ports on the same device those that
benchmarks/hip_nvidia.py recorded (medians of interleaved launches). Bounds for a device that is not
here are predictions, and stand apart.
"""

from __future__ import annotations

# ruff: noqa: E501  (lines of the page)
import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.performance.bench import BenchRow, bench_bundle, measured_elsewhere
from crossport.validation.performance.predict import Prediction, predict_bundle
from crossport.validation.performance.roofline import write_roofline
from crossport.validation.performance.table import predicted_table, table

HERE = Path(__file__).resolve().parent
DEVICE = "gfx942"


def main() -> int:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    rows: list[BenchRow] = []
    predictions: list[Prediction] = []
    for path in sorted(options.corpus.glob("*/h200.bundle")):
        bundle = load_bundle(path)
        if any(case.is_bench and bundle.has(case) for case in bundle.cases.cases):
            rows += bench_bundle(bundle)
            predictions += predict_bundle(bundle, [DEVICE])
    originals = len(rows)
    with tempfile.TemporaryDirectory() as folder:
        ports = Path(folder) / "ports.json"
        ports.write_text(json.dumps({"launches": list(_hip_ports(rows))}))
        rows += measured_elsewhere(ports, rows)
    options.page.write_text(_page(rows, predictions, originals, options.picture.name))
    write_roofline(rows, predictions, options.picture)
    return 0


def _hip_ports(rows: list[BenchRow]) -> Iterator[dict[str, Any]]:
    """The times of HIP ports that were recorded beside their originals."""
    device = rows[0].device
    recorded = json.loads((HERE / "hip_nvidia.json").read_text())["kernels"]
    for program in recorded.values():
        for case, times in program.get("times", {}).items():
            kernel, _, name = case.rpartition("/")
            yield {
                "kernel": kernel, "case": name, "who": "hip", "device": device,
                "times_us": [times["port_us"]],
            }  # fmt: skip


def _page(rows: list[BenchRow], predictions: list[Prediction], originals: int, picture: str) -> str:
    fractions = [row.fraction for row in rows[:originals]]
    memory = [row.fraction for row in rows[:originals] if row.bound == "memory"]
    return "\n".join(
        [
            "# Times against roofs",
            "",
            "Made by `python benchmarks/bench_page.py corpus docs/bench.md docs/roofline.png`, from",
            "the recorded bundles; `port bench` prints the same for any source or bundle. A roof is",
            "the device's own: bytes that must move (inputs once, outputs once, what is updated",
            "twice) by its memory bandwidth, or operations by its float rate, whichever takes longer.",
            "",
            f"{originals} timed launches of the corpus: median {statistics.median(fractions):.0%} of the",
            f"roof; of the {len(memory)} that memory bounds, {statistics.median(memory):.0%}. What was",
            "measured and what is predicted are separate tables, panels and lists in `--json`.",
            "",
            f"![roofline]({picture})",
            "",
            "```",
            table(rows),
            "",
            predicted_table(predictions),
            "```",
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
