"""Drop what nobody can notice: unread variables, empty branches, code that is never reached.

    let unused: i32 = (n * 4)         return
    if (n > 3) { }             ->
    return
    x[0] = 1.0f

Reads of memory may go, writes to it stay; a call stays, for what it does.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.nodes import (
    Assign,
    Block,
    Break,
    Continue,
    Expr,
    Function,
    If,
    Let,
    OpaqueValue,
    Read,
    Return,
    Stmt,
    Trap,
    Var,
    walk,
)
from crossport.ir.passes.usage import Usage, locals_of, root, targets, usage
from crossport.ir.rewrite import rewrite_blocks


def drop_dead_code(function: Function) -> Function:
    """Drop dead code until there is none."""
    while True:
        used = usage(function.body)
        mine = locals_of(function.body)
        changed = rewrite_blocks(function, lambda block: _block(block, used, mine))  # noqa: B023
        changed = _without_end(changed)
        if changed is function or changed == function:
            return function
        function = changed


def _block(block: Block, used: Usage, mine: set[str]) -> Block:
    out: list[Stmt] = []
    for statement in block:
        if _is_needed(statement, used, mine):
            out.append(_trimmed(statement))
        if isinstance(statement, (Return, Break, Continue, Trap)):
            break
    return tuple(out)


def _trimmed(statement: Stmt) -> Stmt:
    """An if with an empty first arm is turned round."""
    from crossport.ir.nodes import Unary

    if isinstance(statement, If) and not statement.then and statement.otherwise:
        negated = Unary("!", statement.condition, span=statement.condition.span)
        if isinstance(statement.condition, Unary) and statement.condition.op == "!":
            return replace(
                statement,
                condition=statement.condition.value,
                then=statement.otherwise,
                otherwise=(),
            )
        return replace(statement, condition=negated, then=statement.otherwise, otherwise=())
    return statement


def _is_needed(statement: Stmt, used: Usage, mine: set[str]) -> bool:
    match statement:
        case Let(variable, init):
            if _is_read(variable.name, used) or used.writes[variable.name]:
                return True
            return init is not None and _matters(init)
        case Assign(place, value, volatile):
            target = root(place)
            if target is None or volatile or target.name not in mine:
                return True
            return _is_read(target.name, used) or _matters(value)
        case If(condition, then, otherwise):
            return bool(then or otherwise) or _matters(condition)
        case _:
            return True


def _is_read(name: str, used: Usage) -> bool:
    return bool(used.reads[name]) or name in used.pointed_at


def _matters(value: Expr) -> bool:
    """What was not understood, and volatile reads, are never dropped."""
    return any(
        isinstance(node, OpaqueValue) or (isinstance(node, Read) and node.volatile)
        for node in walk(value)
    )


def _without_end(function: Function) -> Function:
    """A return at the very end of a function without a result says nothing."""
    body = function.body
    if body and isinstance(body[-1], Return) and body[-1].value is None:
        return replace(function, body=body[:-1])
    return function


__all__ = ["Var", "drop_dead_code", "targets"]
