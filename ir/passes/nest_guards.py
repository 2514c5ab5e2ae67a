"""Turn early exits of a kernel into the branch that they stand for.

    if (i >= n) { return }            if (i < n) {
    x[i] = 0.0f                ->       x[i] = 0.0f
                                      }

So that a bounds check becomes one predicate over all that it guards. Barriers do not stop this: the
threads that returned did not reach them either.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.nodes import Binary, Block, Expr, Function, If, Return, Stmt, Unary
from crossport.ir.types import Pointer, Scalar

_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def nest_guards(function: Function) -> Function:
    """Nest what follows an `if (...) return` that stands on the function's top level."""
    if function.kernel is None:
        return function
    body = _nested(function.body)
    return function if body == function.body else replace(function, body=body)


def _nested(block: Block) -> Block:
    for position, statement in enumerate(block):
        rest = block[position + 1 :]
        if not isinstance(statement, If):
            continue
        if _is_exit(statement.then) and not statement.otherwise:
            if not rest:
                return (*block[:position], *_then(statement.then))
            guarded = replace(
                statement,
                condition=negated(statement.condition),
                then=_nested(rest),
                otherwise=_then(statement.then),
            )
            return (*block[:position], guarded)
    return block


def _is_exit(block: Block) -> bool:
    """Ends in a plain return, and has no other way out."""
    return bool(block) and isinstance(block[-1], Return) and not _has_return(block[:-1])


def _has_return(block: Block) -> bool:
    from crossport.ir.nodes import walk

    return any(isinstance(node, Return) for statement in block for node in walk(statement))


def _then(block: Block) -> tuple[Stmt, ...]:
    return block[:-1]


def negated(condition: Expr) -> Expr:
    """The opposite of a condition; on floats that is not the opposite comparison."""
    match condition:
        case Unary("!", inner):
            return inner
        case Binary(op, one, two) if op in _OPPOSITE and _is_total(one):
            return Binary(_OPPOSITE[op], one, two, span=condition.span)  # type: ignore[arg-type]
        case Binary("||", one, two):
            return Binary("&&", negated(one), negated(two), span=condition.span)
        case Binary("&&", one, two):
            return Binary("||", negated(one), negated(two), span=condition.span)
        case _:
            return Unary("!", condition, span=condition.span)


def _is_total(value: Expr) -> bool:
    """NaN is neither below nor above: only integers, bools and pointers are ordered."""
    kind = value.type
    return isinstance(kind, Pointer) or (isinstance(kind, Scalar) and not kind.is_float)
