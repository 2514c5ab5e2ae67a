"""Macros that a ROCm library wants before its header, so that its interface is CUDA's.

Example:

    #include <cublas_v2.h>     ->     #define HIPBLAS_V2
                                      #include <hipblas/hipblas.h>

hipBLAS of ROCm 6 has an older interface (own types for data, halves and complex numbers) and the
one that cuBLAS has behind these macros; ROCm 7 has only the latter and ignores them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.includes import hip_header
from crossport.backends.hip.source import Findings, SourceText


@dataclass(frozen=True, slots=True)
class Switch:
    """`macro` is defined before `header` where the project uses a name that `used` matches."""

    macro: str
    header: str
    used: re.Pattern[bytes]
    reason: str


SWITCHES = (
    Switch(
        "HIPBLAS_V2",
        "hipblas/hipblas.h",
        re.compile(
            rb"(cu|hip)blas(\w+Ex(_64|_v2)?|ComputeType_t|[CZ][a-z]\w+|I[cz]am\w+|Dz\w+|Sc(asum|nrm2)\w*"
            rb"|Set\w*Math\w*)\Z|CUBLAS_COMPUTE_\w+|HIPBLAS_COMPUTE_\w+"
        ),
        "data and compute types as in cuBLAS",
    ),
    Switch(
        "HIPBLAS_USE_HIP_HALF",
        "hipblas/hipblas.h",
        re.compile(rb"(cu|hip)blasH[a-z]\w+\Z"),
        "half precision as __half",
    ),
)


def switch_edits(text: SourceText, is_own: frozenset[int]) -> Findings:
    """Define what the project needs before such a header. `is_own`: includes of its own files."""
    found = Findings()
    wanted = [s for s in SWITCHES if any(s.used.match(word) for word in text.project_words)]
    if not wanted:
        return found
    line = newline_of(text.source)
    done: set[str] = set()
    for include in text.includes:
        header = include.path if include.path.startswith("hipblas") else hip_header(include.path)
        if include.start in is_own or header is None:
            continue
        for switch in wanted:
            is_defined = switch.macro.encode() in text.words
            if header != switch.header or switch.macro in done or is_defined:
                continue
            done.add(switch.macro)
            at = include.line_start
            found.edits.append(
                Edit(text.file, at, at, f"#define {switch.macro}{line}", switch.reason)
            )
    return found
