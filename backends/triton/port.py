"""Port a thread-IR module to a Triton module: `port_module`.

Each kernel goes down the ladder `tile`, `simt` until a form is found that is right; one that has
none is left out, with the diagnostic that says why.
"""

from __future__ import annotations

from crossport.backends.triton import module as modules
from crossport.backends.triton.simt import print_kernel
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.lift.naming import Options, PortedKernel, PortedModule, function_names
from crossport.ir.lift.prepare import prepare
from crossport.ir.nodes import Function, Module


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
            part = _port(module, kernel, name)
        except PortError as error:
            kernels.append(PortedKernel(kernel.name, name, "refused", None, error.diagnostics))
            continue
        parts.append(part)
        kernels.append(PortedKernel(kernel.name, name, "ported", "simt", tuple(part.program.notes)))
    text = modules.module_text(options.source_name, source_text, parts) if parts else ""
    return PortedModule(text, tuple(kernels))


def _port(module: Module, kernel: Function, name: str) -> modules.Part:
    program = prepare(module, kernel)
    try:
        text = print_kernel(program, f"_{name}_kernel")
    except RecursionError:
        raise PortError(
            Diagnostic(Code.KERNEL_TOO_LARGE, "an expression nests too deeply", kernel.span)
        ) from None
    return modules.Part(program, kernel.name, name, "simt", text)
