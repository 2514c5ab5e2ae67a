"""`port inspect`: parse, lower, compute the facts, report them.

The launch that facts are computed for is the one that the host code makes, where its sizes are
constants; else a typical one, which the report says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError, Severity, sort_diagnostics
from crossport.frontend.unit import Kernel, TranslationUnit
from crossport.ir.facts import Launch, kernel_facts
from crossport.ir.facts.blocks import typical_block
from crossport.ir.facts.report import KernelReport, inspect_json, inspect_text
from crossport.ir.facts.sampling import TYPICAL_SIZE
from crossport.ir.nodes import Module
from crossport.result import SCHEMA, Exit


@dataclass(frozen=True, slots=True)
class InspectReport:
    """The facts of the kernels asked for, and what stood in the way of others."""

    kernels: tuple[KernelReport, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def exit_code(self) -> Exit:
        """0, or 2 where a kernel could not be looked into."""
        left = any(d.severity is Severity.ERROR for d in self.diagnostics)
        return Exit.PARTIAL if left else Exit.DONE

    def as_text(self) -> str:
        """For a terminal."""
        return inspect_text(self.kernels)

    def as_json(self) -> dict[str, object]:
        """The stable JSON form (schema 1)."""
        return {
            "schema": SCHEMA,
            "files": sorted({report.span.file for report in self.kernels}),
            "kernels": inspect_json(self.kernels),
            "diagnostics": [d.as_json() for d in self.diagnostics],
        }


@dataclass(frozen=True, slots=True)
class Given:
    """What the user says about the launch: extents, and scalar arguments by name."""

    grid: tuple[int, int, int] | None = None
    block: tuple[int, int, int] | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)


def inspect_units(
    units: Sequence[TranslationUnit],
    kernel: str | None,
    targets: Sequence[str],
    given: Given | None = None,
) -> InspectReport:
    """Facts for every kernel of the units, or for the one named (with or without arguments).

    Raises PortError (CP9001) if no kernel has that name.
    """
    reports: list[KernelReport] = []
    diagnostics: list[Diagnostic] = []
    for unit in units:
        diagnostics += unit.diagnostics
        reports += _unit_reports(unit, kernel, targets, diagnostics, given or Given())
    if not reports and kernel is not None:
        names = sorted({k.name for unit in units for k in unit.kernels})
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"there is no kernel {kernel!r} here",
                help=f"one of: {', '.join(names)}" if names else "the sources hold no kernel",
            )
        )
    return InspectReport(tuple(reports), tuple(sort_diagnostics(diagnostics)))


def _unit_reports(
    unit: TranslationUnit,
    name: str | None,
    targets: Sequence[str],
    diagnostics: list[Diagnostic],
    given: Given,
) -> list[KernelReport]:
    from crossport.frontend.lowering import lower_unit

    wanted = [k for k in unit.kernels if name is None or name in (k.name, k.base_name)]
    if not wanted:
        return []
    module = lower_unit(unit)
    reports: list[KernelReport] = []
    for kernel in wanted:
        if kernel.name not in {f.name for f in module.kernels}:
            diagnostics.append(_not_lowered(kernel))
            continue
        facts = kernel_facts(module, kernel.name, _launch(unit, kernel, module, given), targets)
        reports.append(KernelReport(facts, kernel.span))
    return reports


def _launch(unit: TranslationUnit, kernel: Kernel, module: Module, given: Given) -> Launch:
    """The first launch of the kernel whose block is known, or a typical one; what is given wins."""
    function = module.function(kernel.name)
    grid: Sequence[int | None] = (None, 1, 1)
    block = None
    shared = 0
    for launch in unit.launches:
        x, y, z = launch.block.values
        if launch.kernel == kernel.name and x is not None and y is not None and z is not None:
            block, grid = (x, y, z), launch.grid.values
            shared = int(launch.shared_bytes.value or 0)
            break
    guessed = [f"gridDim.{axis}" for axis, extent in zip("xyz", grid, strict=True) if not extent]
    block = given.block or block
    if block is None:
        guessed.append("blockDim")
        block = typical_block(module, function)
    # As many blocks as it takes for a typical size.
    fitting = (max(1, TYPICAL_SIZE // extent) for extent in block)
    gx, gy, gz = (extent or fit for extent, fit in zip(grid, fitting, strict=True))
    if given.grid is not None:
        guessed = [name for name in guessed if name == "blockDim"]
        gx, gy, gz = given.grid
    return Launch((gx, gy, gz), block, dict(given.sizes), shared, tuple(guessed))


def _not_lowered(kernel: Kernel) -> Diagnostic:
    return Diagnostic(
        Code.NOT_LOWERED,
        f"{kernel.name} could not be lifted to the IR, so there are no facts about it",
        kernel.span,
        help="port inspect --json lists what stands in the way; give missing headers behind --",
    )


def existing(paths: Sequence[str]) -> list[Path]:
    """The paths as files. Raises PortError (CP1001) for one that is none."""
    for path in paths:
        if not Path(path).is_file():
            raise PortError(Diagnostic(Code.CANNOT_READ, f"{path} is not a file"))
    return [Path(path) for path in paths]
