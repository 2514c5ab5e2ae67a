"""Run a few instructions from a given register state: for tests, and to look at an opcode.

Example:

    code = encode(...)                         # machine code of one instruction
    after = run_code(device, code, State(vgprs={1: lanes}, exec=0xff))
    after.vgprs[0]
"""

import ctypes
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.arch import PRIVATE_APERTURE, SHARED_APERTURE, Arch
from crossport.validation.amdgpu.code_object import CodeObject, Kernel
from crossport.validation.amdgpu.device import Device
from crossport.validation.amdgpu.lowering import ACC
from crossport.validation.amdgpu.memory_image import (
    IMAGE_ADDRESS,
    SCRATCH_ADDRESS,
    Layout,
    MemoryFile,
    place_arrays,
    regions_of,
)
from crossport.validation.amdgpu.native import body_libraries, core_library
from crossport.validation.amdgpu.program import Program, build_program
from crossport.validation.amdgpu.report import Context, fault_of, limit_of

_END = {"cdna": 0xBF810000, "rdna3": 0xBFB00000, "rdna4": 0xBFB00000}
_ROWS = 512


@dataclass(slots=True)
class State:
    """Registers of one wave; `vgprs[256 + n]` is AccVGPR n."""

    vgprs: NDArray[np.uint32] = field(default_factory=lambda: np.zeros((_ROWS, r.ROW), np.uint32))
    sgprs: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(128, np.uint32))
    scc: int = 0
    mode: int = 0x2F0
    exec: int = (1 << 64) - 1
    lds: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    arrays: list[NDArray[np.uint8]] = field(default_factory=list)

    @property
    def vcc(self) -> int:
        return int(self.sgprs[106]) | int(self.sgprs[107]) << 32

    def pair(self, n: int) -> int:
        return int(self.sgprs[n]) | int(self.sgprs[n + 1]) << 32


def program_of(arch: Arch, code: bytes, wave_size: int) -> tuple[CodeObject, Program]:
    """Machine code, ended by S_ENDPGM, as a program."""
    text = code + _END[arch.tables].to_bytes(4, "little")
    properties = 1 << 10 if wave_size == 32 else 0
    kernel = Kernel("code", 0, len(text), 0, 0, 0, 0, 0, 0, properties, 0, (), {})
    whole = CodeObject(arch, text, (0, len(text)), {"code": kernel}, {}, (0, 0), (), ())
    return whole, build_program(whole, kernel)


def addresses_of(arrays: list[NDArray[np.uint8]]) -> list[int]:
    """The device addresses that `run_code` will give to a state's arrays."""
    places = place_arrays(Layout(), [(f"array {n}", a) for n, a in enumerate(arrays)])
    return [places[int(a.ctypes.data)] for a in arrays]


def run_code(
    device: Device, code: bytes, state: State, *, wave_size: int = 64, scratch: int = 0
) -> State:
    """The state after the instructions; raises DeviceFault as a launch would."""
    whole, program = program_of(device.arch, code, wave_size)
    layout, s = Layout(), r.Launch()
    layout.reserve(ctypes.sizeof(r.Launch))
    place_arrays(layout, [(f"array {n}", a) for n, a in enumerate(state.arrays)])
    layout.region("the code", IMAGE_ADDRESS, whole.image + bytes(-len(whole.image) % 4096))
    s.op_count, s.text_words = program.count, program.text_words
    s.ops, s.at_offset = layout.put(program.operations), layout.put(program.at_offset)
    s.constants = layout.put(np.repeat(np.array(program.constants, np.uint32), r.ROW).tobytes())
    s.regions, s.region_count = layout.put(regions_of(layout)), len(layout.placed)
    s.vgpr_rows, s.text_base, s.entry = program.vgpr_rows, IMAGE_ADDRESS, program.entry
    s.grid[:], s.block[:] = (1, 1, 1), (wave_size, 1, 1)
    s.wave_size, s.packed_ids, s.mode, s.threads = wave_size, 1, state.mode, 1
    s.group_sgpr[:] = (0xFFFFFFFF,) * 3
    s.packed_group_sgpr = 0xFFFFFFFF
    s.lds_size, s.scratch_size, s.scratch_va = state.lds.nbytes, scratch, SCRATCH_ADDRESS
    s.shared_aperture, s.private_aperture = SHARED_APERTURE, PRIVATE_APERTURE
    s.m0_row, s.instruction_limit, s.resident_limit = device.arch.m0, 1_000_000, 1
    s.position_capacity, s.positions = 4, layout.reserve(4 * ctypes.sizeof(r.Position))
    rows = _packed(state.vgprs, program)
    sgprs = np.zeros(160, np.uint32)
    sgprs[:128] = state.sgprs
    sgprs[126], sgprs[127] = state.exec & 0xFFFFFFFF, state.exec >> 32
    sgprs[128] = state.scc
    s.initial_v, s.initial_s = layout.put(rows.tobytes()), layout.put(sgprs.tobytes())
    s.final_v, s.final_s = layout.reserve(rows.nbytes), layout.reserve(sgprs.nbytes)
    if state.lds.nbytes:
        s.lds_in, s.lds_out = layout.put(state.lds.tobytes()), layout.reserve(state.lds.nbytes)
    layout.pieces.append((0, bytes(s)))
    libraries = body_libraries(program.functions)
    request = {
        "core": str(core_library()),
        "symbols": [(f.symbol, str(libraries[f.symbol])) for f in program.functions],
        "seconds": 20.0,
        "counters": 0,
    }
    file = MemoryFile(layout)
    try:
        device.worker().request(file, request, 20.0)
        ended = r.Launch.from_buffer_copy(file.read(0, ctypes.sizeof(r.Launch)))
        context = Context(whole, program, layout)
        if ended.fault.code:
            raise fault_of(context, ended.fault)
        if ended.stop:
            raise limit_of(context, (), "its limit")
        file.copy_back(layout)
        out = np.frombuffer(file.read(s.final_v, rows.nbytes), np.uint32).reshape(rows.shape)
        end = np.frombuffer(file.read(s.final_s, sgprs.nbytes), np.uint32)
        lds = np.frombuffer(file.read(s.lds_out, state.lds.nbytes), np.uint8)
    finally:
        file.close()
    vgprs = state.vgprs.copy()
    vgprs[: program.acc_base] = out[: program.acc_base]
    accumulators = program.vgpr_rows - program.acc_base
    vgprs[ACC : ACC + accumulators] = out[program.acc_base :]
    exec_ = int(end[126]) | int(end[127]) << 32
    return State(
        vgprs, end[:128].copy(), int(end[128]), int(end[129]), exec_, lds.copy(), state.arrays
    )


def _packed(vgprs: NDArray[np.uint32], program: Program) -> NDArray[np.uint32]:
    rows = np.zeros((program.vgpr_rows, r.ROW), np.uint32)
    rows[: program.acc_base] = vgprs[: program.acc_base]
    accumulators = program.vgpr_rows - program.acc_base
    rows[program.acc_base :] = vgprs[ACC : ACC + accumulators]
    return rows
