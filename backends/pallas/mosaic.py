"""Print scalar expressions as a Pallas kernel computes them: in 32 bits, with what Mosaic lowers.

    half h = a * b        h = _half(a * b)           float32, rounded to a half's values
    u8 = x + 1            u8 = (x + 1) & 255         int32, wrapped to the byte

Mosaic has no 64-bit types, no half arithmetic and hardly any on bytes, so every value is held as
int32, uint32, float32 or bool, and rounded or wrapped where its own type would; 64-bit integers are
pairs (wide.py). `NotTiled` says what has no such form.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import ATOM, Expressions, literal
from crossport.backends.pallas.math import FLOAT, HALF, NAMED
from crossport.backends.pallas.wide import compared, from_wide, is_wide, wide_text
from crossport.ir.nodes import Binary, Bitcast, Cast, Const, Expr, Intrinsic, Special
from crossport.ir.types import BOOL, F32, I32, U32, Scalar

HELD = {
    "bool": "jnp.bool_", "i8": "jnp.int32", "u8": "jnp.int32", "i16": "jnp.int32",
    "u16": "jnp.int32", "i32": "jnp.int32", "u32": "jnp.uint32", "f16": "jnp.float32",
    "bf16": "jnp.float32", "f32": "jnp.float32",
}  # fmt: skip
# The primitives that do not lower, by way of ones that do.
REPLACED = {
    "expm1": "_expm1({0})",
    "sinh": "_sinh({0})",
    "cosh": "(0.5 * (jnp.exp({0}) + jnp.exp(-({0}))))",
    "asin": "jnp.arctan2({0}, jnp.sqrt((1 - {0}) * (1 + {0})))",
    "acos": "jnp.arctan2(jnp.sqrt((1 - {0}) * (1 + {0})), {0})",
    "atan": "jnp.arctan2({0}, jnp.ones_like({0}))",
    "cbrt": "_cbrt({0})",
    "rcbrt": "(1 / _cbrt({0}))",
    "fmod": "lax.rem({0}, {1})",
}
_WIDE_ROWS = {
    "__popcll": "sum(lax.population_count(word).astype(jnp.int32) for word in {0})",
    "__clzll": "_clz_wide({0})",
    "__ffsll": "_ffs_wide({0})",
}
MISSING = frozenset("asinh acosh atanh lgamma erfc normcdf hypot ldexp scalbn".split())


class NotTiled(Exception):
    """Why a program has no Pallas form."""


def held(kind: object) -> str:
    """The type that a value is computed in."""
    if not isinstance(kind, Scalar) or kind.kind not in HELD:
        raise NotTiled(f"it computes in {kind}")
    return HELD[kind.kind]


def is_word(kind: object) -> bool:
    """Does the type fill its 32 bits, so that other types may look at them?"""
    return isinstance(kind, Scalar) and kind.kind in ("i32", "u32", "f32")


class MosaicExpressions(Expressions):
    """Prints expressions over held values."""

    def see(self, kind: object) -> None:
        if not is_wide(kind):
            held(kind)

    def typed(self, expr: Expr) -> str:
        if isinstance(expr, Const) and not is_wide(expr.type):
            return f"{held(expr.type)}({literal(expr.value)})"
        return self(expr)

    def emit(self, expr: Expr) -> tuple[str, int]:
        if is_wide(expr.type):
            text = wide_text(self, expr)
            if text is None:
                raise NotTiled(f"no form in words of 64-bit {expr.__class__.__name__}")
            return text, ATOM
        match expr:
            case Const(value, type) if type.is_integer and not -(1 << 31) <= int(value) < 1 << 31:
                return f"{held(type)}({literal(value)})", ATOM
            case Bitcast(value, type):
                if not (is_word(type) and is_word(value.type)):
                    raise NotTiled(f"it looks at the bits of {value.type}")
                return f"{self.use('_word')}({self.typed(value)}, {held(type)})", ATOM
            case Binary(_, lhs, _) if _is_half(lhs.type):
                return super().emit(expr)
            case Binary() if isinstance(expr.type, Scalar) and _is_small(expr.type):
                wide = super().emit(expr)[0]
                return self.wrapped(f"({wide})", expr.type)
            case _:
                return super().emit(expr)

    def binary(self, expr: Binary) -> tuple[str, int]:
        if is_wide(expr.lhs.type):
            return compared(self, expr.op, expr.lhs, expr.rhs), ATOM
        if is_wide(expr.rhs.type):
            narrow = Cast(expr.rhs, I32)
            return super().binary(Binary(expr.op, expr.lhs, narrow))
        if _is_half(expr.lhs.type) and _is_half(expr.type):
            wide = Binary(expr.op, Cast(expr.lhs, F32), Cast(expr.rhs, F32))
            return self.rounded(self(wide), expr.type)
        if _is_half(expr.lhs.type):
            return super().binary(Binary(expr.op, Cast(expr.lhs, F32), Cast(expr.rhs, F32)))
        return super().binary(expr)

    def cast(self, value: Expr, kind: object) -> tuple[str, int]:
        assert isinstance(kind, Scalar)
        source = value.type
        assert isinstance(source, Scalar)
        target = held(kind)
        if isinstance(value, Special):
            return super().cast(value, kind)
        if is_wide(source):
            text = from_wide(self, value, kind)
            if text is None:
                raise NotTiled(f"it makes {kind} of {source}")
            if kind in (BOOL, F32, U32):
                return text, ATOM
            word = f"{text}.astype(jnp.int32)"
            return (word, ATOM) if kind == I32 else self.wrapped(word, kind)
        if kind == BOOL:
            return super().cast(value, kind)
        if kind.is_float:
            text, level = self.emit(value)
            if not source.is_float:
                text, level = f"{self.array(value)}.astype({target})", ATOM
            if kind in (F32, source):
                return text, level
            return self.rounded(text, kind)
        if _is_small(kind):
            if source == BOOL:
                return f"{self.array(value)}.astype({target})", ATOM
            if source.is_float or source.kind == "u32":
                return self.wrapped(f"{self.array(value)}.astype(jnp.int32)", kind)
            return self.wrapped(self.tight(value, 5), kind)
        if held(source) == target:
            return self.emit(value)
        return f"{self.array(value)}.astype({target})", ATOM

    def rounded(self, text: str, kind: object) -> tuple[str, int]:
        """A float32 rounded to the values of a shorter type."""
        assert isinstance(kind, Scalar)
        return f"{self.use('_half' if kind.kind == 'f16' else '_bfloat')}({text})", ATOM

    def wrapped(self, text: str, kind: Scalar) -> tuple[str, int]:
        """An int32 wrapped to the values of a shorter type."""
        bits = 8 * kind.size
        if kind.is_signed:
            return f"({text} << {32 - bits}) >> {32 - bits}", 4
        return f"{text} & {(1 << bits) - 1}", 3

    def intrinsic(self, expr: Intrinsic) -> str:
        name, args = expr.name, expr.args
        kind = args[0].type if args else None
        if is_wide(kind):
            row = _WIDE_ROWS.get(name)
            if row is None:
                raise NotTiled(f"{name} does not lower")
            return self.fill(row, args)
        if _is_half(kind):
            if name == "__hfma" and isinstance(kind, Scalar) and kind.kind == "f16":
                return self.fill("_half_fma({0}, {1}, {2})", args)
            row = HALF.get(name)
            if row is None:
                raise NotTiled(f"{name} does not lower")
            text = self.fill(row, args)
            return text if expr.type == BOOL else self.rounded(text, expr.type)[0]
        stem = name.removesuffix("f") if kind == F32 or expr.type == F32 else name
        if self.exact_fma and stem in ("fma", "__fmaf_rn"):
            raise NotTiled("a multiply-add that must round once does not lower")
        row = NAMED.get(name) or REPLACED.get(stem) or FLOAT.get(stem)
        if row is None or stem in MISSING or "64" in row:
            raise NotTiled(f"{name} does not lower")
        return self.fill(row, args)


def _is_half(kind: object) -> bool:
    return isinstance(kind, Scalar) and kind.kind in ("f16", "bf16")


def _is_small(kind: Scalar) -> bool:
    return kind.kind in ("i8", "u8", "i16", "u16")


__all__ = ["I32", "MosaicExpressions", "NotTiled", "held", "is_word"]
