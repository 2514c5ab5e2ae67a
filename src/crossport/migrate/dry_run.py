"""What a Makefile would run, asked with `make -n`: nothing is built.

    accuracy-cuda/Makefile   ->   Command(accuracy-cuda, ("nvcc", "-std=c++17", "-c", "main.cu"))

Only compiler calls are kept. Recipes do not run under -n (except lines that make marks with `+`,
and $(shell ...) while it reads the file): the same trust that building the tree needs.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")

_GPU_COMPILERS = re.compile(r"^(?:nvcc|hipcc|amdclang\+\+)(?:[-.\d]*)?(?:\.bin)?$")
_HOST_COMPILERS = re.compile(
    r"^(?:[\w-]+-)?(?:gcc|g\+\+|clang|clang\+\+|cc|c\+\+|icc|icpc|icpx|icx|nvc|nvc\+\+|pgc\+\+"
    r"|mpicc|mpicxx|mpic\+\+|mpiCC|mpicxx\.\w+)(?:-[\d.]+)?$"
)
_ENTERING = re.compile(r"^make(?:\[\d+\])?: Entering directory ['`](?P<folder>.*)'$")
_LEAVING = re.compile(r"^make(?:\[\d+\])?: Leaving directory ")
_LAUNCHERS = frozenset({"ccache", "time", "env", "nice", "exec", "@"})


@dataclass(frozen=True, slots=True)
class Command:
    """One compiler call: where it runs, and its words, the compiler's own name first."""

    folder: Path
    argv: tuple[str, ...]

    @property
    def name(self) -> str:
        """The compiler's name without its folder."""
        return Path(self.argv[0]).name if self.argv else ""

    @property
    def is_gpu_compiler(self) -> bool:
        """Whether it compiles kernels."""
        return bool(_GPU_COMPILERS.match(self.name))

    @property
    def compiles_c_as_cxx(self) -> bool:
        """Whether a .c file is C++ to it."""
        return "++" in self.name or self.name in ("mpicxx", "icpc", "icpx", "mpiCC")


def dry_run(folder: Path, timeout: float = 60.0) -> list[Command]:
    """The compiler calls of a full build in `folder`; empty where make cannot say."""
    make = shutil.which("gmake") or shutil.which("make")
    if make is None:
        return []
    # -B: all targets, as if nothing were built; -k: past rules whose tools or data are missing.
    argv = [make, "-n", "-k", "-B", "-w", "--no-builtin-rules", "-C", str(folder)]
    try:
        done = subprocess.run(
            [part for part in argv if part != "--no-builtin-rules"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return read_transcript(done.stdout, folder)


def read_transcript(text: str, folder: Path) -> list[Command]:
    """The compiler calls in what make printed, with the folder each runs in."""
    found: list[Command] = []
    folders = [folder]
    for line in _logical_lines(text):
        if (m := _ENTERING.match(line)) is not None:
            folders.append(Path(m["folder"]))
        elif _LEAVING.match(line):
            if len(folders) > 1:
                folders.pop()
        else:
            found += _commands(line, folders[-1])
    return found


def _logical_lines(text: str) -> list[str]:
    return re.sub(r"\\\n", " ", text).splitlines()


def _commands(line: str, folder: Path) -> list[Command]:
    """The compiler calls of one shell line; `cd x && ...` moves the ones after it."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words = list(lexer)
    except ValueError:
        return []
    found: list[Command] = []
    here = folder
    for call in _split(words):
        while call and (call[0] in _LAUNCHERS or _is_assignment(call[0])):
            call = call[1:]
        if not call:
            continue
        name = Path(call[0]).name
        if name == "cd" and len(call) > 1:
            here = here / call[1]
        elif _GPU_COMPILERS.match(name) or _HOST_COMPILERS.match(name):
            found.append(Command(here, tuple(_without_redirection(call))))
    return found


def _split(words: list[str]) -> list[list[str]]:
    calls: list[list[str]] = [[]]
    for word in words:
        if word and set(word) <= set(";&|()"):
            calls.append([])
        else:
            calls[-1].append(word)
    return calls


def _is_assignment(word: str) -> bool:
    return re.match(r"^[A-Za-z_]\w*=", word) is not None


def _without_redirection(call: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in call:
        if skip:
            skip = False
        elif re.match(r"^\d?>>?$|^<$", word):
            skip = True
        elif not re.match(r"^\d?>", word):
            kept.append(word)
    return kept
