"""The flat thread program: one kernel with nothing left but scalars and memory references.

    particles[i].x += dt * p.vx      ->      load t0 = particles[8 * i + 0] : f32
                                             store particles[8 * i + 0] = t0 + dt * p_vx

What flattening (flatten/) has removed: calls, structs, local arrays, pointers to locals, lazy
reads inside expressions, `switch`, `continue`, early returns where nesting says the same. What a
pointer may point into is no longer a question: every access names its root.

Expressions are those of `ir.nodes` over scalar types only, and never read memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from crossport.diagnostics import Diagnostic, Span
from crossport.ir.fragments import Layout
from crossport.ir.nodes import AtomicOp, Expr, Var
from crossport.ir.types import Scalar, Type

Space = Literal["param", "global", "constant", "shared", "local", "address"]


@dataclass(frozen=True, slots=True)
class Root:
    """A stretch of memory: what a pointer parameter, a global, a shared or a local array names.

    `element`: the scalar that its declaration suggests (u8 where it suggests none). `size`: bytes,
    0 where unknown. The one root "address" is all of global memory, by absolute address.
    """

    name: str
    space: Space
    element: Scalar
    size: int = 0


@dataclass(frozen=True, slots=True)
class Ref:
    """A scalar in memory: `unit * index` bytes into the root, read as `type`."""

    root: Root
    index: Expr
    type: Scalar
    unit: int

    @property
    def is_whole(self) -> bool:
        """Is the index in elements of the type that is read?"""
        return self.unit == self.type.size


@dataclass(slots=True)
class Set:
    """`var = value`; `declare`: the variable begins here (value None: uninitialised)."""

    var: Var
    value: Expr | None
    declare: bool = False


@dataclass(slots=True)
class Load:
    """`var = ref` in the lanes where `guard` holds; the variable begins here."""

    var: Var
    ref: Ref
    guard: Expr | None = None
    volatile: bool = False


@dataclass(slots=True)
class Store:
    """`ref = value`."""

    ref: Ref
    value: Expr
    volatile: bool = False


@dataclass(slots=True)
class AtomicUpdate:
    """`var = old; ref = op(old, operands)`, indivisible. The variable, if any, begins before."""

    var: Var | None
    op: AtomicOp
    ref: Ref
    operands: tuple[Expr, ...]


@dataclass(slots=True)
class Branch:
    """Lanes split on `condition`."""

    condition: Expr
    then: Body
    otherwise: Body = field(default_factory=list)


@dataclass(slots=True)
class Loop:
    """`head` computes what `condition` needs; then body, step, and again.

    `test_first` False: the first round runs unconditionally, and `head` runs after the step.
    """

    label: str
    head: Body
    condition: Expr
    body: Body
    step: Body
    test_first: bool = True


@dataclass(slots=True)
class Scope:
    """A region that `Leave(label)` inside it leaves."""

    label: str
    body: Body


@dataclass(slots=True)
class Leave:
    """The lanes here go to the end of the scope, or out of the loop, of that label."""

    label: str


@dataclass(slots=True)
class Sync:
    """A barrier of the block, the warp or the grid."""

    scope: Literal["block", "warp", "grid"]


@dataclass(slots=True)
class Collect:
    """`var` = a combination of `predicate` over the block: `__syncthreads_count/and/or`."""

    var: Var
    mode: Literal["count", "and", "or"]
    predicate: Expr


@dataclass(slots=True)
class Exchange:
    """A shuffle: `var` = `value` of another lane of the group of `width` lanes."""

    var: Var
    mode: Literal["idx", "up", "down", "xor"]
    value: Expr
    lane: Expr
    width: int


@dataclass(slots=True)
class Ballot:
    """A vote over the active lanes of the group of `width` lanes; "active" has no predicate."""

    var: Var
    mode: Literal["any", "all", "ballot", "uni", "active"]
    predicate: Expr | None
    width: int


@dataclass(slots=True)
class GroupReduce:
    """A reduction or scan over the active lanes of the group of `width` lanes."""

    var: Var
    op: Literal["add", "min", "max", "and", "or", "xor"]
    value: Expr
    width: int
    scan: Literal["inclusive", "exclusive"] | None = None


@dataclass(slots=True)
class LaneReduce:
    """`var` = a reduction of `source` over all threads of the block, whoever is here now.

    `width` lanes at a time (0: all, and the result is the same in all threads); `scan`: each lane
    gets the combination of the lanes up to (or before) it.
    """

    var: Var
    op: str
    source: Expr
    width: int = 0
    scan: Literal["inclusive", "exclusive"] | None = None


@dataclass(slots=True)
class LaneGather:
    """`var` = `source` of the lane with number `lane`, whoever is here now."""

    var: Var
    source: Expr
    lane: Expr


@dataclass(slots=True)
class LaneDot:
    """`var` = the matrix product of two lane tensors seen as (rows, inner) and (inner, columns).

    `a_columns`: lane of A[i, k] is `i * inner + k`, or `k * rows + i` where set; `b_columns`
    likewise for B[k, j]: `k * columns + j`, or `j * inner + k`. Lane of the result: row-major.
    """

    var: Var
    a: Expr
    b: Expr
    rows: int
    inner: int
    columns: int
    a_columns: bool = False
    b_columns: bool = False


@dataclass(slots=True)
class WarpDot:
    """`vars` = A B + C of each warp, whose matrices lie in elements that its lanes hold.

    A is rows x inner. A layout says where element `e` of a lane stands in its matrix: the bits of
    its row-major number, first the highest, as ("lane", bit) or ("element", bit). The result lies
    as C does. `kind`: how elements of A and B are multiplied ("tf32": f32 whose low bits do not
    count).
    """

    vars: tuple[Var, ...]
    a: tuple[Expr, ...]
    b: tuple[Expr, ...]
    c: tuple[Expr, ...]
    rows: int
    inner: int
    columns: int
    layouts: tuple[Layout, Layout, Layout]
    kind: str
    saturates: bool = False


Statement = (
    LaneReduce | LaneGather | LaneDot | WarpDot | Set | Load | Store | AtomicUpdate | Branch | Loop
    | Scope | Leave | Sync | Collect | Exchange | Ballot | GroupReduce
)  # fmt: skip
WarpStatement = Exchange | Ballot | GroupReduce | WarpDot
"""What a warp's lanes do together."""
Body = list[Statement]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A kernel parameter as the port receives it.

    `roots`: for a pointer, its root; for a struct, the roots of its pointer members. `scalars`:
    the flat variables that carry its numbers. Each with the member path ("" for the parameter).
    """

    name: str
    type: Type
    roots: tuple[tuple[str, Root], ...] = ()
    scalars: tuple[tuple[str, Var], ...] = ()
    paths: tuple[str, ...] = ()
    """The member paths of a struct, in order of declaration."""


@dataclass(frozen=True, slots=True)
class GlobalArray:
    """A `__device__`/`__constant__` variable; `init`: its scalars in order (None: zeros).

    is_lookup: a table that the lifting made, of no concern to whoever calls the port.
    """

    root: Root
    count: int
    init: tuple[int | float | bool, ...] | None
    is_lookup: bool = False


@dataclass(slots=True)
class Program:
    """A flattened kernel."""

    name: str
    parameters: tuple[Parameter, ...]
    globals: tuple[GlobalArray, ...]
    shared: tuple[Root, ...]
    locals: tuple[Root, ...]
    body: Body
    has_dynamic_shared: bool = False
    max_threads: int = 0
    notes: list[Diagnostic] = field(default_factory=list)
    failure: str = ""
    """What it means that the parameter `failure` is not 0 after a launch; "": it has none."""
    span: Span | None = None


def bodies(statement: Statement) -> tuple[Body, ...]:
    """The statement lists right below, in order of execution."""
    match statement:
        case Branch(_, then, otherwise):
            return (then, otherwise)
        case Loop(_, head, _, body, step):
            return (head, body, step)
        case Scope(_, body):
            return (body,)
        case _:
            return ()


def statements(body: Body) -> Iterator[Statement]:
    """Every statement at any depth, in source order."""
    for statement in body:
        yield statement
        for below in bodies(statement):
            yield from statements(below)


def expressions(statement: Statement) -> tuple[Expr, ...]:
    """The expressions that the statement itself evaluates."""
    match statement:
        case Set(_, value):
            return (value,) if value is not None else ()
        case Load(_, ref, guard):
            return (ref.index, guard) if guard is not None else (ref.index,)
        case Store(ref, value):
            return (ref.index, value)
        case AtomicUpdate(_, _, ref, operands):
            return (ref.index, *operands)
        case Branch(condition) | Loop(_, _, condition):
            return (condition,)
        case Collect(_, _, predicate):
            return (predicate,)
        case Exchange(_, _, value, lane):
            return (value, lane)
        case Ballot(_, _, predicate):
            return (predicate,) if predicate is not None else ()
        case GroupReduce(_, _, value) | LaneReduce(_, _, value):
            return (value,)
        case LaneGather(_, source, lane):
            return (source, lane)
        case LaneDot(_, a, b):
            return (a, b)
        case WarpDot(_, a, b, c):
            return (*a, *b, *c)
        case _:
            return ()


def targets(statement: Statement) -> tuple[Var, ...]:
    """The variables that the statement writes."""
    match statement:
        case Set(var) | Load(var) | Collect(var) | Exchange(var) | Ballot(var) | GroupReduce(var):
            return (var,)
        case LaneReduce(var) | LaneGather(var) | LaneDot(var):
            return (var,)
        case WarpDot(vars):
            return vars
        case AtomicUpdate(var):
            return (var,) if var is not None else ()
        case _:
            return ()


def retarget(statement: Statement, old: str, new: Var) -> None:
    """Let the statement write another variable in place of one of its own."""
    match statement:
        case WarpDot():
            statement.vars = tuple(new if v.name == old else v for v in statement.vars)
        case (
            Set() | Load() | Collect() | Exchange() | Ballot() | GroupReduce() | LaneReduce()
            | LaneGather() | LaneDot() | AtomicUpdate()
        ):  # fmt: skip
            statement.var = new
        case _:
            pass


def copied(statement: Statement) -> Statement:
    """A copy down to the statements; expressions are shared, for they never change."""
    match statement:
        case Branch(condition, then, otherwise):
            return Branch(condition, [copied(s) for s in then], [copied(s) for s in otherwise])
        case Loop(label, head, condition, body, step, test_first):
            return Loop(
                label, [copied(s) for s in head], condition, [copied(s) for s in body],
                [copied(s) for s in step], test_first,
            )  # fmt: skip
        case Scope(label, body):
            return Scope(label, [copied(s) for s in body])
        case _:
            return replace(statement)


def copy_of(program: Program) -> Program:
    """An independent program: statements are copied, expressions shared."""
    return replace(program, body=[copied(s) for s in program.body], notes=list(program.notes))
