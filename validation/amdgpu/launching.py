"""One launch, from arguments to report: fill the launch structure, run it (outcome.py reads it)."""

import ctypes
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.arch import PRIVATE_APERTURE, SHARED_APERTURE
from crossport.validation.amdgpu.code_object import CodeObject, Kernel
from crossport.validation.amdgpu.hostcalls import HOSTCALL_ADDRESS, hostcall_buffer
from crossport.validation.amdgpu.kernarg import bad, build_kernarg, match_arguments, struct_bytes
from crossport.validation.amdgpu.memory_image import (
    IMAGE_ADDRESS,
    KERNARG_ADDRESS,
    PACKET_ADDRESS,
    QUEUE_ADDRESS,
    SCRATCH_ADDRESS,
    STRUCTS_ADDRESS,
    InMemory,
    Layout,
    MemoryFile,
    Placed,
    Pointer,
    Struct,
    dispatch_packet,
    extent,
    place_arrays,
    read_only,
    regions_of,
)
from crossport.validation.amdgpu.native import body_libraries, core_library
from crossport.validation.amdgpu.outcome import Outcome
from crossport.validation.amdgpu.process import Worker
from crossport.validation.amdgpu.program import Program
from crossport.validation.amdgpu.report import Context, LaunchReport
from crossport.validation.amdgpu.textures import Texture

Schedule = Literal["in-order", "round-robin", "random"]
_SCHEDULES = {"in-order": 0, "round-robin": 1, "random": 2}
_POSITIONS, _FINDINGS, _TRACE, _PRINTED = 4096, 4096, 1 << 16, 1 << 16
_DYNAMIC_STACK = 16384
_TTMP7, _TTMP9 = 115, 117
"""Where RDNA4 finds the workgroup's place: y and z in one, x in the other."""
_RESIDENT_MEMORY = 512 << 20
_MOST_SHADOW = 2 << 30


@dataclass(frozen=True, slots=True)
class Options:
    """How a launch is run. None of it changes what a correct kernel computes."""

    schedule: Schedule = "in-order"
    """in-order: a wave runs to its barrier; round-robin: in slices; random: random slices."""
    quantum: int = 0
    """Instructions a slice; 0 picks one."""
    seed: int = 1
    threads: int = 0
    """Host threads; 0: one a core, when there is enough to do."""
    instruction_limit: int = 20_000_000_000
    seconds: float = 120.0
    profile: bool = False
    check_lds: bool = False
    """Report LDS races and reads of uninitialised LDS."""
    check_global: bool = False
    """Report races in global memory: waves and workgroups that no barrier or atomic orders."""
    trace: tuple[int, int] | None = None
    """(workgroup, thread in it): record what this lane does."""


@dataclass(frozen=True, slots=True)
class Shape:
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    dynamic_lds: int

    @property
    def groups(self) -> int:
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def threads(self) -> int:
        return self.block[0] * self.block[1] * self.block[2]


class Launching:
    """One launch, from arguments to report."""

    def __init__(
        self,
        worker: Callable[[], Worker],
        lock: threading.Lock,
        code: CodeObject,
        kernel: Kernel,
        program: Program,
        shape: Shape,
        options: Options,
    ) -> None:
        self.worker, self.lock, self.code, self.kernel = worker, lock, code, kernel
        self.program, self.shape, self.options = program, shape, options
        self.layout = Layout()
        self.launch = r.Launch()
        self.layout.reserve(ctypes.sizeof(r.Launch))
        self.calls_host = any(a.kind == "hidden_hostcall_buffer" for a in kernel.arguments)
        self.threads = self._thread_count()

    def _thread_count(self) -> int:
        wanted = self.options.threads or min(os.cpu_count() or 1, 64)
        options = self.options
        one = options.schedule == "random" or options.check_global or self.calls_host
        if options.trace is not None or one:
            return 1
        return max(1, min(wanted, self.shape.groups))

    def run(self, args: Sequence[Any], globals_: Mapping[str, NDArray[Any]]) -> LaunchReport:
        pairs = match_arguments(self.kernel, args)
        arrays: list[tuple[str, NDArray[Any]]] = []
        textures = [value for _, value in pairs if isinstance(value, Texture)]
        for n, (argument, value) in enumerate(pairs):
            name = f"argument {n}" + (f" ({argument.name})" if argument.name else "")
            whole = value.struct if isinstance(value, InMemory) else value
            pointed = whole.pointers.values() if isinstance(whole, Struct) else (whole,)
            for target in pointed:
                if isinstance(target, Texture):
                    arrays += [(f"the texels of {name}", target.storage)]
                    arrays += [(f"the description of {name}", read_only(target.words))]
                elif isinstance(target, Pointer):
                    arrays.append((name, target.array))
                elif isinstance(target, np.ndarray) and target.ndim:
                    arrays.append((name, target))
        addresses = place_arrays(self.layout, arrays)
        for texture in textures:
            texture.describe(self.code.arch, addresses[extent(texture.storage)[0]])

        structs = [value for _, value in pairs if isinstance(value, InMemory)]
        places = {id(v): STRUCTS_ADDRESS + i * 65536 for i, v in enumerate(structs)}

        def address_of(value: Any) -> int:
            if isinstance(value, InMemory):
                return places[id(value)]
            whole = value.array if isinstance(value, Pointer) else value
            whole = value.words if isinstance(value, Texture) else whole
            offset = value.offset if isinstance(value, Pointer) else 0
            return addresses[extent(whole)[0]] + offset

        for value in structs:
            data = struct_bytes(value.struct, "a struct", address_of)
            self.layout.region("a struct in memory", places[id(value)], data)
        kernarg = build_kernarg(
            *(self.kernel, pairs, address_of, self.shape.grid, self.shape.block),
            self.shape.dynamic_lds,
        )
        self._fill(kernarg, globals_)
        report = self._execute(globals_)
        for texture in textures:
            texture.collect()
        return report

    # ---- filling the structure

    def _fill(self, kernarg: bytes, globals_: Mapping[str, NDArray[Any]]) -> None:
        s, layout, kernel, program = self.launch, self.layout, self.kernel, self.program
        self._place_image(globals_)
        layout.region("the argument block", KERNARG_ADDRESS, kernarg)
        packet = dispatch_packet(
            *(self.shape.grid, self.shape.block, kernel.scratch_bytes, self._lds())
        )
        layout.region("the dispatch packet", PACKET_ADDRESS, packet)
        queue = bytearray(256)
        queue[0x40:0x44] = (SHARED_APERTURE >> 32).to_bytes(4, "little")
        queue[0x44:0x48] = (PRIVATE_APERTURE >> 32).to_bytes(4, "little")
        layout.region("the queue", QUEUE_ADDRESS, bytes(queue))
        if self.calls_host:
            buffer = hostcall_buffer()
            layout.region("the host call buffer", HOSTCALL_ADDRESS, buffer, writable=True)
            s.hostcall, s.printed_capacity = HOSTCALL_ADDRESS, _PRINTED
            s.printed = layout.reserve(_PRINTED * ctypes.sizeof(r.Printed))
        s.op_count, s.text_words = program.count, program.text_words
        s.ops = layout.put(program.operations)
        s.at_offset = layout.put(program.at_offset or b"\xff" * 4)
        constants = np.repeat(np.array(program.constants, np.uint32), r.ROW)
        s.constants = layout.put(constants.tobytes())
        if self.options.check_global:
            self._shadow()
        regions = regions_of(layout)
        s.regions, s.region_count = layout.put(regions), len(layout.placed)
        s.vgpr_rows = program.vgpr_rows
        s.text_base = IMAGE_ADDRESS + self.code.text[0]
        s.grid[:], s.block[:] = self.shape.grid, self.shape.block
        s.entry, s.wave_size = program.entry, kernel.wave_size
        s.lds_size, s.scratch_size = self._lds(), self._scratch()
        # RDNA4's clamp and minima have no mode: as if DX10 clamp and IEEE were always set.
        s.mode = kernel.mode & 0xFF | 3 << 8 if self.code.arch.is_rdna4 else kernel.mode
        # Only the directions that the kernel asks for are in v0; a kernel does not mask the others.
        s.thread_ids = (kernel.rsrc2 >> 11 & 3) + 1
        s.m0_row = self.code.arch.m0
        s.shared_aperture, s.private_aperture = SHARED_APERTURE, PRIVATE_APERTURE
        s.scratch_va = SCRATCH_ADDRESS
        self._fill_sgprs(kernarg)
        self._fill_options()

    def _lds(self) -> int:
        return self.kernel.lds_bytes + self.shape.dynamic_lds

    def _scratch(self) -> int:
        dynamic = self.kernel.properties >> 11 & 1
        return self.kernel.scratch_bytes + (_DYNAMIC_STACK if dynamic else 0)

    def _place_image(self, globals_: Mapping[str, NDArray[Any]]) -> None:
        image = bytearray(self.code.image)
        for offset, target in self.code.relocations:
            image[offset : offset + 8] = (IMAGE_ADDRESS + target).to_bytes(8, "little")
        for name, value in globals_.items():
            symbol = self.code.symbols.get(name)
            if symbol is None or symbol.is_function:
                raise bad(f"the code object has no variable {name}")
            data = np.ascontiguousarray(value).tobytes()
            if len(data) > symbol.size:
                raise bad(f"variable {name} has {symbol.size} bytes, {len(data)} were given")
            image[symbol.offset : symbol.offset + len(data)] = data
        image += bytes(-len(image) % 4096)
        low, high = self.code.writable
        self.image_at = at = self.layout.put(bytes(image), 4096)
        for start, end, writable in ((0, low, False), (low, high, True), (high, len(image), False)):
            if end > start:
                name = "the code object's data" if writable else "the code object"
                self.layout.placed.append(
                    Placed(name, IMAGE_ADDRESS + start, end - start, at + start, writable)
                )

    def _fill_sgprs(self, kernarg: bytes) -> None:
        s, kernel = self.launch, self.kernel
        properties, values = kernel.properties, list[int]()

        def two(address: int) -> list[int]:
            return [address & 0xFFFFFFFF, address >> 32]

        if properties & 1:  # the private segment's buffer resource: per-lane memory
            values += [*two(SCRATCH_ADDRESS), 0xFFFFFFFF, 1 << 23]
        for bit, value in (
            (2, PACKET_ADDRESS),
            (4, QUEUE_ADDRESS),
            (8, KERNARG_ADDRESS),
            (16, 0),
            (32, 0),
        ):
            if properties & bit:
                values += two(value)
        if properties & 64:
            values.append(self._scratch())
        count, start = kernel.preload & 0x7F, kernel.preload >> 7
        if count:
            words = np.frombuffer(kernarg, np.uint32)[start : start + count]
            values += [int(w) for w in words]
        declared = kernel.rsrc2 >> 1 & 31
        if kernel.rsrc2 >> 6 & 1 and not self.code.arch.is_cdna:
            declared |= 32
        values += [0] * max(0, declared - len(values))
        s.packed_group_sgpr = 0xFFFFFFFF
        for axis in range(3):
            s.group_sgpr[axis] = 0xFFFFFFFF
            if kernel.rsrc2 >> (7 + axis) & 1 and not self.code.arch.is_rdna4:
                s.group_sgpr[axis] = len(values)
                values.append(0)
        if self.code.arch.is_rdna4:
            s.group_sgpr[0], s.packed_group_sgpr = _TTMP9, _TTMP7
        if kernel.rsrc2 >> 10 & 1:
            values.append(0)
        if kernel.rsrc2 & 1:
            values.append(0)  # the wave's scratch offset: each lane has memory of its own
        s.nsgpr = min(len(values), 32)
        s.user_sgprs[: s.nsgpr] = [v & 0xFFFFFFFF for v in values[: s.nsgpr]]

    def _fill_options(self) -> None:
        s, layout, options = self.launch, self.layout, self.options
        s.schedule, s.quantum = _SCHEDULES[options.schedule], options.quantum
        if options.schedule == "random" and not options.quantum:
            s.quantum = 64
        elif options.schedule == "round-robin" and not options.quantum:
            s.quantum = 16
        s.seed, s.instruction_limit = options.seed, options.instruction_limit
        waves = -(-self.shape.threads // self.kernel.wave_size)
        wave_bytes = self.program.vgpr_rows * 256 + self._scratch() * 64 + 8192
        fits = _RESIDENT_MEMORY // self.threads // max(1, waves * wave_bytes)
        s.resident_limit = max(1, min(1024, fits))
        s.threads = self.threads
        s.checks = r.CHECK_LDS if options.check_lds else 0
        s.checks |= r.CHECK_GLOBAL if options.check_global else 0
        s.position_capacity, s.finding_capacity = _POSITIONS, _FINDINGS
        s.positions = layout.reserve(_POSITIONS * ctypes.sizeof(r.Position))
        s.findings = layout.reserve(_FINDINGS * ctypes.sizeof(r.Finding))
        if options.trace is not None:
            group, thread = options.trace
            s.trace_group, s.trace_wave = group, thread // self.kernel.wave_size
            s.trace_lane = thread % self.kernel.wave_size
            s.trace_capacity = _TRACE
            s.trace = layout.reserve(_TRACE * ctypes.sizeof(r.TraceRecord))
        self.counters = 0
        if options.profile:
            s.profile = 1
            size = self.program.count * ctypes.sizeof(r.Counter) * self.threads
            self.counters = layout.reserve(size)

    def _shadow(self) -> None:
        """Records for the race check of every region that the kernel may write."""
        checked = [p for p in self.layout.placed if p.writable and p.size]
        if sum(p.size for p in checked) * r.SHADOW_BYTES // 4 > _MOST_SHADOW:
            raise bad(
                "the arrays are too large for the race check",
                f"it takes {r.SHADOW_BYTES // 4} bytes a byte: use a smaller problem",
            )
        for placed in checked:
            placed.shadow = self.layout.reserve(-(-placed.size // 4 + 1) * r.SHADOW_BYTES)
        self.launch.synchronised = self.layout.reserve(8 * self.shape.groups)

    # ---- running

    def _execute(self, globals_: Mapping[str, NDArray[Any]]) -> LaunchReport:
        libraries = body_libraries(self.program.functions)
        request = {
            "core": str(core_library()),
            "symbols": [(f.symbol, str(libraries[f.symbol])) for f in self.program.functions],
            "seconds": self.options.seconds,
            "counters": self.counters,
        }
        self.layout.pieces.append((0, bytes(self.launch)))
        file = MemoryFile(self.layout)
        try:
            with self.lock:
                answer = self.worker().request(file, request, self.options.seconds)
            ended = r.Launch.from_buffer_copy(file.read(0, ctypes.sizeof(r.Launch)))
            context = Context(self.code, self.program, self.layout)
            outcome = Outcome(context, self.kernel, self.launch, ended, file, answer, self.counters)
            if ended.fault.code or ended.stop:
                raise outcome.fault(self.options.seconds)
            file.copy_back(self.layout)
            for name, value in globals_.items():
                symbol = self.code.symbols[name]
                raw = file.read(self.image_at + symbol.offset, value.nbytes)
                if value.flags.writeable:
                    value[...] = np.frombuffer(raw, value.dtype).reshape(value.shape)
            return outcome.report()
        finally:
            file.close()
