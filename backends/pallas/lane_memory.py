"""Memory for lanes: gathers, scatters, the thread's own words, atomics.

    if (i < n) y[p[i]] = 2 * x[i]       p_value = _gather(p_ref, i, mask_1)
                                  ->    x_value = _gather(x_ref, i, mask_1)
                                        _scatter(y_ref, p_value, 2.0 * x_value, mask_1)

Shared memory is scratch, a part for each row (block); local arrays lie element by element, all
lanes of one side by side.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import narrow_index
from crossport.backends.pallas.grid_base import stored
from crossport.backends.pallas.lane_base import LaneBase, neutral_text, word_type
from crossport.backends.pallas.mosaic import NotTiled, held
from crossport.backends.pallas.wide import is_wide
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.nodes import Cast, Expr, Read
from crossport.ir.tile.retile import index_var
from crossport.ir.types import BOOL, U32, Scalar


class LaneMemory(LaneBase):
    """Loads, stores and atomic updates."""

    def room_of_block(self, root: Root) -> str:
        """Words that a block has of a shared array: whole rows of 128."""
        size = stored(root.element).size
        if root.name == "dynamic_shared":
            return f"(-(-shared_bytes // {128 * size}) * 128)"
        return str(-(-root.size // size // 128) * 128)

    def place_in(self, ref: Ref) -> tuple[str, bool]:
        """(index in words, is it one for all lanes)."""
        root = ref.root
        index = narrow_index(ref.index)
        uniform = self.facts.is_uniform(index)
        if root.space == "shared":
            base = f"lax.broadcasted_iota(jnp.int32, shape, 0) * {self.room_of_block(root)}"
            return (base if self.e(index) == "0" else f"{base} + {self.e.tight(index, 5)}"), False
        if root.space == "local":
            # Element by element, all lanes of one side by side.
            step = (
                f"{self.e.tight(index, 6)} * shape[0] + lax.broadcasted_iota(jnp.int32, shape, 0)"
            )
            return f"({step}) * shape[1] + lane", False
        if root.name in self.bases:
            return f"{self.e.tight(index, 5)} - {self.bases[root.name]}", uniform
        return self.e(index), uniform

    def own_place(self, root: Root) -> str:
        """What `_here` asks for: the array, and where its window starts."""
        return f"{root.name}_ref, {self.bases.get(root.name, '0')}"

    def is_own(self, ref: Ref) -> bool:
        """Is the array looked at where the thread's own number says?"""
        if self.free is None or len(self.free.axes) != 1 or is_wide(ref.type):
            return False
        inner = ref.index
        while isinstance(inner, Cast):
            inner = inner.value
        return inner == Read(index_var(self.free.axes[0])) and ref.root.space != "local"

    def lanes_of(self, text: str, uniform: bool) -> str:
        return f"jnp.broadcast_to({text}, shape)" if uniform else text

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        if self.is_own(ref):
            words = f"{self.e.use('_here')}({self.own_place(ref.root)})"
            self.put(var.name, self.from_word(words, self.storage[ref.root.name], ref.type))
            return
        index, uniform = self.place_in(ref)
        name = f"{ref.root.name}_ref"
        wide = "_wide" if is_wide(ref.type) else ""
        if uniform:
            text = f"{self.e.use('_at' + wide)}({name}, {index})"
        else:
            mask = self.mask
            if statement.guard is not None:
                mask = f"{mask} & {self.e.tight(statement.guard, 4)}"
            text = f"{self.e.use('_gather' + wide)}({name}, {index}, {mask})"
        if wide:
            lanes = uniform and var.name in self.facts.varying
            self.put(var.name, f"{self.e.use('_full_wide')}({text}, shape)" if lanes else text)
            return
        text = self.from_word(text, self.storage[ref.root.name], ref.type)
        if uniform and var.name in self.facts.varying:
            text = f"jnp.broadcast_to({text}, shape)"
        self.put(var.name, text)

    def from_word(self, text: str, storage: Scalar, kind: Scalar) -> str:
        """A word of an array as a value of the type."""
        if kind == BOOL:
            return f"{text} != 0"
        if storage.is_float != kind.is_float:
            return f"{self.e.use('_word')}({text}, {held(kind)})"
        return f"{text}.astype(jnp.uint32)" if kind == U32 else text

    def to_word(self, value: Expr, storage: Scalar, kind: Scalar) -> str:
        """Lanes of a value as words of the array."""
        text = self.full(value, kind)
        if is_wide(kind):
            return text
        if kind == BOOL:
            return f"({text}).astype(jnp.int32)"
        if storage.is_float != kind.is_float:
            return f"{self.e.use('_word')}({text}, {word_type(storage)})"
        return f"({text}).astype(jnp.int32)" if kind == U32 else text

    def store(self, statement: flat.Store) -> None:
        ref = statement.ref
        index, uniform = self.place_in(ref)
        value = self.to_word(statement.value, self.storage[ref.root.name], ref.type)
        if self.is_own(ref):
            keep = self.e.use("_keep_here")
            self.line(f"{keep}({self.own_place(ref.root)}, {value}, {self.mask})")
            return
        at = self.lanes_of(index, uniform)
        scatter = self.e.use("_scatter_wide" if is_wide(ref.type) else "_scatter")
        self.line(f"{scatter}({ref.root.name}_ref, {at}, {value}, {self.mask})")

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        storage = self.storage[ref.root.name]
        if kind == BOOL or stored(ref.root.element).size != 4:
            raise NotTiled(f"an atomic on {kind}")
        index, uniform = self.place_in(ref)
        at = self.lanes_of(index, uniform)
        name = f"{ref.root.name}_ref"
        same = storage.is_float == kind.is_float
        if statement.var is None and same and (op in ("add", "sub") or _is_ordered(op, kind)):
            value = self.to_word(statement.operands[0], storage, kind)
            if op == "sub":
                value = f"-({value})"
            reduce, combine = {
                "min": ("jnp.min", "jnp.minimum"), "max": ("jnp.max", "jnp.maximum"),
            }.get(op, ("jnp.sum", "jnp.add"))  # fmt: skip
            number = neutral_text("add" if op == "sub" else op, kind)
            call = f"{self.e.use('_combine')}({name}, {at}, {value}, {self.mask}"
            self.line(f"{call}, {reduce}, {combine}, {number})")
            return
        operands = [self.to_word(o, storage, kind) for o in statement.operands]
        call = f"{self.e.use('_update')}({name}, {at}, {self.mask}, {self.updating(op, kind, same)}"
        text = ", ".join([call, *operands]) + ")"
        if statement.var is None:
            self.line(text)
            return
        self.put(statement.var.name, self.from_word(text, storage, kind))

    def updating(self, op: str, kind: Scalar, same: bool) -> str:
        """What an atomic makes of the old word and the operand, as a Python function."""
        if not same:
            raise NotTiled("an atomic on words of another type")
        if kind == U32 and op in ("min", "max", "inc", "dec"):
            helpers = {"inc": "_count_up", "dec": "_count_down"}
            inner = self.e.use(helpers[op]) if op in helpers else f"jnp.{op}imum"
            return f"{self.e.use('_unsigned')}({inner})"
        rows = {
            "add": "jnp.add", "sub": "jnp.subtract", "min": "jnp.minimum", "max": "jnp.maximum",
            "and": "jnp.bitwise_and", "or": "jnp.bitwise_or", "xor": "jnp.bitwise_xor",
            "exch": "_second", "cas": "_swap_if",
        }  # fmt: skip
        if op not in rows:
            raise NotTiled(f"atomic {op}")
        return self.e.use(rows[op]) if rows[op].startswith("_") else rows[op]


def _is_ordered(op: str, kind: Scalar) -> bool:
    return op in ("min", "max") and kind != U32
