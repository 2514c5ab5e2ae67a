"""Check the rules that every thread IR module keeps (they stand at the top of ir/nodes.py).

    (i + 1u32)      both operands of + have one type: found i32 and u32
    break           outside a loop or switch

A violation is our own fault, not the user's: it is reported as text and raised by
`assert_valid` as an `AssertionError` that names the function.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossport.ir.nesting import room
from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Assert,
    Assign,
    Atomic,
    Barrier,
    Binary,
    Bitcast,
    Block,
    Break,
    Call,
    Cast,
    Const,
    Continue,
    Deref,
    DoWhile,
    Effect,
    Element,
    Expr,
    For,
    Function,
    If,
    Let,
    Match,
    Member,
    Module,
    Node,
    Place,
    PointerAdd,
    PointerDiff,
    Read,
    Return,
    Select,
    Shuffle,
    Stmt,
    Switch,
    Unary,
    Var,
    Vote,
    WarpReduce,
    While,
    children,
)
from crossport.ir.printer import print_expr
from crossport.ir.types import BOOL, I32, U32, VOID, Array, Pointer, Scalar, Struct, Type


@room()
def verify(module: Module) -> list[str]:
    """What is wrong with a module, one line each; empty if nothing is."""
    functions = {f.name: f for f in module.functions}
    problems = [f"two functions named {n}" for n in _repeated(f.name for f in module.functions)]
    for function in module.functions:
        checker = _Checker(module, functions, function)
        problems += [f"{function.name}: {problem}" for problem in checker.problems()]
    return problems


def assert_valid(module: Module, after: str = "") -> Module:
    """The module itself, or AssertionError with what is wrong and which step made it so."""
    problems = verify(module)
    assert not problems, f"invalid IR{f' after {after}' if after else ''}: " + "; ".join(problems)
    return module


def _repeated(names: Iterator[str]) -> list[str]:
    seen: set[str] = set()
    return [n for n in names if n in seen or seen.add(n)]  # type: ignore[func-returns-value]


class _Checker:
    """Walks one function in source order, knowing what is declared so far."""

    def __init__(self, module: Module, functions: dict[str, Function], function: Function) -> None:
        self.structs = {s.name: s for s in module.structs}
        self.functions = functions
        self.function = function
        self.declared: dict[str, Type] = {g.name: g.type for g in module.globals}
        self.found: list[str] = []

    def problems(self) -> list[str]:
        """All violations in the function."""
        for param in self.function.params:
            self._declare(param.name, param.type)
        for shared in self.function.shared:
            self._declare(shared.name, shared.type)
        if self.function.kernel is not None and self.function.result != VOID:
            self._report("a kernel returns nothing")
        self._block(self.function.body, in_loop=False, in_switch=False)
        return self.found

    def _report(self, message: str, node: Node | None = None) -> None:
        place = f" at {node.span}" if node is not None and node.span else ""
        self.found.append(message + place)

    def _declare(self, name: str, type: Type) -> None:
        if name in self.declared:
            self._report(f"{name} is declared twice")
        self.declared[name] = type

    # --- statements

    def _block(self, block: Block, *, in_loop: bool, in_switch: bool) -> None:
        for stmt in block:
            self._stmt(stmt, in_loop, in_switch)

    def _stmt(self, stmt: Stmt, in_loop: bool, in_switch: bool) -> None:
        for child in children(stmt):
            if not isinstance(stmt, Let) and isinstance(child, Expr):
                self._expr(child)
        match stmt:
            case Let(var, init):
                if init is not None:
                    self._expr(init)
                    self._same(init.type, var.type, f"let {var.name}", stmt)
                self._declare(var.name, var.type)
            case Assign(place, value):
                self._place(place)
                self._same(value.type, place.type, "an assignment", stmt)
            case If(condition, then, otherwise):
                self._same(condition.type, BOOL, "the condition of if", stmt)
                self._block(then, in_loop=in_loop, in_switch=in_switch)
                self._block(otherwise, in_loop=in_loop, in_switch=in_switch)
            case For(condition, step, body):
                self._loop(condition, (body, step), stmt)
            case While(condition, body) | DoWhile(body, condition):
                self._loop(condition, (body,), stmt)
            case Switch(value, cases):
                if not _is_integer(value.type):
                    self._report(f"switch over {value.type}", stmt)
                for case in cases:
                    self._block(case.body, in_loop=in_loop, in_switch=True)
            case Break() if not in_loop and not in_switch:
                self._report("break outside a loop or switch", stmt)
            case Continue() if not in_loop:
                self._report("continue outside a loop", stmt)
            case Return(value):
                self._same(VOID if value is None else value.type, self.function.result, "return")
            case Assert(condition, _):
                self._same(condition.type, BOOL, "assert", stmt)
            case _:
                self._operation(stmt)

    def _loop(self, condition: Expr, blocks: tuple[Block, ...], stmt: Stmt) -> None:
        self._same(condition.type, BOOL, "the condition of a loop", stmt)
        for block in blocks:
            self._block(block, in_loop=True, in_switch=False)

    def _operation(self, stmt: Stmt) -> None:
        match stmt:
            case Call(target, str(callee), args):
                self._call(target, callee, args, stmt)
            case Shuffle(target, _, _, value) | WarpReduce(target, _, _, value):
                self._target(target, value.type, stmt)
            case Vote(target, mode):
                self._target(target, U32 if mode in ("ballot", "active") else I32, stmt)
            case Match(target, _, _, _, predicate_target):
                self._target(target, U32, stmt)
                if predicate_target is not None:
                    self._target(predicate_target, I32, stmt)
            case Barrier(_, reduce, predicate, target):
                if (reduce is None) != (target is None) or (reduce is None) != (predicate is None):
                    self._report("a barrier that reduces has a predicate and a target", stmt)
            case Atomic(target, op, place, operands):
                self._place(place)
                wanted = {"cas": 2, "load": 0}.get(op, 1)
                if len(operands) != wanted:
                    self._report(f"atomic {op} takes {wanted} operands", stmt)
                for operand in operands:
                    self._same(operand.type, place.type, f"atomic {op}", stmt)
                if target is not None:
                    self._target(target, place.type, stmt)
            case Effect(target, _, _) if target is not None:
                self._target(target, target.type, stmt)
            case _:
                pass

    def _call(self, target: Var | None, callee: str, args: tuple[Expr, ...], stmt: Stmt) -> None:
        if callee not in self.functions:
            self._report(f"call of {callee}, which the module lacks", stmt)
            return
        function = self.functions[callee]
        if len(args) != len(function.params):
            self._report(f"{callee} takes {len(function.params)} arguments", stmt)
        for arg, param in zip(args, function.params, strict=False):
            self._same(arg.type, param.type, f"argument {param.name} of {callee}", stmt)
        if target is not None:
            self._target(target, function.result, stmt)

    def _target(self, target: Var, type: Type, stmt: Stmt) -> None:
        self._place(target)
        self._same(type, target.type, f"the result in {target.name}", stmt)

    # --- places and expressions

    def _place(self, place: Place) -> None:
        match place:
            case Var(name, type):
                if name not in self.declared:
                    self._report(f"{name} is not declared", place)
                else:
                    self._same(type, self.declared[name], name, place)
            case Element(base, index, type):
                self._place(base)
                self._index(index)
                if not isinstance(base.type, Array):
                    self._report(f"elements of {base.type}", place)
                else:
                    self._same(type, base.type.element, "an element", place)
            case Member(base, name, type):
                self._place(base)
                self._member(base.type, name, type, place)
            case Deref(pointer, index, type):
                self._expr(pointer)
                self._index(index)
                if not isinstance(pointer.type, Pointer):
                    self._report(f"dereference of {pointer.type}", place)
                else:
                    self._same(type, pointer.type.element, "a dereference", place)

    def _member(self, base: Type, name: str, type: Type, node: Node) -> None:
        struct = self.structs.get(base.name) if isinstance(base, Struct) else None
        found = next((f for f in struct.fields if f.name == name), None) if struct else None
        if found is None:
            self._report(f"{base} has no member {name}", node)
        else:
            self._same(type, found.type, f"member {name}", node)

    def _index(self, index: Expr) -> None:
        self._expr(index)
        if not _is_integer(index.type):
            self._report(f"an index of type {index.type}", index)

    def _expr(self, expr: Expr) -> None:
        if isinstance(expr, Read | AddressOf):
            self._place(expr.place)
            return
        for child in children(expr):
            if isinstance(child, Expr):
                self._expr(child)
        match expr:
            case Const(value, type):
                if type.is_integer and not isinstance(value, int):
                    self._report(f"{type} constant {value!r}", expr)
            case Unary(op, value) if (op == "!") != (value.type == BOOL):
                self._report(f"{op} of {value.type}", expr)
            case Binary(op, lhs, rhs):
                self._binary(op, lhs, rhs, expr)
            case PointerAdd(pointer, index):
                self._index(index)
                if not isinstance(pointer.type, Pointer):
                    self._report(f"pointer arithmetic on {pointer.type}", expr)
            case PointerDiff(lhs, rhs):
                self._same(lhs.type, rhs.type, "a pointer difference", expr)
            case Select(condition, then, otherwise):
                self._same(condition.type, BOOL, "the condition of ?:", expr)
                self._same(then.type, otherwise.type, "the arms of ?:", expr)
            case Bitcast(value, type):
                if _size(value.type) != _size(type):
                    self._report(f"bits of {value.type} as {type}", expr)
            case Cast(value, type) if isinstance(type, Struct | Array) and value.type != type:
                self._report(f"{value.type} as {type}", expr)
            case Aggregate(values, type):
                self._aggregate(values, type, expr)
            case _:
                pass

    def _binary(self, op: str, lhs: Expr, rhs: Expr, expr: Expr) -> None:
        if op in ("<<", ">>"):
            if not (_is_integer(lhs.type) and _is_integer(rhs.type)):
                self._report(f"{lhs.type} {op} {rhs.type}", expr)
            return
        self._same(lhs.type, rhs.type, f"both operands of {op}", expr)
        if op in ("&&", "||"):
            self._same(lhs.type, BOOL, f"the operands of {op}", expr)
        if op in ("%", "&", "|", "^") and isinstance(lhs.type, Scalar) and lhs.type.is_float:
            self._report(f"{lhs.type} {op} {rhs.type}", expr)

    def _aggregate(self, values: tuple[Expr, ...], type: Type, expr: Expr) -> None:
        match type:
            case Array(element, length):
                wanted = [element] * length
            case Struct(name) if name in self.structs:
                wanted = [f.type for f in self.structs[name].fields]
            case _:
                self._report(f"an aggregate of type {type}", expr)
                return
        if len(values) > len(wanted):
            self._report(f"{len(values)} values for {type}", expr)
        for value, one in zip(values, wanted, strict=False):
            self._same(value.type, one, f"a value of {type}", expr)

    def _same(self, found: Type, wanted: Type, what: str, node: Node | None = None) -> None:
        if found != wanted:
            shown = f" in {print_expr(node)[:80]}" if isinstance(node, Expr) else ""
            self._report(f"{what}: found {found} and {wanted}{shown}", node)


def _is_integer(type: Type) -> bool:
    return isinstance(type, Scalar) and type.is_integer


def _size(type: Type) -> int:
    return type.size if isinstance(type, Scalar) else 8
