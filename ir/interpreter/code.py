"""The text of a generated Python function: lines, fresh names, and constants kept beside it.

    k3 = np.int32(5)                     constants: globals of the generated module
    t7 = (v_i + k3)                      one temporary a value that is used more than once

Places in the source are numbers (`sites`), so that generated code can name them in a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossport.diagnostics import Span
from crossport.ir.interpreter.kinds import Kind, Layout
from crossport.ir.nodes import Function, Module, Node


@dataclass(slots=True)
class Site:
    """A place in the source that generated code refers to by number."""

    span: Span | None
    function: str
    node: Node | None = None


@dataclass(slots=True)
class Unit:
    """What the functions of one generated module share."""

    module: Module
    layout: Layout
    oracle: bool
    contract: bool
    locals_in_memory: bool
    single_sums: bool
    functions: dict[str, Function]
    namespace: dict[str, Any] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)
    function_ids: dict[str, int] = field(default_factory=dict)
    python_names: dict[str, str] = field(default_factory=dict)
    shared: dict[str, dict[str, str]] = field(default_factory=dict)
    """For each function, its `__shared__` variables and their keys in `Runtime.shared`."""
    _constants: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        """A name for a NumPy scalar."""
        key = (type(value), value.tobytes())
        return self._keep(key, value)

    def kind(self, kind: Kind) -> str:
        """A name for a Kind."""
        name = f"K_{kind.name}"
        self.namespace[name] = kind
        return name

    def helper(self, value: Callable[..., Any] | object, key: tuple[Any, ...]) -> str:
        """A name for a function or object; equal keys share one."""
        return self._keep(("helper", *key), value)

    def _keep(self, key: tuple[Any, ...], value: Any) -> str:
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"k{len(self._constants)}"
            self.namespace[name] = value
        return name

    def site(self, node: Node, function: str) -> int:
        """A number for a place in the source."""
        self.sites.append(Site(node.span, function, node))
        return len(self.sites) - 1


class Code:
    """Lines under construction."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 1
        self._fresh = 0

    def fresh(self, stem: str = "t") -> str:
        """A name not used before in this function."""
        self._fresh += 1
        return f"{stem}{self._fresh}"

    def emit(self, line: str) -> None:
        """One line at the current depth."""
        self.lines.append(" " * self.depth + line)

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Lines one deeper; an empty block gets its `pass`."""
        before = len(self.lines)
        self.depth += 1
        yield
        if len(self.lines) == before:
            self.emit("pass")
        self.depth -= 1


INT64 = np.int64
