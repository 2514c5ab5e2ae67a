"""Branches, loops and regions: control flow where all lanes agree, masks where they do not."""

from __future__ import annotations

from collections.abc import Iterator

from crossport.backends.triton.extents import row_test
from crossport.backends.triton.simt.between_lanes import BetweenLanes
from crossport.ir.lift import flat, fold
from crossport.ir.lift.narrow import is_index
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Binary, Cast, Const, Expr, Read, Special, Var, walk
from crossport.ir.tile.strides import Stride
from crossport.ir.types import BOOL, I32, U32

# Statements that loops of known length may come to when they are written out.
MOST_UNROLLED = 64
# Rounds of a short loop between two votes on whether any lane is still in it.
ROUNDS = 4
LIGHT = 16


class Control(BetweenLanes):
    """Statements with statements inside."""

    def branch(self, statement: flat.Branch) -> None:
        if id(statement) not in self.facts.divergent:
            self.uniform_branch(statement)
            return
        condition = statement.condition
        if statement.otherwise and statement.then:
            name = self.names.fresh("taken")
            self.line(f"{name} = {self.e(condition)}")
            condition = Read(Var(name, BOOL))
        before = self.mask
        for body, negated in ((statement.then, False), (statement.otherwise, True)):
            if not body:
                continue
            wanted = fold.negate(condition) if negated else condition
            test = self.e.tight(wanted, 3)
            self.mask = self.names.fresh("mask", keep_first=False)
            self.line(f"{self.mask} = {self.masked(before, wanted, 3)}")
            self.note_rows(before, condition, test, negated)
            if before in self.one_thread or (not negated and self.is_one_thread(condition)):
                self.one_thread.add(self.mask)
            self.masks.append(("", self.mask))
            if self.mask in self.one_thread and self.is_own_work(body):
                self.line(f"if {self.e.use('_any')}({self.mask}):")
                self.inhabited.add(self.mask)
                with self.indented():
                    self.body(body)
                self.inhabited.discard(self.mask)
                self.masks.pop()
                self.mask = before
                continue
            first = len(self.lines)
            self.body(body)
            self.name_vote(first, self.mask)
            self.masks.pop()
            self.mask = before

    def is_own_work(self, body: flat.Body) -> bool:
        """Is it work of some length whose values nobody else reads?"""
        inside = list(flat.statements(body))
        if not any(isinstance(s, flat.Loop) for s in inside):
            return False
        written = {v.name for s in inside for v in flat.targets(s)}
        mine = {id(s) for s in inside}
        return not any(
            written & reads(e)
            for s in flat.statements(self.program.body)
            if id(s) not in mine
            for e in flat.expressions(s)
        )

    def is_one_thread(self, condition: Expr) -> bool:
        """Does the condition hold for one thread of the program at most?"""
        if not self.in_row or self.batched:
            return False
        places = {"thread.x"}
        if any(
            isinstance(x, Special) and x.name == "thread.y"
            for s in flat.statements(self.program.body)
            for e in flat.expressions(s)
            for x in walk(e)
        ):
            places.add("thread.y")
        return places <= set(_pinned(condition))

    def note_rows(self, before: str, condition: Expr, test: str, negated: bool) -> None:
        """Remember the blocks that the new mask has lanes of, if that is a question of blocks."""
        rows = self.row_masks.get(before)
        wanted = row_test(condition, self.extents) if rows is not None else None
        if rows is None or wanted is None or (wanted is fold.TRUE and negated):
            return
        if wanted is not fold.TRUE:
            rows = f"{rows if rows.startswith('(') else f'({rows})'} & {test}"
        self.row_masks[self.mask] = rows

    def name_vote(self, first: int, mask: str) -> None:
        """Ask once whether a mask is empty, where its body asks more often; masks may change."""
        below = self.lines[first:]
        vote, changed = f"_any({mask})", f"{mask} = "
        asked = [line for line in below if vote in line]
        if any(line.lstrip().startswith(changed) for line in below) or not asked:
            return
        indent = "    " * self.depth
        if len(asked) == 1 and not asked[0].startswith(indent + " "):
            return
        name = self.names.fresh("any")
        self.lines[first:] = [line.replace(vote, name) for line in below]
        self.lines.insert(first, f"{indent}{name} = {vote}")

    def uniform_branch(self, statement: flat.Branch) -> None:
        start = self.pending.copy()
        self.line(f"if {self.e(statement.condition)}:")
        with self.indented():
            self.body(statement.then)
        after = self.pending
        self.pending = start.copy()
        if statement.otherwise:
            self.line("else:")
            with self.indented():
                self.body(statement.otherwise)
        self.pending.join(after)

    def enter_loop(self, statement: flat.Loop) -> None:
        """At the top of a loop, everything in it may just have happened."""
        for inner in flat.statements([statement]):
            match inner:
                case flat.Load(_, ref):
                    form = f"{self.e(ref.index)}:{ref.type}"
                    self.pending.loads.setdefault(ref.root.name, set()).add(form)
                case flat.Store(ref) | flat.AtomicUpdate(_, _, ref):
                    self.pending.stores.setdefault(ref.root.name, set()).add(str(id(inner)))
                case _:
                    pass

    def loop(self, statement: flat.Loop) -> None:
        if id(statement) in self.facts.divergent:
            self.divergent_loop(statement)
            return
        entry = self.pending.copy()
        if statement.head or not statement.test_first:
            going = self.names.fresh("going")
            if statement.test_first:
                self.body(statement.head)
                self.line(f"{going} = {self.e(statement.condition)}")
            else:
                self.line(f"{going} = tl.full((), True, tl.int1)")
            test = going
        else:
            going = ""
            test = self.e(statement.condition)
        self.enter_loop(statement)
        self.line(f"while {test}:")
        with self.indented():
            self.body(statement.body)
            self.body(statement.step)
            if going:
                self.body(statement.head)
                self.line(f"{going} = {self.e(statement.condition)}")
        self.pending.join(entry)

    def divergent_loop(self, statement: flat.Loop) -> None:
        self.uses_votes = True
        before = self.mask
        going = self.names.fresh("going")
        if statement.test_first:
            self.body(statement.head)
            self.line(f"{going} = {self.masked(before, statement.condition)}")
        else:
            self.line(f"{going} = {before}")
        entry = self.pending.copy()
        self.enter_loop(statement)
        self.line(f"while {self.e.use('_any')}({going}):")
        self.mask = going
        self.masks.append((statement.label, going))
        self.inhabited.add(going)
        with self.indented():
            if is_light(statement):
                # Several rounds a vote.
                self.inhabited.discard(going)
                self.line(f"for _ in tl.static_range({ROUNDS}):")
                with self.indented():
                    self.divergent_round(statement, going)
            else:
                self.divergent_round(statement, going)
        self.masks.pop()
        self.mask = before
        self.pending.join(entry)

    def divergent_round(self, statement: flat.Loop, going: str) -> None:
        self.body(statement.body)
        self.body(statement.step)
        self.body(statement.head)
        self.inhabited.discard(going)
        if self.facts.is_uniform(statement.condition):
            kept = self.e.tight(statement.condition, 4)
            if kept != "True":
                self.line(f"{going} = {going} & {kept}")
        else:
            self.line(f"{going} = {self.masked(going, statement.condition)}")

    def stride_loop(self, statement: flat.Loop, stride: Stride) -> None:
        """A loop whose rounds the lanes share: counted, with a mask for the last round."""
        before = self.mask
        name = stride.variable.name
        start = self.names.fresh(f"{name}_start")
        going = self.names.fresh("going")
        arguments = f"{self.e(stride.base)}, {self.e(stride.bound)}, {self.e(stride.step)}"
        entry = self.pending.copy()
        self.enter_loop(statement)
        self.line(f"for {start} in {counted(statement, arguments)}:")
        self.mask = going
        self.masks.append((statement.label, going))
        with self.indented():
            self.line(f"{name} = {start} + {self.e.tight(stride.offset, 6)}")
            self.line(f"{going} = {before} & ({self.e(statement.condition)})")
            self.body(statement.body)
        self.masks.pop()
        self.mask = before
        self.pending.join(entry)

    def as_range(
        self, statement: flat.Loop, body: flat.Body, position: int
    ) -> tuple[str, Expr, Expr, int] | None:
        """(variable, start, end, step) of a loop that `range` can say."""
        if id(statement) in self.facts.divergent or statement.head or not statement.test_first:
            return None
        if position == 0 or len(statement.step) != 1 or statement.label in self.facts.left:
            return None
        start, step, test = body[position - 1], statement.step[0], statement.condition
        if not isinstance(start, flat.Set) or not isinstance(step, flat.Set):
            return None
        if not start.declare or start.value is None or start.var.name != step.var.name:
            return None
        var = start.var
        if var.type != I32 or var.name in self.facts.varying:
            return None
        test = _signed(test)
        match step.value, test:
            case (
                Binary("+", Read(Var(a)), Const(amount)),
                Binary("<" | "<=" as op, Read(Var(b)), end),
            ) if a == b == var.name and int(amount) > 0:
                pass
            case _:
                return None
        written = {v.name for s in flat.statements(statement.body) for v in flat.targets(s)}
        used = reads(end)
        if var.name in written or used & written or var.name in used:
            return None
        if test is not statement.condition and not is_index(start.value):
            return None  # compared as unsigned numbers
        for other in body[position + 1 :]:
            for inner in flat.statements([other]):
                if any(var.name in reads(x) for x in flat.expressions(inner)):
                    return None
        if op == "<=":
            if not isinstance(end, Const):
                return None  # the end might wrap
            end = fold.binary("+", end, Const(1, I32))
        return var.name, start.value, end, int(amount)

    def range_loop(self, statement: flat.Loop, body: flat.Body, position: int) -> bool:
        found = self.as_range(statement, body, position)
        if found is None:
            return False
        name, start, end, step = found
        arguments = [self.e(start), self.e(end)]
        if step == 1 and arguments[0] == "0":
            arguments = arguments[1:]
        elif step != 1:
            arguments.append(str(step))
        entry = self.pending.copy()
        self.e.counters.add(name)
        self.enter_loop(statement)
        ends = fold.as_int(start), fold.as_int(end)
        rounds = counted(statement, ", ".join(arguments))
        if self.mask in self.one_thread:
            rounds = rounds.replace("loop_unroll_factor=4", "loop_unroll_factor=16")
        if ends[0] is not None and ends[1] is not None:
            size = sum(1 for _ in flat.statements(statement.body))
            if 0 < (ends[1] - ends[0]) // step * size <= MOST_UNROLLED:
                rounds = f"tl.static_range({', '.join(arguments)})"
        self.line(f"for {name} in {rounds}:")
        with self.indented():
            self.body(statement.body)
        self.pending.join(entry)
        return True

    def scope(self, statement: flat.Scope, label: str, body: flat.Body) -> None:
        if id(statement) not in self.facts.divergent:
            self.body(body)
            return
        before = self.mask
        self.mask = self.names.fresh("here", keep_first=False)
        self.line(f"{self.mask} = {before}")
        self.masks.append((label, self.mask))
        self.body(body)
        self.masks.pop()
        self.mask = before

    def leave(self, label: str) -> None:
        # A mask outside the current one first, for it still needs the current one.
        leaving = self.mask
        self.row_masks.clear()
        inner: list[str] = []
        for name, mask in reversed(self.masks):
            if mask not in inner:
                inner.append(mask)
            if name == label:
                break
        for mask in reversed(inner):
            if mask != leaving:
                self.line(f"{mask} = {mask} & ({leaving} == 0)")
        self.line(f"{leaving} = {leaving} & {'False' if self.dimensions else '(lane < 0)'}")
        self.inhabited -= {leaving, *inner}


def _signed(test: Expr) -> Expr:
    """A comparison with a size of the launch, which fits in an i32, as one of i32."""
    match test:
        case Binary(op, Cast(lhs, kind), Special() as size) if kind == U32 and lhs.type == I32:
            return Binary(op, lhs, Cast(size, I32))
        case _:
            return test


def _pinned(condition: Expr) -> Iterator[str]:
    """The built-in indices that must have one value for the condition to hold."""
    match condition:
        case Binary("&&", lhs, rhs):
            yield from _pinned(lhs)
            yield from _pinned(rhs)
        case Binary("==", Cast(Special(name)), Const()):
            yield name
        case _:
            pass


def is_light(loop: flat.Loop) -> bool:
    """May lanes that are done stay for a few rounds more? What they would do is little."""
    inside = list(flat.statements([loop]))[1:]
    return len(inside) <= LIGHT and all(
        isinstance(s, flat.Set | flat.Load | flat.Branch | flat.Leave) for s in inside
    )


def counted(loop: flat.Loop, arguments: str) -> str:
    """The rounds of a counted loop; short ones that load go several at a time.

    The loads of one round need not wait for the sums of the last.
    """
    inside = list(flat.statements(loop.body))
    simple = all(isinstance(s, flat.Set | flat.Load) for s in inside)
    if simple and len(inside) <= 12 and any(isinstance(s, flat.Load) for s in inside):
        return f"tl.range({arguments}, loop_unroll_factor=4)"
    return f"range({arguments})"
