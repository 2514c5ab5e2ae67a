"""What a function does with its names: who writes, points at and reads each variable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Atomic,
    Barrier,
    Call,
    Deref,
    Effect,
    Element,
    Expr,
    Function,
    Let,
    Match,
    Member,
    Node,
    Place,
    Read,
    Shuffle,
    Stmt,
    Var,
    Vote,
    WarpReduce,
    walk,
)


@dataclass(slots=True)
class Usage:
    """Counts by variable name. A write to a part of a variable is a write."""

    lets: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    pointed_at: set[str] = field(default_factory=set)

    def is_fixed(self, name: str) -> bool:
        """Does a variable keep the value that it starts with?"""
        return self.writes[name] == 0 and name not in self.pointed_at


def usage(nodes: Iterable[Node]) -> Usage:
    """The uses of names in statements or expressions."""
    found = Usage()
    for node in nodes:
        for inner in walk(node):
            _note(inner, found)
    return found


def _note(node: Node, found: Usage) -> None:
    match node:
        case Let(variable):
            found.lets[variable.name] += 1
        case Read(place):
            _count(found.reads, place)
        case AddressOf(place):
            inner = root(place)
            if inner is not None:
                found.pointed_at.add(inner.name)
        case Assign(place) | Atomic(_, _, place):
            _count(found.writes, place)
        case _:
            pass
    for target in targets(node):
        found.writes[target.name] += 1


def _count(counter: Counter[str], place: Place) -> None:
    variable = root(place)
    if variable is not None:
        counter[variable.name] += 1


def targets(node: Node) -> tuple[Var, ...]:
    """The variables that a statement's result goes to."""
    match node:
        case Call() | Effect() | Atomic() | Barrier():
            return (node.target,) if node.target is not None else ()
        case Shuffle() | Vote() | WarpReduce():
            return (node.target,)
        case Match(target):
            extra = node.predicate_target
            return (target, extra) if extra is not None else (target,)
        case _:
            return ()


def root(place: Place) -> Var | None:
    """The variable that a place is part of; None for what is behind a pointer."""
    while isinstance(place, (Element, Member)):
        place = place.base
    return place if isinstance(place, Var) else None


def locals_of(body: Iterable[Stmt]) -> set[str]:
    """Names of the variables that are declared in statements."""
    return {n.var.name for s in body for n in walk(s) if isinstance(n, Let)}


class Names:
    """Fresh names for a function."""

    def __init__(self, function: Function, taken: Iterable[str] = ()) -> None:
        self._taken = locals_of(function.body) | {p.name for p in function.params}
        self._taken |= {s.name for s in function.shared} | set(taken)
        for statement in function.body:
            self._taken |= {n.name for n in walk(statement) if isinstance(n, Var)}

    def fresh(self, name: str) -> str:
        """The name, or the name with a number."""
        candidate, count = name, 1
        while candidate in self._taken:
            count += 1
            candidate = f"{name}_{count}"
        self._taken.add(candidate)
        return candidate


def substitute(node: Node, place: dict[str, Place], value: dict[str, Expr]) -> Node:
    """Replace variables by places, and reads of variables by values."""
    from crossport.ir.rewrite import rewrite

    def rule(inner: Node) -> Node:
        match inner:
            case Read(Var(name)) if name in value:
                return value[name]
            case Var(name) if name in place:
                return place[name]
            case Deref():
                return plain_deref(inner)
            case _:
                return inner

    return rewrite(node, rule)


def plain_deref(node: Deref) -> Place:
    """`*&x` is x."""
    from crossport.ir.nodes import Const, PointerAdd

    pointer = node.pointer
    if isinstance(pointer, PointerAdd) and isinstance(node.index, Const) and not node.index.value:
        return plain_deref(replace(node, pointer=pointer.pointer, index=pointer.index))
    if not isinstance(pointer, AddressOf):
        return node
    if isinstance(node.index, Const) and not node.index.value:
        return pointer.place
    # A pointer to the first element of an array: `(&a[0])[i]` is a[i].
    inner = pointer.place
    if isinstance(inner, Element) and isinstance(inner.index, Const) and not inner.index.value:
        return replace(inner, index=node.index)
    return node
