"""Relations between two launches: found on the original, demanded of the port."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import candidate_from_file, judge_port
from crossport.validation.metamorphic import Pair, judge_pair, pairs
from crossport.validation.numerics.words import Word
from crossport.validation.runners.base import RunOutput
from crossport.validation.runners.interp import Subject

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def _pairs(name: str) -> tuple[Subject, list[Pair]]:
    bundle = load_bundle(CORPUS / name / "h200.bundle")
    subject = Subject.of_source(CORPUS / name / f"{name}.cu", bundle.cases.kernels)
    return subject, pairs(subject, bundle.cases.checked, 7)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("matmul_tiled", ["doubling A multiplies C by 2", "doubling B multiplies C by 2"]),
        ("vecadd", ["permuting 31 elements permutes c"]),
        ("attention_naive", ["doubling V multiplies out by 2"]),
        ("softmax_rows", []),
        ("reduce_atomic_float", []),
    ],
)
def test_the_relations_of_a_kernel(name: str, known: list[str]) -> None:
    _, found = _pairs(name)
    assert [str(pair.relation) for pair in found] == known


def test_a_port_that_keeps_the_relation_passes_and_one_that_does_not_fails() -> None:
    subject, (pair, _) = _pairs("matmul_tiled")
    case = pair.first.case
    first, second = (subject.run(case, c.contents).arrays for c in (pair.first, pair.second))
    good = judge_pair(pair, RunOutput("ok", first), RunOutput("ok", second))
    assert good is not None and good.word is Word.EXACT
    # A bias far below every tolerance, but a bias.
    shifted = [{**a, "C": a["C"] + np.float32(2e-7)} for a in (first, second)]
    bad = judge_pair(pair, RunOutput("ok", shifted[0]), RunOutput("ok", shifted[1]))
    assert bad is not None and bad.word is Word.DIVERGENT
    assert "in the original, but not here" in bad.reason


def test_results_of_another_shape_are_wrong_and_no_crash() -> None:
    subject, (pair, _) = _pairs("matmul_tiled")
    arrays = subject.run(pair.first.case, pair.first.contents).arrays
    for odd in ({}, {**arrays, "C": arrays["C"][:3]}, {**arrays, "C": arrays["C"].astype(np.int8)}):
        found = judge_pair(pair, RunOutput("ok", arrays), RunOutput("ok", odd))
        assert found is not None and found.word is Word.DIVERGENT
    found = judge_pair(pair, RunOutput("ok", arrays, ("guard",)), RunOutput("ok", arrays))
    assert found is not None and found.word is Word.DIVERGENT


def test_a_launch_that_failed_is_judged_for_itself() -> None:
    _, (pair, _) = _pairs("matmul_tiled")
    assert judge_pair(pair, RunOutput("refused"), RunOutput("ok")) is None


def test_a_verdict_says_how_many_pairs_were_compared() -> None:
    source = CORPUS / "matmul_tiled" / "matmul_tiled.cu"
    verdict = judge_port(
        candidate_from_file(source, "cuda"), CORPUS / "matmul_tiled" / "h200.bundle", fresh=1
    )
    assert verdict.passes
    assert verdict.layers["relations"] == "2 pairs of launches"
