"""Classes: whose method a function is, and what a constructor does before its body.

V(float x) : a(x), b(2) {}      V::V(this: V*, x: f32) { this->a = x; this->b = 2 }
"""

from __future__ import annotations

from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import BitField, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import Member
from crossport.ir.types import Struct

_METHODS = (CursorKind.CXX_METHOD, CursorKind.CONSTRUCTOR, CursorKind.CONVERSION_FUNCTION,
            CursorKind.DESTRUCTOR)  # fmt: skip


def owner(function: Cursor) -> ClangType | None:
    """The class whose object a method works on; None for functions and static methods."""
    parent = function.semantic_parent
    if parent is None or parent.kind not in (
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
        CursorKind.UNION_DECL,
    ):
        return None
    if function.kind not in _METHODS or function.is_static_method():
        return None
    return parent.type


def member_initializers(ctx: Lowering, constructor: Cursor) -> None:
    """Emit `: a(x), b(2)`, and the defaults of members that the list leaves out."""
    from crossport.frontend.lowering import initializers

    source = constructor.semantic_parent.type
    record = ctx.types.record(source)
    assert ctx.this is not None
    target = ctx.target(ctx.this)
    written = _written(constructor)
    if written and written[0][0] is None:
        raise NotLowered("delegating constructor")
    given = {name: start for name, start in written if name is not None}
    for slot in initializers._slots(source):
        start = given.pop(slot.name, None)
        if slot.name in record.bits:
            bits = record.bits[slot.name]
            if start is not None:
                unit = Member(target, bits.unit, bits.unit_type, span=ctx.here)
                ctx.store(BitField(unit, bits), ctx.value(start))
            continue
        if slot.unnamed:
            continue
        if not any(f.name == slot.name for f in record.definition.fields):
            continue
        field = record.definition.field(slot.name)
        member = Member(target, slot.name, field.type, span=ctx.here)
        if start is not None:
            _initialize(ctx, member, start, slot.kind)
        elif slot.default is not None:
            _initialize(ctx, member, slot.default, slot.kind)
        elif isinstance(field.type, Struct) or slot.kind.get_canonical().kind == (
            TypeKind.CONSTANTARRAY
        ):
            initializers.default_construct(ctx, member, slot.kind)
    for name, start in given.items():
        # Members of unnamed unions; empty bases need nothing.
        if any(f.name == name for f in record.definition.fields):
            field = record.definition.field(name)
            ctx.store(Member(target, name, field.type, span=ctx.here), ctx.value(start))


def _initialize(ctx: Lowering, member: Member, start: Cursor, source: ClangType) -> None:
    from crossport.frontend.lowering import constructors, initializers

    ctx.here = cursors.span(start) or ctx.here
    canonical = source.get_canonical()
    if canonical.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        ctx.store(member, ctx.address(ctx.plain_place(start)))
        return
    constructor = constructors.constructor_below(ctx, start)
    if constructor is not None and isinstance(member.type, Struct):
        constructors.construct_into(ctx, constructor, member)
        return
    if start.kind == CursorKind.INIT_LIST_EXPR:
        ctx.store(member, initializers.list_value(ctx, start, member.type, source))
        return
    from crossport.frontend.lowering.literals import zero

    if start.kind == CursorKind.UNEXPOSED_EXPR and not cursors.operands(start):
        ctx.store(member, zero(ctx, member.type))  # a()
        return
    ctx.store(member, ctx.value(start))


def _written(constructor: Cursor) -> list[tuple[str | None, Cursor]]:
    """Pairs of a member (or base) and its initialiser; None for the class itself."""
    children = [
        child
        for child in constructor.get_children()
        if child.kind not in (CursorKind.PARM_DECL, CursorKind.COMPOUND_STMT)
        and (
            child.kind.is_expression() or child.kind in (CursorKind.MEMBER_REF, CursorKind.TYPE_REF)
        )
    ]
    found: list[tuple[str | None, Cursor]] = []
    name: str | None = None
    pending = False
    own = str(constructor.semantic_parent.spelling)
    for child in children:
        if child.kind == CursorKind.MEMBER_REF:
            name, pending = str(child.spelling), True
        elif child.kind == CursorKind.TYPE_REF:
            spelled = str(child.referenced.spelling) if child.referenced is not None else ""
            name, pending = (None if spelled == own else spelled), True
        elif pending and child.kind.is_expression():
            found.append((name, child))
            pending = False
        elif child.kind == CursorKind.CALL_EXPR and child.referenced is not None:
            # A base of a template type has no reference of its own.
            found.append((str(child.referenced.semantic_parent.spelling), child))
    return found
