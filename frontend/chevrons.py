"""Launches that a formatter has pulled apart: nvcc takes them, clang does not.

    k << <grid, block >> > (p);     ->     k<<< grid, block >>> (p);

The joined text has the length of the written one, so that every offset in it stays right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENING = re.compile(rb"<<[ \t]+<|<[ \t]+<[ \t]*<|<[ \t]*<[ \t]+<")
_CLOSING = re.compile(rb">>[ \t]+>|>[ \t]+>[ \t]*>|>[ \t]*>[ \t]+>|>>>")
# What no configuration holds: past it, an opening is a shift or a text.
_END = re.compile(rb"[;{}]")


def spaced_chevrons(source: bytes) -> Iterator[tuple[int, int]]:
    """The byte ranges of `<< <` and of `>> >`, of launches only."""
    at = 0
    while (opening := _OPENING.search(source, at)) is not None:
        at = opening.end()
        closing = _CLOSING.search(source, at)
        end = _END.search(source, at)
        if closing is None or (end is not None and end.start() < closing.start()):
            continue
        yield opening.span()
        if closing[0] != b">>>":
            yield closing.span()
        at = closing.end()


def joined_chevrons(source: bytes) -> bytes:
    """The source with such launches joined, byte for byte in place."""
    pieces: list[bytes] = []
    at = 0
    for start, end in spaced_chevrons(source):
        pieces += [source[at:start], (source[start : start + 1] * 3).ljust(end - start)]
        at = end
    return b"".join((*pieces, source[at:])) if pieces else source
