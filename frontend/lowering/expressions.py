"""Values of expressions: pure IR expressions, with everything they do besides emitted before.

s += j * n          statement          x = s + (f32)(j * n)
ok && check(p)      _t1 = ok; if (_t1) { _t1 = check(p) }        lazy, as C++ is
n ? a[i] : 0        Select(n != 0, Read(a[i]), 0)                lazy too, no statements needed
"""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, group_values, literals, members, operators, places
from crossport.frontend.lowering.context import Fixed, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.literals import NOTHING, constant, zero
from crossport.frontend.lowering.places import _array_below, is_volatile
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    Cast,
    Const,
    Expr,
    FunctionRef,
    Null,
)
from crossport.ir.types import (
    BOOL,
    I8,
    U64,
    VOID,
    Array,
    Pointer,
    Scalar,
    Struct,
    Type,
)


def value(ctx: Lowering, cursor: Cursor) -> Expr:
    """The value of an expression; an `OpaqueValue` where it is not understood."""
    mark, outer = len(ctx.out), ctx.here
    ctx.here = cursors.span(cursor) or outer
    try:
        return _value(ctx, cursor)
    except NotLowered as reason:
        del ctx.out[mark:]
        return ctx.opaque_value(cursor, reason.reason)
    finally:
        ctx.here = outer


def _value(ctx: Lowering, cursor: Cursor) -> Expr:
    handler = _HANDLERS.get(cursor.kind)
    if handler is None:
        if cursors.is_dependent(cursor):
            raise NotLowered("an expression that did not compile")
        raise NotLowered(f"expression {cursor.kind.name.lower()}")
    return handler(ctx, cursor)


def _paren(ctx: Lowering, cursor: Cursor) -> Expr:
    return ctx.value(cursors.operands(cursor)[0])


# --- Literals ----------------------------------------------------------------------------------


# --- Names and lvalues -------------------------------------------------------------------------


def _name(ctx: Lowering, cursor: Cursor) -> Expr:
    declaration = cursor.referenced
    below = list(cursor.get_children())
    if declaration is None or (not cursor.spelling and len(below) == 1):
        if len(below) == 1:  # a template argument: its value is the child
            return ctx.convert(ctx.value(below[0]), ctx.type(cursor))
        number = clang.evaluate(cursor)
        if number is None:
            raise NotLowered(f"unresolved name {cursor.spelling}")
        return constant(ctx, number, ctx.type(cursor))
    match declaration.kind:
        case CursorKind.ENUM_CONSTANT_DECL:
            return constant(ctx, declaration.enum_value, ctx.type(cursor))
        case CursorKind.FUNCTION_DECL | CursorKind.CXX_METHOD:
            return FunctionRef(ctx.module.function(declaration), span=ctx.here)
        case CursorKind.TEMPLATE_NON_TYPE_PARAMETER:
            raise NotLowered(f"template parameter {cursor.spelling} without a value")
    binding = ctx.bindings.get(cursors.local_key(declaration))
    if binding is None and ctx.range_begin and str(declaration.spelling).startswith("__begin"):
        return ctx.address(ctx.range_begin[-1])
    if binding is None:
        folded = folded_constant(ctx, cursor, declaration)
        if folded is not None:
            return folded
        special = ctx.module.builtin_variable(ctx, declaration)
        if special is not None:
            return special
    if isinstance(binding, Fixed):
        return binding.value if binding.value is not None else NOTHING
    if group_kind(cursor.type) is not None and ctx.type(cursor) == VOID:
        return NOTHING
    return ctx.load(ctx.place(cursor), volatile=is_volatile(cursor))


def folded_constant(ctx: Lowering, cursor: Cursor, declaration: Cursor) -> Expr | None:
    """A constant variable's value, where the compiler knows it."""
    if declaration.kind == CursorKind.UNEXPOSED_DECL:  # an instance of a variable template
        number = clang.evaluate(cursor)
        return constant(ctx, number, ctx.type(cursor)) if number is not None else None
    # The declaration's own type lacks the `const` that `constexpr` brings; that of its use has it.
    if declaration.kind != CursorKind.VAR_DECL or not cursor.type.is_const_qualified():
        return None
    if ctx.bindings.get(cursors.local_key(declaration)) is not None:
        return None
    if declaration.type.get_canonical().kind in (TypeKind.RECORD, TypeKind.POINTER):
        return None
    number = clang.evaluate(cursor)
    if number is None:
        number = clang.evaluate(declaration)
    if number is None:
        return None
    return constant(ctx, number, ctx.type(cursor))


def _lvalue(ctx: Lowering, cursor: Cursor) -> Expr:
    special = ctx.module.builtin_member(ctx, cursor)
    if special is not None:
        return special
    if cursor.kind == CursorKind.MEMBER_REF_EXPR:
        declaration = cursor.referenced
        if declaration is not None and declaration.kind == CursorKind.VAR_DECL:
            folded = folded_constant(ctx, cursor, declaration)
            if folded is not None:
                return folded
        if declaration is not None and declaration.kind == CursorKind.ENUM_CONSTANT_DECL:
            return constant(ctx, declaration.enum_value, ctx.type(cursor))
        if declaration is not None and declaration.kind == CursorKind.CXX_METHOD:
            return FunctionRef(ctx.module.function(declaration), span=ctx.here)
    return ctx.load(ctx.place(cursor), volatile=is_volatile(cursor))


def _this(ctx: Lowering, cursor: Cursor) -> Expr:
    return members.this_pointer(ctx, cursor.type.get_pointee().get_declaration())


# --- Operators ---------------------------------------------------------------------------------


# --- Conversions -------------------------------------------------------------------------------


def _explicit_cast(ctx: Lowering, cursor: Cursor) -> Expr:
    below = [c for c in cursors.operands(cursor) if c.kind.is_expression()]
    kind = ctx.type(cursor)
    if not below:
        return zero(ctx, kind)  # T()
    operand = below[-1]
    if kind == VOID:
        ctx.statement(operand)
        return NOTHING
    if places.casts_to_reference(cursor) or (
        isinstance(kind, Struct) and ctx.type(operand) != kind
    ):
        return ctx.load(ctx.place(cursor))
    return explicit(ctx, ctx.value(operand), kind)


def explicit(ctx: Lowering, source: Expr, kind: Type) -> Expr:
    """A written cast."""
    if isinstance(source.type, Pointer) and isinstance(kind, Pointer):
        return ctx.convert(source, kind)
    if isinstance(source.type, Pointer) and isinstance(kind, Scalar) and kind != BOOL:
        return ctx.convert(Cast(source, U64, span=ctx.here), kind)
    if isinstance(kind, Pointer) and isinstance(source.type, Scalar):
        if isinstance(source, Const) and source.value == 0:
            return Null(kind, span=ctx.here)
        return Cast(ctx.convert(source, U64), kind, span=ctx.here)
    return ctx.convert(source, kind)


def _implicit(ctx: Lowering, cursor: Cursor) -> Expr:
    below = cursors.operands(cursor)
    expressions = [c for c in below if c.kind.is_expression() or c.kind.is_statement()]
    if not expressions:
        return _childless(ctx, cursor)
    if len(expressions) > 1:
        return _several(ctx, cursor, expressions)
    operand = expressions[0]
    source, target = operand.type.get_canonical(), cursor.type.get_canonical()
    if cursors.is_dependent(cursor) or cursors.is_dependent(operand):
        if operand.kind.is_expression() and not cursors.is_dependent(operand):
            return ctx.value(operand)
        raise NotLowered("an expression that did not compile")
    if target.kind == TypeKind.POINTER:
        array = _array_below(cursor)
        if array is not None and source.kind in (
            TypeKind.CONSTANTARRAY,
            TypeKind.INCOMPLETEARRAY,
        ):
            if cursors.strip(array).kind == CursorKind.STRING_LITERAL:
                return ctx.value(cursors.strip(array))
            place = ctx.plain_place(array)
            return ctx.convert(ctx.decay(place), ctx.type(cursor))
        if target.get_pointee().get_canonical().kind == TypeKind.FUNCTIONPROTO:
            return ctx.value(operand)
    if operand.kind == CursorKind.STRING_LITERAL:
        return ctx.value(operand)
    group = group_kind(cursor.type)
    if group is not None and source.kind == TypeKind.RECORD:
        if group[0] == "generic" and group_kind(operand.type) != group:
            return group_values.generic_width(ctx, operand)
        return ctx.value(operand)
    kind = ctx.type(cursor)
    if kind == VOID:
        ctx.statement(operand)
        return NOTHING
    if source.kind == TypeKind.RECORD and isinstance(kind, Struct):
        return ctx.load(ctx.place(cursor))
    if source.kind == TypeKind.POINTER and isinstance(kind, Pointer):
        return _pointer_conversion(ctx, ctx.value(operand), kind)
    if source.kind == TypeKind.NULLPTR and isinstance(kind, Pointer):
        ctx.value(operand)
        return Null(kind, span=ctx.here)
    return explicit(ctx, ctx.value(operand), kind)


def _pointer_conversion(ctx: Lowering, pointer: Expr, kind: Pointer) -> Expr:
    """A pointer to a derived class becomes one to its base."""
    given = pointer.type
    source = given.element if isinstance(given, Pointer) else None
    target = kind.element
    if isinstance(source, Struct) and isinstance(target, Struct) and source != target:
        return ctx.address(members.to_base(ctx, ctx.target(pointer), target.name))
    return ctx.convert(pointer, kind)


def _childless(ctx: Lowering, cursor: Cursor) -> Expr:
    """A default argument, a value-initialisation, or `__func__`."""
    kind = ctx.type(cursor)
    if isinstance(kind, (Scalar, Pointer)):
        number = clang.evaluate(cursor)
        if number is not None:
            return constant(ctx, number, kind)
    if isinstance(kind, Array) and kind.element == I8:
        raise NotLowered("function name as a string")
    if isinstance(kind, (Struct, Array)):
        return zero(ctx, kind)
    if cursors.is_dependent(cursor):
        raise NotLowered("an expression that did not compile")
    raise NotLowered("a default value that is not constant")


def _several(ctx: Lowering, cursor: Cursor, below: list[Cursor]) -> Expr:
    """libclang hides a node that has several operands; nothing safe can be said of it."""
    known = clang.evaluate(cursor)
    if known is not None and isinstance(ctx.type(cursor), Scalar):
        return constant(ctx, known, ctx.type(cursor))
    if cursors.is_dependent(cursor) or any(cursors.is_dependent(c) for c in below):
        raise NotLowered("an expression that did not compile")
    raise NotLowered(f"a hidden expression with {len(below)} operands")


def _statement_expression(ctx: Lowering, cursor: Cursor) -> Expr:
    """`({ int t = 3; t + 1; })`."""
    body = list(cursors.operands(cursor)[0].get_children())
    for child in body[:-1]:
        ctx.statement(child)
    if not body:
        return NOTHING
    if body[-1].kind.is_expression():
        return ctx.value(body[-1])
    ctx.statement(body[-1])
    return NOTHING


def _initializer_list(ctx: Lowering, cursor: Cursor) -> Expr:
    from crossport.frontend.lowering import initializers

    return initializers.list_value(ctx, cursor, ctx.type(cursor), cursor.type)


def _call(ctx: Lowering, cursor: Cursor) -> Expr:
    from crossport.frontend.lowering import calls

    return calls.call(ctx, cursor)


def _lambda(ctx: Lowering, cursor: Cursor) -> Expr:
    from crossport.frontend.lowering import lambdas

    return lambdas.closure(ctx, cursor)


def _new(ctx: Lowering, cursor: Cursor) -> Expr:
    from crossport.frontend.lowering import constructors

    return constructors.new(ctx, cursor)


def _delete(ctx: Lowering, cursor: Cursor) -> Expr:
    from crossport.frontend.lowering import constructors

    return constructors.delete(ctx, cursor)


_HANDLERS: dict[object, Callable[[Lowering, Cursor], Expr]] = {
    CursorKind.PAREN_EXPR: _paren,
    CursorKind.INTEGER_LITERAL: literals.literal,
    CursorKind.FLOATING_LITERAL: literals.literal,
    CursorKind.CHARACTER_LITERAL: literals.literal,
    CursorKind.CXX_BOOL_LITERAL_EXPR: literals.literal,
    CursorKind.CXX_NULL_PTR_LITERAL_EXPR: literals.null,
    CursorKind.GNU_NULL_EXPR: literals.null,
    CursorKind.STRING_LITERAL: literals.string,
    CursorKind.CXX_UNARY_EXPR: literals.sizeof,
    CursorKind.SIZE_OF_PACK_EXPR: literals.sizeof,
    CursorKind.DECL_REF_EXPR: _name,
    CursorKind.MEMBER_REF_EXPR: _lvalue,
    CursorKind.ARRAY_SUBSCRIPT_EXPR: _lvalue,
    CursorKind.CXX_THIS_EXPR: _this,
    CursorKind.BINARY_OPERATOR: operators.binary,
    CursorKind.COMPOUND_ASSIGNMENT_OPERATOR: operators.assignment,
    CursorKind.CONDITIONAL_OPERATOR: operators.conditional,
    CursorKind.UNARY_OPERATOR: operators.unary,
    CursorKind.CSTYLE_CAST_EXPR: _explicit_cast,
    CursorKind.CXX_STATIC_CAST_EXPR: _explicit_cast,
    CursorKind.CXX_REINTERPRET_CAST_EXPR: _explicit_cast,
    CursorKind.CXX_CONST_CAST_EXPR: _explicit_cast,
    CursorKind.CXX_FUNCTIONAL_CAST_EXPR: _explicit_cast,
    CursorKind.UNEXPOSED_EXPR: _implicit,
    CursorKind.StmtExpr: _statement_expression,
    CursorKind.INIT_LIST_EXPR: _initializer_list,
    CursorKind.COMPOUND_LITERAL_EXPR: lambda ctx, c: ctx.value(cursors.operands(c)[-1]),
    CursorKind.CALL_EXPR: _call,
    CursorKind.LAMBDA_EXPR: _lambda,
    CursorKind.CXX_NEW_EXPR: _new,
    CursorKind.CXX_DELETE_EXPR: _delete,
}
