"""Evidence without an NVIDIA machine: the interpreter's run of the original, in a bundle's place.

    evidence = interpreted_bundle("k/cases.toml")
    verify(candidate, evidence, runner)          a verdict that says: against the interpreter only

Weaker than a recording: it holds what the source means, not what an NVIDIA GPU did. Verdicts on it
carry no device, and a caution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import Bundle
from crossport.validation.bundle.driver import slugs
from crossport.validation.bundle.sources import gather
from crossport.validation.cases import ArrayArg, Case, CaseFile, load_cases
from crossport.validation.dtypes import Array


@dataclass(frozen=True)
class InterpretedBundle(Bundle):
    """A bundle whose outputs are computed when they are asked for."""

    inferred: bool = False
    """Nobody wrote the cases: those in which threads race are dropped where others do not."""
    _outputs: dict[str, Mapping[str, Array]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of the source and the cases: there is nothing else."""
        total = hashlib.sha256()
        for name in sorted(self.files):
            total.update(name.encode() + b"\0" + self.files[name])
        return total.hexdigest()

    @cached_property
    def device(self) -> Mapping[str, Any]:
        """None: no device ran it."""
        return {"name": None, "driver": None}

    @property
    def sanitizer(self) -> tuple[str, ...]:
        """Nothing ran under it."""
        return ("absent",)

    def has(self, case: Case) -> bool:
        """Whether the interpreter can run the case."""
        if case.is_bench or case.id in self._racing:
            return False
        try:
            self._run(case)
        except PortError:
            return False
        return True

    @cached_property
    def _racing(self) -> frozenset[str]:
        """Cases whose outcome is a matter of luck, of kernels that have others."""
        from crossport.validation.variants import is_legal

        found: set[str] = set()
        for kernel in self.cases.kernels if self.inferred else ():
            cases = [c for c in self.cases.checked if c.kernel == kernel]
            bad = {c.id for c in cases if not is_legal(self.subject, c, c.initial())}
            if len(bad) < len(cases):
                found |= bad
        return frozenset(found)

    def record(self, case: Case) -> Mapping[str, Any]:
        """There are no times and no noise."""
        return {"arrays": {}, "cold_times_us": []}

    def output(self, case: Case, array: ArrayArg) -> Array:
        """The contents of an array after the interpreter's launch."""
        return self._run(case)[array.name]

    def noise(self, case: Case, array: ArrayArg) -> None:
        """The interpreter repeats itself."""

    def check_inputs(self, case: Case) -> None:
        """They are drawn from the same cases."""

    def _run(self, case: Case) -> Mapping[str, Array]:
        if case.id not in self._outputs:
            self._outputs[case.id] = self.subject.run(case, case.initial()).arrays
        return self._outputs[case.id]


def interpreted_bundle(
    cases: CaseFile | Path | str, *, inferred: bool = False
) -> InterpretedBundle:
    """Evidence from a cases.toml alone. Raises PortError where it or the source cannot be read.

    inferred: the cases were worked out by crossport (see InterpretedBundle).
    """
    loaded = cases if isinstance(cases, CaseFile) else load_cases(cases)
    from crossport.diagnostics import Code, Diagnostic

    try:
        sources = gather(loaded.source)
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_READ, f"cannot read {loaded.source}: {error.strerror}")
        ) from None
    files = {f"source/{name}": data for name, data in sources.items()}
    if loaded.path.exists():
        files["cases.toml"] = loaded.path.read_bytes()
    names = dict(zip((c.id for c in loaded.cases), slugs(loaded.cases), strict=True))
    return InterpretedBundle(str(loaded.path), files, loaded, names, inferred)
