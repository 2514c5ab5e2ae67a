"""`goto` as structured control flow: a loop around a switch over where to go.

    a();                                 do {
    again:                                 target = goto; goto = 0
      b();                         ->      switch (target) { case 0: a()
      if (x) goto again;                                     case 1: b(); if (x) { goto = 1; break }
      c();                                                   c() }
                                         } while (goto != 0)

A goto out of a loop to the statement right after it is a `break`. Jumps out of loops and switches
further in break out of each in turn; a `break` or `continue` of a loop around all this leaves it
the same way. A jump into a block from outside stays opaque, and with it the kernel is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from crossport.ir.nodes import (
    Assign,
    Binary,
    Block,
    Break,
    Case,
    Const,
    Continue,
    DoWhile,
    Expr,
    For,
    If,
    Let,
    Node,
    Opaque,
    Read,
    Stmt,
    Switch,
    Var,
    While,
    walk,
)
from crossport.ir.types import I32

GOTO, LABEL = "goto", "label"
Loop = For | While | DoWhile


def structured(body: Block) -> Block:
    """The statements with every `goto` resolved that can be; the same ones if there is none."""
    marks = {s.reason for s in _statements(body) if isinstance(s, Opaque)}
    if GOTO not in marks and LABEL not in marks:
        return body
    taken = {node.name for s in body for node in walk(s) if isinstance(node, Var)}
    return _Structurer(taken).block(body)


class _Structurer:
    def __init__(self, taken: set[str]) -> None:
        self.taken = taken

    def fresh(self, stem: str) -> Var:
        number = 1
        while f"{stem}_{number}" in self.taken:
            number += 1
        self.taken.add(f"{stem}_{number}")
        return Var(f"{stem}_{number}", I32)

    def block(self, body: Block) -> Block:
        """Blocks inside first: what still jumps then jumps to a label here or further out."""
        body = tuple(_in_blocks(s, self.block) for s in body)
        body = _as_breaks(body)
        wanted = set(_targets(body))
        labels = [name for s in body if (name := _name(s, LABEL))]
        if not wanted & set(labels):
            return tuple(s for s in body if not _name(s, LABEL))
        return self.machine(body, [name for name in labels if name in wanted])

    def machine(self, body: Block, labels: list[str]) -> Block:
        state, target = self.fresh("goto"), self.fresh("goto_target")
        leave = self.fresh("goto_leave")
        hoisted: list[Stmt] = []
        arms: list[list[Stmt]] = [[]]
        for stmt in body:
            if name := _name(stmt, LABEL):
                if name in labels:
                    arms.append([])
                continue
            if isinstance(stmt, Let):
                # A later arm may read it.
                hoisted.append(Let(stmt.var, None, span=stmt.span))
                if stmt.init is None:
                    continue
                stmt = Assign(stmt.var, stmt.init, span=stmt.span)
            arms[-1].append(stmt)
        numbers = {name: i + 1 for i, name in enumerate(labels)}
        jumps = _Jumps(numbers, state, leave)
        cases = tuple(Case((i,), jumps.resolve(arm)) for i, arm in enumerate(arms))
        zero = Const(0, I32)
        result: list[Stmt] = [*hoisted, Let(state, zero)]
        if jumps.left:
            result.append(Let(leave, zero))
        result.append(
            DoWhile(
                (Let(target, Read(state)), Assign(state, zero), Switch(Read(target), cases)),
                Binary("!=", Read(state), zero),
            )
        )
        for kind in jumps.left:
            number = 1 if isinstance(kind, Break) else 2
            result.append(If(_equals(leave, number), (kind,)))
        return tuple(result)


class _Jumps:
    """Turns gotos, and breaks and continues of loops outside, into steps out of the switch."""

    def __init__(self, numbers: dict[str, int], state: Var, leave: Var) -> None:
        self.numbers, self.state, self.leave = numbers, state, leave
        self.left: list[Break | Continue] = []

    def resolve(self, body: Sequence[Stmt], depth: int = 0, in_loop: bool = False) -> Block:
        """`depth`: loops and switches between here and ours; `in_loop`: one of them is a loop."""
        out: list[Stmt] = []
        for stmt in body:
            match stmt:
                case Opaque(text, reason) if reason == GOTO and text in self.numbers:
                    out += [Assign(self.state, Const(self.numbers[text], I32)), Break()]
                case Break() if depth == 0:
                    out += self.step_out(stmt, 1)
                case Continue() if not in_loop:
                    out += self.step_out(stmt, 2)
                case For() | While() | DoWhile():
                    inner = _in_blocks(stmt, lambda b: self.resolve(b, depth + 1, True))
                    out.append(inner)
                    if inner is not stmt:
                        out += self.onwards(stmt)
                case Switch():
                    inner = _in_blocks(stmt, lambda b: self.resolve(b, depth + 1, in_loop))
                    out.append(inner)
                    if inner is not stmt:
                        out += self.onwards(stmt)
                case _:
                    out.append(_in_blocks(stmt, lambda b: self.resolve(b, depth, in_loop)))
        return tuple(out)

    def step_out(self, stmt: Break | Continue, number: int) -> list[Stmt]:
        if not any(type(stmt) is type(old) for old in self.left):
            self.left.append(stmt)
        return [Assign(self.leave, Const(number, I32)), Break()]

    def onwards(self, stmt: Stmt) -> list[Stmt]:
        """After a loop or switch: go on out of it if that is what ended it."""
        going: Expr = Binary("!=", Read(self.state), Const(0, I32))
        if self.left:
            going = Binary("||", going, Binary("!=", Read(self.leave), Const(0, I32)))
        return [If(going, (Break(),), span=stmt.span)]


def _equals(var: Var, number: int) -> Expr:
    return Binary("==", Read(var), Const(number, I32))


def _name(stmt: Stmt, mark: str) -> str:
    """The label of a mark of that kind; "" for any other statement."""
    return stmt.text if isinstance(stmt, Opaque) and stmt.reason == mark else ""


def _as_breaks(body: Block) -> Block:
    """A goto out of a loop to the label right after it, as a break."""
    out: list[Stmt] = []
    for i, stmt in enumerate(body):
        after = []
        for other in body[i + 1 :]:
            if not (name := _name(other, LABEL)):
                break
            after.append(name)
        if after and isinstance(stmt, For | While | DoWhile):
            stmt = replace(stmt, body=_breaking(stmt.body, after))
        out.append(stmt)
    return tuple(out)


def _breaking(body: Block, labels: list[str]) -> Block:
    return tuple(
        Break(span=s.span) if _name(s, GOTO) in labels
        else s if isinstance(s, For | While | DoWhile | Switch)
        else _in_blocks(s, lambda b: _breaking(b, labels))
        for s in body
    )  # fmt: skip


def _in_blocks(stmt: Stmt, change: Callable[[Block], Block]) -> Stmt:
    """The statement with the statement lists right below it changed."""
    match stmt:
        case If(_, then, otherwise):
            new = (change(then), change(otherwise))
            return (
                stmt if new == (then, otherwise) else replace(stmt, then=new[0], otherwise=new[1])
            )
        case For() | While() | DoWhile():
            body = change(stmt.body)
            return stmt if body == stmt.body else replace(stmt, body=body)
        case Switch(_, cases):
            arms = tuple(replace(c, body=change(c.body)) for c in cases)
            return stmt if arms == cases else replace(stmt, cases=arms)
        case _:
            return stmt


def _statements(body: Sequence[Stmt]) -> Iterator[Node]:
    for stmt in body:
        yield from walk(stmt)


def _targets(body: Block) -> Iterator[str]:
    for node in _statements(body):
        if isinstance(node, Opaque) and node.reason == GOTO:
            yield node.text
