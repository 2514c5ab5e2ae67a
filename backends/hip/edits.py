"""Edits to a source file: which bytes go, what stands there instead, and why.

Example:

    b"cudaMalloc(&p, n);"  +  Edit("k.cu", 0, 10, "hipMalloc", "API name")  ->  b"hipMalloc(&p, n);"

Offsets are bytes of the original file, so every byte outside the edits survives: CRLF line ends,
tabs, text that is no UTF-8. Several sources propose edits (API names, includes, semantics);
`merge_edits` makes one list of them, in which no two overlap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes `start` to `end` (exclusive) of `file`; `start == end` inserts.

    `priority` settles an overlap: the larger wins, and the other edit is dropped (its reason with
    it). Renames have 0, semantic rewrites more, because a rewrite knows what it covers.
    """

    file: str
    start: int
    end: int
    replacement: str
    reason: str
    priority: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.start <= self.end, self

    @property
    def is_insertion(self) -> bool:
        """Whether the edit takes no byte away."""
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two edits of the same priority that want the same bytes; `kept` is in the merged list."""

    kept: Edit
    dropped: Edit


@dataclass(frozen=True, slots=True)
class Merged:
    """Edits of one file in order, without overlap, and what could not be reconciled."""

    edits: tuple[Edit, ...]
    conflicts: tuple[Conflict, ...] = ()


class OverlappingEdits(ValueError):
    """`apply_edits` was given two edits of the same bytes."""


def encode(text: str) -> bytes:
    """The bytes of edit text; undecodable source bytes that it quotes come back as they were."""
    return text.encode("utf-8", "surrogateescape")


def decode(source: bytes) -> str:
    """Source bytes as text that `encode` turns back into the same bytes."""
    return source.decode("utf-8", "surrogateescape")


def newline_of(source: bytes) -> str:
    """The line end that a file uses, to be used in what is inserted."""
    first = source.find(b"\n")
    return "\r\n" if first > 0 and source[first - 1 : first] == b"\r" else "\n"


def apply_edits(source: bytes, edits: Iterable[Edit]) -> bytes:
    """The edited file. Edits may come in any order; insertions at one place keep theirs."""
    pieces: list[bytes] = []
    at = 0
    for edit in sorted(edits, key=_place):
        if edit.start < at:
            raise OverlappingEdits(f"bytes {edit.start}..{edit.end} are edited twice: {edit}")
        if edit.end > len(source):
            raise ValueError(f"edit past the end of the file ({len(source)} bytes): {edit}")
        pieces.append(source[at : edit.start])
        pieces.append(encode(edit.replacement))
        at = edit.end
    pieces.append(source[at:])
    return b"".join(pieces)


def merge_edits(edits: Iterable[Edit]) -> Merged:
    """One list out of several sources' edits of one file.

    - The same bytes with the same replacement: one edit that carries both reasons.
    - An edit that changes nothing (it is given no bytes and no text): dropped.
    - Overlap: the larger priority wins; at the same priority the wider edit, then the earlier one,
      and the loser is reported as a conflict.
    """
    unique = _unite(e for e in edits if not e.is_insertion or e.replacement)
    # Strongest first, so that each later edit is only compared with what already stands.
    strongest = sorted(unique, key=lambda e: (-e.priority, e.start - e.end, e.start))
    kept = _Kept()
    conflicts: list[Conflict] = []
    for edit in strongest:
        rival = kept.overlapping(edit)
        if rival is None:
            kept.add(edit)
        elif rival.priority == edit.priority:
            conflicts.append(Conflict(rival, edit))
    return Merged(tuple(sorted(kept.all(), key=_place)), tuple(conflicts))


def _place(edit: Edit) -> tuple[int, int]:
    # An insertion stands before a replacement that starts at the same byte.
    return edit.start, edit.end


def _unite(edits: Iterable[Edit]) -> list[Edit]:
    by_change: dict[tuple[int, int, str], Edit] = {}
    for edit in edits:
        key = edit.start, edit.end, edit.replacement
        first = by_change.setdefault(key, edit)
        if edit.reason not in first.reason.split("; "):
            first = replace(first, reason=f"{first.reason}; {edit.reason}")
        by_change[key] = replace(first, priority=max(first.priority, edit.priority))
    return list(by_change.values())


class _Kept:
    """Non-overlapping edits, looked up by place."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._edits: list[Edit] = []
        self._insertions: list[Edit] = []

    def overlapping(self, edit: Edit) -> Edit | None:
        """An edit that shares a byte with this one, or has it strictly inside."""
        index = bisect_right(self._starts, edit.start)
        for rival in self._edits[max(0, index - 1) : index + 1]:
            if _overlap(rival, edit):
                return rival
        if edit.is_insertion:
            return None
        return next((i for i in self._insertions if edit.start < i.start < edit.end), None)

    def add(self, edit: Edit) -> None:
        if edit.is_insertion:
            self._insertions.append(edit)
            return
        index = bisect_right(self._starts, edit.start)
        self._starts.insert(index, edit.start)
        self._edits.insert(index, edit)

    def all(self) -> Sequence[Edit]:
        return [*self._edits, *self._insertions]


def _overlap(one: Edit, other: Edit) -> bool:
    if other.is_insertion:
        return one.start < other.start < one.end
    return one.start < other.end and other.start < one.end
