"""Port a thread-IR module to a JAX module: `port_module`."""

from __future__ import annotations

from crossport.backends.pallas import module as modules
from crossport.backends.pallas.tile import NotTiled, print_tile
from crossport.backends.pallas.xla import KernelText, print_kernel
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.lift import flat
from crossport.ir.lift.naming import Options, PortedKernel, PortedModule, Tier, function_names
from crossport.ir.lift.prepare import prepare
from crossport.ir.lift.tidy import tidy
from crossport.ir.nodes import Function, Module
from crossport.ir.tile.retile import retile


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
            part = _port_tile(module, kernel, name) if "tile" in options.tiers else None
            part = part or _port(module, kernel, name)
        except PortError as error:
            kernels.append(PortedKernel(kernel.name, name, "refused", None, error.diagnostics))
            continue
        parts.append(part)
        tier: Tier = "tile" if part.tile else "xla"
        kernels.append(PortedKernel(kernel.name, name, "ported", tier, tuple(part.program.notes)))
    text = modules.module_text(options.source_name, source_text, parts) if parts else ""
    return PortedModule(text, tuple(kernels))


def _port(module: Module, kernel: Function, name: str) -> modules.Part:
    program = prepare(module, kernel)
    try:
        text = print_kernel(program)
    except RecursionError:
        raise PortError(
            Diagnostic(Code.KERNEL_TOO_LARGE, "an expression nests too deeply", kernel.span)
        ) from None
    return modules.Part(program, kernel.name, name, "xla", text)


def _port_tile(module: Module, kernel: Function, name: str) -> modules.Part | None:
    """A Pallas kernel, if this one has such a form."""
    try:
        program = prepare(module, kernel)
        free = retile(program)
        if isinstance(free, str):
            return None
        tidy(program)
        lines, expressions = print_tile(program, free, name)
    except (NotTiled, RecursionError):
        return None
    stored = {s.ref.root.name for s in flat.statements(program.body) if isinstance(s, flat.Store)}
    written = tuple(
        root.name for p in program.parameters for _, root in p.roots if root.name in stored
    )
    text = KernelText([], expressions, written)
    return modules.Part(program, kernel.name, name, "tile", text, tuple(lines))
