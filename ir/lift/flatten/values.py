"""What a name or an expression stands for while a kernel is flattened.

float a;        Local: one variable          float* p = x + i;      Ptr: root x, offset 4 * i
P s[2];         Local: a variable a leaf     s[1]                   Agg: a value a leaf
f               FunctionValue
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crossport.diagnostics import Code, Diagnostic, PortError, Span
from crossport.ir import nodes as n
from crossport.ir.lift import fold
from crossport.ir.lift.flat import Root
from crossport.ir.types import POINTER_SIZE, U8, Scalar, Type

ADDRESS = Root("memory", "address", U8)


def refuse(
    message: str, span: Span | None, code: Code = Code.NO_TENSOR_FORM, help: str = ""
) -> PortError:
    """The error that a kernel has no such form."""
    return PortError(Diagnostic(code, message, span=span, help=help))


@dataclass(frozen=True)
class Choice:
    """One of several roots (None: null): the one with the number `selector`, an i32."""

    roots: tuple[Root | None, ...]
    selector: n.Expr


@dataclass(frozen=True)
class Ptr:
    """A root and a byte offset: `const + sum(expr * scale)`. Root None: null so far."""

    root: Root | Local | Choice | None
    terms: tuple[tuple[n.Expr, int], ...] = ()
    const: int = 0

    def plus(self, index: n.Expr, scale: int) -> Ptr:
        """Moved by `index * scale` bytes."""
        number = fold.as_int(index)
        if number is not None:
            return replace(self, const=self.const + number * scale)
        terms = dict(self.terms)
        terms[index] = terms.get(index, 0) + scale
        return replace(self, terms=tuple((e, s) for e, s in terms.items() if s != 0))


@dataclass(frozen=True)
class Agg:
    """A struct or array value: (offset, value) a leaf."""

    leaves: tuple[tuple[int, Value], ...]


@dataclass(frozen=True)
class FunctionValue:
    """A device function as a value."""

    name: str


@dataclass(frozen=True)
class Texture:
    """A texture or surface: its texels, and its descriptor in CUDA's numbers."""

    root: Root
    width: n.Expr
    height: n.Expr
    depth: n.Expr
    filter: n.Expr
    address: n.Expr
    normalized: n.Expr

    @property
    def extents(self) -> tuple[n.Expr, n.Expr, n.Expr]:
        """Texels along x, y and z."""
        return self.width, self.height, self.depth


Compound = Ptr | Agg | FunctionValue | Texture
"""Values that are not numbers."""
Value = n.Expr | Compound


@dataclass(eq=False)
class PtrCell:
    """A pointer variable: its offset is a variable; its root is fixed by the first value.

    Where an earlier walk found several roots, `selector` says which one it is.
    """

    var: n.Var
    unit: int
    root: Root | Local | None = None
    known: bool = False
    key: str = ""
    roots: tuple[Root | None, ...] = ()
    selector: n.Var | None = None
    size: int = POINTER_SIZE
    is_typed: bool = True
    """Does its type say the unit? Else its first value does."""

    @property
    def choice(self) -> Choice | None:
        """The root that it is now, of several."""
        return Choice(self.roots, n.Read(self.selector)) if self.selector is not None else None


@dataclass(eq=False)
class Local:
    """A local variable: one cell a leaf."""

    name: str
    type: Type
    size: int
    cells: dict[int, n.Var | PtrCell]


@dataclass(frozen=True)
class Target:
    """Where `break`, `continue` or `return` goes."""

    kind: str
    label: str
    label_continue: str = ""
    result: Local | None = None


def is_shared(value: Value) -> bool:
    """Is it a pointer into shared memory?"""
    return isinstance(value, Ptr) and isinstance(value.root, Root) and value.root.space == "shared"


def scalar_type(type: Type) -> Scalar:
    """The type of a number; PortError for anything else."""
    if not isinstance(type, Scalar):
        raise refuse(f"a value of type {type} where a number is needed", None)
    return type
