"""Instructions on halves and pairs of halves, in their registers of 16 and 32 bits.

    fma.rn.f16x2 %0, %1, %2, %3;    d = ptx_half_fma<2>(a, b, c);
    cvt.rn.f16x2.f32 %0, %1, %2;    d = ptx_half_pack(low, high);

A register holds bits; the helper's functions take them for `_Float16` and back.
"""

from __future__ import annotations

from crossport.backends.hip.semantics.ptx.context import Context
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation

KINDS = {"f16": "u16", "f16x2": "u32"}
_HELPER = "ptx_half"
_OPERATIONS = frozenset("add sub mul fma neg abs min max ex2 tanh".split())
# What changes no value here: rounding to nearest, and the precision that an approximation has.
_PLAIN = frozenset(("rn", "approx", "ftz", *KINDS))


def is_half(instruction: Instruction) -> bool:
    """Whether this instruction is for `translate_half`."""
    return instruction.kind in KINDS and instruction.opcode in _OPERATIONS


def translate_half(context: Context, instruction: Instruction) -> None:
    """One arithmetic instruction on one or two halves."""
    if not _PLAIN.issuperset(instruction.modifiers):
        raise NoTranslation(f"instruction {instruction.spelled}")
    bits = KINDS[instruction.kind]
    destination, *sources = instruction.operands
    arguments = ", ".join(context.read(source, bits) for source in sources)
    context.helpers.add(_HELPER)
    context.write(destination, f"ptx_half_{instruction.opcode}({arguments})", bits)


def convert_half(context: Context, instruction: Instruction, kinds: list[str], mode: str) -> bool:
    """Conversions between float and half; False for any other."""
    match kinds, mode, instruction.operands:
        case ["f16", "f32"], "rn", [to, value]:
            text, bits = f"ptx_half_bits({context.read(value, 'f32')})", "u16"
        case ["f32", "f16"], "", [to, value]:
            text, bits = f"ptx_half_value({context.read(value, 'u16')})", "f32"
        case ["f16x2", "f32"], "rn", [to, high, low]:
            low, high = context.read(low, "f32"), context.read(high, "f32")
            text = f"(unsigned int)ptx_half_bits({low}) | "
            text, bits = f"{text}(unsigned int)ptx_half_bits({high}) << 16", "u32"
        case ["bf16x2", "f32"], "rn", [to, high, low]:
            low, high = context.read(low, "f32"), context.read(high, "f32")
            text = f"ptx_bfloat_bits({low}) | ptx_bfloat_bits({high}) << 16"
            bits = "u32"
        case ["bf16", "f32"], "rn", [to, value]:
            text, bits = f"ptx_bfloat_bits({context.read(value, 'f32')})", "u16"
        case ["f32", "bf16"], "", [to, value]:
            text = f"__uint_as_float((unsigned int){context.read(value, 'u16')} << 16)"
            bits = "f32"
        case _:
            return False
    context.helpers.add("ptx_bfloat" if "bfloat" in text else _HELPER)
    context.write(to, text, bits)
    return True
