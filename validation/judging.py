"""Turn what a candidate left behind into verdicts, launch by launch.

    judge = Judge(bundle, flushes_denormals=False)
    judge.launch(planned, output)      LaunchVerdict: exact, ... and the first difference

References are computed as they are needed: the recording for what was recorded, the interpreted
original for everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import ArrayArg, Case
from crossport.validation.dtypes import Array
from crossport.validation.flushing import evidence_without
from crossport.validation.locate import locate
from crossport.validation.numerics.layers import ArrayVerdict, Evidence, judge_array
from crossport.validation.numerics.words import Word, worst
from crossport.validation.oracle import Oracle, Truth
from crossport.validation.plan import Planned
from crossport.validation.runners.base import RunOutput
from crossport.validation.runners.interp import Subject
from crossport.validation.verdict import LaunchVerdict

_EXACT_RULES = {"exact", "zeros", "const", "iota", "identity", "permutation", "choice"}
_SURE_DRAWS = 32
_CLOSE = 256.0


class Judge:
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
        self.refused: dict[str, list[str]] = {}
        """Per kernel, the launches of unseen sizes that the port does not take."""
        self._subject: Subject | None = None
        self.without_denormals = 0
        """Elements that were judged by the original without denormal numbers."""
        self._checked: set[str] = set()
        self._firm: set[str] = set()
        """Kernels that are wrong by the longest measure that there is."""

    @property
    def subject(self) -> Subject | None:
        """The original, lowered; None where the frontend cannot read it."""
        if self._subject is None and not self.no_subject:
            try:
                self._subject = self.bundle.subject
            except PortError as error:
                self.no_subject = error.diagnostic.message
        return self._subject

    def launch(self, planned: Planned, output: RunOutput) -> LaunchVerdict | None:
        """The verdict on one launch; None for a good run on inputs that nothing here can judge."""
        case = planned.call.case

        def verdict(
            word: Word, reason: str, arrays: tuple[ArrayVerdict, ...] = (),
            faults: tuple[str, ...] = (),
        ) -> LaunchVerdict:  # fmt: skip
            return LaunchVerdict(case.kernel, case.name, planned.kind, word, reason, arrays, faults)

        if output.status == "refused":
            if planned.kind == "unseen":
                # A port may say what does not fit; what it never may is refuse a recorded launch.
                self.refused.setdefault(case.kernel, []).append(output.message)
                return None
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
        arrays = self._arrays(planned, references, self._truth(planned), output)
        if case.kernel not in self._firm and any(_is_close(a) for a in arrays):
            # In few draws, the nudges of many inputs may cancel where the port's roundings do not.
            arrays = self._arrays(planned, references, self._truth(planned, _SURE_DRAWS), output)
            if not worst(a.word for a in arrays).passes:
                self._firm.add(case.kernel)
        if planned.kind not in ("recorded", "repeat"):
            arrays = tuple(self._by_rounding(planned, a, references, output) for a in arrays)
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
        unseen = sum(v.kind == "unseen" for v in verdicts)
        refused = sum(map(len, self.refused.values()))
        if unseen or refused:
            ran["unseen sizes"] = f"{unseen} launches" + (f", {refused} refused" if refused else "")
        for kernel, messages in self.refused.items():
            if not any(v.kind == "unseen" and v.kernel == kernel for v in verdicts):
                self.cautions.append(f"{kernel} takes no size but the recorded ones: {messages[0]}")
        related = sum(v.kind == "metamorphic" for v in verdicts)
        if related:
            ran["relations"] = f"{related} pairs of launches"
        if self.without_denormals:
            self.cautions.append(
                f"{self.without_denormals} elements hang on denormal inputs; there, the port is "
                "judged by what the original computes without them"
            )
        repeats = sum(v.kind == "repeat" for v in verdicts)
        if repeats:
            ran["repeats"] = f"{repeats} launches"
        if "oracle" not in ran and self.no_truth:
            not_run["oracle"] = next(iter(self.no_truth.values()))
        return ran, not_run

    def _references(self, planned: Planned) -> Mapping[str, Array] | None:
        case = planned.call.case
        if planned.kind in ("recorded", "repeat"):
            if case.id not in self._checked:
                self.bundle.check_inputs(case)
                self._checked.add(case.id)
            return {a.name: self.bundle.output(case, a) for a in case.written}
        return self._interpreted(planned)

    def _interpreted(self, planned: Planned) -> Mapping[str, Array] | None:
        if self.subject is None:
            return None
        case = planned.call.case
        try:
            return self.subject.run(case, planned.call.contents).arrays
        except PortError as error:
            self.no_reference[case.kernel] = error.diagnostic.message
            return None

    def _truth(self, planned: Planned, draws: int | None = None) -> Truth:
        if self.subject is None:
            return Truth(why=self.no_subject)
        case = planned.call.case
        if not any(a.dtype.is_float for a in case.written):
            return Truth(why="no float is written")
        truth = Oracle(self.subject).truth(case, planned.call.contents, draws)
        if not truth.values:
            self.no_truth[case.kernel] = truth.why
        return truth

    def _arrays(
        self, planned: Planned, references: Mapping[str, Array], truth: Truth, output: RunOutput
    ) -> tuple[ArrayVerdict, ...]:
        case = planned.call.case
        evidence = {
            array.name: self._evidence(planned, array, references, truth) for array in case.written
        }
        found = _judged(case, evidence, output)
        if not self.flushes_denormals or self.subject is None:
            return found
        if worst(a.word for a in found).passes:
            return found
        contents, port = planned.call.contents, output.arrays
        evidence, count = evidence_without(self.subject, case, contents, evidence, port)
        if not count:
            return found
        self.without_denormals += count
        note = f"; {count} elements are judged as the original computes them without denormals"
        return tuple(replace(a, reason=a.reason + note) for a in _judged(case, evidence, output))

    def _evidence(
        self, planned: Planned, array: ArrayArg, references: Mapping[str, Array], truth: Truth
    ) -> Evidence:
        case = planned.call.case
        recorded = planned.kind in ("recorded", "repeat")
        return Evidence(
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

    def _by_rounding(
        self, planned: Planned, found: ArrayVerdict, references: Mapping[str, Array],
        output: RunOutput,
    ) -> ArrayVerdict:  # fmt: skip
        """Whole numbers that hang on the rounding of floats (an escape time, an index) are settled
        by a recording alone: the interpreter rounds in one of the ways that a compiler may."""
        case, contents = planned.call.case, planned.call.contents
        array = next(a for a in case.written if a.name == found.array)
        if found.word.passes or array.dtype.is_float or self.subject is None:
            return found
        reference, port = references[array.name], output.arrays[array.name]
        open_ = np.zeros(len(reference), dtype=bool)
        for oracle, contract in ((False, True), (True, False)):
            try:
                outputs = self.subject.run(case, contents, oracle=oracle, contract=contract)
            except PortError:
                continue
            open_ |= outputs.arrays[array.name] != reference
        differs = port != reference
        if array.compare == "multiset" or (differs & ~open_).any():
            return found
        count = int(np.count_nonzero(differs))
        reason = f"{count} elements hang on a rounding that is the compiler's to choose"
        return ArrayVerdict(array.name, Word.EQUIVALENT, ("bits",), reason, count)

    def _with_places(
        self, planned: Planned, arrays: tuple[ArrayVerdict, ...]
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


def _is_close(found: ArrayVerdict) -> bool:
    """Whether an array fails by the oracle, but by no more than luck of the draws could do: of a
    million elements, the luckiest moves a hundredth of what it should in each of three draws."""
    if found.word is not Word.DIVERGENT or found.port_error is None:
        return False
    assert found.original_error is not None
    return found.port_error.worst <= _CLOSE * max(found.original_error.worst, 1.0)


def _judged(
    case: Case, evidence: Mapping[str, Evidence], output: RunOutput
) -> tuple[ArrayVerdict, ...]:
    return tuple(
        judge_array(a.name, a.dtype, evidence[a.name], output.arrays[a.name]) for a in case.written
    )


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
