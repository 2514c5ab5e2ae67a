"""Statements that act beyond the lane: calls, barriers, exchanges, atomics, effects, reports.

    __shfl_xor_sync(m, v, 16)     t5 = warp.shuffle(rt, m0, "xor", t3, v_v, k2, None, 7)
    f(x, &y)                      t6 = rt.call(f_1, m0, v_x, o4.address)

Each becomes a call of the runtime, with the mask of the lanes that take part and its site.
"""

from __future__ import annotations

from crossport.ir.interpreter.compile_expressions import ExpressionCompiler
from crossport.ir.interpreter.compile_places import unsupported
from crossport.ir.interpreter.effects import find_effect
from crossport.ir.interpreter.kinds import is_single
from crossport.ir.nodes import (
    Assert,
    Atomic,
    Barrier,
    Call,
    Effect,
    Expr,
    Fence,
    Launch,
    Match,
    Node,
    Place,
    Print,
    Shuffle,
    SyncWarp,
    Trap,
    Var,
    Vote,
    WarpReduce,
)
from crossport.ir.types import Type


class EffectCompiler(ExpressionCompiler):
    """The statements that call into the runtime."""

    _lazy_objects: dict[str, str]

    def __init__(self, unit: object, function: object) -> None:
        super().__init__(unit, function)  # type: ignore[arg-type]
        self._lazy_objects = {}

    def assign(self, place: Place, values: list[str], node: Node) -> None:
        """The leaves at a place become these (compile_statements.py)."""
        raise NotImplementedError

    def _result(self, target: Var | None, text: str, node: Node) -> None:
        if target is None:
            self.code.emit(text)
            return
        name = self.bind(text)
        if is_single(target.type):
            self.assign(target, [name], node)
        else:
            count = len(self.leaf_kinds(target.type))
            self.assign(target, [f"{name}[{i}]" for i in range(count)], node)

    def _optional(self, expr: Expr | None) -> str:
        return "None" if expr is None else self.scalar(expr)

    def call(self, stmt: Call) -> None:
        """A device function, by name or by handle."""
        arguments = [self.bind(text) for a in stmt.args for text in self.leaves(a)]
        if isinstance(stmt.function, str):
            if stmt.function not in self.unit.python_names:
                raise unsupported(stmt, f"the function {stmt.function}, which has no body here,")
            name = self.unit.python_names[stmt.function]
            text = f"rt.call({name}, {', '.join([self.mask, *arguments])})"
            result: Type | None = self.unit.functions[stmt.function].result
        else:
            handle = self.scalar(stmt.function)
            listed = ", ".join(arguments) + ("," if arguments else "")
            text = f"rt.call_handle({self.mask}, {handle}, ({listed}), {self.site(stmt)})"
            result = stmt.target.type if stmt.target is not None else None
        if stmt.target is None or result is None:
            self.code.emit(text)
            return
        packed = self.bind(text)
        count = len(self.leaf_kinds(stmt.target.type))
        self.assign(stmt.target, [f"{packed}[{i}]" for i in range(count)], stmt)

    def synchronise(self, stmt: Barrier | SyncWarp | Fence) -> None:
        """Barriers: in lock-step they only check, and count what they combine."""
        site = self.site(stmt)
        match stmt:
            case Barrier(scope, None):
                self.code.emit(f"rt.barrier({self.mask}, {scope!r}, {site})")
            case Barrier(scope, reduce, predicate, target):
                assert predicate is not None
                text = self.scalar(predicate)
                call = f"rt.barrier_reduce({self.mask}, {reduce!r}, {text}, {site})"
                self._result(target, call, stmt)
            case SyncWarp(mask, width):
                masks = f"{self._optional(mask)}, {self._optional(width)}"
                self.code.emit(f"rt.sync_warp({self.mask}, {masks}, {site})")
            case Fence(scope):
                self.code.emit(f"rt.fence({self.mask}, {scope!r})")

    def exchange(self, stmt: Shuffle | Vote | Match | WarpReduce) -> None:
        """What the lanes of a warp tell each other."""
        site = self.site(stmt)
        lanes = self.bind(self._optional(stmt.mask)) if stmt.mask else "None"
        width = self._optional(stmt.width)
        head = f"rt, {self.mask}"
        match stmt:
            case Shuffle(target, mode, _, value, lane):
                source = self.bind(self.scalar(lane))
                tail = f"{source}, {self.bind(width)}, {site}"
                texts = [
                    self.bind(f"warp.shuffle({head}, {mode!r}, {lanes}, {text}, {tail})")
                    for text in self.leaves(value)
                ]
                self.assign(target, texts, stmt)
            case Vote(target, mode, _, predicate):
                dtype = self.unit.kind(self.kind(target.type))
                held = self._optional(predicate)
                call = f"warp.vote({head}, {mode!r}, {lanes}, {held}, {width}, {dtype}, {site})"
                self._result(target, call, stmt)
            case Match(target, mode, _, value, predicate_target):
                dtype = self.unit.kind(self.kind(target.type))
                text = f"({', '.join(self.leaves(value))},)"
                call = f"warp.match({head}, {mode!r}, {lanes}, {text}, {width}, {dtype}, {site})"
                pair = self.bind(call)
                self.assign(target, [f"{pair}[0]"], stmt)
                if predicate_target is not None:
                    self.assign(predicate_target, [f"{pair}[1]"], stmt)
            case WarpReduce(target, op, _, value, _, scan):
                kind = self.unit.kind(self.kind(target.type))
                tail = f"{width}, {scan!r}, {kind}, {site}"
                call = f"warp.reduce({head}, {op!r}, {lanes}, {self.scalar(value)}, {tail})"
                self._result(target, call, stmt)

    def atomic(self, stmt: Atomic) -> None:
        """Atomics on any place in memory."""
        leaves = self.layout.leaves(stmt.place.type)
        if len(leaves) != 1:
            raise unsupported(stmt, f"an atomic on {stmt.place.type}")
        operands = [self.bind(self.scalar(o)) for o in stmt.operands]
        address, site = self.address(stmt.place), self.site(stmt)
        index, is_bytes = self.index_text(address, leaves[0])
        base = f"{address.base}.address" if address.is_object else address.base
        kind = self.unit.kind(leaves[0].kind)
        place = f"{base} + {index}, 0" if is_bytes else f"{base}, {index}"
        packed = f"({', '.join(operands)}{',' if operands else ''})"
        wanted = stmt.target is not None
        call = (
            f"atomics.atomic(rt, {self.mask}, {stmt.op!r}, {place}, {packed}, {kind}, "
            f"{wanted}, {stmt.scope!r}, {site})"
        )
        self._result(stmt.target, call, stmt)

    def effect(self, stmt: Effect) -> None:
        """An effect of ir/intrinsics.py."""
        kinds = tuple(tuple(self.leaf_kinds(a.type)) for a in stmt.args)
        result = tuple(self.leaf_kinds(stmt.target.type)) if stmt.target is not None else ()
        types = tuple(a.type for a in stmt.args)
        found = find_effect(stmt.name, kinds, result, types)
        if found is None:
            raise unsupported(stmt, stmt.name)
        args = []
        for argument in stmt.args:
            texts = self.leaves(argument)
            args.append(texts[0] if is_single(argument.type) else f"({', '.join(texts)},)")
        name = self.unit.helper(found, ("effect", stmt.name, kinds, result, types))
        head = ["rt", self.mask, str(self.site(stmt))]
        self._result(stmt.target, f"{name}({', '.join([*head, *args])})", stmt)

    def report(self, stmt: Print | Assert | Trap | Launch) -> None:
        """printf, assert, trap, and launches from the device."""
        site = self.site(stmt)
        match stmt:
            case Print(format, args):
                texts = [text for a in args for text in self.leaves(a)]
                packed = f"({', '.join(texts)}{',' if texts else ''})"
                self.code.emit(f"rt.print({self.mask}, {format!r}, {packed})")
            case Assert(condition, source):
                held = self.scalar(condition)
                self.code.emit(f"rt.check_assert({self.mask}, {held}, {source!r}, {site})")
            case Trap():
                self.code.emit(f"rt.trap({self.mask}, {site})")
            case Launch(kernel, grid, block, shared_bytes, args):
                shape = ", ".join(self.scalar(e) for e in (*grid, *block, shared_bytes))
                texts = [text for a in args for text in self.leaves(a)]
                packed = f"({', '.join(texts)}{',' if texts else ''})"
                self.code.emit(f"rt.launch({self.mask}, {kernel!r}, ({shape}), {packed}, {site})")
