"""The state of a walk over one kernel, and what every layer above needs of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from crossport.diagnostics import Code, Diagnostic, Severity, Span
from crossport.ir import nodes as n
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Body, Root
from crossport.ir.lift.flatten.guesses import Guesses
from crossport.ir.lift.flatten.names_in import assigned
from crossport.ir.lift.flatten.values import Local, Ptr, Target, Value, refuse
from crossport.ir.lift.layout import Layouts
from crossport.ir.lift.names import Names
from crossport.ir.types import Scalar, Type

MOST_STATEMENTS = 60_000


@dataclass
class Activation:
    """A function that calls itself, while it is flattened."""

    params: list[tuple[Local, n.Param]]
    result: Local | None


class Context:
    """The walk's state: statements so far, scopes, and what was found of the kernel's memory."""

    def __init__(self, module: n.Module, kernel: n.Function, guesses: Guesses) -> None:
        self.module = module
        self.kernel = kernel
        self.guesses = guesses
        self.layouts = Layouts(module)
        self.names = Names()
        self.out: Body = []
        self.count = 0
        self.depth = 0
        self.scopes: list[dict[str, Local | Value]] = [{}]
        self.targets: list[Target] = []
        self.roots: dict[str, Root] = {}
        self.globals: dict[str, flat.GlobalArray] = {}
        self.shared: list[Root] = []
        self.local_roots: list[Root] = []
        self.notes: list[Diagnostic] = []
        self.active: list[str] = []
        self.activations: dict[str, Activation] = {}
        self.may_fail = False
        self.guard: n.Expr | None = None
        self.span: Span | None = kernel.span
        self.used_labels: set[str] = set()
        self.written: list[set[str]] = [assigned(kernel)]
        self.steady: set[str] = set()

    @contextmanager
    def collecting(self) -> Iterator[Body]:
        saved, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = saved

    def emit(self, statement: flat.Statement) -> None:
        self.count += 1
        if self.count > MOST_STATEMENTS:
            raise refuse(
                "the kernel is too large once its calls and loops are expanded",
                self.kernel.span,
                Code.KERNEL_TOO_LARGE,
            )
        self.out.append(statement)

    def block(self, stmts: Sequence[n.Stmt]) -> Body:
        with self.collecting() as body:
            self.statements(stmts)
        return body

    def note(self, message: str) -> None:
        found = Diagnostic(Code.DROPPED_IN_PORT, message, self.span, Severity.WARNING)
        if found not in self.notes:
            self.notes.append(found)

    def leave(self, label: str) -> None:
        self.used_labels.add(label)
        self.emit(flat.Leave(label))

    def fresh(self, name: str, type: Scalar) -> n.Var:
        return n.Var(self.names.fresh(name), type)

    def lookup(self, name: str) -> Local | Value | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    # --- What the layers above give -------------------------------------------------------------

    def declare_shared(self, function: n.Function) -> None:
        raise NotImplementedError

    def statements(self, stmts: Sequence[n.Stmt]) -> None:
        raise NotImplementedError

    def value(self, expr: n.Expr) -> Value:
        raise NotImplementedError

    def scalar(self, expr: n.Expr) -> n.Expr:
        raise NotImplementedError

    def fetch(self, name: str, args: Sequence[n.Expr], type: Type) -> Value:
        raise NotImplementedError

    def choose(self, test: n.Expr, a: Value, b: Value) -> Value:
        raise NotImplementedError

    def inline(self, function: n.Function, args: Sequence[Value]) -> Value | None:
        raise NotImplementedError

    def write_pointer(self, pointer: Ptr, type: Type, value: Value, volatile: bool) -> None:
        raise NotImplementedError
