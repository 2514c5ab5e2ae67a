"""What threads of a block tell each other: shuffles, votes, reductions and scans along a row."""

from __future__ import annotations

from crossport.backends.pallas.lane_base import neutral_text
from crossport.backends.pallas.lane_loops import LaneLoops
from crossport.backends.pallas.mosaic import NotTiled, held
from crossport.backends.pallas.wide import is_wide
from crossport.ir.lift import flat
from crossport.ir.nodes import Expr
from crossport.ir.types import BOOL, F32, I32, Scalar

_FUNCTIONS = {
    "add": "jnp.add", "+": "jnp.add", "*": "jnp.multiply", "min": "jnp.minimum",
    "max": "jnp.maximum", "fminf": "jnp.fmin", "fmaxf": "jnp.fmax", "and": "jnp.bitwise_and",
    "&": "jnp.bitwise_and", "or": "jnp.bitwise_or", "|": "jnp.bitwise_or",
    "xor": "jnp.bitwise_xor", "^": "jnp.bitwise_xor",
}  # fmt: skip


class LaneExchange(LaneLoops):
    """Statements between lanes."""

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.LaneGather():
                self.lane_gather(statement)
            case flat.LaneDot():
                self.lane_dot(statement)
            case flat.WarpDot():
                raise NotTiled("its warps multiply matrices that their lanes hold")
            case _:
                super().statement(statement)

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        if statement.mode == "and":
            miss = f"({self.mask} & jnp.logical_not({test})).astype(jnp.int32)"
            text = f"1 - jnp.max({miss}, axis=1, keepdims=True)"
        else:
            function = "jnp.sum" if statement.mode == "count" else "jnp.max"
            here = f"({self.mask} & {test}).astype(jnp.int32)"
            more = ", dtype=jnp.int32" if statement.mode == "count" else ""
            text = f"{function}({here}, axis=1, keepdims=True{more})"
        self.put(statement.var.name, f"jnp.broadcast_to({text}, shape)")

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.put(name, self.e.typed(statement.value))
            return
        position = f"(lane & {width - 1})"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {self.e.tight(statement.lane, 5)}",
            "xor": f"{position} ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        if self.facts.is_uniform(statement.lane) and statement.mode == "idx":
            source = f"jnp.broadcast_to({source}, shape)"
        self.put(name, self.moved("_other_lane", statement.value, f"{source}, {width}"))

    def moved(self, helper: str, value: Expr, rest: str) -> str:
        """A call on lanes of the value; bools travel as integers."""
        if is_wide(value.type):
            raise NotTiled("threads exchange 64-bit integers")
        text = self.full(value, value.type)
        call = f"{self.e.use(helper)}"
        if value.type == BOOL:
            return f"{call}(({text}).astype(jnp.int32), {rest}) != 0"
        return f"{call}({text}, {rest})"

    def ballot(self, statement: flat.Ballot) -> None:
        width, mode = statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        vote = self.e.use("_vote")
        kind = held(statement.var.type)
        if mode in ("ballot", "active"):
            text = f"{vote}({test}, {width}).astype({kind})"
        elif mode == "any":
            text = f"({vote}({test}, {width}) != 0).astype({kind})"
        elif mode == "all" and statement.predicate is not None:
            miss = f"{self.mask} & jnp.logical_not({self.e(statement.predicate)})"
            text = f"({vote}({miss}, {width}) == 0).astype({kind})"
        else:
            raise NotTiled("__uni_sync")
        self.put(statement.var.name, text)

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        number = neutral_text(statement.op, kind)
        value = f"jnp.where({self.mask}, {self.e(statement.value)}, {number})"
        self.put(statement.var.name, self.reduced(
            value, _FUNCTIONS[statement.op], number, str(statement.width), statement.scan
        ))  # fmt: skip

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        held(kind)
        number = neutral_text(statement.op, kind)
        value = f"jnp.where(lane < threads, {self.e(statement.source)}, {number})"
        function = _FUNCTIONS.get(statement.op)
        if function is None:
            raise NotTiled(f"a reduction by {statement.op}")
        text = ""
        if not statement.width and not statement.scan and kind in (F32, I32):
            along = {"jnp.add": "sum", "jnp.minimum": "min", "jnp.maximum": "max"}.get(function)
            if along:
                more = f", dtype={held(kind)}" if along == "sum" else ""
                row = f"jnp.{along}({value}, axis=1, keepdims=True{more})"
                text = f"jnp.broadcast_to({row}, shape)"
        width = str(statement.width) if statement.width else "shape[1]"
        self.put(
            statement.var.name,
            text or self.reduced(value, function, number, width, statement.scan),
        )

    def reduced(self, value: str, function: str, number: str, width: str, scan: str | None) -> str:
        """A reduction or scan of each group of lanes."""
        if scan is None:
            return f"{self.e.use('_fold_lanes')}({value}, {function}, {width})"
        text = f"{self.e.use('_scan_lanes')}({value}, {function}, {width})"
        if scan == "inclusive":
            return text
        moved = f"{self.e.use('_take')}({text}, jnp.maximum(lane - 1, 0))"
        return f"jnp.where(lane & {width} - 1 == 0, {number}, {moved})"

    def lane_gather(self, statement: flat.LaneGather) -> None:
        at = self.full(statement.lane, I32)
        self.put(statement.var.name, self.moved("_take", statement.source, at))

    def lane_dot(self, statement: flat.LaneDot) -> None:
        s = statement
        at_x = (1, s.rows) if s.a_columns else (s.inner, 1)
        at_y = (1, s.inner) if s.b_columns else (s.columns, 1)
        x, y = self.full(s.a, s.var.type), self.full(s.b, s.var.type)
        call = f"{self.e.use('_dot_lanes')}({x}, {y}, {s.inner}, {s.columns}, {at_x}, {at_y})"
        self.put(s.var.name, call)
