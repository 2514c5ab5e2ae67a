"""The verdict on a port: words, what they rest on, and what was not looked at.

equivalent  triton by triton, against NVIDIA H200, 6 recorded launches
  equivalent   softmax_rows: 17 of 17 launches pass
  layers run: bounds, classes, bits, oracle, fresh inputs, unseen sizes, relations, repeats
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from crossport.validation.numerics.layers import ArrayVerdict
from crossport.validation.numerics.words import Word, worst

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class LaunchVerdict:
    """One launch. kind: "recorded" (the original ran it on NVIDIA), "fresh" (inputs drawn after
    the port was frozen, against the interpreter), "unseen" (of sizes that nobody recorded;
    also what a search found), "repeat" or
    "metamorphic" (two launches against each other)."""

    kernel: str
    case: str
    kind: str
    word: Word
    reason: str
    arrays: tuple[ArrayVerdict, ...] = ()
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The stable form."""
        return {
            "kernel": self.kernel,
            "case": self.case,
            "kind": self.kind,
            "word": self.word.value,
            "reason": self.reason,
            "faults": list(self.faults),
            "arrays": [a.as_json() for a in self.arrays],
        }


@dataclass(frozen=True, slots=True)
class MutationScore:
    """How many deliberately broken variants of the port the same judging rejects."""

    killed: int
    total: int
    survivors: tuple[str, ...] = ()
    same: int = 0
    """Variants that compute the same bits on recorded and fresh data; not in `total`."""

    @property
    def rate(self) -> float:
        """Killed over total; 0 where nothing was tried."""
        return self.killed / self.total if self.total else 0.0

    def as_json(self) -> dict[str, object]:
        """The stable form."""
        return {
            "killed": self.killed,
            "total": self.total,
            "survivors": list(self.survivors),
            "same": self.same,
        }


@dataclass(frozen=True)
class Verdict:
    """What was found about one port by one runner."""

    target: str
    runner: str
    launches: tuple[LaunchVerdict, ...]
    evidence: Mapping[str, Any]
    """What it was judged against: device, bundle, hash."""
    candidate: str
    """Hash over the port's files."""
    layers: Mapping[str, str]
    """Layers that ran, and on how much."""
    not_run: Mapping[str, str]
    """Layers that did not, and why."""
    guards: tuple[str, ...] = ()
    """What the candidate was locked into."""
    seed: str = ""
    """Of the fresh inputs."""
    cautions: tuple[str, ...] = ()
    """What a reader should know: undefined behaviour in the original, unusual evidence."""
    mutation: MutationScore | None = None
    seconds: float = 0.0
    missing: str = ""
    """What the machine lacks, where nothing could be run."""
    not_ported: Mapping[str, str] = field(default_factory=dict)
    """Kernels of the source that have no port, or no recorded launch, and why."""
    counterexample: str = ""
    """The smallest launch that was found to fail, as a cases.toml; where one was searched for."""

    @cached_property
    def word(self) -> Word:
        """The word for the port as a whole: the worst of its kernels. One without a port, or that
        nothing was tried on, leaves the whole undecided."""
        return worst(self.kernels.values())

    @cached_property
    def kernels(self) -> Mapping[str, Word]:
        """The word for each kernel."""
        names = dict.fromkeys(launch.kernel for launch in self.launches)
        judged = {
            name: worst(launch.word for launch in self.launches if launch.kernel == name)
            for name in names
        }
        return judged | dict.fromkeys(self.not_ported, Word.UNDECIDED)

    @property
    def passes(self) -> bool:
        """Whether the port may be called verified."""
        return self.word.passes

    @property
    def is_recorded(self) -> bool:
        """Whether it was judged against a run on an NVIDIA GPU, not the interpreter alone."""
        return bool(self.evidence.get("device"))

    @property
    def exit_code(self) -> int:
        """0 verified, 2 what was ported is verified, 3 verification failed, 4 could not be
        verified here (or not against a run on NVIDIA)."""
        if self.word is Word.DIVERGENT:
            return 3
        if not self.is_recorded:
            return 4
        if self.passes:
            return 0
        ported = [launch.word.passes for launch in self.launches]
        return 2 if self.not_ported and ported and all(ported) else 4

    @property
    def first(self) -> LaunchVerdict | None:
        """The first launch that went wrong."""
        return next((v for v in self.launches if not v.word.passes), None)

    def as_json(self) -> dict[str, object]:
        """The stable form used in --json."""
        return {
            "schema": SCHEMA,
            "word": self.word.value,
            "passes": self.passes,
            "target": self.target,
            "runner": self.runner,
            "kernels": {name: word.value for name, word in self.kernels.items()},
            "not_ported": dict(self.not_ported),
            "evidence": dict(self.evidence),
            "candidate_sha256": self.candidate,
            "layers_run": dict(self.layers),
            "layers_not_run": dict(self.not_run),
            "guards": list(self.guards),
            "seed": self.seed,
            "cautions": list(self.cautions),
            "mutation": self.mutation.as_json() if self.mutation else None,
            "missing": self.missing or None,
            "counterexample": self.counterexample or None,
            "launches": [launch.as_json() for launch in self.launches],
            "seconds": round(self.seconds, 3),
        }

    def render(self) -> str:
        """For a terminal."""
        lines = [f"{self.word.value}  {self.target} by {self.runner}, {self._against()}"]
        if self.missing:
            lines.append(f"  cannot be verified here: {self.missing}")
        for name, word in self.kernels.items():
            if name in self.not_ported:
                lines.append(f"  {'not judged':<13}{name}: {self.not_ported[name]}")
                continue
            mine = [launch for launch in self.launches if launch.kernel == name]
            good = sum(launch.word.passes for launch in mine)
            lines.append(f"  {word.value:<13}{name}: {good} of {len(mine)} launches pass")
            bad = next((launch for launch in mine if not launch.word.passes), None)
            if bad is not None:
                lines.append(f"    {bad.case} ({bad.kind}): {bad.reason}")
                lines += [f"      {fault}" for fault in bad.faults[:5]]
                lines += [f"      {a.first}" for a in bad.arrays if a.first and not a.word.passes]
        lines.append(f"  layers run: {', '.join(self.layers) or 'none'}")
        lines += [f"  not run: {name}: {why}" for name, why in self.not_run.items()]
        lines += [f"  caution: {text}" for text in self.cautions]
        if self.mutation is not None:
            lines.append(
                f"  {self.mutation.killed} of {self.mutation.total} broken variants are rejected"
            )
        return "\n".join(lines)

    def _against(self) -> str:
        device = self.evidence.get("device")
        recorded = sum(launch.kind == "recorded" for launch in self.launches)
        if not device:
            return "against the interpreter only"
        return f"against {device}, {recorded} recorded launches"
