"""`switch`: labels become arms, fallthrough stays, a declaration that spans arms moves out.

switch (n) { case 1: case 2: a(); break;        switch n { 1, 2: a(); break
             default: b(); }                               default: b() }
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Lowering, as_block
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import Assign, Case, Let, Stmt, Switch, Var, walk

_MOST_VALUES = 4096


@dataclass(slots=True)
class _Arm:
    values: list[int]
    is_default: bool
    body: list[Stmt] = field(default_factory=list)


def switch(ctx: Lowering, cursor: Cursor) -> None:
    """Emit a switch statement."""
    from crossport.frontend.lowering.statements import statement

    below = list(cursor.get_children())
    while below and below[0].kind in (CursorKind.DECL_STMT, CursorKind.VAR_DECL):
        statement(ctx, below.pop(0))
    if len(below) != 2:
        raise NotLowered("a switch statement of unknown shape")
    selector = ctx.kept(ctx.value(below[0]))
    body = below[1]
    children = list(body.get_children()) if body.kind == CursorKind.COMPOUND_STMT else [body]
    arms: list[_Arm] = []
    for child in children:
        while child is not None and child.kind in (CursorKind.CASE_STMT, CursorKind.DEFAULT_STMT):
            child = _label(child, arms)
        if child is None:
            continue
        with ctx.block() as out:
            statement(ctx, child)
        if arms:
            arms[-1].body.extend(out)
        else:  # only declarations can be reached here
            ctx.out.extend(s for s in out if isinstance(s, Let))
    _move_declarations(ctx, arms)
    cases: list[Case] = []
    for arm in arms:
        if arm.is_default and arm.values:
            cases.append(Case(tuple(arm.values), (), span=ctx.here))
            cases.append(Case((), as_block(arm.body), span=ctx.here))
        else:
            cases.append(Case(tuple(arm.values), as_block(arm.body), span=ctx.here))
    ctx.emit(Switch(selector, tuple(cases), span=ctx.here))


def stray_case(ctx: Lowering, cursor: Cursor) -> None:
    """A label that is not directly in its switch's braces."""
    raise NotLowered("a case label inside a nested statement")


def _label(cursor: Cursor, arms: list[_Arm]) -> Cursor | None:
    """Note one label; what it stands before comes back."""
    below = cursors.operands(cursor)
    # Labels in a row name one arm.
    if not arms or arms[-1].body or arms[-1].is_default:
        arms.append(_Arm([], False))
    arm = arms[-1]
    if cursor.kind == CursorKind.DEFAULT_STMT:
        arm.is_default = True
        return below[0] if below else None
    low = clang.evaluate(below[0])
    if low is None:
        raise NotLowered("a case label that is not constant")
    high: int | float | None = low
    if len(below) == 3:  # GNU: case 4 ... 6
        high = clang.evaluate(below[1])
    if high is None or high - low >= _MOST_VALUES:
        raise NotLowered("a case range")
    arm.values.extend(range(int(low), int(high) + 1))
    return below[-1] if len(below) > 1 else None


def _move_declarations(ctx: Lowering, arms: list[_Arm]) -> None:
    """A variable declared in one arm and used in a later one is declared before the switch."""
    for number, arm in enumerate(arms):
        later = {
            node.name
            for other in arms[number + 1 :]
            for inner in other.body
            for node in walk(inner)
            if isinstance(node, Var)
        }
        for position, inner in enumerate(arm.body):
            if isinstance(inner, Let) and inner.var.name in later:
                ctx.emit(Let(inner.var, None, span=inner.span))
                if inner.init is not None:
                    arm.body[position] = Assign(inner.var, inner.init, span=inner.span)
        arm.body[:] = [
            s
            for s in arm.body
            if not (isinstance(s, Let) and s.var.name in later and s.init is None)
        ]
