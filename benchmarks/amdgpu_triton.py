"""Every Triton port of the corpus, compiled by Triton's AMD backend and run on the emulated GPU.

    python benchmarks/amdgpu_triton.py --arch gfx942,gfx950 --json triton.json

Each cell is the word of one verdict against the kernel's recorded NVIDIA run. With `--json` the
verdicts are kept, and kernels that are there already are not run again.
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
from crossport.validation.judge_port import judge_port

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
GOOD = ("exact", "equivalent", "within-noise")


def main() -> int:
    """Judge what is asked for, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="gfx942,gfx950")
    parser.add_argument("--kernels", default="")
    parser.add_argument("--fresh", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    archs = options.arch.split(",")
    known: dict[str, dict[str, object]] = {}
    if options.json and options.json.exists():
        known = json.loads(options.json.read_text())
    names = [k for k in options.kernels.split(",") if k]
    names = names or [p.parent.name for p in sorted(CORPUS.glob("*/h200.bundle"))]
    for name in names:
        for arch in archs:
            key = f"{name} {arch}"
            if key in known:
                continue
            known[key] = cell(name, arch, options.fresh, options.seconds)
            print(key, *(known[key][k] for k in ("tier", "word", "seconds", "why")),
                  file=sys.stderr, flush=True)  # fmt: skip
            if options.json:
                options.json.write_text(json.dumps(known, indent=1) + "\n")
    report({k: v for k, v in known.items() if k.split()[1] in archs}, archs)
    return 0


def cell(name: str, arch: str, fresh: int, seconds: float) -> dict[str, object]:
    """One kernel file's verdict."""
    began = time.monotonic()
    tier = ""
    try:
        bundle = load_bundle(CORPUS / name / "h200.bundle")
        instances = [k for k in bundle.cases.kernels if "<" in k]
        result = crossport.port(CORPUS / name / f"{name}.cu", to="triton", instantiate=instances)
        tier = "/".join(sorted({k.tier for k in result.kernels if k.status != "refused"}))
        ported = [k.name for k in result.kernels if k.status != "refused"]
        verdict = judge_port(
            result, bundle, target="triton", runner="amdgpu", arch=arch, fresh=fresh,
            seconds=seconds, kernels=ported,
        )  # fmt: skip
        word, first = verdict.word.value, verdict.first
        why = "" if first is None else f"{first.kernel}/{first.case}: {first.reason}"
    except PortError as error:
        word, why = "no port", str(error.diagnostic.message)
    taken = round(time.monotonic() - began, 1)
    return {"tier": tier, "word": word, "why": why[:400], "seconds": taken}


def report(known: dict[str, dict[str, object]], archs: list[str]) -> None:
    """The table, the totals, and what is not verified."""
    print("| kernel | tier | " + " | ".join(archs) + " |")
    print("|---|---|" + "---|" * len(archs))
    for name in sorted({key.split()[0] for key in known}):
        cells = [known.get(f"{name} {arch}", {}) for arch in archs]
        tier = next((str(c["tier"]) for c in cells if c), "")
        print(f"| {name} | {tier} | " + " | ".join(str(c.get("word", "")) for c in cells) + " |")
    for arch in archs:
        words = Counter(str(v["word"]) for k, v in known.items() if k.split()[1] == arch)
        good = sum(words[w] for w in GOOD)
        print(f"\n{arch}: {good} of {sum(words.values())} verified ({dict(sorted(words.items()))})")
    print()
    for key, value in sorted(known.items()):
        if value["word"] not in GOOD:
            print(f"- {key} ({value['tier']}): {value['word']}: {value['why']}")


if __name__ == "__main__":
    sys.exit(main())
