"""Casts from one 16-bit float to the other: CUDA goes by way of float, HIP has too many ways.

    static_cast<T>(x)   ->   cast_16<T>(x)   where T is half and x bfloat16, or the reverse,
    T(x)                ->   cast_16<T>(x)   in any instance of the template
    (T)x                ->   cast_16<T>(x)

The detour is what CUDA's own types do: every value of either type is a float.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.unit import TranslationUnit

_BFLOAT = (b"__nv_bfloat16", b"nv_bfloat16")
_HALF = (b"__half", b"half")
_OTHER = {"__half": "__nv_bfloat16", "__nv_bfloat16": "__half"}
_CASTS = frozenset(
    (
        CursorKind.CXX_STATIC_CAST_EXPR,
        CursorKind.CXX_FUNCTIONAL_CAST_EXPR,
        CursorKind.CSTYLE_CAST_EXPR,
    )
)
_MEMBERS = frozenset((CursorKind.MEMBER_REF_EXPR,))
WHY = "HIP's two 16-bit floats convert to each other by way of float only"


def half_cast_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Rewrite the casts between half and bfloat16 of a unit's device code."""
    words: frozenset[bytes] = frozenset().union(*(f.text.words for f in files.values()))
    if words.isdisjoint(_BFLOAT) or words.isdisjoint(_HALF):
        return
    done: set[tuple[str, int]] = set()
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cast in clang.find(function, _CASTS):
            location = cast.location
            name = location.file.name if location.file is not None else ""
            start, end = clang.offsets(cast)
            if name not in files or (name, start) in done or not _crosses(cast):
                continue
            done.add((name, start))
            _rewrite(files[name], start, end)


def _crosses(cast: Cursor) -> bool:
    """Whether a cast makes one 16-bit float of the other, through its conversion to float."""
    source = _OTHER.get(cast.type.get_canonical().spelling)
    return source is not None and any(
        member.spelling == "operator float"
        and any(source in below.type.get_canonical().spelling for below in clang.children(member))
        for member in clang.find(cast, _MEMBERS)
    )


def _rewrite(file: File, start: int, end: int) -> None:
    tokens = file.text.tokens
    first = tokens.index_at(start)
    if tokens.start[first] != start or file.in_hip_code(first):
        return  # in a macro
    file.helpers.add("cast_16")
    if tokens.text[first] == b"static_cast":
        file.replace(first, first, "cast_16", WHY)
    elif tokens.text[first] == b"(":
        closing = tokens.partner[first]
        file.replace(first, first, "cast_16<", WHY)
        file.replace(closing, closing, ">(", WHY)
        file.replace_bytes(end, end, ")", WHY)
    else:
        file.insert_before(first, "cast_16<", WHY)
        file.insert_before(first + 1, ">", WHY)
