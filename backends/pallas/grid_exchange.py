"""What threads of a grid tell each other: votes, shuffles, reductions of warps, along a row.

v = __shfl_xor_sync(m, x, 1)    ->    v = _shuffle(x, (lane % 32) ^ 1, 32)
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import jnp_type, literal
from crossport.backends.pallas.grid_base import GridBase
from crossport.ir.lift import flat
from crossport.ir.lift.flatten import refuse
from crossport.ir.types import Scalar


class GridExchange(GridBase):
    """Statements between lanes."""

    def collect(self, statement: flat.Collect) -> None:
        test = self.e.tight(statement.predicate, 4)
        name = statement.var.name
        if statement.mode == "count":
            text = f"({self.mask} & {test}).sum(axis=1, keepdims=True, dtype=jnp.int32)"
        elif statement.mode == "or":
            text = f"({self.mask} & {test}).any(axis=1, keepdims=True).astype(jnp.int32)"
        else:
            miss = f"{self.mask} & jnp.logical_not({test})"
            text = f"1 - ({miss}).any(axis=1, keepdims=True).astype(jnp.int32)"
        self.put(name, text)

    def exchange(self, statement: flat.Exchange) -> None:
        name, width = statement.var.name, statement.width
        if self.facts.is_uniform(statement.value):
            self.put(name, self.e.typed(statement.value))
            return
        position = f"lane % {width}"
        source = {
            "idx": f"{self.e.tight(statement.lane, 4)} & {width - 1}",
            "up": f"{position} - {self.e.tight(statement.lane, 6)}",
            "down": f"{position} + {self.e.tight(statement.lane, 5)}",
            "xor": f"({position}) ^ {self.e.tight(statement.lane, 3)}",
        }[statement.mode]
        value = self.full(statement.value, statement.var.type)
        self.put(name, f"{self.e.use('_shuffle')}({value}, {source}, {width})")

    def ballot(self, statement: flat.Ballot) -> None:
        name, width, mode = statement.var.name, statement.width, statement.mode
        test = self.mask
        if statement.predicate is not None:
            test = f"{self.mask} & {self.e.tight(statement.predicate, 4)}"
        kind = jnp_type(statement.var.type)
        if mode in ("ballot", "active"):
            text = f"{self.e.use('_ballot')}({test}, {width})"
        elif mode == "any":
            text = f"{self.e.use('_group_any')}({test}, {width})"
        elif mode == "all" and statement.predicate is not None:
            miss = f"{self.mask} & jnp.logical_not({self.e(statement.predicate)})"
            text = f"(1 - {self.e.use('_group_any')}({miss}, {width}))"
        else:
            raise refuse("__uni_sync has no JAX form", None)
        self.put(name, f"{text}.astype({kind})")

    def lane_reduce(self, statement: flat.LaneReduce) -> None:
        raise refuse("a reduction of lanes has no xla form", None)

    def group_reduce(self, statement: flat.GroupReduce) -> None:
        kind = statement.var.type
        assert isinstance(kind, Scalar)
        width = statement.width
        neutral = _neutral(statement.op, kind)
        value = f"jnp.where({self.mask}, {self.e(statement.value)}, {neutral})"
        groups = f"{self.e.use('_groups')}({value}, {width})"
        function = {
            "add": "jnp.add", "min": "jnp.minimum", "max": "jnp.maximum",
            "and": "jnp.bitwise_and", "or": "jnp.bitwise_or", "xor": "jnp.bitwise_xor",
        }[statement.op]  # fmt: skip
        if statement.scan is None:
            reduced = f"{function}.reduce({groups}, axis=2)"
            if statement.op == "add":
                reduced = f"{groups}.sum(axis=2, dtype={jnp_type(kind)})"
            self.put(statement.var.name, f"{self.e.use('_spread')}({reduced}, {width})")
            return
        scanned = f"lax.associative_scan({function}, {groups}, axis=2).reshape(shape)"
        if statement.scan == "inclusive":
            self.put(statement.var.name, scanned)
            return
        moved = f"{self.e.use('_shuffle')}({scanned}, lane % {width} - 1, {width})"
        self.put(statement.var.name, f"jnp.where(lane % {width} == 0, {neutral}, {moved})")


def _neutral(op: str, kind: Scalar) -> str:
    bits = 8 * kind.size
    number: int | float
    if op in ("add", "or", "xor"):
        number = 0
    elif op == "and":
        number = -1 if kind.is_signed else (1 << bits) - 1
    elif kind.is_float:
        number = float("inf") if op == "min" else float("-inf")
    elif kind.is_signed:
        number = (1 << (bits - 1)) - 1 if op == "min" else -(1 << (bits - 1))
    else:
        number = (1 << bits) - 1 if op == "min" else 0
    return f"{jnp_type(kind)}({literal(number)})"
