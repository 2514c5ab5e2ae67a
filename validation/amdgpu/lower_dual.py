"""RDNA3's dual-issue encoding: two instructions in one, lowered as two records.

Example:

    v_dual_mul_f32 v0, v1, v2 :: v_dual_mov_b32 v3, v4
    ->  v_mul_f32 v0, v1, v2  and  v_mov_b32 v3, v4, both reading before either writes
"""

from typing import Any

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.isa import Instruction, mnemonic
from crossport.validation.amdgpu.lower_vector import short
from crossport.validation.amdgpu.lowering import Builder, Unsupported
from crossport.validation.amdgpu.pseudocode import Untranslatable


def _half(builder: Builder, i: Instruction, which: str) -> Instruction:
    """One half as the VOP1 or VOP2 instruction that it is."""
    members: dict[int, Any] = builder.tables.forms["VOPD"].opcodes
    name = mnemonic(members[i.get(f"op{which}")]).replace("v_dual_", "v_")
    form = "VOP1" if name == "v_mov_b32" else "VOP2"
    found = [m for m in builder.tables.forms[form].opcodes.values() if mnemonic(m) == name]
    if not found:
        raise Unsupported(f"dual-issue {name}")
    destination = i.get("vdstx")
    if which == "y":
        # The lowest bit of Y's register is the opposite of X's.
        destination = i.get("vdsty") << 1 | (i.get("vdstx") & 1 ^ 1)
    fields = {
        "src0": i.get(f"src{which}0"),
        "vsrc1": i.get(f"vsrc{which}1"),
        "vdst": destination,
    }
    if form == "VOP1":
        del fields["vsrc1"]
    operands = builder.tables.operands(found[0])
    return Instruction(i.pc, i.size, name, form, "", fields, i.literal, operands, found[0])


def dual(builder: Builder, i: Instruction, x: r.Operation, y: r.Operation) -> None:
    """Fill the records of both halves; the first one runs both."""
    for op in (x, y):
        op.pc, op.next_pc, op.target = i.pc, i.pc + i.size, -1
        for j in range(4):
            op.kind[j], op.sel[j] = r.NOTHING, 6
    try:
        short(builder, _half(builder, i, "x"), x)
        short(builder, _half(builder, i, "y"), y)
    except (Unsupported, Untranslatable, KeyError) as problem:
        builder.problems[i.pc] = str(problem)
        builder.execute(x, "unknown")
        x.flags = 0
        return
    builder.execute(x, "dual")
