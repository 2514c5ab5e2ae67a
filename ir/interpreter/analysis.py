"""What the compiler must know before it writes a function: where variables live, what may leave.

int x = 3;              registers: one Python variable a leaf
float acc[8];           a register array, indexed by numbers that all lanes share (or not)
float4 v; v.x = ...     registers, one a field
int y; f(&y);           memory: its address is taken
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from crossport.ir.interpreter.kinds import Layout
from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Atomic,
    Block,
    Break,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Element,
    Expr,
    For,
    Function,
    If,
    Let,
    Member,
    Node,
    Place,
    PointerAdd,
    Read,
    Return,
    Stmt,
    Switch,
    Var,
    While,
    walk,
)
from crossport.ir.types import I64, Array, Scalar, Struct, Type

Home = Literal["register", "array", "memory"]

MAX_REGISTERS = 64
MAX_ARRAY = 1024


def simplify_place(place: Place) -> Place:
    """`*&x` is x, and `(&a[i])[j]` and `(p + i)[j]` are `a[i + j]` and `p[i + j]`."""
    if not isinstance(place, Deref):
        return place
    pointer, index = place.pointer, place.index
    if isinstance(pointer, AddressOf):
        inner = pointer.place
        if inner.type != place.type:
            return place
        if constant(index) == 0:
            return inner
        if isinstance(inner, Element):
            return Element(inner.base, _sum(inner.index, index), place.type, span=place.span)
    if isinstance(pointer, PointerAdd) and pointer.type == AddressOf(place).type:
        index = _sum(pointer.index, index)
        return simplify_place(Deref(pointer.pointer, index, place.type, span=place.span))
    return place


def _sum(first: Expr, second: Expr) -> Expr:
    from crossport.ir.nodes import Binary

    if constant(second) == 0:
        return first
    if constant(first) == 0:
        return second
    return Binary("+", _wide(first), _wide(second))


def _wide(index: Expr) -> Expr:
    return index if index.type == I64 else Cast(index, I64)


def constant(expr: Expr) -> int | None:
    """The value of an integer constant, through casts; None for anything else."""
    if isinstance(expr, Const) and not isinstance(expr.value, float):
        return int(expr.value)
    if isinstance(expr, Cast) and isinstance(expr.type, Scalar) and expr.type.is_integer:
        value = constant(expr.value)
        if value is not None and -(2**31) <= value < 2**31 and expr.type.size >= 4:
            return value if expr.type.is_signed or value >= 0 else None
    return None


def root(place: Place) -> Var | Deref:
    """The variable or dereference that a chain of members and elements starts from."""
    place = simplify_place(place)
    while isinstance(place, Element | Member):
        place = simplify_place(place.base)
    return place


def homes(function: Function, layout: Layout) -> dict[str, Home]:
    """Where each parameter and local variable of a function lives."""
    types: dict[str, Type] = {p.name: p.type for p in function.params}
    for node in _walk(function.body):
        if isinstance(node, Let):
            types[node.var.name] = node.var.type
    in_memory = set(_addressed(function.body))
    result: dict[str, Home] = {}
    for name, type in types.items():
        result[name] = "memory" if name in in_memory else _home(type, layout)
    for node in _walk(function.body):
        if isinstance(node, Element | Member):
            place: Place = node
            varying = False
            while isinstance(place, Element | Member):
                if isinstance(place, Element) and constant(place.index) is None:
                    varying = True
                place = simplify_place(place.base)
            # A struct's leaves are separate registers: no index can choose among them.
            if isinstance(place, Var) and varying and result.get(place.name) == "register":
                result[place.name] = "memory"
    return result


def _home(type: Type, layout: Layout) -> Home:
    if layout.has_union(type):
        return "memory"
    match type:
        case Array():
            leaves = layout.leaves(type)
            same = len({leaf.kind for leaf in leaves}) == 1
            return "array" if same and len(leaves) <= MAX_ARRAY else "memory"
        case Struct():
            return "register" if len(layout.leaves(type)) <= MAX_REGISTERS else "memory"
        case _:
            return "register"


def _addressed(block: Block) -> Iterable[str]:
    for node in _walk(block):
        place: Place | None = None
        if isinstance(node, AddressOf | Atomic):
            place = node.place
        if place is None:
            continue
        start = root(place)
        if isinstance(start, Var):
            yield start.name


def _walk(block: Block) -> Iterable[Node]:
    """All nodes below, with places simplified first, so that `*&x` takes no address."""
    stack: list[Node] = list(reversed(block))
    while stack:
        node = stack.pop()
        if isinstance(node, Deref):
            node = simplify_place(node)
        yield node
        stack.extend(_children(node))


def _children(node: Node) -> list[Node]:
    found: list[Node] = []
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            found.append(value)
        elif isinstance(value, tuple):
            found += [item for item in value if isinstance(item, Node)]
    return found


def may_leave(block: Block) -> bool:
    """Whether some lane may not reach the end of the block (return, or break and continue out)."""
    return any(_leaves(stmt, True, True) for stmt in block)


def _leaves(stmt: Stmt, breaks: bool, continues: bool) -> bool:
    match stmt:
        case Return():
            return True
        case Break():
            return breaks
        case Continue():
            return continues
        case If(_, then, otherwise):
            return any(_leaves(s, breaks, continues) for s in (*then, *otherwise))
        case For(body=body) | While(body=body) | DoWhile(body=body):
            return any(_leaves(s, False, False) for s in body)
        case Switch(_, cases):
            return any(_leaves(s, False, continues) for c in cases for s in c.body)
        case _:
            return False


def has_return(block: Block) -> bool:
    """Whether a return stands anywhere in the block."""
    return any(isinstance(node, Return) for stmt in block for node in walk(stmt))


def may_wait(block: Block, condition: Expr) -> bool:
    """Whether a loop may be waiting for another thread: it reads volatile memory or is atomic."""
    nodes = [n for root_ in (condition, *block) for n in walk(root_)]
    return any(
        isinstance(n, Atomic) or (isinstance(n, Read) and n.volatile) or _is_volatile(n)
        for n in nodes
    )


def _is_volatile(node: Node) -> bool:
    return isinstance(node, Assign) and node.volatile
