"""Loops in which the threads of a block share out a range: thread t takes t, t + S, t + 2 S, ...

    for (c = tid; c < cols; c += 128) ...      for start in range(0, cols, 128):
                                         ->        c = start + tid, where c < cols

The rounds of all threads go on together, so the loop is one over the block's first element; which
threads take part in the last round is a mask. That needs no vote in each round.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.ir.lift import flat, fold
from crossport.ir.lift.narrow import is_index
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import Uniformity
from crossport.ir.nodes import Binary, Cast, Expr, Read, Special, Var
from crossport.ir.types import I32


@dataclass(frozen=True)
class Stride:
    """`variable` runs over `base + offset`, `base + offset + step` ... below `bound`.

    `offset` is what differs between threads and is at least 0; the rest is the same in all.
    """

    variable: Var
    base: Expr
    offset: Expr
    step: Expr
    bound: Expr


def stride_of(
    loop: flat.Loop, body: flat.Body, facts: Uniformity, indices: frozenset[str] = frozenset()
) -> Stride | None:
    """The stride of a loop in `body`; None if it is no such loop.

    `indices`: variables known to be at least 0 (global indices).
    """
    if loop.head or not loop.test_first or len(loop.step) != 1:
        return None
    step, test = loop.step[0], loop.condition
    if not isinstance(step, flat.Set) or not isinstance(test, Binary) or test.op != "<":
        return None
    var = step.var
    if var.type != I32 or test.lhs != Read(var) or not facts.is_uniform(test.rhs):
        return None
    moved = step.value
    if not isinstance(moved, Binary) or moved.op != "+":
        return None
    if Read(var) not in (moved.lhs, moved.rhs):
        return None
    amount = moved.rhs if moved.lhs == Read(var) else moved.lhs
    if not facts.is_uniform(amount) or not _is_positive(amount):
        return None
    position = next((i for i, s in enumerate(body) if s is loop), None)
    if position is None:
        return None
    start = next(
        (
            s
            for s in reversed(body[:position])
            if isinstance(s, flat.Set) and s.var.name == var.name
        ),
        None,
    )
    if start is None or not start.declare or start.value is None:
        return None
    writes = [
        s for s in flat.statements(body) if isinstance(s, flat.Set) and s.var.name == var.name
    ]
    if len(writes) != 2:
        return None  # the variable starts again somewhere
    inside = list(flat.statements([loop]))
    if any(isinstance(s, flat.Leave) for s in inside):
        return None
    written = {v.name for s in inside if s is not step for v in flat.targets(s)}
    if var.name in written or (reads(test.rhs) | reads(amount)) & (written | {var.name}):
        return None
    for later in body[position + 1 :]:
        for inner in flat.statements([later]):
            if any(var.name in reads(e) for e in flat.expressions(inner)):
                return None
    base: Expr = fold.constant(0, I32)
    offset: Expr = fold.constant(0, I32)
    for term in _terms(start.value):
        if facts.is_uniform(term):
            base = fold.binary("+", base, term)
        elif _is_natural(term) or (isinstance(term, Read) and reads(term) <= indices):
            offset = fold.binary("+", offset, term)
        else:
            return None
    return Stride(var, base, offset, amount, test.rhs)


def _is_natural(expr: Expr) -> bool:
    """Is an i32 known to be at least 0? A product of places and sizes is: it is an index."""
    match expr:
        case Binary("*", lhs, rhs):
            return _is_natural(lhs) and _is_natural(rhs)
        case _:
            return is_index(expr)


def _terms(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "+":
        return [*_terms(expr.lhs), *_terms(expr.rhs)]
    return [expr]


def _is_positive(expr: Expr) -> bool:
    """Is a step known to be at least 1?"""
    number = fold.as_int(expr)
    if number is not None:
        return number > 0
    match expr:
        case Cast(Special(name), type) if type == I32:
            return name.startswith(("block_dim", "grid_dim"))
        case Binary("*", lhs, rhs):
            return _is_positive(lhs) and _is_positive(rhs)
        case Read(Var(name)):
            return name.startswith("size_")
        case _:
            return False
