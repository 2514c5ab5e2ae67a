"""A verdict hangs on what a port computes, not on the draw of its nudges or of its data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judging import Judge
from crossport.validation.numerics.words import Word
from crossport.validation.oracle import Oracle
from crossport.validation.plan import Planned
from crossport.validation.runners.base import Call, RunOutput
from crossport.validation.variants import Variants

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
TEXTURE = CORPUS / "texture_bilinear" / "h200.bundle"


def test_a_texture_is_filtered_as_the_gpu_filters_it() -> None:
    bundle = load_bundle(TEXTURE)
    subject = Judge(bundle, flushes_denormals=False).subject
    assert subject is not None
    same = total = 0
    for case in bundle.cases.checked:
        (array,) = case.written
        recorded = bundle.output(case, array)
        found = subject.run(case, case.initial()).arrays[array.name]
        same += int(np.count_nonzero(recorded == found))
        total += array.count
        np.testing.assert_allclose(found, recorded, rtol=0, atol=2e-5)
    assert total == 10863 and same / total > 0.99


def _blend(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The kernel in float32, each product and sum rounded: what an honest port computes."""
    f = np.float32
    x, y = np.arange(width, dtype=f)[None, :], np.arange(height, dtype=f)[:, None]
    u, v = x - f(width) * f(0.5), y - f(height) * f(0.5)
    across = u * f(0.875) - v * f(0.484375) + f(width) * f(0.5)
    down = v * f(0.875) + u * f(0.484375) + f(height) * f(0.5)
    i, j = np.floor(across).astype(int), np.floor(down).astype(int)
    a = np.floor((across - np.floor(across)) * f(256) + f(0.5)) / f(256)
    b = np.floor((down - np.floor(down)) * f(256) + f(0.5)) / f(256)
    both = np.floor(a * b * f(256) + f(0.5)) / f(256)
    padded = np.zeros((height + 2, width + 2), f)
    padded[1:-1, 1:-1] = image.reshape(height, width)

    def texel(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return np.asarray(
            padded[np.clip(row + 1, 0, height + 1), np.clip(column + 1, 0, width + 1)]
        )

    total = (f(1) - a - (b - both)) * texel(j, i) + (b - both) * texel(j + 1, i)
    total = total + (a - both) * texel(j, i + 1) + both * texel(j + 1, i + 1)
    return np.ascontiguousarray(total, f).reshape(-1)


def test_sums_that_cancel_are_not_held_to_three_lucky_draws() -> None:
    bundle = load_bundle(TEXTURE)
    judge = Judge(bundle, flushes_denormals=False)
    assert judge.subject is not None
    base = next(c for c in bundle.cases.checked if c.name == "width101-height67")
    unlucky = 0
    for seed in range(6):
        case = Variants(bundle).make(base, {}, {"pixels": {"gen": "skew"}}, seed=seed)
        assert case is not None
        planned = Planned("unseen", Call(case, case.initial(seed)))
        port = _blend(planned.call.contents["pixels"], 101, 67)
        output = RunOutput("ok", {**planned.call.contents, "out": port})
        found = judge.launch(planned, output)
        assert found is not None and found.word is Word.EQUIVALENT, found
        # What the first, short look alone would have said.
        truth = Oracle(judge.subject).truth(case, planned.call.contents)
        reference = judge.subject.run(case, planned.call.contents).arrays
        (first,) = judge._arrays(planned, reference, truth, output)
        unlucky += first.word is Word.DIVERGENT
    assert unlucky


@pytest.mark.parametrize("factor", [1 + 2.0**-18, 1 + 2.0**-20])
def test_a_small_error_everywhere_still_fails(factor: float) -> None:
    bundle = load_bundle(TEXTURE)
    judge = Judge(bundle, flushes_denormals=False)
    case = next(c for c in bundle.cases.checked if c.name == "width101-height67")
    planned = Planned("recorded", Call(case, case.initial()))
    (array,) = case.written
    wrong = (bundle.output(case, array) * np.float32(factor)).astype(np.float32)
    output = RunOutput("ok", {**planned.call.contents, "out": wrong})
    found = judge.launch(planned, output)
    assert found is not None and found.word is Word.DIVERGENT
    assert case.kernel in judge._firm
