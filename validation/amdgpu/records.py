"""The structures shared with native/emu.h, field for field.

worker.py compares their sizes with the compiled core's before it runs anything.
"""

import ctypes as c

ROW = 64


class Operation(c.Structure):
    """One pre-decoded instruction."""

    _fields_ = (
        ("execute", c.c_uint64),
        ("body", c.c_uint64),
        ("pc", c.c_uint32),
        ("next_pc", c.c_uint32),
        ("target", c.c_int32),
        ("flags", c.c_uint32),
        ("kind", c.c_uint8 * 4),
        ("rows", c.c_uint8 * 4),
        ("mod", c.c_uint8 * 4),
        ("sel", c.c_uint8 * 4),
        ("index", c.c_uint32 * 4),
        ("sdst", c.c_uint32),
        ("carry_in", c.c_uint32),
        ("offset", c.c_int32),
        ("literal", c.c_uint32),
        ("clamp", c.c_uint8),
        ("omod", c.c_uint8),
        ("float_class", c.c_uint8),
        ("out_bits", c.c_uint8),
        ("op_sel", c.c_uint8),
        ("op_sel_hi", c.c_uint8),
        ("neg", c.c_uint8),
        ("neg_hi", c.c_uint8),
        ("dpp", c.c_uint32),
        ("size", c.c_uint32),
        ("aux", c.c_uint32 * 4),
    )


class Region(c.Structure):
    """A stretch of device memory and where it is on the host."""

    _fields_ = (
        ("base", c.c_uint64),
        ("size", c.c_uint64),
        ("host", c.c_uint64),
        ("writable", c.c_uint32),
        ("id", c.c_uint32),
        ("shadow", c.c_uint64),
    )


class FaultRecord(c.Structure):
    """What stopped a launch."""

    _fields_ = (
        ("code", c.c_uint32),
        ("pc", c.c_uint32),
        ("lane", c.c_uint32),
        ("wave", c.c_uint32),
        ("group", c.c_uint64),
        ("address", c.c_uint64),
        ("detail", c.c_uint64),
    )


class TraceRecord(c.Structure):
    """State of one lane after an instruction."""

    _fields_ = (
        ("operation", c.c_uint32),
        ("scc", c.c_uint32),
        ("exec", c.c_uint64),
        ("sdst", c.c_uint64),
        ("vdst", c.c_uint32 * 4),
    )


class Position(c.Structure):
    """Where an unfinished wave stands."""

    _fields_ = (
        ("group", c.c_uint64),
        ("exec", c.c_uint64),
        ("instructions", c.c_uint64),
        ("wave", c.c_uint32),
        ("pc", c.c_uint32),
        ("state", c.c_uint32),
        ("pad", c.c_uint32),
    )


class Finding(c.Structure):
    """One race or uninitialised read."""

    _fields_ = (
        ("kind", c.c_uint32),
        ("pc", c.c_uint32),
        ("other_pc", c.c_uint32),
        ("pad", c.c_uint32),
        ("address", c.c_uint64),
        ("group", c.c_uint64),
        ("other_group", c.c_uint64),
        ("lane", c.c_uint32),
        ("other_lane", c.c_uint32),
        ("wave", c.c_uint32),
        ("other_wave", c.c_uint32),
    )


class Printed(c.Structure):
    """A piece of a message that a lane prints."""

    _fields_ = (("message", c.c_uint64), ("flags", c.c_uint64), ("words", c.c_uint64 * 7))


class Counter(c.Structure):
    """Profile of one operation."""

    _fields_ = (
        ("count", c.c_uint64),
        ("lanes", c.c_uint64),
        ("bytes", c.c_uint64),
        ("transactions", c.c_uint64),
        ("conflicts", c.c_uint64),
        ("ideal", c.c_uint64),
    )


class Launch(c.Structure):
    """Everything a launch needs; pointers are host addresses in the worker."""

    _fields_ = (
        ("ops", c.c_uint64),
        ("at_offset", c.c_uint64),
        ("constants", c.c_uint64),
        ("regions", c.c_uint64),
        ("op_count", c.c_uint32),
        ("text_words", c.c_uint32),
        ("region_count", c.c_uint32),
        ("vgpr_rows", c.c_uint32),
        ("text_base", c.c_uint64),
        ("grid", c.c_uint32 * 3),
        ("block", c.c_uint32 * 3),
        ("entry", c.c_uint32),
        ("wave_size", c.c_uint32),
        ("nsgpr", c.c_uint32),
        ("group_sgpr", c.c_uint32 * 3),
        ("user_sgprs", c.c_uint32 * 32),
        ("lds_size", c.c_uint32),
        ("scratch_size", c.c_uint32),
        ("mode", c.c_uint32),
        ("thread_ids", c.c_uint32),
        ("schedule", c.c_uint32),
        ("quantum", c.c_uint32),
        ("seed", c.c_uint64),
        ("instruction_limit", c.c_uint64),
        ("resident_limit", c.c_uint32),
        ("threads", c.c_uint32),
        ("profile", c.c_uint32),
        ("checks", c.c_uint32),
        ("trace_group", c.c_uint64),
        ("shared_aperture", c.c_uint64),
        ("private_aperture", c.c_uint64),
        ("trace_wave", c.c_uint32),
        ("trace_lane", c.c_uint32),
        ("trace_capacity", c.c_uint32),
        ("position_capacity", c.c_uint32),
        ("finding_capacity", c.c_uint32),
        ("m0_row", c.c_uint32),
        ("packed_group_sgpr", c.c_uint32),
        ("scratch_va", c.c_uint64),
        ("next_group", c.c_uint64),
        ("done_groups", c.c_uint64),
        ("instructions", c.c_uint64),
        ("stop", c.c_uint32),
        ("trace_count", c.c_uint32),
        ("position_count", c.c_uint32),
        ("finding_count", c.c_uint32),
        ("trace", c.c_uint64),
        ("positions", c.c_uint64),
        ("findings", c.c_uint64),
        ("fault", FaultRecord),
        ("initial_v", c.c_uint64),
        ("initial_s", c.c_uint64),
        ("final_v", c.c_uint64),
        ("final_s", c.c_uint64),
        ("grid_lock", c.c_uint32),
        ("grid_arrived", c.c_uint32),
        ("grid_phase", c.c_uint32),
        ("grid_pad", c.c_uint32),
        ("lds_out", c.c_uint64),
        ("lds_in", c.c_uint64),
        ("hostcall", c.c_uint64),
        ("messages", c.c_uint64),
        ("printed", c.c_uint64),
        ("printed_count", c.c_uint32),
        ("printed_capacity", c.c_uint32),
        ("clock", c.c_uint64),
        ("synchronised", c.c_uint64),
    )


SHARED = (
    *(Operation, Launch, Region, FaultRecord, TraceRecord, Position, Finding, Counter),
    Printed,
)

# Operand kinds (FROM_*), source modifiers and flags of emu.h.
VGPR, CONSTANT, SGPR, SCC, VCCZ, EXECZ, M0, NOTHING = range(8)
NEGATE, ABSOLUTE, SIGN_EXTEND, HALF_WIDE, PACKED_16, PACKED_32 = 1, 2, 4, 8, 16, 32
CARRY_IN, LANE_BIT, EXEC_BIT, KEEP_HALF, TO_HIGH, WIDE_D, NO_D, EXEC_WRITTEN = (
    1 << n for n in range(8)
)
RETURNS, SDWA_DST, NO_SDST, SADDR, VADDR, INDEXED, TO_LDS, HIGH_HALF = (
    1 << n for n in range(8, 16)
)
INTEGER_CLAMP = 1 << 17
COHERENT = 1 << 21
CHECK_LDS, CHECK_GLOBAL = 1, 2
SHADOW_BYTES = 48
"""Of a record of checks.h for each 4 bytes of checked memory."""

# Atomic functions (A_* of memory.h).
ATOMICS = {
    name: number
    for number, name in enumerate(
        (
            *("add", "sub", "rsub", "smin", "umin", "smax", "umax", "and", "or", "xor", "inc"),
            *("dec", "swap", "cmpswap", "fadd", "fmin", "fmax", "pk_add_f16", "pk_add_bf16"),
            *("csub", "mskor", "fcmpswap", "cond_sub"),
        ),
        start=1,
    )
}
# Matrix element types (M_* of matrix.h).
SUM_PAIRWISE, SUM_INTERLEAVED = 4, 8
MATRIX_TYPES = {
    name: number
    for number, name in enumerate(
        (
            *("f32", "f16", "bf16", "xf32", "f64", "i8", "fp8", "bf8", "fp6", "bf6", "fp4"),
            *("u8", "i4", "u4"),
        )
    )
}
