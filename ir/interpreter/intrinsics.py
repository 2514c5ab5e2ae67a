"""Which NumPy function an intrinsic of ir/intrinsics.py means, for the kinds it is called with.

    resolve("sqrtf", ((f32,),), (f32,), oracle=False)      Meaning(np.sqrt)

`resolve` answers None for what has no meaning here: the caller refuses, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crossport.ir.interpreter.kinds import Kind

Kinds = tuple[Kind, ...]
"""The leaves of one argument."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`call(*arguments)`; with `needs_runtime`, `call(rt, mask, site, *arguments)`."""

    call: Callable[..., Any]
    needs_runtime: bool = False


def resolve(name: str, args: tuple[Kinds, ...], result: Kinds, oracle: bool) -> Meaning | None:
    """The meaning of a pure intrinsic for these argument and result kinds."""
    from crossport.ir.interpreter import (
        intrinsics_fp8,
        intrinsics_half,
        intrinsics_integer,
        intrinsics_math,
        intrinsics_place,
        intrinsics_rounding,
        intrinsics_simd,
    )

    for table in (
        intrinsics_integer, intrinsics_math, intrinsics_half, intrinsics_rounding,
        intrinsics_simd, intrinsics_fp8, intrinsics_place,
    ):  # fmt: skip
        found: Meaning | None = table.find(name, args, result)
        if found is not None:
            return found
    return None
