"""mov, cvt and cvta."""

from __future__ import annotations

from collections.abc import Callable

from crossport.backends.hip.semantics.ptx.context import Context, cpp_type
from crossport.backends.hip.semantics.ptx.halves import convert_half
from crossport.backends.hip.semantics.ptx.instruction import TYPES, Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation, size


def _mov(context: Context, instruction: Instruction) -> None:
    kind = instruction.kind
    destination, source = instruction.operands
    if source.startswith("{"):
        _pack(context, instruction)
    elif destination.startswith("{"):
        _unpack(context, instruction)
    else:
        context.write(destination, context.read(source, kind), kind)


def _parts(operand: str) -> list[str]:
    return [part.strip() for part in operand.strip("{} ").split(",")]


def _pack(context: Context, instruction: Instruction) -> None:
    """mov.b64 %0, {lo, hi}"""
    kind = f"u{size(instruction.kind)}"
    parts = _parts(instruction.operands[1])
    part = f"u{size(kind) // len(parts)}"
    words = [
        f"({cpp_type(kind)}){context.read(p, part)}" + (f" << {i * size(part)}" if i else "")
        for i, p in enumerate(parts)
    ]
    context.write(instruction.operands[0], " | ".join(words), kind)


def _unpack(context: Context, instruction: Instruction) -> None:
    """mov.b64 {lo, hi}, %1"""
    kind = f"u{size(instruction.kind)}"
    parts = _parts(instruction.operands[0])
    part = f"u{size(kind) // len(parts)}"
    whole = context.temporary(cpp_type(kind), context.read(instruction.operands[1], kind))
    for index, name in enumerate(parts):
        if name != "_":
            shifted = f"({whole} >> {index * size(part)})" if index else whole
            context.write(name, f"({cpp_type(part)}){shifted}", part)


_ROUNDINGS = {"rni": "rn", "rzi": "rz", "rmi": "rd", "rpi": "ru", "rn": "rn", "rz": "rz"}
_ROUNDINGS.update({"rm": "rd", "rp": "ru"})
_WORDS = {"s32": "int", "u32": "uint", "s64": "ll", "u64": "ull", "f32": "float", "f64": "double"}
_NARROW = frozenset(("f16", "bf16", "f16x2", "bf16x2"))
_INTEGRAL = {"rni": "rint", "rzi": "trunc", "rmi": "floor", "rpi": "ceil"}


_LIMITS = {"s8": (-128, 127), "u8": (0, 255), "s16": (-32768, 32767), "u16": (0, 65535)}


def _cvt(context: Context, instruction: Instruction) -> None:
    if instruction.spelled == "cvt.rna.tf32.f32":
        destination, operand = instruction.operands
        bits = f"__float_as_uint({context.read(operand, 'f32')})"
        context.write(destination, f"({bits} + 0x1000u) & 0xffffe000u", "u32")
        return
    kinds = [m for m in instruction.modifiers if m in TYPES]
    others = [m for m in instruction.modifiers if m not in TYPES and m != "ftz"]
    mode = next((m for m in others if m in _ROUNDINGS), "")
    saturates = "sat" in others and kinds[0] in _LIMITS
    unknown = [m for m in others if m != mode and not (m == "sat" and saturates)]
    if len(kinds) != 2 or unknown:
        raise NoTranslation(f"instruction {instruction.spelled}")
    if convert_half(context, instruction, kinds, mode):
        return
    if len(instruction.operands) != 2 or not _NARROW.isdisjoint(kinds):
        raise NoTranslation(f"instruction {instruction.spelled}")
    to, source = kinds
    destination, operand = instruction.operands
    if to in _LIMITS and (saturates or (source in ("f32", "f64") and mode)):
        _limited(context, instruction, to, source, mode)
        return
    context.write(destination, _converted(context, instruction, to, source, mode, operand), to)


def _limited(
    context: Context, instruction: Instruction, to: str, source: str, mode: str
) -> None:  # fmt: skip
    """To a small integer, cut off at the ends of its range: what a float always is."""
    destination, operand = instruction.operands
    if source in ("f32", "f64"):
        value = _converted(context, instruction, "s32", source, mode, operand)
    elif source in ("s32", "s16", "s8"):
        value = context.read(operand, source)
    else:
        raise NoTranslation(f"instruction {instruction.spelled}")
    low, high = _LIMITS[to]
    context.write(destination, f"({cpp_type(to)})min(max((int)({value}), {low}), {high})", to)


def _converted(
    context: Context, instruction: Instruction, to: str, source: str, mode: str, operand: str
) -> str:
    value = context.read(operand, source)
    floats = ("f32", "f64")
    if to in floats and source in floats:
        if mode in _INTEGRAL:
            return f"{_INTEGRAL[mode]}{'f' if source == 'f32' else ''}({value})"
        if mode in ("", "rn"):
            return f"({cpp_type(to)})({value})"
    elif to in floats or source in floats:
        small = {to, source} & {"s8", "u8", "s16", "u16"}
        if not small and mode:
            return f"__{_WORDS[source]}2{_WORDS[to]}_{_ROUNDINGS[mode]}({value})"
        if source not in floats and mode in ("rn", ""):
            return f"({cpp_type(to)})({value})"
    elif not mode:
        return f"({cpp_type(to)})({value})"
    raise NoTranslation(f"instruction {instruction.spelled}")


def _cvta(context: Context, instruction: Instruction) -> None:
    """Generic and space addresses. A shared address is the offset in LDS: the low 32 bits."""
    destination, source = instruction.operands
    kind = instruction.kind
    if instruction.has("to"):
        if instruction.has("shared"):
            context.write(
                destination, f"({cpp_type(kind)})(unsigned int){context.read(source, 'u64')}", kind
            )
        else:
            context.write(destination, context.read(source, kind), kind)
    elif instruction.has("shared"):
        context.helpers.add("lds_pointer")
        text = f"({cpp_type(kind)})lds_pointer<char>({context.read(source, 'u32')})"
        context.write(destination, text, kind)
    else:
        context.write(destination, context.read(source, kind), kind)


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "mov": _mov,
    "cvt": _cvt,
    "cvta": _cvta,
}
