"""Lvalues: where an expression's object lives, how to read it and how to write it.

    a[i].x           Member(Deref(a, i), "x")        (array a: Element instead of Deref)
    *p               Deref(p, 0)
    s.flags (3 bits) BitField: a shift and a mask on the unit around it
    T&& of a value   a variable of its own

A name of reference type is bound to `Deref(pointer, 0)` once; every use reads through it.
"""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import (
    BitField,
    Fixed,
    FragmentElement,
    Lowering,
    Lvalue,
    as_block,
    wrap,
)
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.members import (
    as_signed,
    extract,
    member,
    member_of,
    path_to_base,
    read_extract,
    this_pointer,
    to_base,
)
from crossport.frontend.lowering.types import group_kind
from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Binary,
    Cast,
    Const,
    Deref,
    Effect,
    Element,
    Expr,
    If,
    Let,
    PointerAdd,
    Read,
    Select,
    Var,
)
from crossport.ir.types import BOOL, I32, Array, Pointer, Struct, Type

_LVALUE_CASTS = (
    CursorKind.CSTYLE_CAST_EXPR,
    CursorKind.CXX_STATIC_CAST_EXPR,
    CursorKind.CXX_REINTERPRET_CAST_EXPR,
    CursorKind.CXX_CONST_CAST_EXPR,
    CursorKind.CXX_FUNCTIONAL_CAST_EXPR,
)


def place(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """Where an lvalue lives. An rvalue is put into a variable first."""
    match cursor.kind:
        case CursorKind.PAREN_EXPR:
            return place(ctx, cursors.operands(cursor)[0])
        case CursorKind.DECL_REF_EXPR:
            return name_place(ctx, cursor)
        case CursorKind.MEMBER_REF_EXPR:
            return member(ctx, cursor)
        case CursorKind.ARRAY_SUBSCRIPT_EXPR:
            return _subscript(ctx, cursor)
        case CursorKind.UNARY_OPERATOR:
            return _unary(ctx, cursor)
        case CursorKind.BINARY_OPERATOR | CursorKind.COMPOUND_ASSIGNMENT_OPERATOR:
            return _binary(ctx, cursor)
        case CursorKind.CONDITIONAL_OPERATOR:
            return _conditional(ctx, cursor)
        case CursorKind.CALL_EXPR:
            return _call(ctx, cursor)
        case CursorKind.CXX_THIS_EXPR:
            return materialize(ctx, cursor)
        case CursorKind.UNEXPOSED_EXPR:
            return _implicit(ctx, cursor)
        case kind if kind in _LVALUE_CASTS:
            return _cast(ctx, cursor)
        case _:
            return materialize(ctx, cursor)


def materialize(ctx: Lowering, cursor: Cursor) -> Var:
    """The value in a variable of its own."""
    value = ctx.value(cursor)
    variable = ctx.temp_var(value.type)
    ctx.emit(Let(variable, value, span=ctx.here))
    return variable


def load(ctx: Lowering, lvalue: Lvalue, *, volatile: bool = False) -> Expr:
    """The value at an lvalue."""
    match lvalue:
        case BitField(unit, bits):
            # Up to the top of the unit, then down again: the second shift extends the sign.
            width = bits.unit_type.size * 8
            raw: Expr = Read(unit, volatile, span=ctx.here)
            if not bits.type.is_signed:
                if bits.shift:
                    raw = Binary(">>", raw, Const(bits.shift, I32), span=ctx.here)
                if bits.shift + bits.width < width:
                    mask = Const((1 << bits.width) - 1, bits.unit_type)
                    raw = Binary("&", raw, mask, span=ctx.here)
                return ctx.convert(raw, bits.type)
            signed = ctx.convert(raw, as_signed(bits.unit_type))
            up, down = width - bits.shift - bits.width, width - bits.width
            if up:
                signed = Binary("<<", signed, Const(up, I32), span=ctx.here)
            if down:
                signed = Binary(">>", signed, Const(down, I32), span=ctx.here)
            return ctx.convert(signed, bits.type)
        case FragmentElement(fragment, index, kind):
            target = ctx.new_temp(kind)
            ctx.emit(Effect(target, "wmma::get", (fragment, index), span=ctx.here))
            return Read(target, span=ctx.here)
        case _:
            return Read(lvalue, volatile, span=lvalue.span or ctx.here)


def store(ctx: Lowering, lvalue: Lvalue, value: Expr, *, volatile: bool = False) -> None:
    """Write an lvalue."""
    match lvalue:
        case BitField(unit, bits):
            kind = bits.unit_type
            mask = (1 << bits.width) - 1
            keep = wrap(~(mask << bits.shift), kind)
            field: Expr = Binary("&", ctx.convert(value, kind), Const(mask, kind), span=ctx.here)
            if bits.shift:
                field = Binary("<<", field, Const(bits.shift, I32), span=ctx.here)
            rest = Binary("&", Read(unit, volatile, span=ctx.here), Const(keep, kind))
            ctx.emit(Assign(unit, Binary("|", rest, field), volatile, span=ctx.here))
        case FragmentElement(fragment, index, kind):
            args = (fragment, index, ctx.convert(value, kind))
            ctx.emit(Effect(None, "wmma::set", args, span=ctx.here))
        case _:
            ctx.emit(Assign(lvalue, ctx.convert(value, lvalue.type), volatile, span=ctx.here))


def is_volatile(cursor: Cursor) -> bool:
    """Is an lvalue expression of volatile type?"""
    return bool(cursor.type.is_volatile_qualified())


def name_place(ctx: Lowering, cursor: Cursor) -> Lvalue:
    declaration = cursor.referenced
    if declaration is None:
        raise NotLowered(f"unresolved name {cursor.spelling}")
    binding = ctx.bindings.get(cursors.local_key(declaration))
    if binding is None:
        binding = ctx.module.outside(ctx, cursor, declaration)
    if isinstance(binding, Fixed):
        if binding.value is None:
            raise NotLowered(f"the group {cursor.spelling} as an object")
        variable = ctx.temp_var(binding.value.type)
        ctx.emit(Let(variable, binding.value, span=ctx.here))
        return variable
    return binding


def _subscript(ctx: Lowering, cursor: Cursor) -> Lvalue:
    base, index = cursors.operands(cursor)
    if base.type.get_canonical().kind not in (
        TypeKind.POINTER,
        TypeKind.CONSTANTARRAY,
        TypeKind.INCOMPLETEARRAY,
    ):
        base, index = index, base  # 2[a]
    array = _array_below(base)
    if array is not None:
        fragment = _fragment_member(array)
        if fragment is not None:
            start = ctx.address(ctx.plain_place(fragment))
            values = ctx.sequence(lambda: start, lambda: ctx.value(index))
            return FragmentElement(values[0], ctx.convert(values[1], I32), ctx.type(cursor))
        return _element(ctx, array, index, cursor)
    pointer, where = ctx.values([base, index])
    ctx.here = cursors.span(cursor)
    if isinstance(pointer, PointerAdd) and isinstance(where, Const) and where.value == 0:
        return Deref(pointer.pointer, pointer.index, _element_of(pointer.type), span=ctx.here)
    if isinstance(pointer, AddressOf) and isinstance(where, Const) and where.value == 0:
        return pointer.place
    kind = pointer.type
    if not isinstance(kind, Pointer):
        raise NotLowered(f"subscript of {kind}")
    return Deref(pointer, where, kind.element, span=ctx.here)


def _element_of(kind: Type) -> Type:
    if not isinstance(kind, Pointer):
        raise NotLowered(f"subscript of {kind}")
    return kind.element


def _element(ctx: Lowering, array: Cursor, index: Cursor, cursor: Cursor) -> Lvalue:
    base = ctx.plain_place(array)
    if not isinstance(base.type, Array):
        raise NotLowered(f"subscript of {base.type}")
    # The base holds indices and pointers of its own, which the new index must not disturb.
    start = ctx.address(base)
    values = ctx.sequence(lambda: start, lambda: ctx.value(index))
    ctx.here = cursors.span(cursor)
    if values[0] is not start:
        base = ctx.target(values[0])
    assert isinstance(base.type, Array)
    return Element(base, values[1], base.type.element, span=ctx.here)


def _array_below(cursor: Cursor) -> Cursor | None:
    """The array lvalue below its decay to a pointer."""
    while cursor.kind == CursorKind.PAREN_EXPR:
        cursor = cursors.operands(cursor)[0]
    if cursors.is_decayed(cursor):
        return None
    if cursor.type.get_canonical().kind in (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY):
        return cursor if cursor.kind != CursorKind.STRING_LITERAL else None
    if cursor.kind != CursorKind.UNEXPOSED_EXPR:
        return None
    below = cursors.operands(cursor)
    if len(below) != 1 or below[0].kind == CursorKind.STRING_LITERAL:
        return None
    inner = below[0].type.get_canonical().kind
    if cursors.is_decayed(below[0]):
        return None
    if inner in (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY):
        return below[0]
    return None


def _fragment_member(array: Cursor) -> Cursor | None:
    """`f` of `f.x` where f is a wmma fragment."""
    array = cursors.strip(array)
    if array.kind != CursorKind.MEMBER_REF_EXPR or array.spelling != "x":
        return None
    below = cursors.operands(array)
    if not below:
        return None
    owner = below[0].type.get_canonical().spelling
    return below[0] if "wmma::fragment<" in owner else None


def _unary(ctx: Lowering, cursor: Cursor) -> Lvalue:
    operator = clang.unary_operator(cursor)
    operand = cursors.operands(cursor)[0]
    if operator == "*":
        array = _array_below(operand)
        if array is not None:
            base = ctx.plain_place(array)
            if isinstance(base.type, Array):
                return Element(base, Const(0, I32), base.type.element, span=ctx.here)
        pointer = ctx.value(operand)
        ctx.here = cursors.span(cursor)
        return ctx.target(pointer)
    if operator in ("++", "--"):
        from crossport.frontend.lowering import assignments

        return assignments.increment(ctx, cursor)
    if operator == "__extension__":
        return place(ctx, operand)
    return materialize(ctx, cursor)


def _binary(ctx: Lowering, cursor: Cursor) -> Lvalue:
    from crossport.frontend.lowering import assignments

    operator = clang.binary_operator(cursor)
    if operator == ",":
        left, right = cursors.operands(cursor)
        ctx.statement(left)
        return place(ctx, right)
    if cursor.kind == CursorKind.COMPOUND_ASSIGNMENT_OPERATOR or operator == "=":
        return assignments.assign(ctx, cursor)
    if operator in (".*", "->*"):
        raise NotLowered("pointer to member")
    return materialize(ctx, cursor)


def _conditional(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """Both arms are lvalues or the result is an rvalue; only arrays and records care which."""
    condition, first, second = cursors.operands(cursor)
    if not (_is_lvalue(first) and _is_lvalue(second)):
        return materialize(ctx, cursor)
    test = ctx.convert(ctx.value(condition), BOOL)
    with ctx.block() as then:
        one = ctx.address(ctx.plain_place(first))
    with ctx.block() as otherwise:
        two = ctx.address(ctx.plain_place(second))
    if one.type != two.type:
        return materialize(ctx, cursor)
    if not then and not otherwise:
        return ctx.target(Select(test, one, two, span=ctx.here))
    chosen = ctx.new_temp(one.type)
    then.append(Assign(chosen, one, span=ctx.here))
    otherwise.append(Assign(chosen, two, span=ctx.here))
    ctx.emit(If(test, as_block(then), as_block(otherwise), span=ctx.here))
    return ctx.target(Read(chosen, span=ctx.here))


def _is_lvalue(cursor: Cursor) -> bool:
    """Does an expression name an object? A conversion to its value stands above it as a node."""
    match cursor.kind:
        case CursorKind.PAREN_EXPR:
            return _is_lvalue(cursors.operands(cursor)[0])
        case CursorKind.DECL_REF_EXPR:
            found = cursor.referenced
            return found is not None and found.kind in (CursorKind.VAR_DECL, CursorKind.PARM_DECL)
        case CursorKind.MEMBER_REF_EXPR | CursorKind.ARRAY_SUBSCRIPT_EXPR:
            return True
        case CursorKind.UNARY_OPERATOR:
            return clang.unary_operator(cursor) in ("*", "++", "--")
        case CursorKind.COMPOUND_ASSIGNMENT_OPERATOR:
            return True
        case CursorKind.BINARY_OPERATOR:
            operator = clang.binary_operator(cursor)
            return operator == "=" or (operator == "," and _is_lvalue(cursors.operands(cursor)[1]))
        case CursorKind.CONDITIONAL_OPERATOR:
            return all(_is_lvalue(arm) for arm in cursors.operands(cursor)[1:])
        case CursorKind.CALL_EXPR:
            called = cursor.referenced
            result = called.result_type.get_canonical() if called is not None else None
            return result is not None and result.kind == TypeKind.LVALUEREFERENCE
        case kind if kind in _LVALUE_CASTS:
            return casts_to_reference(cursor)
        case _:
            return False


def _call(ctx: Lowering, cursor: Cursor) -> Lvalue:
    from crossport.frontend.lowering import calls

    return calls.call_place(ctx, cursor)


def _implicit(ctx: Lowering, cursor: Cursor) -> Lvalue:
    below = cursors.operands(cursor)
    if len(below) != 1:
        return materialize(ctx, cursor)
    source = below[0].type.get_canonical()
    target = cursor.type.get_canonical()
    if source.kind == TypeKind.RECORD and target.kind == TypeKind.RECORD:
        if group_kind(target) is not None:
            return place(ctx, below[0])
        wanted, given = ctx.lower_type(target), ctx.lower_type(source)
        if wanted == given:
            return place(ctx, below[0])
        if isinstance(wanted, Struct) and isinstance(given, Struct):
            return to_base(ctx, ctx.plain_place(below[0]), wanted.name)
        return materialize(ctx, cursor)
    same = _same_type(source, target)
    if same and not _is_prvalue(below[0]):
        return place(ctx, below[0])
    return materialize(ctx, cursor)


def _is_prvalue(cursor: Cursor) -> bool:
    return cursor.kind in (
        CursorKind.INTEGER_LITERAL,
        CursorKind.FLOATING_LITERAL,
        CursorKind.CHARACTER_LITERAL,
        CursorKind.CXX_BOOL_LITERAL_EXPR,
    )


def _same_type(one: ClangType, other: ClangType) -> bool:
    return _bare(one) == _bare(other)


def _bare(kind: ClangType) -> str:
    return str(kind.spelling).replace("const ", "").replace("volatile ", "")


def _cast(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """A cast to a reference: the object seen as another type. Other casts make a value."""
    below = [c for c in cursors.operands(cursor) if c.kind.is_expression()]
    if len(below) != 1 or not casts_to_reference(cursor):
        return materialize(ctx, cursor)
    inner = ctx.plain_place(below[0])
    wanted = ctx.type(cursor)
    if inner.type == wanted:
        return inner
    if isinstance(inner.type, Struct) and isinstance(wanted, Struct):
        path = path_to_base(ctx, inner.type, wanted.name)
        if path is not None:
            return to_base(ctx, inner, wanted.name)
    return ctx.target(Cast(ctx.address(inner), Pointer(wanted), span=ctx.here))


def casts_to_reference(cursor: Cursor) -> bool:
    """libclang hides the `&` of the written type: a cast to a value has a value below it."""
    below = [c for c in cursors.operands(cursor) if c.kind.is_expression()]
    return bool(below) and _is_lvalue(below[-1])


__all__ = ["extract", "load", "member_of", "place", "read_extract", "store", "this_pointer"]
