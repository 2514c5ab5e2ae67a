"""Do index arithmetic in i32 where it gives the same bits as C's u32.

    (i32)(block.x * block_dim.x + thread.x)    ->    block.x * block_dim.x + thread.x   (all i32)
    thread.x < 16u                             ->    thread.x < 16

Sums and products wrap alike in both; quotients, shifts right and comparisons agree where the values
are known to be below 2**31, as every built-in index is.
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Node,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.types import I32, I64, U32, U64, Scalar

_WRAPPING = ("+", "-", "*", "&", "|", "^")


def narrow(program: flat.Program) -> flat.Program:
    """The same program, in place, with u32 index arithmetic as i32."""
    for _ in range(4):
        map_expressions(program.body, lambda e: map_nodes(e, _rule))
        if not _retype(program.body):
            break
    return program


def is_small(expr: Expr) -> bool:
    """Is an unsigned 32-bit value known to be below 2**31?"""
    match expr:
        case Special():
            return True
        case Const(value):
            return 0 <= int(value) < 1 << 31
        case Binary(">>", lhs, rhs):
            shift = fold.as_int(rhs)
            return is_small(lhs) or (shift is not None and shift > 0)
        case Binary("/", lhs, rhs):
            return is_small(lhs) and is_small(rhs)
        case Binary("%", lhs, rhs):
            return is_small(rhs) and is_small(lhs)
        case Binary("&", lhs, rhs):
            return is_small(lhs) or is_small(rhs)
        case Select(_, then, otherwise):
            return is_small(then) and is_small(otherwise)
        case Cast(value, type) if type == U32:
            kind = value.type
            if kind == I32:
                return is_index(value)
            return isinstance(kind, Scalar) and not kind.is_signed and kind.size < 4
        case Intrinsic("min", args):
            return any(is_small(a) for a in args)
        case _:
            return False


def is_index(expr: Expr) -> bool:
    """Is an i32 known to be at least 0?"""
    match expr:
        case Cast(Special(), type) if type == I32:
            return True
        case Const(value):
            return int(value) >= 0
        case Binary(op, lhs, rhs) if op in ("/", "%", ">>"):
            return is_index(lhs) and (op == ">>" or is_index(rhs))
        case Binary("&", lhs, rhs):
            return is_index(lhs) or is_index(rhs)
        case Select(_, then, otherwise):
            return is_index(then) and is_index(otherwise)
        case Read(Var(_, type)):
            return type is INDEX
        case _:
            return False


# The type of variables that `_retype` has made i32: equal to I32, and known by identity.
INDEX = Scalar("i32")


def signed(expr: Expr) -> Expr:
    """A u32 expression as i32, with the same bits."""
    match expr:
        case Const(value):
            return fold.constant(int(value), I32)
        case Cast(value, _) if value.type == I32:
            return value
        case Binary(op, lhs, rhs) if op in _WRAPPING:
            return fold.binary(op, signed(lhs), signed(rhs))
        case Binary("<<", lhs, rhs):
            amount = signed(rhs) if rhs.type == U32 else rhs
            return fold.binary("<<", signed(lhs), amount)
        case Binary("/" | "%" as op, lhs, rhs) if is_small(lhs) and is_small(rhs):
            return fold.binary(op, signed(lhs), signed(rhs))
        case Binary(">>", lhs, rhs) if is_small(lhs):
            amount = signed(rhs) if rhs.type == U32 else rhs
            return fold.binary(">>", signed(lhs), amount)
        case Unary(op, value) if op in ("-", "~"):
            return fold.unary(op, signed(value))
        case Select(condition, then, otherwise):
            return fold.select(condition, signed(then), signed(otherwise))
        case _:
            return Cast(expr, I32)


def _rule(node: Node) -> Node:
    match node:
        case Cast(value, type) if value.type == U32:
            if type == I32:
                return signed(value)
            if type in (I64, U64) and is_small(value) and not isinstance(value, Cast | Const):
                return Cast(signed(value), type)
            return node
        case Cast(Cast(value, inner), type) if type == I64 and inner == U64 and value.type == I32:
            return Cast(value, I64)
        case Cast(Binary(op, lhs, rhs), type) if (
            type == I64 and lhs.type == U64 and op in ("+", "-", "*")
        ):
            return fold.binary(op, _wide(lhs), _wide(rhs))
        case Binary(op, lhs, rhs) if op in COMPARISONS and lhs.type == U32:
            if is_small(lhs) and is_small(rhs):
                return fold.binary(op, signed(lhs), signed(rhs))
            return node
        case Binary(op, lhs, rhs) if op in ("<<", ">>") and rhs.type == U32 and is_small(rhs):
            return fold.binary(op, lhs, signed(rhs))
        case _:
            return node


def _wide(expr: Expr) -> Expr:
    """A u64 expression as i64, with the same bits."""
    match expr:
        case Const(value):
            return fold.constant(int(value), I64)
        case Cast(value, _) if value.type in (I64, I32):
            return fold.cast(value, I64)
        case Cast(value, _) if isinstance(value.type, Scalar) and value.type.is_integer:
            if value.type.size < 8:
                return fold.cast(value, I64)
            return Cast(expr, I64)
        case Binary(op, lhs, rhs) if op in ("+", "-", "*"):
            return fold.binary(op, _wide(lhs), _wide(rhs))
        case _:
            return Cast(expr, I64)


def _retype(body: flat.Body) -> bool:
    """Make u32 variables that are written once, with a small value, i32."""
    writes = Counter[str]()
    for statement in flat.statements(body):
        for var in flat.targets(statement):
            writes[var.name] += 1
    chosen: set[str] = set()
    for statement in flat.statements(body):
        if isinstance(statement, flat.Set) and statement.value is not None:
            var = statement.var
            if var.type == U32 and writes[var.name] == 1 and is_small(statement.value):
                statement.value = signed(statement.value)
                statement.var = Var(var.name, INDEX)
                chosen.add(var.name)
    if not chosen:
        return False

    def rule(node: Node) -> Node:
        match node:
            case Read(Var(name, type)) if name in chosen and type == U32:
                return Cast(Read(Var(name, INDEX)), U32)
            case _:
                return node

    map_expressions(body, lambda e: map_nodes(e, rule))
    return True
