"""`port verify`: run ports and judge them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossport.cli.options import (
    arch,
    build_dir,
    instantiate,
    json_flag,
    rocm_path,
    sources,
    targets,
)
from crossport.cli.output import print_diagnostics, print_json, write_text
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.result import Exit

if TYPE_CHECKING:
    from crossport.result import TargetName
    from crossport.validation.verdict import Verdict


@click.command("verify")
@sources
@click.option(
    "--to",
    "targets",
    default="rocm",
    callback=targets,
    metavar="TARGET,...",
    show_default=True,
    help="rocm (hip), triton, tpu (pallas).",
)
@arch
@click.option(
    "--against",
    metavar="BUNDLE",
    help="The recorded NVIDIA run; else the one beside, or the interpreter.",
)
@click.option(
    "--runner",
    metavar="NAME",
    help="interp, interp64, amdgpu, triton, pallas, nvidia, hip; else what fits the target.",
)
@click.option(
    "--mutate",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Break the port in N ways and count how many are caught.",
)
@click.option(
    "--explore",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Search N more launches for one that fails, and make it small.",
)
@click.option("--html", metavar="FILE", help="Write the verdicts as one page.")
@rocm_path
@json_flag
@build_dir
@instantiate
@click.pass_obj
def verify_command(
    flags: tuple[str, ...],
    sources: tuple[str, ...],
    targets: tuple[TargetName, ...],
    arch: tuple[str, ...],
    against: str | None,
    runner: str | None,
    mutate: int,
    explore: int,
    html: str | None,
    rocm_path: str | None,
    as_json: bool,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Run ports and judge them against the recorded NVIDIA run.

    Without a recording the interpreter stands in, on the cases.toml beside the source or on
    launches worked out from it; a port that agrees with it is still unverified (exit 4).
    """
    from crossport.porting import Options
    from crossport.verification import verify_source

    verdicts: list[tuple[Path, Verdict]] = []
    codes: list[Exit] = []
    for path in with_bundles(sources, against):
        for target in targets:
            for one in arch if target == "hip" else arch[:1]:
                options = Options((one,), flags, build_dir, instantiate, rocm_path)
                try:
                    verdict = verify_source(
                        path, target, options, against=against, runner=runner,
                        mutate=mutate, explore=explore,
                    )  # fmt: skip
                except PortError as error:
                    print_diagnostics(error.diagnostics)
                    codes.append(Exit.UNVERIFIABLE)
                    continue
                codes.append(Exit(verdict.exit_code))
                verdicts.append((path, verdict))
                _keep(path, verdict)
                if not as_json:
                    click.echo(f"{path}: {verdict.render()}")
    if as_json:
        found = [{"source": str(path), "verdict": v.as_json()} for path, v in verdicts]
        print_json({"schema": 1, "verdicts": found})
    if html is not None:
        from crossport.validation.report import html_report

        names = [str(path) for path, _ in verdicts]
        write_text(html, html_report([verdict for _, verdict in verdicts], sources=names))
    return Exit.worst(codes)


def _keep(path: Path, verdict: Verdict) -> None:
    """Store what a search found, where it can be run again."""
    if verdict.counterexample:
        name = f"{path.stem}.{verdict.target}.failing.toml"
        write_text(name, verdict.counterexample)
        click.echo(f"{path}: the smallest failing launch is in {name}", err=True)


def with_bundles(sources: Sequence[str], against: str | None) -> list[Path]:
    """The sources; of a folder, every CUDA file that has a recorded run beside it.

    A source that is named itself needs none: it is judged against the interpreter then.
    """
    found: list[Path] = []
    for source in map(Path, sources):
        if source.is_dir():
            inside = sorted(source.rglob("*.cu"))
            found += [p for p in inside if against or list(p.parent.glob("*.bundle"))]
        elif source.is_file():
            found.append(source)
        else:
            raise PortError(Diagnostic(Code.CANNOT_READ, f"{source} is not a file or folder"))
    if not found:
        raise PortError(
            Diagnostic(
                Code.CASES_MISSING,
                "no CUDA source with a recorded run (*.bundle) beside it",
                help="port record SOURCE --cases FILE -o BUNDLE makes one",
            )
        )
    return found
