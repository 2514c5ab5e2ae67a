"""mma.sync, ldmatrix, stmatrix and movmatrix, by way of polyfill/crossport_mma.h.

mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, ...}, {%8, %9}, {...};

float d[] = {d0, d1, d2, d3};
const int a[] = {...}, b[] = {...};
crossport_mma::mma<crossport_mma::f16, crossport_mma::f16>(d, a, b);
d0 = d[0]; ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from crossport.backends.hip.semantics.ptx.context import Context
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation

_MMA = re.compile(
    r"mma\.sync\.aligned\.m(8|16)n8k(\d+)\.row\.col(\.satfinite)?"
    r"\.(f16|f32|f64|s32)\.(f16|bf16|tf32|f64|s8|u8)\.(f16|bf16|tf32|f64|s8|u8)\.(f16|f32|f64|s32)"
)
_BITS = {"f16": 16, "bf16": 16, "tf32": 32, "s8": 8, "u8": 8, "f64": 32}
_CPP = {"s32": "int", "f32": "float", "f64": "double"}
_SPACE = "crossport_mma"


def _vector(operand: str) -> list[str]:
    return [part.strip() for part in operand.strip("{} ").split(",")]


def _array(context: Context, name: str, kind: str, operands: Sequence[str], what: str = "") -> str:
    """A local array of what registers hold."""
    name = context.unique(name)
    values = ", ".join(context.read(operand, kind) for operand in operands)
    context.emit(f"{what}{_CPP[kind]} {name}[] = {{{values}}};")
    return name


def _multiply(context: Context, instruction: Instruction) -> None:
    match = _MMA.fullmatch(instruction.spelled)
    if match is None:
        raise NoTranslation(f"instruction {instruction.spelled}")
    rows, k, saturates, result, a, b, addend = match.groups()
    d, *sources = [_vector(operand) for operand in instruction.operands]
    # Registers of B are for 128 bits of k, of A for as many and each eight rows.
    registers = int(k) * _BITS[a] // 128
    counts = [len(part) for part in (d, *sources)]
    held = int(rows) // 8 * (1 if result == "f16" else 2)
    fits = counts == [held, int(rows) // 8 * registers, registers, held]
    integral = {result == "s32", a in ("s8", "u8"), b in ("s8", "u8")}
    wide = {result == "f64", a == "f64", b == "f64"}
    is_known = len(integral) == len(wide) == 1 and addend == result
    same = a == b or (a in ("s8", "u8") and b in ("s8", "u8"))
    # m8n8k4 of halves is Volta's: four products of another layout.
    if not (fits and is_known and same) or (rows == "8" and a in ("f16", "bf16", "tf32")):
        raise NoTranslation(f"instruction {instruction.spelled}")
    if saturates and result != "s32":
        raise NoTranslation(f"instruction {instruction.spelled}")
    context.helpers.add("crossport_mma.h")
    kind = "s32" if result == "f16" else result
    operand_kind = "f64" if a == "f64" else "s32"
    total = _array(context, "d", kind, sources[2])
    x = _array(context, "a", operand_kind, sources[0], "const ")
    y = _array(context, "b", operand_kind, sources[1], "const ")
    types = "" if a == "f64" else f"<{_SPACE}::{a}, {_SPACE}::{b}>"
    name = "mma_double" if a == "f64" else "mma_half" if result == "f16" else "mma"
    name = "mma_saturated" if saturates else name
    context.emit(f"{_SPACE}::{name}{types}({total}, {x}, {y});")
    for index, register in enumerate(d):
        context.write(register, f"{total}[{index}]", kind)


def _count(instruction: Instruction) -> int:
    """How many 8 x 8 matrices of 16-bit elements a load or store is for."""
    counts = {"x1": 1, "x2": 2, "x4": 4}
    rest = set(instruction.modifiers) - {"sync", "aligned", "m8n8", "trans", "shared", "b16"}
    rest -= {"shared:cta"}
    if len(rest) != 1 or not rest <= set(counts) or not instruction.has("m8n8"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    return counts[rest.pop()]


def _address(context: Context, instruction: Instruction, operand: str) -> str:
    match = re.fullmatch(r"\[\s*([^+\]]+?)\s*(?:\+\s*(-?\w+))?\s*\]", operand)
    if match is None:
        raise NoTranslation(f"address {operand}")
    # A generic address keeps the offset in LDS in its low half.
    base, offset = match.groups()
    wide = not instruction.has("shared", "shared:cta") or context.names.kind_of(base) == "u64"
    text = context.read(base, "u64" if wide else "u32")
    text = f"(unsigned int)({text})" if wide else text
    return f"{text} + {offset}" if offset else text


def _load(context: Context, instruction: Instruction) -> None:
    count = _count(instruction)
    registers = _vector(instruction.operands[0])
    if len(registers) != count:
        raise NoTranslation(f"instruction {instruction.spelled}")
    context.helpers.add("crossport_mma.h")
    name = context.unique("words")
    context.emit(f"int {name}[{count}];")
    is_transposed = str(instruction.has("trans")).lower()
    address = _address(context, instruction, instruction.operands[1])
    context.emit(f"{_SPACE}::load_matrices<{is_transposed}>({name}, {address});")
    for index, register in enumerate(registers):
        context.write(register, f"{name}[{index}]", "s32")


def _store(context: Context, instruction: Instruction) -> None:
    count = _count(instruction)
    registers = _vector(instruction.operands[1])
    if len(registers) != count:
        raise NoTranslation(f"instruction {instruction.spelled}")
    context.helpers.add("crossport_mma.h")
    name = _array(context, "words", "s32", registers, "const ")
    is_transposed = str(instruction.has("trans")).lower()
    address = _address(context, instruction, instruction.operands[0])
    context.emit(f"{_SPACE}::store_matrices<{is_transposed}>({address}, {name});")


def _move(context: Context, instruction: Instruction) -> None:
    if instruction.modifiers != ("sync", "aligned", "m8n8", "trans", "b16"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    context.helpers.add("crossport_mma.h")
    destination, source = instruction.operands
    text = f"{_SPACE}::transposed({context.read(source, 's32')})"
    context.write(destination, text, "s32")


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "mma": _multiply,
    "ldmatrix": _load,
    "stmatrix": _store,
    "movmatrix": _move,
}
