"""Port a thread-IR module to a JAX module: `port_module`."""

from __future__ import annotations

from contextlib import suppress

from crossport.backends.pallas import module as modules
from crossport.backends.pallas.contraction import print_contraction
from crossport.backends.pallas.mosaic import NotTiled
from crossport.backends.pallas.tile import print_tile
from crossport.backends.pallas.vmem import TileText, print_vmem
from crossport.backends.pallas.xla import print_kernel
from crossport.diagnostics import Code, Diagnostic, PortError, Severity
from crossport.ir.facts.launch_shapes import likely_blocks
from crossport.ir.lift import flat
from crossport.ir.lift.flatten import refuse
from crossport.ir.lift.naming import Options, PortedKernel, PortedModule, Tier, function_names
from crossport.ir.lift.prepare import prepare
from crossport.ir.lift.tidy import tidy
from crossport.ir.nesting import room
from crossport.ir.nodes import Function, Module
from crossport.ir.tile.blocks import Shape, lift_for_blocks, needs_exchange
from crossport.ir.tile.contract import contract, may_contract
from crossport.ir.tile.retile import retile
from crossport.ir.tile.trace import NotTraced

PRODUCT_BLOCKS: tuple[Shape, ...] = (
    (16, 16, 1), (32, 32, 1), (256, 1, 1), (128, 1, 1), (8, 8, 1), (32, 8, 1), (64, 1, 1),
)  # fmt: skip


def port_module(module: Module, source_text: str, options: Options | None = None) -> PortedModule:
    """Port every kernel of a module. Raises nothing: what fails is in the result."""
    options = options or Options()
    parts: list[modules.Part] = []
    kernels: list[PortedKernel] = []
    names = function_names(module.kernels)
    for kernel in module.kernels:
        if not options.wants(kernel):
            continue
        name = names[kernel.name]
        try:
            with room():
                part = _port(module, kernel, name, options)
        except PortError as error:
            kernels.append(PortedKernel(kernel.name, name, "refused", None, error.diagnostics))
            continue
        parts.append(part)
        tier: Tier = "tile" if part.kernel else "xla"
        kernels.append(PortedKernel(kernel.name, name, "ported", tier, tuple(part.program.notes)))
    text = modules.module_text(options.source_name, source_text, parts) if parts else ""
    return PortedModule(text, tuple(kernels))


def _port(module: Module, kernel: Function, name: str, options: Options) -> modules.Part:
    if prepare(module, kernel).failure:
        # A function that is traced can raise nothing where threads run out of stack.
        raise refuse("a function calls itself otherwise than at its end", kernel.span)
    if "tile" not in options.tiers:
        return _port_xla(module, kernel, name)
    part = _port_elementwise(module, kernel, name)
    if part is not None:
        return part
    try:
        part = _port_contraction(module, kernel, name, options)
        part = part or _port_vmem(module, kernel, name, options)
    except NotTiled as reason:
        part = _port_xla(module, kernel, name)
        note = f"no Pallas form: {reason}"
        part.program.notes.append(Diagnostic(Code.LOWER_TIER, note, kernel.span, Severity.NOTE))
    return part


def _port_xla(module: Module, kernel: Function, name: str) -> modules.Part:
    """All threads of the grid at once, in jax.numpy."""
    program = prepare(module, kernel)
    return modules.Part(program, kernel.name, name, "xla", print_kernel(program))


def _port_elementwise(module: Module, kernel: Function, name: str) -> modules.Part | None:
    """Blocks of every array, streamed, if the kernel stays at its own index."""
    program = prepare(module, kernel)
    free = retile(program)
    if isinstance(free, str):
        return None
    tidy(program)
    try:
        tile = print_tile(program, free, name)
    except NotTiled:
        return None
    return modules.Part(program, kernel.name, name, "tile", tile.text, tuple(tile.kernel))


def _port_vmem(module: Module, kernel: Function, name: str, options: Options) -> modules.Part:
    """Arrays whole in VMEM, threads as lanes; without shared memory where that can be lifted."""
    if needs_exchange(prepare(module, kernel)):
        launched = options.blocks.get(kernel.name) or options.blocks.get(kernel.base_name)
        shapes = launched or likely_blocks(module, kernel)
        lifted = lift_for_blocks(lambda: prepare(module, kernel), shapes)
        if not isinstance(lifted, str):
            with suppress(NotTiled):
                tile = print_vmem(lifted.program, name, guard=lifted.guard)
                return _with_fallback(module, kernel, name, lifted.program, tile, lifted.guard)
    return _port_threads(module, kernel, name)


def _port_threads(module: Module, kernel: Function, name: str) -> modules.Part:
    """As the source has it: any block shape, shared memory in scratch memory."""
    program = prepare(module, kernel)
    if not needs_exchange(program):
        free = retile(program)
        if not isinstance(free, str) and not free.programs:
            tidy(program)
            return _with_fallback(module, kernel, name, program, print_vmem(program, name, free))
        program = prepare(module, kernel)
    return _with_fallback(module, kernel, name, program, print_vmem(program, name))


def _port_contraction(
    module: Module, kernel: Function, name: str, options: Options
) -> modules.Part | None:
    """The kernel as one sum of products, if it is that."""
    program = prepare(module, kernel)
    if not may_contract(program):
        return None
    free = retile(program)
    guard = ""
    if not isinstance(free, str):
        # Right for any block, so for this one.
        if free.axes not in (("x",), ("x", "y")) or free.required:
            return None
        shapes: list[Shape] = [(64, 1, 1) if len(free.axes) == 1 else (16, 16, 1)]
    else:
        launched = options.blocks.get(kernel.name) or options.blocks.get(kernel.base_name) or ()
        shapes = list(dict.fromkeys([*launched, *PRODUCT_BLOCKS]))
    for shape in shapes:
        with suppress(NotTraced, NotTiled):
            found = contract(prepare(module, kernel), shape)
            guard = f"block == {shape}" if isinstance(free, str) else ""
            program = prepare(module, kernel)
            tile = print_contraction(program, name, found, guard)
            return _with_fallback(module, kernel, name, program, tile, guard)
    return None


def _with_fallback(
    module: Module,
    kernel: Function,
    name: str,
    program: flat.Program,
    tile: TileText,
    guard: str = "",
) -> modules.Part:
    """A Pallas kernel, with the form for launches that it does not take."""
    fallback: modules.Part | None = None
    if guard:
        with suppress(NotTiled):
            fallback = _port_threads(module, kernel, f"_{_plain(name)}_by_thread")
    if fallback is None:
        with suppress(PortError):
            fallback = _port_xla(module, kernel, f"_{_plain(name)}_by_grid")
    fits = "launches whose arrays fit in VMEM" + (f", with {guard}" if guard else "")
    return modules.Part(
        program, kernel.name, name, "tile", tile.text, tuple(tile.kernel), fallback, fits
    )


def _plain(name: str) -> str:
    return name.strip("_").removesuffix("_by_thread")
