"""Port a suite of CUDA programs and count how many compile: for each GPU, and on the host.

    python benchmarks/suite.py SUITE/src --rocm-path ROOT --hand-suffix=-hip --json result.json

A program is a subfolder of FOLDER (`--select` says which) that has CUDA translation units. It
passes a side when every unit does. Beside our ports, two baselines are measured in the same way:
ports by hand that lie beside the programs (`x-cuda`, `x-hip`), and any folder of ports
(`--ported DIR`, laid out like FOLDER). `--no-port` leaves our own ports out.

A failure counts as announced when the first error of each unit and side was told by a finding of
the port, at its place or about its name (announced.py); the aim is that nothing fails unannounced.
Results are cached by content: a second run checks only what changed.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from announced import Announced
from constructs import constructs_in
from suite_report import markdown

from crossport.diagnostics import Diagnostic, PortError
from crossport.migrate.check import Checker, ProgramCheck
from crossport.migrate.units import Program, find_programs
from crossport.validation.amdgpu.compile import choose_toolchain


@dataclass
class Side:
    """One contender on one program: which sides pass, and what went wrong first."""

    passes: dict[str, bool]
    first_error: str = ""
    error_file: str = ""
    error_line: int = 0
    failing_units: int = 0
    announced: bool = False
    findings: dict[str, int] = field(default_factory=dict)
    edits: int = 0
    seconds: float = 0.0
    crash: str = ""
    again: int = 0
    """Edits when the port is ported once more: none, if it is stable."""


@dataclass
class Row:
    """One program of the suite."""

    name: str
    units: int
    constructs: list[str]
    contenders: dict[str, Side] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a run measures; handed to the worker processes."""

    folder: Path
    out: Path
    archs: tuple[str, ...]
    rocm_path: Path | None
    hand_suffix: str
    ported: Path | None
    port: bool
    timeout: float


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    plan = Plan(
        options.folder.resolve(),
        options.out.resolve(),
        tuple(options.arch.split(",")),
        options.rocm_path.resolve() if options.rocm_path else None,
        options.hand_suffix,
        options.ported.resolve() if options.ported else None,
        not options.no_port,
        options.timeout,
    )
    names = _programs(plan, options)
    toolchain = choose_toolchain(None, plan.rocm_path)
    rows: list[Row] = []
    started = time.time()
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        for row in pool.map(_measure, [plan] * len(names), names, chunksize=1):
            if row is None:
                continue
            rows.append(row)
            _progress(row, len(rows), len(names))
    result = {
        "schema": 1,
        "suite": plan.folder.parent.name if plan.folder.name == "src" else plan.folder.name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {platform.system()}",
        "compiler": toolchain.version,
        "headers": _headers_name(plan.rocm_path),
        "sides": ["host", *plan.archs],
        "seconds": round(time.time() - started, 1),
        "programs": [asdict(row) for row in rows],
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    if options.markdown:
        options.markdown.write_text(text)
    print(text)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="the suite: one subfolder a program")
    parser.add_argument("--select", default="", help="glob of program folders, such as '*-cuda'")
    parser.add_argument("--programs", default="", help="comma list of program folders to measure")
    parser.add_argument("--out", type=Path, default=Path("build/suite"), help="where ports go")
    parser.add_argument("--ported", type=Path, help="a folder of other ports, to compare")
    parser.add_argument("--hand-suffix", default="", help="suffix of ports by hand (-hip)")
    parser.add_argument("--no-port", action="store_true", help="measure the baselines only")
    parser.add_argument("--rocm-path", type=Path, help="ROCm install whose headers are used")
    parser.add_argument("--arch", default="gfx942", help="comma list of GPUs")
    parser.add_argument("--sample", type=int, default=0, help="a random sample of N programs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--hard", action="store_true", help="warp, PTX, wmma, texture programs only"
    )
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one file")
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--markdown", type=Path, help="write the table here")
    return parser.parse_args(arguments)


def _programs(plan: Plan, options: argparse.Namespace) -> list[str]:
    select = options.select or ("*-cuda" if any(plan.folder.glob("*-cuda")) else "*")
    names = sorted(p.name for p in plan.folder.glob(select) if p.is_dir())
    if options.programs:
        wanted = set(options.programs.split(","))
        names = [name for name in names if name in wanted or name.removesuffix("-cuda") in wanted]
    if options.hard:
        from constructs import HARD

        names = [n for n in names if constructs_in(plan.folder / n) & set(HARD)]
    if options.sample and options.sample < len(names):
        names = sorted(random.Random(options.seed).sample(names, options.sample))
    return names


def _measure(plan: Plan, name: str) -> Row | None:
    """Everything about one program; None for a folder without CUDA translation units."""
    source = plan.folder / name
    programs = find_programs(source)
    if not programs:
        return None
    units = sum(len(program.units) for program in programs)
    row = Row(name, units, sorted(constructs_in(source)))
    checker = Checker(choose_toolchain(None, plan.rocm_path), plan.archs, 1, plan.timeout)
    if plan.hand_suffix:
        hand = plan.folder / (name.removesuffix("-cuda") + plan.hand_suffix)
        if hand.is_dir() and (built := find_programs(hand)):
            checks = checker.programs(built, hand, hand)
            row.contenders["by hand"] = _side(checks, checker.sides)
    if plan.ported is not None and (plan.ported / name).is_dir():
        checks = checker.programs(programs, source, plan.ported / name)
        row.contenders["compared"] = _side(checks, checker.sides)
    if plan.port:
        row.contenders["crossport"] = _port_and_check(plan, name, programs, checker)
    return row


def _port_and_check(plan: Plan, name: str, programs: list[Program], checker: Checker) -> Side:
    """Port the folder with the library, then compile what came out."""
    import crossport

    source, out = plan.folder / name, plan.out / name
    started = time.time()
    findings: tuple[Diagnostic, ...] = ()
    edits, crash = 0, ""
    try:
        tree = crossport.port_tree(source, to="rocm", out=out, arch=plan.archs, jobs=1)
        result = tree.result
        findings = result.diagnostics
        edits = sum(output.edits for output in result.outputs)
    except PortError as error:
        findings = error.diagnostics
    except Exception as error:  # a crash is a result of the measurement, the worst one
        frame = traceback.extract_tb(error.__traceback__)[-1]
        crash = f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
    seconds = time.time() - started
    checks = checker.programs(programs, source, out)
    side = _side(checks, checker.sides)
    side.seconds = round(seconds, 2)
    side.again = _edits_again(out, plan.archs)
    side.edits = edits
    side.crash = crash
    for finding in findings:
        key = f"{finding.severity.value} {finding.code.value}"
        side.findings[key] = side.findings.get(key, 0) + 1
    told = Announced(findings, source, out)
    errors = [errs[0] for check in checks for unit in check.units for _, errs in unit.sides if errs]
    untold = [error for error in errors if not told.covers(error)]
    side.announced = not crash and not untold
    if untold:
        _show(side, untold[0])
    return side


def _edits_again(out: Path, archs: tuple[str, ...]) -> int:
    """How many edits a port of the port makes."""
    import crossport

    try:
        with tempfile.TemporaryDirectory() as folder:
            tree = crossport.port_tree(out, to="rocm", out=folder, arch=archs, jobs=1)
    except PortError:
        return 0  # nothing of CUDA is left in it
    return sum(output.edits for output in tree.result.outputs)


def _side(checks: Sequence[ProgramCheck], sides: Sequence[str]) -> Side:
    passes = {side: all(check.passes(side) for check in checks) for side in sides}
    errors = [check.first_error(side) for side in sides for check in checks]
    first = next((error for error in errors if error is not None), None)
    failing = sum(
        1 for check in checks for unit in check.units if any(errs for _, errs in unit.sides)
    )
    side = Side(passes, failing_units=failing)
    if first is not None:
        _show(side, first)
    return side


def _show(side: Side, error: Diagnostic) -> None:
    """Make an error the one that the page shows for this program."""
    side.first_error = error.message.removeprefix("the compiler says: ")[:300]
    if error.span is not None:
        side.error_file, side.error_line = error.span.file, error.span.line


def _headers_name(rocm_path: Path | None) -> str:
    from crossport.validation.amdgpu.compile.toolchains import hip_version

    if rocm_path is None:
        return "HIP headers of the toolchain"
    return f"HIP {hip_version(rocm_path / 'include')} and its libraries' headers"


def _progress(row: Row, done: int, total: int) -> None:
    marks = " ".join(
        f"{who}:{''.join('+' if ok else '-' for ok in side.passes.values())}"
        for who, side in row.contenders.items()
    )
    print(f"[{done}/{total}] {row.name} {marks}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
