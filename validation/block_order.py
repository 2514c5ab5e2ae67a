"""Does a launch come out the same whichever block goes first? One that does not has no one result.

    last = atomicInc(&finished, gridDim.x - 1) == gridDim.x - 1;
    if (last) *total = sum(partial);
        finished = 0 at first    the last block adds up what all have left: legal
        finished = 2             the fourth of six does: its sum lacks two parts, whichever they are

The original is interpreted a second time from its last block down, one by one where it begins and
ends (blocks that are interpreted together go in step, and hide it). Threads of several blocks meet
in atomic operations alone, everything else between them being a race; so kernels without these are
not asked. Whole numbers must be the same to the bit, floats about the same: the order of a sum is
free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from crossport.diagnostics import PortError
from crossport.ir.nodes import Atomic, Barrier, walk
from crossport.ir.reachable import reachable
from crossport.validation.cases import ArrayArg, Case
from crossport.validation.dtypes import Array, to_float64
from crossport.validation.runners.interp import Subject

_SINGLE, _PARTS = 16, 4
_SECONDS = 2.0
_FLOATS_WITHIN = 1e-2


def hangs_on_block_order(
    subject: Subject, case: Case, contents: Mapping[str, Array], outputs: Mapping[str, Array]
) -> bool:
    """Whether other blocks first give other results than `outputs`."""
    blocks = math.prod(case.grid)
    if blocks == 1 or not _blocks_meet(subject, case):
        return False
    arrays: Mapping[str, Array] = contents
    quick = replace(subject, seconds=_SECONDS)
    try:
        for part in reversed(_parts(blocks)):
            arrays = quick.run(case, arrays, blocks=part).arrays
    except PortError:
        return False  # Blocks that wait for earlier ones, or too slow to ask twice.
    return any(_differs(array, outputs[array.name], arrays[array.name]) for array in case.written)


def _parts(blocks: int) -> list[range]:
    """Block numbers: the first and the last ones each by itself, those between in a few parts."""
    low, high = min(_SINGLE, blocks), max(blocks - _SINGLE, min(_SINGLE, blocks))
    size = max(1, -(-(high - low) // _PARTS))
    starts = [*range(low), *range(low, high, size), *range(high, blocks)]
    return [range(a, b) for a, b in zip(starts, [*starts[1:], blocks], strict=True)]


def _blocks_meet(subject: Subject, case: Case) -> bool:
    """Whether blocks exchange anything, without a barrier of the whole grid."""
    functions = reachable(subject.module, subject.kernel(case.kernel))
    nodes = [node for function in functions for node in walk(function)]
    if any(isinstance(node, Barrier) and node.scope != "block" for node in nodes):
        return False
    return any(isinstance(node, Atomic) for node in nodes)


def _differs(array: ArrayArg, one: Array, other: Array) -> bool:
    if array.compare == "multiset":
        one, other = np.sort(one), np.sort(other)
    if not array.dtype.is_float:
        return one.tobytes() != other.tobytes()
    with np.errstate(all="ignore"):
        a, b = to_float64(one, array.dtype), to_float64(other, array.dtype)
        finite = a[np.isfinite(a)]
        scale = float(np.sqrt(np.mean(finite**2))) if finite.size else 0.0
        return not np.allclose(
            a, b, rtol=_FLOATS_WITHIN, atol=_FLOATS_WITHIN * scale, equal_nan=True
        )
