"""Replace exchanges through shared memory and shuffles by what they compute.

    s[tid] = x; barrier                                         x_all = reduce + over lanes of x
    for (k = 128; k > 0; k >>= 1) {                       ->    if (tid == 0) out[block.x] = x_all
      if (tid < k) s[tid] += s[tid + k]; barrier }
    if (tid == 0) out[block.x] = s[0]

The kernel is executed for all threads of one block at once: values that depend on nothing but the
thread numbers are concrete, all others are atoms (a variable in a lane), and shared memory holds
such values a cell. Where a value made of other lanes' atoms meets anything but an associative
operator, it is summarised: a reduction, a scan, a matrix product, a permutation. No spelling is
recognised; only what each lane ends up with counts.

The result holds for the block shape it was made for. `NotLifted` says what had no summary: then
the kernel keeps its shared memory.

One class executes; each file holds one layer of it, and a layer uses those below:

    control.py -> own_cells.py -> updates.py -> dynamic.py -> shared.py -> evaluation.py -> state.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import tidy
from crossport.ir.tile.barriers import hoist_barriers
from crossport.ir.tile.exchange.control import Executor
from crossport.ir.tile.limits import MOST_STATEMENTS, NotLifted


def lift_exchanges(
    program: flat.Program,
    block: tuple[int, int, int],
    *,
    eager: bool = False,
    rolled: bool = False,
    dynamic_bytes: int = 0,
) -> flat.Program:
    """The program without shared memory, for that block shape; NotLifted if there is no such.

    eager: whatever is stored or shuffled becomes a value of its own at once, so that no chain of
    operators goes through several exchanges. rolled: loops that only read shared memory stay loops.
    """
    hoist_barriers(program)
    executor = Executor(program, block, eager, rolled, dynamic_bytes)
    body: flat.Body = []
    executor.body(program.body, body)
    lifted = replace(program, body=body, globals=(*program.globals, *executor.summary.tables))
    _strip_shared(lifted)
    return lifted


def _strip_shared(program: flat.Program) -> None:
    """Drop barriers that order nothing any more."""
    tidy(program)
    program.shared = ()
    program.has_dynamic_shared = False
    stored = {
        s.ref.root.name
        for s in flat.statements(program.body)
        if isinstance(s, flat.Store | flat.AtomicUpdate)
    }
    loaded = {s.ref.root.name for s in flat.statements(program.body) if isinstance(s, flat.Load)}
    if not stored & loaded:
        _drop(program.body, lambda s: isinstance(s, flat.Sync) and s.scope != "grid")
        tidy(program)
    if sum(1 for _ in flat.statements(program.body)) > MOST_STATEMENTS:
        raise NotLifted("the program without shared memory is too long")


def _drop(body: flat.Body, wanted: Callable[[flat.Statement], bool]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _drop(below, wanted)
    body[:] = [s for s in body if not wanted(s)]


__all__ = ["NotLifted", "lift_exchanges"]
