"""HIP ports on an NVIDIA GPU: are they right there, and as fast as the original?

    python benchmarks/hip_nvidia.py make corpus build/hip_nvidia     # a folder, needs only nvcc
    bash build/hip_nvidia/run.sh RESULTS                             # on the NVIDIA machine
    python benchmarks/hip_nvidia.py judge corpus RESULTS --json benchmarks/hip_nvidia.json
    python benchmarks/hip_nvidia.py table benchmarks/hip_nvidia.json > docs/hip_nvidia.md

Each kernel gets one program that holds the original and the port, in two namespaces. Both run on
the same data, in turn: outputs are compared byte for byte, times are device events around one
launch with a cold L2 cache. Where bytes differ, the port's outputs come back and are judged as any
port's are. HIP's names are CUDA's there through the headers in validation/runners/hip_on_nvidia.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import crossport
from crossport.validation.bundle import driver
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.bundle.driver import driver_text, slugs
from crossport.validation.cases import Case
from crossport.validation.judging import Judge
from crossport.validation.plan import Planned
from crossport.validation.runners.base import Call, RunOutput

HERE = Path(__file__).resolve().parent
# Where a ratio is not about 1, and why.
NOTES = {
    "matmul_cp_async": "HIP has no cp.async: the port copies through registers",
    "reduce_unrolled_template": "the port orders the last warp, where the original trusts volatile",
    "scan_warp_shuffle": "HIP's shuffles work on the active lanes, and ask which those are",
}
LEFT_OUT = "not run: its port needs a header of ours that is for AMD alone"
RUNTIME = Path(driver.__file__).with_name("driver_runtime.h")
HEADERS = Path(driver.__file__).parents[1] / "runners" / "hip_on_nvidia"


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("make", "judge", "table"))
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kernels", default="")
    options = parser.parse_args()
    match options.step:
        case "make":
            return _make(options.paths[0], options.paths[1], options.kernels)
        case "judge":
            return _judge(options.paths[0], options.paths[1], options.json)
        case _:
            return _table(options.paths[0])


def _make(corpus: Path, out: Path, wanted: str) -> int:
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(HEADERS, out / "include")
    shutil.copyfile(RUNTIME, out / "driver_runtime.h")
    for name in ("compare.h", "run.sh"):
        shutil.copyfile(HERE / "hip_nvidia_driver" / name, out / name)
    left: list[str] = []
    for path in sorted(corpus.glob("*/h200.bundle")):
        name = path.parent.name
        if wanted and name not in wanted.split(","):
            continue
        bundle = load_bundle(path)
        source = path.with_name(f"{name}.cu")
        instances = [k for k in bundle.cases.kernels if "<" in k]
        port = crossport.port(source, to="rocm", arch=["gfx90a"], instantiate=instances)
        text = port.outputs[0].text
        # Warp matrices of ours are for AMD alone.
        if any(k.status == "refused" for k in port.kernels) or '#include "crossport_' in text:
            left.append(name)
            continue
        folder = out / name
        folder.mkdir()
        (folder / "compare.cu").write_text(_program(bundle, source, text))
        (folder / "flags.txt").write_text(" ".join(bundle.cases.flags) + "\n")
    (out / "left.json").write_text(json.dumps(left))
    print(f"{len(list(out.glob('*/compare.cu')))} programs, no port: {left}", file=sys.stderr)
    return 0


def _program(bundle: Bundle, source: Path, port: str) -> str:
    """The driver of a bundle, with the port beside the original."""
    original = source.read_text()
    wanted = re.findall(r"(?m)^[ \t]*#[ \t]*include[ \t]*<.*>.*$", original + port)
    includes = list(dict.fromkeys(wanted))
    macros = re.findall(r"(?m)^[ \t]*#[ \t]*define[ \t]+(\w+)", original)
    cases = bundle.cases
    text = driver_text(cases)
    # The head includes the source; everything after it is the case functions and main.
    body = text[text.index("static void case_0(") :] if "static void case_0(" in text else text
    functions, end = body.rsplit("int main(", 1)
    parts = [
        f"// {source.name} and its HIP port, side by side. Generated.",
        '#include "compare.h"',
        *includes,
        "namespace original {",
        _without_includes(original),
        "}  // namespace original",
        *(f"#undef {name}" for name in dict.fromkeys(macros)),
        "namespace port {",
        _without_includes(port),
        *(
            f"inline auto* kernel_{i}() {{ return &{case.kernel}; }}"
            for i, case in enumerate(cases.cases)
        ),
        "}  // namespace port",
        "namespace original {",
        "".join(_with_port(functions, cases.cases)),
        "}  // namespace original",
        "using namespace original;",
        f"int main({end}",
    ]
    return "\n".join(parts)


def _without_includes(text: str) -> str:
    return re.sub(r"(?m)^[ \t]*#[ \t]*include[ \t]*<.*$", "", text)


def _with_port(functions: str, cases: tuple[Case, ...]) -> Iterator[str]:
    """Each case's function, comparing instead of recording."""
    chunks = re.split(r"(?=^static void case_\d+\()", functions, flags=re.M)
    for index, (case, chunk) in enumerate(
        zip(cases, [c for c in chunks if c.strip()], strict=True)
    ):
        chunk = chunk.replace("driver::Session s(", "driver::Comparison s(")
        twins = "".join(
            f"  s.twin({b.name}_, driver::symbol_of(::port::{b.name}));\n"
            for b in case.buffers
            if b.symbol
        )
        launch = re.search(
            r"  s\.measure\((.*?), (dim3\(.*?\)), (dim3\(.*?\)), (\d+), args, (\w+)\);", chunk
        )
        assert launch is not None
        _, grid, block, shared, cooperative = launch.groups()
        rest = f"{grid}, {block}, {shared}, args, {cooperative}"
        both = ", ".join(
            f"{{reinterpret_cast<const void*>({k}), {rest}}}"
            for k in ("kernel", f"::port::kernel_{index}()")
        )
        yield chunk.replace(launch[0], f"{twins}  s.compare({both});")


def _judge(corpus: Path, results: Path, target: Path) -> int:
    rows: dict[str, Any] = {}
    for path in sorted(corpus.glob("*/h200.bundle")):
        name = path.parent.name
        lines = results / f"{name}.jsonl"
        found = (
            [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
        )
        log = results / f"{name}.log"
        if not found:
            why = log.read_text().strip() if log.exists() else LEFT_OUT
            errors = [line for line in why.splitlines() if "error" in line] or why.splitlines()[:1]
            rows[name] = {"error": errors[0][:200] if errors else LEFT_OUT}
            continue
        rows[name] = _row(load_bundle(path), results / "outputs" / name, found)
    device = (results / "device.txt").read_text().splitlines() if results.exists() else []
    target.write_text(json.dumps({"device": device, "kernels": rows}, indent=1) + "\n")
    return 0


def _row(bundle: Bundle, outputs: Path, found: list[dict[str, Any]]) -> dict[str, Any]:
    by_slug = dict(zip(slugs(bundle.cases.cases), bundle.cases.cases, strict=True))
    judge = Judge(bundle, flushes_denormals=False)
    words: list[str] = []
    wrong = ""
    times: dict[str, Any] = {}
    for line in found:
        case = by_slug[line["case"]]
        if "port_us" in line:
            times[case.id] = {
                "original_us": statistics.median(line["original_us"]),
                "port_us": statistics.median(line["port_us"]),
                "ratio": statistics.median(
                    p / o for p, o in zip(line["port_us"], line["original_us"], strict=True)
                ),
            }
        elif line["differing"] == 0 and line["guards_broken"] == 0:
            words.append("same bytes")
        else:
            arrays = {
                a.name: np.frombuffer((outputs / f"{line['case']}.{a.name}.bin").read_bytes(),
                                      a.dtype.storage)
                for a in case.arrays if a.role != "in"
            }  # fmt: skip
            call = Call(case, case.initial())
            guards = ("a guard band was written",) if line["guards_broken"] else ()
            verdict = judge.launch(Planned("recorded", call), RunOutput("ok", arrays, guards))
            assert verdict is not None
            words.append(verdict.word.value)
            if not verdict.word.passes:
                wrong = f"{case.name}: {verdict.reason}"
    counted = {word: words.count(word) for word in dict.fromkeys(words)}
    return {"launches": counted, "wrong": wrong, "times": times}


def _table(path: Path) -> int:
    data = json.loads(path.read_text())
    rows = data["kernels"]
    good = [n for n, r in rows.items() if "error" not in r and not r["wrong"]]
    ratios = [t["ratio"] for r in rows.values() for t in r.get("times", {}).values()]
    inside = sum(0.98 <= ratio <= 1.02 for ratio in ratios)
    print("# HIP ports on an NVIDIA H200\n")
    print("Made by `python benchmarks/hip_nvidia.py` (steps: see there), measured 2026-11-30.")
    print(f"Device: {'; '.join(data['device'])}.\n")
    print(f"{len(good)} of {len(rows)} corpus programs compute what the original computes there.")
    print('"same bytes": every array of a launch equals the original\'s from the same device.\n')
    if ratios:
        print(
            f"Time of the port over the original's, {len(ratios)} timed kernels, interleaved, "
            f"cold L2: median {statistics.median(ratios):.3f}, "
            f"from {min(ratios):.3f} to {max(ratios):.3f}; {inside} within 0.98..1.02.\n"
        )
    print("| kernel | launches | original, µs | port, µs | port / original | |")
    print("|---|---|---|---|---|---|")
    for name, row in sorted(rows.items()):
        if "error" in row:
            print(f"| {name} | | | | | {row['error'].replace('|', '/')} |")
            continue
        words = ", ".join(f"{count} {word}" for word, count in row["launches"].items())
        timed = row["times"] or {"": None}
        for time in timed.values():
            shown = (
                f"{time['original_us']:.1f} | {time['port_us']:.1f} | {time['ratio']:.3f}"
                if time else " | | "
            )  # fmt: skip
            outside = time is not None and not 0.98 <= time["ratio"] <= 1.02
            note = row["wrong"].replace("|", "/") or (NOTES.get(name, "") if outside else "")
            print(f"| {name} | {words} | {shown} | {note} |")
            words = ""
    return 0


if __name__ == "__main__":
    sys.exit(main())
