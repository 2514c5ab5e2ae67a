"""What has no counterpart on AMD GPUs: found here, reported, and left as it is.

- a kernel that launches kernels (dynamic parallelism)
- `nvcuda::wmma`: rocWMMA fragments are spread over a whole wavefront, so that the launch geometry
  changes with the width of it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit

# RDNA: wavefronts of 32 lanes.
_WAVE32 = ("gfx10", "gfx11", "gfx12")


def refuse(unit: TranslationUnit, files: Mapping[str, File], arch: Sequence[str]) -> None:
    """Report the constructs of a unit that cannot be ported to these GPUs."""
    is_wave32 = all(name.startswith(_WAVE32) for name in arch)
    _device_launches(unit, files)
    for file in files.values():
        if not is_wave32:
            _wmma(file)


def _device_launches(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """`<<<` inside device code, by its words: the parser drops such a call as an error."""
    device = [place_of(k.cursor) for k in unit.kernels] + [p.span for p in unit.patterns]
    # A function for both sides may launch in the host's part of it.
    device += [place_of(f) for f in unit.functions if not _is_host_too(f)]
    for file in files.values():
        if b"<<<" not in file.text.source:
            continue
        inside = [d for d in device if d.file == file.text.file]
        tokens = file.text.tokens
        for index, text in enumerate(tokens.text):
            if text != b"<<<" or file.in_hip_code(index):
                continue
            start = tokens.start[index]
            if any(d.offset <= start < d.end_offset for d in inside):
                file.report(
                    Code.DYNAMIC_PARALLELISM,
                    "a kernel launches a kernel: AMD GPUs cannot launch from the device",
                    index,
                    Severity.ERROR,
                    "launch from the host, or do the child's work in a loop",
                )


def _is_host_too(function: Cursor) -> bool:
    return clang.has_attribute(function, CursorKind.CUDAHOST_ATTR)


def _wmma(file: File) -> None:
    tokens = file.text.tokens
    for index in file.text.code_names:
        if tokens.text[index] != b"nvcuda" or file.in_hip_code(index):
            continue
        if b"nvcuda" in file.own_names:
            return
        file.report(
            Code.WMMA,
            "nvcuda::wmma has no drop-in counterpart: a rocWMMA fragment spans a whole wavefront,"
            " so on wave64 the block needs 64 threads for each fragment",
            index,
            Severity.ERROR,
            "use rocwmma:: and launch warpSize threads a fragment, or call a BLAS library",
        )
        return
