"""Clean a flat program: forward copies, merge declarations with first values, drop the unread.

x: i32            x = 3 + n             (and `y = x` with both written once: y is x)
x = 3 + n   ->
"""

from __future__ import annotations

from collections import Counter

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Node,
    Read,
    Select,
    Special,
    Unary,
    Var,
    walk,
)


def tidy(program: flat.Program) -> flat.Program:
    """The same program, in place, with less in it."""
    _merge_declarations(program.body)
    for _ in range(8):
        changed = _forward_copies(program.body)
        changed = _drop_unread(program.body) or changed
        if not changed:
            break
    _drop_empty(program.body)
    return program


def reads(expr: Expr) -> set[str]:
    """The variables that the expression reads."""
    return {x.name for x in walk(expr) if isinstance(x, Var)}


def _merge_declarations(body: flat.Body) -> None:
    """`x` declared bare, then assigned in the same list before anything else touches it."""
    for statement in body:
        for below in flat.bodies(statement):
            _merge_declarations(below)
    open_at: dict[str, int] = {}
    dropped: set[int] = set()
    for position, statement in enumerate(body):
        touched: set[str] = set()
        for inner in flat.statements([statement]):
            for expr in flat.expressions(inner):
                touched |= reads(expr)
            if inner is not statement:
                touched |= {var.name for var in flat.targets(inner)}
        for name in touched & set(open_at):
            del open_at[name]
        if isinstance(statement, flat.Set):
            name = statement.var.name
            if statement.declare and statement.value is None:
                open_at[name] = position
            elif name in open_at:
                dropped.add(open_at.pop(name))
                statement.declare = True
    if dropped:
        body[:] = [s for i, s in enumerate(body) if i not in dropped]


def _forward_copies(body: flat.Body) -> bool:
    writes = Counter[str]()
    for statement in flat.statements(body):
        for var in flat.targets(statement):
            writes[var.name] += 1
    copies: dict[str, Expr] = {}
    for statement in flat.statements(body):
        if (
            isinstance(statement, flat.Set)
            and statement.declare
            and writes[statement.var.name] == 1
        ):
            value = statement.value
            if isinstance(value, Const | Special) or (
                isinstance(value, Cast) and isinstance(value.value, Special)
            ):
                copies[statement.var.name] = value
            elif isinstance(value, Read) and isinstance(value.place, Var):
                source = value.place.name
                if writes[source] <= 1 and not source.startswith("&"):
                    copies[statement.var.name] = value
    if not copies:
        return False

    def resolve(name: str) -> Expr | None:
        found = copies.get(name)
        while isinstance(found, Read) and isinstance(found.place, Var):
            following = copies.get(found.place.name)
            if following is None:
                return found
            found = following
        return found

    def rule(node: Node) -> Node:
        match node:
            case Read(Var(name)):
                return resolve(name) or node
            case Binary(op, lhs, rhs):
                return fold.binary(op, lhs, rhs)
            case Cast(value, type):
                return fold.cast(value, type)
            case Unary("!", value):
                return fold.negate(value)
            case Select(condition, then, otherwise):
                return fold.select(condition, then, otherwise)
            case _:
                return node

    map_expressions(body, lambda expr: map_nodes(expr, rule))
    _remove(body, set(copies))
    _decide_branches(body)
    return True


def _decide_branches(body: flat.Body) -> None:
    out: flat.Body = []
    for statement in body:
        for below in flat.bodies(statement):
            _decide_branches(below)
        if isinstance(statement, flat.Branch) and isinstance(statement.condition, Const):
            out += statement.then if statement.condition.value else statement.otherwise
        else:
            out.append(statement)
    body[:] = out


def _remove(body: flat.Body, names: set[str]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _remove(below, names)
    body[:] = [s for s in body if not (isinstance(s, flat.Set) and s.var.name in names)]


def _drop_unread(body: flat.Body) -> bool:
    """Drop what only feeds itself: a variable is read if an effect needs it.

    What decides whether an assignment or an effect happens counts as needed by it.
    """
    needs: dict[str, set[str]] = {}
    live: set[str] = set()

    def visit(statement: flat.Statement, around: frozenset[str]) -> None:
        used: set[str] = set(around)
        for expr in flat.expressions(statement):
            used |= reads(expr)
        written = flat.targets(statement)
        if isinstance(statement, flat.Branch | flat.Loop | flat.Scope):
            inner = frozenset(used)
            for below in flat.bodies(statement):
                for child in below:
                    visit(child, inner)
        elif isinstance(statement, flat.Store) and _is_private(statement.ref):
            needs.setdefault(f"@{statement.ref.root.name}", set()).update(used)
        elif written and _is_pure(statement):
            if isinstance(statement, flat.Load) and _is_private(statement.ref):
                used.add(f"@{statement.ref.root.name}")
            for var in written:
                needs.setdefault(var.name, set()).update(used)
        elif isinstance(statement, flat.AtomicUpdate) and _is_private(statement.ref):
            live.update(used | {f"@{statement.ref.root.name}"})
        elif not isinstance(statement, flat.Sync):
            live.update(used)

    for statement in body:
        visit(statement, frozenset())
    pending = list(live)
    while pending:
        for name in needs.get(pending.pop(), ()):
            if name not in live:
                live.add(name)
                pending.append(name)
    for statement in flat.statements(body):
        if isinstance(statement, flat.AtomicUpdate) and statement.var is not None:
            statement.var = statement.var if statement.var.name in live else None
    dead = set(needs) - live
    if not dead:
        return False
    _drop(body, dead)
    _drop_empty(body)
    return True


def _is_private(ref: flat.Ref) -> bool:
    """Does the memory end with the block?"""
    return ref.root.space in ("shared", "local")


def _is_pure(statement: flat.Statement) -> bool:
    match statement:
        case (
            flat.Set() | flat.Exchange() | flat.Ballot() | flat.GroupReduce() | flat.Collect()
            | flat.LaneReduce() | flat.LaneGather() | flat.LaneDot() | flat.WarpDot()
        ):  # fmt: skip
            return True
        case flat.Load(_, ref, _, volatile):
            return not volatile or _is_private(ref)
        case _:
            return False


def _drop(body: flat.Body, dead: set[str]) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _drop(below, dead)
    body[:] = [
        s
        for s in body
        if not (isinstance(s, flat.Store) and f"@{s.ref.root.name}" in dead)
        and not (_is_pure(s) and {v.name for v in flat.targets(s)} <= dead)
    ]


def _drop_empty(body: flat.Body) -> None:
    for statement in body:
        for below in flat.bodies(statement):
            _drop_empty(below)
    body[:] = [s for s in body if not _is_empty(s)]


def _is_empty(statement: flat.Statement) -> bool:
    match statement:
        case flat.Loop(_, head, _, inner, step):
            # Threads make progress, so a loop without any effect ends and leaves no trace.
            return not head and not inner and not step
        case flat.Branch(_, then, otherwise):
            return not then and not otherwise
        case flat.Scope(_, inner):
            return not inner
        case _:
            return False
