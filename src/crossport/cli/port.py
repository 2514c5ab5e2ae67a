"""`port SOURCE... --to TARGET`: port, and if asked compile and judge what came out."""

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
from crossport.cli.output import print_diagnostics, print_json, write_sarif
from crossport.cli.summary import print_summary
from crossport.cli.verify import with_bundles
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.result import Exit, PortResult

if TYPE_CHECKING:
    from crossport.porting import Options


@click.command("port")
@sources
@click.option(
    "--to", "targets", required=True, callback=targets, metavar="TARGET,...",
    help="rocm (hip), triton, tpu (pallas).",
)  # fmt: skip
@click.option("-o", "out", metavar="OUT", help="Write under this folder.")
@arch
@click.option("--check", is_flag=True, help="Compile what came out (HIP), for each --arch.")
@rocm_path
@click.option(
    "--verify",
    is_flag=True,
    help="Run the port and judge it by the recorded run beside the source.",
)
@click.option("--diff", is_flag=True, help="Print the change; without -o nothing is written.")
@json_flag
@click.option("--sarif", metavar="FILE", help="Write the findings as SARIF 2.1.0.")
@build_dir
@instantiate
@click.option("-j", "--jobs", type=click.IntRange(1), default=None, help="Processes for a folder.")
@click.pass_obj
def port_command(
    flags: tuple[str, ...],
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    out: str | None,
    arch: tuple[str, ...],
    check: bool,
    rocm_path: str | None,
    verify: bool,
    diff: bool,
    as_json: bool,
    sarif: str | None,
    build_dir: str | None,
    instantiate: tuple[str, ...],
    jobs: int | None,
) -> Exit:
    """Port sources."""
    from crossport.porting import Options

    options = Options(arch, flags, build_dir, instantiate, rocm_path, jobs)
    job = _PortJob(targets, out, options, write=out is not None or not diff)
    if check and not job.write:
        raise click.UsageError("--check compiles what is written: add -o OUT")
    result, code = job.run(sources)
    if check:
        result, checked = _check(result, sources, out, options)
        code = Exit.worst((code, checked))
    if verify:
        result, verified = _verify(result, sources, targets, options)
        code = Exit.worst((code, verified))
    _report(result, as_json=as_json, show_diff=diff, sarif=sarif)
    return code


def _check(
    result: PortResult, sources: Sequence[str], out: str | None, options: Options
) -> tuple[PortResult, Exit]:
    """Compile the HIP outputs of each source; what does not compile joins the findings."""
    from dataclasses import replace

    from crossport.migrate.check import check_tree

    found: list[Diagnostic] = []
    for source in sources:
        folder = out if out is not None else Path(source).parent
        try:
            checked = check_tree(
                folder, source, options.arch, options.rocm_path,
                build_dir=options.build_dir, flags=options.flags,
                progress=lambda name: click.echo(name, err=True),
            )  # fmt: skip
            found += checked.diagnostics
        except PortError as error:
            found += error.diagnostics
    code = Exit.PARTIAL if found else Exit.DONE
    return replace(result, diagnostics=(*result.diagnostics, *found)), code


def _verify(
    result: PortResult, sources: Sequence[str], targets: Sequence[str], options: Options
) -> tuple[PortResult, Exit]:
    """Judge each source's port; the kernels of the result say what came of it."""
    from crossport.api import target_names
    from crossport.verification import verified, verify_source

    codes: list[Exit] = []
    for path in with_bundles(sources, None):
        for target in target_names(targets):
            try:
                verdict = verify_source(path, target, options)
            except PortError as error:
                print_diagnostics(error.diagnostics)
                codes.append(Exit.UNVERIFIABLE)
                continue
            click.echo(f"{path}: {verdict.render()}", err=True)
            codes.append(Exit(verdict.exit_code))
            result = verified(result, path, target, verdict)
    return result, Exit.worst(codes)


class _PortJob:
    """Ports each path, writes what came out, and goes on after an input that cannot be read."""

    def __init__(
        self, targets: tuple[str, ...], out: str | None, options: Options, *, write: bool
    ) -> None:
        self.targets, self.out, self.options, self.write = targets, out, options, write

    def run(self, paths: Sequence[str]) -> tuple[PortResult, Exit]:
        """The merged result, and the worst exit code."""
        from crossport.result import merge

        results: list[PortResult] = []
        codes: list[Exit] = []
        for path in paths:
            try:
                result = self._one(path)
                codes.append(result.exit_code)
            except PortError as error:
                result = PortResult(diagnostics=error.diagnostics)
                codes.append(Exit.USAGE)
            results.append(result)
        return merge(results), Exit.worst(codes)

    def _one(self, path: str) -> PortResult:
        from crossport import api
        from crossport.porting import port_file

        if Path(path).is_dir():
            if self.write and self.out is None:
                raise PortError(
                    Diagnostic(
                        Code.USAGE,
                        f"{path} is a folder: say where its port goes",
                        help="add -o OUT",
                    )
                )
            result = api.port_folder(path, self.targets, self.options)
        else:
            result = port_file(path, self.targets, self.options)
        if self.write:
            folder = Path(self.out) if self.out is not None else Path(path).parent
            result.write(folder)
        return result


def _report(result: PortResult, *, as_json: bool, show_diff: bool, sarif: str | None) -> None:
    if sarif is not None:
        write_sarif(sarif, result.diagnostics)
    if as_json:
        print_json(result.as_json())
        return
    if show_diff:
        click.echo(result.diff(), nl=False)
    print_diagnostics(result.diagnostics)
    print_summary(result)
