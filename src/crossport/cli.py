"""The command line `port`: options in, files and findings out, one exit code.

    port kernel.cu --to rocm            port inspect kernel.cu        port doctor

A first argument that is no subcommand is a source to port. What is heavy (libclang, torch, jax) is
imported by the command that needs it, so that `port --help` answers at once. Results go to stdout,
findings and progress to stderr.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossport import __version__
from crossport.diagnostics import Code, Diagnostic, PortError, sort_diagnostics
from crossport.result import TARGETS, Exit, KernelResult, PortResult, shown_path

if TYPE_CHECKING:
    from crossport.porting import Options
    from crossport.result import TargetName
    from crossport.validation.verdict import Verdict


class _Main(click.Group):
    """A group whose default command is to port."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        wants_help = not args or args[0] in ("--help", "-h", "--version")
        if not wants_help and args[0] not in self.commands:
            args = ["port", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage("port", "SOURCE... --to TARGET[,TARGET] [OPTIONS] [-- CLANG_FLAGS]")
        formatter.write_usage("port", "COMMAND [OPTIONS]", prefix="   or: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        ported = self.commands["port"]
        with formatter.section("Options of a port"):
            records = (p.get_help_record(ctx) for p in ported.params)
            formatter.write_dl([record for record in records if record])
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, c.get_short_help_str(80)) for name, c in self.commands.items()
                 if name != "port"]
            )  # fmt: skip


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crossport")
def cli() -> None:
    """Port CUDA kernels to HIP, Triton and Pallas, and prove each port.

    \b
    TARGET is rocm (= hip), triton or tpu (= pallas). SOURCE is a file or a folder.
    Without -o the port is written next to its source; no input file is ever changed.

    \b
    Exit codes: 0 done (and verified, if asked)   1 usage or I/O   2 ported in part
                3 verification failed             4 not verifiable here   5 internal error
    """


def _targets(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not names:
        shown = ", ".join(unknown) or value
        raise click.BadParameter(f"{shown!r} is not one of {', '.join(TARGETS)}")
    return tuple(dict.fromkeys(TARGETS[name] for name in names))


def _comma_list(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


_sources = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
_arch = click.option(
    "--arch", default="gfx942", callback=_comma_list, metavar="ARCH,...", show_default=True,
    help="AMD architectures the port is for.",
)  # fmt: skip
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
_build_dir = click.option(
    "-p", "build_dir", metavar="BUILD_DIR",
    help="Folder with compile_commands.json: the flags of each source.",
)  # fmt: skip
_instantiate = click.option(
    "--instantiate", multiple=True, metavar="'k<float,128>'",
    help="A template instance to port beside those that are launched (repeatable).",
)  # fmt: skip


@cli.command("port")
@_sources
@click.option(
    "--to", "targets", required=True, callback=_targets, metavar="TARGET,...",
    help="rocm (hip), triton, tpu (pallas).",
)  # fmt: skip
@click.option("-o", "out", metavar="OUT", help="Write under this folder.")
@_arch
@click.option("--check", is_flag=True, help="Compile what came out (HIP), for each --arch.")
@click.option("--rocm-path", metavar="ROOT", help="A ROCm install whose headers --check uses.")
@click.option(
    "--verify",
    is_flag=True,
    help="Run the port and judge it by the recorded run beside the source.",
)
@click.option("--diff", is_flag=True, help="Print the change; without -o nothing is written.")
@_json
@click.option("--sarif", metavar="FILE", help="Write the findings as SARIF 2.1.0.")
@_build_dir
@_instantiate
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
    for path in _with_bundles(sources, None):
        for target in target_names(targets):
            try:
                verdict = verify_source(path, target, options)
            except PortError as error:
                _print_diagnostics(error.diagnostics)
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


@cli.command("inspect")
@_sources
@click.option("--kernel", "kernel_name", metavar="K", help="Only this kernel.")
@click.option(
    "--arch",
    default="sm_90,gfx942",
    callback=_comma_list,
    metavar="ARCH,...",
    show_default=True,
    help="Targets to compare.",
)
@_json
@_build_dir
@_instantiate
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
        _print_json(report.as_json())
    else:
        click.echo(report.as_text(), nl=False)
    _print_diagnostics(report.diagnostics)
    return report.exit_code


@cli.command("verify")
@_sources
@click.option(
    "--to",
    "targets",
    default="rocm",
    callback=_targets,
    metavar="TARGET,...",
    show_default=True,
    help="rocm (hip), triton, tpu (pallas).",
)
@_arch
@click.option(
    "--against",
    metavar="BUNDLE",
    help="The recorded NVIDIA run; else the one beside, or the interpreter.",
)
@click.option(
    "--runner",
    metavar="NAME",
    help="interp, interp64, amdgpu, triton, pallas; else what fits the target.",
)
@click.option(
    "--mutate",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Break the port in N ways and count how many are caught.",
)
@click.option("--html", metavar="FILE", help="Write the verdicts as one page.")
@_json
@_build_dir
@_instantiate
@click.pass_obj
def verify_command(
    flags: tuple[str, ...],
    sources: tuple[str, ...],
    targets: tuple[TargetName, ...],
    arch: tuple[str, ...],
    against: str | None,
    runner: str | None,
    mutate: int,
    html: str | None,
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
    for path in _with_bundles(sources, against):
        for target in targets:
            for one in arch if target == "hip" else arch[:1]:
                options = Options((one,), flags, build_dir, instantiate)
                try:
                    verdict = verify_source(
                        path, target, options, against=against, runner=runner, mutate=mutate
                    )
                except PortError as error:
                    _print_diagnostics(error.diagnostics)
                    codes.append(Exit.UNVERIFIABLE)
                    continue
                codes.append(Exit(verdict.exit_code))
                verdicts.append((path, verdict))
                if not as_json:
                    click.echo(f"{path}: {verdict.render()}")
    if as_json:
        found = [{"source": str(path), "verdict": v.as_json()} for path, v in verdicts]
        _print_json({"schema": 1, "verdicts": found})
    if html is not None:
        from crossport.validation.report import html_report

        _write_text(html, html_report([verdict for _, verdict in verdicts]))
    return Exit.worst(codes)


def _with_bundles(sources: Sequence[str], against: str | None) -> list[Path]:
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


@cli.command("cases")
@click.argument("source")
@click.option("-o", "out", metavar="FILE", help="Write them there; else they are printed.")
@_build_dir
@_instantiate
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
        _write_text(out, text)
    return Exit.DONE


@cli.command("record")
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


@cli.command("bench")
@_sources
@click.option("--svg", metavar="FILE", help="Write a roofline plot.")
@_json
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
        _print_json({"schema": 1, "launches": [row.as_json() for row in rows]})
    else:
        click.echo(table(rows))
    if svg is not None:
        _write_text(svg, roofline_svg(rows))
    return Exit.DONE


@cli.command("doctor")
@_json
def doctor_command(as_json: bool) -> Exit:
    """What can be compiled, run and verified on this machine."""
    from crossport.doctor import examine

    findings = examine()
    if as_json:
        _print_json({"schema": 1, "tools": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(finding.as_text())
    return Exit.DONE


def _report(result: PortResult, *, as_json: bool, show_diff: bool, sarif: str | None) -> None:
    if sarif is not None:
        _write_sarif(sarif, result.diagnostics)
    if as_json:
        _print_json(result.as_json())
        return
    if show_diff:
        click.echo(result.diff(), nl=False)
    _print_diagnostics(result.diagnostics)
    _print_summary(result)


def _print_summary(result: PortResult) -> None:
    for output in result.outputs:
        edits = f"{output.edits} edit{'s' if output.edits != 1 else ''}"
        origin = f"{shown_path(output.source)} -> " if output.source else ""
        click.echo(f"{origin}{output.path}: {edits}", err=True)
    for group in _alike(result.kernels):
        kernel = group[0]
        name = f"{kernel.name.partition('<')[0]} ({len(group)} instances)"
        reason = f" ({kernel.reason})" if kernel.reason else ""
        click.echo(
            f"  {name if len(group) > 1 else kernel.name}: {kernel.target}, tier {kernel.tier}, "
            f"{kernel.status}{reason}",
            err=True,
        )


def _alike(kernels: Sequence[KernelResult]) -> list[list[KernelResult]]:
    """Kernels by template: instances that fared alike stand together."""
    groups: dict[tuple[object, ...], list[KernelResult]] = {}
    for k in kernels:
        key = (k.name.partition("<")[0], k.file, k.line, k.target, k.tier, k.status, k.reason)
        groups.setdefault(key, []).append(k)
    return list(groups.values())


def _print_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    for diagnostic in sort_diagnostics(diagnostics):
        click.echo(diagnostic.render(), err=True)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))


def _write_sarif(path: str, diagnostics: Sequence[Diagnostic]) -> None:
    from crossport.sarif import to_sarif

    _write_text(path, json.dumps(to_sarif(diagnostics), indent=2) + "\n")


def _write_text(path: str, text: str) -> None:
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_WRITE, f"cannot write {path}: {error.strerror or error}")
        ) from error


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(list(sys.argv[1:] if argv is None else argv)))


def run(argv: list[str]) -> int:
    """Run the command line; give its exit code. No exception leaves here."""
    # What stands behind `--` is for clang, not for us.
    end = argv.index("--") if "--" in argv else len(argv)
    flags = tuple(argv[end + 1 :])
    try:
        code = cli.main(argv[:end], prog_name="port", standalone_mode=False, obj=flags)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    except click.ClickException as error:
        click.echo(f"error: {Code.USAGE.value}: {error.format_message()}", err=True)
        click.echo("  help: port --help", err=True)
        return Exit.USAGE
    except PortError as error:
        _print_diagnostics(error.diagnostics)
        internal = error.diagnostic.code is Code.INTERNAL
        return Exit.INTERNAL if internal else Exit.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.USAGE
    except Exception:
        return _internal_error(argv)
    return int(code or 0)


def _internal_error(argv: list[str]) -> int:
    """Say that the fault is ours, and leave a file that reproduces it."""
    reproducer = Path("crossport-crash.txt")
    report = f"crossport {__version__}\nport {' '.join(argv)}\n\n{traceback.format_exc()}"
    try:
        reproducer.write_text(report)
        where = f"the report is in {reproducer}"
    except OSError:
        where = report
    diagnostic = Diagnostic(
        Code.INTERNAL,
        "crossport failed on this input; the fault is ours",
        help=f"{where}: please send it with the source",
    )
    click.echo(diagnostic.render(), err=True)
    return Exit.INTERNAL
