"""Which thread wrote an element last, and on which line of the original source.

    locate(subject, case, contents, "out", 1007)
        ->  ("block (7, 0, 0) thread (111, 0, 0)", "softmax_rows.cu:33")

The original is run once more on the interpreter, with somebody watching one element.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.cases import Case
from crossport.validation.dtypes import Array
from crossport.validation.runners.interp import Subject

_SMALL = 1 << 17
"""Threads that are run without thinking."""
_NEAR = 32
_SECONDS = 20.0


def locate(
    subject: Subject, case: Case, contents: Mapping[str, Array], array: str, index: int
) -> tuple[str, str]:
    """Thread and source place of the last write; empty texts where nobody is found to write there.

    A large launch is looked into where the element's writer most likely is: as far through the grid
    as the element is through the array. Only if that fails does all of it run, for a while.
    """
    found = next(a for a in case.arrays if a.name == array)
    size = found.dtype.bytes
    watch = _Witness(array, index * size, size)
    blocks = math.prod(case.grid)
    if blocks * math.prod(case.block) > _SMALL:
        guess = index * blocks // max(found.count, 1)
        near = range(max(guess - _NEAR, 0), min(guess + _NEAR, blocks))
        if _run(subject, case, contents, watch, near) and watch.place:
            return watch.thread, watch.place
    _run(replace(subject, seconds=_SECONDS), case, contents, watch, None)
    return watch.thread, watch.place


def _run(
    subject: Subject, case: Case, contents: Mapping[str, Array], watch: _Witness,
    blocks: range | None,
) -> bool:  # fmt: skip
    try:
        subject.run(case, contents, watch=watch, blocks=blocks)
    except PortError:
        return False
    return True


class _Witness:
    """A Watch of the interpreter that waits for writes to some bytes of one array."""

    def __init__(self, array: str, start: int, size: int) -> None:
        self.array, self.start, self.end = array, start, start + size
        self.thread = self.place = ""
        self.runtime: Any = None

    def attach(self, runtime: Any) -> None:
        """A chunk begins."""
        self.runtime = runtime

    def write(self, target: Any, mask: Any, j: Any, value: Any, kind: Any, site: int) -> None:
        """A store: ours, if it covers the bytes."""
        self._note(target, mask, j, kind, site)

    def atomic(self, target: Any, mask: Any, j: Any, kind: Any, scope: str, site: int) -> None:
        """An atomic counts as a store."""
        self._note(target, mask, j, kind, site)

    def read(self, target: Any, mask: Any, j: Any, kind: Any, site: int) -> None:
        """Of no interest."""

    def barrier(self, mask: Any, scope: str) -> None:
        """Of no interest."""

    def forget(self, target: Any, mask: Any) -> None:
        """Of no interest."""

    def fence(self, mask: Any) -> None:
        """Of no interest."""

    def _note(self, target: Any, mask: Any, j: Any, kind: Any, site: int) -> None:
        if target.name != self.array or target.space not in ("global", "constant"):
            return
        from crossport.ir.interpreter.masks import lanes_of

        lanes = np.flatnonzero(lanes_of(mask, self.runtime.lanes))
        flat = target.flat(j, kind)
        at = flat[lanes] if isinstance(flat, np.ndarray) else np.full(len(lanes), flat)
        hit = (at * kind.size < self.end) & ((at + 1) * kind.size > self.start)
        if not hit.any():
            return
        lane = int(lanes[np.flatnonzero(hit)[-1]])
        block = int(self.runtime.blocks[self.runtime.slot][lane])
        thread = int(self.runtime.thread[lane])
        self.thread = (
            f"block {_three(block, self.runtime.grid)} thread {_three(thread, self.runtime.block)}"
        )
        span = self.runtime.sites[site].span if site < len(self.runtime.sites) else None
        self.place = f"{span.file}:{span.line}" if span is not None else ""


def _three(flat: int, shape: tuple[int, int, int]) -> tuple[int, int, int]:
    x, rest = flat % shape[0], flat // shape[0]
    return x, rest % shape[1], rest // shape[1]
