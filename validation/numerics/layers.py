"""Judge one array: port against original, both against the float64 oracle, all against noise.

    original  o     oracle  t     noise  [l, h]     port  p

    layer 1  classes     NaN, infinities, denormals and zeros stand where the original has them
    layer 2  bits        p == o: demanded of integers, and of floats whose true values are exact
    layer 3  oracle      error(p) <= 2 * error(o), in units, at the worst element, overall, by tile
    layer 4  noise       l <= p <= h, the spread of the original's own repeats

A unit is the type's spacing at the true value, or what rounding the inputs alone would do to that
element, whichever is larger: an element of a cancelling sum is not held to a precision that its
inputs do not carry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.validation.dtypes import Array, DType, from_float64, to_float64
from crossport.validation.numerics.units import CLASSES, bits_apart, classes, ulp_size
from crossport.validation.numerics.words import Word

RATIO = 2.0
TILE = 256
# What correct rounding and the vendors' own libraries leave open, in units: results of 16-bit
# types are rounded once from wider arithmetic; for the others, the sum of the worst errors that
# CUDA and HIP state for their float functions stays below 4.
_FLOOR_WORST = {2: 1.5, 4: 4.0, 8: 4.0}
_FLOOR_RMS = {2: 0.6, 4: 1.5, 8: 1.5}

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """One element that differs: where it is, and every value known of it."""

    array: str
    flat: int
    index: tuple[int, ...]
    expected: float | int
    found: float | int
    true: float | None = None
    thread: str = ""
    source: str = ""

    def __str__(self) -> str:
        where = ", ".join(map(str, self.index))
        true = "" if self.true is None else f", true value {self.true!r}"
        by = f", written by {self.thread}" if self.thread else ""
        line = f" at {self.source}" if self.source else ""
        known = f"{self.found!r}, the original has {self.expected!r}{true}"
        return f"{self.array}[{where}]: {known}{by}{line}"


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """Errors against the oracle, in units."""

    worst: float
    rms: float
    p999: float

    def as_json(self) -> dict[str, float]:
        """For reports."""
        return {"worst": self.worst, "rms": self.rms, "p99.9": self.p999}


@dataclass(frozen=True, slots=True)
class ArrayVerdict:
    """What was found about one array, and by which layers."""

    array: str
    word: Word
    layers: tuple[str, ...]
    reason: str
    differing: int = 0
    steps: float = 0.0
    """Most representable numbers between port and original."""
    original_error: ErrorTable | None = None
    port_error: ErrorTable | None = None
    first: Place | None = None

    def as_json(self) -> dict[str, object]:
        """The stable form used in --json."""
        return {
            "array": self.array,
            "word": self.word.value,
            "layers": list(self.layers),
            "reason": self.reason,
            "differing": self.differing,
            "max_ulp": self.steps,
            "original_error": self.original_error.as_json() if self.original_error else None,
            "port_error": self.port_error.as_json() if self.port_error else None,
            "first": str(self.first) if self.first else None,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known of one array besides the port's own result."""

    original: Array
    oracle: F64 | None = None
    sensitivity: F64 | None = None
    """What rounding the inputs alone does to each element; None: not known."""
    noise: tuple[F64, F64] | None = None
    is_exact_regime: bool = False
    """Inputs whose sums and products no order can change."""
    own_error: F64 | None = None
    """How far the original's program lands from the oracle in its own precision, without fused
    multiply-add (the compiler is free to use it) and on nearby inputs."""
    may_reorder: bool = False
    """The order of elements is free: compare as a multiset."""
    flushes_denormals: bool = False
    """The target's hardware has no denormals: there, they and zero are one class."""
    shape: tuple[int, ...] = ()


def judge_array(name: str, dtype: DType, evidence: Evidence, port: Array) -> ArrayVerdict:
    """The verdict on one array of a port. `port` has the original's length and storage type."""
    original = evidence.original
    if evidence.may_reorder:
        return _judge_multiset(name, dtype, original, port)
    # Most arrays are equal: one pass over the bytes, nothing else.
    if original.tobytes() == port.tobytes():
        return ArrayVerdict(name, Word.EXACT, ("bits",), "every bit equals the original's")
    if not dtype.is_float:
        return _judge_integers(name, evidence, port)
    return _judge_floats(name, dtype, evidence, port)


def _judge_multiset(name: str, dtype: DType, original: Array, port: Array) -> ArrayVerdict:
    raw = f"u{dtype.bytes}"
    ours, theirs = np.sort(port.view(raw)), np.sort(original.view(raw))
    differing = int(np.count_nonzero(ours != theirs))
    if differing == 0:
        return ArrayVerdict(
            name, Word.EXACT, ("bits",), "the same elements, in an order that is free"
        )
    return ArrayVerdict(
        name, Word.DIVERGENT, ("bits",), "not the same elements, in any order", differing
    )


def _judge_integers(name: str, evidence: Evidence, port: Array) -> ArrayVerdict:
    different = evidence.original != port
    count = int(np.count_nonzero(different))
    at = int(np.argmax(different))
    first = _place(name, at, evidence, port[at], evidence.original[at])
    return ArrayVerdict(
        name, Word.DIVERGENT, ("bits",), f"{count} of {len(port)} integers differ", count, 0.0,
        first=first,
    )  # fmt: skip


def _judge_floats(name: str, dtype: DType, evidence: Evidence, port: Array) -> ArrayVerdict:
    at = np.flatnonzero(_differs(port, evidence.original, dtype))
    # Only elements that differ are looked at from here on, but for the oracle's statistics.
    p, o = (to_float64(values[at], dtype) for values in (port, evidence.original))
    if evidence.flushes_denormals:
        p, o = _flush(p, dtype), _flush(o, dtype)
        still = p != o
        at, p, o = at[still], p[still], o[still]
    count = len(at)
    if count == 0:
        return ArrayVerdict(
            name, Word.EXACT, ("classes", "bits"),
            "equal up to the sign of zero and the payload of NaN",
        )  # fmt: skip
    layers: list[str] = ["classes"]
    steps = bits_apart(port[at], evidence.original[at], dtype)
    most = float(np.max(np.where(np.isfinite(p) & np.isfinite(o), steps, 0.0)))

    def verdict(word: Word, reason: str, which: int) -> ArrayVerdict:
        place = _place(name, int(at[which]), evidence, p[which], o[which])
        return ArrayVerdict(name, word, tuple(layers), reason, count, most, first=place)

    wrong = _class_faults(p, o, dtype, _noise_floor(evidence, at))
    if wrong.any():
        which = int(np.argmax(wrong))
        kinds = tuple(CLASSES[int(classes(v[which : which + 1], dtype)[0])] for v in (p, o))
        return verdict(
            Word.DIVERGENT,
            f"{int(np.count_nonzero(wrong))} elements are of another class: "
            f"{kinds[0]} where the original has {kinds[1]}",
            which,
        )
    if evidence.is_exact_regime and evidence.noise is None and _is_exact(evidence, dtype):
        layers.append("bits")
        return verdict(Word.DIVERGENT, "inputs leave no room for rounding, yet bits differ", 0)
    if evidence.oracle is not None:
        layers.append("oracle")
        return _judge_by_oracle(name, dtype, evidence, port, tuple(layers), count, most)
    if evidence.noise is not None:
        layers.append("noise")
        low, high = (edge[at] for edge in evidence.noise)
        if ((p >= low) & (p <= high)).all():
            return verdict(Word.WITHIN_NOISE, "inside the spread of the original's own repeats", 0)
    return _judge_alone(dtype, evidence, p, o, verdict)


def _judge_alone(
    dtype: DType, evidence: Evidence, p: F64, o: F64,
    verdict: Callable[[Word, str, int], ArrayVerdict],
) -> ArrayVerdict:  # fmt: skip
    """With nothing but the original to go by: gross differences are wrong, small ones are open."""
    scale = float(np.max(np.abs(o[np.isfinite(o)]), initial=0.0))
    with np.errstate(invalid="ignore"):
        gap = np.where(np.isfinite(p) & np.isfinite(o), np.abs(p - o), 0.0)
    which = int(np.argmax(gap))
    if gap[which] > scale * 2.0 ** -(dtype.significand // 2) and evidence.noise is None:
        return verdict(
            Word.DIVERGENT, "more than half of the digits differ, at the array's own scale", which
        )
    return verdict(
        Word.UNDECIDED,
        f"{len(p)} of {len(evidence.original)} floats differ "
        "and there is no oracle to say whose error it is",
        0,
    )


def _differs(port: Array, original: Array, dtype: DType) -> NDArray[np.bool_]:
    """Where numbers differ; NaN equals NaN, and zeros of both signs are equal."""
    if dtype.name == "bfloat16":
        port, original = to_float64(port, dtype), to_float64(original, dtype)
    with np.errstate(invalid="ignore"):
        different = port != original
    at = np.flatnonzero(different)
    both = np.isnan(port[at]) & np.isnan(original[at])
    different[at[both]] = False
    return np.asarray(different)


def _class_faults(p: F64, o: F64, dtype: DType, floor: F64) -> NDArray[np.bool_]:
    """Where the class differs in a way that rounding cannot explain."""
    mine, theirs = classes(p, dtype), classes(o, dtype)
    fault = mine != theirs
    # Rounding may move a number across the edge of the denormals, or a tiny one to zero; whether
    # it moved too far is for the other layers. A flush of all denormals is not rounding.
    step = ulp_size(np.zeros(1), dtype)[0]
    with np.errstate(invalid="ignore"):
        apart = np.abs(p - o)
    near = apart <= 2 * step
    finite = (mine <= 2) & (theirs <= 2)
    big = np.maximum(np.abs(p), np.abs(o)) >= 2.0**dtype.min_exponent * (1 - 2.0**-6)
    fault &= ~(finite & (near | big | (floor >= apart)))
    return np.asarray(fault)


def _noise_floor(evidence: Evidence, at: NDArray[np.intp]) -> F64:
    floor = np.zeros(len(at))
    if evidence.sensitivity is not None:
        floor = np.maximum(floor, evidence.sensitivity[at])
    if evidence.noise is not None:
        floor = np.maximum(floor, evidence.noise[1][at] - evidence.noise[0][at])
    return floor


def _is_exact(evidence: Evidence, dtype: DType) -> bool:
    """Whether the original hit the true values, and these need no rounding."""
    if evidence.oracle is None:
        return False
    true = evidence.oracle
    rounded = to_float64(from_float64(true, dtype), dtype)
    original = to_float64(evidence.original, dtype)
    return bool(
        np.array_equal(rounded, true, equal_nan=True)
        and np.array_equal(original, true, equal_nan=True)
    )


def _judge_by_oracle(
    name: str, dtype: DType, evidence: Evidence, port: Array,
    layers: tuple[str, ...], count: int, most: float,
) -> ArrayVerdict:  # fmt: skip
    assert evidence.oracle is not None
    p, o = to_float64(port, dtype), to_float64(evidence.original, dtype)
    if evidence.flushes_denormals:
        p, o = _flush(p, dtype), _flush(o, dtype)
    true = evidence.oracle
    usable = np.isfinite(true) & np.isfinite(o) & np.isfinite(p)
    # Where both runs agree that a value overflows or is NaN, the float64 oracle has nothing to add.
    unit = ulp_size(true, dtype)
    if evidence.flushes_denormals:
        true = _flush(true, dtype)
        # A flushed intermediate is off by as much as the largest denormal of float.
        unit = np.maximum(unit, 2.0 ** min(dtype.min_exponent, -126))
    if evidence.sensitivity is not None:
        unit = np.maximum(
            unit, np.where(np.isfinite(evidence.sensitivity), evidence.sensitivity, 0)
        )
    with np.errstate(invalid="ignore", over="ignore"):
        error_p = np.where(usable, np.abs(p - true) / unit, 0.0)
        error_o = np.where(usable, np.abs(o - true) / unit, 0.0)
        if evidence.noise is not None:
            # An original that is not reproducible is as wrong as the worst of its runs.
            for edge in evidence.noise:
                error_o = np.maximum(error_o, np.where(usable, np.abs(edge - true) / unit, 0.0))
        if evidence.own_error is not None:
            error_o = np.maximum(error_o, np.where(usable, evidence.own_error / unit, 0.0))
    floor_worst, tile_floor = _FLOOR_WORST[dtype.bytes], _FLOOR_RMS[dtype.bytes]
    own = _own_excuse(error_p, error_o, floor_worst)
    error_p, error_o = np.where(own, 0.0, error_p), np.where(own, 0.0, error_o)
    table_p, table_o = _table(error_p), _table(error_o)
    # Over a handful of elements, RMS is little else than the worst of them.
    floor_rms = max(tile_floor, floor_worst / max(len(p), 1) ** 0.5)
    failures: list[str] = []
    at = int(np.argmax(error_p))
    if table_p.worst > max(RATIO * table_o.worst, floor_worst):
        failures.append(
            f"the worst element is {table_p.worst:.3g} units off, "
            f"the original's {table_o.worst:.3g}"
        )
    if table_p.rms > max(RATIO * table_o.rms, floor_rms):
        failures.append(f"RMS {table_p.rms:.3g} units, the original's {table_o.rms:.3g}")
    tile = _worst_tile(error_p, error_o, tile_floor)
    if tile is not None:
        start, mine, theirs = tile
        failures.append(
            f"elements {start}..{start + TILE - 1} are {mine:.3g} units off (RMS), "
            f"the original {theirs:.3g}"
        )
    if failures:
        word, reason = Word.DIVERGENT, "; ".join(failures)
    else:
        word = Word.EQUIVALENT
        reason = (
            f"error {table_p.worst:.3g} units at worst, {table_p.rms:.3g} RMS; "
            f"the original's own {table_o.worst:.3g} and {table_o.rms:.3g}"
        )
    place = _place(name, at, evidence, p[at], o[at])
    return ArrayVerdict(
        name, word, layers, reason, count, most,
        original_error=table_o, port_error=table_p, first=place,
    )  # fmt: skip


def _own_excuse(error_p: F64, error_o: F64, floor: float) -> NDArray[np.bool_]:
    """Elements where the original is far off by itself (a branch that rounding turns), and the port
    no further: they excuse themselves, but must not raise what is allowed elsewhere."""
    ordinary = float(np.quantile(error_o, 0.99)) if len(error_o) else 0.0
    strange = error_o > 64 * max(ordinary, floor)
    return np.asarray(strange & (error_p <= RATIO * error_o))


def _flush(numbers: F64, dtype: DType) -> F64:
    return np.where(np.abs(numbers) < 2.0**dtype.min_exponent, 0.0, numbers)


def _table(error: F64) -> ErrorTable:
    if len(error) == 0:
        return ErrorTable(0.0, 0.0, 0.0)
    rank = max(int(len(error) * 0.999) - 1, 0)
    return ErrorTable(
        float(np.max(error)),
        float(np.sqrt(np.mean(np.square(error)))),
        float(np.partition(error, rank)[rank]),
    )


def _worst_tile(error_p: F64, error_o: F64, floor: float) -> tuple[int, float, float] | None:
    """A stretch of TILE elements whose error stands out from anything the original does."""
    tiles = len(error_p) // TILE
    if tiles < 2:
        return None
    mine = np.sqrt(np.mean(np.square(error_p[: tiles * TILE].reshape(tiles, TILE)), axis=1))
    theirs = np.sqrt(np.mean(np.square(error_o[: tiles * TILE].reshape(tiles, TILE)), axis=1))
    # A tile in which the original was lucky is measured against its ordinary tiles.
    allowed = np.maximum(RATIO * np.maximum(theirs, np.quantile(theirs, 0.9)), floor)
    excess = mine / allowed
    at = int(np.argmax(excess))
    return (at * TILE, float(mine[at]), float(theirs[at])) if excess[at] > 1 else None


def _place(name: str, flat: int, evidence: Evidence, found: Any, expected: Any) -> Place:
    shape = evidence.shape or (len(evidence.original),)
    index = tuple(int(i) for i in np.unravel_index(flat, shape))
    true = float(evidence.oracle[flat]) if evidence.oracle is not None else None
    return Place(name, flat, index, expected.item(), found.item(), true)
