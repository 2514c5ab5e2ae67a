"""Walk a kernel once, symbolically, and note what it does to memory, lanes and time.

    for (int i = tid; i < n; i += stride) y[i] = x[i];

    load  x  offset 4*tid + 4*stride*it@1      loop 1: it@1 from 0, while tid + stride*it@1 < n
    store y  offset 4*tid + 4*stride*it@1

Scalars are polynomials (ir/facts/symbolic.py), pointers a base object and a byte offset. A loop's
variables get a closed form (init + step * it) where they have one, else a recurrence that can be
run. Device functions are walked where they are called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

from crossport.diagnostics import Span
from crossport.ir.facts.symbolic import (
    ZERO,
    Level,
    Poly,
    Symbol,
    Unknown,
    apply,
    symbols,
    unknowns,
)
from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Assign,
    Atomic,
    Barrier,
    Binary,
    Bitcast,
    Block,
    Break,
    Call,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Effect,
    Element,
    Expr,
    Extract,
    For,
    Function,
    FunctionRef,
    If,
    Intrinsic,
    Let,
    Match,
    Member,
    Module,
    Node,
    Null,
    OpaqueValue,
    Place,
    PointerAdd,
    PointerDiff,
    Read,
    Return,
    Select,
    Shuffle,
    Special,
    Stmt,
    Switch,
    SyncWarp,
    Trap,
    Unary,
    Var,
    Vote,
    WarpReduce,
    While,
    children,
    walk,
)
from crossport.ir.printer import print_place
from crossport.ir.types import POINTER_SIZE, Array, Pointer, Scalar, Struct, Type

Space = Literal["global", "shared", "constant", "local"]
_DEEPEST_CALL = 12
_HEAVIEST = 200
"""Atoms in a polynomial, beyond which a value counts as unknown."""


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


def walk_kernel(module: Module, kernel: Function) -> Trace:
    """Note what `kernel` does. Never fails: what is not understood becomes an unknown value."""
    walker = _Walker(module)
    walker.enter(kernel)
    return walker.trace


@dataclass(slots=True)
class _Frame:
    """One function under way: its variables' names here, and the values it returned."""

    prefix: str
    function: Function
    returns: list[Value] = field(default_factory=list)


class _Walker:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.functions = {f.name: f for f in module.functions}
        self.structs = {s.name: s for s in module.structs}
        self.env: dict[str, Value] = {}
        self.bases: dict[str, Base] = {}
        self.trace = Trace()
        self.guards: tuple[Poly, ...] = ()
        self.loops: tuple[Loop, ...] = ()
        self.frames: list[_Frame] = []
        self.muted = 0
        self.phase = 0
        self.numbers: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        # Trials of nested loops would grow as a power of the depth if each began from nothing.
        self.loop_levels: dict[tuple[str, int], Level] = {}
        for variable in module.globals:
            self.bases[variable.name] = Base(variable.name, variable.space)

    # --- functions

    def enter(self, kernel: Function) -> None:
        """Walk a kernel with symbolic parameters."""
        self.frames.append(_Frame("", kernel))
        for param in kernel.params:
            self.env[param.name] = self._parameter(param.name, param.type)
        self._enter_body(kernel)
        self.frames.pop()

    def _parameter(self, name: str, type: Type) -> Value:
        match type:
            case Pointer():
                return Address(Base(name, "global"), ZERO)
            case Scalar() if not type.is_float:
                return Poly.atom(Symbol(name, Level.GRID))
            case Struct(struct) if struct in self.structs:
                for one in self.structs[struct].fields:
                    self.env[f"{name}.{one.name}"] = self._parameter(f"{name}.{one.name}", one.type)
                return self._unknown(name, Level.GRID)
            case _:
                return self._unknown(name, Level.GRID)

    def _enter_body(self, function: Function) -> None:
        for shared in function.shared:
            self.bases[self._name(shared.name)] = Base(shared.name, "shared")
        self._block(function.body)
        self._flush_work()

    def _call(self, function: Function, args: Iterable[Expr]) -> Value:
        values = [self._value(arg) for arg in args]
        level = max((_level(v) for v in values), default=Level.GRID)
        recursive = any(frame.function is function for frame in self.frames)
        if recursive or len(self.frames) > _DEEPEST_CALL:
            return self._unknown(function.name, Level.LANE)
        prefix = f"{self.frames[-1].prefix}{function.name}#{self._number('call')}:"
        self.frames.append(_Frame(prefix, function))
        for param, value in zip(function.params, values, strict=False):
            self.env[self._name(param.name)] = value
        guards = self.guards
        self._enter_body(function)
        self.guards = guards
        returns = self.frames.pop().returns
        if returns and all(value == returns[0] for value in returns):
            return returns[0]
        return self._unknown(function.name, max((level, *map(_level, returns))))

    # --- names and unknowns

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

    # --- statements

    def _block(self, block: Block) -> bool:
        """Walk a block; True if control never reaches its end."""
        # `any` stops at the first statement that does not let control go on.
        return any(self._stmt(stmt) for stmt in block)

    def _stmt(self, stmt: Stmt) -> bool:
        """Walk a statement; True if control does not go on behind it."""
        match stmt:
            case Let(var, init):
                if init is not None:
                    self._store_variable(var, self._value(init))
                else:
                    self.env.pop(self._name(var.name), None)
            case Assign(place, value, volatile):
                self._store(place, self._value(value), volatile)
            case If(condition, then, otherwise):
                return self._if(stmt, condition, then, otherwise)
            case For(condition, step, body, unroll):
                self._loop(stmt, condition, body, step, unroll)
            case While(condition, body):
                self._loop(stmt, condition, body, (), None)
            case DoWhile(body, condition):
                self._loop(stmt, condition, body, (), None)
            case Switch(value, cases):
                self._switch(stmt, value, [case.body for case in cases])
            case Return(value):
                self.frames[-1].returns.append(ZERO if value is None else self._value(value))
                return True
            case Break() | Continue() | Trap():
                return True
            case _:
                self._operation(stmt)
        return False

    def _operation(self, stmt: Stmt) -> None:
        match stmt:
            case Call(target, str(name), args) if name in self.functions:
                result = self._call(self.functions[name], args)
                if target is not None:
                    self._store_variable(target, result)
            case Barrier():
                if not self.muted:
                    self.trace.syncs.append(Sync(stmt, self.guards, self.loops))
                    self.phase += 1
                self._lane_result(stmt.target, Level.BLOCK)
            case Shuffle() | Vote() | Match() | WarpReduce() | SyncWarp():
                self._exchange(stmt)
            case Atomic(target, _, place, operands):
                for operand in operands:
                    self._value(operand)
                self._note("atomic", place)
                self._lane_result(target, Level.LANE)
            case _:
                for child in children(stmt):
                    if isinstance(child, Expr):
                        self._value(child)
                if type(stmt).__name__ == "Opaque" and not self.muted:
                    self.trace.opaque.append(stmt)
                if isinstance(stmt, Effect | Call):
                    self._lane_result(stmt.target, Level.LANE)

    def _lane_result(self, target: Var | None, level: Level) -> None:
        if target is not None:
            self._store_variable(target, self._unknown(target.name, level))

    def _exchange(self, stmt: Shuffle | Vote | Match | WarpReduce | SyncWarp) -> None:
        values = {
            name: self._value(expr)
            for name in ("mask", "lane", "width", "value", "predicate")
            if isinstance(expr := getattr(stmt, name, None), Expr)
        }

        def integer(name: str) -> Poly | None:
            value = values.get(name)
            return value if isinstance(value, Poly) else None

        if not self.muted:
            self.trace.exchanges.append(
                Exchange(stmt, integer("mask"), integer("lane"), integer("width"), self.guards)
            )
        if not isinstance(stmt, SyncWarp):
            self._lane_result(stmt.target, Level.LANE)

    def _if(self, stmt: If, condition: Expr, then: Block, otherwise: Block) -> bool:
        taken = self._integer(condition)
        self._note_branch("if", taken, stmt.span)
        before, guards = dict(self.env), self.guards
        self.guards = (*guards, taken)
        then_exits = self._block(then)
        after_then, self.env = self.env, dict(before)
        self.guards = (*guards, apply("!", taken))
        else_exits = self._block(otherwise)
        after_else = self.env
        if then_exits or else_exits:
            # What follows runs only where the arm that goes on was taken.
            self.env = after_else if then_exits else after_then
            self.guards = guards
            if then_exits and not else_exits:
                self.guards = (*guards, apply("!", taken))
            elif else_exits and not then_exits:
                self.guards = (*guards, taken)
            return then_exits and else_exits
        self.guards = guards
        self.env = self._merged(taken, after_then, after_else)
        return False

    def _merged(
        self, taken: Poly, then: dict[str, Value], otherwise: dict[str, Value]
    ) -> dict[str, Value]:
        merged: dict[str, Value] = {}
        for name in {**then, **otherwise}:
            left, right = then.get(name), otherwise.get(name)
            if left == right and left is not None:
                merged[name] = left
            elif isinstance(left, Poly) and isinstance(right, Poly):
                parts = (left, right, taken)
                known = sum(p.weight for p in parts) <= _HEAVIEST
                known = known and not any(True for p in parts for _ in unknowns(p))
                level = max(left.level, right.level, taken.level)
                merged[name] = (
                    apply("select", taken, left, right) if known else self._unknown(name, level)
                )
            elif (
                isinstance(left, Address)
                and isinstance(right, Address)
                and (left.base == right.base)
                and left.offset.weight + right.offset.weight + taken.weight <= _HEAVIEST
            ):
                offset = apply("select", taken, left.offset, right.offset)
                merged[name] = Address(left.base, offset)
            elif left is not None and right is not None:
                merged[name] = self._unknown(name, max(_level(left), _level(right), taken.level))
        return merged

    def _switch(self, stmt: Switch, value: Expr, arms: list[Block]) -> None:
        on = self._integer(value)
        self._note_branch("switch", on, stmt.span)
        before, guards = dict(self.env), self.guards
        for arm in arms:
            self.guards = (*guards, self._unknown("case", on.level))
            self._block(arm)
        self.guards = guards
        self._forget_changes(before, on.level)

    def _forget_changes(self, before: dict[str, Value], level: Level) -> None:
        for name, value in self.env.items():
            if name not in before or before[name] != value:
                self.env[name] = self._unknown(name, max(level, _level(value)))

    # --- loops

    def _loop(
        self, stmt: Stmt, condition: Expr, body: Block, step: Block, unroll: int | None
    ) -> None:
        number = self._number("loop")
        counter = Symbol(f"it@{number}", Level.GRID, number)
        before = dict(self.env)
        changed = self._changed_by(stmt, before)
        key = (self.frames[-1].prefix, id(stmt))
        level = self.loop_levels.get(key, Level.GRID)
        updates, level = self._updates(number, changed, condition, body, step, before, level)
        self.loop_levels[key] = level
        self.env = dict(before)
        recurrences: list[tuple[Symbol, Poly, Poly]] = []
        for name in changed:
            value, recurrence = self._induction(name, number, counter, updates, before, level)
            self.env[name] = value
            if recurrence is not None:
                recurrences.append(recurrence)
        inside = dict(self.env)
        holds = self._integer(condition)
        guards, loops = self.guards, self.loops
        known = not isinstance(stmt, DoWhile) and not _is_constant_true(condition)
        self.loops = (
            *loops,
            Loop(number, counter, tuple(recurrences), holds if known else None, stmt.span, unroll),
        )
        self._note_branch("loop", holds, stmt.span)
        if known:
            self.guards = (*guards, holds)
        self._flush_work(loops)
        # On trial there is nothing to note, and what a round changes is known by now.
        if not self.muted:
            self._block(body)
            self._block(step)
        self._flush_work()
        self.guards, self.loops = guards, loops
        # Behind the loop its variables have their last values, which no formula gives.
        self.env = inside
        for name in changed:
            exit_level = max(level, holds.level, _level(self.env[name]))
            previous = self.env[name]
            self.env[name] = (
                Address(previous.base, self._unknown(name, exit_level))
                if isinstance(previous, Address)
                else self._unknown(name, exit_level)
            )

    def _changed_by(self, stmt: Stmt, before: dict[str, Value]) -> list[str]:
        """Variables from before the loop that it assigns, by their names here."""
        roots: dict[str, None] = {}
        for node in walk(stmt):
            target: Node | None = None
            if isinstance(node, Assign):
                target = node.place
            elif isinstance(node, Atomic):
                target = node.place
                if node.target is not None:
                    roots[self._name(node.target.name)] = None
            elif not isinstance(node, Let):
                target = getattr(node, "target", None)
            # A reference argument may be written through by the callee.
            if isinstance(node, Call):
                for arg in node.args:
                    if isinstance(arg, AddressOf):
                        roots[self._name(_root(arg.place))] = None
            if isinstance(target, Var | Element | Member):
                roots[self._name(_root(target))] = None
        return [
            name
            for name in before
            if name in roots or any(name.startswith((f"{r}.", f"{r}[")) for r in roots)
        ]

    def _updates(
        self,
        number: int,
        changed: list[str],
        condition: Expr,
        body: Block,
        step: Block,
        before: dict[str, Value],
        level: Level,
    ) -> tuple[dict[str, Value], Level]:
        """What one round makes of each variable, in terms of its value at the round's start.

        level: how much the variables are known to vary at least, from an earlier trial.
        """
        guards, loops = self.guards, self.loops
        self.muted += 1
        saved_numbers = Counter(self.numbers)
        while True:
            for name in changed:
                start = before[name]
                symbol = Poly.atom(Symbol(f"{name}@{number}", max(level, _level(start)), number))
                self.env[name] = (
                    Address(start.base, symbol) if isinstance(start, Address) else symbol
                )
            self._integer(condition)
            self._block(body)
            self._block(step)
            updates = {name: self.env.get(name, before[name]) for name in changed}
            reached = max((_level(u) for u in updates.values()), default=level)
            reached = max(reached, level)
            self.guards, self.loops = guards, loops
            if reached == level or len(changed) == 0:
                break
            # Some variable varies more than assumed: what depends on it may too.
            level = reached
            self.env = dict(before)
        self.muted -= 1
        self.numbers = saved_numbers
        return updates, level

    def _induction(
        self,
        name: str,
        number: int,
        counter: Symbol,
        updates: dict[str, Value],
        before: dict[str, Value],
        level: Level,
    ) -> tuple[Value, tuple[Symbol, Poly, Poly] | None]:
        start, update = before[name], updates[name]
        symbol = Symbol(f"{name}@{number}", max(level, _level(start)), number)
        first = start.offset if isinstance(start, Address) else start
        later = update.offset if isinstance(update, Address) else update
        rebased = isinstance(start, Address) != isinstance(update, Address) or (
            isinstance(start, Address) and isinstance(update, Address) and start.base != update.base
        )

        def wrap(poly: Poly) -> Value:
            return Address(start.base, poly) if isinstance(start, Address) else poly

        if rebased:
            return self._unknown(name, symbol.level), None
        step = later - Poly.atom(symbol)
        in_loop = {s.name for s in symbols(step) if s.loop == number}
        if not in_loop and not any(True for _ in unknowns(step)):
            return wrap(first + step * Poly.atom(counter)), None
        runs = {s.name for s in symbols(later) if s.loop == number} <= {symbol.name}
        if runs and not any(True for p in (first, later) for _ in unknowns(p)):
            return wrap(Poly.atom(symbol)), (symbol, first, later)
        return wrap(self._unknown(name, symbol.level)), None

    # --- stores

    def _store_variable(self, var: Var, value: Value) -> None:
        base = self._base(var.name)
        if base is None:
            name = self._name(var.name)
            for member in [k for k in self.env if k.startswith((f"{name}.", f"{name}["))]:
                del self.env[member]
            self.env[name] = value
        else:
            self._note("store", var)

    def _store(self, place: Place, value: Value, volatile: bool) -> None:
        key = self._local_key(place)
        if key is None:
            self._note("store", place, volatile)
        elif key:
            self.env[key] = value
        else:
            # A computed index into a local array: any element may have changed.
            root = self._name(_root(place))
            for name in [k for k in self.env if k.startswith((f"{root}.", f"{root}["))]:
                del self.env[name]
            self._note("store", place, volatile)

    def _local_key(self, place: Place) -> str | None:
        """The name of a local variable or member; "" if computed; None if it is in memory."""
        # Whatever the place's indices read is noted once, by whoever computes the address.
        self.muted += 1
        key = self._key_of(place)
        self.muted -= 1
        return key

    def _key_of(self, place: Place) -> str | None:
        match place:
            case Var(name):
                return self._name(name) if self._base(name) is None else None
            case Member(base, name):
                inner = self._local_key(base)
                return f"{inner}.{name}" if inner else inner
            case Element(base, index):
                inner = self._local_key(base)
                if not inner:
                    return inner
                number = self._integer(index).value
                return "" if number is None else f"{inner}[{number}]"
            case Deref(pointer, index):
                address = self._value(pointer)
                local = isinstance(address, Address) and address.base.space == "local"
                if local and isinstance(address, Address) and address.offset == ZERO:
                    return address.base.name if self._integer(index).value == 0 else ""
                return None
            case _:
                assert_never(place)

    # --- notes

    def _note(
        self, kind: Literal["load", "store", "atomic"], place: Place, volatile: bool = False
    ) -> Address:
        address = self._address(place)
        if not self.muted:
            self.trace.accesses.append(
                Access(
                    kind,
                    address.base,
                    address.offset,
                    self._size(place.type),
                    place.type,
                    print_place(place),
                    place.span,
                    self.guards,
                    self.loops,
                    volatile,
                    self.phase,
                )
            )
        return address

    def _note_branch(
        self, kind: Literal["if", "loop", "switch", "?:"], condition: Poly, span: Span | None
    ) -> None:
        if not self.muted:
            self.trace.branches.append(Branch(kind, condition, span, self.guards, self.loops))

    def _note_lane_arithmetic(self, expr: Binary, left: Poly) -> None:
        if not self.muted and any(s.name.startswith("thread.") for s in symbols(left)):
            self.trace.lane_arithmetic.append((expr, left))

    def _count(self, operation: str) -> None:
        if not self.muted:
            self.operations[operation] += 1

    def _flush_work(self, loops: tuple[Loop, ...] | None = None) -> None:
        if self.operations and not self.muted:
            self.trace.work.append(
                Work(Counter(self.operations), self.loops if loops is None else loops)
            )
            self.operations.clear()

    # --- addresses

    def _address(self, place: Place) -> Address:
        match place:
            case Var(name):
                return Address(self._base(name) or Base(self._name(name), "local"), ZERO)
            case Element(base, index):
                address = self._address(base)
                step = self._integer(index).scaled(self._size(place.type))
                return replace(address, offset=address.offset + step)
            case Member(base, name):
                address = self._address(base)
                offset = self._member_offset(base.type, name)
                return replace(address, offset=address.offset + Poly.constant(offset))
            case Deref(pointer, index):
                value = self._value(pointer)
                step = self._integer(index).scaled(self._size(place.type))
                if isinstance(value, Address):
                    return replace(value, offset=value.offset + step)
                return Address(Base("?", "global"), self._unknown("pointer", value.level) + step)
            case _:
                assert_never(place)

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

    # --- values

    def _integer(self, expr: Expr) -> Poly:
        value = self._value(expr)
        return value if isinstance(value, Poly) else self._unknown("pointer", _level(value))

    def _value(self, expr: Expr) -> Value:
        match expr:
            case Const(value, type):
                return Poly.constant(int(value)) if not type.is_float else self._number_value()
            case Special(name):
                return _special(name)
            case Read(place, volatile):
                return self._read(place, volatile)
            case AddressOf(place):
                key = self._local_key(place)
                return Address(Base(key, "local"), ZERO) if key else self._address(place)
            case PointerAdd(pointer, index):
                return self._moved(pointer, index, expr.type)
            case Cast(value, type):
                return self._cast(value, type)
            case Unary(op, value):
                return self._unary(op, value)
            case Binary():
                return self._binary(expr)
            case Select(condition, then, otherwise):
                return self._select(condition, then, otherwise)
            case Intrinsic(name, args, type):
                return self._intrinsic(name, args, type)
            case PointerDiff() | Bitcast() | Aggregate() | Extract():
                values = [self._value(c) for c in children(expr) if isinstance(c, Expr)]
                return self._unknown("value", max(map(_level, values), default=Level.GRID))
            case Null():
                return Address(Base("null", "global"), ZERO)
            case FunctionRef() | OpaqueValue():
                if isinstance(expr, OpaqueValue) and not self.muted:
                    self.trace.opaque.append(expr)
                return self._unknown("value", Level.LANE)
            case _:
                assert_never(expr)

    def _number_value(self) -> Poly:
        return self._unknown("number", Level.GRID)

    def _read(self, place: Place, volatile: bool) -> Value:
        key = self._local_key(place)
        if key:
            if key in self.env:
                return self.env[key]
            return self._unknown(key, Level.LANE)
        address = self._note("load", place, volatile)
        level = address.offset.level
        if address.base.space == "shared":
            level = max(level, Level.BLOCK)
        if volatile or key == "":
            level = Level.LANE
        if isinstance(place.type, Pointer):
            return Address(Base(print_place(place), "global"), self._unknown("pointer", level))
        return self._unknown(print_place(place), level)

    def _moved(self, pointer: Expr, index: Expr, type: Type) -> Value:
        address, steps = self._value(pointer), self._integer(index)
        element = type.element if isinstance(type, Pointer) else type
        if not isinstance(address, Address):
            return self._unknown("pointer", max(address.level, steps.level))
        offset = address.offset + steps.scaled(self._size(element))
        return replace(address, offset=offset)

    def _cast(self, value: Expr, type: Type) -> Value:
        inner = self._value(value)
        if isinstance(inner, Address):
            return inner if isinstance(type, Pointer) else self._unknown("pointer", _level(inner))
        if isinstance(type, Pointer):
            return Address(Base("?", "global"), inner)
        source = value.type
        whole = isinstance(source, Scalar) and not source.is_float
        if not whole or not isinstance(type, Scalar) or type.is_float:
            self._count("convert")
            return self._unknown("number", inner.level)
        if type.kind == "bool" and inner.value not in (0, 1):
            return apply("!=", inner, ZERO) if source != type else inner
        if type.kind in ("u8", "u16") and inner.value is None:
            return apply("&", inner, Poly.constant((1 << (8 * type.size)) - 1))
        return inner

    def _unary(self, op: str, value: Expr) -> Value:
        inner = self._integer(value)
        if isinstance(value.type, Scalar) and value.type.is_float:
            self._count(value.type.kind)
            return self._unknown("number", inner.level)
        return -inner if op == "-" else apply(op, inner)

    def _binary(self, expr: Binary) -> Value:
        left, right = self._value(expr.lhs), self._value(expr.rhs)
        type = expr.lhs.type
        if isinstance(left, Address) or isinstance(right, Address):
            return self._unknown("comparison", max(_level(left), _level(right)))
        if isinstance(type, Scalar) and type.is_float:
            self._count("f16" if type.kind == "bf16" else type.kind)
            return self._unknown("number", max(left.level, right.level))
        self._count("int")
        if (expr.op, right.value) in _LANE_ARITHMETIC and left.level is Level.LANE:
            self._note_lane_arithmetic(expr, left)
        if left.weight + right.weight > _HEAVIEST:
            # Hash rounds and the like: no index that anything can be said about.
            return self._unknown("long computation", max(left.level, right.level))
        match expr.op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*" if len(left.terms) * len(right.terms) <= _HEAVIEST:
                return left * right
            case "*":
                return self._unknown("long product", max(left.level, right.level))
            case op:
                return apply(op, left, right)

    def _select(self, condition: Expr, then: Expr, otherwise: Expr) -> Value:
        taken = self._integer(condition)
        guards = self.guards
        self.guards = (*guards, taken)
        left = self._value(then)
        self.guards = (*guards, apply("!", taken))
        right = self._value(otherwise)
        self.guards = guards
        return self._merged(taken, {"": left}, {"": right})[""]

    def _intrinsic(self, name: str, args: tuple[Expr, ...], type: Type) -> Value:
        values = [self._value(arg) for arg in args]
        level = max(map(_level, values), default=Level.GRID)
        is_float = isinstance(type, Scalar) and type.is_float
        numbers = [value for value in values if isinstance(value, Poly)]
        if not is_float and name in ("min", "max", "umin", "umax") and len(numbers) == 2:
            return apply(name.removeprefix("u"), *numbers)
        if not is_float and name in ("__mul24", "__umul24") and len(numbers) == 2:
            return numbers[0] * numbers[1]
        if is_float and isinstance(type, Scalar):
            fused = "fma" in name
            kind = "f16" if type.kind == "bf16" else type.kind
            if fused:
                self._count(kind)
            self._count(kind if fused or name in _CHEAP else "special")
        else:
            self._count("int")
        return self._unknown(name, level)


_LANE_ARITHMETIC = frozenset((("%", 32), ("/", 32), ("&", 31), (">>", 5)))
"""Operations that take a lane or warp number out of a thread index, for warps of 32."""

_CHEAP = frozenset(("fminf", "fmaxf", "fabsf", "fmin", "fmax", "fabs", "min", "max", "abs"))


def _level(value: Value) -> Level:
    return value.offset.level if isinstance(value, Address) else value.level


def _root(place: Place) -> str:
    match place:
        case Var(name):
            return name
        case Element(base, _) | Member(base, _):
            return _root(base)
        case Deref(pointer, _):
            return _root(pointer.place) if isinstance(pointer, Read | AddressOf) else ""
        case _:
            assert_never(place)


def _is_constant_true(expr: Expr) -> bool:
    return isinstance(expr, Const) and bool(expr.value)


def _special(name: str) -> Poly:
    if name in ("lane_id", "warp_id"):
        x, y, z = (_special(f"thread.{axis}") for axis in "xyz")
        linear = x + _special("block_dim.x") * (y + _special("block_dim.y") * z)
        return apply("%" if name == "lane_id" else "/", linear, _special("warp_size"))
    kind = name.partition(".")[0]
    level = {"thread": Level.LANE, "block": Level.BLOCK}.get(kind, Level.GRID)
    return Poly.atom(Symbol(name, level))
