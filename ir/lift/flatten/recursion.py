"""Functions that call themselves: one activation after the other, with a stack.

    f(n): if (n < 2) return 1;            loop while phase >= 0:
          return f(n - 1) + f(n - 2)        phase 0: if (n < 2) { result = 1; return }
                                      ->             push n, 1; n = n - 1; phase = 0
                                            phase 1: a = result; push n, a, 2; n = n - 2; phase = 0
                                            phase 2: result = a + result; return
    "return": stack empty ? phase = -1 : pop a phase

The function is flattened once, a call of itself being a mark (`Recur`); cutting.py makes stretches
of it. A call after which nothing is left to do pushes nothing. The stack has room for `DEPTH`
activations; a thread that needs more gives up and says so in `failure`, which the launcher checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.cutting import Finish, Stop, stops, stretches, undeclare, used, written
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.context import Activation
from crossport.ir.lift.flatten.loops import Loops
from crossport.ir.lift.flatten.names_in import assigned
from crossport.ir.lift.flatten.values import Agg, Compound, Local, Ptr, Target, Value, refuse
from crossport.ir.reachable import reachable
from crossport.ir.types import BOOL, I32, I64, U8, Array, Pointer, Scalar, Struct

DEPTH = 64
FAILURE = Root("failure", "param", I32)


@dataclass(slots=True)
class Recur:
    """A call of the function that is being flattened; `entry` gives its parameters new values."""

    entry: flat.Body = field(default_factory=list)


class Recursion(Loops):
    """Calls of what is being called."""

    def calls_itself(self, function: n.Function) -> bool:
        """Can a call of the function come to another call of it?"""
        return any(
            isinstance(node, n.Call) and node.function == function.name
            for reached in reachable(self.module, function)
            for node in n.walk(reached)
        )

    def call_again(self, function: n.Function, args: Sequence[Value]) -> Value | None:
        """A call of a function from inside itself."""
        active = self.activations[function.name]
        kept = [self.at_hand(value, function.name) for value in args]
        with self.collecting() as entry:
            for (local, param), value in zip(active.params, kept, strict=True):
                self.store_local(local, param.type, value)
        self.emit(Recur(entry))  # type: ignore[arg-type]
        if active.result is None:
            return None
        return self.at_hand(self.read_local(active.result, function.result, 0), function.name)

    def at_hand(self, value: Value, name: str) -> Value:
        """The value in variables of its own."""
        if isinstance(value, Agg):
            return Agg(tuple((offset, self.at_hand(v, name)) for offset, v in value.leaves))
        if isinstance(value, Ptr):
            return self.frozen(value, name)
        if isinstance(value, Compound) or not isinstance(value.type, Scalar):
            raise refuse(f"{name} hands on what is no number", self.span)
        var = self.fresh("handed", value.type)
        self.emit(flat.Set(var, value, declare=True))
        return n.Read(var)

    def run_with_stack(self, function: n.Function, args: Sequence[Value]) -> Value | None:
        """The outermost call."""
        self.written.append({p.name for p in function.params} | assigned(function))
        scope: dict[str, Local | Value] = {}
        params: list[tuple[Local, n.Param]] = []
        for param, value in zip(function.params, args, strict=True):
            local = self.local(param.name, param.type, value)
            scope[param.name] = local
            params.append((local, param))
        result: Local | None = None
        if isinstance(function.result, Scalar | Pointer | Struct | Array):
            result = self.local("result", function.result, None)
        label = self.names.fresh("activation_end", keep_first=False)
        self.activations[function.name] = Activation(params, result)
        self.scopes.append(scope)
        self.active.append(function.name)
        self.declare_shared(function)
        self.targets.append(Target("function", label, result=result))
        memory = len(self.local_roots)
        body = self.block(function.body)
        self.targets.pop()
        self.active.pop()
        self.scopes.pop()
        self.written.pop()
        del self.activations[function.name]
        if len(self.local_roots) > memory:
            raise refuse(f"{function.name} calls itself and keeps arrays", self.span)
        parts = stretches(body, lambda s: isinstance(s, Recur), label, self.span)
        results = (
            {c.name if isinstance(c, n.Var) else c.var.name for c in result.cells.values()}
            if result
            else set()
        )
        _Machine(self, parts, results).emit()
        return self.read_local(result, function.result, 0) if result is not None else None


class _Machine:
    """The loop over activations."""

    def __init__(self, walk: Recursion, parts: list[flat.Body], results: set[str]) -> None:
        self.walk = walk
        self.parts = parts
        self.types: dict[str, Scalar] = {}
        begun: set[str] = set()
        for part in parts:
            for statement in flat.statements(part):
                for var in flat.targets(statement):
                    self.types[var.name] = var.type  # type: ignore[assignment]
                if not isinstance(statement, flat.Set) or statement.declare:
                    begun |= written(statement)
            for stop in stops(part):
                for statement in flat.statements(_entry(stop.at)):
                    for var in flat.targets(statement):
                        self.types[var.name] = var.type  # type: ignore[assignment]
                        # A parameter: each activation has its own.
                        begun.add(var.name)
        following = [{s.following for s in stops(part)} for part in parts]
        self.needed = [used(part, set(self.types), _entry) & begun for part in parts]
        while True:
            before = sum(map(len, self.needed))
            for number, after in enumerate(following):
                for follower in after:
                    self.needed[number] |= self.needed[follower]
            if before == sum(map(len, self.needed)):
                break
        self.called = {s.following for part in parts for s in stops(part) if s.at is not None}
        self.is_tail = {number for number in self.called if _is_nothing(parts[number], results)}
        self.depth, self.phase = walk.fresh("depth", I32), walk.fresh("phase", I32)
        is_stacked = bool(self.called - self.is_tail)
        self.phases = self.stack("phase", I32) if is_stacked else None
        saved = set().union(*(self.needed[n] for n in self.called - self.is_tail))
        self.stacks = {name: self.stack(name, self.types[name]) for name in sorted(saved)}

    def emit(self) -> None:
        """Emit it."""
        walk = self.walk
        parameters = {
            v.name
            for part in self.parts for stop in stops(part)
            for s in flat.statements(_entry(stop.at)) for v in flat.targets(s)
        }  # fmt: skip
        state = set().union(*self.needed)
        for name in sorted(state - parameters):
            walk.emit(flat.Set(n.Var(name, self.types[name]), None, declare=True))
        for var in (self.depth, self.phase):
            walk.emit(flat.Set(var, _i32(0), declare=True))
        chain: flat.Body = []
        for number in reversed(range(len(self.parts))):
            part = self.parts[number]
            undeclare(part, state - parameters, walk.names.fresh)
            restored: flat.Body = []
            for name in sorted(self.needed[number] & self.stacks.keys()):
                if number in self.called:
                    ref = self.top(self.stacks[name])
                    found = walk.fresh(f"{name}_before", ref.type)
                    restored.append(flat.Load(found, ref))
                    var = n.Var(name, self.types[name])
                    restored.append(flat.Set(var, fold.cast(n.Read(found), var.type)))
            test = fold.binary("==", n.Read(self.phase), _i32(number))
            chain = [flat.Branch(test, [*restored, *self.written_out(part)], chain)]
        label = walk.names.fresh("activations", keep_first=False)
        running = fold.binary(">=", n.Read(self.phase), _i32(0))
        walk.emit(flat.Loop(label, [], running, chain, []))

    def stack(self, name: str, kind: Scalar) -> Root:
        """An array of each thread's, an element an activation."""
        stored = U8 if kind == BOOL else kind
        root = Root(
            self.walk.names.fresh(f"{name}_stack"), "local", stored, DEPTH * stored.size
        )  # fmt: skip
        self.walk.local_roots.append(root)
        return root

    def top(self, stack: Root) -> flat.Ref:
        index = fold.cast(n.Read(self.depth), I64)
        return flat.Ref(stack, index, stack.element, stack.element.size)

    def written_out(self, body: flat.Body) -> flat.Body:
        """The stretch with calls and returns in place of its marks."""
        out: flat.Body = []
        for statement in body:
            match statement:
                case Finish():
                    out.append(self.back())
                case Stop(following, at):
                    out += self.call(following, at)
                case flat.Branch(condition, then, otherwise):
                    out.append(
                        flat.Branch(condition, self.written_out(then), self.written_out(otherwise))
                    )
                case _:
                    out.append(statement)
        return out

    def back(self) -> flat.Statement:
        """The end of an activation."""
        done: flat.Statement = flat.Set(self.phase, _i32(-1))
        if self.phases is None:
            return done
        before = self.walk.fresh("phase_before", I32)
        pop: flat.Body = [
            flat.Set(self.depth, fold.binary("-", n.Read(self.depth), _i32(1))),
            flat.Load(before, self.top(self.phases)),
            flat.Set(self.phase, n.Read(before)),
        ]
        is_last = fold.binary("==", n.Read(self.depth), _i32(0))
        return flat.Branch(is_last, [done], pop)

    def call(self, following: int, at: flat.Statement | None) -> flat.Body:
        """The beginning of another activation, or of another round of a loop."""
        if at is None:
            return [flat.Set(self.phase, _i32(following))]
        enter: flat.Body = [
            *(flat.copied(s) for s in _entry(at)), flat.Set(self.phase, _i32(0)),
        ]  # fmt: skip
        if following in self.is_tail or self.phases is None:
            return enter
        push: flat.Body = []
        for name in sorted(self.needed[following] & self.stacks.keys()):
            ref = self.top(self.stacks[name])
            value = n.Read(n.Var(name, self.types[name]))
            push.append(flat.Store(ref, fold.cast(value, ref.type)))
        push.append(flat.Store(self.top(self.phases), _i32(following)))
        push.append(flat.Set(self.depth, fold.binary("+", n.Read(self.depth), _i32(1))))
        room = fold.binary("<", n.Read(self.depth), _i32(DEPTH))
        self.walk.may_fail = True
        give_up: flat.Body = [
            flat.Store(flat.Ref(FAILURE, fold.i64(0), I32, 4), _i32(1)),
            flat.Set(self.phase, _i32(-1)),
        ]
        return [flat.Branch(room, [*push, *enter], give_up)]


def _i32(number: int) -> n.Const:
    return n.Const(number, I32)


def _entry(mark: flat.Statement | None) -> flat.Body:
    return mark.entry if isinstance(mark, Recur) else []


def _is_nothing(part: flat.Body, results: set[str]) -> bool:
    """Does the stretch give back the result that it is given, and no more?"""
    values: dict[str, n.Expr] = {}

    def resolved(expr: n.Expr) -> n.Expr:
        if isinstance(expr, n.Read) and isinstance(expr.place, n.Var):
            return values.get(expr.place.name, expr)
        return expr

    for statement in part:
        match statement:
            case flat.Set(var, value) if value is not None:
                values[var.name] = resolved(value)
            case Finish():
                return all(
                    isinstance(v, n.Read) and isinstance(v.place, n.Var) and v.place.name == name
                    for name, v in values.items()
                    if name in results
                )
            case _:
                return False
    return False
