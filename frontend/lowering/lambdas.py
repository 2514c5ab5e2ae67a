"""Lambdas: a struct of what was captured, and an ordinary method on it.

    [&s, n](int j) { s += j * n; }      struct lambda { s: f32*; n: i32 }
                                        lambda(this: lambda*, j: i32) { *this->s = ... this->n }

libclang does not show what `[=]` and `[&]` capture: the free variables of the body are that, by the
default or by what the list says of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Fixed, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import Capture, Record, is_lambda
from crossport.ir.nodes import Aggregate, Const, Deref, Expr, Member, Read
from crossport.ir.types import I32, VOID, Field, Pointer, StructDef, Type

if TYPE_CHECKING:
    from crossport.frontend.lowering.module import ModuleLowering

_FUNCTIONS = (
    CursorKind.FUNCTION_DECL,
    CursorKind.CXX_METHOD,
    CursorKind.CONSTRUCTOR,
    CursorKind.FUNCTION_TEMPLATE,
    CursorKind.DESTRUCTOR,
    CursorKind.CONVERSION_FUNCTION,
)


def layout(module: ModuleLowering, kind: ClangType, record: Record) -> None:
    """Fill in the struct of a closure type."""
    declaration = kind.get_declaration()
    operator = _call_operator(declaration)
    if operator is None:
        raise NotLowered("a lambda without a body")
    default, named = _capture_list(module, declaration)
    fields: list[Field] = []
    captures: list[Capture] = []
    offset, align = 0, 1
    for variable in _free_variables(operator):
        if variable is None:
            by_reference, name = True, "this"
            owner = _enclosing_class(declaration)
            field_type: Type = Pointer(module.types.record(owner).type)
            key = (0, "this")
        else:
            name = str(variable.spelling)
            by_reference = named.get(name, default) == "&"
            inner = _lowered(module, variable)
            if inner == VOID:
                continue
            field_type = Pointer(inner) if by_reference else inner
            key = cursors.local_key(variable)
        size, alignment = module.types.size_of(field_type)
        offset = -(-offset // alignment) * alignment
        field_name = name if all(f.name != name for f in fields) else f"{name}#{len(fields)}"
        fields.append(Field(field_name, field_type, offset))
        captures.append(Capture(key, field_name, by_reference, variable))
        offset, align = offset + size, max(align, alignment)
    module.types.closures[declaration.hash] = tuple(captures)
    size = max(1, -(-offset // align) * align)
    record.definition = StructDef(record.definition.name, tuple(fields), size, align)


def closure(ctx: Lowering, cursor: Cursor) -> Expr:
    """The value of a lambda expression: what it captures."""
    record = ctx.types.record(cursor.type)
    declaration = cursor.type.get_canonical().get_declaration()
    parts = []
    for capture in ctx.types.closures[declaration.hash]:
        parts.append(lambda c=capture: _captured(ctx, c))
    return Aggregate(tuple(ctx.sequence(*parts)), record.type, span=ctx.here)


def _captured(ctx: Lowering, capture: Capture) -> Expr:
    if capture.declaration is None:
        pointer = ctx.captured_this if ctx.captured_this is not None else ctx.this
        if pointer is None:
            raise NotLowered("captured `this` outside a method")
        return pointer
    binding = ctx.bindings.get(capture.key)
    if binding is None:
        start = cursors.initializer(capture.declaration)
        if start is None:
            raise NotLowered(f"captured {capture.key[1]} is not known here")
        if capture.by_reference:
            return ctx.address(ctx.plain_place(start))
        return ctx.convert(ctx.value(start), ctx.lower_type(capture.declaration.type))
    if isinstance(binding, Fixed):
        if binding.value is None or capture.by_reference:
            raise NotLowered(f"capture of {capture.key[1]}")
        return binding.value
    if capture.by_reference:
        return ctx.address(binding)
    return ctx.load(binding)


def bind_captures(ctx: Lowering, owner: ClangType) -> None:
    """Inside a lambda's body: captured names are members of the closure."""
    if not is_lambda(owner):
        return
    record = ctx.types.record(owner)
    declaration = owner.get_canonical().get_declaration()
    assert ctx.this is not None
    whole = ctx.target(ctx.this)
    for capture in ctx.types.closures[declaration.hash]:
        field = record.definition.field(capture.field)
        member = Member(whole, capture.field, field.type, span=ctx.here)
        if capture.declaration is None:
            ctx.captured_this = Read(member, span=ctx.here)
        elif capture.by_reference:
            assert isinstance(field.type, Pointer)
            pointer = Read(member, span=ctx.here)
            place = Deref(pointer, Const(0, I32), field.type.element, span=ctx.here)
            ctx.bindings[capture.key] = place
        else:
            ctx.bindings[capture.key] = member


def _call_operator(declaration: Cursor) -> Cursor | None:
    for child in declaration.get_children():
        if child.spelling == "operator()" and child.kind in (
            CursorKind.CXX_METHOD,
            CursorKind.FUNCTION_TEMPLATE,
        ):
            return child
    return None


def _lowered(module: ModuleLowering, variable: Cursor) -> Type:
    kind = _object_type(variable)
    if variable.kind == CursorKind.PARM_DECL:
        return module.types.parameter(kind)
    return module.types.lower(kind)


def _object_type(variable: Cursor) -> ClangType:
    kind = variable.type
    if kind.get_canonical().kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        return kind.get_canonical().get_pointee()
    return kind


def _free_variables(operator: Cursor) -> Iterator[Cursor | None]:
    """Locals of the functions around, in order of first use; None stands for `this`."""
    inside: set[tuple[int, str]] = set()
    seen: set[tuple[int, str]] = set()
    uses_this = False
    for node in clang.walk(operator):
        if node.kind in (CursorKind.VAR_DECL, CursorKind.PARM_DECL, CursorKind.UNEXPOSED_DECL):
            inside.add(cursors.local_key(node))
    for node in clang.walk(operator):
        if node.kind == CursorKind.CXX_THIS_EXPR:
            uses_this = True
        elif node.kind == CursorKind.MEMBER_REF_EXPR:
            member = node.referenced
            if member is not None and member.kind in (CursorKind.FIELD_DECL, CursorKind.CXX_METHOD):
                base = [c for c in cursors.operands(node) if c.kind.is_expression()]
                if not base and not (
                    member.kind == CursorKind.CXX_METHOD and member.is_static_method()
                ):
                    uses_this = True
        elif node.kind == CursorKind.DECL_REF_EXPR:
            found = node.referenced
            if found is None or not is_local(found):
                continue
            key = cursors.local_key(found)
            if key in inside or key in seen:
                continue
            seen.add(key)
            if _is_known(node, found):
                continue
            yield found
    if uses_this:
        yield None


def _is_known(use: Cursor, variable: Cursor) -> bool:
    """A constant of known value is not captured: its uses are folded."""
    if not use.type.is_const_qualified() or not _was_const(variable):
        return False
    if variable.type.get_canonical().kind in (TypeKind.RECORD, TypeKind.POINTER):
        return False
    return clang.evaluate(use) is not None


def _was_const(variable: Cursor) -> bool:
    """In a lambda's body every captured copy is const: what counts is the variable itself."""
    return bool(variable.type.is_const_qualified()) or "constexpr" in cursors.tokens(variable)[:3]


def is_local(declaration: Cursor) -> bool:
    if declaration.kind == CursorKind.PARM_DECL:
        return True
    if declaration.kind == CursorKind.UNEXPOSED_DECL:
        return True
    if declaration.kind != CursorKind.VAR_DECL:
        return False
    if declaration.storage_class.name in ("STATIC", "EXTERN"):
        return False
    if clang.has_attribute(declaration, CursorKind.CUDASHARED_ATTR):
        return False
    parent = declaration.semantic_parent
    return parent is not None and parent.kind in _FUNCTIONS


def _enclosing_class(declaration: Cursor) -> ClangType:
    """The class whose method the lambda stands in."""
    scope = declaration.semantic_parent
    while scope is not None:
        is_class = scope.kind in (CursorKind.STRUCT_DECL, CursorKind.CLASS_DECL)
        if is_class and not is_lambda(scope.type):
            return scope.type
        scope = scope.semantic_parent
    raise NotLowered("captured `this` outside a class")


def _capture_list(module: ModuleLowering, declaration: Cursor) -> tuple[str, dict[str, str]]:
    """The default (`=`, `&` or nothing) and what the list says of each name."""
    inside = module.sources.brackets(declaration)
    if inside is None:
        raise NotLowered("captures of a lambda that cannot be read")
    default, named = "=", {}
    for entry in _entries(inside):
        if entry in ("=", "&"):
            default = entry
        elif entry.startswith("&"):
            named[_name_of(entry[1:])] = "&"
        elif entry:
            named[_name_of(entry)] = "="
    return default, named


def _entries(inside: str) -> Iterator[str]:
    """The list's parts: commas inside initialisers do not count."""
    depth, start = 0, 0
    for position, letter in enumerate(inside):
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and depth == 0:
            yield inside[start:position].strip()
            start = position + 1
    yield inside[start:].strip()


def _name_of(entry: str) -> str:
    return entry.partition("=")[0].strip().rstrip(".").strip()
