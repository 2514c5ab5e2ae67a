"""Make the corpus's bundles, and take the recorded ones back.

    python benchmarks/corpus_bundles.py prepare corpus build/corpus_bundles
    bash benchmarks/record_bundles.sh build/corpus_bundles RESULTS        # on the NVIDIA machine
    python benchmarks/corpus_bundles.py collect RESULTS corpus --tag h200

`collect` packs each recorded bundle to corpus/<name>/<tag>.bundle, after loading it back and
checking that its inputs are ours, and the counters to corpus/ncu_<tag>.json.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import load_bundle, make_bundle, pack_bundle


def main() -> int:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    prepare = steps.add_parser("prepare")
    prepare.add_argument("corpus", type=Path)
    prepare.add_argument("bundles", type=Path)
    collect = steps.add_parser("collect")
    collect.add_argument("results", type=Path)
    collect.add_argument("corpus", type=Path)
    collect.add_argument("--tag", required=True)
    options = parser.parse_args()
    if options.step == "prepare":
        for cases in sorted(options.corpus.glob("*/cases.toml")):
            make_bundle(cases, options.bundles / cases.parent.name)
        return 0
    return _collect(options.results, options.corpus, options.tag)


def _collect(results: Path, corpus: Path, tag: str) -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(results / "bundles.tar.xz") as archive:
            archive.extractall(scratch, filter="data")
        for folder in sorted(Path(scratch).iterdir()):
            target = corpus / folder.name / f"{tag}.bundle"
            try:
                pack_bundle(folder, target)
                bundle = load_bundle(target)
                missing = [c.id for c in bundle.cases.cases if not bundle.has(c)]
                for case in bundle.cases.checked:
                    if bundle.has(case):
                        bundle.check_inputs(case)
            except (PortError, OSError) as error:
                print(f"{folder.name}: {error}", file=sys.stderr)
                target.unlink(missing_ok=True)
                failures += 1
                continue
            if missing:
                print(f"{folder.name}: not recorded: {', '.join(missing)}", file=sys.stderr)
        if (results / "ncu.tar.xz").exists():
            with tarfile.open(results / "ncu.tar.xz") as archive:
                archive.extractall(scratch, filter="data")
            counters = _counters(sorted((Path(scratch) / "ncu").glob("*.csv")))
            (corpus / f"ncu_{tag}.json").write_text(
                "[\n" + ",\n".join(map(json.dumps, counters)) + "\n]\n"
            )
            print(f"counters of {len(counters)} launches")
    return 1 if failures else 0


def _counters(files: Iterable[Path]) -> list[dict[str, object]]:
    """One entry a launch: the kernel's folder, the case's file stem, each metric with its unit."""
    rows: list[dict[str, object]] = []
    listed = Path(__file__).with_name("ncu_metrics.txt").read_text().splitlines()
    wanted = {line for line in listed if not line.startswith("#")}
    for file in files:
        cases = [
            line.split()[0] for line in file.with_suffix(".cases").read_text().splitlines() if line
        ]
        text = file.read_text()
        start = text.find('"ID"')
        if start < 0:
            print(f"{file.stem}: no counters", file=sys.stderr)
            continue
        table = list(csv.DictReader(io.StringIO(text[start:])))
        units, launches = table[0], table[1:]
        if len(launches) != len(cases):
            print(f"{file.stem}: {len(launches)} launches, {len(cases)} cases", file=sys.stderr)
            continue
        for case, launch in zip(cases, launches, strict=True):
            metrics = {
                name: [float(value.replace(",", "")), units[name]]
                for name, value in launch.items()
                if name in wanted
            }
            rows.append({"kernel": file.stem, "case": case, "launch": launch["Kernel Name"],
                         "grid": launch.get("Grid Size"), "block": launch.get("Block Size"),
                         "metrics": metrics})  # fmt: skip
    return rows


if __name__ == "__main__":
    sys.exit(main())
