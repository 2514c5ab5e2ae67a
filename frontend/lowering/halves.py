"""fp16 and bf16: operators and intrinsics become arithmetic on f16 and bf16; pairs go by element.

a + b, __hadd(a, b)        Binary("+")             __hfma(a, b, c)     __hfma:f16(a, b, c)
__hadd2(a, b)              half2{a.x + b.x, a.y + b.y}
__float2half(x)            (x as f16)              (math.py)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.members import extract
from crossport.ir.nodes import (
    Aggregate,
    Binary,
    BinaryOp,
    Bitcast,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Select,
    Unary,
)
from crossport.ir.types import BF16, BOOL, F16, F32, F64, I32, U16, U32, Scalar, Struct, Type

_HALVES = (F16, BF16)
_PAIRS = {"half2": F16, "nv_bfloat162": BF16}

_ARITHMETIC: dict[str, BinaryOp] = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_TESTS: dict[str, BinaryOp] = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_NEGATED = {"eq": "ne", "ne": "eq", "lt": "ge", "gt": "le", "le": "gt", "ge": "lt"}
_ONE = ("exp", "exp2", "exp10", "log", "log2", "log10", "sqrt", "rsqrt", "rcp", "sin", "cos",
        "tanh", "floor", "ceil", "rint", "trunc")  # fmt: skip


def lower(ctx: Lowering, site: Site, name: str) -> Found | None:
    """Lower an operation on halves; None if it is none."""
    if site.callee.kind == CursorKind.CONVERSION_FUNCTION:
        return _conversion(ctx, site)
    short = name.rpartition("::")[2]
    if short.startswith("operator"):
        return _operator(ctx, site, short.removeprefix("operator").strip())
    rule = _rules().get(name)
    if rule is None:
        return None
    values = ctx.values(site.args)
    if name == "__hadd" and values[0].type == I32:
        return Found(Intrinsic("__hadd", tuple(values), I32, span=ctx.here))
    ctx.here = cursors.span(site.cursor) or ctx.here
    return Found(rule(ctx, values))


def pair(ctx: Lowering, kind: Struct, args: Sequence[Cursor]) -> Expr:
    """`half2(x, y)`."""
    element = _PAIRS[kind.name]
    values = ctx.values(args)
    return Aggregate(tuple(ctx.convert(v, element) for v in values), kind, span=ctx.here)


# --- Operators ---------------------------------------------------------------------------------


def _conversion(ctx: Lowering, site: Site) -> Found | None:
    """`operator float()` of a half."""
    assert site.object is not None
    kind = ctx.type(site.object)
    if not isinstance(kind, Scalar):
        return _fp8_value(ctx, site, kind)
    return Found(ctx.convert(ctx.value(site.object), ctx.type(site.cursor)))


def _fp8_value(ctx: Lowering, site: Site, kind: Type) -> Found | None:
    names = {"__nv_fp8_e4m3": 0, "__nv_fp8_e5m2": 1}
    if not isinstance(kind, Struct) or kind.name not in names or site.object is None:
        if isinstance(kind, Struct) and kind.name == "dim3":
            return Found(_dim3_as_uint3(ctx, site))
        return None
    from crossport.ir.types import U8

    storage = extract(ctx.stable(ctx.value(site.object)), "__x", U8, ctx)
    args = (storage, Const(names[kind.name], I32))
    half = Intrinsic("__nv_cvt_fp8_to_halfraw", args, F16, span=ctx.here)
    return Found(ctx.convert(half, ctx.type(site.cursor)))


def _dim3_as_uint3(ctx: Lowering, site: Site) -> Expr:
    assert site.object is not None
    value = ctx.stable(ctx.value(site.object))
    parts = tuple(extract(value, axis, U32, ctx) for axis in "xyz")
    return Aggregate(parts, ctx.type(site.cursor), span=ctx.here)


def _operator(ctx: Lowering, site: Site, operator: str) -> Found | None:
    operands = [c for c in (site.object, *site.args) if c is not None]
    if not any(_is_half(ctx, operand) for operand in operands[:2]):
        return None
    if operator == "=":
        return _assign(ctx, operands)
    if operator in ("++", "--"):
        return _step(ctx, operator, operands)
    if operator.endswith("=") and operator not in ("==", "!=", "<=", ">="):
        return _compound(ctx, operator.removesuffix("="), operands)
    values = ctx.values(operands)
    ctx.here = cursors.span(site.cursor) or ctx.here
    if len(values) == 1:
        return Found(_minus(ctx, values[0]) if operator == "-" else values[0])
    return Found(binary(ctx, operator, values[0], values[1]))


def _is_half(ctx: Lowering, cursor: Cursor) -> bool:
    try:
        kind = ctx.type(cursor)
    except NotLowered:
        return False
    return kind in _HALVES or (isinstance(kind, Struct) and kind.name in _PAIRS)


def _assign(ctx: Lowering, operands: list[Cursor]) -> Found:
    value = ctx.value(operands[1])
    value, target = ctx.then_place(value, operands[0])
    ctx.store(target, value)
    return Found(_address(ctx, target), is_place=True)


def _compound(ctx: Lowering, operator: str, operands: list[Cursor]) -> Found:
    from crossport.frontend.lowering.assignments import once

    value = ctx.value(operands[1])
    value, target = ctx.then_place(value, operands[0])
    target = once(ctx, target)
    ctx.store(target, binary(ctx, operator, ctx.load(target), value))
    return Found(_address(ctx, target), is_place=True)


def _step(ctx: Lowering, operator: str, operands: list[Cursor]) -> Found:
    from crossport.frontend.lowering.assignments import once

    target = once(ctx, ctx.place(operands[0]))
    old = ctx.temp(ctx.load(target))
    kind = old.type
    assert isinstance(kind, Scalar)
    ctx.store(target, binary(ctx, operator[0], old, Const(1.0, kind)))
    if len(operands) > 1:  # the dummy int of the postfix form
        return Found(old)
    return Found(_address(ctx, target), is_place=True)


def _address(ctx: Lowering, target: object) -> Expr:
    from crossport.frontend.lowering.context import BitField, FragmentElement

    if isinstance(target, (BitField, FragmentElement)):
        variable = ctx.temp(ctx.load(target))
        return ctx.address(variable.place)
    return ctx.address(target)  # type: ignore[arg-type]


def binary(ctx: Lowering, operator: str, one: Expr, two: Expr) -> Expr:
    """`one operator two` on halves or pairs."""
    if operator not in ("+", "-", "*", "/", "==", "!=", "<", ">", "<=", ">="):
        raise NotLowered(f"operator {operator} on {one.type}")
    kind = one.type if _is_half_type(one.type) else two.type
    if isinstance(kind, Struct):
        ones, twos = _split(ctx, one), _split(ctx, two)
        parts = [binary(ctx, operator, a, b) for a, b in zip(ones, twos, strict=True)]
        if parts[0].type == BOOL:
            return Binary("&&", parts[0], parts[1], span=ctx.here)
        return Aggregate(tuple(parts), kind, span=ctx.here)
    op: BinaryOp = operator  # type: ignore[assignment]
    return Binary(op, ctx.convert(one, kind), ctx.convert(two, kind), span=ctx.here)


def _is_half_type(kind: Type) -> bool:
    return kind in _HALVES or isinstance(kind, Struct)


def _minus(ctx: Lowering, value: Expr) -> Expr:
    if isinstance(value.type, Struct):
        return Aggregate(
            tuple(Unary("-", v, span=ctx.here) for v in _split(ctx, value)),
            value.type,
            span=ctx.here,
        )
    return Unary("-", value, span=ctx.here)


def _split(ctx: Lowering, value: Expr) -> list[Expr]:
    """The two halves of a pair."""
    kind = value.type
    if not isinstance(kind, Struct) or kind.name not in _PAIRS:
        raise NotLowered(f"{kind} where a pair of halves is wanted")
    element = _PAIRS[kind.name]
    value = value if isinstance(value, Aggregate) else ctx.stable(value)
    return [extract(value, axis, element, ctx) for axis in ("x", "y")]


# --- Functions ---------------------------------------------------------------------------------

_Rule = Callable[[Lowering, list[Expr]], Expr]


def _elementwise(scalar: _Rule) -> _Rule:
    """A pair operation from its scalar one."""

    def lower(ctx: Lowering, values: list[Expr]) -> Expr:
        kind = values[0].type
        columns = [_split(ctx, v) for v in values]
        parts = [scalar(ctx, [column[i] for column in columns]) for i in (0, 1)]
        element = _PAIRS[kind.name] if isinstance(kind, Struct) else F16
        return Aggregate(tuple(ctx.convert(p, element) for p in parts), kind, span=ctx.here)

    return lower


def _operation(op: BinaryOp) -> _Rule:
    return lambda ctx, v: Binary(op, v[0], v[1], span=ctx.here)


def _named(name: str) -> _Rule:
    return lambda ctx, v: Intrinsic(name, tuple(v), v[0].type, span=ctx.here)


def _unordered(test: str) -> _Rule:
    """True where an operand is NaN: the opposite test, negated."""
    op = _TESTS[_NEGATED[test]]
    return lambda ctx, v: Unary("!", Binary(op, v[0], v[1], span=ctx.here), span=ctx.here)


def _ordered_ne(ctx: Lowering, v: list[Expr]) -> Expr:
    """`__hne`: false where an operand is NaN."""
    one, two = (ctx.stable(x) for x in v)
    return Binary("||", Binary("<", one, two, span=ctx.here), Binary(">", one, two), span=ctx.here)


def _as_float(scalar: _Rule) -> _Rule:
    """A test whose answer is 1.0 or 0.0."""

    def lower(ctx: Lowering, v: list[Expr]) -> Expr:
        kind = v[0].type
        assert isinstance(kind, Scalar)
        return Select(scalar(ctx, v), Const(1.0, kind), Const(0.0, kind), span=ctx.here)

    return lower


def _both(scalar: _Rule) -> _Rule:
    """A test on pairs that holds for both elements."""

    def lower(ctx: Lowering, v: list[Expr]) -> Expr:
        columns = [_split(ctx, x) for x in v]
        first, second = (scalar(ctx, [c[i] for c in columns]) for i in (0, 1))
        return Binary("&&", first, second, span=ctx.here)

    return lower


def _mask(scalar: _Rule) -> _Rule:
    """A test on pairs as 0xFFFF in each half that holds."""

    def lower(ctx: Lowering, v: list[Expr]) -> Expr:
        columns = [_split(ctx, x) for x in v]
        first, second = (scalar(ctx, [c[i] for c in columns]) for i in (0, 1))
        low = Select(first, Const(0xFFFF, U32), Const(0, U32), span=ctx.here)
        high = Select(second, Const(0xFFFF0000, U32), Const(0, U32), span=ctx.here)
        return Binary("|", low, high, span=ctx.here)

    return lower


def _make(kind: str, *sources: Callable[[Lowering, list[Expr]], Expr]) -> _Rule:
    """A pair from an expression for each element."""

    def lower(ctx: Lowering, v: list[Expr]) -> Expr:
        v = [x if isinstance(x, Aggregate) else ctx.stable(x) for x in v]
        element = _PAIRS[kind]
        parts = tuple(ctx.convert(s(ctx, v), element) for s in sources)
        return Aggregate(parts, ctx.module.pair_type(kind), span=ctx.here)

    return lower


def _part(index: int, target: Scalar | None = None) -> _Rule:
    def lower(ctx: Lowering, v: list[Expr]) -> Expr:
        found = _split(ctx, v[0])[index]
        return ctx.convert(found, target) if target is not None else found

    return lower


def _field(axis: str) -> _Rule:
    return lambda ctx, v: extract(v[0], axis, F32, ctx)


def _to_float2(ctx: Lowering, v: list[Expr]) -> Expr:
    parts = tuple(ctx.convert(x, F32) for x in _split(ctx, v[0]))
    return Aggregate(parts, ctx.module.vector_type("float2"), span=ctx.here)


def _infinite(ctx: Lowering, v: list[Expr]) -> Expr:
    """`__hisinf`: -1, 0 or 1."""
    value = ctx.stable(v[0])
    kind = value.type
    assert isinstance(kind, Scalar)
    inf = Intrinsic("isinf", (value,), BOOL, span=ctx.here)
    sign = Select(Binary("<", value, Const(0.0, kind)), Const(-1, I32), Const(1, I32))
    return Select(inf, sign, Const(0, I32), span=ctx.here)


def _complex_fma(ctx: Lowering, v: list[Expr]) -> Expr:
    """`__hcmadd`: a * b + c on complex numbers."""
    (ar, ai), (br, bi), (cr, ci) = (_split(ctx, x) for x in v)
    kind = ar.type

    def fma(a: Expr, b: Expr, c: Expr) -> Expr:
        return Intrinsic("__hfma", (a, b, c), kind, span=ctx.here)

    real = fma(Unary("-", ai), bi, fma(ar, br, cr))
    imaginary = fma(ai, br, fma(ar, bi, ci))
    return Aggregate((real, imaginary), v[0].type, span=ctx.here)


_TABLE: dict[str, _Rule] = {}


def _rules() -> dict[str, _Rule]:
    if _TABLE:
        return _TABLE
    for word, op in _ARITHMETIC.items():
        rule = _operation(op)
        for suffix in ("", "_rn"):
            _TABLE[f"__h{word}{suffix}"] = rule
            _TABLE[f"__h{word}2{suffix}"] = _elementwise(rule)
    _TABLE["__h2div"] = _elementwise(_operation("/"))
    for word in ("add_sat", "sub_sat", "mul_sat", "max", "min", "max_nan", "min_nan"):
        head, _, mode = word.partition("_")
        _TABLE[f"__h{word}"] = _named(f"__h{word}")
        pair_name = f"__h{head}2_{mode}" if mode else f"__h{head}2"
        _TABLE[pair_name] = _elementwise(_named(f"__h{word}"))
    for mode, target in (("", ""), ("_rn", ""), ("_sat", "_sat"), ("_relu", "_relu")):
        _TABLE[f"__hfma{mode}"] = _named(f"__hfma{target}")
        _TABLE[f"__hfma2{mode}"] = _elementwise(_named(f"__hfma{target}"))
    for word, op in _TESTS.items():
        for suffix in ("", "u"):
            rule = _unordered(word) if suffix else _operation(op)
            if word == "ne":
                rule = _operation("!=") if suffix else _ordered_ne
            name = word + suffix
            _TABLE[f"__h{name}"] = rule
            _TABLE[f"__h{name}2"] = _elementwise(_as_float(rule))
            _TABLE[f"__hb{name}2"] = _both(rule)
            _TABLE[f"__h{name}2_mask"] = _mask(rule)
    for word in _ONE:
        _TABLE[f"h{word}"] = _named(f"h{word}")
        _TABLE[f"h2{word}"] = _elementwise(_named(f"h{word}"))
    _TABLE["htanh_approx"] = _named("htanh")
    _TABLE["h2tanh_approx"] = _elementwise(_named("htanh"))
    _TABLE["__hneg"] = lambda ctx, v: Unary("-", v[0], span=ctx.here)
    _TABLE["__hneg2"] = _elementwise(_TABLE["__hneg"])
    _TABLE["__habs"] = _named("__habs")
    _TABLE["__habs2"] = _elementwise(_named("__habs"))
    isnan: _Rule = lambda ctx, v: Intrinsic("isnan", (v[0],), BOOL, span=ctx.here)  # noqa: E731
    _TABLE["__hisnan"] = isnan
    _TABLE["__hisnan2"] = _elementwise(_as_float(isnan))
    _TABLE["__hisinf"] = _infinite
    _TABLE["__hcmadd"] = _complex_fma
    for kind, low, high, one in (
        ("half2", "__low2half", "__high2half", "half"),
        ("nv_bfloat162", "__low2bfloat16", "__high2bfloat16", "bfloat16"),
    ):
        first: _Rule = lambda ctx, v: v[0]  # noqa: E731
        second: _Rule = lambda ctx, v: v[1]  # noqa: E731
        swap = _make(kind, _part(1), _part(0))
        _TABLE.update({
            low: _part(0), high: _part(1),
            f"{low}2": _make(kind, _part(0), _part(0)),
            f"{high}2": _make(kind, _part(1), _part(1)),
            f"__float2{one}2_rn": _make(kind, first, first),
            f"__floats2{one}2_rn": _make(kind, first, second),
            f"__float22{one}2_rn": _make(kind, _field("x"), _field("y")),
            f"__{one}2{one}2": _make(kind, first, first),
            f"__halves2{one}2": _make(kind, first, second),
            f"make_{one}2": _make(kind, first, second),
        })  # fmt: skip
        if kind == "half2":
            _TABLE["__lowhigh2highlow"] = swap
            _TABLE["__lows2half2"] = lambda ctx, v: Aggregate(
                (_split(ctx, v[0])[0], _split(ctx, v[1])[0]), v[0].type, span=ctx.here
            )
            _TABLE["__highs2half2"] = lambda ctx, v: Aggregate(
                (_split(ctx, v[0])[1], _split(ctx, v[1])[1]), v[0].type, span=ctx.here
            )
    _TABLE["__half22float2"] = _to_float2
    _TABLE["__bfloat1622float2"] = _to_float2
    _TABLE["__low2float"] = _part(0, F32)
    _TABLE["__high2float"] = _part(1, F32)
    return _TABLE


__all__ = ["F64", "U16", "Bitcast", "Cast", "binary", "lower", "pair"]
