"""Thread IR to the flat thread program (flat.py): inline calls, dissolve structs and arrays.

    __device__ void bounce(float& p, float& v) { if (p < 0) p = -p; }      if (p_x < 0) {
    bounce(p.x, p.vx);                                                 ->    p_x = -p_x
                                                                           }

It walks the kernel once, carrying for every name what it stands for: a scalar variable, a table of
them (structs, local arrays), or a root and an offset (pointers). So a reference to a local, a
struct of pointers, or a cast between pointer types needs no case of its own. Where a first guess
about a variable proves wrong (a pointer that changes its root), the walk starts again without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from crossport.diagnostics import Code, Diagnostic, PortError, Severity, Span
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Body, Ref, Root
from crossport.ir.lift.layout import Layouts, Leaf
from crossport.ir.lift.names import Names
from crossport.ir.types import (
    BOOL,
    I32,
    I64,
    U8,
    U32,
    U64,
    Array,
    Handle,
    Pointer,
    Scalar,
    Struct,
    Type,
)

MOST_STATEMENTS = 60_000
MOST_INLINE_DEPTH = 40
MOST_CELLS = 1024
MOST_CHOICES = 32
MOST_UNROLLED = 64
ADDRESS = Root("memory", "address", U8)
IGNORED_EFFECTS = {
    "prefetch", "__nanosleep", "__prof_trigger", "cp_async_commit", "cp_async_wait",
}  # fmt: skip


def flatten(module: n.Module, kernel: n.Function) -> flat.Program:
    """The flat form of a kernel. PortError (CP4xxx) names the construct that has none."""
    state = Guesses()
    for _ in range(64):
        try:
            return _Flattener(module, kernel, state).run()
        except _Retry as retry:
            retry.apply(state)
    raise refuse("pointer variables change what they point to in too many ways", kernel.span)


def refuse(
    message: str, span: Span | None, code: Code = Code.NO_TENSOR_FORM, help: str = ""
) -> PortError:
    """The error that a kernel has no such form."""
    return PortError(Diagnostic(code, message, span=span, help=help))


@dataclass
class Guesses:
    """What earlier walks learned: variables that must be addresses, bytes, or memory."""

    addresses: set[str] = field(default_factory=set)
    bytes: set[str] = field(default_factory=set)
    memory: set[str] = field(default_factory=set)


class _Retry(Exception):
    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(name)

    def apply(self, state: Guesses) -> None:
        getattr(state, self.kind).add(self.name)


# --- Values -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ptr:
    """A root and a byte offset: `const + sum(expr * scale)`. Root None: null so far."""

    root: Root | Local | None
    terms: tuple[tuple[n.Expr, int], ...] = ()
    const: int = 0

    def plus(self, index: n.Expr, scale: int) -> Ptr:
        """Moved by `index * scale` bytes."""
        number = fold.as_int(index)
        if number is not None:
            return replace(self, const=self.const + number * scale)
        terms = {repr(e): (e, s) for e, s in self.terms}
        key = repr(index)
        old = terms.get(key)
        terms[key] = (index, scale + (old[1] if old else 0))
        return replace(self, terms=tuple(t for t in terms.values() if t[1] != 0))


@dataclass(frozen=True)
class Agg:
    """A struct or array value: (offset, value) a leaf."""

    leaves: tuple[tuple[int, Value], ...]


@dataclass(frozen=True)
class FunctionValue:
    """A device function as a value."""

    name: str


Value = n.Expr | Ptr | Agg | FunctionValue


@dataclass(eq=False)
class PtrCell:
    """A pointer variable: its root is fixed by the first value, its offset is a variable."""

    var: n.Var
    unit: int
    root: Root | Local | None = None
    known: bool = False
    function: FunctionValue | None = None
    key: str = ""


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


class _Flattener:
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
        self.guard: n.Expr | None = None
        self.span: Span | None = kernel.span
        self.used_labels: set[str] = set()
        self.written: list[set[str]] = [self.assigned(kernel)]
        self.steady: set[str] = set()

    # --- The kernel -----------------------------------------------------------------------------

    def run(self) -> flat.Program:
        kernel = self.kernel
        parameters = tuple(self.parameter(p) for p in kernel.params)
        self.targets.append(Target("function", "kernel"))
        self.declare_shared(kernel)
        body = [*self.out, *self.block(kernel.body)]
        drop_tail_leaves(body, "kernel")
        info = kernel.kernel
        return flat.Program(
            name=kernel.name,
            parameters=parameters,
            globals=tuple(self.globals.values()),
            shared=tuple(self.shared),
            locals=tuple(self.local_roots),
            body=body,
            has_dynamic_shared=any(r.name == "dynamic_shared" for r in self.shared),
            max_threads=info.launch_bounds[0] if info else 0,
            notes=self.notes,
            span=kernel.span,
        )

    def parameter(self, param: n.Param) -> flat.Parameter:
        name = self.names.fresh(param.name or "unnamed")
        roots: list[tuple[str, Root]] = []
        scalars: list[tuple[str, n.Var]] = []
        values: list[tuple[int, Value]] = []
        for leaf in self.layouts.leaves(param.type, limit=MOST_CELLS):
            path = leaf.path
            flat_name = self.names.fresh(f"{name}_{path}") if path else name
            match leaf.type:
                case Scalar():
                    var = n.Var(flat_name, leaf.type)
                    scalars.append((path, var))
                    values.append((leaf.offset, n.Read(var)))
                case Pointer(element):
                    root = Root(flat_name, "param", self.layouts.natural(element))
                    roots.append((path, root))
                    values.append((leaf.offset, Ptr(root)))
                case _:
                    raise refuse(f"a parameter of type {leaf.type} has no tensor form", param.span)
        paths = tuple(leaf.path for leaf in self.layouts.leaves(param.type, limit=MOST_CELLS))
        result = flat.Parameter(name, param.type, tuple(roots), tuple(scalars), paths)
        aggregate = not isinstance(param.type, Scalar | Pointer)
        value: Value = Agg(tuple(values)) if aggregate else values[0][1]
        self.steady |= {var.name for _, var in scalars}
        if param.name in self.written[-1] or isinstance(value, Agg):
            self.scopes[-1][param.name] = self.local(param.name, param.type, value)
        else:
            self.scopes[-1][param.name] = value
        return result

    def assigned(self, function: n.Function) -> set[str]:
        """The names that a function writes, or whose address it takes."""
        names: set[str] = set()
        for node in n.walk(function):
            match node:
                case n.Assign(place):
                    names.add(_base_name(place))
                case n.AddressOf(place):
                    names.add(_base_name(place))
                case n.Atomic(target, _, place):
                    names.add(_base_name(place))
                    if target is not None:
                        names.add(target.name)
                case (
                    n.Call(target) | n.Effect(target) | n.Vote(target) | n.Shuffle(target)
                    | n.Match(target) | n.WarpReduce(target) | n.Barrier(_, _, _, target)
                ):  # fmt: skip
                    if target is not None:
                        names.add(target.name)
                case _:
                    pass
        return names

    def declare_shared(self, function: n.Function) -> None:
        for var in function.shared:
            dynamic = isinstance(var.type, Array) and self.layouts.size(var.type) == 0
            key = "dynamic_shared" if dynamic else self.names.fresh(var.name)
            root = next((r for r in self.shared if r.name == key), None)
            if root is None:
                size = self.layouts.size(var.type)
                kind = var.type
                while dynamic and isinstance(kind, Array):
                    kind = kind.element
                root = Root(key, "shared", self.layouts.natural(kind), size)
                self.shared.append(root)
            self.scopes[-1][var.name] = Ptr(root)

    # --- Statements -----------------------------------------------------------------------------

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

    def statements(self, stmts: Sequence[n.Stmt]) -> None:
        for position, stmt in enumerate(stmts):
            if stmt.span is not None:
                self.span = stmt.span
            rest = tuple(stmts[position + 1 :])
            match stmt:
                case n.If(condition, then, otherwise) if rest and jumps(then):
                    self.branch(condition, then, otherwise + rest)
                    return
                case n.If(condition, then, otherwise) if rest and otherwise and jumps(otherwise):
                    self.branch(condition, then + rest, otherwise)
                    return
                case n.For():
                    self.for_loop(stmt, stmts[:position])
                case _:
                    self.statement(stmt)
            if isinstance(stmt, n.Break | n.Continue | n.Return):
                return

    def statement(self, stmt: n.Stmt) -> None:
        match stmt:
            case n.Let(var, init):
                self.let(var, init)
            case n.Assign(place, value, volatile):
                self.write(place, self.value(value), volatile)
            case n.If(condition, then, otherwise):
                self.branch(condition, then, otherwise)
            case n.While(condition, body):
                self.loop(condition, body, (), test_first=True)
            case n.DoWhile(body, condition):
                self.loop(condition, body, (), test_first=False)
            case n.Switch():
                self.switch(stmt)
            case n.Break():
                target = next(t for t in reversed(self.targets) if t.kind in ("loop", "switch"))
                self.leave(target.label)
            case n.Continue():
                target = next(t for t in reversed(self.targets) if t.kind == "loop")
                self.leave(target.label_continue)
            case n.Return(value):
                target = next(t for t in reversed(self.targets) if t.kind == "function")
                if value is not None and target.result is not None:
                    self.store_local(target.result, target.result.type, self.value(value))
                self.leave(target.label)
            case n.Call():
                self.call(stmt)
            case n.Barrier():
                self.barrier(stmt)
            case n.SyncWarp():
                self.emit(flat.Sync("warp"))
            case n.Fence():
                pass
            case n.Shuffle(target, mode, _, value, lane, width):
                self.shuffle(target, mode, self.value(value), self.scalar(lane), width)
            case n.Vote(target, mode, _, predicate, width):
                var = self.fresh(target.name, _scalar(target.type))
                argument = self.truth(predicate) if predicate is not None else None
                self.emit(flat.Ballot(var, mode, argument, self.width(width)))
                self.assign(target, n.Read(var))
            case n.Match(target, mode, _, value, predicate_target, width):
                self.match_lanes(target, mode, self.scalar(value), predicate_target, width)
            case n.WarpReduce(target, op, _, value, width, scan):
                var = self.fresh(target.name, _scalar(target.type))
                argument = self.scalar(value)
                self.emit(flat.GroupReduce(var, op, argument, self.width(width), scan))
                self.assign(target, n.Read(var))
            case n.Atomic():
                self.atomic(stmt)
            case n.Effect():
                self.effect(stmt)
            case n.Print():
                self.note("printf is not part of a port's results and was dropped")
            case n.Assert():
                self.note("assert was dropped: the port does not stop where it fails")
            case n.Trap():
                self.note("__trap was dropped: the port does not stop there")
            case n.Launch(kernel):
                raise refuse(f"it launches {kernel} from the device", stmt.span or self.span)
            case n.Opaque(text, reason):
                raise refuse(f"`{text[:60]}` was not understood: {reason}", stmt.span or self.span)
            case n.For():
                self.for_loop(stmt, ())

    def note(self, message: str) -> None:
        found = Diagnostic(Code.DROPPED_IN_PORT, message, self.span, Severity.WARNING)
        if found not in self.notes:
            self.notes.append(found)

    def let(self, var: n.Var, init: n.Expr | None) -> None:
        if isinstance(var.type, Handle):
            self.scopes[-1][var.name] = self.value(init) if init is not None else Agg(())
            return
        value = self.value(init) if init is not None else None
        if var.name not in self.written[-1] and value is not None:
            # Never written again: a constant or a pointer needs no variable.
            if isinstance(value, n.Const) and value.type == var.type:
                self.scopes[-1][var.name] = value
                return
            if isinstance(value, Ptr) and value.root is not None and isinstance(var.type, Pointer):
                self.scopes[-1][var.name] = self.frozen(value, var.name)
                return
        self.scopes[-1][var.name] = self.local(var.name, var.type, value)

    def leave(self, label: str) -> None:
        self.used_labels.add(label)
        self.emit(flat.Leave(label))

    def branch(
        self, condition: n.Expr, then: Sequence[n.Stmt], otherwise: Sequence[n.Stmt]
    ) -> None:
        test = self.truth(condition)
        if isinstance(test, n.Const):
            self.statements(then if test.value else otherwise)
            return
        # A pointer's first value decides its root: both arms see what was known before them.
        taken = self.block(then)
        other = self.block(otherwise)
        if taken or other:
            self.emit(flat.Branch(test, taken, other))

    def for_loop(self, stmt: n.For, before: Sequence[n.Stmt]) -> None:
        if self.unroll(stmt, before):
            return
        self.loop(stmt.condition, stmt.body, stmt.step, test_first=True)

    def loop(
        self,
        condition: n.Expr,
        body: Sequence[n.Stmt],
        step: Sequence[n.Stmt],
        *,
        test_first: bool,
    ) -> None:
        label = self.names.fresh("loop", keep_first=False)
        again = label + "_next"
        with self.collecting() as head:
            test = self.truth(condition)
        self.targets.append(Target("loop", label, again))
        inside = self.block(body)
        self.targets.pop()
        drop_tail_leaves(inside, again)
        if uses_label(inside, again):
            inside = [flat.Scope(again, inside)]
        after = self.block(step)
        self.emit(flat.Loop(label, head, test, inside, after, test_first))

    def switch(self, stmt: n.Switch) -> None:
        value = self.scalar(stmt.value)
        kind = _scalar(value.type)
        chosen = self.fresh("chosen", kind)
        self.emit(flat.Set(chosen, value, declare=True))
        label = self.names.fresh("switch", keep_first=False)
        self.targets.append(Target("switch", label))
        all_values = [v for case in stmt.cases for v in case.values]

        def is_one_of(values: Sequence[int]) -> n.Expr:
            test: n.Expr = fold.FALSE
            for v in values:
                equal = fold.binary("==", n.Read(chosen), fold.constant(v, kind))
                test = fold.binary("||", test, equal)
            return test

        with self.collecting() as body:
            self.switch_arms(stmt.cases, is_one_of, all_values)
        self.targets.pop()
        drop_tail_leaves(body, label)
        if uses_label(body, label):
            self.emit(flat.Scope(label, body))
        else:
            self.out.extend(body)

    def switch_arms(self, cases, is_one_of, all_values) -> None:  # type: ignore[no-untyped-def]
        ends = [not c.body or jumps(c.body) for c in cases[:-1]]
        default_last = all(c.values for c in cases[:-1])
        if all(ends) and default_last:
            # No arm falls into the next with work of its own: a chain of branches.
            arms: list[tuple[n.Expr, n.Block]] = []
            pending: list[int] = []
            for case in cases:
                pending += case.values
                if case.body or case is cases[-1]:
                    test = is_one_of(pending) if case.values else fold.TRUE
                    arms.append((test, case.body))
                    pending = []
            outer = self.out
            for test, arm in arms:
                if test == fold.TRUE:
                    self.statements(arm)
                    break
                branch = flat.Branch(test, self.block(arm), [])
                self.emit(branch)
                self.out = branch.otherwise
            self.out = outer
            return
        falling = self.fresh("falling", BOOL)
        self.emit(flat.Set(falling, fold.FALSE, declare=True))
        for case in cases:
            test = is_one_of(case.values) if case.values else fold.negate(is_one_of(all_values))
            self.emit(flat.Set(falling, fold.binary("||", n.Read(falling), test)))
            self.emit(flat.Branch(n.Read(falling), self.block(case.body), []))

    def barrier(self, stmt: n.Barrier) -> None:
        if stmt.scope == "cluster":
            raise refuse("thread block clusters have no counterpart", stmt.span or self.span)
        if stmt.reduce is not None and stmt.predicate is not None and stmt.target is not None:
            predicate = self.truth(stmt.predicate)
            self.emit(flat.Sync("block"))
            var = self.fresh(stmt.target.name, I32)
            self.emit(flat.Collect(var, stmt.reduce, predicate))
            self.emit(flat.Sync("block"))
            self.assign(stmt.target, n.Read(var))
            return
        self.emit(flat.Sync("grid" if stmt.scope == "grid" else "block"))

    def width(self, width: n.Expr | None) -> int:
        if width is None:
            return 32
        number = fold.as_int(self.scalar(width))
        if number is None or number not in (1, 2, 4, 8, 16, 32):
            raise refuse("the width of a warp operation is not a constant power of two", self.span)
        return number

    def shuffle(
        self, target: n.Var, mode: str, value: Value, lane: n.Expr, width: n.Expr | None
    ) -> None:
        lanes = self.width(width)
        lane = fold.cast(lane, I32)
        if isinstance(value, Agg):
            moved: list[tuple[int, Value]] = []
            for offset, leaf in value.leaves:
                if isinstance(leaf, Ptr | Agg | FunctionValue):
                    raise refuse("a shuffle of pointers", self.span)
                var = self.fresh(target.name, _scalar(leaf.type))
                self.emit(flat.Exchange(var, mode, leaf, lane, lanes))  # type: ignore[arg-type]
                moved.append((offset, n.Read(var)))
            self.assign(target, Agg(tuple(moved)))
            return
        if isinstance(value, Ptr | FunctionValue):
            raise refuse("a shuffle of pointers", self.span)
        var = self.fresh(target.name, _scalar(value.type))
        self.emit(flat.Exchange(var, mode, value, lane, lanes))  # type: ignore[arg-type]
        self.assign(target, n.Read(var))

    def match_lanes(
        self,
        target: n.Var,
        mode: str,
        value: n.Expr,
        predicate_target: n.Var | None,
        width: n.Expr | None,
    ) -> None:
        """`__match_any/all`, by comparing with each lane of the group in turn."""
        lanes = self.width(width)
        kept = self.fresh("value", _scalar(value.type))
        self.emit(flat.Set(kept, value, declare=True))
        active = self.fresh("active", U32)
        self.emit(flat.Ballot(active, "active", None, lanes))
        same: n.Expr = fold.constant(0, U32)
        bits = U32
        for lane in range(lanes):
            other = self.fresh("other", kept.type)  # type: ignore[arg-type]
            self.emit(flat.Exchange(other, "idx", n.Read(kept), fold.constant(lane, I32), lanes))
            bit = fold.constant(1 << lane, bits)
            equal = fold.binary("==", n.Read(other), n.Read(kept))
            same = fold.binary("|", same, n.Select(equal, bit, fold.constant(0, bits)))
        found = self.fresh("matches", U32)
        self.emit(flat.Set(found, fold.binary("&", same, n.Read(active)), declare=True))
        if mode == "any":
            self.assign(target, n.Read(found))
            return
        everyone = fold.binary("==", n.Read(found), n.Read(active))
        zero = fold.constant(0, U32)
        self.assign(target, n.Select(everyone, n.Read(active), zero))
        if predicate_target is not None:
            self.assign(predicate_target, fold.cast(everyone, I32))

    def atomic(self, stmt: n.Atomic) -> None:
        pointer = self.place(stmt.place)
        kind = stmt.place.type
        if not isinstance(kind, Scalar):
            raise refuse(f"an atomic on {kind}", stmt.span or self.span)
        if isinstance(pointer.root, Local):
            raise refuse("an atomic on a local variable", stmt.span or self.span)
        operands = tuple(self.scalar(o) for o in stmt.operands)
        ref = self.ref(pointer, kind)
        var = self.fresh(stmt.target.name, kind) if stmt.target is not None else None
        if stmt.op == "load" and var is not None:
            self.emit(flat.Load(var, ref, volatile=True))
        elif stmt.op == "store":
            self.emit(flat.Store(ref, operands[0], volatile=True))
        else:
            self.emit(flat.AtomicUpdate(var, stmt.op, ref, operands))
        if stmt.target is not None and var is not None:
            self.assign(stmt.target, n.Read(var))

    def effect(self, stmt: n.Effect) -> None:
        if stmt.name in IGNORED_EFFECTS:
            return
        if stmt.name in ("cp_async", "memcpy", "memmove"):
            self.copy_bytes(stmt)
            return
        if stmt.name == "bar_sync":
            if fold.as_int(self.scalar(stmt.args[1])) != 0:
                raise refuse("a named barrier for part of a block", stmt.span or self.span)
            self.emit(flat.Sync("block"))
            return
        raise refuse(f"{stmt.name} has no counterpart", stmt.span or self.span)

    def copy_bytes(self, stmt: n.Effect) -> None:
        target, source = self.value(stmt.args[0]), self.value(stmt.args[1])
        size = fold.as_int(self.scalar(stmt.args[2]))
        zeroed = fold.as_int(self.scalar(stmt.args[3])) if len(stmt.args) > 3 else 0
        if not isinstance(target, Ptr) or not isinstance(source, Ptr) or size is None or zeroed:
            raise refuse(f"{stmt.name} of a size that is not constant", stmt.span or self.span)
        if size > 256:
            raise refuse(f"{stmt.name} of {size} bytes by one thread", stmt.span or self.span)
        step = self.copy_step(target, source, size)
        moved = [
            self.read_pointer(replace(source, const=source.const + at), step, False)
            for at in range(0, size, step.size)
        ]
        for at, value in zip(range(0, size, step.size), moved, strict=True):
            self.write_pointer(replace(target, const=target.const + at), step, value, False)

    def copy_step(self, target: Ptr, source: Ptr, size: int) -> Scalar:
        for pointer in (source, target):
            element = pointer.root.element if isinstance(pointer.root, Root) else None
            if element is not None and size % element.size == 0 and element != U8:
                return element
        return U32 if size % 4 == 0 else U8

    # --- Calls ----------------------------------------------------------------------------------

    def call(self, stmt: n.Call) -> None:
        if isinstance(stmt.function, str):
            name = stmt.function
        else:
            value = self.value(stmt.function)
            if not isinstance(value, FunctionValue):
                raise refuse("a call through a function pointer", stmt.span or self.span)
            name = value.name
        try:
            function = self.module.function(name)
        except KeyError:
            raise refuse(f"{name} is not defined here", stmt.span or self.span) from None
        if name in self.active:
            raise refuse(f"{name} calls itself", stmt.span or self.span)
        if len(self.active) > MOST_INLINE_DEPTH:
            raise refuse("calls nest too deeply", stmt.span or self.span)
        args = [self.value(a) for a in stmt.args]
        written = self.assigned(function)
        self.written.append(written)
        scope: dict[str, Local | Value] = {}
        for param, value in zip(function.params, args, strict=True):
            if (
                isinstance(value, FunctionValue)
                or isinstance(param.type, Handle)
                or (isinstance(value, n.Const) and param.name not in written)
            ):
                scope[param.name] = value
            elif isinstance(value, Ptr) and param.name not in written:
                scope[param.name] = self.frozen(value, param.name)
            else:
                scope[param.name] = self.local(param.name, param.type, value)
        result: Local | None = None
        if isinstance(function.result, Scalar | Pointer | Struct | Array):
            result = self.local(f"{_short(function.name)}_result", function.result, None)
        label = self.names.fresh(_short(function.name) + "_end", keep_first=False)
        self.scopes.append(scope)
        self.active.append(name)
        self.declare_shared(function)
        self.targets.append(Target("function", label, result=result))
        body = self.block(function.body)
        self.targets.pop()
        self.active.pop()
        self.scopes.pop()
        self.written.pop()
        drop_tail_leaves(body, label)
        if uses_label(body, label):
            self.emit(flat.Scope(label, body))
        else:
            self.out.extend(body)
        if stmt.target is not None and result is not None:
            self.assign(stmt.target, self.read_local(result, function.result, 0))

    def frozen(self, pointer: Ptr, name: str) -> Ptr:
        """The pointer with its offsets kept in variables, so that later writes do not move it."""
        terms = []
        for expr, scale in pointer.terms:
            if isinstance(expr, n.Const) or self.is_steady(expr):
                terms.append((expr, scale))
                continue
            var = self.fresh(f"{name}_offset", I64)
            self.steady.add(var.name)
            self.emit(flat.Set(var, expr, declare=True))
            terms.append((n.Read(var), scale))
        return replace(pointer, terms=tuple(terms))

    def is_steady(self, expr: n.Expr) -> bool:
        names = {x.name for x in n.walk(expr) if isinstance(x, n.Var)}
        return names <= self.steady

    # --- Unrolling ------------------------------------------------------------------------------

    def unroll(self, stmt: n.For, before: Sequence[n.Stmt]) -> bool:
        """Unroll a short constant loop whose body indexes local arrays by its variable."""
        rounds = self.constant_rounds(stmt, before)
        if rounds is None:
            return False
        var, values = rounds
        wanted = self.indexes_local(stmt.body, var.name) or (stmt.unroll == 0 and len(values) <= 4)
        if not wanted or len(values) > MOST_UNROLLED:
            return False
        if any(isinstance(s, n.Break) for s in _own_jumps(stmt.body)):
            return False
        local = self.lookup(var.name)
        assert isinstance(local, Local)
        for value in values:
            self.scopes.append({var.name: fold.constant(value, _scalar(var.type))})
            again = self.names.fresh("round", keep_first=False)
            self.targets.append(Target("loop", again, again))
            body = self.block(stmt.body)
            self.targets.pop()
            self.scopes.pop()
            drop_tail_leaves(body, again)
            if uses_label(body, again):
                self.emit(flat.Scope(again, body))
            else:
                self.out.extend(body)
        last = _after_last(stmt, var, values)
        if last is not None:
            self.store_local(local, local.type, last)
        return True

    def constant_rounds(
        self, stmt: n.For, before: Sequence[n.Stmt]
    ) -> tuple[n.Var, list[int]] | None:
        """The loop variable and its values, where they are known."""
        if len(stmt.step) != 1 or not isinstance(stmt.step[0], n.Assign):
            return None
        step = stmt.step[0]
        if not isinstance(step.place, n.Var) or not isinstance(step.place.type, Scalar):
            return None
        var = step.place
        if not var.type.is_integer or not isinstance(self.lookup(var.name), Local):  # type: ignore[union-attr]
            return None
        writes = {_base_name(s.place) for s in _all(stmt.body) if isinstance(s, n.Assign)}
        taken = {_base_name(e.place) for e in _all(stmt.body) if isinstance(e, n.AddressOf)}
        if var.name in writes | taken:
            return None
        start = self.last_constant(var.name, before)
        if start is None:
            return None
        values: list[int] = []
        value = start
        scalar = _scalar(var.type)
        for _ in range(MOST_UNROLLED + 1):
            self.scopes.append({var.name: fold.constant(value, scalar)})
            with self.collecting() as extra:
                try:
                    holds = self.truth(stmt.condition)
                    moved = self.value(step.value)
                except PortError:
                    holds = moved = n.Read(var)
            self.scopes.pop()
            following = (
                fold.as_int(moved) if not isinstance(moved, Ptr | Agg | FunctionValue) else None
            )
            if extra or not isinstance(holds, n.Const):
                return None
            if not holds.value:
                return var, values
            values.append(value)
            if following is None:
                return None
            value = following
        return None

    def last_constant(self, name: str, before: Sequence[n.Stmt]) -> int | None:
        for stmt in reversed(before):
            match stmt:
                case n.Let(var, init) if var.name == name and init is not None:
                    return self.quiet_int(init)
                case n.Assign(n.Var(other), value) if other == name:
                    return self.quiet_int(value)
                case n.Let(_, init) if init is None or not _mentions(init, name):
                    continue
                case _:
                    return None
        return None

    def quiet_int(self, expr: n.Expr) -> int | None:
        with self.collecting() as extra:
            value = self.value(expr)
        if extra or isinstance(value, Ptr | Agg | FunctionValue):
            return None
        return fold.as_int(value)

    def indexes_local(self, body: Sequence[n.Stmt], name: str) -> bool:
        """Does the body index a local array by the variable (or anything made from it)?"""
        tainted = {name}
        for node in _all(body):
            match node:
                case n.Let(var, init) if init is not None and _mentions_any(init, tainted):
                    tainted.add(var.name)
                case n.Element(base, index) if _mentions_any(index, tainted):
                    if self.is_local_array(base):
                        return True
                case n.Deref(pointer, index) if _mentions_any(index, tainted):
                    if self.may_be_local(pointer):
                        return True
                case n.PointerAdd(pointer, index) if _mentions_any(index, tainted):
                    if self.may_be_local(pointer):
                        return True
                case _:
                    pass
        return False

    def is_local_array(self, place: n.Place) -> bool:
        match place:
            case n.Var(name):
                found = self.lookup(name)
                return found is None or isinstance(found, Local)
            case n.Element(base) | n.Member(base):
                return self.is_local_array(base)
            case n.Deref(pointer):
                return self.may_be_local(pointer)

    def may_be_local(self, pointer: n.Expr) -> bool:
        match pointer:
            case n.AddressOf(place):
                return self.is_local_array(place)
            case n.PointerAdd(inner) | n.Cast(inner):
                return self.may_be_local(inner)
            case n.Read(n.Var(name)):
                found = self.lookup(name)
                if isinstance(found, Ptr):
                    return isinstance(found.root, Local)
                if isinstance(found, Local):
                    cell = found.cells.get(0)
                    return isinstance(cell, PtrCell) and isinstance(cell.root, Local)
                return False
            case _:
                return False

    # --- Names and locals -----------------------------------------------------------------------

    def fresh(self, name: str, type: Scalar) -> n.Var:
        return n.Var(self.names.fresh(name), type)

    def lookup(self, name: str) -> Local | Value | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def local(self, name: str, type: Type, value: Value | None) -> Local:
        """A new local variable with a value, or uninitialised."""
        size = self.layouts.size(type)
        # A variable is known by its source name: what a retry learned must find it again.
        key = ".".join([*self.active, name])
        leaves = self.layouts.leaves(type, limit=MOST_CELLS + 1)
        if key in self.guesses.memory or len(leaves) > MOST_CELLS:
            return self.memory_local(key, name, type, value)
        cells: dict[int, n.Var | PtrCell] = {}
        local = Local(key, type, size, cells)
        steady = value is not None and name not in self.written[-1]
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        for leaf in leaves:
            if leaf.offset in cells:
                continue  # a union: the first member stands for all of the same offset
            path = f"{name}_{leaf.path}" if leaf.path else name
            initial = given.get(leaf.offset)
            if initial is None and isinstance(value, Agg):
                initial = fold.constant(0, leaf.type) if isinstance(leaf.type, Scalar) else None
            match leaf.type:
                case Scalar():
                    var = self.fresh(path, leaf.type)
                    cells[leaf.offset] = var
                    if steady:
                        self.steady.add(var.name)
                    if initial is not None and isinstance(initial, Ptr | Agg | FunctionValue):
                        initial = self.as_number(initial)
                    if initial is not None:
                        initial = self.as_type(initial, leaf.type)
                    self.emit(flat.Set(var, initial, declare=True))
                case Pointer(element):
                    cell = self.pointer_cell(f"{key}.{leaf.path}", path, element)
                    cells[leaf.offset] = cell
                    start = fold.constant(0, _scalar(cell.var.type))
                    first = len(self.out)
                    self.emit(flat.Set(cell.var, start, declare=True))
                    if initial is not None:
                        self.set_pointer(cell, self.as_pointer(initial))
                        if len(self.out) == first + 2:
                            only = self.out.pop()
                            assert isinstance(only, flat.Set)
                            self.out[first] = flat.Set(cell.var, only.value, declare=True)
                case Handle():
                    if isinstance(initial, FunctionValue):
                        cells[leaf.offset] = PtrCell(self.fresh(path, I64), 1, None, True, initial)
                    else:
                        raise refuse(f"a variable of type {leaf.type}", self.span)
                case _:
                    raise refuse(f"a variable of type {leaf.type}", self.span)
        return local

    def memory_local(self, key: str, name: str, type: Type, value: Value | None) -> Local:
        """A local array too large for variables: each thread's part of a scratch array."""
        size = self.layouts.size(type)
        root = Root(self.names.fresh(name), "local", self.layouts.natural(type), size)
        self.local_roots.append(root)
        cell = PtrCell(n.Var(root.name, I64), 1, root, True)
        if isinstance(value, Agg):
            given = dict(value.leaves)
            leaves = self.layouts.leaves(type, limit=1 << 16)
            for leaf in leaves:
                item = given.get(leaf.offset)
                if item is None and isinstance(leaf.type, Scalar):
                    item = fold.constant(0, leaf.type)
                if item is None or isinstance(item, Ptr | Agg | FunctionValue):
                    raise refuse("a large local array of pointers", self.span)
                self.write_pointer(Ptr(root, (), leaf.offset), leaf.type, item, False)
        return Local(key, type, size, {-1: cell})

    def pointer_cell(self, key: str, name: str, element: Type) -> PtrCell:
        if key in self.guesses.addresses:
            return PtrCell(self.fresh(name, I64), 1, ADDRESS, True)
        unit = 1 if key in self.guesses.bytes else max(1, self.layouts.size(element))
        return PtrCell(self.fresh(name, I64), unit, key=key)

    def set_pointer(self, cell: PtrCell, pointer: Ptr) -> None:
        key = cell.key
        if cell.root is ADDRESS:
            self.emit(flat.Set(cell.var, self.address(pointer)))
            return
        if cell.known and cell.root is not pointer.root:
            if isinstance(cell.root, Local) or isinstance(pointer.root, Local):
                raise refuse(
                    "a pointer that may point to different local variables",
                    self.span,
                    Code.POINTER_UNRESOLVED,
                )
            raise _Retry("addresses", key)
        if pointer.root is None:
            raise _Retry("addresses", key)
        cell.root, cell.known = pointer.root, True
        if any(s % cell.unit for _, s in pointer.terms) or pointer.const % cell.unit:
            raise _Retry("bytes", key)
        self.emit(flat.Set(cell.var, self.offset(pointer, cell.unit)))

    def offset(self, pointer: Ptr, unit: int) -> n.Expr:
        """The pointer's offset in units, an i64."""
        total: n.Expr = fold.i64(0)
        for expr, scale in pointer.terms:
            wide = fold.cast(expr, I64)
            part = fold.binary("*", wide, fold.i64(scale // unit))
            total = fold.binary("+", total, part)
        return fold.binary("+", total, fold.i64(pointer.const // unit))

    def address(self, pointer: Ptr) -> n.Expr:
        """The pointer as an absolute address, an i64."""
        if isinstance(pointer.root, Local):
            raise refuse("the address of a local variable as a number", self.span)
        offset = self.offset(pointer, 1)
        if pointer.root is None or pointer.root is ADDRESS:
            return offset
        if pointer.root.space in ("shared", "local"):
            raise refuse(
                "a pointer that may be to shared or to global memory",
                self.span,
                Code.POINTER_UNRESOLVED,
            )
        base = n.Read(n.Var("&" + pointer.root.name, I64))
        return fold.binary("+", base, offset)

    def as_pointer(self, value: Value) -> Ptr:
        if isinstance(value, Ptr):
            return value
        if isinstance(value, Agg | FunctionValue):
            raise refuse("a struct used as a pointer", self.span)
        return Ptr(ADDRESS, ((fold.cast(value, I64), 1),))

    def as_number(self, value: Value) -> n.Expr:
        if isinstance(value, Ptr):
            return fold.cast(self.address(value), U64)
        if isinstance(value, Agg) and len(value.leaves) == 1:
            return self.as_number(value.leaves[0][1])
        if isinstance(value, Agg | FunctionValue):
            raise refuse("a struct used as a number", self.span)
        return value

    def as_type(self, value: n.Expr, type: Scalar) -> n.Expr:
        """The value's bits as that type (union members, pointer casts to locals)."""
        kind = _scalar(value.type)
        if kind == type:
            return value
        if kind.size == type.size:
            if BOOL in (kind, type):
                return fold.cast(value, type)
            if kind.is_integer and type.is_integer:
                return fold.cast(value, type)
            return n.Bitcast(value, type)
        raise refuse(f"part of a {kind} read or written as {type}", self.span)

    # --- Places ---------------------------------------------------------------------------------

    def place(self, place: n.Place) -> Ptr:
        """Where the place is."""
        match place:
            case n.Var(name):
                found = self.lookup(name)
                if found is None:
                    return self.global_variable(name, place.span or self.span)
                if isinstance(found, Local):
                    memory = found.cells.get(-1)
                    return Ptr(memory.root) if isinstance(memory, PtrCell) else Ptr(found)
                if (
                    isinstance(found, Ptr)
                    and isinstance(found.root, Root)
                    and found.root.space in ("shared", "local")
                ):
                    return found
                return Ptr(self.spill(name, place.type, found))
            case n.Element(base, index, type):
                return self.place(base).plus(self.scalar(index), self.layouts.size(type))
            case n.Member(base, name):
                return self.place(base).plus(
                    fold.i64(self.layouts.field_offset(base.type, name)), 1
                )
            case n.Deref(pointer, index, type):
                start = self.as_pointer(self.value(pointer))
                return start.plus(self.scalar(index), self.layouts.size(type))

    def spill(self, name: str, type: Type, value: Value) -> Local:
        """Give a parameter that was bound to a value a variable of its own."""
        local = self.local(name, type, value)
        self.scopes[-1][name] = local
        return local

    def global_variable(self, name: str, span: Span | None) -> Ptr:
        variable = next((g for g in self.module.globals if g.name == name), None)
        if variable is None:
            raise refuse(f"{name} is not defined here", span)
        if name not in self.globals:
            element = self.layouts.natural(variable.type)
            size = self.layouts.size(variable.type)
            root = Root(self.names.fresh(name), variable.space, element, size)
            init = self.global_init(variable, element, span)
            self.globals[name] = flat.GlobalArray(root, size // element.size, init)
        return Ptr(self.globals[name].root)

    def global_init(
        self, variable: n.GlobalVar, element: Scalar, span: Span | None
    ) -> tuple[int | float | bool, ...] | None:
        if variable.init is None:
            return None
        leaves = self.layouts.leaves(variable.type, limit=1 << 20)
        if any(leaf.type != element for leaf in leaves):
            raise refuse(f"{variable.name} is a table of structs with values", span)
        value = self.value(variable.init)
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        numbers: list[int | float | bool] = []
        for leaf in leaves:
            item = given.get(leaf.offset)
            if item is not None and not isinstance(item, n.Const):
                raise refuse(f"{variable.name} has a value that is not constant", span)
            numbers.append(item.value if isinstance(item, n.Const) else 0)
        return tuple(numbers)

    def ref(self, pointer: Ptr, type: Scalar) -> Ref:
        """The memory reference for a scalar behind a pointer."""
        root = pointer.root
        if root is None:
            raise refuse("an access through a null pointer", self.span)
        assert isinstance(root, Root)
        whole = pointer.const % type.size == 0 and all(s % type.size == 0 for _, s in pointer.terms)
        if root is ADDRESS:
            whole = False
        unit = type.size if whole else 1
        return Ref(root, self.offset(pointer, unit), type, unit)

    def read_pointer(self, pointer: Ptr, type: Type, volatile: bool) -> Value:
        """The value of a type behind a pointer."""
        if isinstance(pointer.root, Local):
            return self.read_local_dynamic(pointer.root, pointer, type)
        leaves = self.layouts.leaves(type, limit=MOST_CELLS)
        values: list[tuple[int, Value]] = []
        for leaf in leaves:
            at = replace(pointer, const=pointer.const + leaf.offset)
            if any(offset == leaf.offset for offset, _ in values):
                continue
            if isinstance(leaf.type, Scalar):
                ref = self.ref(at, leaf.type)
                var = self.fresh(self.load_name(ref, leaf), leaf.type)
                self.steady.add(var.name)
                self.emit(flat.Load(var, ref, self.guard, volatile))
                values.append((leaf.offset, n.Read(var)))
            elif isinstance(leaf.type, Pointer):
                ref = self.ref(at, I64)
                if ref.root.space not in ("param", "global", "constant", "address"):
                    raise refuse(
                        "a pointer kept in shared memory", self.span, Code.POINTER_UNRESOLVED
                    )
                var = self.fresh(f"{ref.root.name}_pointer", I64)
                self.steady.add(var.name)
                self.emit(flat.Load(var, ref, self.guard, volatile))
                values.append((leaf.offset, Ptr(ADDRESS, ((n.Read(var), 1),))))
            else:
                raise refuse(f"a value of type {leaf.type} in memory", self.span)
        if isinstance(type, Scalar | Pointer):
            return values[0][1]
        return Agg(tuple(values))

    def load_name(self, ref: Ref, leaf: Leaf) -> str:
        base = ref.root.name.rstrip("_") if ref.root is not ADDRESS else "loaded"
        return f"{base}_{leaf.path}" if leaf.path else f"{base}_value"

    def write_pointer(self, pointer: Ptr, type: Type, value: Value, volatile: bool) -> None:
        if isinstance(pointer.root, Local):
            self.write_local_dynamic(pointer.root, pointer, type, value)
            return
        leaves = self.layouts.leaves(type, limit=MOST_CELLS)
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        done: set[int] = set()
        for leaf in leaves:
            if leaf.offset in done:
                continue
            done.add(leaf.offset)
            item = given.get(leaf.offset)
            if item is None:
                if not isinstance(leaf.type, Scalar):
                    raise refuse("a pointer written as zero", self.span)
                item = fold.constant(0, leaf.type)
            at = replace(pointer, const=pointer.const + leaf.offset)
            number = self.as_number(item)
            kind = leaf.type if isinstance(leaf.type, Scalar) else I64
            ref = self.ref(at, kind)
            if not isinstance(leaf.type, Scalar):
                number = fold.cast(number, I64)
            self.emit(flat.Store(ref, self.as_type(number, kind), volatile))

    def write(self, place: n.Place, value: Value, volatile: bool) -> None:
        self.write_pointer(self.place(place), place.type, value, volatile)

    def assign(self, var: n.Var, value: Value) -> None:
        found = self.lookup(var.name)
        if found is None:
            self.scopes[-1][var.name] = self.local(var.name, var.type, value)
            return
        self.write(var, value, False)

    # --- Cells of locals ------------------------------------------------------------------------

    def read_local(self, local: Local, type: Type, offset: int) -> Value:
        return self.read_local_dynamic(local, Ptr(local, (), offset), type)

    def store_local(self, local: Local, type: Type, value: Value) -> None:
        memory = local.cells.get(-1)
        if isinstance(memory, PtrCell):
            self.write_pointer(Ptr(memory.root), type, value, False)
            return
        self.write_local_dynamic(local, Ptr(local), type, value)

    def choices(self, local: Local, pointer: Ptr, leaf: Leaf) -> list[tuple[n.Expr | None, int]]:
        """The cells that a leaf at this pointer may be: (condition, offset) each."""
        base = pointer.const + leaf.offset
        if not pointer.terms:
            return [(None, base)]
        if len(pointer.terms) == 1:
            expr, scale = pointer.terms[0]
            kind = _scalar(expr.type)
            found: list[tuple[n.Expr | None, int]] = []
            for offset in sorted(local.cells):
                if (offset - base) % scale == 0:
                    index = (offset - base) // scale
                    if not kind.is_signed and index < 0:
                        continue
                    found.append((n.Binary("==", expr, fold.constant(index, kind)), offset))
        else:
            total = self.offset(replace(pointer, const=0), 1)
            common = 0
            for _, scale in pointer.terms:
                common = _gcd(common, scale)
            found = [
                (n.Binary("==", total, fold.i64(offset - base)), offset)
                for offset in sorted(local.cells)
                if (offset - base) % common == 0
            ]
        if len(found) > MOST_CHOICES or not found:
            raise _Retry("memory", local.name)
        return found

    def read_local_dynamic(self, local: Local, pointer: Ptr, type: Type) -> Value:
        values: list[tuple[int, Value]] = []
        for leaf in self.layouts.leaves(type, limit=MOST_CELLS):
            if any(offset == leaf.offset for offset, _ in values):
                continue
            options = self.choices(local, pointer, leaf)
            result: Value | None = None
            for condition, offset in reversed(options):
                cell = local.cells.get(offset)
                if cell is None:
                    raise _Retry("memory", local.name)
                value = self.cell_value(cell, leaf.type)
                if result is None or condition is None:
                    result = value
                elif isinstance(value, Ptr) or isinstance(result, Ptr):
                    result = self.select_pointer(condition, value, result)
                else:
                    result = n.Select(condition, self.as_number(value), self.as_number(result))
            assert result is not None
            values.append((leaf.offset, result))
        if isinstance(type, Scalar | Pointer | Handle):
            return values[0][1]
        return Agg(tuple(values))

    def select_pointer(self, condition: n.Expr, a: Value, b: Value) -> Ptr:
        left, right = self.as_pointer(a), self.as_pointer(b)
        if left.root is right.root and not isinstance(left.root, Local):
            offset = n.Select(condition, self.offset(left, 1), self.offset(right, 1))
            return Ptr(left.root, ((offset, 1),))
        address = n.Select(condition, self.address(left), self.address(right))
        return Ptr(ADDRESS, ((address, 1),))

    def cell_value(self, cell: n.Var | PtrCell, type: Type) -> Value:
        if isinstance(cell, PtrCell):
            if cell.function is not None:
                return cell.function
            if not cell.known:
                return Ptr(None)
            value = Ptr(cell.root, ((n.Read(cell.var), cell.unit),))
            return value if isinstance(type, Pointer) else self.as_number(value)
        if isinstance(type, Pointer):
            return self.as_pointer(n.Read(cell))
        return self.as_type(n.Read(cell), _scalar(type))

    def write_local_dynamic(self, local: Local, pointer: Ptr, type: Type, value: Value) -> None:
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        done: set[int] = set()
        pending: list[tuple[n.Var, n.Expr]] = []
        for leaf in self.layouts.leaves(type, limit=MOST_CELLS):
            if leaf.offset in done:
                continue
            done.add(leaf.offset)
            item = given.get(leaf.offset)
            if item is None:
                if not isinstance(leaf.type, Scalar):
                    continue
                item = fold.constant(0, leaf.type)
            for condition, offset in self.choices(local, pointer, leaf):
                cell = local.cells.get(offset)
                if cell is None:
                    raise _Retry("memory", local.name)
                if isinstance(cell, PtrCell):
                    if isinstance(item, FunctionValue):
                        if cell.function is not None and cell.function != item:
                            raise refuse("a function pointer that changes", self.span)
                        cell.function = item
                        continue
                    if condition is not None:
                        raise refuse("an array of pointers with a variable index", self.span)
                    self.set_pointer(cell, self.as_pointer(item))
                    continue
                kind = _scalar(cell.type)
                new = self.as_type(self.as_number(item), kind)
                if condition is not None:
                    new = n.Select(condition, new, n.Read(cell))
                pending.append((cell, new))
        self.set_together(pending)

    def set_together(self, pending: list[tuple[n.Var, n.Expr]]) -> None:
        """Assign all at once: a struct assignment may read what it writes (`p = {p.y, p.x}`)."""
        written: set[str] = set()
        staged: list[tuple[n.Var, n.Expr]] = []
        for var, value in pending:
            if any(isinstance(x, n.Var) and x.name in written for x in n.walk(value)):
                staged = []
                for target, item in pending:
                    kept = self.fresh(target.name + "_new", _scalar(target.type))
                    self.emit(flat.Set(kept, item, declare=True))
                    staged.append((target, n.Read(kept)))
                pending = staged
                break
            written.add(var.name)
        for var, value in pending:
            if value != n.Read(var):
                self.emit(flat.Set(var, value))

    # --- Expressions ----------------------------------------------------------------------------

    def scalar(self, expr: n.Expr) -> n.Expr:
        return self.as_number(self.value(expr))

    def truth(self, expr: n.Expr) -> n.Expr:
        value = self.scalar(expr)
        return value if value.type == BOOL else fold.cast(value, BOOL)

    def lazily(self, expr: n.Expr, condition: n.Expr) -> Value:
        """The value, where the condition holds: reads inside are guarded."""
        saved, self.guard = self.guard, fold.conjunction(self.guard, condition)
        try:
            return self.value(expr)
        finally:
            self.guard = saved

    def value(self, expr: n.Expr) -> Value:
        match expr:
            case n.Const():
                return expr
            case n.Null():
                return Ptr(None)
            case n.Special(name):
                return self.special(expr)
            case n.Read(place, volatile):
                return self.read(place, volatile)
            case n.AddressOf(place):
                return self.place(place)
            case n.Unary(op, value):
                return fold.unary(op, self.scalar(value))
            case n.Binary(op, lhs, rhs):
                return self.binary(op, lhs, rhs)
            case n.PointerAdd(pointer, index):
                start = self.as_pointer(self.value(pointer))
                element = pointer.type.element if isinstance(pointer.type, Pointer) else U8
                return start.plus(self.scalar(index), max(1, self.layouts.size(element)))
            case n.PointerDiff(lhs, rhs):
                return self.pointer_difference(expr)
            case n.Select(condition, then, otherwise):
                return self.select(condition, then, otherwise)
            case n.Cast(value, type):
                return self.cast(self.value(value), type)
            case n.Bitcast(value, type):
                return self.as_type(self.scalar(value), _scalar(type))
            case n.Intrinsic(name, args, type):
                if name in ("__isGlobal", "__isShared") or name.startswith("tex"):
                    raise refuse(f"{name} has no counterpart", expr.span or self.span)
                if not isinstance(type, Scalar):
                    raise refuse(f"{name} has no counterpart", expr.span or self.span)
                return fold.intrinsic(name, tuple(self.scalar(a) for a in args), type)
            case n.Aggregate(values, type):
                return self.aggregate(values, type)
            case n.Extract(value, name, type):
                return self.extract(self.value(value), value.type, name, type)
            case n.FunctionRef(name):
                return FunctionValue(name)
            case n.OpaqueValue(text, reason):
                raise refuse(f"`{text[:60]}` was not understood: {reason}", expr.span or self.span)

    def special(self, expr: n.Special) -> n.Expr:
        if expr.name == "warp_size":
            return fold.constant(32, I32)
        return expr

    def read(self, place: n.Place, volatile: bool) -> Value:
        if isinstance(place, n.Var):
            found = self.lookup(place.name)
            if found is not None and not isinstance(found, Local):
                is_memory = isinstance(found, Ptr) and isinstance(found.root, Root)
                shared = is_memory and found.root.space in ("shared", "local")  # type: ignore[union-attr]
                if not (shared and not isinstance(place.type, Pointer)):
                    return found
        return self.read_pointer(self.place(place), place.type, volatile)

    def binary(self, op: n.BinaryOp, lhs: n.Expr, rhs: n.Expr) -> Value:
        if op in ("&&", "||"):
            left = self.truth(lhs)
            condition = left if op == "&&" else fold.negate(left)
            if isinstance(left, n.Const):
                return self.truth(rhs) if bool(condition.value) else left  # type: ignore[union-attr]
            right = self.as_number(self.lazily(rhs, condition))
            return fold.binary(op, left, right)
        left_value, right_value = self.value(lhs), self.value(rhs)
        if isinstance(left_value, Ptr) or isinstance(right_value, Ptr):
            return self.compare_pointers(op, left_value, right_value)
        left, right = self.as_number(left_value), self.as_number(right_value)
        if left.type != right.type and op not in ("<<", ">>"):
            right = fold.cast(right, left.type)
        return fold.binary(op, left, right)

    def compare_pointers(self, op: n.BinaryOp, a: Value, b: Value) -> n.Expr:
        left, right = self.as_pointer(a), self.as_pointer(b)
        if left.root is right.root and left.root is not None:
            return fold.binary(op, self.offset(left, 1), self.offset(right, 1))
        if left.root is None and right.root is None:
            return fold.binary(op, fold.i64(left.const), fold.i64(right.const))
        for one, other in ((left, right), (right, left)):
            local = isinstance(one.root, Local) or (
                isinstance(one.root, Root) and one.root.space in ("shared", "local", "global")
            )
            if local and other.root is None and op in ("==", "!="):
                return n.Const(op == "!=", BOOL)
        return fold.binary(op, self.address(left), self.address(right))

    def pointer_difference(self, expr: n.PointerDiff) -> n.Expr:
        left, right = self.as_pointer(self.value(expr.lhs)), self.as_pointer(self.value(expr.rhs))
        kind = expr.lhs.type
        size = self.layouts.size(kind.element) if isinstance(kind, Pointer) else 1
        if left.root is right.root and left.root is not None:
            bytes_apart = fold.binary("-", self.offset(left, 1), self.offset(right, 1))
        else:
            bytes_apart = fold.binary("-", self.address(left), self.address(right))
        return fold.binary("/", bytes_apart, fold.i64(size))

    def select(self, condition: n.Expr, then: n.Expr, otherwise: n.Expr) -> Value:
        test = self.truth(condition)
        if isinstance(test, n.Const):
            return self.value(then if test.value else otherwise)
        a = self.lazily(then, test)
        b = self.lazily(otherwise, fold.negate(test))
        return self.choose(test, a, b)

    def choose(self, test: n.Expr, a: Value, b: Value) -> Value:
        if isinstance(a, Ptr) or isinstance(b, Ptr):
            return self.select_pointer(test, a, b)
        if isinstance(a, Agg) and isinstance(b, Agg):
            other = dict(b.leaves)
            return Agg(tuple((o, self.choose(test, v, other[o])) for o, v in a.leaves))
        if isinstance(a, FunctionValue) or isinstance(b, FunctionValue):
            raise refuse("a function chosen at run time", self.span)
        return fold.select(test, self.as_number(a), self.as_number(b))

    def cast(self, value: Value, type: Type) -> Value:
        if isinstance(type, Pointer):
            return value if isinstance(value, Ptr) else self.as_pointer(value)
        if isinstance(type, Handle) or isinstance(value, FunctionValue):
            return value
        if isinstance(value, Ptr):
            return (
                fold.cast(self.as_number(value), type)
                if type != BOOL
                else fold.binary("!=", self.address(value), fold.i64(0))
            )
        if isinstance(value, Agg):
            return value
        return fold.cast(value, type)

    def aggregate(self, values: Sequence[n.Expr], type: Type) -> Agg:
        parts = self.layouts.parts(type)
        leaves: list[tuple[int, Value]] = []
        for value, (offset, part) in zip(values, parts, strict=False):
            item = self.value(value)
            if isinstance(item, Agg):
                leaves += [(offset + o, v) for o, v in item.leaves]
            elif isinstance(part, Scalar) and not isinstance(item, Ptr | FunctionValue):
                leaves.append((offset, item))
            else:
                leaves.append((offset, item))
        return Agg(tuple(leaves))

    def extract(self, value: Value, of: Type, name: str, type: Type) -> Value:
        if not isinstance(value, Agg):
            raise refuse("a member of something that is not a struct", self.span)
        start = self.layouts.field_offset(of, name)
        given = dict(value.leaves)
        if isinstance(type, Scalar | Pointer):
            item = given.get(start)
            if item is None:
                return fold.constant(0, type) if isinstance(type, Scalar) else Ptr(None)
            if isinstance(type, Scalar) and not isinstance(item, Ptr | Agg | FunctionValue):
                return self.as_type(item, type)
            return item
        end = start + self.layouts.size(type)
        return Agg(tuple((o - start, v) for o, v in value.leaves if start <= o < end))


# --- Structure ----------------------------------------------------------------------------------


def jumps(block: Sequence[n.Stmt]) -> bool:
    """Does every way through the block leave it by a jump?"""
    if not block:
        return False
    match block[-1]:
        case n.Return() | n.Break() | n.Continue():
            return True
        case n.If(_, then, otherwise):
            return jumps(then) and jumps(otherwise)
        case _:
            return False


def drop_tail_leaves(body: Body, label: str) -> None:
    """Drop each `Leave(label)` after which nothing else would have run."""
    while body and isinstance(body[-1], flat.Leave) and body[-1].label == label:
        body.pop()
    if not body:
        return
    match body[-1]:
        case flat.Branch(_, then, otherwise):
            drop_tail_leaves(then, label)
            drop_tail_leaves(otherwise, label)
            if not then and not otherwise:
                body.pop()
        case flat.Scope(_, inner):
            drop_tail_leaves(inner, label)
        case _:
            pass


def uses_label(body: Body, label: str) -> bool:
    """Is there a `Leave` to the label in the body?"""
    return any(isinstance(s, flat.Leave) and s.label == label for s in flat.statements(body))


def _base_name(place: n.Place) -> str:
    match place:
        case n.Var(name):
            return name
        case n.Element(base) | n.Member(base):
            return _base_name(base)
        case _:
            return ""


def _scalar(type: Type) -> Scalar:
    if not isinstance(type, Scalar):
        raise refuse(f"a value of type {type} where a number is needed", None)
    return type


def _all(body: Sequence[n.Stmt]) -> Iterator[n.Node]:
    for stmt in body:
        yield from n.walk(stmt)


def _own_jumps(body: Sequence[n.Stmt]) -> Iterator[n.Stmt]:
    """Breaks and continues of this loop, not of loops inside."""
    for stmt in body:
        match stmt:
            case n.Break() | n.Continue():
                yield stmt
            case n.If(_, then, otherwise):
                yield from _own_jumps(then)
                yield from _own_jumps(otherwise)
            case n.Switch(_, cases):
                for case in cases:
                    yield from (s for s in _own_jumps(case.body) if isinstance(s, n.Continue))
            case _:
                pass


def _mentions(expr: n.Node, name: str) -> bool:
    return any(isinstance(x, n.Var) and x.name == name for x in n.walk(expr))


def _mentions_any(expr: n.Node, names: set[str]) -> bool:
    return any(isinstance(x, n.Var) and x.name in names for x in n.walk(expr))


def _after_last(stmt: n.For, var: n.Var, values: list[int]) -> n.Expr | None:
    """The loop variable's value after the loop."""
    step = stmt.step[0]
    assert isinstance(step, n.Assign)
    if not values:
        return None
    value = step.value
    if isinstance(value, n.Binary) and value.op in ("+", "-", "*", "/", ">>", "<<"):
        amount = fold.as_int(value.rhs)
        if amount is not None and value.lhs == n.Read(var):
            start = fold.constant(values[-1], _scalar(var.type))
            return fold.binary(value.op, start, value.rhs)
    return None


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return abs(a)


def _short(name: str) -> str:
    return re.split(r"[<(]", name)[0].rsplit("::", 1)[-1] or "call"
