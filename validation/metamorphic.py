"""Relations between two launches that hold for the original must hold for a port, to the bit.

    x doubled           ->   y doubled                 (a sum, a product with x, a copy)
    x, y permuted       ->   out permuted alike        (what is done element by element)

No expected value is needed to check them: the port is compared with itself. Which relations a
kernel has is found by trying them on the interpreted original, on two draws of data; doubling
commutes with every rounding, so nothing is left to a tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from crossport.diagnostics import PortError
from crossport.validation.cases import ArrayArg, Case
from crossport.validation.dtypes import Array, from_float64, to_float64
from crossport.validation.generators import Words
from crossport.validation.numerics.words import Word
from crossport.validation.runners.base import Call, RunOutput
from crossport.validation.runners.interp import Subject
from crossport.validation.verdict import LaunchVerdict

_DRAWS = 2
_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Relation:
    """What is done to the inputs, and what that does to each written array.

    doubled: the input array that is doubled; "": arrays of `length` elements are permuted.
    effects: per written array the factor it changes by; 0: it is permuted alike.
    """

    doubled: str
    length: int
    effects: tuple[tuple[str, float], ...]

    def transformed(self, case: Case, contents: Mapping[str, Array]) -> dict[str, Array]:
        """The inputs of the second launch."""
        made = dict(contents)
        for array in case.arrays:
            if array.name == self.doubled:
                made[array.name] = _times(contents[array.name], array, 2.0)
            elif not self.doubled and array.count == self.length:
                made[array.name] = contents[array.name][_order(self.length)]
        return made

    def expected(self, array: ArrayArg, first: Array) -> Array:
        """What the second launch must leave in an array, by what the first left there."""
        factor = dict(self.effects)[array.name]
        return first[_order(self.length)] if factor == 0 else _times(first, array, factor)

    def __str__(self) -> str:
        what = f"doubling {self.doubled}" if self.doubled else f"permuting {self.length} elements"
        how = ", ".join(
            f"permutes {name}" if factor == 0 else f"multiplies {name} by {factor:g}"
            for name, factor in self.effects
        )
        return f"{what} {how}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two launches of one case, and how they are related."""

    relation: Relation
    first: Call
    second: Call


def pairs(subject: Subject, cases: Sequence[Case], seed: int) -> list[Pair]:
    """For the smallest case with something in it: the relations that the original keeps."""
    usable = [c for c in cases if not c.float_atomics and all(a.count > 1 for a in c.written)]
    if not usable:
        return []
    case = min(usable, key=lambda c: (sum(a.bytes for a in c.arrays), c.name)).with_seed(seed)
    found = []
    for doubled, length in _candidates(case):
        relation = _relation(subject, case, doubled, length)
        if relation is not None:
            contents = case.initial(1)
            second = Call(case, relation.transformed(case, contents))
            found.append(Pair(relation, Call(case, contents), second))
    return found


def judge_pair(pair: Pair, first: RunOutput, second: RunOutput) -> LaunchVerdict | None:
    """A verdict where the relation is broken; None where it holds, or a launch did not end well
    (which is judged for itself)."""
    if first.status != "ok" or second.status != "ok":
        return None
    case = pair.first.case
    faults = (*first.faults, *second.faults)
    if faults or not all(
        _fits(a, o.arrays.get(a.name)) for a in case.written for o in (first, second)
    ):
        reason = "memory or shapes that are not the kernel's"
        return LaunchVerdict(
            case.kernel, case.name, "metamorphic", Word.DIVERGENT, reason, (), faults
        )
    for array in case.written:
        expected = pair.relation.expected(array, first.arrays[array.name])
        if not _same(second.arrays[array.name], expected, array):
            reason = f"{pair.relation} in the original, but not here"
            return LaunchVerdict(case.kernel, case.name, "metamorphic", Word.DIVERGENT, reason)
    return LaunchVerdict(case.kernel, case.name, "metamorphic", Word.EXACT, str(pair.relation))


def _fits(array: ArrayArg, values: Array | None) -> bool:
    return values is not None and values.dtype == array.dtype.storage and values.size == array.count


def _candidates(case: Case) -> list[tuple[str, int]]:
    doubled = [a.name for a in case.arrays if a.dtype.is_float and a.role != "out" and a.count]
    lengths = {a.count for a in case.written}
    same = lengths.pop() if len(lengths) == 1 else 0
    return [(name, 0) for name in doubled] + ([("", same)] if same > 1 else [])


def _relation(subject: Subject, case: Case, doubled: str, length: int) -> Relation | None:
    """The relation, if the original keeps it on every draw and its results are worth comparing."""
    trial = Relation(doubled, length, ())
    effects: dict[str, float] = {}
    for draw in range(_DRAWS):
        drawn = case.with_seed(case.seed + draw)
        contents = drawn.initial(1)
        try:
            first = subject.run(drawn, contents).arrays
            second = subject.run(drawn, trial.transformed(drawn, contents)).arrays
        except PortError:
            return None
        for array in case.written:
            factor = _effect(array, first[array.name], second[array.name], length)
            if factor is None or effects.setdefault(array.name, factor) != factor:
                return None
    if not length and all(factor == 1 for factor in effects.values()):
        return None  # Doubling something that nothing depends on shows nothing.
    return Relation(doubled, length, tuple(effects.items()))


def _effect(array: ArrayArg, first: Array, second: Array, length: int) -> float | None:
    if length:
        return 0.0 if _same(second, first[_order(length)], array) else None
    for factor in _FACTORS:
        if (array.dtype.is_float or factor == 1) and _same(
            second, _times(first, array, factor), array
        ):
            return factor
    return None


def _same(mine: Array, theirs: Array, array: ArrayArg) -> bool:
    if not array.dtype.is_float:
        return bool(np.array_equal(mine, theirs))
    a, b = to_float64(mine, array.dtype), to_float64(theirs, array.dtype)
    return bool(np.array_equal(a, b, equal_nan=True))


def _times(values: Array, array: ArrayArg, factor: float) -> Array:
    if factor == 1:
        return values
    with np.errstate(over="ignore"):
        return from_float64(to_float64(values, array.dtype) * factor, array.dtype)


def _order(length: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """A permutation that is no rotation and no reversal."""
    return np.argsort(Words(f"permutation {length}").words(length), kind="stable")
