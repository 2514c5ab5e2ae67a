"""What hangs on a rounding is settled by a recording only; everything else is not excused."""

from __future__ import annotations

from pathlib import Path

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judging import Judge
from crossport.validation.numerics.words import Word
from crossport.validation.plan import Planned
from crossport.validation.runners.base import Call, RunOutput
from crossport.validation.variants import Variants

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def test_an_escape_time_may_round_as_a_compiler_may() -> None:
    bundle = load_bundle(CORPUS / "mandelbrot" / "h200.bundle")
    judge = Judge(bundle, flushes_denormals=False)
    base = next(c for c in bundle.cases.checked if c.name == "width64-height48-limit100")
    case = Variants(bundle).make(base, {"width": 129}, {})
    assert case is not None and judge.subject is not None
    call = Call(case, case.initial())
    plain = judge.subject.run(case, call.contents).arrays
    fused = judge.subject.run(case, call.contents, contract=True).arrays
    (array,) = case.written
    assert (plain[array.name] != fused[array.name]).any()
    found = judge.launch(Planned("unseen", call), RunOutput("ok", fused))
    assert found is not None and found.word is Word.EQUIVALENT
    assert "rounding" in found.reason
    # One more element, where no rounding decides anything.
    wrong = {**fused, array.name: fused[array.name].copy()}
    wrong[array.name][0] += 1
    found = judge.launch(Planned("unseen", call), RunOutput("ok", wrong))
    assert found is not None and found.word is Word.DIVERGENT
