"""Statements between threads: barriers, shuffles, votes, matches, atomics, block copies."""

from __future__ import annotations

from dataclasses import replace

from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.matrices import Matrices
from crossport.ir.lift.flatten.values import (
    Agg,
    Choice,
    Compound,
    Local,
    Ptr,
    Value,
    refuse,
    scalar_type,
)
from crossport.ir.types import I32, U8, U32, Scalar

IGNORED_EFFECTS = {
    "prefetch", "__nanosleep", "__prof_trigger", "cp_async_commit", "cp_async_wait",
}  # fmt: skip


class Lanes(Matrices):
    """What threads do to each other and to memory at once."""

    def barrier(self, stmt: n.Barrier) -> None:
        if stmt.scope == "cluster":
            raise refuse("thread block clusters have no counterpart", stmt.span or self.span)
        if stmt.reduce is not None and stmt.predicate is not None and stmt.target is not None:
            predicate = self.truth(stmt.predicate)
            self.emit(flat.Sync("block"))
            var = self.fresh(stmt.target.name, I32)
            self.emit(flat.Collect(var, stmt.reduce, predicate))
            self.emit(flat.Sync("block"))
            self.assign(stmt.target, n.Read(var))
            return
        self.emit(flat.Sync("grid" if stmt.scope == "grid" else "block"))

    def width(self, width: n.Expr | None) -> int:
        if width is None:
            return 32
        number = fold.as_int(self.scalar(width))
        if number is None or number not in (1, 2, 4, 8, 16, 32):
            raise refuse("the width of a warp operation is not a constant power of two", self.span)
        return number

    def shuffle(
        self, target: n.Var, mode: str, value: Value, lane: n.Expr, width: n.Expr | None
    ) -> None:
        lanes = self.width(width)
        lane = fold.cast(lane, I32)
        if isinstance(value, Agg):
            moved: list[tuple[int, Value]] = []
            for offset, leaf in value.leaves:
                if isinstance(leaf, Compound):
                    raise refuse("a shuffle of pointers", self.span)
                var = self.fresh(target.name, scalar_type(leaf.type))
                self.emit(flat.Exchange(var, mode, leaf, lane, lanes))  # type: ignore[arg-type]
                moved.append((offset, n.Read(var)))
            self.assign(target, Agg(tuple(moved)))
            return
        if isinstance(value, Compound):
            raise refuse("a shuffle of pointers", self.span)
        var = self.fresh(target.name, scalar_type(value.type))
        self.emit(flat.Exchange(var, mode, value, lane, lanes))  # type: ignore[arg-type]
        self.assign(target, n.Read(var))

    def match_lanes(
        self,
        target: n.Var,
        mode: str,
        value: n.Expr,
        predicate_target: n.Var | None,
        width: n.Expr | None,
    ) -> None:
        """`__match_any/all`, by comparing with each lane of the group in turn."""
        lanes = self.width(width)
        kept = self.fresh("value", scalar_type(value.type))
        self.emit(flat.Set(kept, value, declare=True))
        active = self.fresh("active", U32)
        self.emit(flat.Ballot(active, "active", None, lanes))
        same: n.Expr = fold.constant(0, U32)
        bits = U32
        for lane in range(lanes):
            other = self.fresh("other", kept.type)  # type: ignore[arg-type]
            self.emit(flat.Exchange(other, "idx", n.Read(kept), fold.constant(lane, I32), lanes))
            bit = fold.constant(1 << lane, bits)
            equal = fold.binary("==", n.Read(other), n.Read(kept))
            same = fold.binary("|", same, n.Select(equal, bit, fold.constant(0, bits)))
        found = self.fresh("matches", U32)
        self.emit(flat.Set(found, fold.binary("&", same, n.Read(active)), declare=True))
        if mode == "any":
            self.assign(target, n.Read(found))
            return
        everyone = fold.binary("==", n.Read(found), n.Read(active))
        zero = fold.constant(0, U32)
        self.assign(target, n.Select(everyone, n.Read(active), zero))
        if predicate_target is not None:
            self.assign(predicate_target, fold.cast(everyone, I32))

    def atomic(self, stmt: n.Atomic) -> None:
        pointer = self.place(stmt.place)
        kind = stmt.place.type
        if not isinstance(kind, Scalar):
            raise refuse(f"an atomic on {kind}", stmt.span or self.span)
        if isinstance(pointer.root, Local):
            raise refuse("an atomic on a local variable", stmt.span or self.span)
        operands = tuple(self.scalar(o) for o in stmt.operands)
        var = self.fresh(stmt.target.name, kind) if stmt.target is not None else None
        if isinstance(pointer.root, Choice):
            if var is not None:
                self.emit(flat.Set(var, None, declare=True))
            for test, root in self.each_root(pointer.root):
                old = self.fresh(var.name, kind) if var is not None else None
                with self.collecting() as body:
                    self.update(stmt.op, old, self.ref(replace(pointer, root=root), kind), operands)
                    if var is not None and old is not None:
                        self.emit(flat.Set(var, n.Read(old)))
                self.emit(flat.Branch(test, body))
        else:
            self.update(stmt.op, var, self.ref(pointer, kind), operands)
        if stmt.target is not None and var is not None:
            self.assign(stmt.target, n.Read(var))

    def update(
        self, op: n.AtomicOp, var: n.Var | None, ref: flat.Ref, operands: tuple[n.Expr, ...]
    ) -> None:
        """An atomic on one root."""
        if op == "load" and var is not None:
            self.emit(flat.Load(var, ref, volatile=True))
        elif op == "store":
            self.emit(flat.Store(ref, operands[0], volatile=True))
        else:
            self.emit(flat.AtomicUpdate(var, op, ref, operands))

    def effect(self, stmt: n.Effect) -> None:
        if stmt.name in IGNORED_EFFECTS:
            return
        if stmt.name in ("cp_async", "memcpy", "memmove"):
            self.copy_bytes(stmt)
            return
        if stmt.name == "bar_sync":
            if fold.as_int(self.scalar(stmt.args[1])) != 0:
                raise refuse("a named barrier for part of a block", stmt.span or self.span)
            self.emit(flat.Sync("block"))
            return
        if stmt.name.startswith("surf"):
            self.surface(stmt)
            return
        if not self.matrix_effect(stmt):
            raise refuse(f"{stmt.name} has no counterpart", stmt.span or self.span)

    def copy_bytes(self, stmt: n.Effect) -> None:
        target, source = self.value(stmt.args[0]), self.value(stmt.args[1])
        size = fold.as_int(self.scalar(stmt.args[2]))
        zeroed = fold.as_int(self.scalar(stmt.args[3])) if len(stmt.args) > 3 else 0
        if not isinstance(target, Ptr) or not isinstance(source, Ptr) or size is None or zeroed:
            raise refuse(f"{stmt.name} of a size that is not constant", stmt.span or self.span)
        if size > 256:
            raise refuse(f"{stmt.name} of {size} bytes by one thread", stmt.span or self.span)
        step = self.copy_step(target, source, size)
        moved = [
            self.read_pointer(replace(source, const=source.const + at), step, False)
            for at in range(0, size, step.size)
        ]
        for at, value in zip(range(0, size, step.size), moved, strict=True):
            self.write_pointer(replace(target, const=target.const + at), step, value, False)

    def copy_step(self, target: Ptr, source: Ptr, size: int) -> Scalar:
        for pointer in (source, target):
            element = pointer.root.element if isinstance(pointer.root, Root) else None
            if element is not None and size % element.size == 0 and element != U8:
                return element
        return U32 if size % 4 == 0 else U8
