"""What memory sees of one concrete launch: every access of a run, counted as each target would.

    trace = trace_launch(module, "spmv", grid=32, block=128, args=[...], targets=("sm_90",))
    trace.on("sm_90").total("global", "load").segments_per_request        6.4 sectors

The interpreter runs the launch and shows each access with its addresses, so that data-dependent
indices, divergence and loops count exactly. A request is one access by one wavefront; a struct
whose alignment allows it (float4, double2) moves as one access of up to 16 bytes, as compilers
emit it. What a compiler removes (a value loaded twice) is still counted here: compare rates, not
sums, with a profiler's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.diagnostics import Span
from crossport.ir.facts.counts import Counts, global_counts, shared_counts
from crossport.ir.facts.hardware import GpuTarget, gpu
from crossport.ir.interpreter import RunReport, run
from crossport.ir.interpreter.code import Site
from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import MemoryObject
from crossport.ir.interpreter.runtime import Runtime
from crossport.ir.nodes import Assign, Atomic, Effect, Module, Node, Read
from crossport.ir.types import Struct

AccessKind = Literal["load", "store", "atomic"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SiteKey:
    """One access in the source: where, what, and of which object."""

    span: Span | None
    kind: AccessKind
    space: str
    base: str
    site: int


@dataclass(slots=True)
class TargetTrace:
    """A launch's accesses as one target serves them."""

    target: GpuTarget
    sites: dict[SiteKey, Counts] = field(default_factory=dict)

    def total(self, space: str, kind: AccessKind | None = None) -> Counts:
        """The sum over all accesses of a space and kind."""
        total = Counts()
        for key, counts in self.sites.items():
            if key.space == space and kind in (None, key.kind):
                total.add(counts)
        return total


@dataclass(frozen=True, slots=True)
class LaunchTrace:
    """A launch's accesses, for each target asked for, and what the run reported."""

    targets: Mapping[str, TargetTrace]
    report: RunReport

    def on(self, name: str) -> TargetTrace:
        """The counts for one target; KeyError for another."""
        return self.targets[name]


def trace_launch(
    module: Module,
    kernel: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[Any],
    *,
    targets: Sequence[str] = ("sm_90",),
    shared_bytes: int = 0,
    globals_: Mapping[str, Any] | None = None,
    time_limit: float = 600.0,
) -> LaunchTrace:
    """Run a launch and count its accesses. Arrays are updated in place, as by `run`."""
    recorder = Recorder([gpu(name) for name in targets])
    report = run(
        module,
        kernel,
        grid,
        block,
        args,
        shared_bytes=shared_bytes,
        globals_=globals_,
        watch=recorder,
        time_limit=time_limit,
    )
    recorder.finish()
    return LaunchTrace({t.target.name: t for t in recorder.traces}, report)


_WORD = 4


@dataclass(slots=True)
class _Run:
    """Loads of neighbouring words of shared memory, one after the other, by the same lanes.

    Compilers merge them into loads of 8 and 16 bytes where the first word's place allows it: an
    unrolled loop over `tile[k][4 * ty + i]` is one instruction.
    """

    key: SiteKey
    lanes: Ints
    offset: Ints
    words: int = 1

    def goes_on(self, lanes: Ints, offset: Ints, size: int) -> bool:
        """Is a load the next word of this run?"""
        return (
            size == _WORD
            and self.words < 4
            and len(lanes) == len(self.lanes)
            and bool((offset == self.offset + self.words * _WORD).all())
            and bool((lanes == self.lanes).all())
        )

    def pieces(self) -> Iterator[tuple[Ints, int]]:
        """Offset and bytes of each instruction."""
        done = 0
        while done < self.words:
            offset = self.offset + done * _WORD
            words = next(
                n for n in (4, 2, 1) if n <= self.words - done and not (offset % (n * _WORD)).any()
            )
            yield offset, words * _WORD
            done += words


class Recorder:
    """A watch on the interpreter that counts accesses."""

    def __init__(self, targets: Sequence[GpuTarget]) -> None:
        self.traces = [TargetTrace(target) for target in targets]
        self.rt: Runtime
        self.waves: dict[int, Ints] = {}
        self.chunks: dict[int, int] = {}
        self.waiting: dict[str, _Run] = {}
        self.loaded: dict[str, Ints] = {}

    # --- what the interpreter calls

    def attach(self, runtime: Runtime) -> None:
        """A chunk begins."""
        self.finish()
        self.loaded.clear()
        self.rt = runtime
        self.waves = {
            t.target.wave: runtime.slot * (1 << 12) + runtime.thread // t.target.wave
            for t in self.traces
        }

    def read(self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, site: int) -> None:
        """A load."""
        self._note("load", target, mask, j, kind, site)

    def write(
        self, target: MemoryObject, mask: Mask, j: Any, value: Any, kind: Kind, site: int
    ) -> None:
        """A store."""
        self._note("store", target, mask, j, kind, site)

    def atomic(
        self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, scope: str, site: int
    ) -> None:
        """An atomic."""
        self._note("atomic", target, mask, j, kind, site)

    def barrier(self, mask: Mask, scope: str) -> None:
        """Loads neither merge across it nor are kept."""
        self.finish()
        self.loaded.clear()

    def fence(self, mask: Mask) -> None:
        """Nothing to count."""

    def forget(self, target: MemoryObject, mask: Mask) -> None:
        """Nothing to count."""

    # --- counting

    def _note(
        self, what: AccessKind, target: MemoryObject, mask: Mask, j: Any, kind: Kind, site: int
    ) -> None:
        if target.space not in ("global", "shared"):
            return
        lanes = np.flatnonzero(lanes_of(mask, self.rt.lanes))
        offset = (j[lanes] if type(j) is ndarray else np.full(len(lanes), j, np.int64)) * kind.size
        size = self._vector(site, kind)
        if size != kind.size:
            # The first leaf of each aligned piece stands for the whole piece.
            first = offset % size == 0
            lanes, offset = lanes[first], offset[first]
        if not lanes.size:
            return
        if self._is_known(what, target, lanes, offset, site):
            return
        key = SiteKey(self.rt.sites[site].span, what, target.space, target.name, site)
        if target.space == "global":
            self._count(key, lanes, offset, size)
            return
        run = self.waiting.get(target.name)
        if run is not None and not (what == "load" and run.goes_on(lanes, offset, size)):
            self._finish(self.waiting.pop(target.name))
            run = None
        if run is not None:
            run.words += 1
        elif what == "load" and size == _WORD:
            self.waiting[target.name] = _Run(key, lanes, offset)
        else:
            self._count(key, lanes, offset, size)

    def _is_known(
        self, what: AccessKind, target: MemoryObject, lanes: Ints, offset: Ints, site: int
    ) -> bool:
        """Does a load only repeat the lanes' last one of this object, nothing written between?

        `if (x[i] > best) best = x[i]` is one instruction: compilers keep the value.
        """
        if what != "load":
            self.loaded.clear()
            return False
        node = self.rt.sites[site].node
        last = self.loaded.setdefault(target.name, np.full(self.rt.lanes, -1, np.int64))
        if isinstance(node, Read) and node.volatile:
            return False
        if bool((last[lanes] == offset).all()):
            return True
        last[lanes] = offset
        return False

    def finish(self) -> None:
        """Count what still waits for neighbours."""
        while self.waiting:
            self._finish(self.waiting.popitem()[1])

    def _finish(self, run: _Run) -> None:
        for offset, size in run.pieces():
            self._count(run.key, run.lanes, offset, size)

    def _count(self, key: SiteKey, lanes: Ints, offset: Ints, size: int) -> None:
        for trace in self.traces:
            wave = self.waves[trace.target.wave][lanes]
            if key.space == "shared":
                counts = shared_counts(offset, size, lanes, wave, trace.target)
            else:
                counts = global_counts(offset, size, wave, trace.target)
            found = trace.sites.get(key)
            if found is None:
                trace.sites[key] = counts
            else:
                found.add(counts)

    def _vector(self, site: int, kind: Kind) -> int:
        """Bytes that one instruction moves where `kind` is a leaf of a larger value."""
        known = self.chunks.get(site)
        if known is None:
            known = self.chunks[site] = self._piece(self.rt.sites[site], kind)
        return max(known, kind.size)

    def _piece(self, site: Site, kind: Kind) -> int:
        node: Node | None = site.node
        if isinstance(node, Effect) and node.name.startswith("wmma::"):
            return 2 * kind.size  # a lane moves pairs
        if isinstance(node, Assign | Atomic | Read):
            node = node.place
        type = getattr(node, "type", None)
        if not isinstance(type, Struct):
            return 0
        layout = self.rt.code.layout
        piece = min(layout.align(type), 16)
        # A struct of odd size (float3) moves field by field.
        return piece if layout.size(type) % piece == 0 else 0


__all__ = [
    "Counts",
    "LaunchTrace",
    "Recorder",
    "TargetTrace",
    "global_counts",
    "shared_counts",
    "trace_launch",
]
