"""libclang, with the C functions that its Python binding lacks, typed and in one place.

    from crossport.frontend import clang
    clang.binary_operator(cursor)     "+="          clang.evaluate(cursor)          128
    clang.unary_operator(cursor)      "post++"      clang.template_arguments(f)     ("float", "128")

Everything here is a question about a cursor; nothing here knows CUDA. The wheel pins libclang
18.1.1: the numbers of the enumerations below are that version's.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

from clang import cindex
from clang.cindex import Cursor, CursorKind, Index, Token, TokenKind, Type, TypeKind

__all__ = [
    "Cursor",
    "CursorKind",
    "Index",
    "Token",
    "TokenKind",
    "Type",
    "TypeKind",
    "binary_operator",
    "body",
    "children",
    "evaluate",
    "file_of",
    "find",
    "has_attribute",
    "identity",
    "offsets",
    "referenced_function",
    "template_arguments",
    "unary_operator",
    "walk",
]

_lib = cindex.conf.lib
# The binding narrows some return values to enumerations that lack members of this version, and
# raises on them; a handle of our own returns the bare number.
_raw = ctypes.CDLL(_lib._name)

_C_STRING: Any = ctypes.c_char_p
# Sources need not be UTF-8; a stray byte in a name or literal must not raise.
cindex.c_interop_string.value = property(
    lambda self: (
        None
        if (data := _C_STRING.value.__get__(self)) is None
        else data.decode("utf-8", errors="replace")
    )
)


# Units that live until the interpreter ends outlive the binding's module state; their destructors
# would print a traceback then. The process gives their memory back anyway.
def _disposing_while_loaded(dispose: Any, binding: Any = cindex) -> Any:
    return lambda self: dispose(self) if binding.conf is not None else None


for _owner in (cindex.TranslationUnit, cindex.Index):
    _owner.__del__ = _disposing_while_loaded(_owner.__del__)

_OPERATORS = (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR)
_UNEVALUATED = (CursorKind.CXX_UNARY_EXPR, CursorKind.LAMBDA_EXPR)  # sizeof
_LAST_INCREMENT = 4
_STRING = cindex._CXString
_EVAL_INT, _EVAL_FLOAT, _EVAL_STRING = 1, 2, 3
_ARGUMENT_TYPE, _ARGUMENT_INTEGRAL, _ARGUMENT_PACK = 1, 4, 8

_UNARY = {
    1: "post++", 2: "post--", 3: "++", 4: "--", 5: "&", 6: "*", 7: "+", 8: "-", 9: "~", 10: "!",
    11: "__real", 12: "__imag", 13: "__extension__",
}  # fmt: skip


def _declare(library: Any, name: str, arguments: list[Any], result: Any) -> Any:
    function = getattr(library, name)
    function.argtypes = arguments
    function.restype = result
    if result is _STRING:
        function.errcheck = _STRING.from_result
    return function


_binary_kind = _declare(_raw, "clang_getCursorBinaryOperatorKind", [Cursor], ctypes.c_int)
_binary_spelling = _declare(_lib, "clang_getBinaryOperatorKindSpelling", [ctypes.c_int], _STRING)
_unary_kind = _declare(_raw, "clang_getCursorUnaryOperatorKind", [Cursor], ctypes.c_int)
_evaluate = _declare(_raw, "clang_Cursor_Evaluate", [Cursor], ctypes.c_void_p)
_eval_kind = _declare(_raw, "clang_EvalResult_getKind", [ctypes.c_void_p], ctypes.c_int)
_eval_unsigned = _declare(_raw, "clang_EvalResult_isUnsignedInt", [ctypes.c_void_p], ctypes.c_uint)
_eval_int = _declare(_raw, "clang_EvalResult_getAsLongLong", [ctypes.c_void_p], ctypes.c_longlong)
_eval_uint = _declare(_raw, "clang_EvalResult_getAsUnsigned", [ctypes.c_void_p], ctypes.c_ulonglong)
_eval_float = _declare(_raw, "clang_EvalResult_getAsDouble", [ctypes.c_void_p], ctypes.c_double)
_eval_dispose = _declare(_raw, "clang_EvalResult_dispose", [ctypes.c_void_p], None)
_argument_count = _declare(_raw, "clang_Cursor_getNumTemplateArguments", [Cursor], ctypes.c_int)
_argument_kind = _declare(
    _raw, "clang_Cursor_getTemplateArgumentKind", [Cursor, ctypes.c_uint], ctypes.c_int
)
_argument_value = _declare(
    _raw, "clang_Cursor_getTemplateArgumentValue", [Cursor, ctypes.c_uint], ctypes.c_longlong
)
_spelling_location = _declare(
    _raw,
    "clang_getSpellingLocation",
    [
        cindex.SourceLocation,
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.POINTER(ctypes.c_uint),
        ctypes.POINTER(ctypes.c_uint),
        ctypes.POINTER(ctypes.c_uint),
    ],
    None,
)


def binary_operator(cursor: Cursor) -> str:
    """`+`, `<<`, `=`, `+=` ... of a binary or compound assignment operator; "" for other kinds."""
    kind = _binary_kind(cursor)
    return str(_binary_spelling(kind)) if kind else ""


def unary_operator(cursor: Cursor) -> str:
    """`-`, `!`, `*`, `&`, `++` (before), `post++` (after) ...; "" for other kinds."""
    return _UNARY.get(_unary_kind(cursor), "")


def evaluate(cursor: Cursor) -> int | float | None:
    """The value of a constant expression (or of a variable's initialiser), or None.

    An expression that also does something, `(x = f(), 1)` or `f() || true`, is not constant here.
    """
    number = _number(cursor)
    return None if number is None or _does_something(cursor) else number


def _number(cursor: Cursor) -> int | float | None:
    result = _evaluate(cursor)
    if not result:
        return None
    try:
        kind = _eval_kind(result)
        if kind == _EVAL_INT:
            return int(_eval_uint(result) if _eval_unsigned(result) else _eval_int(result))
        return float(_eval_float(result)) if kind == _EVAL_FLOAT else None
    finally:
        _eval_dispose(result)


def _does_something(cursor: Cursor) -> bool:
    """Does evaluating write or call what the compiler leaves out of a known value?

    A constant expression may call, but only `f(), 1` and `f() || true` are known without the call.
    """
    calls = dropped = False
    waiting = [cursor]
    while waiting:
        here = waiting.pop()
        if here.kind in _UNEVALUATED:
            continue
        operator = binary_operator(here) if here.kind in _OPERATORS else ""
        if here.kind == CursorKind.COMPOUND_ASSIGNMENT_OPERATOR or operator == "=":
            return True
        if here.kind == CursorKind.UNARY_OPERATOR and _unary_kind(here) <= _LAST_INCREMENT:
            return True
        calls = calls or here.kind == CursorKind.CALL_EXPR
        dropped = dropped or operator in (",", "&&", "||")
        waiting.extend(children(here))
    return calls and dropped


def template_arguments(function: Cursor) -> tuple[str, ...]:
    """The arguments of an instantiated function as they are spelled: ("float", "128").

    A pack or a template that is an argument shows as "...": the C API does not open it.
    """
    return tuple(_argument(function, i) for i in range(max(0, _argument_count(function))))


def _argument(function: Cursor, index: int) -> str:
    kind = _argument_kind(function, index)
    if kind == _ARGUMENT_TYPE:
        return str(function.get_template_argument_type(index).spelling)
    if kind == _ARGUMENT_INTEGRAL:
        value = _argument_value(function, index)
        # A bool has one bit, which the C API extends by its sign: true would read as -1.
        is_bool = value in (-1, 0, 1) and _is_bool(function, index)
        return str(value != 0).lower() if is_bool else str(value)
    return "..."


def _is_bool(function: Cursor, index: int) -> bool:
    """Whether the template parameter at `index` is declared as a bool."""
    pattern = _pattern_of(function)
    parameters = [
        child
        for child in (children(pattern) if pattern is not None else ())
        if child.kind in _TEMPLATE_PARAMETERS
    ]
    return index < len(parameters) and parameters[index].type.kind == TypeKind.BOOL


def _pattern_of(function: Cursor) -> Cursor | None:
    """The template that a function is an instance of."""
    pattern = cindex.conf.lib.clang_getSpecializedCursorTemplate(function)
    return pattern if pattern and not pattern.kind.is_invalid() else None


_TEMPLATE_PARAMETERS = frozenset(
    (
        CursorKind.TEMPLATE_TYPE_PARAMETER,
        CursorKind.TEMPLATE_NON_TYPE_PARAMETER,
        CursorKind.TEMPLATE_TEMPLATE_PARAMETER,
    )
)


def is_in_macro(cursor: Cursor) -> bool:
    """Does the cursor start inside a macro's expansion (where its tokens cannot be trusted)?"""
    location = cursor.extent.start
    return spelling_offset(location) != (
        location.file.name if location.file else "",
        location.offset,
    )


def spelling_offset(location: Any) -> tuple[str, int]:
    """File and byte where the token at a location is spelled: in the macro's body, inside one."""
    file, line = ctypes.c_void_p(), ctypes.c_uint()
    column, offset = ctypes.c_uint(), ctypes.c_uint()
    _spelling_location(
        location,
        ctypes.byref(file),
        ctypes.byref(line),
        ctypes.byref(column),
        ctypes.byref(offset),
    )
    name = str(_file_name(file)) if file else ""
    return name, offset.value


_file_name = _declare(_lib, "clang_getFileName", [ctypes.c_void_p], _STRING)


def offsets(cursor: Cursor) -> tuple[int, int]:
    """Byte offsets of the cursor's extent in its file (of the macro's use, inside a macro)."""
    extent = cursor.extent
    return extent.start.offset, extent.end.offset


def has_attribute(cursor: Cursor, kind: CursorKind) -> bool:
    """Does a declaration carry an attribute such as `CursorKind.CUDAGLOBAL_ATTR`?"""
    wanted = kind.value
    return any(child._kind_id == wanted for child in children(cursor))


def body(function: Cursor) -> Cursor | None:
    """The `{...}` of a function, or None: a declaration, or an instance that did not compile."""
    found = None
    for child in children(function):
        if child.kind in (CursorKind.COMPOUND_STMT, CursorKind.CXX_TRY_STMT):
            found = child
    return found


def identity(function: Cursor) -> str:
    """A key that tells a function's instantiations apart (the USR alone does not)."""
    arguments = ",".join(template_arguments(function))
    return f"{function.get_usr()}|{function.type.spelling}|{arguments}"


_found: list[Cursor] = []
_visiting = Lock()


def _note_child(child: Cursor, _parent: Cursor, _data: Any) -> int:
    _found.append(child)
    return 1  # and go on, not down


_VISITOR = ctypes.CFUNCTYPE(ctypes.c_int, Cursor, Cursor, ctypes.c_void_p)
_note_child_callback = _VISITOR(_note_child)
_visit_children = _declare(
    _raw, "clang_visitChildren", [Cursor, _VISITOR, ctypes.c_void_p], ctypes.c_uint
)


# The unit whose top level was last visited, and what is there: thousands of macros, asked for again
# by each part that looks at the whole unit.
_visited: tuple[Any, list[Cursor]] = (None, [])
_WHOLE_UNIT = CursorKind.TRANSLATION_UNIT.value


def children(cursor: Cursor) -> list[Cursor]:
    """The cursors right below. As `Cursor.get_children`, at a third of its cost."""
    global _visited
    unit = cursor._tu
    is_whole = cursor._kind_id == _WHOLE_UNIT
    if is_whole and _visited[0] is unit:
        return _visited[1].copy()
    with _visiting:
        _found.clear()
        _visit_children(cursor, _note_child_callback, None)
        below = _found.copy()
    for child in below:
        child._tu = unit
    if is_whole:
        _visited = (unit, below.copy())
    return below


def file_of(location: cindex.SourceLocation, unit: Any) -> str:
    """The name of the file that a location of `unit` lies in (of the macro's use, inside one)."""
    pointer = ctypes.c_void_p()
    _file_location(location, ctypes.byref(pointer), None, None, None)
    if not pointer.value:
        return ""
    names: dict[int, str] = unit.__dict__.setdefault("_crossport_names", {})
    name = names.get(pointer.value)
    if name is None:
        name = names[pointer.value] = str(_file_name(pointer))
    return name


_file_location = _declare(
    _raw,
    "clang_getInstantiationLocation",
    [cindex.SourceLocation, *([ctypes.c_void_p] * 4)],
    None,
)


def walk(cursor: Cursor) -> Iterator[Cursor]:
    """The cursor and all below it, in source order, without recursion."""
    stack = [cursor]
    while stack:
        current = stack.pop()
        yield current
        below = children(current)
        below.reverse()
        stack += below


CALLS = frozenset((CursorKind.CALL_EXPR,))
_wanted: frozenset[int] = frozenset()


def _note_wanted(below: Cursor, _parent: Cursor, _data: Any) -> int:
    if below._kind_id in _wanted:
        _found.append(below)
    return 2  # and go down


_note_wanted_callback = _VISITOR(_note_wanted)


def find(cursor: Cursor, kinds: frozenset[CursorKind]) -> list[Cursor]:
    """The cursors of these kinds below a cursor, in source order: a tenth of the cost of `walk`."""
    global _wanted
    with _visiting:
        _found.clear()
        _wanted = _ids(kinds)
        _visit_children(cursor, _note_wanted_callback, None)
        below = _found.copy()
    unit = cursor._tu
    for child in below:
        child._tu = unit
    return below


@lru_cache(maxsize=64)
def _ids(kinds: frozenset[CursorKind]) -> frozenset[int]:
    return frozenset(kind.value for kind in kinds)


_referenced = _declare(_raw, "clang_getCursorReferenced", [Cursor], Cursor)
_FUNCTION_IDS = frozenset(
    kind.value
    for kind in (
        CursorKind.FUNCTION_DECL,
        CursorKind.CXX_METHOD,
        CursorKind.CONSTRUCTOR,
        CursorKind.DESTRUCTOR,
        CursorKind.CONVERSION_FUNCTION,
    )
)


def referenced_function(cursor: Cursor) -> Cursor | None:
    """The function that an expression refers to; None for anything else."""
    target = _referenced(cursor)
    if target._kind_id not in _FUNCTION_IDS:
        return None
    target._tu = cursor._tu
    return target


@lru_cache(maxsize=1)
def version() -> str:
    """`18.1.1`-like text that changes with the library; part of cache keys."""
    describe = _declare(_lib, "clang_getClangVersion", [], _STRING)
    return str(describe())
