"""Braced lists and constructors: what a new object starts as.

    P p = {.x = 1, .z = {2}}     Aggregate(1, 0, (2.0,))       missing ones are zero
    P a[2] = {1, 2, 3, 4}        Aggregate((1, 2), (3, 4))     braces left out
    union { int i; float f; } u = {1}                          a variable and an assignment

libclang shows a list as it is written: without conversions, zeros, or elided braces.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import Record, is_unnamed_member
from crossport.ir.nodes import Aggregate, Const, Element, Expr, Let, Member, Place, Read
from crossport.ir.types import I32, Array, Struct, Type


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that an aggregate's list initialises: a base, a member, or an unnamed union."""

    name: str
    kind: ClangType
    default: Cursor | None = None
    unnamed: bool = False


class _Items:
    """The written items, taken one by one: a nested aggregate without braces takes several."""

    def __init__(self, items: list[Cursor]) -> None:
        self._items = items
        self._next = 0

    def peek(self) -> Cursor | None:
        return self._items[self._next] if self._next < len(self._items) else None

    def take(self) -> Cursor:
        self._next += 1
        return self._items[self._next - 1]


def list_value(ctx: Lowering, cursor: Cursor, kind: Type, source: ClangType) -> Expr:
    """The value of `{...}` for an object of a type."""
    items = _Items(cursors.operands(cursor))
    only = items.peek()
    if only is not None and len(cursors.operands(cursor)) == 1 and _is_whole(ctx, only, kind):
        return ctx.value(only)  # {other} copies
    result = _aggregate(ctx, items, kind, source)
    if items.peek() is not None:
        raise NotLowered("more initialisers than members")
    return result


def _is_whole(ctx: Lowering, cursor: Cursor, kind: Type) -> bool:
    if not isinstance(kind, Struct) or cursor.kind == CursorKind.INIT_LIST_EXPR:
        return False
    return cursor.type.get_canonical().kind == TypeKind.RECORD and ctx.type(cursor) == kind


def _aggregate(ctx: Lowering, items: _Items, kind: Type, source: ClangType) -> Expr:
    from crossport.frontend.lowering.literals import zero

    source = source.get_canonical()
    if source.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        source = source.get_pointee().get_canonical()
    match kind:
        case Array(element, length):
            return _array(ctx, items, kind, source, element, length)
        case Struct():
            return _struct(ctx, items, kind, source)
        case _:
            if items.peek() is None:
                return zero(ctx, kind)
            return _item(ctx, items, kind, source)


def _array(
    ctx: Lowering, items: _Items, kind: Array, source: ClangType, element: Type, length: int
) -> Expr:
    from crossport.frontend.lowering.literals import zero

    if (first := items.peek()) is not None and first.kind == CursorKind.STRING_LITERAL:
        return ctx.module.string_array(items.take(), kind)
    values: dict[int, Expr] = {}
    index = 0
    while (item := items.peek()) is not None and index < length:
        designated = _array_designator(item)
        if designated is not None:
            index, inner = designated
            items.take()
            values[index] = _item(ctx, _Items([inner]), element, source.element_type)
        else:
            values[index] = _item(ctx, items, element, source.element_type)
        index += 1
    last = max(values, default=-1)
    ordered = tuple(values[i] if i in values else zero(ctx, element) for i in range(last + 1))
    return Aggregate(ordered, kind, span=ctx.here)


def _array_designator(item: Cursor) -> tuple[int, Cursor] | None:
    """`[3] = x`."""
    below = list(item.get_children())
    if item.kind != CursorKind.UNEXPOSED_EXPR or len(below) != 2:
        return None
    if item.type.kind != TypeKind.VOID or below[0].kind == CursorKind.MEMBER_REF:
        return None
    index = clang.evaluate(below[0])
    return (int(index), below[1]) if index is not None else None


def _struct(ctx: Lowering, items: _Items, kind: Struct, source: ClangType) -> Expr:
    record = ctx.types.record(source)
    slots = list(_slots(source))
    if record.overlapping:
        return _filled(ctx, items, kind, source, slots)
    named = {slot.name: slot for slot in slots}
    values: dict[str, Expr] = {}
    order = iter(slots)
    for slot in order:
        item = items.peek()
        if item is None:
            break
        designated = _member_designator(item)
        if designated is not None:
            name, inner = designated
            if name not in named:
                raise NotLowered(f"designated initialiser {name}")
            items.take()
            slot = named[name]
            order = iter(slots[slots.index(slot) + 1 :])
            values[name] = _slot(ctx, _Items([inner]), record, slot)
            while (item := items.peek()) is not None and _member_designator(item) is not None:
                name, inner = _member_designator(items.take())  # type: ignore[misc]
                slot = named[name]
                values[name] = _slot(ctx, _Items([inner]), record, slot)
            order = iter(slots[slots.index(slot) + 1 :])
            break
        values[slot.name] = _slot(ctx, items, record, slot)
    return _ordered(ctx, record, named, values)


def _slot(ctx: Lowering, items: _Items, record: Record, slot: Slot) -> Expr:
    kind = record.definition.field(slot.name).type
    return _item(ctx, items, kind, slot.kind)


def _ordered(
    ctx: Lowering, record: Record, slots: dict[str, Slot], values: dict[str, Expr]
) -> Expr:
    from crossport.frontend.lowering.literals import zero

    complete: list[Expr] = []
    last = 0
    for number, field in enumerate(record.definition.fields):
        if field.name in values:
            complete.append(values[field.name])
            last = number + 1
            continue
        slot = slots.get(field.name)
        if slot is not None and slot.default is not None:
            complete.append(_default(ctx, slot, field.type))
            last = number + 1
        else:
            complete.append(zero(ctx, field.type))
    return Aggregate(tuple(complete[:last]), record.type, span=ctx.here)


def _default(ctx: Lowering, slot: Slot, kind: Type) -> Expr:
    assert slot.default is not None
    if slot.default.kind == CursorKind.INIT_LIST_EXPR:
        return list_value(ctx, slot.default, kind, slot.kind)
    return ctx.convert(ctx.value(slot.default), kind)


def _item(ctx: Lowering, items: _Items, kind: Type, source: ClangType) -> Expr:
    """One element or member: a nested list, a whole value, or the items of elided braces."""
    item = items.peek()
    assert item is not None
    if item.kind == CursorKind.INIT_LIST_EXPR:
        return list_value(ctx, items.take(), kind, source)
    if item.kind == CursorKind.STRING_LITERAL and isinstance(kind, Array):
        return ctx.module.string_array(items.take(), kind)
    if isinstance(kind, Array) or (isinstance(kind, Struct) and not _is_whole(ctx, item, kind)):
        if item.kind == CursorKind.CALL_EXPR and ctx.type(item) == kind:
            return ctx.value(items.take())
        return _aggregate(ctx, items, kind, source)
    return ctx.convert(ctx.value(items.take()), kind)


def _member_designator(item: Cursor) -> tuple[str, Cursor] | None:
    """`.x = value`; chains (`.a.b = 1`) are refused."""
    below = list(item.get_children())
    if item.kind != CursorKind.UNEXPOSED_EXPR or len(below) < 2:
        return None
    if below[0].kind != CursorKind.MEMBER_REF:
        return None
    if len(below) != 2:
        raise NotLowered("nested designated initialiser")
    return str(below[0].spelling), below[1]


def _slots(source: ClangType) -> Iterator[Slot]:
    """What a list initialises, in order: bases first, then members."""
    declaration = source.get_declaration()
    from crossport.frontend.lowering.types import _base_name, is_empty

    for child in declaration.get_children():
        if child.kind == CursorKind.CXX_BASE_SPECIFIER and not is_empty(child.type.get_canonical()):
            yield Slot(_base_name(child.type), child.type)
    for field in source.get_fields():
        if not is_unnamed_member(field):
            yield Slot(str(field.spelling), field.type, member_default(field))
        else:
            yield Slot("", field.type, unnamed=True)


def member_default(field: Cursor) -> Cursor | None:
    """The initialiser written at a member's declaration."""
    found = [c for c in field.get_children() if c.kind.is_expression()]
    if field.is_bitfield() and found:
        found = found[1:]
    # Template arguments of the member's type are expressions, too.
    if found and not _has_initializer(field):
        return None
    if not found or found[-1].kind == CursorKind.INIT_LIST_EXPR:
        return found[-1] if found else None
    # An array member's bounds are expressions too.
    kind = field.type.get_canonical()
    dimensions = 0
    while kind.kind == TypeKind.CONSTANTARRAY:
        dimensions, kind = dimensions + 1, kind.element_type.get_canonical()
    return found[-1] if dimensions == 0 else None


def _has_initializer(field: Cursor) -> bool:
    """Is there a `=` or `{` behind the member's name?"""
    words = cursors.tokens(field)
    name = str(field.spelling)
    if name not in words:
        return True  # inside a macro: believe the tree
    rest = (
        words[len(words) - words[::-1].index(name) :]
        if words.count(name) > 1
        else words[words.index(name) + 1 :]
    )
    return "=" in rest or "{" in rest


def _filled(
    ctx: Lowering, items: _Items, kind: Struct, source: ClangType, slots: list[Slot]
) -> Expr:
    """Unions and bit-fields: member by member, in a variable, on zeroed storage."""
    variable = ctx.temp_var(kind)
    ctx.emit(Let(variable, None, span=ctx.here))
    from crossport.frontend.lowering.literals import zero

    for field in ctx.types.record(source).definition.fields:
        ctx.store(Member(variable, field.name, field.type, span=ctx.here), zero(ctx, field.type))
    fill(ctx, variable, items, source, slots)
    return Read(variable, span=ctx.here)


def is_overlapping(ctx: Lowering, source: ClangType) -> bool:
    """A union, or a struct whose members share bytes: it is written member by member."""
    canonical = source.get_canonical()
    if canonical.kind != TypeKind.RECORD or not isinstance(ctx.lower_type(canonical), Struct):
        return False
    return ctx.types.record(canonical).overlapping


def fill_list(ctx: Lowering, target: Place, cursor: Cursor, source: ClangType) -> None:
    """`{...}` for such an object, in place: zero all of it, then write what the list names."""
    from crossport.frontend.lowering.literals import zero

    source = source.get_canonical()
    for field in ctx.types.record(source).definition.fields:
        member = Member(target, field.name, field.type, span=ctx.here)
        ctx.store(member, zero(ctx, field.type))
    fill(ctx, target, _Items(cursors.operands(cursor)), source, list(_slots(source)))


def fill(ctx: Lowering, target: Place, items: _Items, source: ClangType, slots: list[Slot]) -> None:
    """Assign the items to the members of `target`, which is zero."""
    is_union = source.get_declaration().kind == CursorKind.UNION_DECL
    position = 0
    while (item := items.peek()) is not None and position < len(slots):
        designated = _member_designator(item)
        if designated is not None:
            name, inner = designated
            items.take()
            position = next((i for i, s in enumerate(slots) if s.name == name), -1)
            if position < 0:
                raise NotLowered(f"designated initialiser {name}")
            _fill_slot(ctx, target, _Items([inner]), slots[position], source)
        else:
            _fill_slot(ctx, target, items, slots[position], source)
        position += 1
        if is_union:
            return


def _fill_slot(ctx: Lowering, target: Place, items: _Items, slot: Slot, source: ClangType) -> None:
    if slot.unnamed:
        inner = slot.kind.get_canonical()
        item = items.peek()
        if item is not None and item.kind == CursorKind.INIT_LIST_EXPR:
            items = _Items(cursors.operands(items.take()))
        fill(ctx, target, items, inner, list(_slots(inner)))
        return
    record = ctx.types.record(_owner_of(ctx, target, source))
    if slot.name in record.bits:
        from crossport.frontend.lowering.context import BitField

        bits = record.bits[slot.name]
        value = _item(ctx, items, bits.type, slot.kind)
        ctx.store(BitField(Member(target, bits.unit, bits.unit_type), bits), value)
        return
    field = record.definition.field(slot.name)
    value = _item(ctx, items, field.type, slot.kind)
    ctx.store(Member(target, field.name, field.type, span=ctx.here), value)


def _owner_of(ctx: Lowering, target: Place, source: ClangType) -> ClangType:
    """The named type around: members of unnamed ones were folded into it."""
    for record in ctx.types.records.items():
        if record[1].type == target.type:
            declaration = source.get_declaration()
            while declaration.hash != record[0] and declaration.is_anonymous():
                declaration = declaration.semantic_parent
            return declaration.type
    return source


def default_construct(ctx: Lowering, target: Place, source: ClangType) -> None:
    """What an implicit default constructor does: member defaults, and members' constructors."""
    from crossport.frontend.lowering import constructors

    source = source.get_canonical()
    if source.kind == TypeKind.CONSTANTARRAY:
        if not needs_construction(source):
            return
        if source.element_count > 64:
            raise NotLowered("an array of more than 64 objects with constructors")
        kind = target.type
        assert isinstance(kind, Array)
        for index in range(source.element_count):
            element = Element(target, Const(index, I32), kind.element, span=ctx.here)
            default_construct(ctx, element, source.element_type)
        return
    if source.kind != TypeKind.RECORD or not isinstance(target.type, Struct):
        return
    constructor = user_default_constructor(source)
    if constructor is not None:
        constructors.call_constructor(ctx, constructor, target, [])
        return
    record = ctx.types.record(source)
    for slot in _slots(source):
        if slot.unnamed or slot.name in record.bits:
            continue
        if not any(f.name == slot.name for f in record.definition.fields):
            continue
        field = record.definition.field(slot.name)
        member = Member(target, slot.name, field.type, span=ctx.here)
        if slot.default is not None:
            ctx.store(member, _default(ctx, slot, field.type))
        else:
            default_construct(ctx, member, slot.kind)


def needs_construction(source: ClangType) -> bool:
    """Does an object of the type start with anything but garbage?"""
    source = source.get_canonical()
    if source.kind == TypeKind.CONSTANTARRAY:
        return needs_construction(source.element_type)
    if source.kind != TypeKind.RECORD:
        return False
    if user_default_constructor(source) is not None:
        return True
    return any(slot.default is not None or needs_construction(slot.kind) for slot in _slots(source))


def user_default_constructor(source: ClangType) -> Cursor | None:
    """A default constructor with a body (default arguments count)."""
    for child in source.get_declaration().get_children():
        if child.kind != CursorKind.CONSTRUCTOR or not child.is_default_constructor():
            continue
        if cursors.written_body(child) is not None:
            return child
        definition = child.get_definition()
        if definition is not None and cursors.written_body(definition) is not None:
            return child
    return None
