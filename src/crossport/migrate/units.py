"""The programs of a tree and their translation units, with the flags they are built with.

    find_programs(Path("src"))
    ->  Program("accuracy-cuda", units=(Unit(accuracy-cuda/main.cu, -std=c++17), ...))

Where the flags come from, best first: a compilation database (compile_commands.json), a dry run of
the program's own Makefile (`make -n`), the file alone.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.migrate.build_flags import (
    CUDA_SUFFIXES,
    HIP_SUFFIXES,
    CompileFlags,
    read_command,
)
from crossport.migrate.dry_run import MAKEFILES, Command, dry_run

Origin = Literal["database", "make", "file"]
Kind = Literal["gpu", "host"]

SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", "CMakeFiles"})


@dataclass(frozen=True, slots=True)
class Unit:
    """One source file as one command compiles it; all paths absolute."""

    source: Path
    kind: Kind
    flags: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    forced: tuple[str, ...] = ()
    is_c: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """What is built together: `name` is its folder below the tree's root, "." for the root."""

    name: str
    folder: Path
    units: tuple[Unit, ...]
    origin: Origin


def find_programs(root: Path, build_dir: Path | None = None) -> list[Program]:
    """Every program of a tree that has GPU code, in the order of their names.

    `build_dir` holds compile_commands.json where it is not at the root.
    """
    root = root.resolve()
    if root.is_file():
        return [_program_of(root, build_dir)]
    database = (build_dir or root) / "compile_commands.json"
    if build_dir is not None or database.is_file():
        units = _from_database(database, root)
        return [Program(".", root, units, "database")] if _has_gpu_code(units) else []
    found = list(_walk(root, root))
    if any(program.origin == "make" for program in found):
        # Beside a build, files that it leaves out and that hold no main program are not built.
        found = [p for p in found if p.origin == "make" or any(map(_has_main, p.units))]
    return found


def _program_of(source: Path, build_dir: Path | None) -> Program:
    """One file: as its build compiles it, if there is one that names it."""
    folder = source.parent
    database = (build_dir or folder) / "compile_commands.json"
    units: tuple[Unit, ...] = ()
    origin: Origin = "file"
    if build_dir is not None or database.is_file():
        units, origin = _from_database(database, folder), "database"
    elif any((folder / makefile).is_file() for makefile in MAKEFILES):
        units, origin = _from_commands(dry_run(folder)), "make"
    own = tuple(unit for unit in units if unit.source == source)
    if not own:
        own, origin = _alone([source], folder), "file"
    return Program(source.name, folder, own[:1], origin)


def _walk(folder: Path, root: Path) -> Iterator[Program]:
    """Programs in `folder` and below; a Makefile speaks for all files its commands name."""
    name = str(folder.relative_to(root)) if folder != root else "."
    covered: set[Path] = set()
    if any((folder / makefile).is_file() for makefile in MAKEFILES):
        units = _from_commands(dry_run(folder))
        if _has_gpu_code(units):
            covered = {unit.source for unit in units}
            yield Program(name, folder, units, "make")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    loose = [
        path
        for entry in entries
        if entry.is_file() and (path := Path(entry.path)).suffix in CUDA_SUFFIXES | HIP_SUFFIXES
    ]
    if loose and not covered:
        yield Program(name, folder, _alone(loose, folder), "file")
        covered = set(loose)
    for entry in entries:
        below = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False) or entry.name in SKIPPED:
            continue
        # A subfolder whose files the Makefile above builds is part of that program.
        if any(source.is_relative_to(below) for source in covered):
            continue
        yield from _walk(below, root)


def _has_main(unit: Unit) -> bool:
    try:
        return re.search(rb"\bmain\s*\(", unit.source.read_bytes()) is not None
    except OSError:
        return False


def _has_gpu_code(units: Sequence[Unit]) -> bool:
    return any(unit.kind == "gpu" for unit in units)


# ---- a compilation database ----------------------------------------------------------------------


def _from_database(database: Path, root: Path) -> tuple[Unit, ...]:
    try:
        entries = json.loads(database.read_text(errors="surrogateescape"))
        commands = [
            Command(
                Path(entry["directory"]),
                tuple(entry.get("arguments") or shlex.split(entry["command"])),
            )
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortError(
            Diagnostic(
                Code.CANNOT_READ,
                f"{database} is no compilation database: {error}",
                help="cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON writes one",
            )
        ) from error
    return tuple(u for u in _from_commands(commands) if u.source.is_relative_to(root))


# ---- commands of a Makefile or a database --------------------------------------------------------


def _from_commands(commands: Sequence[Command]) -> tuple[Unit, ...]:
    """Units in the order of the commands; a file compiled twice alike is one unit."""
    units: list[Unit] = []
    for command in commands:
        parts = read_command(command.argv[1:])
        if not parts.compiles:
            continue
        for source in parts.sources:
            path = Path(os.path.normpath(command.folder / source))
            if path.is_file():
                units.append(_unit(path, command, parts))
    return tuple(dict.fromkeys(units))


def _unit(path: Path, command: Command, parts: CompileFlags) -> Unit:
    # hipcc takes C++ files for HIP as well; a host compiler given nvcc's `-x cu` takes nothing.
    understands = command.is_gpu_compiler or "clang" in command.name
    builds_gpu_code = (
        path.suffix in CUDA_SUFFIXES | HIP_SUFFIXES
        or (understands and parts.language in ("cu", "hip", "cuda"))
        or (command.name.startswith("hipcc") and path.suffix != ".c")
    )
    return Unit(
        path,
        "gpu" if builds_gpu_code else "host",
        parts.flags,
        tuple(Path(os.path.normpath(command.folder / folder)) for folder in parts.folders),
        parts.forced,
        path.suffix == ".c" and not command.compiles_c_as_cxx,
    )


# ---- files that no build names -------------------------------------------------------------------


def _alone(files: Sequence[Path], folder: Path) -> tuple[Unit, ...]:
    """Each file as its own unit, less those that another one includes."""
    included = {
        name for path in files for name in _quoted_includes(path) if not name.startswith("<")
    }
    mains = [path for path in files if path.name not in included] or list(files)
    base = Unit(folder, "gpu", folders=(folder,))
    return tuple(replace(base, source=path) for path in mains)


def _quoted_includes(path: Path) -> Iterator[str]:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("#") and "include" in line and line.count('"') >= 2:
            yield Path(line.split('"')[1]).name
