"""Vector arithmetic in all its encodings."""

import re

from crossport.validation.amdgpu import errata
from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.bodies import (
    MOVE,
    destination_operand,
    scalar_function,
    source_operand,
    vector_function,
)
from crossport.validation.amdgpu.isa import DPP16, SDWA, Instruction, Operand
from crossport.validation.amdgpu.lower_matrix import wmma
from crossport.validation.amdgpu.lowering import ACC, Builder, Unsupported

_WORD = Operand(32, "B32")
_VCC, _EXEC = 106, 126
_FLOAT_NAME = re.compile(r"_(f16|f32|f64)(?=_|$)")
_LANE_OPS = {
    "v_readfirstlane_b32": "readfirstlane",
    "v_readlane_b32": "readlane",
    "v_writelane_b32": "writelane",
    "v_swap_b32": "swap",
    "v_permlane16_swap_b32": "permlane_swap",
    "v_permlane32_swap_b32": "permlane_swap",
    "v_permlane16_b32": "permlane16",
    "v_permlanex16_b32": "permlane16",
    "v_permlane64_b32": "permlane64",
    "v_movrels_b32": "vector_movrel",
    "v_movreld_b32": "vector_movrel",
    "v_movrelsd_b32": "vector_movrel",
}
# Always nearest-even with denormals, whatever MODE says.
_OWN_ROUNDING = re.compile(
    r"v_cvt_pk_(f16|bf16|fp8|bf8)_f32|v_cvt_sr_|v_cvt_pk_?rtz|v_cvt_(pk_)?f32_[fb][pf]8|v_dot"
)


def _sources(builder: Builder, i: Instruction, op: r.Operation, fields: tuple[str, ...]) -> None:
    for j, field in enumerate(fields):
        operand = source_operand(i, j)
        if field not in i.fields or (operand is None and field not in ("src0", "vsrc1")):
            continue
        if operand is None or (field == "src0" and i.variant):
            continue  # DPP and SDWA name source 0 in their own word
        code = i.get(field)
        if field.startswith("vsrc"):
            code += 256
        builder.source(op, j, code, operand, i.literal)
        true16 = not builder.arch.is_cdna and operand.bits == 16 and i.form in _TRUE16
        if true16 and op.kind[j] == r.VGPR and op.index[j] >= 128:
            op.index[j] -= 128
            op.sel[j] = 5


_TRUE16 = ("VOP1", "VOP2", "VOPC")


def _finish(
    builder: Builder,
    i: Instruction,
    op: r.Operation,
    *,
    modified: bool = False,
    carry_in: int = _VCC,
    mask_out: int = _VCC,
) -> None:
    """Choose the function, the float class and the executor."""
    rdna = not builder.arch.is_cdna
    d = destination_operand(i)
    is_compare = i.name.startswith("v_cmp")
    op.rows[3] = 0 if is_compare or d is None else 2 if d.bits == 64 else 1
    if op.clamp and not _clamps_float(i, op):
        if i.name not in errata.CLAMPS_ITSELF and not is_compare:
            raise Unsupported("clamp of this instruction")
        op.flags |= r.INTEGER_CLAMP
    function = vector_function(builder.tables, i, keep_half=rdna, ocp=builder.arch.ocp_fp8)
    if "CARRY_IN" in function.uses:
        op.flags |= r.CARRY_IN
        op.carry_in = carry_in
    if "LANE_BIT" in function.uses:
        op.flags |= r.LANE_BIT
        op.sdst = mask_out
    if "EXEC_BIT" in function.uses or i.name.startswith("v_cmpx"):
        op.flags |= r.EXEC_BIT
        if rdna:
            op.flags |= r.NO_SDST
    types = _FLOAT_NAME.findall(i.name)
    if _OWN_ROUNDING.match(i.name):
        op.float_class = 3
    elif types:
        op.float_class = 1 if "f32" in types[:1] or types == ["f16", "f32"] else 2
    changed = any(op.mod[j] or op.sel[j] != 6 for j in range(3) if op.kind[j] != r.NOTHING)
    late = (op.clamp or op.omod) and not op.flags & r.INTEGER_CLAMP
    if rdna and d is not None and d.bits == 16 and not op.flags & r.TO_HIGH and not is_compare:
        op.flags |= r.KEEP_HALF if (late or modified) else 0
    modified = modified or changed or bool(late) or bool(op.flags & (r.TO_HIGH | r.SDWA_DST))
    op.body = builder.function(function)
    builder.execute(op, "vector_modified" if modified else "vector")


def _clamps_float(i: Instruction, op: r.Operation) -> bool:
    """Sets out_bits; true when the result is a float that the generic clamp can handle."""
    if i.name in errata.CLAMPS_ITSELF:
        return False
    result = re.match(r"v_cvt_(?:pk_|pkrtz_)?(\w+?)_", i.name)
    name = result[1] if result else (_FLOAT_NAME.findall(i.name) or [""])[0]
    packed = i.name.startswith("v_pk_")
    bits = {"f16": 16, "f32": 32, "f64": 64}.get(name)
    if bits is None:
        return False
    op.out_bits = bits + (128 if packed else 0)
    return True


def _modify(op: r.Operation, j: int, operand: Operand, negate: bool, absolute: bool) -> None:
    if negate or absolute:
        op.mod[j] |= (r.NEGATE if negate else 0) | (r.ABSOLUTE if absolute else 0)
        if operand.bits == 16:
            op.mod[j] |= r.HALF_WIDE


def _lane_operation(builder: Builder, i: Instruction, op: r.Operation) -> bool:
    executor = _LANE_OPS.get(i.name)
    if executor is None:
        return False
    scalar_d = i.name in ("v_readfirstlane_b32", "v_readlane_b32")
    for j, field in enumerate(("src0", "src1", "src2")):
        if field in i.fields and (j == 0 or field in i.operands):
            builder.source(op, j, i.get(field), _WORD, i.literal)
    op.index[3] = builder.sgpr(i.get("vdst")) if scalar_d else i.get("vdst")
    op.op_sel = i.get("opsel")
    op.size = {
        "v_permlane16_swap_b32": 16,
        "v_permlane32_swap_b32": 32,
        "v_permlanex16_b32": 1,
        "v_movrels_b32": 1,
        "v_movreld_b32": 2,
        "v_movrelsd_b32": 3,
    }.get(i.name, 0)
    needs_vgpr = executor in ("swap", "permlane_swap")
    if needs_vgpr and op.kind[0] != r.VGPR:
        raise Unsupported("exchange with no VGPR")
    builder.execute(op, executor)
    return True


def short(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """VOP1, VOP2, VOPC, with their DPP and SDWA forms."""
    if not i.variant and _lane_operation(builder, i, op):
        return
    if i.name == "v_nop":
        builder.execute(op, "nothing")
        return
    op.literal = i.literal or 0
    op.index[3] = i.get("vdst")
    mask_out, modified = _VCC, False
    if i.name == "v_accvgpr_mov_b32":
        builder.source(op, 0, i.get("src0") + (0 if i.get("src0") >= 256 else 256), _WORD, None)
        op.index[0] += ACC
        op.index[3] += ACC
        _finish(builder, i, op)
        return
    _sources(builder, i, op, ("src0", "vsrc1"))
    d = destination_operand(i)
    if not builder.arch.is_cdna and d and d.bits == 16 and i.form != "VOPC" and op.index[3] >= 128:
        op.index[3] -= 128
        op.flags |= r.TO_HIGH
    if i.variant:
        modified = True
        if i.get("extra") == SDWA:
            mask_out = _sub_dword(builder, i, op)
        else:
            _data_parallel(builder, i, op)
    _finish(builder, i, op, modified=modified, mask_out=mask_out)


def _sub_dword(builder: Builder, i: Instruction, op: r.Operation) -> int:
    """SDWA: byte and word selection; the comparison forms name their destination."""
    operands = [source_operand(i, j) or _WORD for j in (0, 1)]
    has_second = source_operand(i, 1) is not None
    builder.source(op, 0, i.get("vsrc0") + (0 if i.get("s0") else 256), operands[0], None)
    if has_second:
        code = i.get("vsrc1") + (0 if i.get("s1") else 256)
        builder.source(op, 1, code, operands[1], None)
    for j in (0, 1) if has_second else (0,):
        op.sel[j] = i.get(f"src{j}_sel")
        if i.get(f"src{j}_sext"):
            op.mod[j] |= r.SIGN_EXTEND
        sized = operands[j] if op.sel[j] == 6 or operands[j].bits == 16 else Operand(32, "B32")
        _modify(op, j, sized, bool(i.get(f"src{j}_neg")), bool(i.get(f"src{j}_abs")))
    if i.form == "VOPC":
        return i.get("sdst") if i.get("sd") else _VCC
    op.clamp, op.omod = i.get("clmp"), i.get("omod")
    op.sel[3] = i.get("dst_sel", 6)
    if op.sel[3] != 6:
        op.flags |= r.SDWA_DST
        op.aux[2] = i.get("dst_unused")
    return _VCC


def _data_parallel(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """DPP: source 0 comes from another lane."""
    operand = source_operand(i, 0) or _WORD
    builder.source(op, 0, i.get("vsrc0") + 256, operand, None)
    if i.form in _TRUE16 and not builder.arch.is_cdna and operand.bits == 16 and op.index[0] >= 128:
        op.index[0] -= 128
        op.sel[0] = 5
    if i.get("extra") == DPP16:
        op.dpp = (
            i.get("dpp")
            | i.get("row_mask") << 16
            | i.get("bank_mask") << 20
            | i.get("bc") << 24
            | i.get("fi") << 25
            | 1 << 31
        )
        if i.form in _TRUE16:
            for j in (0, 1):
                sized = source_operand(i, j) or _WORD
                negate, absolute = i.get(f"src{j}_neg"), i.get(f"src{j}_abs")
                _modify(op, j, sized, bool(negate), bool(absolute))
    else:
        op.dpp = 3 << 30 | (i.get("extra") & 1 ^ 1) << 25
        op.aux[0] = sum(i.get(f"lane_sel_{k}") << (3 * k) for k in range(8))


def _scalar_transcendental(builder: Builder, i: Instruction, op: r.Operation) -> bool:
    """RDNA4's V_S_EXP_F32 and the like: from a scalar register to one."""
    if not i.name.startswith("v_s_"):
        return False
    if i.get("omod") or i.get("clmp") or i.get("opsel"):
        raise Unsupported("modifier of this instruction")
    builder.source(op, 0, i.get("src0"), source_operand(i, 0) or _WORD, i.literal)
    op.index[3] = builder.sgpr(i.get("vdst"))
    sign = 15 if i.name.endswith("f16") else 31
    change = f"S0&={(1 << sign) - 1}u;" if i.get("abs") & 1 else ""
    change += f"S0^={1 << sign}u;" if i.get("neg") & 1 else ""
    op.float_class = 2 if sign == 15 else 1
    op.body = builder.function(scalar_function(builder.tables, i, first=change))
    builder.execute(op, "scalar")
    return True


def long(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """VOP3 and VOP3SD."""
    if _lane_operation(builder, i, op) or _scalar_transcendental(builder, i, op):
        return
    if i.name == "v_nop":
        builder.execute(op, "nothing")
        return
    op.literal = i.literal or 0
    name = i.name
    _sources(builder, i, op, ("src0", "src1", "src2"))
    carry_in, mask_out = _VCC, _VCC
    carries = "cndmask" in name or "addc" in name or "subb" in name or "_ci_" in name
    if carries:
        carry_in = i.get("src2")
        if not builder.arch.is_cdna and carry_in == 124:
            raise Unsupported("carry from null")
        if carry_in >= 128:
            raise Unsupported("carry from a constant")
        op.kind[2] = r.NOTHING
    if i.form == "VOP3SD":
        mask_out = builder.sgpr(i.get("sdst"))
        op.index[3] = i.get("vdst")
    elif i.form == "VOP3_SDST" or name.startswith("v_cmp"):
        mask_out = builder.sgpr(i.get("vdst"))
        if not builder.arch.is_cdna and name.startswith("v_cmpx"):
            mask_out = _EXEC
    else:
        op.index[3] = i.get("vdst")
    negate, absolute, select = i.get("neg"), i.get("abs"), i.get("opsel")
    op.op_sel = select
    if "bitop3" in name:
        op.aux[1] = i.get("omod") << 6 | absolute << 3 | negate
        negate = absolute = 0
    else:
        op.omod = i.get("omod")
    op.clamp = i.get("clmp")
    if i.variant:
        _data_parallel(builder, i, op)
    for j in range(3):
        operand = source_operand(i, j)
        if operand is None or op.kind[j] == r.NOTHING:
            continue
        if operand.bits == 16 and select >> j & 1:
            op.sel[j] = 5
        _modify(op, j, operand, bool(negate >> j & 1), bool(absolute >> j & 1))
    d = destination_operand(i)
    if select >> 3 & 1 and d is not None and d.bits == 16 and not _merges_itself(name):
        op.flags |= r.TO_HIGH
    _finish(builder, i, op, modified=bool(i.variant), carry_in=carry_in, mask_out=mask_out)


def _merges_itself(name: str) -> bool:
    return name.startswith(("v_cvt_pk_fp8", "v_cvt_pk_bf8", "v_cvt_sr_fp8", "v_cvt_sr_bf8"))


def packed(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """VOP3P: two halves an operand (or two words), each picked and negated on its own."""
    name = i.name
    op.index[3] = i.get("vdst")
    op.op_sel = i.get("opsel")
    op.op_sel_hi = i.get("opsel_hi") | i.get("opsel_hi2") << 2
    op.neg, op.neg_hi, op.clamp = i.get("neg"), i.get("neg_hi"), i.get("clmp")
    op.literal = i.literal or 0
    if name in ("v_accvgpr_read", "v_accvgpr_write", "v_accvgpr_read_b32", "v_accvgpr_write_b32"):
        reads = "read" in name
        builder.source(op, 0, i.get("src0"), _WORD, None)
        if reads:
            if op.kind[0] != r.VGPR:
                op.kind[0], op.index[0] = r.VGPR, i.get("src0")
            op.index[0] += ACC
        else:
            op.index[3] += ACC
        op.rows[3] = 1
        op.body = builder.function(MOVE)
        builder.execute(op, "vector")
        return
    if name.startswith("v_wmma"):
        wmma(builder, i, op)
        return
    _sources(builder, i, op, ("src0", "src1", "src2"))
    wide = name in ("v_pk_fma_f32", "v_pk_mul_f32", "v_pk_add_f32", "v_pk_mov_b32")
    mixed = "_mix" in name
    for j in range(3):
        operand = source_operand(i, j)
        if operand is None or op.kind[j] == r.NOTHING:
            continue
        if mixed:
            _mixed_source(builder, i, op, j)
        elif wide:
            _wide_source(builder, i, op, j)
        elif name.startswith("v_dot"):
            _dot_source(builder, i, op, j)
        else:
            _half_source(builder, i, op, j)
    if name == "v_pk_mov_b32":
        # op_sel bit 0 picks the word of src0, bit 1 that of src1.
        op.op_sel, op.op_sel_hi = op.op_sel & 1, (op.op_sel >> 1 & 1) << 1
        op.neg = op.neg_hi = 0
    if name.startswith("v_dot") and "_iu" not in name:
        op.neg = op.neg_hi = 0
    _finish(builder, i, op)


def _changes_halves(op: r.Operation, j: int) -> bool:
    low, high = op.op_sel >> j & 1, op.op_sel_hi >> j & 1
    return (low, high) != (0, 1) or bool(op.neg >> j & 1 or op.neg_hi >> j & 1)


def _half_source(builder: Builder, i: Instruction, op: r.Operation, j: int) -> None:
    code = i.get(f"src{j}")
    if code >= 128 and code < 256 and op.kind[j] == r.CONSTANT:
        # A float constant is a half; an integer one is a sign-extended word.
        is_float = 240 <= code <= 248
        operand = Operand(16, "F16") if is_float else Operand(32, "B32")
        words = builder.constant_words(code, operand, i.literal)
        op.index[j] = builder.constant(words[0])
    if _changes_halves(op, j):
        op.mod[j] = r.PACKED_16


def _wide_source(builder: Builder, i: Instruction, op: r.Operation, j: int) -> None:
    code = i.get(f"src{j}")
    if op.kind[j] == r.CONSTANT:
        word = builder.constant_words(code, Operand(32, "F32"), i.literal)[0]
        op.index[j], op.rows[j] = builder.constant(word, word), 2
    elif op.kind[j] not in (r.VGPR, r.SGPR):
        raise Unsupported("packed operand")
    op.rows[j] = 2
    if i.name == "v_pk_mov_b32" or _changes_halves(op, j):
        op.mod[j] = r.PACKED_32


def _mixed_source(builder: Builder, i: Instruction, op: r.Operation, j: int) -> None:
    code = i.get(f"src{j}")
    if op.kind[j] == r.CONSTANT:
        is_half = op.op_sel_hi >> j & 1 and 240 <= code <= 248
        operand = Operand(16, "F16") if is_half else Operand(32, "F32")
        op.index[j] = builder.constant(builder.constant_words(code, operand, i.literal)[0])
        op.rows[j] = 1


def _dot_source(builder: Builder, i: Instruction, op: r.Operation, j: int) -> None:
    halves = "16" in i.name.split("_")[-1] and j < 2
    code = i.get(f"src{j}")
    if op.kind[j] == r.CONSTANT:
        is_half = halves and 240 <= code <= 248
        operand = Operand(16, "F16") if is_half else Operand(32, "F32")
        op.index[j] = builder.constant(builder.constant_words(code, operand, i.literal)[0])
        op.rows[j] = 1
    if halves and _changes_halves(op, j):
        op.mod[j] = r.PACKED_16
    elif j == 2 and op.neg >> 2 & 1 and "_f32_" in i.name:
        op.mod[j] = r.NEGATE
