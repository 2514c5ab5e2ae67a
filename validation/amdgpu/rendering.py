"""Traces and profiles as text, for a terminal.

Example of a trace line (the traced lane is active, the instruction wrote v2):

    +0x24  v_fma_f32        v: 40400000            saxpy+0x24 (saxpy.hip:5)
"""

from collections.abc import Sequence

from crossport.validation.amdgpu.profiling import Profile
from crossport.validation.amdgpu.report import TraceStep


def render_trace(steps: Sequence[TraceStep]) -> str:
    """One line an instruction of the traced wave; `-` where the lane was off."""
    lines = []
    for step in steps:
        if step.instruction.startswith("s_"):
            result = f"s: {step.sdst:016x} scc {step.scc}"
        elif not step.active:
            result = "-"
        else:
            wide = any(t in step.instruction for t in ("64", "x2", "x4", "b96", "b128"))
            words = step.vdst[: 4 if "x4" in step.instruction else 2 if wide else 1]
            result = "v: " + " ".join(f"{w:08x}" for w in words)
        lines.append(f"+{step.pc:#06x}  {step.instruction:28} {result:26} {step.place}")
    return "\n".join(lines)


def render_profile(profile: Profile) -> str:
    """The profile as a short report, worst accesses first."""
    total = sum(profile.instructions.values()) or 1
    lines = [f"{profile.arch}, {profile.basis} (counts are exact, costs are a model)"]
    for label, count in profile.instructions.items():
        lines.append(f"  {label:16} {count:12d}  {100 * count / total:5.1f} %")
    lines += [
        f"lanes in use        {100 * profile.lane_utilisation:.1f} %",
        f"global memory       {profile.global_bytes} bytes in {profile.global_transactions} lines"
        f" of 64 bytes ({profile.global_ideal} at best)",
        f"LDS                 {profile.lds_bytes} bytes, {profile.lds_conflict_cycles} cycles lost"
        " to bank conflicts",
        f"registers           {profile.vgprs} VGPR ({profile.accumulators} of them AccVGPR),"
        f" {profile.sgprs} SGPR",
        f"a workgroup         {profile.lds_per_group} bytes of LDS;"
        f" a lane {profile.scratch_per_lane} bytes of scratch",
        f"occupancy           {profile.waves_per_simd} waves a SIMD",
    ]
    worst = sorted(
        profile.accesses,
        key=lambda a: (a.ideal - a.transactions - a.conflict_cycles, a.pc),
    )
    for access in worst[:8]:
        lost = access.transactions - access.ideal + access.conflict_cycles
        if lost > 0:
            lines.append(
                f"  {access.instruction} at {access.place}: {access.transactions} transactions,"
                f" {access.ideal} at best, {access.conflict_cycles} conflict cycles"
            )
    return "\n".join(lines)
