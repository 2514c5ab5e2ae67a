"""What lanes give each other: shuffles, votes, reductions, scans, matrix products."""

from __future__ import annotations

from crossport.backends.triton.expressions import literal, tl_type
from crossport.backends.triton.simt.matrices import Matrices
from crossport.ir.lift import flat
from crossport.ir.lift.flatten import refuse
from crossport.ir.nodes import Select
from crossport.ir.tile.summary import neutral
from crossport.ir.types import BF16, BOOL, F32, I32, Scalar

_REDUCERS: dict[str, tuple[str, str]] = {
    "+": ("tl.sum", "_add"),
    "*": ("", "_multiply"),
    "&": ("", "_and"),
    "|": ("", "_or"),
    "^": ("tl.xor_sum", "_xor"),
}
for _op in ("min", "fmin", "fminf", "__hmin"):
    _REDUCERS[_op] = ("tl.min", "_smaller")
for _op in ("max", "fmax", "fmaxf", "__hmax"):
    _REDUCERS[_op] = ("tl.max", "_larger")


class BetweenLanes(Matrices):
    """Statements whose result in one lane comes from others."""

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        counted = f"tl.sum(({self.mask} & {test}).to(tl.int32), axis=0)"
        name = statement.var.name
        if statement.mode == "count":
            self.line(f"{name} = {counted}")
        elif statement.mode == "or":
            self.line(f"{name} = ({counted} != 0).to(tl.int32)")
        else:
            missing = f"tl.sum(({self.mask} & (({test}) == 0)).to(tl.int32), axis=0)"
            self.line(f"{name} = ({missing} == 0).to(tl.int32)")

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.line(f"{name} = {self.e.typed(statement.value)}")
            return
        lane = self.e.tight(statement.lane, 5)
        position = f"lane % {width}"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {lane}",
            "xor": f"({position}) ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        value = self.e(statement.value)
        # Booleans and halves travel as what every target can gather.
        if kind == BOOL:
            value = f"{self.e.method(statement.value)}.to(tl.int32)"
        chosen = f"{self.e.use('_source')}(lane, {source}, {width})"
        text = f"tl.gather({value}, {chosen}, 0)"
        self.line(f"{name} = {text} != 0" if kind == BOOL else f"{name} = {text}")

    def ballot(self, statement: flat.Ballot) -> None:
        name, width, mode = statement.var.name, statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        if mode in ("ballot", "active"):
            self.line(f"{name} = {self.e.use('_ballot')}({test}, LANES, {width})")
        elif mode == "any":
            self.line(f"{name} = {self.e.use('_group_any')}({test}, LANES, {width})")
        elif mode == "all":
            assert statement.predicate is not None
            miss = f"{self.mask} & ({self.e.tight(statement.predicate, 1)} == 0)"
            self.line(f"{name} = 1 - {self.e.use('_group_any')}({miss}, LANES, {width})")
        else:
            raise refuse("__uni_sync has no Triton form", None)
        kind = statement.var.type
        if kind not in (I32,) and mode in ("any", "all"):
            self.line(f"{name} = {name}.to({tl_type(kind)})")
        if kind == I32 and mode in ("ballot", "active"):
            self.line(f"{name} = {name}.to(tl.int32)")

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        name, width = statement.var.name, statement.width
        source = self.lanes(statement.source)
        if not (
            isinstance(statement.source, Select)
            and statement.source.otherwise == neutral(statement.op, kind)
            and not (self.batched and self.extents.is_narrow(statement.source))
        ) or self.facts.is_uniform(statement.source):
            source = f"tl.where(active, {source}, {self.e.typed(neutral(statement.op, kind))})"
        function, helper = _REDUCERS[statement.op]
        if kind == BF16 and statement.scan is None and width == 0:
            # Triton's CPU interpreter would add up the bits.
            source = f"({source}).to(tl.float32)"
        axis, keep = (1, ", keep_dims=True") if self.batched else (0, "")
        if statement.scan is None and width == 0:
            if function:
                text = f"{function}({source}, axis={axis}{keep})"
            else:
                text = f"tl.reduce({source}, {axis}, {self.e.use(helper)}{keep})"
            # Small integers are summed in 32 bits.
            if kind.size < 4 and function:
                text = f"{text}.to({tl_type(kind)})"
            self.line(f"{name} = {text}")
            return
        combine = self.e.use(helper)
        if statement.scan is None:
            grouped = f"{self.e.use('_group')}({source}, {width})"
            reduced = f"tl.reduce({grouped}, 1, {combine})"
            self.line(f"{name} = {self.e.use('_spread')}({reduced}, LANES, {width})")
            return
        if width:
            grouped = f"{self.e.use('_group')}({source}, {width})"
            scanned = f"tl.reshape(tl.associative_scan({grouped}, 1, {combine}), [LANES])"
        else:
            scanned = f"tl.associative_scan({source}, {axis}, {combine})"
        if statement.scan == "inclusive":
            self.line(f"{name} = {scanned}")
            return
        if statement.op == "+" and kind.is_integer and kind.size >= 4:
            self.line(f"{name} = {scanned} - {self.lanes(statement.source)}")
            return
        first = f"lane % {width} == 0" if width else "lane == 0"
        unit = self.e.typed(neutral(statement.op, kind))
        self.line(f"{name} = {scanned}")
        at = f"tl.maximum(lane - 1, 0){' + zero' if self.batched else ''}"
        self.line(f"{name} = tl.gather({name}, {at}, {axis})")
        self.line(f"{name} = tl.where({first}, {unit}, {name})")

    def lane_dot(self, statement: flat.LaneDot) -> None:
        rows, inner, columns = statement.rows, statement.inner, statement.columns
        a = self.lanes(statement.a)
        b = self.lanes(statement.b)
        a_shape = f"[{inner}, {rows}]" if statement.a_columns else f"[{rows}, {inner}]"
        b_shape = f"[{columns}, {inner}]" if statement.b_columns else f"[{inner}, {columns}]"
        left = f"tl.reshape({a}, {a_shape})"
        right = f"tl.reshape({b}, {b_shape})"
        if statement.a_columns:
            left = f"tl.trans({left})"
        if statement.b_columns:
            right = f"tl.trans({right})"
        name = statement.var.name
        if statement.var.type == F32 and min(rows, inner, columns) >= 16:
            text = f'tl.dot({left}, {right}, input_precision="ieee")'
        else:
            text = f"tl.sum({left}[:, :, None] * {right}[None, :, :], axis=1)"
        self.line(f"{name} = tl.reshape({text}, [LANES])")

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        width, name = statement.width, statement.var.name
        value = self.lanes(statement.value)
        neutral = _neutral(statement.op, kind)
        value = f"tl.where({self.mask}, {value}, {neutral})"
        function = {
            "add": "_add", "min": "_smaller", "max": "_larger", "and": "_and", "or": "_or",
            "xor": "_xor",
        }[statement.op]  # fmt: skip
        grouped = f"{self.e.use('_group')}({value}, {width})"
        self.e.use(function)
        if statement.scan is None:
            reduced = f"tl.reduce({grouped}, 1, {function})"
            self.line(f"{name} = {self.e.use('_spread')}({reduced}, LANES, {width})")
            return
        scanned = f"tl.reshape(tl.associative_scan({grouped}, 1, {function}), [LANES])"
        if statement.scan == "inclusive":
            self.line(f"{name} = {scanned}")
            return
        shifted = (
            f"tl.gather({scanned}, {self.e.use('_source')}(lane, lane % {width} - 1, {width}), 0)"
        )
        self.line(f"{name} = tl.where(lane % {width} == 0, {neutral}, {shifted})")


def _neutral(op: str, kind: Scalar) -> str:
    bits = 8 * kind.size
    if op in ("add", "or", "xor"):
        number: int | float = 0
    elif op == "and":
        number = -1 if kind.is_signed else (1 << bits) - 1
    elif kind.is_float:
        number = float("inf") if op == "min" else float("-inf")
    elif kind.is_signed:
        number = (1 << (bits - 1)) - 1 if op == "min" else -(1 << (bits - 1))
    else:
        number = (1 << bits) - 1 if op == "min" else 0
    return f"tl.full((), {literal(number)}, {tl_type(kind)})"
