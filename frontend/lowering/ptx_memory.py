"""PTX loads, stores, atomics, asynchronous copies.

ld.global.v2.f32 {a, b}, [p+8]     a = *(p + 8 bytes); b = the next
red.global.add.u32 [p], v          Atomic(add)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.ptx import Instruction
from crossport.frontend.lowering.ptx_common import kind_of
from crossport.ir.nodes import (
    Assign,
    Atomic,
    AtomicOp,
    Binary,
    Cast,
    Const,
    Deref,
    Effect,
    Expr,
    Read,
)
from crossport.ir.types import (
    I32,
    U8,
    U32,
    U64,
)

if TYPE_CHECKING:
    from crossport.frontend.lowering.asm import Machine


def elements(i: Instruction, operand: str) -> list[str]:
    if operand.startswith("{"):
        return [p.strip() for p in operand[1:-1].split(",")]
    return [operand]


def load(machine: Machine, i: Instruction) -> None:
    if "param" in i.modifiers:
        raise NotLowered("PTX ld.param")
    kind = kind_of(i)
    volatile = any(m in ("volatile", "relaxed", "acquire", "cv") for m in i.modifiers)
    targets = elements(i, i.operands[0])
    pointer = machine.address(i.operands[1], kind, len(targets))
    values = [
        machine.kept(Read(Deref(pointer, Const(n, I32), kind), volatile, span=machine.here))
        for n in range(len(targets))
    ]
    for target, value in zip(targets, values, strict=True):
        machine.write(target, value)


def store(machine: Machine, i: Instruction) -> None:
    kind = kind_of(i)
    volatile = any(m in ("volatile", "relaxed", "release") for m in i.modifiers)
    sources = elements(i, i.operands[1])
    pointer = machine.address(i.operands[0], kind, len(sources))
    for number, source in enumerate(sources):
        place = Deref(pointer, Const(number, I32), kind)
        machine.emit(Assign(place, machine.value(source, kind), volatile, span=machine.here))


def prefetch(machine: Machine, i: Instruction) -> None:
    machine.emit(
        Effect(None, "prefetch", (machine.address(i.operands[0], U8, 1),), span=machine.here)
    )


_SCOPES = {"cta": "block", "gpu": "device", "sys": "system", "cluster": "device"}
_ATOMIC_OPS: dict[str, AtomicOp] = {
    "add": "add", "exch": "exch", "min": "min", "max": "max", "inc": "inc", "dec": "dec",
    "and": "and", "or": "or", "xor": "xor", "cas": "cas",
}  # fmt: skip


def atomic(machine: Machine, i: Instruction) -> None:
    """atom d, [p], a {, b} and red [p], a."""
    kind = kind_of(i)
    op = next((_ATOMIC_OPS[m] for m in i.modifiers if m in _ATOMIC_OPS), None)
    if op is None or any(m.startswith("v") and m[1:].isdigit() for m in i.modifiers):
        raise NotLowered(f"PTX {i.name}")
    if kind in (U64, U32) and op in ("min", "max") and "b32" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    scope = next((_SCOPES[m] for m in i.modifiers if m in _SCOPES), "device")
    operands = list(i.operands)
    target = operands.pop(0) if i.opcode == "atom" else None
    place = Deref(machine.address(operands[0], kind, 1), Const(0, I32), kind)
    values = tuple(machine.value(o, kind) for o in operands[1:])
    old = machine.new(kind) if target is not None and target != "_" else None
    machine.emit(Atomic(old, op, place, values, scope, span=machine.here))  # type: ignore[arg-type]
    if old is not None and target is not None:
        machine.write(target, Read(old))


def async_copy(machine: Machine, i: Instruction) -> None:
    """cp.async.{ca,cg}.shared.global [d], [s], bytes {, present}; commit_group; wait_group n."""
    here = machine.here
    if i.modifiers[:1] != ("async",):
        raise NotLowered(f"PTX {i.name}")
    if "bulk" in i.modifiers or "mbarrier" in i.modifiers:
        raise NotLowered(f"PTX {i.name}")
    if "commit_group" in i.modifiers:
        machine.emit(Effect(None, "cp_async_commit", (), span=here))
        return
    if "wait_group" in i.modifiers or "wait_all" in i.modifiers:
        if "wait_all" in i.modifiers:
            machine.emit(Effect(None, "cp_async_commit", (), span=here))
        left = machine.value(i.operands[0], I32) if i.operands else Const(0, I32)
        machine.emit(Effect(None, "cp_async_wait", (left,), span=here))
        return
    target = machine.address(i.operands[0], U8, 1)
    source = machine.address(i.operands[1], U8, 1)
    count = machine.value(i.operands[2], U64)
    zeroed: Expr = Const(0, U64)
    if len(i.operands) > 3:
        zeroed = Binary("-", count, Cast(machine.value(i.operands[3], U32), U64), span=here)
    machine.emit(Effect(None, "cp_async", (target, source, count, zeroed), span=here))
