"""What the CUB collectives share: element and size, the operator, helper functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.module import definition_of
from crossport.ir.nodes import Call, Expr, Read
from crossport.ir.types import VOID, Scalar, Type

LINEAR = "(%thread.x + (%block_dim.x * (%thread.y + (%block_dim.y * %thread.z))))"


@dataclass(frozen=True, slots=True)
class Collective:
    """A class instance: element type, threads that take part, items a thread."""

    name: str
    element: Type
    threads: int
    items: int
    spelled: str


def collective_of(ctx: Lowering, site: Site, owner: str) -> Collective:
    kind = site.callee.semantic_parent.type.get_canonical()
    spelled = str(kind.spelling)
    element = ctx.lower_type(kind.get_template_argument_type(0))
    numbers = template_arguments(spelled)[1:]
    if owner.startswith("Warp"):
        threads = int(numbers[0]) if numbers else 32
        if threads & (threads - 1):
            raise NotLowered(f"cub::{owner} of {threads} lanes")
        return Collective(f"cub::{owner}<{element}, {threads}>", element, threads, 1, spelled)
    sizes = [n for n in numbers if re.fullmatch(r"\d+", n)]
    items = 1
    if owner in ("BlockLoad", "BlockStore"):
        items = int(sizes.pop(1))
        others = sizes[1:3]
    else:
        others = sizes[1:3]
    threads = int(sizes[0])
    for size in others:
        threads *= int(size)
    return Collective(f"cub::{owner}<{element}, {threads}>", element, threads, items, spelled)


def template_arguments(spelled: str) -> list[str]:
    """Top-level template arguments of a spelled type; enumerators keep their cast's text."""
    inside = spelled[spelled.index("<") + 1 : spelled.rindex(">")]
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(inside):
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append(inside[start:position].strip())
            start = position + 1
    return [*parts, inside[start:].strip()]


@dataclass(frozen=True, slots=True)
class Operator:
    """How two values are combined, as IR text; `argument`: the functor, passed along."""

    name: str
    combine: Callable[[str, str, str], str]  # (result, left, right) -> statements
    parameter: str = ""
    argument: Expr | None = None


def _plain(name: str, element: Type) -> Operator:
    """add, min, max."""
    if not isinstance(element, Scalar):
        raise NotLowered(f"a CUB {name} of {element}")
    if name == "add":
        return Operator(name, lambda r, a, b: f"{r} = ({a} + {b})")
    test = "<" if name == "min" else ">"
    return Operator(name, lambda r, a, b: f"{r} = (({a} {test} {b}) ? {a} : {b})")


def sum_operator(ctx: Lowering, collective: Collective, cursor: Cursor | None = None) -> Operator:
    """`+` of the element's own type, its operator where it is a class."""
    if isinstance(collective.element, Scalar):
        return _plain("add", collective.element)
    raise NotLowered(f"a CUB sum of {collective.element}")


_KNOWN = {"Sum": "add", "Max": "max", "Min": "min", "plus": "add", "maximum": "max",
          "minimum": "min"}  # fmt: skip


def _instance_in(callee: Cursor, functor: Cursor) -> Cursor | None:
    """The instance of a generic functor's call operator that a function's body uses."""
    body = clang.body(definition_of(callee))
    for node in clang.walk(body) if body is not None else ():
        found = node.referenced if node.kind == CursorKind.CALL_EXPR else None
        if found is None or found.spelling != "operator()":
            continue
        if found.semantic_parent == functor:
            return found
    return None


def operator_of(ctx: Lowering, site: Site, collective: Collective, cursor: Cursor) -> Operator:
    """The functor, lambda or CUB operator that a call names."""
    kind = cursor.type.get_canonical()
    if kind.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        kind = kind.get_pointee().get_canonical()
    declaration = kind.get_declaration()
    name = str(declaration.spelling)
    if cursors.is_shim(declaration) and name in _KNOWN:
        return _plain(_KNOWN[name], collective.element)
    method = next(
        (
            child
            for child in declaration.get_children()
            if child.kind == CursorKind.CXX_METHOD and child.spelling == "operator()"
        ),
        None,
    )
    if method is None:  # a template: the instance that the header's own body calls, if it has one
        method = _instance_in(site.callee, declaration)
    if method is None or clang.body(definition_of(method)) is None:
        raise NotLowered("a CUB collective with a generic operator")
    function = ctx.module.function(method)
    functor = ctx.types.record(kind).type
    by_pointer = [
        p.type.get_canonical().kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE)
        for p in definition_of(method).get_arguments()
    ]
    if ctx.lower_type(method.result_type) != collective.element or len(by_pointer) != 2:
        raise NotLowered("a CUB collective whose operator changes the type")

    def combine(result: str, left: str, right: str) -> str:
        args = [f"&{a}" if p else a for a, p in zip((left, right), by_pointer, strict=True)]
        return f"{result} = call `{function}`(&op, {', '.join(args)})"

    value = ctx.value(cursor)
    return Operator(function, combine, f"op: {functor}", value)


def helper(ctx: Lowering, name: str, text: str) -> str:
    """The name of a helper function, made from text the first time."""
    return ctx.module.helper(name, text)


def call_helper(
    ctx: Lowering, name: str, args: list[Expr], operator: Operator | None, result: Type
) -> Expr:
    from crossport.frontend.lowering.expressions import NOTHING

    if operator is not None and operator.argument is not None:
        args = [*args, operator.argument]
    if result == VOID:
        ctx.emit(Call(None, name, tuple(args), span=ctx.here))
        return NOTHING
    target = ctx.new_temp(result)
    ctx.emit(Call(target, name, tuple(args), span=ctx.here))
    return Read(target, span=ctx.here)


def parameter_list(*parts: str) -> str:
    return ", ".join(p for p in parts if p)
