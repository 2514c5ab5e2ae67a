"""Shuffles of values that HIP's shuffles have no overload for.

    template <class T> __device__ T sum(T v) { ... __shfl_xor_sync(mask, v, 1) ... }
    sum<float>, sum<__nv_bfloat16>        that call needs the helper that takes any type

The types come from the tree: of every instance that the unit makes.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.frontend import clang
from crossport.frontend.unit import TranslationUnit

_MARKERS = (b"__nv_bfloat16", b"nv_bfloat16", b"__nv_bfloat162", b"nv_bfloat162")
_NAMES = ("__shfl_sync", "__shfl_up_sync", "__shfl_down_sync", "__shfl_xor_sync")


def generic_shuffles(unit: TranslationUnit, files: Mapping[str, File]) -> dict[str, set[int]]:
    """For each file, the byte offsets of the shuffles that must take any type."""
    found: dict[str, set[int]] = {}
    words = [file.text.words for file in files.values()]
    if not any(w for w in words if not w.isdisjoint(_MARKERS)):
        return found
    wanted = frozenset(name.encode() for name in _NAMES)
    if not any(w for w in words if not w.isdisjoint(wanted)):
        return found
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cursor in clang.find(function, clang.CALLS):
            if cursor.spelling not in _NAMES:
                continue
            file = cursor.location.file
            if file is not None and "bfloat16" in cursor.type.get_canonical().spelling:
                found.setdefault(file.name, set()).add(cursor.location.offset)
    return found
