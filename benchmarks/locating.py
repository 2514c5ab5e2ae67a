"""How long it takes to name the element, thread and source line of a wrong 100 MB of output.

    python benchmarks/locating.py corpus > docs/locating.md

One element of the output of a timed launch is changed, as a port would: at the front, in the
middle, at the end. Timed are the comparison of the array and the search for the line.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.locate import locate
from crossport.validation.numerics.layers import Evidence, judge_array
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import Variants

COUNT = 26_214_400  # floats: 100 MiB
LAUNCHES = (
    ("vecadd", {"n": COUNT}),
    ("transpose_tiled", {"width": 5120, "height": 5120}),
    ("relu_float4", {"n": COUNT}),
    ("stencil_1d_halo", {"n": COUNT}),
)


def main() -> int:
    """Time each launch; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args().corpus
    print("# Locating a wrong element in 100 MB of output\n")
    print(f"Made by `python benchmarks/locating.py corpus`, {datetime.date.today().isoformat()},")
    print(f"{platform.machine()}, {os.cpu_count()} cores; CPU seconds of this process.\n")
    print("| launch | element | comparing, s | locating, s | named |\n|---|---|---|---|---|")
    for name, sizes in LAUNCHES:
        _one(corpus, name, sizes)
    return 0


def _one(corpus: Path, name: str, sizes: dict[str, int]) -> None:
    bundle = load_bundle(corpus / name / "h200.bundle")
    subject = Subject.of_source(corpus / name / f"{name}.cu", bundle.cases.kernels)
    base = bundle.cases.cases[-1]
    case = Variants(bundle).make(base, sizes, {}, most=1 << 30)
    assert case is not None, name
    contents = case.initial()
    (array,) = case.written
    original = np.random.default_rng(1).integers(1, 100, array.count).astype(array.dtype.storage)
    for at in (0, array.count // 2, array.count - 1):
        port = original.copy()
        port[at] += 1
        began = time.process_time()
        found = judge_array(array.name, array.dtype, Evidence(original, shape=array.shape), port)
        compared = time.process_time() - began
        assert found.first is not None and found.first.flat == at
        began = time.process_time()
        thread, place = locate(subject, case, contents, array.name, at)
        located = time.process_time() - began
        where = f"{array.name}{list(found.first.index)}: {thread or 'nobody'} at {Path(place).name}"
        print(f"| {case.id} | {at} | {compared:.2f} | {located:.2f} | {where} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
