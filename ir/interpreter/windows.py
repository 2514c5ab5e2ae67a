"""Addresses of shared memory as 32-bit numbers, as PTX has them.

    __cvta_generic_to_shared(p)    ->    (number of the object << 20) + 2**19 + byte offset

An access through such a number, widened to a pointer, finds the object again: no pointer of another
kind is that small.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter.memory import HALF, ID_SHIFT, OFFSET_MASK

_SHIFT = 20
_HALF = 1 << 19


class Windows:
    """Which object each small number is about."""

    def __init__(self) -> None:
        self._ids: list[int] = [0]

    def number(self, pointer: Any) -> Any:
        """The address in the window of a generic pointer; null stays null."""
        whole = np.asarray(pointer, np.int64)
        ids = whole >> ID_SHIFT
        slots = np.zeros(whole.shape, np.int64)
        for identity in np.unique(ids):
            if identity:
                if int(identity) not in self._ids:
                    self._ids.append(int(identity))
                slots = np.where(ids == identity, self._ids.index(int(identity)), slots)
        offset = (whole & OFFSET_MASK) - HALF
        found = np.where(slots > 0, (slots << _SHIFT) + _HALF + offset, 0)
        return found if type(pointer) is ndarray else found[()]

    def generic(self, address: Any) -> Any:
        """The generic address where a small number is one in the window."""
        if len(self._ids) == 1:
            return address
        slots = address >> _SHIFT
        is_small = (slots > 0) & (slots < len(self._ids))
        if not np.any(is_small):
            return address
        ids = np.array(self._ids)[np.where(is_small, slots, 0)]
        offset = (address & ((1 << _SHIFT) - 1)) - _HALF
        found = np.where(is_small, (ids << ID_SHIFT) + HALF + offset, address)
        return found if type(address) is ndarray else found[()]
