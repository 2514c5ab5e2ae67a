"""How many edits a port makes in a program, beside hipify-perl's own count for the same files.

    python benchmarks/edits_vs_hipify.py SUITE/src --hipify-perl PATH [--select '*-cuda']
        [--json FILE]

hipify-perl (a tool of its own, no part of this project) counts the references that it converts
(-print-stats) in every file that our port holds. Of our edits, those that meaning needs are counted
apart from names, headers and launches, which are all that it converts.

At the same time every file is checked byte by byte: what lies outside the edits is as it was.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from crossport.api import port_folder
from crossport.diagnostics import PortError
from crossport.porting import Options
from crossport.result import OutputFile

# Reasons of edits that spell CUDA's API in HIP's way, as a tool that renames does it.
NAMING = frozenset(
    (
        "API name",
        "header of HIP",
        "header of the port",
        "the included file is renamed",
        "nvcc includes the runtime header by itself",
        "part of hip/hip_runtime.h",
        "guard of HIP's header",
        "macro of the HIP compiler",
        "HIP takes symbols by this macro",
        "HIP takes a kernel as const void* here",
        "device function",
        "hipCUB",
    )
)
_FILE = re.compile(r"info: file '(.*)' statistics:\n\s+CONVERTED refs count: (\d+)")
_AT_ONCE = 200


@dataclass
class Program:
    """Counts of one program."""

    name: str
    naming: int = 0
    meaning: int = 0
    hipify: int = 0
    files: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    changed_elsewhere: list[str] = field(default_factory=list)
    """Files with a byte outside the edits that is not as it was."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--hipify-perl", type=Path, required=True)
    parser.add_argument("--select", default="*-cuda")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    programs = [
        program
        for folder in sorted(p for p in options.folder.glob(options.select) if p.is_dir())
        if (program := _ours(folder)) is not None
    ]
    counts = _theirs(options.hipify_perl, [file for p in programs for file in p.files])
    for program in programs:
        program.hipify = sum(counts.get(file, 0) for file in program.files)
    if options.json:
        options.json.write_text(json.dumps([asdict(p) for p in programs], indent=1) + "\n")
    print(report([asdict(p) for p in programs]))
    return 0


def _ours(folder: Path) -> Program | None:
    try:
        result = port_folder(folder, ["hip"], Options(jobs=1))
    except PortError:
        return None
    program = Program(folder.name)
    reasons: Counter[str] = Counter()
    for output in result.outputs:
        if not output.original:
            continue  # a header that comes with the port
        program.files.append(str(output.source))
        if not bytes_outside_edits_stay(output):
            program.changed_elsewhere.append(str(output.path))
        for change in output.changes:
            reasons[change.reason] += 1
            is_name = set(change.reason.split("; ")) <= NAMING or "is included already" in (
                change.reason
            )
            program.naming += is_name
            program.meaning += not is_name
    program.reasons = dict(reasons.most_common())
    return program


def bytes_outside_edits_stay(output: OutputFile) -> bool:
    """Whether the port is the original with each edit's stretch replaced, and nothing else."""
    at = written = 0
    for change in sorted(output.changes, key=lambda change: (change.start, change.end)):
        kept = output.original[at : change.start]
        if output.data[written : written + len(kept)] != kept:
            return False
        written += len(kept)
        new = change.replacement.encode("utf-8", "surrogateescape")
        if output.data[written : written + len(new)] != new:
            return False
        written += len(new)
        at = change.end
    return output.data[written:] == output.original[at:]


def _theirs(hipify: Path, files: list[str]) -> dict[str, int]:
    """hipify-perl's count for each file; a file that it converts nothing in is not told of."""
    found: dict[str, int] = {}
    wanted = list(dict.fromkeys(files))
    for first in range(0, len(wanted), _AT_ONCE):
        command = ["perl", str(hipify), "-print-stats", "-no-output", "-quiet-warnings"]
        done = subprocess.run(
            [*command, *wanted[first : first + _AT_ONCE]], capture_output=True, check=False
        )
        told = done.stderr.decode("utf-8", "replace")
        found |= {name: int(count) for name, count in _FILE.findall(told)}
    return found


def report(programs: list[dict[str, Any]]) -> str:
    """The distribution of counts, as a table, and what stands out."""
    rows = {
        "hipify-perl, converted references": [p["hipify"] for p in programs],
        "crossport, names, headers, launches": [p["naming"] for p in programs],
        "crossport, what meaning needs": [p["meaning"] for p in programs],
        "crossport, all edits": [p["naming"] + p["meaning"] for p in programs],
    }
    lines = [
        f"| edits a program ({len(programs)} programs) | median | 10 % | 90 % | most | all |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in rows.items():
        tenths = quantiles(values, n=10)
        cells = (median(values), tenths[0], tenths[-1], max(values), sum(values))
        lines.append(f"| {name} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")
    fewer = sum(p["naming"] <= p["hipify"] for p in programs)
    elsewhere = [f"{p['name']}/{f}" for p in programs for f in p["changed_elsewhere"]]
    files = sum(len(p["files"]) for p in programs)
    lines.append(
        f"\nNames, headers and launches are no more edits than hipify-perl's in {fewer} of"
        f" {len(programs)} programs. Bytes outside the edits: unchanged in"
        f" {files - len(elsewhere)} of {files} files."
    )
    lines += [f"- changed: {name}" for name in elsewhere]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
