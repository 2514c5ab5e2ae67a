"""Refuse kernels that wait for other threads inside a loop.

while (atomicCAS(&lock, 0, 1) != 0) ;      refused: in lock-step the holder never gets on
while (volatile_flag == 0) ;               refused: the other block may not be running
do { old = assumed; assumed = atomicCAS(p, old, f(old)); } while (old != assumed);     fine
"""

from __future__ import annotations

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Const

_WAITS = "a loop here waits for another thread; run in lock-step it would never end"


def check_waits(program: flat.Program) -> None:
    """Raise PortError (CP4002) for a loop whose end is up to another thread."""
    for statement in flat.statements(program.body):
        if isinstance(statement, flat.Loop) and _waits(statement):
            raise PortError(
                Diagnostic(
                    Code.CROSS_THREAD_WAIT,
                    _WAITS,
                    span=program.span,
                    help="split the kernel where it waits, or keep it in HIP",
                )
            )


def _waits(loop: flat.Loop) -> bool:
    inside = list(flat.statements([loop]))
    wanted = reads(loop.condition)
    conditions = [s for s in inside if isinstance(s, flat.Branch) and _leaves(s, loop)]
    for branch in conditions:
        wanted |= reads(branch.condition)
    # Everything that the exit depends on, through the assignments in the loop.
    grown = True
    while grown:
        before = len(wanted)
        for statement in inside:
            if any(var.name in wanted for var in flat.targets(statement)):
                for expr in flat.expressions(statement):
                    wanted |= reads(expr)
            if isinstance(statement, flat.Branch) and any(
                v.name in wanted for s in flat.statements([statement]) for v in flat.targets(s)
            ):
                wanted |= reads(statement.condition)
        grown = len(wanted) > before
    for statement in inside:
        if all(var.name not in wanted for var in flat.targets(statement)):
            continue
        match statement:
            case flat.Load(_, ref, _, True) if ref.root.space != "shared":
                return not _retries(inside)
            case flat.AtomicUpdate(_, "cas", _, operands):
                if all(isinstance(o, Const) or not _changes(o, inside) for o in operands):
                    return True
            case flat.AtomicUpdate(_, "exch" | "and" | "or", _, operands):
                if all(isinstance(o, Const) for o in operands):
                    return True
            case flat.AtomicUpdate(_, "add", _, operands):
                if all(isinstance(o, Const) and o.value == 0 for o in operands):
                    return True
            case _:
                pass
    return False


def _retries(inside: list[flat.Statement]) -> bool:
    """Does the loop make its own progress by a compare-and-swap of what it loaded?"""
    return any(isinstance(s, flat.AtomicUpdate) and s.op == "cas" for s in inside)


def _changes(expr: object, inside: list[flat.Statement]) -> bool:
    written = {v.name for s in inside for v in flat.targets(s)}
    return bool(reads(expr) & written)  # type: ignore[arg-type]


def _leaves(branch: flat.Branch, loop: flat.Loop) -> bool:
    return any(isinstance(s, flat.Leave) for s in flat.statements([branch]))
