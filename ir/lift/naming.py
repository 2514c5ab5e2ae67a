"""What ports have in common: the header, function names, and the result of porting a module."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from crossport.diagnostics import Diagnostic
from crossport.ir.nodes import Function

Tier = Literal["tile", "simt", "xla"]


@dataclass(frozen=True)
class Options:
    """How to port."""

    source_name: str = "kernel.cu"
    tiers: tuple[Tier, ...] = ("tile", "simt", "xla")
    kernels: tuple[str, ...] = ()
    """Only these, where given (full or base names)."""
    blocks: Mapping[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)
    """Block shapes that the host code launches, by kernel name."""

    def wants(self, kernel: Function) -> bool:
        """Is the kernel among those asked for?"""
        return not self.kernels or bool({kernel.name, kernel.base_name} & set(self.kernels))


@dataclass(frozen=True)
class PortedKernel:
    """What became of one kernel."""

    name: str
    function: str
    status: Literal["ported", "refused"]
    tier: Tier | None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class PortedModule:
    """The text of the port (empty if nothing could be ported) and each kernel's fate."""

    text: str
    kernels: tuple[PortedKernel, ...] = field(default=())

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All kernels' findings."""
        return tuple(d for k in self.kernels for d in k.diagnostics)


def module_header(
    what: str, source_name: str, source_text: str, kernels: list[tuple[str, str]]
) -> str:
    """The opening docstring of a port."""
    digest = hashlib.sha256(source_text.encode()).hexdigest()
    try:
        made_by = version("crossport")
    except PackageNotFoundError:
        made_by = "0"
    tiers = "".join(f"    {name}: {tier}\n" for name, tier in kernels)
    return (
        f'"""{what} port of {source_name}, made by crossport {made_by}.\n\n'
        f"Source sha256: {digest}\n"
        f"Kernels, and the tier of each:\n{tiers}"
        '"""\n'
    )


def function_names(kernels: tuple[Function, ...]) -> dict[str, str]:
    """A Python name for each kernel: its own, or the instantiation's spelled out."""
    taken: set[str] = set()
    result: dict[str, str] = {}
    for kernel in kernels:
        spelled = kernel.name.rsplit("::", 1)[-1] if "<" not in kernel.name else kernel.name
        base = re.sub(r"\W+", "_", spelled.replace("*", "_ptr")).strip("_") or "kernel"
        name, number = base, 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        result[kernel.name] = name
    return result
