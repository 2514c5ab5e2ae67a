"""How many wavefronts of a kernel fit on a target at once, and what stops more.

    256 threads, 40 registers, 8 KiB shared, gfx942  ->  32 of 32 waves a compute unit

Registers are an estimate from the IR (`estimate_registers`) unless a compiler's figure is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.ir.facts.hardware import GpuTarget
from crossport.ir.nodes import Function, Let, Module, Node, children
from crossport.ir.reachable import reachable
from crossport.ir.types import Array, Pointer, Scalar, Struct, Type

_BASE_REGISTERS = 10


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Wavefronts resident on a unit. `limit`: what runs out first."""

    waves: int
    most: int
    blocks: int
    limit: str
    registers: int
    shared_bytes: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.waves / self.most


def occupancy(target: GpuTarget, threads: int, registers: int, shared_bytes: int) -> Occupancy:
    """Resident wavefronts for blocks of `threads` with `registers` a lane and `shared_bytes`.

    `blocks` is 0 where a block does not fit at all; `limit` then names why.
    """
    waves = -(-threads // target.wave)
    most = target.partitions * target.waves_per_partition
    allocated = _round_up(max(1, registers), target.register_granule)
    by_registers = target.register_file // (allocated * target.wave)
    per_partition = min(target.waves_per_partition, by_registers)
    # A block's waves are spread over the partitions.
    limits = {
        "waves": most // waves,
        "registers": per_partition * target.partitions // waves,
        "blocks": target.blocks_per_unit,
    }
    if shared_bytes:
        taken = _round_up(shared_bytes + target.reserved_shared, target.shared_granule)
        limits["shared memory"] = target.shared_per_unit // taken
    if threads > target.threads_per_block:
        limits["threads of a block"] = 0
    if shared_bytes > target.shared_per_block:
        limits["shared memory of a block"] = 0
    limit = min(limits, key=lambda name: limits[name])
    blocks = limits[limit]
    return Occupancy(min(most, blocks * waves), most, blocks, limit, registers, shared_bytes)


def estimate_registers(module: Module, kernel: Function) -> int:
    """32-bit registers a thread needs at most at one place: the locals alive there.

    A rough figure: compilers rematerialise, schedule and share. Local arrays count in full.
    """
    live = sum(_registers(module, p.type) for p in kernel.params) // 2
    return _BASE_REGISTERS + live + _deepest(module, kernel)


def _deepest(module: Module, node: Node) -> int:
    """Registers of locals alive together below `node`: its own, plus the hungriest nested block."""
    own = 0
    nested = 0
    for child in children(node):
        if isinstance(child, Let):
            own += _registers(module, child.var.type)
        nested = max(nested, _deepest(module, child))
    return own + nested


def _registers(module: Module, type: Type) -> int:
    match type:
        case Scalar():
            return max(1, type.size // 4)
        case Pointer():
            return 2
        case Array(element, length):
            return length * _registers(module, element)
        case Struct(name):
            known = [s for s in module.structs if s.name == name]
            return max(1, known[0].size // 4) if known else 4
        case _:
            return 1


def shared_bytes(module: Module, kernel: Function, dynamic: int = 0) -> int:
    """Static shared memory of a kernel and of all that it calls, plus `dynamic` bytes."""
    total = dynamic
    for function in reachable(module, kernel):
        for variable in function.shared:
            total = _round_up(total, 16) + size_of(module, variable.type)
    return total


def size_of(module: Module, type: Type) -> int:
    """Bytes of a value of this type."""
    match type:
        case Scalar():
            return type.size
        case Array(element, length):
            return size_of(module, element) * length
        case Struct(name):
            known = [s for s in module.structs if s.name == name]
            return known[0].size if known else 8
        case _:
            return 8


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
