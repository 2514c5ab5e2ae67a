"""Scalar arithmetic and control flow."""

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.bodies import scalar_function, source_operand
from crossport.validation.amdgpu.isa import Instruction, Operand
from crossport.validation.amdgpu.lowering import NULL_SINK, Builder, Unsupported

_WORD = Operand(32, "B32")
_NOTHING_TO_DO = frozenset(
    (
        *("s_nop", "s_waitcnt", "s_setprio", "s_inst_prefetch", "s_sethalt", "s_setkill"),
        *("s_icache_inv", "s_ttracedata", "s_ttracedata_imm", "s_incperflevel", "s_decperflevel"),
        *("s_clause", "s_delay_alu", "s_wait_idle", "s_waitcnt_depctr", "s_wakeup", "s_version"),
        *("s_wait_alu", "s_wait_loadcnt", "s_wait_storecnt", "s_wait_samplecnt", "s_wait_bvhcnt"),
        *("s_wait_expcnt", "s_wait_dscnt", "s_wait_kmcnt", "s_wait_loadcnt_dscnt"),
        *(
            "s_wait_storecnt_dscnt",
            "s_sendmsg",
            "s_wait_event",
            "s_set_inst_prefetch_distance",
            "s_code_end",
        ),
    )
)
_WORKGROUP = -1
"""The workgroup's own among RDNA4's barriers."""
_BRANCHES = {
    "s_branch": "branch",
    "s_cbranch_scc0": "branch_scc0",
    "s_cbranch_scc1": "branch_scc1",
    "s_cbranch_vccz": "branch_vccz",
    "s_cbranch_vccnz": "branch_vccnz",
    "s_cbranch_execz": "branch_execz",
    "s_cbranch_execnz": "branch_execnz",
    "s_cbranch_cdbgsys": "never",
    "s_cbranch_cdbguser": "never",
    "s_cbranch_cdbgsys_or_user": "never",
    "s_cbranch_cdbgsys_and_user": "never",
}


def control(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """SOPP: branches, barriers, ends, hints."""
    name = i.name
    if name in _BRANCHES:
        op.offset = i.signed("simm16", 16) * 4
        builder.execute(op, _BRANCHES[name])
    elif name in ("s_endpgm", "s_endpgm_saved"):
        builder.execute(op, "end")
    elif name == "s_barrier" or (name == "s_barrier_wait" and i.signed("simm16", 16) == _WORKGROUP):
        builder.execute(op, "barrier")
    elif name == "s_sleep":
        builder.execute(op, "yield")
    elif name == "s_trap":
        op.literal = i.get("simm16")
        builder.execute(op, "trap")
    elif name in ("s_round_mode", "s_denorm_mode"):
        op.literal = i.get("simm16")
        builder.execute(op, name[2:])
    elif name == "s_set_gpr_idx_mode":
        _set_index(builder, i, op)
    elif name in _NOTHING_TO_DO or name == "s_set_gpr_idx_off":
        if name == "s_sendmsg" and i.get("simm16") & 15 not in (0, 1, 3):
            raise Unsupported(f"message {i.get('simm16')}")
        builder.execute(op, "nothing")
    else:
        raise Unsupported("control instruction")


def _set_index(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """VGPR indexing of gfx9: which operands move (bits 12 to 15 of M0) and by how much (0 to 7).

    What lies between ON and OFF is marked when the program is put together (program.py).
    """
    immediate = i.get("ssrc1") if i.name == "s_set_gpr_idx_on" else i.get("simm16")
    builder.source(op, 0, i.get("ssrc0", 128), _WORD, i.literal)
    which, index = 0xF << 12, 0xFF
    changed = {"on": which | index, "mode": which, "idx": index}[i.name.rpartition("_")[2]]
    op.aux[0] = immediate & 15 if changed & which else 0
    op.aux[1] = ~changed & 0xFFFFFFFF
    op.index[3] = NULL_SINK
    builder.execute(op, "set_index")


def arithmetic(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """SOP1, SOP2, SOPC, SOPK."""
    name = i.name
    if name.startswith("s_set_gpr_idx_"):
        _set_index(builder, i, op)
        return
    op.literal = i.literal or 0
    d = i.operands.get("sdst")
    for j, field in enumerate(("ssrc0", "ssrc1")):
        if field in i.fields:
            operand = source_operand(i, j) or _WORD
            builder.source(op, j, i.get(field), operand, i.literal)
    if "sdst" in i.fields:
        op.index[3] = builder.sgpr(i.get("sdst"))
    if d is not None and d.bits == 64:
        op.flags |= r.WIDE_D
    if i.form == "SOPC" or d is None:
        op.flags |= r.NO_D
    if i.form == "SOPK":
        _immediate(builder, i, op)
    if _special(builder, i, op):
        return
    function = scalar_function(builder.tables, i)
    if "EXEC_WRITTEN" in function.uses:
        op.flags |= r.EXEC_WRITTEN
    if "_f32" in name or "_f16" in name:
        op.float_class = 1 if "_f32" in name else 2
    op.body = builder.function(function)
    builder.execute(op, "scalar")


def _immediate(builder: Builder, i: Instruction, op: r.Operation) -> None:
    """SOPK: the 16-bit immediate is S1 of a comparison, which reads SDST, else S0."""
    immediate = i.get("simm16")
    op.literal = immediate
    compares = i.name.startswith("s_cmpk")
    op.flags &= ~r.NO_D
    slot = 1 if compares else 0
    op.kind[slot], op.rows[slot] = r.CONSTANT, 1
    op.index[slot] = builder.constant(i.signed("simm16", 16))
    if compares:
        builder.source(op, 0, i.get("sdst"), _WORD, None)
        op.flags |= r.NO_D


def _special(builder: Builder, i: Instruction, op: r.Operation) -> bool:
    """Instructions that touch the program counter, or registers by number."""
    name = i.name
    direct = {
        "s_getpc_b64": "getpc",
        "s_setpc_b64": "setpc",
        "s_swappc_b64": "swappc",
        "s_getreg_b32": "getreg",
    }
    if name in direct:
        if name != "s_getreg_b32":
            op.flags |= r.WIDE_D
        op.flags &= ~r.NO_D
        builder.execute(op, direct[name])
        return True
    if name == "s_call_b64":
        op.flags = (op.flags & ~r.NO_D) | r.WIDE_D
        op.offset = i.signed("simm16", 16) * 4
        builder.execute(op, "call")
        return True
    if name in ("s_setreg_b32", "s_setreg_imm32_b32"):
        op.literal = i.get("simm16")
        op.flags |= r.NO_D
        if name == "s_setreg_b32":
            builder.source(op, 0, i.get("sdst"), _WORD, None)
        else:
            op.kind[0] = r.NOTHING
            op.aux[0] = i.literal or 0
        builder.execute(op, "setreg")
        return True
    if name.startswith(("s_movrels_", "s_movreld_")):
        if name.startswith("s_movrels_") and op.kind[0] != r.SGPR:
            raise Unsupported("relative read of no SGPR")
        builder.execute(op, name.split("_b")[0][2:])
        return True
    if name == "s_sleep_var":
        builder.execute(op, "yield")
        return True
    if name == "s_barrier_signal" and i.get("ssrc0") == 192 - _WORKGROUP:
        # Waves meet at the wait that follows; what lies between runs in whatever order.
        builder.execute(op, "nothing")
        return True
    if name in ("s_version",) or name.startswith("s_waitcnt_"):
        builder.execute(op, "nothing")
        return True
    if name == "s_sendmsg_rtn_b32" or name == "s_sendmsg_rtn_b64":
        if i.get("ssrc0") not in (128, 131):  # the doorbell (before a trap) and the clock
            raise Unsupported("message with an answer")
        op.flags |= r.WIDE_D
        builder.execute(op, "time")
        return True
    return False
