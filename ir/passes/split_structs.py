"""Give each member of a local struct a variable of its own (scalar replacement of aggregates).

    let p: Point = new Point{1.0f, y}         let p_x: f32 = 1.0f
    out[0] = (p.x + p.y)                ->    let p_y: f32 = y
                                              out[0] = (p_x + p_y)

A struct is split when nobody points at it or at a part of it, no statement's result goes into it
whole, and its members do not overlap. Copies between structs go member by member.
"""

from __future__ import annotations

from dataclasses import replace

from crossport.ir.nodes import (
    AddressOf,
    Aggregate,
    Assign,
    Block,
    Const,
    Expr,
    Extract,
    Function,
    Let,
    Member,
    Module,
    Node,
    Null,
    Place,
    Read,
    Stmt,
    Var,
    walk,
)
from crossport.ir.passes.usage import Names, root, targets, usage
from crossport.ir.rewrite import rewrite, rewrite_statements
from crossport.ir.types import BOOL, Array, Pointer, Scalar, Struct, StructDef, Type


def split_structs(module: Module) -> Module:
    """Split the local structs of every function; nested ones level by level."""
    structs = {s.name: s for s in module.structs}
    taken = {g.name for g in module.globals}
    functions = []
    for function in module.functions:
        for _ in range(8):
            changed = _Splitter(function, structs, taken).run()
            if changed is function:
                break
            function = changed
        functions.append(function)
    if all(a is b for a, b in zip(functions, module.functions, strict=True)):
        return module
    return replace(module, functions=tuple(functions))


class _Splitter:
    def __init__(self, function: Function, structs: dict[str, StructDef], taken: set[str]) -> None:
        self.function = function
        self.structs = structs
        self.names = Names(function, taken)
        self.chosen: dict[str, StructDef] = {}
        self.parts: dict[tuple[str, str], Var] = {}

    def run(self) -> Function:
        self.chosen = self._choose()
        if not self.chosen:
            return self.function
        for name, struct in self.chosen.items():
            for field in struct.fields:
                part = self.names.fresh(f"{name}_{_word(field.name)}")
                self.parts[name, field.name] = Var(part, field.type)
        body = rewrite_statements(self.function, self._statement)
        return rewrite(body, self._member)

    def _choose(self) -> dict[str, StructDef]:
        """Locals that are used by member, or copied whole, and in no other way."""
        found: dict[str, StructDef] = {}
        used = usage(self.function.body)
        for statement in self.function.body:
            for node in walk(statement):
                if isinstance(node, Let) and isinstance(node.var.type, Struct):
                    struct = self.structs.get(node.var.type.name)
                    if struct is not None and _is_plain(struct) and used.lets[node.var.name] == 1:
                        found[node.var.name] = struct
        for statement in self.function.body:
            for node in walk(statement):
                for name in _spoiled(node):
                    found.pop(name, None)
        # A whole value may only be copied to a place, or come apart at once.
        while True:
            bad = [n for s in self.function.body for n in self._used_whole(s, found)]
            if not bad:
                return found
            for name in bad:
                found.pop(name, None)

    def _used_whole(self, statement: Node, found: dict[str, StructDef]) -> list[str]:
        """Structs whose value goes where it cannot be taken apart."""
        bad: list[str] = []

        def visit(node: Node, *, may_be_whole: bool) -> None:
            from crossport.ir.nodes import children

            match node:
                case Read(Var(name)) if name in found:
                    if not may_be_whole:
                        bad.append(name)
                    return
                case Let(variable, init) if isinstance(variable.type, Struct) and init is not None:
                    if variable.name in found and not _comes_apart(init):
                        bad.append(variable.name)
                    visit(init, may_be_whole=True)
                    return
                case Assign(place, value) if isinstance(place.type, Struct):
                    target = place.name if isinstance(place, Var) else None
                    if target in found and not _comes_apart(value):
                        assert target is not None
                        bad.append(target)
                    visit(place, may_be_whole=False)
                    visit(value, may_be_whole=True)
                    return
                case Aggregate(values):
                    for value in values:
                        visit(value, may_be_whole=True)
                    return
                case Extract(value):
                    visit(value, may_be_whole=True)
                    return
            for child in children(node):
                visit(child, may_be_whole=False)

        visit(statement, may_be_whole=False)
        return bad

    # --- Rewriting ---------------------------------------------------------------------------

    def _statement(self, statement: Stmt) -> Block:
        match statement:
            case Let(Var(name), init) if name in self.chosen:
                return self._declare(statement, name, init)
            case Assign(Var(name), value) if name in self.chosen:
                return self._assign(statement, name, value)
            case _:
                return (statement,)

    def _declare(self, statement: Let, name: str, init: Expr | None) -> Block:
        struct = self.chosen[name]
        variables = [self.parts[name, f.name] for f in struct.fields]
        if init is None:
            return tuple(Let(v, None, span=statement.span) for v in variables)
        values = self._values(init, struct)
        pairs = zip(variables, values, strict=True)
        return tuple(Let(v, value, span=statement.span) for v, value in pairs)

    def _assign(self, statement: Assign, name: str, value: Expr) -> Block:
        """All values first, then all writes: the value may read what it replaces."""
        struct = self.chosen[name]
        values = self._values(value, struct)
        out: list[Stmt] = []
        saved: list[Expr] = []
        overlaps = any(isinstance(n, Var) and n.name == name for n in walk(value))
        for field, part in zip(struct.fields, values, strict=True):
            if overlaps and not isinstance(part, Const):
                variable = Var(self.names.fresh(f"{name}_{_word(field.name)}_new"), field.type)
                out.append(Let(variable, part, span=statement.span))
                saved.append(Read(variable))
            else:
                saved.append(part)
        for field, part in zip(struct.fields, saved, strict=True):
            out.append(Assign(self.parts[name, field.name], part, span=statement.span))
        return tuple(out)

    def _values(self, value: Expr, struct: StructDef) -> list[Expr]:
        """A struct value as one expression a member."""
        match value:
            case Aggregate(values):
                given = list(values)
                rest = [_zero(f.type) for f in struct.fields[len(given) :]]
                return [*given, *rest]
            case Read(place, volatile):
                return [Read(Member(place, f.name, f.type), volatile) for f in struct.fields]
            case _:
                raise AssertionError("a struct value that does not come apart")

    def _member(self, node: Node) -> Node:
        match node:
            case Member(Var(name), field) if name in self.chosen:
                return replace(self.parts[name, field], span=node.span)
            case Read(Var(name)) if name in self.chosen:
                struct = self.chosen[name]
                parts = tuple(Read(self.parts[name, f.name]) for f in struct.fields)
                return Aggregate(parts, Struct(struct.name), span=node.span)
            case Extract(Aggregate(values, Struct(struct_name)), field):
                names = [f.name for f in self.structs[struct_name].fields]
                index = names.index(field)
                return values[index] if index < len(values) else _zero(node.type)
            case _:
                return node


def _is_plain(struct: StructDef) -> bool:
    """Members lie side by side."""
    ends = sorted(f.offset for f in struct.fields)
    return bool(ends) and len(set(ends)) == len(ends) and _no_overlap(struct)


def _no_overlap(struct: StructDef) -> bool:
    end = 0
    for field in sorted(struct.fields, key=lambda f: f.offset):
        if field.offset < end:
            return False
        end = field.offset + _size(field.type)
    return True


def _size(kind: Type) -> int:
    match kind:
        case Scalar():
            return kind.size
        case Array(element, length):
            return _size(element) * length
        case _:
            return 1  # a struct's own layout was checked where it was made


def _spoiled(node: Node) -> list[str]:
    """Variables that a node uses in a way that splitting cannot follow."""
    if isinstance(node, AddressOf):
        variable = root(node.place)
        return [variable.name] if variable is not None else []
    return [t.name for t in targets(node)]


def _comes_apart(value: Expr) -> bool:
    return isinstance(value, (Aggregate, Read))


def _zero(kind: Type) -> Expr:
    match kind:
        case Scalar():
            return Const(False if kind == BOOL else 0.0 if kind.is_float else 0, kind)
        case Pointer():
            return Null(kind)
        case _:
            return Aggregate((), kind)


def _word(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name)


__all__ = ["Place", "split_structs"]
