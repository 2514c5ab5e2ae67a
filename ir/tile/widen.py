"""Free a row-per-block kernel from the number of threads that share the row.

    for (c = tid; c < cols; c += 128) sum += x[c];       any number of lanes may share the columns:
    total = reduce + over lanes of sum;             ->   the port chooses, and 128 becomes that
    for (c = tid; c < cols; c += 128) y[c] = x[c] / total;

It holds where threads differ only by the elements that they take in such loops, where what they
gather is combined over all of them by an operator whose start value changes nothing, and where what
one thread does for all (`if (tid == 0)`) does not depend on how many there are.
"""

from __future__ import annotations

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Binary, Cast, Const, Expr, Read, Special, Unary, Var, walk
from crossport.ir.tile.graph import IDEMPOTENT
from crossport.ir.tile.retile import is_host_expression, resolve, single_values
from crossport.ir.tile.strides import stride_of
from crossport.ir.tile.summary import neutral
from crossport.ir.types import I32, Scalar

MOST_THREADS = 1024
_THREAD = {"thread.x", "thread.y", "thread.z", "lane_id", "warp_id"}


def widen(program: flat.Program, threads: int) -> bool:
    """Make a program for blocks of `threads` right for any size, if that is its nature."""
    checker = _Checker(program, threads)
    if not checker.body(program.body) or not checker.strides:
        return False
    width = Cast(Special("block_dim.x"), I32)
    for loop in checker.strides:
        step = loop.step[0]
        assert isinstance(step, flat.Set)
        step.value = fold.binary("+", Read(step.var), width)
    return True


SIZES = ("block_dim.x", "grid_dim.x", "grid_dim.y", "grid_dim.z")


def take_rounds(program: flat.Program, threads: int) -> tuple[Expr, Expr] | None:
    """Let a program for blocks in one row take several rounds of its shared loop at once, in place.

        for (c = first + tid; c < n; c += step)
    ->  for (c = first + tid + thread.y * step; c < n; c += step * block_dim.y)

    The block then has `block_dim.y` rows of its threads. None if that is not its nature; else the
    loop's end and step, which the launcher needs to say how many rounds there are.
    """
    checker = _Checker(program, threads, keeps_threads=True)
    if not checker.body(program.body) or len(checker.strides) != 1:
        return None
    (loop,) = checker.strides
    scalars = {var.name for p in program.parameters for _, var in p.scalars}
    assert isinstance(loop.step[0], flat.Set) and isinstance(loop.condition, Binary)
    moved = loop.step[0].value
    assert isinstance(moved, Binary)
    variable = loop.step[0].var
    amount = resolve(moved.rhs if moved.lhs == Read(variable) else moved.lhs, checker.values)
    bound = resolve(loop.condition.rhs, checker.values)
    for value in (amount, bound):
        if not reads(value) <= scalars or not is_host_expression(value, SIZES):
            return None
    row, rows = Cast(Special("thread.y"), I32), Cast(Special("block_dim.y"), I32)
    start = next(w for w in checker.writes[variable.name] if w.declare)
    assert start.value is not None
    start.value = fold.binary("+", start.value, fold.binary("*", row, amount))
    loop.step[0].value = fold.binary("+", Read(variable), fold.binary("*", amount, rows))
    first_row = Binary("==", row, fold.constant(0, I32))
    for branch in checker.for_one:
        branch.condition = Binary("&&", branch.condition, first_row)
    return bound, amount


class _Checker:
    """What makes the number of threads, or of the rounds that they take at once, free.

    `keeps_threads`: a thread may say which one it is of how many, for that stays as it is.
    """

    def __init__(self, program: flat.Program, threads: int, *, keeps_threads: bool = False) -> None:
        self.program = program
        self.threads = threads
        self.keeps_threads = keeps_threads
        self.found_by_one: set[str] = set()
        """Variables that hold what the one thread of such a branch found out."""
        self.for_one: list[flat.Branch] = []
        """Branches that one thread takes for all."""
        self.facts: Uniformity = uniformity(program)
        self.values = single_values(program)
        self.strides: list[flat.Loop] = []
        self.starts: set[int] = set()
        self.writes: dict[str, list[flat.Set]] = {}
        for statement in flat.statements(program.body):
            if isinstance(statement, flat.Set):
                self.writes.setdefault(statement.var.name, []).append(statement)

    def by_thread(self, expr: Expr) -> bool:
        """Does the value say which thread this is?"""
        return any(
            isinstance(x, Special) and x.name in _THREAD for x in walk(resolve(expr, self.values))
        )

    def by_count(self, expr: Expr) -> bool:
        """Does the value say how many threads there are?"""
        return not self.keeps_threads and any(
            isinstance(x, Special) and x.name.startswith("block_dim")
            for x in walk(resolve(expr, self.values))
        )

    def body(self, body: flat.Body) -> bool:
        for statement in body:
            if isinstance(statement, flat.Loop):
                stride = stride_of(statement, body, self.facts)
                if stride is not None:
                    if not self.is_whole(stride.offset, stride.step):
                        return False
                    self.strides.append(statement)
                    if self.by_thread(stride.bound) or not self.inside(statement.body):
                        return False
                    continue
        return all(self.statement(s) for s in body if s not in self.strides)

    def is_whole(self, offset: Expr, step: Expr) -> bool:
        """Does each thread start at its number, and step by the number of threads?"""
        first = resolve(offset, self.values)
        is_thread = isinstance(first, Cast) and first.value == Special("thread.x")
        if self.keeps_threads:
            return is_thread
        amount = resolve(step, self.values)
        is_count = fold.as_int(amount) == self.threads or (
            isinstance(amount, Cast) and amount.value == Special("block_dim.x")
        )
        return is_thread and is_count

    def statement(self, statement: flat.Statement) -> bool:
        match statement:
            case flat.Set(var, value):
                if value is None:
                    return True
                if self.by_count(value):
                    return False
                if self.by_thread(value) and not self.facts.is_uniform(value):
                    # The start of a shared loop, or a name for the thread's number.
                    return var.name in self.values or self.is_start(statement)
                return True
            case flat.LaneGather(var, source, index):
                # What the first thread found out, told to all.
                first = fold.as_int(index) == 0 and self.keeps_threads
                if not first or not self.is_found_by_one(source):
                    return False
                self.found_by_one.add(var.name)
                return True
            case flat.Load(_, ref, guard):
                return self.facts.is_uniform(ref.index) and guard is None
            case flat.Store(ref, value):
                return self.facts.is_uniform(ref.index) and self.facts.is_uniform(value)
            case flat.Branch(condition, then, otherwise):
                if self.facts.is_uniform(condition):
                    return not self.by_count(condition) and self.body(then) and self.body(otherwise)
                self.for_one.append(statement)
                return not otherwise and self.for_all(condition, then)
            case flat.Loop(_, head, condition, body, step):
                if not self.facts.is_uniform(condition) or self.by_count(condition):
                    return False
                return self.body(head) and self.body(body) and self.body(step)
            case flat.LaneReduce(_, op, source, width, scan):
                return width == 0 and scan is None and self.starts_neutral(op, source)
            case flat.Sync(scope):
                return scope != "grid"
            case _:
                return False

    def is_start(self, statement: flat.Set) -> bool:
        return any(
            isinstance(loop.step[0], flat.Set) and loop.step[0].var.name == statement.var.name
            for loop in self.strides
        )

    def starts_neutral(self, op: str, source: Expr) -> bool:
        """Is what each thread starts from neutral, so that more threads add nothing?"""
        source = resolve(source, self.values)
        if not isinstance(source, Read) or not isinstance(source.place, Var):
            return False
        writes = self.writes.get(source.place.name, [])
        start = next((w for w in writes if w.declare), None)
        if start is None or start.value is None or not isinstance(source.type, Scalar):
            return False
        value = resolve(start.value, self.values)
        if op in IDEMPOTENT:
            return self.facts.is_uniform(value)
        if value != neutral(op, source.type):
            return False
        # All other values come from the shared loops.
        inside = {id(s) for loop in self.strides for s in flat.statements([loop])}
        return all(id(w) in inside for w in writes if w is not start)

    def inside(self, body: flat.Body) -> bool:
        """In a shared loop anything goes that depends on the thread by its element alone."""
        for statement in flat.statements(body):
            if isinstance(
                statement,
                flat.LaneReduce | flat.LaneGather | flat.LaneDot | flat.WarpStatement
                | flat.Collect | flat.Sync | flat.Leave,
            ):  # fmt: skip
                return False
            for expr in flat.expressions(statement):
                if self.by_thread(expr) or self.by_count(expr):
                    return False
            if isinstance(statement, flat.Store) and self.facts.is_uniform(statement.ref.index):
                return False
        return True

    def is_found_by_one(self, expr: Expr) -> bool:
        """Is the value made of uniform ones and what one thread found out?"""
        varying = {n for n in reads(resolve(expr, self.values)) if n in self.facts.varying}
        return varying <= self.found_by_one and not self.by_thread(expr)

    def for_all(
        self, condition: Expr, body: flat.Body, declared: frozenset[str] = frozenset()
    ) -> bool:
        """`if (tid == 0) out[...] = ...`: one thread for all, or several doing the same."""
        mask = self.concrete(condition)
        if mask is None or not mask[0]:
            return False
        only_one = int(mask.sum()) == 1
        for statement in body:
            if isinstance(statement, flat.Set) and statement.declare:
                declared |= {statement.var.name}
            match statement:
                case flat.AtomicUpdate(Var() as var, _, ref, operands):
                    steady = all(self.facts.is_uniform(o) for o in (ref.index, *operands))
                    if not only_one or not steady or not self.keeps_threads:
                        return False
                    self.found_by_one.add(var.name)
                case flat.Sync() if self.keeps_threads:
                    pass
                case flat.Loop(_, head, test, inner_body, step):
                    if not self.keeps_threads or not self.facts.is_uniform(test):
                        return False
                    parts = (head, inner_body, step)
                    if not all(self.for_all(condition, p, declared) for p in parts):
                        return False
                case flat.Store(ref, value):
                    if not self.facts.is_uniform(ref.index) or not self.facts.is_uniform(value):
                        return False
                case flat.AtomicUpdate(None, _, ref, operands):
                    steady = all(self.facts.is_uniform(o) for o in (ref.index, *operands))
                    if not only_one or not steady:
                        return False
                case flat.Branch(inner, then, otherwise):
                    both = Binary("&&", condition, inner)
                    if otherwise or not self.for_all(both, then, declared):
                        return False
                case flat.Load(_, ref, None):
                    if not self.facts.is_uniform(ref.index):
                        return False
                case flat.Set(var, value):
                    if value is not None and not self.facts.is_uniform(value):
                        if not self.keeps_threads or not self.is_found_by_one(value):
                            return False
                        self.found_by_one.add(var.name)
                    if var.name not in self.values and var.name not in declared:
                        return False
                case flat.LaneReduce(_, op, source, 0, None):
                    if not self.starts_neutral(op, source):
                        return False
                case _:
                    return False
        return True

    def resolved(self, condition: Expr) -> Expr:
        """The condition in terms of places, and of what one thread found out."""
        own = {n: v for n, v in self.values.items() if n not in self.found_by_one}
        return resolve(condition, own)

    def concrete(self, condition: Expr) -> np.ndarray | None:
        """The condition for threads 0 to 1023 in a row; None if it depends on more."""
        threads = np.arange(MOST_THREADS)

        def value(expr: Expr) -> np.ndarray | None:
            match expr:
                case Const(number):
                    return np.asarray(number)
                case Cast(Special("thread.x"), _) | Special("thread.x"):
                    return threads
                case Cast(inner, kind) if isinstance(kind, Scalar) and kind.is_integer:
                    return value(inner)
                case Unary("!", inner):
                    found = value(inner)
                    return None if found is None else ~found.astype(bool)
                case Binary("&&", lhs, rhs) if self.keeps_threads and (
                    self.is_found_by_one(lhs) or self.is_found_by_one(rhs)
                ):
                    # All threads agree on that part.
                    return value(rhs if self.is_found_by_one(lhs) else lhs)
                case Binary(op, lhs, rhs):
                    a, b = value(lhs), value(rhs)
                    if a is None or b is None:
                        return None
                    return _OPERATORS[op](a, b) if op in _OPERATORS else None
                case _:
                    return None

        found = value(self.resolved(condition))
        if found is None:
            return None
        return np.broadcast_to(found, (MOST_THREADS,)).astype(bool)


_OPERATORS = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
    ">=": np.greater_equal, "&&": np.logical_and, "||": np.logical_or, "+": np.add,
    "-": np.subtract, "*": np.multiply, "/": np.floor_divide, "%": np.remainder,
    "&": np.bitwise_and, ">>": np.right_shift,
}  # fmt: skip
