"""The loop of unknown length: its rounds, its counters, and the totals that it leaves."""

from __future__ import annotations

from crossport.ir.lift import flat, fold
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import (
    Binary,
    Const,
    Expr,
    Read,
    Var,
)
from crossport.ir.tile.polynomial import Poly
from crossport.ir.tile.trace.memory import Memory
from crossport.ir.tile.trace.values import (
    ROUND,
    Formula,
    NotTraced,
    Total,
    Value,
    expression,
    is_natural,
)
from crossport.ir.types import F32, I64


class Rounds(Memory):
    """Loops."""

    def body(self, body: flat.Body) -> None:
        """Statements, in order: above."""
        raise NotImplementedError

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
        if any(is_natural(s) for m in end.terms for s in m):
            raise NotTraced("the loop's length differs between blocks")
        length = int(step[0])
        reach = length - 1 - int(begin[0]) + (op == "<=")
        total = expression(end, self.found.symbols, I64, self.threads)
        return fold.binary("/", fold.binary("+", total, fold.i64(reach)), fold.i64(length))
