"""CUDA's SIMD functions on one word (`__vadd4`, `__vmaxs2`, ...), which HIP's headers lack.

Their names say what they do: `__v` operation, `s` or `u` for signedness, 2 or 4 lanes. From that
the definition is written, one function a name that a program uses:

    simd_function("__vmaxs4")   ->   static __device__ inline unsigned crossport_vmaxs4(...) {...}

Likewise the fused minima and maxima of compute capability 9: `__vimax3_s32`, `__viaddmin_u16x2`,
`__vibmax_s32` and their `_relu` forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Operation -> the value of a lane, of lanes `a` and `b` (and `c`) as wide integers.
_LANE = {
    "add": "a + b",
    "addss": "clamp(a + b)",
    "addus": "clamp(a + b)",
    "sub": "a - b",
    "subss": "clamp(a - b)",
    "subus": "clamp(a - b)",
    "neg": "-a",
    "negss": "clamp(-a)",
    "abs": "a < 0 ? -a : a",
    "absss": "clamp(a < 0 ? -a : a)",
    "absdiffs": "a < b ? b - a : a - b",
    "absdiffu": "a < b ? b - a : a - b",
    "avgs": "(a + b + (a + b >= 0)) >> 1",
    "avgu": "(a + b + 1) >> 1",
    "haddu": "(a + b) >> 1",
    "mins": "a < b ? a : b",
    "minu": "a < b ? a : b",
    "maxs": "a < b ? b : a",
    "maxu": "a < b ? b : a",
}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_UNARY = ("neg", "negss", "abs", "absss")
_FUSED = re.compile(
    r"__vi(?P<op>max3|min3|addmax|addmin|max|min|bmax|bmin)"
    r"_(?P<type>s32|u32|s16x2|u16x2)(?P<relu>_relu)?\Z"
)
_NAME = re.compile(r"__v(?P<op>[a-z]+?)(?P<lanes>[24])\Z")


@dataclass(frozen=True, slots=True)
class _Shape:
    lanes: int
    is_signed: bool

    @property
    def bits(self) -> int:
        return 32 // self.lanes

    @property
    def type(self) -> str:
        kind = "char" if self.lanes == 4 else "short"
        return f"signed {kind}" if self.is_signed else f"unsigned {kind}"

    @property
    def limits(self) -> tuple[int, int]:
        if self.is_signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1


def simd_function(name: str) -> str | None:
    """The definition of `crossport_v...` for a CUDA name; None: not such a name."""
    fused = _FUSED.match(name)
    if fused is not None:
        return _fused(name, fused["op"], fused["type"], fused["relu"] is not None)
    match = _NAME.match(name)
    if match is None:
        return None
    op, lanes = match["op"], int(match["lanes"])
    function = "crossport_" + name.removeprefix("__")
    if op in _LANE:
        shape = _Shape(lanes, _is_signed(op))
        return _per_lane(function, shape, _LANE[op], op in _UNARY)
    if op in ("sads", "sadu"):
        return _sum(function, _Shape(lanes, op == "sads"))
    compare = re.match(r"(cmp|set)(eq|ne|lt|le|gt|ge)([su]?)\Z", op)
    if compare is None or (compare[3] == "" and compare[2] not in ("eq", "ne")):
        return None
    shape = _Shape(lanes, compare[3] == "s")
    ones = (1 << shape.bits) - 1 if compare[1] == "cmp" else 1
    return _per_lane(function, shape, f"a {_COMPARE[compare[2]]} b ? {ones} : 0", False)


def _is_signed(op: str) -> bool:
    # In `addus` the last letter is for saturation.
    return op not in ("addus", "subus") and (op.endswith("s") or op in ("neg", "abs"))


def _per_lane(function: str, shape: _Shape, lane: str, is_unary: bool) -> str:
    low, high = shape.limits
    if "clamp(" in lane:
        lane = lane.replace("clamp(", "", 1)[:-1]
        lane = f"min(max({lane}, {low}), {high})"
    mask = (1 << shape.bits) - 1
    arguments = "unsigned x" if is_unary else "unsigned x, unsigned y"
    second = "" if is_unary else f" const int b = static_cast<{shape.type}>(y >> i);"
    return (
        f"static __device__ inline unsigned {function}({arguments}) {{\n"
        f"  unsigned result = 0;\n"
        f"  for (int i = 0; i < 32; i += {shape.bits}) {{\n"
        f"    const int a = static_cast<{shape.type}>(x >> i);{second}\n"
        f"    result |= (static_cast<unsigned>({lane}) & {mask:#x}u) << i;\n"
        f"  }}\n"
        f"  return result;\n"
        f"}}\n"
    )


def _sum(function: str, shape: _Shape) -> str:
    return (
        f"static __device__ inline unsigned {function}(unsigned x, unsigned y) {{\n"
        f"  unsigned result = 0;\n"
        f"  for (int i = 0; i < 32; i += {shape.bits}) {{\n"
        f"    const int a = static_cast<{shape.type}>(x >> i);"
        f" const int b = static_cast<{shape.type}>(y >> i);\n"
        f"    result += static_cast<unsigned>(a < b ? b - a : a - b);\n"
        f"  }}\n"
        f"  return result;\n"
        f"}}\n"
    )


def _fused(name: str, op: str, type_name: str, is_relu: bool) -> str | None:
    """Minima and maxima of two or three, after an addition, or with the winner's lane."""
    bits = 16 if type_name.endswith("x2") else 32
    is_signed = type_name.startswith("s")
    lane = ("short" if is_signed else "unsigned short") if bits == 16 else ""
    lane = lane or ("int" if is_signed else "unsigned")
    word = "unsigned" if bits == 16 or not is_signed else "int"
    pick = "max" if "max" in op else "min"
    compare = ">=" if pick == "max" else "<="
    count = 3 if op in ("max3", "min3", "addmax", "addmin") else 2
    names = ("x", "y", "z")[:count]
    parameters = [f"{word} {n}" for n in names]
    function = "crossport_" + name.removeprefix("__")
    if op in ("bmax", "bmin"):
        parameters += ["bool* high", "bool* low"] if bits == 16 else ["bool* first"]
    lanes = [
        f"    const {lane} {a} = static_cast<{lane}>({n} >> i);"
        for a, n in zip("abc", names, strict=False)
    ]
    first = "a"
    if op.startswith("add"):
        # The sum wraps as a lane does.
        wide = "unsigned" if bits == 32 else "int"
        lanes.append(
            f"    const {lane} s = static_cast<{lane}>(static_cast<{wide}>(a)"
            f" + static_cast<{wide}>(b));"
        )
        first = "s"
    second = "c" if op.startswith("add") else "b"
    lanes.append(f"    {lane} r = {first} {compare} {second} ? {first} : {second};")
    if op in ("max3", "min3"):
        lanes.append(f"    r = r {compare} c ? r : c;")
    if op in ("bmax", "bmin"):
        target = "*(i ? high : low)" if bits == 16 else "*first"
        lanes.append(f"    {target} = a {compare} b;")
    if is_relu:
        lanes.append("    r = r > 0 ? r : 0;")
    if bits == 32:
        body = "\n".join(line.replace(" >> i", "")[2:] for line in lanes)
        return (
            f"static __device__ inline {word} {function}({', '.join(parameters)}) {{\n"
            f"{body}\n  return r;\n}}\n"
        )
    body = "\n".join(lanes)
    return (
        f"static __device__ inline {word} {function}({', '.join(parameters)}) {{\n"
        f"  unsigned result = 0;\n"
        f"  for (int i = 0; i < 32; i += 16) {{\n{body}\n"
        f"    result |= (static_cast<unsigned>(r) & 0xffffu) << i;\n"
        f"  }}\n  return result;\n}}\n"
    )
