"""Jumps: which blocks end in one, and which `Leave`s say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossport.ir import nodes as n
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Body


def jumps(block: Sequence[n.Stmt]) -> bool:
    """Does every way through the block leave it by a jump?"""
    if not block:
        return False
    match block[-1]:
        case n.Return() | n.Break() | n.Continue():
            return True
        case n.If(_, then, otherwise):
            return jumps(then) and jumps(otherwise)
        case _:
            return False


def drop_tail_leaves(body: Body, label: str) -> None:
    """Drop each `Leave(label)` after which nothing else would have run."""
    while body and isinstance(body[-1], flat.Leave) and body[-1].label == label:
        body.pop()
    if not body:
        return
    match body[-1]:
        case flat.Branch(_, then, otherwise):
            drop_tail_leaves(then, label)
            drop_tail_leaves(otherwise, label)
            if not then and not otherwise:
                body.pop()
        case flat.Scope(_, inner):
            drop_tail_leaves(inner, label)
        case _:
            pass


def uses_label(body: Body, label: str) -> bool:
    """Is there a `Leave` to the label in the body?"""
    return any(isinstance(s, flat.Leave) and s.label == label for s in flat.statements(body))


def own_jumps(body: Sequence[n.Stmt]) -> Iterator[n.Stmt]:
    """Breaks and continues of this loop, not of loops inside."""
    for stmt in body:
        match stmt:
            case n.Break() | n.Continue():
                yield stmt
            case n.If(_, then, otherwise):
                yield from own_jumps(then)
                yield from own_jumps(otherwise)
            case n.Switch(_, cases):
                for case in cases:
                    yield from (s for s in own_jumps(case.body) if isinstance(s, n.Continue))
            case _:
                pass
