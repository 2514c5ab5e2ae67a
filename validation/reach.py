"""How far a launch reads and writes each array: `Reach`, a watch of the interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class Reach:
    """The end, in bytes, of what is read and of what is written, by array."""

    read_to: dict[str, int] = field(default_factory=dict)
    written_to: dict[str, int] = field(default_factory=dict)
    runtime: Any = None

    def elements(self, name: str, size: int) -> int:
        """How many elements of `size` bytes cover all that was touched; at least 1."""
        end = max(self.read_to.get(name, 0), self.written_to.get(name, 0))
        return max(-(-end // size), 1)

    def attach(self, runtime: Any) -> None:
        """A chunk begins."""
        self.runtime = runtime

    def read(self, target: Any, mask: Any, j: Any, kind: Any, site: int) -> None:
        """A load."""
        self._note(self.read_to, target, mask, j, kind)

    def write(self, target: Any, mask: Any, j: Any, value: Any, kind: Any, site: int) -> None:
        """A store."""
        self._note(self.written_to, target, mask, j, kind)

    def atomic(self, target: Any, mask: Any, j: Any, kind: Any, scope: str, site: int) -> None:
        """Both."""
        self._note(self.read_to, target, mask, j, kind)
        self._note(self.written_to, target, mask, j, kind)

    def barrier(self, mask: Any, scope: str) -> None:
        """Of no interest."""

    def forget(self, target: Any, mask: Any) -> None:
        """Of no interest."""

    def fence(self, mask: Any) -> None:
        """Of no interest."""

    def _note(self, where: dict[str, int], target: Any, mask: Any, j: Any, kind: Any) -> None:
        if target.space != "global":
            return
        from crossport.ir.interpreter.masks import lanes_of

        lanes = np.flatnonzero(lanes_of(mask, self.runtime.lanes))
        flat = np.asarray(target.flat(j, kind))
        at = flat[lanes] if flat.ndim else flat
        if at.size:
            end = (int(at.max()) + 1) * kind.size
            where[target.name] = max(where.get(target.name, 0), end)
