"""Overloads for CUDA's runtime and driver types, which are one type in HIP.

Example:

    const char* name(cudaError_t error) {...}            const char* name(hipError_t error) {...}
    const char* name(CUresult error) {...}       ->      #ifndef __HIP__
                                                         const char* name(hipError_t error) {...}
                                                         #endif

The first of them takes the calls of both.
"""

from __future__ import annotations

from crossport.backends.hip.api.resolve import Renamed, looks_like_api, resolve
from crossport.backends.hip.overloads import keep_for_cuda, nesting, start_of_definition
from crossport.backends.hip.source import Findings, SourceText

# The driver's names of what the runtime has too; without one of them there is nothing to merge.
_DRIVER_TYPES = frozenset(b"CUresult CUstream CUevent CUarray CUdevice_attribute CUgraph".split())


def merged_overload_edits(text: SourceText) -> Findings:
    """Keep the second of two such overloads for CUDA only."""
    found = Findings()
    if text.words.isdisjoint(_DRIVER_TYPES):
        return found
    tokens = text.tokens
    seen: dict[tuple[bytes, bytes], bytes] = {}
    for index in text.code_names:
        closing = tokens.partner.get(index + 1)
        if tokens.at(index + 1) != b"(" or closing is None or tokens.at(closing + 1) != b"{":
            continue
        end = tokens.partner.get(closing + 1)
        start = start_of_definition(text, index)
        if end is None or start is None or nesting(text, start):
            continue
        words = tokens.text[index + 2 : closing]
        signature = tokens.text[index], b" ".join(map(_ported, words))
        first = seen.setdefault(signature, b" ".join(words))
        if first != b" ".join(words):
            keep_for_cuda(text, index, start, end, found, "HIP has one type for both overloads")
    return found


def _ported(word: bytes) -> bytes:
    name = word.decode("utf-8", "replace")
    resolution = resolve(name) if looks_like_api(name) else None
    return resolution.name.encode() if isinstance(resolution, Renamed) else word
