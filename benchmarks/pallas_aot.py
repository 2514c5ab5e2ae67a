"""Compile the TPU ports of a corpus for v5e and v6e, without a TPU, and count the Pallas kernels.

    python benchmarks/pallas_aot.py corpus                the largest case of each kernel
    python benchmarks/pallas_aot.py corpus --cycles       and libtpu's static estimate on v6e

A kernel counts as `tile` where the port is a Pallas kernel and that kernel, not the XLA form that
stands in the same module for launches that do not fit, is what the case compiles to.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import lift

from crossport.backends.pallas.compile import Compiled, Launch, compile_launches
from crossport.backends.pallas.port import port_module
from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.lift.naming import Options
from crossport.validation.cases import Case, load_cases

GENERATIONS = ("v5e", "v6e")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--cycles", action="store_true")
    parser.add_argument("--limit", type=float, default=300, help="seconds for a compilation")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sys.setrecursionlimit(20_000)
    rows: list[dict[str, Any]] = []
    launches: list[Launch] = []
    for program in sorted(p for p in args.folder.iterdir() if p.is_dir()):
        if args.only and program.name not in args.only:
            continue
        for row, launch in ports(program):
            rows.append(row)
            if launch is not None:
                row["launch"] = len(launches)
                launches.append(launch)
    compiled = {row["launch"]: row for row in rows if "launch" in row}

    def seen(number: int, generation: str, found: Compiled) -> None:
        row = compiled[number]
        row[generation] = found.error or ("kernel" if found.kernels else "xla")
        row["seconds"] = row.get("seconds", 0.0) + found.seconds
        if generation == GENERATIONS[-1]:
            if args.cycles and all(row[g] == "kernel" for g in GENERATIONS):
                row["cycles"] = cycles(launches[number])
            print(line(row), flush=True)

    for row in rows:
        if "launch" not in row:
            print(line(row), flush=True)
    compile_launches(launches, generations=GENERATIONS, seen=seen, timeout=args.limit)
    summary(rows)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))
    return 0


def ports(program: Path) -> list[tuple[dict[str, Any], Launch | None]]:
    """Each kernel of a program, and the launch to compile."""
    result: list[tuple[dict[str, Any], Launch | None]] = []
    for source in sorted(program.rglob("*.cu")):
        try:
            unit = parse(
                source,
                flags=[f"-I{program}", f"-I{program}/../include"],
                instantiate=lift.instances(program),
            )
            module = lower_unit(unit)
        except PortError as error:
            result.append((row_of(program, "-", None, error.diagnostic.message), None))
            continue
        options = Options(source_name=source.name, blocks=lift.launched(unit))
        ported = port_module(module, source.read_text(errors="replace"), options)
        for kernel in ported.kernels:
            why = kernel.diagnostics[-1].message if kernel.diagnostics else ""
            row = row_of(program, kernel.name, kernel.tier, why)
            case = largest(program / "cases.toml", kernel.name)
            if kernel.tier is None or case is None:
                result.append((row, None))
                continue
            launch = Launch(
                kernel.function, shapes(case), tuple(case.grid),
                tuple(case.block), case.shared_bytes, ported.text,
            )  # fmt: skip
            result.append((row, launch))
    return result


def row_of(program: Path, kernel: str, tier: str | None, why: str) -> dict[str, Any]:
    """What the table says of a kernel so far."""
    return {"program": program.name, "kernel": kernel, "tier": tier, "why": why}


def largest(file: Path, kernel: str) -> Case | None:
    """The case with the most array elements."""
    if not file.exists():
        return None
    mine = [c for c in load_cases(file).checked if lift.spelled(c.kernel) == lift.spelled(kernel)]
    return max(mine, key=lambda c: sum(a.count for a in c.arrays), default=None)


def shapes(case: Case) -> list[Any]:
    """A case's arguments without their data."""
    return lift.arguments(
        case, {a.name: [a.dtype.storage, a.count] for a in case.arrays}, for_port=True
    )


def cycles(launch: Launch) -> int | None:
    """libtpu's static estimate on v6e: loops that data ends count as few rounds."""
    with tempfile.TemporaryDirectory() as folder:
        compile_launches([launch], generations=("v6e",), profile=folder, timeout=60)
        texts = [Path(f).read_text() for f in glob.glob(f"{folder}/*profile.textproto")]
    found = [int(n) for t in texts for n in re.findall(r"estimated_cycles: (\d+)", t)]
    return sum(found) if found else None


def line(row: dict[str, Any]) -> str:
    """One kernel."""
    parts = [f"{row['program']:26} {row['kernel'][:26]:26} {row['tier'] or 'none':5}"]
    parts += [f"{g} {str(row.get(g, '-'))[:160]}" for g in GENERATIONS]
    if row.get("cycles"):
        parts.append(f"{row['cycles']} cycles")
    return "  ".join([*parts, row["why"][:110]]).replace("\n", " ")


def summary(rows: list[dict[str, Any]]) -> None:
    """Counts."""
    tile = [r for r in rows if r["tier"] == "tile"]
    for generation in GENERATIONS:
        good = sum(r.get(generation) == "kernel" for r in tile)
        print(f"{generation}: {good} of {len(rows)} kernels are Pallas kernels that compile")
    both = sum(all(r.get(g) == "kernel" for g in GENERATIONS) for r in tile)
    some = sum(all(r.get(g) in ("kernel", "xla") for g in GENERATIONS) for r in rows)
    print(f"both: {both} in tier tile ({both / len(rows):.0%}); {some} compile in some tier")
    print(f"compiled in {sum(r.get('seconds', 0.0) for r in rows):.0f} s on {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
