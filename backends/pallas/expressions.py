"""Print scalar expressions of a flat program in jax.numpy.

    (x[i] + 1) / 3    ->    _divide(x_value + 1, 3)         f32: (x_value + 1.0) / 3.0

Bare literals take the type of their neighbour; where they have none, they are typed.
"""

from __future__ import annotations

import math
import re

from crossport.backends.pallas.math import FLOAT, HALF, HELPER_NEEDS, NAMED
from crossport.backends.pallas.vmem_helpers import NEEDS
from crossport.ir.lift import fold
from crossport.ir.lift.flatten import refuse
from crossport.ir.nodes import (
    COMPARISONS,
    Binary,
    Bitcast,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Special,
    Unary,
    Var,
)
from crossport.ir.types import BOOL, F32, F64, I32, I64, Scalar

JNP_TYPES = {
    "bool": "jnp.bool_", "i8": "jnp.int8", "u8": "jnp.uint8", "i16": "jnp.int16",
    "u16": "jnp.uint16", "i32": "jnp.int32", "u32": "jnp.uint32", "i64": "jnp.int64",
    "u64": "jnp.uint64", "f16": "jnp.float16", "bf16": "jnp.bfloat16", "f32": "jnp.float32",
    "f64": "jnp.float64",
}  # fmt: skip
SPECIALS = {
    "thread.x": "thread_x", "thread.y": "thread_y", "thread.z": "thread_z",
    "block.x": "block_x", "block.y": "block_y", "block.z": "block_z",
    "block_dim.x": "block[0]", "block_dim.y": "block[1]", "block_dim.z": "block[2]",
    "grid_dim.x": "grid[0]", "grid_dim.y": "grid[1]", "grid_dim.z": "grid[2]",
    "lane_id": "lane_id", "warp_id": "warp_id",
}  # fmt: skip
_PRECEDENCE = {
    "|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6,
}  # fmt: skip
ATOM = 9


def jnp_type(kind: object) -> str:
    """`jnp.float32` for f32."""
    assert isinstance(kind, Scalar), kind
    return JNP_TYPES[kind.kind]


def literal(value: int | float | bool) -> str:
    """A Python literal; infinities and NaN are spelled out."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "jnp.nan"
        if math.isinf(value):
            return "jnp.inf" if value > 0 else "-jnp.inf"
        return repr(value)
    return str(value)


class Expressions:
    """Prints expressions, and remembers what they need of the module."""

    def __init__(self) -> None:
        self.helpers: set[str] = set()
        self.specials: set[str] = set()
        self.is_wide = False
        self.exact_fma = False
        """The bits of floats are looked at: a multiply-add must round once."""

    def use(self, helper: str) -> str:
        """Ask for a helper function in the module."""
        if helper not in self.helpers:
            self.helpers.add(helper)
            for needed in HELPER_NEEDS.get(helper, ()) + NEEDS.get(helper, ()):
                self.use(needed)
        return helper

    def see(self, kind: object) -> None:
        """Note a type: 64-bit ones need JAX's x64 mode."""
        if isinstance(kind, Scalar) and kind.size == 8:
            self.is_wide = True

    def __call__(self, expr: Expr) -> str:
        return self.emit(expr)[0]

    def tight(self, expr: Expr, at_least: int = ATOM) -> str:
        """The text, in parentheses unless it binds at least so tightly."""
        text, precedence = self.emit(expr)
        return text if precedence >= at_least else f"({text})"

    def typed(self, expr: Expr) -> str:
        """The text, where no neighbour gives a literal its type."""
        if isinstance(expr, Const):
            self.see(expr.type)
            return f"{jnp_type(expr.type)}({literal(expr.value)})"
        if isinstance(expr, Cast) and _is_python_int(expr.value):
            return self(expr)
        return self(expr)

    def array(self, expr: Expr) -> str:
        """The text of something that has `.astype`."""
        if isinstance(expr, Const):
            return self.typed(expr)
        return self.tight(expr)

    def emit(self, expr: Expr) -> tuple[str, int]:
        kind = expr.type
        self.see(kind)
        match expr:
            case Const(value, type):
                text = literal(value)
                big = type.is_integer and not -(1 << 31) <= int(value) < 1 << 31
                if big:
                    return f"{jnp_type(type)}({text})", ATOM
                return text, ATOM if not text.startswith("-") else 5
            case Special(name):
                self.specials.add(name)
                return f"jnp.uint32({SPECIALS[name]})", ATOM
            case Read(Var(name)):
                if name.startswith("&"):
                    raise refuse("a pointer used as a number has no JAX form", expr.span)
                return name, ATOM
            case Cast(value, type):
                return self.cast(value, type)
            case Bitcast(value, type):
                return f"{self.use('_bits')}({self.typed(value)}, {jnp_type(type)})", ATOM
            case Unary(op, value):
                return self.unary(op, value)
            case Binary():
                return self.binary(expr)
            case Select(condition, then, otherwise):
                both = isinstance(then, Const) and isinstance(otherwise, Const)
                a = self.typed(then) if both else self(then)
                return f"jnp.where({self(condition)}, {a}, {self(otherwise)})", ATOM
            case Intrinsic():
                return self.intrinsic(expr), ATOM
            case _:
                raise refuse(f"no JAX form for {expr.__class__.__name__}", expr.span)

    def cast(self, value: Expr, kind: object) -> tuple[str, int]:
        assert isinstance(kind, Scalar)
        if isinstance(value, Special):
            self.specials.add(value.name)
            name = SPECIALS[value.name]
            if kind == I32:
                return (f"jnp.int32({name})" if "[" in name else name), ATOM
            self.see(kind)
            return f"{jnp_type(kind)}({name})", ATOM
        source = value.type
        assert isinstance(source, Scalar)
        if kind == BOOL:
            return f"{self.tight(value, 1)} != 0", 0
        if source.is_integer and kind.kind in ("f16", "bf16") and source.size >= 4:
            return f"{self.array(value)}.astype(jnp.float32).astype({jnp_type(kind)})", ATOM
        return f"{self.array(value)}.astype({jnp_type(kind)})", ATOM

    def unary(self, op: str, value: Expr) -> tuple[str, int]:
        if op == "!":
            match value:
                case Binary("&&" | "||" as logic, lhs, rhs):
                    other = "||" if logic == "&&" else "&&"
                    return self.binary(Binary(other, fold.negate(lhs), fold.negate(rhs)))  # type: ignore[arg-type]
                case Binary(compare, lhs, rhs) if compare in COMPARISONS and not _is_float(lhs):
                    opposite = {
                        "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
                    }[compare]  # fmt: skip
                    return self.binary(Binary(opposite, lhs, rhs))  # type: ignore[arg-type]
                case Binary("==" | "!=" as compare, lhs, rhs):
                    return self.binary(Binary("!=" if compare == "==" else "==", lhs, rhs))
                case _:
                    return f"jnp.logical_not({self(value)})", ATOM
        return f"{op}{self.array(value)}", 7

    def binary(self, expr: Binary) -> tuple[str, int]:
        op, lhs, rhs = expr.op, expr.lhs, expr.rhs
        kind = lhs.type
        assert isinstance(kind, Scalar)
        if op in ("&&", "||"):
            sign = "&" if op == "&&" else "|"
            level = _PRECEDENCE[sign]
            return f"{self.tight(lhs, level)} {sign} {self.tight(rhs, level + 1)}", level
        left_const = isinstance(lhs, Const) and isinstance(rhs, Const)
        if op in COMPARISONS:
            left = self.typed(lhs) if left_const else self.tight(lhs, 1)
            return f"{left} {op} {self.tight(rhs, 1)}", 0
        if kind.kind in ("f16", "bf16"):
            wide = Binary(op, Cast(lhs, F32), Cast(rhs, F32))
            return f"({self(wide)}).astype({jnp_type(kind)})", ATOM
        if op in ("<<", ">>"):
            moved = rhs
            if not isinstance(rhs, Const) and rhs.type != kind:
                moved = Cast(rhs, kind)
            left = self.typed(lhs) if isinstance(lhs, Const) else self.tight(lhs, 4)
            return f"{left} {op} {self.tight(moved, 5)}", 4
        if op in ("/", "%") and kind.is_integer:
            helper = self.use("_divide" if op == "/" else "_remainder")
            left = self.typed(lhs)
            right = self.typed(rhs)
            return f"{helper}({left}, {right})", ATOM
        level = _PRECEDENCE[op]
        left = self.typed(lhs) if left_const else self.tight(lhs, level)
        return f"{left} {op} {self.tight(rhs, level + 1)}", level

    def intrinsic(self, expr: Intrinsic) -> str:
        name, args = expr.name, expr.args
        kind = args[0].type if args else None
        if isinstance(kind, Scalar) and kind.kind in ("f16", "bf16"):
            row = HALF.get(name)
            if row is not None:
                text = self.fill(row, tuple(Cast(a, F32) for a in args))
                return text if expr.type == BOOL else f"{text}.astype({jnp_type(expr.type)})"
            if name == "__hfma":
                # The product of two halves is exact in float32; the sum then rounds twice, which
                # matters only in the last place of a tie: float64 avoids it.
                self.is_wide = True
                text = self.fill("({0} * {1} + {2})", tuple(Cast(a, F64) for a in args))
                return f"{text}.astype(jnp.float32).astype({jnp_type(expr.type)})"
            raise refuse(f"{name} has no JAX form", expr.span)
        if self.exact_fma and kind == F32 and name in ("fmaf", "__fmaf_rn"):
            self.is_wide = True
            wide = self.fill("({0} * {1} + {2})", tuple(Cast(a, F64) for a in args))
            return f"{wide}.astype(jnp.float32)"
        row = NAMED.get(name)
        if row is None:
            row = FLOAT.get(name.removesuffix("f") if kind == F32 or expr.type == F32 else name)
        if row is None:
            raise refuse(f"{name} has no JAX form", expr.span)
        return self.fill(row, args)

    def fill(self, row: str, args: tuple[Expr, ...]) -> str:
        for helper in re.findall(r"(?<![\w.])(_\w+)\(", row):
            self.use(helper)
        texts = []
        for arg in args:
            text = self.typed(arg)
            simple = re.fullmatch(r"[\w.]+(\([^()]*\))?", text)
            texts.append(text if simple else f"({text})")
        return row.format(*texts)


def _is_float(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_float


def _is_python_int(expr: Expr) -> bool:
    return isinstance(expr, Special)


def narrow_index(expr: Expr) -> Expr:
    """An i64 index as i32 where sums and products of 32-bit values make it up.

    Modular arithmetic: the low 32 bits are right whatever the terms, and an index that is in range
    of an array with fewer than 2**31 elements has no others.
    """
    match expr:
        case Const(value, type) if type == I64 and -(1 << 31) <= int(value) < 1 << 31:
            return Const(value, I32)
        case Cast(value, type) if type == I64:
            if value.type == I32:
                return value
            if isinstance(value.type, Scalar) and value.type.size <= 4:
                return Cast(value, I32)
            return Cast(expr, I32)
        case Binary(op, lhs, rhs) if op in ("+", "-", "*") and expr.type == I64:
            return Binary(op, narrow_index(lhs), narrow_index(rhs))
        case Read(_) if expr.type == I64:
            return Cast(expr, I32)
        case _:
            return expr if expr.type == I32 else Cast(expr, I32)
