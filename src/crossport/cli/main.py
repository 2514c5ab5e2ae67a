"""The command line `port`: options in, files and findings out, one exit code.

    port kernel.cu --to rocm            port inspect kernel.cu        port doctor

A first argument that is no subcommand is a source to port. What is heavy (libclang, torch, jax) is
imported by the command that needs it, so that `port --help` answers at once. Results go to stdout,
findings and progress to stderr.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from crossport import __version__
from crossport.cli.evidence import bench_command, cases_command, record_command
from crossport.cli.inspect import doctor_command, inspect_command
from crossport.cli.output import print_diagnostics
from crossport.cli.port import port_command
from crossport.cli.verify import verify_command
from crossport.cli.watch import watch_command
from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.result import Exit

_PLANNED = {
    "status": "`port DIR --to TARGET -o OUT --json` says where each kernel stands",
    "report": "`port verify DIR --to TARGET --html FILE` writes a page of verdicts",
}


class _Main(click.Group):
    """A group whose default command is to port."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in _PLANNED and not Path(args[0]).exists():
            raise click.UsageError(f"there is no `port {args[0]}` yet; {_PLANNED[args[0]]}")
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


for _command in (
    port_command, inspect_command, verify_command, watch_command, cases_command, record_command,
    bench_command, doctor_command,
):  # fmt: skip
    cli.add_command(_command)


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
        print_diagnostics(error.diagnostics)
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
