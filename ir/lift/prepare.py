"""Everything between thread IR and a printable flat program, in order."""

from __future__ import annotations

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.lift import flat
from crossport.ir.lift.expand_random import expand_random
from crossport.ir.lift.flatten import flatten
from crossport.ir.lift.hazards import check_waits
from crossport.ir.lift.narrow import narrow
from crossport.ir.lift.tidy import tidy
from crossport.ir.nodes import Function, Module


def prepare(module: Module, kernel: Function) -> flat.Program:
    """The flat, tidy program of a kernel; PortError if it has none or waits for other threads."""
    try:
        module = expand_random(module)
        program = tidy(flatten(module, module.function(kernel.name)))
        # Narrowing makes copies of what were conversions: tidy once more.
        tidy(narrow(program))
        check_waits(program)
    except RecursionError:
        raise PortError(
            Diagnostic(Code.KERNEL_TOO_LARGE, "an expression nests too deeply", kernel.span)
        ) from None
    return program
