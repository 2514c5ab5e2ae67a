"""Refuse kernels that wait for other threads inside a loop.

while (atomicCAS(&lock, 0, 1) != 0) ;      refused: in lock-step the holder never gets on
while (volatile_flag == 0) ;               refused: the other block may not be running
do { old = assumed; assumed = atomicCAS(p, old, f(old)); } while (old != assumed);     fine
for (tries = 0; tries < n; tries++) ...                  fine: it ends whatever others do
while (atomicCAS(&table[h], EMPTY, key) != EMPTY) h++;   fine if nobody empties the table
"""

from __future__ import annotations

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Binary, Const, Expr, Read, Var

_WAITS = "a loop here waits for another thread; run in lock-step it would never end"


def check_waits(program: flat.Program) -> None:
    """Raise PortError (CP4002) for a loop whose end is up to another thread."""
    for statement in flat.statements(program.body):
        if isinstance(statement, flat.Loop) and _waits(statement, program):
            raise PortError(
                Diagnostic(
                    Code.CROSS_THREAD_WAIT,
                    _WAITS,
                    span=program.span,
                    help="split the kernel where it waits, or keep it in HIP",
                )
            )


def _waits(loop: flat.Loop, program: flat.Program) -> bool:
    if _is_counted(loop):
        return False
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
            case flat.AtomicUpdate(_, "cas", ref, operands):
                if all(isinstance(o, Const) or not _changes(o, inside) for o in operands):
                    return not (_changes(ref.index, inside) and _only_here(statement, program))
            case flat.AtomicUpdate(_, "exch" | "and" | "or", _, operands):
                if all(isinstance(o, Const) for o in operands):
                    return True
            case flat.AtomicUpdate(_, "add", _, operands):
                if all(isinstance(o, Const) and o.value == 0 for o in operands):
                    return True
            case _:
                pass
    return False


def _is_counted(loop: flat.Loop) -> bool:
    """Does a counter that every round moves on end it, whatever the lanes read?"""
    inside = list(flat.statements([loop]))
    return any(_counts(part, loop, inside) for part in _conjuncts(loop.condition))


def _conjuncts(condition: Expr) -> list[Expr]:
    match condition:
        case Binary("&&", left, right):
            return [*_conjuncts(left), *_conjuncts(right)]
        case _:
            return [condition]


def _counts(condition: Expr, loop: flat.Loop, inside: list[flat.Statement]) -> bool:
    """`counter < bound`: the one is assigned once, `counter + 1`, the other never."""
    match condition:
        case Binary("<" | "<=" | "!=", Read(Var(name)), bound):
            sign = "+"
        case Binary(">" | ">=", Read(Var(name)), bound):
            sign = "-"
        case _:
            return False
    moves = [s for s in inside if any(v.name == name for v in flat.targets(s))]
    if _changes(bound, inside) or len(moves) != 1 or moves[0] not in [*loop.step, *loop.body]:
        return False
    match moves[0]:
        case flat.Set(_, Binary(op, Read(Var(counter)), Const(1))):
            return op == sign and counter == name
        case _:
            return False


def _only_here(statement: flat.AtomicUpdate, program: flat.Program) -> bool:
    """Is this compare-and-swap all that writes its array: does nobody take back what it put?"""
    return not any(
        isinstance(other, flat.Store | flat.AtomicUpdate)
        and other is not statement
        and other.ref.root == statement.ref.root
        for other in flat.statements(program.body)
    )


def _retries(inside: list[flat.Statement]) -> bool:
    """Does the loop make its own progress by a compare-and-swap of what it loaded?"""
    return any(isinstance(s, flat.AtomicUpdate) and s.op == "cas" for s in inside)


def _changes(expr: object, inside: list[flat.Statement]) -> bool:
    written = {v.name for s in inside for v in flat.targets(s)}
    return bool(reads(expr) & written)  # type: ignore[arg-type]


def _leaves(branch: flat.Branch, loop: flat.Loop) -> bool:
    return any(isinstance(s, flat.Leave) for s in flat.statements([branch]))
