"""Statements of the thread IR -> the body of a generated Python function.

    if (c) x = 1; else return;          m1, m2 = split(m0, c)
                                        s3, s4 = m1, m2
                                        if m1 is not None:
                                         v_x = choose(m1, k0, v_x)
                                        if m2 is not None:
                                         ret = union(ret, m2); m2 = None
                                        m0 = meet(m0, s3, m1, s4, m2)

Every structured region has a mask variable of its own. Lanes leave it by return, break or
continue, which shrink the masks of the regions around; what follows runs only while lanes are left.
A variable declared in a region may be overwritten whole in it: lanes that left cannot see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from crossport.ir.interpreter.analysis import (
    has_return,
    homes,
    may_leave,
    may_wait,
    simplify_place,
)
from crossport.ir.interpreter.code import Unit
from crossport.ir.interpreter.compile_effects import EffectCompiler
from crossport.ir.interpreter.compile_places import Storage, unsupported
from crossport.ir.nodes import (
    Assert,
    Assign,
    Atomic,
    Barrier,
    Block,
    Break,
    Call,
    Continue,
    DoWhile,
    Effect,
    Expr,
    Fence,
    For,
    Function,
    If,
    Launch,
    Let,
    Match,
    Node,
    Opaque,
    Place,
    Print,
    Return,
    Shuffle,
    Stmt,
    Switch,
    SyncWarp,
    Trap,
    Var,
    Vote,
    WarpReduce,
    While,
    walk,
)
from crossport.ir.types import Type, Void


@dataclass(slots=True)
class _Scope:
    """A loop or switch that is being compiled. `mask`: the lanes still going round in it."""

    is_loop: bool
    mask: str
    broken: str = ""


class FunctionCompiler(EffectCompiler):
    """Writes one function."""

    def __init__(self, unit: Unit, function: Function) -> None:
        super().__init__(unit, function)
        self.homes = homes(function, unit.layout)
        if unit.locals_in_memory:
            for node in (n for stmt in function.body for n in walk(stmt)):
                if isinstance(node, Let) and node.init is None:
                    self.homes[node.var.name] = "memory"
        self.scopes: list[_Scope] = []
        self.declared_early: set[str] = set()
        self.returns = has_return(function.body)

    def compile(self) -> str:
        """The text of the whole function."""
        parameters: list[str] = []
        for param in self.function.params:
            parameters += self._parameter(param.name, param.type)
        for name, variable in self.unit.shared.get(self.function.name, {}).items():
            self._in_memory(name, variable, f"rt.shared[{variable!r}]")
        for entry in self.unit.module.globals:
            self._in_memory(entry.name, entry.name, f"rt.globals[{entry.name!r}]")
        self._shared_and_global_types()
        self.block(self.function.body)
        result_leaves = self.leaf_kinds(self.function.result)
        name = self.unit.python_names[self.function.name]
        lines = [f"def {name}({', '.join(['rt', 'm0', *parameters])}):"]
        lines += [f" {local} = {text}" for local, text in self.prologue.items()]
        if self.returns:
            lines.append(" ret = None")
            lines += [f" rv{i} = None" for i in range(len(result_leaves))]
        lines += self.code.lines
        if result_leaves:
            values = [
                f"rv{i} if rv{i} is not None else {self.unit.constant(kind.zero)}"
                if self.returns
                else self.unit.constant(kind.zero)
                for i, kind in enumerate(result_leaves)
            ]
            lines.append(f" return ({', '.join(values)},)")
        elif len(lines) == 1:
            lines.append(" pass")
        return "\n".join(lines)

    def _in_memory(self, name: str, key: str, text: str) -> None:
        local = self.unit.helper(key, ("object name", key))
        local = f"o_{local}"
        self.env[name] = Storage("memory", Void(), [local], "m0")
        self._lazy_objects[local] = text

    def _shared_and_global_types(self) -> None:
        for variable in self.function.shared:
            self.env[variable.name].type = variable.type
        for entry in self.unit.module.globals:
            self.env[entry.name].type = entry.type

    def lookup(self, var: Var) -> Storage:
        """Where a variable lives; objects are fetched at the top of the function, once."""
        home = self.env[var.name]
        if home.home == "memory" and home.names[0] in self._lazy_objects:
            self.prologue[home.names[0]] = self._lazy_objects[home.names[0]]
        return home

    # --- variables

    def _parameter(self, name: str, type: Type) -> list[str]:
        count = len(self.leaf_kinds(type))
        arguments = [self.code.fresh("a") for _ in range(count)]
        self._declare(name, type)
        self._initialise(name, type, arguments)
        return arguments

    def _declare(self, name: str, type: Type) -> None:
        home = self.homes[name]
        if home == "register":
            names = [self.code.fresh("v") for _ in self.leaf_kinds(type)]
        else:
            names = [self.code.fresh("o" if home == "memory" else "r")]
        if home == "memory":
            size = self.layout.size(type)
            self.prologue[names[0]] = f"rt.new_local({name!r}, {size})"
        self.env[name] = Storage(home, type, names, self.mask)

    def _initialise(self, name: str, type: Type, values: list[str] | None) -> None:
        home = self.env[name]
        kinds = self.leaf_kinds(type)
        if home.home == "register":
            texts = values or [self.unit.constant(kind.zero) for kind in kinds]
            for local, text in zip(home.names, texts, strict=True):
                self.code.emit(f"{local} = {text}")
        elif home.home == "array":
            kind = self.unit.kind(kinds[0])
            self.code.emit(f"{home.names[0]} = RegisterArray(rt, {name!r}, {kind}, {len(kinds)})")
            if values:
                self.code.emit(f"{home.names[0]}.rows[:] = [{', '.join(values)}]")
        elif values:
            self._store(Var(name, type), values, self.unit.site(self.function, name))
        else:
            self.code.emit(f"{home.names[0]}.forget({self.mask})")

    def _let(self, stmt: Let) -> None:
        values = None
        if stmt.init is not None:
            values = self.leaves(stmt.init)
            if len(values) > 1:
                values = [self.bind(v) for v in values]
        if stmt.var.name not in self.declared_early:
            self._declare(stmt.var.name, stmt.var.type)
        self._initialise(stmt.var.name, stmt.var.type, values)

    def assign(self, place: Place, values: list[str], node: Node) -> None:
        """The leaves at a place become these."""
        found = self._register_path(place)
        if found is None:
            self._store(place, values, self.site(node))
            return
        home, first, count, varying = found
        if len(values) > 1:
            values = [self.bind(v) for v in values]
        whole = home.region == self.mask
        if home.home == "register":
            for local, value in zip(home.names[first : first + count], values, strict=True):
                text = f"put({self.mask}, {home.region}, {value}, {local})"
                self.code.emit(f"{local} = {value if whole else text}")
            return
        is_whole = "True" if whole else f"{self.mask} is {home.region}"
        index = varying if count == 1 or not varying else self.bind(varying)
        for i, value in enumerate(values):
            at = f"{index} + {first + i}" if varying and first + i else index or str(first + i)
            self.code.emit(
                f"{home.names[0]}.set({self.mask}, {is_whole}, {at}, {value}, {self.site(node)})"
            )

    def _store(self, place: Place, values: list[str], site: int) -> None:
        address = self.address(place)
        leaves = self.layout.leaves(place.type)
        if len(leaves) > 1:
            address.terms = [(self.bind(t), s) for t, s in address.terms]
            values = [self.bind(v) for v in values]
        for leaf, value in zip(leaves, values, strict=True):
            index, is_bytes = self.index_text(address, leaf)
            kind = self.unit.kind(leaf.kind)
            if address.is_object:
                verb = "store_bytes" if is_bytes else "store"
                call = f"{address.base}.{verb}({self.mask}, {index}, {value}, {kind}, {site})"
            elif is_bytes:
                base = f"{address.base} + {index}"
                call = f"store(rt, {self.mask}, {base}, 0, {value}, {kind}, {site})"
            else:
                call = f"store(rt, {self.mask}, {address.base}, {index}, {value}, {kind}, {site})"
            self.code.emit(call)

    # --- control flow

    def block(self, block: Block) -> None:
        """Statements in order; after one that lanes may leave by, only while some are left."""
        group: list[Stmt] = []
        guarded = False
        for position, stmt in enumerate(block):
            group.append(stmt)
            last = position == len(block) - 1
            if not last and not may_leave((stmt,)):
                continue
            if guarded:
                self.code.emit(f"if {self.mask} is not None:")
                with self.code.indented():
                    for member in group:
                        self.stmt(member)
            else:
                for member in group:
                    self.stmt(member)
            guarded = True
            group = []

    def _branch(self, mask: str, block: Block) -> None:
        self.code.emit(f"if {mask} is not None:")
        with self.code.indented():
            outer, self.mask = self.mask, mask
            self.block(block)
            self.mask = outer

    def _if(self, stmt: If) -> None:
        condition = self.scalar(stmt.condition)
        leaves = may_leave((stmt,))
        first = self.fresh_mask()
        if not stmt.otherwise and not leaves:
            self.code.emit(f"{first} = narrow({self.mask}, {condition})")
            self._branch(first, stmt.then)
            return
        second = self.fresh_mask()
        self.code.emit(f"{first}, {second} = split({self.mask}, {condition})")
        start1, start2 = self.code.fresh("s"), self.code.fresh("s")
        if leaves:
            self.code.emit(f"{start1}, {start2} = {first}, {second}")
        self._branch(first, stmt.then)
        match stmt.otherwise:
            case (If() as chained,) if self.code.depth > 40 and not leaves:
                # A long else-if chain stays flat: Python nests a hundred levels at most.
                self._flat_else(second, chained)
            case ():
                pass
            case _:
                self._branch(second, stmt.otherwise)
        if leaves:
            joined = f"meet({self.mask}, {start1}, {first}, {start2}, {second})"
            self.code.emit(f"{self.mask} = {joined}")

    def _flat_else(self, mask: str, stmt: If) -> None:
        first, second = self.fresh_mask(), self.fresh_mask()
        self.code.emit(f"{first} = {second} = None")
        self.code.emit(f"if {mask} is not None:")
        outer, self.mask = self.mask, mask
        with self.code.indented():
            self.code.emit(f"{first}, {second} = split({mask}, {self.scalar(stmt.condition)})")
        self._branch(first, stmt.then)
        match stmt.otherwise:
            case (If() as chained,):
                self._flat_else(second, chained)
            case ():
                pass
            case _:
                self._branch(second, stmt.otherwise)
        self.mask = outer

    def _loop(self, condition: Expr, body: Block, step: Block, *, test_first: bool) -> None:
        loop, inner = self.fresh_mask(), self.fresh_mask()
        self.code.emit(f"{loop} = {self.mask}")
        waits = may_wait((*body, *step), condition)
        if waits:
            self.code.emit("rt.enter_wait()")
        self.code.emit("while True:")
        outer = self.mask
        self.scopes.append(_Scope(True, loop))
        with self.code.indented():
            self.code.emit(f"rt.wait({loop})" if waits else "rt.tick()")
            if test_first:
                self.mask = loop
                self.code.emit(f"{loop} = narrow({loop}, {self.scalar(condition)})")
                self.code.emit(f"if {loop} is None: break")
            self.code.emit(f"{inner} = {loop}")
            self.mask = inner
            self.block(body)
            if may_leave(body):
                self.code.emit(f"if {loop} is None: break")
            self.mask = loop
            self.block(step)
            if not test_first:
                self.code.emit(f"{loop} = narrow({loop}, {self.scalar(condition)})")
                self.code.emit(f"if {loop} is None: break")
        self.scopes.pop()
        self.mask = outer
        if waits:
            self.code.emit("rt.leave_wait()")
        if has_return(body):
            self.code.emit(f"{outer} = without({outer}, ret)")

    def _switch(self, stmt: Switch) -> None:
        value = self.bind(self.scalar(stmt.value))
        kind = self.kind(stmt.value.type)
        for case in stmt.cases:
            for inner in case.body:
                if isinstance(inner, Let):
                    # A jump past a declaration leaves the variable alive but without a value.
                    self._declare(inner.var.name, inner.var.type)
                    self._initialise(inner.var.name, inner.var.type, None)
                    self.declared_early.add(inner.var.name)
        run, broken = self.fresh_mask(), self.code.fresh("b")
        hits = [
            " | ".join(f"({value} == {self._constant(v, kind)})" for v in case.values)
            for case in stmt.cases
        ]
        outer = self.mask
        self.code.emit(f"{run} = {broken} = None")
        self.scopes.append(_Scope(False, run, broken))
        self.mask = run
        hits = [self.bind(hit) if hit else "" for hit in hits]
        named = [hit for hit in hits if hit]
        for case, hit in zip(stmt.cases, hits, strict=True):
            if hit:
                self.code.emit(f"{run} = union({run}, narrow({outer}, {hit}))")
            elif named:
                self.code.emit(f"{run} = union({run}, narrow({outer}, ~({' | '.join(named)})))")
            else:
                self.code.emit(f"{run} = {outer}")
            self.code.emit(f"if {run} is not None:")
            with self.code.indented():
                self.block(case.body)
        self.scopes.pop()
        self.mask = outer
        if not may_leave((stmt,)):
            return
        # Lanes that matched no case stay; of the others, those that broke or fell out come back.
        has_default = any(not hit for hit in hits)
        self.code.emit(f"{run} = union({run}, {broken})")
        if has_default:
            self.code.emit(f"{outer} = {run}")
        else:
            none = f"narrow({outer}, ~({' | '.join(named)}))" if named else outer
            self.code.emit(f"{outer} = union({none}, {run})")

    def _break(self) -> None:
        scope = self.scopes[-1]
        if scope.is_loop:
            self.code.emit(f"{scope.mask} = without({scope.mask}, {self.mask})")
        else:
            self.code.emit(f"{scope.broken} = union({scope.broken}, {self.mask})")
        self.code.emit(f"{self.mask} = None")

    def _return(self, value: Expr | None) -> None:
        if value is not None:
            for i, text in enumerate(self.leaves(value)):
                self.code.emit(f"rv{i} = merge({self.mask}, {text}, rv{i})")
        self.code.emit(f"ret = union(ret, {self.mask})")
        if self.function.kernel is not None:
            self.code.emit(f"rt.leave_kernel({self.mask})")
        for scope in self.scopes:
            if scope.is_loop:
                self.code.emit(f"{scope.mask} = without({scope.mask}, {self.mask})")
        self.code.emit(f"{self.mask} = None")

    # --- one statement

    def stmt(self, stmt: Stmt) -> None:
        """One statement."""
        match stmt:
            case Let():
                self._let(stmt)
            case Assign(place, value):
                place = simplify_place(place)
                self.assign(place, self.leaves(value), stmt)
            case If():
                self._if(stmt)
            case For(condition, step, body):
                self._loop(condition, body, step, test_first=True)
            case While(condition, body):
                self._loop(condition, body, (), test_first=True)
            case DoWhile(body, condition):
                self._loop(condition, body, (), test_first=False)
            case Switch():
                self._switch(stmt)
            case Break():
                self._break()
            case Continue():
                self.code.emit(f"{self.mask} = None")
            case Return(value):
                self._return(value)
            case Call():
                self.call(stmt)
            case Barrier() | SyncWarp() | Fence():
                self.synchronise(stmt)
            case Shuffle() | Vote() | Match() | WarpReduce():
                self.exchange(stmt)
            case Atomic():
                self.atomic(stmt)
            case Effect():
                self.effect(stmt)
            case Print() | Assert() | Trap() | Launch():
                self.report(stmt)
            case Opaque(text, reason):
                raise unsupported(stmt, f"{text} ({reason})")
            case _:
                assert_never(stmt)
