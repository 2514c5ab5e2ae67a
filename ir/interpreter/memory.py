"""Memory objects: where they lie, and how all lanes read and write them at once.

    address = (object id << 40) + 2**39 + byte offset

An object is one global array, one `__shared__` variable (an instance a block) or one local variable
(an instance a lane). Since a pointer names its object, arithmetic on it is plain integer addition,
it survives casts and a stay in memory, and leaving the object is seen exactly, by 2**39 bytes to
either side. Where several lanes write one address, the highest lane wins, as if lanes stored in
ascending order.

In oracle mode an object keeps, beside its bytes, the float64 number last stored at each float
(`_shadow`). A load takes it if it still rounds to the bytes there; bytes written in any other way
(as an integer, through a union) count as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

ID_SHIFT = 40
HALF = 1 << 39
OFFSET_MASK = (1 << ID_SHIFT) - 1

Space = Literal["global", "constant", "shared", "local"]


class MemoryObject:
    """One object with `instances` copies of `size` bytes, `stride` bytes apart."""

    __slots__ = (
        "_flat_base", "_shadow", "_views", "address", "buffer", "id", "initialised", "instances",
        "is_free", "name", "of_lane", "runtime", "size", "space", "stride",
    )  # fmt: skip

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        space: Space,
        buffer: NDArray[np.uint8],
        size: int,
        instances: int = 1,
        of_lane: NDArray[np.int64] | None = None,
    ) -> None:
        self.runtime = runtime
        self.name = name
        self.space: Space = space
        self.buffer = buffer
        self.size = size
        self.instances = instances
        self.stride = len(buffer) // instances if instances > 1 else len(buffer)
        # Which instance each lane sees; None where there is just one.
        self.of_lane = of_lane if instances > 1 else None
        self.is_free = False
        self.initialised: NDArray[np.bool_] | None = None
        self.id = runtime.new_id()
        self.address = np.int64((self.id << ID_SHIFT) + HALF)
        self._views: dict[Kind, NDArray[Any]] = {}
        self._flat_base: dict[int, NDArray[np.int64]] = {}
        self._shadow: dict[str, NDArray[np.float64]] = {}

    # --- places

    def view(self, kind: Kind) -> NDArray[Any]:
        """The whole buffer as numbers of one kind."""
        found = self._views.get(kind)
        if found is None:
            usable = len(self.buffer) // kind.size * kind.size
            found = self._views[kind] = self.buffer[:usable].view(kind.memory)
        return found

    def flat(self, j: Any, kind: Kind) -> Any:
        """Element numbers within each lane's instance -> element numbers in `view(kind)`."""
        if self.of_lane is None:
            return j
        base = self._flat_base.get(kind.size)
        if base is None:
            base = self._flat_base[kind.size] = self.of_lane * (self.stride // kind.size)
        return base + j

    def shadow(self, kind: Kind) -> NDArray[np.float64]:
        """What the oracle stored, one number an element of `view(kind)`."""
        found = self._shadow.get(kind.name)
        if found is None:
            found = self._shadow[kind.name] = kind.decode(self.view(kind)).astype(np.float64)
        return found

    def _inside(self, mask: Mask, j: Any, kind: Kind, site: int, what: str) -> tuple[Mask, Any]:
        """The lanes whose element exists, and indices that are safe in every lane."""
        count = self.size // kind.size if not self.is_free else 0
        if type(j) is not ndarray:
            if 0 <= j < count:
                return mask, j
            self.runtime.out_of_bounds(self, mask, j, kind, site, what)
            return None, 0
        # As unsigned numbers, negative indices are huge.
        outside = j.view(np.uint64) >= count
        wrong = outside if mask is True else outside & mask
        if wrong.any():
            self.runtime.out_of_bounds(self, wrong, j, kind, site, what)
            mask = ~outside if mask is True else mask & ~outside
            if not mask.any():
                mask = None
        return mask, np.where(outside, 0, j)

    # --- access

    def load(self, mask: Mask, j: Any, kind: Kind, site: int) -> Any:
        """Element `j` of each lane; 0 in lanes that do not take part and lie outside."""
        if type(j) is ndarray:
            if self.is_free or (j.size and j.view(np.uint64).max() >= self.size // kind.size):
                mask, j = self._inside(mask, j, kind, site, "read")
                if self.size < kind.size:
                    return np.zeros(len(j), kind.register)
        elif not 0 <= j < self.size // kind.size or self.is_free:
            mask, j = self._inside(mask, j, kind, site, "read")
            return kind.zero
        watch = self.runtime.watch
        if watch is not None and mask is not None:
            watch.read(self, mask, j, kind, site)
        view = self.view(kind)
        if self.of_lane is None and type(j) is not ndarray:
            raw = view[j]
            at = j
        elif type(j) is not ndarray:
            # One element of each instance: a column, spread over the lanes that see it.
            rows = view.reshape(self.instances, -1)[:, j]
            raw = rows.copy() if self.space == "local" else rows[self.of_lane]
            at = None
        else:
            at = self.flat(j, kind)
            raw = view.take(at, mode="clip")
        if kind.oracle:
            return self._oracle_load(raw, at if at is not None else self.flat(j, kind), kind)
        if kind.name in ("bool", "bf16"):
            return kind.decode(raw)
        return raw

    def _oracle_load(self, raw: Any, at: Any, kind: Kind) -> Any:
        exact = self.shadow(kind)[at]
        bits = np.uint16 if kind.size == 2 else np.uint32 if kind.size == 4 else np.uint64
        same = kind.encode(exact).view(bits) == raw.view(bits)
        if type(same) is not ndarray:
            return exact if same else kind.decode(raw)
        return exact if same.all() else np.where(same, exact, kind.decode(raw))

    def store(self, mask: Mask, j: Any, value: Any, kind: Kind, site: int) -> None:
        """Element `j` of each lane becomes `value`."""
        if mask is None:
            return
        if type(j) is ndarray:
            if self.is_free or (j.size and j.view(np.uint64).max() >= self.size // kind.size):
                mask, j = self._inside(mask, j, kind, site, "write")
        elif not 0 <= j < self.size // kind.size or self.is_free:
            mask, j = self._inside(mask, j, kind, site, "write")
        if mask is None:
            return
        if self.space == "constant":
            self.runtime.fault("out-of-bounds", site, mask, f"write to __constant__ {self.name}")
            return
        watch = self.runtime.watch
        if watch is not None:
            watch.write(self, mask, j, value, kind, site)
        self.runtime.version += 1
        if type(j) is not ndarray and self.space == "local":
            self._store_column(mask, j, value, kind)
            return
        at = self.flat(j, kind)
        if type(at) is not ndarray:
            if type(value) is ndarray:
                # All lanes write one address: the highest one wins.
                value = value[-1] if mask is True else value[np.flatnonzero(mask)[-1]]
        elif mask is not True:
            at = at[mask]
            if type(value) is ndarray:
                value = value[mask]
        self.view(kind)[at] = kind.encode(value)
        if kind.oracle:
            self.shadow(kind)[at] = value

    def _store_column(self, mask: Mask, j: int, value: Any, kind: Kind) -> None:
        column = self.view(kind).reshape(self.instances, -1)[:, j]
        raw = kind.encode(value)
        if mask is True:
            column[:] = raw
        else:
            np.copyto(column, raw, where=mask)
        if kind.oracle:
            shadow = self.shadow(kind).reshape(self.instances, -1)[:, j]
            np.copyto(shadow, value, where=mask)

    def forget(self, mask: Mask) -> None:
        """The variable is declared again, without a value."""
        watch = self.runtime.watch
        if watch is not None:
            watch.forget(self, mask)

    # --- byte offsets, for accesses that do not fall on whole elements of the pointer's type

    def load_bytes(self, mask: Mask, offset: Any, kind: Kind, site: int) -> Any:
        """`load`, with the place given in bytes."""
        mask, j = self._aligned(mask, offset, kind, site)
        return kind.zero if mask is None else self.load(mask, j, kind, site)

    def store_bytes(self, mask: Mask, offset: Any, value: Any, kind: Kind, site: int) -> None:
        """`store`, with the place given in bytes."""
        mask, j = self._aligned(mask, offset, kind, site)
        self.store(mask, j, value, kind, site)

    def _aligned(self, mask: Mask, offset: Any, kind: Kind, site: int) -> tuple[Mask, Any]:
        size = kind.size
        rest = offset & (size - 1)
        wrong = rest != 0
        if type(wrong) is ndarray:
            if mask is not True:
                wrong = wrong & mask if mask is not None else np.zeros_like(wrong)
            if wrong.any():
                self.runtime.fault("misaligned", site, wrong, _misaligned(self, size))
                mask = ~wrong if mask is True else mask & ~wrong
                mask = mask if mask.any() else None
        elif wrong and mask is not None:
            self.runtime.fault("misaligned", site, mask, _misaligned(self, size))
            mask = None
        return mask, offset >> (size.bit_length() - 1)


def _misaligned(target: MemoryObject, size: int) -> str:
    return f"{size}-byte access to {target.name} at an address that is not a multiple of {size}"
