"""For which block shapes a kernel lifts, and to what: one program, and the condition on blocks.

    all of 32, 64, ... 1024 threads give the same program      guard: block in one row of those
    only (16, 16) lifts                                        guard: block == (16, 16, 1)

Lifting is exact for a concrete shape. A program is offered for several only if lifting was done
for each of them and gave the same program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossport.ir.lift import flat
from crossport.ir.lift.tidy import tidy
from crossport.ir.tile.batch import in_one_row
from crossport.ir.tile.exchange import lift_exchanges
from crossport.ir.tile.limits import NotLifted, WrongShape
from crossport.ir.tile.warps import WARP, Warps, split_warps

Shape = tuple[int, int, int]
ROWS: tuple[int, ...] = (32, 64, 128, 256, 512, 1024)
MORE_ROWS: tuple[int, ...] = (96, 160, 192, 320, 384, 640, 768, 896)
DYNAMIC_BYTES = 48 << 10


@dataclass(frozen=True)
class Lifted:
    """A program without shared memory, and when it is right."""

    program: flat.Program
    guard: str
    threads: int = 0
    """The number of threads that the program was made for, where they stand in one row."""
    shapes: tuple[Shape, ...] = ()
    """The blocks that it is right for."""


def needs_exchange(program: flat.Program) -> bool:
    """Do threads of a block pass values to each other?"""
    return bool(program.shared) or any(
        isinstance(s, flat.WarpStatement | flat.Sync) for s in flat.statements(program.body)
    )


def lift_for_blocks(prepare: Callable[[], flat.Program], shapes: Sequence[Shape]) -> Lifted | str:
    """Lift for the first of some shapes that allows it, and others with the same program.

    Says why not where none does: the reason of the first shape that the kernel may have.
    """
    reasons: dict[Shape, str] = {}
    wrong: set[Shape] = set()
    done: dict[Shape, flat.Program] = {}

    def attempt(shape: Shape) -> flat.Program | None:
        if shape in done:
            return done[shape]
        if shape in reasons:
            return None
        program = prepare()
        threads = shape[0] * shape[1] * shape[2]
        if program.max_threads and threads > program.max_threads:
            reasons[shape] = "more threads than its launch bounds"
            return None
        try:
            in_row = (lambda: in_one_row(prepare())) if shape[1] * shape[2] == 1 else prepare
            done[shape] = _lift(in_row, shape)
        except NotLifted as reason:
            reasons[shape] = str(reason)
            if isinstance(reason, WrongShape):
                wrong.add(shape)
            return None
        return done[shape]

    first = next((s for s in shapes if attempt(s) is not None), None)
    if first is None:
        told = next((s for s in shapes if s not in wrong), shapes[0])
        return reasons[told]
    program = done[first]
    if first[1] * first[2] == 1:
        same = [t for t in ROWS if _equal(attempt((t, 1, 1)), program)]
        if len(same) > 1:
            same += [t for t in MORE_ROWS if _equal(attempt((t, 1, 1)), program)]
        listed = ", ".join(map(str, sorted({*same, first[0]})))
        comma = "," if listed.isdigit() else ""
        guard = f"block[1:] == (1, 1) and block[0] in ({listed}{comma})"
        return Lifted(program, guard, first[0], tuple((t, 1, 1) for t in sorted({*same, first[0]})))
    return Lifted(program, f"block == {first}", shapes=(first,))


def lift_warps(
    prepare: Callable[[], flat.Program], launched: Sequence[Shape], *, exchanges: bool = True
) -> Lifted | str:
    """Lift for blocks of one warp, where the kernel's warps do not depend on each other.

    `exchanges`: False leaves the shuffles as they are, and with them the order of sums.
    """
    width = _group(prepare())
    forms = [Warps(is_row_each=False), Warps(is_row_each=True)]
    if width < WARP:
        forms = [Warps(is_row_each=False, width=width)]
    for x, y, z in launched if width == WARP else ():
        threads = x * y * z
        if threads % WARP == 0:
            forms.append(Warps(x == WARP and y > 1, threads // WARP))
    reason = ""
    for warps in forms:

        def split(warps: Warps = warps) -> flat.Program:
            program = prepare()
            why = split_warps(program, warps)
            if why is not None:
                raise NotLifted(why)
            tidy(program)
            return program

        try:
            program = _lift(split, (width, 1, 1)) if exchanges else split()
            return Lifted(program, warps.guard, width, ((width, 1, 1),))
        except NotLifted as found:
            reason = reason or str(found)
    return reason


def _group(program: flat.Program) -> int:
    """Lanes of the largest group that exchanges values; a warp where that is not known."""
    widths = [
        s.width
        for s in flat.statements(program.body)
        if isinstance(s, flat.Exchange | flat.Ballot | flat.GroupReduce)
    ]
    widest = max(widths, default=WARP)
    return widest if widest in (4, 8, 16) else WARP


def _lift(prepare: Callable[[], flat.Program], shape: Shape) -> flat.Program:
    """The first way of lifting that works; the first one's reason if none does."""
    first: NotLifted | None = None
    for eager, rolled in ((False, False), (True, False), (False, True)):
        try:
            return lift_exchanges(
                prepare(), shape, eager=eager, rolled=rolled, dynamic_bytes=DYNAMIC_BYTES
            )
        except NotLifted as reason:
            first = first or reason
    assert first is not None
    raise first


def _equal(one: flat.Program | None, other: flat.Program) -> bool:
    return one is not None and repr(one.body) == repr(other.body)
