"""PTX `mma.sync` and `ldmatrix`; which lane holds which element says ir/fragments.py.

As in wmma.py, products and sums are exact or in float64 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.fragments import Mma, ldmatrix_of, mma_of, places
from crossport.ir.interpreter.kinds import kind_named
from crossport.ir.interpreter.masks import Mask
from crossport.ir.interpreter.pointers import load, store
from crossport.ir.interpreter.wmma import multiply_add
from crossport.ir.types import Pointer, Type

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

_U16, _U32 = kind_named("u16"), kind_named("u32")


def find(name: str, types: tuple[Type, ...]) -> Callable[..., Any] | None:
    """The meaning of `ptx::...`, or None."""
    pointers = sum(isinstance(t, Pointer) for t in types)
    text = name.removeprefix("ptx::")
    mma = mma_of(text)
    if mma is not None:
        return lambda rt, mask, site, *args: _multiply(
            rt, mask, site, args[:pointers], args[pointers:], mma
        )
    loaded = ldmatrix_of(text)
    if loaded is not None:
        count, transposed = loaded
        return lambda rt, mask, site, *args: _ldmatrix(
            rt, mask, site, args[:count], args[count], count, transposed
        )
    return None


def _registers(rt: Runtime, values: tuple[Any, ...]) -> NDArray[np.uint32]:
    """(warps, lane, register)."""
    whole = [np.broadcast_to(np.asarray(v).astype(np.uint32), rt.lanes) for v in values]
    return np.ascontiguousarray(np.stack(whole, -1).reshape(-1, 32, len(values)))


def _elements(bits: NDArray[np.uint32], kind: str) -> NDArray[Any]:
    """(warps, lane, register, element) as float64 or int64."""
    if kind == "tf32":
        rounded = bits & np.uint32(0xFFFFE000)
        return rounded.view(np.float32).astype(np.float64)[..., None]
    if kind == "f32":
        return bits.view(np.float32).astype(np.float64)[..., None]
    if kind == "s32":
        return bits.view(np.int32).astype(np.int64)[..., None]
    size = 8 if kind in ("s8", "u8") else 16
    shifts = np.arange(0, 32, size, dtype=np.uint32)
    parts = bits[..., None] >> shifts
    if kind == "s8":
        return parts.astype(np.uint8).view(np.int8).astype(np.int64)
    if kind == "u8":
        return parts.astype(np.uint8).astype(np.int64)
    if kind == "f16":
        return parts.astype(np.uint16).view(np.float16).astype(np.float64)
    wide = parts.astype(np.uint16).astype(np.uint32) << np.uint32(16)
    return wide.view(np.float32).astype(np.float64)


def _tile(bits: NDArray[np.uint32], kind: str, which: str, shape: tuple[int, int]) -> NDArray[Any]:
    values = _elements(bits, kind)
    rows, columns = places(values.shape[2], values.shape[3], which)
    tile = np.zeros((len(values), *shape), values.dtype)
    tile[:, rows, columns] = values
    return tile


def _multiply(
    rt: Runtime, mask: Mask, site: int, targets: tuple[Any, ...], values: tuple[Any, ...], mma: Mma
) -> None:
    out, k = mma.out, mma.k
    count_a, count_b, _ = mma.registers
    bits = _registers(rt, values)
    first = _tile(bits[:, :, :count_a], mma.a, "a", (16, k))
    second = _tile(bits[:, :, count_a : count_a + count_b], mma.b, "b", (k, 8))
    addend = _tile(bits[:, :, count_a + count_b :], out, "c", (16, 8))
    total = multiply_add(first, second, addend, rt.code.unit.single_sums)
    each = 2 if out == "f16" else 1
    rows, columns = places(len(targets), each, "c")
    found = total[:, rows, columns]
    if out == "f16":
        halves = found.astype(np.float16).view(np.uint16).astype(np.uint32)
        words = halves[..., 0] | halves[..., 1] << np.uint32(16)
    elif out == "f32":
        words = found[..., 0].astype(np.float32).view(np.uint32)
    else:
        whole = found[..., 0].clip(-(2**31), 2**31 - 1) if mma.saturates else found[..., 0]
        words = whole.astype(np.int32).view(np.uint32)
    for i, target in enumerate(targets):
        store(rt, mask, target, 0, words[:, :, i].reshape(-1), _U32, site)


def _ldmatrix(
    rt: Runtime, mask: Mask, site: int, targets: tuple[Any, ...], address: Any, count: int,
    transposed: bool,
) -> None:  # fmt: skip
    """Lane 8*m + i gives the address of row i of matrix m; lane l gets row l / 4 (or column)."""
    pointer = np.broadcast_to(np.asarray(address), rt.lanes)
    lane = rt.lane_in_warp
    for m, target in enumerate(targets[:count]):
        parts = []
        for i in range(2):
            if transposed:
                row, column = (lane % 4) * 2 + i, lane // 4
            else:
                row, column = lane // 4, (lane % 4) * 2 + i
            source = pointer[rt.warp_base + 8 * m + row]
            parts.append(load(rt, mask, source, column, _U16, site).astype(np.uint32))
        store(rt, mask, target, 0, parts[0] | parts[1] << np.uint32(16), _U32, site)
