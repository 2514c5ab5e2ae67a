"""Objects coming to life: constructors, `new` and `delete`.

    V v(1, 2)            let v: V; V::V(&v, 1, 2)
    half2(x, y)          half2{x, y}
    new T                _t1 = malloc(sizeof(T)); T::T(_t1)

A copy that the compiler makes up is a plain value; a default constructor without code of its own
does what the members say.
"""

from __future__ import annotations

from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, members
from crossport.frontend.lowering.calls import argument, argument_parts
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.functions import definition_of
from crossport.frontend.lowering.types import group_kind, is_lambda
from crossport.ir.nodes import (
    Aggregate,
    Call,
    Cast,
    Const,
    Effect,
    Expr,
    Place,
    Read,
)
from crossport.ir.types import U32, U64, VOID, Pointer, Struct, Type

# Classes of CUDA's own whose constructors only set the members.
_PLAIN_CLASSES = ("dim3", "half2", "nv_bfloat162")


def constructor_below(ctx: Lowering, cursor: Cursor) -> Cursor | None:
    """The constructor call that makes an object here, if one has to run (copies need none)."""
    kind = cursor.type.get_canonical()
    if kind.kind != TypeKind.RECORD:
        return None
    while cursor.kind in (
        CursorKind.UNEXPOSED_EXPR,
        CursorKind.PAREN_EXPR,
        CursorKind.CXX_FUNCTIONAL_CAST_EXPR,
    ):
        below = [c for c in cursors.operands(cursor) if c.kind.is_expression()]
        if len(below) != 1 or below[0].type.get_canonical().kind != TypeKind.RECORD:
            return None
        cursor = below[0]
    if cursor.kind != CursorKind.CALL_EXPR or cursor.referenced is None:
        return None
    callee = cursor.referenced
    if callee.kind != CursorKind.CONSTRUCTOR or not isinstance(ctx.type(cursor), Struct):
        return None
    if _copies(callee) is not None and cursors.written_body(definition_of(callee)) is None:
        source = _only_argument(cursor)
        if source is not None:
            return constructor_below(ctx, source)
        return None
    return cursor


def _copies(callee: Cursor) -> bool | None:
    return True if callee.is_copy_constructor() or callee.is_move_constructor() else None


def _only_argument(cursor: Cursor) -> Cursor | None:
    args = list(cursor.get_arguments())
    return args[0] if len(args) == 1 else None


def construct(ctx: Lowering, cursor: Cursor) -> Expr:
    """The value of `T(args)`."""
    kind = ctx.type(cursor)
    callee = cursor.referenced
    args = list(cursor.get_arguments())
    if kind == VOID:
        from crossport.frontend.lowering.literals import NOTHING

        return NOTHING  # a group
    if not isinstance(kind, Struct):
        return _construct_scalar(ctx, args, kind)
    if _copies(callee) is not None and cursors.written_body(definition_of(callee)) is None and args:
        if group_kind(cursor.type) is None and is_lambda(cursor.type):
            return ctx.value(args[0])
        return ctx.value(args[0])
    if kind.name == "dim3" and cursors.is_shim(callee):
        return Aggregate(_dim3(ctx, cursor, callee, args), kind, span=ctx.here)
    if cursors.is_shim(callee) and kind.name in ("half2", "nv_bfloat162") and len(args) == 2:
        from crossport.frontend.lowering import halves

        return halves.pair(ctx, kind, args)
    target = ctx.new_temp(kind)
    construct_into(ctx, cursor, target)
    return Read(target, span=ctx.here)


def _construct_scalar(ctx: Lowering, args: list[Cursor], kind: Type) -> Expr:
    from crossport.frontend.lowering.expressions import explicit
    from crossport.frontend.lowering.literals import zero

    if not args:
        return zero(ctx, kind)
    return explicit(ctx, ctx.value(args[0]), kind)


def _dim3(ctx: Lowering, cursor: Cursor, callee: Cursor, args: list[Cursor]) -> tuple[Expr, ...]:
    if len(args) == 1 and args[0].type.get_canonical().kind == TypeKind.RECORD:
        value = ctx.stable(ctx.value(args[0]))
        from crossport.frontend.lowering.members import extract

        return tuple(extract(value, axis, U32, ctx) for axis in "xyz")
    parameters = list(callee.get_arguments())
    return tuple(
        ctx.sequence(
            *[
                lambda a=a, p=p: argument(ctx, a, p, U32)
                for a, p in zip(args, parameters, strict=False)
            ]
        )
    )


def construct_into(ctx: Lowering, cursor: Cursor, target: Place) -> None:
    """Run the constructor of a `CALL_EXPR` on a variable."""
    from crossport.frontend.lowering import initializers

    callee = cursor.referenced
    args = list(cursor.get_arguments())
    if is_lambda(cursor.type):
        ctx.store(target, ctx.value(args[0]) if args else ctx.value(cursor))
        return
    simple = isinstance(target.type, Struct) and target.type.name in _PLAIN_CLASSES
    if simple and args and cursors.is_shim(callee):
        ctx.store(target, construct(ctx, cursor))
        return
    if cursors.written_body(definition_of(callee)) is None:
        if _copies(callee) is not None and args:
            ctx.store(target, ctx.value(args[0]))
            return
        if not args:
            initializers.default_construct(ctx, target, cursor.type)
            return
        raise NotLowered(f"the constructor of {cursor.type.spelling} has no definition here")
    call_constructor(ctx, callee, target, args)


def call_constructor(ctx: Lowering, callee: Cursor, target: Place, args: list[Cursor]) -> None:
    """Emit the call of a constructor that has a body."""

    name = ctx.module.function(callee)
    definition = definition_of(callee)
    wanted = ctx.types.record(definition.semantic_parent.type).type
    if isinstance(target.type, Struct) and target.type != wanted:
        target = members.to_base(ctx, target, wanted.name)  # an inherited constructor
    given = list(args)
    parameters = list(definition.get_arguments())
    pointer = ctx.address(target)
    parts = [lambda: pointer, *argument_parts(ctx, definition, tuple(given))]
    for parameter in parameters[len(given) :]:
        kind = ctx.types.parameter(parameter.type)
        written = [c for c in parameter.get_children() if c.kind.is_expression()]
        if not written:
            raise NotLowered(f"the default of parameter {parameter.spelling}")
        parts.append(lambda w=written[-1], p=parameter, k=kind: argument(ctx, w, p, k))  # type: ignore[misc]
    values = ctx.sequence(*parts)
    ctx.emit(Call(None, name, tuple(values), span=ctx.here))


# --- new and delete ----------------------------------------------------------------------------


def new(ctx: Lowering, cursor: Cursor) -> Expr:
    """`new T` and `new T[n]` of types without constructors."""
    from crossport.frontend.lowering import initializers

    kind = ctx.type(cursor)
    if not isinstance(kind, Pointer):
        raise NotLowered("new")
    element = cursor.type.get_canonical().get_pointee()
    size = max(int(element.get_size()), 1)
    words = cursors.tokens(cursor)
    count: Expr = Const(1, U64)
    below = [c for c in cursor.get_children() if c.kind.is_expression()]
    is_array = "[" in words and below and "(" not in words[: words.index("[")]
    if is_array:
        count = ctx.convert(ctx.value(below[0]), U64)
    from crossport.ir.nodes import Binary

    raw = ctx.new_temp(Pointer(VOID))
    length: Expr = Const(size, U64)
    if is_array:
        length = Binary("*", count, Const(size, U64), span=ctx.here)
    ctx.emit(Effect(raw, "malloc", (length,), span=ctx.here))
    pointer = ctx.temp(Cast(Read(raw), kind, span=ctx.here))
    if is_array:
        if initializers.needs_construction(element):
            raise NotLowered("new of an array of objects with constructors")
        return pointer
    start = below[-1] if below else None
    if start is not None:
        target = ctx.target(pointer)
        constructor = constructor_below(ctx, start)
        if constructor is not None:
            construct_into(ctx, constructor, target)
        elif start.kind != CursorKind.CALL_EXPR or cursors.operands(start):
            ctx.store(target, ctx.value(start))
    return pointer


def delete(ctx: Lowering, cursor: Cursor) -> Expr:
    """`delete p` of types without destructors."""
    from crossport.frontend.lowering.literals import NOTHING

    pointer = ctx.value(cursors.operands(cursor)[0])
    ctx.emit(Effect(None, "free", (ctx.convert(pointer, Pointer(VOID)),), span=ctx.here))
    return NOTHING
