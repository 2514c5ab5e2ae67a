"""Who wrote an element: found without running all of a large launch."""

from __future__ import annotations

import time
from pathlib import Path

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.locate import locate
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import Variants

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def test_a_place_in_a_large_output_is_named_quickly() -> None:
    """Not all of a large launch is run again to find out who wrote one element."""
    name = "transpose_tiled"
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    subject = Subject.of_source(CORPUS / name / f"{name}.cu", bundle.cases.kernels)
    case = Variants(bundle).make(
        bundle.cases.cases[0], {"width": 2048, "height": 2048}, {}, most=1 << 26
    )
    assert case is not None
    at = 1500 * 2048 + 700
    began = time.process_time()
    thread, place = locate(subject, case, case.initial(), "out", at)
    assert time.process_time() - began < 2.0
    # out[y][x] = in[x][y]: the block of column 1500 and row 700 of the input.
    assert thread.startswith("block (46, 21, 0)")
    assert place.endswith(f"{name}.cu:16")
