"""How deep a function nests, and room on Python's stack for walks down to there.

Passes walk trees by recursion, and Python ends a recursion after 1,000 frames, counted from
wherever its caller stands. So that what a kernel becomes never hangs on its caller, depth is
measured (`nesting`), held against a number, and the walks run with room for that depth (`room`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from crossport.ir.nodes import Node, children

MOST_NESTED = 150
"""Levels of expressions and statements that a function may have."""
_FRAMES = 20_000
"""More than any walk takes for that: the deepest measured has 8 frames a level."""


def nesting(node: Node) -> int:
    """The number of nodes from this one to the deepest below it."""
    deepest = 0
    waiting = [(node, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in children(node))
    return deepest


@contextmanager
def room() -> Iterator[None]:
    """Let recursions inside go as deep as they need from here."""
    here = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        here += 1
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, here + _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
