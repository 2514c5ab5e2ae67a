"""HeCBench's twins that depend on the wave's width, by hand and by us, on the emulated GPUs.

    python benchmarks/amdgpu_twins.py HeCBench/src

Graph colouring (gc, that suite's issue 167), rectilinear Steiner trees (rsmt, 171) and graph
balancing (graphB+, 177): HIP versions of each work on one random input: the suite's own twin as it
was when the issue was written, from the suite's git history; the twin as its authors have mended it
since; our port of the CUDA original. What is right, the host works out: twins_*.py.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twins_gc import colour
from twins_graphb import balance
from twins_rsmt import connect

import crossport
from crossport.diagnostics import PortError

ARCHS = ("gfx942", "gfx1100")


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the suite. `mended` is the commit that closed its issue."""

    name: str
    issue: int
    mended: str
    judge: Callable[[str, str, list[str]], str]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A HIP text, and where its headers are."""

    name: str
    text: str
    flags: tuple[str, ...]


def main() -> int:
    """Run each version on each GPU, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--history", type=Path, help="the suite's git folder, if elsewhere")
    parser.add_argument("--only", default="", help="programs, by name")
    options = parser.parse_args()
    suite, only = options.suite, options.only.split(",") if options.only else None
    include = next(p.parent for p in suite.glob("*/graph.h") if "ECLgraph" in p.read_text())
    print(f"| program (issue) | version | {' | '.join(ARCHS)} |\n|---|---|---|---|")
    for program in (
        Program("gc", 167, "77e3b1d0f", colour, (f"-I{include}",)),
        Program("rsmt", 171, "a806cb3d6", connect),
        Program("graphB+", 177, "295937ddb", balance),
    ):
        if only is not None and program.name not in only:
            continue
        for version in versions(program, suite, options.history or suite):
            words = []
            for arch in ARCHS:
                try:
                    words.append(
                        program.judge(version.text, arch, [*version.flags, *program.flags])
                    )
                except PortError as error:
                    words.append(failure(error.diagnostic.message))
            row = (f"{program.name} ({program.issue})", version.name, *words)
            print(f"| {' | '.join(row)} |", flush=True)
    return 0


def failure(message: str) -> str:
    """A fault in few words: what happened, and in which kernel."""
    mangled = re.search(r"\b_ZL?(\d+)(\w+)", message)
    kernel = f", in {mangled[2][: int(mangled[1])]}" if mangled else ""
    return f"fails: {message.split(': ')[0]}{kernel}"


def versions(program: Program, suite: Path, history: Path) -> Iterator[Version]:
    """The twin before and after its mend, and our port."""
    old = Path(tempfile.mkdtemp(prefix="twins-"))
    twin = f"src/{program.name}-hip"
    for file in git(history, "ls-tree", "--name-only", f"{program.mended}^:{twin}").split():
        (old / file).write_text(git(history, "show", f"{program.mended}^:{twin}/{file}"))
    yield Version(f"the twin before {program.mended}", (old / "main.cu").read_text(), (f"-I{old}",))
    now = suite / f"{program.name}-hip"
    yield Version("the twin as it is now", (now / "main.cu").read_text(), (f"-I{now}",))
    source = suite / f"{program.name}-cuda" / "main.cu"
    port = crossport.port(source, to="rocm", flags=[f"-I{source.parent}", *program.flags])
    made = Path(tempfile.mkdtemp(prefix="twins-"))
    for output in port.outputs:
        (made / output.path.name).write_bytes(output.data)
    text = next(p for p in made.iterdir() if p.suffix == ".hip").read_text()
    yield Version("our port of the CUDA original", text, (f"-I{made}", f"-I{source.parent}"))


def git(history: Path, *words: str) -> str:
    """What git says of the suite's history."""
    done = subprocess.run(
        ["git", "-C", str(history), *words], check=True, capture_output=True, text=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
