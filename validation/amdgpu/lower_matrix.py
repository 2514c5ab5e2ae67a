"""Matrix instructions: MFMA and SMFMAC of CDNA, WMMA of RDNA."""

import re

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.isa import Instruction, Operand
from crossport.validation.amdgpu.lowering import ACC, Builder, Unsupported

_MFMA = re.compile(
    r"v_(mfma|smfmac)_(f32|f64|i32)_(\d+)x(\d+)x(\d+)_(?:(\d+)b_)?"
    r"(f8f6f4|(?:[fb][fp]8)_(?:[fb][fp]8)|bf16_1k|bf16|f16|xf32|f32|f64|i8)$"
)


def matrix(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """MFMA and SMFMAC."""
    match = _MFMA.match(i.name)
    if match is None:
        raise Unsupported("matrix instruction")
    sparse, result = "smfmac" in i.name, match[2]
    m, n, k, blocks = int(match[3]), int(match[4]), int(match[5]), int(match[6] or 1)
    kind = match[7].removesuffix("_1k")
    types = kind.split("_") if "_" in kind else [kind, kind]
    cbsz, abid, blgp = i.get("cbsz"), i.get("abid"), i.get("blgp")
    op.aux[3] = int(builder.arch.ocp_fp8)
    if kind == "f8f6f4":
        formats = ["fp8", "bf8", "fp6", "bf6", "fp4"]
        if cbsz > 4 or blgp > 4:
            raise Unsupported("matrix format")
        types = [formats[cbsz], formats[blgp]]
        op.aux[3] |= 2
        cbsz = blgp = 0
    op.aux[3] |= _summing(
        builder, types[0], k, is_first_bf16=k == 2 or (blocks == 1 and m * k == 128)
    )
    acc = i.get("acc")
    for j in (0, 1):
        code = i.get(f"src{j}")
        if code < 256:
            raise Unsupported("matrix operand that is no register")
        op.kind[j], op.index[j], op.rows[j] = r.VGPR, code - 256 + (ACC if acc >> j & 1 else 0), 1
    accumulators = ACC if i.get("acc_cd") else 0
    code = i.get("src2")
    if code >= 256:
        op.kind[2], op.index[2] = r.VGPR, code - 256 + (0 if sparse else accumulators)
    else:
        operand = Operand(64, "F64") if result == "f64" else Operand(32, "F32")
        builder.source(op, 2, code, operand, None)
    op.index[3] = i.get("vdst") + accumulators
    op.size = k
    op.aux[0] = m | n << 8 | blocks << 16
    op.aux[1] = r.MATRIX_TYPES[types[0]] | r.MATRIX_TYPES[types[1]] << 8
    op.aux[2] = cbsz | abid << 8 | blgp << 16
    builder.execute(op, "smfmac" if sparse else "mfma_f64" if result == "f64" else "mfma")


def _summing(builder: Builder, kind: str, k: int, *, is_first_bf16: bool) -> int:
    """How products are added (native/matrix_sum.h): flags, and from bit 8 how many at a time.

    `is_first_bf16`: of the bf16 shapes, those that the later "_1k" instructions replaced.
    """
    if kind in ("f32", "f64", "i8"):
        return 0
    if builder.arch.name == "gfx90a":
        count = 2 if kind == "bf16" and is_first_bf16 else 4
        return r.SUM_PAIRWISE | min(count, k) << 8
    if kind == "xf32":
        return min(4, k) << 8
    if kind in ("f16", "bf16"):
        return min(8, k) << 8
    return r.SUM_INTERLEAVED | 16 << 8


_WMMA = re.compile(
    r"v_wmma_(f32|f16|bf16|i32)_16x16x(16|32)_((?:[fb][fp]8)_(?:[fb][fp]8)|f16|bf16|iu8|iu4)$"
)


def wmma(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """WMMA of RDNA3 and RDNA4."""
    match = _WMMA.match(i.name)
    if match is None:
        raise Unsupported("matrix instruction")
    result, k, kind = match[1], int(match[2]), match[3]
    for j in (0, 1):
        op.kind[j], op.index[j] = r.VGPR, i.get(f"src{j}") - 256
    builder.source(op, 2, i.get("src2"), Operand(32, "F32"), i.literal)
    types = kind.split("_") if "_" in kind else [kind, kind]
    if kind.startswith("iu"):
        types = [("i" if op.neg >> j & 1 else "u") + kind[2:] for j in (0, 1)]
        op.neg = 0
    out = {"f32": 0, "f16": 1, "bf16": 2, "i32": 0}[result]
    op.aux[1] = r.MATRIX_TYPES[types[0]] | r.MATRIX_TYPES[types[1]] << 8 | out << 16
    if not builder.arch.is_rdna4:
        builder.execute(op, "wmma")
        return
    if builder.wave_size != 32:
        raise Unsupported("matrix instruction in wave64")
    op.size = k // 2
    builder.execute(op, "wmma_halves")
