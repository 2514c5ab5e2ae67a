"""Deterministic passes on the thread IR. `simplify` runs the list of them.

Each file holds one pass, named for what it does, with a picture; tests/ir/passes has its cases. A
pass never changes what a module computes: `interpret(pass(m)) == interpret(m)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crossport.ir.nesting import room
from crossport.ir.nodes import Function, Module
from crossport.ir.passes.canonicalize_loops import canonicalize_loops
from crossport.ir.passes.drop_dead_code import drop_dead_code
from crossport.ir.passes.fold_constants import fold_constants
from crossport.ir.passes.forward_reads import forward_reads
from crossport.ir.passes.inline_calls import inline_calls
from crossport.ir.passes.nest_guards import nest_guards
from crossport.ir.passes.split_structs import split_structs

__all__ = [
    "PASSES",
    "canonicalize_loops",
    "drop_dead_code",
    "each_function",
    "fold_constants",
    "forward_reads",
    "inline_calls",
    "nest_guards",
    "simplify",
    "split_structs",
]


def each_function(rule: Callable[[Function], Function]) -> Callable[[Module], Module]:
    """A pass on functions as a pass on modules."""

    def run(module: Module) -> Module:
        functions = tuple(rule(f) for f in module.functions)
        if all(a is b for a, b in zip(functions, module.functions, strict=True)):
            return module
        return replace(module, functions=functions)

    run.__name__ = rule.__name__
    return run


PASSES: tuple[Callable[[Module], Module], ...] = (
    inline_calls,
    # References to locals are plain reads once calls are gone; only then can structs be split.
    each_function(fold_constants),
    split_structs,
    each_function(forward_reads),
    each_function(fold_constants),
    each_function(drop_dead_code),
    each_function(canonicalize_loops),
    each_function(nest_guards),
)


@room()
def simplify(module: Module) -> Module:
    """Run `PASSES` in order."""
    for rule in PASSES:
        module = rule(module)
    return module
