"""What statements may change, and which expressions notice: keeps C++'s order of evaluation.

a[i] + f(&i)     the call comes out as a statement before the sum; the read of a[i] happened
                 first in C++, so it has to be saved first:  _t1 = a[i]; _t2 = f(&i); _t1 + _t2
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Atomic,
    Barrier,
    Call,
    Effect,
    Element,
    Expr,
    Fence,
    Launch,
    Let,
    Match,
    Member,
    Node,
    Opaque,
    Place,
    Print,
    Read,
    Shuffle,
    SyncWarp,
    Var,
    Vote,
    WarpReduce,
    children,
    walk,
)

_OWN = re.compile(r"_t\d+")


@dataclass(slots=True)
class Writes:
    """Variables that are written by name, and whether memory behind pointers may be."""

    names: set[str] = field(default_factory=set)
    memory: bool = False

    def __bool__(self) -> bool:
        return bool(self.names) or self.memory


def root(place: Place) -> Var | None:
    """The variable that a place is part of; None for what is behind a pointer."""
    while isinstance(place, (Element, Member)):
        place = place.base
    return place if isinstance(place, Var) else None


def writes(statements: Iterable[Node]) -> Writes:
    """Everything that running the statements may change, new variables aside."""
    found = Writes()
    for statement in statements:
        for node in walk(statement):
            _add(node, found)
    return found


def _add(node: Node, found: Writes) -> None:
    match node:
        case Assign(place):
            variable = root(place)
            if variable is None:
                found.memory = True
            else:
                found.names.add(variable.name)
        case Call(target) | Effect(target) | Atomic(target) | Barrier(target=target):
            found.memory = True
            if target is not None:
                found.names.add(target.name)
        case Shuffle(target) | Vote(target) | WarpReduce(target):
            found.names.add(target.name)
        case Match(target):
            found.names.add(target.name)
            if node.predicate_target is not None:
                found.names.add(node.predicate_target.name)
        case SyncWarp() | Fence() | Opaque() | Launch():
            found.memory = True
        case Let() | Print():
            pass
        case _:
            pass


def notices(expression: Expr | Place, changed: Writes, in_memory: Collection[str] | None) -> bool:
    """May evaluating `expression` after `changed` give another value than before?

    `in_memory`: variables that pointers can reach (None: not known yet, so any).
    """
    for node in walk(expression):
        if not isinstance(node, Read):
            continue
        variable = root(node.place)
        if variable is None or (in_memory is not None and variable.name in in_memory):
            if changed.memory:
                return True
        elif variable.name in changed.names or (
            in_memory is None and changed.memory and not is_own(variable.name)
        ):
            return True
    return False


def is_own(name: str) -> bool:
    """A variable that the lowering made (`_t7`): nothing points at it."""
    return _OWN.fullmatch(name) is not None


def address_taken(statements: Iterable[Node]) -> set[str]:
    """Names of variables whose address is taken anywhere in the statements."""
    taken: set[str] = set()
    for statement in statements:
        for node in walk(statement):
            if isinstance(node, AddressOf):
                variable = root(node.place)
                if variable is not None:
                    taken.add(variable.name)
    return taken


def is_simple(expression: Expr) -> bool:
    """Can an expression be repeated at no cost and without reading memory?"""
    match expression:
        case Read(place):
            return isinstance(place, Var)
        case _:
            return not any(True for _ in children(expression))
