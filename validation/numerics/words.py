"""The words of a verdict, best first, and what each promises.

exact          every bit of every judged array equals the original's
equivalent     differs, but is as close to the true values as the original is
within-noise   differs by no more than the original differs from itself between runs
undecided      differs, and nothing here says whether that matters
divergent      wrong
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Word(StrEnum):
    """One verdict on an array, a case or a port."""

    EXACT = "exact"
    EQUIVALENT = "equivalent"
    WITHIN_NOISE = "within-noise"
    UNDECIDED = "undecided"
    DIVERGENT = "divergent"

    @property
    def passes(self) -> bool:
        """Whether the port may be called verified."""
        return self in (Word.EXACT, Word.EQUIVALENT, Word.WITHIN_NOISE)


_ORDER = list(Word)


def worst(words: Iterable[Word]) -> Word:
    """The word for several together; nothing judged is undecided."""
    found = list(words)
    return max(found, key=_ORDER.index) if found else Word.UNDECIDED
