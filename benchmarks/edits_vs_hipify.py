"""How much of a program a port changes, beside what hipify-perl changes in the same files.

    python benchmarks/edits_vs_hipify.py SUITE/src PORTS --hipify-perl PATH [--select '*-cuda']

PORTS is what `suite.py --out PORTS` left. For each program, hipify-perl (a tool of its own, no part
of this project) reads every file that the port holds. Counted on both sides: lines of the original
that are gone or changed, and lines that are new. Lines of functions that the port puts in count as
new lines.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Program:
    """Lines changed and lines new, in our port and in hipify-perl's."""

    name: str
    ours: tuple[int, int]
    theirs: tuple[int, int]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("ports", type=Path)
    parser.add_argument("--hipify-perl", type=Path, required=True)
    parser.add_argument("--select", default="*")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names = sorted(p.name for p in options.folder.glob(options.select) if p.is_dir())
    names = [name for name in names if (options.ports / name).is_dir()]

    def measure(name: str) -> Program:
        return _measure(options.folder / name, options.ports / name, options.hipify_perl)

    with ThreadPoolExecutor(options.jobs) as pool:
        programs = list(pool.map(measure, names))
    print(_table(programs))
    return 0


def _measure(source: Path, port: Path, hipify: Path) -> Program:
    ours, theirs = [0, 0], [0, 0]
    for file in sorted(p for p in port.rglob("*") if p.is_file()):
        original = source / file.relative_to(port)
        if original.suffix == ".hip":
            original = original.with_suffix(".cu")
        if not original.is_file():
            continue
        text = original.read_bytes()
        other = subprocess.run(
            ["perl", str(hipify), "-quiet-warnings", str(original)], capture_output=True
        ).stdout
        for total, new in ((ours, file.read_bytes()), (theirs, other)):
            changed, added = _changes(text, new)
            total[0] += changed
            total[1] += added
    return Program(source.name, (ours[0], ours[1]), (theirs[0], theirs[1]))


def _changes(old: bytes, new: bytes) -> tuple[int, int]:
    """Lines of `old` that are not in `new` as they were, and lines that `new` has beside them."""
    if old == new:
        return 0, 0
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    changed = added = 0
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            changed += old_end - old_start
            added += max(0, (new_end - new_start) - (old_end - old_start))
    return changed, added


def _table(programs: list[Program]) -> str:
    lines = [
        "| port | lines changed, median | all | lines new, median | all |",
        "|---|---|---|---|---|",
    ]
    for who in ("ours", "theirs"):
        changed = [getattr(p, who)[0] for p in programs]
        added = [getattr(p, who)[1] for p in programs]
        name = "crossport" if who == "ours" else "hipify-perl"
        numbers = (median(changed), sum(changed), median(added), sum(added))
        lines.append(f"| {name} | " + " | ".join(f"{number:.0f}" for number in numbers) + " |")
    fewer = sum(p.ours[0] <= p.theirs[0] for p in programs)
    lines.append(f"\n{len(programs)} programs; ours changes no more lines in {fewer} of them.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
