"""Compute what is constant as the hardware would; drop what changes nothing.

    ((3 * 4) + i)        ->    (12 + i)          (x + 0)      ->    x
    (300 as u8)          ->    44u8              if (2 < 1)   ->    (the other arm)
    (true ? a : b)       ->    a                 (*&x)        ->    x

Integers wrap; division by zero and results that no constant can spell (NaN, -0.0) are left alone.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace

from crossport.ir.nodes import (
    COMPARISONS,
    AddressOf,
    Binary,
    Block,
    Cast,
    Const,
    Deref,
    DoWhile,
    Expr,
    Extract,
    For,
    Function,
    If,
    Member,
    Node,
    PointerAdd,
    Read,
    Select,
    Stmt,
    Unary,
    While,
    walk,
)
from crossport.ir.passes.usage import plain_deref
from crossport.ir.rewrite import rewrite, rewrite_statements
from crossport.ir.types import BOOL, Scalar, Type


def fold_constants(function: Function) -> Function:
    """Fold every constant expression, and branches on them."""
    return rewrite_statements(rewrite(function, _fold), _branch)


def _branch(statement: Stmt) -> Block:
    match statement:
        case If(Const(value), then, otherwise):
            return then if value else otherwise
        case While(Const(False), _):
            return ()
        case For(Const(False), _, _):
            return ()
        case DoWhile(body, Const(False)) if not _leaves(body):
            return body
        case _:
            return (statement,)


def _leaves(body: Block) -> bool:
    """Could a break or continue in a block belong to the loop around it?"""
    from crossport.ir.nodes import Break, Continue

    return any(isinstance(n, (Break, Continue)) for s in body for n in walk(s))


def _fold(node: Node) -> Node:
    match node:
        case Binary(op, Const(), Const()):
            return _constants(node)
        case Binary(op, one, two):
            return _identity(node, op, one, two)
        case Unary("!", Const(value)):
            return Const(not value, BOOL, span=node.span)
        case Unary("!", Unary("!", inner)):
            return inner
        case Unary("-", Const(value, kind)) if kind.is_integer:
            return Const(wrap(-int(value), kind), kind, span=node.span)
        case Unary("~", Const(value, kind)):
            return Const(wrap(~int(value), kind), kind, span=node.span)
        case Cast(value, kind):
            return _cast(node, value, kind)
        case Select(Const(value), then, otherwise):
            return then if value else otherwise
        case PointerAdd(pointer, Const(0)):
            return pointer
        case Deref():
            return plain_deref(node)
        case AddressOf(Deref(pointer, Const(0))):
            return pointer
        case Extract(Read(place), name, kind):
            return Read(Member(place, name, kind, span=node.span), span=node.span)
        case _:
            return node


def _constants(node: Binary) -> Expr:
    one, two = node.lhs, node.rhs
    assert isinstance(one, Const) and isinstance(two, Const)
    kind = one.type
    a, b = one.value, two.value
    if node.op in COMPARISONS or node.op in ("&&", "||"):
        return Const(_compare(node.op, a, b), BOOL, span=node.span)
    if kind.is_integer:
        result = integer(node.op, int(a), int(b), kind)
        return node if result is None else Const(result, kind, span=node.span)
    return _floats(node, float(a), float(b), kind)


def _compare(op: str, a: int | float | bool, b: int | float | bool) -> bool:
    match op:
        case "==":
            return a == b
        case "!=":
            return a != b
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case ">=":
            return a >= b
        case "&&":
            return bool(a and b)
        case _:
            return bool(a or b)


def integer(op: str, a: int, b: int, kind: Scalar) -> int | None:
    """An integer operation as the hardware does it; None where it has no answer."""
    bits = kind.size * 8
    match op:
        case "+":
            return wrap(a + b, kind)
        case "-":
            return wrap(a - b, kind)
        case "*":
            return wrap(a * b, kind)
        case "&":
            return wrap(a & b, kind)
        case "|":
            return wrap(a | b, kind)
        case "^":
            return wrap(a ^ b, kind)
        case "/" | "%":
            if b == 0:
                return None
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return wrap(quotient if op == "/" else a - quotient * b, kind)
        case "<<":
            return wrap(a << b, kind) if 0 <= b < bits else (0 if b >= bits else None)
        case ">>":
            return a >> min(b, bits) if b >= 0 else None
        case _:
            return None


def wrap(value: int, kind: Scalar) -> int:
    """A whole number as an integer type holds it."""
    bits = kind.size * 8
    value &= (1 << bits) - 1
    return value - (1 << bits) if kind.is_signed and value >> (bits - 1) else value


def _floats(node: Binary, a: float, b: float, kind: Scalar) -> Expr:
    """binary64 rounds once more to binary32 without harm for + - * / (2 * 24 + 2 <= 53)."""
    if kind.kind not in ("f32", "f64") or node.op not in ("+", "-", "*", "/"):
        return node
    if node.op == "/" and b == 0:
        return node
    try:
        result = {"+": a + b, "-": a - b, "*": a * b}.get(node.op)
        result = a / b if result is None else result
    except OverflowError:
        return node
    if kind.kind == "f32":
        try:
            result = float(struct.unpack("f", struct.pack("f", result))[0])
        except OverflowError:
            return node
        if result != 0 and abs(result) < 2.0**-126:
            return node  # below the normal range the second rounding may show
    if math.isnan(result) or math.isinf(result):
        return node
    if result == 0:
        return node  # the sign of zero is not ours to guess
    return Const(result, kind, span=node.span)


def _identity(node: Binary, op: str, one: Expr, two: Expr) -> Expr:
    """`x + 0`, `x * 1` on integers; `true && x`."""
    match op, one, two:
        case "&&", Const(True), x:
            return x
        case "&&", Const(False), _:
            return Const(False, BOOL, span=node.span)
        case "&&", x, Const(True):
            return x
        case "||", Const(False), x:
            return x
        case "||", Const(True), _:
            return Const(True, BOOL, span=node.span)
        case "||", x, Const(False):
            return x
    if not isinstance(one.type, Scalar) or not one.type.is_integer:
        return node
    match op, one, two:
        case (("+" | "|" | "^" | "-" | "<<" | ">>"), x, Const(0)):
            return x
        case (("+" | "|" | "^"), Const(0), x):
            return x
        case (("*" | "/"), x, Const(1)):
            return x
        case "*", Const(1), x:
            return x
        case (("+" | "*"), Binary(inner, x, Const(a)), Const(b)) if inner == op:
            kind = one.type
            total = integer(op, int(a), int(b), kind)
            assert total is not None
            return Binary(op, x, Const(total, kind), span=node.span)
        case _:
            return node


def _cast(node: Cast, value: Expr, kind: Type) -> Expr:
    if value.type == kind:
        return value
    if isinstance(value, Cast) and _widens(value.value.type, value.type, kind):
        return replace(node, value=value.value)
    if not isinstance(value, Const) or not isinstance(kind, Scalar):
        return node
    number = value.value
    if kind == BOOL:
        return Const(bool(number), BOOL, span=node.span)
    if kind.is_integer and not value.type.is_float:
        return Const(wrap(int(number), kind), kind, span=node.span)
    if kind.kind == "f64" and value.type.kind in ("f32", "f64"):
        return Const(float(number), kind, span=node.span)
    if kind.kind in ("f32", "f64") and not value.type.is_float:
        limit = 1 << (24 if kind.kind == "f32" else 53)
        if abs(int(number)) <= limit:
            return Const(float(number), kind, span=node.span)
    return node


def _widens(source: Type, middle: Type, target: Type) -> bool:
    """Is a detour through a wider integer of the same kind without effect?"""
    if not all(isinstance(t, Scalar) and t.is_integer for t in (source, middle, target)):
        return False
    assert isinstance(source, Scalar) and isinstance(middle, Scalar) and isinstance(target, Scalar)
    if target.size <= middle.size and target.size <= source.size:
        return True  # only low bits are left, and they are the source's
    return source.size < middle.size < target.size and source.is_signed == middle.is_signed
