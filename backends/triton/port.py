"""Port a thread-IR module to a Triton module: `port_module`.

Each kernel goes down the ladder `tile`, `simt` until a form is found that is right; one that has
none is left out, with the diagnostic that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossport.backends.triton.contraction import print_contraction
from crossport.backends.triton.expressions import Expressions
from crossport.backends.triton.module import module_text
from crossport.backends.triton.part import Part
from crossport.backends.triton.simt import KernelText, print_kernel
from crossport.backends.triton.simt.vectors import has_runs
from crossport.diagnostics import Code, Diagnostic, PortError, Severity
from crossport.ir.facts.launch_shapes import likely_blocks
from crossport.ir.lift import flat
from crossport.ir.lift.naming import Options, PortedKernel, PortedModule, Tier, function_names
from crossport.ir.lift.phases import has_grid_barrier, split_phases
from crossport.ir.lift.prepare import Source, source_of
from crossport.ir.lift.tidy import tidy
from crossport.ir.lift.versions import split_versions
from crossport.ir.nesting import room
from crossport.ir.nodes import Module
from crossport.ir.tile.batch import may_batch
from crossport.ir.tile.blocks import Lifted, Shape, lift_for_blocks, lift_warps, needs_exchange
from crossport.ir.tile.contract import contract, may_contract
from crossport.ir.tile.hoist import hoist_loads
from crossport.ir.tile.reload import reload_gathers
from crossport.ir.tile.reroll import reroll_vectors
from crossport.ir.tile.retile import FreeShape, retile
from crossport.ir.tile.rows import one_round
from crossport.ir.tile.share import share_exchanges
from crossport.ir.tile.spread import spread_rounds
from crossport.ir.tile.staging import forward_staged
from crossport.ir.tile.trace import NotTraced
from crossport.ir.tile.unroll import unroll_choices
from crossport.ir.tile.warps import WARP
from crossport.ir.tile.widen import take_rounds, widen
from crossport.ir.types import F64

# Lanes that share a row too long for registers; and one whose length only the data says.
WIDE = 4096
NARROW = 128
# Blocks that products are tried for, where the host code says nothing.
PRODUCT_BLOCKS: tuple[Shape, ...] = ((16, 16, 1), (32, 32, 1), (8, 8, 1), (256, 1, 1))


def port_module(module: Module, source_text: str, options: Options | None = None) -> PortedModule:
    """Port every kernel of a module. Raises nothing: what fails is in the result."""
    options = options or Options()
    parts: list[Part] = []
    kernels: list[PortedKernel] = []
    names = function_names(module.kernels)
    for kernel in module.kernels:
        if not options.wants(kernel):
            continue
        name = names[kernel.name]
        try:
            with room():
                part = _port_checked(source_of(module, kernel), name, options)
        except PortError as error:
            kernels.append(PortedKernel(kernel.name, name, "refused", None, error.diagnostics))
            continue
        parts.append(part)
        tier: Tier = "tile" if part.tier == "tile" else "simt"
        kernels.append(PortedKernel(kernel.name, name, "ported", tier, tuple(part.program.notes)))
    text = module_text(options.source_name, source_text, parts) if parts else ""
    return PortedModule(text, tuple(kernels))


def _port_checked(source: Source, name: str, options: Options) -> Part:
    """The kernel, and behind it a look at whether it failed, if it can."""
    if not source.whole.failure:
        return _port(source, name, options)
    inner = _port(source, f"_{name.lstrip('_')}_unchecked", options)
    return Part(
        inner.program, source.name, name, inner.tier, KernelText([], Expressions()), checked=inner
    )  # fmt: skip


def _port(source: Source, name: str, options: Options) -> Part:
    if has_grid_barrier(source.whole.body):
        return _port_phases(source, name, options)
    reason = ""
    if "tile" in options.tiers:
        part = _port_tile(source, name, options)
        if isinstance(part, Part):
            return part
        reason = part
    by_thread = _port_simt(source, name)
    if reason and by_thread.tier == "simt":
        by_thread.program.notes.append(
            Diagnostic(Code.LOWER_TIER, reason, source.span, Severity.NOTE)
        )
    return by_thread


def _program(source: Source) -> flat.Program:
    return reroll_vectors(hoist_loads(source.program()))


def _port_phases(source: Source, name: str, options: Options) -> Part:
    """A launch for each stretch between barriers of the whole grid."""
    split = split_phases(flat.copy_of(source.whole))
    launched = _launched(source, options)
    parts: list[Part] = []
    for number, program in enumerate(split.programs):
        phase = replace(source, whole=program)
        known = replace(options, blocks={source.name: tuple(launched)})
        parts.append(_port(phase, f"_{name.lstrip('_')}_phase_{number}", known))
    tier = "tile" if all(p.tier == "tile" for p in parts) else "simt"
    program = _program(source)
    program.notes += [n for p in parts for n in p.program.notes if n not in program.notes]
    return Part(
        program, source.name, name, tier, KernelText([], Expressions()),
        phases=tuple(parts), split=split,
    )  # fmt: skip


def _launched(source: Source, options: Options) -> Sequence[Shape]:
    """Block shapes that the host code launches."""
    base = source.name.partition("<")[0]
    return options.blocks.get(source.name) or options.blocks.get(base) or ()


def _port_simt(source: Source, name: str) -> Part:
    """One program a thread block, one lane a thread, shared memory in a scratch buffer."""
    program = unroll_choices(_program(source))
    text = print_kernel(program, f"_{name.lstrip('_')}_kernel")
    # A block that needs no scratch memory is one tile.
    tier = "simt" if text.uses_scratch else "tile"
    return Part(program, source.name, name, tier, text)


def _port_tile(source: Source, name: str, options: Options) -> Part | str:
    """The kernel without its thread blocks' inner workings, or what prevents that."""
    launched = _launched(source, options)
    program = unroll_choices(_program(source))
    free = retile(program, splits_sums=True)
    product = _port_contraction(source, name, None if isinstance(free, str) else free, launched)
    if product is not None:
        return product
    if not isinstance(free, str):
        tidy(program)
        by_row = _port_rows(program, source, name, free)
        if by_row is not None:
            return by_row
        text = print_kernel(program, f"_{name.lstrip('_')}_kernel", free)
        return Part(program, source.name, name, "tile", text, free)
    program = _program(source)
    if program.shared:
        unstaged = _port_unstaged(source, name, launched)
        if unstaged is not None:
            return unstaged
    if not needs_exchange(program):
        if not may_batch(program):
            return free
        return Part(
            program, source.name, name, "tile",
            print_kernel(program, f"_{name.lstrip('_')}_kernel", batched=True),
            guard="block[1:] == (1, 1)",
            fallback=_port_simt(source, f"_{name}_by_thread"),
        )  # fmt: skip
    if not program.shared:
        by_warp = _port_warps(source, name, launched)
        if by_warp is not None:
            return by_warp
    shapes = launched or likely_blocks(source.module, source.kernel)
    lifted = lift_for_blocks(lambda: _program(source), shapes)
    if isinstance(lifted, str):
        return f"it keeps its shared memory: {lifted}"
    return _lifted_part(source, name, lifted)


def _port_unstaged(source: Source, name: str, launched: Sequence[Shape]) -> Part | None:
    """The kernel in terms of global indices, where its shared memory only holds copies."""
    for shape in launched or likely_blocks(source.module, source.kernel):
        program = unroll_choices(_program(source))
        if forward_staged(program, shape) is not None:
            continue
        free = retile(program, splits_sums=True)
        if isinstance(free, str):
            continue
        tidy(program)
        part = _port_rows(program, source, name, free)
        if part is None:
            text = print_kernel(program, f"_{name.lstrip('_')}_kernel", free)
            part = Part(program, source.name, name, "tile", text, free)
        fallback = _port_simt(source, f"_{name}_by_thread")
        return replace(part, guard=f"block == {shape}", fallback=fallback)
    return None


def _port_rows(program: flat.Program, source: Source, name: str, free: FreeShape) -> Part | None:
    """A program of global indices as tiles of (threads, rounds of a loop), where that pays."""
    program = flat.copy_of(program)
    lanes = spread_rounds(program, free)
    if lanes is None or not may_batch(program):
        return None
    text = print_kernel(program, f"_{name.lstrip('_')}_kernel", batched=True)
    tests = [f"block[{'xyz'.index(a)}] == {n}" for a, n in free.required.items()]
    return Part(
        program, source.name, name, "tile", text, guard=" and ".join(tests), width=lanes,
        blocks="grid[0] * block[0]",
    )  # fmt: skip


def _lifted_part(source: Source, name: str, lifted: Lifted) -> Part:
    """A program without shared memory; by whole rows as well, where lanes share rows."""
    reload_gathers(lifted.program, lifted.shapes)
    share_exchanges(lifted.program)
    split_versions(lifted.program)
    # Parts of a warp share rows that are short.
    is_free = lifted.threads >= WARP and not _sums_doubles(lifted.program)
    is_free = is_free and widen(lifted.program, lifted.threads)
    width = WIDE if lifted.threads and is_free else 0
    rounds = None
    if lifted.threads >= WARP and not width and not _sums_doubles(lifted.program):
        rounds = take_rounds(lifted.program, lifted.threads)
    batched = lifted.threads > 0 and rounds is None and may_batch(lifted.program)
    text = print_kernel(
        lifted.program, f"_{name.lstrip('_')}_kernel", batched=batched, in_row=lifted.threads > 0
    )
    whole = one_round(lifted.program) if width else None
    if width and whole is None:
        width = NARROW
    row: Part | None = None
    if whole is not None:
        row = Part(
            whole[0], source.name, f"{name}_row", "tile",
            print_kernel(
                whole[0], f"_{name.lstrip('_')}_row_kernel",
                batched=may_batch(whole[0]) and not has_runs(whole[0].body),
            ),
        )  # fmt: skip
    fallback: Part | None = None
    try:
        fallback = _port_simt(source, f"_{name}_by_thread")
    except PortError:
        fallback = None
    return Part(
        lifted.program, source.name, name, "tile", text, guard=lifted.guard,
        fallback=fallback, width=width, row=row, row_bounds=whole[1] if whole else (),
        rounds=rounds,
    )  # fmt: skip


def _sums_doubles(program: flat.Program) -> bool:
    """Are doubles summed over lanes? Theirs is the most exact order there is to compare with."""
    return any(
        isinstance(s, flat.LaneReduce) and s.op in ("+", "*") and s.var.type == F64
        for s in flat.statements(program.body)
    )


def _port_warps(source: Source, name: str, launched: Sequence[Shape]) -> Part | None:
    """The kernel with a program a warp, where that pays."""
    lifted = lift_warps(lambda: _program(source), launched)
    if not isinstance(lifted, str) and _sums_doubles(lifted.program):
        lifted = lift_warps(lambda: _program(source), launched, exchanges=False)
    if isinstance(lifted, str):
        return None
    part = _lifted_part(source, name, lifted)
    width = lifted.threads
    if width < WARP and not part.text.batched:
        return None  # too few lanes for programs of their own
    has_loop = any(isinstance(s, flat.Loop) for s in flat.statements(lifted.program.body))
    if not part.width and not part.text.batched and not has_loop:
        return None  # too little work for programs of their own
    if not part.width:
        part = replace(part, width=width)
    return replace(part, blocks=f"grid[0] * threads // {width}")


def _port_contraction(
    source: Source, name: str, free: FreeShape | None, launched: Sequence[Shape]
) -> Part | None:
    """The kernel as one sum of products, if it is that."""
    program = _program(source)
    if not may_contract(program):
        return None
    if free is not None:
        # Right for any block, so for this one.
        extents = [free.required.get(a, 16 if len(free.axes) > 1 else 64) for a in free.axes]
        shapes: list[Shape] = [(*extents, 1, 1)[:3]]  # type: ignore[list-item]
        if free.axes not in (("x",), ("x", "y")):
            return None
    else:
        shapes = list(dict.fromkeys([*launched, *PRODUCT_BLOCKS]))
    for shape in shapes:
        try:
            found = contract(_program(source), shape)
        except NotTraced:
            continue
        if found.column_axis is None and not found.left.is_contiguous:
            return None  # neighbours read neighbours already
        if found.column_axis is not None and free is None and min(found.tile) < 8:
            return None  # few columns: no use for the matrix unit
        text, names = print_contraction(program, f"_{name.lstrip('_')}_kernel", found)
        part = Part(
            program, source.name, name, "tile", text, free=free, contraction=found, names=names,
        )  # fmt: skip
        if free is None:
            part = replace(
                part, guard=f"block == {shape}",
                fallback=_port_simt(source, f"_{name}_by_thread"),
            )  # fmt: skip
        return part
    return None
