"""The state of a walk: what variables hold, where it is, and what it has noted so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from crossport.diagnostics import Span
from crossport.ir.facts.symbolic import Level, Poly, Unknown, symbols
from crossport.ir.facts.walk.noted import Base, Branch, Loop, Trace, Value, Work
from crossport.ir.nodes import Binary, Function, Module, Node
from crossport.ir.types import POINTER_SIZE, Array, Scalar, Struct, Type


@dataclass(slots=True)
class Frame:
    """One function under way: its variables' names here, and the values it returned."""

    prefix: str
    function: Function
    called_at: Span | None = None
    is_short: bool = False
    """A function of one statement: what it does stands where it is called."""
    returns: list[Value] = field(default_factory=list)


class State:
    """One walk over a kernel, with the functions that it calls."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.functions = {f.name: f for f in module.functions}
        self.structs = {s.name: s for s in module.structs}
        self.env: dict[str, Value] = {}
        self.bases: dict[str, Base] = {}
        self.trace = Trace()
        self.guards: tuple[Poly, ...] = ()
        self.loops: tuple[Loop, ...] = ()
        self.frames: list[Frame] = []
        self.muted = 0
        self.free_integers = 0
        self.phase = 0
        self.numbers: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        # Trials of nested loops would grow as a power of the depth if each began from nothing.
        self.loop_levels: dict[tuple[str, int], dict[str, Level]] = {}
        for variable in module.globals:
            self.bases[variable.name] = Base(variable.name, variable.space)

    def _name(self, name: str) -> str:
        prefix = self.frames[-1].prefix if self.frames else ""
        # Globals are not renamed; a local hides one of the same name only inside its function.
        return prefix + name

    def _number(self, what: str) -> int:
        self.numbers[what] += 1
        return self.numbers[what]

    def _unknown(self, what: str, level: Level) -> Poly:
        return Poly.atom(Unknown(what, level, self._number("unknown")))

    def _base(self, name: str) -> Base | None:
        return self.bases.get(self._name(name)) or (
            self.bases.get(name) if self._name(name) not in self.env else None
        )

    # --- notes

    def _place(self, node: Node) -> Span | None:
        """Where a node stands in the user's text; what a library does, where it was called."""
        if not self.frames or self.frames[-1].called_at is None:
            return node.span
        frame = self.frames[-1]
        return node.span if node.span is not None and not frame.is_short else frame.called_at

    def _note_branch(
        self, kind: Literal["if", "loop", "switch", "?:"], condition: Poly, node: Node
    ) -> None:
        if not self.muted:
            branch = Branch(kind, condition, self._place(node), self.guards, self.loops)
            self.trace.branches.append(branch)

    def _note_lane_arithmetic(self, expr: Binary, left: Poly) -> None:
        if not self.muted and any(s.name.startswith("thread.") for s in symbols(left)):
            self.trace.lane_arithmetic.append((replace(expr, span=self._place(expr)), left))

    def _count(self, operation: str) -> None:
        if not self.muted and not (self.free_integers and operation == "int"):
            self.operations[operation] += 1

    @contextmanager
    def _free(self) -> Iterator[None]:
        """Integer arithmetic that compilers reduce away: offsets of places, steps of counters."""
        self.free_integers += 1
        try:
            yield
        finally:
            self.free_integers -= 1

    def _flush_work(self, loops: tuple[Loop, ...] | None = None) -> None:
        if self.operations and not self.muted:
            self.trace.work.append(
                Work(Counter(self.operations), self.loops if loops is None else loops)
            )
            self.operations.clear()

    # --- layouts

    def _member_offset(self, struct: Type, name: str) -> int:
        if isinstance(struct, Struct) and struct.name in self.structs:
            return self.structs[struct.name].field(name).offset
        return 0

    def _size(self, type: Type) -> int:
        match type:
            case Scalar():
                return type.size
            case Array(element, length):
                return self._size(element) * length
            case Struct(name) if name in self.structs:
                return self.structs[name].size
            case _:
                return POINTER_SIZE
