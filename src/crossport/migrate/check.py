"""Does a port compile? Every translation unit of a tree, for each GPU and for the host.

    check_tree(out, source, archs=("gfx942",))  ->  CheckResult: per unit and side, the errors

The units and their flags are the original's (compilation database, Makefiles); each is looked up in
the ported tree, and so are the folders that it includes from. Kernels are compiled for the device
with code generation, host code is checked for syntax and types.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from crossport.backends.hip.closure import Project
from crossport.backends.hip.includes import renamed_source
from crossport.diagnostics import Code, Diagnostic, PortError, Severity
from crossport.frontend.input import is_installed
from crossport.migrate.build_flags import CompileFlags, read_command
from crossport.migrate.mpi import mpi_folders
from crossport.migrate.units import Program, Unit, find_programs
from crossport.validation.amdgpu.compile import (
    Language,
    Outcome,
    Toolchain,
    arch_named,
    check_device,
    check_host,
    choose_toolchain,
)
from crossport.validation.amdgpu.compile.cache import Cache

HOST = "host"


@dataclass(frozen=True, slots=True)
class UnitCheck:
    """One translation unit: `sides` maps "host" or a GPU's name to the errors there.

    `file` is what was compiled: the ported file, or None where there is none.
    """

    source: Path
    file: Path | None
    sides: tuple[tuple[str, tuple[Diagnostic, ...]], ...]

    def errors(self, side: str) -> tuple[Diagnostic, ...]:
        """The errors of one side; none for a side that this unit does not have."""
        return dict(self.sides).get(side, ())


@dataclass(frozen=True, slots=True)
class ProgramCheck:
    """A program passes a side when each of its units does."""

    name: str
    units: tuple[UnitCheck, ...]

    def passes(self, side: str) -> bool:
        """Whether every unit compiles on `side`."""
        return not any(unit.errors(side) for unit in self.units)

    def first_error(self, side: str) -> Diagnostic | None:
        """The first error of a side, if there is one."""
        return next((e for unit in self.units for e in unit.errors(side)), None)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check of a tree found."""

    toolchain: str
    sides: tuple[str, ...]
    programs: tuple[ProgramCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether everything compiles."""
        return all(program.passes(side) for program in self.programs for side in self.sides)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every error once, in the order of programs and sides."""
        found = (
            error
            for program in self.programs
            for unit in program.units
            for _, errors in unit.sides
            for error in errors
        )
        return tuple(dict.fromkeys(found))

    def as_json(self) -> dict[str, object]:
        """The stable JSON form."""
        return {
            "toolchain": self.toolchain,
            "sides": list(self.sides),
            "programs": [
                {
                    "name": program.name,
                    "passes": {side: program.passes(side) for side in self.sides},
                    "units": [
                        {
                            "source": str(unit.source),
                            "file": str(unit.file) if unit.file else None,
                            "errors": {s: [e.as_json() for e in errs] for s, errs in unit.sides},
                        }
                        for unit in program.units
                    ],
                }
                for program in self.programs
            ],
        }


@dataclass(frozen=True, slots=True)
class Checker:
    """How to check: the compiler, the GPUs, and how long one file may take."""

    toolchain: Toolchain
    archs: tuple[str, ...]
    jobs: int = 2
    timeout: float = 300.0
    cache: Cache | None = None

    @property
    def sides(self) -> tuple[str, ...]:
        """What a unit with kernels is checked for."""
        return (HOST, *self.archs)

    def program(self, program: Program, source_dir: Path, out_dir: Path) -> ProgramCheck:
        """All units of one program."""
        (checked,) = self.programs([program], source_dir, out_dir)
        return checked

    def programs(
        self, programs: Sequence[Program], source_dir: Path, out_dir: Path
    ) -> tuple[ProgramCheck, ...]:
        """Several programs, their units side by side over `jobs` processes."""
        source_dir, out_dir = source_dir.resolve(), out_dir.resolve()
        work = [
            (index, unit, side)
            for index, program in enumerate(programs)
            for unit in program.units
            for side in (self.sides if unit.kind == "gpu" else (HOST,))
        ]

        def do(item: tuple[int, Unit, str]) -> tuple[Diagnostic, ...]:
            return self._unit_side(item[1], item[2], source_dir, out_dir)

        with ThreadPoolExecutor(max_workers=max(1, self.jobs)) as pool:
            answers = list(pool.map(do, work))
        by_unit: dict[tuple[int, Unit], list[tuple[str, tuple[Diagnostic, ...]]]] = {}
        for (index, unit, side), errors in zip(work, answers, strict=True):
            by_unit.setdefault((index, unit), []).append((side, errors))
        return tuple(
            ProgramCheck(
                program.name,
                tuple(
                    UnitCheck(
                        unit.source,
                        ported_file(unit.source, source_dir, out_dir),
                        tuple(by_unit[index, unit]),
                    )
                    for unit in program.units
                ),
            )
            for index, program in enumerate(programs)
        )

    def _unit_side(
        self, unit: Unit, side: str, source_dir: Path, out_dir: Path
    ) -> tuple[Diagnostic, ...]:
        file = ported_file(unit.source, source_dir, out_dir)
        if file is None:
            return (_not_ported(unit.source),)
        include, flags = ported_flags(unit, source_dir, out_dir)
        try:
            outcome = self._compile(unit, side, file, include, flags)
            if file.parent != unit.source.parent and _lacks(outcome) is not None:
                # A header in which nothing had to be changed may not have been copied.
                flags += ["-iquote", str(unit.source.parent)]
                outcome = self._compile(unit, side, file, include, flags)
            while (lacking := _lacks(outcome)) is not None:
                more = _folders_of(lacking, unit.source, source_dir, out_dir)
                if not more and lacking == "mpi.h":
                    more = list(mpi_folders())
                if not more or set(more) <= set(include):
                    break
                include += more
                outcome = self._compile(unit, side, file, include, flags)
            return outcome.diagnostics
        except PortError as error:
            return error.diagnostics

    def _compile(
        self, unit: Unit, side: str, file: Path, include: list[Path], flags: list[str]
    ) -> Outcome:
        if side == HOST:
            language: Language = "hip" if unit.kind == "gpu" else "c" if unit.is_c else "c++"
            return check_host(
                file,
                language=language,
                flags=flags,
                include=include,
                toolchain=self.toolchain,
                timeout=self.timeout,
                cache=self.cache,
            )
        return check_device(
            file,
            side,
            flags=flags,
            include=include,
            toolchain=self.toolchain,
            timeout=self.timeout,
            cache=self.cache,
        )


def check_tree(
    out_dir: str | Path,
    source_dir: str | Path,
    archs: Sequence[str] = ("gfx942",),
    rocm_path: str | Path | None = None,
    *,
    build_dir: str | Path | None = None,
    flags: Sequence[str] = (),
    only: Iterable[Path] | None = None,
    jobs: int = 2,
    timeout: float = 300.0,
    progress: Callable[[str], None] = lambda _name: None,
) -> CheckResult:
    """Compile what came out of a port, with the flags that the original is built with.

    `source_dir` is what was ported (a folder or one file), `out_dir` where the port lies; `only`
    keeps the check to units of these source files. `flags` are clang's and count for every unit,
    relative folders from here. `PortError` if there is no compiler, an unknown
    GPU, or nothing to check.
    """
    for name in archs:
        arch_named(name)
    toolchain = choose_toolchain(arch_named(archs[0]) if archs else None, rocm_path)
    source = Path(source_dir).resolve()
    programs = find_programs(source, Path(build_dir) if build_dir is not None else None)
    if only is not None:
        wanted = {path.resolve() for path in only}
        programs = _restricted(programs, wanted)
    if not programs:
        raise PortError(
            Diagnostic(
                Code.NOTHING_TO_CHECK,
                f"no CUDA translation unit was found in {source_dir}",
                help="name the build folder with -p, or port the files one by one",
            )
        )
    root = source.parent if source.is_file() else source
    extra = read_command(flags)
    programs = [_with_flags(program, extra) for program in programs] if flags else programs
    checker = Checker(toolchain, tuple(archs), jobs, timeout)
    done: list[ProgramCheck] = []
    for program in programs:
        progress(program.name)
        done.append(checker.program(program, root, Path(out_dir)))
    return CheckResult(toolchain.name, checker.sides, tuple(done))


def ported_file(source: Path, source_dir: Path, out_dir: Path) -> Path | None:
    """Where the port of `source` lies: `k.cu` becomes k.hip, other names stay.

    A file that the port had no reason to touch (host code without CUDA) is used as it is.
    """
    if out_dir == source_dir and source.suffix != ".cu":
        return source
    relative = Path(os.path.relpath(source, source_dir))
    same = Path(os.path.normpath(out_dir / relative))
    renamed = same.with_name(renamed_source(same.name))
    for candidate in (renamed, same):
        if candidate.is_file():
            return candidate
    if source.suffix == ".cu":
        return source if out_dir == source_dir else None
    return source


def _lacks(outcome: Outcome) -> str | None:
    """The header that the compiler looked for in vain."""
    for error in outcome.diagnostics:
        if (match := re.search(r"'(.+)' file not found", error.message)) is not None:
            return match[1]
    return None


def _folders_of(header: str, source: Path, source_dir: Path, out_dir: Path) -> list[Path]:
    """Include folders for a header that the tree has once, in the port and in the original: builds
    whose flags are not known (CMake, an SDK that is not there) are ported by that rule too."""
    found = _project(source_dir).find(header, source)
    if found is None:
        return []
    folder = Path(os.path.normpath(found)).parents[len(Path(header).parts) - 1]
    ported = Path(os.path.normpath(out_dir / os.path.relpath(folder, source_dir)))
    return [each for each in (ported, folder) if each.is_dir()]


@lru_cache(maxsize=4)
def _project(source_dir: Path) -> Project:
    return Project(source_dir)


def ported_flags(unit: Unit, source_dir: Path, out_dir: Path) -> tuple[list[Path], list[str]]:
    """Include folders and flags of a unit, its folders looked up in the ported tree first."""
    include: list[Path] = []
    folders = [folder for folder in unit.folders if not is_installed(folder)]
    for folder in folders:
        ported = Path(os.path.normpath(out_dir / os.path.relpath(folder, source_dir)))
        if ported != folder and ported.is_dir():
            include.append(ported)
    include += [folder for folder in folders if folder.is_dir()]
    flags = [_at_least_cxx17(flag) if unit.kind == "gpu" else flag for flag in unit.flags]
    flags += [part for name in unit.forced for part in ("-include", name)]
    return list(dict.fromkeys(include)), flags


def _at_least_cxx17(flag: str) -> str:
    """HIP's libraries need C++17, so a ported build asks for it where the original had less."""
    older = ("98", "03", "0x", "11", "1y", "14")
    is_older = flag.startswith("-std=") and flag.endswith(older) and "++" in flag
    return "-std=c++17" if is_older else flag


def _not_ported(source: Path) -> Diagnostic:
    return Diagnostic(
        Code.NOTHING_TO_CHECK,
        f"there is no port of {source.name}",
        severity=Severity.ERROR,
        help="the port's own findings say why",
    )


def _with_flags(program: Program, extra: CompileFlags) -> Program:
    folders = tuple(Path(folder).resolve() for folder in extra.folders)
    units = tuple(
        replace(
            unit,
            flags=(*unit.flags, *extra.flags),
            folders=(*unit.folders, *folders),
            forced=(*unit.forced, *extra.forced),
        )
        for unit in program.units
    )
    return replace(program, units=units)


def _restricted(programs: list[Program], wanted: set[Path]) -> list[Program]:
    kept = []
    for program in programs:
        units = tuple(unit for unit in program.units if unit.source in wanted)
        if units:
            kept.append(Program(program.name, program.folder, units, program.origin))
    return kept
