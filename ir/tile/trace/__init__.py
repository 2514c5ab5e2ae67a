"""Follow a kernel around one sum of products, for all threads of a block at once.

    for (t = 0; t < tiles; ++t) {                     each round, thread by thread, which element of
      As[ty][tx] = A[row * K + t * 16 + tx]; ...  ->  which array meets which, and in whose total:
      for (k = 0; k < 16; ++k)                        acc += A[(16 by + 3) K + 16 t + k]
        acc += As[ty][k] * Bs[k][tx];                        * B[(16 t + k) N + 16 bx + 5]
    }

Integers are polynomials (polynomial.py). A float inside the loop is an element of an array, carried
through registers and shared memory whoever put it there; behind the loop it is an expression of the
totals. Nothing else is understood: then `NotTraced` says what. contract/ looks for the axes.

Shared memory is followed cell by cell: an access that no barrier separates from another thread's is
refused, and so is a cell whose content is older than the round.

One class follows; each file holds one layer of it, and a layer uses those below:

    statements.py -> rounds.py -> memory.py -> floats.py -> integers.py -> values.py
"""

from __future__ import annotations

from crossport.ir.lift import flat
from crossport.ir.tile.trace.statements import Tracer
from crossport.ir.tile.trace.values import (
    NOWHERE,
    ROUND,
    SOURCE,
    Condition,
    Conditions,
    Element,
    NotTraced,
    Store,
    Trace,
)


def trace(program: flat.Program, shape: tuple[int, int, int]) -> Trace:
    """Follow the kernel; raises NotTraced."""
    tracer = Tracer(program, shape)
    tracer.body(program.body)
    if tracer.found.rounds is None or not tracer.found.stores:
        raise NotTraced("no loop sums products")
    return tracer.found


__all__ = [
    "NOWHERE",
    "ROUND",
    "SOURCE",
    "Condition",
    "Conditions",
    "Element",
    "NotTraced",
    "Store",
    "Trace",
    "trace",
]
