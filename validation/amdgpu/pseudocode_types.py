"""Types and values of AMD's pseudocode, and what its function names mean in C."""

import re
from dataclasses import dataclass, field


class Untranslatable(Exception):
    """The pseudocode uses something that has no C here; the opcode needs a hand-written body."""


@dataclass(frozen=True, slots=True)
class Value:
    """A C expression and its pseudocode type; `origin` is the operand before a widening cast."""

    c: str
    type: str
    origin: "Value | None" = None


@dataclass(slots=True)
class Body:
    """One lane of an instruction: C text and what it touches beyond S0..S2 and D0."""

    text: str
    uses: set[str] = field(default_factory=set)


C_TYPE = {
    **{f"u{n}": "u32" for n in (1, 2, 3, 4, 5, 6, 24)},
    **{f"i{n}": "i32" for n in (4, 24)},
    **{t: t for t in ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f16", "f32", "f64")},
    "b8": "u8",
    "b16": "u16",
    "b32": "u32",
    "b64": "u64",
    "bf16": "u16",
    "u128": "u128",
    "i1": "u32",
    "b1": "u32",
    "b2": "u32",
    "b3": "u32",
    "b4": "u32",
    "lit": "i32",
    "mask": "u64",
}
FLOATS = ("f16", "f32", "f64")
TOKEN = re.compile(
    r"\s*(?:(?P<sized>\d+'-?(?:0x[0-9a-fA-F]+|\d+\.\d+|\d+)[UL]*)|(?P<cast>\d+'(?:BF|[UIFB])(?=\())"
    r"|(?P<number>0x[0-9a-fA-F]+[UL]*|\d+\.\d+F?|\d+[ULF]*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<op>\+:|<<|>>|<=|>=|==|!=|<>|&&|\|\||\*\*|[-+*/%&|^~!<>=?:()\[\]{},.]))"
)
LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!=", "<>"),
    ("<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)


def width(type_: str) -> int:
    """Bits of a pseudocode type."""
    return {"lit": 32, "mask": 64, "bf16": 16}.get(type_) or int(type_.lstrip("uifb"))


def is_float(type_: str) -> bool:
    return type_ in FLOATS


def is_signed(type_: str) -> bool:
    return type_[0] == "i" or type_ == "lit"


def bits(value: Value) -> str:
    """The raw bits of a value, as an unsigned C expression."""
    match value.type:
        case "f16" | "f32" | "f64":
            return f"B{value.type[1:]}({value.c})"
        case "i8" | "i16" | "i32":
            return f"(u64)(u{value.type[1:]})({value.c})"
        case "lit":
            return f"(u64)(u32)({value.c})"
        case "u128":
            return f"({value.c})"
        case _:
            return f"(u64)({value.c})"


def reinterpret(value: Value, type_: str) -> Value:
    """The same bits read as another type."""
    if value.type == type_:
        return Value(value.c, type_)
    raw = bits(value)
    if type_ in FLOATS:
        return Value(f"F{type_[1:]}({raw})", type_)
    if type_ == "i24":
        return Value(f"((i32)((u32)({raw})<<8)>>8)", type_)
    if type_ == "i4":
        return Value(f"((i32)((u32)({raw})<<28)>>28)", type_)
    if type_ in C_TYPE and type_[0] in "uib":
        mask = "" if width(type_) in (8, 16, 32, 64) else f"&{(1 << width(type_)) - 1}u"
        return Value(f"(({C_TYPE[type_]})({raw}){mask})", type_)
    raise Untranslatable(f"reinterpretation as {type_}")


def convert(value: Value, type_: str) -> str:
    """The value converted to another type, as C converts."""
    if value.type == type_:
        return value.c
    if type_ == "bf16":
        return f"(u16)({value.c})"
    return f"(({C_TYPE[type_]})({value.c}))"


def joined_type(a: Value, b: Value) -> str:
    """The type in which `a op b` is computed."""
    kinds = {a.type, b.type}
    if "u128" in kinds:
        return "u128"
    if kinds == {"lit"}:
        return "i32"
    if "lit" in kinds:
        (type_,) = kinds - {"lit"}
    elif any(is_float(t) for t in kinds):
        type_ = max((t for t in kinds if is_float(t)), key=width)
    elif width(a.type) != width(b.type):
        type_ = max(a.type, b.type, key=width)
    else:
        type_ = b.type if is_signed(a.type) else a.type
    if type_ in ("bf16",):
        raise Untranslatable("arithmetic on bf16")
    if is_float(type_):
        return type_
    signed = is_signed(type_)
    return ("i" if signed else "u") + ("64" if width(type_) > 32 else "32")


# name -> (C function, result type); "" as a type means the type of the first argument.
FUNCTIONS: dict[str, tuple[str, str]] = {
    **{n: (n, "") for n in ("abs", "floor", "trunc", "sqrt", "fract", "log2", "sin", "cos", "fma")},
    "mantissa": ("mantissa", ""),
    "ldexp": ("ldexp", ""),
    "exponent": ("exponent", "i32"),
    "sign": ("sign", "u1"),
    "isNAN": ("is_nan", "u1"),
    "isSignalNAN": ("is_snan", "u1"),
    "isQuietNAN": ("is_qnan", "u1"),
    "cvtToQuietNAN": ("quiet", ""),
}
BY_NAME: dict[str, tuple[str, str]] = {
    "isEven": ("is_even", "u1"),
    "BYTE_PERMUTE": ("byte_permute", "b8"),
    "SAT8": ("sat_u8", "b8"),
    "s_ff1_i32_b64": ("ff1_b64", "i32"),
    "v_prng_b32": ("prng", "u32"),
    "v_sad_u8": ("sad_u8", "u32"),
    "v_msad_u8": ("msad_u8", "u32"),
    "bitCount": ("popcount64", "u32"),
    "countOneBits": ("popcount64", "u32"),
    "bf16_to_f32": ("bf16_to_f32", "f32"),
    "f32_to_bf16": ("f32_to_bf16", "bf16"),
    "fp8_to_f32": ("fp8_to_f32", "f32"),
    "bf8_to_f32": ("bf8_to_f32", "f32"),
}
NUMERIC = re.compile(r"([uif]\d+|[ui]\d)_to_([uif]\d+|[us]norm)$")
MINMAX = re.compile(r"v_(min|max|minimum|maximum)(3?(?:_num)?)_(i16|u16|i32|u32|f16|f32|f64)$")


def constant_span(high: str, low: str) -> int | None:
    try:
        return int(high) - int(low) + 1
    except ValueError:
        return None


def tokens_of(text: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match or match.lastgroup is None:
            raise Untranslatable(f"cannot read {text[at : at + 20]!r}")
        at = match.end()
        out.append((match.lastgroup, match[match.lastgroup]))
    return out


def sized_literal(text: str) -> Value:
    size, digits = text.split("'")
    if "." in digits:
        return Value(f"((f{size}){digits})", f"f{size}")
    unsigned = "U" in digits
    number = int(digits.rstrip("UL"), 0)
    if int(size) > 64:
        raise Untranslatable(f"literal {text}")
    type_ = ("u" if unsigned else "i") + size
    if type_ not in C_TYPE:
        type_ = "lit"
    return Value(f"{number}" + ("ull" if number > 0x7FFFFFFF else ""), type_)


def plain_number(text: str) -> Value:
    if "." in text:
        is_single = text.endswith("F")
        return Value(text.rstrip("F") + ("f" if is_single else ""), "f32" if is_single else "f64")
    digits = text.rstrip("UL") if text.startswith("0x") else text.rstrip("ULF")
    suffix = text[len(digits) :]
    number = int(digits, 0)
    match suffix:
        case "ULL" | "UL":
            return Value(f"{number}ull", "u64")
        case "LL" | "L":
            return Value(f"{number}ll" if number < 1 << 63 else f"(i64){number}ull", "i64")
        case "U":
            return Value(f"{number}u", "u32")
        case _:
            tail = "" if number <= 0x7FFFFFFF else "u" if number < 1 << 32 else "ull"
            return Value(f"{number}{tail}", "lit")
