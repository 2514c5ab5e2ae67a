"""Operators: arithmetic in the common type, pointers, lazy ones, the two signs, addresses."""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import assignments, cursors
from crossport.frontend.lowering.context import Lowering, as_block, wrap
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.literals import NOTHING
from crossport.frontend.lowering.places import is_volatile
from crossport.ir.nodes import (
    Assign,
    Binary,
    BinaryOp,
    Const,
    Expr,
    FunctionRef,
    If,
    Let,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Unary,
)
from crossport.ir.types import (
    BOOL,
    VOID,
    Handle,
    Pointer,
)

_BINARY: dict[str, BinaryOp] = {
    op: op
    for op in ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=")
}


def binary(ctx: Lowering, cursor: Cursor) -> Expr:
    operator = clang.binary_operator(cursor)
    if operator == "=":
        return assignment(ctx, cursor)
    left, right = cursors.operands(cursor)
    if operator == ",":
        ctx.statement(left)
        return ctx.value(right)
    if operator in ("&&", "||"):
        return _lazy(ctx, operator, left, right)
    op = _BINARY.get(operator)
    if op is None:
        raise NotLowered(f"operator {operator or 'unknown'}")
    one, two = ctx.values([left, right])
    return arithmetic(ctx, op, one, two)


def arithmetic(ctx: Lowering, op: BinaryOp, one: Expr, two: Expr) -> Expr:
    """`one op two`, operands already converted as C++ does it; pointers included."""
    left, right = one.type, two.type
    if isinstance(left, Pointer) or isinstance(right, Pointer):
        return _pointer_arithmetic(ctx, op, one, two)
    if op not in ("==", "!=") and (isinstance(left, Handle) or isinstance(right, Handle)):
        raise NotLowered(f"arithmetic on {left if isinstance(left, Handle) else right}")
    if op in ("<<", ">>"):
        return Binary(op, one, two, span=ctx.here)
    if left != right:
        wide = assignments.common(left, right)
        one, two = ctx.convert(one, wide), ctx.convert(two, wide)
    return Binary(op, one, two, span=ctx.here)


def _pointer_arithmetic(ctx: Lowering, op: BinaryOp, one: Expr, two: Expr) -> Expr:
    left, right = one.type, two.type
    if op == "+":
        return (
            PointerAdd(one, two, span=ctx.here)
            if isinstance(left, Pointer)
            else PointerAdd(two, one, span=ctx.here)
        )
    if op == "-" and isinstance(right, Pointer):
        return PointerDiff(one, two, span=ctx.here)
    if op == "-":
        return PointerAdd(one, assignments.negate(ctx, two), span=ctx.here)
    if left != right:
        two = ctx.convert(two, left) if isinstance(left, Pointer) else two
        one = ctx.convert(one, two.type)
    return Binary(op, one, two, span=ctx.here)


def assignment(ctx: Lowering, cursor: Cursor) -> Expr:
    """The value of an assignment that is used: what was stored."""
    target = assignments.assign(ctx, cursor)
    return ctx.load(target)


def _lazy(ctx: Lowering, operator: str, left: Cursor, right: Cursor) -> Expr:
    first = ctx.convert(ctx.value(left), BOOL)
    with ctx.block() as extra:
        second = ctx.convert(ctx.value(right), BOOL)
    if not extra:
        op: BinaryOp = "&&" if operator == "&&" else "||"
        return Binary(op, first, second, span=ctx.here)
    result = ctx.temp_var(BOOL)
    ctx.emit(Let(result, first, span=ctx.here))
    extra.append(Assign(result, second, span=ctx.here))
    test: Expr = Read(result, span=ctx.here)
    if operator == "||":
        test = Unary("!", test, span=ctx.here)
    ctx.emit(If(test, as_block(extra), span=ctx.here))
    return Read(result, span=ctx.here)


def conditional(ctx: Lowering, cursor: Cursor) -> Expr:
    condition, first, second = cursors.operands(cursor)
    known = clang.evaluate(condition)
    if known is not None:
        return ctx.value(first if known else second)
    test = ctx.convert(ctx.value(condition), BOOL)
    kind = ctx.type(cursor)
    with ctx.block() as then:
        one = ctx.convert(ctx.value(first), kind)
    with ctx.block() as otherwise:
        two = ctx.convert(ctx.value(second), kind)
    if kind == VOID:
        ctx.emit(If(test, as_block(then), as_block(otherwise), span=ctx.here))
        return NOTHING
    if not then and not otherwise:
        return Select(test, one, two, span=ctx.here)
    result = ctx.new_temp(kind)
    then.append(Assign(result, one, span=ctx.here))
    otherwise.append(Assign(result, two, span=ctx.here))
    ctx.emit(If(test, as_block(then), as_block(otherwise), span=ctx.here))
    return Read(result, span=ctx.here)


def unary(ctx: Lowering, cursor: Cursor) -> Expr:
    operator = clang.unary_operator(cursor)
    operand = cursors.operands(cursor)[0]
    match operator:
        case "post++" | "post--":
            return assignments.post_increment(ctx, cursor)
        case "++" | "--":
            return ctx.load(assignments.increment(ctx, cursor))
        case "*" if cursor.type.get_canonical().kind == TypeKind.FUNCTIONPROTO:
            return ctx.value(operand)
        case "*":
            return ctx.load(ctx.place(cursor), volatile=is_volatile(cursor))
        case "&":
            return _address_of(ctx, operand)
        case "+" | "__extension__":
            return ctx.value(operand)
        case "!":
            return Unary("!", ctx.convert(ctx.value(operand), BOOL), span=ctx.here)
        case "-" | "~":
            return minus(ctx, operator, ctx.value(operand))
        case _:
            raise NotLowered(f"operator {operator or 'unknown'}")


def minus(ctx: Lowering, operator: str, operand: Expr) -> Expr:
    """`-x` or `~x`; a literal takes the sign."""
    if operator == "~":
        return Unary("~", operand, span=ctx.here)
    if isinstance(operand, Const) and operand.value != 0 and not isinstance(operand.value, bool):
        if isinstance(operand.value, float):
            return Const(-operand.value, operand.type, span=ctx.here)
        return Const(wrap(-operand.value, operand.type), operand.type, span=ctx.here)
    return Unary("-", operand, span=ctx.here)


def _address_of(ctx: Lowering, operand: Cursor) -> Expr:
    inner = cursors.strip(operand)
    declaration = inner.referenced
    is_name = inner.kind == CursorKind.DECL_REF_EXPR and declaration is not None
    if is_name and declaration.kind in (CursorKind.FUNCTION_DECL, CursorKind.CXX_METHOD):
        return FunctionRef(ctx.module.function(declaration), span=ctx.here)
    return ctx.address(ctx.plain_place(operand))
