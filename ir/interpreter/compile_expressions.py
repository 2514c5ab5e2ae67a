"""Expressions and places of the thread IR -> Python text over NumPy registers.

    x[i] * a            (load(rt, m0, v_x, v_i.astype(i64), K_f32, 4) * v_a)
    c ? p[i] : 0        m1, m2 = split(m0, t1); if m1 is not None: t2 = load(rt, m1, ...)

Text that is used twice is first bound to a temporary; what must not run in all lanes (a load in one
arm of a `?:`) becomes lines under a narrower mask, before the line that uses it.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from crossport.ir.interpreter import arithmetic
from crossport.ir.interpreter.analysis import constant
from crossport.ir.interpreter.compile_places import PlaceCompiler, unsupported
from crossport.ir.interpreter.intrinsics import resolve
from crossport.ir.interpreter.kinds import Kind, is_single, round_bf16
from crossport.ir.nodes import (
    COMPARISONS,
    AddressOf,
    Aggregate,
    Binary,
    Bitcast,
    Cast,
    Const,
    Expr,
    Extract,
    FunctionRef,
    Intrinsic,
    Node,
    Null,
    OpaqueValue,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Special,
    Unary,
)
from crossport.ir.types import Struct, Type


class ExpressionCompiler(PlaceCompiler):
    """Compiles expressions of one function; statements are in compile_statements.py."""

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
                size = self.element_size(lhs.type)
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

    def _pointer_add(self, pointer: Expr, index: Expr) -> str:
        size = self.element_size(pointer.type)
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
