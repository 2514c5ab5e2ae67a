"""Print a flat program as a jax.numpy function: all threads of the grid at once (tier `xla`).

    if (i < n) y[i] = 2 * x[i]          mask_1 = active & (i < n)
                                  ->    x_value = x[i]
                                        y = y.at[jnp.where(mask_1, i, y.size)].set(..., mode="drop")

A thread's value is an element of a (blocks, lanes) array; what all threads of the grid share is a
scalar. Arrays are values that stores replace. A loop carries what it changes and runs while any
thread is in it. Shared memory is one flat array for all blocks. Barriers need nothing: statements
happen one after the other for all threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crossport.backends.pallas.expressions import Expressions, jnp_type, literal, narrow_index
from crossport.backends.pallas.matrices import warp_dot
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.flatten import refuse
from crossport.ir.lift.names import Names
from crossport.ir.lift.uniform import Uniformity, uniformity
from crossport.ir.nodes import Bitcast, Const, Expr, Read, Var, walk
from crossport.ir.types import BOOL, I32, U8, Scalar


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


def print_kernel(program: flat.Program) -> KernelText:
    """The body of the JAX function of a flat program."""
    return GridPrinter(program).run()


class GridPrinter:
    """Prints one program; a Pallas kernel's printer (vmem.py) shares its masks and names."""

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

    def run(self) -> KernelText:
        self.body(self.program.body)
        body, self.lines = self.lines, []
        stored = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        written = tuple(
            root.name for p in self.program.parameters for _, root in p.roots if root.name in stored
        )
        globals_ = tuple(g.root.name for g in self.program.globals if g.root.name in stored)
        self.prologue()
        return KernelText(
            [*self.lines, *body], self.e, written, globals_, self.uses_warps, self.e.is_wide
        )

    def prologue(self) -> None:
        used = self.e.specials
        self.line("blocks = grid[0] * grid[1] * grid[2]")
        self.line("threads = block[0] * block[1] * block[2]")
        if self.uses_warps:
            self.line("shape = (blocks, -(-threads // 32) * 32)")
        else:
            self.line("shape = (blocks, threads)")
        self.line("lane = jnp.arange(shape[1], dtype=jnp.int32)[None, :]")
        self.line("row = jnp.arange(blocks, dtype=jnp.int32)[:, None]")
        self.line("active = jnp.broadcast_to(lane < threads, shape)")
        rows = {
            "thread.x": "lane % block[0]",
            "thread.y": "lane // block[0] % block[1]",
            "thread.z": "lane // (block[0] * block[1])",
            "block.x": "row % grid[0]",
            "block.y": "row // grid[0] % grid[1]",
            "block.z": "row // (grid[0] * grid[1])",
            "lane_id": "lane % 32",
            "warp_id": "lane // 32",
        }
        for name, text in rows.items():
            if name in used:
                self.line(f"{name.replace('.', '_')} = {text}")
        for p in self.program.parameters:
            for _, var in p.scalars:
                self.line(f"{var.name} = jnp.asarray({var.name}, {jnp_type(var.type)})")
                self.e.see(var.type)
        for root in self.program.shared:
            kind = jnp_type(_stored(root.element))
            size = _stored(root.element).size
            if root.name == "dynamic_shared":
                self.line(f"{root.name} = jnp.zeros(blocks * (shared_bytes // {size}), {kind})")
            else:
                self.line(f"{root.name} = jnp.zeros(blocks * {root.size // size}, {kind})")
        for root in self.program.locals:
            kind, size = jnp_type(_stored(root.element)), _stored(root.element).size
            count = root.size // size
            self.line(f"{root.name} = jnp.zeros(shape[0] * shape[1] * {count}, {kind})")

    # --- Statements -----------------------------------------------------------------------------

    def body(self, body: flat.Body) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Set():
                self.set(statement)
            case flat.Load():
                self.load(statement)
            case flat.Store():
                self.store(statement)
            case flat.AtomicUpdate():
                self.atomic(statement)
            case flat.Branch():
                self.branch(statement)
            case flat.Loop():
                self.loop(statement)
            case flat.Scope(label, body):
                self.scope(statement, label, body)
            case flat.Leave(label):
                self.leave(label)
            case flat.Sync():
                pass
            case flat.Collect():
                self.collect(statement)
            case flat.Exchange():
                self.exchange(statement)
            case flat.Ballot():
                self.ballot(statement)
            case flat.GroupReduce():
                self.group_reduce(statement)
            case flat.LaneReduce():
                self.lane_reduce(statement)
            case flat.LaneGather(var, source, index):
                at = f"jnp.broadcast_to({self.e(index)}, shape)"
                self.put(
                    var.name, f"jnp.take_along_axis({self.full(source, var.type)}, {at}, axis=1)"
                )
            case flat.LaneDot():
                raise refuse("a matrix product of lanes has no xla form", None)
            case flat.WarpDot():
                warp_dot(self, statement)

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

    # --- Memory ---------------------------------------------------------------------------------

    def place(self, ref: Ref) -> tuple[str, str, bool]:
        """(array expression, index, is bytes): where a reference is in its flat array."""
        root, kind = ref.root, _stored(ref.type)
        if root.space == "address":
            raise refuse("an address that is not in any one array has no JAX form", None)
        self.e.see(kind)
        in_bytes = not ref.is_whole
        unit = 1 if in_bytes else kind.size
        index = self.e(narrow_index(ref.index))
        base = ""
        if root.space == "shared":
            size = str(root.size // unit)
            if root.name == "dynamic_shared":
                element = _stored(root.element).size
                size = f"(shared_bytes // {element} * {element} // {unit})"
            base = f"row * {size}"
        elif root.space == "local":
            base = f"(row * shape[1] + lane) * {root.size // unit}"
        if base:
            index = base if index == "0" else f"{base} + {self.e.tight(narrow_index(ref.index), 5)}"
        if in_bytes:
            return root.name, index, True
        if _stored(root.element) == kind:
            return root.name, index, False
        return f"{self.e.use('_view')}({root.name}, {jnp_type(kind)})", index, False

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        array, index, in_bytes = self.place(ref)
        if in_bytes:
            kind = jnp_type(_stored(ref.type))
            text = f"{self.e.use('_load_bytes')}({array}, jnp.asarray({index}), {kind})"
        else:
            text = f"{array}[{index}]"
        if ref.type == BOOL:
            text = f"{text} != 0"
        if self.in_head and var.name in self.facts.varying:
            text = f"jnp.broadcast_to({text}, shape)"
        self.put(var.name, text)

    def store(self, statement: flat.Store) -> None:
        ref, value = statement.ref, statement.value
        array, index, in_bytes = self.place(ref)
        root = ref.root.name
        text = self.e(value) if ref.type != BOOL else f"{self.e.array(value)}.astype(jnp.uint8)"
        if in_bytes:
            typed = f"jnp.asarray({text}, {jnp_type(_stored(ref.type))})"
            call = (
                f"{self.e.use('_store_bytes')}({array}, jnp.asarray({index}), {typed}, {self.mask})"
            )
            self.put(root, call)
            return
        if array == root:
            at = f"jnp.where({self.mask}, {index}, {root}.size)"
            self.put(root, f'{root}.at[{at}].set({text}, mode="drop")')
            return
        view = self.names.fresh(f"{root}_view")
        self.line(f"{view} = {array}")
        at = f"jnp.where({self.mask}, {index}, {view}.size)"
        stored = f'{view}.at[{at}].set({text}, mode="drop")'
        self.put(root, f"{self.e.use('_unview')}({stored}, {root})")

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        array, index, in_bytes = self.place(ref)
        if in_bytes or kind == BOOL:
            raise refuse(f"an atomic on {kind} at a byte offset has no JAX form", None)
        root = ref.root.name
        values = [self.e.typed(o) for o in statement.operands]
        target = root
        if array != root:
            target = self.names.fresh(f"{root}_view")
            self.line(f"{target} = {array}")
        simple = {"add": "add", "sub": "add", "min": "min", "max": "max"}.get(op)
        if statement.var is None and simple is not None:
            value = values[0]
            if op == "sub":
                value = f"-({value})"
            at = f"jnp.where({self.mask}, {index}, {target}.size)"
            result = f'{target}.at[{at}].{simple}({value}, mode="drop")'
            self.store_back(root, target, result)
            return
        update = {
            "add": "lambda old, v: old + v",
            "sub": "lambda old, v: old - v",
            "min": "lambda old, v: jnp.minimum(old, v)",
            "max": "lambda old, v: jnp.maximum(old, v)",
            "and": "lambda old, v: old & v",
            "or": "lambda old, v: old | v",
            "xor": "lambda old, v: old ^ v",
            "exch": "lambda old, v: v",
            "inc": "lambda old, v: jnp.where(old >= v, 0, old + 1).astype(old.dtype)",
            "dec": "lambda old, v: jnp.where((old == 0) | (old > v), v, old - 1)",
            "cas": "lambda old, compare, v: jnp.where(old == compare, v, old)",
        }[op]
        old = statement.var.name if statement.var is not None else "_"
        arguments = ", ".join([target, index, self.mask, update, *values])
        call = f"{self.e.use('_atomic')}({arguments})"
        result = self.names.fresh("updated")
        self.line(f"{result}, {old} = {call}")
        if old != "_":
            self.known.setdefault(old, None)
            for record in self.assigned:
                record.setdefault(old, None)
        self.store_back(root, target, result)

    def store_back(self, root: str, target: str, result: str) -> None:
        if target == root:
            self.put(root, result)
        else:
            self.put(root, f"{self.e.use('_unview')}({result}, {root})")

    # --- Control flow ---------------------------------------------------------------------------

    def branch(self, statement: flat.Branch) -> None:
        before = self.mask
        condition = statement.condition
        if statement.then and statement.otherwise:
            taken = self.names.fresh("taken")
            self.put(taken, self.e(condition))
            condition = Read(Var(taken, BOOL))
        for body, negated in ((statement.then, False), (statement.otherwise, True)):
            if not body:
                continue
            test = self.e.tight(fold.negate(condition) if negated else condition, 3)
            self.mask = self.names.fresh("mask", keep_first=False)
            self.put(self.mask, f"{before} & {test}")
            self.masks.append(("", self.mask))
            self.body(body)
            self.masks.pop()
            self.mask = before

    def loop(self, statement: flat.Loop) -> None:
        divergent = id(statement) in self.facts.divergent
        before = self.mask
        going = self.names.fresh("going")
        condition = statement.condition
        self.in_head += 1
        if statement.test_first:
            self.body(statement.head)
            self.put(going, f"{before} & {self.e.tight(condition, 4)}")
        else:
            self.put(going, before)
        outside = dict(self.known)
        record: dict[str, None] = {}
        self.assigned.append(record)
        lines, self.lines = self.lines, []
        self.in_head -= 1
        with self.indented():
            if divergent:
                self.mask = going
                self.masks.append((statement.label, going))
            else:
                # All lanes of the mask stay together; inside, the mask is as before.
                self.mask = going
                self.masks.append((statement.label, going))
            self.body(statement.body)
            self.body(statement.step)
            self.in_head += 1
            self.body(statement.head)
            self.in_head -= 1
            self.put(going, f"{going} & {self.e.tight(condition, 4)}")
            self.masks.pop()
            self.mask = before
        inside, self.lines = self.lines, lines
        self.assigned.pop()
        carried = [name for name in outside if name in record]
        for name in list(self.known):
            if name not in outside:
                del self.known[name]
        state = ", ".join(carried) + ("," if len(carried) == 1 else "")
        number = going.removeprefix("going").strip("_")
        suffix = f"_{number}" if number else ""
        body_name = f"round{suffix}"
        position = carried.index(going)
        self.line("")
        self.line(f"def {body_name}(state):")
        with self.indented():
            self.line(f"{state} = state")
            self.lines += inside
            self.line(f"return {state}")
        self.line("")
        test = f"lambda state: jnp.any(state[{position}])"
        self.line(f"{state} = lax.while_loop({test}, {body_name}, ({state}))")
        for name in carried:
            for outer in self.assigned:
                if name in outside:
                    outer.setdefault(name, None)

    def scope(self, statement: flat.Scope, label: str, body: flat.Body) -> None:
        before = self.mask
        self.mask = self.names.fresh("here", keep_first=False)
        self.put(self.mask, before)
        self.masks.append((label, self.mask))
        self.body(body)
        self.masks.pop()
        self.mask = before

    def leave(self, label: str) -> None:
        leaving = self.mask
        inner: list[str] = []
        for name, mask in reversed(self.masks):
            if mask not in inner:
                inner.append(mask)
            if name == label:
                break
        for mask in reversed(inner):
            if mask != leaving:
                self.put(mask, f"{mask} & ~{leaving}")
        self.put(leaving, f"jnp.zeros_like({leaving})")

    # --- Between lanes --------------------------------------------------------------------------

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        name = statement.var.name
        if statement.mode == "count":
            text = f"({self.mask} & {test}).sum(axis=1, keepdims=True, dtype=jnp.int32)"
        elif statement.mode == "or":
            text = f"({self.mask} & {test}).any(axis=1, keepdims=True).astype(jnp.int32)"
        else:
            miss = f"{self.mask} & jnp.logical_not({test})"
            text = f"1 - ({miss}).any(axis=1, keepdims=True).astype(jnp.int32)"
        self.put(name, text)

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.put(name, self.e.typed(statement.value))
            return
        position = f"lane % {width}"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {self.e.tight(statement.lane, 5)}",
            "xor": f"({position}) ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        value = self.full(statement.value, statement.var.type)
        self.put(name, f"{self.e.use('_shuffle')}({value}, {source}, {width})")

    def ballot(self, statement: flat.Ballot) -> None:
        name, width, mode = statement.var.name, statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        kind = jnp_type(statement.var.type)
        if mode in ("ballot", "active"):
            text = f"{self.e.use('_ballot')}({test}, {width})"
        elif mode == "any":
            text = f"{self.e.use('_group_any')}({test}, {width})"
        elif mode == "all" and statement.predicate is not None:
            miss = f"{self.mask} & jnp.logical_not({self.e(statement.predicate)})"
            text = f"(1 - {self.e.use('_group_any')}({miss}, {width}))"
        else:
            raise refuse("__uni_sync has no JAX form", None)
        self.put(name, f"{text}.astype({kind})")

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        raise refuse("a reduction of lanes has no xla form", None)

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        width = statement.width
        neutral = _neutral(statement.op, kind)
        value = f"jnp.where({self.mask}, {self.e(statement.value)}, {neutral})"
        groups = f"{self.e.use('_groups')}({value}, {width})"
        function = {
            "add": "jnp.add", "min": "jnp.minimum", "max": "jnp.maximum",
            "and": "jnp.bitwise_and", "or": "jnp.bitwise_or", "xor": "jnp.bitwise_xor",
        }[statement.op]  # fmt: skip
        if statement.scan is None:
            reduced = f"{function}.reduce({groups}, axis=2)"
            if statement.op == "add":
                reduced = f"{groups}.sum(axis=2, dtype={jnp_type(kind)})"
            self.put(statement.var.name, f"{self.e.use('_spread')}({reduced}, {width})")
            return
        scanned = f"lax.associative_scan({function}, {groups}, axis=2).reshape(shape)"
        if statement.scan == "inclusive":
            self.put(statement.var.name, scanned)
            return
        moved = f"{self.e.use('_shuffle')}({scanned}, lane % {width} - 1, {width})"
        self.put(statement.var.name, f"jnp.where(lane % {width} == 0, {neutral}, {moved})")


def _neutral(op: str, kind: Scalar) -> str:
    bits = 8 * kind.size
    number: int | float
    if op in ("add", "or", "xor"):
        number = 0
    elif op == "and":
        number = -1 if kind.is_signed else (1 << bits) - 1
    elif kind.is_float:
        number = float("inf") if op == "min" else float("-inf")
    elif kind.is_signed:
        number = (1 << (bits - 1)) - 1 if op == "min" else -(1 << (bits - 1))
    else:
        number = (1 << bits) - 1 if op == "min" else 0
    return f"{jnp_type(kind)}({literal(number)})"


def _stored(kind: Scalar) -> Scalar:
    """The type in memory: a bool is a byte."""
    return U8 if kind == BOOL else kind


def is_static(root: Root) -> bool:
    """Is the size of a root known?"""
    return root.size > 0


__all__ = ["I32", "KernelText", "print_kernel"]
