"""How much a verdict is worth: would the same judging reject a port that is broken on purpose?

    if (i < n)      ->   if (i <= n)          off by one
    y[i] = v        ->   y[i] = (half)v       a narrower type
    barrier         ->                        a missing barrier

Mutants are made of the lowered original, one change each, and run on the interpreter against the
recorded launches and others of other sizes and values, with the layers that judge ports. What
survives names what the cases do not see: a kernel whose mutants live is verified by little. A
mutant that computes the same bits as the original on every recorded launch and on fresh data is no
broken port (`if (tid == 0)` around a store that all threads would make alike); such are counted
apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from crossport.ir.interpreter.report import Checks
from crossport.ir.nodes import (
    Assign,
    Atomic,
    Barrier,
    Binary,
    BinaryOp,
    Cast,
    Const,
    Deref,
    Element,
    Expr,
    If,
    Intrinsic,
    Member,
    Module,
    Node,
    Select,
    Shuffle,
    Special,
    SpecialName,
    SyncWarp,
    Vote,
)
from crossport.ir.rewrite import rewrite
from crossport.ir.types import BOOL, Scalar
from crossport.validation.bundle.archive import Bundle
from crossport.validation.cases import Case
from crossport.validation.dtypes import Array
from crossport.validation.numerics.layers import Evidence, judge_array
from crossport.validation.oracle import Oracle, Truth
from crossport.validation.plan import unseen_calls
from crossport.validation.runners.interp import Subject
from crossport.validation.variants import Variants, is_legal
from crossport.validation.verdict import MutationScore

MOST = 30
SECONDS = 3.0
UNSEEN = 12
_OTHER_COMPARISON: dict[str, BinaryOp] = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OTHER_OPERATOR: dict[str, BinaryOp] = {
    "+": "-", "-": "+", "*": "+", "/": "*", "&": "|", "|": "&", "^": "|",
    "<<": ">>", ">>": "<<", "&&": "||", "||": "&&",
}  # fmt: skip
_OTHER_FUNCTION = {"fmaxf": "fminf", "fminf": "fmaxf", "max": "min", "min": "max",
                   "fmax": "fmin", "fmin": "fmax", "expf": "exp2f", "sinf": "cosf"}  # fmt: skip
_NOTHING = If(Const(False, BOOL), ())


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change."""

    name: str
    module: Module
    needs_races: bool = False
    """Lock-step hides a missing barrier; the race checker does not."""


def mutants(module: Module, functions: Sequence[str], most: int = MOST) -> list[Mutant]:
    """At most `most` mutants of some functions, chosen evenly and the same every time."""
    found: list[Mutant] = []
    for site, name in enumerate(_sites(module, functions)):
        text = f"{name}#{site}"
        needs = name.startswith("missing barrier")
        found.append(Mutant(text, module, needs))
    chosen = sorted(found, key=lambda m: hashlib.sha256(m.name.encode()).digest())[:most]
    return [
        Mutant(m.name, _apply(module, functions, int(m.name.rsplit("#", 1)[1])), m.needs_races)
        for m in chosen
    ]


@dataclass(frozen=True, slots=True)
class _Launch:
    """A launch that mutants are judged by: a recorded one, or one of sizes nobody recorded."""

    case: Case
    contents: Mapping[str, Array]
    outputs: Mapping[str, Array]
    noise: Mapping[str, tuple[Array, Array] | None]
    truth: Truth


def mutation_score(
    bundle: Bundle, subject: Subject, kernel: str, *, most: int = MOST
) -> MutationScore:
    """The share of mutants of one kernel that the launches of a verdict reject."""
    from crossport.ir.reachable import reachable

    function = subject.kernel(kernel)
    names = [f.name for f in reachable(subject.module, function)]
    cases = [c for c in bundle.cases.checked if c.kernel == kernel and bundle.has(c)]
    # Small launches first: most mutants die at once.
    cases.sort(key=lambda c: sum(a.bytes for a in c.arrays))
    oracle = Oracle(replace(subject, seconds=SECONDS), draws=1)
    launches = [_recorded(bundle, oracle, case) for case in cases]
    unseen: list[_Launch] | None = None
    killed, same, survivors, total = 0, 0, [], 0
    for mutant in mutants(subject.module, [function.name, *names], most):
        total += 1
        broken = replace(subject, module=mutant.module, seconds=SECONDS, _names={})
        if any(_kills(launch, broken, mutant.needs_races) for launch in launches):
            killed += 1
            continue
        if all(_same(c, subject, broken) for c in cases):
            same += 1
            continue
        # Only few get here, so what nobody recorded is drawn only then.
        if unseen is None:
            unseen = _unseen(bundle, subject, oracle, cases)
        if any(_kills(launch, broken, mutant.needs_races) for launch in unseen):
            killed += 1
        else:
            survivors.append(f"{kernel}: {mutant.name}")
    return MutationScore(killed, total - same, tuple(survivors), same)


def _recorded(bundle: Bundle, oracle: Oracle, case: Case) -> _Launch:
    contents = case.initial()
    judged = case.written
    return _Launch(
        case, contents, {a.name: bundle.output(case, a) for a in judged},
        {a.name: bundle.noise(case, a) for a in judged}, oracle.truth(case, contents),
    )  # fmt: skip


def _unseen(
    bundle: Bundle, subject: Subject, oracle: Oracle, cases: Sequence[Case]
) -> list[_Launch]:
    """Launches as a verdict draws them, judged by the interpreted original."""
    made: list[_Launch] = []
    calls = unseen_calls(cases, Variants(bundle), partial(is_legal, subject), "mutation", UNSEEN)
    for call in calls:
        outputs = subject.run(call.case, call.contents).arrays
        truth = oracle.truth(call.case, call.contents)
        made.append(_Launch(call.case, call.contents, outputs, {}, truth))
    return made


def _same(case: Case, subject: Subject, broken: Subject) -> bool:
    """Whether a mutant cannot be told from the original, on the recorded data and on others."""
    for seed in (case.seed, 1, 2):
        contents = case.with_seed(seed).initial(seed)
        try:
            mine, theirs = (s.run(case, contents).arrays for s in (broken, subject))
        except Exception:
            return False
        if any(mine[a.name].tobytes() != theirs[a.name].tobytes() for a in case.arrays):
            return False
    return True


def _kills(launch: _Launch, broken: Subject, races: bool) -> bool:
    checks = Checks(uninitialised=True, races=races, warp_races=races)
    case, contents, truth = launch.case, launch.contents, launch.truth
    try:
        outputs = broken.run(case, contents, checks=checks)
    except Exception:  # A mutant may break any rule of the IR; that is one way to be noticed.
        return True
    if outputs.findings:
        return True
    for array in case.arrays:
        values = outputs.arrays[array.name]
        if array.role == "in":
            if values.tobytes() != contents[array.name].tobytes():
                return True
            continue
        if array.compare == "ignore":
            continue
        evidence = Evidence(
            original=launch.outputs[array.name],
            oracle=truth.values.get(array.name),
            sensitivity=truth.sensitivity.get(array.name),
            own_error=truth.own_error.get(array.name),
            noise=launch.noise.get(array.name),
            may_reorder=array.compare == "multiset",
            shape=array.shape,
        )
        if not judge_array(array.name, array.dtype, evidence, values).word.passes:
            return True
    return False


def _sites(module: Module, functions: Sequence[str]) -> list[str]:
    """The name of every possible change, in traversal order."""
    names: list[str] = []

    def note(node: Node) -> Node:
        names.extend(name for name, _ in _changes(node))
        return node

    for function in module.functions:
        if function.name in functions:
            rewrite(function, note)
    return names


def _apply(module: Module, functions: Sequence[str], wanted: int) -> Module:
    """The module with change number `wanted` made."""
    seen = 0

    def change(node: Node) -> Node:
        nonlocal seen
        for _, make in _changes(node):
            seen += 1
            if seen == wanted + 1:
                return make()
        return node

    made = tuple(rewrite(f, change) if f.name in functions else f for f in module.functions)
    return replace(module, functions=made)


def _changes(node: Node) -> Iterator[tuple[str, Callable[[], Node]]]:
    """What could be wrong at a node."""
    line = f" at line {node.span.line}" if node.span else ""
    match node:
        case Binary(op=op) if op in _OTHER_COMPARISON:
            other = _OTHER_COMPARISON[op]
            yield f"off by one: {other} for {op}{line}", lambda: replace(node, op=other)
        case Binary(op=op) if op in _OTHER_OPERATOR:
            operator = _OTHER_OPERATOR[op]
            yield f"{operator} for {op}{line}", lambda: replace(node, op=operator)
        case Const(value=value, type=kind):
            yield from _other_constant(node, value, kind, line)
        case Special(name="thread.x" | "block.x" as name):
            axis: SpecialName = "thread.y" if name == "thread.x" else "block.y"
            yield f"swapped index: {axis} for {name}{line}", lambda: replace(node, name=axis)
        case Assign(place=Element() | Deref() | Member(), value=value):
            yield from _other_store(node, value, line)
        case Barrier(target=None):
            yield f"missing barrier{line}", lambda: _NOTHING
        case SyncWarp():
            yield f"missing barrier of a warp{line}", lambda: _NOTHING
        case Atomic(target=None):
            yield f"lost atomic{line}", lambda: _NOTHING
        case Shuffle(mode="up"):
            yield f"shuffle down for up{line}", lambda: replace(node, mode="down")
        case Shuffle(mode="down"):
            yield f"shuffle up for down{line}", lambda: replace(node, mode="up")
        case Vote(mode="any"):
            yield f"all for any{line}", lambda: replace(node, mode="all")
        case Vote(mode="all"):
            yield f"any for all{line}", lambda: replace(node, mode="any")
        case If(condition=condition) if not isinstance(condition, Const):
            yield f"guard dropped{line}", lambda: replace(node, condition=Const(True, BOOL))
        case Intrinsic(name=name) if name in _OTHER_FUNCTION:
            function = _OTHER_FUNCTION[name]
            yield f"{function} for {name}{line}", lambda: replace(node, name=function)
        case Select(then=then, otherwise=otherwise):
            yield f"arms swapped{line}", lambda: replace(node, then=otherwise, otherwise=then)
        case _:
            return


def _other_constant(
    node: Const, value: float | int | bool, kind: Scalar, line: str
) -> Iterator[tuple[str, Callable[[], Node]]]:
    if isinstance(value, bool) or not 0 < abs(value) < 2**30:
        return
    if isinstance(value, int) and not kind.is_float:
        yield (
            f"wrong constant: {value + 1} for {value}{line}",
            lambda: replace(node, value=value + 1),
        )
    else:
        yield f"wrong constant: 1% off{line}", lambda: replace(node, value=value * 1.01)


def _other_store(node: Assign, value: Expr, line: str) -> Iterator[tuple[str, Callable[[], Node]]]:
    yield f"stale: store dropped{line}", lambda: _NOTHING
    kind = value.type
    if not isinstance(kind, Scalar):
        return
    zero = Const(0.0 if kind.is_float else False if kind == BOOL else 0, kind)
    yield f"zeroed{line}", lambda: replace(node, value=zero)
    if kind.kind in ("f32", "f64"):
        narrow = Scalar("f16" if kind.kind == "f32" else "f32")
        yield (
            f"narrower type stored{line}",
            lambda: replace(node, value=Cast(Cast(value, narrow), kind)),
        )
