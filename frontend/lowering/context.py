"""The state of lowering one function: statements so far, variables in scope, fresh names.

ctx.value(cursor)      an expression without side effects; what it does besides is emitted first
ctx.place(cursor)      where an lvalue lives
ctx.statement(cursor)  emits a statement
ctx.temp(value)        saves a value in a new variable and gives back a read of it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from crossport.diagnostics import Span
from crossport.frontend.clang import Cursor
from crossport.frontend.clang import Type as ClangType
from crossport.frontend.lowering import cursors, order
from crossport.frontend.lowering.cursors import LocalKey
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.types import BitRange, TypeTable
from crossport.ir.nodes import (
    AddressOf,
    Binary,
    Block,
    Cast,
    Const,
    Deref,
    Element,
    Expr,
    FunctionRef,
    Let,
    Member,
    Null,
    Opaque,
    OpaqueValue,
    Place,
    PointerAdd,
    Read,
    SharedVar,
    Stmt,
    Var,
)
from crossport.ir.types import (
    BOOL,
    I32,
    VOID,
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    Type,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.module import ModuleLowering

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BitField:
    """An lvalue inside a storage unit."""

    unit: Place
    bits: BitRange

    @property
    def type(self) -> Type:
        """The member's declared type."""
        return self.bits.type


@dataclass(frozen=True, slots=True)
class FragmentElement:
    """`fragment.x[index]`: an element of a wmma fragment that this thread holds."""

    fragment: Expr
    index: Expr
    type: Type


Lvalue = Var | Element | Member | Deref | BitField | FragmentElement


@dataclass(frozen=True, slots=True)
class Fixed:
    """A name that stands for a value: a folded constant, or a group (`None`: no state)."""

    value: Expr | None


Binding = Var | Element | Member | Deref | Fixed


class Lowering:
    """One function on its way into the IR."""

    def __init__(self, module: ModuleLowering, in_memory: set[str] | None) -> None:
        self.module = module
        self.types: TypeTable = module.types
        self.out: list[Stmt] = []
        self.bindings: dict[LocalKey, Binding] = {}
        self.this: Expr | None = None  # a pointer to the object
        self.captured_this: Expr | None = None  # inside a lambda: the enclosing object
        self.shared: list[SharedVar] = []
        self.function: Cursor | None = None
        self.result: Type = VOID
        self.returns_reference = False
        self.here: Span | None = None
        self.conservative = False
        self.range_begin: list[Deref] = []
        self.switch_depth = 0
        self._names: dict[str, int] = {}
        self._in_memory = in_memory

    # --- Dispatch --------------------------------------------------------------------------

    def value(self, cursor: Cursor) -> Expr:
        """An expression's value. What is not understood comes back as an `OpaqueValue`."""
        from crossport.frontend.lowering import expressions

        return expressions.value(self, cursor)

    def place(self, cursor: Cursor) -> Lvalue:
        """Where an lvalue lives; a temporary gets a variable of its own."""
        from crossport.frontend.lowering import places

        return places.place(self, cursor)

    def plain_place(self, cursor: Cursor) -> Place:
        """A place that has an address."""
        found = self.place(cursor)
        if isinstance(found, (BitField, FragmentElement)):
            raise NotLowered("address of a bit-field or fragment element")
        return found

    def statement(self, cursor: Cursor) -> None:
        """Emit a statement."""
        from crossport.frontend.lowering import statements

        statements.statement(self, cursor)

    def type(self, cursor: Cursor) -> Type:
        """The IR type of an expression."""
        kind = self.types.lower(cursor.type)
        if isinstance(kind, Array) and cursors.is_decayed(cursor):
            return Pointer(kind.element)
        return kind

    def lower_type(self, kind: ClangType) -> Type:
        """The IR type of a C++ type."""
        return self.types.lower(kind)

    # --- Emitting --------------------------------------------------------------------------

    def emit(self, statement: Stmt) -> None:
        """Add a statement."""
        self.out.append(statement)

    @contextmanager
    def block(self) -> Iterator[list[Stmt]]:
        """Collect what is emitted inside into a list of its own."""
        outer, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = outer

    def fresh(self, name: str) -> str:
        """A name that the function does not use yet; never one of the lowering's own."""
        if order.is_own(name):
            name += "_"
        count = self._names.get(name, 0) + 1
        self._names[name] = count
        if count == 1:
            return name
        candidate = f"{name}_{count}"
        while candidate in self._names:
            count += 1
            candidate = f"{name}_{count}"
        self._names[candidate] = 1
        self._names[name] = count
        return candidate

    def new_temp(self, kind: Type) -> Var:
        """A new variable that only the lowering knows, declared without a value."""
        variable = self.temp_var(kind)
        self.emit(Let(variable, None, span=self.here))
        return variable

    def temp_var(self, kind: Type) -> Var:
        """A new variable that only the lowering knows, not declared yet."""
        self._names["_t"] = self._names.get("_t", 0) + 1
        return Var(f"_t{self._names['_t']}", kind, span=self.here)

    def temp(self, value: Expr) -> Read:
        """Save a value; the variable is written once."""
        variable = self.temp_var(value.type)
        self.emit(Let(variable, value, span=self.here))
        return Read(variable, span=self.here)

    def stable(self, value: Expr) -> Expr:
        """The value in a form that can be used twice."""
        return value if order.is_simple(value) else self.temp(value)

    def kept(self, value: Expr) -> Expr:
        """The value in a form that later statements cannot change."""
        if isinstance(value, (Const, Null, FunctionRef)):
            return value
        place = value.place if isinstance(value, Read) else None
        if isinstance(place, Var) and order.is_own(place.name):
            return value
        return self.temp(value)

    def opaque(self, cursor: Cursor, reason: str) -> None:
        """Emit what was not understood, as it is written."""
        self.emit(Opaque(self.module.sources.text(cursor), reason, span=cursors.span(cursor)))

    def opaque_value(self, cursor: Cursor, reason: str) -> OpaqueValue:
        """An expression that was not understood. Its type may be a guess: it blocks the kernel."""
        try:
            kind = self.type(cursor)
        except NotLowered:
            kind = Handle(str(cursor.type.spelling))
        return OpaqueValue(
            self.module.sources.text(cursor), reason, kind, span=cursors.span(cursor)
        )

    # --- Order of evaluation ---------------------------------------------------------------

    def sequence(self, *parts: Callable[[], Expr]) -> list[Expr]:
        """Evaluate in order; a value that a later part's statements would change is saved."""
        values: list[Expr] = []
        for part in parts:
            start = len(self.out)
            value = part()
            self._protect(values, start)
            values.append(value)
        return values

    def values(self, items: Sequence[Cursor]) -> list[Expr]:
        """`sequence` over cursors."""
        return self.sequence(*[lambda c=item: self.value(c) for item in items])

    def _protect(self, values: list[Expr], start: int) -> None:
        added = self.out[start:]
        if not added:
            return
        changed = order.writes(added)
        if not changed:
            return
        for i, value in enumerate(values):
            if order.notices(value, changed, self._in_memory):
                self.conservative = self.conservative or self._in_memory is None
                variable = self.temp_var(value.type)
                self.out.insert(start, Let(variable, value, span=value.span))
                start += 1
                values[i] = Read(variable, span=value.span)

    def then_place(self, value: Expr, cursor: Cursor) -> tuple[Expr, Lvalue]:
        """A value, then a place: the order of C++'s assignments."""
        start = len(self.out)
        found = self.place(cursor)
        values = [value]
        self._protect(values, start)
        return values[0], found

    # --- Values ----------------------------------------------------------------------------

    def load(self, lvalue: Lvalue, *, volatile: bool = False) -> Expr:
        """The value at an lvalue."""
        from crossport.frontend.lowering import places

        return places.load(self, lvalue, volatile=volatile)

    def store(self, lvalue: Lvalue, value: Expr, *, volatile: bool = False) -> None:
        """Write an lvalue."""
        from crossport.frontend.lowering import places

        places.store(self, lvalue, value, volatile=volatile)

    def convert(self, value: Expr, target: Type) -> Expr:
        """The value as C converts it implicitly."""
        source = value.type
        if source == target or target == VOID:
            return value
        if isinstance(value, Const) and isinstance(target, Scalar):
            folded = convert_constant(value, target)
            if folded is not None:
                return folded
        if isinstance(value, Null) and isinstance(target, Pointer):
            return Null(target, span=value.span)
        if target == BOOL and isinstance(source, Pointer):
            return Binary("!=", value, Null(source), span=value.span)
        if isinstance(source, Struct) and isinstance(target, (Scalar, Pointer, Struct)):
            raise NotLowered(f"conversion of {source} to {target}")
        if isinstance(target, (Struct, Array)):
            raise NotLowered(f"conversion of {source} to {target}")
        return Cast(value, target, span=value.span)

    def address(self, place: Place) -> Expr:
        """A pointer to a place, in its plainest form."""
        if isinstance(place, Deref):
            if is_zero(place.index):
                return place.pointer
            return PointerAdd(place.pointer, place.index, span=place.span or self.here)
        return AddressOf(place, span=place.span or self.here)

    def target(self, pointer: Expr) -> Place:
        """The place that a pointer points at, in its plainest form."""
        match pointer:
            case AddressOf(place):
                return place
            case PointerAdd(base, index):
                kind = base.type
                assert isinstance(kind, Pointer)
                return Deref(base, index, kind.element, span=pointer.span)
        kind = pointer.type
        if not isinstance(kind, Pointer):
            raise NotLowered(f"dereference of {kind}")
        return Deref(pointer, Const(0, I32), kind.element, span=self.here)

    def decay(self, array: Place) -> Expr:
        """The address of an array's first element."""
        kind = array.type
        assert isinstance(kind, Array)
        return AddressOf(
            Element(array, Const(0, I32), kind.element, span=array.span), span=array.span
        )

    def declare(self, declaration: Cursor, kind: Type, name: str = "") -> Var:
        """Bind a declaration to a new variable of a unique name (not yet emitted)."""
        variable = Var(
            self.fresh(name or str(declaration.spelling) or "unnamed"), kind, span=self.here
        )
        self.bindings[cursors.local_key(declaration)] = variable
        return variable


def is_zero(value: Expr) -> bool:
    """A literal zero."""
    return isinstance(value, Const) and value.value == 0


def convert_constant(value: Const, target: Scalar) -> Const | None:
    """A literal in another type, where that is exact or integer; None: leave it to a `Cast`."""
    number = value.value
    if target == BOOL:
        return Const(bool(number), BOOL, span=value.span)
    if target.is_integer and isinstance(number, (int, bool)):
        return Const(wrap(int(number), target), target, span=value.span)
    if target.kind in ("f32", "f64") and isinstance(number, (int, float)):
        exact = float(number)
        if target.kind == "f32":
            import struct

            try:
                narrowed = struct.unpack("f", struct.pack("f", exact))[0]
            except OverflowError:
                return None
            if narrowed != exact or (isinstance(number, int) and int(narrowed) != number):
                # A double literal rounds once here, as the compiler does it.
                if isinstance(number, int) and abs(number) >= 1 << 53:
                    return None
                if narrowed in (float("inf"), float("-inf")):
                    return None
            return Const(narrowed, target, span=value.span)
        if isinstance(number, int) and int(exact) != number:
            return None
        return Const(exact, target, span=value.span)
    return None


def wrap(number: int, kind: Scalar) -> int:
    """A whole number as an integer type holds it."""
    bits = kind.size * 8
    number &= (1 << bits) - 1
    return number - (1 << bits) if kind.is_signed and number >> (bits - 1) else number


def with_span(expression: Expr, span: Span | None) -> Expr:
    """The expression with a place of its own, if it has none."""
    return expression if expression.span is not None else replace(expression, span=span)


def as_block(statements: Sequence[Stmt]) -> Block:
    """A list as the IR holds it."""
    return tuple(statements)
