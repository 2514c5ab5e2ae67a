"""What a launch left in its memory file, as a report or as a fault."""

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.code_object import Kernel
from crossport.validation.amdgpu.hostcalls import messages
from crossport.validation.amdgpu.listing import operand_text, writes
from crossport.validation.amdgpu.memory_image import MemoryFile
from crossport.validation.amdgpu.profiling import profile_of
from crossport.validation.amdgpu.report import (
    Context,
    LaunchReport,
    Observation,
    TraceStep,
    WavePosition,
    fault_of,
    limit_of,
)

_KINDS = {
    1: "write-write race",
    2: "read-write race",
    3: "uninitialised read",
    4: "global race",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A launch that has ended, or was stopped."""

    context: Context
    kernel: Kernel
    launch: r.Launch
    """As it was sent: where in the file the lists lie."""
    ended: r.Launch
    """As it came back: how long they are."""
    file: MemoryFile
    answer: dict[str, Any]
    counters: int
    """Where the counters of the profile lie; 0: there are none."""

    def fault(self, seconds: float) -> PortError:
        """Why it was stopped; `seconds` is how long it was allowed to take."""
        ended, context = self.ended, self.context
        if ended.fault.code:
            return fault_of(context, ended.fault, self._printed())
        count = min(ended.position_count, self.launch.position_capacity)
        raw = self.file.read(self.launch.positions, count * ctypes.sizeof(r.Position))
        positions = tuple(
            WavePosition(
                *(p.group, p.wave, p.pc, context.instruction(p.pc), context.place(p.pc)),
                *(int(p.exec).bit_count(), p.state == 1),
            )
            for p in (r.Position * count).from_buffer_copy(raw)
        )
        why = (
            f"{seconds:g} seconds"
            if ended.stop == 3 or self.answer.get("late")
            else f"{self.launch.instruction_limit:,} wave instructions"
        )
        return limit_of(context, positions, why)

    def report(self) -> LaunchReport:
        """What it did."""
        launch, ended = self.launch, self.ended
        groups = launch.grid[0] * launch.grid[1] * launch.grid[2]
        threads = launch.block[0] * launch.block[1] * launch.block[2]
        report = LaunchReport(
            self.kernel.name,
            self.context.code.arch.name,
            groups,
            groups * -(-threads // launch.wave_size),
            int(ended.instructions),
            float(self.answer["seconds"]),
            float(self.answer["cpu"]),
            launch.lds_size,
            launch.scratch_size,
        )
        report.output = self._printed()
        report.observations = self._observations()
        if launch.trace_capacity:
            report.trace = self._trace()
        if self.counters:
            count = self.context.program.count
            size = count * ctypes.sizeof(r.Counter) * launch.threads
            table = np.frombuffer(self.file.read(self.counters, size), np.uint64)
            table = table.reshape(launch.threads, count, 6).sum(0)
            report.profile = profile_of(
                *(self.context.code.arch, self.kernel, self.context.program, self.context, table),
                *(threads, launch.lds_size),
            )
        return report

    def _printed(self) -> str:
        """What the kernel printed."""
        count = self.ended.printed_count
        if not count:
            return ""
        raw = self.file.read(self.launch.printed, count * ctypes.sizeof(r.Printed))
        return messages((r.Printed * count).from_buffer_copy(raw))

    def _observations(self) -> tuple[Observation, ...]:
        context = self.context
        count = min(self.ended.finding_count, self.launch.finding_capacity)
        raw = self.file.read(self.launch.findings, count * ctypes.sizeof(r.Finding))
        return tuple(
            Observation(
                *(_KINDS.get(f.kind, "?"), f.pc, context.place(f.pc), f.address, f.group),
                *(f.wave, f.lane, None if f.kind == 3 else f.other_wave),
                *((context.place(f.other_pc), f.other_group) if f.kind == 4 else ()),
                *((context.array(f.address),) if f.kind == 4 else ()),
            )
            for f in (r.Finding * count).from_buffer_copy(raw)
        )

    def _trace(self) -> tuple[TraceStep, ...]:
        context, count = self.context, self.ended.trace_count
        raw = self.file.read(self.launch.trace, count * ctypes.sizeof(r.TraceRecord))
        steps = []
        for t in (r.TraceRecord * count).from_buffer_copy(raw):
            instruction = context.program.instructions[t.operation]
            pc = instruction.pc if instruction else 0
            active = bool(t.exec >> self.launch.trace_lane & 1)
            steps.append(
                TraceStep(
                    *(pc, context.instruction(pc), context.place(pc), active, t.exec, t.scc),
                    *(tuple(t.vdst), t.sdst),
                    *((operand_text(instruction), writes(instruction)) if instruction else ()),
                )
            )
        return tuple(steps)
