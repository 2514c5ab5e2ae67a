"""Turn decoded instructions into the core's records: operands resolved, functions named.

Example:

    v_add_f32 v1, s4, -v2  ->  Operation(execute=vector_modified, body=v_add_f32,
                                         kind=[SGPR, VGPR], index=[4, 2, _, 1], mod=[0, NEGATE])

An instruction that cannot be executed becomes `unknown`: it faults, by name, only if it is reached.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.arch import PRIVATE_APERTURE, SHARED_APERTURE, Arch
from crossport.validation.amdgpu.bodies import Function
from crossport.validation.amdgpu.isa import Instruction, Operand, Tables, tables_of

NATIVE = Path(__file__).resolve().parent / "native"
ACC = 256
"""AccVGPR n is row ACC + n until the program is packed."""
NULL_SINK = 130
"""Writes to the null register end here, beyond the SGPRs."""
_INLINE_FLOATS = (0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 0.15915494309189532)


class Unsupported(Exception):
    """This instruction cannot be executed; the message says why."""


@cache
def executors() -> dict[str, int]:
    """Names of the core's executors and their numbers, read from the core's own list."""
    text = (NATIVE / "core.c").read_text()
    block = text[text.index("#define EXECUTORS") : text.index("#define POINTER")]
    return {name: n for n, name in enumerate(re.findall(r"F\((\w+)\)", block))}


@dataclass(slots=True)
class Builder:
    """Collects the constants and functions that a program needs while it is lowered."""

    arch: Arch
    wave_size: int
    tables: Tables = field(init=False)
    constants: dict[tuple[int, ...], int] = field(default_factory=dict)
    constant_rows: list[int] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = tables_of(self.arch)

    def constant(self, *words: int) -> int:
        """The row of a constant; several words give consecutive rows."""
        if words not in self.constants:
            self.constants[words] = len(self.constant_rows)
            self.constant_rows += [w & 0xFFFFFFFF for w in words]
        return self.constants[words]

    def function(self, function: Function) -> int:
        """Register a function; numbers start at 1."""
        self.functions.setdefault(function.symbol, function)
        return list(self.functions).index(function.symbol) + 1

    def execute(self, op: r.Operation, name: str) -> None:
        op.execute = executors()[name]

    # ---- operands

    def constant_words(self, code: int, operand: Operand, literal: int | None) -> tuple[int, ...]:
        """Value of an inline constant or literal (codes 128 and up) as 32-bit words."""
        wide = operand.bits >= 64
        if 128 <= code <= 208:
            value = code - 128 if code <= 192 else 192 - code
            return (value, value >> 32) if wide else (value,)
        if 240 <= code <= 248:
            number = _INLINE_FLOATS[code - 240]
            if wide and "F32" not in operand.format:
                low, high = struct.unpack("<II", struct.pack("<d", number))
                return (low, high)
            if operand.bits == 16 or "F16" in operand.format:
                return (int(struct.unpack("<H", struct.pack("<e", number))[0]),)
            word = int(struct.unpack("<I", struct.pack("<f", number))[0])
            return (word, 0) if wide else (word,)
        if code == 255 and literal is not None:
            if not wide:
                return (literal,)
            if operand.format == "F64":
                return (0, literal)
            sign = 0xFFFFFFFF if literal >> 31 and operand.format == "I64" else 0
            return (literal, sign)
        apertures = {
            235: SHARED_APERTURE,
            236: SHARED_APERTURE | 0xFFFFFFFF,
            237: PRIVATE_APERTURE,
            238: PRIVATE_APERTURE | 0xFFFFFFFF,
        }
        if code in apertures:
            value = apertures[code]
            return (value & 0xFFFFFFFF, value >> 32) if wide else (value >> 32,)
        raise Unsupported(f"source operand code {code}")

    def source(
        self, op: r.Operation, j: int, code: int, operand: Operand, literal: int | None
    ) -> None:
        """Fill source j of a record from a 9-bit operand code."""
        rows = 2 if operand.bits == 64 else 1
        op.rows[j], op.sel[j] = rows, 6
        if code >= 256:
            op.kind[j], op.index[j] = r.VGPR, code - 256
            return
        if not self.arch.is_cdna and code == 124:
            op.kind[j], op.index[j] = r.CONSTANT, self.constant(0, 0)
            return
        if code < 128:
            op.kind[j], op.index[j] = r.SGPR, code
            return
        special = {251: r.VCCZ, 252: r.EXECZ, 253: r.SCC}
        if code in special:
            op.kind[j] = special[code]
            return
        words = self.constant_words(code, operand, literal)
        op.kind[j], op.index[j] = r.CONSTANT, self.constant(*words)

    def sgpr(self, code: int) -> int:
        """SGPR number of a destination code."""
        if not self.arch.is_cdna and code == 124:
            return NULL_SINK
        if code >= 128:
            raise Unsupported(f"scalar destination code {code}")
        return code


Lower = Callable[[Builder, Instruction, r.Operation], None]


def lower(builder: Builder, instruction: Instruction, op: r.Operation) -> None:
    """Fill a record; an instruction that cannot be executed becomes a fault that names it."""
    from crossport.validation.amdgpu import (
        lower_image,
        lower_matrix,
        lower_memory,
        lower_scalar,
        lower_vector,
    )
    from crossport.validation.amdgpu.pseudocode import Untranslatable

    handlers: dict[str, Lower] = {
        **dict.fromkeys(("SOP1", "SOP2", "SOPC", "SOPK"), lower_scalar.arithmetic),
        "SOPP": lower_scalar.control,
        "SMEM": lower_memory.scalar_memory,
        **dict.fromkeys(("VOP1", "VOP2", "VOPC", "VOP1_SDST"), lower_vector.short),
        **dict.fromkeys(("VOP3", "VOP3_SDST", "VOP3SD"), lower_vector.long),
        "VOP3P": lower_vector.packed,
        "VOP3P_MFMA": lower_matrix.matrix,
        **dict.fromkeys(("FLAT", "GLOBAL", "SCRATCH"), lower_memory.flat),
        "MUBUF": lower_memory.buffer,
        **dict.fromkeys(("MIMG", "VIMAGE", "VSAMPLE"), lower_image.image),
        "DS": lower_memory.lds,
    }
    op.pc, op.next_pc = instruction.pc, instruction.pc + instruction.size
    op.target = -1
    for j in range(4):
        op.kind[j], op.sel[j] = r.NOTHING, 6
    try:
        handler = handlers.get(instruction.form)
        if handler is None:
            raise Unsupported(f"{instruction.form} encoding")
        handler(builder, instruction, op)
    except (Unsupported, Untranslatable) as problem:
        builder.problems[instruction.pc] = str(problem)
        builder.execute(op, "unknown")
        op.flags = 0
