"""Local variables: a cell for every scalar in them, read and written at any offset."""

from __future__ import annotations

import math
from dataclasses import replace

from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.guesses import Retry
from crossport.ir.lift.flatten.pieces import joined, piece, replaced
from crossport.ir.lift.flatten.pointers import Pointers
from crossport.ir.lift.flatten.values import (
    Agg,
    Compound,
    Local,
    Ptr,
    PtrCell,
    Value,
    is_shared,
    refuse,
    scalar_type,
)
from crossport.ir.lift.layout import Leaf
from crossport.ir.types import I64, POINTER_SIZE, VOID, Handle, Pointer, Scalar, Type

MOST_CELLS = 1024
MOST_CHOICES = 32


class Variables(Pointers):
    """Cells of locals."""

    def local(self, name: str, type: Type, value: Value | None) -> Local:
        """A new local variable with a value, or uninitialised."""
        size = self.layouts.size(type)
        # A variable is known by its source name: what a retry learned must find it again.
        key = ".".join([*self.active, name])
        leaves = self.layouts.leaves(type, limit=MOST_CELLS + 1)
        if key in self.guesses.memory or len(leaves) > MOST_CELLS:
            return self.memory_local(key, name, type, value)
        cells: dict[int, n.Var | PtrCell] = {}
        local = Local(key, type, size, cells)
        steady = value is not None and name not in self.written[-1]
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        for leaf in self.apart(leaves):
            path = f"{name}_{leaf.path}" if leaf.path else name
            initial = given.get(leaf.offset)
            if initial is None and isinstance(value, Agg):
                initial = fold.constant(0, leaf.type) if isinstance(leaf.type, Scalar) else None
            kind = leaf.type
            if f"{key}@{leaf.offset}" in self.guesses.numbers:
                kind = Pointer(VOID)
            match kind:
                case Scalar():
                    var = self.fresh(path, kind)
                    cells[leaf.offset] = var
                    if steady:
                        self.steady.add(var.name)
                    if initial is not None:
                        self.check_number(initial, f"{key}@{leaf.offset}", kind)
                        initial = self.filling(self.as_number(initial), kind)
                    self.emit(flat.Set(var, initial, declare=True))
                case Pointer(element):
                    cell = self.pointer_cell(f"{key}.{leaf.path}", path, element)
                    cells[leaf.offset] = cell
                    cell.size = self.layouts.size(leaf.type)
                    if initial is None:
                        start = fold.constant(0, scalar_type(cell.var.type))
                        self.emit(flat.Set(cell.var, start, declare=True))
                    else:
                        self.emit(flat.Set(cell.var, None, declare=True))
                        self.set_pointer(cell, self.as_pointer(initial))
                case _:
                    raise refuse(f"a variable of type {leaf.type}", self.span)
        return local

    def apart(self, leaves: tuple[Leaf, ...]) -> list[Leaf]:
        """Leaves that share no byte: of a union's members, the widest."""
        kept: list[Leaf] = []
        for leaf in leaves:
            end = leaf.offset + self.layouts.size(leaf.type)
            over: list[Leaf] = []
            if any(leaf.offset < k.offset + self.layouts.size(k.type) for k in kept[-1:]):
                over = [
                    k for k in kept
                    if k.offset < end and leaf.offset < k.offset + self.layouts.size(k.type)
                ]  # fmt: skip
            if end - leaf.offset > max((self.layouts.size(k.type) for k in over), default=0):
                kept = sorted([k for k in kept if k not in over] + [leaf], key=_offset)
        return kept

    def check_number(self, value: Value, key: str, type: Type) -> None:
        """A number that is an address of shared memory needs a variable that is a pointer."""
        if is_shared(value) and type.size in (4, POINTER_SIZE):  # type: ignore[union-attr]
            raise Retry("numbers", key)

    def filling(self, value: n.Expr, type: Scalar) -> n.Expr:
        """A number as a cell of that type: a narrower one fills its first bytes."""
        if scalar_type(value.type).size < type.size:
            return replaced(fold.constant(0, type), 0, value)
        return self.as_type(value, type)

    def memory_local(self, key: str, name: str, type: Type, value: Value | None) -> Local:
        """A local array too large for variables: each thread's part of a scratch array."""
        size = self.layouts.size(type)
        root = Root(self.names.fresh(name), "local", self.layouts.natural(type), size)
        self.local_roots.append(root)
        cell = PtrCell(n.Var(root.name, I64), 1, root, True)
        if isinstance(value, Agg):
            given = dict(value.leaves)
            leaves = self.layouts.leaves(type, limit=1 << 16)
            for leaf in leaves:
                item = given.get(leaf.offset)
                if item is None and isinstance(leaf.type, Scalar):
                    item = fold.constant(0, leaf.type)
                if item is None or isinstance(item, Compound):
                    raise refuse("a large local array of pointers", self.span)
                self.write_pointer(Ptr(root, (), leaf.offset), leaf.type, item, False)
        return Local(key, type, size, {-1: cell})

    def spill(self, name: str, type: Type, value: Value) -> Local:
        """Give a parameter that was bound to a value a variable of its own."""
        local = self.local(name, type, value)
        self.scopes[-1][name] = local
        return local

    def read_local(self, local: Local, type: Type, offset: int) -> Value:
        return self.read_local_dynamic(local, Ptr(local, (), offset), type)

    def store_local(self, local: Local, type: Type, value: Value) -> None:
        memory = local.cells.get(-1)
        if isinstance(memory, PtrCell):
            self.write_pointer(Ptr(memory.root), type, value, False)
            return
        self.write_local_dynamic(local, Ptr(local), type, value)

    def choices(self, local: Local, pointer: Ptr, leaf: Leaf) -> list[tuple[n.Expr | None, int]]:
        """The cells that a leaf at this pointer may be: (condition, offset) each."""
        base = pointer.const + leaf.offset
        if not pointer.terms:
            return [(None, base)]
        if len(pointer.terms) == 1:
            expr, scale = pointer.terms[0]
            kind = scalar_type(expr.type)
            found: list[tuple[n.Expr | None, int]] = []
            for offset in self.starts(local, leaf):
                if (offset - base) % scale == 0:
                    index = (offset - base) // scale
                    if not kind.is_signed and index < 0:
                        continue
                    found.append((n.Binary("==", expr, fold.constant(index, kind)), offset))
        else:
            total = self.offset(replace(pointer, const=0), 1)
            common = 0
            for _, scale in pointer.terms:
                common = math.gcd(common, scale)
            found = [
                (n.Binary("==", total, fold.i64(offset - base)), offset)
                for offset in self.starts(local, leaf)
                if (offset - base) % common == 0
            ]
        if len(found) > MOST_CHOICES or not found:
            raise Retry("memory", local.name)
        return found

    def starts(self, local: Local, leaf: Leaf) -> list[int]:
        """Where in the variable a value of that leaf's type may begin."""
        size = self.layouts.size(leaf.type)
        found: list[int] = []
        for offset, cell in sorted(local.cells.items()):
            found += range(offset, offset + self.cell_size(cell), min(size, self.cell_size(cell)))
        return found

    def cell_size(self, cell: n.Var | PtrCell) -> int:
        return cell.size if isinstance(cell, PtrCell) else scalar_type(cell.type).size

    def cells_at(self, local: Local, offset: int, size: int) -> list[tuple[int, n.Var | PtrCell]]:
        """The cells, by offset, that hold these bytes; walks again if some have none."""
        covered = offset
        found: list[tuple[int, n.Var | PtrCell]] = []
        if offset in local.cells and self.cell_size(local.cells[offset]) == size:
            return [(offset, local.cells[offset])]
        for start, cell in sorted(local.cells.items()):
            end = start + self.cell_size(cell)
            if start <= covered < end and covered < offset + size:
                found.append((start, cell))
                covered = end
        is_split = len(found) > 1 and (found[0][0] < offset or covered > offset + size)
        if covered < offset + size or is_split or any(isinstance(c, PtrCell) for _, c in found):
            raise Retry("memory", local.name)
        return found

    def read_local_dynamic(self, local: Local, pointer: Ptr, type: Type) -> Value:
        values: list[tuple[int, Value]] = []
        for leaf in self.layouts.leaves(type, limit=MOST_CELLS):
            if any(offset == leaf.offset for offset, _ in values):
                continue
            options = self.choices(local, pointer, leaf)
            result: Value | None = None
            for condition, offset in reversed(options):
                value = self.value_at(local, offset, leaf.type)
                if result is None or condition is None:
                    result = value
                elif isinstance(value, Ptr) or isinstance(result, Ptr):
                    result = self.select_pointer(condition, value, result)
                else:
                    result = n.Select(condition, self.as_number(value), self.as_number(result))
            assert result is not None
            values.append((leaf.offset, result))
        if isinstance(type, Scalar | Pointer | Handle):
            return values[0][1]
        return Agg(tuple(values))

    def value_at(self, local: Local, offset: int, type: Type) -> Value:
        """The bytes from an offset on as a value of that type."""
        size = self.layouts.size(type)
        found = self.cells_at(local, offset, size)
        start, first = found[0]
        if len(found) == 1 and start == offset and self.cell_size(first) == size:
            return self.cell_value(first, type)
        if not isinstance(type, Scalar):
            raise Retry("memory", local.name)
        parts = [n.Read(cell) for _, cell in found if isinstance(cell, n.Var)]
        if len(parts) == 1:
            return piece(parts[0], offset - start, type)
        return joined(parts, type)

    def cell_value(self, cell: n.Var | PtrCell, type: Type) -> Value:
        if isinstance(cell, PtrCell):
            if not cell.known:
                return Ptr(None)
            value = Ptr(cell.choice or cell.root, ((n.Read(cell.var), cell.unit),))
            return value if isinstance(type, Pointer) or is_shared(value) else self.as_number(value)
        if isinstance(type, Pointer):
            return self.as_pointer(n.Read(cell))
        return self.as_type(n.Read(cell), scalar_type(type))

    def write_local_dynamic(self, local: Local, pointer: Ptr, type: Type, value: Value) -> None:
        given = dict(value.leaves) if isinstance(value, Agg) else {0: value}
        done: set[int] = set()
        pending: dict[n.Var, n.Expr] = {}
        for leaf in self.layouts.leaves(type, limit=MOST_CELLS):
            if leaf.offset in done:
                continue
            done.add(leaf.offset)
            item = given.get(leaf.offset)
            if item is None:
                if not isinstance(leaf.type, Scalar):
                    continue
                item = fold.constant(0, leaf.type)
            for condition, offset in self.choices(local, pointer, leaf):
                self.write_at(local, offset, leaf.type, item, condition, pending)
        self.set_together(list(pending.items()))

    def write_at(
        self, local: Local, offset: int, type: Type, item: Value, condition: n.Expr | None,
        pending: dict[n.Var, n.Expr],
    ) -> None:  # fmt: skip
        """Note in `pending` what cells become where a value goes to the bytes from an offset on."""
        size = self.layouts.size(type)
        for start, cell in self.cells_at(local, offset, size):
            if isinstance(cell, PtrCell):
                if condition is not None:
                    raise refuse("an array of pointers with a variable index", self.span)
                self.set_pointer(cell, self.as_pointer(item))
                continue
            kind = scalar_type(cell.type)
            self.check_number(item, f"{local.name}@{start}", kind)
            now = pending.get(cell, n.Read(cell))
            new = self.as_number(item)
            if isinstance(type, Scalar) and kind.size < size:
                new = piece(self.as_type(new, type), start - offset, kind)
            elif isinstance(type, Scalar) and kind.size > size:
                new = replaced(now, offset - start, self.as_type(new, type))
            else:
                new = self.as_type(new, kind)
            pending[cell] = n.Select(condition, new, now) if condition is not None else new

    def set_together(self, pending: list[tuple[n.Var, n.Expr]]) -> None:
        """Assign all at once: a struct assignment may read what it writes (`p = {p.y, p.x}`)."""
        written: set[str] = set()
        staged: list[tuple[n.Var, n.Expr]] = []
        for var, value in pending:
            if any(isinstance(x, n.Var) and x.name in written for x in n.walk(value)):
                staged = []
                for target, item in pending:
                    kept = self.fresh(target.name + "_new", scalar_type(target.type))
                    self.emit(flat.Set(kept, item, declare=True))
                    staged.append((target, n.Read(kept)))
                pending = staged
                break
            written.add(var.name)
        for var, value in pending:
            if value != n.Read(var):
                self.emit(flat.Set(var, value))


def _offset(leaf: Leaf) -> int:
    return leaf.offset
