"""Places of the thread IR -> where the generated code finds them: registers, arrays, addresses.

    v.x             v7                            a field of a struct in registers
    acc[i]          r3.get(m0, i, 5)              a register array
    p[i].y          load(rt, m0, p, i * 4 + 1, K_f32, 6)

Which of these a variable is, analysis.py has decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError
from crossport.ir.interpreter.analysis import Home, constant, simplify_place
from crossport.ir.interpreter.code import Code, Unit
from crossport.ir.interpreter.kinds import Kind, Leaf, kind_of
from crossport.ir.nodes import (
    AddressOf,
    Deref,
    Element,
    Expr,
    Function,
    Intrinsic,
    Member,
    Node,
    Place,
    PointerAdd,
    Read,
    Var,
    children,
)
from crossport.ir.types import Array, Pointer, Struct, Type


@dataclass(slots=True)
class Storage:
    """Where a variable lives in the generated function.

    register: `names`, one Python variable a leaf. array: `names[0]` is a RegisterArray.
    memory: `names[0]` is a MemoryObject. `region`: the mask variable where it was declared.
    """

    home: Home
    type: Type
    names: list[str]
    region: str


@dataclass(slots=True)
class Address:
    """`base` (a MemoryObject, or a pointer) plus `const` bytes plus terms `index * stride`."""

    base: str
    is_object: bool
    terms: list[tuple[str, int]]
    const: int


def unsupported(node: Node, what: str) -> PortError:
    """The error for what has no meaning here."""
    return PortError(
        Diagnostic(DiagnosticCode.NOT_INTERPRETED, f"{what} cannot be interpreted", span=node.span)
    )


class PlaceCompiler:
    """What a function under compilation knows, and its places."""

    def __init__(self, unit: Unit, function: Function) -> None:
        self.unit = unit
        self.function = function
        self.layout = unit.layout
        self.code = Code()
        self.mask = "m0"
        self.env: dict[str, Storage] = {}
        self.prologue: dict[str, str] = {}

    def scalar(self, expr: Expr) -> str:
        """Python text of a value with one leaf (compile_expressions.py)."""
        raise NotImplementedError

    # --- small helpers

    def kind(self, type: Type) -> Kind:
        """The kind of a single-leaf type."""
        return kind_of(type, self.unit.oracle)

    def leaf_kinds(self, type: Type) -> list[Kind]:
        """The kinds of all leaves."""
        return [leaf.kind for leaf in self.layout.leaves(type)]

    def bind(self, text: str) -> str:
        """A name for a value: the text itself if it is one."""
        if text.isidentifier():
            return text
        name = self.code.fresh()
        self.code.emit(f"{name} = {text}")
        return name

    def element_size(self, type: Type) -> int:
        """Bytes of what a pointer points to."""
        assert isinstance(type, Pointer)
        return self.layout.size(type.element)

    def site(self, node: Node) -> int:
        """The number of a place in the source."""
        return self.unit.site(node, self.function.name)

    def i64(self, expr: Expr) -> str:
        """An integer expression as int64 (a plain Python number if constant)."""
        value = constant(expr)
        if value is not None:
            return f"({value})" if value < 0 else str(value)
        text = self.scalar(expr)
        if self.kind(expr.type).name in ("i64", "ptr"):
            return text
        return f"{text}.astype(i64)"

    def fresh_mask(self) -> str:
        """A new mask variable."""
        return self.code.fresh("m")

    # --- places

    def touches_memory(self, node: Node) -> bool:
        """Whether evaluating the expression in a lane that should not could go wrong."""
        if isinstance(node, Read):
            place = simplify_place(node.place)
            chain: list[Place] = [place]
            while isinstance(place, Element | Member):
                place = simplify_place(place.base)
                chain.append(place)
            if not isinstance(place, Var) or self.env[place.name].home == "memory":
                return True
            return any(isinstance(p, Element) and constant(p.index) is None for p in chain)
        if isinstance(node, Intrinsic) and node.name.startswith("tex"):
            return True
        return any(self.touches_memory(child) for child in children(node))

    def lookup(self, var: Var) -> Storage:
        """Where a variable lives."""
        return self.env[var.name]

    def read(self, place: Place) -> list[str]:
        """The leaves of the value at a place."""
        found = self._register_path(place)
        if found is None:
            return self._load(place)
        home, first, count, varying = found
        if home.home == "register":
            return home.names[first : first + count]
        array = home.names[0]
        site = self.site(place)
        if not varying:
            if count == len(self.leaf_kinds(home.type)):
                whole = self.bind(f"{array}.leaves()")
                return [f"{whole}[{i}]" for i in range(count)]
            return [f"{array}.get({self.mask}, {first + i}, {site})" for i in range(count)]
        index = varying if count == 1 else self.bind(varying)
        return [
            f"{array}.get({self.mask}, {index}{f' + {first + i}' if first + i else ''}, {site})"
            for i in range(count)
        ]

    def _register_path(self, place: Place) -> tuple[Storage, int, int, str] | None:
        """(variable, first leaf, leaf count, varying leaf index or "") of a place in registers."""
        place = simplify_place(place)
        match place:
            case Var():
                home = self.lookup(place)
                if home.home == "memory":
                    return None
                return home, 0, len(self.leaf_kinds(home.type)), ""
            case Element(base, index):
                found = self._register_path(base)
                if found is None:
                    return None
                home, first, _, varying = found
                step = len(self.leaf_kinds(place.type))
                fixed = constant(index)
                if fixed is not None:
                    if home.home == "register" and not 0 <= fixed < _length(base.type):
                        raise unsupported(place, f"element {fixed} of {base.type}")
                    return home, first + fixed * step, step, varying
                term = self.i64(index) + (f" * {step}" if step != 1 else "")
                return home, first, step, f"{varying} + {term}" if varying else term
            case Member(base, name):
                found = self._register_path(base)
                if found is None:
                    return None
                home, first, _, varying = found
                assert isinstance(base.type, Struct)
                offset, count = self.layout.field_leaves(base.type.name, name)
                return home, first + offset, count, varying
            case Deref():
                return None
            case _:
                assert_never(place)

    def address(self, place: Place) -> Address:
        """Where a place in memory lies."""
        place = simplify_place(place)
        match place:
            case Var():
                home = self.lookup(place)
                assert home.home == "memory", place
                return Address(home.names[0], True, [], 0)
            case Deref(pointer, index, type):
                if isinstance(pointer, AddressOf):
                    inner = self.address(pointer.place)
                elif isinstance(pointer, PointerAdd):
                    inner = self.address(Deref(pointer.pointer, pointer.index, type))
                    size = self.element_size(pointer.type)
                    if size != self.layout.size(type):  # the cast was dropped by construction
                        raise unsupported(place, "a pointer of two types")
                else:
                    inner = Address(self.bind(self.scalar(pointer)), False, [], 0)
                return self._moved(inner, index, self.layout.size(type))
            case Element(base, index, type):
                return self._moved(self.address(base), index, self.layout.size(type))
            case Member(base, name):
                inner = self.address(base)
                assert isinstance(base.type, Struct)
                inner.const += self.layout.struct(base.type.name).field(name).offset
                return inner
            case _:
                assert_never(place)

    def _moved(self, inner: Address, index: Expr, stride: int) -> Address:
        fixed = constant(index)
        if fixed is not None:
            inner.const += fixed * stride
        else:
            inner.terms.append((self.i64(index), stride))
        return inner

    def address_text(self, address: Address) -> str:
        """A place as a pointer."""
        base = f"{address.base}.address" if address.is_object else address.base
        parts = [base, *(f"{t} * {s}" if s != 1 else t for t, s in address.terms)]
        if address.const:
            parts.append(str(address.const))
        return f"({' + '.join(parts)})" if len(parts) > 1 else base

    def _load(self, place: Place) -> list[str]:
        address, site = self.address(place), self.site(place)
        leaves = self.layout.leaves(place.type)
        if len(leaves) > 1:
            address.terms = [(self.bind(t), s) for t, s in address.terms]
            # All leaves are read before anything else happens, in order.
            return [self.bind(self._load_leaf(address, leaf, site)) for leaf in leaves]
        return [self._load_leaf(address, leaf, site) for leaf in leaves]

    def _load_leaf(self, address: Address, leaf: Leaf, site: int) -> str:
        index, is_bytes = self.index_text(address, leaf)
        kind = self.unit.kind(leaf.kind)
        if address.is_object:
            verb = "load_bytes" if is_bytes else "load"
            return f"{address.base}.{verb}({self.mask}, {index}, {kind}, {site})"
        if is_bytes:
            return f"load(rt, {self.mask}, {address.base} + {index}, 0, {kind}, {site})"
        return f"load(rt, {self.mask}, {address.base}, {index}, {kind}, {site})"

    def index_text(self, address: Address, leaf: Leaf) -> tuple[str, bool]:
        """The element number of a leaf; or its byte offset (True) where it is on no element."""
        const, size = address.const + leaf.offset, leaf.kind.size
        if const % size == 0 and all(stride % size == 0 for _, stride in address.terms):
            parts = [
                f"{term} * {stride // size}" if stride != size else term
                for term, stride in address.terms
            ]
            if const or not parts:
                parts.append(str(const // size))
            return " + ".join(parts).replace("+ -", "- "), False
        parts = [f"{term} * {stride}" if stride != 1 else term for term, stride in address.terms]
        return " + ".join([*parts, str(const)]), True


def _length(type: Type) -> int:
    return type.length if isinstance(type, Array) else 1
