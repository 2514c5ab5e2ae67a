"""Host code of a Triton module computes with sizes, never with arrays.

    programs = triton.cdiv(n, 1024)        a size
    t = a + b; _copy[grid](t, c)           "computes on the host: a + b"
    c[:] = a                               "writes an array on the host: c[:]"

PyTorch would do the kernel's work for anyone who adds two tensors, so it is decided what each
expression of the host code is: a number (or a text, a type, a tuple of numbers), or something that
may be an array. Only numbers are computed with, indexed, counted through or compared.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from crossport.validation.gate.names import is_kernel

_SIZES = frozenset({"grid", "block", "shared_bytes"})
_ASKED = frozenset({"numel", "element_size", "is_contiguous", "dim", "stride", "size", "join",
                    "format", "storage_offset"})  # fmt: skip
_FACTS = frozenset({"itemsize", "shape", "ndim", "dtype"})
_COUNTS = frozenset({"cdiv", "next_power_of_2"})
# Built-in functions that compute with what they are given.
_OF_NUMBERS = frozenset("abs all any divmod max min round sum sorted range reversed".split())
_TAKES_ANY = frozenset({"int", "float", "bool", "len", "isinstance", "hasattr"})


def host_arithmetic(
    tree: ast.Module, statements: Sequence[ast.stmt], kernels: Mapping[str, Sequence[bool]]
) -> Iterator[str]:
    """Findings in the host functions among some statements of a module."""
    functions = [s for s in statements if isinstance(s, ast.FunctionDef) and not is_kernel(s)]
    devices = {s.name for s in tree.body if isinstance(s, ast.FunctionDef) and is_kernel(s)}
    signatures = {
        s.name: [a.arg for a in _parameters(s)] for s in tree.body if isinstance(s, ast.FunctionDef)
    }
    known = _known(tree, kernels)
    helpers = {f.name: f for f in functions if f.name not in known}
    arrays = {f.name: _array_parameters(f, known.get(f.name)) for f in functions}
    called = {
        node.func.id
        for f in functions
        for node in ast.walk(f)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    for name, function in helpers.items():
        if name in called and not kernels.get(name):
            # What a helper is given decides; until then, everything may be a number.
            arrays[name] = _starred(function)
    for _ in range(len(functions) + 1):
        before = {name: set(found) for name, found in arrays.items()}
        for function in functions:
            host = _Host(function, arrays[function.name], devices, signatures)
            for name, given in host.given():
                if name in helpers and name in called:
                    arrays[name] |= given & {a.arg for a in _parameters(helpers[name])}
        if before == arrays:
            break
    for function in functions:
        yield from _Host(function, arrays[function.name], devices, signatures).findings()
    for name in known:
        if name in devices:
            yield f"0: {name} is device code, which nothing launches"


def _known(tree: ast.Module, kernels: Mapping[str, Sequence[bool]]) -> dict[str, Sequence[bool]]:
    """Function -> which of its parameters are arrays, by the kernel that it is the port of."""
    plain = {name.replace(" ", ""): flags for name, flags in kernels.items()}
    found = {name.split("<")[0].split("::")[-1]: flags for name, flags in plain.items()}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="KERNELS")], value=ast.Dict(keys=k, values=v)):
                for key, value in zip(k, v, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                        flags = plain.get(str(key.value).replace(" ", ""))
                        if flags is not None:
                            found[value.id] = flags
            case _:
                pass
    return found


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _starred(function: ast.FunctionDef) -> set[str]:
    return {a.arg for a in (function.args.vararg, function.args.kwarg) if a is not None}


def _array_parameters(function: ast.FunctionDef, flags: Sequence[bool] | None) -> set[str]:
    """The parameters that may be arrays: by what the case says, else by how they are used."""
    ordered = [a for a in _parameters(function) if a.arg not in _SIZES]
    if flags is not None and len(flags) <= len(ordered):
        named = {a.arg for a, is_array in zip(ordered, flags, strict=False) if is_array}
        return named | _starred(function)
    numbers = {a.arg for a in ordered if _is_number_type(a.annotation)} | _used_as_numbers(function)
    return {a.arg for a in ordered if a.arg not in numbers} | _starred(function)


def _is_number_type(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).strip("'\"") in (
        "int",
        "float",
        "bool",
    )


def _used_as_numbers(function: ast.FunctionDef) -> set[str]:
    found: set[str] = set()
    asked: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="int" | "float" | "bool" | "range"), args=args):
                found |= {a.id for a in args if isinstance(a, ast.Name)}
            case ast.Call(func=ast.Attribute(attr="cdiv" | "next_power_of_2"), args=args):
                found |= {a.id for a in args if isinstance(a, ast.Name)}
            case ast.Compare(left=ast.Name(id=name), comparators=[ast.Constant()]):
                found.add(name)
            case ast.BinOp(left=ast.Name(id=name), right=ast.Constant(value=int())):
                found.add(name)
            case ast.Attribute(value=ast.Name(id=name)):
                asked.add(name)
            case ast.Call(func=ast.Name(id=helper), args=[ast.Name(id=name), *_]) if (
                helper not in _TAKES_ANY | _OF_NUMBERS
            ):
                asked.add(name)
            case _:
                pass
    return found - asked


class _Host:
    """One function of the host."""

    def __init__(
        self, function: ast.FunctionDef, arrays: Collection[str], devices: Collection[str],
        signatures: Mapping[str, Sequence[str]],
    ) -> None:  # fmt: skip
        self.function = function
        self.devices, self.signatures = devices, signatures
        self.others = set(arrays)
        self.inner = {
            name
            for node in ast.walk(function)
            for name in (
                [node.name] if isinstance(node, ast.FunctionDef) and node is not function
                else [t.id for t in node.targets if isinstance(t, ast.Name)]
                if isinstance(node, ast.Assign) else []
            )
        }  # fmt: skip
        self._spread()

    def _spread(self) -> None:
        """What is made from something that may be an array may be one."""
        while True:
            before = len(self.others)
            for node in ast.walk(self.function):
                match node:
                    case ast.Assign(targets=targets, value=value):
                        for target in targets:
                            self._bind(target, value)
                    case ast.AnnAssign(target=target, value=value) if value is not None:
                        self._bind(target, value)
                    case ast.AugAssign(target=target, value=value):
                        self._bind(target, value)
                    case ast.NamedExpr(target=target, value=value):
                        self._bind(target, value)
                    case (
                        ast.For(target=target, iter=value)
                        | ast.comprehension(target=target, iter=value)
                    ):
                        self._bind(target, value)
                    case _:
                        pass
            if len(self.others) == before:
                return

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case (
                (ast.Tuple(elts=names) | ast.List(elts=names)),
                (ast.Tuple(elts=parts) | ast.List(elts=parts)),
            ) if len(names) == len(parts) and not any(
                isinstance(p, ast.Starred) for p in [*names, *parts]
            ):
                for name, part in zip(names, parts, strict=True):
                    self._bind(name, part)
            case _, _:
                if not self.is_number(value):
                    self.others |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}

    def is_number(self, node: ast.expr) -> bool:
        """Whether an expression is certainly no array."""
        match node:
            case ast.Constant() | ast.Lambda():
                return True
            case ast.Name(id=name):
                return name not in self.others
            case ast.Attribute(value=ast.Name(id="torch" | "tl" | "math" | "triton")):
                return True
            case ast.Attribute(attr=name):
                return name in _FACTS
            case ast.Call():
                return self._is_number_call(node)
            case ast.Subscript(value=value):
                return self.is_number(value)
            case ast.BinOp(left=left, right=right):
                return self.is_number(left) and self.is_number(right)
            case ast.UnaryOp(op=ast.Not()):
                return True
            case ast.UnaryOp(operand=operand) | ast.Starred(value=operand):
                return self.is_number(operand)
            case ast.Compare(left=left, ops=ops, comparators=others):
                if all(isinstance(op, ast.Is | ast.IsNot) for op in ops):
                    return True
                return all(map(self.is_number, [left, *others]))
            case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
                return all(map(self.is_number, values))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_number(body) and self.is_number(orelse)
            case ast.JoinedStr(values=values):
                return all(map(self.is_number, values))
            case ast.FormattedValue(value=value):
                return self.is_number(value)
            case ast.Dict(values=values):
                return all(map(self.is_number, values))
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value):
                return self.is_number(value)
            case ast.NamedExpr(value=value):
                return self.is_number(value)
            case _:
                return False

    def _is_number_call(self, node: ast.Call) -> bool:
        given = [*node.args, *(k.value for k in node.keywords)]
        match node.func:
            case ast.Name(id=name) if name in _TAKES_ANY:
                return True
            case ast.Attribute(attr=name) if name in _ASKED:
                return True
            case ast.Attribute(value=ast.Name(id="torch"), attr=name):
                return name in ("dtype", "iinfo", "finfo")
            case ast.Name() | ast.Attribute(attr="cdiv" | "next_power_of_2"):
                return all(map(self.is_number, given))
            case ast.Attribute(value=value):
                return self.is_number(value) and all(map(self.is_number, given))
            case _:
                return False

    def given(self) -> Iterator[tuple[str, set[str]]]:
        """Calls of the module's own functions, and the parameters that get what may be arrays."""
        for node in ast.walk(self.function):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            names = self.signatures.get(node.func.id)
            if names is None:
                continue
            named = {k.arg for k in node.keywords if k.arg and not self.is_number(k.value)}
            places = [i for i, a in enumerate(node.args) if not self.is_number(a)]
            yield node.func.id, {*named, *(names[i] for i in places if i < len(names))}

    def findings(self) -> Iterator[str]:
        """What is computed with something that may be an array."""
        launched = {
            id(node.value) for node in ast.walk(self.function) if isinstance(node, ast.Subscript)
        }
        for node in ast.walk(self.function):
            # Called like a function, a kernel would be Python under Triton's interpreter.
            if isinstance(node, ast.Name) and node.id in self.devices and id(node) not in launched:
                yield f"{node.lineno}: uses the kernel {node.id} without launching it"
        for node in ast.walk(self.function):
            match node:
                case ast.BinOp(left=left, right=right):
                    wrong = not (self.is_number(left) and self.is_number(right))
                case ast.UnaryOp(op=op, operand=operand):
                    wrong = not isinstance(op, ast.Not) and not self.is_number(operand)
                case ast.Compare():
                    wrong = not self.is_number(node)
                case ast.AugAssign(target=target, value=value):
                    wrong = not (self.is_number(target) and self.is_number(value))
                case ast.Call(func=ast.Name(id=name), args=args) if name in _OF_NUMBERS:
                    chosen = any(k.arg == "key" for k in node.keywords)
                    wrong = not chosen and not all(map(self.is_number, args))
                case ast.Call(func=ast.Attribute(attr=name), args=args) if name in _COUNTS:
                    wrong = not all(map(self.is_number, args))
                case ast.Call(func=ast.Lambda() | ast.Name() as called, args=args) if (
                    self._is_local(called)
                ):
                    # So the parameters of what is defined in here are numbers, too.
                    given = [*args, *(k.value for k in node.keywords)]
                    wrong = not all(map(self.is_number, given))
                case ast.For(iter=value) | ast.comprehension(iter=value):
                    wrong = not self._is_countable(value)
                case ast.Subscript():
                    yield from self._subscript(node)
                    continue
                case _:
                    continue
            if wrong:
                line = getattr(node, "lineno", getattr(getattr(node, "iter", node), "lineno", 0))
                yield f"{line}: computes on the host: {ast.unparse(node)[:60]}"

    def _is_local(self, called: ast.expr) -> bool:
        """Whether this is a function that was defined in this one."""
        return not isinstance(called, ast.Name) or called.id in self.inner

    def _is_countable(self, value: ast.expr) -> bool:
        # A tuple of arrays written out is gone through by name, not by element.
        return self.is_number(value) or isinstance(value, ast.Tuple | ast.List)

    def _subscript(self, node: ast.Subscript) -> Iterator[str]:
        base = node.value
        match base:
            case ast.Name(id=name) if name in self.devices:
                return
            case ast.Attribute(attr="globals"):
                return
            case _:
                pass
        if self.is_number(base):
            return
        verb = "reads" if isinstance(node.ctx, ast.Load) else "writes"
        yield f"{node.lineno}: {verb} an array on the host: {ast.unparse(node)[:60]}"
