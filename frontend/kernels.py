"""Kernels, device functions and device variables, from cursors to values.

template <class T, int N>
__global__ void __launch_bounds__(N * 32, 2) scale(T* x) {...}      scale<float, 4><<<...>>>

Kernel("scale<float, 4>", template_args=("float", "4"), launch_bounds=(128, 2))
"""

from __future__ import annotations

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.places import place_of
from crossport.frontend.unit import Kernel, Origin, Parameter, Pattern, Space, Variable

FUNCTIONS = frozenset(
    (
        CursorKind.FUNCTION_DECL,
        CursorKind.CXX_METHOD,
        CursorKind.CONSTRUCTOR,
        CursorKind.DESTRUCTOR,
        CursorKind.CONVERSION_FUNCTION,
    )
)


def is_kernel(function: Cursor) -> bool:
    """Is it a `__global__` function or template?"""
    return clang.has_attribute(function, CursorKind.CUDAGLOBAL_ATTR)


def is_device_function(function: Cursor) -> bool:
    """Is it a `__device__` (or `__host__ __device__`) function?"""
    return clang.has_attribute(function, CursorKind.CUDADEVICE_ATTR)


def full_name(function: Cursor) -> str:
    """`scale<float, 4>`: the name with the arguments of the instance."""
    arguments = clang.template_arguments(function)
    return f"{function.spelling}<{', '.join(arguments)}>" if arguments else str(function.spelling)


def make_kernel(function: Cursor, origin: Origin) -> Kernel | None:
    """The value for a concrete kernel; None for one without a body (it did not compile)."""
    if clang.body(function) is None:
        return None
    return Kernel(
        name=full_name(function),
        cursor=function,
        span=place_of(function),
        parameters=tuple(
            Parameter(p.spelling, p.type.get_canonical().spelling, place_of(p), p)
            for p in function.get_arguments()
        ),
        template_args=clang.template_arguments(function),
        launch_bounds=launch_bounds(function),
        origin=origin,
        identity=clang.identity(function),
    )


def make_pattern(template: Cursor, instances: int) -> Pattern:
    """The value for a kernel template."""
    names = tuple(
        str(child.spelling)
        for child in clang.children(template)
        if child.kind in TEMPLATE_PARAMETERS
    )
    return Pattern(template.spelling, template, place_of(template), names, instances)


TEMPLATE_PARAMETERS = frozenset(
    (
        CursorKind.TEMPLATE_TYPE_PARAMETER,
        CursorKind.TEMPLATE_NON_TYPE_PARAMETER,
        CursorKind.TEMPLATE_TEMPLATE_PARAMETER,
    )
)


def launch_bounds(function: Cursor) -> tuple[int, int]:
    """The two numbers of `__launch_bounds__`, 0 where not given or not constant."""
    for annotation in annotations_of(function, "launch_bounds"):
        values = [_constant(child) for child in clang.children(annotation)]
        most_threads, least_blocks = (*values, 0, 0)[:2]
        return most_threads, least_blocks
    return 0, 0


def annotations_of(declaration: Cursor, name: str) -> list[Cursor]:
    """The shim's annotations of that name: launch_bounds, cluster_dims, managed, grid_constant."""
    return [
        child
        for child in clang.children(declaration)
        if child.kind == CursorKind.ANNOTATE_ATTR and child.spelling == name
    ]


def make_variable(declaration: Cursor) -> Variable | None:
    """The value for a device or shared variable; None for any other."""
    space = _space(declaration)
    if space is None:
        return None
    return Variable(
        declaration.spelling,
        declaration.type.get_canonical().spelling,
        space,
        declaration,
        place_of(declaration),
    )


def _space(declaration: Cursor) -> Space | None:
    kinds = {child.kind for child in clang.children(declaration)}
    if CursorKind.CUDASHARED_ATTR in kinds:
        is_dynamic = declaration.type.get_canonical().kind == TypeKind.INCOMPLETEARRAY
        return "dynamic_shared" if is_dynamic else "shared"
    if CursorKind.CUDACONSTANT_ATTR in kinds:
        return "constant"
    if CursorKind.CUDADEVICE_ATTR in kinds:
        return "managed" if annotations_of(declaration, "managed") else "global"
    return None


def _constant(cursor: Cursor) -> int:
    value = clang.evaluate(cursor)
    return int(value) if value is not None else 0
