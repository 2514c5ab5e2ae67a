"""Facts about CUDA's version macros: which value a port settles each by.

HIP defines none of them. They are settled as for CUDA 12 and for compute capability 7.0, the newest
whose code needs no tensor-core or asynchronous-copy PTX.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A macro of CUDA's, the value to settle it by, and the macro that HIP has in its place."""

    value: int
    hip: str

    @property
    def is_for_host(self) -> bool:
        """Whether CUDA defines it in host code too."""
        return self.hip == "__HIP__"


GUARDS = {
    b"__CUDA_ARCH__": Guard(700, "__HIP_DEVICE_COMPILE__"),
    b"CUDART_VERSION": Guard(12060, "__HIP__"),
    b"CUDA_VERSION": Guard(12060, "__HIP__"),
    b"__CUDACC_VER_MAJOR__": Guard(12, "__HIP__"),
    b"__CUDACC_VER_MINOR__": Guard(6, "__HIP__"),
    b"__CUDACC_VER_BUILD__": Guard(20, "__HIP__"),
    b"__NVCC__": Guard(1, "__HIP__"),
}
COMPARE: dict[bytes, Callable[[int, int], bool]] = {
    b">=": operator.ge,
    b">": operator.gt,
    b"<=": operator.le,
    b"<": operator.lt,
    b"==": operator.eq,
    b"!=": operator.ne,
}


def integer(number: bytes) -> int | None:
    """The value of a number as the preprocessor reads it."""
    try:
        return int(number.rstrip(b"uUlL"), 0)
    except ValueError:
        return None
