"""The library: port a file or a tree, inspect it, verify it. The command line is built on this.

    result = crossport.port("kernel.cu", to="rocm", arch=["gfx942"])
    result.write("build/")
    crossport.port_tree("repo/", to="rocm", out="repo-rocm/")

Every function raises `crossport.PortError` for bad input and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.porting import Options, port_file
from crossport.result import TARGETS, PortResult, TargetName, merge


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """A ported tree: what came out of it, and where it was written."""

    result: PortResult
    out: Path
    written: tuple[Path, ...]


def port(
    source: str | Path,
    to: str | Sequence[str],
    *,
    arch: Sequence[str] = ("gfx942",),
    flags: Sequence[str] = (),
    build_dir: str | Path | None = None,
    instantiate: Sequence[str] = (),
) -> PortResult:
    """Port one CUDA source to one or several targets. Nothing is written.

    `to`: "rocm" (= "hip"), "triton", "tpu" (= "pallas"), one or several (a sequence, or with
    commas). Raises PortError if the source cannot be read or is no CUDA.
    """
    options = Options(
        tuple(arch), tuple(flags), str(build_dir) if build_dir else None, tuple(instantiate)
    )
    return port_file(source, target_names(to), options)


def port_tree(
    source: str | Path,
    to: str | Sequence[str],
    out: str | Path,
    *,
    arch: Sequence[str] = ("gfx942",),
    flags: Sequence[str] = (),
    build_dir: str | Path | None = None,
    jobs: int | None = None,
) -> MigrationResult:
    """Port every CUDA program below `source` and write the result under `out`.

    Raises PortError where there is nothing to port or `out` cannot be written.
    """
    options = Options(tuple(arch), tuple(flags), str(build_dir) if build_dir else None, jobs=jobs)
    result = port_folder(source, target_names(to), options)
    return MigrationResult(result, Path(out), tuple(result.write(out)))


def target_names(to: str | Sequence[str]) -> tuple[TargetName, ...]:
    """The targets meant by "rocm,triton" or ["rocm", "triton"]. PortError (CP9001) if unknown."""
    names = [name.strip() for name in (to.split(",") if isinstance(to, str) else to)]
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not names:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                f"no such target: {', '.join(unknown)}",
                help=f"one of {', '.join(TARGETS)}",
            )
        )
    return tuple(dict.fromkeys(TARGETS[name] for name in names))


def port_folder(root: str | Path, targets: Sequence[str], options: Options) -> PortResult:
    """Port every CUDA program below `root`; output paths are relative to it."""
    from crossport.migrate.tree import port_tree_to_hip, port_tree_to_modules

    folder = Path(root)
    results: list[PortResult] = []
    if "hip" in targets:
        results.append(port_tree_to_hip(folder, options))
    if modules := [target for target in targets if target != "hip"]:
        results.append(port_tree_to_modules(folder, modules, options))
    return merge(results)
