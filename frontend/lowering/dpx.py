"""Three-way minimum, maximum and add of whole words and halfword pairs (CUDA's DPX functions).

__viaddmax_s32_relu(a, b, c)     max(max(a + b, c), 0)
__vimin3_u16x2(a, b, c)          __vminu2(__vminu2(a, b), c)
__vibmax_s32(a, b, &p)           p = a >= b; max(a, b)
"""

from __future__ import annotations

from crossport.frontend.lowering.builtins import Handler
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.ir.nodes import Assign, Binary, Cast, Const, Expr, Intrinsic
from crossport.ir.types import I16, I32, U16, U32, Scalar

_KINDS = {"s32": I32, "u32": U32, "s16x2": U32, "u16x2": U32}


class _Word:
    """Arithmetic on one of the four formats."""

    def __init__(self, ctx: Lowering, form: str) -> None:
        self.ctx = ctx
        self.form = form
        self.kind: Scalar = _KINDS[form]
        self.packed = form.endswith("x2")

    def extremum(self, which: str, one: Expr, two: Expr) -> Expr:
        name = f"__v{which}{self.form[0]}2" if self.packed else which
        return Intrinsic(name, (one, two), self.kind, span=self.ctx.here)

    def add(self, one: Expr, two: Expr) -> Expr:
        if self.packed:
            return Intrinsic("__vadd2", (one, two), U32, span=self.ctx.here)
        return Binary("+", one, two, span=self.ctx.here)

    def positive(self, value: Expr) -> Expr:
        """`relu`: zero where it is negative."""
        return self.extremum("max", value, Const(0, self.kind))

    def half(self, value: Expr, high: bool) -> Expr:
        """One halfword of a pair, as a number."""
        if high:
            value = Binary(">>", value, Const(16, I32), span=self.ctx.here)
        return Cast(value, I16 if self.form[0] == "s" else U16, span=self.ctx.here)


def _three(which: str, form: str, *, adds: bool, relu: bool) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        word = _Word(ctx, form)
        a, b, c = (ctx.convert(v, word.kind) for v in ctx.values(site.args))
        first = word.add(a, b) if adds else word.extremum(which, a, b)
        result = word.extremum(which, first, c)
        return word.positive(result) if relu else result

    return lower


def _two(which: str, form: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        word = _Word(ctx, form)
        a, b = (ctx.convert(v, word.kind) for v in ctx.values(site.args))
        return word.positive(word.extremum(which, a, b))

    return lower


def _flagged(which: str, form: str) -> Handler:
    """Also says which operand won: the first one, on a tie."""

    def lower(ctx: Lowering, site: Site) -> Expr:
        word = _Word(ctx, form)
        one, two, *pointers = ctx.values(site.args)
        a, b = ctx.kept(ctx.convert(one, word.kind)), ctx.kept(ctx.convert(two, word.kind))
        for position, pointer in enumerate(pointers):
            pair = (a, b)
            if word.packed:  # the high half's flag comes first
                pair = (word.half(a, position == 0), word.half(b, position == 0))
            test = Binary(">=" if which == "max" else "<=", *pair, span=ctx.here)
            ctx.emit(Assign(ctx.target(pointer), test, span=ctx.here))
        return word.extremum(which, a, b)

    return lower


def _build() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for which in ("max", "min"):
        for form in _KINDS:
            for relu in (False, True):
                end = f"{form}_relu" if relu else form
                table[f"__vi{which}3_{end}"] = _three(which, form, adds=False, relu=relu)
                table[f"__viadd{which}_{end}"] = _three(which, form, adds=True, relu=relu)
            table[f"__vi{which}_{form}_relu"] = _two(which, form)
            table[f"__vib{which}_{form}"] = _flagged(which, form)
    return table


HANDLERS: dict[str, Handler] = _build()
