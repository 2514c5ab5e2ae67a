"""Faults put into a suite's kernels: does the interpreter's checking find them, and where?

    python benchmarks/checks.py HeCBench/src --programs 120 --out docs/checks.md

Kernels that write something and are clean under all checks are the subjects (launches as in
amdgpu_hecbench.py). Four kinds of faults are made in the IR, one at a time:

    barrier    a block-wide barrier is left out               wanted: race
    guard      an `if` around a store is taken by everyone    wanted: out-of-bounds, or a race
    part       a barrier is met by half of the block only     wanted: barrier
    start      the first store to a shared array is left out  wanted: uninitialised

A fault that changes nothing is not one: a barrier may be needed by nobody, a guard always hold. So
what is not found is told apart: `no effect` if every array comes out the same (warps of 32 and of
64), `other result` if a guard on values was taken away (which no check of memory can see), else
`missed`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import amdgpu_hecbench as made
import numpy as np

from crossport.diagnostics import PortError
from crossport.frontend.lowering import lower_unit, problems
from crossport.ir.interpreter import Checks, run
from crossport.ir.nodes import (
    Assign,
    Barrier,
    Binary,
    Const,
    Deref,
    Element,
    Function,
    If,
    Module,
    Node,
    Special,
    Var,
    walk,
)
from crossport.ir.rewrite import rewrite_statements
from crossport.ir.types import U32
from crossport.porting import Options, launch_hints, parse_source

WANTED = {
    "barrier": ("race",),
    "guard": ("out-of-bounds", "bad-pointer", "race", "barrier"),
    "part": ("barrier",),
    "start": ("uninitialised",),
}
ALL = Checks(stop_on_fault=False, uninitialised=True, races=True)
MOST_FAULTS = 2
"""Of one kind in one kernel."""


@dataclass(frozen=True)
class Fault:
    """A kernel with a fault, and the line where it was put."""

    kind: str
    function: Function
    line: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("suite", type=Path)
    parser.add_argument("--programs", type=int, default=60, help="smallest first")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sources = [p for p in options.suite.glob("*-cuda/*.cu") if b"__syncthreads" in p.read_bytes()]
    sources.sort(key=lambda p: (p.stat().st_size, p))
    rows: list[tuple[str, str, str, str]] = []
    clean = 0
    ends = time.monotonic() + options.seconds
    for path in sources[: options.programs]:
        if time.monotonic() > ends:
            break
        try:
            for name, results in _program(path):
                clean += 1
                rows += [(f"{path.parent.name}/{name}", *result) for result in results]
        except Exception as error:  # one program's surprise must not end the measurement
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
        print(f"{path.parent.name}: {len(rows)} faults", file=sys.stderr, flush=True)
    text = _table(clean, rows)
    print(text)
    if options.out:
        options.out.write_text(text)
    return 0


def _program(path: Path) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Each kernel of a file that is clean as it is, with what became of its faults."""
    os.chdir(path.parent)
    unit = parse_source(path, Options(flags=(f"-I{path.parent}",)))
    module, hints = lower_unit(unit), launch_hints(unit)
    for kernel in module.kernels:
        if problems(module, kernel) or not any(isinstance(n, Barrier) for n in walk(kernel)):
            continue
        launches = made._reference(module, kernel, hints.get(kernel.name))
        if isinstance(launches, str):
            continue
        launch = launches[0]
        before = _findings(module, kernel.name, launch)
        if before is None or before:
            continue
        yield kernel.name, [_judge(module, fault, launch) for fault in _faults(kernel)]


def _findings(module: Module, name: str, launch: made.Launch) -> list[Any] | None:
    """What the checks find; None where the run does not finish."""
    args = [a.copy() if isinstance(a, np.ndarray) else a for a in launch.before]
    try:
        return list(
            run(
                module, name, launch.grid, launch.block, args, shared_bytes=launch.shared,
                time_limit=8, checks=ALL,
            ).findings
        )  # fmt: skip
    except PortError:
        return None


def _judge(module: Module, fault: Fault, launch: made.Launch) -> tuple[str, str, str]:
    functions = tuple(
        fault.function if f.name == fault.function.name else f for f in module.functions
    )
    changed = replace(module, functions=functions)
    found = _findings(changed, fault.function.name, launch)
    if found is None:
        return fault.kind, "did not finish", ""
    wanted = [f for f in found if f.kind in WANTED[fault.kind]]
    if wanted:
        first = wanted[0]
        who = [t for t in (first.thread, first.other) if t is not None]
        place = f"line {first.span.line}" if first.span is not None else "no line"
        return fault.kind, "found", f"{first.kind}, {place}, {' and '.join(map(str, who))}"
    if not _shows(changed, fault, launch):
        return fault.kind, "no effect", ""
    # A condition on values alone guards no memory.
    return fault.kind, "other result" if fault.kind == "guard" else "missed", f"line {fault.line}"


def _shows(module: Module, fault: Fault, launch: made.Launch) -> bool:
    """Does the fault change any result, in lock-step or with warps of another width?"""
    for width in (32, 64):
        args = [a.copy() if isinstance(a, np.ndarray) else a for a in launch.before]
        try:
            run(
                module, fault.function.name, launch.grid, launch.block, args,
                shared_bytes=launch.shared, time_limit=8, contract=True, warp_size=width,
            )  # fmt: skip
        except PortError:
            return True
        for mine, right in zip(args, launch.after, strict=True):
            if isinstance(mine, np.ndarray) and mine.tobytes() != right.tobytes():
                return True
    return False


# ---- the faults


def _faults(kernel: Function) -> Iterator[Fault]:
    nodes = [n for statement in kernel.body for n in walk(statement)]
    barriers = [n for n in nodes if isinstance(n, Barrier) and n.scope == "block"]
    plain = [b for b in barriers if b.reduce is None]
    for node in plain[:MOST_FAULTS]:
        yield _made("barrier", kernel, node, ())
    half = Binary("<", Special("thread.x"), Const(_HALF, U32))
    for node in plain[:1]:
        yield _made("part", kernel, node, (If(half, (node,), span=node.span),))
    guards = [n for n in nodes if isinstance(n, If) and not n.otherwise and _stores(n)]
    for guard in guards[:MOST_FAULTS]:
        yield _made("guard", kernel, guard, guard.then)
    for shared in kernel.shared[:MOST_FAULTS]:
        stores = [n for n in nodes if isinstance(n, Assign) and _root(n.place) == shared.name]
        if stores:
            yield _made("start", kernel, stores[0], ())


_HALF = 16


def _made(kind: str, kernel: Function, node: Node, instead: tuple[Any, ...]) -> Fault:
    changed = rewrite_statements(kernel, lambda s: instead if s is node else (s,))
    return Fault(kind, changed, node.span.line if node.span else 0)


def _stores(branch: If) -> bool:
    return all(isinstance(s, Assign) for s in branch.then) and any(
        isinstance(s.place, Deref | Element) for s in branch.then if isinstance(s, Assign)
    )


def _root(place: Node) -> str:
    while isinstance(place, Element):
        place = place.base
    return place.name if isinstance(place, Var) else ""


def _table(clean: int, rows: list[tuple[str, str, str, str]]) -> str:
    counts = Counter((kind, word) for _, kind, word, _ in rows)
    words = ("found", "no effect", "other result", "missed", "did not finish")
    lines = [
        "# Faults put into kernels of HeCBench, and what the interpreter's checks find\n",
        "Made by `python benchmarks/checks.py SUITE/src --out docs/checks.md`; how faults are made "
        "stands\nat the top of that file.\n",
        f"{clean} kernels are clean as they are; {len(rows)} faults were put into them, one at a "
        "time.\n",
        "| fault | made | " + " | ".join(words) + " |",
        "|---|---|" + "---|" * len(words),
    ]
    for kind in WANTED:
        made_ = sum(count for (k, _), count in counts.items() if k == kind)
        each = " | ".join(str(counts[kind, word]) for word in words)
        lines.append(f"| {kind} | {made_} | {each} |")
    lines += ["", "| kernel | fault | what the checks said |", "|---|---|---|"]
    for kernel, kind, word, detail in rows:
        if word in ("found", "missed"):
            said = detail if word == "found" else f"missed: {detail}"
            lines.append(f"| {kernel.replace('|', '/')} | {kind} | {said} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
