"""Host launch sites, from call expressions to values.

    reduce<float, 256><<<dim3(n / 256, 2), 256, 0, stream>>>(x, n);
    cudaLaunchKernel((void*)finish, grid, block, args, 0, stream);

A chevron launch is a CALL_EXPR whose second child calls `cudaConfigureCall` with the four
configuration arguments; defaults among them have no place in the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.kernels import FUNCTIONS, full_name
from crossport.frontend.places import place_of
from crossport.frontend.unit import Dimensions, Expression, Launch
from crossport.frontend.values import Values, initialiser_of, unwrap

_CONFIGURE = ("cudaConfigureCall", "__cudaPushCallConfiguration")
Style = Literal["chevrons", "cudaLaunchKernel", "cudaLaunchCooperativeKernel", "cudaLaunchKernelEx"]
_BY_POINTER: dict[str, Style] = {
    "cudaLaunchKernel": "cudaLaunchKernel",
    "cudaLaunchCooperativeKernel": "cudaLaunchCooperativeKernel",
}
# A function that calls none of these launches nothing.
LAUNCHING = frozenset((*_CONFIGURE, *_BY_POINTER, "cudaLaunchKernelEx", "cudaLaunchKernelExC"))


class SourceText:
    """Source files by name, as bytes; what is not there reads as empty."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files

    def of(self, cursor: Cursor) -> str:
        """The text that a cursor covers ("" for a default argument)."""
        extent = cursor.extent
        file = extent.start.file
        if file is None:
            return ""
        data = self.files.get(file.name, b"")
        return data[extent.start.offset : extent.end.offset].decode("utf-8", errors="replace")


def launch_at(
    call: Cursor, function: Cursor | None, values: Values, text: SourceText
) -> Launch | None:
    """The launch that a CALL_EXPR is, or None."""
    style = _BY_POINTER.get(call.spelling)
    if style is not None:
        return _by_pointer(call, style, function, values, text)
    if call.spelling in ("cudaLaunchKernelEx", "cudaLaunchKernelExC"):
        return _by_config(call, function, values, text)
    children = clang.children(call)
    if len(children) < 2 or children[1].spelling not in _CONFIGURE:
        return None
    if children[1].kind != CursorKind.CALL_EXPR:
        return None
    configuration = list(children[1].get_arguments())
    if len(configuration) != 4:
        return None
    kernel = _kernel_of(children[0], values)
    return Launch(
        kernel=full_name(kernel) if kernel is not None else _callee_text(children[0], text),
        style="chevrons",
        grid=_dimensions(configuration[0], values, text),
        block=_dimensions(configuration[1], values, text),
        shared_bytes=_expression(configuration[2], values, text, default=0),
        stream=_expression(configuration[3], values, text, default=0),
        args=tuple(_expression(a, values, text) for a in children[2:]),
        span=place_of(call),
        function=function.spelling if function is not None else "",
        identity=clang.identity(kernel) if kernel is not None else "",
    )


def _by_pointer(
    call: Cursor, style: Style, function: Cursor | None, values: Values, text: SourceText
) -> Launch | None:
    arguments = list(call.get_arguments())
    if len(arguments) < 4:
        return None
    kernel = _kernel_of(arguments[0], values)
    absent = Expression("0", value=0)
    return Launch(
        kernel=full_name(kernel) if kernel is not None else "",
        style=style,
        grid=_dimensions(arguments[1], values, text),
        block=_dimensions(arguments[2], values, text),
        shared_bytes=_expression(arguments[4], values, text, 0) if len(arguments) > 4 else absent,
        stream=_expression(arguments[5], values, text, 0) if len(arguments) > 5 else absent,
        args=(_expression(arguments[3], values, text),),
        span=place_of(call),
        function=function.spelling if function is not None else "",
        identity=clang.identity(kernel) if kernel is not None else "",
    )


def _by_config(
    call: Cursor, function: Cursor | None, values: Values, text: SourceText
) -> Launch | None:
    arguments = list(call.get_arguments())
    if len(arguments) < 2:
        return None
    kernel = _kernel_of(arguments[1], values)
    unknown = Expression("")
    config = _expression(arguments[0], values, text)
    inside = Dimensions(config.text, config.span, unknown, unknown, unknown)
    return Launch(
        kernel=full_name(kernel) if kernel is not None else "",
        style="cudaLaunchKernelEx",
        grid=inside,
        block=inside,
        shared_bytes=unknown,
        stream=unknown,
        args=tuple(_expression(a, values, text) for a in arguments[2:]),
        span=place_of(call),
        function=function.spelling if function is not None else "",
        identity=clang.identity(kernel) if kernel is not None else "",
    )


def _kernel_of(callee: Cursor, values: Values) -> Cursor | None:
    """The function that an expression names, through casts, `&`, and pointers set once."""
    for _ in range(8):
        callee = unwrap(callee)
        if callee.kind == CursorKind.UNARY_OPERATOR:
            child = next(iter(clang.children(callee)), None)
            if child is None:
                return None
            callee = child
            continue
        if callee.kind != CursorKind.DECL_REF_EXPR:
            break
        target = callee.referenced
        if target is not None and target.kind in FUNCTIONS:
            return target
        variable = values.variable(callee)
        start = initialiser_of(variable) if variable is not None else None
        if start is None:
            return None
        callee = start
    # A cast that the cursor API splits up (a template-id inside a C cast): the one function in it.
    found = {
        clang.identity(c.referenced): c.referenced
        for c in clang.find(callee, frozenset((CursorKind.DECL_REF_EXPR,)))
        if c.referenced is not None and c.referenced.kind in FUNCTIONS
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _callee_text(callee: Cursor, text: SourceText) -> str:
    """What an unresolved callee is called in the source, where it is a plain name."""
    spelled = text.of(callee).strip()
    return spelled if spelled.replace("_", "a").split("<")[0].strip().isalnum() else ""


def _expression(
    cursor: Cursor, values: Values, text: SourceText, default: int | None = None
) -> Expression:
    spelled = text.of(cursor)
    if not spelled and default is not None:
        return Expression(str(default), value=default, cursor=cursor)
    return Expression(spelled, place_of(cursor), values.number(cursor), cursor)


def _dimensions(cursor: Cursor, values: Values, text: SourceText) -> Dimensions:
    parts = _parts(cursor, values)
    one = Expression("1", value=1)
    unknown = Expression("")
    if parts is None:
        x, y, z = unknown, unknown, unknown
    else:
        given = [_expression(p, values, text, default=1) if p is not None else one for p in parts]
        x, y, z = (*given, one, one, one)[:3]
    return Dimensions(text.of(cursor), place_of(cursor), x, y, z)


def _parts(cursor: Cursor, values: Values, depth: int = 0) -> list[Cursor | None] | None:
    """The expressions for x, y, z; None where the dimensions come from somewhere unknown."""
    if depth > 8:
        return None
    inner = unwrap(cursor)
    if inner.kind == CursorKind.INIT_LIST_EXPR:
        return clang.children(inner)
    if inner.kind == CursorKind.CALL_EXPR:
        target = inner.referenced
        if target is None or target.kind != CursorKind.CONSTRUCTOR:
            return None
        arguments = list(inner.get_arguments())
        if len(arguments) == 1 and "dim3" in arguments[0].type.get_canonical().spelling:
            return _parts(arguments[0], values, depth + 1)  # a copy
        return arguments if _are_numbers(arguments) else None
    variable = values.variable(inner)
    if variable is not None and "dim3" in variable.type.get_canonical().spelling:
        start = initialiser_of(variable)
        return _parts(start, values, depth + 1) if start is not None else None
    return [inner] if _are_numbers([inner]) else None


def _are_numbers(cursors: list[Cursor]) -> bool:
    return all(
        c.type.get_canonical().get_size() <= 8
        and not c.type.get_canonical().get_declaration().is_definition()
        for c in cursors
    )
