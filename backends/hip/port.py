"""CUDA sources -> HIP sources: a unit with the project headers it includes, edited in place.

Example:

    ported = port_unit(Path("src/reduce.cu"), HipOptions(), root=Path("src"))
    ported.files[0].target       PurePosixPath("reduce.hip")
    ported.files[0].edits        (Edit("src/reduce.cu", 0, 10, "hipMalloc", "API name"), ...)

What decides the edits: names and headers by text (in every branch), meaning by the frontend's facts
(`backends/hip/semantics`). Headers shared by several units are ported once: give all units to one
`HipPort`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from pathlib import Path, PurePosixPath

from crossport.backends.hip.calls import call_edits
from crossport.backends.hip.closure import Project
from crossport.backends.hip.conditions import condition_edits
from crossport.backends.hip.device import device_edits
from crossport.backends.hip.device_runtime import device_runtime_findings
from crossport.backends.hip.edits import Edit, apply_edits, merge_edits
from crossport.backends.hip.float8 import float8_findings
from crossport.backends.hip.handle_numbers import handle_number_edits
from crossport.backends.hip.header_guards import header_guard_edits
from crossport.backends.hip.host_halves import FP16_HEADERS, has_host_arithmetic
from crossport.backends.hip.includes import IncludeOptions, include_edits, renamed_source
from crossport.backends.hip.kernel_strings import kernel_string_edits
from crossport.backends.hip.launches import launch_edits
from crossport.backends.hip.lexer import Include
from crossport.backends.hip.merged_overloads import merged_overload_edits
from crossport.backends.hip.namespaces import namespace_edits
from crossport.backends.hip.overloads import overload_edits
from crossport.backends.hip.rename import rename_edits
from crossport.backends.hip.source import Defined, Findings, SourceText
from crossport.backends.hip.sparse_buffers import sparse_buffer_edits
from crossport.backends.hip.supplied import is_supplied, supplied_headers
from crossport.backends.hip.switches import switch_edits
from crossport.backends.hip.template_keyword import function_templates, template_keyword_edits
from crossport.backends.hip.textures import TexturePlan, texture_edits, texture_plan
from crossport.diagnostics import Code, Diagnostic, PortError, Severity, Span, sort_diagnostics
from crossport.frontend.unit import TranslationUnit

# Each reads one file. Overlaps are settled by priority, so that the order does not matter.
PASSES: tuple[Callable[[SourceText], Findings], ...] = (
    rename_edits,
    namespace_edits,
    call_edits,
    launch_edits,
    condition_edits,
    header_guard_edits,
    device_edits,
    device_runtime_findings,
    overload_edits,
    sparse_buffer_edits,
    merged_overload_edits,
    template_keyword_edits,
    handle_number_edits,
)
# The folder of the port for files that are included from outside the root.
OUTSIDE = "external"
# What the meaning-decided part takes and gives.
Semantics = Callable[[TranslationUnit, "HipOptions"], tuple[list[Edit], list[Diagnostic]]]


@dataclass(frozen=True, slots=True)
class HipOptions:
    """What a HIP port is for. Warps keep their 32 lanes, on wavefronts of 32 and of 64."""

    arch: tuple[str, ...] = ("gfx942",)
    rocm_path: str | None = None
    include_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class PortedFile:
    """One file of the port. `target` is its path under the output folder. `source`: None for a
    header that comes with the port (supplied.py)."""

    source: Path | None
    target: PurePosixPath
    original: bytes = field(repr=False)
    ported: bytes = field(repr=False)
    edits: tuple[Edit, ...] = field(repr=False)

    @property
    def is_changed(self) -> bool:
        """Whether any byte differs."""
        return self.ported != self.original


@dataclass(frozen=True, slots=True)
class PortedFiles:
    """The files of one or more units, the first the source itself, and what was found."""

    files: tuple[PortedFile, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def edit_count(self) -> int:
        """Edits in all files together."""
        return sum(len(f.edits) for f in self.files)


def port_unit(
    source: Path,
    options: HipOptions | None = None,
    *,
    root: Path | None = None,
    unit: TranslationUnit | None = None,
    semantics: Semantics | None = None,
) -> PortedFiles:
    """Port one source and the project headers it includes. `root` defaults to its folder."""
    port = HipPort(root or source.parent, options or HipOptions(), semantics)
    port.add(source, unit)
    return port.result()


class HipPort:
    """Several units of one project, ported together."""

    def __init__(self, root: Path, options: HipOptions, semantics: Semantics | None = None) -> None:
        self.project = Project(root, options.include_dirs)
        self.options = options
        self._semantics = semantics
        self._texts: dict[Path, SourceText] = {}
        self._includes: dict[Path, list[Path]] = {}
        self._sources: dict[Path, None] = {}
        self._meaning = Findings()

    def add(self, source: Path, unit: TranslationUnit | None = None) -> None:
        """Take in a unit. With `unit`, the frontend's parse of it, meaning is ported too."""
        path = Path(os.path.abspath(source))
        self._text(path)  # raises for a file that cannot be read, which is then no part of this
        self._sources[path] = None
        for member in self._reach([path]):
            self._text(member)
        if unit is not None and self._semantics is not None:
            edits, diagnostics = self._semantics(unit, self.options)
            self._meaning.edits += edits
            self._meaning.diagnostics += diagnostics

    def look_in(self, folders: Iterable[Path]) -> None:
        """Look up includes in these folders too (`-I`). Call it before `add`."""
        self.project.look_in(folders)

    def closure(self, source: Path) -> tuple[Path, ...]:
        """The source and every project file it includes, directly or not."""
        return tuple(self._reach([Path(os.path.abspath(source))]))

    def words(self, source: Path) -> frozenset[bytes]:
        """Every identifier in the closure: a quick test for "does this need a parse"."""
        return frozenset().union(*(self._text(p).words for p in self.closure(source)))

    def result(self) -> PortedFiles:
        """Port everything that was added."""
        members = list(self._reach(self._sources))
        declared = self._declared(members)
        words = frozenset().union(*(self._text(p).words for p in members))
        includes = frozenset(i.path for p in members for i in self._text(p).includes)
        has_host_halves = not includes.isdisjoint(FP16_HEADERS) and any(
            has_host_arithmetic(self._text(p)) for p in members
        )
        included = frozenset().union(*(self._included(p) for p in members))
        templates = frozenset().union(*(function_templates(self._text(p)) for p in members))
        by_file = self._meaning_by_file()
        meaning = self._meaning_findings()
        diagnostics = meaning.pop(None, [])
        edits: dict[Path, tuple[Edit, ...]] = {}
        for path in members:
            self._text(path).set_project(declared[path], words, includes)
        textures = texture_plan([self._text(path) for path in members], self.options.arch)
        for path in members:
            text = self._text(path)
            text.project_has_host_halves = has_host_halves
            text.project_templates = templates
            found = self._port_text(path, text, included, textures)
            merged = merge_edits([*found.edits, *by_file.get(path, ())])
            edits[path] = merged.edits
            diagnostics += _of_active(text, [*found.diagnostics, *meaning.pop(path, ())])
            diagnostics += [_conflict(text, c.dropped) for c in merged.conflicts]
        diagnostics += [d for others in meaning.values() for d in others]
        if _is_rocm_6(self.options.rocm_path):
            # What is a warning in general is known here: this ROCm will not compile it.
            diagnostics = [
                replace(d, severity=Severity.ERROR) if d.code == Code.HIP_NEEDS_NEWER else d
                for d in diagnostics
            ]
        moved = self._moved(edits)
        files = [
            self._ported(path, edits[path], moved)
            for path in members
            if self._is_inside(path) or path in moved
        ]
        files += _supplied(files)
        return PortedFiles(tuple(files), tuple(sort_diagnostics(diagnostics)))

    def _declared(self, members: Iterable[Path]) -> dict[Path, Defined]:
        """What each file can mean by a name: what is declared in the sources that it is part of."""
        found: dict[Path, Defined] = {}
        for source in self._sources:
            together = list(self._reach([source]))
            declared = reduce(or_, (self._text(p).declared for p in together), Defined())
            for path in together:
                known = found.get(path)
                found[path] = declared if known is None else known | declared
        project = reduce(or_, found.values(), Defined())
        return {path: found.get(path, Defined()).within(project) for path in members}

    def _ported(self, path: Path, edits: tuple[Edit, ...], moved: frozenset[Path]) -> PortedFile:
        text = self._text(path)
        redirected = list(self._redirections(path, moved))
        if redirected:
            edits = merge_edits([*edits, *redirected]).edits
        return PortedFile(
            path, self._target(path), text.source, apply_edits(text.source, edits), edits
        )

    def _moved(self, edits: dict[Path, tuple[Edit, ...]]) -> frozenset[Path]:
        """Files outside the root that must be copied into the port: they change, or what they
        include does."""
        outside = [p for p in edits if not self._is_inside(p)]
        moved = {p for p in outside if edits[p]}
        while True:
            more = {p for p in outside if p not in moved and moved & set(self._included(p))}
            if not more:
                return frozenset(moved)
            moved |= more

    def _redirections(self, path: Path, moved: frozenset[Path]) -> Iterator[Edit]:
        """Point the includes of moved files to where they are in the port."""
        if not moved:
            return
        here = self._target(path).parent
        text = self._text(path)
        for include in text.includes:
            own = self.project.resolve(path, include)
            if own not in moved:
                continue
            target = self._target(own).as_posix()
            written = os.path.normpath(os.path.join(here, include.path))
            if include.is_quoted and written == target:
                continue
            relative = os.path.relpath(target, here)
            reason = "the port holds this file of another folder"
            yield Edit(text.file, include.start, include.end, f'"{relative}"', reason, 5)

    def _port_text(
        self, path: Path, text: SourceText, included: frozenset[Path], textures: TexturePlan
    ) -> Findings:
        is_unit = path in self._sources
        found = Findings()
        if is_supplied(path.name):
            return found  # a header of ours, in what was ported before

        def resolve(include: Include) -> PurePosixPath | None:
            own = self.project.resolve(path, include)
            return PurePosixPath(own.as_posix()) if own is not None else None

        adds_runtime = is_unit and (
            path.suffix == ".cu" or (path.suffix == ".hip" and path not in included)
        )
        found.add(include_edits(text, IncludeOptions(adds_runtime, resolve)))
        own = frozenset(i.start for i in text.includes if resolve(i) is not None)
        found.add(switch_edits(text, own))
        found.add(texture_edits(text, textures))
        found.add(float8_findings(text, self.options.arch))
        for edits_of in PASSES:
            found.add(edits_of(text))
        found.add(kernel_string_edits(text, (rename_edits, call_edits, condition_edits)))
        return found

    def _reach(self, sources: Iterable[Path]) -> Iterable[Path]:
        seen: dict[Path, None] = {}
        pending = list(sources)[::-1]
        while pending:
            path = pending.pop()
            if path in seen:
                continue
            seen[path] = None
            pending += self._included(path)[::-1]
        return seen

    def _included(self, path: Path) -> list[Path]:
        known = self._includes.get(path)
        if known is None:
            text = self._text(path)
            found = (self.project.resolve(path, include) for include in text.includes)
            known = list(dict.fromkeys(p for p in found if p is not None and p != path))
            self._includes[path] = known
        return known

    def _text(self, path: Path) -> SourceText:
        text = self._texts.get(path)
        if text is None:
            text = self._texts[path] = SourceText(str(path), _read(path))
        return text

    def _meaning_by_file(self) -> dict[Path, list[Edit]]:
        grouped: dict[Path, list[Edit]] = {}
        for edit in self._meaning.edits:
            grouped.setdefault(Path(os.path.abspath(edit.file)), []).append(edit)
        return grouped

    def _meaning_findings(self) -> dict[Path | None, list[Diagnostic]]:
        grouped: dict[Path | None, list[Diagnostic]] = {}
        for finding in self._meaning.diagnostics:
            path = Path(os.path.abspath(finding.span.file)) if finding.span is not None else None
            grouped.setdefault(path, []).append(finding)
        return grouped

    def _is_inside(self, path: Path) -> bool:
        return path.is_relative_to(self.project.root)

    def _target(self, path: Path) -> PurePosixPath:
        relative = Path(os.path.relpath(path, self.project.root))
        if not self._is_inside(path):
            relative = Path(OUTSIDE, *(part for part in relative.parts if part != ".."))
        return PurePosixPath(relative.with_name(renamed_source(path.name)).as_posix())


def _supplied(files: Sequence[PortedFile]) -> list[PortedFile]:
    """The headers of ours that the port includes, each beside the files that do."""
    found: dict[PurePosixPath, PortedFile] = {}
    present = {file.target for file in files}
    pending = list(files)
    while pending:
        file = pending.pop()
        for name, text in supplied_headers(file.ported):
            target = file.target.with_name(name)
            if target not in present and target not in found:
                found[target] = PortedFile(None, target, b"", text, ())
                pending.append(found[target])
    return sorted(found.values(), key=lambda file: file.target)


def _is_rocm_6(root: str | None) -> bool:
    """Whether the install at `root` is older than ROCm 7, as its version header says."""
    if root is None:
        return False
    try:
        header = (Path(root) / "include/hip/hip_version.h").read_text(errors="replace")
    except OSError:
        return False
    match = re.search(r"HIP_VERSION_MAJOR\s+(\d+)", header)
    return match is not None and int(match[1]) < 7


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PortError(
            Diagnostic(
                Code.CANNOT_READ, f"cannot read {path}: {error.strerror}", Span(str(path), 1)
            )
        ) from error


def _of_active(text: SourceText, found: list[Diagnostic]) -> list[Diagnostic]:
    """The findings of a file: what no HIP compiler reads is not left unported."""
    return [
        d
        for d in found
        if d.severity is not Severity.ERROR or d.span is None or not text.is_inactive(d.span.offset)
    ]


def _conflict(text: SourceText, edit: Edit) -> Diagnostic:
    return Diagnostic(
        Code.HIP_EDIT_CONFLICT,
        f"two edits want the same text; this one was left out: {edit.reason}",
        text.byte_span(edit.start, edit.end),
        Severity.ERROR,
        "write this place by hand",
    )
