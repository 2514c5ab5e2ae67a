"""`port watch`: look at one launch of a HIP port on the emulated GPU."""

from __future__ import annotations

import re
from pathlib import Path

import click

from crossport.cli.options import build_dir, instantiate, rocm_path
from crossport.cli.output import print_diagnostics
from crossport.diagnostics import PortError
from crossport.result import Exit


def _lane(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """`lane=5` or `lane=5,group=2` as (group, lane)."""
    if value is None:
        return None
    match = re.fullmatch(r"lane=(\d+)(?:,group=(\d+))?", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not like lane=5 or lane=5,group=2")
    return int(match[2] or 0), int(match[1])


@click.command("watch")
@click.argument("source", metavar="SOURCE")
@click.option("--arch", default="gfx942", metavar="ARCH", show_default=True, help="The GPU.")
@click.option("--kernel", default="", metavar="K", help="A kernel or instance; else the first.")
@click.option("--case", default="", metavar="NAME", help="One of its launches; else the first.")
@click.option(
    "--trace", callback=_lane, metavar="lane=N[,group=M]",
    help="List what thread N of workgroup M does.",
)  # fmt: skip
@click.option("--profile", is_flag=True, help="Predict costs: accesses, conflicts, divergence.")
@click.option("--races", is_flag=True, help="Report races, and LDS that nobody wrote.")
@rocm_path
@build_dir
@instantiate
@click.pass_obj
def watch_command(
    flags: tuple[str, ...],
    source: str,
    arch: str,
    kernel: str,
    case: str,
    trace: tuple[int, int] | None,
    profile: bool,
    races: bool,
    rocm_path: str | None,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Run one launch of the HIP port on the emulated GPU and show what it did.

    The launch is a recorded one, one of the cases.toml beside the source, or one worked out from
    it. Nothing is judged here: `port verify` does that.
    """
    from crossport.porting import Options, port_file
    from crossport.validation.judge_port import candidate_of
    from crossport.validation.runners.watch_amdgpu import Watch, watch_port
    from crossport.verification import evidence_for

    options = Options((arch,), flags, build_dir, instantiate, rocm_path)
    group, lane = trace if trace is not None else (0, None)
    watch = Watch(arch, kernel, case, lane, group, profile, races, rocm_path)
    try:
        cases = evidence_for(Path(source), options).cases.checked
        candidate = candidate_of(port_file(source, ["hip"], options), "hip")
        click.echo(watch_port(candidate, watch, cases))
    except PortError as error:
        print_diagnostics(error.diagnostics)
        return Exit.UNVERIFIABLE
    return Exit.DONE
