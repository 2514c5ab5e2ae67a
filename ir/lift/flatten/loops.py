"""Loops and switches; short constant loops over local arrays are unrolled."""

from __future__ import annotations

from collections.abc import Sequence

from crossport.diagnostics import PortError
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flatten.jumps import drop_tail_leaves, jumps, own_jumps, uses_label
from crossport.ir.lift.flatten.lanes import Lanes
from crossport.ir.lift.flatten.names_in import base_name, mentions, mentions_any, nodes_of
from crossport.ir.lift.flatten.values import (
    Compound,
    Local,
    Ptr,
    PtrCell,
    Target,
    scalar_type,
)
from crossport.ir.types import BOOL, Scalar

MOST_UNROLLED = 64


class Loops(Lanes):
    """What repeats, and what chooses among many."""

    def for_loop(self, stmt: n.For, before: Sequence[n.Stmt]) -> None:
        if self.unroll(stmt, before):
            return
        self.loop(stmt.condition, stmt.body, stmt.step, test_first=True)

    def loop(
        self,
        condition: n.Expr,
        body: Sequence[n.Stmt],
        step: Sequence[n.Stmt],
        *,
        test_first: bool,
    ) -> None:
        label = self.names.fresh("loop", keep_first=False)
        again = label + "_next"
        with self.collecting() as head:
            test = self.truth(condition)
        self.targets.append(Target("loop", label, again))
        inside = self.block(body)
        self.targets.pop()
        drop_tail_leaves(inside, again)
        if uses_label(inside, again):
            inside = [flat.Scope(again, inside)]
        after = self.block(step)
        self.emit(flat.Loop(label, head, test, inside, after, test_first))

    def switch(self, stmt: n.Switch) -> None:
        value = self.scalar(stmt.value)
        kind = scalar_type(value.type)
        chosen = self.fresh("chosen", kind)
        self.emit(flat.Set(chosen, value, declare=True))
        label = self.names.fresh("switch", keep_first=False)
        self.targets.append(Target("switch", label))
        all_values = [v for case in stmt.cases for v in case.values]

        def is_one_of(values: Sequence[int]) -> n.Expr:
            test: n.Expr = fold.FALSE
            for v in values:
                equal = fold.binary("==", n.Read(chosen), fold.constant(v, kind))
                test = fold.binary("||", test, equal)
            return test

        with self.collecting() as body:
            self.switch_arms(stmt.cases, is_one_of, all_values)
        self.targets.pop()
        drop_tail_leaves(body, label)
        if uses_label(body, label):
            self.emit(flat.Scope(label, body))
        else:
            self.out.extend(body)

    def switch_arms(self, cases, is_one_of, all_values) -> None:  # type: ignore[no-untyped-def]
        ends = [not c.body or jumps(c.body) for c in cases[:-1]]
        default_last = all(c.values for c in cases[:-1])
        if all(ends) and default_last:
            # No arm falls into the next with work of its own: a chain of branches.
            arms: list[tuple[n.Expr, n.Block]] = []
            pending: list[int] = []
            for case in cases:
                pending += case.values
                if case.body or case is cases[-1]:
                    test = is_one_of(pending) if case.values else fold.TRUE
                    arms.append((test, case.body))
                    pending = []
            outer = self.out
            for test, arm in arms:
                if test == fold.TRUE:
                    self.statements(arm)
                    break
                branch = flat.Branch(test, self.block(arm), [])
                self.emit(branch)
                self.out = branch.otherwise
            self.out = outer
            return
        falling = self.fresh("falling", BOOL)
        self.emit(flat.Set(falling, fold.FALSE, declare=True))
        for case in cases:
            test = is_one_of(case.values) if case.values else fold.negate(is_one_of(all_values))
            self.emit(flat.Set(falling, fold.binary("||", n.Read(falling), test)))
            self.emit(flat.Branch(n.Read(falling), self.block(case.body), []))

    def unroll(self, stmt: n.For, before: Sequence[n.Stmt]) -> bool:
        """Unroll a short constant loop whose body indexes local arrays by its variable."""
        rounds = self.constant_rounds(stmt, before)
        if rounds is None:
            return False
        var, values = rounds
        wanted = self.indexes_local(stmt.body, var.name) or (stmt.unroll == 0 and len(values) <= 4)
        if not wanted or len(values) > MOST_UNROLLED:
            return False
        if any(isinstance(s, n.Break) for s in own_jumps(stmt.body)):
            return False
        local = self.lookup(var.name)
        assert isinstance(local, Local)
        for value in values:
            self.scopes.append({var.name: fold.constant(value, scalar_type(var.type))})
            again = self.names.fresh("round", keep_first=False)
            self.targets.append(Target("loop", again, again))
            body = self.block(stmt.body)
            self.targets.pop()
            self.scopes.pop()
            drop_tail_leaves(body, again)
            if uses_label(body, again):
                self.emit(flat.Scope(again, body))
            else:
                self.out.extend(body)
        last = _after_last(stmt, var, values)
        if last is not None:
            self.store_local(local, local.type, last)
        return True

    def constant_rounds(
        self, stmt: n.For, before: Sequence[n.Stmt]
    ) -> tuple[n.Var, list[int]] | None:
        """The loop variable and its values, where they are known."""
        if len(stmt.step) != 1 or not isinstance(stmt.step[0], n.Assign):
            return None
        step = stmt.step[0]
        if not isinstance(step.place, n.Var) or not isinstance(step.place.type, Scalar):
            return None
        var = step.place
        if not var.type.is_integer or not isinstance(self.lookup(var.name), Local):  # type: ignore[union-attr]
            return None
        writes = {base_name(s.place) for s in nodes_of(stmt.body) if isinstance(s, n.Assign)}
        taken = {base_name(e.place) for e in nodes_of(stmt.body) if isinstance(e, n.AddressOf)}
        if var.name in writes | taken:
            return None
        start = self.last_constant(var.name, before)
        if start is None:
            return None
        values: list[int] = []
        value = start
        scalar = scalar_type(var.type)
        for _ in range(MOST_UNROLLED + 1):
            self.scopes.append({var.name: fold.constant(value, scalar)})
            with self.collecting() as extra:
                try:
                    holds = self.truth(stmt.condition)
                    moved = self.value(step.value)
                except PortError:
                    holds = moved = n.Read(var)
            self.scopes.pop()
            following = fold.as_int(moved) if not isinstance(moved, Compound) else None
            if extra or not isinstance(holds, n.Const):
                return None
            if not holds.value:
                return var, values
            values.append(value)
            if following is None:
                return None
            value = following
        return None

    def last_constant(self, name: str, before: Sequence[n.Stmt]) -> int | None:
        for stmt in reversed(before):
            match stmt:
                case n.Let(var, init) if var.name == name and init is not None:
                    return self.quiet_int(init)
                case n.Assign(n.Var(other), value) if other == name:
                    return self.quiet_int(value)
                case n.Let(_, init) if init is None or not mentions(init, name):
                    continue
                case _:
                    return None
        return None

    def quiet_int(self, expr: n.Expr) -> int | None:
        with self.collecting() as extra:
            value = self.value(expr)
        if extra or isinstance(value, Compound):
            return None
        return fold.as_int(value)

    def indexes_local(self, body: Sequence[n.Stmt], name: str) -> bool:
        """Does the body index a local array by the variable (or anything made from it)?"""
        tainted = {name}
        for node in nodes_of(body):
            match node:
                case n.Let(var, init) if init is not None and mentions_any(init, tainted):
                    tainted.add(var.name)
                case n.Element(base, index) if mentions_any(index, tainted):
                    if self.is_local_array(base):
                        return True
                case n.Deref(pointer, index) if mentions_any(index, tainted):
                    if self.may_be_local(pointer):
                        return True
                case n.PointerAdd(pointer, index) if mentions_any(index, tainted):
                    if self.may_be_local(pointer):
                        return True
                case _:
                    pass
        return False

    def is_local_array(self, place: n.Place) -> bool:
        match place:
            case n.Var(name):
                found = self.lookup(name)
                return found is None or isinstance(found, Local)
            case n.Element(base) | n.Member(base):
                return self.is_local_array(base)
            case n.Deref(pointer):
                return self.may_be_local(pointer)

    def may_be_local(self, pointer: n.Expr) -> bool:
        match pointer:
            case n.AddressOf(place):
                return self.is_local_array(place)
            case n.PointerAdd(inner) | n.Cast(inner):
                return self.may_be_local(inner)
            case n.Read(n.Var(name)):
                found = self.lookup(name)
                if isinstance(found, Ptr):
                    return isinstance(found.root, Local)
                if isinstance(found, Local):
                    cell = found.cells.get(0)
                    return isinstance(cell, PtrCell) and isinstance(cell.root, Local)
                return False
            case _:
                return False


def _after_last(stmt: n.For, var: n.Var, values: list[int]) -> n.Expr | None:
    """The loop variable's value after the loop."""
    step = stmt.step[0]
    assert isinstance(step, n.Assign)
    if not values:
        return None
    value = step.value
    if isinstance(value, n.Binary) and value.op in ("+", "-", "*", "/", ">>", "<<"):
        amount = fold.as_int(value.rhs)
        if amount is not None and value.lhs == n.Read(var):
            start = fold.constant(values[-1], scalar_type(var.type))
            return fold.binary(value.op, start, value.rhs)
    return None
