"""The true values of a launch, and how far rounding its inputs alone would move them.

    truth = Oracle(subject).truth(case, contents)
    truth.values["y"]          float64 results of the same program
    truth.sensitivity["y"]     most that a one-ulp change of every input moves each element

The second is the condition-aware floor: a port is not asked for digits that the inputs do not
determine, nor for those that depend on the last bit of a library function, which every vendor
rounds in its own way. It comes from running the program, so it needs no analysis of what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from crossport.diagnostics import PortError
from crossport.ir.nodes import Binary, Const, Intrinsic, Module, Node
from crossport.ir.rewrite import rewrite
from crossport.ir.types import Scalar
from crossport.validation.cases import ArrayArg, Case
from crossport.validation.dtypes import Array, DType, to_float64
from crossport.validation.generators import Words
from crossport.validation.runners.interp import Subject

DRAWS = 3
# Functions that are not correctly rounded by everybody, without the type's suffix.
_LIBRARY = frozenset(
    "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sinpi cospi exp exp2 exp10 expm1 "
    "log log2 log10 log1p cbrt rsqrt rcbrt erf erfc erfinv erfcinv erfcx normcdf normcdfinv lgamma "
    "tgamma j0 j1 y0 y1 pow atan2 hypot rhypot norm3d norm4d fdividef".split()
)
_ULP = {"f16": 2.0**-10, "bf16": 2.0**-7, "f32": 2.0**-23, "f64": 2.0**-52}
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Truth:
    """Per float array; empty where the program has no interpretation (`why` says so)."""

    values: Mapping[str, F64] = field(default_factory=dict)
    sensitivity: Mapping[str, F64] = field(default_factory=dict)
    own_error: Mapping[str, F64] = field(default_factory=dict)
    """How far the same program in its own precision lands from the true values: the worst over
    these inputs and nearby ones, so that a lucky rounding of the original is no yardstick."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Oracle:
    """True values of launches of one lowered source."""

    subject: Subject
    draws: int = DRAWS
    _subjects: dict[int, Subject] = field(default_factory=dict)

    def truth(self, case: Case, contents: Mapping[str, Array], draws: int | None = None) -> Truth:
        """Never raises: a launch without a truth says why. More draws than the oracle's own say
        with less luck how far an element moves."""
        if not any(a.dtype.is_float for a in case.written):
            return Truth(why="no float is written")
        try:
            values = self._true(case, contents)
            moved: dict[str, F64] = {name: np.zeros_like(v) for name, v in values.items()}
            own = self._own_error(case, contents, values)
            types = {a.name: a.dtype for a in case.arrays}
            for draw in range(draws or self.draws):
                nearby = self._nearby(draw)
                nudged = {
                    a.name: _nudge(contents[a.name], a, f"{case.id}/{a.name}/{draw}")
                    for a in case.arrays
                }
                again = self._true(case, nudged, nearby)
                there = self._own_error(case, nudged, self._true(case, nudged))
                own = {name: np.fmax(error, there[name]) for name, error in own.items()}
                own = self._arithmetic_error(case, contents, values, own, draw)
                for name, value in again.items():
                    moved[name] = np.fmax(
                        moved[name], _smooth_distance(value, values[name], types[name])
                    )
        except PortError as error:
            return Truth(why=f"no oracle: {error.diagnostic.message}")
        return Truth(values, moved, own)

    def _own_error(
        self, case: Case, contents: Mapping[str, Array], values: Mapping[str, F64]
    ) -> dict[str, F64]:
        """Distance of a run in the program's own precision from the true values; that of matrix
        products is the least that CUDA promises of them."""
        arrays = self.subject.run(case, contents, single_sums=True).arrays
        errors: dict[str, F64] = {}
        for array in case.written:
            if array.name in values:
                with np.errstate(invalid="ignore"):
                    gap = np.abs(to_float64(arrays[array.name], array.dtype) - values[array.name])
                errors[array.name] = np.where(np.isfinite(gap), gap, 0.0)
        return errors

    def _arithmetic_error(
        self, case: Case, contents: Mapping[str, Array], values: Mapping[str, F64],
        own: dict[str, F64], draw: int,
    ) -> dict[str, F64]:  # fmt: skip
        """For doubles, which the oracle computes no better: what rounding each step can do."""
        doubles = [a.name for a in case.written if a.dtype.name == "float64" and a.name in values]
        if not doubles:
            return own
        key = -1 - draw
        if key not in self._subjects:
            module = nudge_arithmetic(self.subject.module, draw)
            self._subjects[key] = replace(self.subject, module=module)
        moved = self._true(case, contents, self._subjects[key])
        made = dict(own)
        for name in doubles:
            with np.errstate(invalid="ignore"):
                gap = np.abs(moved[name] - values[name])
            made[name] = np.fmax(own[name], np.where(np.isfinite(gap), gap, 0.0))
        return made

    def _nearby(self, draw: int) -> Subject:
        """The same program with every library function one step off, up or down by place."""
        if draw not in self._subjects:
            module = nudge_functions(self.subject.module, draw)
            self._subjects[draw] = replace(self.subject, module=module)
        return self._subjects[draw]

    def _true(
        self, case: Case, contents: Mapping[str, Array], subject: Subject | None = None
    ) -> dict[str, F64]:
        outputs = (subject or self.subject).run(case, contents, oracle=True)
        found = dict(outputs.true)
        for array in case.written:
            if array.dtype.is_float and array.name not in found:
                # Symbols are not promoted: what they hold is as good as their type.
                found[array.name] = to_float64(outputs.arrays[array.name], array.dtype)
        return found


def _smooth_distance(there: F64, here: F64, dtype: DType) -> F64:
    """How far each element moved, where that is rounding: a jump by half of the digits or more is
    a branch taken otherwise, and excuses nothing."""
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(there - here)
        finite = np.abs(here[np.isfinite(here)])
        ordinary = float(np.sqrt(np.mean(np.square(finite)))) if len(finite) else 0.0
        limit = np.maximum(np.abs(here), ordinary) * 2.0 ** -(dtype.significand // 2)
        return np.where(np.isfinite(distance) & (distance <= limit), distance, 0.0)


def nudge_functions(module: Module, draw: int) -> Module:
    """`tanhf(x)` -> `tanhf(x) * (1 + 2^-23)`, up or down at each place as `draw` has it."""
    places = 0

    def rule(node: Node) -> Node:
        nonlocal places
        if not isinstance(node, Intrinsic) or not isinstance(node.type, Scalar):
            return node
        step = _ULP.get(node.type.kind)
        if step is None or _base_name(node.name) not in _LIBRARY:
            return node
        places += 1
        up = (draw + places * (draw // 2 + 1)) % 2 == 0
        factor = Const(1.0 + step if up else 1.0 - step, node.type, span=node.span)
        return Binary("*", node, factor, span=node.span)

    return rewrite(module, rule)


def nudge_arithmetic(module: Module, draw: int) -> Module:
    """`a * b + c` in double -> each result half a step off, up or down at each place."""
    places = 0

    def rule(node: Node) -> Node:
        nonlocal places
        if not isinstance(node, Binary) or node.op not in ("+", "-", "*", "/"):
            return node
        if not isinstance(node.type, Scalar) or node.type.kind != "f64":
            return node
        places += 1
        up = (draw + places * (draw // 2 + 1)) % 2 == 0
        factor = 1.0 + 2.0**-52 if up else 1.0 - 2.0**-53
        return Binary("*", node, Const(factor, node.type, span=node.span), span=node.span)

    return rewrite(module, rule)


def _base_name(name: str) -> str:
    """`__expf` and `expf` -> `exp`; `hexp` stays, halves round their own way."""
    plain = name.removeprefix("__")
    return plain.removesuffix("f") if plain.removesuffix("f") in _LIBRARY else plain


def _nudge(values: Array, array: ArrayArg, key: str) -> Array:
    """Every number of an input moved by one step, up or down; zeros, NaN, Inf stay."""
    if not array.dtype.is_float or array.role == "out":
        return values
    step = {2: np.int16, 4: np.int32, 8: np.int64}[array.dtype.bytes]
    words = values.view(step).copy()
    up = (Words(key).words(len(words)) & np.uint64(1)).astype(bool)
    movable = _movable(values, array.dtype)
    words[movable & up] += step(1)
    words[movable & ~up] -= step(1)
    return words.view(values.dtype)


def _movable(values: Array, dtype: DType) -> NDArray[np.bool_]:
    magnitude = np.abs(to_float64(values, dtype))
    return (magnitude > 2.0**dtype.min_exponent) & np.isfinite(magnitude)
