"""Thread IR to the flat thread program (flat.py): inline calls, dissolve structs and arrays.

    __device__ void bounce(float& p, float& v) { if (p < 0) p = -p; }      if (p_x < 0) {
    bounce(p.x, p.vx);                                                 ->    p_x = -p_x
                                                                           }

It walks the kernel once, carrying for every name what it stands for (values.py): a scalar variable,
a table of them (structs, local arrays), or a root and an offset (pointers). So a reference to a
local, a struct of pointers, or a cast between pointer types needs no case of its own. Where a first
guess about a variable proves wrong (a pointer that changes its root), the walk starts again without
it (guesses.py).

One class does the walk; each file holds one layer of it, and a layer uses those below:

    statements.py -> calls.py -> loops.py -> lanes.py -> expressions.py -> places.py -> variables.py
                  -> pointers.py -> context.py
"""

from __future__ import annotations

from crossport.ir import nodes as n
from crossport.ir.lift import flat
from crossport.ir.lift.flatten.guesses import Guesses, Retry
from crossport.ir.lift.flatten.statements import Flattener
from crossport.ir.lift.flatten.values import refuse


def flatten(module: n.Module, kernel: n.Function) -> flat.Program:
    """The flat form of a kernel. PortError (CP4xxx) names the construct that has none."""
    state = Guesses()
    for _ in range(64):
        try:
            return Flattener(module, kernel, state).run()
        except Retry as retry:
            retry.apply(state)
    raise refuse("pointer variables change what they point to in too many ways", kernel.span)


__all__ = ["flatten", "refuse"]
