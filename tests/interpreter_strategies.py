"""Hypothesis strategies for typed expressions and small structured kernels of the thread IR."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from crossport.ir.nodes import (
    Assign,
    Binary,
    Bitcast,
    Break,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Element,
    Expr,
    For,
    Function,
    If,
    KernelInfo,
    Let,
    Module,
    Param,
    Read,
    Return,
    Select,
    Special,
    Stmt,
    Switch,
    Unary,
    Var,
    While,
)
from crossport.ir.nodes import Case as SwitchCase
from crossport.ir.types import BOOL, I32, I64, SCALARS, U32, VOID, Array, Pointer, Scalar

INTEGERS = tuple(SCALARS[k] for k in ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"))
FLOATS = tuple(SCALARS[k] for k in ("f16", "bf16", "f32", "f64"))
NUMBERS = INTEGERS + FLOATS

DTYPES = {
    "bool": np.uint8, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16,
    "i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64, "f16": np.float16,
    "bf16": np.uint16, "f32": np.float32, "f64": np.float64,
}  # fmt: skip


def constants(type: Scalar) -> st.SearchStrategy[Expr]:
    """A literal, often at an edge."""
    if type == BOOL:
        return st.booleans().map(lambda v: Const(v, BOOL))
    if type.is_float:
        values = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, 1e-3, 65504.0, 1e9, -7.25])
        return values.map(lambda v: Const(v, type))
    bits = type.size * 8
    low = -(1 << (bits - 1)) if type.is_signed else 0
    high = low + (1 << bits) - 1
    edges = st.sampled_from([low, high, 0, 1, 2, 3, 7, 16, high // 2])
    return (edges | st.integers(low, high)).map(lambda v: Const(v, type))


@st.composite
def expressions(draw: st.DrawFn, type: Scalar, names: dict[str, Scalar], depth: int = 4) -> Expr:
    """An expression of a type over variables."""
    here = [n for n, t in names.items() if t == type]
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        if bool(here) and draw(st.booleans()):
            return Read(Var(draw(st.sampled_from(here)), type))
        if type == U32 and draw(st.booleans()):
            special: Any = draw(st.sampled_from(["thread.x", "block.x", "block_dim.x"]))
            return Special(special)
        return draw(constants(type))

    def sub(t: Scalar) -> Expr:
        return draw(expressions(t, names, depth - 1))

    choices: list[str] = ["binary", "select", "cast"]
    if type != BOOL:
        choices += ["binary", "unary", "bits"]
    match draw(st.sampled_from(choices)):
        case "binary" if type == BOOL:
            other = draw(st.sampled_from(NUMBERS))
            if draw(st.booleans()):
                op: Any = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
                return Binary(op, sub(other), sub(other))
            logic: Any = draw(st.sampled_from(["&&", "||"]))
            return Binary(logic, sub(BOOL), sub(BOOL))
        case "binary":
            ops: list[Any] = ["+", "-", "*", "/"]
            if type.is_integer:
                ops += ["%", "&", "|", "^", "<<", ">>"]
            op = draw(st.sampled_from(ops))
            assert op
            amount = draw(st.sampled_from(INTEGERS)) if op in ("<<", ">>") else type
            return Binary(op, sub(type), sub(amount))
        case "unary":
            if type.is_integer and draw(st.booleans()):
                return Unary("~", sub(type))
            return Unary("-", sub(type))
        case "select":
            return Select(sub(BOOL), sub(type), sub(type))
        case "bits":
            same = [t for t in NUMBERS if t.size == type.size]
            source = draw(st.sampled_from(same))
            # The bits of a NaN are not defined by C, so floats come straight from variables.
            if source.is_float or type.is_float:
                return draw(constants(type))
            return Bitcast(sub(source), type)
        case _:
            return Cast(sub(draw(st.sampled_from((*NUMBERS, BOOL)))), type)


class _Maker:
    """Draws the statements of one kernel."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def expr(self, type: Scalar, names: dict[str, Scalar], depth: int = 2) -> Expr:
        return self.draw(expressions(type, names, depth))

    def block(
        self, names: dict[str, Scalar], depth: int, in_loop: bool, in_switch: bool
    ) -> tuple[Stmt, ...]:
        names = dict(names)
        stmts: list[Stmt] = []
        for _ in range(self.draw(st.integers(1, 3))):
            stmts += self.stmt(names, depth, in_loop, in_switch)
        return tuple(stmts)

    def stmt(
        self, names: dict[str, Scalar], depth: int, in_loop: bool, in_switch: bool
    ) -> list[Stmt]:
        choices = ["let", "assign", "assign", "store", "array"]
        if depth:
            choices += ["if", "if", "for", "while", "do", "switch"]
        choices += ["return", "break" if in_loop or in_switch else "assign"]
        choices += ["continue" if in_loop else "assign"]
        match self.draw(st.sampled_from(choices)):
            case "let":
                type = self.draw(st.sampled_from((I32, U32, I64, SCALARS["f32"], SCALARS["u8"])))
                name = self.name()
                init = self.expr(type, names)
                names[name] = type
                return [Let(Var(name, type), init)]
            case "store":
                index = Binary("%", Special("thread.x"), Const(8, U32))
                place = Deref(Read(Var("out", Pointer(I32))), self._slot(index), I32)
                return [Assign(place, Binary("+", Read(place), self.expr(I32, names)))]
            case "array":
                index = Binary("&", self.expr(U32, names, 1), Const(3, U32))
                cell = Element(Var("arr", Array(I32, 4)), index, I32)
                if self.draw(st.booleans()):
                    return [Assign(cell, self.expr(I32, names))]
                return [Assign(Var("acc", I32), Binary("^", Read(Var("acc", I32)), Read(cell)))]
            case "if":
                then = self.block(names, depth - 1, in_loop, in_switch)
                otherwise: tuple[Stmt, ...] = ()
                if self.draw(st.booleans()):
                    otherwise = self.block(names, depth - 1, in_loop, in_switch)
                return [If(self.expr(BOOL, names), then, otherwise)]
            case "for" | "while" | "do" as form:
                return self.loop(form, names, depth)
            case "switch":
                value = Binary("&", self.expr(I32, names, 1), Const(3, I32))
                labels = self.draw(
                    st.lists(st.sampled_from([(0,), (1, 2), (3,), ()]), min_size=1, unique=True)
                )
                cases = tuple(
                    SwitchCase(label, self.block(names, depth - 1, in_loop, True))
                    for label in labels
                )
                return [Switch(value, cases)]
            case "break":
                return [If(self.expr(BOOL, names), (Break(),))]
            case "continue":
                return [If(self.expr(BOOL, names), (Continue(),))]
            case "return":
                return [If(self.expr(BOOL, names), (Return(),))]
            case _:
                name = self.draw(st.sampled_from([n for n in names if n not in self.fixed]))
                return [Assign(Var(name, names[name]), self.expr(names[name], names))]

    fixed: frozenset[str] = frozenset()

    def _slot(self, index: Expr) -> Expr:
        base = Binary("*", Binary("+", Binary("*", Special("block.x"), Special("block_dim.x")),
                                  Special("thread.x")), Const(8, U32))  # fmt: skip
        return Binary("+", base, index)

    def loop(self, form: str, names: dict[str, Scalar], depth: int) -> list[Stmt]:
        counter = Var(self.name(), I32)
        limit = Binary(
            "%", Cast(Special("thread.x"), I32), Const(self.draw(st.integers(1, 5)), I32)
        )
        inner = {**names, counter.name: I32}
        self.fixed = self.fixed | {counter.name}
        body = self.block(inner, depth - 1, True, False)
        step = Assign(counter, Binary("+", Read(counter), Const(1, I32)))
        test = Binary("<", Read(counter), limit)
        start = Let(counter, Const(0, I32))
        if form == "for":
            return [start, For(test, (step,), body)]
        # The step comes first, so that a continue cannot skip it.
        if form == "while":
            return [start, While(test, (step, *body))]
        return [start, DoWhile((step, *body), test)]


@st.composite
def kernels(draw: st.DrawFn) -> Module:
    """`kernel k(out: i32*, a: i32, b: f32)`: every thread has eight cells of `out`."""
    maker = _Maker(draw)
    names: dict[str, Scalar] = {"a": I32, "b": SCALARS["f32"], "acc": I32}
    body = maker.block(names, 3, False, False)
    place = Deref(Read(Var("out", Pointer(I32))), maker._slot(Const(0, U32)), I32)
    arr = [
        Binary("*", Read(Element(Var("arr", Array(I32, 4)), Const(i, U32), I32)), Const(i + 3, I32))
        for i in range(4)
    ]
    total: Expr = Read(Var("acc", I32))
    for term in arr:
        total = Binary("+", total, term)
    head: tuple[Stmt, ...] = (
        Let(Var("acc", I32), Const(5, I32)),
        Let(Var("arr", Array(I32, 4))),
    )
    tail: tuple[Stmt, ...] = (Assign(place, total),)
    params = (Param("out", Pointer(I32)), Param("a", I32), Param("b", SCALARS["f32"]))
    function = Function("k", params, VOID, (*head, *body, *tail), (), KernelInfo())
    return Module((function,))


def values_of(type: Scalar, count: int, seed: int) -> np.ndarray[Any, Any]:
    """Numbers of a type, edges first, as they lie in memory (bf16 as bits)."""
    rng = np.random.default_rng(seed)
    if type.is_float:
        edges = [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e-40, 3e38, 65504.0, 1e-8, 2**31]
        mixed = np.concatenate(
            [edges, rng.normal(size=count) * 10.0 ** rng.integers(-9, 12, count)]
        )
        if type.kind == "bf16":
            bits = mixed[:count].astype(np.float32).view(np.uint32)
            return (bits >> 16).astype(np.uint16)
        with np.errstate(over="ignore"):
            return mixed[:count].astype(DTYPES[type.kind])
    dtype = np.dtype(DTYPES[type.kind])
    info: Any = np.iinfo(dtype)
    whole = np.array([info.min, info.max, 0, 1, 2, info.max // 2, 3], dtype)
    rest = rng.integers(info.min, info.max, count, dtype=dtype, endpoint=True)
    small = rng.integers(0, 40, count).astype(dtype)
    mixed_ints = np.concatenate([whole, np.where(rng.random(count) < 0.5, rest, small)])
    return mixed_ints[:count].astype(dtype)
