"""`port inspect`: facts. `port doctor`: what this machine can do."""

from __future__ import annotations

import click

from crossport.cli.options import build_dir, comma_list, instantiate, json_flag, sources
from crossport.cli.output import print_diagnostics, print_json
from crossport.result import Exit


@click.command("inspect")
@sources
@click.option("--kernel", "kernel_name", metavar="K", help="Only this kernel.")
@click.option(
    "--arch",
    default="sm_90,gfx942",
    callback=comma_list,
    metavar="ARCH,...",
    show_default=True,
    help="Targets to compare.",
)
@json_flag
@build_dir
@instantiate
@click.pass_obj
def inspect_command(
    flags: tuple[str, ...],
    sources: tuple[str, ...],
    kernel_name: str | None,
    arch: tuple[str, ...],
    as_json: bool,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Facts, per kernel and per access."""
    from crossport.inspection import existing, inspect_units
    from crossport.porting import Options, parse_source

    options = Options(arch, flags, build_dir, instantiate)
    units = [parse_source(path, options) for path in existing(sources)]
    report = inspect_units(units, kernel_name, arch)
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(report.as_text(), nl=False)
    print_diagnostics(report.diagnostics)
    return report.exit_code


@click.command("doctor")
@json_flag
def doctor_command(as_json: bool) -> Exit:
    """What can be compiled, run and verified on this machine."""
    from crossport.doctor import examine

    findings = examine()
    if as_json:
        print_json({"schema": 1, "tools": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(finding.as_text())
    return Exit.DONE
