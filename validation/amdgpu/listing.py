"""An instruction's operands as text, and what it writes: for traces.

Example:

    v_fma_f32 with vdst 2, src0 258, src1 4, src2 242    ->    "v2, v2, s4, 1.0"
"""

from typing import Literal

from crossport.validation.amdgpu.isa import Instruction

Written = Literal["lane", "scalar", ""]
_RESULTS = ("vdst", "sdst", "sdata")
_SOURCES = (
    *("vdata", "ssrc0", "ssrc1", "src0", "vsrc0", "src1", "vsrc1", "src2", "addr", "vaddr", "data"),
    *("data0", "data1", "saddr", "sbase"),
)
_NAMED = {106: "vcc", 107: "vcc_hi", 126: "exec", 127: "exec_hi", 253: "scc"}
_FLOATS = ("0.5", "-0.5", "1.0", "-1.0", "2.0", "-2.0", "4.0", "-4.0", "1/(2*pi)")


def writes(i: Instruction) -> Written:
    """Whether a lane's register, or a scalar one, holds the result afterwards."""
    if "vdst" in i.operands and not i.name.startswith(("v_cmp", "v_readlane", "v_readfirstlane")):
        return "lane"
    if "vdata" in i.operands and "_load" in i.name:
        return "lane"
    return "scalar" if any(f in i.operands for f in ("sdst", "sdata", "vdst")) else ""


def operand_text(i: Instruction) -> str:
    """Results first, then sources, then the immediate of a scalar instruction."""
    known = [f for f in (*_RESULTS, *_SOURCES) if f in i.fields and _is_used(i, f)]
    parts = [_register(i, f) for f in known]
    if i.get("simm16"):
        parts.append(hex(i.fields["simm16"]))
    if i.get("offset"):
        parts.append(f"offset {i.get('offset')}")
    return ", ".join(p for p in parts if p)


def _is_used(i: Instruction, name: str) -> bool:
    return name in i.operands or f"v{name}" in i.operands or name.removeprefix("v") in i.operands


def _register(i: Instruction, name: str) -> str:
    code = i.fields[name]
    operand = i.operands.get(name) or i.operands.get(f"v{name}")
    words = max(1, (operand.bits if operand else 32) // 32)
    if name == "sbase":
        return _run("s", code * 2, 2)
    if name == "saddr":
        return "" if code in (0x7F, 124) else _run("s", code, 2)
    is_scalar = name.startswith("s") or (name == "vdst" and "lane" in i.name)
    is_vector = name in ("vsrc1", "vdata", "addr", "vaddr", "data", "data0", "data1")
    if is_vector or (name == "vdst" and not is_scalar and not i.name.startswith("v_cmp")):
        return _run("v", code, words)
    if code >= 256:
        return _run("v", code - 256, words)
    return _scalar(code, words, i.literal)


def _scalar(code: int, words: int, literal: int | None) -> str:
    if code in _NAMED:
        return _NAMED[code]
    if code < 106:
        return _run("s", code, words)
    if 128 <= code <= 208:
        return str(code - 128 if code <= 192 else 192 - code)
    if 240 <= code <= 248:
        return _FLOATS[code - 240]
    if code == 255 and literal is not None:
        return hex(literal)
    return f"s{code}"


def _run(kind: str, first: int, words: int) -> str:
    return f"{kind}{first}" if words == 1 else f"{kind}[{first}:{first + words - 1}]"
