"""Memory for all threads of a grid: places in flat arrays, loads, stores, atomics.

    if (i < n) y[i] = 2 * x[i]    ->    x_value = x[i]
                                        y = y.at[jnp.where(mask_1, i, y.size)].set(..., mode="drop")

Arrays are values that stores replace. Shared memory is one flat array for all blocks.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import jnp_type, narrow_index
from crossport.backends.pallas.grid_base import GridBase, stored
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Ref
from crossport.ir.lift.flatten import refuse
from crossport.ir.types import BOOL


class GridMemory(GridBase):
    """Loads, stores and atomic updates."""

    def place(self, ref: Ref) -> tuple[str, str, bool]:
        """(array expression, index, is bytes): where a reference is in its flat array."""
        root, kind = ref.root, stored(ref.type)
        if root.space == "address":
            raise refuse("an address that is not in any one array has no JAX form", None)
        self.e.see(kind)
        in_bytes = not ref.is_whole
        unit = 1 if in_bytes else kind.size
        index = self.e(narrow_index(ref.index))
        base = ""
        if root.space == "shared":
            size = str(root.size // unit)
            if root.name == "dynamic_shared":
                element = stored(root.element).size
                size = f"(shared_bytes // {element} * {element} // {unit})"
            base = f"row * {size}"
        elif root.space == "local":
            base = f"(row * shape[1] + lane) * {root.size // unit}"
        if base:
            index = base if index == "0" else f"{base} + {self.e.tight(narrow_index(ref.index), 5)}"
        if in_bytes:
            return root.name, index, True
        if stored(root.element) == kind:
            return root.name, index, False
        return f"{self.e.use('_view')}({root.name}, {jnp_type(kind)})", index, False

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        array, index, in_bytes = self.place(ref)
        if in_bytes:
            kind = jnp_type(stored(ref.type))
            text = f"{self.e.use('_load_bytes')}({array}, jnp.asarray({index}), {kind})"
        else:
            text = f"{array}[{index}]"
        if ref.type == BOOL:
            text = f"{text} != 0"
        if self.in_head and var.name in self.facts.varying:
            text = f"jnp.broadcast_to({text}, shape)"
        self.put(var.name, text)

    def store(self, statement: flat.Store) -> None:
        ref, value = statement.ref, statement.value
        array, index, in_bytes = self.place(ref)
        root = ref.root.name
        text = self.e(value) if ref.type != BOOL else f"{self.e.array(value)}.astype(jnp.uint8)"
        if in_bytes:
            typed = f"jnp.asarray({text}, {jnp_type(stored(ref.type))})"
            call = (
                f"{self.e.use('_store_bytes')}({array}, jnp.asarray({index}), {typed}, {self.mask})"
            )
            self.put(root, call)
            return
        if array == root:
            at = f"jnp.where({self.mask}, {index}, {root}.size)"
            self.put(root, f'{root}.at[{at}].set({text}, mode="drop")')
            return
        view = self.names.fresh(f"{root}_view")
        self.line(f"{view} = {array}")
        at = f"jnp.where({self.mask}, {index}, {view}.size)"
        changed = f'{view}.at[{at}].set({text}, mode="drop")'
        self.put(root, f"{self.e.use('_unview')}({changed}, {root})")

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        array, index, in_bytes = self.place(ref)
        if in_bytes or kind == BOOL:
            raise refuse(f"an atomic on {kind} at a byte offset has no JAX form", None)
        root = ref.root.name
        values = [self.e.typed(o) for o in statement.operands]
        target = root
        if array != root:
            target = self.names.fresh(f"{root}_view")
            self.line(f"{target} = {array}")
        simple = {"add": "add", "sub": "add", "min": "min", "max": "max"}.get(op)
        if statement.var is None and simple is not None:
            value = values[0]
            if op == "sub":
                value = f"-({value})"
            at = f"jnp.where({self.mask}, {index}, {target}.size)"
            result = f'{target}.at[{at}].{simple}({value}, mode="drop")'
            self.store_back(root, target, result)
            return
        update = {
            "add": "lambda old, v: old + v",
            "sub": "lambda old, v: old - v",
            "min": "lambda old, v: jnp.minimum(old, v)",
            "max": "lambda old, v: jnp.maximum(old, v)",
            "and": "lambda old, v: old & v",
            "or": "lambda old, v: old | v",
            "xor": "lambda old, v: old ^ v",
            "exch": "lambda old, v: v",
            "inc": "lambda old, v: jnp.where(old >= v, 0, old + 1).astype(old.dtype)",
            "dec": "lambda old, v: jnp.where((old == 0) | (old > v), v, old - 1)",
            "cas": "lambda old, compare, v: jnp.where(old == compare, v, old)",
        }[op]
        old = statement.var.name if statement.var is not None else "_"
        arguments = ", ".join([target, index, self.mask, update, *values])
        call = f"{self.e.use('_atomic')}({arguments})"
        result = self.names.fresh("updated")
        self.line(f"{result}, {old} = {call}")
        if old != "_":
            self.known.setdefault(old, None)
            for record in self.assigned:
                record.setdefault(old, None)
        self.store_back(root, target, result)

    def store_back(self, root: str, target: str, result: str) -> None:
        if target == root:
            self.put(root, result)
        else:
            self.put(root, f"{self.e.use('_unview')}({result}, {root})")
