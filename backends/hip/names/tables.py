"""Which names CUDA and HIP declare, by family. The text files beside this one are the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Families whose names carry a prefix of their own, so that one look-up in all of them is safe.
_PREFIXED = (
    "runtime",
    "rtc",
    "blas",
    "fft",
    "rand",
    "sparse",
    "solver",
    "miopen",
    "ccl",
    "roctx",
    "tensor",
    "newer",
)


@dataclass(frozen=True, slots=True)
class NameTable:
    """Family name -> names, as one release's headers declare them."""

    version: str
    families: dict[str, frozenset[str]]

    def __getitem__(self, family: str) -> frozenset[str]:
        return self.families.get(family, frozenset())

    def family_of(self, name: str) -> str | None:
        """The first family that has the name."""
        return next((f for f, names in self.families.items() if name in names), None)


@cache
def hip() -> NameTable:
    """What HIP's headers and those of its libraries declare."""
    return _read(Path(__file__).with_name("hip.txt"))


@cache
def cuda() -> NameTable:
    """What CUDA's headers and those of its libraries declare."""
    return _read(Path(__file__).with_name("cuda.txt"))


@cache
def hip_api() -> frozenset[str]:
    """Every prefixed name of HIP's host-side headers (`hipMalloc`, `HIPBLAS_OP_N`, ...)."""
    table = hip()
    types = table["bf16"] | table["fp8"]
    return frozenset().union(
        *(table[family] for family in _PREFIXED),
        (name for name in types if name.startswith(("__hip_", "__HIP_"))),
        (name for name in table["device"] if name.startswith("make_hip")),
    )


@cache
def cuda_api() -> frozenset[str]:
    """Every prefixed name of CUDA's host-side headers."""
    plain = ("device", "fp16", "bf16", "fp8")
    return frozenset().union(*(n for f, n in cuda().families.items() if f not in plain))


@cache
def hip_device() -> frozenset[str]:
    """Every name of HIP's device headers that keeps its CUDA spelling (`__shfl`, `atomicAdd`)."""
    table = hip()
    return frozenset().union(*(table[f] for f in ("device", "fp16", "bf16", "fp8", "newer")))


@cache
def cuda_device() -> frozenset[str]:
    """Functions of CUDA's device headers."""
    table = cuda()
    return frozenset().union(*(table[f] for f in ("device", "fp16", "bf16", "fp8")))


def _read(path: Path) -> NameTable:
    head, *sections = path.read_text(encoding="utf-8").split("\n[")
    families: dict[str, frozenset[str]] = {}
    for section in sections:
        family, _, names = section.partition("]\n")
        families[family] = frozenset(names.split("\n")) - {""}
    return NameTable(head.removeprefix("# "), families)
