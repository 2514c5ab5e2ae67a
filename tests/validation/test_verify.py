"""The whole way: a port, a bundle, a runner, a verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from crossport.diagnostics import Code, PortError
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import candidate_from_file, judge_port, make_runner
from crossport.validation.mutation import mutants, mutation_score
from crossport.validation.numerics.words import Word
from crossport.validation.oracle import Oracle
from crossport.validation.runners.base import Call, Candidate, RunOutput
from crossport.validation.runners.interp import InterpRunner, Subject
from crossport.validation.verify import verify

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def _source(name: str) -> Candidate:
    return candidate_from_file(CORPUS / name / f"{name}.cu", "cuda")


def _edited(name: str, old: str, new: str) -> Candidate:
    whole = _source(name)
    text = whole.files[whole.entry].decode()
    assert old in text
    return Candidate("cuda", {whole.entry: text.replace(old, new).encode()}, whole.entry)


@pytest.mark.parametrize(
    "name",
    ["vecadd", "softmax_rows", "reduce_warp_shuffle", "histogram_shared_atomic", "gelu_template",
     "horner_double", "axpy_half2", "compact_ballot", "scatter_add_float"],
)  # fmt: skip
def test_the_original_verifies_on_the_interpreter(name: str) -> None:
    verdict = judge_port(_source(name), CORPUS / name / "h200.bundle")
    assert verdict.passes, verdict.render()
    assert verdict.exit_code == 0
    assert "fresh inputs" in verdict.layers
    assert verdict.evidence["device"] == "NVIDIA H200"
    json.dumps(verdict.as_json())


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("vecadd", "i < n", "i < n - 1"),
        ("vecadd", "a[i] + b[i]", "__half2float(__float2half(a[i])) + b[i]"),
        ("softmax_rows", "expf(x[c] - top)", "expf(x[c])"),
        ("reduce_warp_shuffle", "offset = 16", "offset = 8"),
        ("histogram_shared_atomic", "atomicAdd(&bins[b], local[b])", "bins[b] = local[b]"),
        ("transpose_tiled", "(y + j) * height + x", "(y + j) * width + x"),
    ],
)
def test_a_fault_is_found_and_placed(name: str, old: str, new: str) -> None:
    candidate = _edited(name, old, new)
    if "half" in new:
        entry = candidate.entry
        text = b"#include <cuda_fp16.h>\n" + candidate.files[entry]
        candidate = Candidate("cuda", {entry: text}, entry)
    verdict = judge_port(candidate, CORPUS / name / "h200.bundle")
    assert verdict.word is Word.DIVERGENT, verdict.render()
    assert verdict.exit_code == 3


def test_a_divergence_names_array_index_thread_and_line() -> None:
    verdict = judge_port(_edited("vecadd", "i < n", "i < n - 1"), CORPUS / "vecadd" / "h200.bundle")
    bad = next(v for v in verdict.launches if v.case == "n257" and not v.word.passes)
    place = bad.arrays[0].first
    assert place is not None
    assert (place.array, place.index) == ("c", (256,))
    assert place.thread == "block (1, 0, 0) thread (0, 0, 0)"
    assert place.source.endswith("vecadd.cu:4")


@dataclass
class _Stub:
    """A runner that says what a test wants."""

    change: RunOutput
    name: str = "stub"
    targets: tuple[str, ...] = ("cuda",)
    lacking: str | None = None
    seen: list[str] = field(default_factory=list)

    def missing(self) -> str | None:
        return self.lacking

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        honest = InterpRunner().run(candidate, calls)
        self.seen = [c.case.name for c in calls]
        made = []
        for output in honest:
            arrays = {**output.arrays, **self.change.arrays}
            made.append(replace(self.change, arrays=arrays))
        return made


def _verdict(change: RunOutput, **more: object) -> object:
    stub = _Stub(change, **more)  # type: ignore[arg-type]
    return verify(_source("vecadd"), CORPUS / "vecadd" / "h200.bundle", stub)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (RunOutput("ok"), Word.EXACT),
        (RunOutput("ok", faults=("memory behind c was written",)), Word.DIVERGENT),
        (RunOutput("ok", {"c": np.zeros(3, np.float32)}), Word.DIVERGENT),
        (RunOutput("crashed", message="signal 11"), Word.DIVERGENT),
        (RunOutput("timeout"), Word.DIVERGENT),
        (RunOutput("refused", message="block must be 128"), Word.UNDECIDED),
        (RunOutput("missing"), Word.UNDECIDED),
    ],
)
def test_what_a_runner_reports_becomes_a_word(change: RunOutput, word: Word) -> None:
    verdict = _verdict(change)
    assert verdict.word is word  # type: ignore[attr-defined]


def test_a_port_of_some_of_the_kernels_is_not_verified() -> None:
    """The one that was ported is right; nobody knows about the other."""
    stub = _Stub(RunOutput("ok"))
    bundle = CORPUS / "vecadd" / "h200.bundle"
    verdict = verify(_source("vecadd"), bundle, stub, not_ported={"other": "grid-wide barrier"})
    assert verdict.kernels == {"vecadd": Word.EXACT, "other": Word.UNDECIDED}
    assert not verdict.passes
    assert (verdict.word, verdict.exit_code) == (Word.UNDECIDED, 2)
    assert "other: grid-wide barrier" in verdict.render()
    assert verdict.as_json()["not_ported"] == {"other": "grid-wide barrier"}


def test_a_port_of_no_kernel_is_not_verified() -> None:
    stub = _Stub(RunOutput("ok"))
    bundle = CORPUS / "vecadd" / "h200.bundle"
    verdict = verify(_source("vecadd"), bundle, stub, not_ported={"vecadd": "no"})
    assert stub.seen == []
    assert (verdict.word, verdict.exit_code) == (Word.UNDECIDED, 4)


def test_what_was_wrong_stays_wrong_beside_what_was_not_ported() -> None:
    stub = _Stub(RunOutput("ok", {"c": np.zeros(3, np.float32)}))
    bundle = CORPUS / "vecadd" / "h200.bundle"
    verdict = verify(_source("vecadd"), bundle, stub, not_ported={"other": "no"})
    assert (verdict.word, verdict.exit_code) == (Word.DIVERGENT, 3)


def test_a_size_that_a_port_refuses_is_no_failure_where_nobody_recorded_it() -> None:
    class Refusing(_Stub):
        def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
            recorded = {1, 31, 33, 65, 257, 513, 1009, 4096}
            outputs = super().run(candidate, calls)
            return [
                o if c.case.params["n"] in recorded else RunOutput("refused", message="n")
                for o, c in zip(outputs, calls, strict=True)
            ]

    verdict = verify(
        _source("vecadd"), CORPUS / "vecadd" / "h200.bundle", Refusing(RunOutput("ok")), seed="s"
    )
    assert verdict.passes
    assert "refused" in verdict.layers["unseen sizes"]


def test_a_header_of_another_source_is_pointed_out() -> None:
    whole = _source("vecadd")
    text = b"// Source sha256: " + b"0" * 64 + b"\n" + whole.files[whole.entry]
    verdict = judge_port(
        Candidate("cuda", {whole.entry: text}, whole.entry), CORPUS / "vecadd" / "h200.bundle"
    )
    assert any("another source" in caution for caution in verdict.cautions)


def test_a_machine_that_lacks_something_is_no_failure() -> None:
    verdict = _verdict(RunOutput("ok"), lacking="an NVIDIA GPU")
    assert verdict.exit_code == 4  # type: ignore[attr-defined]
    assert "NVIDIA GPU" in verdict.render()  # type: ignore[attr-defined]


def test_the_order_of_launches_is_drawn_anew() -> None:
    orders = set()
    for seed in ("a", "b", "c"):
        stub = _Stub(RunOutput("ok"))
        verify(_source("vecadd"), CORPUS / "vecadd" / "h200.bundle", stub, seed=seed)
        orders.add(tuple(stub.seen))
    assert len(orders) == 3


def test_a_seed_repeats_a_verdict() -> None:
    first = judge_port(_source("softmax_rows"), CORPUS / "softmax_rows" / "h200.bundle", seed="s")
    again = judge_port(_source("softmax_rows"), CORPUS / "softmax_rows" / "h200.bundle", seed="s")
    mine, theirs = first.as_json(), again.as_json()
    mine.pop("seconds"), theirs.pop("seconds")
    assert mine == theirs


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(PortError) as error:
        make_runner("quantum", "gfx942", 10)
    assert error.value.diagnostic.code is Code.USAGE
    with pytest.raises(PortError, match="not cuda"):
        judge_port(_source("vecadd"), CORPUS / "vecadd" / "h200.bundle", runner="triton")
    with pytest.raises(PortError, match="no recorded launch"):
        judge_port(_source("vecadd"), CORPUS / "vecadd" / "h200.bundle", kernels=["other"])
    with pytest.raises(PortError, match="cannot read"):
        candidate_from_file("/nowhere/k.cu", "cuda")


def test_mutants_of_a_kernel_are_rejected() -> None:
    bundle = load_bundle(CORPUS / "scan_warp_shuffle" / "h200.bundle")
    kernels = bundle.cases.kernels
    subject = Subject.of_source(CORPUS / "scan_warp_shuffle" / "scan_warp_shuffle.cu", kernels)
    made = mutants(subject.module, ["scan_warp_shuffle"])
    assert len({m.name for m in made}) == len(made) >= 20
    assert all(m.module != subject.module for m in made)
    score = mutation_score(bundle, subject, "scan_warp_shuffle", most=12)
    assert score.rate >= 0.95, score.survivors


def test_the_oracle_knows_what_inputs_do_not_determine() -> None:
    bundle = load_bundle(CORPUS / "saxpy_grid_stride" / "h200.bundle")
    source = CORPUS / "saxpy_grid_stride" / "saxpy_grid_stride.cu"
    subject = Subject.of_source(source, bundle.cases.kernels)
    case = next(c for c in bundle.cases.checked if c.name.startswith("n1000"))
    contents = case.initial()
    truth = Oracle(subject).truth(case, contents)
    true = np.float64(np.float32(2.5)) * contents["x"].astype(np.float64) + contents["y"]
    assert np.array_equal(truth.values["y"], true)
    size = 2.0**-23 * (np.abs(2.5 * contents["x"]) + np.abs(contents["y"]))
    assert (truth.sensitivity["y"] <= size * 1.01).all()
    assert np.median(truth.sensitivity["y"] / size) > 0.2


def test_a_branch_that_flips_is_no_excuse() -> None:
    """One member of the struct is a flag: a nudge of its last bit changes everything."""
    bundle = load_bundle(CORPUS / "particles_aos" / "h200.bundle")
    subject = Subject.of_source(CORPUS / "particles_aos" / "particles_aos.cu", bundle.cases.kernels)
    score = mutation_score(bundle, subject, "particles_aos", most=12)
    assert score.rate >= 0.9, score.survivors
