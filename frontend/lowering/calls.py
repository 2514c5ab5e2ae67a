"""Calls: device functions, methods, operators, constructors, function pointers, launches.

    y = f(g(x), &z)       _t1 = g(x); _t2 = f(_t1, &z); y = _t2
    v.len()               _t1 = V::len(&v)
    V v(1, 2)             let v: V; V::V(&v, 1, 2)
    k<<<g, b>>>(x)        Launch                          (from the device)

What crossport's own headers declare is not called but looked up in `builtins`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors, members
from crossport.frontend.lowering.context import Lowering, Lvalue
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.functions import definition_of
from crossport.frontend.lowering.types import is_function, is_lambda
from crossport.ir.nodes import (
    AddressOf,
    Call,
    Cast,
    Const,
    Deref,
    Expr,
    FunctionRef,
    Launch,
    Let,
    Place,
    Read,
    Var,
)
from crossport.ir.types import U32, U64, VOID, Pointer, Scalar, Struct, Type

_REFERENCES = (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE)
_LAUNCHES = ("cudaConfigureCall", "__cudaPushCallConfiguration")


@dataclass(frozen=True, slots=True)
class Site:
    """One call: whom, on what object, with which arguments."""

    cursor: Cursor
    callee: Cursor
    object: Cursor | None  # None: a function, a static method, or `this`
    args: tuple[Cursor, ...]
    wanted: bool
    implicit_this: bool = False

    @property
    def name(self) -> str:
        """The callee's qualified name."""
        return cursors.qualified(self.callee)


def call(ctx: Lowering, cursor: Cursor) -> Expr:
    """The value of a call."""
    result, is_place = _perform(ctx, cursor, wanted=True)
    if is_place:
        return ctx.load(ctx.target(result))
    return result


def call_statement(ctx: Lowering, cursor: Cursor) -> None:
    """A call whose value is not used."""
    from crossport.frontend.lowering.statements import keep_opaque

    result, _ = _perform(ctx, cursor, wanted=False)
    keep_opaque(ctx, cursor, result)


def call_place(ctx: Lowering, cursor: Cursor) -> Lvalue:
    """Where the object that a call returns lives."""
    from crossport.frontend.lowering.constructors import construct_into, constructor_below

    inner = constructor_below(ctx, cursor)
    if inner is not None and isinstance(ctx.type(cursor), Struct):
        variable = ctx.new_temp(ctx.type(cursor))
        construct_into(ctx, inner, variable)
        return variable
    result, is_place = _perform(ctx, cursor, wanted=True)
    if is_place:
        return ctx.target(result)
    if isinstance(result, Read):
        return result.place
    variable = ctx.temp_var(result.type)
    ctx.emit(Let(variable, result, span=ctx.here))
    return variable


def _perform(ctx: Lowering, cursor: Cursor, *, wanted: bool) -> tuple[Expr, bool]:
    """Emit a call. The result, and whether it is a pointer to the result."""
    from crossport.frontend.lowering import builtins
    from crossport.frontend.lowering.constructors import construct
    from crossport.frontend.lowering.literals import NOTHING

    launch = _launch(ctx, cursor)
    if launch:
        return NOTHING, False
    callee = cursor.referenced
    if callee is None:
        return _through_pointer(ctx, cursor)
    if callee.kind == CursorKind.CONSTRUCTOR:
        return construct(ctx, cursor), False
    if callee.kind not in (
        CursorKind.FUNCTION_DECL,
        CursorKind.CXX_METHOD,
        CursorKind.CONVERSION_FUNCTION,
        CursorKind.DESTRUCTOR,
    ):
        if callee.kind == CursorKind.OVERLOADED_DECL_REF or cursors.is_dependent(cursor):
            raise NotLowered(f"call of {cursor.spelling} did not compile")
        return _through_pointer(ctx, cursor)
    site = _site(cursor, callee, wanted)
    if callee.kind == CursorKind.CONVERSION_FUNCTION and is_lambda(callee.semantic_parent.type):
        from crossport.frontend.lowering import lambdas

        operator = lambdas._call_operator(callee.semantic_parent)
        if operator is None or operator.kind != CursorKind.CXX_METHOD:
            raise NotLowered("a generic lambda as a function pointer")
        reference = FunctionRef(ctx.module.static_lambda(operator), span=ctx.here)
        return ctx.convert(reference, ctx.type(cursor)), False
    if cursors.is_shim(callee) or callee.spelling.startswith("__builtin_"):
        found = builtins.lower(ctx, site)
        if found is not None:
            return found.value, found.is_place
    if callee.kind == CursorKind.CXX_METHOD and _is_implicit_assignment(callee):
        return _assign_whole(ctx, site), True
    is_method = callee.kind == CursorKind.CXX_METHOD
    if callee.kind == CursorKind.DESTRUCTOR and (
        cursors.written_body(definition_of(callee)) is None
    ):
        return NOTHING, False
    if is_method and callee.is_virtual_method() and not _is_exact(site.object):
        raise NotLowered("virtual call")
    return _user_call(ctx, site)


def _site(cursor: Cursor, callee: Cursor, wanted: bool) -> Site:
    below = [c for c in cursor.get_children() if c.kind not in cursors.REFERENCES]
    if callee.kind == CursorKind.FUNCTION_DECL:
        return Site(cursor, callee, None, tuple(cursor.get_arguments()), wanted)
    first = below[0] if below else None
    member = first
    while member is not None and member.kind in (
        CursorKind.PAREN_EXPR,
        CursorKind.UNEXPOSED_EXPR,
    ):
        inner = cursors.operands(member)
        if len(inner) != 1:
            break
        member = inner[0]
    if (
        member is not None
        and member.kind == CursorKind.MEMBER_REF_EXPR
        and member.referenced is not None
        and member.referenced.kind == callee.kind
        and member.spelling == callee.spelling
    ):
        inner = [c for c in cursors.operands(member) if c.kind.is_expression()]
        args = tuple(cursor.get_arguments())
        return Site(cursor, callee, inner[0] if inner else None, args, wanted, not inner)
    if callee.kind == CursorKind.CONVERSION_FUNCTION:
        return Site(cursor, callee, first, (), wanted)
    if callee.spelling.startswith("operator"):
        args = tuple(cursor.get_arguments())
        if callee.is_static_method():
            return Site(cursor, callee, None, args[1:], wanted)
        return Site(cursor, callee, args[0], args[1:], wanted)
    return Site(cursor, callee, None, tuple(cursor.get_arguments()), wanted)


# --- Device functions --------------------------------------------------------------------------


def _user_call(ctx: Lowering, site: Site) -> tuple[Expr, bool]:
    from crossport.frontend.lowering import methods

    name = ctx.module.function(site.callee)
    definition = definition_of(site.callee)
    parts: list[Callable[[], Expr]] = []
    owner = methods.owner(definition)
    if owner is not None:
        parts.append(partial(object_pointer, ctx, site, owner))
    parts += argument_parts(ctx, definition, site.args)
    args = ctx.sequence(*parts)
    ctx.here = cursors.span(site.cursor) or ctx.here
    return _emit_call(ctx, name, definition, tuple(args), site.wanted)


def _emit_call(
    ctx: Lowering, name: str, function: Cursor, args: tuple[Expr, ...], wanted: bool
) -> tuple[Expr, bool]:
    from crossport.frontend.lowering.literals import NOTHING

    is_reference = function.result_type.get_canonical().kind in _REFERENCES
    kind = ctx.lower_type(function.result_type)
    if kind == VOID or not wanted:
        ctx.emit(Call(None, name, args, span=ctx.here))
        return NOTHING, False
    target = ctx.new_temp(kind)
    ctx.emit(Call(target, name, args, span=ctx.here))
    return Read(target, span=ctx.here), is_reference


def argument_parts(
    ctx: Lowering, function: Cursor, args: tuple[Cursor, ...]
) -> list[Callable[[], Expr]]:
    """How to evaluate each argument, as its parameter wants it; groups without state vanish."""
    parameters = list(function.get_arguments())
    parts: list[Callable[[], Expr]] = []
    for position, arg in enumerate(args):
        parameter = parameters[position] if position < len(parameters) else None
        if parameter is None:
            parts.append(partial(ctx.value, arg))
            continue
        kind = ctx.types.parameter(parameter.type)
        if kind == VOID:
            continue
        parts.append(partial(argument, ctx, arg, parameter, kind))
    return parts


def argument(ctx: Lowering, arg: Cursor, parameter: Cursor, kind: Type) -> Expr:
    """One argument: a pointer for a reference, else the value."""
    if _is_default(arg):
        return _default_argument(ctx, arg, parameter, kind)
    if parameter.type.get_canonical().kind in _REFERENCES and not is_function(kind):
        return ctx.convert(ctx.address(referenced(ctx, arg)), kind)
    if arg.kind == CursorKind.INIT_LIST_EXPR:
        from crossport.frontend.lowering import initializers

        return initializers.list_value(ctx, arg, kind, parameter.type)
    return ctx.convert(ctx.value(arg), kind)


def referenced(ctx: Lowering, arg: Cursor) -> Place:
    """The object that a reference parameter refers to; a bit-field is copied."""
    found = ctx.place(arg)
    from crossport.frontend.lowering.context import BitField, FragmentElement

    if isinstance(found, (BitField, FragmentElement)):
        value = ctx.load(found)
        variable = ctx.temp_var(value.type)
        ctx.emit(Let(variable, value, span=ctx.here))
        return variable
    return found


def _is_default(arg: Cursor) -> bool:
    return (
        arg.kind == CursorKind.UNEXPOSED_EXPR
        and arg.extent.start.file is None
        and not any(True for _ in arg.get_children())
    )


def _default_argument(ctx: Lowering, arg: Cursor, parameter: Cursor, kind: Type) -> Expr:
    from crossport.frontend.lowering.literals import constant

    number = clang.evaluate(arg)
    is_reference = parameter.type.get_canonical().kind in _REFERENCES and not is_function(kind)
    if number is not None and is_reference and isinstance(kind, Pointer):
        if isinstance(kind.element, (Scalar, Pointer)):
            holder = ctx.temp_var(kind.element)
            ctx.emit(Let(holder, constant(ctx, number, kind.element), span=ctx.here))
            return ctx.convert(ctx.address(holder), kind)
    elif number is not None and isinstance(kind, (Scalar, Pointer)):
        return constant(ctx, number, kind)
    written = [c for c in parameter.get_children() if c.kind.is_expression()]
    if not written:
        raise NotLowered(f"the default of parameter {parameter.spelling}")
    if is_reference:
        return ctx.convert(ctx.address(referenced(ctx, written[-1])), kind)
    return ctx.convert(ctx.value(written[-1]), kind)


def object_pointer(ctx: Lowering, site: Site, owner: clang.Type) -> Expr:
    """`this` for a method: a pointer to the object, seen as the method's own class."""

    wanted = ctx.types.record(owner).type
    if site.object is None:
        pointer = members.this_pointer(ctx, owner.get_declaration())
    elif site.object.type.get_canonical().kind == TypeKind.POINTER and not is_lambda(owner):
        pointer = ctx.value(site.object)
    else:
        pointer = ctx.address(referenced(ctx, site.object))
    kind = pointer.type
    if isinstance(kind, Pointer) and isinstance(kind.element, Struct) and kind.element != wanted:
        return ctx.address(members.to_base(ctx, ctx.target(pointer), wanted.name))
    if kind != Pointer(wanted):
        return Cast(pointer, Pointer(wanted), span=ctx.here)
    return pointer


def _is_implicit_assignment(callee: Cursor) -> bool:
    """A compiler-made `operator=` copies the whole object."""
    return callee.spelling == "operator=" and cursors.written_body(definition_of(callee)) is None


def _assign_whole(ctx: Lowering, site: Site) -> Expr:
    assert site.object is not None
    value = ctx.value(site.args[0])
    value, target = ctx.then_place(value, site.object)
    ctx.store(target, value)
    if isinstance(target, (Var, Deref)) or hasattr(target, "base"):
        return ctx.address(target)  # type: ignore[arg-type]
    raise NotLowered("assignment to a bit-field object")


def _is_exact(cursor: Cursor | None) -> bool:
    """Is an object's dynamic class its static one: a variable, not a pointer or reference?"""
    if cursor is None:
        return False
    cursor = cursors.strip(cursor)
    if cursor.kind != CursorKind.DECL_REF_EXPR or cursor.referenced is None:
        return False
    return bool(cursor.referenced.type.get_canonical().kind == TypeKind.RECORD)


def _through_pointer(ctx: Lowering, cursor: Cursor) -> tuple[Expr, bool]:
    """A call of a function pointer."""
    from crossport.frontend.lowering.literals import NOTHING

    below = [c for c in cursor.get_children() if c.kind.is_expression()]
    if not below:
        raise NotLowered("a call that did not compile")
    kind = below[0].type.get_canonical()
    if kind.kind == TypeKind.POINTER:
        kind = kind.get_pointee().get_canonical()
    if kind.kind != TypeKind.FUNCTIONPROTO:
        raise NotLowered("a call that did not compile")
    args = ctx.sequence(*[lambda c=c: ctx.value(c) for c in below])
    function = args[0]
    result = ctx.lower_type(kind.get_result())
    is_reference = kind.get_result().get_canonical().kind in _REFERENCES
    wanted = [ctx.lower_type(k) for k in kind.argument_types()]
    values = tuple(
        _pointer_argument(ctx, value, k) for value, k in zip(args[1:], wanted, strict=False)
    )
    name: str | Expr = function
    if isinstance(function, FunctionRef):
        name = function.name
    elif isinstance(function, Cast) and isinstance(function.value, FunctionRef):
        name = function.value.name
    if result == VOID:
        ctx.emit(Call(None, name, values, span=ctx.here))
        return NOTHING, False
    target = ctx.new_temp(result)
    ctx.emit(Call(target, name, values, span=ctx.here))
    return Read(target, span=ctx.here), is_reference


def _pointer_argument(ctx: Lowering, value: Expr, kind: Type) -> Expr:
    if isinstance(kind, Pointer) and not isinstance(value.type, Pointer):
        if isinstance(value, Read):
            return ctx.address(value.place)
        variable = ctx.temp_var(value.type)
        ctx.emit(Let(variable, value, span=ctx.here))
        return AddressOf(variable, span=ctx.here)
    return ctx.convert(value, kind)


# --- Launches ----------------------------------------------------------------------------------


def _launch(ctx: Lowering, cursor: Cursor) -> bool:
    """`kernel<<<grid, block, bytes, stream>>>(args)` in device code."""
    below = list(cursor.get_children())
    if len(below) < 2 or below[1].kind != CursorKind.CALL_EXPR:
        return False
    if below[1].spelling not in _LAUNCHES:
        return False
    kernel = cursors.strip(below[0]).referenced
    if kernel is None:
        raise NotLowered("a launch through a pointer")
    configuration = list(below[1].get_arguments())
    grid = _extent(ctx, configuration[0])
    block = _extent(ctx, configuration[1])
    shared: Expr = Const(0, U64)
    if len(configuration) > 2 and not _is_default(configuration[2]):
        shared = ctx.convert(ctx.value(configuration[2]), U64)
    args = ctx.sequence(*argument_parts(ctx, kernel, tuple(below[2:])))
    name = ctx.module.kernel_name(kernel)
    ctx.emit(Launch(name, grid, block, shared, tuple(args), span=ctx.here))
    return True


def _extent(ctx: Lowering, cursor: Cursor) -> tuple[Expr, Expr, Expr]:
    from crossport.frontend.lowering.members import extract

    value = ctx.stable(ctx.value(cursor))
    if isinstance(value.type, Scalar):
        return ctx.convert(value, U32), Const(1, U32), Const(1, U32)
    x, y, z = (extract(value, axis, U32, ctx) for axis in "xyz")
    return x, y, z
