"""Math: C++ overloads to C names, out-parameters to values, bit casts and conversions.

sin(x), x float       sinf:f32(x)             std::max(a, b)        max or Select
sincosf(x, &s, &c)    s = sinf(x); c = cosf(x)
__float2int_rz(x)     (i32)x                  __float_as_int(x)     bits of x
"""

from __future__ import annotations

from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Handler, scalar
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.intrinsics import MATH, find
from crossport.ir.nodes import (
    Assign,
    Binary,
    Bitcast,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Select,
)
from crossport.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I16,
    I32,
    I64,
    SCALARS,
    U16,
    U32,
    U64,
    Scalar,
    Type,
)


def intrinsic(ctx: Lowering, name: str, *args: Expr) -> Expr:
    """An intrinsic of that name, of the type that its row says."""
    row = find(name)
    assert row is not None and row.pure, name
    kind = SCALARS.get(row.result, args[0].type)
    return Intrinsic(name, args, kind, span=ctx.here)


def _overloaded(base: str) -> Handler:
    """`sin`: the row of the type that C++ computes in."""

    def lower(ctx: Lowering, site: Site) -> Expr:
        values = ctx.values(site.args)
        row = find(base)
        assert row is not None
        floats = [v.type for v, kind in zip(values, row.args, strict=False) if kind == "f64"]
        single = all(kind == F32 for kind in floats)
        name = _single(base) if single else base
        wanted = F32 if single else F64
        args = tuple(
            ctx.convert(v, wanted if kind == "f64" else SCALARS.get(kind, v.type))
            for v, kind in zip(values, row.args, strict=False)
        )
        ctx.here = cursors.span(site.cursor) or ctx.here
        return ctx.convert(intrinsic(ctx, name, *args), ctx.type(site.cursor))

    return lower


def _exact(name: str) -> Handler:
    """`sinf`: the row itself."""

    def lower(ctx: Lowering, site: Site) -> Expr:
        row = find(name)
        assert row is not None
        values = ctx.values(site.args)
        args = tuple(
            ctx.convert(v, SCALARS.get(kind, v.type))
            for v, kind in zip(values, row.args, strict=True)
        )
        ctx.here = cursors.span(site.cursor) or ctx.here
        return ctx.convert(intrinsic(ctx, name, *args), ctx.type(site.cursor))

    return lower


def _single(base: str) -> str:
    from crossport.ir.intrinsics import _with_suffix

    return _with_suffix(base, "f")


def _extremum(is_max: bool) -> Handler:
    """CUDA's `min` and `max` overloads; `std::` ones compare (their first argument wins a NaN)."""

    def lower(ctx: Lowering, site: Site) -> Expr:
        kind = ctx.type(site.cursor)
        values = [_loaded(ctx, v, kind) for v in _argument_values(ctx, site)]
        if len(values) == 3:  # std::min(a, b, compare)
            raise NotLowered("min or max with a comparison")
        one, two = values
        ctx.here = cursors.span(site.cursor) or ctx.here
        return extremum(ctx, is_max, one, two, is_std=site.name.startswith("std::"))

    return lower


def extremum(ctx: Lowering, is_max: bool, one: Expr, two: Expr, *, is_std: bool) -> Expr:
    """The larger or smaller of two numbers of one type."""
    kind = scalar(one.type)
    if kind.is_float and (is_std or kind in (F16, BF16)):
        one, two = ctx.stable(one), ctx.stable(two)
        test = Binary("<", one, two) if is_max else Binary("<", two, one)
        return Select(test, two, one, span=ctx.here)
    names = {F32: ("fminf", "fmaxf"), F64: ("fmin", "fmax")}.get(kind, ("min", "max"))
    return Intrinsic(names[is_max], (one, two), kind, span=ctx.here)


def _argument_values(ctx: Lowering, site: Site) -> list[Expr]:
    """Values of arguments that may be passed by reference."""
    return ctx.values(site.args)


def _loaded(ctx: Lowering, value: Expr, kind: Type) -> Expr:
    return ctx.convert(value, kind)


def _absolute(ctx: Lowering, site: Site) -> Expr:
    value = ctx.value(site.args[0])
    kind = scalar(value.type)
    if kind.is_float:
        if kind in (F16, BF16):
            return intrinsic(ctx, "__habs", value)
        return intrinsic(ctx, "fabsf" if kind == F32 else "fabs", value)
    result = scalar(ctx.type(site.cursor))
    return Intrinsic("abs", (ctx.convert(value, result),), result, span=ctx.here)


def _test(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        value = ctx.value(site.args[0])
        if not scalar(value.type).is_float:
            value = ctx.convert(value, F64)
        return ctx.convert(intrinsic(ctx, name, value), ctx.type(site.cursor))

    return lower


def _sincos(sine: str, cosine: str, kind: Scalar | None) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        from crossport.frontend.lowering.literals import NOTHING

        value, first, second = ctx.values(site.args)
        value = ctx.stable(ctx.convert(value, kind or value.type))
        suffix = "f" if value.type == F32 and kind is None else ""
        pointers = [ctx.stable(first), ctx.stable(second)]
        for pointer, name in zip(pointers, (sine + suffix, cosine + suffix), strict=True):
            ctx.emit(Assign(ctx.target(pointer), intrinsic(ctx, name, value), span=ctx.here))
        return NOTHING

    return lower


def _split(ctx: Lowering, site: Site) -> Expr:
    """modf(x, &whole): the fraction, with x's sign."""
    value, pointer = ctx.values(site.args)
    value = ctx.stable(value)
    suffix = "f" if value.type == F32 else ""
    whole = ctx.temp(intrinsic(ctx, "trunc" + suffix, value))
    ctx.emit(Assign(ctx.target(pointer), whole, span=ctx.here))
    infinite = intrinsic(ctx, "isinf", value)
    zero = Const(0.0, scalar(value.type))
    rest = Select(infinite, zero, Binary("-", value, whole), span=ctx.here)
    return intrinsic(ctx, "copysign" + suffix, rest, value)


def _frexp(ctx: Lowering, site: Site) -> Expr:
    value, pointer = ctx.values(site.args)
    value = ctx.stable(value)
    suffix = "f" if value.type == F32 else ""
    exponent = intrinsic(ctx, f"frexp{suffix}_exponent", value)
    fraction = ctx.temp(intrinsic(ctx, f"frexp{suffix}_fraction", value))
    ctx.emit(Assign(ctx.target(pointer), exponent, span=ctx.here))
    return fraction


def _bits(target: Scalar, source: Scalar) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        value = ctx.convert(ctx.value(site.args[0]), source)
        return Bitcast(value, target, span=ctx.here)

    return lower


def _high_word(ctx: Lowering, site: Site) -> Expr:
    bits = Bitcast(ctx.convert(ctx.value(site.args[0]), F64), U64, span=ctx.here)
    return Cast(Binary(">>", bits, Const(32, I32)), I32, span=ctx.here)


def _low_word(ctx: Lowering, site: Site) -> Expr:
    bits = Bitcast(ctx.convert(ctx.value(site.args[0]), F64), U64, span=ctx.here)
    return Cast(bits, I32, span=ctx.here)


def _from_words(ctx: Lowering, site: Site) -> Expr:
    high, low = ctx.values(site.args)
    top = Binary("<<", Cast(Cast(high, U32), U64), Const(32, I32), span=ctx.here)
    bits = Binary("|", top, Cast(Cast(low, U32), U64), span=ctx.here)
    return Bitcast(bits, F64, span=ctx.here)


def _convert(target: Scalar, source: Scalar) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        return ctx.convert(ctx.convert(ctx.value(site.args[0]), source), target)

    return lower


def _swap(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.literals import NOTHING

    one, two = (ctx.place(a) for a in site.args)
    saved = ctx.temp(ctx.load(one))
    ctx.store(one, ctx.load(two))
    ctx.store(two, saved)
    return NOTHING


def _divide(ctx: Lowering, site: Site) -> Expr:
    one, two = ctx.values(site.args)
    return Binary("/", one, two, span=ctx.here)


def _saturate(ctx: Lowering, site: Site) -> Expr:
    return intrinsic(ctx, "__saturatef", ctx.convert(ctx.value(site.args[0]), F32))


def _ieee_fma(mode: str) -> Handler:
    return _exact(f"__fmaf_{mode}")


def _remquo(ctx: Lowering, site: Site) -> Expr:
    raise NotLowered("remquo")


def _clamp(ctx: Lowering, site: Site) -> Expr:
    value, low, high = (ctx.stable(v) for v in ctx.values(site.args)[:3])
    return Select(
        Binary("<", value, low),
        low,
        Select(Binary("<", high, value), high, value),
        span=ctx.here,
    )


def _part(axis: str) -> Handler:
    """The real or imaginary part of a cuComplex."""

    def lower(ctx: Lowering, site: Site) -> Expr:
        from crossport.frontend.lowering.members import extract

        value = ctx.stable(ctx.value(site.args[0]))
        return extract(value, axis, ctx.type(site.cursor), ctx)

    return lower


def _modulus(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.members import extract

    kind = ctx.type(site.cursor)
    value = ctx.stable(ctx.value(site.args[0]))
    parts = [extract(value, axis, kind, ctx) for axis in ("x", "y")]
    return intrinsic(ctx, "hypotf" if kind == F32 else "hypot", *parts)


def _not_a_number(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.literals import float_constant

    return float_constant(ctx, float("nan"), scalar(ctx.type(site.cursor)))


def _math_names() -> list[str]:
    names: list[str] = []
    for line in MATH.splitlines():
        head, _, shape = line.partition(": ")
        if shape and "frexp" not in head:
            names += head.split()
    return names


def _build() -> dict[str, Handler]:
    table: dict[str, Handler] = {}
    for name in _math_names():
        table[name] = _overloaded(name)
        table[name + "f"] = _exact(name + "f")
    table |= {
        "min": _extremum(False), "max": _extremum(True),
        "umin": _extremum(False), "umax": _extremum(True),
        "llmin": _extremum(False), "llmax": _extremum(True),
        "ullmin": _extremum(False), "ullmax": _extremum(True),
        "abs": _absolute, "labs": _absolute, "llabs": _absolute,
        "isnan": _test("isnan"), "isinf": _test("isinf"), "isfinite": _test("isfinite"),
        "signbit": _test("signbit"), "__isnan": _test("isnan"), "__isinf": _test("isinf"),
        "__isnanf": _test("isnan"), "__isinff": _test("isinf"), "__finitef": _test("isfinite"),
        "__finite": _test("isfinite"), "__signbit": _test("signbit"),
        "isnanf": _test("isnan"), "isinff": _test("isinf"), "finitef": _test("isfinite"),
        "__builtin_isnan": _test("isnan"), "__builtin_isinf": _test("isinf"),
        "__builtin_isfinite": _test("isfinite"), "__builtin_signbit": _test("signbit"),
        "sincos": _sincos("sin", "cos", None), "sincosf": _sincos("sinf", "cosf", F32),
        "sincospi": _sincos("sinpi", "cospi", None),
        "sincospif": _sincos("sinpif", "cospif", F32),
        "__sincosf": _sincos("__sinf", "__cosf", F32),
        "modf": _split, "modff": _split, "frexp": _frexp, "frexpf": _frexp,
        "remquo": _remquo, "remquof": _remquo,
        "fdividef": _divide, "fdivide": _divide, "saturate": _saturate,
        "scalbln": _overloaded("scalbn"), "scalblnf": _exact("scalbnf"),
        "cuCreal": _part("x"), "cuCrealf": _part("x"), "cuCimag": _part("y"),
        "cuCimagf": _part("y"), "cuCabs": _modulus, "cuCabsf": _modulus,
        "nan": _not_a_number, "nanf": _not_a_number,
        "std::clamp": _clamp, "std::swap": _swap,
        "__double2hiint": _high_word, "__double2loint": _low_word,
        "__hiloint2double": _from_words,
        "mul24": _exact("__mul24"), "umul24": _exact("__umul24"),
        "mulhi": _exact("__mulhi"), "umulhi": _exact("__umulhi"),
        "ffs": _exact("__ffs"), "ffsll": _exact("__ffsll"),
    }  # fmt: skip
    for name, target, source in (
        ("__float_as_int", I32, F32), ("__int_as_float", F32, I32),
        ("__float_as_uint", U32, F32), ("__uint_as_float", F32, U32),
        ("float_as_int", I32, F32), ("int_as_float", F32, I32),
        ("float_as_uint", U32, F32), ("uint_as_float", F32, U32),
        ("__double_as_longlong", I64, F64), ("__longlong_as_double", F64, I64),
        ("__half_as_short", I16, F16), ("__half_as_ushort", U16, F16),
        ("__short_as_half", F16, I16), ("__ushort_as_half", F16, U16),
        ("__bfloat16_as_short", I16, BF16), ("__bfloat16_as_ushort", U16, BF16),
        ("__short_as_bfloat16", BF16, I16), ("__ushort_as_bfloat16", BF16, U16),
    ):  # fmt: skip
        table[name] = _bits(target, source)
    for mode in ("rn", "rz", "ru", "rd"):
        table[f"__fmaf_ieee_{mode}"] = _ieee_fma(mode)
    table |= _conversions()
    return table


_C_NAMES = {"int": I32, "uint": U32, "ll": I64, "ull": U64, "short": I16, "ushort": U16}


def _conversions() -> dict[str, Handler]:
    """Conversions that a C cast does: exact ones, and those in C's own rounding."""
    table: dict[str, Handler] = {}
    floats = {"float": F32, "double": F64}
    for mode in ("rn", "rz", "ru", "rd"):
        for name, kind in floats.items():
            for other, whole in _C_NAMES.items():
                if mode == "rz":
                    table[f"__{name}2{other}_{mode}"] = _convert(whole, kind)
                exact = name == "double" and whole.size <= 4
                if mode == "rn" or exact:
                    table[f"__{other}2{name}_{mode}"] = _convert(kind, whole)
        table[f"__float2double_{mode}"] = _convert(F64, F32)
    table["__double2float_rn"] = _convert(F32, F64)
    for spelled, half in (("half", F16), ("bfloat16", BF16)):
        for mode in ("", "_rn"):
            table[f"__float2{spelled}{mode}"] = _convert(half, F32)
        table[f"__double2{spelled}"] = _convert(half, F64)
        table[f"__{spelled}2float" if spelled == "half" else "__bfloat162float"] = _convert(
            F32, half
        )
        table[f"__{spelled}2double" if spelled == "half" else "__bfloat162double"] = _convert(
            F64, half
        )
        source = "half" if spelled == "half" else "bfloat16"
        for other, whole in (*_C_NAMES.items(), ("char", SCALARS["i8"]), ("uchar", SCALARS["u8"])):
            table[f"__{source}2{other}_rz"] = _convert(whole, half)
            table[f"__{other}2{spelled}_rn"] = _convert(half, whole)
        for mode in ("rn", "ru", "rd"):
            for other in ("int", "uint", "ll", "ull"):
                # By way of float, which holds every half.
                table[f"__{source}2{other}_{mode}"] = _by_float(f"__float2{other}_{mode}")
    return table


def _by_float(name: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        (value,) = ctx.values(site.args)
        return intrinsic(ctx, name, ctx.convert(value, F32))

    return lower


HANDLERS: dict[str, Handler] = _build()

__all__ = ["BOOL", "HANDLERS", "extremum", "intrinsic"]
