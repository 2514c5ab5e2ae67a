"""A module of the thread IR -> Python functions, compiled once and kept.

`compiled(module, kernel)` writes one Python function for the kernel and each device function that
it reaches. `CompiledModule.source` is the generated text, to look at when something is odd.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError
from crossport.ir.interpreter import arithmetic, atomics, masks, pointers, warp
from crossport.ir.interpreter.code import Site, Unit
from crossport.ir.interpreter.compile_statements import FunctionCompiler
from crossport.ir.interpreter.kinds import Layout, round_bf16
from crossport.ir.interpreter.registers import RegisterArray
from crossport.ir.nesting import room
from crossport.ir.nodes import Function, Module
from crossport.ir.reachable import reachable

_HELPERS: dict[str, Any] = {
    "i64": np.int64, "load": pointers.load, "store": pointers.store, "warp": warp,
    "atomics": atomics, "RegisterArray": RegisterArray, "round_bf16": round_bf16,
    **{name: getattr(masks, name) for name in (
        "split", "narrow", "without", "union", "meet", "choose", "put", "select", "either",
        "merge",
    )},
    **{name: getattr(arithmetic, name) for name in (
        "divide_signed", "divide_unsigned", "modulo_signed", "modulo_unsigned",
        "shift_left", "shift_right", "fma_f32", "fma_f64",
    )},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile. locals_in_memory: locals without a first value are watched like memory.
    single_sums: matrix products of floats are added one by one in float, the least that PTX
    promises, instead of exactly."""

    oracle: bool = False
    contract: bool = False
    locals_in_memory: bool = False
    single_sums: bool = False


DEFAULT = Options()


class CompiledModule:
    """The generated functions of one kernel and what it calls."""

    def __init__(self, module: Module, kernel: str, options: Options) -> None:
        self.module = module
        self.kernel = _function(module, kernel)
        self.reached = list(reachable(module, self.kernel))
        self.unit = Unit(
            module,
            Layout(module.structs, options.oracle),
            options.oracle,
            options.contract and not options.oracle,
            options.locals_in_memory,
            options.single_sums and not options.oracle,
            {f.name: f for f in self.reached},
        )
        self.sites: list[Site] = self.unit.sites
        # Handles count over the whole module, so that they mean the same in every kernel.
        self.unit.function_ids.update({f.name: i + 1 for i, f in enumerate(module.functions)})
        for i, function in enumerate(self.reached):
            self.unit.python_names[function.name] = f"f_{i}"
            self.unit.shared[function.name] = {
                v.name: f"{function.name}:{v.name}" for v in function.shared
            }
        self.unit.namespace.update(_HELPERS)
        texts = [FunctionCompiler(self.unit, function).compile() for function in self.reached]
        self.source = "\n\n\n".join(texts) + "\n"
        name = f"<interpreted {kernel}>"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(True), name)
        exec(compile(self.source, name, "exec"), self.unit.namespace)

    @property
    def layout(self) -> Layout:
        """Sizes and leaves of the module's types."""
        return self.unit.layout

    def entry(self) -> Callable[..., Any]:
        """The kernel's Python function."""
        return self.python_function(self.kernel.name)

    def python_function(self, name: str) -> Callable[..., Any]:
        """The Python function of a device function."""
        found: Callable[..., Any] = self.unit.namespace[self.unit.python_names[name]]
        return found

    def by_handle(self, handle: int) -> Function | None:
        """The device function behind a function pointer's value."""
        functions = self.module.functions
        found = functions[handle - 1] if 1 <= handle <= len(functions) else None
        return found if found is not None and found.name in self.unit.python_names else None


def _function(module: Module, kernel: str) -> Function:
    for function in module.functions:
        if function.name == kernel or (function.kernel and function.base_name == kernel):
            return function
    known = ", ".join(f.name for f in module.kernels) or "none"
    raise PortError(
        Diagnostic(DiagnosticCode.BAD_LAUNCH, f"no kernel named {kernel}; there are: {known}")
    )


@lru_cache(maxsize=64)
def _by_identity(key: tuple[int, str, Options], holder: _Held) -> CompiledModule:
    return CompiledModule(holder.module, *key[1:])


class _Held:
    """A module that hashes by identity (a deep hash of the tree on every launch is slow)."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def __hash__(self) -> int:
        return id(self.module)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.module is self.module


@room()
def compiled(module: Module, kernel: str, options: Options = DEFAULT) -> CompiledModule:
    """The compiled form of a kernel; the same object for the same module object."""
    return _by_identity((id(module), kernel, options), _Held(module))


__all__ = ["CompiledModule", "Options", "compiled"]
