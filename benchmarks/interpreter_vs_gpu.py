"""The interpreter against recorded NVIDIA runs: every case of every bundle, array by array.

    python benchmarks/interpreter_vs_gpu.py corpus --tag h200 [--out FILE.md] [NAME...]

Integers must agree bit for bit; floats are judged as a port would be, with the interpreter's own
float64 run as the oracle. Products and sums are fused as nvcc does. A kernel that the frontend or
the interpreter refuses is listed with the reason.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from crossport.diagnostics import PortError
from crossport.ir.interpreter import RunReport, Texture, run
from crossport.validation.bundle.archive import Bundle, load_bundle
from crossport.validation.cases import ArrayArg, Case, TextureArg
from crossport.validation.dtypes import Array
from crossport.validation.numerics.layers import Evidence, judge_array
from crossport.validation.runners.interp import Subject, _argument

Mode = Literal["exact", "oracle"]


@dataclass(slots=True)
class Row:
    """One case."""

    kernel: str
    case: str
    word: str
    reason: str = ""
    seconds: float = 0.0


def launch(
    subject: Subject, case: Case, arrays: dict[str, Array], mode: Mode, contract: bool = True
) -> RunReport:
    """Run a case; `arrays` are updated in place."""
    return run(
        subject.module,
        subject.kernel(case.kernel).name,
        case.grid,
        case.block,
        [_value(arg, arrays) for arg in case.args],
        shared_bytes=case.shared_bytes,
        globals_={b.name: arrays[b.name] for b in case.buffers if b.symbol},
        mode=mode,
        contract=contract,
    )


def _value(arg: object, arrays: dict[str, Array]) -> object:
    if not isinstance(arg, TextureArg):
        return _argument(arg, arrays)
    rows = (arg.height,) if arg.height else ()
    channels = (arg.channels,) if arg.channels > 1 else ()
    data = arrays[arg.array].reshape(*rows, arg.width, *channels)
    return Texture(
        data, len(rows) + 1, arg.channels, arg.linear_filter, arg.address, arg.normalized
    )


_ORDER = ("divergent", "undecided", "within-noise", "equivalent", "exact")


def judge(bundle: Bundle, subject: Subject, case: Case) -> tuple[str, str]:
    """The better of two runs, with products fused into sums and without: which of them are is the
    compiler's choice, and one element's error in a sum that cancels hangs on it."""
    word, reason = _judge(bundle, subject, case, contract=True)
    if word in ("divergent", "undecided"):
        other = _judge(bundle, subject, case, contract=False)
        if _ORDER.index(other[0]) > _ORDER.index(word):
            return other[0], f"{other[1]} (products not fused; fused: {reason})"
    return word, reason


def _judge(bundle: Bundle, subject: Subject, case: Case, *, contract: bool) -> tuple[str, str]:
    """The worst word over the arrays of a case, and why."""
    contents = case.initial()
    try:
        arrays = {name: values.copy() for name, values in contents.items()}
        launch(subject, case, arrays, "exact", contract)
        others = {name: values.copy() for name, values in contents.items()}
        report = launch(subject, case, others, "oracle")
    except PortError as error:
        return "refused", str(error).splitlines()[0]
    true = {
        arg.name: report.oracle[i].reshape(-1)
        for i, arg in enumerate(case.args)
        if isinstance(arg, ArrayArg) and i in report.oracle
    }
    words: list[tuple[str, str]] = []
    for array in case.written:
        evidence = Evidence(
            bundle.output(case, array),
            oracle=true.get(array.name),
            may_reorder=array.compare == "multiset",
            shape=array.shape,
        )
        verdict = judge_array(array.name, array.dtype, evidence, arrays[array.name])
        words.append((verdict.word.value, f"{array.name}: {verdict.reason}"))
    return min(words, key=lambda w: _ORDER.index(w[0]), default=("exact", "nothing is written"))


def rows_of(folder: Path, tag: str) -> list[Row]:
    """All cases of one corpus folder."""
    path = folder / f"{tag}.bundle"
    if not path.exists():
        return [Row(folder.name, "", "no bundle")]
    bundle = load_bundle(path)
    cases = [c for c in bundle.cases.checked if bundle.has(c)]
    try:
        subject = Subject.of_source(folder / f"{folder.name}.cu", bundle.cases.kernels)
    except PortError as error:
        return [Row(folder.name, "", "refused", str(error).splitlines()[0])]
    found = []
    for case in cases:
        start = time.perf_counter()
        word, reason = judge(bundle, subject, case)
        found.append(Row(folder.name, case.name, word, reason, time.perf_counter() - start))
    return found


def table(rows: list[Row]) -> str:
    """The result as Markdown: one line a kernel, then what is not equal."""
    words = Counter(row.word for row in rows)
    order = ("exact", "equivalent", "within-noise", "divergent", "refused")
    lines = [
        "# The interpreter against an H200",
        "",
        "`python benchmarks/interpreter_vs_gpu.py corpus --out docs/interpreter-vs-gpu.md`",
        "",
        "Each case of the corpus was run on the GPU and recorded; integers must agree bit for bit,",
        "floats are judged as a port would be, against the interpreter's own float64 run.",
        "",
        f"{len(rows)} cases: " + ", ".join(f"{words[w]} {w}" for w in order if words[w]) + ".",
        "",
        "| kernel | " + " | ".join(order) + " |",
        "|---" * (len(order) + 1) + "|",
    ]
    for kernel in dict.fromkeys(row.kernel for row in rows):
        here = Counter(row.word for row in rows if row.kernel == kernel)
        lines.append(f"| {kernel} | " + " | ".join(str(here[w] or "") for w in order) + " |")
    lines += ["", "## What is not equal", ""]
    lines += [
        f"- {row.kernel}, {row.case}: {row.word}: {row.reason.replace(chr(10), ' ')}"
        for row in rows
        if row.word in ("divergent", "undecided", "refused")
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print one line a kernel, and the count of each word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--tag", default="h200")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    np.seterr(all="ignore")
    rows: list[Row] = []
    for folder in sorted(options.corpus.iterdir()):
        if not (folder / "cases.toml").exists():
            continue
        if options.names and folder.name not in options.names:
            continue
        here = rows_of(folder, options.tag)
        rows += here
        words = Counter(row.word for row in here)
        slow = sum(row.seconds for row in here)
        line = ", ".join(f"{n} {w}" for w, n in sorted(words.items()))
        print(f"{folder.name:28} {line:34} {slow:6.2f} s", flush=True)
        for row in here:
            if row.word in ("divergent", "undecided", "refused"):
                print(f"    {row.case}: {row.word}: {row.reason[:170]}", flush=True)
    print(dict(Counter(row.word for row in rows)))
    if options.out:
        options.out.write_text(table(rows))


if __name__ == "__main__":
    main()
