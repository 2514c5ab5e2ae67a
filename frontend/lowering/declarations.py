"""Declarations inside functions: locals, shared arrays, references, structured bindings.

float& x = a[i]          let x: f32* = a + i        uses of x are Deref(x, 0)
auto& y = local          (nothing: y is another name of `local`)
__shared__ float s[32]   a SharedVar of the function
static int calls         a GlobalVar of the module
"""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Binding, Fixed, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import group_kind, is_lambda
from crossport.ir.nodes import Const, Deref, Element, Let, Member, Place, Read, SharedVar, Var
from crossport.ir.types import I32, VOID, Array, Pointer, Struct

_NOT_CODE = frozenset(
    (
        CursorKind.TYPEDEF_DECL,
        CursorKind.TYPE_ALIAS_DECL,
        CursorKind.TYPE_ALIAS_TEMPLATE_DECL,
        CursorKind.STATIC_ASSERT,
        CursorKind.USING_DECLARATION,
        CursorKind.USING_DIRECTIVE,
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
        CursorKind.CLASS_TEMPLATE,
        CursorKind.ENUM_DECL,
        CursorKind.UNION_DECL,
        CursorKind.NAMESPACE_ALIAS,
        CursorKind.FUNCTION_DECL,
    )
)


def declaration(ctx: Lowering, cursor: Cursor) -> None:
    """Emit a declaration."""
    if cursor.kind in _NOT_CODE:
        return
    if cursor.kind == CursorKind.VAR_DECL:
        _variable(ctx, cursor)
        return
    if cursor.kind == CursorKind.UNEXPOSED_DECL:
        parts = [c for c in cursor.get_children() if c.kind == CursorKind.UNEXPOSED_DECL]
        if parts:
            _structured_binding(ctx, cursor, parts)
        return
    raise NotLowered(f"declaration {cursor.kind.name.lower()}")


def _variable(ctx: Lowering, cursor: Cursor) -> None:
    attributes = {child.kind for child in cursor.get_children()}
    if CursorKind.CUDASHARED_ATTR in attributes:
        shared_variable(ctx, cursor)
        return
    if _is_stateless(ctx, cursor):
        ctx.bindings[cursors.local_key(cursor)] = Fixed(None)
        return
    if cursor.storage_class.name == "STATIC" or CursorKind.CUDACONSTANT_ATTR in attributes:
        ctx.bindings[cursors.local_key(cursor)] = ctx.module.global_variable(cursor)
        return
    if cursor.storage_class.name == "EXTERN":
        return  # its uses find the global
    canonical = cursor.type.get_canonical()
    if canonical.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        _reference(ctx, cursor)
        return
    try:
        _local(ctx, cursor)
    except NotLowered as reason:
        # The name has to exist, or each use of it would be reported too.
        _declare_opaque(ctx, cursor, reason)


def _is_stateless(ctx: Lowering, cursor: Cursor) -> bool:
    """A group or collective that its type says all about."""
    if cursor.type.get_canonical().kind != TypeKind.RECORD:
        return False
    try:
        return ctx.lower_type(cursor.type) == VOID
    except NotLowered:
        return False


def _declare_opaque(ctx: Lowering, cursor: Cursor, reason: NotLowered) -> None:
    try:
        kind = ctx.lower_type(cursor.type)
    except NotLowered as unknown:
        raise reason from unknown
    variable = ctx.declare(cursor, kind)
    ctx.emit(Let(variable, None, span=ctx.here))
    ctx.opaque(cursor, reason.reason)


def _local(ctx: Lowering, cursor: Cursor) -> None:
    from crossport.frontend.lowering import constructors, initializers

    kind = ctx.lower_type(cursor.type)
    start = cursors.initializer(cursor)
    mark = len(ctx.out)
    if start is None or _is_default_construction(start):
        variable = ctx.declare(cursor, kind)
        ctx.emit(Let(variable, None, span=ctx.here))
        if start is not None:
            initializers.default_construct(ctx, variable, cursor.type)
        return
    constructor = constructors.constructor_below(ctx, start)
    if constructor is not None and isinstance(kind, Struct):
        variable = ctx.declare(cursor, kind)
        ctx.emit(Let(variable, None, span=ctx.here))
        try:
            constructors.construct_into(ctx, constructor, variable)
        except NotLowered:
            del ctx.out[mark:]
            raise
        return
    if start.kind == CursorKind.INIT_LIST_EXPR and initializers.is_overlapping(ctx, cursor.type):
        variable = ctx.declare(cursor, kind)
        ctx.emit(Let(variable, None, span=ctx.here))
        initializers.fill_list(ctx, variable, start, cursor.type)
        return
    if start.kind == CursorKind.INIT_LIST_EXPR:
        value = initializers.list_value(ctx, start, kind, cursor.type)
    elif start.kind == CursorKind.STRING_LITERAL and isinstance(kind, Array):
        value = ctx.module.string_array(start, kind)
    else:
        value = ctx.convert(ctx.value(start), kind)
    variable = ctx.declare(cursor, kind)
    ctx.emit(Let(variable, value, span=ctx.here))


def _is_default_construction(start: Cursor) -> bool:
    """`T x;`: a constructor call without arguments whose constructor has no code of its own."""
    if start.kind != CursorKind.CALL_EXPR:
        return False
    called = start.referenced
    if called is None or called.kind != CursorKind.CONSTRUCTOR:
        return False
    if is_lambda(start.type):
        return False
    from crossport.frontend.lowering.calls import _is_default

    given = list(start.get_arguments())
    if start.type.get_canonical().kind == TypeKind.CONSTANTARRAY:
        return all(_is_default(child) for child in given)
    if given:
        return False
    definition = called.get_definition() or called
    return cursors.written_body(called) is None and cursors.written_body(definition) is None


def _reference(ctx: Lowering, cursor: Cursor) -> None:
    start = cursors.initializer(cursor)
    if start is None:
        raise NotLowered("a reference without an initialiser")
    if group_kind(cursor.type) is not None:
        kind = ctx.lower_type(cursor.type)
        if kind == VOID:
            ctx.bindings[cursors.local_key(cursor)] = Fixed(None)
            return
    place = ctx.plain_place(start)
    ctx.bindings[cursors.local_key(cursor)] = bind_reference(ctx, place, str(cursor.spelling))


def bind_reference(ctx: Lowering, place: Place, name: str) -> Binding:
    """Another name for a place: the place itself where that cannot change, else a pointer."""
    if is_fixed(place):
        return place
    pointer = ctx.address(place)
    variable = Var(ctx.fresh(name or "reference"), pointer.type, span=ctx.here)
    ctx.emit(Let(variable, pointer, span=ctx.here))
    kind = pointer.type
    assert isinstance(kind, Pointer)
    return Deref(Read(variable, span=ctx.here), Const(0, I32), kind.element, span=ctx.here)


def is_fixed(place: Place) -> bool:
    """Does a place stay the same whatever happens?"""
    match place:
        case Var():
            return True
        case Member(base):
            return is_fixed(base)
        case Element(base, index):
            return is_fixed(base) and isinstance(index, Const)
        case _:
            return False


def shared_variable(ctx: Lowering, cursor: Cursor) -> Var:
    """A `__shared__` variable, declared in the function or (dynamic ones) in the file."""
    kind = ctx.lower_type(cursor.type)
    name = str(cursor.spelling)
    # Dynamic arrays share storage, and one declared twice is the same one.
    for shared in ctx.shared:
        if cursor.storage_class.name == "EXTERN" and shared.name == name and shared.type == kind:
            variable = Var(name, kind, span=ctx.here)
            ctx.bindings[cursors.local_key(cursor)] = variable
            return variable
    if cursor.storage_class.name == "EXTERN" and not isinstance(kind, Array):
        raise NotLowered("dynamic shared memory that is not an array")
    variable = ctx.declare(cursor, kind)
    align = _written_alignment(cursor)
    ctx.shared.append(SharedVar(variable.name, kind, align, span=cursors.span(cursor)))
    return variable


def _written_alignment(cursor: Cursor) -> int:
    """`__align__(16)` on a variable: the C API shows the attribute, and its value as a child."""
    for child in cursor.get_children():
        if child.kind == CursorKind.ALIGNED_ATTR:
            for value in child.get_children():
                number = clang.evaluate(value)
                if number is not None:
                    return int(number)
            digits = [w for w in cursors.tokens(child) if w.isdigit()]
            return int(digits[0]) if digits else 0
    return 0


def _structured_binding(ctx: Lowering, cursor: Cursor, parts: list[Cursor]) -> None:
    """`auto [a, b] = object`: names for the members of a copy (or of the object, with `&`)."""
    start = next((c for c in cursor.get_children() if c.kind.is_expression()), None)
    if start is None:
        raise NotLowered("structured binding of unknown shape")
    by_reference = cursor.type.get_canonical().kind in (
        TypeKind.LVALUEREFERENCE,
        TypeKind.RVALUEREFERENCE,
    )
    if by_reference:
        found = bind_reference(ctx, ctx.plain_place(start), "bound")
        assert not isinstance(found, Fixed)
        whole: Place = found
    else:
        value = ctx.value(start)
        variable = ctx.temp_var(value.type)
        ctx.emit(Let(variable, value, span=ctx.here))
        whole = variable
    for number, part in enumerate(parts):
        ctx.bindings[cursors.local_key(part)] = _part(ctx, whole, number)


def _part(ctx: Lowering, whole: Place, number: int) -> Place:
    kind = whole.type
    if isinstance(kind, Array):
        return Element(whole, Const(number, I32), kind.element, span=ctx.here)
    if isinstance(kind, Struct):
        for record in ctx.types.records.values():
            if record.type == kind and not record.overlapping:
                field = record.definition.fields[number]
                return Member(whole, field.name, field.type, span=ctx.here)
    raise NotLowered(f"structured binding of {kind}")
