"""Questions about cursors that the lowering asks often: text, spans, names, initialisers.

span(cursor)             reduce.cu:14:3-14:21, in the user's text (of the macro's use, in a macro)
qualified(function)      "cooperative_groups::reduce"      (inline namespaces left out)
local_key(declaration)   tells declarations apart, shadowed ones and instances included
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

from clang import cindex

from crossport.diagnostics import Span
from crossport.frontend import cache, shim
from crossport.frontend.clang import Cursor, CursorKind, TypeKind, body, offsets, spelling_offset

_SHIM = (str(cache.include_folder()), str(shim.ROOT))
_raw = ctypes.CDLL(cindex.conf.lib._name)

_initializer = _raw.clang_Cursor_getVarDeclInitializer
_initializer.argtypes = [Cursor]
_initializer.restype = Cursor
_is_inline_namespace = _raw.clang_Cursor_isInlineNamespace
_is_inline_namespace.argtypes = [Cursor]
_is_inline_namespace.restype = ctypes.c_uint

_is_unnamed_record = _raw.clang_Cursor_isAnonymousRecordDecl
_is_unnamed_record.argtypes = [Cursor]
_is_unnamed_record.restype = ctypes.c_uint
_is_defaulted = _raw.clang_CXXMethod_isDefaulted
_is_defaulted.argtypes = [Cursor]
_is_defaulted.restype = ctypes.c_uint

LocalKey = tuple[int, str]

# Children that are not expressions although they stand among an expression's operands.
REFERENCES = frozenset(
    (
        CursorKind.TYPE_REF,
        CursorKind.NAMESPACE_REF,
        CursorKind.TEMPLATE_REF,
        CursorKind.OVERLOADED_DECL_REF,
        CursorKind.PARM_DECL,
    )
)

_NAMED_SCOPES = (
    CursorKind.NAMESPACE,
    CursorKind.STRUCT_DECL,
    CursorKind.CLASS_DECL,
    CursorKind.CLASS_TEMPLATE,
    CursorKind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION,
)


def span(cursor: Cursor) -> Span | None:
    """The cursor's place in the user's text; None for what the compiler or the shim made up."""
    extent = cursor.extent
    # All four parts at once: the binding's properties look each of them up anew.
    file, line, column, offset = extent.start._get_instantiation()
    if file is None or is_shim_file(file.name):
        return None
    _, end_line, end_column, end_offset = extent.end._get_instantiation()
    return Span(str(file.name), line, column, end_line, end_column, offset, end_offset)


def local_key(declaration: Cursor) -> LocalKey:
    """A key that tells two declarations apart even when they shadow each other."""
    return (int(declaration.hash), str(declaration.spelling))


def initializer(variable: Cursor) -> Cursor | None:
    """The expression that a variable is initialised with."""
    found = _initializer(variable)
    # A cursor from a bare C call has to be told which translation unit keeps it alive.
    found._tu = variable._tu
    return found if found.kind.is_expression() else None


def written_body(function: Cursor) -> Cursor | None:
    """The body that the user wrote; None for what the compiler makes up (default copies, ...)."""
    return None if _is_defaulted(function) else body(function)


def is_unnamed_record(declaration: Cursor) -> bool:
    """An anonymous union or struct, whose members belong to the class around it?"""
    return bool(_is_unnamed_record(declaration))


def qualified(function: Cursor) -> str:
    """A function's name with its namespaces and classes, without inline namespaces."""
    parts = [str(function.spelling)]
    scope = function.semantic_parent
    while scope is not None and scope.kind in _NAMED_SCOPES:
        if not (scope.kind == CursorKind.NAMESPACE and _is_inline_namespace(scope)):
            parts.append(str(scope.spelling))
        scope = scope.semantic_parent
    return "::".join(reversed([part for part in parts if part]))


def is_shim(cursor: Cursor) -> bool:
    """Does a declaration come from crossport's own headers (or from the compiler itself)?"""
    file = cursor.location.file
    return file is None or is_shim_file(file.name)


def is_shim_file(name: str) -> bool:
    """Is a file one of crossport's own headers?"""
    return name.startswith(_SHIM)


def operands(cursor: Cursor) -> list[Cursor]:
    """The children that are expressions, in order."""
    return [child for child in cursor.get_children() if child.kind not in REFERENCES]


def tokens(cursor: Cursor) -> list[str]:
    """The cursor's tokens. Only to be trusted outside macros."""
    return [str(token.spelling) for token in cursor.get_tokens()]


class Sources:
    """The bytes of the files that took part; what was given in memory wins over the disk."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def read(self, name: str) -> bytes:
        """The file's content; empty if it cannot be read."""
        if name not in self._files:
            try:
                self._files[name] = Path(name).read_bytes()
            except OSError:
                self._files[name] = b""
        return self._files[name]

    def text(self, cursor: Cursor, limit: int = 200) -> str:
        """The source text as written, on one line; shortened to `limit` characters."""
        place = span(cursor)
        if place is None:
            return str(cursor.spelling)
        data = self.read(place.file)
        start, end = offsets(cursor)
        words = data[start:end].decode("utf-8", errors="replace").split()
        whole = " ".join(words) or str(cursor.spelling)
        return whole if len(whole) <= limit else whole[: limit - 3] + "..."

    def brackets(self, cursor: Cursor) -> str | None:
        """What stands in the `[...]` that a lambda starts with, also inside a macro."""
        name, offset = spelling_offset(cursor.location)
        data = self.read(name).decode("utf-8", errors="replace") if name else ""
        raw = self.read(name)[offset : offset + 2000].decode("utf-8", errors="replace")
        if not data or not raw.startswith("["):
            return None
        depth = 0
        for position, letter in enumerate(raw):
            depth += (letter in "[({") - (letter in "])}")
            if depth == 0:
                return raw[1:position]
        return None


ARRAYS = (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY)


def is_decayed(cursor: Cursor) -> bool:
    """Is an expression of array type really a pointer: a parameter that is written as an array?"""
    if cursor.type.get_canonical().kind not in ARRAYS:
        return False
    while cursor.kind == CursorKind.PAREN_EXPR:
        cursor = operands(cursor)[0]
    if cursor.kind == CursorKind.DECL_REF_EXPR:
        found = cursor.referenced
        return bool(
            found is not None
            and found.kind == CursorKind.PARM_DECL
            and found.type.get_canonical().kind in ARRAYS
        )
    if cursor.kind == CursorKind.UNEXPOSED_EXPR:
        below = operands(cursor)
        if len(below) != 1:
            return False
        # A pointer, or a null of any type, that was converted to the parameter's written type.
        return below[0].type.get_canonical().kind not in ARRAYS or is_decayed(below[0])
    return False


def strip(cursor: Cursor) -> Cursor:
    """The expression below parentheses and conversions that change nothing but the type."""
    while cursor.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR):
        below = operands(cursor)
        if len(below) != 1:
            return cursor
        cursor = below[0]
    return cursor


def is_dependent(cursor: Cursor) -> bool:
    """Did a template stay open here, or an error leave a hole?"""
    return cursor.type.kind in (TypeKind.DEPENDENT, TypeKind.OVERLOAD)
