"""A kernel's code, decoded and lowered once, ready to be launched many times.

The kernel's own symbol is decoded from its entry to its end; when it calls, every other function of
the code object is decoded too, so that calls find their targets. Branch targets become indices.
"""

import re
from dataclasses import dataclass
from typing import Any

from crossport.validation.amdgpu import records as r
from crossport.validation.amdgpu.bodies import Function
from crossport.validation.amdgpu.code_object import CodeObject, Kernel
from crossport.validation.amdgpu.isa import Instruction, Undecodable, tables_of
from crossport.validation.amdgpu.lower_dual import dual
from crossport.validation.amdgpu.lowering import ACC, Builder, lower

_CALLS = ("s_swappc_b64", "s_setpc_b64", "s_call_b64")


@dataclass(frozen=True, slots=True)
class Program:
    """Lowered code: records, constants, and the functions that the records call by number."""

    operations: bytes
    instructions: tuple[Instruction | None, ...]
    at_offset: bytes
    """For every 4 bytes of the text: the index of the operation that starts there, or -1."""
    text_words: int
    constants: tuple[int, ...]
    functions: tuple[Function, ...]
    vgpr_rows: int
    acc_base: int
    """Row of AccVGPR 0."""
    entry: int
    problems: dict[int, str]

    @property
    def count(self) -> int:
        return len(self.instructions)


def build_program(code: CodeObject, kernel: Kernel) -> Program:
    """Decode and lower a kernel of a code object."""
    text_start, text_size = code.text
    text = code.image[text_start : text_start + text_size]
    spans = [(kernel.entry - text_start, _end(code, kernel) - text_start)]
    decoded = _decode(code, text, spans[0])
    if any(i is not None and i.name in _CALLS for i in decoded):
        others = sorted(
            (s.offset - text_start, s.offset - text_start + s.size)
            for s in code.symbols.values()
            if s.is_function and s.name not in code.kernels and s.size
        )
        for span in others:
            decoded += _decode(code, text, span)
    return assemble(code, decoded, len(text), kernel.entry - text_start, kernel.wave_size)


def _end(code: CodeObject, kernel: Kernel) -> int:
    symbol = code.symbols.get(kernel.name)
    if symbol is not None and symbol.size:
        return symbol.offset + symbol.size
    return code.text[0] + code.text[1]


def _decode(code: CodeObject, text: bytes, span: tuple[int, int]) -> list[Instruction | None]:
    """Instructions of one function; None marks where running on would leave it."""
    tables, out = tables_of(code.arch), list[Instruction | None]()
    at = span[0]
    while at < min(span[1], len(text)):
        try:
            instruction = tables.decode(text, at)
        except Undecodable as problem:
            word = int.from_bytes(text[at : at + 4], "little")
            name = f"undecodable word {word:#010x} ({problem})"
            instruction = Instruction(at, 4, name, "", "", {}, None, {}, None)
        out.append(instruction)
        at += instruction.size
    out.append(None)
    return out


def assemble(
    code: CodeObject,
    decoded: list[Instruction | None],
    text_size: int,
    entry: int,
    wave_size: int,
) -> Program:
    """Lower decoded instructions into one program."""
    builder = Builder(code.arch, wave_size)
    indexed = _indexed(decoded)
    count = sum(
        2 if i is not None and (i.form == "VOPD" or i.pc in indexed) else 1 for i in decoded
    )
    records = (r.Operation * count)()
    listing: list[Instruction | None] = []
    starts: dict[int, int] = {}
    last = 0
    for instruction in decoded:
        op = records[len(listing)]
        if instruction is None:
            op.pc = op.next_pc = last
            builder.execute(op, "fallthrough")
            listing.append(None)
            continue
        starts.setdefault(instruction.pc, len(listing))
        last = instruction.pc + instruction.size
        if instruction.form == "VOPD":
            dual(builder, instruction, op, records[len(listing) + 1])
            listing += [instruction, instruction]
            continue
        if instruction.pc in indexed:
            op.pc, op.next_pc, op.target = instruction.pc, last, -1
            builder.execute(op, "indexed")
            listing.append(instruction)
            op = records[len(listing)]
        lower(builder, instruction, op)
        listing.append(instruction)
    for index, item in enumerate(listing):
        op = records[index]
        if item is not None and _jumps(item):
            op.target = starts.get(op.next_pc + op.offset, -1)
    rows, acc_base = _pack_rows(records, listing, indexes=bool(indexed))
    at_offset = bytearray(b"\xff" * (text_size // 4 * 4))
    for pc, index in starts.items():
        at_offset[pc : pc + 4] = index.to_bytes(4, "little")
    return Program(
        bytes(records),
        tuple(listing),
        bytes(at_offset),
        text_size // 4,
        tuple(builder.constant_rows) or (0,),
        tuple(builder.functions.values()),
        rows,
        acc_base,
        starts.get(entry, 0),
        builder.problems,
    )


def _indexed(decoded: list[Instruction | None]) -> set[int]:
    """Places of vector instructions between S_SET_GPR_IDX_ON and OFF, which LLVM puts in a row."""
    found: set[int] = set()
    is_on = False
    for i in decoded:
        if i is None or _jumps(i):
            is_on = False
        elif i.name in ("s_set_gpr_idx_on", "s_set_gpr_idx_off"):
            is_on = i.name.endswith("on")
        elif is_on and i.form.startswith("VOP"):
            found.add(i.pc)
    return found


def _jumps(i: Instruction) -> bool:
    return bool(re.match(r"s_c?branch|s_call_b64", i.name))


def _pack_rows(
    records: Any, listing: list[Instruction | None], *, indexes: bool
) -> tuple[int, int]:
    """Move AccVGPRs down behind the VGPRs in use; returns the rows of a wave, and their base."""
    used, acc = 256 if indexes else 8, 0
    vgpr_users = []
    for op, i in zip(records, listing, strict=True):
        if i is None or i.form in ("SOP1", "SOP2", "SOPC", "SOPK", "SOPP", "SMEM", ""):
            continue
        vgpr_users.append(op)
        wide = "mfma" in i.name or "smfmac" in i.name or "wmma" in i.name
        span = max([32 if wide else 4, *((o.bits + 31) // 32 for o in i.operands.values())])
        if "movrel" in i.name:
            used = 256
        for j in range(4):
            if j < 3 and op.kind[j] != r.VGPR:
                continue
            top = op.index[j] + span
            if op.index[j] >= ACC:
                acc = max(acc, top - ACC)
            else:
                used = max(used, min(top, ACC))
    if acc:
        for op in vgpr_users:
            for j in range(4):
                if (j == 3 or op.kind[j] == r.VGPR) and op.index[j] >= ACC:
                    op.index[j] = op.index[j] - ACC + used
    return used + acc, used
