"""A suite's kernels, ported to HIP, compiled for AMD and run on the emulated GPU: cases made up.

    python benchmarks/amdgpu_hecbench.py HeCBench/src --json result.json [--rocm-path ROOT]
    python benchmarks/amdgpu_hecbench.py HeCBench/src --json result.json --table

Nobody recorded these programs, so the interpreter of the IR (warps of 32, the CUDA meaning) is the
reference: cases come from signatures and launch sites (`port cases`), the port runs as machine code
of a wave64 GPU, and the tester judges. One line a kernel; a kernel without a word says why. Small
programs come first; what the JSON file has is not done again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit
from crossport.porting import Options, launch_hints, parse_source, port_file
from crossport.validation import infer
from crossport.validation.bundle.interpreted import interpreted_bundle
from crossport.validation.cases import load_cases
from crossport.validation.judge_port import candidate_of
from crossport.validation.runners.amdgpu import AmdgpuRunner
from crossport.validation.verify import verify

GOOD = ("exact", "equivalent", "within-noise")
Row = dict[str, str]


def main() -> int:
    """Run what is not known yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--json", type=Path, nargs="+", required=True, help="the first is kept")
    parser.add_argument("--arch", default="gfx942")
    parser.add_argument("--rocm-path", type=Path)
    parser.add_argument("--part", default="0/1", help="every Nth program: 0/2 and 1/2 are halves")
    parser.add_argument("--only", default="", help="programs, by name")
    parser.add_argument("--seconds", type=float, default=90, help="for one program")
    parser.add_argument("--sizes", default="33,257", help="what size parameters are set to")
    parser.add_argument("--until", help="HH:MM, when no new program is begun")
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    if options.rocm_path is not None:
        os.environ["ROCM_PATH"] = str(options.rocm_path)
    infer.SIZES = tuple(int(size) for size in options.sizes.split(","))
    infer._SECONDS = 2.0
    known: dict[str, dict[str, Row]] = {}
    for file in options.json:
        if file.exists():
            known |= json.loads(file.read_text())
    sources = [p for p in options.suite.glob("*-cuda/*.cu") if b"__global__" in p.read_bytes()]
    sources.sort(key=lambda p: (p.stat().st_size, p))
    only = set(options.only.split(",")) if options.only else None
    sources = [p for p in sources if only is None or p.parent.name in only]
    part, parts = map(int, options.part.split("/"))
    for path in () if options.table else sources[part::parts]:
        name = f"{path.parent.name.removesuffix('-cuda')}/{path.name}"
        if name in known or (options.until and time.strftime("%H:%M") >= options.until):
            continue
        began = time.monotonic()
        known[name] = bounded(path, options.arch, options.seconds)
        words = Counter(row["word"] for row in known[name].values())
        print(f"{name} {time.monotonic() - began:.0f} s {dict(words)}", file=sys.stderr, flush=True)
        options.json[0].write_text(json.dumps(known, indent=1) + "\n")
    report(known)
    return 0


def bounded(path: Path, arch: str, seconds: float) -> dict[str, Row]:
    """One program in a process of its own, which ends when its time is over."""
    ours, theirs = multiprocessing.get_context("fork").Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_child, args=(theirs, path, arch), daemon=False
    )
    process.start()
    theirs.close()
    try:
        found: dict[str, Row] = ours.recv() if ours.poll(seconds) else {}
    except EOFError:
        found = {"*": _row("no answer", "the process died")}
    if process.is_alive():
        process.join(2)
        process.kill()
    process.join()
    return found or {"*": _row("no answer", f"longer than {seconds:.0f} s")}


def _child(answer: Any, path: Path, arch: str) -> None:
    try:
        answer.send(program(path, arch))
    except PortError as error:
        answer.send({"*": _row("not run", str(error.diagnostic.message))})
    except Exception as error:  # one program's surprise must not end the measurement
        answer.send({"*": _row("not run", f"{type(error).__name__}: {error}")})


def program(path: Path, arch: str) -> dict[str, Row]:
    """Every kernel of one file."""
    os.chdir(path.parent)
    flags = (f"-I{path.parent}",)
    options = Options(arch=(arch,), flags=flags)
    unit = parse_source(path, options)
    module = lower_unit(unit)
    rows = {kernel.name: _row("no case", "none could be worked out") for kernel in module.kernels}
    if not rows:
        return {"*": _row("no kernel", "")}
    text = infer.infer_cases(module, launches=launch_hints(unit), source=str(path))
    instances = tuple(name for name in re.findall(r'^name = "(.*<.*>)"', text, re.M))
    result = port_file(path, ["hip"], Options(arch=(arch,), flags=flags, instantiate=instances))
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "cases.toml"
        file.write_text(text)
        bundle = interpreted_bundle(load_cases(file))
        runner = AmdgpuRunner(arch, seconds=30, flags=flags)
        verdict = verify(candidate_of(result, "hip"), bundle, runner, fresh=0, gated=False)
    for name, word in verdict.kernels.items():
        mine = [launch for launch in verdict.launches if launch.kernel == name]
        first = next((v for v in mine if not v.word.passes), None)
        why = "" if first is None else f"{first.case}: {first.reason} {' '.join(first.faults)}"
        rows[name] = _row(word.value, why)
    return rows


def _row(word: str, why: str) -> Row:
    return {"word": word, "why": why[:300]}


def report(known: dict[str, dict[str, Row]]) -> None:
    """Totals, kernels that agree, and the reasons of the rest."""
    rows = [(f, k, r) for f, kernels in sorted(known.items()) for k, r in sorted(kernels.items())]
    words = Counter(r["word"] for _, _, r in rows)
    ran = [r for _, _, r in rows if r["word"] in (*GOOD, "divergent")]
    good = [(f, k, r["word"]) for f, k, r in rows if r["word"] in GOOD]
    print(f"{len(known)} files, {len(rows)} kernels, {len(ran)} ran, {len(good)} agree\n")
    print("| word | kernels |\n|---|---|")
    for word, count in sorted(words.items()):
        print(f"| {word} | {count} |")
    print("\n| program | kernels that agree |\n|---|---|")
    for file in dict.fromkeys(f for f, _, _ in good):
        print(f"| {file} | {', '.join(f'{k} ({w})' for f, k, w in good if f == file)} |")
    print()
    for file, kernel, row in rows:
        if row["word"] == "divergent":
            print(f"- {file} {kernel}: {row['why']}")
    print("\n| why a kernel did not run | kernels |\n|---|---|")
    for why, count in reasons(r for _, _, r in rows if r["word"] not in (*GOOD, "divergent")):
        print(f"| {why} | {count} |")


def reasons(rows: Sequence[Row] | Any) -> list[tuple[str, int]]:
    """Reasons with names and numbers taken out, the most frequent first."""
    found: Counter[str] = Counter()
    for row in rows:
        why = re.sub(r"^[^:]*: (?=not run|the port)", "", row["why"])
        why = re.sub(r"'[^']*'|/\S+|\b\d+\b", "…", why).strip()[:90].replace("|", "/")
        found[f"{row['word']}: {why}" if why else row["word"]] += 1
    return found.most_common()


if __name__ == "__main__":
    sys.exit(main())
