"""The one exception inside the lowering: it becomes an `Opaque` at the nearest statement."""

from __future__ import annotations


class NotLowered(Exception):
    """A construct that the thread IR cannot say, or that the lowering does not know yet."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
