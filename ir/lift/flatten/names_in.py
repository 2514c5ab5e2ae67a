"""Which names statements and expressions mention or write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crossport.ir import nodes as n


def base_name(place: n.Place) -> str:
    match place:
        case n.Var(name):
            return name
        case n.Element(base) | n.Member(base):
            return base_name(base)
        case _:
            return ""


def assigned(function: n.Function) -> set[str]:
    """The names that a function writes, or whose address it takes."""
    names: set[str] = set()
    for node in n.walk(function):
        match node:
            case n.Assign(place):
                names.add(base_name(place))
            case n.AddressOf(place):
                names.add(base_name(place))
            case n.Atomic(target, _, place):
                names.add(base_name(place))
                if target is not None:
                    names.add(target.name)
            case (
                n.Call(target) | n.Effect(target) | n.Vote(target) | n.Shuffle(target)
                | n.Match(target) | n.WarpReduce(target) | n.Barrier(_, _, _, target)
            ):  # fmt: skip
                if target is not None:
                    names.add(target.name)
            case _:
                pass
    return names


def nodes_of(body: Sequence[n.Stmt]) -> Iterator[n.Node]:
    for stmt in body:
        yield from n.walk(stmt)


def mentions(expr: n.Node, name: str) -> bool:
    return any(isinstance(x, n.Var) and x.name == name for x in n.walk(expr))


def mentions_any(expr: n.Node, names: set[str]) -> bool:
    return any(isinstance(x, n.Var) and x.name in names for x in n.walk(expr))
