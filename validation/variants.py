"""Launches that nobody recorded: other sizes, other values, and whether the original allows them.

    {n = 1000}  ->  {n = 63}, x: skew          legal: the interpreter finds nothing wrong with it
    {n = 1000}  ->  {n = 0}                    no launch: a grid of no blocks

A case file is an expression of its parameters, so a case of other sizes is one evaluation away.
What the original may be launched with is not written anywhere; it is tried: an index out of bounds,
a race, a read of nothing, a loop without end, or a result that hangs on which block goes first (a
counter that has to start at zero) rule a launch out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossport.diagnostics import PortError
from crossport.validation.block_order import hangs_on_block_order
from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import ArrayArg, Case, make_case
from crossport.validation.runners.interp import Subject

SIZES = (1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 61, 63, 64, 65, 96, 127, 128, 129, 255, 256, 257,
         509, 1009)  # fmt: skip
# Small first: a failing launch is shrunk towards the front.
FLOAT_RULES: tuple[Mapping[str, Any], ...] = (
    {"gen": "zeros"},
    {"gen": "const", "value": 1.5},
    {"gen": "iota", "start": -3},
    {"gen": "exact"},
    {"gen": "uniform", "range": [-4, 4]},
    {"gen": "normal", "mean": 3, "std": 0.25},
    {"gen": "skew"},
    {"gen": "uniform", "range": [-1000, 1000]},
)
WILD_RULES: tuple[Mapping[str, Any], ...] = ({"gen": "nonfinite"},)
"""Beside the others where NaN and infinities are to be tried as well."""
WHOLE_RULES: tuple[Mapping[str, Any], ...] = (
    {"gen": "zeros"},
    {"gen": "const", "value": 1},
    {"gen": "uniform", "range": [0, 3]},
    {"gen": "uniform", "range": [-100000, 100000]},
    {"gen": "bits"},
)
_MOST_BYTES = 1 << 20
_SECONDS = 4.0
_NO_PARAMETER = {"name", "instance", "grid", "block", "shared", "set", "seed", "bench"}


@dataclass
class Variants:
    """Makes variants of a bundle's cases."""

    bundle: Bundle
    _tables: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = self.bundle.files.get("cases.toml", b"")
        self._tables = tomllib.loads(text.decode("utf-8", "replace")).get("kernel", [])

    def choices(self, case: Case) -> dict[str, tuple[int, ...]]:
        """What each whole-number parameter of a case may be. One that only says how much data there
        is may be any size; one that means something else (a shift, a block) only what it is
        somewhere in the file: the author knows what the kernel is for."""
        found: dict[str, tuple[int, ...]] = {}
        _, row = self._row(case)
        for name, value in row.items():
            if name in _NO_PARAMETER or not isinstance(value, int):
                continue
            if self._is_size(case, name, value):
                found[name] = SIZES
            else:
                same = [c for c in self.bundle.cases.checked if c.kernel == case.kernel]
                seen = {c.params[name] for c in same if name in c.params}
                found[name] = tuple(sorted(v for v in seen if isinstance(v, int)))
        return found

    def _is_size(self, case: Case, name: str, value: int) -> bool:
        """Whether more of a parameter is more data, in blocks of the same shape."""
        larger = self.make(case, {name: 2 * value + 1}, {}, most=1 << 40)
        if larger is None or (larger.block, larger.shared_bytes) != (case.block, case.shared_bytes):
            return False
        return sum(a.count for a in larger.arrays) > sum(a.count for a in case.arrays)

    def make(
        self, case: Case, sizes: Mapping[str, int], rules: Mapping[str, Mapping[str, Any]],
        seed: int = 0, most: int = _MOST_BYTES,
    ) -> Case | None:  # fmt: skip
        """The case with other parameters and contents; None where there is no such launch, or its
        arrays take more than `most` bytes."""
        table, row = self._row(case)
        if table is None:
            return None
        # In the order of the row: a parameter may be an expression of those before it.
        kept = {k: sizes.get(k, v) for k, v in row.items() if k != "name"}
        chosen = {**row.get("set", {}), **rules}
        changed: dict[str, Any] = {**kept, "set": chosen, "seed": seed, "bench": False}
        label = "-".join([*(f"{k}{v}" for k, v in sizes.items()),
                          *(f"{a}_{r['gen']}" for a, r in rules.items())])  # fmt: skip
        changed["name"] = label or "as recorded"
        try:
            made = make_case(Path("cases.toml"), table, changed, case.source)
        except (PortError, ArithmeticError, ValueError, OverflowError):
            return None
        limit = max(most, sum(a.bytes for a in case.arrays))
        return made if sum(a.bytes for a in made.arrays) <= limit else None

    def row(self, case: Case, variant: Case) -> str:
        """The variant as a row of cases.toml, for a person to keep."""
        parts = [f'name = "{variant.name}"']
        if variant.kernel != self._plain_name(case):
            parts.append(f'instance = "{variant.kernel}"')
        parts += [f"{name} = {value!r}" for name, value in variant.params.items()]
        parts += [f"seed = {variant.seed}"] if variant.seed else []
        sets = [f"{a.name} = {_toml(a)}" for a in variant.arrays if a.role != "out"]
        return "{" + ", ".join([*parts, f"set = {{{', '.join(sets)}}}"]) + "}"

    def _plain_name(self, case: Case) -> str:
        table, _ = self._row(case)
        return str(table["name"]) if table else case.kernel

    def _row(self, case: Case) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
        """The tables of the file that a case was made from."""
        for table in self._tables:
            for row in table.get("cases", []):
                if row.get("instance", table.get("name")) != case.kernel:
                    continue
                found = {k: v for k, v in row.items() if k not in _NO_PARAMETER}
                if row.get("name", case.name) == case.name and set(found) == set(case.params):
                    same = all(v == case.params[k] or isinstance(v, str) for k, v in found.items())
                    if same:
                        return table, row
        return None, {}


def rules_of(array: ArrayArg, *, wild: bool = False) -> tuple[Mapping[str, Any], ...]:
    """What an array may be filled with instead of what its case says."""
    if array.role == "out" or array.dtype.name == "bool":
        return ()
    if array.dtype.is_float:
        return FLOAT_RULES + (WILD_RULES if wild else ())
    return WHOLE_RULES


def is_legal(subject: Subject, case: Case, contents: Mapping[str, Any]) -> bool:
    """Whether the original may be launched like that: it breaks no rule that the interpreter
    knows, ends soon, and computes the same whichever block goes first."""
    from dataclasses import replace

    from crossport.ir.interpreter.report import Checks

    try:
        outputs = replace(subject, seconds=_SECONDS).run(
            case, contents, checks=Checks(uninitialised=True, races=True, warp_races=True)
        )
    except PortError:
        return False
    unchanged = all(
        outputs.arrays[a.name].tobytes() == contents[a.name].tobytes()
        for a in case.arrays
        if a.role == "in"
    )
    if outputs.findings or not unchanged:
        return False
    return not hangs_on_block_order(subject, case, contents, outputs.arrays)


def _toml(array: ArrayArg) -> str:
    settings = {"gen": array.generator.rule, **array.generator.settings}
    parts = [f"{k} = {_value(v)}" for k, v in settings.items()]
    return "{" + ", ".join(parts) + "}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
