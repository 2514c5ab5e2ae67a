"""The board: every corpus kernel, ported to every target, run here, judged against its NVIDIA run.

    python benchmarks/board.py [--only NAME,...] [--to hip:gfx942,...] [--json build/board.json]
                               [--markdown docs/board.md] [--jobs 1]

Columns are what can run on a machine without a GPU: HIP ports, compiled and emulated for three AMD
architectures; Triton and Pallas ports in their interpreters; and the thread IR itself.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossport.diagnostics import PortError
from crossport.porting import Options
from crossport.result import TARGETS
from crossport.verification import verify_source

CORPUS = Path(__file__).parents[1] / "corpus"
COLUMNS = ("interp", "hip:gfx90a", "hip:gfx942", "hip:gfx1100", "triton", "pallas")


@dataclass(frozen=True, slots=True)
class Cell:
    """One kernel on one target. word: a verdict's, or "refused", "error"."""

    kernel: str
    column: str
    word: str
    tier: str
    reason: str
    seconds: float


def judge(job: tuple[Path, str]) -> Cell:
    """Port, run, judge; whatever happens is a cell."""
    source, column = job
    target, _, arch = column.partition(":")
    began = time.perf_counter()
    word, tier, reason = "error", "", ""
    try:
        runner = "interp" if column == "interp" else None
        result, verdict = verify_source(
            source, TARGETS.get(target, "hip"), Options((arch or "gfx942",)), runner=runner
        )
        word = verdict.word.value
        tier = ",".join(sorted({k.tier for k in result.kernels}))
        first = verdict.first
        reason = verdict.missing or (f"{first.case}: {first.reason}" if first else "")
    except PortError as error:
        word, reason = "refused", error.diagnostics[-1].message
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    return Cell(source.parent.name, column, word, tier, reason, time.perf_counter() - began)


def markdown(cells: Sequence[Cell], columns: Sequence[str]) -> str:
    """The board as a page."""
    by_place = {(c.kernel, c.column): c for c in cells}
    kernels = sorted({c.kernel for c in cells})
    when = datetime.now(UTC).date().isoformat()
    lines = [
        "# The board",
        "",
        "Each corpus kernel, ported to each target, run on a machine without a GPU, and judged",
        "against the run of the original that was recorded on an NVIDIA H200 (and on fresh inputs",
        "against the interpreter). `exact`, `equivalent` and `within-noise`: verified. `refused`:",
        "no port, with a diagnostic.",
        "",
        f"Made by `python benchmarks/board.py --markdown docs/board.md`, {when}, "
        f"{platform.machine()}, Python {platform.python_version()}.",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for column_words in [{c: Counter(x.word for x in cells if x.column == c) for c in columns}]:
        summary = (", ".join(f"{n} {w}" for w, n in column_words[c].most_common()) for c in columns)
        lines.append("| **all** | " + " | ".join(summary) + " |")
    for kernel in kernels:
        row = (by_place.get((kernel, column)) for column in columns)
        shown = (
            f"{c.word}{f' ({c.tier})' if c.tier not in ('', 'source') else ''}" if c else ""
            for c in row
        )
        lines.append(f"| {kernel} | " + " | ".join(shown) + " |")
    bad = [c for c in cells if c.word in ("divergent", "undecided", "error", "refused")]
    lines += ["", "## What is not verified, and why", ""]
    lines += [
        f"- {c.kernel}, {c.column}: {c.word}: {_short(c.reason)}" for c in sorted(bad, key=str)
    ]
    return "\n".join(lines) + "\n"


def _counts(cells: Sequence[Cell], column: str) -> str:
    words = Counter(cell.word for cell in cells if cell.column == column)
    return ", ".join(f"{number} {word}" for word, number in words.most_common())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"


def main() -> int:
    """Print a line a cell; write the files asked for; exit 1 if anything is divergent or broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="kernels, with commas")
    parser.add_argument("--to", default=",".join(COLUMNS), help="columns, with commas")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    columns = options.to.split(",")
    wanted = set(filter(None, options.only.split(",")))
    sources = [p for p in sorted(CORPUS.glob("*/*.cu")) if not wanted or p.parent.name in wanted]
    jobs = [(source, column) for source in sources for column in columns]
    cells: list[Cell] = []
    with ProcessPoolExecutor(options.jobs, max_tasks_per_child=20) as pool:
        for cell in pool.map(judge, jobs):
            cells.append(cell)
            print(
                f"{cell.word:<13}{cell.kernel:<26}{cell.column:<14}{cell.tier:<7}"
                f"{cell.seconds:6.1f} s  {_short(cell.reason)}",
                flush=True,
            )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(c) for c in cells], indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(markdown(cells, columns))
    counts = Counter(c.word for c in cells)
    print(", ".join(f"{n} {word}" for word, n in counts.most_common()))
    return int(counts["divergent"] + counts["error"] > 0)


if __name__ == "__main__":
    sys.exit(main())
