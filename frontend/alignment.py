"""`alignas` behind CUDA's words: nvcc takes it there, clang only before them.

    __shared__ alignas(16) float a[64];   ->   alignas(16) __shared__ float a[64];

The text keeps its length, so that every offset around it stays right.
"""

from __future__ import annotations

import re

_BEHIND = re.compile(
    rb"\b((?:(?:extern|static)\s+)?__(?:shared|constant|device)__)(\s+)"
    rb"(alignas\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))"
)


def ordered_alignment(source: bytes) -> bytes:
    """The source with each such `alignas` in front, byte for byte in place of what it was."""
    return _BEHIND.sub(rb"\3\2\1", source) if b"alignas" in source else source
