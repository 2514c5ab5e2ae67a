"""Judge a port against the original's recorded run.

    verdict = verify(candidate, "softmax_rows/h200.bundle", runner)
    verdict.word, verdict.first, verdict.as_json()

Order matters. The candidate's files are frozen first; then inputs are drawn; then it runs, locked
in, every launch in an order of our choosing; only when its process is gone are the recorded outputs
looked at and the references computed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.cases import Case, ScalarArg
from crossport.validation.explore import explore as search
from crossport.validation.gate.hip import gate_hip
from crossport.validation.gate.module import gate_file
from crossport.validation.judging import Judge
from crossport.validation.metamorphic import Pair, judge_pair, pairs
from crossport.validation.mutation import mutation_score
from crossport.validation.numerics.words import Word
from crossport.validation.plan import plan
from crossport.validation.runners.base import Candidate, Runner
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import Variants, is_legal
from crossport.validation.verdict import LaunchVerdict, MutationScore, Verdict

FRESH = 8
UNSEEN = 3
_FLUSHING = ("pallas",)


def verify(
    candidate: Candidate,
    against: Bundle | Path | str,
    runner: Runner,
    *,
    fresh: int = FRESH,
    unseen: int = UNSEEN,
    relations: bool = True,
    seed: str | None = None,
    kernels: Collection[str] = (),
    not_ported: Mapping[str, str] | None = None,
    gated: bool = True,
    mutate: int = 0,
    explore: int = 0,
) -> Verdict:
    """Run a candidate and judge every launch.

    fresh: at most so many launches a kernel on data nobody has seen. unseen: so many of sizes that
    nobody recorded. relations: also launches that are compared with each other. seed: repeats an
    earlier verdict's draw. kernels: only these; none named: all. not_ported: kernels that have no
    port, and why: while there are any, no port is verified.
    gated: refuse ports that hold more than a port (see gate/); only the tester's own tests go
    without. mutate: broken variants to try a kernel, for the mutation score. explore: so many more
    launches, drawn by Hypothesis, which makes one that fails small.
    Raises PortError for a bundle that is broken or was altered; whatever the candidate does is a
    verdict.
    """
    began = time.perf_counter()
    bundle = against if isinstance(against, Bundle) else load_bundle(against)
    frozen = candidate.digest
    seed = seed or os.urandom(8).hex()
    not_ported = dict(not_ported or {})
    cases = _cases(bundle, kernels, not_ported)
    lacking = runner.missing()
    if lacking is not None:
        return _unable(candidate, runner, bundle, cases, lacking, not_ported)
    judge = Judge(bundle, flushes_denormals=candidate.target in _FLUSHING)
    faults = _gate(candidate, bundle, judge.subject) if gated else ()
    if faults:
        return _no_port(candidate, runner, bundle, cases, faults, not_ported)
    subject = judge.subject
    planned = plan(
        cases, fresh, seed, Variants(bundle),
        None if subject is None else lambda case, contents: is_legal(subject, case, contents),
        unseen,
    )  # fmt: skip
    related = _related(subject, cases, seed) if relations else []
    both = [call for pair in related for call in (pair.first, pair.second)]
    outputs = runner.run(candidate, [*(p.call for p in planned), *both])
    outputs, twice = outputs[: len(planned)], outputs[len(planned) :]
    if candidate.digest != frozen:
        raise AssertionError("a runner changed its candidate")
    judged = [judge.launch(p, o) for p, o in zip(planned, outputs, strict=True)]
    judged += [judge_pair(*p) for p in zip(related, twice[::2], twice[1::2], strict=True)]
    verdicts = [v for v in judged if v is not None]
    verdicts.sort(key=lambda v: (v.kind != "recorded", v.kernel))
    layers, not_run = judge.account(verdicts)
    if (differs := _other_source(candidate, bundle)) is not None:
        judge.cautions.append(differs)
    text = ""
    if explore:
        found = search(candidate, bundle, runner, examples=explore, seed=seed, kernels=kernels)
        layers["explored"] = found.account
        text = found.text
        verdicts += [found.verdict] if found.verdict is not None else []
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
        not_ported=not_ported,
        counterexample=text,
        seconds=time.perf_counter() - began,
    )


def _related(subject: Subject | None, cases: Sequence[Case], seed: str) -> list[Pair]:
    """Pairs of launches that are compared with each other."""
    if subject is None:
        return []
    drawn = int.from_bytes(seed.encode()[:6], "little")
    kernels = dict.fromkeys(case.kernel for case in cases)
    return [
        pair
        for kernel in kernels
        for pair in pairs(subject, [c for c in cases if c.kernel == kernel], drawn)
    ]


def _cases(bundle: Bundle, kernels: Collection[str], not_ported: Mapping[str, str]) -> list[Case]:
    """The recorded launches of the kernels that are to be judged."""
    cases = [
        c for c in bundle.cases.checked
        if bundle.has(c) and (not kernels or c.kernel in kernels or c.function in kernels)
        and c.kernel not in not_ported and c.function not in not_ported
    ]  # fmt: skip
    if not cases and not not_ported:
        raise PortError(
            Diagnostic(Code.CASES_MISSING, f"{bundle.name} has no recorded launch of these kernels")
        )
    return cases


def _evidence(bundle: Bundle) -> dict[str, object]:
    return {
        "bundle": Path(bundle.name).name,
        "sha256": bundle.digest,
        "device": bundle.device.get("name"),
        "driver": bundle.device.get("driver"),
        "sanitizer": list(bundle.sanitizer),
    }


def _other_source(candidate: Candidate, bundle: Bundle) -> str | None:
    """A header that claims another origin than the recorded source."""
    import hashlib

    text = candidate.files[candidate.entry][:4096].decode("utf-8", "replace")
    claimed = re.search(r"Source sha256: ([0-9a-f]{64})", text)
    if claimed is None:
        return None
    if claimed[1] in {hashlib.sha256(data).hexdigest() for data in bundle.sources.values()}:
        return None
    return "the port says that it was made from another source than the one that was recorded"


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


def _gate(candidate: Candidate, bundle: Bundle, subject: Subject | None) -> tuple[str, ...]:
    """What the port holds that no port needs."""
    match candidate.target:
        case "hip":
            originals = bundle.sources.values()
            return tuple(gate_hip(candidate.files, originals, bundle.cases.kernels))
        case "triton" | "pallas":
            target = candidate.target
            kernels = {
                case.kernel: [not isinstance(arg, ScalarArg) for arg in case.args]
                for case in bundle.cases.cases
            }
            symbols = _symbols(bundle, subject)
            return tuple(
                f"{name}:{fault}"
                for name, data in candidate.files.items()
                for fault in gate_file(name, data, target, kernels, symbols)
            )
        case _:
            return ()


def _symbols(bundle: Bundle, subject: Subject | None) -> set[str] | None:
    """The device variables of the original; None where nobody could read it."""
    if subject is None:
        return None
    named = {g.name.rsplit("::", 1)[-1] for g in subject.module.globals}
    return named | {b.name for case in bundle.cases.cases for b in case.buffers if b.symbol}


def _no_port(
    candidate: Candidate, runner: Runner, bundle: Bundle, cases: Sequence[Case],
    faults: tuple[str, ...], not_ported: Mapping[str, str],
) -> Verdict:  # fmt: skip
    launches = tuple(
        LaunchVerdict(
            c.kernel, c.name, "recorded", Word.DIVERGENT, "this is more than a port", (), faults
        )
        for c in cases
    )
    return Verdict(
        candidate.target, runner.name, launches, _evidence(bundle), candidate.digest,
        {"gate": f"{len(faults)} findings"}, {"everything else": "the port was not run"},
        not_ported=not_ported,
    )  # fmt: skip


def _unable(
    candidate: Candidate, runner: Runner, bundle: Bundle, cases: Sequence[Case], lacking: str,
    not_ported: Mapping[str, str],
) -> Verdict:  # fmt: skip
    launches = tuple(
        LaunchVerdict(c.kernel, c.name, "recorded", Word.UNDECIDED, f"not run: {lacking}")
        for c in cases
    )
    return Verdict(
        candidate.target, runner.name, launches, _evidence(bundle), candidate.digest, {},
        {"everything": lacking}, missing=lacking, not_ported=not_ported,
    )  # fmt: skip
