"""How far an access moves from thread to thread, and from round to round of its loop.

x[i * n + j], i = thread.x, j counts     next thread: 4*n bytes      next round: 4 bytes
"""

from __future__ import annotations

from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.symbolic import Apply, Level, symbols, unknowns
from crossport.ir.facts.walk import Access


def lane_step(access: Access, found: Pattern) -> str:
    """Bytes between neighbouring threads: a number, a formula, "varies" or "data"."""
    if found.shape == "data-dependent":
        return "data"
    if found.shape == "never":
        return "-"
    if access.offset.level is not Level.LANE or found.stride == 0:
        return "0"
    step = access.offset.coefficient("thread.x")
    if step.terms and not _is_hidden(access):
        return step.text
    return str(found.stride) if found.stride is not None else "varies"


def round_step(access: Access) -> str:
    """Bytes between rounds of the innermost loop; "-" outside loops."""
    if not access.loops:
        return "-"
    if any(unknown.level is Level.LANE for unknown in unknowns(access.offset)):
        return "data"
    loop = access.loops[-1]
    step = access.offset.coefficient(loop.counter.name)
    moving = {s.name for s in symbols(access.offset) if s.loop == loop.number}
    rest = moving - {loop.counter.name} or (moving and not step.terms)
    return "varies" if rest else step.text


def _is_hidden(access: Access) -> bool:
    """Does the thread's number stand inside a division or the like?"""
    return any(
        isinstance(atom, Apply)
        and any(s.name.startswith("thread.") for arg in atom.args for s in symbols(arg))
        for monomial, _ in access.offset.terms
        for atom in monomial
    )
