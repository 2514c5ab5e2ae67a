"""Loops that wait for a lock: the lanes of a wavefront do not progress on their own.

    while (atomicCAS(lock, 0, 1) != 0);        reported
    ... critical section ...

Since Volta, a lane that waits lets the lane that holds the lock run. A wavefront runs its lanes in
lock-step, and here it has twice as many of them: when one holds the lock and another waits for it,
both wait for ever. It is right only where at most one lane of a wavefront takes part.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.unit import TranslationUnit

_ACQUIRING = frozenset((b"atomicCAS", b"atomicExch", b"atomicCAS_block", b"atomicExch_block"))
_LOOPS = frozenset((CursorKind.WHILE_STMT, CursorKind.DO_STMT))


def check_spin_locks(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Report the loops with nothing in them but the wait for an atomic exchange."""
    if all(file.text.words.isdisjoint(_ACQUIRING) for file in files.values()):
        return
    done: set[tuple[str, int]] = set()
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cursor in clang.find(function, _LOOPS):
            if not _waits(cursor):
                continue
            location = cursor.location
            name = location.file.name if location.file is not None else ""
            if name in files and (name, location.offset) not in done:
                done.add((name, location.offset))
                _report(files[name], location.offset)


def _waits(loop: Cursor) -> bool:
    """An empty body, and a condition that exchanges."""
    parts = clang.children(loop)
    if len(parts) != 2:
        return False
    condition, body = parts if loop.kind == CursorKind.WHILE_STMT else (parts[1], parts[0])
    is_empty = body.kind == CursorKind.NULL_STMT or (
        body.kind == CursorKind.COMPOUND_STMT and not clang.children(body)
    )
    return is_empty and any(
        c.kind == CursorKind.CALL_EXPR and c.spelling.encode() in _ACQUIRING
        for c in clang.walk(condition)
    )


def _report(file: File, offset: int) -> None:
    file.report(
        Code.SPIN_LOCK,
        "lanes of one wavefront that wait here for each other's lock wait for ever: AMD GPUs run"
        " them in lock-step",
        file.text.tokens.index_at(offset),
        Severity.WARNING,
        "let one lane of a wavefront take the lock, or do the work inside the loop of the lane"
        " that got it: while (!done) if (atomicCAS(lock, 0, 1) == 0) { ...; done = true; }",
    )
