"""Threads together: barriers, fences, warps, atomics, printing, failing.

v = __shfl_down_sync(m, x, 4)     Shuffle(_t1, "down", m, x, 4); v = _t1
atomicAdd(&a[i], 1)               Atomic(None, "add", a[i], 1)
assert(i < n)                     Assert(i < n)
"""

from __future__ import annotations

from crossport.frontend.clang import CursorKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Handler, is_default
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering, convert_constant
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import (
    Aggregate,
    Assert,
    Assign,
    Atomic,
    AtomicOp,
    Barrier,
    Const,
    Deref,
    Element,
    Expr,
    Fence,
    Let,
    Match,
    Member,
    Place,
    Print,
    Read,
    Shuffle,
    Special,
    SyncWarp,
    Trap,
    Var,
    Vote,
    WarpReduce,
)
from crossport.ir.types import BOOL, F32, F64, I32, U32, Array, Pointer, Scalar, Struct, Type


def _nothing() -> Expr:
    from crossport.frontend.lowering.literals import NOTHING

    return NOTHING


# --- Barriers and fences -----------------------------------------------------------------------


def _barrier(ctx: Lowering, site: Site) -> Expr:
    ctx.emit(Barrier(span=ctx.here))
    return _nothing()


def _counting_barrier(reduce: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        predicate = ctx.convert(ctx.value(site.args[0]), BOOL)
        target = ctx.new_temp(I32)
        ctx.emit(Barrier("block", reduce, predicate, target, span=ctx.here))  # type: ignore[arg-type]
        return Read(target, span=ctx.here)

    return lower


def _sync_warp(ctx: Lowering, site: Site) -> Expr:
    mask = None
    if site.args and not is_default(site.args[0]):
        mask = ctx.convert(ctx.value(site.args[0]), U32)
    ctx.emit(SyncWarp(mask, span=ctx.here))
    return _nothing()


def _fence(scope: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        ctx.emit(Fence(scope, span=ctx.here))  # type: ignore[arg-type]
        return _nothing()

    return lower


def _named_barrier(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.builtins import effect
    from crossport.ir.types import VOID

    values = [ctx.convert(v, U32) for v in ctx.values(site.args)]
    if len(values) == 1:
        if isinstance(values[0], Const) and values[0].value == 0:
            return _barrier(ctx, site)
        values.append(Const(0, U32))
    return effect(ctx, "bar_sync", tuple(values), VOID)


# --- Shuffles, votes, matches ------------------------------------------------------------------


def _shuffle(mode: str, has_mask: bool) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        args = list(site.args)
        width_given = len(args) > 2 + has_mask and not is_default(args[-1])
        values = ctx.values(args[: 2 + has_mask + width_given])
        mask = ctx.convert(values.pop(0), U32) if has_mask else None
        width = ctx.convert(values[2], I32) if width_given else None
        return shuffle(ctx, mode, mask, values[0], values[1], width)

    return lower


def shuffle(
    ctx: Lowering, mode: str, mask: Expr | None, value: Expr, lane: Expr, width: Expr | None
) -> Expr:
    """Exchange a number; a struct goes member by member."""
    kind = value.type
    if isinstance(kind, Struct):
        mask = ctx.kept(mask) if mask is not None else None
        lane, width = ctx.kept(lane), ctx.kept(width) if width is not None else None
        parts = members(ctx, ctx.kept(value))
        return Aggregate(
            tuple(shuffle(ctx, mode, mask, part, lane, width) for part in parts),
            kind,
            span=ctx.here,
        )
    if not isinstance(kind, Scalar):
        if isinstance(kind, Pointer):
            from crossport.ir.nodes import Cast
            from crossport.ir.types import U64

            moved = shuffle(ctx, mode, mask, Cast(value, U64), lane, width)
            return Cast(moved, kind, span=ctx.here)
        raise NotLowered(f"a shuffle of {kind}")
    wide = I32 if kind == BOOL or (kind.is_integer and kind.size < 4) else kind
    target = ctx.new_temp(wide)
    lane = ctx.convert(lane, U32 if mode in ("up", "down") else I32)
    ctx.emit(
        Shuffle(target, mode, mask, ctx.convert(value, wide), lane, width, span=ctx.here)  # type: ignore[arg-type]
    )
    return ctx.convert(Read(target, span=ctx.here), kind)


def members(ctx: Lowering, value: Expr) -> list[Expr]:
    """The members of a struct value."""
    from crossport.frontend.lowering.members import extract

    kind = value.type
    for record in ctx.types.records.values():
        if record.type == kind:
            if record.overlapping:
                raise NotLowered(f"an exchange of {kind}, whose members overlap")
            return [extract(value, f.name, f.type, ctx) for f in record.definition.fields]
    raise NotLowered(f"members of {kind}")


def _vote(mode: str, has_mask: bool) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        values = ctx.values(site.args)
        mask = ctx.convert(values.pop(0), U32) if has_mask else None
        return vote(ctx, mode, mask, values[0])

    return lower


def vote(
    ctx: Lowering, mode: str, mask: Expr | None, predicate: Expr, width: Expr | None = None
) -> Expr:
    """any, all, uni (i32) or ballot (u32)."""
    target = ctx.new_temp(U32 if mode == "ballot" else I32)
    test = ctx.convert(predicate, BOOL)
    ctx.emit(Vote(target, mode, mask, test, width, span=ctx.here))  # type: ignore[arg-type]
    return Read(target, span=ctx.here)


def active_mask(ctx: Lowering) -> Expr:
    """The lanes that are here now."""
    target = ctx.new_temp(U32)
    ctx.emit(Vote(target, "active", None, None, span=ctx.here))
    return Read(target, span=ctx.here)


def _match_any(ctx: Lowering, site: Site) -> Expr:
    mask, value = ctx.values(site.args)
    target = ctx.new_temp(U32)
    ctx.emit(Match(target, "any", ctx.convert(mask, U32), value, span=ctx.here))
    return Read(target, span=ctx.here)


def _match_all(ctx: Lowering, site: Site) -> Expr:
    mask, value, pointer = ctx.values(site.args)
    target, predicate = ctx.new_temp(U32), ctx.new_temp(I32)
    ctx.emit(Match(target, "all", ctx.convert(mask, U32), value, predicate, span=ctx.here))
    ctx.emit(Assign(ctx.target(pointer), Read(predicate), span=ctx.here))
    return Read(target, span=ctx.here)


def _warp_reduce(op: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        mask, value = ctx.values(site.args)
        return warp_reduce(ctx, op, ctx.convert(mask, U32), value, None, None)

    return lower


def warp_reduce(
    ctx: Lowering, op: str, mask: Expr | None, value: Expr, width: Expr | None, scan: str | None
) -> Expr:
    """A reduction or scan over the lanes of a warp or tile."""
    target = ctx.new_temp(value.type)
    ctx.emit(WarpReduce(target, op, mask, value, width, scan, span=ctx.here))  # type: ignore[arg-type]
    return Read(target, span=ctx.here)


def _lane_id(ctx: Lowering, site: Site) -> Expr:
    return Special("lane_id", span=ctx.here)


# --- Atomics -----------------------------------------------------------------------------------

_ATOMICS: dict[str, AtomicOp] = {
    "atomicAdd": "add", "atomicSub": "sub", "atomicExch": "exch", "atomicMin": "min",
    "atomicMax": "max", "atomicInc": "inc", "atomicDec": "dec", "atomicAnd": "and",
    "atomicOr": "or", "atomicXor": "xor", "atomicCAS": "cas",
}  # fmt: skip


def _atomic(op: AtomicOp, scope: str) -> Handler:
    def lower(ctx: Lowering, site: Site) -> Expr:
        pointer, *operands = ctx.values(site.args)
        ctx.here = cursors.span(site.cursor) or ctx.here
        return atomic(ctx, op, ctx.target(pointer), operands, scope, wanted=site.wanted)

    return lower


def atomic(
    ctx: Lowering, op: AtomicOp, place: Place, operands: list[Expr], scope: str, *, wanted: bool
) -> Expr:
    """An atomic; on a vector, one an element, as CUDA defines it."""
    kind = place.type
    if isinstance(kind, Struct) and op == "add":
        pointer = ctx.kept(ctx.address(place))
        parts = members(ctx, ctx.kept(operands[0]))
        olds = []
        for record in ctx.types.records.values():
            if record.type == kind:
                for field, part in zip(record.definition.fields, parts, strict=True):
                    member = Member(ctx.target(pointer), field.name, field.type, span=ctx.here)
                    olds.append(atomic(ctx, op, member, [part], scope, wanted=wanted))
                break
        return Aggregate(tuple(olds), kind, span=ctx.here) if wanted else _nothing()
    if not isinstance(kind, (Scalar, Pointer)):
        raise NotLowered(f"an atomic on {kind}")
    values = tuple(ctx.convert(v, kind) for v in operands)
    target = ctx.new_temp(kind) if wanted else None
    ctx.emit(Atomic(target, op, place, values, scope, span=ctx.here))  # type: ignore[arg-type]
    return Read(target, span=ctx.here) if target is not None else _nothing()


# --- printf, assert, trap ----------------------------------------------------------------------


def _printf(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.module import literal_bytes

    literal = cursors.strip(site.args[0])
    if literal.kind != CursorKind.STRING_LITERAL:
        raise NotLowered("printf with a format that is not a literal")
    args = [_promoted_argument(ctx, v) for v in ctx.values(site.args[1:])]
    text = literal_bytes(literal).decode("utf-8", errors="replace")
    ctx.emit(Print(text, tuple(args), span=ctx.here))
    return Const(len(args), I32)


def _promoted_argument(ctx: Lowering, value: Expr) -> Expr:
    kind: Type = value.type
    if kind == F32:
        if isinstance(value, Const):
            return convert_constant(value, F64) or value
        return ctx.convert(value, F64)
    if isinstance(kind, Scalar) and (kind == BOOL or (kind.is_integer and kind.size < 4)):
        return ctx.convert(value, I32)
    return value


def _assert_fail(ctx: Lowering, site: Site) -> Expr:
    from crossport.frontend.lowering.module import literal_bytes

    text = "assertion"
    if site.args:
        literal = cursors.strip(site.args[0])
        if literal.kind == CursorKind.STRING_LITERAL:
            text = literal_bytes(literal).decode("utf-8", errors="replace")
    ctx.emit(Assert(Const(False, BOOL), text, span=ctx.here))
    return _nothing()


def _trap(ctx: Lowering, site: Site) -> Expr:
    ctx.emit(Trap(span=ctx.here))
    return _nothing()


def _build() -> dict[str, Handler]:
    table: dict[str, Handler] = {
        "__syncthreads": _barrier, "__barrier_sync": _named_barrier,
        "__barrier_sync_count": _named_barrier, "__syncwarp": _sync_warp,
        "__syncthreads_count": _counting_barrier("count"),
        "__syncthreads_and": _counting_barrier("and"),
        "__syncthreads_or": _counting_barrier("or"),
        "__threadfence": _fence("device"), "__threadfence_block": _fence("block"),
        "__threadfence_system": _fence("system"),
        "__activemask": lambda ctx, site: active_mask(ctx),
        "__match_any_sync": _match_any, "__match_all_sync": _match_all,
        "__lane_id": _lane_id, "printf": _printf, "vprintf": _printf,
        "__shim_assert_fail": _assert_fail, "__assert_fail": _assert_fail,
        "__assertfail": _assert_fail, "__cuda_assert_fail": _assert_fail,
        "__trap": _trap, "abort": _trap, "exit": _trap, "__builtin_trap": _trap,
    }  # fmt: skip
    for name, mode in (("", "idx"), ("_up", "up"), ("_down", "down"), ("_xor", "xor")):
        table[f"__shfl{name}_sync"] = _shuffle(mode, True)
        table[f"__shfl{name}"] = _shuffle(mode, False)
    for mode in ("any", "all", "ballot", "uni"):
        table[f"__{mode}_sync"] = _vote(mode, True)
        table[f"__{mode}"] = _vote(mode, False)
    for op in ("add", "min", "max", "and", "or", "xor"):
        table[f"__reduce_{op}_sync"] = _warp_reduce(op)
    for name, op in _ATOMICS.items():
        for suffix, scope in (("", "device"), ("_block", "block"), ("_system", "system")):
            table[name + suffix] = _atomic(op, scope)
    return table


HANDLERS: dict[str, Handler] = _build()

__all__ = ["HANDLERS", "Array", "Deref", "Element", "Let", "Var"]
