"""Follow a kernel around one sum of products, for all threads of a block at once.

    for (t = 0; t < tiles; ++t) {                     each round, thread by thread, which element of
      As[ty][tx] = A[row * K + t * 16 + tx]; ...  ->  which array meets which, and in whose total:
      for (k = 0; k < 16; ++k)                        acc += A[(16 by + 3) K + 16 t + k]
        acc += As[ty][k] * Bs[k][tx];                        * B[(16 t + k) N + 16 bx + 5]
    }

Integers are polynomials (polynomial.py). A float inside the loop is an element of an array, carried
through registers and shared memory whoever put it there; behind the loop it is an expression of the
totals. Nothing else is understood: then `NotTraced` says what. contract.py looks for the axes.

Shared memory is followed cell by cell: an access that no barrier separates from another thread's is
refused, and so is a cell whose content is older than the round.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.tile.polynomial import Lanes, Poly
from crossport.ir.types import F32, I32, I64, Scalar

ROUND = "round"
MOST_STEPS = 20_000
MOST_CELLS = 1 << 15


class NotTraced(Exception):
    """The kernel is not of this kind; the reason."""


@dataclass(frozen=True)
class Condition:
    """`poly < 0` or `poly == 0`."""

    poly: Poly
    is_equal: bool = False

    def same(self, other: Condition) -> bool:
        """Is it the same condition?"""
        return self.is_equal == other.is_equal and self.poly.same(other.poly)


Conditions = tuple[Condition, ...]
SOURCE = Var("@source", F32)


@dataclass(frozen=True)
class Element:
    """What one load statement reads, thread by thread; 0 in threads where a condition fails.

    `value`: what is made of it, in terms of `SOURCE`.
    """

    load: flat.Load
    index: Poly
    conditions: Conditions
    value: Expr


@dataclass(frozen=True)
class Elements:
    """A float of each thread: `codes` is threads * (number of the element) + thread."""

    codes: Lanes


@dataclass(frozen=True)
class Pair:
    """A product of two."""

    left: Elements
    right: Elements


@dataclass(frozen=True)
class Total:
    """What a variable held at the start of the round, and what was added to it since."""

    name: str
    added: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Formula:
    """A float expression of totals, loads, parameters and constants."""

    expr: Expr


@dataclass(frozen=True)
class Store:
    """A store behind the loop."""

    ref: flat.Ref
    index: Poly
    value: Expr
    conditions: Conditions


Value = Poly | Conditions | Elements | Pair | Total | Formula | None


@dataclass
class Trace:
    """What was found."""

    threads: int
    elements: list[Element] = field(default_factory=list)
    totals: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    rounds: Expr | None = None
    """How often the loop runs, in the launch's numbers."""
    around: Conditions = ()
    """What must hold for a thread to take part in the loop."""
    loads: dict[str, tuple[flat.Load, Poly, Conditions]] = field(default_factory=dict)
    """Loads behind the loop, by the variable."""
    stores: list[Store] = field(default_factory=list)
    symbols: dict[str, Expr] = field(default_factory=dict)
    wide: bool = False
    """Are indices formed in more than 32 bits?"""


def trace(program: flat.Program, shape: tuple[int, int, int]) -> Trace:
    """Follow the kernel; raises NotTraced."""
    tracer = _Tracer(program, shape)
    tracer.body(program.body)
    if tracer.found.rounds is None or not tracer.found.stores:
        raise NotTraced("no loop sums products")
    return tracer.found


class _Tracer:
    def __init__(self, program: flat.Program, shape: tuple[int, int, int]) -> None:
        x, y, z = shape
        self.threads = x * y * z
        number = np.arange(self.threads)
        self.found = Trace(self.threads)
        self.env: dict[str, Value] = {}
        self.specials = {
            "thread.x": number % x, "thread.y": number // x % y, "thread.z": number // (x * y),
            "block_dim.x": number * 0 + x, "block_dim.y": number * 0 + y,
            "block_dim.z": number * 0 + z,
        }  # fmt: skip
        self.active = np.ones(self.threads, bool)
        self.path: Conditions = ()
        self.phase = 0
        self.steps = 0
        self.in_loop = False
        self.masks: dict[tuple[int, ...], int] = {}
        self.quotients: dict[str, str] = {}
        cells = {r.name: r.size // max(r.element.size, 1) for r in program.shared}
        if sum(cells.values()) > MOST_CELLS or any(not r.size for r in program.shared):
            raise NotTraced("its shared memory is large or of unknown size")
        if program.locals:
            raise NotTraced("it keeps data in large local arrays")
        self.memory = {name: np.full(count, -1) for name, count in cells.items()}
        self.writer = {name: np.full((count, 2), -1) for name, count in cells.items()}
        self.reader = {name: np.full((count, 2), -1) for name, count in cells.items()}
        for parameter in program.parameters:
            for _, var in parameter.scalars:
                if var.type in (I32, I64) or var.type == Scalar("u32"):
                    self.env[var.name] = self.unknown(var.name, Read(var))
                elif isinstance(var.type, Scalar) and var.type.is_float:
                    self.env[var.name] = Formula(Read(var))

    def unknown(self, name: str, expr: Expr) -> Poly:
        self.found.symbols[name] = expr
        return Poly.unknown(name, self.threads)

    # --- Statements -----------------------------------------------------------------------------

    def body(self, body: flat.Body) -> None:
        for position, statement in enumerate(body):
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise NotTraced("it takes too many steps")
            if isinstance(statement, flat.Branch) and self.leaves(statement):
                # The rest is for the others.
                with self.where(fold.negate(statement.condition)):
                    self.body(body[position + 1 :])
                return
            self.statement(statement)

    def leaves(self, statement: flat.Branch) -> bool:
        match statement.then, statement.otherwise:
            case [flat.Leave("kernel")], []:
                return not self.in_loop
            case _:
                return False

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Set(var, value):
                self.assign(var.name, None if value is None else self.value(value))
            case flat.Load():
                self.load(statement)
            case flat.Store():
                self.store(statement)
            case flat.Branch(condition, then, otherwise):
                self.branch(condition, then, otherwise)
            case flat.Loop():
                self.loop(statement)
            case flat.Sync("block"):
                if self.path or not self.active.all():
                    raise NotTraced("a barrier that some threads may miss")
                self.phase += 1
            case flat.Scope(label, body) if not any(
                isinstance(s, flat.Leave) and s.label == label for s in flat.statements(body)
            ):
                self.body(body)
            case _:
                raise NotTraced(f"a {type(statement).__name__} statement")

    def assign(self, name: str, value: Value) -> None:
        if not self.active.all():
            old = self.env.get(name)
            if isinstance(value, Poly) and isinstance(old, Poly):
                value = value.where(self.active, old)
            elif isinstance(value, Elements) and isinstance(old, Elements):
                value = Elements(np.where(self.active, value.codes, old.codes))
            elif old is not None:
                raise NotTraced(f"some threads keep another `{name}`")
        self.env[name] = value

    @contextmanager
    def where(self, condition: Expr) -> Iterator[None]:
        """The threads where a condition holds."""
        active, path = self.active, self.path
        known = self.known(condition)
        if known is not None:
            self.active = active & known
        else:
            self.path = (*path, *self.conditions(condition))
        yield
        self.active, self.path = active, path

    def branch(self, condition: Expr, then: flat.Body, otherwise: flat.Body) -> None:
        known = self.known(condition)
        if known is not None:
            for body, test in ((then, condition), (otherwise, fold.negate(condition))):
                with self.where(test):
                    if self.active.any():
                        self.body(body)
            return
        # Both arms from the same start; where they leave different floats, the choice is a mask.
        start = dict(self.env), {k: v.copy() for k, v in self.memory.items()}
        with self.where(condition):
            self.body(then)
        taken = dict(self.env), {k: v.copy() for k, v in self.memory.items()}
        self.env, self.memory = dict(start[0]), {k: v.copy() for k, v in start[1].items()}
        tests = self.conditions(condition)
        if otherwise:
            if all(_sets_constants(s) for s in otherwise):
                self.body(otherwise)  # whatever its condition: what is kept must be 0
            else:
                with self.where(fold.negate(condition)):
                    self.body(otherwise)
        for name, value in taken[0].items():
            if self.env.get(name) is not value:
                other = self.env.get(name)
                self.env[name] = None if name not in start[0] else self.choose(tests, value, other)
        for name, cells in taken[1].items():
            for cell in np.flatnonzero(cells != self.memory[name]):
                thread = int(self.writer[name][cell][1])
                old = int(self.memory[name][cell])
                self.memory[name][cell] = self.chosen(tests, int(cells[cell]), old, thread)

    def choose(self, tests: Conditions, value: Value, other: Value) -> Value:
        if isinstance(value, Elements) and isinstance(other, Elements | Formula):
            pairs = zip(value.codes, self.elements(other).codes, strict=True)
            codes = [self.chosen(tests, int(a), int(b), t) for t, (a, b) in enumerate(pairs)]
            return Elements(np.array(codes))
        return None

    def chosen(self, tests: Conditions, code: int, other: int, thread: int) -> int:
        """The first where the thread's tests hold, 0 elsewhere: the other must be 0."""
        if code == other:
            return code
        if code < 0 or not self.is_zero(other):
            raise NotTraced("a choice between two elements")
        number, owner = divmod(code, self.threads)
        if self.is_zero(code):
            return code
        if owner != thread:
            raise NotTraced("a mask on an element of another thread")
        key = (number, *(id(t) for t in tests))
        if key not in self.masks:
            element = self.found.elements[number]
            if not _keeps_zero(element.value):
                raise NotTraced("a choice after arithmetic")
            missing = [t for t in tests if not any(t.same(c) for c in element.conditions)]
            masked = replace(element, conditions=(*element.conditions, *missing))
            self.masks[key] = number if not missing else len(self.found.elements)
            if missing:
                self.element(masked)
        return self.masks[key] * self.threads + thread

    def is_zero(self, code: int) -> bool:
        if code < 0:
            return False
        value = self.found.elements[code // self.threads].value
        return isinstance(value, Const) and value.value == 0

    def loop(self, loop: flat.Loop) -> None:
        if loop.head or not loop.test_first or self.may_leave(loop):
            raise NotTraced("a loop of another form")
        known = self.known(loop.condition)
        while known is not None:
            # Its rounds are known: all of them.
            if not (known & self.active).any():
                return
            active, self.active = self.active, self.active & known
            self.body(loop.body)
            self.body(loop.step)
            self.active = active
            known = self.known(loop.condition)
            if known is None:
                raise NotTraced("a loop whose end is known only at first")
        self.sum_loop(loop)

    def may_leave(self, loop: flat.Loop) -> bool:
        return any(isinstance(s, flat.Leave) for s in flat.statements([loop]))

    def sum_loop(self, loop: flat.Loop) -> None:
        if self.in_loop or self.found.rounds is not None:
            raise NotTraced("several loops of unknown length")
        if not self.active.all():
            raise NotTraced("not all threads take part in the loop")
        start = dict(self.env)
        written = {
            v.name for s in flat.statements([*loop.body, *loop.step]) for v in flat.targets(s)
        } & start.keys()
        self.in_loop = True
        counters = self.counters(loop, written, start)
        self.found.rounds = self.rounds(loop.condition, counters, start)
        self.found.around = self.path
        # Twice, for accesses of one round that meet those of the next; the first decides.
        for attempt in range(2):
            self.env = dict(start)
            for cells in self.memory.values():
                cells[:] = -1
            for name in written:
                if name in counters:
                    first = start[name]
                    assert isinstance(first, Poly)
                    times = Poly.unknown(ROUND, self.threads)
                    self.env[name] = first + counters[name] * times
                else:
                    self.env[name] = Total(name)
            self.body(loop.body)
            self.body(loop.step)
            if attempt == 0:
                kept = dict(self.env)
        self.env = kept
        self.in_loop = False
        for cells in self.memory.values():
            cells[:] = -1
        for name in written:
            value = self.env[name]
            was_read = isinstance(value, Total)
            if isinstance(value, Total) and value.name == name:
                begin = start[name]
                is_zero = isinstance(begin, Formula) and isinstance(begin.expr, Const)
                if not value.added:
                    self.env[name] = begin
                    continue
                if not is_zero or begin.expr != Const(0.0, F32):  # type: ignore[union-attr]
                    raise NotTraced(f"`{name}` does not start from 0 in single precision")
                self.found.totals[name] = value.added
                self.env[name] = Formula(Read(Var(name, F32)))
            elif was_read:
                raise NotTraced(f"`{name}` becomes another total")
            else:
                self.env[name] = None
        for name in [n for n in self.env if n not in start]:
            self.env[name] = None
        if not self.found.totals:
            raise NotTraced("the loop sums no products")

    def counters(
        self, loop: flat.Loop, written: set[str], start: dict[str, Value]
    ) -> dict[str, Poly]:
        """Integers that grow by the same amount each round: one round from unknown values."""
        names = {n for n in written if isinstance(start[n], Poly)}
        steps = [
            s for s in flat.statements([*loop.body, *loop.step])
            if isinstance(s, flat.Set) and s.var.name in names
        ]  # fmt: skip
        found: dict[str, Poly] = {}
        for statement in steps:
            name = statement.var.name
            if name in found or statement not in [*loop.body, *loop.step]:
                raise NotTraced(f"`{name}` changes several times a round")
            match statement.value:
                case Binary("+" | "-" as op, Read(Var(own)), amount) if own == name:
                    if reads(amount) & written:
                        raise NotTraced(f"`{name}` grows by a changing amount")
                    value = self.integer(amount)
                    found[name] = value if op == "+" else Poly({}) - value
                case _:
                    raise NotTraced(f"`{name}` is no counter")
        return found

    def rounds(self, condition: Expr, counters: dict[str, Poly], start: dict[str, Value]) -> Expr:
        """The number of rounds."""
        match condition:
            case Binary("<" | "<=" as op, Read(Var(name)), bound) if name in counters:
                pass
            case _:
                raise NotTraced("the loop does not count up to a bound")
        if reads(bound) & counters.keys():
            raise NotTraced("the loop's bound changes")
        first, step = start[name], counters[name].values(self.threads)
        assert isinstance(first, Poly)
        begin = first.values(self.threads)
        end = self.integer(bound)
        if begin is None or step is None or not end.is_uniform():
            raise NotTraced("the loop's bounds differ between threads")
        if (begin != begin[0]).any() or (step != step[0]).any() or step[0] < 1:
            raise NotTraced("the loop's bounds differ between threads")
        if any(_is_natural(s) for m in end.terms for s in m):
            raise NotTraced("the loop's length differs between blocks")
        length = int(step[0])
        reach = length - 1 - int(begin[0]) + (op == "<=")
        total = expression(end, self.found.symbols, I64, self.threads)
        return fold.binary("/", fold.binary("+", total, fold.i64(reach)), fold.i64(length))

    # --- Memory ---------------------------------------------------------------------------------

    def load(self, statement: flat.Load) -> None:
        ref, var = statement.ref, statement.var
        if not ref.is_whole or statement.volatile:
            raise NotTraced("an access to part of an element")
        if ref.root.space == "shared":
            self.assign(var.name, self.read_shared(ref))
            return
        if ref.root.space not in ("param", "global", "constant"):
            raise NotTraced("memory of another kind")
        index = self.integer(ref.index)
        conditions = self.path
        if statement.guard is not None:
            conditions = (*conditions, *self.conditions(statement.guard))
        if self.in_loop:
            if not var.type.is_float:  # type: ignore[union-attr]
                raise NotTraced("a product of integers")
            self.env[var.name] = self.element(
                Element(statement, index, conditions, Read(replace(SOURCE, type=var.type)))
            )
        elif self.found.rounds is not None and var.type.is_float:  # type: ignore[union-attr]
            if not self.active.all():
                raise NotTraced("some threads load behind the loop")
            name = f"{var.name}@{len(self.found.loads)}"
            self.found.loads[name] = (statement, index, conditions)
            self.env[var.name] = Formula(Read(Var(name, var.type)))
        else:
            raise NotTraced("a value from memory before the loop")

    def element(self, element: Element) -> Elements:
        number = len(self.found.elements)
        self.found.elements.append(element)
        return Elements(np.arange(self.threads) + number * self.threads)

    def cells(self, ref: flat.Ref) -> Lanes:
        index = self.integer(ref.index).values(self.threads)
        if index is None or ref.type != ref.root.element:
            raise NotTraced("a place in shared memory that the thread does not know")
        inside = (index >= 0) & (index < len(self.memory[ref.root.name]))
        if (~inside & self.active).any():
            raise NotTraced("a place outside the shared array")
        return np.where(inside, index, 0)

    def read_shared(self, ref: flat.Ref) -> Elements:
        name, cells = ref.root.name, self.cells(ref)
        threads = np.flatnonzero(self.active)
        at = cells[threads]
        phase, writer = self.writer[name][at].T
        if ((phase == self.phase) & (writer != threads)).any():
            raise NotTraced("a read that no barrier separates from another thread's write")
        reader = self.reader[name]
        for cell, thread in zip(at, threads, strict=True):
            seen, who = reader[cell]
            mixed = seen == self.phase and who != thread
            reader[cell] = (self.phase, -2 if mixed else thread)
        codes = np.zeros(self.threads, np.int64) - 1
        codes[threads] = self.memory[name][at]
        if (codes[threads] < 0).any():
            raise NotTraced("a cell of shared memory that this round has not written")
        return Elements(codes)

    def store(self, statement: flat.Store) -> None:
        ref = statement.ref
        if not ref.is_whole or statement.volatile:
            raise NotTraced("an access to part of an element")
        value = self.value(statement.value)
        if ref.root.space == "shared":
            self.write_shared(ref, self.elements(value))
            return
        if self.in_loop or self.found.rounds is None or not self.active.all():
            raise NotTraced("a store inside the loop or before it")
        if not isinstance(value, Formula):
            raise NotTraced("a store of something else than totals")
        index = self.integer(ref.index)
        self.found.stores.append(Store(ref, index, value.expr, self.path))

    def write_shared(self, ref: flat.Ref, value: Elements) -> None:
        name, cells = ref.root.name, self.cells(ref)
        threads = np.flatnonzero(self.active)
        at = cells[threads]
        if len(np.unique(at)) != len(at):
            raise NotTraced("two threads write the same cell")
        for seen in (self.writer[name][at], self.reader[name][at]):
            if ((seen[:, 0] == self.phase) & (seen[:, 1] != threads)).any():
                raise NotTraced("a write that no barrier separates from another thread's access")
        self.writer[name][at] = np.stack([np.full(len(at), self.phase), threads], axis=1)
        self.memory[name][at] = value.codes[threads]

    # --- Values ---------------------------------------------------------------------------------

    def elements(self, value: Value) -> Elements:
        match value:
            case Elements():
                return value
            case Formula(Const() as number) if self.in_loop:
                load = flat.Load(SOURCE, flat.Ref(NOWHERE, fold.i64(0), number.type, 4))
                return self.element(Element(load, Poly({}), (), number))
            case _:
                raise NotTraced("a value that is no element of an array")

    def value(self, expr: Expr) -> Value:
        kind = expr.type
        if not isinstance(kind, Scalar):
            raise NotTraced("a value of another type")
        if kind.is_float:
            return self.float(expr)
        if kind.kind == "bool":
            return self.conditions(expr)
        return self.integer(expr)

    def integer(self, expr: Expr) -> Poly:
        kind = expr.type
        assert isinstance(kind, Scalar)
        if kind.size < 4 or kind.is_float:
            raise NotTraced("an index of another type")
        match expr:
            case Const(value):
                return Poly.of(np.full(self.threads, int(value)))
            case Special(name) if name in self.specials:
                return Poly.of(self.specials[name])
            case Special(name) if name.startswith(("block.", "grid_dim.")):
                return self.unknown(name, Cast(expr, I64))
            case Read(Var(name)) if isinstance(self.env.get(name), Poly):
                self.found.wide |= kind.size > 4
                return self.env[name]  # type: ignore[return-value]
            case Cast(value, _):
                inner = self.integer(value)
                if kind.size > 4 and not (isinstance(value, Special) or value.type == kind):
                    self.found.wide |= not self.formed_narrow(value)
                return inner
            case Binary("+", lhs, rhs):
                return self.integer(lhs) + self.integer(rhs)
            case Binary("-", lhs, rhs):
                return self.integer(lhs) - self.integer(rhs)
            case Binary("*", lhs, rhs):
                return self.integer(lhs) * self.integer(rhs)
            case Binary("<<", lhs, Const(by)) if 0 <= int(by) < 31:
                return self.integer(lhs) * Poly.of(np.full(self.threads, 1 << int(by)))
            case Binary("/" | ">>" | "%" | "&" as op, lhs, Const(number)):
                return self.divided(op, lhs, int(number), expr)
            case Binary(op, lhs, rhs):
                a, b = (self.integer(v).values(self.threads) for v in (lhs, rhs))
                if a is not None and b is not None and op in _BITWISE:
                    return Poly.of(_BITWISE[op](a, b))
        raise NotTraced("an index that is no polynomial")

    def formed_narrow(self, value: Expr) -> bool:
        return isinstance(value.type, Scalar) and value.type == I32

    def divided(self, op: str, lhs: Expr, number: int, expr: Expr) -> Poly:
        value = self.integer(lhs)
        known = value.values(self.threads)
        if known is not None and (known >= 0).all() and number >= 0:
            results: dict[str, Lanes] = {
                "/": known // max(number, 1), ">>": known >> min(number, 63),
                "%": known % max(number, 1), "&": known & number,
            }  # fmt: skip
            return Poly.of(results[op])
        divisor = {"/": number, ">>": 1 << min(number, 31), "%": number, "&": number + 1}[op]
        if divisor < 1 or (op == "&" and divisor & number):
            raise NotTraced("an index that is no polynomial")
        # Unknowns that are never negative: block numbers and rounds.
        signed = [m for m in value.terms if any(not _is_natural(s) for s in m)]
        parts = None if signed else value.split(divisor)
        if parts is not None and all((c >= 0).all() for c in value.terms.values()):
            return parts[0] if op in ("/", ">>") else parts[1]
        if value.is_uniform() and not value.mentions(ROUND) and op in ("/", ">>"):
            whole = expression(value, self.found.symbols, I64, self.threads)
            if op == "/":
                quotient = Binary("/", whole, fold.i64(number))
                name = self.quotients.setdefault(repr(quotient), f"/{len(self.quotients)}")
                return self.unknown(name, quotient)
        raise NotTraced("an index that is no polynomial")

    def known(self, expr: Expr) -> Lanes | None:
        """A condition that thread numbers alone decide."""
        match expr:
            case Const(value):
                return np.full(self.threads, bool(value))
            case Unary("!", inner):
                found = self.known(inner)
                return None if found is None else ~found
            case Binary("&&" | "||" as op, lhs, rhs):
                a, b = self.known(lhs), self.known(rhs)
                if a is None or b is None:
                    return None
                both: Lanes = a & b if op == "&&" else a | b
                return both
            case Binary(op, lhs, rhs) if op in _COMPARE and _is_integer(lhs):
                try:
                    difference = (self.integer(lhs) - self.integer(rhs)).values(self.threads)
                except NotTraced:
                    return None
                if difference is None:
                    return None
                holds: Lanes = _COMPARE[op](difference, 0)
                return holds
            case _:
                return None

    def conditions(self, expr: Expr) -> Conditions:
        match expr:
            case Const(True):
                return ()
            case Binary("&&", lhs, rhs):
                return (*self.conditions(lhs), *self.conditions(rhs))
            case Unary("!", Binary("||", lhs, rhs)):
                return (*self.conditions(fold.negate(lhs)), *self.conditions(fold.negate(rhs)))
            case Unary("!", Binary(op, lhs, rhs)) if op in _OPPOSITE and _is_integer(lhs):
                return self.conditions(Binary(_OPPOSITE[op], lhs, rhs))  # type: ignore[arg-type]
            case Read(Var(name)) if isinstance(self.env.get(name), tuple):
                return self.env[name]  # type: ignore[return-value]
            case Binary("<" | "<=" | ">" | ">=" | "==" as op, lhs, rhs) if _is_integer(lhs):
                a, b = self.integer(lhs), self.integer(rhs)
                if not lhs.type.is_signed:  # type: ignore[union-attr]
                    self.check_natural(a, b)
                one = Poly.of(np.ones(self.threads))
                match op:
                    case "<":
                        return (Condition(a - b),)
                    case "<=":
                        return (Condition(a - b - one),)
                    case ">":
                        return (Condition(b - a),)
                    case ">=":
                        return (Condition(b - a - one),)
                    case _:
                        return (Condition(a - b, is_equal=True),)
        raise NotTraced("a condition that is no conjunction of comparisons")

    def check_natural(self, *values: Poly) -> None:
        """Unsigned numbers compare as the integers they are only where none is below 0."""
        for value in values:
            for monomial, coefficients in value.terms.items():
                if (coefficients < 0).any() or not all(_is_natural(s) for s in monomial):
                    raise NotTraced("an unsigned comparison of what may be negative")

    def float(self, expr: Expr) -> Value:
        match expr:
            case Read(Var(name)):
                value = self.env.get(name)
                if value is None:
                    raise NotTraced(f"`{name}` has no value that is understood")
                return value
            case Const():
                return Formula(expr)
            case Select(condition, then, otherwise) if (known := self.known(condition)) is not None:
                if known.all() or not known.any():
                    return self.float(then if known.all() else otherwise)
                a, b = self.elements(self.float(then)), self.elements(self.float(otherwise))
                return Elements(np.where(known, a.codes, b.codes))
            case Select(condition, then, otherwise) if self.in_loop:
                tests = self.conditions(condition)
                return self.choose(tests, self.elements(self.float(then)), self.float(otherwise))
            case Binary("+", lhs, rhs) if self.in_loop and expr.type == F32:
                return self.sum(self.float(lhs), self.float(rhs))
            case Binary("*", lhs, rhs) if self.in_loop and expr.type == F32:
                return self.product(self.float(lhs), self.float(rhs))
            case Intrinsic("fma" | "fmaf", (a, b, c)) if self.in_loop and expr.type == F32:
                return self.sum(self.float(c), self.product(self.float(a), self.float(b)))
            case Cast(value, kind) if self.in_loop:
                inner = self.elements(self.float(value))
                return self.mapped(inner, lambda v: Cast(v, kind))
        if self.in_loop:
            raise NotTraced("arithmetic inside the loop that is no sum of products")
        return Formula(self.formula(expr))

    def formula(self, expr: Expr) -> Expr:
        """An expression behind the loop, of totals and loads."""
        match expr:
            case Const():
                return expr
            case Read(Var(name)):
                value = self.env.get(name)
                if not isinstance(value, Formula):
                    raise NotTraced(f"`{name}` has no value that is understood")
                return value.expr
            case Binary(op, lhs, rhs) if _is_float(lhs):
                return Binary(op, self.formula(lhs), self.formula(rhs))
            case Unary("-", value):
                return Unary("-", self.formula(value))
            case Cast(value, kind) if _is_float(value):
                return Cast(self.formula(value), kind)
            case Intrinsic(name, args, kind) if all(_is_float(a) for a in args):
                return Intrinsic(name, tuple(self.formula(a) for a in args), kind)
            case Select(Binary(op, lhs, rhs), then, otherwise) if _is_float(lhs):
                test = Binary(op, self.formula(lhs), self.formula(rhs))
                return Select(test, self.formula(then), self.formula(otherwise))
            case _:
                raise NotTraced("arithmetic behind the loop of another kind")

    def sum(self, left: Value, right: Value) -> Total:
        if isinstance(right, Total):
            left, right = right, left
        if not isinstance(left, Total):
            raise NotTraced("a sum that is no running total")
        if isinstance(right, Elements):
            one = Formula(Const(1.0, F32))
            right = Pair(right, self.elements(one))
        if not isinstance(right, Pair):
            raise NotTraced("a total of something else than products")
        if len(self.path) != len(self.found.around) or not self.active.all():
            raise NotTraced("a total that some threads skip")
        return Total(left.name, (*left.added, right))

    def product(self, left: Value, right: Value) -> Pair:
        return Pair(self.elements(left), self.elements(right))

    def mapped(self, value: Elements, change: object) -> Elements:
        """A function of each element."""
        result = value.codes.copy()
        for number in np.unique(value.codes[self.active] // self.threads):
            element = self.found.elements[number]
            made = self.element(replace(element, value=change(element.value)))  # type: ignore[operator]
            chosen = (value.codes // self.threads == number) & self.active
            result[chosen] = made.codes[value.codes[chosen] % self.threads]
        return Elements(result)


NOWHERE = flat.Root("@nowhere", "global", F32)
_BITWISE = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}
_COMPARE = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal,
}  # fmt: skip
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "!=": "=="}


def _is_integer(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_integer


def _is_float(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_float


def _is_natural(symbol: str) -> bool:
    """Is the unknown never negative?"""
    return symbol == ROUND or symbol.startswith(("block.", "grid_dim."))


def _sets_constants(statement: flat.Statement) -> bool:
    """Is it an assignment of a constant, to a variable or in shared memory?"""
    match statement:
        case flat.Set(_, Const()):
            return True
        case flat.Store(ref, Const()):
            return ref.root.space == "shared"
        case _:
            return False


def _keeps_zero(expr: Expr) -> bool:
    """Is the function of an element 0 where the element is?"""
    while isinstance(expr, Cast):
        expr = expr.value
    return isinstance(expr, Read)


def expression(poly: Poly, symbols: dict[str, Expr], kind: Scalar, threads: int) -> Expr:
    """A polynomial that all threads share as an expression."""
    del threads
    total: Expr = fold.constant(0, kind)
    for monomial, coefficients in sorted(poly.terms.items()):
        if (coefficients != coefficients[0]).any():
            raise NotTraced("a number that differs between threads")
        term: Expr = fold.constant(int(coefficients[0]), kind)
        for symbol in monomial:
            term = fold.binary("*", fold.cast(symbols[symbol], kind), term)
        total = fold.binary("+", total, term)
    return total
