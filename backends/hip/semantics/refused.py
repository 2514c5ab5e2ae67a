"""What has no counterpart on AMD GPUs: found here, reported, and left as it is.

- a kernel that launches kernels (dynamic parallelism)
- `nvcuda::wmma`: rocWMMA fragments are spread over a whole wavefront, so that the launch geometry
  changes with the width of it
- partitions of a group by label
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit


def refuse(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Report the constructs of a unit that cannot be ported."""
    _device_launches(unit, files)
    for file in files.values():
        _wmma(file)
        for index in file.uses((b"labeled_partition",)):
            file.report(
                Code.GROUP_PARTITION_MISSING,
                "HIP's cooperative groups have no labeled_partition",
                index,
                Severity.ERROR,
                "loop over the labels with binary_partition, or use warp32_match_any-like masks",
            )


def _device_launches(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    device = [place_of(f) for f in (*(k.cursor for k in unit.kernels), *unit.functions)]
    done: set[tuple[str, int]] = set()
    for launch in unit.launches:
        span = launch.span
        key = (span.file, span.offset)
        file = files.get(span.file)
        if file is None or key in done:
            continue
        if any(d.file == span.file and d.offset <= span.offset < d.end_offset for d in device):
            if _is_host_too(file, span.offset):
                continue
            done.add(key)
            file.report(
                Code.DYNAMIC_PARALLELISM,
                f"a kernel launches {launch.kernel or 'a kernel'}: AMD GPUs cannot launch from the"
                " device",
                file.text.tokens.index_at(span.offset),
                Severity.ERROR,
                "launch from the host, or do the child's work in a loop",
            )


def _is_host_too(file: File, offset: int) -> bool:
    """Is the launch in a branch for host compilation (`#ifndef __CUDA_ARCH__`)?"""
    head = file.text.source[:offset].rpartition(b"#if")[2][:80]
    return b"!defined(__CUDA_ARCH__)" in head or head.startswith(b"ndef __CUDA_ARCH__")


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
