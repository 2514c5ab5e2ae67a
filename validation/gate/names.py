"""Which names and attributes a module uses, each against the list of its place.

    torch.empty(...)          listed for torch
    np.load(...)              "calls numpy.load: a port does the work itself"
    x = torch; x.matmul       "hands the module torch around"

Every name must be a parameter, a local, a function of the module, an imported library that stands
before a dot, or a built-in function from the list. So nothing is reached by another way.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crossport.validation.gate.vocabulary import (
    BUILTINS,
    IN_KERNEL,
    NOT_OF_JAX_NUMPY,
    OF_JAX,
    OF_MODULE,
    OF_TENSOR,
    Target,
)

_IN_KERNEL_BUILTINS = frozenset(
    "range min max abs float int bool len tuple sum True False None".split()
)
_DECORATORS = frozenset(
    (
        "triton.jit triton.autotune triton.heuristics jax.jit jax.vmap functools.partial partial"
    ).split()
)
# Reached only from the text that crossport prints, which is not looked at here.
_PRINTED_ONLY = frozenset({"triton.knobs", "triton.runtime.interpreter.TensorHandle"})


@dataclass(frozen=True)
class Names:
    """What the top level of a module binds."""

    target: Target
    modules: dict[str, str]
    """Local name -> full name of the library."""
    functions: frozenset[str]
    values: frozenset[str]
    parameters: Mapping[str, tuple[str, ...]]
    """Of each function, in order."""
    printed: frozenset[str]
    """Functions that are crossport's own, word for word."""

    @classmethod
    def of(cls, tree: ast.Module, target: Target, printed: frozenset[str]) -> Names:
        """Read them off."""
        modules: dict[str, str] = {}
        functions: set[str] = set()
        values: set[str] = set()
        parameters: dict[str, tuple[str, ...]] = {}
        for node in tree.body:
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        full = alias.name if alias.asname else alias.name.split(".")[0]
                        modules[alias.asname or full] = full
                case ast.ImportFrom(module=module, names=names):
                    for alias in names:
                        modules[alias.asname or alias.name] = f"{module}.{alias.name}"
                case ast.FunctionDef(name=name, args=args):
                    functions.add(name)
                    parameters[name] = tuple(a.arg for a in (*args.posonlyargs, *args.args))
                case ast.If(body=body, orelse=orelse):
                    # Only a choice that crossport prints gets by; what it defines is then known.
                    both = (s for s in [*body, *orelse] if isinstance(s, ast.FunctionDef))
                    functions |= {s.name for s in both}
                case ast.Assign(targets=targets):
                    values |= {t.id for t in targets if isinstance(t, ast.Name)}
                case ast.AnnAssign(target=ast.Name(id=name)):
                    values.add(name)
                case _:
                    pass
        # `import jax` beside `import jax.numpy as jnp` binds jax itself.
        modules.pop("annotations", None)
        return cls(
            target, modules, frozenset(functions), frozenset(values - {"KERNELS"}), parameters,
            printed,
        )  # fmt: skip


def is_kernel(statement: ast.stmt) -> bool:
    """Whether a top-level function is Triton device code."""
    return isinstance(statement, ast.FunctionDef) and any(
        ast.unparse(d).split("(")[0] == "triton.jit" for d in statement.decorator_list
    )


def check_names(statement: ast.stmt, names: Names) -> Iterator[str]:
    """Names and attributes in one statement of the top level."""
    checker = _Checker(statement, names)
    if isinstance(statement, ast.FunctionDef):
        yield from _decorators(statement, names)
    for node in ast.walk(statement):
        match node:
            case ast.Attribute():
                yield from checker.attribute(node)
            case ast.Name(ctx=ast.Load()):
                yield from checker.name(node)
            case ast.Call(func=ast.Name(id="hasattr"), args=[_, ast.Constant(value="keys")]):
                pass  # A struct may come as a mapping.
            case ast.Call(func=ast.Name(id="hasattr")):
                yield f"{node.lineno}: asks what kind of array it has: hasattr"
            case ast.Name(ctx=ast.Store() | ast.Del(), id=name) if (
                name in names.modules or name in names.functions
            ):
                yield f"{node.lineno}: binds {name} again"
            case _:
                pass


def _decorators(statement: ast.FunctionDef, names: Names) -> Iterator[str]:
    for decorator in statement.decorator_list:
        name = ast.unparse(decorator).split("(")[0]
        if name not in _DECORATORS and name not in names.printed:
            yield f"{decorator.lineno}: is decorated with {name}"


class _Checker:
    def __init__(self, statement: ast.stmt, names: Names) -> None:
        self.names = names
        self.kernel = is_kernel(statement)
        self.locals = _bound(statement)
        self.stars = _keyword_parameters(statement)
        nodes = list(ast.walk(statement))
        self.before_dot = {id(n.value) for n in nodes if isinstance(n, ast.Attribute)}
        self.handed_on = {
            id(n.value) for n in nodes if isinstance(n, ast.keyword) and n.arg == "interpret"
        }
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                taken = names.parameters.get(node.func.id, ())
                pairs = zip(taken, node.args, strict=False)
                self.handed_on |= {id(value) for name, value in pairs if name == "interpret"}
        self.inner = {
            id(n.value)
            for n in nodes
            if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Attribute)
        }

    def name(self, node: ast.Name) -> Iterator[str]:
        name = node.id
        if name == "interpret" and self.names.target == "pallas":
            if id(node) not in self.handed_on:
                yield f"{node.lineno}: asks whether it is interpreted"
        elif name in self.stars:
            yield f"{node.lineno}: takes arguments that it does not name"
        elif name in self.locals or name in self.names.functions or name in self.names.values:
            return
        elif name in self.names.modules:
            full = self.names.modules[name]
            if id(node) not in self.before_dot and full in OF_MODULE and OF_MODULE[full]:
                yield f"{node.lineno}: hands the module {full} around"
        elif name not in (_IN_KERNEL_BUILTINS if self.kernel else BUILTINS):
            yield f"{node.lineno}: uses {name}"

    def attribute(self, node: ast.Attribute) -> Iterator[str]:
        if node.attr.startswith("_"):
            yield f"{node.lineno}: uses .{node.attr}"
            return
        full = self._full(node.value)
        if full is not None:
            yield from self._of_module(node, full)
        elif isinstance(node.value, ast.Name) and node.value.id in self.names.functions:
            if node.attr != "globals":
                yield f"{node.lineno}: uses .{node.attr} of a function"
        elif node.attr not in self._allowed():
            yield f"{node.lineno}: uses .{node.attr}"

    def _allowed(self) -> frozenset[str]:
        if self.names.target == "pallas":
            return OF_JAX
        return IN_KERNEL if self.kernel else OF_TENSOR

    def _full(self, node: ast.expr) -> str | None:
        """The full name of the module that an expression names, if it names one."""
        match node:
            case ast.Name(id=name) if name not in self.locals:
                return self.names.modules.get(name)
            case ast.Attribute(value=value, attr=attr):
                outer = self._full(value)
                inner = f"{outer}.{attr}"
                return inner if outer is not None and inner in {*OF_MODULE, "jax.numpy"} else None
            case _:
                return None

    def _of_module(self, node: ast.Attribute, full: str) -> Iterator[str]:
        name = f"{full}.{node.attr}"
        if full == "jax.numpy":
            if node.attr in NOT_OF_JAX_NUMPY:
                yield f"{node.lineno}: calls {name}: a port does the work itself"
        elif full == "triton.language.extra.libdevice":
            return
        elif name in _PRINTED_ONLY or node.attr not in OF_MODULE.get(full, frozenset()):
            yield f"{node.lineno}: calls {name}: a port does the work itself"
        elif name in OF_MODULE and not isinstance(node.ctx, ast.Load):
            yield f"{node.lineno}: binds {name} again"


def _bound(statement: ast.stmt) -> set[str]:
    """Parameters and locals of a function and of those inside it."""
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.arg(arg=name):
                found.add(name)
            case ast.Name(ctx=ast.Store(), id=name) if isinstance(statement, ast.FunctionDef):
                found.add(name)
            case ast.FunctionDef(name=name) if node is not statement:
                found.add(name)
            case _:
                pass
    return found


def _keyword_parameters(statement: ast.stmt) -> set[str]:
    """The names of `**more`."""
    return {
        node.kwarg.arg
        for node in ast.walk(statement)
        if isinstance(node, ast.arguments) and node.kwarg is not None
    }
