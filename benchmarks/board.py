"""The board: every corpus program, ported to every target, judged by every runner at hand.

    python benchmarks/board.py run corpus --runners triton,pallas,amdgpu:gfx942
    python benchmarks/board.py table > docs/board.md

Each cell is the word of one verdict against the program's recorded NVIDIA run. Cells are kept in
benchmarks/board.json under a hash of the source, the port and the recording: a run does only what
has changed since, and can be stopped at any time. The table takes what was measured on a GPU from
the data of the benchmarks that went there.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import crossport
from crossport.diagnostics import PortError
from crossport.result import PortResult
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.judge_port import candidate_from_file, judge_port
from crossport.validation.verdict import Verdict
from crossport.verification import not_judged

HERE = Path(__file__).resolve().parent
CELLS = HERE / "board.json"
TARGETS = {"interp": "cuda", "triton": "triton", "pallas": "pallas", "amdgpu": "hip"}
SHOWN = {
    "interp": "source, interpreted",
    "amdgpu:gfx942": "HIP, gfx942 emulated",
    "amdgpu:gfx90a": "HIP, gfx90a emulated",
    "amdgpu:gfx1100": "HIP, gfx1100 emulated",
    "amdgpu:gfx1201": "HIP, gfx1201 emulated",
    "hip:h200": "HIP, on the H200",
    "triton": "Triton, interpreted",
    "triton:h200": "Triton, on the H200",
    "pallas": "Pallas, interpreted",
}
GOOD = ("exact", "equivalent", "within-noise")
FRESH, UNSEEN = 1, 1


def main() -> int:
    """Judge what is asked for, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("run", "table"))
    parser.add_argument("corpus", type=Path, nargs="?", default=HERE.parent / "corpus")
    parser.add_argument("--runners", default=",".join(r for r in SHOWN if "h200" not in r))
    parser.add_argument("--kernels", default="")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--cells", type=Path, default=CELLS)
    options = parser.parse_args()
    kept = options.cells
    cells: dict[str, dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else {}
    if options.step == "table":
        _print(cells)
        return 0
    end = time.monotonic() + options.minutes * 60
    wanted = [k for k in options.kernels.split(",") if k]
    for runner in options.runners.split(","):
        for path in sorted(options.corpus.glob("*/h200.bundle")):
            if wanted and path.parent.name not in wanted:
                continue
            if time.monotonic() > end:
                return 1
            _fill(cells, path, runner, kept)
    return 0


def _fill(cells: dict[str, dict[str, Any]], path: Path, runner: str, kept: Path) -> None:
    """One cell, unless nothing has changed since it was filled."""
    name = path.parent.name
    key = f"{name} {runner}"
    try:
        bundle = load_bundle(path)
        port = _port(path, bundle, runner)
        state = _state(path, port)
        if cells.get(key, {}).get("state") == state:
            return
        cell = _judge(path, bundle, port, runner)
    except PortError as error:
        state, cell = "", {"word": "refused", "why": error.diagnostic.message[:200]}
    today = datetime.date.today().isoformat()
    cells[key] = {**cell, "state": state, "date": today}
    kept.write_text(json.dumps(dict(sorted(cells.items())), indent=1) + "\n")
    print(key, cell["word"], cell["why"], file=sys.stderr, flush=True)


def _port(path: Path, bundle: Bundle, runner: str) -> PortResult | None:
    kind, _, arch = runner.partition(":")
    if TARGETS[kind] == "cuda":
        return None
    source = path.with_name(f"{path.parent.name}.cu")
    instances = [k for k in bundle.cases.kernels if "<" in k]
    target = "rocm" if TARGETS[kind] == "hip" else TARGETS[kind]
    return crossport.port(source, to=target, arch=[arch or "gfx942"], instantiate=instances)


def _state(path: Path, port: PortResult | None) -> str:
    """What a verdict rests on, as a hash."""
    total = hashlib.sha256(path.read_bytes())
    total.update(path.with_name(f"{path.parent.name}.cu").read_bytes())
    for output in port.outputs if port else ():
        total.update(output.data)
    return total.hexdigest()[:16]


def _judge(path: Path, bundle: Bundle, port: PortResult | None, runner: str) -> dict[str, Any]:
    kind, _, arch = runner.partition(":")
    began = time.monotonic()
    if port is None:
        source = path.with_name(f"{path.parent.name}.cu")
        verdict = judge_port(
            candidate_from_file(source, "cuda"), bundle, runner=kind, fresh=FRESH, unseen=UNSEEN
        )
    else:
        verdict = judge_port(
            port, bundle, runner=kind, arch=arch or "gfx942", fresh=FRESH, unseen=UNSEEN,
            seconds=1800, not_ported=not_judged(port, bundle),
        )  # fmt: skip
    return {
        "word": _word(verdict),
        "why": _why(verdict),
        "kernels": {k: w.value for k, w in verdict.kernels.items()},
        "launches": len(verdict.launches),
        "seconds": round(time.monotonic() - began, 1),
    }


def _word(verdict: Verdict) -> str:
    """A port that says itself what it left is refused, not undecided."""
    bad = [launch.reason for launch in verdict.launches if not launch.word.passes]
    left = verdict.not_ported or bad
    said = all(reason.startswith("not run: not ported") for reason in bad)
    return "refused" if left and said else verdict.word.value


def _why(verdict: Verdict) -> str:
    first = verdict.first
    if first is not None:
        return f"{first.kernel}/{first.case}: {first.reason}"[:300]
    return "; ".join(f"{k}: {why}" for k, why in verdict.not_ported.items())[:300]


def _from_gpu(cells: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The cells, and those of the ports that ran on an NVIDIA GPU."""
    data = HERE / "hip_nvidia.json"
    made = dict(cells)
    for name, row in json.loads(data.read_text())["kernels"].items() if data.exists() else ():
        if "error" in row:
            made[f"{name} hip:h200"] = {"word": "no run", "why": row["error"]}
            continue
        words = [word for word in row["launches"] if word != "same bytes"]
        word = "divergent" if row["wrong"] else words[-1] if words else "exact"
        made[f"{name} hip:h200"] = {"word": word, "why": row["wrong"]}
    page = HERE.parent / "docs" / "triton_h200.md"
    rows = re.findall(r"(?m)^\| (\w+) \| ([a-z-]+) \| (.*?) ?\|$", page.read_text())
    for name, word, why in rows:
        if word in (*GOOD, "undecided", "divergent"):
            made[f"{name} triton:h200"] = {"word": word, "why": why}
    return made


def _print(cells: dict[str, dict[str, Any]]) -> None:
    cells = {key: _said(cell) for key, cell in _from_gpu(cells).items()}
    names = sorted({key.split()[0] for key in cells})
    runners = [r for r in SHOWN if any(key.split()[1] == r for key in cells)]
    dates = sorted({str(cell["date"]) for cell in cells.values() if "date" in cell})
    print("# The board\n\nMade by `python benchmarks/board.py run corpus`, then `... table`")
    print(f"({dates[0]} to {dates[-1]}): every corpus program, ported, run and judged against its")
    print(
        "recorded run on an NVIDIA H200. *refused*: there is no port, and the compiler says why.\n"
    )
    print("| runner | verified | refused | undecided | divergent |\n|---|---|---|---|---|")
    for runner in runners:
        tally = Counter(str(v["word"]) for k, v in cells.items() if k.split()[1] == runner)
        good = sum(tally[w] for w in GOOD)
        other = sum(tally[w] for w in ("undecided", "no run"))
        print(
            f"| {SHOWN[runner]} | {good} of {sum(tally.values())} "
            f"| {tally['refused']} | {other} | {tally['divergent']} |"
        )
    print("\n| program | " + " | ".join(SHOWN[r] for r in runners) + " |")
    print("|---" * (len(runners) + 1) + "|")
    for name in names:
        row = [str(cells.get(f"{name} {r}", {}).get("word", "")) for r in runners]
        print(f"| {name} | " + " | ".join(row) + " |")
    print("\n## What is not verified, and why\n")
    for key, cell in sorted(cells.items()):
        if cell["word"] not in GOOD:
            name, runner = key.split()
            print(f"- {name}, {SHOWN[runner]}: {cell['word']}: {cell['why']}{_help(cell)}")


def _said(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell of a port that says itself what it left: refused."""
    left = str(cell["why"]).partition("not run: not ported: ")[2]
    return {**cell, "word": "refused", "why": left} if left else cell


def _help(cell: dict[str, Any]) -> str:
    """What would decide a cell that is open."""
    why = str(cell["why"])
    if "file not found" in why:
        return " (decided by: this library's headers, ROCM_PATH)"
    if "timeout" in why:
        return " (decided by: a faster machine, or a GPU)"
    return ""


if __name__ == "__main__":
    sys.exit(main())
