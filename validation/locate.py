"""Which thread wrote an element last, and on which line of the original source.

    locate(subject, case, contents, "out", 1007)
        ->  ("block (7, 0, 0) thread (111, 0, 0)", "softmax_rows.cu:33")

The original is run once more on the interpreter, with somebody watching one element.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.cases import Case
from crossport.validation.dtypes import Array
from crossport.validation.runners.interp import Subject


def locate(
    subject: Subject, case: Case, contents: Mapping[str, Array], array: str, index: int
) -> tuple[str, str]:
    """Thread and source place of the last write; empty texts where nobody writes there."""
    size = next(a.dtype.bytes for a in case.arrays if a.name == array)
    watch = _Witness(array, index * size, size)
    try:
        subject.run(case, contents, watch=watch)
    except PortError:
        return "", ""
    return watch.thread, watch.place


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
