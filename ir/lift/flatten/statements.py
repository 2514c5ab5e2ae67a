"""Statements, one by one, and the kernel as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from crossport.ir import nodes as n
from crossport.ir.fragments import shape_of
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.calls import Calls
from crossport.ir.lift.flatten.jumps import drop_tail_leaves, jumps
from crossport.ir.lift.flatten.recursion import DEPTH, FAILURE
from crossport.ir.lift.flatten.textures import is_texture
from crossport.ir.lift.flatten.values import Agg, Ptr, Target, Value, refuse, scalar_type
from crossport.ir.lift.flatten.variables import MOST_CELLS
from crossport.ir.lift.layout import FUNCTION, is_function
from crossport.ir.types import I32, Handle, Pointer, Scalar


class Flattener(Calls):
    """The walk over one kernel."""

    def run(self) -> flat.Program:
        kernel = self.kernel
        parameters = tuple(self.parameter(p) for p in kernel.params)
        self.names.fresh(FAILURE.name)
        self.targets.append(Target("function", "kernel"))
        self.declare_shared(kernel)
        body = [*self.out, *self.block(kernel.body)]
        drop_tail_leaves(body, "kernel")
        if self.may_fail:
            parameters = (
                *parameters, flat.Parameter(FAILURE.name, Pointer(I32), (("", FAILURE),)),
            )  # fmt: skip
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
            failure=f"it calls itself more than {DEPTH} levels deep" if self.may_fail else "",
            span=kernel.span,
        )

    def parameter(self, param: n.Param) -> flat.Parameter:
        name = self.names.fresh(param.name or "unnamed")
        if is_texture(param.type):
            return self.texture_parameter(param, name)
        roots: list[tuple[str, Root]] = []
        scalars: list[tuple[str, n.Var]] = []
        values: list[tuple[int, Value]] = []
        for leaf in self.layouts.leaves(param.type, limit=MOST_CELLS):
            path = leaf.path
            flat_name = self.names.fresh(f"{name}_{path}") if path else name
            match leaf.type:
                case Scalar() if leaf.type is FUNCTION:
                    raise refuse("a function pointer as a parameter", param.span)
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
                var = self.fresh(target.name, scalar_type(target.type))
                argument = self.truth(predicate) if predicate is not None else None
                self.emit(flat.Ballot(var, mode, argument, self.width(width)))
                self.assign(target, n.Read(var))
            case n.Match(target, mode, _, value, predicate_target, width):
                self.match_lanes(target, mode, self.scalar(value), predicate_target, width)
            case n.WarpReduce(target, op, _, value, width, scan):
                var = self.fresh(target.name, scalar_type(target.type))
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

    def let(self, var: n.Var, init: n.Expr | None) -> None:
        opaque = isinstance(var.type, Handle) and not is_function(var.type)
        opaque = opaque and shape_of(var.type) is None
        if opaque or (is_function(var.type) and init and var.name not in self.written[-1]):
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
