"""Look for a launch on which a port fails, and make it small: sizes, values, one launch at a time.

    found = explore(candidate, bundle, runner, examples=40)
    found.call      n = 33, x: zeros         the smallest failing launch that was met
    found.text      a cases.toml with this launch and nothing else

Hypothesis draws and shrinks. It draws a handful of launches at a time, because starting a sandboxed
process costs more than a small launch; it shrinks towards few launches, small sizes, plain values.
What the original itself may not do (see variants.is_legal) is never asked of a port.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import Case
from crossport.validation.judging import Judge
from crossport.validation.numerics.words import Word
from crossport.validation.plan import Planned
from crossport.validation.runners.base import Call, Candidate, Runner
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import Variants, is_legal, rules_of
from crossport.validation.verdict import LaunchVerdict

_AT_ONCE = 5
_SHRINKS = 60


class _Enough(KeyboardInterrupt):
    """Ends a search from inside; Hypothesis lets interrupts through."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    launches: int
    """How many were tried on the port."""
    refused: int
    illegal: int
    """Draws that the original does not allow."""
    verdict: LaunchVerdict | None = None
    """Of the smallest failing launch."""
    text: str = ""
    """It, as a cases.toml."""

    @property
    def account(self) -> str:
        """How much was tried."""
        parts = [f"{self.launches} launches"]
        parts += [f"{self.refused} refused by the port"] if self.refused else []
        parts += [f"{self.illegal} that the original does not allow"] if self.illegal else []
        return ", ".join(parts)


@dataclass
class _Search:
    candidate: Candidate
    bundle: Bundle
    runner: Runner
    judge: Judge
    subject: Subject
    bases: Sequence[Case]
    variants: Variants
    launches: int = 0
    refused: int = 0
    illegal: int = 0
    shrinks: int = 0
    best: tuple[tuple[int, int, int], Case, Case, LaunchVerdict] | None = None
    legal: dict[str, bool] = field(default_factory=dict)

    def fails(self, drawn: Sequence[tuple[int, Mapping[str, int], Mapping[str, int], int]]) -> bool:
        """Whether the port fails on any of the launches drawn."""
        if self.best is not None:
            self.shrinks += 1
            if self.shrinks > _SHRINKS:
                raise _Enough
        made = [m for m in map(self._made, drawn) if m is not None]
        if not made:
            return False
        planned = [Planned("unseen", Call(case, case.initial(1))) for _, case in made]
        outputs = self.runner.run(self.candidate, [p.call for p in planned])
        failed = False
        for (base, case), one, output in zip(made, planned, outputs, strict=True):
            self.launches += 1
            self.refused += output.status == "refused"
            verdict = self.judge.launch(one, output)
            if verdict is not None and verdict.word is Word.DIVERGENT:
                failed = True
                size = (sum(a.count for a in case.arrays), case.seed, len(case.name))
                if self.best is None or size < self.best[0]:
                    self.best = (size, base, case, verdict)
        return failed

    def _made(
        self, drawn: tuple[int, Mapping[str, int], Mapping[str, int], int]
    ) -> tuple[Case, Case] | None:
        index, sizes, choices, seed = drawn
        base = self.bases[index % len(self.bases)]
        known = self.variants.choices(base)
        # A size that another kernel of the file may have is none that this one must have.
        chosen = {name: size for name, size in sizes.items() if size in known.get(name, ())}
        rules: dict[str, Mapping[str, Any]] = {}
        for array in base.arrays:
            possible = rules_of(array, wild=True)
            choice = choices.get(array.name, 0)
            if possible and choice:
                rules[array.name] = possible[(choice - 1) % len(possible)]
        case = self.variants.make(base, chosen, rules, seed)
        if case is None:
            return None
        key = f"{case.id} {seed} {rules}"
        if key not in self.legal:
            self.legal[key] = is_legal(self.subject, case, case.initial(1))
            self.illegal += not self.legal[key]
        return (base, case) if self.legal[key] else None


def explore(
    candidate: Candidate,
    bundle: Bundle,
    runner: Runner,
    *,
    examples: int = 40,
    seed: str | None = None,
    kernels: Collection[str] = (),
) -> Found:
    """Search. Raises PortError where Hypothesis is not installed, or nothing can be interpreted."""
    try:
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import seed as seeded
        from hypothesis import strategies as st
    except ImportError:
        raise PortError(
            Diagnostic(
                Code.USAGE,
                "exploring needs the Python package hypothesis",
                help="pip install hypothesis",
            )
        ) from None
    judge = Judge(bundle, flushes_denormals=candidate.target == "pallas")
    subject = judge.subject
    bases = [
        c for c in bundle.cases.checked
        if bundle.has(c) and (not kernels or c.kernel in kernels or c.function in kernels)
    ]  # fmt: skip
    if subject is None or not bases:
        raise PortError(
            Diagnostic(Code.CASES_MISSING, f"nothing to explore: {judge.no_subject or 'no launch'}")
        )
    search = _Search(candidate, bundle, runner, judge, subject, bases, Variants(bundle))
    values: dict[str, set[int]] = {}
    for base in bases:
        for name, possible in search.variants.choices(base).items():
            values.setdefault(name, set()).update(possible)
    arrays = sorted({a.name for base in bases for a in base.arrays})
    launch = st.tuples(
        st.integers(0, len(bases) - 1),
        # A missing name keeps what the case says; small sizes come first.
        st.fixed_dictionaries(
            {}, optional={n: st.sampled_from(sorted(v)) for n, v in sorted(values.items())}
        ),
        st.fixed_dictionaries({}, optional={a: st.integers(0, 9) for a in arrays}),
        st.integers(0, 3),
    )
    number = int.from_bytes((seed or os.urandom(8).hex()).encode()[:8], "little")

    @seeded(number)
    @settings(
        max_examples=max(examples // _AT_ONCE, 1), database=None, deadline=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    @given(st.lists(launch, min_size=1, max_size=_AT_ONCE))
    def search_with(drawn: list[Any]) -> None:
        assert not search.fails(drawn)

    try:
        search_with()
    except (_Enough, AssertionError):
        pass
    except Exception as error:  # Hypothesis's own ways of saying that a failure did not repeat.
        if search.best is None:
            raise AssertionError(f"the search itself failed: {error!r}") from error
    if search.best is None:
        return Found(search.launches, search.refused, search.illegal)
    _, base, case, verdict = search.best
    text = _counterexample(bundle, search.variants.row(base, case), base)
    return Found(search.launches, search.refused, search.illegal, verdict, text)


def _counterexample(bundle: Bundle, row: str, base: Case) -> str:
    """A cases.toml that holds one launch: the tables of the original file, and this row."""
    document = tomllib.loads(bundle.files["cases.toml"].decode("utf-8", "replace"))
    table = next(
        t for t in document["kernel"]
        if any(r.get("instance", t["name"]) == base.kernel for r in t["cases"])
    )  # fmt: skip
    recorded = next(iter(bundle.sources))
    source = document.get("source", recorded)
    lines = ["schema = 1", f'source = "{source}"']
    if document.get("flags"):
        lines.append(f"flags = {_toml(document['flags'])}")
    lines += ["", "[[kernel]]"]
    lines += [f"{key} = {_toml(value)}" for key, value in table.items() if key != "cases"]
    return "\n".join([*lines, f"cases = [{row}]", ""])


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
        case _:
            return repr(value)
