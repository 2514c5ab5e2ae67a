"""`port cases`, `port record`, `port bench`: what ports are judged by, and how fast it ran."""

from __future__ import annotations

from pathlib import Path

import click

from crossport.cli.options import build_dir, instantiate, json_flag, sources
from crossport.cli.output import print_json, write_text
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.result import Exit


@click.command("cases")
@click.argument("source")
@click.option("-o", "out", metavar="FILE", help="Write them there; else they are printed.")
@build_dir
@instantiate
@click.pass_obj
def cases_command(
    flags: tuple[str, ...],
    source: str,
    out: str | None,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Launches to verify with, worked out from the source (cases.toml)."""
    from crossport.porting import Options
    from crossport.verification import inferred_cases

    options = Options(flags=flags, build_dir=build_dir, instantiate=instantiate)
    text = inferred_cases(Path(source), options)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_text(out, text)
    return Exit.DONE


@click.command("record")
@click.argument("source")
@click.option("--cases", required=True, metavar="FILE", help="What to launch: cases.toml.")
@click.option("-o", "out", required=True, metavar="BUNDLE", help="Where the evidence goes.")
def record_command(source: str, cases: str, out: str) -> Exit:
    """The original NVIDIA run, as evidence."""
    from crossport.validation.bundle.record import record_bundle

    if not Path(source).is_file():
        raise PortError(Diagnostic(Code.CANNOT_READ, f"{source} is not a file"))
    recorded = record_bundle(cases, out)
    state = f"not recorded: {recorded.missing}" if recorded.missing else "recorded and sealed"
    click.echo(f"{recorded.path}: {state}", err=True)
    return Exit(recorded.exit_code)


@click.command("bench")
@sources
@click.option("--svg", metavar="FILE", help="Write a roofline plot.")
@json_flag
def bench_command(sources: tuple[str, ...], svg: str | None, as_json: bool) -> Exit:
    """Recorded times of the original against its device's roof."""
    from crossport.validation.bundle.archive import load_bundle
    from crossport.validation.performance.bench import bench_bundle, table
    from crossport.validation.performance.roofline import roofline_svg
    from crossport.verification import bundle_beside

    rows = []
    for source in map(Path, sources):
        bundle = bundle_beside(source) if source.suffix in (".cu", ".cuh") else source
        rows += bench_bundle(load_bundle(bundle))
    if as_json:
        print_json({"schema": 1, "launches": [row.as_json() for row in rows]})
    else:
        click.echo(table(rows))
    if svg is not None:
        write_text(svg, roofline_svg(rows))
    return Exit.DONE
