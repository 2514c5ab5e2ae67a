"""Matrices that a warp holds in parts: wmma fragments by their type, `mma.sync` operands by table.

    fragment<matrix_a, 16, 16, 16, __half, row_major>    16 x 16 of f16, 8 elements a lane
    mma.m16n8k16, with g = lane / 4, t = lane % 4 and e elements a register:
      A register r: row g + 8*(r & 1), columns t*e .. + 4*e*(r >> 1)        B register r: rows
      t*e .. + 4*e*r of column g                                            C, D: row g + 8*(r >> 1)

The tables are those of the PTX ISA, "Warp-level matrix instructions". Where a lane's elements of a
wmma fragment stand is not defined by CUDA; here element i of a lane is number `lane * n + i` in
row-major order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crossport.ir.types import BF16, F16, F32, F64, I8, I32, U8, Handle, Pointer, Scalar, Type

LANES = 32
_ELEMENTS = {
    "half": "f16", "__half": "f16", "float": "f32", "double": "f64", "signed char": "i8",
    "char": "i8", "unsigned char": "u8", "int": "i32", "__nv_bfloat16": "bf16",
    "nv_bfloat16": "bf16", "precision::tf32": "f32", "tf32": "f32",
}  # fmt: skip
_MMA = re.compile(
    r"(?:ptx::)?mma\.sync\.aligned\.m16n8k(\d+)\.row\.col(\.satfinite)?"
    r"\.(f32|f16|s32)\.(f16|bf16|tf32|s8|u8)\.(f16|bf16|tf32|s8|u8)\.(f32|f16|s32)"
)
_LDMATRIX = re.compile(
    r"(?:ptx::)?ldmatrix\.sync\.aligned\.m8n8\.x([124])(\.trans)?(?:\.shared(?:::cta)?)?\.b16"
    r"|(?:ptx::)?ldmatrix\.sync\.aligned\.x([124])(\.trans)?\.m8n8(?:\.shared(?:::cta)?)?\.b16"
)
SCALARS = {
    "f16": F16, "bf16": BF16, "tf32": F32, "f32": F32, "f64": F64, "s8": I8, "i8": I8, "u8": U8,
    "s32": I32, "i32": I32,
}  # fmt: skip
BITS = {"f16": 16, "bf16": 16, "tf32": 32, "s8": 8, "u8": 8, "f32": 32, "s32": 32}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a fragment's C++ type says."""

    use: str
    rows: int
    columns: int
    element: str
    is_row_major: bool | None

    @property
    def type(self) -> Scalar:
        """The type of an element."""
        return SCALARS[self.element]

    @property
    def count(self) -> int:
        """Elements of the tile."""
        return self.rows * self.columns


def shape_of(type: Type) -> Shape | None:
    """The shape of a fragment, or behind a pointer to one; None if it is not understood."""
    if isinstance(type, Pointer):
        type = type.element
    if not isinstance(type, Handle):
        return None
    match = re.search(r"fragment<(.*)>", type.what)
    if match is None:
        return None
    parts = [re.sub(r"^(?:(?:nvcuda|wmma)::)+", "", p.strip()) for p in match[1].split(",")]
    if len(parts) < 5 or not all(re.fullmatch(r"\d+", p) for p in parts[1:4]):
        return None
    m, n, k = (int(p) for p in parts[1:4])
    element = _ELEMENTS.get(parts[4])
    if element is None:
        return None
    sizes = {"matrix_a": (m, k), "matrix_b": (k, n), "accumulator": (m, n)}.get(parts[0])
    if sizes is None:
        return None
    layout = parts[5] if len(parts) > 5 else ""
    is_row = {"row_major": True, "col_major": False}.get(layout)
    return Shape(parts[0], *sizes, element, is_row)


@dataclass(frozen=True, slots=True)
class Mma:
    """An `mma.sync` of shape m16n8kK."""

    k: int
    saturates: bool
    out: str
    a: str
    b: str

    @property
    def registers(self) -> tuple[int, int, int]:
        """32-bit registers a lane, of A, B and C."""
        return (
            16 * self.k * BITS[self.a] // 1024,
            8 * self.k * BITS[self.b] // 1024,
            (2 if self.out == "f16" else 4),
        )


def mma_of(name: str) -> Mma | None:
    """The instruction of that name, or None."""
    match = _MMA.fullmatch(name)
    if match is None:
        return None
    k, saturates, out, a, b, c = match.groups()
    if (out == "s32") != (a in ("s8", "u8")) or out != c or BITS[a] != BITS[b]:
        return None
    return Mma(int(k), bool(saturates), out, a, b)


def ldmatrix_of(name: str) -> tuple[int, bool] | None:
    """(number of 8 x 8 matrices, is transposed) of an `ldmatrix`, or None."""
    match = _LDMATRIX.fullmatch(name)
    if match is None:
        return None
    return int(match[1] or match[3]), bool(match[2] or match[4])


def places(registers: int, each: int, which: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of (lane, register, element of the register), for operand "a", "b" or "c"."""
    lane = np.arange(LANES)[:, None, None]
    r = np.arange(registers)[None, :, None]
    i = np.arange(each)[None, None, :]
    g, t = lane // 4, lane % 4
    if which == "a":
        rows, columns = g + 8 * (r & 1), t * each + i + 4 * each * (r >> 1)
    elif which == "b":
        rows, columns = t * each + i + 4 * each * r, g
    elif each == 2:
        rows, columns = g + 8 * r, t * 2 + i
    else:
        rows, columns = g + 8 * (r >> 1), t * 2 + (r & 1) + i
    shape = (LANES, registers, each)
    return np.broadcast_to(rows, shape), np.broadcast_to(columns, shape)


Layout = tuple[tuple[Literal["lane", "element"], int], ...]


def layout_of(rows: NDArray[np.int64], columns: NDArray[np.int64], width: int) -> Layout:
    """Where elements stand, given row and column of (lane, element) in a matrix of that width.

    The bits of an element's row-major number, highest first, each as a bit of the lane or of the
    element: all tables here are of that kind.
    """
    number = rows * width + columns
    lanes, elements = number.shape
    sources: dict[int, tuple[Literal["lane", "element"], int]] = {}
    for bit in range(lanes.bit_length() - 1):
        sources[int(number[1 << bit, 0])] = ("lane", bit)
    for bit in range(elements.bit_length() - 1):
        sources[int(number[0, 1 << bit])] = ("element", bit)
    found = tuple(sources[1 << bit] for bit in reversed(range(len(sources))))
    assert 1 << len(found) == number.size
    return found


def mma_layout(mma: Mma, which: Literal["a", "b", "c"]) -> Layout:
    """The layout of an operand of `mma.sync`, elements in the order of registers."""
    registers = mma.registers["abc".index(which)]
    each = {"a": 32 // BITS[mma.a], "b": 32 // BITS[mma.b], "c": 32 // BITS[mma.out]}[which]
    rows, columns = places(registers, each, which)
    width = mma.k if which == "a" else 8
    flat = (LANES, registers * each)
    return layout_of(rows.reshape(flat), columns.reshape(flat), width)


def fragment_layout(shape: Shape) -> Layout:
    """The layout of a wmma fragment."""
    number = np.arange(shape.count).reshape(LANES, -1)
    return layout_of(number // shape.columns, number % shape.columns, shape.columns)


def axes(layout: Layout) -> tuple[list[int], list[int]]:
    """How the lanes' axis is split, and the order of all axes that the layout asks for.

    Axes: those of the lane, highest bits first, then one of two for each bit of the element, lowest
    first. Bits of the lane that stay neighbours share one.
    """
    runs: list[list[int]] = []
    places: list[tuple[str, int]] = []
    for source, bit in layout:
        if source == "element":
            places.append(("element", bit))
        elif runs and places[-1] == ("lane", len(runs) - 1) and runs[-1][-1] == bit + 1:
            runs[-1].append(bit)
        else:
            places.append(("lane", len(runs)))
            runs.append([bit])
    by_height = sorted(range(len(runs)), key=lambda r: -runs[r][0])
    split = [1 << len(runs[r]) for r in by_height]
    order = [
        by_height.index(number) if source == "lane" else len(split) + number
        for source, number in places
    ]
    return split, order
