"""Neighbours in memory as one access: the members of a struct, the parts of a float4.

    x = p[8 * i]; y = p[8 * i + 1]; ...   ->   p_parts = tl.load(p + (8 * i)[:, None] + (0, 1, ...))
                                               x, y, ... = _split4(p_parts)

A lane's parts stand side by side in one tensor, so that a thread moves up to 16 bytes at once.
"""

from __future__ import annotations

from crossport.ir.lift import flat, fold
from crossport.ir.nodes import Binary, Expr
from crossport.ir.types import BOOL

WIDTHS = (8, 4, 2)
Access = flat.Load | flat.Store


def offset_of(index: Expr) -> tuple[str, int]:
    """The index as something plus a number: two accesses with the same something are that far
    apart."""
    if isinstance(index, Binary) and index.op == "+":
        number = fold.as_int(index.rhs)
        if number is not None:
            return repr(index.lhs), number
    return repr(index), 0


def run_of(body: flat.Body, position: int) -> list[Access]:
    """The accesses from here on that are neighbours: 2, 4 or 8 of them, in order of address."""
    first = body[position]
    if not isinstance(first, flat.Load | flat.Store):
        return []
    for width in WIDTHS:
        group = body[position : position + width]
        if len(group) == width and all(_goes_with(s, first) for s in group):
            accesses = sorted(group, key=_offset)  # type: ignore[arg-type]
            places = [_offset(s) for s in accesses]  # type: ignore[arg-type]
            starts = places[0] % width == 0
            if starts and places == list(range(places[0], places[0] + width)):
                return accesses  # type: ignore[return-value]
    return []


def has_runs(body: flat.Body) -> bool:
    """Are there such neighbours anywhere?"""
    return any(run_of(body, n) for n in range(len(body))) or any(
        has_runs(below) for s in body for below in flat.bodies(s)
    )


def _offset(access: Access) -> int:
    return offset_of(access.ref.index)[1]


def _goes_with(other: flat.Statement, first: Access) -> bool:
    if type(other) is not type(first) or not isinstance(other, flat.Load | flat.Store):
        return False
    a, b = first.ref, other.ref
    if a.root != b.root or a.type.size != b.type.size or not (a.is_whole and b.is_whole):
        return False
    if BOOL in (a.type, b.type) or a.root.space not in ("param", "global"):
        return False
    if first.volatile or other.volatile or offset_of(a.index)[0] != offset_of(b.index)[0]:
        return False
    if isinstance(first, flat.Load) and isinstance(other, flat.Load):
        return first.guard == other.guard
    return True
