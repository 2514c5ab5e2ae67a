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
    """Only whole warps: the clamp operand is 31 (0 for up)."""
    name = next((n for m, n in _SHUFFLES.items() if instruction.has(m)), None)
    destination, value, lane, clamp, *_ = instruction.operands
    whole = "0x1f" if not instruction.has("up") else "0x0"
    if name is None or "|" in destination or not clamp.replace("0x", "").isalnum():
        raise NoTranslation(f"instruction {instruction.spelled}")
    try:
        if int(clamp, 0) != int(whole, 0):
            raise NoTranslation(f"{instruction.spelled} within part of a warp")
    except ValueError:
        raise NoTranslation(f"{instruction.spelled} with a clamp that is no constant") from None
    text = f"{name}({context.read(value, 'u32')}, {context.read(lane, 's32')}, 32)"
    context.write(destination, text, "u32")


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
    "activemask": _active,
    "bar": _barrier,
    "barrier": _barrier,
    "griddepcontrol": _nothing,
    "discard": _nothing,
    "applypriority": _nothing,
    "nanosleep": _sleep,
    "trap": _trap,
}
