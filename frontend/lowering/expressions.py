"""Values of expressions: pure IR expressions, with everything they do besides emitted before.

s += j * n          statement          x = s + (f32)(j * n)
ok && check(p)      _t1 = ok; if (_t1) { _t1 = check(p) }        lazy, as C++ is
n ? a[i] : 0        Select(n != 0, Read(a[i]), 0)                lazy too, no statements needed
"""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import assignments, cursors, places
from crossport.frontend.lowering.context import Fixed, Lowering, as_block, convert_constant, wrap
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.places import _array_below, is_volatile
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    Assign,
    Binary,
    BinaryOp,
    Bitcast,
    Cast,
    Const,
    Expr,
    FunctionRef,
    If,
    Let,
    Null,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Unary,
)
from crossport.ir.types import (
    BOOL,
    F64,
    I8,
    I32,
    U64,
    VOID,
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    Type,
)

# What `ctx.value` gives for an expression of type void: its statements are out already.
NOTHING = Const(0, I32)

_BINARY: dict[str, BinaryOp] = {
    op: op
    for op in ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=")
}


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


def _literal(ctx: Lowering, cursor: Cursor) -> Expr:
    number = clang.evaluate(cursor)
    if number is None:
        raise NotLowered("literal")
    return constant(ctx, number, ctx.type(cursor))


def constant(ctx: Lowering, number: int | float, kind: Type) -> Expr:
    """A number as an IR constant of a type."""
    if isinstance(kind, Pointer):
        if number == 0:
            return Null(kind, span=ctx.here)
        return Cast(Const(int(number) & (2**64 - 1), U64), kind, span=ctx.here)
    if not isinstance(kind, Scalar):
        raise NotLowered(f"constant of type {kind}")
    if kind == BOOL:
        return Const(bool(number), BOOL, span=ctx.here)
    if kind.is_integer:
        return Const(wrap(int(number), kind), kind, span=ctx.here)
    return float_constant(ctx, float(number), kind)


def float_constant(ctx: Lowering, number: float, kind: Scalar) -> Expr:
    """A float; NaN and -0.0 are spelled by their bits."""
    import struct

    if number != number or (number == 0 and str(number).startswith("-")):
        if kind.kind == "f64":
            bits = struct.unpack("<Q", struct.pack("<d", number))[0]
            return Bitcast(Const(bits, U64), kind, span=ctx.here)
        bits = struct.unpack("<I", struct.pack("<f", number))[0]
        from crossport.ir.types import F32, U32

        return ctx.convert(Bitcast(Const(bits, U32), F32, span=ctx.here), kind)
    exact = Const(number, F64, span=ctx.here)
    if kind.kind == "f64":
        return exact
    if number in (float("inf"), float("-inf")):
        return Const(number, kind, span=ctx.here)
    return convert_constant(exact, kind) or Cast(exact, kind, span=ctx.here)


def _null(ctx: Lowering, cursor: Cursor) -> Expr:
    kind = ctx.type(cursor)
    if isinstance(kind, Pointer):
        return Null(kind, span=ctx.here)
    return constant(ctx, 0, kind)  # __null has an integer type


def _sizeof(ctx: Lowering, cursor: Cursor) -> Expr:
    number = clang.evaluate(cursor)
    if number is None:
        raise NotLowered("sizeof")
    return constant(ctx, number, ctx.type(cursor))


def _string(ctx: Lowering, cursor: Cursor) -> Expr:
    return ctx.module.string(ctx, cursor)


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
    return places.this_pointer(ctx, cursor.type.get_pointee().get_declaration())


# --- Operators ---------------------------------------------------------------------------------


def _binary(ctx: Lowering, cursor: Cursor) -> Expr:
    operator = clang.binary_operator(cursor)
    if operator == "=":
        return _assignment(ctx, cursor)
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


def _assignment(ctx: Lowering, cursor: Cursor) -> Expr:
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


def _conditional(ctx: Lowering, cursor: Cursor) -> Expr:
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


def _unary(ctx: Lowering, cursor: Cursor) -> Expr:
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


def zero(ctx: Lowering, kind: Type) -> Expr:
    """The value that `T()` or a missing initialiser stands for."""
    from crossport.ir.nodes import Aggregate

    match kind:
        case Scalar():
            if kind.is_float:
                return Const(0.0, kind, span=ctx.here)
            return Const(False if kind == BOOL else 0, kind, span=ctx.here)
        case Pointer():
            return Null(kind, span=ctx.here)
        case Struct() | Array():
            return Aggregate((), kind, span=ctx.here)
        case Handle():
            return Cast(Const(0, U64), kind, span=ctx.here)
        case _:
            return NOTHING


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
            from crossport.frontend.lowering import groups

            return groups.generic_width(ctx, operand)
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
        return ctx.address(places.to_base(ctx, ctx.target(pointer), target.name))
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
    CursorKind.INTEGER_LITERAL: _literal,
    CursorKind.FLOATING_LITERAL: _literal,
    CursorKind.CHARACTER_LITERAL: _literal,
    CursorKind.CXX_BOOL_LITERAL_EXPR: _literal,
    CursorKind.CXX_NULL_PTR_LITERAL_EXPR: _null,
    CursorKind.GNU_NULL_EXPR: _null,
    CursorKind.STRING_LITERAL: _string,
    CursorKind.CXX_UNARY_EXPR: _sizeof,
    CursorKind.SIZE_OF_PACK_EXPR: _sizeof,
    CursorKind.DECL_REF_EXPR: _name,
    CursorKind.MEMBER_REF_EXPR: _lvalue,
    CursorKind.ARRAY_SUBSCRIPT_EXPR: _lvalue,
    CursorKind.CXX_THIS_EXPR: _this,
    CursorKind.BINARY_OPERATOR: _binary,
    CursorKind.COMPOUND_ASSIGNMENT_OPERATOR: _assignment,
    CursorKind.CONDITIONAL_OPERATOR: _conditional,
    CursorKind.UNARY_OPERATOR: _unary,
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
