"""Random CUDA programs: the lowering and the interpreter against a host C++ compiler, bit for bit.

    python benchmarks/differential.py --programs 500 --seed 0

Each program (tests/random_cuda) is compiled by g++ as plain C++ and run thread by thread, and
lowered to the IR and interpreted: both must write the same bits. The same kernel after `simplify`
and after a round trip through the IR's text must write them, too. NaNs equal each other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from random_cuda import PRELUDE, SLOTS, THREADS, host_values, program

from crossport.frontend.lowering import lower_unit, problems
from crossport.frontend.parse import parse
from crossport.ir.interpreter.run import run
from crossport.ir.nodes import Module
from crossport.ir.parser import parse_module
from crossport.ir.passes import simplify
from crossport.ir.printer import print_module
from crossport.ir.verify import verify


@dataclass(frozen=True)
class Difference:
    """A program that does not mean the same on both sides."""

    kernel: str
    stage: str  # lowering, interpreter, simplify, text
    detail: str


def main() -> int:
    """Run batches of programs and print what differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=10, help="programs a compilation")
    parser.add_argument("--keep", type=Path, help="folder for the texts of failing batches")
    arguments = parser.parse_args()
    started, found = time.perf_counter(), 0
    last = arguments.seed + arguments.programs
    for first in range(arguments.seed, last, arguments.batch):
        print(f"{first - arguments.seed} of {arguments.programs}", file=sys.stderr)
        for difference in check(list(range(first, min(first + arguments.batch, last)))):
            found += 1
            print(f"{difference.kernel}: {difference.stage}: {difference.detail}", flush=True)
            if arguments.keep:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                path = arguments.keep / f"{difference.kernel}.cu"
                path.write_text(PRELUDE + program(int(difference.kernel[1:])))
    seconds = time.perf_counter() - started
    print(f"{arguments.programs} programs, {found} differences, {seconds:.0f} s")
    return 1 if found else 0


def check(seeds: list[int]) -> list[Difference]:
    """The differences that some programs show."""
    names = [f"k{seed}" for seed in seeds]
    text = "\n".join(program(seed) for seed in seeds)
    with tempfile.TemporaryDirectory() as folder:
        expected = host_values(text, names, Path(folder))
        path = Path(folder) / "programs.cu"
        path.write_text("#include <cstdint>\n" + PRELUDE + text)
        module = lower_unit(parse(path))
    found: list[Difference] = []
    invalid = verify(module)
    if invalid:
        found.append(Difference(names[0], "lowering", f"invalid IR: {invalid[0]}"))
    forms = (
        ("interpreter", module),
        ("simplify", simplify(module)),
        ("text", parse_module(print_module(module))),
    )
    for name in names:
        opaque = problems(module, module.function(name))
        if opaque:
            first = opaque[0]
            found.append(Difference(name, "lowering", f"{first.reason}: {first.text[:80]}"))
            continue
        for stage, form in forms:
            try:
                detail = _compare(form, name, expected[name])
            except Exception:
                detail = traceback.format_exc(limit=-2).replace("\n", " ")
            if detail:
                found.append(Difference(name, stage, detail))
                break
    return found


def _compare(module: Module, name: str, expected: tuple[np.ndarray, np.ndarray]) -> str:
    out, real = np.zeros(THREADS * SLOTS, np.int64), np.zeros(THREADS * SLOTS, np.float64)
    with np.errstate(all="ignore"):
        run(module, name, 1, THREADS, [out, real])
    wanted, parts = expected
    wrong = np.flatnonzero(out != wanted)
    if len(wrong):
        i = int(wrong[0])
        return f"thread {i // SLOTS}: out[{i % SLOTS}] = {out[i]}, not {wanted[i]}"
    same = (real.view(np.int64) == parts.view(np.int64)) | (np.isnan(real) & np.isnan(parts))
    wrong = np.flatnonzero(~same)
    if len(wrong):
        i = int(wrong[0])
        return f"thread {i // SLOTS}: real[{i % SLOTS}] = {real[i].hex()}, not {parts[i].hex()}"
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
