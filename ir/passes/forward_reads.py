"""Use a value where it is made: variables that keep one simple value disappear.

    let i: i32 = (base + 4)           x[(base + 4)] = 1.0f
    x[i] = 1.0f                 ->

A variable goes when nothing writes it again, nobody points at it, and its value reads only what
cannot change either: parameters and variables of the same kind, indices, constants. A value that
costs something is moved only to a single use that is not in a loop of its own.
"""

from __future__ import annotations

from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Binary,
    Bitcast,
    Block,
    Cast,
    Const,
    DoWhile,
    Expr,
    Extract,
    For,
    Function,
    FunctionRef,
    Intrinsic,
    Let,
    Node,
    Null,
    PointerAdd,
    PointerDiff,
    Read,
    Select,
    Special,
    Stmt,
    Unary,
    Var,
    While,
    walk,
)
from crossport.ir.passes.usage import Usage, locals_of, root, substitute, usage
from crossport.ir.rewrite import rewrite_statements
from crossport.ir.types import Array, Struct


def forward_reads(function: Function) -> Function:
    """Forward values until nothing moves any more."""
    for _ in range(20):
        changed = _once(function)
        if changed is function:
            return function
        function = changed
    return function


def _once(function: Function) -> Function:
    used = usage(function.body)
    known = {p.name for p in function.params} | locals_of(function.body)
    fixed = {n for n in known if used.is_fixed(n)}
    looped = _looped(function.body)
    values: dict[str, Expr] = {}
    for statement in function.body:
        for node in walk(statement):
            if not isinstance(node, Let) or node.init is None or node.var.name not in fixed:
                continue
            if _is_movable(node.init, fixed) and _is_worth(node, used, looped):
                values[node.var.name] = node.init
    # A value that reads another forwarded variable waits for the next round.
    chosen = {n: v for n, v in values.items() if not (_names(v) & values.keys())}
    if not chosen:
        return function

    def rule(statement: Stmt) -> Block:
        if isinstance(statement, Let) and statement.var.name in chosen:
            return ()
        changed = substitute(statement, {}, chosen)
        assert isinstance(changed, Stmt)
        return (changed,)

    return rewrite_statements(function, rule)


def _is_worth(node: Let, used: Usage, looped: dict[str, int]) -> bool:
    """Simple values always move; others to their only use, if that is in the same loop."""
    name = node.var.name
    if isinstance(node.var.type, (Struct, Array)):
        return False
    assert node.init is not None
    if _is_simple(node.init):
        return True
    return used.reads[name] == 1 and looped.get(name, 0) == 0


def _is_simple(value: Expr) -> bool:
    match value:
        case Const() | Null() | Special() | FunctionRef():
            return True
        case Read(Var()):
            return True
        case AddressOf(place):
            return not any(isinstance(n, Read) for n in walk(place))
        case Cast(inner):
            return _is_simple(inner)
        case _:
            return False


def _is_movable(value: Expr, fixed: set[str]) -> bool:
    """Made of what cannot change between here and there."""
    match value:
        case Const() | Null() | Special() | FunctionRef():
            return True
        case Read(place, volatile):
            return isinstance(place, Var) and place.name in fixed and not volatile
        case AddressOf(place):
            inner = root(place)
            return inner is not None and all(
                not isinstance(n, Read) or _is_movable(n, fixed) for n in walk(place)
            )
        case Unary(_, x) | Cast(x) | Bitcast(x) | Extract(x):
            return _is_movable(x, fixed)
        case Binary(_, x, y) | PointerAdd(x, y) | PointerDiff(x, y):
            return _is_movable(x, fixed) and _is_movable(y, fixed)
        case Select(x, y, z):
            return all(_is_movable(e, fixed) for e in (x, y, z))
        case Intrinsic(_, args):
            return all(_is_movable(a, fixed) for a in args)
        case Aggregate():
            return False
        case _:
            return False


def _names(value: Expr) -> set[str]:
    return {n.name for n in walk(value) if isinstance(n, Var)}


def _looped(body: Block) -> dict[str, int]:
    """For each variable: reads that lie in a loop which its declaration is outside of."""
    found: dict[str, int] = {}

    def visit(node: Node, depth: int, declared: dict[str, int]) -> None:
        if isinstance(node, Let):
            declared[node.var.name] = depth
        if isinstance(node, Read) and isinstance(node.place, Var):
            name = node.place.name
            if declared.get(name, depth) < depth:
                found[name] = found.get(name, 0) + 1
        inner = depth + isinstance(node, (For, While, DoWhile))
        from crossport.ir.nodes import children

        for child in children(node):
            visit(child, inner, declared)

    declared: dict[str, int] = {}
    for statement in body:
        visit(statement, 0, declared)
    return found
