"""Port a whole tree, whatever its layout, and count its translation units by what became of them.

    python benchmarks/units.py rodinia/cuda --rocm-path ROOT --json rodinia.json
    python benchmarks/units.py samples --rocm-path ROOT --json samples.json -- -Isamples/Common
    python benchmarks/units.py --table rodinia.json samples.json

A unit compiled (for each GPU and on the host), or its first error was announced by a finding
(announced.py), or neither. suite.py asks the same of suites with a folder for each program.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from announced import Announced

import crossport
from crossport.migrate.build_flags import CompileFlags, read_command
from crossport.migrate.check import Checker, UnitCheck
from crossport.migrate.units import Program, find_programs
from crossport.validation.amdgpu.compile import choose_toolchain

STATES = ("compiled", "announced", "neither")


def main(arguments: Sequence[str] | None = None) -> int:
    options, flags = _parse(list(sys.argv[1:] if arguments is None else arguments))
    if options.table:
        print(table([json.loads(path.read_text()) for path in options.paths]))
        return 0
    (tree,) = options.paths
    result = measure(tree.resolve(), options, flags)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table([result]))
    return 0


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, tuple[str, ...]]:
    flags: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, flags = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("paths", type=Path, nargs="+", help="a tree; with --table, results")
    parser.add_argument("--table", action="store_true", help="print results as one table")
    parser.add_argument("--out", type=Path, default=Path("build/units"), help="where ports go")
    parser.add_argument("--rocm-path", type=Path, help="ROCm install whose headers are used")
    parser.add_argument("--arch", default="gfx942", help="comma list of GPUs")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at a time")
    parser.add_argument("--json", type=Path, help="write the result here")
    return parser.parse_args(arguments), tuple(flags)


def measure(tree: Path, options: argparse.Namespace, flags: tuple[str, ...]) -> dict[str, Any]:
    """Port and check one tree."""
    archs = tuple(options.arch.split(","))
    out = (options.out / tree.name).resolve()
    started = time.time()
    ported = crossport.port_tree(tree, to="rocm", out=out, arch=archs, jobs=1, flags=flags)
    seconds = time.time() - started
    announced = Announced(ported.result.diagnostics, tree, out)
    toolchain = choose_toolchain(None, options.rocm_path)
    checker = Checker(toolchain, archs, options.jobs)
    given = read_command(flags)
    units: list[dict[str, str]] = []
    for program in find_programs(tree):
        (checked,) = checker.programs([_with_flags(program, given)], tree, out)
        units += [_row(unit, tree, announced) for unit in checked.units]
    return {
        "schema": 1,
        "tree": tree.name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, {platform.system()}",
        "compiler": toolchain.version,
        "sides": list(checker.sides),
        "edits": sum(output.edits for output in ported.result.outputs),
        "port_seconds": round(seconds, 1),
        "counts": dict(Counter(unit["state"] for unit in units)),
        "units": units,
    }


def _with_flags(program: Program, given: CompileFlags) -> Program:
    folders = tuple(Path(folder).resolve() for folder in given.folders)
    return replace(
        program,
        units=tuple(
            replace(u, flags=(*u.flags, *given.flags), folders=(*u.folders, *folders))
            for u in program.units
        ),
    )


def _row(unit: UnitCheck, tree: Path, announced: Announced) -> dict[str, str]:
    firsts = [errors[0] for _, errors in unit.sides if errors]
    state = "compiled"
    if firsts:
        state = "announced" if all(map(announced.covers, firsts)) else "neither"
    first = firsts[0].message.removeprefix("the compiler says: ") if firsts else ""
    return {"unit": str(unit.source.relative_to(tree)), "state": state, "first_error": first[:200]}


def table(results: Sequence[dict[str, Any]]) -> str:
    """One line a tree, then the units of which neither is true."""
    lines = [
        "| tree | units | compiled | announced | neither | edits |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        counts = [result["counts"].get(state, 0) for state in STATES]
        cells = (result["tree"], len(result["units"]), *counts, result["edits"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lost = [
        f"- {result['tree']}/{unit['unit']}: {unit['first_error']}"
        for result in results
        for unit in result["units"]
        if unit["state"] == "neither"
    ]
    return "\n".join([*lines, "", *lost])


if __name__ == "__main__":
    sys.exit(main())
