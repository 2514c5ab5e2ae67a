"""What a generated module may contain, decided on its syntax tree before it is run.

    import threading              ->   "imports threading"
    out = torch.matmul(a, b)      ->   "calls torch.matmul: a port does the work itself"

A port is kernels and the code that launches them. Anything else that a module could do (start
threads, time itself, read files, call a library instead of computing, hide code in a text) has no
place in one, so a module that does it is not judged as a port. Names that are not listed are
refused, not the other way round.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

_IMPORTS = {
    "triton": {"math", "numpy", "torch", "triton"},
    "pallas": {"functools", "jax", "math", "numpy"},
}
# Of a target's host library, what allocating, viewing and launching need. Everything of
# triton.language and jax.experimental.pallas is device code and free.
_HOST = {
    "torch": {
        "empty", "zeros", "ones", "full", "tensor", "empty_like", "zeros_like", "arange",
        "Tensor", "dtype", "device", "numel", "bool", "uint8", "int8", "int16", "uint16", "int32",
        "uint32", "int64", "uint64", "float16", "bfloat16", "float32", "float64", "half", "float",
        "double", "int", "long", "iinfo", "finfo",
    },
}  # fmt: skip
_NOT_OF_NUMPY = {"load", "save", "savez", "loadtxt", "savetxt", "genfromtxt", "open_memmap", "lib"}
_FORBIDDEN_NAMES = {
    "open", "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "getattr",
    "setattr", "delattr", "input", "breakpoint", "exit", "quit", "memoryview", "id", "print",
}  # fmt: skip
_FORBIDDEN_ATTRIBUTES = {
    "Stream", "Event", "CUDAGraph", "graph", "synchronize", "set_stream", "hub",
    "numpy", "cpu", "tolist", "item", "__array__",
    "jit_script", "ops", "nn", "linalg", "fft", "sparse", "pure_callback", "io_callback",
    "debug", "tofile", "fromfile", "memmap", "ctypeslib", "ctypes", "set_float32_matmul_precision",
    "config", "dlpack", "from_dlpack", "profiler", "distributed", "multiprocessing", "data_ptr",
    "__globals__", "__code__", "__closure__", "__subclasses__", "__builtins__", "__dict__",
}  # fmt: skip


def gate(text: str, target: Literal["triton", "pallas"]) -> list[str]:
    """Why a module is no port; empty where it may run. Each entry starts with its line."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return [f"{getattr(error, 'lineno', 0)}: not Python: {error}"]
    found = list(_Gate(target).check(tree))
    return list(dict.fromkeys(found))


class _Gate:
    def __init__(self, target: Literal["triton", "pallas"]) -> None:
        self.target = target
        self.modules: dict[str, str] = {}

    def check(self, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imports(node)
        for node in ast.walk(tree):
            yield from self._node(node)
        for statement in tree.body:
            yield from self._top(statement)

    def _imports(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        names = (
            [(alias.name, alias.asname or alias.name.split(".")[0]) for alias in node.names]
            if isinstance(node, ast.Import)
            else [(f"{node.module}.{a.name}", a.asname or a.name) for a in node.names]
        )
        for name, bound in names:
            if name == "__future__.annotations":
                continue
            if name.split(".")[0] not in _IMPORTS[self.target]:
                yield f"{node.lineno}: imports {name}"
            self.modules[bound] = name

    def _node(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Try() | ast.TryStar():
                yield f"{node.lineno}: catches exceptions: a port has no second way"
            case ast.Global() | ast.Nonlocal():
                yield f"{node.lineno}: keeps state between calls"
            case ast.Name(id=name) if name in _FORBIDDEN_NAMES:
                yield f"{node.lineno}: uses {name}"
            case ast.AsyncFunctionDef() | ast.Await() | ast.Yield() | ast.YieldFrom():
                yield f"{node.lineno}: suspends itself"
            case ast.Attribute(attr=name) if name in _FORBIDDEN_ATTRIBUTES:
                # `.at[...].set` of JAX and friends are not meant: only the listed names.
                yield f"{node.lineno}: uses .{name}"
            case ast.Attribute(value=ast.Name(id=root), attr=name):
                yield from self._host(node, root, name)
            case ast.FunctionDef() | ast.Lambda():
                yield from self._defaults(node)
            case _:
                return

    def _host(self, node: ast.Attribute, root: str, name: str) -> Iterator[str]:
        module = self.modules.get(root, "")
        if module == "numpy" and name in _NOT_OF_NUMPY:
            yield f"{node.lineno}: uses numpy.{name}"
        allowed = _HOST.get(module)
        if allowed is not None and name not in allowed:
            yield f"{node.lineno}: calls {module}.{name}: a port does the work itself"

    def _defaults(self, node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if isinstance(default, ast.List | ast.Dict | ast.Set | ast.Call):
                yield f"{node.lineno}: keeps state in a default argument"

    def _top(self, statement: ast.stmt) -> Iterator[str]:
        """At import a module defines; it does not compute."""
        match statement:
            case ast.For() | ast.While() | ast.With():
                yield f"{statement.lineno}: works at import"
            case _:
                return
