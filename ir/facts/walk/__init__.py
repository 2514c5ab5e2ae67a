"""Walk a kernel once, symbolically, and note what it does to memory, lanes and time.

    for (int i = tid; i < n; i += stride) y[i] = x[i];

    load  x  offset 4*tid + 4*stride*it@1      loop 1: it@1 from 0, while tid + stride*it@1 < n
    store y  offset 4*tid + 4*stride*it@1

Scalars are polynomials (ir/facts/symbolic.py), pointers a base object and a byte offset. A loop's
variables get a closed form (init + step * it) where they have one, else a recurrence that can be
run. Device functions are walked where they are called.
"""

from __future__ import annotations

from crossport.ir.facts.walk.noted import (
    Access,
    Address,
    Base,
    Branch,
    Exchange,
    Loop,
    Sync,
    Trace,
    Work,
)
from crossport.ir.facts.walk.statements import Walker
from crossport.ir.nodes import Function, Module


def walk_kernel(module: Module, kernel: Function) -> Trace:
    """Note what `kernel` does. Never fails: what is not understood becomes an unknown value."""
    walker = Walker(module)
    walker.enter(kernel)
    return walker.trace


__all__ = [
    "Access",
    "Address",
    "Base",
    "Branch",
    "Exchange",
    "Loop",
    "Sync",
    "Trace",
    "Work",
    "walk_kernel",
]
