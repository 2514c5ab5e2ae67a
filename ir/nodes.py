"""The thread IR on one page: what one CUDA thread does, structured and typed.

    __global__ void scale(float* x, float a, int n) {       kernel scale(x: f32*, a: f32, n: i32) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;   ->     let i: i32 = (i32)(block.x * ...)
      if (i < n) x[i] *= a;                                   if (i < n) { x[i] = x[i] * a }
    }                                                       }

Rules that every node keeps (ir/verify.py checks them):

- **Expressions have no side effects.** Whatever writes, synchronises, exchanges or prints is a
  statement with a variable for its result. `a[i++] = f(b[j])` becomes three statements.
- **Conversions are explicit.** Both operands of a `Binary` have one type (shifts: each its own; the
  result has the left one's). What C converts silently is a `Cast` here.
- **`&&`, `||` and `Select` are lazy**, lane by lane: a `Read` in the arm not taken does not happen.
- **Names are unique** within a function; a reference is a pointer; a method has its object first.
- Nodes are frozen values. `span` points into the user's text and takes no part in equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from crossport.diagnostics import Span
from crossport.ir.types import BOOL, I32, I64, U32, Handle, Pointer, Scalar, StructDef, Type


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in the source."""

    span: Span | None = field(default=None, compare=False, repr=False, kw_only=True)


# --- Places: what can be read, written, or pointed at ------------------------------------------


@dataclass(frozen=True, slots=True)
class Var(Node):
    """A parameter, local, shared or global variable by name."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Element(Node):
    """`base[index]` where `base` is an array (not a pointer: that is `Deref`)."""

    base: Place
    index: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`base.name`."""

    base: Place
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Deref(Node):
    """`pointer[index]`; `*p` has index 0. `index` counts elements of the pointer's type."""

    pointer: Expr
    index: Expr
    type: Type


Place = Var | Element | Member | Deref


# --- Expressions -------------------------------------------------------------------------------

SpecialName = Literal[
    "thread.x", "thread.y", "thread.z", "block.x", "block.y", "block.z",
    "block_dim.x", "block_dim.y", "block_dim.z", "grid_dim.x", "grid_dim.y", "grid_dim.z",
    "warp_size", "lane_id", "warp_id",
]  # fmt: skip

BinaryOp = Literal[
    "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^",
    "==", "!=", "<", "<=", ">", ">=", "&&", "||",
]  # fmt: skip

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))


@dataclass(frozen=True, slots=True)
class Const(Node):
    """A number. NaN and -0.0 are not constants (a `Bitcast` of their bits spells them)."""

    value: int | float | bool
    type: Scalar


@dataclass(frozen=True, slots=True)
class Null(Node):
    """The null pointer."""

    type: Pointer


@dataclass(frozen=True, slots=True)
class Special(Node):
    """A built-in index: u32, `warp_size` i32. `lane_id` and `warp_id` count within the block."""

    name: SpecialName

    @property
    def type(self) -> Scalar:
        """The CUDA type of the built-in."""
        return I32 if self.name == "warp_size" else U32


@dataclass(frozen=True, slots=True)
class Read(Node):
    """The value at a place."""

    place: Place
    volatile: bool = False

    @property
    def type(self) -> Type:
        """The place's type."""
        return self.place.type


@dataclass(frozen=True, slots=True)
class AddressOf(Node):
    """`&place`. An array decays as `AddressOf(Element(array, 0))`."""

    place: Place

    @property
    def type(self) -> Pointer:
        """A pointer to the place's type."""
        return Pointer(self.place.type)


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x`, `~x`, `!x` (bool only)."""

    op: Literal["-", "~", "!"]
    value: Expr

    @property
    def type(self) -> Type:
        """The operand's type."""
        return self.value.type


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`lhs op rhs` with C semantics for the operands' one type. Comparisons give bool.

    Division truncates; shifting by the width or more gives 0 (or the sign) as the hardware does.
    Pointers may be compared; to move one, `PointerAdd`.
    """

    op: BinaryOp
    lhs: Expr
    rhs: Expr

    @property
    def type(self) -> Type:
        """bool for comparisons and logic, else the left operand's type."""
        return BOOL if self.op in COMPARISONS or self.op in ("&&", "||") else self.lhs.type


@dataclass(frozen=True, slots=True)
class PointerAdd(Node):
    """`pointer + index`, index in elements (any integer type)."""

    pointer: Expr
    index: Expr

    @property
    def type(self) -> Type:
        """The pointer's type."""
        return self.pointer.type


@dataclass(frozen=True, slots=True)
class PointerDiff(Node):
    """`lhs - rhs` in elements."""

    lhs: Expr
    rhs: Expr

    @property
    def type(self) -> Scalar:
        """ptrdiff_t."""
        return I64


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`condition ? then : otherwise`; each arm is evaluated only in the lanes that take it."""

    condition: Expr
    then: Expr
    otherwise: Expr

    @property
    def type(self) -> Type:
        """The arms' type."""
        return self.then.type


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """A value converted as C does: float to int truncates (NVIDIA: saturates, NaN gives 0).

    Between pointers, and pointer to or from u64, the bits stay.
    """

    value: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Bitcast(Node):
    """The same bits as another scalar type of the same size (`__float_as_int`)."""

    value: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Intrinsic(Node):
    """A pure function by its CUDA name: `sqrtf(x)`, `__popc(x)`, `min`. Rows in ir/intrinsics.py.

    Type-generic names are resolved by the argument types; `type` is the result.
    """

    name: str
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """A struct or array value, one expression a field or element, in order. Missing ones are 0."""

    values: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Extract(Node):
    """A member of a struct value that is not at a place: `f(x).y`."""

    value: Expr
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class FunctionRef(Node):
    """A device function as a value."""

    name: str

    @property
    def type(self) -> Handle:
        """A handle that only `Call` can use."""
        return Handle(f"function {self.name}")


@dataclass(frozen=True, slots=True)
class OpaqueValue(Node):
    """An expression that was not understood: its text, and why."""

    text: str
    reason: str
    type: Type


Expr = (
    Const | Null | Special | Read | AddressOf | Unary | Binary | PointerAdd | PointerDiff | Select
    | Cast | Bitcast | Intrinsic | Aggregate | Extract | FunctionRef | OpaqueValue
)  # fmt: skip


# --- Statements --------------------------------------------------------------------------------

Block = tuple["Stmt", ...]


@dataclass(frozen=True, slots=True)
class Let(Node):
    """A local variable comes into being, with a value or uninitialised."""

    var: Var
    init: Expr | None = None


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """`place = value`."""

    place: Place
    value: Expr
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class If(Node):
    """Lanes split on `condition` and meet again after it."""

    condition: Expr
    then: Block
    otherwise: Block = ()


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for (; condition; step) body`; what C declares in the head stands before the loop.

    `continue` goes to `step`. `unroll`: a pragma's factor, 0 for "fully", None for no pragma.
    """

    condition: Expr
    step: Block
    body: Block
    unroll: int | None = None


@dataclass(frozen=True, slots=True)
class While(Node):
    """`while (condition) body`."""

    condition: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class DoWhile(Node):
    """`do body while (condition)`; `continue` goes to the condition."""

    body: Block
    condition: Expr


@dataclass(frozen=True, slots=True)
class Case(Node):
    """One arm of a switch: it runs for any of `values` (empty: default) and falls through."""

    values: tuple[int, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Switch(Node):
    """`break` leaves it; an arm without one falls into the next."""

    value: Expr
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Break(Node):
    """Leave the innermost loop or switch."""


@dataclass(frozen=True, slots=True)
class Continue(Node):
    """Go to the next round of the innermost loop."""


@dataclass(frozen=True, slots=True)
class Return(Node):
    """Leave the function; in a kernel the thread ends."""

    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`target = function(args)` for a device function in the module (or a pointer to one)."""

    target: Var | None
    function: str | Expr
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Barrier(Node):
    """`__syncthreads()` and its kin.

    scope: "block"; "grid" (cooperative launch); "cluster". `reduce` combines `predicate` over the
    block into `target` (`__syncthreads_count/and/or`): target is i32.
    """

    scope: Literal["block", "grid", "cluster"] = "block"
    reduce: Literal["count", "and", "or"] | None = None
    predicate: Expr | None = None
    target: Var | None = None


@dataclass(frozen=True, slots=True)
class SyncWarp(Node):
    """`__syncwarp(mask)`; no mask: the whole warp. `width`: a tile's sync (4, 8 ... 32)."""

    mask: Expr | None = None
    width: Expr | None = None


@dataclass(frozen=True, slots=True)
class Fence(Node):
    """`__threadfence_block/()/_system()`."""

    scope: Literal["block", "device", "system"]


@dataclass(frozen=True, slots=True)
class Shuffle(Node):
    """`target = __shfl_*_sync(mask, value, lane, width)`.

    `lane`: source lane, delta or lane mask, by `mode`. `width` None: the whole warp (warpSize).
    `mask` None: the legacy form without one, or a tile of `width` lanes.
    """

    target: Var
    mode: Literal["idx", "up", "down", "xor"]
    mask: Expr | None
    value: Expr
    lane: Expr
    width: Expr | None = None


@dataclass(frozen=True, slots=True)
class Vote(Node):
    """`target = __any/all/ballot/uni_sync(mask, predicate)`; "active" is `__activemask()`.

    any, all, uni: i32 0 or 1. ballot, active: u32, bit per lane. `width`: a tile's vote, whose
    ballot counts bits from the tile's first lane.
    """

    target: Var
    mode: Literal["any", "all", "ballot", "uni", "active"]
    mask: Expr | None
    predicate: Expr | None
    width: Expr | None = None


@dataclass(frozen=True, slots=True)
class Match(Node):
    """`__match_any_sync` / `__match_all_sync`: target u32; `predicate_target` i32 for "all"."""

    target: Var
    mode: Literal["any", "all"]
    mask: Expr | None
    value: Expr
    predicate_target: Var | None = None
    width: Expr | None = None


@dataclass(frozen=True, slots=True)
class WarpReduce(Node):
    """`__reduce_*_sync` and cooperative_groups::reduce/scan over a warp or tile."""

    target: Var
    op: Literal["add", "min", "max", "and", "or", "xor"]
    mask: Expr | None
    value: Expr
    width: Expr | None = None
    scan: Literal["inclusive", "exclusive"] | None = None


AtomicOp = Literal[
    "add", "sub", "exch", "min", "max", "inc", "dec", "and", "or", "xor", "cas", "load", "store",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Atomic(Node):
    """`target = atomicOp(&place, operands)`: one operand; "cas" has (compare, value), "load" none.

    `target` gets the old value.
    """

    target: Var | None
    op: AtomicOp
    place: Place
    operands: tuple[Expr, ...]
    scope: Literal["block", "device", "system"] = "device"


@dataclass(frozen=True, slots=True)
class Effect(Node):
    """An intrinsic that reads or changes state: clock, malloc, wmma, surface write.

    Rows in ir/intrinsics.py. Pointer arguments may be read and written through.
    """

    target: Var | None
    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Print(Node):
    """`printf(format, args)`."""

    format: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Assert(Node):
    """`assert(condition)`: the launch fails where it does not hold."""

    condition: Expr
    text: str


@dataclass(frozen=True, slots=True)
class Trap(Node):
    """`__trap()`: the launch fails."""


@dataclass(frozen=True, slots=True)
class Launch(Node):
    """A kernel launched from the device."""

    kernel: str
    grid: tuple[Expr, Expr, Expr]
    block: tuple[Expr, Expr, Expr]
    shared_bytes: Expr
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Opaque(Node):
    """A statement that was not understood: its text, and why. It blocks lifting, not HIP edits."""

    text: str
    reason: str


Stmt = (
    Let | Assign | If | For | While | DoWhile | Switch | Break | Continue | Return | Call
    | Barrier | SyncWarp | Fence | Shuffle | Vote | Match | WarpReduce | Atomic | Effect
    | Print | Assert | Trap | Launch | Opaque
)  # fmt: skip


# --- Functions and modules ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param(Node):
    """A parameter. `restrict`: the programmer promised that nothing else points there."""

    name: str
    type: Type
    is_const: bool = False
    restrict: bool = False


@dataclass(frozen=True, slots=True)
class SharedVar(Node):
    """A `__shared__` variable; Array(..., 0) is the dynamic one. All dynamic ones share storage."""

    name: str
    type: Type
    align: int = 0


@dataclass(frozen=True, slots=True)
class GlobalVar(Node):
    """A `__device__` or `__constant__` variable; `init` None: zero."""

    name: str
    type: Type
    space: Literal["global", "constant"]
    init: Aggregate | Const | None = None


@dataclass(frozen=True, slots=True)
class KernelInfo:
    """What only a `__global__` function has.

    launch_bounds: (max threads a block, min blocks a multiprocessor), 0 where not given.
    template_args: how an instantiation is spelled, e.g. ("float", "256"); () for a plain kernel.
    """

    launch_bounds: tuple[int, int] = (0, 0)
    template_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A kernel (`kernel` set) or a device function. An instantiation is named `k<float, 128>`."""

    name: str
    params: tuple[Param, ...]
    result: Type
    body: Block
    shared: tuple[SharedVar, ...] = ()
    kernel: KernelInfo | None = None

    @property
    def base_name(self) -> str:
        """The name without template arguments."""
        return self.name.partition("<")[0]


@dataclass(frozen=True, slots=True)
class Module(Node):
    """One translation unit's device code: kernels, and all that they reach."""

    functions: tuple[Function, ...]
    structs: tuple[StructDef, ...] = ()
    globals: tuple[GlobalVar, ...] = ()

    @property
    def kernels(self) -> tuple[Function, ...]:
        """The `__global__` functions, in source order."""
        return tuple(f for f in self.functions if f.kernel is not None)

    def function(self, name: str) -> Function:
        """The function of that full name; KeyError if there is none."""
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)

    def struct(self, name: str) -> StructDef:
        """The layout of a struct; KeyError if there is none."""
        for struct in self.structs:
            if struct.name == name:
                return struct
        raise KeyError(name)


def children(node: Node) -> Iterator[Node]:
    """The nodes right below, in field order."""
    for name in fields_with_nodes(type(node)):
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))
        elif isinstance(value, Node):
            yield value


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, parents first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(tuple(children(node))))


_LEAVES = frozenset(("Span | None", "str", "int", "int | None", "bool", "float", "Type", "Scalar"))
_fields: dict[type, tuple[str, ...]] = {}


def fields_with_nodes(kind: type[Node]) -> tuple[str, ...]:
    """The fields that can hold nodes: all but names, numbers, types and operators."""
    if kind not in _fields:
        _fields[kind] = tuple(
            name
            for name, each in kind.__dataclass_fields__.items()
            if each.type not in _LEAVES
            and not str(each.type).startswith(("Literal", "SpecialName", "BinaryOp", "AtomicOp"))
        )
    return _fields[kind]
