"""Matrices of a warp: fragments are arrays of a lane's elements, products are `WarpDot`.

    wmma::load_matrix_sync(a, p, ld)     ->    a_0 .. a_7 = p[row * ld + column] of each element
    wmma::mma_sync(c, a, b, c)           ->    c_0 .. c_7 = WarpDot(a_0 .., b_0 .., c_0 ..)
    mma.sync {d..}, {a..}, {b..}, {c..}  ->    the same, on the halves of the registers
    ldmatrix {r..}, [address]            ->    each lane asks the lane that has the row's address

Which lane holds which element says ir/fragments.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crossport.ir import fragments
from crossport.ir import nodes as n
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flat import Root
from crossport.ir.lift.flatten.pieces import joined, piece
from crossport.ir.lift.flatten.textures import Textures
from crossport.ir.lift.flatten.values import Ptr, is_shared, refuse
from crossport.ir.types import I32, U16, U32, Scalar

LANE = fold.cast(n.Special("lane_id"), I32)


class Matrices(Textures):
    """`wmma::` and `ptx::` effects on matrices."""

    def matrix_effect(self, stmt: n.Effect) -> bool:
        """Emit what the effect does; False if it is not of this kind."""
        if stmt.name.startswith("wmma::"):
            self.fragment_effect(stmt)
            return True
        mma = fragments.mma_of(stmt.name)
        loaded = fragments.ldmatrix_of(stmt.name)
        if mma is not None:
            self.multiply_registers(stmt, mma)
        elif loaded is not None:
            self.load_rows(stmt, *loaded)
        return mma is not None or loaded is not None

    # --- wmma -----------------------------------------------------------------------------------

    def fragment_effect(self, stmt: n.Effect) -> None:
        args = stmt.args
        shapes = [s for a in args if (s := fragments.shape_of(a.type)) is not None]
        if not shapes:
            raise refuse(f"{stmt.name} of a fragment that is not understood", self.span)
        shape = shapes[0]
        match stmt.name:
            case "wmma::fill_fragment":
                value = self.scalar(args[1])
                self.set_elements(args[0], shape, [value] * (shape.count // 32))
            case "wmma::load_matrix_sync" if shape.is_row_major is not None:
                self.load_fragment(args, shape, shape.is_row_major)
            case "wmma::load_matrix_sync_layout":
                self.load_fragment(args, shape, self.is_row_major(args[3]))
            case "wmma::store_matrix_sync":
                is_row_major = self.is_row_major(args[3])
                places = self.element_places(args[0], args[2], shape, is_row_major)
                for place, value in zip(places, self.elements(args[1], shape), strict=True):
                    self.write_pointer(place, shape.type, value, False)
            case "wmma::mma_sync" if len(shapes) == 4:
                self.multiply_fragments(stmt, shapes)
            case "wmma::get" if stmt.target is not None:
                at = self.element_at(args[0], self.scalar(args[1]), shape)
                self.assign(stmt.target, self.read_pointer(at, shape.type, False))
            case "wmma::set":
                at = self.element_at(args[0], self.scalar(args[1]), shape)
                self.write_pointer(at, shape.type, self.scalar(args[2]), False)
            case _:
                raise refuse(f"{stmt.name} has no counterpart", stmt.span or self.span)

    def is_row_major(self, layout: n.Expr) -> bool:
        number = fold.as_int(self.scalar(layout))
        if number is None:
            raise refuse("a matrix whose layout is decided at run time", self.span)
        return number == 0

    def element_at(self, fragment: n.Expr, index: n.Expr, shape: fragments.Shape) -> Ptr:
        size = shape.type.size
        return self.as_pointer(self.value(fragment)).plus(index, size)

    def elements(self, fragment: n.Expr, shape: fragments.Shape) -> list[n.Expr]:
        """What a lane holds of the matrix."""
        kind = shape.type
        return [
            self.as_number(
                self.read_pointer(self.element_at(fragment, fold.i64(e), shape), kind, False)
            )
            for e in range(shape.count // 32)
        ]

    def set_elements(
        self, fragment: n.Expr, shape: fragments.Shape, values: Sequence[n.Expr]
    ) -> None:
        kind = shape.type
        for e, value in enumerate(values):
            at = self.element_at(fragment, fold.i64(e), shape)
            self.write_pointer(at, kind, fold.cast(value, kind), False)

    def element_places(
        self, pointer: n.Expr, stride: n.Expr, shape: fragments.Shape, is_row_major: bool
    ) -> list[Ptr]:
        """Where in memory a lane's elements are."""
        start = self.as_pointer(self.value(pointer))
        each = shape.count // 32
        lanes_a_row = max(1, shape.columns // each)
        rows_a_lane = max(1, each // shape.columns)
        row = fold.binary("/", LANE, fold.constant(lanes_a_row, I32))
        row = fold.binary("*", row, fold.constant(rows_a_lane, I32))
        column = fold.binary("%", LANE, fold.constant(lanes_a_row, I32))
        column = fold.binary("*", column, fold.constant(each if lanes_a_row > 1 else 1, I32))
        ld = fold.cast(self.scalar(stride), I32)
        size = shape.type.size
        found: list[Ptr] = []
        for e in range(each):
            down, across = divmod(e, shape.columns)
            r = fold.binary("+", row, fold.constant(down, I32))
            line, along = (r, column) if is_row_major else (column, r)
            place = start.plus(fold.binary("*", line, ld), size).plus(along, size)
            if is_row_major:
                found.append(replace(place, const=place.const + across * size))
            else:
                found.append(place.plus(fold.binary("*", fold.constant(across, I32), ld), size))
        return found

    def load_fragment(
        self, args: Sequence[n.Expr], shape: fragments.Shape, is_row_major: bool
    ) -> None:
        kind = shape.type
        places = self.element_places(args[1], args[2], shape, is_row_major)
        if is_shared(places[0]):
            self.emit(flat.Sync("warp"))
        values = [self.as_number(self.read_pointer(p, kind, False)) for p in places]
        self.set_elements(args[0], shape, values)

    def multiply_fragments(self, stmt: n.Effect, shapes: list[fragments.Shape]) -> None:
        d, a, b, c = shapes
        kind = "tf32" if a.element == "f32" else a.element
        saturates = fold.as_int(self.scalar(stmt.args[4])) not in (None, 0)
        layouts = tuple(fragments.fragment_layout(s) for s in (a, b, c))
        values = [self.elements(x, s) for x, s in zip(stmt.args[1:4], shapes[1:], strict=False)]
        result = self.dot(values, (a.rows, a.columns, b.columns), layouts, kind, d.type, saturates)
        self.set_elements(stmt.args[0], d, result)

    def dot(
        self, values: Sequence[list[n.Expr]], shape: tuple[int, int, int],
        layouts: tuple[fragments.Layout, ...], kind: str, out: Scalar, saturates: bool,
    ) -> list[n.Expr]:  # fmt: skip
        a, b, c = values
        vars = tuple(self.fresh("product", out) for _ in c)
        c = [fold.cast(x, out) for x in c]
        self.emit(
            flat.WarpDot(
                vars, tuple(a), tuple(b), tuple(c), *shape, (layouts[0], layouts[1], layouts[2]),
                kind, saturates,
            )
        )  # fmt: skip
        return [n.Read(v) for v in vars]

    # --- PTX ------------------------------------------------------------------------------------

    def multiply_registers(self, stmt: n.Effect, mma: fragments.Mma) -> None:
        counts = mma.registers
        targets, operands = stmt.args[: counts[2]], list(stmt.args[counts[2] :])
        values: list[list[n.Expr]] = []
        for count, kind in zip(counts, (mma.a, mma.b, mma.out), strict=True):
            element = fragments.SCALARS[kind]
            registers, operands = operands[:count], operands[count:]
            values.append([
                piece(self.scalar(r), at, element)
                for r in registers
                for at in range(0, 4, element.size)
            ])  # fmt: skip
        layouts = tuple(fragments.mma_layout(mma, w) for w in ("a", "b", "c"))
        kind = mma.a if mma.a == "tf32" else fragments.SCALARS[mma.a].kind
        out = fragments.SCALARS[mma.out]
        result = self.dot(values, (16, mma.k, 8), layouts, kind, out, mma.saturates)
        each = 4 // out.size
        for i, target in enumerate(targets):
            word = joined(result[i * each : (i + 1) * each], U32)
            self.write_pointer(self.as_pointer(self.value(target)), U32, word, False)

    def load_rows(self, stmt: n.Effect, count: int, transposed: bool) -> None:
        """`ldmatrix`: lane 8 m + i knows where row i of matrix m begins."""
        start = self.as_pointer(self.value(stmt.args[count]))
        if not isinstance(start.root, Root):
            raise refuse("ldmatrix from an address that is not understood", self.span)
        element = start.root.element if start.root.element.size == 2 else U16
        size = element.size
        whole = start.const % size == 0 and all(s % size == 0 for _, s in start.terms)
        unit = size if whole else 1
        place = self.fresh("row_place", I32)
        self.emit(flat.Set(place, fold.cast(self.offset(start, unit), I32), declare=True))
        self.emit(flat.Sync("warp"))
        quarter = fold.binary("/", LANE, fold.constant(4, I32))
        pair = fold.binary(
            "*", fold.binary("%", LANE, fold.constant(4, I32)), fold.constant(2, I32)
        )
        moved: dict[n.Expr, n.Expr] = {}
        for m, target in enumerate(stmt.args[:count]):
            halves: list[n.Expr] = []
            for i in range(2):
                across = fold.binary("+", pair, fold.constant(i, I32))
                row, column = (across, quarter) if transposed else (quarter, across)
                lane = fold.binary("+", row, fold.constant(8 * m, I32))
                if lane not in moved:
                    var = self.fresh("row_start", I32)
                    self.emit(flat.Exchange(var, "idx", n.Read(place), lane, 32))
                    moved[lane] = n.Read(var)
                at = Ptr(start.root).plus(moved[lane], unit).plus(column, size)
                halves.append(self.as_number(self.read_pointer(at, element, False)))
            word = joined(halves, U32)
            self.write_pointer(self.as_pointer(self.value(target)), U32, word, False)
