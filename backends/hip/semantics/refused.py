"""What has no counterpart on AMD GPUs: found here, reported, and left as it is.

- a kernel that launches kernels (dynamic parallelism)
- warp matrices (`nvcuda::wmma`) of numbers that have four bits or one
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit


def refuse(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Report the constructs of a unit that cannot be ported."""
    _device_launches(unit, files)
    for file in files.values():
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


# Members of nvcuda::wmma that crossport_wmma.h does not define: numbers of four bits and of one.
_UNDEFINED = frozenset((b"experimental", b"bmma_sync", b"b1", b"s4", b"u4"))


def _wmma(file: File) -> None:
    tokens = file.text.tokens
    if b"nvcuda" in file.own_names or file.text.words.isdisjoint((b"nvcuda", b"wmma")):
        return
    for index in file.text.code_names:
        if tokens.text[index] not in _UNDEFINED or file.in_hip_code(index):
            continue
        if tokens.at(index - 1) != b"::" or tokens.at(index - 2) not in _WMMA_SCOPES:
            continue
        file.report(
            Code.WMMA,
            f"nvcuda::wmma's {tokens.text[index].decode()}: the port has no matrix products of"
            " numbers of four bits or one",
            index,
            Severity.ERROR,
            "widen the operands to 8 bits (signed char, unsigned char)",
        )


_WMMA_SCOPES = (b"wmma", b"nvcuda", b"precision", b"experimental")
