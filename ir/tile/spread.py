"""Make the rounds of a loop lanes, and its thread a row of them.

    thread i:  for (t ...)                                 block i:  for (t ...)
                 for (k = 0; k < 64; ++k)                              part += f(x[t * 64 + tid])
                   sum += f(x[t * 64 + k])         ->     sum = reduce + over lanes of part
               y[i] = sum                                 if (tid == 0) y[i] = sum

What each thread of the grid adds up over elements that are the same for all threads is work on a
tile of (threads, elements): several such blocks at once (batch.py) load each element once. *Needs*:
a program in terms of the global index, one innermost loop that does nothing but add to registers,
whose loads do not depend on the thread. Sums are reassociated; those of doubles are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.lift.tidy import reads, tidy
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Binary, Cast, Const, Expr, Intrinsic, Node, Read, Special, Var
from crossport.ir.tile.counters import Counter, Counters
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.tile.select import choose_values
from crossport.ir.types import F32, I32, I64, U32, U64, Scalar

FEWEST, MOST, USUAL = 16, 128, 64
_LANE = Cast(Special("thread.x"), I32)


@dataclass
class _Loop:
    """A loop with its counter, the list it stands in, and the loops around it, outermost first."""

    loop: flat.Loop
    body: flat.Body
    around: tuple[tuple[flat.Body, flat.Statement], ...]
    counter: Counter


def spread_rounds(program: flat.Program, free: FreeShape) -> int | None:
    """Turn a program of global indices into one of blocks with that many lanes, in place.

    None, and nothing changed, if that is not its nature. Block `block.x` does what the thread with
    that global index did.
    """
    if free.axes != ("x",) or free.has_votes or program.shared or program.locals:
        return None
    found = _candidate(program)
    if found is None:
        return None
    sums = _sums(program, found)
    if sums is None:
        return None
    top = found.counter.top
    start = fold.as_int(found.counter.start)
    if top is not None and start is not None and top + 1 - start < FEWEST:
        return None
    fits = start == 0 and top is not None and _is_power(top + 1) and top < MOST
    lanes = top + 1 if fits and top is not None else USUAL
    # Else some rounds have fewer elements.
    whole = fits and fold.as_int(found.counter.bound) == lanes  # type: ignore[arg-type]
    _load_first(found.loop.body)
    parts = _gather(program, found, sums)
    _lanes(program, found, parts, lanes, whole)
    _by_one_thread(program.body)

    def rule(node: Node) -> Node:
        if isinstance(node, Read) and node.place == index_var("x"):
            return Cast(Special("block.x"), I32)
        return node

    map_expressions(program.body, lambda e: map_nodes(e, rule))
    tidy(program)
    choose_values(program)
    tidy(program)
    return lanes


def _is_power(number: int) -> bool:
    return number & (number - 1) == 0


def _loops(
    body: flat.Body, around: tuple[tuple[flat.Body, flat.Statement], ...]
) -> Iterator[tuple[flat.Loop, flat.Body, tuple[tuple[flat.Body, flat.Statement], ...]]]:
    """The innermost loops."""
    for statement in body:
        below = flat.bodies(statement)
        is_inner = not any(
            isinstance(s, flat.Loop | flat.Scope) for b in below for s in flat.statements(b)
        )
        if isinstance(statement, flat.Loop) and is_inner:
            yield statement, body, around
        for inner in below:
            yield from _loops(inner, (*around, (body, statement)))


def _candidate(program: flat.Program) -> _Loop | None:
    """The one innermost loop, if its rounds can be lanes."""
    found = list(_loops(program.body, ()))
    if len(found) != 1:
        return None
    loop, body, around = found[0]
    facts = uniformity(program, varying={index_var("x").name})
    counter = Counters(program, {}).of(loop, body)
    if counter is None or counter.step != 1 or counter.bound is None:
        return None
    is_plain = isinstance(loop.condition, Binary) and loop.condition.op in ("<", "<=")
    if not is_plain or not facts.is_uniform(counter.start) or id(loop) in facts.divergent:
        return None
    if any(isinstance(s, flat.Loop | flat.Scope) and id(s) in facts.divergent for _, s in around):
        return None
    inside = list(flat.statements(loop.body))
    loads = [s for s in inside if isinstance(s, flat.Load)]
    if not all(isinstance(s, flat.Load | flat.Set | flat.Branch) for s in inside):
        return None
    if not any(counter.var.name in reads(s.ref.index) for s in loads):
        return None
    # Lanes take what the counter and the loops around say, whichever thread it is for.
    alike = uniformity(program, varying={index_var("x").name})
    for load in loads:
        exprs = [load.ref.index, *([load.guard] if load.guard is not None else [])]
        if not all(alike.is_uniform(e) for e in exprs) or load.ref.root.space == "local":
            return None
    splits = [s for s in inside if isinstance(s, flat.Branch) and id(s) in alike.divergent]
    if any(isinstance(s, flat.Load) for b in splits for s in _below(b)):
        return None
    if any(
        size_var("x").name in reads(e)
        for s in flat.statements(program.body)
        for e in flat.expressions(s)
    ):
        return None
    if any(isinstance(s, flat.AtomicUpdate) for s in flat.statements(program.body)):
        return None
    return _Loop(loop, body, around, counter)


def _below(statement: flat.Statement) -> Iterator[flat.Statement]:
    for body in flat.bodies(statement):
        yield from flat.statements(body)


def _sums(program: flat.Program, found: _Loop) -> list[Var] | None:
    """What the loop adds to; None if it does anything else."""
    own: set[str] = set()
    sums: dict[str, Var] = {}
    inside = list(flat.statements(found.loop.body))
    for statement in inside:
        if isinstance(statement, flat.Load) or (
            isinstance(statement, flat.Set) and statement.declare
        ):
            own.add(statement.var.name)
    for statement in inside:
        if isinstance(statement, flat.Set) and statement.var.name not in own:
            if statement.var.type not in (F32, I32, U32, I64, U64):
                return None
            if added(statement) is None:
                return None
            sums[statement.var.name] = statement.var
    for statement in inside:
        is_sum = isinstance(statement, flat.Set) and statement.var.name in sums
        for expr in flat.expressions(statement):
            if is_sum:
                assert isinstance(statement, flat.Set)
                expr = added(statement) or expr
            if reads(expr) & sums.keys():
                return None
    mine = {id(s) for s in flat.statements([found.loop])}
    for statement in flat.statements(program.body):
        if id(statement) not in mine and any(
            found.counter.var.name in reads(e) for e in flat.expressions(statement)
        ):
            return None
    return list(sums.values()) or None


def added(statement: flat.Set) -> Expr | None:
    """What `v = v + e`, or another spelling of it, adds."""
    own = Read(statement.var)
    match statement.value:
        case Binary("+", lhs, rhs) if lhs == own and statement.var.name not in reads(rhs):
            return rhs
        case Binary("+", lhs, rhs) if rhs == own and statement.var.name not in reads(lhs):
            return lhs
        case Binary("-", lhs, rhs) if lhs == own and statement.var.name not in reads(rhs):
            return rhs
        case Intrinsic("fma" | "fmaf", (a, b, c)) if c == own:
            both = Binary("*", a, b)
            return both if statement.var.name not in reads(both) else None
        case _:
            return None


def _gather(program: flat.Program, found: _Loop, sums: list[Var]) -> set[str]:
    """Lanes add to parts of their own, which are added up behind the loops around."""
    names = _names(program)
    inner = {id(s) for s in flat.statements([found.loop])}
    parts: set[str] = set()
    for var in sums:
        part = Var(names.fresh(f"{var.name}_part"), var.type)
        # The outermost loop in which nothing else touches the sum.
        body, outer = found.body, found.loop
        for around, statement in reversed(found.around):
            if not isinstance(statement, flat.Loop) or _touches([statement], var, inner):
                break
            body, outer = around, statement
        _rename(found.loop.body, var, part)
        zero = _zero(var)
        begin = _begin(program, body, outer, var)
        total = var if begin == zero else Var(names.fresh(f"{var.name}_total"), var.type)
        behind: flat.Body = [flat.LaneReduce(total, "+", Read(part))]
        if begin is None:
            behind.append(flat.Set(var, Binary("+", Read(var), Read(total))))
        elif begin != zero:
            behind.append(flat.Set(var, Binary("+", begin, Read(total)), declare=True))
        position = next(i for i, s in enumerate(body) if s is outer)
        body[position + 1 : position + 1] = behind
        # A loop's counter begins right before it.
        while position and isinstance(body[position - 1], flat.Set):
            position -= 1
        body.insert(position, flat.Set(part, zero, declare=True))
        parts.add(part.name)
    return parts


def _names(program: flat.Program) -> Names:
    names = Names()
    for statement in flat.statements(program.body):
        for var in flat.targets(statement):
            names.fresh(var.name)
    for parameter in program.parameters:
        for _, root in parameter.roots:
            names.fresh(root.name)
        for _, scalar in parameter.scalars:
            names.fresh(scalar.name)
    return names


def _zero(var: Var) -> Const:
    kind = var.type
    assert isinstance(kind, Scalar)
    return Const(0.0, F32) if kind == F32 else fold.constant(0, kind)


def _rename(body: flat.Body, old: Var, new: Var) -> None:
    def rule(node: Node) -> Node:
        return Read(new) if isinstance(node, Read) and node.place == old else node

    for statement in flat.statements(body):
        if isinstance(statement, flat.Set) and statement.var == old:
            statement.var = new
    map_expressions(body, lambda e: map_nodes(e, rule))


def _touches(body: flat.Body, var: Var, without: set[int]) -> bool:
    return any(
        var in flat.targets(s) or any(var.name in reads(e) for e in flat.expressions(s))
        for s in flat.statements(body)
        if id(s) not in without
    )


def _begin(program: flat.Program, body: flat.Body, loop: flat.Statement, var: Var) -> Const | None:
    """What the sum starts from, if it is declared with a constant in the loop's list, and nothing
    but the loop, and reads behind it, touch it. The declaration goes: it begins behind the loop."""
    position = next(i for i, s in enumerate(body) if s is loop)
    behind = {id(s) for s in flat.statements(body[position:])}
    for place, statement in enumerate(body[:position]):
        if isinstance(statement, flat.Set) and statement.var == var and statement.declare:
            value = statement.value
            is_written = any(
                var in flat.targets(s) for s in flat.statements(body[position:])
            )  # fmt: skip
            elsewhere = _touches(program.body, var, behind | {id(statement)})
            if isinstance(value, Const) and not is_written and not elsewhere:
                del body[place]
                return value
            return None
    return None


def _lanes(program: flat.Program, found: _Loop, parts: set[str], lanes: int, whole: bool) -> None:
    """The rounds of the loop as lanes: all of them, or so many at a time."""
    var, loop, body = found.counter.var, found.loop, found.body
    kind = var.type
    assert isinstance(kind, Scalar)
    position = next(i for i, s in enumerate(body) if s is loop)
    start = next(
        s for s in reversed(body[:position]) if isinstance(s, flat.Set) and s.var.name == var.name
    )
    assert start.value is not None
    lane = fold.cast(_LANE, kind)
    if whole:
        start.value = fold.binary("+", start.value, lane)
        body[position : position + 1] = loop.body
        return
    first = Var(_names(program).fresh(f"{var.name}_first"), kind)
    _take_part(loop.body, loop.condition, parts)
    start.var, start.declare = first, True
    loop.condition = map_nodes(loop.condition, lambda n: Read(first) if n == Read(var) else n)
    loop.body.insert(0, flat.Set(var, Binary("+", Read(first), lane), declare=True))
    loop.step = [flat.Set(first, Binary("+", Read(first), fold.constant(lanes, kind)))]


def _load_first(body: flat.Body) -> None:
    """Loads before what is made of them, where they need nothing that the round computes: those
    of neighbours come to stand side by side. Nothing in the loop writes to memory."""
    made = {v.name for s in body for t in flat.statements([s]) for v in flat.targets(t)}
    first = [
        s
        for s in body
        if isinstance(s, flat.Load) and not any(reads(e) & made for e in flat.expressions(s))
    ]
    chosen = {id(s) for s in first}
    body[:] = [*first, *(s for s in body if id(s) not in chosen)]


def _take_part(body: flat.Body, test: Expr, parts: set[str]) -> None:
    """In the last rounds some lanes have no element: they load nothing, and add 0."""
    for statement in flat.statements(body):
        if isinstance(statement, flat.Load):
            statement.guard = fold.conjunction(test, statement.guard)
        if isinstance(statement, flat.Set) and statement.var.name in parts:
            match statement.value:
                case Binary(op, lhs, rhs) if lhs == Read(statement.var):
                    amount = fold.select(test, rhs, _zero(statement.var))
                    statement.value = Binary(op, lhs, amount)
                case Binary(op, lhs, rhs):
                    amount = fold.select(test, lhs, _zero(statement.var))
                    statement.value = Binary(op, amount, rhs)
                case Intrinsic("fma" | "fmaf", (a, b, c), made):
                    # The other factor may be no number where nothing was loaded.
                    kept = tuple(fold.select(test, x, _zero(statement.var)) for x in (a, b))
                    statement.value = Intrinsic("fmaf", (*kept, c), made)


def _by_one_thread(body: flat.Body) -> None:
    """What is stored for the row, one lane stores."""
    made: flat.Body = []
    for statement in body:
        for below in flat.bodies(statement):
            _by_one_thread(below)
        if isinstance(statement, flat.Store):
            first = Binary("==", _LANE, fold.constant(0, I32))
            made.append(flat.Branch(first, [statement]))
        else:
            made.append(statement)
    body[:] = made
