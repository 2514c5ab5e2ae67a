"""`port inspect`: facts. `port doctor`: what this machine can do."""

from __future__ import annotations

import click

from crossport.cli.options import build_dir, comma_list, instantiate, json_flag, sources
from crossport.cli.output import print_diagnostics, print_json
from crossport.result import Exit


def _extent(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int, int] | None:
    """`32x8` as three numbers."""
    if value is None:
        return None
    parts = value.replace(",", "x").split("x")
    if len(parts) > 3 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"{value!r} is not one to three sizes like 32x8")
    x, y, z = (*map(int, parts), 1, 1)[:3]
    return x, y, z


def _sizes(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, int]:
    """`n=4096` by name."""
    found: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if not name.isidentifier() or not number.lstrip("-").isdigit():
            raise click.BadParameter(f"{value!r} is not like n=4096")
        found[name] = int(number)
    return found


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
@click.option("--block", callback=_extent, metavar="X[xYxZ]", help="Threads of a block.")
@click.option("--grid", callback=_extent, metavar="X[xYxZ]", help="Blocks of the grid.")
@click.option(
    "--size",
    "sizes",
    multiple=True,
    callback=_sizes,
    metavar="NAME=N",
    help="The value of a scalar argument (repeatable).",
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
    block: tuple[int, int, int] | None,
    grid: tuple[int, int, int] | None,
    sizes: dict[str, int],
    as_json: bool,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Facts, per kernel and per access."""
    from crossport.inspection import Given, existing, inspect_units
    from crossport.porting import Options, parse_source

    options = Options(arch, flags, build_dir, instantiate)
    units = [parse_source(path, options) for path in existing(sources)]
    report = inspect_units(units, kernel_name, arch, Given(grid, block, sizes))
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
