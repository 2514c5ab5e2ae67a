"""Warp instructions, barriers, and control: votes, shuffles, bar.sync, exit."""

from __future__ import annotations

from collections.abc import Callable

from crossport.backends.hip.semantics.ptx.context import Context
from crossport.backends.hip.semantics.ptx.instruction import Instruction
from crossport.backends.hip.semantics.ptx.values import NoTranslation


def _vote(context: Context, instruction: Instruction) -> None:
    names = {
        "ballot": "warp32_ballot",
        "any": "warp32_any",
        "all": "warp32_all",
        "uni": "warp32_uni",
    }
    name = next((n for m, n in names.items() if instruction.has(m)), None)
    if name is None:
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, predicate, *mask = instruction.operands
    member = context.read(mask[0], "u32") if mask else "0xffffffffu"
    context.helpers.add(name)
    kind = "u32" if name == "warp32_ballot" else "pred"
    context.write(destination, f"{name}({member}, {context.read(predicate, 'pred')})", kind)


_SHUFFLES = {"up": "__shfl_up", "down": "__shfl_down", "bfly": "__shfl_xor", "idx": "__shfl"}


def _shuffle(context: Context, instruction: Instruction) -> None:
    """Whole warps (the clamp operand is 31, or 0 for up) by HIP's function, the rest by ours."""
    mode = next((m for m in _SHUFFLES if instruction.has(m)), None)
    destination, value, lane, clamp, *_ = instruction.operands
    if mode is None or instruction.kind not in ("b32", "u32", "s32", ""):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, _, inside = destination.partition("|")
    if not inside and _number(context, clamp) == (0 if mode == "up" else 31):
        text = f"{_SHUFFLES[mode]}({context.read(value, 'u32')}, {context.read(lane, 's32')}, 32)"
        context.write(destination, text, "u32")
        return
    context.helpers.add("ptx_shuffle")
    flag = context.variable("bool", "inside")
    arguments = ", ".join(context.read(operand, "u32") for operand in (value, lane, clamp))
    result = context.temporary("unsigned int", f"ptx_shuffle<'{mode[0]}'>({arguments}, {flag})")
    context.write(destination.strip(), result, "u32")
    if inside:
        context.write(inside.strip(), flag, "pred")


def _number(context: Context, operand: str) -> int | None:
    """What a constant operand is."""
    index = context.names.operand_index(operand)
    text = operand if index is None else context.names.constant(index)
    try:
        return int(text.rstrip("uU"), 0)
    except ValueError:
        return None


_REDUCTIONS = ("add", "min", "max", "and", "or", "xor")


def _reduce(context: Context, instruction: Instruction) -> None:
    """redux.sync."""
    name = next((n for n in _REDUCTIONS if instruction.has(n)), None)
    kind = instruction.kind
    if name is None or kind not in ("s32", "u32", "b32"):
        raise NoTranslation(f"instruction {instruction.spelled}")
    destination, value, mask = instruction.operands
    helper = f"warp32_reduce_{name}"
    context.helpers.add(helper)
    text = f"{helper}({context.read(mask, 'u32')}, {context.read(value, kind)})"
    context.write(destination, text, kind)


def _match(context: Context, instruction: Instruction) -> None:
    destination, value, mask = instruction.operands
    kind = instruction.kind
    arguments = f"{context.read(mask, 'u32')}, {context.read(value, kind)}"
    if instruction.has("any"):
        context.helpers.add("warp32_match_any")
        context.write(destination, f"warp32_match_any({arguments})", "u32")
        return
    destination, _, predicate = destination.partition("|")
    context.helpers.add("warp32_match_all")
    flag = context.variable("int", "all")
    lanes = context.temporary("unsigned int", f"warp32_match_all({arguments}, &{flag})")
    context.write(destination.strip(), lanes, "u32")
    if predicate:
        context.write(predicate.strip(), f"{flag} != 0", "pred")


def _elect(context: Context, instruction: Instruction) -> None:
    """One lane of the mask: the lowest."""
    destination, _, predicate = instruction.operands[0].partition("|")
    mask = context.read(instruction.operands[1], "u32")
    leader = context.temporary("unsigned int", f"__ffs({mask}) - 1")
    if destination.strip() != "_":
        context.write(destination.strip(), leader, "u32")
    context.helpers.add("warp32_lane")
    context.write(predicate.strip(), f"warp32_lane() == {leader}", "pred")


def _active(context: Context, instruction: Instruction) -> None:
    context.helpers.add("warp32_ballot")
    context.write(instruction.operands[0], "warp32_ballot(0xffffffffu, 1)", "u32")


def _barrier(context: Context, instruction: Instruction) -> None:
    """Barrier 0 of the whole block is __syncthreads; AMD GPUs have no other."""
    if instruction.has("warp"):
        context.helpers.add("warp32_sync")
        context.emit("warp32_sync();")
        return
    if instruction.has("sync") and instruction.operands in (("0",), ("0x0",)):
        context.emit("__syncthreads();")
        return
    raise NoTranslation(f"named barrier {instruction.spelled}")


def _nothing(context: Context, instruction: Instruction) -> None:
    """A hint for NVIDIA's scheduler or cache."""


def _sleep(context: Context, instruction: Instruction) -> None:
    context.emit("__builtin_amdgcn_s_sleep(2);")


def _trap(context: Context, instruction: Instruction) -> None:
    context.emit("__builtin_trap();")


OPCODES: dict[str, Callable[[Context, Instruction], None]] = {
    "vote": _vote,
    "shfl": _shuffle,
    "redux": _reduce,
    "match": _match,
    "elect": _elect,
    "activemask": _active,
    "bar": _barrier,
    "barrier": _barrier,
    "griddepcontrol": _nothing,
    "discard": _nothing,
    "applypriority": _nothing,
    "nanosleep": _sleep,
    "trap": _trap,
}
