"""Watch one launch of a HIP port on the emulated GPU: what a lane did, what it cost, what raced.

watch_port(candidate, Watch("gfx942", lane=5, profile=True), cases)  ->  text
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.cases import Case
from crossport.validation.runners.amdgpu import AmdgpuRunner, launch, symbol_of
from crossport.validation.runners.base import Candidate
from crossport.validation.runners.software_textures import has_software_textures


@dataclass(frozen=True, slots=True)
class Watch:
    """What to look at."""

    arch: str = "gfx942"
    kernel: str = ""
    """A kernel or instance; "": the first."""
    case: str = ""
    """A case of it; "": the first."""
    lane: int | None = None
    """A thread of workgroup `group`, whose instructions are listed."""
    group: int = 0
    profile: bool = False
    races: bool = False
    rocm_path: str | None = None


def watch_port(candidate: Candidate, watch: Watch, cases: tuple[Case, ...]) -> str:
    """Compile and launch; raises PortError where that fails, faults of the launch too."""
    from crossport.validation.amdgpu.device import Device, Options
    from crossport.validation.amdgpu.profiling import Profile
    from crossport.validation.amdgpu.rendering import (
        render_observations,
        render_profile,
        render_trace,
    )

    case = _chosen(watch, cases)
    code = AmdgpuRunner(watch.arch, rocm_path=watch.rocm_path).compile(candidate, [case.kernel])
    symbol = symbol_of(code, case.kernel)
    if symbol is None:
        raise _usage(f"the code object has no one kernel {case.kernel}", "")
    arrays = {name: np.array(values) for name, values in case.initial().items()}
    how = Options(
        profile=watch.profile, check_lds=watch.races, check_global=watch.races,
        trace=None if watch.lane is None else (watch.group, watch.lane),
    )  # fmt: skip
    with Device(watch.arch) as device:
        in_software = has_software_textures(candidate.files)
        report = launch(device, code, symbol, case, arrays, how, in_software=in_software)
    shape = "x".join(map(str, case.grid)), "x".join(map(str, case.block))
    parts = [
        f"{case.kernel}/{case.name} on {watch.arch}: grid {shape[0]}, block {shape[1]}, "
        f"{report.waves} waves, {report.instructions} wave instructions"
    ]
    if watch.lane is not None:
        parts.append(render_trace(report.trace))
    if isinstance(report.profile, Profile):
        parts.append(render_profile(report.profile))
    if watch.races:
        parts.append(render_observations(report.observations))
    if report.output:
        parts.append(f"it printed:\n{report.output.rstrip()}")
    return "\n".join(parts)


def _chosen(watch: Watch, cases: tuple[Case, ...]) -> Case:
    for case in cases:
        named = watch.kernel in ("", case.kernel, case.kernel.split("<")[0])
        if named and watch.case in ("", case.name):
            return case
    known = ", ".join(f"{c.kernel}/{c.name}" for c in cases[:12])
    raise _usage(f"there is no launch {watch.kernel}/{watch.case}", f"there is {known}")


def _usage(message: str, help_: str) -> PortError:
    return PortError(Diagnostic(Code.USAGE, message, help=help_))
