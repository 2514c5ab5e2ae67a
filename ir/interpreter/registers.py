"""A local array that no pointer points to.

    float acc[8];    acc[i] with i the same in all lanes: one register of eight, nothing is copied
                     acc[j] with j different by lane: the registers become one matrix to gather from

Most local arrays are indexed by unrolled loops, where all lanes agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime


class RegisterArray:
    """`rows[i]` is element i of all lanes; or `matrix[i, lane]` once an index differed by lane."""

    __slots__ = ("kind", "matrix", "name", "rows", "rt")

    def __init__(self, rt: Runtime, name: str, kind: Kind, count: int) -> None:
        self.rt = rt
        self.name = name
        self.kind = kind
        self.rows: list[Any] = [kind.zero] * count
        self.matrix: NDArray[Any] | None = None

    def get(self, mask: Mask, i: Any, site: int) -> Any:
        """Element `i`."""
        if type(i) is not ndarray:
            if not 0 <= i < len(self.rows):
                self._outside(mask, i, site, "read")
                return self.kind.zero
            return self.rows[i] if self.matrix is None else self.matrix[i].copy()
        matrix = self._as_matrix()
        mask, i = self._inside(mask, i, site, "read")
        return matrix.reshape(-1).take(i * self.rt.lanes + self.rt.lane)

    def set(self, mask: Mask, is_whole: bool, i: Any, value: Any, site: int) -> None:
        """Element `i` becomes `value`; `is_whole`: every lane that can see the array takes part."""
        if type(i) is not ndarray:
            if not 0 <= i < len(self.rows):
                self._outside(mask, i, site, "write")
                return
            if self.matrix is not None:
                if mask is True:
                    self.matrix[i] = value
                else:
                    np.copyto(self.matrix[i], value, where=mask)
            elif is_whole or mask is True:
                self.rows[i] = value
            else:
                self.rows[i] = np.where(mask, value, self.rows[i])
            return
        matrix = self._as_matrix()
        mask, i = self._inside(mask, i, site, "write")
        if mask is None:
            return
        at = i * self.rt.lanes + self.rt.lane
        if mask is not True:
            at = at[mask]
            if type(value) is ndarray:
                value = value[mask]
        matrix.reshape(-1)[at] = value

    def leaves(self) -> list[Any]:
        """All elements as registers."""
        if self.matrix is None:
            return list(self.rows)
        return [row.copy() for row in self.matrix]

    def assign(self, mask: Mask, is_whole: bool, values: list[Any]) -> None:
        """All elements at once."""
        for i, value in enumerate(values):
            self.set(mask, is_whole, i, value, 0)

    def _as_matrix(self) -> NDArray[Any]:
        if self.matrix is None:
            self.matrix = np.empty((len(self.rows), self.rt.lanes), self.kind.register)
            for i, row in enumerate(self.rows):
                self.matrix[i] = row
        return self.matrix

    def _inside(self, mask: Mask, i: Any, site: int, what: str) -> tuple[Mask, Any]:
        outside = i.view(np.uint64) >= len(self.rows)
        if not outside.any():
            return mask, i
        wrong = outside if mask is True else outside & mask
        if wrong.any():
            self._outside(wrong, i, site, what)
            mask = ~outside if mask is True else mask & ~outside
            if not mask.any():
                mask = None
        return mask, np.where(outside, 0, i)

    def _outside(self, mask: Mask, i: Any, site: int, what: str) -> None:
        index = i
        if type(i) is ndarray:
            index = i[np.flatnonzero(mask)[0]] if mask is not True else i[0]
        self.rt.fault(
            "out-of-bounds", site, mask, f"{what} of element {index} of {self.name}, "
            f"which has {len(self.rows)}",
        )  # fmt: skip
