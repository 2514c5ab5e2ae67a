"""Everything between thread IR and a printable flat program, in order."""

from __future__ import annotations

from dataclasses import dataclass

from crossport.diagnostics import Code, Diagnostic, PortError, Span
from crossport.ir.lift import flat
from crossport.ir.lift.expand_random import expand_random
from crossport.ir.lift.flatten import flatten
from crossport.ir.lift.hazards import check_waits
from crossport.ir.lift.narrow import narrow
from crossport.ir.lift.tidy import tidy
from crossport.ir.nesting import MOST_NESTED, nesting, room
from crossport.ir.nodes import Function, Module, Node
from crossport.ir.reachable import reachable


@dataclass(frozen=True)
class Source:
    """A kernel, or a part of one, of which flat programs are made: each time one of its own."""

    module: Module
    kernel: Function
    whole: flat.Program

    @property
    def name(self) -> str:
        """The kernel's full name."""
        return self.kernel.name

    @property
    def span(self) -> Span | None:
        """Where the kernel is."""
        return self.kernel.span

    def program(self) -> flat.Program:
        """A program that may be changed in place."""
        return flat.copy_of(self.whole)


def source_of(module: Module, kernel: Function) -> Source:
    """The source that a kernel is; PortError if it has no flat program."""
    return Source(module, kernel, prepare(module, kernel))


def prepare(module: Module, kernel: Function) -> flat.Program:
    """The flat, tidy program of a kernel; PortError if it has none or waits for other threads."""
    with room():
        module = expand_random(module)
        function = module.function(kernel.name)
        for reached in reachable(module, function):
            _check_nesting(reached, kernel)
        program = tidy(flatten(module, function))
        for statement in flat.statements(program.body):
            for expr in flat.expressions(statement):
                _check_nesting(expr, kernel)
        # Narrowing makes copies of what were conversions: tidy once more.
        tidy(narrow(program))
        check_waits(program)
    return program


def _check_nesting(node: Node, kernel: Function) -> None:
    depth = nesting(node)
    if depth > MOST_NESTED:
        text = f"what it computes nests {depth} levels deep, more than {MOST_NESTED}"
        raise PortError(
            Diagnostic(
                Code.KERNEL_TOO_LARGE, text, node.span or kernel.span,
                help="give parts of the long expression names of their own",
            )
        )  # fmt: skip
