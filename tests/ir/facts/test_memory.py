"""Segments and bank passes, against a count by brute force and against the textbook cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossport.ir.facts.hardware import gpu, targets
from crossport.ir.facts.memory import bank_passes, segments_touched

SM90, GFX942 = gpu("sm_90"), gpu("gfx942")


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=64),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.sampled_from([32, 64, 128]),
)
def test_segments_are_those_of_every_byte(starts: list[int], size: int, segment: int) -> None:
    every_byte = {(start + k) // segment for start in starts for k in range(size)}
    assert segments_touched(np.array(starts), size, segment) == len(every_byte)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 255), min_size=32, max_size=32),
    st.sampled_from([4, 8, 16]),
)
def test_bank_passes_are_the_fullest_bank_of_each_part(cells: list[int], size: int) -> None:
    offsets, lanes = np.array(cells) * size, np.arange(32)
    words, part = size // 4, 128 // size
    expected = 0
    for first in range(0, 32, part):
        by_bank: dict[int, set[int]] = {}
        for lane in range(first, first + part):
            for k in range(words):
                word = int(offsets[lane]) // 4 + k
                by_bank.setdefault(word % 32, set()).add(word)
        expected += max(len(words_of) for words_of in by_bank.values())
    assert bank_passes(offsets, size, lanes, SM90)[0] == expected


@pytest.mark.parametrize(
    ("stride", "passes"), [(1, 1), (2, 2), (3, 1), (32, 32), (33, 1), (0, 1), (16, 16)]
)
def test_strided_words_on_32_banks(stride: int, passes: int) -> None:
    lanes = np.arange(32)
    assert bank_passes(lanes * stride * 4, 4, lanes, SM90) == (passes, 1)


def test_a_wavefront_of_64_goes_in_parts() -> None:
    lanes = np.arange(64)
    assert bank_passes(lanes * 4, 4, lanes, GFX942) == (2, 2)
    assert bank_passes(lanes * 16, 16, lanes, GFX942) == (8, 8)
    assert bank_passes(lanes * 4 * 32, 4, lanes, GFX942) == (64, 2)


def test_every_row_names_its_sources() -> None:
    for row in targets().values():
        assert row.sources and all(row.sources), row.name
