"""What a launch says afterwards: counts, profile, findings, trace; and faults as diagnostics."""

from collections import Counter as Tally
from dataclasses import dataclass, field

from crossport.diagnostics import Code, Diagnostic, PortError, Span
from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.code_object import CodeObject
from crossport.validation.amdgpu.listing import Written
from crossport.validation.amdgpu.memory_image import Layout, Placed
from crossport.validation.amdgpu.program import Program


@dataclass(frozen=True, slots=True)
class WavePosition:
    """Where an unfinished wave stood when the run was stopped."""

    group: int
    wave: int
    pc: int
    instruction: str
    place: str
    active_lanes: int
    at_barrier: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """A race or a read of uninitialised LDS.

    For races in global memory also where the other access was, by which workgroup, and in which
    array; one observation a pair of instructions.
    """

    kind: str
    pc: int
    place: str
    address: int
    group: int
    wave: int
    lane: int
    other_wave: int | None
    other_place: str = ""
    other_group: int | None = None
    array: str = ""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One instruction of the traced wave, and the traced lane's results."""

    pc: int
    instruction: str
    place: str
    active: bool
    exec: int
    scc: int
    vdst: tuple[int, ...]
    sdst: int
    operands: str = ""
    written: Written = ""
    """Where its result is: in the lane's words, in the scalar, or nowhere that a trace keeps."""


@dataclass(slots=True)
class LaunchReport:
    """The outcome of a launch that ended."""

    kernel: str
    arch: str
    groups: int
    waves: int
    instructions: int
    seconds: float
    cpu_seconds: float
    """Processor time of the emulator's threads."""
    lds_bytes: int
    scratch_bytes: int
    observations: tuple[Observation, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    profile: "object | None" = None
    output: str = ""
    """What the kernel printed."""
    faulted: bool = False

    @property
    def instructions_per_second(self) -> float:
        """Wave instructions a second of processor time."""
        return self.instructions / max(self.cpu_seconds, 1e-9)


class DeviceFault(PortError):
    """The GPU program did what a GPU program must not do, or ran past its limit."""

    def __init__(self, diagnostic: Diagnostic, positions: tuple[WavePosition, ...] = ()) -> None:
        super().__init__(diagnostic)
        self.positions = positions


@dataclass(slots=True)
class Context:
    """What is needed to say where something happened."""

    code: CodeObject
    program: Program
    layout: Layout
    by_pc: dict[int, str] = field(default_factory=dict)

    def instruction(self, pc: int) -> str:
        if not self.by_pc:
            self.by_pc = {i.pc: i.name for i in self.program.instructions if i is not None}
        return self.by_pc.get(pc, "?")

    def span(self, pc: int) -> Span | None:
        line = self.code.line_of(pc)
        return Span(line[0], line[1]) if line else None

    def array(self, address: int) -> str:
        """The array that an address lies in, and where in it."""
        for placed in self.layout.placed:
            if placed.address <= address < placed.address + placed.size:
                return f"offset {address - placed.address} of {placed.name}"
        return f"{address:#x}"

    def place(self, pc: int) -> str:
        line = self.code.line_of(pc)
        where = f" ({line[0]}:{line[1]})" if line else ""
        return f"{self.code.function_at(pc)}+{pc:#x}{where}"


_WHAT = {
    1: "an instruction that the emulator does not know",
    2: "a global memory access outside every allocation",
    3: "an LDS access outside the workgroup's share",
    4: "a scratch access outside the lane's share",
    5: "a store to read-only memory",
    6: "a jump to an address that is no instruction",
    7: "a trap (abort, assert or __builtin_trap)",
    8: "running past the end of the code",
    9: "a register number out of range",
    10: "a misaligned atomic",
    11: "a swizzled buffer resource that the emulator does not know",
    12: "too little memory on the host",
    13: "a float mode that this host cannot take",
    14: "a field value that the emulator does not know",
    16: "an image or buffer format that the emulator does not know",
    15: "a call of a host service that the emulator does not have (device malloc?)",
}
_HELP = {
    1: "report the opcode; until it is added, this kernel cannot be run here",
    2: "check the index against the array's size; on hardware this may corrupt other data",
    3: "check the shared array's size, and the dynamic shared memory given to the launch",
}


def fault_of(context: Context, fault: r.FaultRecord, printed: str = "") -> DeviceFault:
    """A fault record as a diagnostic at the user's line; `printed`: what the kernel said before."""
    pc, name = fault.pc, context.instruction(fault.pc)
    what = _WHAT.get(fault.code, f"fault {fault.code}")
    parts = [f"{what}: {name} at {context.place(pc)}"]
    if fault.code == 1:
        why = context.program.problems.get(pc, "")
        parts = [f"{name} cannot be executed ({why}) at {context.place(pc)}"]
    if fault.code in (2, 3, 4, 5, 10):
        size, store = fault.detail & 0x7FFFFFFF, bool(fault.detail >> 31 & 1)
        verb = "store" if store else "load"
        parts.append(f"{verb} of {size} bytes at {_address(context, fault)}")
    if fault.code != 12:
        parts.append(f"workgroup {fault.group}, wave {fault.wave}, lane {fault.lane}")
    if printed:
        parts.append(f"it printed: {printed.strip()[-300:]}")
    help_ = _HELP.get(fault.code, "")
    if fault.code == 2 and fault.address < 1 << 16:
        help_ = (
            "the address is a null pointer; device malloc needs a host service that the emulator "
            "does not have"
        )
    return DeviceFault(
        Diagnostic(Code.DEVICE_FAULT, "; ".join(parts), context.span(pc), help=help_)
    )


def _address(context: Context, fault: r.FaultRecord) -> str:
    if fault.code in (3, 4):
        return f"offset {fault.address:#x}"
    address, near = fault.address, None
    for placed in context.layout.placed:
        distance = max(placed.address - address, address - (placed.address + placed.size - 1), 0)
        if near is None or distance < near[0]:
            near = (distance, placed)
    if near is None or near[0] > 1 << 32:
        return f"{address:#x}"
    return f"{address:#x}, {_relative(address, near[1])}"


def _relative(address: int, placed: Placed) -> str:
    end = placed.address + placed.size
    if address >= end:
        return f"{address - end} bytes past the end of {placed.name} ({placed.size} bytes)"
    if address < placed.address:
        return f"{placed.address - address} bytes before {placed.name} ({placed.size} bytes)"
    return f"offset {address - placed.address} of {placed.name} ({placed.size} bytes)"


def limit_of(context: Context, positions: tuple[WavePosition, ...], why: str) -> DeviceFault:
    """A run that did not end: where do its waves stand?"""
    tally = Tally((p.pc, p.at_barrier) for p in positions)
    lines = []
    for (pc, at_barrier), count in tally.most_common(4):
        state = "waiting at the barrier after" if at_barrier else "at"
        waves = "1 wave" if count == 1 else f"{count} waves"
        lines.append(f"{waves} {state} {context.instruction(pc)} in {context.place(pc)}")
    pc = tally.most_common(1)[0][0][0] if tally else 0
    return DeviceFault(
        Diagnostic(
            Code.DEVICE_LIMIT,
            f"the kernel did not end within {why}: {'; '.join(lines) or 'no wave started'}",
            context.span(pc),
            help="an endless loop, or a wait for a workgroup that cannot run at the same time",
        ),
        positions,
    )
