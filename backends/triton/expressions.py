"""Print scalar expressions of a flat program in Triton's language.

    (x[i] + 1) / 3    ->    (x_value + 1) // 3         f32: tl.div_rn(x_value + 1.0, 3.0)

Every expression printed has exactly the IR's type, bare literals aside (an i32 or f32 constant
takes its neighbour's type). Half-precision arithmetic goes through float32, which rounds the same.
"""

from __future__ import annotations

import math
import re

from crossport.backends.triton.divisors import is_never_zero
from crossport.backends.triton.helpers import HELPER_NEEDS, HELPERS
from crossport.backends.triton.math import (
    FLOAT,
    HALF,
    HALF_FMA,
    NAMED,
    NUMPY,
)
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

TL_TYPES = {
    "bool": "tl.int1", "i8": "tl.int8", "u8": "tl.uint8", "i16": "tl.int16", "u16": "tl.uint16",
    "i32": "tl.int32", "u32": "tl.uint32", "i64": "tl.int64", "u64": "tl.uint64",
    "f16": "tl.float16", "bf16": "tl.bfloat16", "f32": "tl.float32", "f64": "tl.float64",
}  # fmt: skip
TORCH_TYPES = {
    "bool": "torch.uint8", "i8": "torch.int8", "u8": "torch.uint8", "i16": "torch.int16",
    "u16": "torch.uint16", "i32": "torch.int32", "u32": "torch.uint32", "i64": "torch.int64",
    "u64": "torch.uint64", "f16": "torch.float16", "bf16": "torch.bfloat16",
    "f32": "torch.float32", "f64": "torch.float64",
}  # fmt: skip

SPECIALS = {
    "thread.x": "thread_x", "thread.y": "thread_y", "thread.z": "thread_z",
    "block.x": "block_x", "block.y": "block_y", "block.z": "block_z",
    "block_dim.x": "block_dim_x", "block_dim.y": "block_dim_y", "block_dim.z": "block_dim_z",
    "grid_dim.x": "grid_dim_x", "grid_dim.y": "grid_dim_y", "grid_dim.z": "grid_dim_z",
    "lane_id": "lane_id", "warp_id": "warp_id",
}  # fmt: skip

# Python's precedences; a higher number binds tighter.
_PRECEDENCE = {
    "|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6,
}  # fmt: skip
ATOM = 9
COMPARISON = 0


def tl_type(type: object) -> str:
    """`tl.float32` for f32."""
    assert isinstance(type, Scalar), type
    return TL_TYPES[type.kind]


def literal(value: int | float | bool) -> str:
    """A Python literal; infinities and NaN are spelled out."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return f'float("{value}")'
        return repr(value)
    return str(value)


class Expressions:
    """Prints expressions, and remembers what they need of the module."""

    def __init__(self) -> None:
        self.helpers: set[str] = set()
        self.libdevice: set[str] = set()
        self.specials: set[str] = set()
        self.addresses: set[str] = set()
        self.trusted: set[str] = set()
        """Parameters that every lane may divide by."""
        self.counters: set[str] = set()
        """Variables of `range` loops: Python ints under Triton's interpreter."""

    def use(self, helper: str) -> str:
        """Ask for a helper function in the module."""
        if helper not in self.helpers:
            self.helpers.add(helper)
            for needed in HELPER_NEEDS.get(helper, ()):
                self.use(needed)
            self._note(HELPERS[helper])
        return helper

    def _note(self, text: str) -> None:
        self.libdevice |= set(re.findall(r"\blibdevice\.(\w+)", text))
        for name in re.findall(r"(?<!\w)(_[a-z]\w*)\(", text):
            if name in HELPERS and name not in self.helpers:
                self.use(name)

    def __call__(self, expr: Expr) -> str:
        """The text, fit for an argument list."""
        return self.emit(expr)[0]

    def tight(self, expr: Expr, at_least: int = ATOM) -> str:
        """The text, in parentheses unless it binds at least so tightly."""
        text, precedence = self.emit(expr)
        return text if precedence >= at_least else f"({text})"

    def typed(self, expr: Expr) -> str:
        """The text, where no neighbour gives a literal its type."""
        if isinstance(expr, Const):
            kind = tl_type(expr.type)
            return f"tl.full((), {literal(expr.value)}, {kind})"
        return self(expr)

    def emit(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Const(value, type):
                text = literal(value)
                return text, ATOM if not text.startswith("-") else 5
            case Special(name):
                self.specials.add(name)
                return f"{SPECIALS[name]}.to(tl.uint32)", ATOM
            case Read(Var(name)):
                if name.startswith("&"):
                    self.addresses.add(name[1:])
                    return f"{name[1:]}.to(tl.int64)", ATOM
                return name, ATOM
            case Cast(value, type):
                return self.cast(value, type)
            case Bitcast(value, type):
                return f"{self.method(value)}.to({tl_type(type)}, bitcast=True)", ATOM
            case Unary(op, value):
                return self.unary(op, value)
            case Binary():
                return self.binary(expr)
            case Select(condition, then, otherwise):
                # where() gives two literals a type of their own choosing.
                a = self.typed(then) if _needs_type(then, otherwise) else self(then)
                return f"tl.where({self(condition)}, {a}, {self(otherwise)})", ATOM
            case Intrinsic():
                return self.intrinsic(expr), ATOM
            case _:
                raise refuse(f"no Triton form for {expr.__class__.__name__}", expr.span)

    def method(self, expr: Expr) -> str:
        """The text, fit to stand before a `.to(...)`."""
        if isinstance(expr, Const):
            return self.typed(expr)
        if self.is_count(expr):
            return f"tl.cast({self(expr)}, {tl_type(expr.type)})"
        return self.tight(expr)

    def is_count(self, expr: Expr) -> bool:
        """Is it made of loop counters and constants: a Python number under the interpreter?"""
        match expr:
            case Const():
                return True
            case Read(Var(name)):
                return name in self.counters
            case Unary("-" | "~", value):
                return self.is_count(value)
            case Binary("+" | "-" | "*" | "<<" | "&" | "|" | "^", lhs, rhs):
                return self.is_count(lhs) and self.is_count(rhs)
            case _:
                return False

    def cast(self, value: Expr, type: object) -> tuple[str, int]:
        assert isinstance(type, Scalar)
        if isinstance(value, Special) and type == I32:
            self.specials.add(value.name)
            return SPECIALS[value.name], ATOM
        source = value.type
        assert isinstance(source, Scalar)
        if type == BOOL:
            return f"{self.tight(value, 1)} != 0", COMPARISON
        if source.is_float and type.is_integer:
            self.use("_to_int")
            wide = value if source in (F32, F64) else Cast(value, F32)
            if type.size < 4:
                return f"_to_int({self(wide)}, tl.int32).to({tl_type(type)})", ATOM
            return f"_to_int({self.typed(wide)}, {tl_type(type)})", ATOM
        if self.is_count(value) and not isinstance(value, Const):
            first = "tl.float32" if type.is_float else tl_type(type)
            rest = f".to({tl_type(type)})" if type.is_float else ""
            return f"tl.cast({self(value)}, {first}){rest}", ATOM
        if source.is_integer and type.kind in ("f16", "bf16") and source.size >= 4:
            return f"{self.method(value)}.to(tl.float32).to({tl_type(type)})", ATOM
        return f"{self.method(value)}.to({tl_type(type)})", ATOM

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
                    return f"{self.tight(value, 1)} == 0", COMPARISON
        if op == "-":
            kind = value.type
            if isinstance(kind, Scalar) and kind.is_integer and not kind.is_signed:
                return f"0 - {self.tight(value, 6)}", 5
            return f"-{self.tight(value)}", 7
        return f"~{self.tight(value)}", 7

    def binary(self, expr: Binary) -> tuple[str, int]:
        op, lhs, rhs = expr.op, expr.lhs, expr.rhs
        kind = lhs.type
        assert isinstance(kind, Scalar)
        if op in ("&&", "||"):
            sign = "&" if op == "&&" else "|"
            level = _PRECEDENCE[sign]
            return f"{self.tight(lhs, level)} {sign} {self.tight(rhs, level + 1)}", level
        if op in COMPARISONS:
            left = self.typed(lhs) if isinstance(lhs, Const) and isinstance(rhs, Const) else None
            return f"{left or self.tight(lhs, 1)} {op} {self.tight(rhs, 1)}", COMPARISON
        if kind.kind in ("f16", "bf16"):
            wide = Binary(op, Cast(lhs, F32), Cast(rhs, F32))
            return f"({self(wide)}).to({tl_type(kind)})", ATOM
        if op in ("<<", ">>"):
            return self.shift(op, lhs, rhs, kind)
        if op in ("/", "%") and kind.is_integer:
            return self.division("//" if op == "/" else "%", lhs, rhs), 6
        if op == "/":
            if kind == F32:
                left = self.typed(lhs) if isinstance(lhs, Const) else self(lhs)
                right = self.typed(rhs) if isinstance(rhs, Const) else self(rhs)
                return f"tl.div_rn({left}, {right})", ATOM
            both = isinstance(lhs, Const) and isinstance(rhs, Const)
            left = self.typed(lhs) if both else self.tight(lhs, 6)
            return f"{left} / {self.tight(rhs, 7)}", 6
        level = _PRECEDENCE[op]
        left = self.typed(lhs) if isinstance(lhs, Const) and isinstance(rhs, Const) else None
        number = fold.as_int(rhs)
        if op == "+" and left is None and number is not None and -(1 << 31) < number < 0:
            return f"{self.tight(lhs, level)} - {-number}", level
        return f"{left or self.tight(lhs, level)} {op} {self.tight(rhs, level + 1)}", level

    def division(self, op: str, lhs: Expr, rhs: Expr) -> str:
        both = isinstance(lhs, Const) and isinstance(rhs, Const)
        left = self.typed(lhs) if both else self.tight(lhs, 6)
        if is_never_zero(rhs, self.trusted):
            return f"{left} {op} {self.tight(rhs, 7)}"
        divisor = self.method(rhs) if self.is_count(rhs) else self(rhs)
        return f"{left} {op} {self.use('_divisor')}({divisor})"

    def shift(self, op: str, lhs: Expr, rhs: Expr, kind: Scalar) -> tuple[str, int]:
        bits = 8 * kind.size
        amount = fold.as_int(rhs)
        if amount is not None and 0 <= amount < bits:
            left = self.typed(lhs) if isinstance(lhs, Const) else self.tight(lhs, 4)
            return f"{left} {op} {amount}", 4
        if _below(rhs, bits):
            moved = rhs if rhs.type == kind else Cast(rhs, kind)
            left = self.typed(lhs) if isinstance(lhs, Const) else self.tight(lhs, 4)
            return f"{left} {op} {self.tight(moved, 5)}", 4
        helper = self.use("_shift_left" if op == "<<" else "_shift_right")
        return f"{helper}({self.typed(lhs)}, {self.typed(rhs)}, {bits})", ATOM

    def intrinsic(self, expr: Intrinsic) -> str:
        name, args = expr.name, expr.args
        kind = args[0].type if args else None
        if isinstance(kind, Scalar) and kind.kind in ("f16", "bf16"):
            row = HALF.get(name)
            if row is not None:
                text = self.fill(row, tuple(Cast(a, F32) for a in args), name)
                return f"{text}.to({tl_type(expr.type)})"
            if name in HALF_FMA:
                text = self.fill(HALF_FMA[name], tuple(Cast(a, F64) for a in args), name)
                return f"{text}.to(tl.float32).to({tl_type(expr.type)})"
            if name in ("isnan", "isinf", "isfinite"):
                return self.fill(NAMED[name], tuple(Cast(a, F32) for a in args), name)
            raise refuse(f"{name} has no Triton form", expr.span)
        row = NAMED.get(name)
        if row is None and name == "signbit":
            bits = I32 if kind == F32 else I64
            return f"({self(Bitcast(args[0], bits))} < 0)"
        if row is None:
            row = FLOAT.get(name.removesuffix("f") if kind == F32 or expr.type == F32 else name)
        if row is None:
            raise refuse(f"{name} has no Triton form", expr.span)
        return self.fill(row, args, name)

    def fill(self, row: str, args: tuple[Expr, ...], name: str) -> str:
        self._note(row)
        for used in self.libdevice:
            if used not in NUMPY:
                raise refuse(f"{name} has no Triton form", None)
        called = "(" in row and not row.startswith("(")
        texts = []
        for arg in args:
            text = self.typed(arg) if isinstance(arg, Const) else self(arg)
            simple = re.fullmatch(r"[\w.]+(\([^()]*\))?", text)
            texts.append(text if simple or (called and _only_args(row)) else f"({text})")
        return row.format(*texts)


def _only_args(row: str) -> bool:
    """Does each argument stand alone between commas or parentheses?"""
    return re.fullmatch(r"[\w.]+\((\{\d\}(, )?)+(, [\w.]+)?\)", row) is not None


def _needs_type(then: Expr, otherwise: Expr) -> bool:
    return isinstance(then, Const) and isinstance(otherwise, Const)


def _is_float(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_float


def _below(expr: Expr, bits: int) -> bool:
    """Is a shift amount known to be in [0, bits)?"""
    match expr:
        case Binary("&", _, rhs):
            mask = fold.as_int(rhs)
            return mask is not None and 0 <= mask < bits
        case Cast(value, Scalar() as wide) if (
            isinstance(value.type, Scalar) and value.type.size <= wide.size
        ):
            return _below(value, bits)
        case _:
            return False
