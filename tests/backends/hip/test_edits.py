"""Edits change the bytes that they name and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossport.backends.hip.edits import (
    Edit,
    OverlappingEdits,
    apply_edits,
    decode,
    encode,
    merge_edits,
    newline_of,
)


def _edit(start: int, end: int, text: str, reason: str = "why", priority: int = 0) -> Edit:
    return Edit("k.cu", start, end, text, reason, priority)


def test_replaces_and_inserts() -> None:
    source = b"cudaMalloc(&p);\r\n\xff"
    edits = [_edit(11, 11, "(void**)"), _edit(0, 10, "hipMalloc")]
    assert apply_edits(source, edits) == b"hipMalloc((void**)&p);\r\n\xff"


def test_refuses_overlap() -> None:
    with pytest.raises(OverlappingEdits):
        apply_edits(b"abcdef", [_edit(0, 3, "x"), _edit(2, 4, "y")])


def test_refuses_an_edit_past_the_end() -> None:
    with pytest.raises(ValueError):
        apply_edits(b"abc", [_edit(2, 4, "y")])


def test_equal_edits_become_one_with_both_reasons() -> None:
    merged = merge_edits([_edit(0, 3, "x", "a"), _edit(0, 3, "x", "b"), _edit(0, 3, "x", "a")])
    assert merged.edits == (_edit(0, 3, "x", "a; b"),)
    assert merged.conflicts == ()


def test_larger_priority_wins_quietly() -> None:
    inner, outer = _edit(4, 6, "hip"), _edit(0, 9, "rewritten", priority=10)
    merged = merge_edits([inner, outer])
    assert merged.edits == (outer,)
    assert merged.conflicts == ()


def test_same_priority_is_a_conflict() -> None:
    one, two = _edit(0, 4, "x"), _edit(2, 5, "y")
    merged = merge_edits([two, one])
    assert merged.edits == (one,)
    assert [c.dropped for c in merged.conflicts] == [two]


def test_insertion_at_an_edge_is_no_overlap() -> None:
    merged = merge_edits([_edit(2, 2, "<"), _edit(2, 4, "x"), _edit(4, 4, ">")])
    assert apply_edits(b"abcdef", merged.edits) == b"ab<x>ef"


def test_newline_follows_the_file() -> None:
    assert newline_of(b"a\r\nb\n") == "\r\n"
    assert newline_of(b"a\nb\r\n") == "\n"
    assert newline_of(b"a") == "\n"


@st.composite
def _case(draw: st.DrawFn) -> tuple[bytes, list[Edit]]:
    source = draw(st.binary(max_size=60))
    spots = st.integers(0, len(source))
    edit = st.builds(
        lambda a, b, text, priority: _edit(min(a, b), max(a, b), text, "r", priority),
        spots,
        spots,
        st.text("xyz\n", max_size=4),
        st.integers(0, 2),
    )
    return source, draw(st.lists(edit, max_size=8))


@given(_case())
def test_bytes_outside_the_edits_stay(case: tuple[bytes, list[Edit]]) -> None:
    source, proposed = case
    edits = merge_edits(proposed).edits
    result = apply_edits(source, edits)
    at = out = 0
    for edit in edits:
        gap = edit.start - at
        assert result[out : out + gap] == source[at : edit.start]
        out += gap
        size = len(encode(edit.replacement))
        assert result[out : out + size] == encode(edit.replacement)
        out += size
        at = edit.end
    assert result[out:] == source[at:]


@given(_case())
def test_merging_twice_is_merging_once(case: tuple[bytes, list[Edit]]) -> None:
    merged = merge_edits(case[1])
    assert merge_edits(merged.edits).edits == merged.edits


@given(st.binary(max_size=40))
def test_text_round_trips(source: bytes) -> None:
    assert encode(decode(source)) == source
