"""Cut structured code at some of its statements, into stretches that each end where one stands.

    for (...) { A; cut; B }; C      ->      0: if (...) { A; stop before 1 } else { C }
                                            1: B; if (...) { A; stop before 1 } else { C }

A stretch is structured code; `Stop` says which one follows, `Finish` that none does. A cut inside a
loop is passed through the loop's head: where a path comes to a head a second time it stops there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from crossport.diagnostics import Code, Diagnostic, PortError, Span
from crossport.ir.lift import flat
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Read, Var

MOST_STATEMENTS = 20_000


@dataclass
class Stop:
    """A stretch, while it is made, ends here, and that one follows. `at`: the cut, if it is one."""

    following: int
    at: flat.Statement | None


@dataclass
class Finish:
    """The end of everything."""


@dataclass(frozen=True)
class _Rest:
    """Statements that are still to come."""

    body: tuple[flat.Statement, ...]


@dataclass(frozen=True)
class _Again:
    """The end of a loop's round."""

    loop: flat.Loop = field(hash=False, compare=False)
    number: int


@dataclass(frozen=True)
class _End:
    """The end of a scope."""

    label: str


_Frame = _Rest | _Again | _End
_Frames = tuple[_Frame, ...]


def stretches(
    body: flat.Body, is_cut: Callable[[flat.Statement], bool], label: str, span: Span | None
) -> list[flat.Body]:
    """The stretches; the first begins at the top. `label`: to leave it is to finish."""
    return _Cutter(body, is_cut, label, span).run()


class _Cutter:
    def __init__(
        self, body: flat.Body, is_cut: Callable[[flat.Statement], bool], label: str,
        span: Span | None,
    ) -> None:  # fmt: skip
        self.body = body
        self.stands_for_cut = is_cut
        self.label = label
        self.span = span
        self.points: dict[tuple[object, ...], int] = {}
        self.waiting: list[tuple[_Frames, bool]] = []
        self.count = 0
        # Regions that are taken apart: what is left of them is no region any more.
        self.labels = {label}
        while True:
            found = {
                s.label
                for s in flat.statements(body)
                if isinstance(s, flat.Loop | flat.Scope) and self.is_cut(s)
            }
            if found <= self.labels:
                break
            self.labels |= found

    def refused(self, message: str) -> PortError:
        return PortError(Diagnostic(Code.NO_TENSOR_FORM, message, span=self.span))

    def run(self) -> list[flat.Body]:
        self.point((_Rest(tuple(self.body)),), at_head=False)
        found: list[flat.Body] = []
        while len(found) < len(self.waiting):
            frames, at_head = self.waiting[len(found)]
            found.append(self.follow(frames, frozenset(), enters=at_head))
        return found

    def point(self, frames: _Frames, *, at_head: bool) -> int:
        """The number of the stretch that begins there."""
        key = (at_head, *(
            tuple(map(id, f.body)) if isinstance(f, _Rest)
            else id(f.loop) if isinstance(f, _Again) else f.label
            for f in frames
        ))  # fmt: skip
        if key not in self.points:
            self.points[key] = len(self.waiting)
            self.waiting.append((frames, at_head))
        return self.points[key]

    def is_cut(self, statement: flat.Statement) -> bool:
        """Is there a cut in it, or does it leave a region that is taken apart?"""
        return any(
            self.stands_for_cut(s) or (isinstance(s, flat.Leave) and s.label in self.labels)
            for s in flat.statements([statement])
        )

    def follow(self, frames: _Frames, passed: frozenset[int], *, enters: bool = False) -> flat.Body:
        """What threads do from there to the next stop."""
        if not frames:
            return [Finish()]  # type: ignore[list-item]
        frame, rest = frames[0], frames[1:]
        if isinstance(frame, _End):
            return self.follow(rest, passed)
        if isinstance(frame, _Again):
            if id(frame.loop) in passed and not enters:
                return self.stop(frames, None)
            return self.head(frame.loop, rest, passed | {id(frame.loop)})
        out: flat.Body = []
        for position, statement in enumerate(frame.body):
            if not self.is_cut(statement):
                self.count += sum(1 for _ in flat.statements([statement]))
                if self.count > MOST_STATEMENTS:
                    raise self.refused("it falls into too many parts")
                out.append(flat.copied(statement))
                continue
            after = (_Rest(frame.body[position + 1 :]), *rest)
            return out + self.cut(statement, after, passed)
        return out + self.follow(rest, passed)

    def cut(self, statement: flat.Statement, after: _Frames, passed: frozenset[int]) -> flat.Body:
        if self.stands_for_cut(statement):
            return self.stop(after, statement)
        match statement:
            case flat.Branch(condition, then, otherwise):
                arms = [self.follow((_Rest(tuple(b)), *after), passed) for b in (then, otherwise)]
                return [flat.Branch(condition, arms[0], arms[1])]
            case flat.Loop(_, head, _, body, step, test_first):
                if any(self.is_cut(s) for s in head):
                    raise self.refused("it would be cut inside a loop's condition")
                inner = () if test_first else (_Rest(tuple(body)), _Rest(tuple(step)))
                again = _Again(statement, id(statement))
                return self.follow((*inner, again, *after), passed)
            case flat.Scope(label, body):
                return self.follow((_Rest(tuple(body)), _End(label), *after), passed)
            case flat.Leave(label) if label == self.label:
                return [Finish()]  # type: ignore[list-item]
            case flat.Leave(label):
                for position, frame in enumerate(after):
                    name = (
                        frame.loop.label if isinstance(frame, _Again)
                        else frame.label if isinstance(frame, _End) else ""
                    )  # fmt: skip
                    if name == label:
                        return self.follow(after[position + 1 :], passed)
        raise self.refused("it would be cut in a place that is not understood")

    def head(self, loop: flat.Loop, rest: _Frames, passed: frozenset[int]) -> flat.Body:
        """The test of a loop, one more round, or what comes after it."""
        inner: _Frames = (_Rest(tuple(loop.body)), _Rest(tuple(loop.step)))
        again = self.follow((*inner, _Again(loop, id(loop)), *rest), passed)
        done = self.follow(rest, passed)
        return [*(flat.copied(s) for s in loop.head), flat.Branch(loop.condition, again, done)]

    def stop(self, frames: _Frames, at: flat.Statement | None) -> flat.Body:
        return [Stop(self.point(frames, at_head=at is None), at)]  # type: ignore[list-item]


def is_mark(statement: object) -> bool:
    """Is it a `Stop` or `Finish`?"""
    return isinstance(statement, Stop | Finish)


def stops(body: flat.Body) -> list[Stop]:
    """The stops in a stretch."""
    return [s for s in flat.statements(body) if isinstance(s, Stop)]


def used(
    body: flat.Body, variables: set[str],
    inside: Callable[[flat.Statement], flat.Body] = lambda statement: [],
) -> set[str]:  # fmt: skip
    """The variables that the stretch uses before it begins them on some path.

    `inside`: what a cut itself does with variables.
    """
    found: set[str] = set()

    def use(names: set[str], begun: set[str]) -> None:
        found.update((names & variables) - begun)

    def visit(body: flat.Body, begun: set[str]) -> set[str]:
        for statement in body:
            if isinstance(statement, Stop):
                if statement.at is not None:
                    visit(inside(statement.at), set(begun))
                continue
            if isinstance(statement, Finish):
                continue
            for expr in flat.expressions(statement):
                use(reads(expr), begun)
            if isinstance(statement, flat.Set) and not statement.declare:
                use({statement.var.name}, begun)
            match statement:
                case flat.Branch(_, then, otherwise):
                    begun = visit(then, set(begun)) & visit(otherwise, set(begun))
                case flat.Loop(_, head, condition, inner, step):
                    at_head = visit(head, set(begun))
                    use(reads(condition), at_head)
                    visit([*inner, *step], at_head)
                case flat.Scope(_, inner):
                    visit(inner, set(begun))
                case _:
                    begun = begun | written(statement)
        return begun

    visit(body, set())
    return found


def written(statement: object) -> set[str]:
    """The variables that a statement of a stretch writes."""
    return set() if is_mark(statement) else {v.name for v in flat.targets(statement)}  # type: ignore[arg-type]


def undeclare(body: flat.Body, names: set[str], fresh: Callable[[str], str]) -> None:
    """Let variables that begin above the body begin nowhere in it."""
    position = 0
    while position < len(body):
        statement = body[position]
        if not is_mark(statement):
            for below in flat.bodies(statement):
                undeclare(below, names, fresh)
        if isinstance(statement, flat.Set):
            if statement.var.name in names:
                statement.declare = False
                if statement.value is None:
                    del body[position]
                    continue
        elif not is_mark(statement):
            for var in [v for v in flat.targets(statement) if v.name in names]:
                own = Var(fresh(var.name), var.type)
                flat.retarget(statement, var.name, own)
                body.insert(position + 1, flat.Set(var, Read(own)))
        position += 1
