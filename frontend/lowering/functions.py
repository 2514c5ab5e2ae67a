"""One function of the source as a function of the IR: parameters, result, body, and its name."""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.context import Fixed, Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.gotos import structured
from crossport.frontend.lowering.types import group_kind, is_function
from crossport.ir.nodes import (
    Const,
    Deref,
    Function,
    KernelInfo,
    Opaque,
    Param,
    Read,
    Var,
)
from crossport.ir.types import I32, VOID, Pointer, Type

FunctionKey = tuple[int, str, str]


def function_key(function: Cursor) -> FunctionKey:
    """Tells instances apart: their declarations are different objects in the compiler."""
    return (int(function.canonical.hash), str(function.spelling), str(function.type.spelling))


def definition_of(function: Cursor) -> Cursor:
    """The declaration that has the body; the function itself if none can be found."""
    if clang.body(function) is not None:
        return function
    definition = function.get_definition()
    if definition is None or definition.kind == CursorKind.FUNCTION_TEMPLATE:
        return function
    if clang.body(definition) is None or _is_pattern(definition, function):
        return function
    return definition


def _is_pattern(definition: Cursor, function: Cursor) -> bool:
    """Is the definition that of the template, although the function is an instance?"""
    return bool(definition.type.spelling != function.type.spelling)


def lower_function(
    ctx: Lowering,
    function: Cursor,
    name: str,
    kernel: KernelInfo | None,
    *,
    is_static: bool = False,
) -> Function:
    from crossport.frontend.lowering import lambdas, methods

    ctx.here = cursors.span(function)
    ctx.function = function
    result = function.result_type
    ctx.returns_reference = result.get_canonical().kind in (
        TypeKind.LVALUEREFERENCE,
        TypeKind.RVALUEREFERENCE,
    )
    ctx.result = result_type(ctx, function)
    params: list[Param] = []
    owner = methods.owner(function)
    if owner is not None and not is_static:
        kind = Pointer(ctx.types.record(owner).type)
        this = Var(ctx.fresh("this"), kind, span=ctx.here)
        ctx.this = Read(this, span=ctx.here)
        params.append(Param(this.name, kind, span=ctx.here))
        lambdas.bind_captures(ctx, owner)
    for parameter in function.get_arguments():
        param = _parameter(ctx, parameter)
        if param is not None:
            params.append(param)
    with ctx.block() as out:
        if function.kind == CursorKind.CONSTRUCTOR:
            try:
                methods.member_initializers(ctx, function)
            except NotLowered as reason:
                ctx.opaque(function, reason.reason)
        body = clang.body(function)
        assert body is not None
        for child in body.get_children():
            ctx.statement(child)
    return Function(
        name, tuple(params), ctx.result, structured(tuple(out)), tuple(ctx.shared), kernel,
        span=cursors.span(function),
    )  # fmt: skip


def result_type(ctx: Lowering, function: Cursor) -> Type:
    """What the IR function returns; constructors and unknown types return nothing."""
    if function.kind == CursorKind.CONSTRUCTOR:
        return VOID
    return ctx.lower_type(function.result_type)


def _parameter(ctx: Lowering, parameter: Cursor) -> Param | None:
    """A parameter of the IR function; None for a group, which has no state."""
    outer = ctx.here
    ctx.here = cursors.span(parameter) or outer
    key = cursors.local_key(parameter)
    try:
        kind = ctx.types.parameter(parameter.type)
    except NotLowered as reason:
        from crossport.ir.types import Handle

        kind = Handle(str(parameter.type.spelling))
        ctx.emit(Opaque(ctx.module.sources.text(parameter), reason.reason, span=ctx.here))
    if kind == VOID and group_kind(parameter.type) is not None:
        ctx.bindings[key] = Fixed(None)
        ctx.here = outer
        return None
    name = ctx.fresh(str(parameter.spelling) or "unnamed")
    variable = Var(name, kind, span=ctx.here)
    canonical = parameter.type.get_canonical()
    by_reference = canonical.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE)
    if by_reference and not is_function(kind):
        assert isinstance(kind, Pointer)
        place = Deref(Read(variable, span=ctx.here), Const(0, I32), kind.element, span=ctx.here)
        ctx.bindings[key] = place
    else:
        ctx.bindings[key] = variable
    pointee_const = canonical.kind == TypeKind.POINTER and is_const(canonical.get_pointee())
    found = Param(
        name,
        kind,
        bool(pointee_const or canonical.is_const_qualified()),
        bool(parameter.type.is_restrict_qualified()),
        span=ctx.here,
    )
    ctx.here = outer
    return found


def is_const(kind: object) -> bool:
    canonical = kind.get_canonical()  # type: ignore[attr-defined]
    while canonical.kind in (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY):
        if canonical.is_const_qualified():
            return True
        canonical = canonical.element_type.get_canonical()
    return bool(canonical.is_const_qualified())


def scoped_name(function: Cursor) -> str:
    """`V::len`, `block_reduce`; a lambda's body is `lambda`."""
    parent = function.semantic_parent
    if parent is None or parent.kind not in (
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
        CursorKind.UNION_DECL,
    ):
        return str(function.spelling).partition("<")[0]
    scope = parent.type.spelling
    if "(lambda at" in scope:
        return "lambda"
    return f"{short(scope)}::{str(function.spelling).partition('<')[0]}"


def short(spelled: str) -> str:
    import re

    spelled = re.sub(r"\((lambda|anonymous|unnamed)[^)]*\)", r"\1", spelled)
    return spelled.removeprefix("const ").replace("(anonymous namespace)::", "")
