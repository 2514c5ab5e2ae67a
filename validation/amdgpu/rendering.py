"""Traces and profiles as text, for a terminal.

Example of trace lines (address, instruction, what the lane got, source line):

    +0x0024  v_fma_f32 v2, v2, s4, 1.0                     v2 = 40400000      saxpy.hip:5
    +0x002c  global_store_dword v[0:1], v2                                    saxpy.hip:5
    +0x0034  v_add_u32 v3, 1, v3                           off                saxpy.hip:6
"""

import re
from collections import Counter
from collections.abc import Sequence

from crossport.validation.amdgpu.profiling import Profile
from crossport.validation.amdgpu.report import Observation, TraceStep


def render_trace(steps: Sequence[TraceStep]) -> str:
    """One line an instruction of the traced wave; `off` where the lane took no part."""
    lines = []
    for step in steps:
        text = f"{step.instruction} {step.operands}".rstrip()
        lines.append(f"+{step.pc:#06x}  {text:46} {_result(step):38} {_line(step.place)}".rstrip())
    return "\n".join(lines)


def _result(step: TraceStep) -> str:
    match = re.match(r"([vs]\[?(\d+)(?::(\d+)\])?|vcc|exec)", step.operands)
    if step.written == "" or match is None:
        return ""
    if step.written == "scalar":
        wide = match[3] is not None or match[1] in ("vcc", "exec")
        value = f"{step.sdst:016x}" if wide else f"{step.sdst & 0xFFFFFFFF:08x}"
        return f"{match[1]} = {value}"
    if not step.active:
        return "off"
    count = int(match[3]) - int(match[2]) + 1 if match[3] else 1
    return f"{match[1]} = " + " ".join(f"{w:08x}" for w in step.vdst[:count])


def _line(place: str) -> str:
    """The source line, by the file's own name; else the function and offset."""
    line = re.search(r"\((.*)\)$", place)
    return line[1].rsplit("/", 1)[-1] if line else place


def render_observations(observations: Sequence[Observation]) -> str:
    """Races and uninitialised reads, one line a pair of places: `3 times a global race: ...`."""
    tally = Counter(_observed(seen) for seen in observations)
    lines = [f"{n} times: {line}" if n > 1 else line for line, n in tally.items()]
    return "\n".join(lines) or "no race, and no read of LDS that nobody wrote"


def _observed(seen: Observation) -> str:
    other = f", with {seen.other_place} of workgroup {seen.other_group}" if seen.other_place else ""
    return f"{seen.kind}: {seen.place}{other}" + (f", {seen.array}" if seen.array else "")


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
