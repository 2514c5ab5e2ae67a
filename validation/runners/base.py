"""The one interface behind which every way of running a candidate stands.

    runner.missing()                       None, or what this machine lacks
    runner.run(candidate, calls)           one RunOutput a call, in the order of the calls

A runner never sees expected values, and never judges: it says what happened and what the arrays
hold. A candidate is frozen: its files are bytes, taken before any input is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from crossport.validation.cases import Case
from crossport.validation.dtypes import Array

Status = Literal["ok", "refused", "failed", "crashed", "timeout", "missing"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A port, frozen: file names and bytes, and which file is run."""

    target: Literal["cuda", "hip", "triton", "pallas"]
    files: Mapping[str, bytes]
    entry: str
    left: tuple[str, ...] = ()
    """What the port itself says it left unported: a failure to compile is then no surprise."""

    @property
    def digest(self) -> str:
        """Hash over names and contents: what a verdict is about."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            total.update(name.encode() + b"\0" + hashlib.sha256(self.files[name]).digest())
        return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Call:
    """One launch to make: the case and the contents of its arrays beforehand."""

    case: Case
    contents: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class RunOutput:
    """What one launch did.

    status: "ok"; "refused" (the port says that the launch does not fit, with ValueError), "failed"
    (an exception), "crashed" (the process died), "timeout", "missing" (no such kernel).
    arrays: contents of every array afterwards. faults: broken guard bands, changed inputs, results
    of a wrong shape or type. measured: what the times are; "" where nothing was timed.
    """

    status: Status
    arrays: Mapping[str, Array] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    message: str = ""
    times_us: tuple[float, ...] = ()
    measured: str = ""
    seconds: float = 0.0


class Runner(Protocol):
    """One way of running candidates."""

    @property
    def name(self) -> str:
        """As on the command line: `interp`, `triton`, `amdgpu`..."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Which candidates it can run."""

    def missing(self) -> str | None:
        """What this machine lacks to run anything, or None."""

    def run(self, candidate: Candidate, calls: Sequence[Call]) -> list[RunOutput]:
        """Make the calls. One result a call; never raises for what the candidate does."""
