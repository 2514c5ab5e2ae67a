"""Put the bodies of device functions where they are called; functions nobody calls then go.

    function sq(x: f32) -> f32 {        kernel k(p: f32*) {
      return (x * x)                      let _result: f32
    }                                     _result = (p[0] * p[0])
    kernel k(p: f32*) {            ->     p[0] = _result
      let y: f32                        }
      y = call sq(p[0])
      p[0] = y
    }

A `return` in the middle becomes the other arm of its `if`, or, out of a loop, a flag that the rest
waits for. Recursive calls and calls through unknown pointers stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from crossport.ir.nodes import (
    AddressOf,
    Assign,
    Block,
    Break,
    Call,
    Cast,
    Const,
    DoWhile,
    Element,
    Expr,
    For,
    Function,
    FunctionRef,
    If,
    Let,
    Member,
    Module,
    Node,
    Null,
    Place,
    Read,
    Return,
    SharedVar,
    Special,
    Stmt,
    Switch,
    Unary,
    Var,
    While,
    walk,
)
from crossport.ir.passes.usage import Names, locals_of, substitute, usage
from crossport.ir.rewrite import rewrite_statements
from crossport.ir.types import BOOL, Handle


def inline_calls(module: Module) -> Module:
    """Inline every call in every kernel that can be."""
    recursive = _recursive(module)
    functions = {f.name: f for f in module.functions}
    done: dict[str, Function] = {}

    def inlined(name: str) -> Function:
        if name not in done:
            taken = {g.name for g in module.globals}
            done[name] = _Inliner(functions[name], taken, recursive, functions, inlined).run()
        return done[name]

    kernels = [inlined(f.name) for f in module.kernels]
    kept: dict[str, Function] = {}
    pending = [k.name for k in kernels]
    for variable in module.globals:  # tables of functions
        if variable.init is not None:
            pending += [n.name for n in walk(variable.init) if isinstance(n, FunctionRef)]
    while pending:
        name = pending.pop()
        if name in kept or name not in functions:
            continue
        kept[name] = inlined(name)
        pending += sorted(_mentioned(kept[name]))
    result = tuple(kept[f.name] for f in module.functions if f.name in kept)
    if result == module.functions:
        return module
    return replace(module, functions=result)


def _mentioned(function: Function) -> set[str]:
    names: set[str] = set()
    for statement in function.body:
        for node in walk(statement):
            if isinstance(node, Call) and isinstance(node.function, str):
                names.add(node.function)
            elif isinstance(node, FunctionRef):
                names.add(node.name)
    return names


def _recursive(module: Module) -> set[str]:
    """Functions that can reach themselves."""
    calls = {f.name: _mentioned(f) for f in module.functions}
    found = set()
    for name in calls:
        seen: set[str] = set()
        pending = list(calls[name])
        while pending:
            callee = pending.pop()
            if callee not in seen:
                seen.add(callee)
                pending += calls.get(callee, ())
        if name in seen:
            found.add(name)
    return found


@dataclass
class _Inliner:
    function: Function
    taken: set[str]
    recursive: set[str]
    functions: dict[str, Function]
    inlined: Callable[[str], Function]
    shared: list[SharedVar] = field(default_factory=list)
    renamed_shared: dict[str, dict[str, Place]] = field(default_factory=dict)

    def run(self) -> Function:
        self.names = Names(self.function, self.taken)
        self.shared = list(self.function.shared)
        used = usage(self.function.body)
        known = locals_of(self.function.body) | {p.name for p in self.function.params}
        self.steady = {name for name in known if used.is_fixed(name)}
        body = rewrite_statements(self.function, self._statement)
        return replace(body, shared=tuple(self.shared))

    def _statement(self, statement: Stmt) -> Block:
        if not isinstance(statement, Call):
            return (statement,)
        name = _callee(statement)
        if name is None or name in self.recursive or name not in self.functions:
            return (statement,)
        callee = self.inlined(name)
        return self._expand(statement, callee)

    def _expand(self, call: Call, callee: Function) -> Block:
        """The callee's body with its names made fresh."""
        callee = self._apart(call, callee)
        places, values, out = self._arguments(call, callee)
        for name in sorted(locals_of(callee.body)):
            fresh = self.names.fresh(name)
            if fresh != name:
                places[name] = _renamed(callee, name, fresh)
        places |= self._shared_of(callee)
        body = tuple(substitute(s, places, values) for s in callee.body)
        assert all(isinstance(s, Stmt) for s in body)
        returns = _Returns(self.names, call)
        out += returns.structured(body)  # type: ignore[arg-type]
        return tuple(out)

    def _apart(self, call: Call, callee: Function) -> Function:
        """The callee, its parameters named as nothing that the arguments speak of.

        Otherwise `tick(&clock)` of `tick(clock: i32*)` would put an argument into an argument.
        """
        spoken = {node.name for arg in call.args for node in walk(arg) if isinstance(node, Var)}
        own = locals_of(callee.body)
        renamed: dict[str, Place] = {}
        params = []
        for param in callee.params:
            name = param.name
            while name in spoken or (name != param.name and name in own):
                name = self.names.fresh(param.name)
            if name != param.name:
                renamed[param.name] = Var(name, param.type)
            params.append(replace(param, name=name))
        if not renamed:
            return callee
        body = tuple(substitute(s, renamed, {}) for s in callee.body)
        return replace(callee, params=tuple(params), body=body)  # type: ignore[arg-type]

    def _arguments(
        self, call: Call, callee: Function
    ) -> tuple[dict[str, Place], dict[str, Expr], list[Stmt]]:
        """Each parameter as a new variable, or as its argument where that cannot change."""
        used = usage(callee.body)
        places: dict[str, Place] = {}
        values: dict[str, Expr] = {}
        out: list[Stmt] = []
        for param, arg in zip(callee.params, call.args, strict=True):
            if used.is_fixed(param.name) and self._is_steady(arg):
                values[param.name] = arg
                continue
            variable = Var(self.names.fresh(param.name), param.type, span=param.span)
            out.append(Let(variable, arg, span=call.span))
            places[param.name] = variable
        return places, values, out

    def _is_steady(self, arg: Expr) -> bool:
        """An argument that means the same wherever the body looks at it."""
        match arg:
            case Const() | Null() | Special() | FunctionRef():
                return True
            case Read(Var(name)):
                return name in self.steady
            case AddressOf(place):
                return _is_steady_place(place)
            case Cast(value):
                return isinstance(value, (FunctionRef, Const))
            case _:
                return False

    def _shared_of(self, callee: Function) -> dict[str, Place]:
        """The callee's shared variables exist once, however often it is called."""
        if callee.name not in self.renamed_shared:
            renamed: dict[str, Place] = {}
            for shared in callee.shared:
                same = next((s for s in self.shared if _is_same_dynamic(s, shared)), None)
                if same is not None:
                    renamed[shared.name] = Var(same.name, same.type)
                    continue
                name = self.names.fresh(shared.name)
                self.shared.append(replace(shared, name=name))
                renamed[shared.name] = Var(name, shared.type)
            self.renamed_shared[callee.name] = renamed
        return self.renamed_shared[callee.name]


def _is_same_dynamic(one: SharedVar, other: SharedVar) -> bool:
    """Dynamic shared arrays of one name and type are one variable."""
    return one == other and getattr(one.type, "length", 1) == 0


def _callee(call: Call) -> str | None:
    function = call.function
    while isinstance(function, Cast) and isinstance(function.type, Handle):
        function = function.value
    if isinstance(function, FunctionRef):
        return function.name
    return function if isinstance(function, str) else None


def _renamed(callee: Function, name: str, fresh: str) -> Var:
    for statement in callee.body:
        for node in walk(statement):
            if isinstance(node, Let) and node.var.name == name:
                return replace(node.var, name=fresh)
    raise AssertionError(name)


def _is_steady_place(place: Place) -> bool:
    match place:
        case Var():
            return True
        case Member(base):
            return _is_steady_place(base)
        case Element(base, index):
            return _is_steady_place(base) and isinstance(index, Const)
        case _:
            return False


# --- Returns -----------------------------------------------------------------------------------


class _Returns:
    """Turn `return` into structure."""

    def __init__(self, names: Names, call: Call) -> None:
        self.target = call.target
        self.names = names
        self.call = call
        self.flag: Var | None = None

    def structured(self, body: Block) -> list[Stmt]:
        """The body without returns, its value in the call's target."""
        result = list(self._tail(body))
        if self.flag is not None:
            result.insert(0, Let(self.flag, Const(False, BOOL), span=self.call.span))
        return result

    def _tail(self, body: Block) -> Block:
        """Statements after which nothing follows: a return here is just its value."""
        out: list[Stmt] = []
        for position, statement in enumerate(body):
            rest = body[position + 1 :]
            match statement:
                case Return():
                    return (*out, *self._value(statement))
                case If(condition, then, otherwise) if _may_return(statement):
                    out += self._branch(statement, condition, then, otherwise, rest)
                    return tuple(out)
                case _ if _may_return(statement):
                    out.append(self._leaving(statement))
                    if rest:
                        out.append(If(self._going(), self._tail(rest), span=statement.span))
                    return tuple(out)
                case _:
                    out.append(statement)
        return tuple(out)

    def _branch(
        self, statement: Stmt, condition: Expr, then: Block, otherwise: Block, rest: Block
    ) -> Block:
        """The rest belongs to the arm that does not return."""
        if _always_returns(then):
            both = (self._tail(then), self._tail((*otherwise, *rest)))
        elif _always_returns(otherwise):
            both = (self._tail((*then, *rest)), self._tail(otherwise))
        elif not rest:
            both = (self._tail(then), self._tail(otherwise))
        else:
            left = self._leaving(statement)
            return (left, If(self._going(), self._tail(rest), span=statement.span))
        return (If(condition, *both, span=statement.span),)

    def _value(self, statement: Return) -> Block:
        if statement.value is None or self.target is None:
            return ()
        return (Assign(self.target, statement.value, span=statement.span),)

    def _going(self) -> Expr:
        """Has the function not returned yet?"""
        if self.flag is None:
            self.flag = Var(self.names.fresh("_returned"), BOOL)
        return Unary("!", Read(self.flag))

    def _gone(self) -> Expr:
        """Has the function returned?"""
        self._going()
        assert self.flag is not None
        return Read(self.flag)

    def _leaving(self, statement: Stmt) -> Stmt:
        """A statement that may return: it sets the flag, and what follows inside waits for it."""
        match statement:
            case If(_, then, otherwise):
                return replace(
                    statement, then=self._waiting(then, ()), otherwise=self._waiting(otherwise, ())
                )
            case For(_, step, body):
                inside = self._waiting(body, (Break(span=statement.span),))
                return replace(statement, body=inside, step=self._waiting(step, ()))
            case While(_, body):
                return replace(statement, body=self._waiting(body, (Break(span=statement.span),)))
            case DoWhile(body):
                return replace(statement, body=self._waiting(body, (Break(span=statement.span),)))
            case Switch(_, cases):
                new = tuple(
                    replace(c, body=self._waiting(c.body, (Break(span=c.span),))) for c in cases
                )
                return replace(statement, cases=new)
            case _:
                return statement

    def _waiting(self, block: Block, leave: Block) -> Block:
        """Inside a loop or switch (`leave`: how to get out of it) or an arm of an if (())."""
        out: list[Stmt] = []
        for position, statement in enumerate(block):
            match statement:
                case Return():
                    flag = self._raise(statement)
                    return (*out, *flag, *leave)
                case _ if _may_return(statement):
                    out.append(self._leaving(statement))
                    rest = block[position + 1 :]
                    if leave:
                        out.append(If(self._gone(), leave, span=statement.span))
                        out += self._waiting(rest, leave)
                    elif rest:
                        out.append(If(self._going(), self._waiting(rest, ()), span=statement.span))
                    return tuple(out)
                case _:
                    out.append(statement)
        return tuple(out)

    def _raise(self, statement: Return) -> Block:
        self._going()
        assert self.flag is not None
        raised = Assign(self.flag, Const(True, BOOL), span=statement.span)
        return (*self._value(statement), raised)


def _may_return(node: Node) -> bool:
    return any(isinstance(inner, Return) for inner in walk(node))


def _always_returns(block: Block) -> bool:
    for statement in block:
        match statement:
            case Return():
                return True
            case If(_, then, otherwise) if _always_returns(then) and _always_returns(otherwise):
                return True
            case _:
                continue
    return False
