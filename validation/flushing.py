"""Targets whose hardware has no denormal numbers: what the original computes there.

    x = 1.4e-45, y = sqrtf(x)      3.7e-23 on NVIDIA;  0 where x counts as 0

An element that hangs on a denormal input, or on one so small that halves and products of it are
denormal, is judged by the original run with such inputs zero, where that is nearer to what the port
left: no port can do better there. Everything else is judged as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.cases import Case
from crossport.validation.dtypes import Array, from_float64, to_float64
from crossport.validation.numerics.layers import Evidence
from crossport.validation.oracle import Oracle
from crossport.validation.runners.interp import Subject

_SOON = 8
"""So many halvings above the denormals, a number counts as one."""


def without_denormals(case: Case, contents: Mapping[str, Array]) -> dict[str, Array] | None:
    """The contents with every input zero that is denormal, or soon to be; None if none is."""
    made = dict(contents)
    for array in case.arrays:
        if array.dtype.is_float and array.role != "out":
            numbers = to_float64(contents[array.name], array.dtype)
            tiny = (numbers != 0) & (np.abs(numbers) < 2.0 ** (array.dtype.min_exponent + _SOON))
            if tiny.any():
                zeros = np.copysign(0.0, numbers)
                changed = contents[array.name].copy()
                changed[tiny] = from_float64(zeros[tiny], array.dtype)
                made[array.name] = changed
    return made if any(made[name] is not contents[name] for name in made) else None


def evidence_without(
    subject: Subject, case: Case, contents: Mapping[str, Array], evidence: Mapping[str, Evidence],
    port: Mapping[str, Array],
) -> tuple[dict[str, Evidence], int]:  # fmt: skip
    """The evidence on each float array as a machine without denormals bears it out, and how many
    elements that concerns; 0: none, or it cannot be told."""
    flushed = without_denormals(case, contents)
    if flushed is None:
        return dict(evidence), 0
    try:
        here, there = subject.run(case, contents).arrays, subject.run(case, flushed).arrays
    except PortError:
        return dict(evidence), 0
    truth = Oracle(subject).truth(case, flushed)
    made, count = dict(evidence), 0
    for array in case.written:
        known = evidence.get(array.name)
        if known is None or not array.dtype.is_float or array.name not in truth.values:
            continue
        found, mine, other = (
            to_float64(values[array.name], array.dtype) for values in (port, here, there)
        )
        with np.errstate(invalid="ignore"):
            hangs = (mine != other) & ~(np.isnan(mine) & np.isnan(other))
            nearer = np.abs(found - other) <= np.abs(found - mine)
            alike = (found == other) | (np.isnan(found) & np.isnan(other))
        chosen = hangs & (nearer | alike)
        count += int(np.count_nonzero(chosen))
        name = array.name
        made[name] = _mixed(
            known, chosen, there[name], truth.values[name], truth.sensitivity[name],
            truth.own_error[name],
        )  # fmt: skip
    return made, count


def _mixed(
    known: Evidence, chosen: Array, original: Array, oracle: Array, sensitivity: Array, own: Array
) -> Evidence:
    """The evidence, with these elements as they are without denormals."""

    def mixed(mine: Array | None, other: Array) -> Array | None:
        return None if mine is None else np.where(chosen, other, mine)

    taken = np.where(chosen, original, known.original).astype(known.original.dtype)
    return replace(
        known, original=taken, oracle=mixed(known.oracle, oracle),
        sensitivity=mixed(known.sensitivity, sensitivity), own_error=mixed(known.own_error, own),
    )  # fmt: skip
