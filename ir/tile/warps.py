"""Make a warp, or a part of one, a block of its own, where it has nothing to do with the others.

    row = (block.x * block_dim.x + thread.x) / 32          row = block.x
    lane = thread.x % 32                              ->   lane = thread.x
    for (c = lane; c < cols; c += 32) ...                  launched with a block a warp, of 32

What then shares a row is a whole block, and lifting and widening go on as for any other. It holds
where the thread's place comes in as the number of its warp in the grid and its lane, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from crossport.ir.lift import flat, fold
from crossport.ir.lift.rewrite import map_own
from crossport.ir.nodes import Binary, Cast, Const, Expr, Node, Read, Special, Var, walk
from crossport.ir.tile.polynomial import Monomial, Poly
from crossport.ir.tile.retile import resolve
from crossport.ir.tile.rows import steady_values
from crossport.ir.types import Scalar

WARP = 32
_PLACES = ("thread.", "block_dim.", "lane_id", "warp_id")


@dataclass(frozen=True)
class Warps:
    """How warps stand in a block: in a row of threads, or one a row of 32 (`is_row_each`)."""

    is_row_each: bool
    count: int = 0
    """Warps of a block, where the source says so; 0: any."""
    width: int = WARP
    """Threads of a group: a warp, or a part of it in whose place none but its own threads meet."""

    @property
    def guard(self) -> str:
        """The blocks that stand so."""
        if self.is_row_each:
            many = f" and block[1] == {self.count}" if self.count else ""
            return f"block[0] == 32 and block[2] == 1{many}"
        width = self.width
        exact = f"threads == {width * self.count}" if self.count else f"threads % {width} == 0"
        return f"block[1:] == (1, 1) and {exact}"


def split_warps(program: flat.Program, warps: Warps) -> str | None:
    """Rewrite the program for blocks of one warp, in place; the reason if that cannot be."""
    if program.shared or program.locals:
        return "it keeps data in shared memory or large local arrays"
    for statement in flat.statements(program.body):
        match statement:
            case flat.Sync("block" | "grid") | flat.Collect():
                return "warps wait for each other"
            case flat.Exchange(_, _, _, _, width) | flat.Ballot(_, _, _, width):
                if width > warps.width:
                    return "more than a warp exchanges values"
            case flat.GroupReduce(_, _, _, width) if width > warps.width:
                return "more than a warp exchanges values"
            case _:
                pass
    values = steady_values(program)
    try:
        for statement in flat.statements(program.body):
            map_own(statement, lambda e: _rewritten(e, values, warps))
    except _OtherPlaceError as reason:
        return str(reason)
    return None


class _OtherPlaceError(Exception):
    """A value that depends on the thread's place in another way."""


def _rewritten(expr: Expr, values: dict[str, Expr], warps: Warps) -> Expr:
    """The expression in terms of the warp's number and the lane."""
    if not _is_about_places(resolve(expr, values)):
        return expr
    kind = expr.type
    if isinstance(kind, Scalar) and kind.is_integer and kind.size >= 4:
        found = _polynomial(resolve(expr, values), warps)
        formula = None if found is None else _expression(found, kind)
        if formula is not None:
            return formula
    if isinstance(expr, Read):
        return expr  # the variable's own value has been rewritten
    if isinstance(expr, Special):
        raise _OtherPlaceError(f"it depends on {expr.name}")
    return _rebuilt(expr, lambda child: _rewritten(child, values, warps))


def _is_about_places(expr: Expr) -> bool:
    return any(
        isinstance(x, Special) and x.name.startswith((*_PLACES, "block.x", "grid_dim.x"))
        for x in walk(expr)
    )


def _rebuilt(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with its operands changed."""
    changes: dict[str, Any] = {}
    for field in fields(expr):
        value = getattr(expr, field.name)
        if isinstance(value, Node) and not isinstance(value, Var):
            changes[field.name] = change(value)  # type: ignore[arg-type]
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changes[field.name] = tuple(change(v) for v in value)
    return replace(expr, **changes)


class _Atoms:
    """Values that are no arithmetic of places, as unknowns."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.by_name: dict[str, Expr] = {}

    def of(self, expr: Expr) -> Poly:
        name = f"value {expr!r}"
        self.by_name[name] = expr
        return Poly.unknown(name, self.width)


def _polynomial(expr: Expr, warps: Warps) -> tuple[Poly, _Atoms] | None:
    width = warps.width
    atoms = _Atoms(width)
    lanes = Poly.of(np.arange(width))
    number = Poly({}) if warps.count == 1 else Poly.unknown("warp", width)
    count = (
        Poly.of(np.full(width, warps.count)) if warps.count else Poly.unknown("warps", width)
    )  # fmt: skip
    all_lanes = Poly.of(np.full(width, width))
    specials = {"block.x": Poly.unknown("block.x", width)}
    specials["grid_dim.x"] = Poly.unknown("grid_dim.x", width)
    if width == WARP:
        specials |= {"lane_id": lanes, "warp_id": number}
    if warps.is_row_each:
        specials |= {"thread.x": lanes, "thread.y": number, "thread.z": Poly({})}
        specials |= {"block_dim.x": all_lanes, "block_dim.y": count}
    else:
        specials |= {"thread.x": all_lanes * number + lanes, "thread.y": Poly({})}
        specials |= {"thread.z": Poly({}), "block_dim.x": all_lanes * count}

    def value(node: Expr) -> Poly | None:
        match node:
            case Const(number) if isinstance(number, int):
                return Poly.of(np.full(width, int(number)))
            case Special(name):
                return specials.get(name)
            case Cast(inner, kind) if isinstance(kind, Scalar) and kind.is_integer:
                if kind.size < 4 or not _is_wide_integer(inner):
                    return atoms.of(node) if not _is_about_places(node) else None
                return value(inner)
            case Binary("+" | "-" | "*" as op, lhs, rhs):
                a, b = value(lhs), value(rhs)
                if a is None or b is None:
                    return None
                return a + b if op == "+" else a - b if op == "-" else a * b
            case Binary("/" | ">>" | "%" | "&" as op, lhs, Const(by)) if isinstance(by, int):
                if op == "%" and by <= width and _is_lane_of_warp(lhs):
                    lhs = Special("thread.x")  # the same, modulo a part of a warp
                inside = value(lhs)
                divisor = {"/": by, "%": by, "&": by + 1}.get(op, 1 << max(0, min(by, 31)))
                if inside is not None and divisor > 0 and not (op == "&" and divisor & by):
                    natural = all(
                        (c >= 0).all() and not any(s.startswith("value") for s in m)
                        for m, c in inside.terms.items()
                    )
                    parts = inside.split(divisor) if natural else None
                    if parts is not None:
                        return parts[0] if op in ("/", ">>") else parts[1]
            case Read():
                return atoms.of(node)
            case _:
                pass
        return None if _is_about_places(node) else atoms.of(node)

    found = value(expr)
    if found is None:
        return None
    combined = _combined(found, warps)
    return None if combined is None else (combined, atoms)


def _is_lane_of_warp(expr: Expr) -> bool:
    while isinstance(expr, Cast):
        expr = expr.value
    return expr == Special("lane_id")


def _is_wide_integer(expr: Expr) -> bool:
    return isinstance(expr.type, Scalar) and expr.type.is_integer and expr.type.size >= 4


def _combined(poly: Poly, warps: Warps) -> Poly | None:
    """With `block.x * warps + warp` as one unknown, `place`; None if that leaves any of them."""
    terms: dict[Monomial, np.ndarray] = {}
    if warps.count == 1:
        renamed = {"block.x": "place", "grid_dim.x": "places"}
        return Poly({
            tuple(sorted(renamed.get(s, s) for s in m)): c for m, c in poly.terms.items()
        })  # fmt: skip
    left = dict(poly.terms)
    for monomial, coefficients in poly.terms.items():
        if "warp" not in monomial:
            continue
        rest = list(monomial)
        rest.remove("warp")
        across = tuple(sorted([*rest, "block.x"] + ([] if warps.count else ["warps"])))
        factor = warps.count or 1
        if across not in left or (left[across] != factor * coefficients).any():
            return None
        del left[monomial], left[across]
        place = tuple(sorted([*rest, "place"]))
        terms[place] = coefficients
    for monomial, coefficients in left.items():
        names = list(monomial)
        if "grid_dim.x" in names and "warps" in names:
            names.remove("grid_dim.x")
            names.remove("warps")
            names.append("places")
        if {"warp", "warps", "block.x", "grid_dim.x"} & set(names):
            return None
        terms[tuple(sorted(names))] = coefficients
    return Poly(terms)


def _expression(found: tuple[Poly, _Atoms], kind: Scalar) -> Expr | None:
    poly, atoms = found
    lane = np.arange(atoms.width)
    total: Expr | None = None
    for monomial, coefficients in sorted(poly.terms.items(), key=lambda t: (-len(t[0]), t[0])):
        slope = int(coefficients[1] - coefficients[0])
        if (coefficients != coefficients[0] + slope * lane).any():
            return None
        factor: Expr = fold.constant(int(coefficients[0]), kind)
        if slope:
            by_lane = fold.binary(
                "*", fold.cast(Special("thread.x"), kind), fold.constant(slope, kind)
            )
            factor = by_lane if coefficients[0] == 0 else fold.binary("+", by_lane, factor)
        for name in monomial:
            known = {"place": Special("block.x"), "places": Special("grid_dim.x")}.get(name)
            value: Expr = known if known is not None else atoms.by_name[name]
            value = fold.cast(value, kind)
            factor = fold.binary("*", value, factor)
        total = factor if total is None else fold.binary("+", total, factor)
    return total if total is not None else fold.constant(0, kind)
