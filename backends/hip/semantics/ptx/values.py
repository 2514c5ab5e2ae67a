"""Operands, registers and immediates of a PTX program, as C++ expressions of a wanted type.

    "r"(x) of the template's %1     as s32: (int)x      as f32: __uint_as_float(x)
    0f3F800000                    1.0f
    %laneid                       (__lane_id() & 31)

A name that cannot be read or written raises `NoTranslation` with the reason.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence

from crossport.backends.hip.semantics.ptx.statement import Operand


class NoTranslation(Exception):
    """This template has no translation; the message says why."""


# PTX type -> C++ type.
CPP = {
    "b8": "unsigned char", "u8": "unsigned char", "s8": "signed char",
    "b16": "unsigned short", "u16": "unsigned short", "s16": "short",
    "b32": "unsigned int", "u32": "unsigned int", "s32": "int",
    "b64": "unsigned long long", "u64": "unsigned long long", "s64": "long long",
    "f32": "float", "f64": "double", "pred": "bool", "f16": "_Float16",
    "f16x2": "unsigned int",
}  # fmt: skip
BITS = {"8": 8, "16": 16, "32": 32, "64": 64}
# Register class of a constraint -> the PTX type that its C++ expression has.
_CLASSES = {"r": "u32", "l": "u64", "h": "u16", "f": "f32", "d": "f64", "n": "s32", "q": "b64"}

_LINEAR = "(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z))"
SPECIAL = {
    "laneid": "(__lane_id() & 31)",
    "warpid": f"({_LINEAR} / 32)",
    "nwarpid": "((blockDim.x * blockDim.y * blockDim.z + 31) / 32)",
    "lanemask_eq": "(1u << (__lane_id() & 31))",
    "lanemask_lt": "((1u << (__lane_id() & 31)) - 1)",
    "lanemask_le": "((2u << (__lane_id() & 31)) - 1)",
    "lanemask_gt": "(~0u - ((2u << (__lane_id() & 31)) - 1))",
    "lanemask_ge": "(~0u << (__lane_id() & 31))",
    "clock": "(unsigned int)clock64()",
    "clock_hi": "(unsigned int)(clock64() >> 32)",
    "clock64": "(unsigned long long)clock64()",
    "smid": "__smid()",
    **{f"tid.{c}": f"threadIdx.{c}" for c in "xyz"},
    **{f"ntid.{c}": f"blockDim.{c}" for c in "xyz"},
    **{f"ctaid.{c}": f"blockIdx.{c}" for c in "xyz"},
    **{f"nctaid.{c}": f"gridDim.{c}" for c in "xyz"},
}
_WIDE = ("clock64",)
_KEYWORDS = frozenset(("int", "float", "double", "char", "do", "if", "asm", "for", "bool"))


def size(kind: str) -> int:
    """Bits of a PTX type."""
    if kind == "pred":
        return 1
    if kind.endswith("x2"):
        return 32
    match = re.search(r"\d+$", kind)
    if match is None:
        raise NoTranslation(f"type .{kind}")
    return int(match[0])


def convert(text: str, have: str, want: str) -> str:
    """An expression of PTX type `have` with the same bits as type `want`."""
    if have == want or want == "":
        return text
    if "f16" in (have, want):
        # A half in a register of its type; everything else takes its bits.
        if have == "f16":
            return convert(f"__builtin_bit_cast(unsigned short, {text})", "u16", want)
        return f"__builtin_bit_cast(_Float16, {_cast(text, have, 'u16')})"
    floats = ("f32", "f64")
    if have in floats or want in floats:
        key = (_bits(have), _bits(want))
        function = _BITCASTS.get(key)
        if function is None:
            raise NoTranslation(f"a .{have} register used as .{want}")
        text = f"{function}({text})"
        return text if want in floats else _cast(text, key[1], want)
    return _cast(text, have, want)


_BITCASTS = {
    ("f32", "u32"): "__float_as_uint",
    ("u32", "f32"): "__uint_as_float",
    ("f64", "u64"): "(unsigned long long)__double_as_longlong",
    ("u64", "f64"): "__longlong_as_double",
}


def _bits(kind: str) -> str:
    return kind if kind in ("f32", "f64") else f"u{size(kind)}"


def _cast(text: str, have: str, want: str) -> str:
    same_type = CPP.get(have) == CPP.get(want)
    return text if same_type else f"({CPP[want]}){_atom(text)}"


def _atom(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+|\(.*\)", text) and _is_closed(text) else f"({text})"


def _is_closed(text: str) -> bool:
    depth = 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and character == ")" and index + 1 < len(text):
            return False
    return True


class Names:
    """What the operands and registers of one template are called in C++."""

    def __init__(self, operands: Sequence[Operand], registers: Mapping[str, str]) -> None:
        self._operands = operands
        self._registers = dict(registers)
        self._bound: dict[int, str] = {}
        # A local variable must not hide what an operand's expression names.
        self._taken = {w for o in operands for w in re.findall(r"[A-Za-z_]\w*", o.text)}
        self.helpers: set[str] = set()

    def fresh(self, name: str) -> str:
        """A name for a local variable that hides nothing of the operands."""
        cleaned = re.sub(r"\W", "_", name.lstrip("%"))
        while cleaned in self._taken or cleaned in _KEYWORDS:
            cleaned += "_"
        return cleaned

    def bind(self, index: int, name: str) -> None:
        """From now on input `index` is read through the variable `name`."""
        self._bound[index] = name

    def operand_index(self, name: str) -> int | None:
        """The number of a `%3` or `%[name]` operand."""
        if re.fullmatch(r"%\d+", name):
            index = int(name[1:])
            return index if index < len(self._operands) else None
        match = re.fullmatch(r"%\[(\w+)\]", name)
        if match:
            for index, operand in enumerate(self._operands):
                if operand.name == match[1]:
                    return index
        return None

    def constant(self, index: int) -> str:
        """The text of an operand that must be a constant expression."""
        return self._operands[index].text.strip()

    def kind_of(self, name: str) -> str:
        """The PTX type that an operand or register has by itself."""
        index = self.operand_index(name)
        if index is not None:
            kind = _CLASSES.get(self._operands[index].register)
            if kind is None:
                raise NoTranslation(f"constraint {self._operands[index].constraint!r}")
            return kind
        return self._registers.get(name.lstrip("%"), self._registers.get(name, ""))

    def read(self, name: str, want: str) -> str:
        """A source operand as an expression of type `want`."""
        name = name.strip()
        if name.startswith("!"):
            return f"!{self.read(name[1:], 'pred')}"
        if name.startswith("-") and not re.match(r"-\d", name):
            return f"-{_atom(self.read(name[1:], want))}"
        index = self.operand_index(name)
        if index is not None:
            text = self._bound.get(index) or self._operands[index].text.strip()
            kind = self.kind_of(name)
            # The C++ expression may be of any type that fits the register; say which one is meant.
            if kind == want and want in ("f32", "f64"):
                return _wrap(text)
            if kind in ("f32", "f64") or want in ("f32", "f64"):
                return convert(_wrap(text), kind, want)
            return (
                f"({CPP[want]}){_atom(text)}" if index not in self._bound or kind != want else text
            )
        if name.startswith("%%") or name.lstrip("%") in SPECIAL:
            return self._special(name.lstrip("%"), want)
        if name in self._registers or name.lstrip("%") in self._registers:
            kind = self.kind_of(name)
            return convert(self.fresh(name), kind, want)
        return _immediate(name, want)

    def _special(self, name: str, want: str) -> str:
        text = SPECIAL.get(name)
        if text is None:
            raise NoTranslation(f"special register %{name}")
        return convert(text, "u64" if name in _WIDE else "u32", want)

    def write(self, name: str, text: str, kind: str) -> str:
        """The statement that stores a value of type `kind` in a destination."""
        if name == "_":
            return f"(void){_atom(text)};"
        index = self.operand_index(name)
        if index is not None:
            target = self._operands[index].text.strip()
            value = (
                convert(text, kind, self.kind_of(name))
                if _mixed(kind, self.kind_of(name))
                else text
            )
            return f"{target} = {value};"
        if name in self._registers or name.lstrip("%") in self._registers:
            return f"{self.fresh(name)} = {convert(text, kind, self.kind_of(name))};"
        raise NoTranslation(f"destination {name}")

    def declarations(self, used: set[str]) -> list[str]:
        """Local variables for the template's own registers."""
        lines = []
        for name, kind in self._registers.items():
            if self.fresh(name) in used:
                if kind not in CPP:
                    raise NoTranslation(f"a register of type .{kind}")
                lines.append(f"{CPP[kind]} {self.fresh(name)};")
        return lines

    def pointer(self, address: str, cpp: str, space: str) -> str:
        """`[%1+16]` as a pointer to `cpp`."""
        match = re.fullmatch(r"\[\s*([^+\]]+?)\s*(?:\+\s*(-?\w+))?\s*\]", address)
        if match is None:
            raise NoTranslation(f"address {address}")
        base, offset = match.groups()
        if space == "shared":
            self.helpers.add("lds_pointer")
            text = self.read(base, "u32")
            return f"lds_pointer<{cpp}>({text}{f' + {offset}' if offset else ''})"
        text = self.read(base, "u64")
        index = self.operand_index(base)
        if index is not None and index not in self._bound:
            text = self._operands[index].text.strip()
        if offset:
            return f"(({cpp}*)((char*){_atom(text)} + {offset}))"
        return f"(({cpp}*){_atom(text)})"


def _mixed(have: str, want: str) -> bool:
    floats = ("f32", "f64")
    return (have in floats) != (want in floats)


def _wrap(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+(?:\[[\w]+\])?|[\w:]+\([^()]*\)", text) else f"({text})"


def _immediate(name: str, want: str) -> str:
    single = re.fullmatch(r"0[fF]([0-9a-fA-F]{8})", name)
    if single:
        value = struct.unpack(">f", bytes.fromhex(single[1]))[0]
        return _float(value, f"__uint_as_float(0x{single[1]}u)", "f")
    double = re.fullmatch(r"0[dD]([0-9a-fA-F]{16})", name)
    if double:
        value = struct.unpack(">d", bytes.fromhex(double[1]))[0]
        return _float(value, f"__longlong_as_double(0x{double[1]}ll)", "")
    if re.fullmatch(r"-?(?:0[xX][0-9a-fA-F]+|\d+)U?", name):
        number = name.removesuffix("U")
        if want in ("f32", "f64"):
            return f"{number}.0{'f' if want == 'f32' else ''}"
        if want.startswith(("u", "b")) and not number.startswith("-"):
            return number + ("ull" if want.endswith("64") else "u")
        return number
    if re.fullmatch(r"-?\d+\.\d*(?:[eE][-+]?\d+)?", name):
        return f"{name}f" if want == "f32" else name
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        raise NoTranslation(f"name {name}")
    raise NoTranslation(f"operand {name}")


def _float(value: float, bits: str, suffix: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return bits
    text = repr(value)
    packed = struct.pack(">f" if suffix else ">d", float(text))
    same = packed == struct.pack(">f" if suffix else ">d", value)
    if suffix:
        short = f"{value:.9g}"
        text = short if "." in short or "e" in short else f"{short}.0"
    return f"{text}{suffix}" if same else bits
