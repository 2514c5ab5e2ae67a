"""The library: port a file or a tree, inspect it, verify it. The command line is built on this.

    result = crossport.port("kernel.cu", to="rocm", arch=["gfx942"])
    result.write("build/")
    crossport.port_tree("repo/", to="rocm", out="repo-rocm/")

Every function raises `crossport.PortError` for bad input and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from crossport.diagnostics import Code, Diagnostic, PortError, Severity
from crossport.result import KernelResult, OutputFile, PortResult, Status, TargetName, merge

if TYPE_CHECKING:
    from crossport.backends.hip.port import PortedFiles
    from crossport.frontend.unit import TranslationUnit

_ALIASES: dict[str, TargetName] = {
    "hip": "hip", "rocm": "hip", "triton": "triton", "pallas": "pallas", "tpu": "pallas",
}  # fmt: skip

NOT_RUN = "not run: verify it with --verify"


@dataclass(frozen=True, slots=True)
class Options:
    """How to port.

    arch: AMD architectures. flags: for clang, as behind `--`. build_dir: a folder with
    compile_commands.json. instantiate: template instances to port beside those launched.
    wave: "safe" keeps 32-lane programs as they are on wave64, "native" widens them where legal.
    rocm_path: a ROCm install whose headers a check uses. jobs: processes for a folder (None: cores).
    """

    arch: tuple[str, ...] = ("gfx942",)
    flags: tuple[str, ...] = ()
    build_dir: str | None = None
    instantiate: tuple[str, ...] = ()
    wave: str = "safe"
    rocm_path: str | None = None
    jobs: int | None = None


def port(
    source: str | Path,
    to: str | Sequence[str],
    *,
    arch: Sequence[str] = ("gfx942",),
    flags: Sequence[str] = (),
    build_dir: str | Path | None = None,
    instantiate: Sequence[str] = (),
    wave: Literal["safe", "native"] = "safe",
) -> PortResult:
    """Port one CUDA source to one or several targets. Nothing is written.

    `to`: "rocm" (= "hip"), "triton", "tpu" (= "pallas"), one or several (a sequence, or with
    commas). Raises PortError if the source cannot be read or is no CUDA.
    """
    options = Options(
        tuple(arch), tuple(flags), str(build_dir) if build_dir else None, tuple(instantiate), wave
    )
    return port_file(source, target_names(to), options)


def target_names(to: str | Sequence[str]) -> tuple[TargetName, ...]:
    """The targets meant by "rocm,triton" or ["rocm", "triton"]. PortError (CP9001) if unknown."""
    names = to.split(",") if isinstance(to, str) else list(to)
    unknown = [name for name in names if name.strip() not in _ALIASES]
    if unknown or not names:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"no such target: {', '.join(unknown) or to!r}",
                help=f"one of {', '.join(_ALIASES)}",
            )
        )
    return tuple(dict.fromkeys(_ALIASES[name.strip()] for name in names))


def port_file(source: str | Path, targets: Sequence[str], options: Options) -> PortResult:
    """Port one source to every target; the results are merged."""
    path = Path(source)
    unit = _parse(path, options)
    results = [_port_unit(path, unit, cast(TargetName, target), options) for target in targets]
    merged = merge(results)
    return PortResult(merged.outputs, merged.kernels, (*unit.diagnostics, *merged.diagnostics))


def _parse(path: Path, options: Options) -> TranslationUnit:
    from crossport.frontend.parse import parse

    return parse(
        path,
        flags=options.flags,
        build_dir=options.build_dir,
        instantiate=options.instantiate,
    )


def _port_unit(
    path: Path, unit: TranslationUnit, target: TargetName, options: Options
) -> PortResult:
    match target:
        case "hip":
            return _port_to_hip(path, unit, options)
        case "triton" | "pallas":
            return _port_to_module(path, unit, target, options)


# --- HIP -----------------------------------------------------------------------------------------


def _port_to_hip(path: Path, unit: TranslationUnit, options: Options) -> PortResult:
    from crossport.backends.hip.port import HipOptions, port_unit
    from crossport.backends.hip.semantics import semantic_edits

    wave: Literal["safe", "native"] = "native" if options.wave == "native" else "safe"
    hip_options = HipOptions(options.arch, wave, options.rocm_path)
    ported = port_unit(path, hip_options, unit=unit, semantics=semantic_edits)
    return hip_result(ported, [unit])


def hip_result(ported: PortedFiles, units: Iterable[TranslationUnit]) -> PortResult:
    """The HIP backend's files, and the kernels of the units they come from, as a result."""
    outputs = tuple(
        OutputFile(Path(f.target), f.ported, f.source, f.original, len(f.edits)) for f in ported.files
    )
    return PortResult(outputs, _hip_kernels(units, ported.diagnostics), ported.diagnostics)


def _hip_kernels(
    units: Iterable[TranslationUnit], diagnostics: Sequence[Diagnostic]
) -> tuple[KernelResult, ...]:
    found: dict[tuple[str, str, int], KernelResult] = {}
    for unit in units:
        for kernel in unit.kernels:
            span = kernel.span
            inside = tuple(d for d in diagnostics if d.span and _within(d.span.line, span, d))
            left = any(d.severity is Severity.ERROR for d in inside)
            status: Status = "partial" if left else "unverified"
            reason = "constructs were left unported" if left else NOT_RUN
            found[kernel.name, span.file, span.line] = KernelResult(
                kernel.name, span.file, span.line, "hip", "source", status, reason, inside
            )
    return tuple(found.values())


def _within(line: int, span: object, diagnostic: Diagnostic) -> bool:
    from crossport.diagnostics import Span

    assert isinstance(span, Span) and diagnostic.span is not None
    last = span.end_line or span.line
    return diagnostic.span.file == span.file and span.line <= line <= last
