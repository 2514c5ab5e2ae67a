"""Free a kernel from its block shape, where only the global index matters.

    i = block.x * block_dim.x + thread.x            i = index_x
    for (; i < n; i += block_dim.x * grid_dim.x)  ->    if (i < n) y[i] = f(x[i])
        y[i] = f(x[i])                                  launched once for each i below n

Where that works, the port chooses how many elements one program handles. A grid-stride loop whose
rounds are independent becomes one round of more threads. What stands in the way is returned as a
reason; nothing is assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_expressions, map_nodes
from crossport.ir.lift.tidy import reads
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Binary, Cast, Const, Expr, Node, Read, Special, Var, walk
from crossport.ir.types import F32, I32, I64, U32, U64, Scalar


@dataclass
class FreeShape:
    """How a kernel depends on its launch after retiling."""

    axes: tuple[str, ...]
    """Axes on which only the global index `index_x`... and the extent `size_x`... are used."""
    programs: tuple[str, ...]
    """Axes on which only the block index is used."""
    required: dict[str, int] = field(default_factory=dict)
    """Block extents that the source assumes, as in `block.x * 256 + thread.x`."""
    bounds: tuple[Expr, ...] = ()
    """Of flattened grid-stride loops: the extent is the largest of these, not the launch's."""
    has_atomics: bool = False
    contiguous: tuple[str, ...] = ()
    """Axes along which some access goes from one element to the next."""
    has_votes: bool = False
    """Are there loops that each thread leaves when it likes?"""


def index_var(axis: str) -> Var:
    """The global index along an axis."""
    return Var(f"index_{axis}", I32)


def size_var(axis: str) -> Var:
    """The number of threads launched along an axis."""
    return Var(f"size_{axis}", I32)


def retile(program: flat.Program, *, splits_sums: bool = False) -> FreeShape | str:
    """Rewrite a program in terms of global indices, in place; or say what prevents it.

    splits_sums: what a thread adds up over a grid-stride loop, only to add it to a place in memory,
    it may also add there round by round.
    """
    for statement in flat.statements(program.body):
        if isinstance(statement, flat.WarpStatement | flat.Collect):
            return "threads exchange values"
        if isinstance(statement, flat.Sync):
            return "threads of a block wait for each other"
    if program.shared or program.locals:
        return "it keeps data in shared memory or large local arrays"
    required: dict[str, int] = {}
    for axis in "xyz":
        found = _assumed_extent(program.body, axis)
        if found is not None:
            required[axis] = found
    map_expressions(program.body, lambda e: map_nodes(e, lambda n: _rule(n, required)))
    left = {n.name for n in _specials(program.body)}
    used = {
        x.name
        for s in flat.statements(program.body)
        for e in flat.expressions(s)
        for x in walk(e)
        if isinstance(x, Var)
    }
    axes, programs = [], []
    for axis in "xyz":
        if {f"thread.{axis}", f"block_dim.{axis}", f"grid_dim.{axis}"} & left:
            return f"it depends on the thread's place in its block along {axis}"
        is_indexed = index_var(axis).name in used
        if f"block.{axis}" in left:
            if is_indexed:
                return f"it depends on the block's number along {axis}"
            programs.append(axis)
        elif is_indexed:
            axes.append(axis)
    if left & {"lane_id", "warp_id"}:
        return "it depends on the lane number"
    if not axes:
        return "no global index is used"
    required = {a: v for a, v in required.items() if a in axes}
    shape = FreeShape(tuple(axes), tuple(programs), required)
    shape.has_atomics = any(isinstance(s, flat.AtomicUpdate) for s in flat.statements(program.body))
    if axes == ["x"]:
        shape.bounds = _flatten_strides(program)
        if splits_sums and not shape.bounds:
            shape.bounds = _flatten_sums(program)
    shape.contiguous = tuple(a for a in axes if _is_contiguous(program, a))
    facts = uniformity(program, varying={index_var(a).name for a in axes})
    shape.has_votes = any(
        isinstance(s, flat.Loop) and id(s) in facts.divergent for s in flat.statements(program.body)
    )
    return shape


def _is_contiguous(program: flat.Program, axis: str) -> bool:
    """Is `index_axis` a term, on its own, of some access's index?"""
    values = single_values(program)
    for statement in flat.statements(program.body):
        if isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
            index = resolve(statement.ref.index, values)
            if any(_is(term, index_var(axis)) for term in wide_terms(index)):
                return True
    return False


def wide_terms(expr: Expr) -> list[Expr]:
    """The terms of a sum or difference, in whatever integer types it is formed."""
    match expr:
        case Cast(value, Scalar() as kind) if kind.is_integer and kind.size >= 4:
            return wide_terms(value)
        case Binary("+" | "-", lhs, rhs):
            return [*wide_terms(lhs), *wide_terms(rhs)]
        case _:
            return [expr]


def _specials(body: flat.Body) -> list[Special]:
    return [
        x
        for s in flat.statements(body)
        for e in flat.expressions(s)
        for x in walk(e)
        if isinstance(x, Special)
    ]


def _special(expr: Expr, name: str) -> bool:
    while isinstance(expr, Cast):
        expr = expr.value
    return isinstance(expr, Special) and expr.name == name


def _terms(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "+":
        return [*_terms(expr.lhs), *_terms(expr.rhs)]
    return [expr]


def _block_product(expr: Expr, axis: str) -> Expr | None:
    """The factor of `block.axis * factor`."""
    while isinstance(expr, Cast) and isinstance(expr.value, Binary):
        expr = expr.value
    if not isinstance(expr, Binary) or expr.op != "*":
        return None
    for one, other in ((expr.lhs, expr.rhs), (expr.rhs, expr.lhs)):
        if _special(one, f"block.{axis}"):
            return other
    return None


def _assumed_extent(body: flat.Body, axis: str) -> int | None:
    """The constant that stands for the block's extent, if one does and the real one never does."""
    if any(s.name == f"block_dim.{axis}" for s in _specials(body)):
        return None
    factors: set[int] = set()
    for statement in flat.statements(body):
        for expr in flat.expressions(statement):
            for node in walk(expr):
                if isinstance(node, Binary) and node.op == "*":
                    factor = _block_product(node, axis)
                    number = fold.as_int(factor) if factor is not None else None
                    if number is not None:
                        factors.add(number)
    return factors.pop() if len(factors) == 1 else None


def _rule(node: Node, required: dict[str, int]) -> Node:
    if not isinstance(node, Binary) or not isinstance(node.type, Scalar):
        return node
    if node.op == "*":
        for axis in "xyz":
            pair = (f"block_dim.{axis}", f"grid_dim.{axis}")
            for a, b in (pair, pair[::-1]):
                if _special(node.lhs, a) and _special(node.rhs, b):
                    return fold.cast(Read(size_var(axis)), node.type)
        return node
    if node.op != "+":
        return node
    terms = _terms(node)
    for axis in "xyz":
        threads = [t for t in terms if _special(t, f"thread.{axis}")]
        blocks = []
        for term in terms:
            factor = _block_product(term, axis)
            if factor is None:
                continue
            if _special(factor, f"block_dim.{axis}") or (
                axis in required and fold.as_int(factor) == required[axis]
            ):
                blocks.append(term)
        if len(threads) == 1 and len(blocks) == 1:
            rest = [t for t in terms if t is not threads[0] and t is not blocks[0]]
            result: Expr = fold.cast(Read(index_var(axis)), node.type)
            for term in rest:
                result = fold.binary("+", result, term)
            return result
    return node


# --- Grid-stride loops ---------------------------------------------------------------------------


def _flatten_strides(program: flat.Program) -> tuple[Expr, ...]:
    """Turn independent grid-stride loops into branches; the bounds of their indices."""
    values = single_values(program)
    scalars = {var.name for p in program.parameters for _, var in p.scalars}
    loops = [s for s in program.body if isinstance(s, flat.Loop)]
    if not loops:
        return ()
    for statement in flat.statements([s for s in program.body if s not in loops]):
        if isinstance(statement, flat.Store | flat.AtomicUpdate | flat.Leave):
            return ()
    bounds: list[Expr] = []
    for loop in loops:
        bound = _stride_bound(program, loop, values, scalars)
        if bound is None:
            return ()
        bounds.append(bound)
    program.body[:] = [
        flat.Branch(s.condition, s.body) if isinstance(s, flat.Loop) else s for s in program.body
    ]
    return tuple(bounds)


def _flatten_sums(program: flat.Program) -> tuple[Expr, ...]:
    """Turn the one grid-stride loop into a branch, if all that it leaves are sums.

    sum = 0; for (i = index; i < n; i += size) sum += x[i]; atomic total += sum
    """
    values = single_values(program)
    scalars = {var.name for p in program.parameters for _, var in p.scalars}
    position = next((i for i, s in enumerate(program.body) if isinstance(s, flat.Loop)), None)
    if position is None:
        return ()
    loop, before, after = (
        program.body[position], program.body[:position], program.body[position + 1 :],
    )  # fmt: skip
    assert isinstance(loop, flat.Loop)
    sums: set[str] = set()
    for statement in after:
        match statement:
            case flat.AtomicUpdate(None, "add", ref, (Read(Var(name)),)) if reads(
                resolve(ref.index, values)
            ) <= scalars and ref.type in (F32, I32, U32, I64, U64):
                sums.add(name)
            case _:
                return ()
    starts = {s.var.name: s.value for s in before if isinstance(s, flat.Set) and s.var.name in sums}
    for name in sums:
        start = starts.get(name)
        if not isinstance(start, Const) or start.value != 0 or not _only_adds(loop, name):
            return ()
    inside = list(flat.statements(loop.body))
    if any(isinstance(s, flat.Store | flat.AtomicUpdate) for s in (*before, *inside)):
        return ()
    bound = _stride_bound(program, loop, values, scalars, frozenset(sums))
    if bound is None:
        return ()
    program.body[position] = flat.Branch(loop.condition, loop.body)
    return (bound,)


def _only_adds(loop: flat.Loop, name: str) -> bool:
    """Does the loop do nothing with the variable but add to it?"""
    for statement in flat.statements(loop.body):
        if isinstance(statement, flat.Set) and statement.var.name == name:
            value = statement.value
            if not isinstance(value, Binary) or value.op != "+":
                return False
            if value.lhs != Read(statement.var) or name in reads(value.rhs):
                return False
        elif any(name in reads(e) for e in flat.expressions(statement)):
            return False
    return True


def _stride_bound(
    program: flat.Program,
    loop: flat.Loop,
    values: dict[str, Expr],
    scalars: set[str],
    sums: frozenset[str] = frozenset(),
) -> Expr | None:
    if loop.head or not loop.test_first or len(loop.step) != 1:
        return None
    step, test = loop.step[0], loop.condition
    if not isinstance(step, flat.Set) or not isinstance(test, Binary) or test.op != "<":
        return None
    var = step.var
    start = next(
        (
            s
            for s in program.body
            if isinstance(s, flat.Set) and s.var.name == var.name and s.declare
        ),
        None,
    )
    if start is None or start.value is None or test.lhs != Read(var):
        return None
    if not _is(resolve(start.value, values), index_var("x")):
        return None
    moved = step.value
    if not isinstance(moved, Binary) or moved.op != "+":
        return None
    if Read(var) not in (moved.lhs, moved.rhs):
        return None
    amount = moved.rhs if moved.lhs == Read(var) else moved.lhs
    if not _is(resolve(amount, values), size_var("x")):
        return None
    bound = resolve(test.rhs, values)
    if not reads(bound) <= scalars or not is_host_expression(bound):
        return None
    inside = list(flat.statements(loop.body))
    declared = {s.var.name for s in inside if isinstance(s, flat.Set) and s.declare}
    declared |= {v.name for s in inside if not isinstance(s, flat.Set) for v in flat.targets(s)}
    declared |= sums
    for statement in inside:
        if isinstance(statement, flat.Leave) and statement.label in (loop.label, "kernel"):
            return None
        if isinstance(statement, flat.Set) and statement.var.name not in declared:
            return None
    # A later round of a thread may read what an earlier one wrote, except at its own index.
    stored: dict[str, set[str]] = {}
    for statement in inside:
        if isinstance(statement, flat.Store):
            stored.setdefault(statement.ref.root.name, set()).add(_key(statement.ref, values))
    for statement in inside:
        if isinstance(statement, flat.Load) and statement.ref.root.name in stored:
            own = {_key(statement.ref, values)}
            if stored[statement.ref.root.name] != own:
                return None
        if isinstance(statement, flat.AtomicUpdate) and statement.ref.root.name in stored:
            return None
        if isinstance(statement, flat.Load | flat.Store) and statement.ref.root.space == "address":
            return None
    for keys in stored.values():
        if len(keys) != 1 and not _all_own(keys, var.name):
            return None
    position = program.body.index(loop)
    for later in program.body[position + 1 :]:
        for inner in flat.statements([later]):
            if any(var.name in reads(e) for e in flat.expressions(inner)):
                return None
    return bound


def _all_own(keys: set[str], name: str) -> bool:
    """Do all stores of a round stay at places made from the index?"""
    return all(f"'{name}'" in key for key in keys)


def _key(ref: flat.Ref, values: dict[str, Expr]) -> str:
    return f"{ref.index!r}:{ref.unit}"


def _is(expr: Expr, var: Var) -> bool:
    while isinstance(expr, Cast):
        expr = expr.value
    return isinstance(expr, Read) and expr.place == var


def single_values(program: flat.Program) -> dict[str, Expr]:
    """The values of variables that are written once."""
    writes = Counter(v.name for s in flat.statements(program.body) for v in flat.targets(s))
    return {
        s.var.name: s.value
        for s in flat.statements(program.body)
        if isinstance(s, flat.Set) and s.value is not None and writes[s.var.name] == 1
    }


def resolve(expr: Expr, values: dict[str, Expr], depth: int = 8) -> Expr:
    """The expression with variables that are written once replaced by their values."""

    def rule(node: Node) -> Node:
        known = isinstance(node, Read) and isinstance(node.place, Var) and depth > 0
        if known and node.place.name in values:  # type: ignore[attr-defined]
            return resolve(values[node.place.name], values, depth - 1)  # type: ignore[attr-defined]
        return node

    return map_nodes(expr, rule)


def is_host_expression(expr: Expr, sizes: Collection[str] = ()) -> bool:
    """Can the launcher compute the value in Python, with the same result? `sizes`: the built-in
    sizes that it may use."""
    match expr:
        case Const():
            return True
        case Special(name):
            return name in sizes
        case Read(Var()):
            return True
        case Cast(value, type):
            return isinstance(type, Scalar) and type.is_integer and is_host_expression(value, sizes)
        case Binary(op, lhs, rhs) if op in ("+", "-", "*"):
            return is_host_expression(lhs, sizes) and is_host_expression(rhs, sizes)
        case Binary("/", lhs, Const(number)):
            return int(number) > 0 and is_host_expression(lhs, sizes)
        case _:
            return False


def host_text(expr: Expr, sizes: Mapping[str, str] = {}) -> str:
    """A host expression in Python; `sizes`: what the launch's sizes are called there."""
    match expr:
        case Special(name):
            return sizes[name]
        case Const(value):
            return str(value)
        case Read(Var(name)):
            return f"int({name})"
        case Cast(value, _):
            return host_text(value, sizes)
        case Binary(op, lhs, rhs):
            sign = "//" if op == "/" else op
            return f"({host_text(lhs, sizes)} {sign} {host_text(rhs, sizes)})"
        case _:
            raise AssertionError(expr)
