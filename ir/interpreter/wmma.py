"""Warp matrices: a fragment is a whole tile, one a warp, behind a handle.

    mma_sync(d, a, b, c)      d = a @ b + c: products and sums in float64 (int64 for integers),
                              rounded once to d's type

Tensor cores round sums in an order that NVIDIA does not state, so a GPU's result may differ in the
last bits. Which lane holds which element is not defined by CUDA; here element i of a lane is number
`lane * n + i` in row-major order. Fragments are values: each operation makes a new one, and the
variable's 8 bytes hold its number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.fragments import Shape, shape_of
from crossport.ir.interpreter.kinds import Kind, kind_named, round_bf16, round_to_odd_f32
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.pointers import load, store
from crossport.ir.types import Handle, Pointer, Scalar, Type

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

_PTR = kind_named("ptr")


def find(name: str, types: tuple[Type, ...]) -> Callable[..., Any] | None:
    """The meaning of a wmma effect, or None."""
    fragments = [
        shape_of(t) for t in types if isinstance(t, Pointer) and isinstance(t.element, Handle)
    ]
    if not fragments or any(f is None for f in fragments):
        return None
    shapes = [f for f in fragments if f is not None]
    shape = shapes[0]
    match name:
        case "wmma::fill_fragment":
            return lambda rt, mask, site, f, v: _fill(rt, mask, site, f, v, shape)
        case "wmma::load_matrix_sync" if shape.is_row_major is not None:
            return lambda rt, mask, site, f, p, ld: _load(
                rt, mask, site, f, p, ld, bool(shape.is_row_major), shape, types[1]
            )
        case "wmma::load_matrix_sync_layout":
            return lambda rt, mask, site, f, p, ld, how: _load(
                rt, mask, site, f, p, ld, int(how) == 0, shape, types[1]
            )
        case "wmma::store_matrix_sync":
            return lambda rt, mask, site, p, f, ld, how: _store(
                rt, mask, site, p, f, ld, int(how) == 0, shape
            )
        case "wmma::mma_sync" if len(shapes) == 4:
            return lambda rt, mask, site, d, a, b, c, saturate: _multiply(
                rt, mask, site, (d, a, b, c), shapes, bool(saturate)
            )
        case "wmma::get":
            return lambda rt, mask, site, f, i: _get(rt, mask, site, f, i, shape)
        case "wmma::set":
            return lambda rt, mask, site, f, i, v: _set(rt, mask, site, f, i, v, shape)
        case _:
            return None


# --- fragments as values --------------------------------------------------------------------------


def _read(rt: Runtime, mask: Mask, site: int, pointer: Any, shape: Shape) -> NDArray[Any]:
    """(warps, rows, columns) in float64 or int64."""
    number = load(rt, mask, pointer, 0, _PTR, site)
    empty = _zeros(rt, shape)
    every = lanes_of(mask, rt.lanes)
    if type(number) is not ndarray:
        return _value(rt, int(number), empty)
    used = np.unique(number[every])
    found = empty
    for each in used:
        warps = (every & (number == each)).reshape(-1, rt.width).any(1)
        found = np.where(warps[:, None, None], _value(rt, int(each), empty), found)
    return found


def _zeros(rt: Runtime, shape: Shape) -> NDArray[Any]:
    dtype = np.float64 if kind_named(shape.element).is_float else np.int64
    return np.zeros((rt.lanes // rt.width, shape.rows, shape.columns), dtype)


def _value(rt: Runtime, number: int, empty: NDArray[Any]) -> NDArray[Any]:
    found = rt.world.state.get(("fragment", number))
    return empty if found is None else found


def _write(rt: Runtime, mask: Mask, site: int, pointer: Any, value: NDArray[Any]) -> None:
    number = len(rt.world.state) + 1
    rt.world.state["fragment", number] = value
    store(rt, mask, pointer, 0, np.int64(number), _PTR, site)


def _round(value: NDArray[Any], shape: Shape, oracle: bool) -> NDArray[Any]:
    kind = kind_named(shape.element)
    if not kind.is_float or oracle:
        return value
    if kind.name == "bf16":
        return np.asarray(round_bf16(round_to_odd_f32(value))).astype(np.float64)
    return value.astype(kind.memory).astype(np.float64)


# --- operations -----------------------------------------------------------------------------------


def _fill(rt: Runtime, mask: Mask, site: int, fragment: Any, value: Any, shape: Shape) -> None:
    whole = np.broadcast_to(np.asarray(value), rt.lanes).reshape(-1, rt.width)[:, :1, None]
    _write(rt, mask, site, fragment, _zeros(rt, shape) + whole)


def _layout(rt: Runtime, is_row_major: bool, shape: Shape) -> NDArray[np.int64]:
    """Which elements, by number in row-major order, each lane moves to or from memory, in order.

    As the hardware does it: 8 lines of memory by 8 elements at a time, a pair of neighbours a lane.
    What a lane holds is for `_get` to say; a whole tile does not depend on either.
    """
    each = shape.count // rt.width
    if each * rt.width != shape.count:
        raise _refused(rt, "a tile that does not divide among the warp's lanes")
    lines, length = shape.rows, shape.columns
    if not is_row_major:
        lines, length = length, lines
    flat = np.arange(shape.count, dtype=np.int64).reshape(rt.width, each)
    if rt.width == 32 and lines % 8 == 0 and length % 8 == 0:
        # [line block, line, element block, pair, of pair] -> [line, pair][block, block, of pair]
        parts = flat.reshape(lines // 8, 8, length // 8, 4, 2)
        flat = parts.transpose(1, 3, 0, 2, 4).reshape(rt.width, each)
    return flat if is_row_major else flat % length * lines + flat // length


def _places(
    rt: Runtime, ld: Any, is_row_major: bool, shape: Shape, flat: NDArray[np.int64]
) -> list[Any]:
    """The element offsets of each lane, one array for each element that it moves."""
    row, column = flat[rt.lane_in_warp] // shape.columns, flat[rt.lane_in_warp] % shape.columns
    stride = np.broadcast_to(np.asarray(ld).astype(np.int64), rt.lanes)[:, None]
    offset = row * stride + column if is_row_major else column * stride + row
    return [offset[:, i].copy() for i in range(flat.shape[1])]


def _load(
    rt: Runtime, mask: Mask, site: int, fragment: Any, pointer: Any, ld: Any, is_row_major: bool,
    shape: Shape, type: Type,
) -> None:  # fmt: skip
    kind = _memory_kind(rt, type, shape)
    flat = _layout(rt, is_row_major, shape)
    parts = [
        np.broadcast_to(load(rt, mask, pointer, j, kind, site), rt.lanes)
        for j in _places(rt, ld, is_row_major, shape, flat)
    ]
    value = _zeros(rt, shape).reshape(-1, shape.count)
    value[:, flat.reshape(-1)] = np.stack(parts, 1).reshape(-1, shape.count)
    _write(rt, mask, site, fragment, value.reshape(-1, shape.rows, shape.columns))


def _store(
    rt: Runtime, mask: Mask, site: int, pointer: Any, fragment: Any, ld: Any, is_row_major: bool,
    shape: Shape,
) -> None:  # fmt: skip
    kind = kind_named(shape.element, rt.code.unit.oracle)
    flat = _layout(rt, is_row_major, shape)
    whole = _read(rt, mask, site, fragment, shape).reshape(-1, shape.count)
    value = whole[:, flat.reshape(-1)].reshape(rt.lanes, -1)
    for i, j in enumerate(_places(rt, ld, is_row_major, shape, flat)):
        store(rt, mask, pointer, j, value[:, i].astype(kind.register), kind, site)


def _memory_kind(rt: Runtime, type: Type, shape: Shape) -> Kind:
    if isinstance(type, Pointer) and isinstance(type.element, Scalar):
        return kind_named(type.element.kind, rt.code.unit.oracle)
    return kind_named(shape.element, rt.code.unit.oracle)


def _multiply(
    rt: Runtime, mask: Mask, site: int, fragments: tuple[Any, ...], shapes: list[Shape],
    saturate: bool,
) -> None:  # fmt: skip
    a, b, c = (_read(rt, mask, site, f, s) for f, s in zip(fragments[1:], shapes[1:], strict=True))
    if shapes[1].element == "f32" and shapes[1].columns == 8 and not rt.code.unit.oracle:
        a, b = _tf32(a), _tf32(b)
    single = rt.code.unit.single_sums and shapes[1].element != "f64"
    product = multiply_add(a, b, c, single)
    if shapes[0].element == "i32":
        product = product.clip(-(2**31), 2**31 - 1) if saturate else product
        product = product.astype(np.int32).astype(np.int64)
    _write(rt, mask, site, fragments[0], _round(product, shapes[0], rt.code.unit.oracle))


def multiply_add(
    a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], single_sums: bool
) -> NDArray[Any]:
    """a @ b + c: exactly, as far as float64 goes; or in float, product by product, the least that
    the PTX ISA promises of `mma` ("at least single precision")."""
    if not single_sums or a.dtype != np.float64:
        return np.asarray(a @ b + c)
    total = c
    for k in range(a.shape[-1]):
        product = a[..., :, k, None] * b[..., None, k, :]
        total = (total + product).astype(np.float32).astype(np.float64)
    return total


def _tf32(value: NDArray[Any]) -> NDArray[Any]:
    """The tensor core looks at the upper 19 bits of each float."""
    bits = value.astype(np.float32).view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(np.float64)


def _get(rt: Runtime, mask: Mask, site: int, fragment: Any, i: Any, shape: Shape) -> Any:
    value = _read(rt, mask, site, fragment, shape).reshape(rt.lanes, -1)
    index = np.broadcast_to(np.asarray(i).astype(np.int64), rt.lanes)
    kind = kind_named(shape.element, rt.code.unit.oracle)
    return value[rt.lane, np.clip(index, 0, value.shape[1] - 1)].astype(kind.register)


def _set(rt: Runtime, mask: Mask, site: int, fragment: Any, i: Any, v: Any, shape: Shape) -> None:
    value = _read(rt, mask, site, fragment, shape).reshape(rt.lanes, -1).copy()
    lanes = np.flatnonzero(lanes_of(mask, rt.lanes))
    index = np.broadcast_to(np.asarray(i).astype(np.int64), rt.lanes)[lanes]
    # Some fragments hold elements twice; here the second time is nowhere.
    lanes, index = lanes[index < value.shape[1]], index[index < value.shape[1]]
    value[lanes, index] = np.broadcast_to(np.asarray(v), rt.lanes)[lanes]
    _write(rt, mask, site, fragment, value.reshape(-1, shape.rows, shape.columns))


def _refused(rt: Runtime, what: str) -> PortError:
    return PortError(Diagnostic(Code.NOT_INTERPRETED, f"{what} cannot be interpreted"))
