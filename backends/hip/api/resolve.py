"""What a CUDA API name is called in HIP: by rule, by row, checked against what HIP declares.

Example:

    cudaMalloc            ->  Renamed("hipMalloc")                     by rule
    cuMemAlloc            ->  Renamed("hipMalloc")                     by row
    CUDA_ERROR_NOT_FOUND  ->  Renamed("hipErrorNotFound")              by folding case
    cudaGraphConditionalHandleCreate  ->  Unported("HIP declares no ...")
    cudaCheckErrors       ->  None                                     the user's own name

A rule only proposes. A name that HIP's headers do not declare is never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from crossport.backends.hip.api.rows import ROWS, RULES, UNPORTED, ApiRow
from crossport.backends.hip.names import tables


@dataclass(frozen=True, slots=True)
class Renamed:
    """The name has a counterpart. `note`: where the two differ, for the user's eyes."""

    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unported:
    """CUDA declares the name and HIP does not."""

    reason: str
    help: str = ""


Resolution = Renamed | Unported | None


@lru_cache(maxsize=16384)
def resolve(name: str) -> Resolution:
    """The HIP spelling of a CUDA API name; `None`: not a CUDA API name, leave it alone."""
    row = _rows().get(name)
    if row is not None:
        return Renamed(row.hip, row.note)
    if name in tables.hip_api() or name in VERSION_MACROS:
        return None
    candidate = _by_rule(name)
    if candidate is not None:
        return Renamed(candidate)
    if name in tables.cuda_api() or _LIBRARY_NAME.match(name):
        return _unported(name)
    return None


def looks_like_api(name: str) -> bool:
    """A cheap test that lets most names of a program pass by."""
    return bool(_MAYBE.match(name))


# Decided in conditions, see conditions.py: HIP_VERSION counts on another scale.
VERSION_MACROS = frozenset({"CUDA_VERSION", "CUDART_VERSION", "CUDA_API_VERSION"})
_MAYBE = re.compile(r"(?:cu|CU|nv|NV|nccl|NCCL|make_cu|__nv|__NV|__CUDA)")
# Libraries whose names no program makes up for itself; their tables need not be complete.
_LIBRARY_NAME = re.compile(
    r"nvml[A-Z]\w+|NVML_\w+|cupti[A-Z]\w+|CUPTI_\w+|cutlass\w*|nvtxDomain\w+|nvjpeg[A-Z]\w+"
    r"|nppi?[A-Z]\w+|optix[A-Z]\w+|__nv_(?:fp|bfloat)\w+\Z"
)


@cache
def _rows() -> dict[str, ApiRow]:
    return {row.cuda: row for row in ROWS}


def _by_rule(name: str) -> str | None:
    declared = tables.hip_api()
    # A short driver name (`cuInit`, `cuFree`) could be anyone's: it must be CUDA's.
    # So could `CUDA_FREE`, a macro.
    if re.match(r"cu[A-Z]|CU_|CU[a-z]|CUDA_[A-Z0-9_]+\Z", name) and name not in tables.cuda_api():
        return None
    plain = re.sub(r"_v\d+\Z", "", name)
    spellings = (name,) if plain == name else (name, plain)
    for spelling in spellings:
        for rule in RULES:
            if not spelling.startswith(rule.prefix):
                continue
            base = rule.replacement + spelling[len(rule.prefix) :]
            for candidate in (base, base + "_t"):
                if candidate in declared:
                    return candidate
    if name.startswith("cuda_"):
        return None  # a program's own: CUDA's runtime names go on with a capital
    for rule in RULES:
        if rule.is_folded and name.startswith(rule.prefix):
            folded = _folded().get(_fold(rule.replacement + name[len(rule.prefix) :]))
            if folded is not None:
                return folded
    return None


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def _folded() -> dict[str, str]:
    """Runtime names by their letters alone, where that is unambiguous."""
    table = tables.hip()
    found: dict[str, str | None] = {}
    for name in sorted(table["runtime"] | table["newer"]):
        key = _fold(name)
        found[key] = None if key in found else name
    return {key: name for key, name in found.items() if name is not None}


def _unported(name: str) -> Unported:
    for row in UNPORTED:
        if re.match(row.pattern, name):
            return Unported(row.reason, row.help)
    return Unported(f"HIP declares no counterpart of {name}")
