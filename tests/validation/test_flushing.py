"""What a target without denormal numbers is held to: the original without them, and no less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.dtypes import Array
from crossport.validation.flushing import without_denormals
from crossport.validation.judging import Judge
from crossport.validation.numerics.words import Word
from crossport.validation.plan import Planned
from crossport.validation.runners.base import Call, RunOutput

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
BUNDLE = CORPUS / "math_zoo" / "h200.bundle"


def _special() -> tuple[Judge, Planned, Array, Array]:
    """The launch on special values; its recorded output, and that of flushed inputs."""
    bundle = load_bundle(BUNDLE)
    judge = Judge(bundle, flushes_denormals=True)
    case = next(c for c in bundle.cases.checked if c.name == "special")
    contents = case.initial()
    flushed = without_denormals(case, contents)
    assert flushed is not None and judge.subject is not None
    (array,) = case.written
    true = bundle.output(case, array)
    return (
        judge,
        Planned("recorded", Call(case, contents)),
        true,
        judge.subject.run(case, flushed).arrays[array.name],
    )


def _judged(judge: Judge, planned: Planned, out: Array) -> Word:
    found = judge.launch(planned, RunOutput("ok", {**planned.call.contents, "out": out}))
    assert found is not None
    return found.word


def test_results_of_flushed_inputs_pass_and_are_counted() -> None:
    judge, planned, true, flushed = _special()
    with np.errstate(invalid="ignore"):
        assert (np.abs(true - flushed) > 1e-30).any(), "square roots of denormals are large"
    assert _judged(judge, planned, flushed).passes
    assert judge.without_denormals > 10
    judge.account([])
    assert any("hang on denormal inputs" in text for text in judge.cautions)


def test_results_that_keep_some_denormals_pass() -> None:
    judge, planned, true, flushed = _special()
    mixed = np.where(np.arange(len(true)) % 3 == 0, true, flushed).astype(np.float32)
    assert _judged(judge, planned, mixed).passes


def test_other_errors_are_not_excused() -> None:
    judge, planned, _, flushed = _special()
    inputs = planned.call.contents["in"]
    at = next(i for i in range(len(inputs)) if 0.5 < abs(inputs[i]) < 2 and i % 16 == 4)
    wrong = flushed.copy()
    wrong[at] *= np.float32(1.001)
    assert _judged(judge, planned, wrong) is Word.DIVERGENT
    tiny = next(
        i for i in range(len(inputs)) if 0 < abs(inputs[i]) < 1e-38 and i % 16 == 4
    )  # A square root of a denormal number: neither its value nor 0.
    wrong = flushed.copy()
    wrong[tiny] = 1e-21
    assert _judged(judge, planned, wrong) is Word.DIVERGENT


def test_a_target_with_denormals_is_held_to_them() -> None:
    _, planned, _, flushed = _special()
    strict = Judge(load_bundle(BUNDLE), flushes_denormals=False)
    assert _judged(strict, planned, flushed) is Word.DIVERGENT
    assert strict.without_denormals == 0


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, float("nan"), float("inf"), 1e-30])
def test_ordinary_inputs_are_left_alone(value: float) -> None:
    case = load_bundle(BUNDLE).cases.checked[0]
    contents = {a.name: np.full(a.count, value, np.float32) for a in case.arrays}
    assert without_denormals(case, contents) is None
