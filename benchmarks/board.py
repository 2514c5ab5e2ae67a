"""The board: every corpus kernel, ported to every target, judged by every runner at hand.

    python benchmarks/board.py corpus --runners triton,pallas,amdgpu:gfx942 > docs/board.md

Each cell is the word of one verdict against the kernel's recorded NVIDIA run. `--json FILE` keeps
the verdicts; kernels that are there already are not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import crossport
from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.judge_port import candidate_from_file, judge_port

TARGETS = {"interp": "cuda", "triton": "triton", "pallas": "pallas", "amdgpu": "hip"}


def main() -> int:
    """Judge what is asked for, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--runners", default="interp,triton,pallas,amdgpu:gfx942,amdgpu:gfx1100")
    parser.add_argument("--kernels", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--fresh", type=int, default=2)
    options = parser.parse_args()
    runners = options.runners.split(",")
    known: dict[str, dict[str, object]] = {}
    if options.json and options.json.exists():
        known = json.loads(options.json.read_text())
    wanted = [k for k in options.kernels.split(",") if k]
    for path in sorted(options.corpus.glob("*/h200.bundle")):
        name = path.parent.name
        if wanted and name not in wanted:
            continue
        for runner in runners:
            key = f"{name} {runner}"
            if key in known:
                continue
            known[key] = _cell(path, runner, options.fresh)
            print(key, known[key]["word"], known[key]["why"], file=sys.stderr, flush=True)
            if options.json:
                options.json.write_text(json.dumps(known, indent=1) + "\n")
    _print(known, runners)
    return 0


def _cell(path: Path, runner: str, fresh: int) -> dict[str, object]:
    kind, _, arch = runner.partition(":")
    target = TARGETS[kind]
    source = path.with_name(path.parent.name + ".cu")
    began = time.monotonic()
    try:
        bundle = load_bundle(path)
        instances = [k for k in bundle.cases.kernels if "<" in k]
        if target == "cuda":
            verdict = judge_port(
                candidate_from_file(source, "cuda"), bundle, runner=kind, fresh=fresh
            )
        else:
            to = "rocm" if target == "hip" else target
            archs = [arch] if arch else ["gfx942"]
            result = crossport.port(source, to=to, arch=archs, instantiate=instances)
            verdict = judge_port(
                result, bundle, target=target, runner=kind, arch=archs[0], fresh=fresh, seconds=240
            )
    except PortError as error:
        return {"word": "no port", "why": str(error.diagnostic.message)[:200]}
    first = verdict.first
    why = "" if first is None else f"{first.kernel}/{first.case}: {first.reason}"
    return {
        "word": verdict.word.value,
        "why": why[:300],
        "kernels": {k: w.value for k, w in verdict.kernels.items()},
        "launches": len(verdict.launches),
        "seconds": round(time.monotonic() - began, 1),
    }


def _print(known: dict[str, dict[str, object]], runners: list[str]) -> None:
    names = sorted({key.split()[0] for key in known})
    print(
        "# The board\n\nMade by `python benchmarks/board.py corpus`: every corpus kernel, ported,"
    )
    print("run and judged against its recorded run on an NVIDIA H200.\n")
    print("| kernel | " + " | ".join(runners) + " |\n|---" * 1 + "|---" * len(runners) + "|")
    for name in names:
        cells = [str(known.get(f"{name} {r}", {}).get("word", "")) for r in runners]
        print(f"| {name} | " + " | ".join(cells) + " |")
    for runner in runners:
        tally = Counter(str(v["word"]) for k, v in known.items() if k.split()[1] == runner)
        good = sum(tally[w] for w in ("exact", "equivalent", "within-noise"))
        print(
            f"\n{runner}: {good} of {sum(tally.values())} verified ({dict(sorted(tally.items()))})"
        )
    print("\n## What is not verified\n")
    for key, cell in sorted(known.items()):
        if cell["word"] not in ("exact", "equivalent", "within-noise"):
            print(f"- {key}: {cell['word']}: {cell['why']}")


if __name__ == "__main__":
    sys.exit(main())
