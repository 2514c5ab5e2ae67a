"""What a run found: `Finding`, `Checks` (what to look for) and `RunReport`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from crossport.diagnostics import Span


@dataclass(frozen=True, slots=True)
class ThreadId:
    """One thread of a launch."""

    block: tuple[int, int, int]
    thread: tuple[int, int, int]

    def __str__(self) -> str:
        return f"block {_shape(self.block)} thread {_shape(self.thread)}"


def _shape(index: tuple[int, int, int]) -> str:
    return f"({', '.join(map(str, index))})"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a kernel, at its first occurrence.

    kind: "out-of-bounds", "misaligned", "bad-pointer", "uninitialised", "race", "barrier",
    "inactive-lane", "member-mask", "assert", "trap".
    other, other_span: for a race, the second thread and where it stands. count: lanes affected.
    """

    kind: str
    message: str
    span: Span | None
    thread: ThreadId | None
    other: ThreadId | None = None
    other_span: Span | None = None
    count: int = 1

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        who = f" [{self.thread}" + (f" and {self.other}" if self.other else "") + "]"
        return f"{place}{self.kind}: {self.message}{who if self.thread else ''}"


@dataclass(frozen=True, slots=True)
class Checks:
    """What to look for. Out-of-bounds accesses, asserts and traps are always noticed.

    stop_on_fault: they raise PortError; otherwise they become findings, such reads give 0 and such
    writes do nothing.
    uninitialised: reads of shared and local memory that nobody wrote. races: two threads on one
    address, not ordered by a barrier, one of them writing. warp_races: also count threads of one
    warp, which lock-step would order. warp: member masks and sources of shuffles.
    outputs: names of array parameters (or argument positions) that start uninitialised.
    """

    stop_on_fault: bool = True
    uninitialised: bool = False
    races: bool = False
    warp_races: bool = False
    warp: bool = False
    barriers: bool = True
    outputs: tuple[int, ...] = ()

    @classmethod
    def all(cls) -> Checks:
        """Everything, collected as findings."""
        return cls(stop_on_fault=False, uninitialised=True, races=True, warp=True)

    @property
    def needs_watch(self) -> bool:
        """Whether every access has to be looked at."""
        return self.races or self.uninitialised


@dataclass(slots=True)
class RunReport:
    """What a launch did beside updating its arrays.

    oracle: for mode "oracle", the float64 contents of each float array, by argument position.
    launches: grids that ran, those launched from the device included.
    """

    findings: list[Finding] = field(default_factory=list)
    output: str = ""
    oracle: dict[int, NDArray[Any]] = field(default_factory=dict)
    seconds: float = 0.0
    launches: int = 1

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings
