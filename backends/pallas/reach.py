"""Where each step of a Pallas grid reaches in each array, as Python that the launcher computes.

    x[block.x * cols + c], c from thread.x to cols
        ->   _sum(_span(items, grid, (int(cols), 0, 0)), (0, int(cols) - 1))

`items` are the blocks (or threads, where only the global index matters) of every step, first and
last. A span is the smallest and the largest index, for all steps at once. What depends on data has
none. Sums and multiples of whole numbers may wrap on the way, and come out right; what does not
commute with wrapping (quotients, minima) asks at run time that nothing did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from crossport.ir.lift import flat
from crossport.ir.nodes import (
    Binary,
    Cast,
    Const,
    Expr,
    Intrinsic,
    Read,
    Select,
    Special,
    Var,
    walk,
)
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.types import BOOL, I32, Scalar

_AXES = "xyz"
_MOST_DEPTH = 40


@dataclass(frozen=True)
class Line:
    """A constant, a multiple of each lane index, and spans of everything else; all Python."""

    constant: str = "0"
    threads: tuple[str, str, str] = ("0", "0", "0")
    blocks: tuple[str, str, str] = ("0", "0", "0")
    """Of free programs: the global index along each axis."""
    rest: tuple[str, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Is it one number for all steps?"""
        zeros = ("0", "0", "0")
        return self.threads == zeros and self.blocks == zeros and not self.rest


@dataclass
class _Loop:
    """A loop around an access, and whether the access is where the condition holds."""

    statement: flat.Loop
    is_inside: bool


@dataclass
class Reach:
    """The spans of one program's accesses."""

    program: flat.Program
    free: FreeShape | None
    _sets: dict[str, list[tuple[Expr | None, tuple[_Loop, ...]]]] = field(default_factory=dict)
    _other: set[str] = field(default_factory=set)
    _numbers: dict[str, str] = field(default_factory=dict)
    _around: tuple[_Loop, ...] = ()
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for parameter in self.program.parameters:
            for _, var in parameter.scalars:
                if isinstance(var.type, Scalar) and var.type.is_integer and var.type.size <= 4:
                    self._numbers[var.name] = f"int({var.name})"
        for statement, around in _walk(self.program.body, ()):
            if isinstance(statement, flat.Set):
                self._sets.setdefault(statement.var.name, []).append((statement.value, around))
            else:
                self._other |= {var.name for var in flat.targets(statement)}

    def spans(self) -> dict[str, list[str] | None]:
        """Of each array, the spans of its accesses; None where one depends on data."""
        found: dict[str, list[str] | None] = {}
        for statement, around in _walk(self.program.body, ()):
            if not isinstance(statement, flat.Load | flat.Store | flat.AtomicUpdate):
                continue
            name = statement.ref.root.name
            self._around = around
            line = self.line(statement.ref.index)
            known = found.setdefault(name, [])
            if line is None:
                found[name] = None
            elif known is not None and (text := self.text(line)) not in known:
                known.append(text)
        return found

    def limit(self, axis: str) -> str | None:
        """The number that a global index stays below wherever the program has an effect."""
        guarded = [s for s in self.program.body if isinstance(s, flat.Branch)]
        quiet = flat.Set | flat.Load
        if len(guarded) != 1 or bool(guarded[0].then) == bool(guarded[0].otherwise):
            return None
        if not all(isinstance(s, quiet) or s is guarded[0] for s in self.program.body):
            return None
        leaves = not guarded[0].then  # `if (x >= width || y >= height) return;`
        bound = self.above(guarded[0].condition, index_var(axis).name, leaves)
        line = None if bound is None else self.line(bound)
        if line is None or not line.is_constant or "size_" in line.constant:
            return None
        return line.constant

    def above(self, condition: Expr, name: str, is_negated: bool) -> Expr | None:
        """What a variable is below where a condition holds (or, negated, where it does not)."""
        joins, less, more = ("||", ">=", "<=") if is_negated else ("&&", "<", ">")
        match condition:
            case Binary(op, lhs, rhs) if op == joins:
                return self.above(lhs, name, is_negated) or self.above(rhs, name, is_negated)
            case Binary(op, lhs, rhs) if op == less and _is_read(lhs, name):
                return rhs
            case Binary(op, lhs, rhs) if op == more and _is_read(rhs, name):
                return lhs
            case _:
                return None

    def text(self, line: Line) -> str:
        """The span of a line."""
        parts = list(line.rest)
        sizes = "grid"
        if self.free is not None:
            sizes = _tuple([size_var(axis).name for axis in self.free.axes])
        count = 3 if self.free is None else len(self.free.axes)
        if any(step != "0" for step in line.blocks):
            parts.append(f"_span(items, {sizes}, {_tuple(line.blocks[:count])})")
        if any(step != "0" for step in line.threads):
            parts.append(f"_span(threads, block, {_tuple(line.threads)})")
        if line.constant != "0" or not parts:
            parts.append(f"({line.constant}, {line.constant})")
        return parts[0] if len(parts) == 1 else f"_sum({', '.join(parts)})"

    # --- Expressions ----------------------------------------------------------------------------

    def line(self, expr: Expr) -> Line | None:
        """What an index is made of; None where it cannot be said."""
        if len(self._open) > _MOST_DEPTH:
            return None
        match expr:
            case Const(value) if isinstance(value, int | bool):
                return Line(str(int(value)))
            case Read(Var(name)):
                return self.variable(name)
            case Special(name):
                return self.special(name)
            case Cast(value, Scalar() as kind):
                source = value.type
                if not isinstance(source, Scalar) or source.is_float or kind.is_float:
                    return None
                if source == BOOL:
                    return Line(rest=("(0, 1)",))
                return self.line(value) if kind.size >= 4 else None
            case Binary("+", lhs, rhs):
                return _plus(self.line(lhs), self.line(rhs))
            case Binary("-", lhs, rhs):
                return _plus(self.line(lhs), _times(self.line(rhs), Line("-1")))
            case Binary("*", lhs, rhs):
                return _times(self.line(lhs), self.line(rhs))
            case Binary("<<", lhs, Const(bits)):
                return _times(self.line(lhs), Line(str(1 << int(bits))))
            case Binary("/", lhs, rhs):
                return self.called("_ratio", lhs, rhs)
            case Binary(">>", lhs, Const(bits)):
                return self.called("_ratio", lhs, Const(1 << int(bits), I32))
            case Binary("%", lhs, rhs):
                return self.called("_left", lhs, rhs)
            case Binary("&", lhs, Const(mask)) if (int(mask) + 1) & int(mask) == 0:
                return self.called("_left", lhs, Const(int(mask) + 1, I32))
            case Intrinsic("min" | "max" as name, (lhs, rhs)):
                return self.joined(f"_{'least' if name == 'min' else 'most'}", lhs, rhs)
            case Select(_, lhs, rhs):
                return self.joined("_hull", lhs, rhs)
            case _:
                return None

    def special(self, name: str) -> Line | None:
        kind, _, axis = name.partition(".")
        if kind in ("block_dim", "grid_dim"):
            return Line(f"{kind.partition('_')[0]}[{_AXES.index(axis)}]")
        if kind == "thread":
            return Line(threads=_unit(axis))
        if kind == "block" and self.free is None:
            return Line(blocks=_unit(axis))
        if kind == "warp_size":
            return Line("32")
        return Line(rest=("(0, 31)",)) if kind in ("lane_id", "warp_id") else None

    def called(self, helper: str, lhs: Expr, rhs: Expr) -> Line | None:
        """A function of a span and a number."""
        line, number = self.line(lhs), self.line(rhs)
        if line is None or number is None or not number.is_constant:
            return None
        if line.is_constant:
            sign = "//" if helper == "_ratio" else "%"
            return Line(f"({line.constant}) {sign} ({number.constant})")
        return Line(rest=(f"{helper}({self.text(line)}, {number.constant})",))

    def joined(self, helper: str, lhs: Expr, rhs: Expr) -> Line | None:
        """A function of two spans."""
        first, second = self.line(lhs), self.line(rhs)
        if first is None or second is None:
            return None
        return Line(rest=(f"{helper}({self.text(first)}, {self.text(second)})",))

    # --- Variables ------------------------------------------------------------------------------

    def variable(self, name: str) -> Line | None:
        if self.free is not None:
            for number, axis in enumerate(self.free.axes):
                if name == index_var(axis).name:
                    steps = ["0", "0", "0"]
                    steps[number] = "1"
                    return Line(blocks=(steps[0], steps[1], steps[2]))
                if name == size_var(axis).name:
                    return Line(name)
        if name in self._other or name in self._open:
            return None
        sets = self._sets.get(name, [])
        if not sets:
            known = self._numbers.get(name)
            return Line(known) if known is not None else None
        if name in self._numbers:
            return None  # A parameter that the kernel changes.
        self._open.append(name)
        try:
            return self.assigned(name, sets)
        finally:
            self._open.pop()

    def assigned(self, name: str, sets: list[tuple[Expr | None, tuple[_Loop, ...]]]) -> Line | None:
        """What a variable holds, by everything that is assigned to it."""
        steps = [(step, around) for value, around in sets if (step := _step_of(value, name))]
        starts = [value for value, _ in sets if _step_of(value, name) is None]
        lines = [Line() if value is None else self.line(value) for value in starts]
        if not lines or any(line is None for line in lines):
            return None
        found = [line for line in lines if line is not None]
        if not steps:
            if len(found) == 1:
                return found[0]
            return Line(rest=(f"_hull({', '.join(map(self.text, found))})",))
        return self.counted(name, found, steps)

    def counted(
        self, name: str, starts: list[Line], steps: list[tuple[Expr, tuple[_Loop, ...]]]
    ) -> Line | None:
        """A variable that a loop moves by a step until a bound."""
        loops = [around[-1].statement if around else None for _, around in steps]
        loop = loops[0]
        lines = [self.line(step) for step, _ in steps]
        if loop is None or any(other is not loop for other in loops):
            return None
        sizes = [line.constant for line in lines if line is not None and line.is_constant]
        if len(sizes) != len(steps) or len(set(sizes)) != 1:
            return None
        down = sizes[0].startswith("-")
        if not (sizes[0].lstrip("-").isdigit() or sizes[0].startswith(("block[", "grid["))):
            return None
        bound = self.bound(loop.condition, name, ("<", "<=") if not down else (">", ">="))
        if bound is None:
            return None
        start = (
            starts[0]
            if len(starts) == 1
            else Line(rest=(f"_hull({', '.join(map(self.text, starts))})",))
        )
        # Where the condition holds, the bound does; behind the step, it may be one step past.
        moved = any(around[-1].is_inside for _, around in steps)
        here = any(other.statement is loop and other.is_inside for other in self._around)
        exact = here and not moved and len(steps) == 1
        if not exact:
            bound = replace(bound, constant=_add(bound.constant, sizes[0]))
        ends = (start, bound) if not down else (bound, start)
        helper = "_between" if exact and loop.test_first else "_hull"
        return Line(rest=(f"{helper}({self.text(ends[0])}, {self.text(ends[1])})",))

    def bound(self, condition: Expr, name: str, signs: tuple[str, str]) -> Line | None:
        """The last value for which a loop goes on."""
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        match condition:
            case Binary("&&", lhs, rhs):
                return self.bound(lhs, name, signs) or self.bound(rhs, name, signs)
            case Read(Var(other)) if len(self._sets.get(other, [])) == 1:
                value = self._sets[other][0][0]
                return None if value is None else self.bound(value, name, signs)
            case Binary(op, lhs, rhs) if op in mirrored:
                if _is_read(rhs, name):
                    op, lhs, rhs = mirrored[op], rhs, lhs  # type: ignore[assignment]
                if op not in signs or not _is_read(lhs, name):
                    return None
                line = self.line(rhs)
                if line is None or len(op) == 2:
                    return line
                past = "-1" if op == "<" else "1"
                return replace(line, constant=_add(line.constant, past))
            case _:
                return None


def _walk(
    body: flat.Body, around: tuple[_Loop, ...]
) -> Iterator[tuple[flat.Statement, tuple[_Loop, ...]]]:
    """Every statement with the loops around it."""
    for statement in body:
        yield statement, around
        if isinstance(statement, flat.Loop):
            for part in (statement.head, statement.step):
                yield from _walk(part, (*around, _Loop(statement, False)))
            yield from _walk(statement.body, (*around, _Loop(statement, True)))
        else:
            for below in flat.bodies(statement):
                yield from _walk(below, around)


def _step_of(value: Expr | None, name: str) -> Expr | None:
    """By how much `name = name + step` moves a variable."""
    match value:
        case Binary("+", lhs, rhs) if _is_read(lhs, name) and not _mentions(rhs, name):
            return rhs
        case Binary("+", lhs, rhs) if _is_read(rhs, name) and not _mentions(lhs, name):
            return lhs
        case Binary("-", lhs, Const(number, kind)) if _is_read(lhs, name):
            return Const(-int(number), kind)
        case _:
            return None


def _is_read(expr: Expr, name: str) -> bool:
    while isinstance(expr, Cast):
        expr = expr.value
    return isinstance(expr, Read) and isinstance(expr.place, Var) and expr.place.name == name


def _mentions(expr: Expr, name: str) -> bool:
    return any(isinstance(node, Var) and node.name == name for node in walk(expr))


# --- Arithmetic of texts ------------------------------------------------------------------------


def _add(a: str, b: str) -> str:
    if a == "0" or b == "0":
        return b if a == "0" else a
    if _is_number(a) and _is_number(b):
        return str(int(a) + int(b))
    return f"{a} - {b[1:]}" if _is_number(b) and b.startswith("-") else f"{a} + {b}"


def _multiply(a: str, b: str) -> str:
    if "0" in (a, b):
        return "0"
    if a == "1" or b == "1":
        return b if a == "1" else a
    if _is_number(a) and _is_number(b):
        return str(int(a) * int(b))
    return " * ".join(f"({x})" if " " in x or x.startswith("-") else x for x in (a, b))


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def _three(a: tuple[str, str, str], b: tuple[str, str, str]) -> tuple[str, str, str]:
    return _add(a[0], b[0]), _add(a[1], b[1]), _add(a[2], b[2])


def _plus(a: Line | None, b: Line | None) -> Line | None:
    if a is None or b is None:
        return None
    threads, blocks = _three(a.threads, b.threads), _three(a.blocks, b.blocks)
    return Line(_add(a.constant, b.constant), threads, blocks, (*a.rest, *b.rest))


def _times(a: Line | None, b: Line | None) -> Line | None:
    if a is None or b is None:
        return None
    if a.is_constant:
        a, b = b, a
    if not b.is_constant:
        return None
    number = b.constant

    def scaled(steps: tuple[str, str, str]) -> tuple[str, str, str]:
        x, y, z = (_multiply(step, number) for step in steps)
        return x, y, z

    rest = tuple(f"_scaled({span}, {number})" for span in a.rest)
    return Line(_multiply(a.constant, number), scaled(a.threads), scaled(a.blocks), rest)


def _unit(axis: str) -> tuple[str, str, str]:
    x, y, z = ("1" if axis == each else "0" for each in _AXES)
    return x, y, z


def _tuple(parts: list[str] | tuple[str, ...]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
