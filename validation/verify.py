"""Judge a port against the original's recorded run.

    verdict = verify(candidate, "softmax_rows/h200.bundle")
    verdict.word, verdict.first, verdict.as_json()

Order matters. The candidate's files are frozen first; then fresh inputs are drawn; then it runs,
locked in, every launch in an order of our choosing; only when its process is gone are the recorded
outputs looked at and the references computed.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.cases import ArrayArg, Case
from crossport.validation.dtypes import Array, from_float64, to_float64
from crossport.validation.gate import gate
from crossport.validation.locate import locate
from crossport.validation.mutation import mutation_score
from crossport.validation.numerics.layers import ArrayVerdict, Evidence, judge_array
from crossport.validation.numerics.words import Word, worst
from crossport.validation.oracle import Oracle, Truth
from crossport.validation.runners.base import Call, Candidate, Runner, RunOutput
from crossport.validation.runners.interp import Subject
from crossport.validation.verdict import LaunchVerdict, MutationScore, Verdict

FRESH = 8
_FLUSHING = ("pallas",)
_EXACT_RULES = {"exact", "zeros", "const", "iota", "identity", "permutation", "choice"}


@dataclass(frozen=True, slots=True)
class _Planned:
    """A call and what it is for."""

    kind: str
    call: Call


def verify(
    candidate: Candidate,
    against: Bundle | Path | str,
    runner: Runner,
    *,
    fresh: int = FRESH,
    seed: str | None = None,
    kernels: Sequence[str] = (),
    gated: bool = True,
    mutate: int = 0,
) -> Verdict:
    """Run a candidate and judge every launch.

    fresh: at most so many launches a kernel on inputs nobody has seen. seed: repeats an earlier
    verdict's fresh inputs. kernels: only these. gated: refuse modules that hold more than a port
    (see gate.py); only the tester's own tests go without. Raises PortError for a bundle that is
    broken or was altered; whatever the candidate does is a verdict. mutate: broken variants to try
    a kernel, for the mutation score.
    """
    began = time.perf_counter()
    bundle = against if isinstance(against, Bundle) else load_bundle(against)
    frozen = candidate.digest
    seed = seed or os.urandom(8).hex()
    cases = [
        c for c in bundle.cases.checked
        if bundle.has(c) and (not kernels or c.kernel in kernels or c.function in kernels)
    ]  # fmt: skip
    if not cases:
        raise PortError(
            Diagnostic(Code.CASES_MISSING, f"{bundle.name} has no recorded launch of these kernels")
        )
    lacking = runner.missing()
    if lacking is not None:
        return _unable(candidate, runner, bundle, cases, lacking)
    faults = _gate(candidate) if gated else ()
    if faults:
        return _no_port(candidate, runner, bundle, cases, faults)
    plan = _plan(cases, fresh, seed)
    outputs = runner.run(candidate, [p.call for p in plan])
    if candidate.digest != frozen:
        raise AssertionError("a runner changed its candidate")
    judge = _Judge(bundle, flushes_denormals=candidate.target in _FLUSHING)
    judged = [judge.launch(p, o) for p, o in zip(plan, outputs, strict=True)]
    verdicts = [v for v in judged if v is not None]
    verdicts.sort(key=lambda v: (v.kind != "recorded", v.kernel))
    layers, not_run = judge.account(verdicts)
    last = getattr(runner, "last", None)
    return Verdict(
        target=candidate.target,
        runner=runner.name,
        launches=tuple(verdicts),
        evidence=_evidence(bundle),
        candidate=frozen,
        layers=layers,
        not_run=not_run,
        guards=last.guards if last is not None else (),
        seed=seed,
        cautions=tuple(judge.cautions),
        mutation=_mutation(bundle, judge.subject, cases, mutate),
        seconds=time.perf_counter() - began,
    )


def _plan(cases: Sequence[Case], fresh: int, seed: str) -> list[_Planned]:
    """Recorded launches, fresh ones of the same shapes, a repeat and a probe a kernel; shuffled."""
    plan = [_Planned("recorded", Call(case, case.initial())) for case in cases]
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")
    chooser = random.Random(number)
    for kernel in dict.fromkeys(case.kernel for case in cases):
        mine = [case for case in cases if case.kernel == kernel]
        # Every shape gets a twin where there are not too many of them.
        for shape in chooser.sample(mine, min(fresh, len(mine))):
            case = shape.with_seed(chooser.getrandbits(62))
            plan.append(_Planned("fresh", Call(case, case.initial(chooser.getrandbits(20)))))
        again = chooser.choice(mine)
        plan.append(_Planned("repeat", Call(again, again.initial())))
        probe = _probe(chooser.choice(mine), chooser)
        if probe is not None:
            plan.append(_Planned("fresh", probe))
    chooser.shuffle(plan)
    return plan


def _probe(case: Case, chooser: random.Random) -> Call | None:
    """A recorded launch with one element of one input changed: nothing sampled tells it apart."""
    floats = [a for a in case.arrays if a.role != "out" and a.dtype.is_float and a.count]
    if not floats:
        return None
    contents = case.initial()
    array = chooser.choice(floats)
    values = to_float64(contents[array.name], array.dtype)
    at = chooser.randrange(array.count)
    values[at] = 1.5 if not abs(values[at]) < 1e6 else 0.75 * values[at] + 0.0625
    changed = contents[array.name].copy()
    changed[at] = from_float64(values[at : at + 1], array.dtype)[0]
    return Call(case, {**contents, array.name: changed})


class _Judge:
    """Turns outputs into verdicts; computes references as they are needed."""

    def __init__(self, bundle: Bundle, *, flushes_denormals: bool) -> None:
        self.bundle = bundle
        self.flushes_denormals = flushes_denormals
        self.cautions = [
            f"compute-sanitizer on the original: {line}"
            for line in bundle.sanitizer
            if "clean" not in line and line != "absent"
        ]
        if not bundle.device.get("name"):
            self.cautions.append("no NVIDIA run is at hand: judged against the interpreter only")
        if flushes_denormals:
            self.cautions.append("this target has no denormals; they count as zero")
        self.no_subject = ""
        self.no_truth: dict[str, str] = {}
        self.no_reference: dict[str, str] = {}
        self._subject: Subject | None = None
        self._checked: set[str] = set()

    @property
    def subject(self) -> Subject | None:
        """The original, lowered; None where the frontend cannot read it."""
        if self._subject is None and not self.no_subject:
            name = next(n for n in self.bundle.files if n.startswith("source/"))
            kernels = self.bundle.cases.kernels
            try:
                self._subject = Subject.of_source(
                    name.removeprefix("source/"), kernels, text=self.bundle.files[name]
                )
            except PortError as error:
                self.no_subject = error.diagnostic.message
        return self._subject

    def launch(self, planned: _Planned, output: RunOutput) -> LaunchVerdict | None:
        """The verdict on one launch; None for a good run on inputs that nothing here can judge."""
        case = planned.call.case

        def verdict(
            word: Word, reason: str, arrays: tuple[ArrayVerdict, ...] = (),
            faults: tuple[str, ...] = (),
        ) -> LaunchVerdict:  # fmt: skip
            return LaunchVerdict(case.kernel, case.name, planned.kind, word, reason, arrays, faults)

        if output.status == "refused":
            return verdict(Word.UNDECIDED, f"the port refuses this launch: {output.message}")
        if output.status == "missing":
            return verdict(Word.UNDECIDED, f"not run: {output.message}")
        if output.status != "ok":
            return verdict(Word.DIVERGENT, f"{output.status}: {output.message}")
        shaped = _metadata_faults(case, output)
        faults = (*output.faults, *shaped)
        if shaped:
            return verdict(Word.DIVERGENT, "results of another shape or type", (), faults)
        references = self._references(planned)
        if references is None:
            reason = "memory that is not the kernel's"
            return verdict(Word.DIVERGENT, reason, (), faults) if faults else None
        truth = self._truth(planned)
        arrays = tuple(
            self._array(planned, array, references, truth, output) for array in case.written
        )
        word = worst(a.word for a in arrays)
        if faults:
            return verdict(Word.DIVERGENT, "memory that is not the kernel's", arrays, faults)
        reason = next((a.reason for a in arrays if a.word is word), "")
        if not word.passes:
            arrays = self._with_places(planned, arrays)
        return verdict(word, reason, arrays)

    def account(self, verdicts: Sequence[LaunchVerdict]) -> tuple[dict[str, str], dict[str, str]]:
        """Which layers ran, on how much; which did not, and why."""
        ran: dict[str, str] = {"bounds": f"{len(verdicts)} launches"}
        not_run: dict[str, str] = {}
        arrays = [a for v in verdicts for a in v.arrays]
        for layer in ("classes", "bits", "oracle", "noise"):
            count = sum(layer in a.layers for a in arrays)
            if count:
                ran[layer] = f"{count} arrays"
        fresh = [v for v in verdicts if v.kind == "fresh" and v.arrays]
        if fresh:
            ran["fresh inputs"] = f"{len(fresh)} launches"
        else:
            why = next(iter(self.no_reference.values()), self.no_subject) or "none asked for"
            not_run["fresh inputs"] = why
            self.cautions.append("only inputs that were recorded beforehand were tried")
        repeats = sum(v.kind == "repeat" for v in verdicts)
        if repeats:
            ran["repeats"] = f"{repeats} launches"
        if "oracle" not in ran and self.no_truth:
            not_run["oracle"] = next(iter(self.no_truth.values()))
        return ran, not_run

    def _references(self, planned: _Planned) -> Mapping[str, Array] | None:
        case = planned.call.case
        if planned.kind != "fresh":
            if case.id not in self._checked:
                self.bundle.check_inputs(case)
                self._checked.add(case.id)
            return {a.name: self.bundle.output(case, a) for a in case.written}
        return self._interpreted(planned)

    def _interpreted(self, planned: _Planned) -> Mapping[str, Array] | None:
        if self.subject is None:
            return None
        case = planned.call.case
        try:
            return self.subject.run(case, planned.call.contents).arrays
        except PortError as error:
            self.no_reference[case.kernel] = error.diagnostic.message
            return None

    def _truth(self, planned: _Planned) -> Truth:
        if self.subject is None:
            return Truth(why=self.no_subject)
        case = planned.call.case
        if not any(a.dtype.is_float for a in case.written):
            return Truth(why="no float is written")
        truth = Oracle(self.subject).truth(case, planned.call.contents)
        if not truth.values:
            self.no_truth[case.kernel] = truth.why
        return truth

    def _array(
        self, planned: _Planned, array: ArrayArg, references: Mapping[str, Array], truth: Truth,
        output: RunOutput,
    ) -> ArrayVerdict:  # fmt: skip
        case = planned.call.case
        recorded = planned.kind != "fresh"
        evidence = Evidence(
            original=references[array.name],
            oracle=truth.values.get(array.name),
            sensitivity=truth.sensitivity.get(array.name),
            noise=self.bundle.noise(case, array) if recorded else None,
            own_error=truth.own_error.get(array.name),
            is_exact_regime=_is_exact_regime(case),
            may_reorder=array.compare == "multiset",
            flushes_denormals=self.flushes_denormals,
            shape=array.shape,
        )
        return judge_array(array.name, array.dtype, evidence, output.arrays[array.name])

    def _with_places(
        self, planned: _Planned, arrays: tuple[ArrayVerdict, ...]
    ) -> tuple[ArrayVerdict, ...]:
        """Thread and source line for the first array that is wrong."""
        made = list(arrays)
        for i, found in enumerate(made):
            if found.word.passes or found.first is None or self.subject is None:
                continue
            call = planned.call
            thread, source = locate(
                self.subject, call.case, call.contents, found.array, found.first.flat
            )
            made[i] = replace(found, first=replace(found.first, thread=thread, source=source))
            break
        return tuple(made)


def _metadata_faults(case: Case, output: RunOutput) -> tuple[str, ...]:
    faults: list[str] = []
    for array in case.written:
        values = output.arrays.get(array.name)
        if values is None:
            faults.append(f"{array.name} did not come back")
        elif values.dtype != array.dtype.storage or values.size != array.count:
            faults.append(
                f"{array.name} came back as {values.dtype.name}[{values.size}], "
                f"not {array.dtype.storage}[{array.count}]"
            )
    return tuple(faults)


def _is_exact_regime(case: Case) -> bool:
    """Whether every float input is a small whole number, so that sums and products are exact."""
    inputs = [a for a in case.arrays if a.dtype.is_float and a.role != "out"]
    return bool(inputs) and all(a.generator.rule in _EXACT_RULES for a in inputs)


def _evidence(bundle: Bundle) -> dict[str, object]:
    return {
        "bundle": Path(bundle.name).name,
        "sha256": bundle.digest,
        "device": bundle.device.get("name"),
        "driver": bundle.device.get("driver"),
        "sanitizer": list(bundle.sanitizer),
    }


def _mutation(
    bundle: Bundle, subject: Subject | None, cases: Sequence[Case], most: int
) -> MutationScore | None:
    if subject is None or most <= 0:
        return None
    scores = [
        mutation_score(bundle, subject, kernel, most=most)
        for kernel in dict.fromkeys(case.kernel for case in cases)
    ]
    return MutationScore(
        sum(s.killed for s in scores),
        sum(s.total for s in scores),
        tuple(name for s in scores for name in s.survivors),
        sum(s.same for s in scores),
    )


def _gate(candidate: Candidate) -> tuple[str, ...]:
    if candidate.target not in ("triton", "pallas"):
        return ()
    texts = {n: d.decode("utf-8", "replace") for n, d in candidate.files.items() if n[-3:] == ".py"}
    target: Literal["triton", "pallas"] = "triton" if candidate.target == "triton" else "pallas"
    return tuple(f"{name}:{fault}" for name, text in texts.items() for fault in gate(text, target))


def _no_port(
    candidate: Candidate, runner: Runner, bundle: Bundle, cases: Sequence[Case],
    faults: tuple[str, ...],
) -> Verdict:  # fmt: skip
    launches = tuple(
        LaunchVerdict(
            c.kernel,
            c.name,
            "recorded",
            Word.DIVERGENT,
            "the module is more than a port",
            (),
            faults,
        )
        for c in cases
    )
    return Verdict(
        candidate.target, runner.name, launches, _evidence(bundle), candidate.digest,
        {"gate": f"{len(faults)} findings"}, {"everything else": "the module was not run"},
    )  # fmt: skip


def _unable(
    candidate: Candidate, runner: Runner, bundle: Bundle, cases: Sequence[Case], lacking: str
) -> Verdict:
    launches = tuple(
        LaunchVerdict(c.kernel, c.name, "recorded", Word.UNDECIDED, f"not run: {lacking}")
        for c in cases
    )
    return Verdict(
        candidate.target, runner.name, launches, _evidence(bundle), candidate.digest, {},
        {"everything": lacking}, missing=lacking,
    )  # fmt: skip
