"""`port cases`, `port record`, `port bench`: what ports are judged by, and how fast it ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from crossport.cli.options import build_dir, comma_list, instantiate, json_flag, sources
from crossport.cli.output import print_diagnostics, print_json, write_text
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.result import Exit


@click.command("cases")
@sources
@click.option(
    "-o", "out", metavar="FILE",
    help="Write them there; else they are printed. Of several sources: a folder.",
)  # fmt: skip
@build_dir
@instantiate
@click.pass_obj
def cases_command(
    flags: tuple[str, ...],
    sources: tuple[str, ...],
    out: str | None,
    build_dir: str | None,
    instantiate: tuple[str, ...],
) -> Exit:
    """Launches to verify with, worked out from the source (cases.toml)."""
    from crossport.porting import Options
    from crossport.verification import inferred_cases

    options = Options(flags=flags, build_dir=build_dir, instantiate=instantiate)
    codes = [Exit.DONE]
    for source in map(Path, sources):
        try:
            text = inferred_cases(source, options)
        except PortError as error:
            print_diagnostics(error.diagnostics)
            codes.append(Exit.USAGE)
            continue
        if out is None:
            click.echo(text, nl=False)
        elif len(sources) == 1:
            write_text(out, text)
        else:
            write_text(str(Path(out) / f"{source.stem}.toml"), text)
    return Exit.worst(codes)


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
@click.option(
    "--predict",
    default="gfx942",
    callback=comma_list,
    metavar="DEVICE,...",
    show_default=True,
    help="Devices to give bounds for by their manuals; nothing is run there.",
)
@click.option(
    "--with", "others", multiple=True, metavar="FILE",
    help="Times of ports measured elsewhere, in the form of --json (repeatable).",
)  # fmt: skip
@click.option("--png", metavar="FILE", help="Write a roofline plot.")
@click.option("--svg", metavar="FILE", help="The same as SVG.")
@json_flag
def bench_command(
    sources: tuple[str, ...],
    predict: tuple[str, ...],
    others: tuple[str, ...],
    png: str | None,
    svg: str | None,
    as_json: bool,
) -> Exit:
    """Recorded times of the original, and of ports, against their devices' roofs."""
    from crossport.validation.bundle.archive import load_bundle
    from crossport.validation.performance.bench import bench_bundle, measured_elsewhere
    from crossport.validation.performance.predict import predict_bundle
    from crossport.validation.performance.roofline import write_roofline
    from crossport.validation.performance.table import predicted_table, table

    rows, predictions, codes = [], [], [Exit.DONE]
    for bundle in _bundles(sources, codes):
        try:
            loaded = load_bundle(bundle)
            rows += bench_bundle(loaded)
            predictions += predict_bundle(loaded, predict)
        except PortError as error:
            print_diagnostics(error.diagnostics)
            codes.append(Exit.UNVERIFIABLE)
    for other in others:
        rows += measured_elsewhere(Path(other), rows)
    if as_json:
        print_json(
            {
                "schema": 1,
                "launches": [row.as_json() for row in rows],
                "predictions": [row.as_json() for row in predictions],
            }
        )
    elif rows:
        click.echo("\n\n".join(filter(None, [table(rows), predicted_table(predictions)])))
    if rows:
        for plot in filter(None, (png, svg)):
            write_roofline(rows, predictions, Path(plot))
    return Exit.worst(codes)


def _bundles(sources: Sequence[str], codes: list[Exit]) -> Iterator[Path]:
    """The recorded run of each source; of a folder, all that are in it. Says what has none."""
    from crossport.verification import bundle_beside

    for source in map(Path, sources):
        if source.is_dir() and not (source / "SHA256SUMS").exists():
            found = sorted(source.rglob("*.bundle"))
            if not found:
                message = f"no recorded run (*.bundle) in {source}"
                help = "port record SOURCE --cases FILE -o BUNDLE makes one"
                print_diagnostics([Diagnostic(Code.CASES_MISSING, message, help=help)])
                codes.append(Exit.UNVERIFIABLE)
            yield from found
        elif source.suffix in (".cu", ".cuh"):
            try:
                yield bundle_beside(source)
            except PortError as error:
                print_diagnostics(error.diagnostics)
                codes.append(Exit.UNVERIFIABLE)
        else:
            yield source
