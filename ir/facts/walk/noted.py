"""What a walk notes: accesses, branches, barriers, exchanges between lanes, arithmetic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from crossport.diagnostics import Span
from crossport.ir.facts.symbolic import Level, Poly, Symbol
from crossport.ir.nodes import Barrier, Binary, Match, Node, Shuffle, SyncWarp, Vote, WarpReduce
from crossport.ir.types import Type

Space = Literal["global", "shared", "constant", "local"]


@dataclass(frozen=True, slots=True)
class Base:
    """The object that a pointer points into: a parameter, a variable, or unknown ("?")."""

    name: str
    space: Space


@dataclass(frozen=True, slots=True)
class Address:
    """A pointer value: a base, and bytes from its start."""

    base: Base
    offset: Poly


Value = Poly | Address


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop around an access.

    counter: the symbol that counts rounds from 0. recurrences: (symbol, first value, next value)
    for variables without a closed form. condition: holds in every round (None: not known).
    """

    number: int
    counter: Symbol
    recurrences: tuple[tuple[Symbol, Poly, Poly], ...]
    condition: Poly | None
    span: Span | None
    unroll: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One place in the program where memory is read or written.

    offset: bytes from the base, for each thread. guards: what holds when it happens. size: bytes a
    thread moves. depth: calls between the kernel and the access.
    """

    kind: Literal["load", "store", "atomic"]
    base: Base
    offset: Poly
    size: int
    type: Type
    text: str
    span: Span | None
    guards: tuple[Poly, ...]
    loops: tuple[Loop, ...]
    volatile: bool = False
    phase: int = 0


@dataclass(frozen=True, slots=True)
class Branch:
    """A decision: `condition` is nonzero where it is taken."""

    kind: Literal["if", "loop", "switch", "?:"]
    condition: Poly
    span: Span | None
    guards: tuple[Poly, ...]
    loops: tuple[Loop, ...]


@dataclass(frozen=True, slots=True)
class Sync:
    """A barrier, and the conditions under which it is reached."""

    node: Barrier
    guards: tuple[Poly, ...]
    loops: tuple[Loop, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A warp-level operation, with the values of its lane, width and mask."""

    node: Shuffle | Vote | Match | WarpReduce | SyncWarp
    mask: Poly | None
    lane: Poly | None
    width: Poly | None
    guards: tuple[Poly, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """Arithmetic that happens together, by class: f16, f32, f64, int, special, convert."""

    operations: Counter[str]
    loops: tuple[Loop, ...]


@dataclass(slots=True)
class Trace:
    """Everything noted, in program order."""

    accesses: list[Access] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    syncs: list[Sync] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    lane_arithmetic: list[tuple[Binary, Poly]] = field(default_factory=list)
    opaque: list[Node] = field(default_factory=list)


def level_of(value: Value) -> Level:
    """How far a value can differ: between lanes, blocks, or not at all."""
    return value.offset.level if isinstance(value, Address) else value.level
