"""Statements and functions: control flow, calls walked where they stand, barriers, exchanges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from crossport.diagnostics import Span
from crossport.ir.facts.symbolic import ZERO, Level, Poly, Symbol, apply
from crossport.ir.facts.walk.loops import Loops
from crossport.ir.facts.walk.noted import Address, Base, Exchange, Sync, Value, level_of
from crossport.ir.facts.walk.state import Frame
from crossport.ir.nodes import (
    Assign,
    Atomic,
    Barrier,
    Block,
    Break,
    Call,
    Continue,
    DoWhile,
    Effect,
    Expr,
    For,
    Function,
    If,
    Let,
    Match,
    Return,
    Shuffle,
    Stmt,
    Switch,
    SyncWarp,
    Trap,
    Var,
    Vote,
    WarpReduce,
    While,
    children,
)
from crossport.ir.types import Pointer, Scalar, Struct, Type

_DEEPEST_CALL = 12
_BLOCKS = (If, For, While, DoWhile, Switch)


class Walker(Loops):
    """Walks statements; device functions where they are called."""

    def enter(self, kernel: Function) -> None:
        """Walk a kernel with symbolic parameters."""
        self.frames.append(Frame("", kernel))
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

    def _call(self, function: Function, args: Iterable[Expr], at: Span | None) -> Value:
        values = [self._value(arg) for arg in args]
        level = max((level_of(v) for v in values), default=Level.GRID)
        recursive = any(frame.function is function for frame in self.frames)
        if recursive or len(self.frames) > _DEEPEST_CALL:
            return self._unknown(function.name, Level.LANE)
        prefix = f"{self._number('call')}:"
        is_short = len(function.body) == 1 and not isinstance(function.body[0], _BLOCKS)
        self.frames.append(Frame(prefix, function, at, is_short))
        for param, value in zip(function.params, values, strict=False):
            self.env[self._name(param.name)] = value
        guards = self.guards
        self._enter_body(function)
        self.guards = guards
        returns = self.frames.pop().returns
        if returns and all(value == returns[0] for value in returns):
            return returns[0]
        return self._unknown(function.name, max((level, *map(level_of, returns))))

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
                result = self._call(self.functions[name], args, self._place(stmt))
                if target is not None:
                    self._store_variable(target, result)
            case Barrier():
                if not self.muted:
                    placed = replace(stmt, span=self._place(stmt))
                    self.trace.syncs.append(Sync(placed, self.guards, self.loops))
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
            placed = replace(stmt, span=self._place(stmt))
            self.trace.exchanges.append(
                Exchange(placed, integer("mask"), integer("lane"), integer("width"), self.guards)
            )
        if not isinstance(stmt, SyncWarp):
            self._lane_result(stmt.target, Level.LANE)

    def _if(self, stmt: If, condition: Expr, then: Block, otherwise: Block) -> bool:
        taken = self._integer(condition)
        self._note_branch("if", taken, stmt)
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

    def _switch(self, stmt: Switch, value: Expr, arms: list[Block]) -> None:
        on = self._integer(value)
        self._note_branch("switch", on, stmt)
        before, guards = dict(self.env), self.guards
        for arm in arms:
            self.guards = (*guards, self._unknown("case", on.level))
            self._block(arm)
        self.guards = guards
        self._forget_changes(before, on.level)
