"""One source, or the sources of one program, to a target: parse, call the backend, gather results.

port_file("k.cu", ("hip",), Options())       parse once, one backend a target
port_program([(source, flags), ...], root)   units that share headers, ported together (HIP)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from crossport.backends.hip.port import HipOptions, HipPort, PortedFiles
from crossport.concerns import Concerns
from crossport.diagnostics import Code, Diagnostic, PortError, Severity, Span, placed
from crossport.frontend.unit import TranslationUnit
from crossport.ir.lift.naming import PortedKernel
from crossport.result import KernelResult, OutputFile, PortResult, Status, TargetName, merge

if TYPE_CHECKING:
    from crossport.validation.infer import LaunchHint

NOT_RUN = "not run: see port verify"


@dataclass(frozen=True, slots=True)
class Options:
    """How to port.

    arch: AMD architectures. flags: for clang, as behind `--`. build_dir: a folder with
    compile_commands.json. instantiate: template instances to port beside those launched.
    rocm_path: a ROCm install whose headers a check uses. jobs: processes (None: one a core).
    """

    arch: tuple[str, ...] = ("gfx942",)
    flags: tuple[str, ...] = ()
    build_dir: str | None = None
    instantiate: tuple[str, ...] = ()
    rocm_path: str | None = None
    jobs: int | None = None

    @property
    def hip(self) -> HipOptions:
        """What of this concerns the HIP backend. PortError (CP6002) for an unknown GPU."""
        from crossport.validation.amdgpu.compile.archs import arch_named

        for name in self.arch:
            arch_named(name)
        return HipOptions(self.arch, self.rocm_path)


def port_file(source: str | Path, targets: Sequence[str], options: Options) -> PortResult:
    """Port one source to every target; the results are merged. Raises PortError for bad input."""
    path = Path(source)
    unit = parse_source(path, options)
    results = [PortResult(diagnostics=unit.diagnostics)]
    for target in targets:
        match cast(TargetName, target):
            case "hip":
                results.append(_file_to_hip(path, unit, options))
            case "triton" | "pallas" as name:
                results.append(_file_to_module(path, unit, name, options))
    return merge(results)


def parse_source(path: Path, options: Options) -> TranslationUnit:
    """Parse with the flags that the options give (`--`, or the compilation database of -p)."""
    from crossport.frontend.parse import parse

    return parse(
        path,
        flags=options.flags,
        build=options.build_dir,
        instantiate=options.instantiate,
    )


# --- HIP -----------------------------------------------------------------------------------------


def _file_to_hip(path: Path, unit: TranslationUnit, options: Options) -> PortResult:
    from crossport.backends.hip.semantics import semantic_edits

    folders = _include_folders(options.flags)
    port = HipPort(path.parent, replace(options.hip, include_dirs=folders), semantic_edits)
    port.add(path, unit)
    return _hip_result(port.result(), [unit])


def _include_folders(flags: Sequence[str]) -> tuple[Path, ...]:
    """The folders that `-Ifolder` and `-I folder` name, each once."""
    joined = [flag[2:] for flag in flags if flag.startswith("-I") and flag != "-I"]
    apart = [folder for flag, folder in itertools.pairwise(flags) if flag == "-I"]
    return tuple(dict.fromkeys(Path(folder) for folder in (*joined, *apart)))


def port_program(
    sources: Sequence[tuple[Path, tuple[str, ...]]],
    root: Path,
    options: Options,
    host_sources: Sequence[Path] = (),
) -> PortResult:
    """Port sources (with their flags) that belong together to HIP; paths are relative to `root`.

    A source that cannot be parsed is still ported by its text; the finding says so. `host_sources`
    hold no kernels: they are ported by their text alone.
    """
    from crossport.backends.hip.semantics import semantic_edits

    given = (flag for _, flags in sources for flag in (*flags, *options.flags))
    folders = _include_folders(tuple(given))
    port = HipPort(root, replace(options.hip, include_dirs=folders), semantic_edits)
    units: list[TranslationUnit] = []
    findings: list[Diagnostic] = []
    for source, flags in sources:
        try:
            unit = parse_source(source, replace(options, flags=(*flags, *options.flags)))
        except PortError as error:
            findings += error.diagnostics
            if all(d.code != Code.CANNOT_READ for d in error.diagnostics):
                port.add(source)
            continue
        units.append(unit)
        findings += unit.diagnostics
        port.add(source, unit)
    for source in host_sources:
        try:
            port.add(source)
        except PortError as error:
            findings += error.diagnostics
    return merge([PortResult(diagnostics=tuple(findings)), _hip_result(port.result(), units)])


def _hip_result(ported: PortedFiles, units: Sequence[TranslationUnit]) -> PortResult:
    outputs = tuple(
        OutputFile(Path(f.target), f.ported, f.source, f.original, f.edits) for f in ported.files
    )
    return PortResult(outputs, _hip_kernels(units, ported.diagnostics), ported.diagnostics)


def _hip_kernels(
    units: Sequence[TranslationUnit], diagnostics: Sequence[Diagnostic]
) -> tuple[KernelResult, ...]:
    concerns = Concerns(units, diagnostics)
    found: dict[tuple[str, str, int], KernelResult] = {}
    for kernel in (kernel for unit in units for kernel in unit.kernels):
        span = kernel.span
        inside = concerns.of(kernel)
        left = any(d.severity is Severity.ERROR for d in inside)
        status: Status = "partial" if left else "unverified"
        reason = "constructs were left unported" if left else NOT_RUN
        found[kernel.name, span.file, span.line] = KernelResult(
            kernel.name, span.file, span.line, "hip", "source", status, reason, inside
        )
    return tuple(found.values())


# --- Triton and Pallas ---------------------------------------------------------------------------


def _file_to_module(
    path: Path, unit: TranslationUnit, target: Literal["triton", "pallas"], options: Options
) -> PortResult:
    from crossport.frontend.lowering import lower_unit
    from crossport.ir.lift.naming import Options as ModuleOptions

    module = lower_unit(unit)
    text = unit.main.data.decode("utf-8", "surrogateescape")
    if target == "triton":
        from crossport.backends.triton.port import port_module
    else:
        from crossport.backends.pallas.port import port_module
    ported = port_module(
        module, text, ModuleOptions(source_name=path.name, blocks=launched_blocks(unit))
    )
    # Overloaded kernels have names of their own in the module.
    pairs = zip(module.kernels, unit.kernels, strict=True)
    places = {function.name: kernel.span for function, kernel in pairs}
    kernels = tuple(_module_kernel(k, places[k.name], target) for k in ported.kernels)
    findings = tuple(finding for kernel in kernels for finding in kernel.diagnostics)
    outputs: tuple[OutputFile, ...] = ()
    if ported.text:
        name = Path(f"{path.stem}_{target}.py")
        outputs = (OutputFile(name, ported.text.encode(), path, target=target),)
    return PortResult(outputs, kernels, findings)


def launched_blocks(unit: TranslationUnit) -> dict[str, tuple[tuple[int, int, int], ...]]:
    """The block shapes that the host code launches each kernel with, where they are constants."""
    found: dict[str, dict[tuple[int, int, int], None]] = {}
    for launch in unit.launches:
        x, y, z = launch.block.values
        if x is not None and y is not None and z is not None:
            found.setdefault(launch.kernel, {})[x, y, z] = None
    return {kernel: tuple(shapes) for kernel, shapes in found.items()}


def launch_hints(unit: TranslationUnit) -> dict[str, LaunchHint]:
    """What the host's launches say in constants: for each kernel, the launch that says most."""
    from crossport.validation.infer import LaunchHint

    found: dict[str, tuple[int, LaunchHint]] = {}
    for launch in unit.launches:
        # Other ways of launching hand over a table of addresses: no arguments to read.
        given = launch.args if launch.style == "chevrons" else ()
        hint = LaunchHint(
            _whole(launch.block.values),
            _whole(launch.grid.values),
            None if not isinstance(launch.shared_bytes.value, int) else launch.shared_bytes.value,
            tuple(argument.value for argument in given),
        )
        known = (hint.block, hint.grid, hint.shared, *hint.arguments)
        count = sum(value is not None for value in known)
        if launch.kernel not in found or count > found[launch.kernel][0]:
            found[launch.kernel] = (count, hint)
    return {kernel: hint for kernel, (_, hint) in found.items()}


def _whole(extents: tuple[int | None, int | None, int | None]) -> tuple[int, int, int] | None:
    x, y, z = extents
    return None if x is None or y is None or z is None else (x, y, z)


def _module_kernel(
    kernel: PortedKernel, span: Span, target: Literal["triton", "pallas"]
) -> KernelResult:
    refused = kernel.status == "refused"
    return KernelResult(
        kernel.name,
        span.file,
        span.line,
        target,
        kernel.tier or "none",
        "refused" if refused else "unverified",
        "no port can be right: see the diagnostics" if refused else NOT_RUN,
        placed(kernel.diagnostics, span),
    )
