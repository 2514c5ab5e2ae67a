"""PTX between threads, and what ends one: barriers, shuffles, votes, matrices, traps.

shfl.sync.bfly.b32 d, a, 1, 31, m  Shuffle(xor)
bar.sync 0                         Barrier
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_common import kind_of
from crossport.frontend.lowering.ptx_memory import elements
from crossport.ir.nodes import (
    Barrier,
    Binary,
    Const,
    Effect,
    Expr,
    Fence,
    Intrinsic,
    Match,
    Read,
    Return,
    Shuffle,
    SyncWarp,
    Trap,
    Unary,
    Vote,
    WarpReduce,
)
from crossport.ir.types import (
    BOOL,
    I32,
    U8,
    U32,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def barrier(machine: Machine, i: Instruction) -> None:
    here = machine.here
    words = [m for m in i.modifiers if m not in ("cta", "aligned")]
    if words == ["warp", "sync"]:
        machine.emit(SyncWarp(machine.value(i.operands[0], U32), span=here))
        return
    if words and words[0] == "red":
        raise NotLowered(f"PTX {i.name}")
    name = machine.value(i.operands[0], U32) if i.operands else Const(0, U32)
    threads = machine.value(i.operands[1], U32) if len(i.operands) > 1 else Const(0, U32)
    if words in (["sync"], []) and name == Const(0, U32) and len(i.operands) <= 1:
        machine.emit(Barrier(span=here))
    elif words in (["sync"], ["arrive"]):
        machine.emit(Effect(None, f"bar_{words[0]}", (name, threads), span=here))
    else:
        raise NotLowered(f"PTX {i.name}")


def fence(machine: Machine, i: Instruction) -> None:
    scope = {"cta": "block", "gl": "device", "gpu": "device", "sys": "system"}
    found = next((scope[m] for m in i.modifiers if m in scope), None)
    if found is None or "proxy" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    machine.emit(Fence(found, span=machine.here))  # type: ignore[arg-type]


_SHUFFLES = {"up": "up", "down": "down", "bfly": "xor", "idx": "idx"}


def shuffle(machine: Machine, i: Instruction) -> None:
    """shfl.sync.mode.b32 d|p, a, b, c, mask: c holds the clamp and the segment mask."""
    here = machine.here
    mode = next((_SHUFFLES[m] for m in i.modifiers if m in _SHUFFLES), None)
    targets = [t.strip() for t in i.operands[0].split("|")]
    has_mask = "sync" in i.modifiers
    control = machine.value(i.operands[3], U32)
    if mode is None or len(targets) > 1 or not isinstance(control, Const):
        raise NotLowered(f"PTX {i.name}")
    segment, clamp = int(control.value) >> 8 & 31, int(control.value) & 31
    width = 32 - segment
    if width & (width - 1) or clamp != (0 if mode == "up" else 31):
        raise NotLowered(f"PTX {i.name} with this control")
    mask = machine.value(i.operands[4], U32) if has_mask else None
    value = machine.value(i.operands[1], U32)
    lane = machine.value(i.operands[2], U32 if mode in ("up", "down") else I32)
    target = machine.new(U32)
    machine.emit(
        Shuffle(target, mode, mask, value, lane, Const(width, I32), span=here)  # type: ignore[arg-type]
    )
    machine.write(targets[0], Read(target))


def vote(machine: Machine, i: Instruction) -> None:
    mode = next((m for m in i.modifiers if m in ("any", "all", "uni", "ballot")), None)
    if mode is None:
        raise NotLowered(f"PTX {i.name}")
    operand = i.operands[1]
    negated = operand.startswith("!")
    predicate = machine.value(operand.lstrip("!"), BOOL)
    if negated:
        predicate = Unary("!", predicate)
    mask = machine.value(i.operands[2], U32) if "sync" in i.modifiers else None
    target = machine.new(U32 if mode == "ballot" else I32)
    machine.emit(Vote(target, mode, mask, predicate, span=machine.here))  # type: ignore[arg-type]
    result: Expr = Read(target)
    if mode != "ballot":
        result = Binary("!=", result, Const(0, I32))
    machine.write(i.operands[0], result)


def match_lanes(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    targets = [t.strip() for t in i.operands[0].split("|")]
    value, mask = machine.value(i.operands[1], kind), machine.value(i.operands[2], U32)
    target = machine.new(U32)
    mode = "all" if "all" in i.modifiers else "any"
    predicate = machine.new(I32) if len(targets) > 1 else None
    machine.emit(Match(target, mode, mask, value, predicate, span=machine.here))  # type: ignore[arg-type]
    machine.write(targets[0], Read(target))
    if predicate is not None:
        machine.write(targets[1], Binary("!=", Read(predicate), Const(0, I32)))


def active(machine: Machine, i: Instruction) -> None:
    target = machine.new(U32)
    machine.emit(Vote(target, "active", None, None, span=machine.here))
    machine.write(i.operands[0], Read(target))


def reduce(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    op = next((m for m in i.modifiers if m in ("add", "min", "max", "and", "or", "xor")), None)
    if op is None:
        raise NotLowered(f"PTX {i.name}")
    value, mask = machine.value(i.operands[1], kind), machine.value(i.operands[2], U32)
    target = machine.new(kind)
    machine.emit(WarpReduce(target, op, mask, value, span=machine.here))  # type: ignore[arg-type]
    machine.write(i.operands[0], Read(target))


def leave(machine: Machine, i: Instruction) -> None:
    machine.emit(Return(None, span=machine.here))


def trap(machine: Machine, i: Instruction) -> None:
    machine.emit(Trap(span=machine.here))


def sleep(machine: Machine, i: Instruction) -> None:
    machine.emit(
        Effect(None, "__nanosleep", (machine.value(i.operands[0], U32),), span=machine.here)
    )


def is_space(machine: Machine, i: Instruction) -> None:
    names = {"global": "__isGlobal", "shared": "__isShared", "local": "__isLocal",
             "const": "__isConstant"}  # fmt: skip
    name = next((names[m] for m in i.modifiers if m in names), None)
    if name is None:
        raise NotLowered(f"PTX {i.name}")
    pointer = machine.address(f"[{i.operands[1]}]", U8, 1)
    machine.write(i.operands[0], Intrinsic(name, (pointer,), BOOL, span=machine.here))


def matrix(machine: Machine, i: Instruction) -> None:
    """mma.sync, ldmatrix: effects under their full name; results first, through pointers."""
    targets = elements(i, i.operands[0])
    outputs = [machine.new(U32) for _ in targets]
    inputs: list[Expr] = []
    for operand in i.operands[1:]:
        if operand.startswith("["):
            inputs.append(machine.address(operand, U8, 1))
        else:
            inputs += [machine.value(o, U32) for o in elements(i, operand)]
    pointers = tuple(machine.pointer(v) for v in outputs)
    machine.emit(Effect(None, f"ptx::{i.name}", (*pointers, *inputs), span=machine.here))
    for target, variable in zip(targets, outputs, strict=True):
        machine.write(target, Read(variable))
