"""The C function of an instruction: a loop over lanes around the translated pseudocode.

Example, for V_ADD_F32 on 64 lanes:

    void v_add_f32_...(const VectorArgs *a) {
        const u32 *s0 = a->s[0], *s1 = a->s[1], *en = a->enabled; u32 *d = a->d;
        LANES { u64 D0 = d[l]; u32 S0 = s0[l]; u32 S1 = s1[l];
                D0 = B32((F32(S0) + F32(S1)));
                d[l] = en[l] ? (u32)D0 : d[l]; }
    }

Functions know nothing of registers or kernels, so that one compiled function serves every kernel;
native.py compiles and keeps them by a hash of their text.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from crossport.validation.amdgpu import errata
from crossport.validation.amdgpu.isa import Instruction, Operand, Tables
from crossport.validation.amdgpu.pseudocode import Body, Untranslatable, translate


@dataclass(frozen=True, slots=True)
class Function:
    """A compiled-once C function, and what its caller must provide."""

    symbol: str
    text: str
    uses: frozenset[str]


_SOURCE_FIELDS = (
    ("src0", "vsrc0", "ssrc0", "srcx0", "srcy0"),
    ("src1", "vsrc1", "ssrc1", "vsrcx1", "vsrcy1"),
    ("src2",),
)


def source_operand(instruction: Instruction, j: int) -> Operand | None:
    """The table's word on source j, whatever the field is called in this encoding."""
    for field in _SOURCE_FIELDS[j]:
        if field in instruction.operands:
            return instruction.operands[field]
    return None


def destination_operand(instruction: Instruction) -> Operand | None:
    return instruction.operands.get("vdst") or instruction.operands.get("sdst")


@cache
def _translated(text: str, operands: tuple[tuple[str, str], ...]) -> Body:
    return translate(text, dict(operands))


def _body(tables: Tables, instruction: Instruction, operands: dict[str, str]) -> Body:
    own = errata.BODIES.get(instruction.name)
    if own is not None:
        uses = set()
        if re.search(r"\bcb\b", own):
            uses.add("LANE_BIT")
        if re.search(r"\bci\b", own):
            uses.add("CARRY_IN")
        if "SCC" in own:
            uses.add("SCC")
        return Body(own, uses)
    text = tables.pseudocode_of(instruction.member, instruction.name)
    if text is None:
        raise Untranslatable("no pseudocode")
    return _translated(text, tuple(sorted(operands.items())))


def _symbol(name: str, text: str) -> str:
    return f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def vector_function(
    tables: Tables, instruction: Instruction, *, keep_half: bool, ocp: bool
) -> Function:
    """The function of a vector instruction; raises Untranslatable.

    `keep_half`: a 16-bit result leaves the upper half of the register alone (RDNA); a body that
    puts bits into the register itself (V_FMA_MIXHI_F16 writes the upper half) has said so already.
    """
    widths = [source_operand(instruction, j) for j in range(3)]
    types = {
        f"S{j}": "b64" if operand and operand.bits == 64 else "b32"
        for j, operand in enumerate(widths)
    }
    d = destination_operand(instruction)
    d_bits = d.bits if d else 32
    if d_bits > 64 or any(w and w.bits > 64 for w in widths):
        raise Untranslatable("operand wider than 64 bits")
    body = _body(tables, instruction, {**types, "D0": "b64"})
    text = body.text
    is_compare = "vdst" not in instruction.operands or instruction.name.startswith("v_cmp")
    lines = ["const u32 *en=a->enabled;(void)en;u32 *d=a->d;(void)d;"]
    for word, code in (("IEEE", "const u32 IEEE=a->ieee;"), ("DX10", "const u32 DX10=a->dx10;")):
        if re.search(rf"\b{word}\b", text):
            lines.append(code)
    if "CLAMP" in text:
        lines.append("const u32 CLAMP=a->clamp;")
    if "LITERAL" in text:
        lines.append("const u32 LITERAL=a->literal;")
    if "CARRY_IN" in body.uses:
        lines.append("const u32 *carry=a->carry;")
    if "LANE_BIT" in body.uses:
        lines.append("u32 *bit=a->bit;")
    loads = []
    for j in range(3):
        if not re.search(rf"\bS{j}\b", text):
            continue
        lines.append(f"const u32 *s{j}=a->s[{j}];")
        loads.append(
            f"u64 S{j}=(u64)s{j}[l]|((u64)s{j}[ROW+l]<<32);"
            if types[f"S{j}"] == "b64"
            else f"u32 S{j}=s{j}[l];"
        )
    if "CARRY_IN" in body.uses:
        loads.append("u32 ci=carry[l];")
    if "LANE_BIT" in body.uses:
        loads.append("u32 cb=0;")
    stores = []
    if not is_compare:
        wide = d_bits == 64
        loads.append("u64 D0=(u64)d[l]|((u64)d[ROW+l]<<32);" if wide else "u64 D0=d[l];")
        if d_bits == 16 and keep_half and "D0=insert(D0," not in text:
            stores.append("D0=(d[l]&0xffff0000u)|(D0&0xffffu);")
        stores.append("d[l]=en[l]?(u32)D0:d[l];")
        if wide:
            stores.append("d[ROW+l]=en[l]?(u32)(D0>>32):d[ROW+l];")
    elif re.search(r"\bD0\b", text):
        raise Untranslatable("comparison that writes a value")
    if "LANE_BIT" in body.uses:
        stores.append("bit[l]=cb;")
    code = f"{{{''.join(lines)} LANES{{{''.join(loads)}{text}{''.join(stores)}}}}}"
    code = _eight_bit_variant(code, ocp)
    symbol = _symbol(instruction.name, code)
    return Function(symbol, f"void {symbol}(const VectorArgs *a){code}", frozenset(body.uses))


_MOVE_TEXT = "{const u32 *en=a->enabled,*s0=a->s[0];u32 *d=a->d;LANES d[l]=en[l]?s0[l]:d[l];}"
MOVE = Function("move_row", f"void move_row(const VectorArgs *a){_MOVE_TEXT}", frozenset())
"""A plain copy of one row, for moves between AccVGPRs and VGPRs."""


def scalar_function(tables: Tables, instruction: Instruction, first: str = "") -> Function:
    """The function of a scalar instruction; `first` is C that changes its sources.

    Raises Untranslatable.
    """
    types = {}
    for j in range(2):
        operand = source_operand(instruction, j)
        types[f"S{j}"] = "b64" if operand and operand.bits == 64 else "b32"
    if instruction.form == "SOPK":
        types = {"S0": "b32", "S1": "b32"}
    body = _body(tables, instruction, {**types, "D0": "b64"})
    text = body.text
    head = "u64 D0=a->d,EXEC=a->exec;u32 SCC=a->scc;(void)EXEC;"
    for j in range(2):
        c = {"b64": "u64", "b32": "u32"}[types[f"S{j}"]]
        head += f"{c} S{j}=({c})a->s{j};(void)S{j};"
    if "LITERAL" in text:
        head += "const u32 LITERAL=a->literal;"
    code = f"{{{head}{first}{text}a->d=D0;a->scc=SCC;a->exec=EXEC;}}"
    symbol = _symbol(instruction.name, code)
    return Function(symbol, f"void {symbol}(ScalarArgs *a){code}", frozenset(body.uses))


def _eight_bit_variant(code: str, ocp: bool) -> str:
    """8-bit floats differ between GPUs: name the variant in the calls."""
    pattern = r"\b(f32_to_[fb][pf]8(?:_random)?|[fb][pf]8_to_f32)\("
    return re.sub(pattern, lambda m: f"{m[1]}_{'ocp' if ocp else 'fnuz'}(", code)
