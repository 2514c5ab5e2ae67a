"""Parse a CUDA source with no CUDA toolkit at hand, and collect what is in it.

    from crossport.frontend.parse import parse

    unit = parse("reduce.cu", ["-Iinclude", "-DN=4"])
    [kernel.name for kernel in unit.kernels]       ["reduce<float, 256>", "finish"]
    parse("k.cu", instantiate=["k<float, 128>"])   also that instance, launched or not

The source is read as nvcc's device compilation would (`__CUDA_ARCH__` 800), against the
declarations in frontend/shim. Host code that does not resolve, and headers that are not there, cost
nothing but themselves: the parser keeps going, and kernels around an error are as good as without
it. What a user should hear about is in `unit.diagnostics`; input that is no source at all raises
`PortError`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clang import cindex

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.frontend import cache, clang, shim
from crossport.frontend.alignment import ordered_alignment
from crossport.frontend.chevrons import joined_chevrons
from crossport.frontend.collect import collect
from crossport.frontend.findings import findings
from crossport.frontend.headers import missing_folders
from crossport.frontend.input import check_source, clang_flags, database_flags, read_source
from crossport.frontend.instances import probes_for, requested_probes
from crossport.frontend.unit import Kernel, MacroUse, SourceFile, TranslationUnit

_BASE = (
    "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-nostdinc",
    "--target=x86_64-unknown-linux-gnu", "-ferror-limit=0", "-w", "-Xclang", "-fno-validate-pch",
    "-Wno-error", "-Wno-register", "-fno-caret-diagnostics",
    # What nvcc takes with a warning at most: {1.0 * n} for a float, "%d"MACRO.
    "-Wno-c++11-narrowing", "-Wno-reserved-user-defined-literal",
)  # fmt: skip

_OPTIONS = (
    cindex.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
    | 0x200  # keep going after fatal errors: without it, templates are silently not instantiated
)

DEFAULT_ARCH = 80


def parse(
    path: str | Path,
    flags: Sequence[str] = (),
    text: str | bytes | None = None,
    instantiate: Sequence[str] = (),
    *,
    build: str | Path | None = None,
    arch: int = DEFAULT_ARCH,
    probe: bool = True,
) -> TranslationUnit:
    """Parse one source.

    `text` stands in for the file's content. `build` is a folder with compile_commands.json.
    `instantiate` names instances of kernel templates to be made, as `k<float, 128>`. With `probe`,
    a kernel template that nothing instantiates gets one instance of the parser's choice
    (`Kernel.origin` "probe"). `arch` is the value of `__CUDA_ARCH__` divided by 10.
    """
    path = Path(path)
    if text is None:
        data = read_source(path)
    else:
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        check_source(path, data)
    arguments = clang_flags(flags)
    if build is not None:
        arguments = (*database_flags(path, Path(build)), *arguments)
    job = _Job(path, data, arguments, arch)
    handle = job.parse_with_headers()
    found = collect(handle, path, data)
    wanted = requested_probes(found.patterns, instantiate)
    if probe:
        wanted = (*wanted, *probes_for(found.patterns))
    if wanted:
        # A second parse with the wanted instances named behind the last line.
        second = job.parse(suffix="".join(f"\n{w.text}" for w in wanted))
        again = collect(second, path, data, wanted)
        if len(again.kernels) > len(found.kernels):
            handle, found = second, again
    files = {str(path): SourceFile(str(path), data)}
    includes = _project_files(handle, files)
    return TranslationUnit(
        path=path,
        handle=handle,
        files=files,
        kernels=_with_cleanness(handle, found.kernels),
        patterns=found.patterns,
        functions=found.functions,
        variables=found.variables,
        launches=found.launches,
        includes=includes,
        macros=tuple(_macros(handle, files)),
        diagnostics=findings(handle, path, data, found, instantiate),
    )


class _Job:
    """One source with its flags; parses it as often as need be."""

    def __init__(self, path: Path, data: bytes, flags: Sequence[str], arch: int) -> None:
        self.path = path
        self.data = ordered_alignment(joined_chevrons(data))
        standard = next((f for f in reversed(flags) if f.startswith("-std=")), "-std=c++17")
        base = (
            *_BASE,
            standard,
            f"--cuda-gpu-arch=sm_{arch}",
            "-isystem",
            str(cache.include_folder()),
        )
        self.base = base
        self.flags = [f for f in flags if not f.startswith("-std=")]

    def parse_with_headers(self) -> Any:
        """The parsed unit, with the project's headers that no flag leads to where they are."""
        handle = self.parse()
        while more := [f"-I{f}" for f in missing_folders(handle, self.path)]:
            if set(more) <= set(self.flags):
                break
            self.flags += [flag for flag in more if flag not in self.flags]
            handle = self.parse()
        return handle

    def parse(self, suffix: str = "") -> Any:
        """The parsed unit; tries again without the stored prelude if that one is broken."""
        prelude = cache.precompiled_prelude(self.base)
        if prelude is not None:
            handle = self._run(["-include-pch", str(prelude)], suffix)
            if handle is not None and not any(_blames_prelude(d) for d in handle.diagnostics):
                return handle
            cache.forget_precompiled(prelude)
        handle = self._run(["-include", str(shim.PRELUDE)], suffix)
        if handle is None:
            raise PortError(
                Diagnostic(
                    Code.SYNTAX_ERROR,
                    f"the C++ parser gave up on {self.path}",
                    help="check that the file is complete CUDA C++ source",
                )
            )
        return handle

    def _run(self, prelude: list[str], suffix: str) -> Any:
        # User folders first: a project's own header wins over the shim's of the same name.
        arguments = [*prelude, *self.flags, *self.base]
        content = self.data + suffix.encode() if suffix else self.data
        try:
            return clang.Index.create().parse(
                os.fspath(self.path),
                args=arguments,
                unsaved_files=[(os.fspath(self.path), content)],
                options=_OPTIONS,
            )
        except (cindex.TranslationUnitLoadError, UnicodeError):
            return None


def _blames_prelude(diagnostic: Any) -> bool:
    text = diagnostic.spelling
    return diagnostic.severity >= 4 and (
        "PCH file" in text or "precompiled" in text or "AST file" in text
    )


def _project_files(handle: Any, files: dict[str, SourceFile]) -> tuple[str, ...]:
    """Read the project's headers that took part; returns their names in order of inclusion."""
    foreign = (str(cache.include_folder()), str(shim.ROOT))
    names: dict[str, None] = {}
    for inclusion in handle.get_includes():
        name = inclusion.include.name
        if not name.startswith(foreign):
            names[name] = None
    for name in names:
        if name not in files:
            try:
                files[name] = SourceFile(name, Path(name).read_bytes())
            except OSError:
                continue
    return tuple(name for name in names if name in files)


def _with_cleanness(handle: Any, kernels: tuple[Kernel, ...]) -> tuple[Kernel, ...]:
    """Mark the kernels that an error lies in."""
    errors = [d.location for d in handle.diagnostics if d.severity >= 3 and d.location.file]
    if not errors:
        return kernels
    places = [(location.file.name, location.offset) for location in errors]
    return tuple(
        replace(kernel, clean=False)
        if any(
            f == kernel.span.file and kernel.span.offset <= o < kernel.span.end_offset
            for f, o in places
        )
        else kernel
        for kernel in kernels
    )


def _macros(handle: Any, files: dict[str, SourceFile]) -> Iterable[MacroUse]:
    for cursor in clang.children(handle.cursor):
        if cursor._kind_id != _MACRO_USE:
            if cursor.kind.is_preprocessing():
                continue
            break
        file = clang.file_of(cursor.location, handle)
        if file in files:
            start, end = clang.offsets(cursor)
            yield MacroUse(cursor.spelling, file, start, end)


_MACRO_USE = clang.CursorKind.MACRO_INSTANTIATION.value
