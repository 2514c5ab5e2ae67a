"""Decode AMD machine code with the tables of the tinygrad wheel (made from AMD's ISA XML).

Example:

    02040300 02  (little endian words)  ->  Instruction(name="v_add_f32", form="VOP2", ...)

Only raw encoding fields are read. Three faults of the tables are worked around: literals and
DPP/SDWA words are found here by their marker values, opcodes that the tables lack are added
(`_EXTRA`), and XF32 matrix instructions of gfx942 get the fields of their MFMA family.
"""

import importlib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from crossport.validation.amdgpu.arch import Arch

_SUFFIX = re.compile(r"_E(32|64)$")
_PLAIN_FORMS = (
    *("SOP1", "SOP2", "SOPC", "SOPK", "SOPP", "SMEM", "VOP1", "VOP2", "VOPC", "VOP3", "VOP3SD"),
    *("VOP3_SDST", "VOP1_SDST", "VOP3P", "VOP3P_MFMA", "VOPD", "DS", "FLAT", "GLOBAL", "SCRATCH"),
    *("MUBUF", "MTBUF", "VINTERP", "LDSDIR", "MIMG", "EXP"),
    *("VFLAT", "VGLOBAL", "VSCRATCH", "VBUFFER", "VIMAGE", "VSAMPLE"),
)
_RDNA4_FORMS = {"VFLAT": "FLAT", "VGLOBAL": "GLOBAL", "VSCRATCH": "SCRATCH", "VBUFFER": "MUBUF"}
_RDNA4_FIELDS = {
    **{
        form: {"vaddr": "addr", "vsrc": "data", "ioffset": "offset"}
        for form in ("FLAT", "GLOBAL", "SCRATCH")
    },
    "MUBUF": {"ioffset": "offset"},
    "SMEM": {"ioffset": "offset"},
}
"""RDNA4 renamed encodings and their fields; here they keep the older names."""
_SOURCES = ("src0", "src1", "src2", "ssrc0", "ssrc1", "srcx0", "srcy0")
LITERAL, SDWA, DPP16, DPP8, DPP8_FI = 255, 249, 250, 233, 234
_ALWAYS_LITERAL = re.compile(r"v_(fma|mad)[am]k|s_setreg_imm32|s_fma(ak|mk)")
_LOAD_SCALE = 0xD3AC


@dataclass(frozen=True, slots=True)
class Operand:
    """What a table says of an operand field: bits and number format."""

    bits: int
    format: str
    """As in F32, U16, B64, PK_F16; ANY where the table does not say."""

    @property
    def is_float(self) -> bool:
        return bool(re.match(r"(PK\d*_)?B?F\d", self.format))


@dataclass(frozen=True, slots=True)
class Form:
    """One encoding: which bits are fixed, where the fields are, which opcodes are allowed."""

    name: str
    mask: int
    value: int
    words: int
    fields: dict[str, tuple[int, int]]
    opcodes: dict[int, Any]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One decoded instruction; `fields` are raw numbers as encoded."""

    pc: int
    size: int
    name: str
    form: str
    variant: str
    fields: dict[str, int]
    literal: int | None
    operands: dict[str, Operand]
    member: Any

    def get(self, field: str, default: int = 0) -> int:
        return self.fields.get(field, default)

    def signed(self, field: str, bits: int) -> int:
        value = self.fields.get(field, 0)
        return value - (1 << bits) if value >> (bits - 1) & 1 else value


@dataclass(frozen=True, slots=True)
class ExtraOpcode:
    """An opcode that the tables lack; stands where their enumeration members do."""

    name: str
    value: int
    like: str = ""
    """A member of the same enumeration with the same operands."""


_EXTRA = {
    ("cdna", "DS"): (
        ExtraOpcode("DS_GWS_INIT", 153),
        ExtraOpcode("DS_GWS_SEMA_BR", 155),
        ExtraOpcode("DS_GWS_BARRIER", 157),
    ),
    ("cdna", "MUBUF"): (
        ExtraOpcode("BUFFER_WBINVL1", 0x3E),
        ExtraOpcode("BUFFER_WBINVL1_VOL", 0x3F),
    ),
}
"""Opcodes of earlier CDNA generations, and of the global wave sync unit."""

_GFX90A_UNFUSED = {
    "VOP2": (
        ExtraOpcode("V_MAC_F32", 22, "V_FMAC_F32"),
        ExtraOpcode("V_MADMK_F32", 23, "V_FMAMK_F32"),
        ExtraOpcode("V_MADAK_F32", 24, "V_FMAAK_F32"),
    ),
    "VOP3": (
        ExtraOpcode("V_MAC_F32", 0x116, "V_FMAC_F32"),
        ExtraOpcode("V_MAD_F32", 0x1C1, "V_FMA_F32"),
    ),
}
"""Multiply-adds with two roundings, whose numbers later generations gave to others."""
_GFX90A_MATRIX = (
    *(0x40, 0x41, 0x42, 0x44, 0x45, 0x48, 0x49, 0x4A, 0x4C, 0x4D, 0x50, 0x51, 0x52),
    *(0x6E, 0x6F),
)
"""Matrix opcodes that mean on gfx90a what the CDNA4 tables say."""
_GFX90A_OWN_MATRIX = (
    ExtraOpcode("V_MFMA_I32_32X32X8_I8", 0x54),
    ExtraOpcode("V_MFMA_I32_16X16X16_I8", 0x55),
    ExtraOpcode("V_MFMA_F32_32X32X4_2B_BF16", 0x63),
    ExtraOpcode("V_MFMA_F32_16X16X4_4B_BF16", 0x64),
    ExtraOpcode("V_MFMA_F32_4X4X4_16B_BF16", 0x65),
    ExtraOpcode("V_MFMA_F32_32X32X8_BF16", 0x66),
    ExtraOpcode("V_MFMA_F32_16X16X16_BF16", 0x67),
    ExtraOpcode("V_MFMA_F32_32X32X2_2B_BF16", 0x68),
    ExtraOpcode("V_MFMA_F32_16X16X2_4B_BF16", 0x69),
    ExtraOpcode("V_MFMA_F32_4X4X2_16B_BF16", 0x6B),
    ExtraOpcode("V_MFMA_F32_32X32X4_BF16", 0x6C),
    ExtraOpcode("V_MFMA_F32_16X16X8_BF16", 0x6D),
)
"""Matrix opcodes whose numbers later generations gave to others."""


_GFX90A_IMAGES = Form(
    "MIMG",
    0xFC000000,
    0xF0000000,
    2,
    {
        "dmask": (8, 15),
        "unrm": (12, 1),
        "da": (14, 1),
        "a16": (15, 1),
        "tfe": (16, 1),
        "lwe": (17, 1),
        "op": (18, 127),
        "vaddr": (32, 255),
        "vdata": (40, 255),
        "srsrc": (48, 31),
        "ssamp": (53, 31),
        "d16": (63, 1),
    },
    {
        number: ExtraOpcode(f"IMAGE_{name}", number)
        for number, name in (
            *((0, "LOAD"), (1, "LOAD_MIP"), (8, "STORE"), (9, "STORE_MIP"), (14, "GET_RESINFO")),
            (32, "SAMPLE"),
        )
    },
)
"""Image instructions, which CDNA3 and its tables no longer have."""


class Undecodable(Exception):
    """The bytes are no instruction of this architecture."""


def mnemonic(member: Any) -> str:
    """`V_ADD_F32_E32` -> `v_add_f32`."""
    return _SUFFIX.sub("", str(member.name)).lower()


class Tables:
    """Decoding tables and pseudocode of one ISA family."""

    def __init__(self, family: str, arch: str) -> None:
        base = f"tinygrad.runtime.autogen.amd.{family}"
        ins = importlib.import_module(f"{base}.ins")
        self.pseudocode: dict[Any, str] = importlib.import_module(f"{base}.str_pcode").PCODE
        self._operands = importlib.import_module(f"{base}.operands").OPERANDS
        self.forms: dict[str, Form] = {}
        self.variants: dict[str, dict[str, tuple[int, int]]] = {}
        for name, cls in vars(ins).items():
            if not isinstance(cls, type) or not hasattr(cls, "_fields"):
                continue
            if name in _PLAIN_FORMS:
                plain = _form(name, cls)
                self.forms[plain.name] = plain
            elif name.endswith(("_DPP16", "_DPP8", "_SDWA", "_SDWA_SDST")):
                self.variants[name] = {
                    n: (f.lo, f.mask) for n, f in cls._fields if not hasattr(f, "_enum")
                }
            elif name.endswith("_LIT") and name[:-4] in self.forms:
                # Opcodes that always carry a literal are only listed in the _LIT class.
                known = self.forms[name[:-4]].opcodes
                known.update({k: v for k, v in _opcodes(name, cls).items() if k not in known})
        for (wanted, form), extra in _EXTRA.items():
            if wanted == family:
                for opcode in extra:
                    self.forms[form].opcodes.setdefault(opcode.value, opcode)
        if arch == "gfx90a":
            self.forms["MIMG"] = _GFX90A_IMAGES
            for form, extra in _GFX90A_UNFUSED.items():
                self.forms[form].opcodes.update({o.value: o for o in extra})
            matrix = self.forms["VOP3P_MFMA"].opcodes
            own = {o.value: o for o in _GFX90A_OWN_MATRIX}
            kept = {n: m for n, m in matrix.items() if n in _GFX90A_MATRIX}
            matrix.clear()
            matrix.update(kept | own)
            for number in [n for n, m in self.forms["VOP3P"].opcodes.items() if "XF32" in m.name]:
                del self.forms["VOP3P"].opcodes[number]
        # More fixed bits first, so that SOP1 is tried before SOP2, whose space it lies in.
        order = sorted(self.forms.values(), key=lambda f: -f.mask.bit_count())
        self._order = tuple(order)
        self._by_name: dict[str, str] = {}
        for member, text in self.pseudocode.items():
            self._by_name.setdefault(f"{type(member).__name__}.{mnemonic(member)}", text)
            self._by_name.setdefault(mnemonic(member), text)

    def operands(self, member: Any) -> dict[str, Operand]:
        """Operand fields of an opcode; none where the tables do not know it."""
        if isinstance(member, ExtraOpcode) and member.like:
            for known in self._operands:
                if _SUFFIX.sub("", known.name) == member.like:
                    return self.operands(known)
        return {
            name: Operand(bits, fmt.name.removeprefix("FMT_NUM_").removeprefix("FMT_"))
            for name, (fmt, bits, _) in self._operands.get(member, {}).items()
        }

    def pseudocode_of(self, member: Any, name: str) -> str | None:
        exact = self.pseudocode.get(member)
        if exact is not None:
            return exact
        return self._by_name.get(f"{type(member).__name__}.{name}") or self._by_name.get(name)

    def decode(self, code: bytes, at: int) -> Instruction:
        """The instruction at a byte offset; raises Undecodable."""
        chunk = code[at : at + 16]
        if len(chunk) < 4:
            raise Undecodable("the code ends")
        word = int.from_bytes(chunk[:4], "little")
        wide = int.from_bytes(chunk, "little")
        if word >> 16 == _LOAD_SCALE and len(chunk) == 16:
            raise Undecodable("scaled matrix instruction")
        for form in self._order:
            if word & form.mask != form.value:
                continue
            lo, mask = form.fields.get("op", form.fields.get("opx", (0, 0)))
            member = form.opcodes.get(word >> lo & mask)
            if member is None:
                continue
            name = mnemonic(member)
            if form.name == "VOP3P" and name.startswith(("v_mfma", "v_smfmac")):
                form = self.forms["VOP3P_MFMA"]
            return self._instruction(form, member, name, wide, at, len(chunk))
        raise Undecodable(f"no encoding matches word {word:#010x}")

    def _instruction(
        self, form: Form, member: Any, name: str, wide: int, at: int, available: int
    ) -> Instruction:
        fields = {n: wide >> lo & mask for n, (lo, mask) in form.fields.items()}
        size, variant, literal = form.words * 4, "", None
        source0 = fields.get("src0", -1)
        takes_extra = form.name in ("VOP1", "VOP2", "VOPC", "VOP3", "VOP3SD", "VOP3_SDST", "VOP3P")
        if takes_extra and source0 in (SDWA, DPP16, DPP8, DPP8_FI):
            variant = self._variant(form.name, source0)
            extra = self.variants.get(variant)
            if extra is not None:
                fields |= {n: wide >> lo & mask for n, (lo, mask) in extra.items()}
                fields["extra"] = source0
                size += 4
            else:
                variant = ""
        is_literal = any(fields.get(s) == LITERAL for s in _SOURCES if s in form.fields)
        always = bool(_ALWAYS_LITERAL.match(name)) or _dual_literal(form, fields)
        if not variant and (is_literal or always):
            literal = wide >> (size * 8) & 0xFFFFFFFF
            size += 4
        if form.name == "MIMG" and fields.get("nsa"):
            fields |= {f"nsa{k + 1}": wide >> (size * 8 + 8 * k) & 255 for k in range(4)}
            size += 4
        if size > available:
            raise Undecodable("the code ends inside an instruction")
        return Instruction(
            at, size, name, form.name, variant, fields, literal, self.operands(member), member
        )

    def _variant(self, form: str, marker: int) -> str:
        form = "VOP3" if form == "VOP3_SDST" else form
        if marker == DPP16:
            return f"{form}_DPP16"
        if marker in (DPP8, DPP8_FI) and f"{form}_DPP8" in self.variants:
            return f"{form}_DPP8"
        if marker == SDWA:
            return "VOPC_SDWA_SDST" if form == "VOPC" else f"{form}_SDWA"
        return ""


def _dual_literal(form: Form, fields: dict[str, int]) -> bool:
    if form.name != "VOPD":
        return False
    names = [mnemonic(form.opcodes[fields[f]]) for f in ("opx", "opy") if fields[f] in form.opcodes]
    return any("fmamk" in n or "fmaak" in n for n in names)


def _form(name: str, cls: Any) -> Form:
    mask = value = 0
    fields: dict[str, tuple[int, int]] = {}
    opcodes: dict[int, Any] = {}
    top = 0
    for field_name, field in cls._fields:
        top = max(top, field.hi)
        fields[field_name] = (field.lo, field.mask)
        if hasattr(field, "_enum") and field_name in ("op", "opx"):
            opcodes = _opcodes(name, cls)
        elif type(field).__name__ == "FixedBitField" and field.lo < 32:
            mask |= field.mask << field.lo
            value |= field.default << field.lo
    name = _RDNA4_FORMS.get(name, name)
    if "ioffset" in fields:
        names = _RDNA4_FIELDS[name]
        fields = {names.get(n, n): place for n, place in fields.items()}
    return Form(name, mask, value, top // 32 + 1, fields, opcodes)


def _opcodes(name: str, cls: Any) -> dict[int, Any]:
    for field_name, field in cls._fields:
        if hasattr(field, "_enum") and field_name in ("op", "opx"):
            allowed = field.allowed
            # XF32 matrix opcodes are in the enumeration but not in the allowed set.
            return {
                m.value: m
                for m in field._enum
                if allowed is None or m in allowed or (name == "VOP3P" and "XF32" in m.name)
            }
    return {}


@cache
def _tables(family: str, arch: str) -> Tables:
    return Tables(family, arch)


def tables_of(arch: Arch) -> Tables:
    """The tables of an architecture; built once a process."""
    return _tables(arch.tables, arch.name)
