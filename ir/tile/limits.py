"""How far a kernel is followed before it keeps its threads: numbers, never the process's stack."""

from __future__ import annotations

MOST_STATEMENTS = 6000
"""Statements of a program without shared memory."""
MOST_SUMMARIES = 48
"""Reductions, scans, gathers and tables in it."""
MOST_OPERATORS = 64
"""Operators in a row that one value keeps for want of a summary."""
MOST_NODES = 1 << 23
"""Values that lanes hold on the way, operands of sums counted one by one."""


class NotLifted(Exception):
    """What kept a kernel from being lifted, in words for its user."""


class WrongShape(NotLifted):
    """The kernel breaks a rule of CUDA in a block of this shape: it was not written for it."""
