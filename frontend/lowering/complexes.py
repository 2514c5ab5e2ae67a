"""cuComplex functions: arithmetic on the two members, as CUDA's header does it.

cuCmulf(a, b)     float2{((a.x * b.x) - (a.y * b.y)), ((a.x * b.y) + (a.y * b.x))}
"""

from __future__ import annotations

from collections.abc import Callable

from crossport.frontend.lowering.builtins import Handler
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.math import intrinsic
from crossport.frontend.lowering.members import extract
from crossport.ir.nodes import Aggregate, Binary, BinaryOp, Const, Expr, Unary
from crossport.ir.types import F32, F64, Scalar, Type

Pair = tuple[Expr, Expr]


class _Arithmetic:
    """Scalar arithmetic at one place in the source."""

    def __init__(self, ctx: Lowering, kind: Scalar) -> None:
        self.ctx = ctx
        self.kind = kind

    def op(self, op: BinaryOp, one: Expr, two: Expr) -> Expr:
        return Binary(op, one, two, span=self.ctx.here)

    def absolute(self, value: Expr) -> Expr:
        return intrinsic(self.ctx, "fabsf" if self.kind == F32 else "fabs", value)

    def keep(self, value: Expr) -> Expr:
        return self.ctx.temp(value)


def _add(m: _Arithmetic, a: Pair, b: Pair) -> Pair:
    return m.op("+", a[0], b[0]), m.op("+", a[1], b[1])


def _subtract(m: _Arithmetic, a: Pair, b: Pair) -> Pair:
    return m.op("-", a[0], b[0]), m.op("-", a[1], b[1])


def _multiply(m: _Arithmetic, a: Pair, b: Pair) -> Pair:
    real = m.op("-", m.op("*", a[0], b[0]), m.op("*", a[1], b[1]))
    return real, m.op("+", m.op("*", a[0], b[1]), m.op("*", a[1], b[0]))


def _divide(m: _Arithmetic, a: Pair, b: Pair) -> Pair:
    """Scaled by the divisor's size, so that its square neither overflows nor vanishes."""
    size = m.op("+", m.absolute(b[0]), m.absolute(b[1]))
    inverse = m.keep(m.op("/", Const(1.0, m.kind), size))
    ar, ai, br, bi = (m.keep(m.op("*", v, inverse)) for v in (*a, *b))
    norm = m.op("+", m.op("*", br, br), m.op("*", bi, bi))
    scale = m.keep(m.op("/", Const(1.0, m.kind), norm))
    real = m.op("*", m.op("+", m.op("*", ar, br), m.op("*", ai, bi)), scale)
    return real, m.op("*", m.op("-", m.op("*", ai, br), m.op("*", ar, bi)), scale)


def _conjugate(m: _Arithmetic, a: Pair) -> Pair:
    return a[0], Unary("-", a[1], span=m.ctx.here)


def _fused(m: _Arithmetic, a: Pair, b: Pair, c: Pair) -> Pair:
    real = m.op("-", m.op("+", m.op("*", a[0], b[0]), c[0]), m.op("*", a[1], b[1]))
    return real, m.op("+", m.op("+", m.op("*", a[0], b[1]), c[1]), m.op("*", a[1], b[0]))


def _handler(rule: Callable[..., Pair], kind: Scalar) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        result: Type = ctx.type(site.cursor)
        values = [ctx.stable(v) for v in ctx.values(site.args)]
        pairs = [(extract(v, "x", kind, ctx), extract(v, "y", kind, ctx)) for v in values]
        return Aggregate(rule(_Arithmetic(ctx, kind), *pairs), result, span=ctx.here)

    return lower


_RULES: dict[str, Callable[..., Pair]] = {
    "cuCadd": _add, "cuCsub": _subtract, "cuCmul": _multiply, "cuCdiv": _divide,
    "cuConj": _conjugate, "cuCfma": _fused,
}  # fmt: skip

HANDLERS: dict[str, Handler] = {
    **{name: _handler(rule, F64) for name, rule in _RULES.items()},
    **{f"{name}f": _handler(rule, F32) for name, rule in _RULES.items()},
}
