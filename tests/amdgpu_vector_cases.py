"""Run one vector opcode on 64 lanes of edge values and compare each lane with the reference."""

import math
from dataclasses import dataclass
from fractions import Fraction

import amdgpu_reference as ref
from amdgpu_encoding import encode, opcodes, tables
from amdgpu_lanes import LANES, operand, rows, values
from amdgpu_reference_rdna import OCP

from crossport.validation.amdgpu.bodies import destination_operand, source_operand
from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.isa import Instruction, Operand, Tables
from crossport.validation.amdgpu.stepping import State, run_code

FORMS = ("VOP1", "VOP2", "VOPC", "VOP3", "VOP3_SDST", "VOP3SD", "VOP3P")
EXEC = 0xFEDC_BA98_7654_3217
VCC = 0x5555_3333_0F0F_AAAA
OLD = 4
SOURCES = (10, 14, 18)
_MASK_OUT = 40
_SPECIAL = frozenset(("v_nop", "v_clrexcp"))


def covered(arch: str = "gfx942") -> list[tuple[str, str]]:
    """(form, mnemonic) of every vector opcode that has a reference."""
    out = []
    for form in FORMS:
        for name in sorted(opcodes(arch, form)):
            if ref.canonical(name) in ref.VECTOR or ref.canonical(name) in ref.APPROXIMATE:
                out.append((form, name))
    return out


@dataclass(frozen=True)
class Variant:
    """Modifiers of one run: bits a source."""

    neg: int = 0
    abs: int = 0
    scalar: int = -1
    """A source that comes from an SGPR instead."""


def decoded(arch: str, form: str, name: str, code: bytes) -> Instruction:
    return tables(arch).decode(code, 0)


def _operands(t: Tables, i: Instruction) -> list[Operand]:
    return [o for j in range(3) if (o := source_operand(i, j)) is not None]


def is_float_operand(name: str, operand_: Operand) -> bool:
    return (operand_.bits in ref.FORMATS and operand_.is_float) or operand_.format in (
        "PK2_F16",
        "PK_F16",
        "F32",
        "F16",
        "F64",
    )


def check_vector(device: Device, form: str, name: str, variant: Variant, seed: int) -> None:
    """Run and compare; an AssertionError names the lane and the operands."""
    arch = device.arch.name
    fields, literal = _fields(arch, form, name, variant)
    code = encode(form, name, arch=arch, literal=literal, **fields)
    instruction = decoded(arch, form, name, code)
    operands = _operands(tables(arch), instruction)
    state = State()
    state.exec = EXEC
    state.sgprs[106], state.sgprs[107] = VCC & 0xFFFFFFFF, VCC >> 32
    sources = []
    for j, o in enumerate(operands):
        if _is_mask(name, form, j):
            sources.append([VCC >> lane & 1 for lane in range(LANES)])
            state.sgprs[60], state.sgprs[61] = VCC & 0xFFFFFFFF, VCC >> 32
            continue
        lanes = operand(o.bits, is_float_operand(name, o), seed * 31 + j)
        if variant.scalar == j:
            lanes = [lanes[seed % LANES]] * LANES
            state.sgprs[20 + 2 * j] = lanes[0] & 0xFFFFFFFF
            state.sgprs[21 + 2 * j] = lanes[0] >> 32 & 0xFFFFFFFF
        count = 2 if o.bits == 64 else 1
        # Above a 16-bit operand lies something that must not matter.
        stored = [v | (0xDEAD << 16) for v in lanes] if o.bits == 16 else lanes
        state.vgprs[SOURCES[j] : SOURCES[j] + count] = rows(stored, count)
        sources.append(lanes)
    d = destination_operand(instruction)
    known = ref.canonical(name)
    rdna = not device.arch.is_cdna
    compares = name.startswith("v_cmp")
    d_bits = 0 if compares or d is None else d.bits
    d_rows = 2 if d_bits == 64 else 1
    old = operand(max(d_bits, 32), "_f" in name, seed * 77 + 5)
    state.vgprs[OLD : OLD + d_rows] = rows(old, d_rows)
    after = run_code(device, code, state)
    expected_mask = 0
    results = values(after.vgprs, OLD, d_rows)
    for lane in range(LANES):
        active = EXEC >> lane & 1
        got = results[lane] if d_bits else 0
        if not active:
            if d_bits:
                assert got == old[lane] & (1 << 32 * d_rows) - 1, f"lane {lane} is off but changed"
            continue
        s = [_modified(x[lane], operands[j], variant, j) for j, x in enumerate(sources)]
        carry = lane if "mbcnt" in name else VCC >> lane & 1
        shown = [hex(x) for x in s]
        if rdna and d_bits == 16:
            assert got >> 16 == old[lane] >> 16 & 0xFFFF, f"lane {lane}: upper half changed"
            got &= 0xFFFF
        if known in ref.APPROXIMATE:
            _check_close(known, s[0], got, f"lane {lane} of {name}: {shown}")
            continue
        reference = (device.arch.ocp_fp8 and OCP.get(known)) or ref.VECTOR[known]
        want = reference(s, old[lane], carry, literal or 0)
        bit = None
        if compares:
            bit, want = int(want), None
        elif isinstance(want, tuple):
            want, bit = want
        if bit:
            expected_mask |= 1 << lane
        if want is not None:
            want &= 0xFFFF if rdna and d_bits == 16 else -1
            _check_bits(
                name, d_bits, got, want, f"lane {lane} of {name} {shown} old {old[lane]:#x}"
            )
    if compares or form == "VOP3SD" or "_co_" in name:
        at = {"VOPC": 106, "VOP2": 106}.get(form, _MASK_OUT)
        if not (rdna and name.startswith("v_cmpx")):  # RDNA's writes EXEC only
            wrong = after.pair(at) ^ expected_mask
            assert not wrong, f"{name}: mask {wrong:#x}"
        if name.startswith("v_cmpx"):
            assert after.exec == expected_mask


def _is_mask(name: str, form: str, j: int) -> bool:
    if form not in ("VOP3", "VOP3SD") or j != 2:
        return False
    return any(word in name for word in ("cndmask", "addc", "subb", "_co_ci_"))


def _fields(arch: str, form: str, name: str, variant: Variant) -> tuple[dict[str, int], int | None]:
    def source(j: int) -> int:
        return 20 + 2 * j if variant.scalar == j else 256 + SOURCES[j]

    fields: dict[str, int] = {}
    literal = None
    layout = tables(arch).forms[form].fields
    for j, names in enumerate((("src0",), ("src1", "vsrc1"), ("src2",))):
        for field in names:
            if field in layout:
                fields[field] = SOURCES[j] if field == "vsrc1" else source(j)
    if _is_mask(name, form, 2):
        fields["src2"] = 60
    if form in ("VOP3_SDST",) or (form == "VOP3" and name.startswith("v_cmp")):
        fields["vdst"] = _MASK_OUT
    elif "vdst" in layout:
        fields["vdst"] = OLD
    if form == "VOP3SD":
        fields["sdst"] = _MASK_OUT
    if form in ("VOP3", "VOP3_SDST", "VOP3SD"):
        fields["neg"] = variant.neg
        if "abs" in layout:
            fields["abs"] = variant.abs
    if form == "VOP3P":
        fields["opsel_hi"], fields["opsel_hi2"] = 3, 1
    if "amk" in name or "aak" in name or "madmk" in name or "madak" in name:
        literal = 0x3FC0_0000 if "f32" in name else 0x3E00
    return fields, literal


def _modified(x: int, o: Operand, variant: Variant, j: int) -> int:
    sign = 1 << (o.bits - 1)
    if variant.abs >> j & 1:
        x &= ~sign
    if variant.neg >> j & 1:
        x ^= sign
    return x


def _check_bits(name: str, bits: int, got: int, want: int, where: str) -> None:
    size = _float_bits(name)
    if size and bits == size:
        if ref.is_nan(want, size):
            assert ref.is_nan(got, size), f"{where}: {got:#x} is no NaN"
            return
    elif size and bits == 2 * size:
        for k in range(2):
            mask = (1 << size) - 1
            _check_bits(name, size, got >> k * size & mask, want >> k * size & mask, where)
        return
    assert got == want, f"{where}: got {got:#x}, want {want:#x}"


def _float_bits(name: str) -> int:
    """Width of the float that a mnemonic says it gives; 0 for integers."""
    parts = name.split("_")
    if "cvt" in parts:
        result = parts[3] if parts[2] in ("pk", "pkrtz") else parts[2]
        if parts[2] == "pkrtz":
            result = parts[3]
        return {"f16": 16, "f32": 32, "f64": 64}.get(result, 0)
    if "frexp_exp" in name or name.startswith("v_dot"):
        return 0
    if name == "v_pack_b32_f16":
        return 0
    return next((int(p[1:]) for p in parts if p in ("f16", "f32", "f64")), 0)


def _check_close(name: str, x: int, got: int, where: str) -> None:
    """Within one unit in the last place of the exact value (denormals flushed for f32)."""
    bits, function = ref.APPROXIMATE[name]
    value = ref.to_float(x, bits)
    if bits == 32 and abs(value) < 2.0**-126 and not name.startswith(("v_sin", "v_cos")):
        value = math.copysign(0.0, value)
    result = ref.to_float(got, bits)
    if math.isnan(value):
        assert math.isnan(result), where
        return
    exact = function(value)
    if math.isnan(exact) or math.isinf(exact):
        assert math.isnan(result) == math.isnan(exact) and (math.isnan(exact) or result == exact), (
            f"{where}: got {result}, want {exact}"
        )
        return
    mantissa = ref.FORMATS[bits][1]
    tiny = {16: 2.0**-14, 32: 2.0**-126, 64: 2.0**-1022}[bits]
    largest = {16: 65504.0, 32: 3.4028235e38, 64: 1.7976931348623157e308}[bits]
    if abs(exact) > largest and math.isinf(result):
        return
    if bits == 32 and abs(exact) < tiny:
        assert abs(result) <= tiny, f"{where}: got {result}, want {exact} flushed"
        return
    slack = 2.0**-30 if name.startswith(("v_sin", "v_cos")) else 0.0
    unit = Fraction(2) ** (max(math.frexp(exact)[1], math.frexp(tiny)[1]) - 1 - mantissa)
    error = abs(Fraction(result) - Fraction(exact))
    assert error <= unit + Fraction(slack), f"{where}: got {result}, want {exact}"
