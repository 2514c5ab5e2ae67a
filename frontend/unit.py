"""What the frontend hands on about one translation unit, as plain values.

    unit = parse("reduce.cu")
    unit.kernels[0].name            "reduce<float, 256>"      .cursor, .span, .launch_bounds
    unit.launches[0].kernel         "reduce<float, 256>"      .grid.text "blocks", .block.value 256
    unit.files                      the project's own files that took part, with their text

A `Kernel` is concrete: a template appears once for each instantiation that was found (or asked
for). A template that nobody instantiates appears as `Pattern` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from crossport.diagnostics import Diagnostic, Span
from crossport.frontend.clang import Cursor

Origin = Literal["plain", "launched", "referenced", "explicit", "requested", "probe"]
Space = Literal["shared", "dynamic_shared", "constant", "global", "managed"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of the source: its text, and its value where that is a constant."""

    text: str
    span: Span | None = None
    value: int | float | None = None
    cursor: Cursor | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """A grid or block: the text as written, and x, y, z where they are known (None: not)."""

    text: str
    span: Span | None
    x: Expression
    y: Expression
    z: Expression

    @property
    def values(self) -> tuple[int | None, int | None, int | None]:
        """Constant extents; None where it depends on run time."""
        return (_int(self.x.value), _int(self.y.value), _int(self.z.value))

    @property
    def value(self) -> int | None:
        """The number of threads (blocks) in all, if constant."""
        x, y, z = self.values
        return x * y * z if x is not None and y is not None and z is not None else None


@dataclass(frozen=True, slots=True)
class Launch:
    """A place in host code where a kernel starts.

    `kernel` is the full name as in `Kernel.name`; "" where it is a pointer that was not resolved.
    `style`: how it is written. `function`: the host function around it.
    """

    kernel: str
    style: Literal[
        "chevrons", "cudaLaunchKernel", "cudaLaunchCooperativeKernel", "cudaLaunchKernelEx"
    ]
    grid: Dimensions
    block: Dimensions
    shared_bytes: Expression
    stream: Expression
    args: tuple[Expression, ...]
    span: Span
    function: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a kernel, with its canonical C type."""

    name: str
    type: str
    span: Span | None = None
    cursor: Cursor | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Kernel:
    """A `__global__` function that is ready to be lowered: `cursor` is concrete and has a body.

    `span` is the definition in the source (of the template, for an instance). `clean` is False when
    a parse error lies inside it: it can be edited, but not lowered.
    """

    name: str
    cursor: Cursor = field(compare=False, repr=False)
    span: Span
    parameters: tuple[Parameter, ...] = ()
    template_args: tuple[str, ...] = ()
    launch_bounds: tuple[int, int] = (0, 0)
    origin: Origin = "plain"
    clean: bool = True
    identity: str = ""

    @property
    def base_name(self) -> str:
        """The name without template arguments."""
        return self.name.partition("<")[0]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kernel template. `instances` counts the kernels that come from it."""

    name: str
    cursor: Cursor = field(compare=False, repr=False)
    span: Span
    parameters: tuple[str, ...] = ()
    instances: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A `__constant__`, `__device__`, `__managed__` or `__shared__` variable."""

    name: str
    type: str
    space: Space
    cursor: Cursor = field(compare=False, repr=False)
    span: Span


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A project file that took part: its bytes as on disk. Offsets in spans index `data`."""

    path: str
    data: bytes = field(repr=False)

    def text(self, start: int, end: int) -> str:
        """The source between two byte offsets."""
        return self.data[start:end].decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class MacroUse:
    """One expansion of a macro in a project file: where, and of what."""

    name: str
    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TranslationUnit:
    """One parsed source with everything found in it.

    `diagnostics` are the findings about the input; a unit with errors is still usable: kernels
    around an error stay as they are. `handle` keeps libclang's unit alive while cursors are in use.
    """

    path: Path
    handle: Any = field(compare=False, repr=False)
    files: Mapping[str, SourceFile] = field(repr=False)
    kernels: tuple[Kernel, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    functions: tuple[Cursor, ...] = field(default=(), compare=False, repr=False)
    variables: tuple[Variable, ...] = ()
    launches: tuple[Launch, ...] = ()
    includes: tuple[str, ...] = ()
    macros: tuple[MacroUse, ...] = field(default=(), repr=False)
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """The root of the syntax tree."""
        return self.handle.cursor

    @property
    def main(self) -> SourceFile:
        """The file that was asked for."""
        return self.files[str(self.path)]

    def kernel(self, name: str) -> Kernel:
        """The kernel of that full name, or the only one of that base name; KeyError if none."""
        for kernel in self.kernels:
            if kernel.name == name:
                return kernel
        same = [k for k in self.kernels if k.base_name == name]
        if len(same) == 1:
            return same[0]
        raise KeyError(name)


def _int(value: int | float | None) -> int | None:
    return int(value) if value is not None else None
