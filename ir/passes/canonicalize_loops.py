"""Give counted loops one form: `for (i < n) { body } step { i = i + c }`.

    while true {                      let i: i32 = 0
      if !(i < n) { break }           for (i < n) {
      x[i] = 0.0f              ->       x[i] = 0.0f
      i = (i + 1)                     } step {
    }                                   i = (i + 1)
                                      }

A test that leaves first becomes the condition; a last statement that moves the variable which the
condition reads becomes the step, unless a `continue` would skip it. `n > i` is turned to `i < n`.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.nodes import (
    Assign,
    Binary,
    BinaryOp,
    Block,
    Break,
    Cast,
    Const,
    Continue,
    DoWhile,
    Expr,
    For,
    Function,
    If,
    Let,
    Node,
    Read,
    Stmt,
    Switch,
    Var,
    While,
    children,
    walk,
)
from crossport.ir.passes.nest_guards import negated
from crossport.ir.rewrite import rewrite_statements
from crossport.ir.types import Scalar

_TURNED: dict[str, BinaryOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def canonicalize_loops(function: Function) -> Function:
    """Canonicalise every loop, innermost first."""
    return rewrite_statements(function, _loop)


def _loop(statement: Stmt) -> Block:
    match statement:
        case While(condition, body):
            return (_while(statement, condition, body),)
        case For(condition, step, body):
            condition, body = _leading_test(condition, body, bool(step))
            return (_for(replace(statement, condition=_turned(condition), body=body)),)
        case _:
            return (statement,)


def _while(statement: While, condition: Expr, body: Block) -> Stmt:
    condition, body = _leading_test(condition, body, False)
    condition = _turned(condition)
    step = _step(condition, body)
    if step is None:
        changed = replace(statement, condition=condition, body=body)
        return statement if changed == statement else changed
    return For(condition, (step,), body[:-1], span=statement.span)


def _for(statement: For) -> For:
    if statement.step:
        return statement
    step = _step(statement.condition, statement.body)
    if step is None:
        return statement
    return replace(statement, step=(step,), body=statement.body[:-1])


def _leading_test(condition: Expr, body: Block, has_step: bool) -> tuple[Expr, Block]:
    """`loop true { if (c) break; rest }` has the condition !c."""
    while body and isinstance(condition, Const) and condition.value:
        match body[0]:
            case If(test, (Break(),), ()):
                condition, body = negated(test), body[1:]
            case If(test, (Break(),), otherwise):
                condition, body = negated(test), (*otherwise, *body[1:])
            case If(test, then, (Break(),)):
                condition, body = test, (*then, *body[1:])
            case _:
                break
    return condition, body


def _turned(condition: Expr) -> Expr:
    """The variable on the left, the limit on the right."""
    match condition:
        case Binary(op, one, two) if op in _TURNED and _is_limit(one) and _is_variable(two):
            return Binary(_TURNED[op], two, one, span=condition.span)
        case _:
            return condition


def _is_variable(value: Expr) -> bool:
    while isinstance(value, Cast):
        value = value.value
    return isinstance(value, Read) and isinstance(value.place, Var)


def _is_limit(value: Expr) -> bool:
    return isinstance(value, Const)


def _step(condition: Expr, body: Block) -> Assign | None:
    """The last statement, if it moves by a constant a variable that the condition reads."""
    if not body or not isinstance(body[-1], Assign):
        return None
    last = body[-1]
    if not isinstance(last.place, Var) or last.volatile:
        return None
    name = last.place.name
    tested = {n.name for n in walk(condition) if isinstance(n, Var)}
    if name not in tested or not _moves(last.value, name) or _continues(body):
        return None
    # What the step reads must be alive outside the body, and the variable must not be its own.
    inside = {n.var.name for s in body for n in walk(s) if isinstance(n, Let)}
    used = {n.name for n in walk(last.value) if isinstance(n, Var)}
    return None if inside & (used | {name}) else last


def _moves(value: Expr, name: str) -> bool:
    match value:
        case Binary(("+" | "-" | "*" | "/" | "<<" | ">>"), Read(Var(inner)), amount):
            return inner == name and _is_steady(amount)
        case Binary(("+" | "*"), amount, Read(Var(inner))):
            return inner == name and _is_steady(amount)
        case _:
            return False


def _is_steady(value: Expr) -> bool:
    return isinstance(value.type, Scalar) and not any(
        isinstance(n, Read) and not isinstance(n.place, Var) for n in walk(value)
    )


def _continues(block: Block) -> bool:
    """Is there a `continue` that belongs to the loop around the block?"""
    return any(_has_continue(statement) for statement in block)


def _has_continue(node: Node) -> bool:
    if isinstance(node, Continue):
        return True
    if isinstance(node, (For, While, DoWhile)):
        return False
    return any(_has_continue(child) for child in children(node))


__all__ = ["Switch", "canonicalize_loops"]
