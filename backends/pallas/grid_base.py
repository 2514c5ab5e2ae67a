"""What the printers of flat programs share: names, masks, the lines written so far, plain sets.

    i = i + 1   under a mask    ->    i = jnp.where(mask_1, i + 1, i)

A thread's value is an element of a (blocks, lanes) array; what all threads of the grid share is a
scalar.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crossport.backends.pallas.expressions import Expressions, jnp_type, literal
from crossport.ir.lift import flat
from crossport.ir.lift.names import Names
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Bitcast, Const, Expr, walk
from crossport.ir.types import BOOL, U8, Scalar


@dataclass
class KernelText:
    """A printed kernel body and what the module must provide."""

    lines: list[str]
    expressions: Expressions
    written: tuple[str, ...]
    """The parameters that the kernel writes, in order."""
    written_globals: tuple[str, ...] = ()
    uses_warps: bool = False
    is_wide: bool = False


class GridBase:
    """Names, masks and output of one program."""

    def __init__(self, program: flat.Program) -> None:
        self.program = program
        self.facts: Uniformity = uniformity(program, grid=True)
        self.e = Expressions()
        self.e.exact_fma = any(
            isinstance(x, Bitcast) and not (isinstance(x.type, Scalar) and x.type.is_float)
            for s in flat.statements(program.body)
            for e in flat.expressions(s)
            for x in walk(e)
        )
        self.names = Names()
        self.lines: list[str] = []
        self.depth = 1
        self.mask = "active"
        self.masks: list[tuple[str, str]] = [("kernel", "active")]
        self.known: dict[str, None] = {"active": None}
        self.assigned: list[dict[str, None]] = []
        self.in_head = 0
        self.uses_warps = any(
            isinstance(s, flat.WarpStatement) for s in flat.statements(program.body)
        )
        self.writes: dict[str, int] = {}
        for statement in flat.statements(program.body):
            for var in flat.targets(statement):
                self.writes[var.name] = self.writes.get(var.name, 0) + 1
        self.reserve()
        self.dirty_kernel = "kernel" in self.facts.left

    def reserve(self) -> None:
        for name in self.writes:
            self.names.fresh(name)
        for parameter in self.program.parameters:
            for _, root in parameter.roots:
                self.names.fresh(root.name)
                self.known[root.name] = None
            for _, var in parameter.scalars:
                self.names.fresh(var.name)
                self.known[var.name] = None
        for root in (
            *self.program.shared, *self.program.locals, *(g.root for g in self.program.globals)
        ):  # fmt: skip
            self.names.fresh(root.name)
            self.known[root.name] = None
        for name in ("active", *(f"{a}_{d}" for a in ("thread", "block") for d in "xyz")):
            self.names.fresh(name)

    # --- Output ---------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append(("    " * self.depth + text).rstrip())

    def put(self, name: str, text: str) -> None:
        """`name = text`."""
        self.line(f"{name} = {text}")
        self.known.setdefault(name, None)
        for record in self.assigned:
            record.setdefault(name, None)

    @contextmanager
    def indented(self) -> Iterator[None]:
        self.depth += 1
        yield
        self.depth -= 1

    # --- Statements -----------------------------------------------------------------------------

    def body(self, body: flat.Body) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, statement: flat.Statement) -> None:
        """One statement; what prints it is in the classes that build on this one."""
        raise NotImplementedError

    def set(self, statement: flat.Set) -> None:
        var, value = statement.var, statement.value
        self.e.see(var.type)
        varying = var.name in self.facts.varying
        if value is None:
            shape = "shape" if varying else "()"
            self.put(var.name, f"jnp.zeros({shape}, {jnp_type(var.type)})")
            return
        if id(statement) in self.facts.masked_sets:
            self.put(var.name, f"jnp.where({self.mask}, {self.e(value)}, {var.name})")
        elif varying and self.writes[var.name] > 1:
            self.put(var.name, self.full(value, var.type))
        else:
            self.put(var.name, self.e.typed(value))

    def full(self, value: Expr, kind: object) -> str:
        """The value as one a lane."""
        if isinstance(value, Const):
            return f"jnp.full(shape, {literal(value.value)}, {jnp_type(kind)})"
        return f"jnp.broadcast_to({self.e(value)}, shape)"


def stored(kind: Scalar) -> Scalar:
    """The type in memory: a bool is a byte."""
    return U8 if kind == BOOL else kind
