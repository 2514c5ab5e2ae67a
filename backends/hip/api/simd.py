"""CUDA's SIMD-in-a-word functions (`__vadd4`, `__vmaxs2`, ...), which HIP's headers lack.

Their names say what they do: `__v` operation, `s` or `u` for signedness, 2 or 4 lanes. From that the
definition is written, one function a name that a program uses:

    simd_function("__vmaxs4")   ->   static __device__ inline unsigned crossport_vmaxs4(...) {...}
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
    return op.endswith("s") or op in ("neg", "abs")


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
