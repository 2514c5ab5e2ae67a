"""Which launches a candidate has to make, in which order: drawn when it can no longer change.

    recorded   every launch of the bundle             repeat   one of them again
    fresh      recorded shapes, other data            probe    one element of an input changed
    unseen     other sizes and values, as far as the original allows them

All of them in one shuffled row, so that nothing tells one kind from another.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossport.validation.cases import Case
from crossport.validation.dtypes import Array, from_float64, to_float64
from crossport.validation.runners.base import Call
from crossport.validation.variants import Variants, rules_of

_TRIES = 6
IsLegal = Callable[[Case, Mapping[str, Array]], bool]


@dataclass(frozen=True, slots=True)
class Planned:
    """A call and what it is for: "recorded", "fresh", "repeat" or "unseen"."""

    kind: str
    call: Call


def plan(
    cases: Sequence[Case], fresh: int, seed: str, variants: Variants | None = None,
    is_legal: IsLegal | None = None, unseen: int = 0,
) -> list[Planned]:  # fmt: skip
    """The launches for some recorded cases; the same for the same seed."""
    planned = [Planned("recorded", Call(case, case.initial())) for case in cases]
    chooser = _chooser(seed)
    for kernel in dict.fromkeys(case.kernel for case in cases):
        mine = [case for case in cases if case.kernel == kernel]
        # Every shape gets a twin where there are not too many of them.
        for shape in chooser.sample(mine, min(fresh, len(mine))):
            case = shape.with_seed(chooser.getrandbits(62))
            planned.append(Planned("fresh", Call(case, case.initial(chooser.getrandbits(20)))))
        again = chooser.choice(mine)
        planned.append(Planned("repeat", Call(again, again.initial())))
        probe = _probe(chooser.choice(mine), chooser)
        if probe is not None:
            planned.append(Planned("fresh", probe))
        if variants is not None and is_legal is not None:
            drawn = _all_unseen(mine, variants, is_legal, chooser, unseen)
            planned += [Planned("unseen", call) for call in drawn]
    chooser.shuffle(planned)
    return planned


def unseen_calls(
    cases: Sequence[Case], variants: Variants, is_legal: IsLegal, seed: str, count: int
) -> list[Call]:
    """At most `count` legal launches of other sizes and values than some recorded ones."""
    return _all_unseen(cases, variants, is_legal, _chooser(seed), count)


def _chooser(seed: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little"))


def _probe(case: Case, chooser: random.Random) -> Call | None:
    """A recorded launch with one element of one input changed: nothing sampled tells it apart."""
    floats = [a for a in case.arrays if a.role != "out" and a.dtype.is_float and a.count]
    if not floats:
        return None
    contents = case.initial()
    array = chooser.choice(floats)
    values = to_float64(contents[array.name], array.dtype)
    at = chooser.randrange(array.count)
    values[at] = 1.5 if not abs(values[at]) < 1e6 else 0.75 * values[at] + 0.0625
    changed = contents[array.name].copy()
    changed[at] = from_float64(values[at : at + 1], array.dtype)[0]
    return Call(case, {**contents, array.name: changed})


def _all_unseen(
    mine: Sequence[Case], variants: Variants, is_legal: IsLegal, chooser: random.Random, count: int
) -> list[Call]:
    """At most so many launches; the kinds of values take turns from a place that is drawn."""
    if not count:
        return []  # Nothing drawn: the rest of the plan is that of a plan without them.
    start = chooser.randrange(1 << 16)
    drawn = [_unseen(mine, variants, is_legal, chooser, start + n) for n in range(count)]
    return [call for call in drawn if call is not None]


def _unseen(
    mine: Sequence[Case], variants: Variants, is_legal: IsLegal, chooser: random.Random, turn: int
) -> Call | None:
    """A launch of other sizes, two times of three with other values too; None where none is legal.

    In every such launch one array, and others by chance, holds the kind of values whose turn it is:
    a few launches then have them all, extremes among them.
    """
    for attempt in range(_TRIES):
        base = chooser.choice(mine)
        choices = variants.choices(base)
        sizes = {
            name: chooser.choice(values) for name, values in choices.items()
            if chooser.random() < 0.7
        }  # fmt: skip
        rules: dict[str, Mapping[str, Any]] = {}
        if (turn + attempt) % 3 != 2:
            able = [array for array in base.arrays if rules_of(array)]
            for number, array in enumerate(able):
                possible = rules_of(array)
                if number == turn % len(able):
                    rules[array.name] = possible[(turn - turn // 3) % len(possible)]
                elif chooser.random() < 0.5:
                    rules[array.name] = chooser.choice(possible)
        case = variants.make(base, sizes, rules, seed=chooser.getrandbits(62))
        if case is None:
            continue
        contents = case.initial(chooser.getrandbits(20))
        if is_legal(case, contents):
            return Call(case, contents)
    return None
