"""Expressions and places of the thread IR -> Python text over NumPy registers.

    x[i] * a            (load(rt, m0, v_x, v_i.astype(i64), K_f32, 4) * v_a)
    c ? p[i] : 0        m1, m2 = split(m0, t1); if m1 is not None: t2 = load(rt, m1, ...)

Text that is used twice is first bound to a temporary; what must not run in all lanes (a load in one
arm of a `?:`) becomes lines under a narrower mask, before the line that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError
from crossport.ir.interpreter import arithmetic
from crossport.ir.interpreter.analysis import Home, constant, simplify_place
from crossport.ir.interpreter.code import Code, Unit
from crossport.ir.interpreter.intrinsics import resolve
from crossport.ir.interpreter.kinds import Kind, Leaf, is_single, kind_of, round_bf16
from crossport.ir.nodes import (
    COMPARISONS,
    AddressOf,
    Aggregate,
    Binary,
    Bitcast,
    Cast,
    Const,
    Deref,
    Element,
    Expr,
    Extract,
    Function,
    FunctionRef,
    Intrinsic,
    Member,
    Node,
    Null,
    OpaqueValue,
    Place,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Special,
    Unary,
    Var,
    children,
)
from crossport.ir.types import Array, Pointer, Scalar, Struct, Type


@dataclass(slots=True)
class Home_:
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


class ExpressionCompiler:
    """Compiles expressions of one function; statements are in compile_statements.py."""

    def __init__(self, unit: Unit, function: Function) -> None:
        self.unit = unit
        self.function = function
        self.layout = unit.layout
        self.code = Code()
        self.mask = "m0"
        self.env: dict[str, Home_] = {}
        self.prologue: dict[str, str] = {}

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

    # --- values

    def scalar(self, expr: Expr) -> str:
        """Python text of a value with one leaf."""
        assert is_single(expr.type), expr
        match expr:
            case Const(value, type):
                return self._constant(value, self.kind(type))
            case Null():
                return self.unit.constant(np.int64(0))
            case Special(name):
                return self._special(name)
            case Read(place):
                return self.read(place)[0]
            case AddressOf(place):
                return self.address_text(self.address(place))
            case Unary(op, value):
                text = self.scalar(value)
                if op == "-" and self.kind(value.type).name == "bool":
                    raise unsupported(expr, "negation of bool")
                return f"({'~' if op == '!' else op}{text})"
            case Binary():
                return self._binary(expr)
            case PointerAdd(pointer, index):
                return self._pointer_add(pointer, index)
            case PointerDiff(lhs, rhs):
                size = self._element_size(lhs.type)
                return f"(({self.scalar(lhs)} - {self.scalar(rhs)}) // {size})"
            case Cast(value, type):
                return self._cast(self.scalar(value), self.kind(value.type), self.kind(type))
            case Bitcast(value, type):
                return self._bitcast(expr, value, type)
            case Select() | Extract() | Aggregate():
                return self.leaves(expr)[0]
            case Intrinsic():
                return self._intrinsic(expr)
            case FunctionRef(name):
                return self.unit.constant(np.int64(self.unit.function_ids[name]))
            case OpaqueValue(text, reason):
                raise unsupported(expr, f"{text} ({reason})")
            case _:
                assert_never(expr)

    def leaves(self, expr: Expr) -> list[str]:
        """Python texts of all leaves of a value."""
        match expr:
            case Read(place):
                return self.read(place)
            case Aggregate(values, type):
                return self._aggregate(expr, values, type)
            case Select():
                return self._select(expr)
            case Extract(value, name):
                return self._extract(expr, value, name)
            case Intrinsic() if not is_single(expr.type):
                packed = self.bind(self._intrinsic(expr))
                return [f"{packed}[{i}]" for i in range(len(self.leaf_kinds(expr.type)))]
            case OpaqueValue(text, reason):
                raise unsupported(expr, f"{text} ({reason})")
            case _:
                return [self.scalar(expr)]

    def _constant(self, value: int | float | bool, kind: Kind) -> str:
        if kind.is_integer:
            value = int(value) & ((1 << kind.bits) - 1)
            return self.unit.constant(np.array(value, f"u{kind.size}").view(kind.register)[()])
        if kind.name == "bf16" and not kind.oracle:
            return self.unit.constant(round_bf16(np.float32(value)))
        with np.errstate(over="ignore"):
            return self.unit.constant(kind.register(value))

    def _special(self, name: str) -> str:
        local = "s_" + name.replace(".", "_")
        self.prologue[local] = f"rt.special[{name!r}]"
        return local

    def _element_size(self, type: Type) -> int:
        assert isinstance(type, Pointer)
        return self.layout.size(type.element)

    def _pointer_add(self, pointer: Expr, index: Expr) -> str:
        size = self._element_size(pointer.type)
        step = constant(index)
        if step is not None:
            return f"({self.scalar(pointer)} + ({step * size}))"
        scaled = self.i64(index) + (f" * {size}" if size != 1 else "")
        return f"({self.scalar(pointer)} + {scaled})"

    def _binary(self, expr: Binary) -> str:
        if expr.op in ("&&", "||"):
            return self._logic(expr)
        kind = self.kind(expr.lhs.type)
        if self.unit.contract and expr.op in ("+", "-") and kind.name in ("f32", "f64"):
            fused = self._fused(expr, kind)
            if fused:
                return fused
        lhs, rhs = self.scalar(expr.lhs), self.scalar(expr.rhs)
        op = expr.op
        if op in COMPARISONS:
            return f"({lhs} {op} {rhs})"
        if op in ("<<", ">>"):
            name = "shift_left" if op == "<<" else "shift_right"
            amount = constant(expr.rhs)
            if amount is not None and 0 <= amount < kind.bits:
                return f"({lhs} {op} {self._constant(amount, kind)})"
            return f"{name}({lhs}, {rhs})"
        if op in ("/", "%") and kind.is_integer:
            verb = "divide" if op == "/" else "modulo"
            sign = "signed" if kind.is_signed else "unsigned"
            return f"{verb}_{sign}({lhs}, {rhs})"
        if op == "%":
            raise unsupported(expr, f"% of {expr.lhs.type}")
        text = f"({lhs} {op} {rhs})"
        return f"round_bf16{text}" if kind.name == "bf16" and not kind.oracle else text

    def _fused(self, expr: Binary, kind: Kind) -> str:
        """`a * b ± c` or `c ± a * b` as one fma; of two products, the left one is fused."""
        fma = "fma_f32" if kind.name == "f32" else "fma_f64"
        minus = "-" if expr.op == "-" else ""
        match expr.lhs, expr.rhs:
            case Binary("*", a, b), c:
                return f"{fma}({self.scalar(a)}, {self.scalar(b)}, {minus}{self.scalar(c)})"
            case c, Binary("*", a, b):
                return f"{fma}({minus}{self.scalar(a)}, {self.scalar(b)}, {self.scalar(c)})"
            case _:
                return ""

    def _logic(self, expr: Binary) -> str:
        if not self.touches_memory(expr.rhs):
            op = "&" if expr.op == "&&" else "|"
            return f"({self.scalar(expr.lhs)} {op} {self.scalar(expr.rhs)})"
        lhs, result, inner = self.bind(self.scalar(expr.lhs)), self.code.fresh(), self.fresh_mask()
        wanted = lhs if expr.op == "&&" else f"~{lhs}"
        self.code.emit(f"{inner} = narrow({self.mask}, {wanted})")
        self.code.emit(f"{result} = {lhs}")
        self.code.emit(f"if {inner} is not None:")
        with self.code.indented():
            outer, self.mask = self.mask, inner
            rhs = self.scalar(expr.rhs)
            self.mask = outer
            self.code.emit(f"{result} = {lhs} {'&' if expr.op == '&&' else '|'} {rhs}")
        return result

    def fresh_mask(self) -> str:
        """A new mask variable."""
        return self.code.fresh("m")

    def _select(self, expr: Select) -> list[str]:
        count = len(self.leaf_kinds(expr.type))
        condition = self.bind(self.scalar(expr.condition))
        if not self.touches_memory(expr.then) and not self.touches_memory(expr.otherwise):
            then, otherwise = self.leaves(expr.then), self.leaves(expr.otherwise)
            return [f"select({condition}, {a}, {b})" for a, b in zip(then, otherwise, strict=True)]
        first, second = self.fresh_mask(), self.fresh_mask()
        results = [self.code.fresh() for _ in range(count)]
        others = [self.code.fresh() for _ in range(count)]
        self.code.emit(f"{first}, {second} = split({self.mask}, {condition})")
        for arm, mask, names in (
            (expr.then, first, results),
            (expr.otherwise, second, others),
        ):
            for name in names:
                self.code.emit(f"{name} = None")
            self.code.emit(f"if {mask} is not None:")
            with self.code.indented():
                outer, self.mask = self.mask, mask
                for name, value in zip(names, self.leaves(arm), strict=True):
                    self.code.emit(f"{name} = {value}")
                self.mask = outer
        return [f"either({condition}, {a}, {b})" for a, b in zip(results, others, strict=True)]

    def _cast(self, text: str, source: Kind, target: Kind) -> str:
        if {source.name, target.name} & {"ptr"}:
            if source.name == target.name:
                return text
            if target.name == "bool":
                return f"({text} != 0)"
            return f"{text}.astype({self.unit.helper(target.register, (target.register,))})"
        how = arithmetic.convert(source, target)
        if how is None:
            return text
        if isinstance(how, str):
            return f"{text}.astype({self.unit.helper(target.register, (target.register,))})"
        return f"{self.unit.helper(how, ('convert', source, target))}({text})"

    def _bitcast(self, node: Node, value: Expr, type: Type) -> str:
        if not is_single(value.type):
            raise unsupported(node, f"the bits of {value.type}")
        source, target = self.kind(value.type), self.kind(type)
        if source.size != target.size:
            raise unsupported(node, f"the bits of {value.type} as {type}")
        change = arithmetic.bitcast(source, target)
        text = self.scalar(value)
        if change is None:
            return text
        return f"{self.unit.helper(change, ('bitcast', source, target))}({text})"

    def _aggregate(self, node: Node, values: tuple[Expr, ...], type: Type) -> list[str]:
        if isinstance(type, Struct) and self.layout.is_union(type.name):
            raise unsupported(node, f"a value of the union {type}")
        wanted = self.leaf_kinds(type)
        texts = [self.bind(text) for value in values for text in self.leaves(value)]
        return texts + [self.unit.constant(kind.zero) for kind in wanted[len(texts) :]]

    def _extract(self, expr: Extract, value: Expr, name: str) -> list[str]:
        struct = value.type
        if not isinstance(struct, Struct) or self.layout.is_union(struct.name):
            raise unsupported(expr, f".{name} of a value of {struct}")
        first, count = self.layout.field_leaves(struct.name, name)
        return self.leaves(value)[first : first + count]

    def _intrinsic(self, expr: Intrinsic) -> str:
        kinds = tuple(tuple(self.leaf_kinds(a.type)) for a in expr.args)
        result = tuple(self.leaf_kinds(expr.type))
        found = resolve(expr.name, kinds, result, self.unit.oracle)
        if found is None:
            types = ", ".join(str(a.type) for a in expr.args)
            raise unsupported(expr, f"{expr.name}({types})")
        args = []
        for argument in expr.args:
            texts = self.leaves(argument)
            args.append(texts[0] if is_single(argument.type) else f"({', '.join(texts)},)")
        name = self.unit.helper(found.call, ("intrinsic", expr.name, kinds, result))
        if found.needs_runtime:
            args = ["rt", self.mask, str(self.site(expr)), *args]
        return f"{name}({', '.join(args)})"

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

    def lookup(self, var: Var) -> Home_:
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

    def _register_path(self, place: Place) -> tuple[Home_, int, int, str] | None:
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
                    size = self._element_size(pointer.type)
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


def is_scalar(type: Type) -> bool:
    """Whether the type is a number."""
    return isinstance(type, Scalar)
