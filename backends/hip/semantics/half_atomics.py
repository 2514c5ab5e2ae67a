"""atomicAdd of 16-bit floats and of pairs of them, by the type that the pointer has.

    atomicAdd(half2_pointer, v)      ->   unsafeAtomicAdd(half2_pointer, v)
    atomicAdd(half_pointer, v)       ->   atomic_add_16(half_pointer, v)

HIP has the pairs under another name ("unsafe": on memory that the host shares at fine grain, the
hardware instruction may do nothing; CUDA's own promise there is no more). A single 16-bit float is
added by exchanging the word that it lies in.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.frontend import clang
from crossport.frontend.unit import TranslationUnit

_PAIRS = ("__half2", "__nv_bfloat162")
_SINGLES = ("__half", "__nv_bfloat16")
_TYPES = frozenset(
    b"__half half __half2 half2 __nv_bfloat16 nv_bfloat16 __nv_bfloat162 nv_bfloat162".split()
)
WHY = "HIP's atomicAdd takes no 16-bit floats"


def half_atomic_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Rename the calls whose element, in any instance, is a 16-bit float or a pair."""
    words = [file.text.words for file in files.values()]
    if not any(b"atomicAdd" in w for w in words) or all(w.isdisjoint(_TYPES) for w in words):
        return
    kinds: dict[tuple[str, int], set[str]] = {}
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cursor in clang.find(function, clang.CALLS):
            if cursor.spelling == "atomicAdd":
                location = cursor.location
                if location.file is not None and location.file.name in files:
                    place = (location.file.name, location.offset)
                    kinds.setdefault(place, set()).add(cursor.type.get_canonical().spelling)
    for (name, offset), found in sorted(kinds.items()):
        file = files[name]
        index = file.text.tokens.index_at(offset)
        if file.text.tokens.at(index) != b"atomicAdd" or b"atomicAdd" in file.own_names:
            continue
        if found & set(_SINGLES):
            file.helpers.add("atomic_add_16")
            file.replace(index, index, "atomic_add_16", WHY)
        elif found & set(_PAIRS) and found <= {*_PAIRS, "float", "double"}:
            file.replace(index, index, "unsafeAtomicAdd", WHY)
