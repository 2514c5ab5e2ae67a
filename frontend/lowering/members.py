"""Members: the field of an object, of its bases, of an unnamed union; of values in registers."""

from __future__ import annotations

from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import (
    BitField,
    Lowering,
    Lvalue,
)
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import Record, is_unnamed_member
from crossport.ir.nodes import (
    Cast,
    Expr,
    Extract,
    Member,
    Place,
    Read,
)
from crossport.ir.types import Handle, Pointer, Scalar, Struct, Type


def member_of(ctx: Lowering, base: Place, cursor: Cursor) -> Lvalue:
    """`base.member` for a `MEMBER_REF_EXPR`."""
    field = cursor.referenced
    name = str(cursor.spelling)
    owner = field.semantic_parent
    if isinstance(base.type, Handle):
        raise NotLowered(f"member {name} of {base.type.what}")
    record = ctx.types.record(_record_around(owner))
    if isinstance(base.type, Struct) and base.type != record.type:
        # The member belongs to a base class: go down to it.
        base = to_base(ctx, base, record.type.name)
    if name in record.bits:
        bits = record.bits[name]
        return BitField(Member(base, bits.unit, bits.unit_type, span=ctx.here), bits)
    kind = ctx.lower_type(field.type)
    if field.type.get_canonical().kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        return ctx.target(Read(Member(base, name, kind, span=ctx.here), span=ctx.here))
    return Member(base, name, kind, span=ctx.here)


def to_base(ctx: Lowering, derived: Place, base_name: str) -> Place:
    """The base class object inside a derived one."""
    if isinstance(derived.type, Struct) and derived.type.name == base_name:
        return derived
    path = path_to_base(ctx, derived.type, base_name)
    if path is None:
        # An empty base has no place of its own: look at the object as if it were the base.
        pointer = Cast(ctx.address(derived), Pointer(Struct(base_name)), span=ctx.here)
        return ctx.target(pointer)
    for name in path:
        record = _record_named(ctx, derived.type)
        assert record is not None
        kind = record.definition.field(name).type
        derived = Member(derived, name, kind, span=ctx.here)
    return derived


def path_to_base(ctx: Lowering, kind: Type, base_name: str) -> list[str] | None:
    record = _record_named(ctx, kind)
    if record is None:
        return None
    for field_name in record.bases.values():
        inner = record.definition.field(field_name).type
        if isinstance(inner, Struct) and inner.name == base_name:
            return [field_name]
        below = path_to_base(ctx, inner, base_name)
        if below is not None:
            return [field_name, *below]
    return None


def _record_named(ctx: Lowering, kind: Type) -> Record | None:
    if not isinstance(kind, Struct):
        return None
    for record in ctx.types.records.values():
        if record.definition.name == kind.name:
            return record
    return None


def _record_around(owner: Cursor) -> ClangType:
    """The type of the innermost class that has a name: anonymous ones were folded into it."""
    while cursors.is_unnamed_record(owner):
        owner = owner.semantic_parent
    return owner.type


def member(ctx: Lowering, cursor: Cursor) -> Lvalue:
    field = cursor.referenced
    if field is not None and field.kind == CursorKind.VAR_DECL:  # a static member
        from crossport.frontend.lowering.places import name_place

        return name_place(ctx, cursor)
    if field is None or field.kind != CursorKind.FIELD_DECL:
        raise NotLowered(f"member {cursor.spelling}")
    below = cursors.operands(cursor)
    if is_unnamed_member(field):  # its members belong to the class around it
        return _around_unnamed(ctx, field, below)
    if not below:
        return member_of(ctx, ctx.target(this_pointer(ctx, field.semantic_parent)), cursor)
    base = below[0]
    if base.kind == CursorKind.CXX_THIS_EXPR:
        return member_of(ctx, ctx.target(this_pointer(ctx, field.semantic_parent)), cursor)
    if base.type.get_canonical().kind == TypeKind.POINTER:
        return member_of(ctx, ctx.target(ctx.value(base)), cursor)
    return member_of(ctx, ctx.plain_place(base), cursor)


def _around_unnamed(ctx: Lowering, field: Cursor, below: list[Cursor]) -> Lvalue:
    """The object that an unnamed union is part of."""
    if not below or below[0].kind == CursorKind.CXX_THIS_EXPR:
        return ctx.target(this_pointer(ctx, field.semantic_parent))
    if below[0].type.get_canonical().kind == TypeKind.POINTER:
        return ctx.target(ctx.value(below[0]))
    return ctx.plain_place(below[0])


def this_pointer(ctx: Lowering, owner: Cursor) -> Expr:
    """`this` for a member of `owner`: in a lambda it may be the object that was captured."""
    if ctx.captured_this is not None and ctx.this is not None:
        inner = ctx.this.type
        wanted = ctx.types.record(owner.type).type if owner is not None else None
        if wanted is None or inner != Pointer(wanted):
            return ctx.captured_this
    if ctx.this is None:
        raise NotLowered("`this` outside a method")
    return ctx.this


def read_extract(ctx: Lowering, value: Expr, name: str) -> Expr:
    """`value.name` of a struct value."""
    kind = value.type
    record = _record_named(ctx, kind)
    if record is None:
        raise NotLowered(f"member {name} of {kind}")
    field = record.definition.field(name)
    return extract(value, name, field.type, ctx)


def extract(value: Expr, name: str, kind: Type, ctx: Lowering) -> Expr:
    """A member of a struct value, read from its place where it has one."""
    from crossport.ir.nodes import Aggregate

    if isinstance(value, Read):
        return Read(Member(value.place, name, kind, span=value.span), span=value.span)
    if isinstance(value, Aggregate):
        record = _record_named(ctx, value.type)
        if record is not None:
            names = [f.name for f in record.definition.fields]
            index = names.index(name)
            if index < len(value.values):
                return value.values[index]
    return Extract(value, name, kind, span=ctx.here)


def as_signed(kind: Scalar) -> Scalar:
    return Scalar(kind.kind.replace("u", "i"))  # type: ignore[arg-type]
