"""Loops in which a lane waits for another lane: within a wavefront, that one never gets to run.

    while (atomicCAS(lock, 0, 1) != 0);                     a lock
    do { got = atomicExch(lock, 1); } while (got);          a lock, by way of a variable
    while (flag == 0) __nanosleep(32);                      a flag (volatile) that another warp sets
    while (atomicAdd(&flag, 0) == 0);                       a flag, read by an atomic

Since Volta, a lane that waits lets the others of its warp run, and two warps run apart anyhow. A
wavefront runs its lanes in lock-step, and one of 64 holds two CUDA warps: a lane that waits for a
lane of its own wavefront waits for ever. Such a loop is reported unless one thread of the block
alone comes to it (`if (threadIdx.x == 0)`) and what it waits for is not the block's own memory.

A loop that does its work inside (stores, releases the lock) is no wait; nor is a search that goes
from place to place, nor the retry of a compare-and-swap, where one lane always gets through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.unit import TranslationUnit

# Atomics that take a lock, by the index of the argument that must be a constant.
_TAKING = {"atomicCAS": 1, "atomicExch": 1}
# Atomics that read a flag when what they add is nothing.
_READING = {"atomicAdd": 1, "atomicOr": 1, "atomicXor": 1, "atomicSub": 1}
_SCOPES = ("", "_block", "_system")
# What a loop may call and still do nothing but wait.
_IDLE = frozenset(
    "__nanosleep __threadfence __threadfence_block __threadfence_system __syncwarp clock clock64"
    " __activemask min max __ldcg __ldcv __ldca __ldg".split()
)
_LOOPS = frozenset((CursorKind.WHILE_STMT, CursorKind.DO_STMT))
_READS = frozenset(
    (
        CursorKind.DECL_REF_EXPR,
        CursorKind.MEMBER_REF_EXPR,
        CursorKind.ARRAY_SUBSCRIPT_EXPR,
        CursorKind.UNARY_OPERATOR,
    )
)
_WRITES = frozenset((CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR))
_NAMES = frozenset((CursorKind.DECL_REF_EXPR,))
_PARTS = _WRITES | _NAMES
_STEPS = frozenset((CursorKind.UNARY_OPERATOR,))
_STEPPING = ("++", "--", "post++", "post--")
_WORDS = frozenset((b"volatile", *(name.encode() for name in (*_TAKING, *_READING))))


def check_spin_locks(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Report the loops of a unit that wait for another lane."""
    if all(file.text.words.isdisjoint(_WORDS) for file in files.values()):
        return
    done: set[tuple[str, int]] = set()
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        if not clang.find(function, _LOOPS):
            continue
        for loop, is_single in _loops(function):
            location = loop.location
            name = location.file.name if location.file is not None else ""
            if name not in files or (name, location.offset) in done:
                continue
            awaited = _awaited(loop)
            if awaited is None or (is_single and not _is_shared(awaited)):
                continue
            done.add((name, location.offset))
            _report(files[name], location.offset)


def _loops(function: Cursor) -> Iterator[tuple[Cursor, bool]]:
    """The loops of a function, and whether one thread of the block alone comes there."""
    stack = [(function, False)]
    while stack:
        cursor, is_single = stack.pop()
        if cursor.kind in _LOOPS:
            yield cursor, is_single
        children = clang.children(cursor)
        inside = is_single
        if cursor.kind == CursorKind.IF_STMT and children and _picks_one(children[0]):
            inside = True
        for position, child in enumerate(children):
            # The branch taken is the second child; what else there is runs for the others too.
            stack.append((child, inside if position == 1 else is_single))


def _picks_one(condition: Cursor) -> bool:
    """`threadIdx.x == 0`, also by way of a variable; `&&` narrows further."""
    if condition.kind == CursorKind.BINARY_OPERATOR:
        operator = clang.binary_operator(condition)
        parts = clang.children(condition)
        if operator == "&&":
            return any(_picks_one(part) for part in parts)
        if operator == "==":
            constants = [clang.evaluate(part) for part in parts]
            return any(value is not None for value in constants) and any(
                _is_thread_index(part) for part in parts
            )
    inner = clang.children(condition)
    if condition.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR) and len(inner) == 1:
        return _picks_one(inner[0])
    return False


def _is_thread_index(expression: Cursor) -> bool:
    """`threadIdx.x`, sums with it, a variable that starts so; `threadIdx.x % 32` is many."""
    inside = (expression, *clang.find(expression, _PARTS))
    if any(c.kind in _WRITES and clang.binary_operator(c) not in ("+", "*") for c in inside):
        return False
    names = [c for c in inside if c.kind == CursorKind.DECL_REF_EXPR]
    if any(name.spelling == "threadIdx" for name in names):
        return True
    for name in names:
        target = name.referenced
        if target is not None and target.kind == CursorKind.VAR_DECL:
            start = [child for child in clang.children(target) if child.kind.is_expression()]
            if start and _is_thread_index(start[-1]):
                return True
    return False


def _awaited(loop: Cursor) -> Cursor | None:
    """The memory that a loop waits for; None for a loop that does something."""
    parts = clang.children(loop)
    if len(parts) != 2:
        return None
    condition = parts[0] if loop.kind == CursorKind.WHILE_STMT else parts[1]
    found: Cursor | None = None
    for call in (condition, *clang.find(loop, clang.CALLS)):
        if call.kind != CursorKind.CALL_EXPR or not call.spelling:
            continue
        address = _polled(call)
        if address is None and call.spelling not in _IDLE:
            return None
        found = found or address
    for write in clang.find(loop, _WRITES):
        if clang.binary_operator(write).endswith("=") and not _is_comparison(write):
            target = clang.children(write)[0]
            if target.kind != CursorKind.DECL_REF_EXPR or target.type.is_volatile_qualified():
                return None
    if found is None:
        reads = (condition, *clang.find(condition, _READS))
        found = next(
            (r for r in reads if r.kind in _READS and r.type.is_volatile_qualified()), None
        )
    # A place that moves on from round to round is a search, not a wait.
    if found is None or _changed(loop) & {n.referenced.hash for n in _names_in(found)}:
        return None
    return found


def _changed(loop: Cursor) -> set[int]:
    """The variables that a loop assigns or steps."""
    changes = [w for w in clang.find(loop, _WRITES) if not _is_comparison(w)]
    changes = [w for w in changes if clang.binary_operator(w).endswith("=")]
    changes += [
        step for step in clang.find(loop, _STEPS) if clang.unary_operator(step) in _STEPPING
    ]
    targets = [clang.children(change)[0] for change in changes]
    return {t.referenced.hash for t in targets if t.kind == CursorKind.DECL_REF_EXPR}


def _names_in(expression: Cursor) -> list[Cursor]:
    names = (expression, *clang.find(expression, _NAMES))
    return [n for n in names if n.kind == CursorKind.DECL_REF_EXPR and n.referenced is not None]


def _polled(call: Cursor) -> Cursor | None:
    """The address of a call that takes a lock or reads a flag; None for other calls."""
    name = next(
        (call.spelling.removesuffix(s) for s in _SCOPES if s and call.spelling.endswith(s)),
        call.spelling,
    )
    arguments = list(call.get_arguments())
    index = _TAKING.get(name)
    if index is not None and len(arguments) > index:
        return arguments[0] if clang.evaluate(arguments[index]) is not None else None
    index = _READING.get(name)
    if index is not None and len(arguments) > index:
        return arguments[0] if clang.evaluate(arguments[index]) == 0 else None
    return None


def _is_comparison(operator: Cursor) -> bool:
    return clang.binary_operator(operator) in ("==", "!=", "<=", ">=")


def _is_shared(address: Cursor) -> bool:
    """Whether an address is in the block's own memory."""
    return any(
        clang.has_attribute(name.referenced, CursorKind.CUDASHARED_ATTR)
        for name in _names_in(address)
    )


def _report(file: File, offset: int) -> None:
    file.report(
        Code.SPIN_LOCK,
        "lanes of one wavefront that wait here for each other wait for ever: AMD GPUs run them in"
        " lock-step, and a wavefront of 64 holds two CUDA warps",
        file.text.tokens.index_at(offset),
        Severity.WARNING,
        "let one lane of a wavefront wait, or do the work inside the loop of the lane that got"
        " the lock: while (!done) if (atomicCAS(lock, 0, 1) == 0) { ...; done = true; }",
    )
