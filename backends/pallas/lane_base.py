"""What every part of the printer of lane tensors needs: types, names, plain statements.

A thread is a lane of an (8, lanes) tensor. `NotTiled` says what Mosaic has no form for: types of
another size than 32 bits' words (64 bits are pairs), arrays that are looked at as another type.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import literal
from crossport.backends.pallas.grid_base import stored
from crossport.backends.pallas.mosaic import MosaicExpressions, NotTiled, held
from crossport.backends.pallas.wide import is_wide
from crossport.backends.pallas.xla import GridPrinter
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.uniform import uniformity
from crossport.ir.nodes import Const, Expr, Var, walk
from crossport.ir.tile.retile import FreeShape, index_var
from crossport.ir.tile.summary import neutral
from crossport.ir.types import Scalar


class LaneBase(GridPrinter):
    """Prints one program."""

    def __init__(
        self, program: flat.Program, name: str, free: FreeShape | None, guard: str
    ) -> None:
        super().__init__(program)
        indices = [index_var(a).name for a in free.axes] if free else []
        self.facts = uniformity(program, grid=True, varying=indices)
        exact = self.e.exact_fma
        self.e = MosaicExpressions()
        self.e.exact_fma = exact
        self.name = name
        self.free = free
        self.guard = guard
        self.types: dict[str, Scalar] = {}
        self.storage: dict[str, Scalar] = {}
        self.inputs: list[Root] = []
        self.bases: dict[str, str] = {}
        """Arrays of which a step may see a window: the variable that says where it starts."""
        self.check()

    # --- What is taken --------------------------------------------------------------------------

    def check(self) -> None:
        """Every type has 32-bit form, and every array is read in units of its own elements."""
        seen: dict[str, tuple[Root, set[Scalar]]] = {}
        for statement in flat.statements(self.program.body):
            for var in flat.targets(statement):
                self.e.see(var.type)
                assert isinstance(var.type, Scalar)
                self.types[var.name] = var.type
            if isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
                ref = statement.ref
                if ref.root.space == "address" or not ref.is_whole:
                    raise NotTiled(f"it reads {ref.root.name} by bytes")
                seen.setdefault(ref.root.name, (ref.root, set()))[1].add(stored(ref.type))
        for name, (root, kinds) in seen.items():
            element = stored(root.element)
            kind = next(iter(kinds)) if len(kinds) == 1 else element
            self.e.see(kind)
            if {k.size for k in kinds} != {element.size}:
                raise NotTiled(f"it reads {name} as another type")
            if len(kinds | {element}) > 1 and element.size < 4:
                raise NotTiled(f"it reads {name} as another type")
            self.storage[name] = kind
        for parameter in self.program.parameters:
            for _, var in parameter.scalars:
                if var.name in self.used_scalars():
                    self.e.see(var.type)

    def used_scalars(self) -> set[str]:
        """The scalar parameters that the program reads."""
        return {
            node.name
            for s in flat.statements(self.program.body)
            for e in flat.expressions(s)
            for node in walk(e)
            if isinstance(node, Var)
        }

    def tables(self) -> set[str]:
        """The arrays that are read or written where other data says."""
        tainted: set[str] = set()
        found: set[str] = set()
        while True:
            before = len(tainted)
            for statement in flat.statements(self.program.body):
                data = isinstance(statement, flat.Load | flat.AtomicUpdate) or any(
                    mentions(e, tainted) for e in flat.expressions(statement)
                )
                if data:
                    tainted |= {var.name for var in flat.targets(statement)}
                if isinstance(statement, ACCESSES) and mentions(statement.ref.index, tainted):
                    found.add(statement.ref.root.name)
            if len(tainted) == before:
                return found

    @property
    def one_step(self) -> bool:
        """Must all blocks run together? Those of a cooperative launch wait for each other."""
        return any(
            isinstance(s, flat.Sync) and s.scope == "grid"
            for s in flat.statements(self.program.body)
        )

    def full(self, value: Expr, kind: object) -> str:
        if is_wide(kind):
            return f"{self.e.use('_full_wide')}({self.e(value)}, shape)"
        if isinstance(value, Const):
            return f"jnp.full(shape, {literal(value.value)}, {held(kind)})"
        if not self.facts.is_uniform(value) and isinstance(value, Expr):
            return self.e(value)
        return f"jnp.broadcast_to({self.e(value)}, shape)"

    def set(self, statement: flat.Set) -> None:
        var, value = statement.var, statement.value
        varying = var.name in self.facts.varying
        if value is None and is_wide(var.type):
            value = fold.constant(0, self.types[var.name])
        if value is None:
            text = f"jnp.zeros(shape, {held(var.type)})" if varying else f"{held(var.type)}(0)"
        elif id(statement) in self.facts.masked_sets:
            where = self.e.use("_where_wide") if is_wide(var.type) else "jnp.where"
            text = f"{where}({self.mask}, {self.e(value)}, {var.name})"
        elif varying and self.writes[var.name] > 1:
            text = self.full(value, var.type)
        else:
            text = self.e.typed(value)
        self.put(var.name, text)

    def is_lanes(self, name: str) -> bool:
        return name in self.types and name in self.facts.varying


def word_type(kind: Scalar) -> str:
    return "jnp.float32" if kind.is_float else "jnp.int32"


def neutral_text(op: str, kind: Scalar) -> str:
    """The value that changes nothing, typed."""
    number = neutral(_SIGNS.get(op, op), kind)
    assert isinstance(number, Const)
    return f"{held(kind)}({literal(number.value)})"


def mentions(expr: Expr, names: set[str]) -> bool:
    return any(isinstance(node, Var) and node.name in names for node in walk(expr))


ACCESSES = (flat.Load, flat.Store, flat.AtomicUpdate)
_SIGNS = {"add": "+", "and": "&", "or": "|", "xor": "^"}
