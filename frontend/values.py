"""Constant values of host expressions, through local variables that are set once.

    const int n = 4;  int threads = n * 64;  dim3 block(threads, 2);      block: x 256, y 2, z 1

libclang folds what C++ calls constant. Host code mostly writes `int threads = 256;` without const:
such a variable counts as its initialiser when nothing in its function changes it.
"""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind

_FOLD: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: int(a / b) if b else 0,
    "%": lambda a, b: a - b * int(a / b) if b else 0,
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
    ">>": lambda a, b: a >> b if 0 <= b < 64 else 0,
}
_STEPS = ("post++", "post--", "++", "--", "&")
_DEEPEST = 12
_CHANGING = frozenset(
    (
        CursorKind.COMPOUND_ASSIGNMENT_OPERATOR,
        CursorKind.BINARY_OPERATOR,
        CursorKind.UNARY_OPERATOR,
        CursorKind.CALL_EXPR,
    )
)


class Values:
    """Evaluates expressions of one function, whose changed variables it knows."""

    def __init__(self, function: Cursor | None) -> None:
        self._changed: set[int] | None = None
        self._function = function

    def number(self, cursor: Cursor, depth: int = 0) -> int | float | None:
        """The value of an expression, or None."""
        value = clang.evaluate(cursor) if cursor.kind != CursorKind.DECL_REF_EXPR else None
        if value is not None or depth > _DEEPEST:
            return value
        inner = unwrap(cursor)
        if inner.kind == CursorKind.BINARY_OPERATOR:
            return self._fold(inner, depth)
        variable = self.variable(inner)
        if variable is None:
            return clang.evaluate(inner)
        initialiser = initialiser_of(variable)
        return None if initialiser is None else self.number(initialiser, depth + 1)

    def variable(self, cursor: Cursor) -> Cursor | None:
        """The variable that an expression names, if it keeps its initial value."""
        if cursor.kind != CursorKind.DECL_REF_EXPR:
            return None
        declaration = cursor.referenced
        if declaration is None or declaration.kind != CursorKind.VAR_DECL:
            return None
        if declaration.type.is_const_qualified():
            return declaration
        if declaration.semantic_parent.kind in (
            CursorKind.TRANSLATION_UNIT,
            CursorKind.NAMESPACE,
            CursorKind.LINKAGE_SPEC,
        ):
            return None  # a global: any function may change it
        return None if declaration.hash in self._changes() else declaration

    def _fold(self, cursor: Cursor, depth: int) -> int | None:
        fold = _FOLD.get(clang.binary_operator(cursor))
        left, right = clang.children(cursor)
        a, b = self.number(left, depth + 1), self.number(right, depth + 1)
        if fold is None or not isinstance(a, int) or not isinstance(b, int):
            return None
        return fold(a, b)

    def _changes(self) -> set[int]:
        """Hashes of the variables that the function assigns, steps, or hands out by address."""
        if self._changed is None:
            self._changed = set()
            if self._function is not None:
                for cursor in clang.find(self._function, _CHANGING):
                    self._note_change(cursor)
        return self._changed

    def _note_change(self, cursor: Cursor) -> None:
        assert self._changed is not None
        kind = cursor.kind
        target: Cursor | None = None
        if (
            kind == CursorKind.COMPOUND_ASSIGNMENT_OPERATOR
            or (kind == CursorKind.BINARY_OPERATOR and clang.binary_operator(cursor) == "=")
            or (kind == CursorKind.UNARY_OPERATOR and clang.unary_operator(cursor) in _STEPS)
        ):
            target = next(iter(clang.children(cursor)), None)
        elif kind == CursorKind.CALL_EXPR:
            # An argument with no lvalue-to-rvalue step around it is bound by reference.
            for child in clang.children(cursor)[1:]:
                self._add(child)
            if cursor.spelling == "operator=":
                target = next(iter(clang.children(cursor)), None)
        while target is not None and target.kind in (
            CursorKind.MEMBER_REF_EXPR,
            CursorKind.PAREN_EXPR,
            CursorKind.ARRAY_SUBSCRIPT_EXPR,
        ):
            target = next(iter(clang.children(target)), None)
        if target is not None:
            self._add(target)

    def _add(self, cursor: Cursor) -> None:
        if cursor.kind == CursorKind.DECL_REF_EXPR and cursor.referenced is not None:
            assert self._changed is not None
            if not cursor.referenced.type.is_const_qualified():
                self._changed.add(cursor.referenced.hash)


def unwrap(cursor: Cursor) -> Cursor:
    """An expression without parentheses, implicit and explicit casts."""
    while True:
        if cursor.kind not in _WRAPPERS:
            return cursor
        children = [c for c in clang.children(cursor) if c.kind.is_expression()]
        if len(children) != 1:
            return cursor
        cursor = children[0]


_WRAPPERS = (
    CursorKind.UNEXPOSED_EXPR,
    CursorKind.PAREN_EXPR,
    CursorKind.CSTYLE_CAST_EXPR,
    CursorKind.CXX_STATIC_CAST_EXPR,
    CursorKind.CXX_FUNCTIONAL_CAST_EXPR,
    CursorKind.CXX_REINTERPRET_CAST_EXPR,
    CursorKind.CXX_CONST_CAST_EXPR,
)


def initialiser_of(variable: Cursor) -> Cursor | None:
    """The expression that a variable starts with, or None."""
    found = None
    for child in clang.children(variable):
        if child.kind.is_expression():
            found = child
    return found
