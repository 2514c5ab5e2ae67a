"""Bits of a value as values of other sizes: a word's halves, the word that halves make.

piece(f32 x, 2, u16)            ->    (u16)((u32 bits of x) >> 16)
joined([u16 a, u16 b], f32)     ->    the f32 with the bits  (u32)b << 16 | (u32)a
"""

from __future__ import annotations

from collections.abc import Sequence

from crossport.ir import nodes as n
from crossport.ir.lift import fold
from crossport.ir.types import BOOL, I32, U8, U16, U32, U64, Scalar

UNSIGNED = {1: U8, 2: U16, 4: U32, 8: U64}


def same_bits(value: n.Expr, type: Scalar) -> n.Expr:
    """The value's bits as another type of its size."""
    kind = value.type
    assert isinstance(kind, Scalar) and kind.size == type.size
    if kind == type:
        return value
    if BOOL in (kind, type) or (kind.is_integer and type.is_integer):
        return fold.cast(value, type)
    if isinstance(value, n.Bitcast):
        return same_bits(value.value, type)
    return n.Bitcast(value, type)


def piece(value: n.Expr, offset: int, type: Scalar) -> n.Expr:
    """The part of a value that starts at byte `offset`, as a smaller type."""
    assert isinstance(value.type, Scalar)
    whole = UNSIGNED[value.type.size]
    bits = fold.binary(">>", same_bits(value, whole), fold.constant(8 * offset, I32))
    return same_bits(fold.cast(bits, UNSIGNED[type.size]), type)


def joined(parts: Sequence[n.Expr], type: Scalar) -> n.Expr:
    """The value whose bytes are those of the parts, first part lowest."""
    whole = UNSIGNED[type.size]
    bits: n.Expr = fold.constant(0, whole)
    offset = 0
    for part in parts:
        assert isinstance(part.type, Scalar)
        part_bits = fold.cast(same_bits(part, UNSIGNED[part.type.size]), whole)
        moved = fold.binary("<<", part_bits, fold.constant(8 * offset, I32))
        bits = fold.binary("|", bits, moved)
        offset += part.type.size
    assert offset == type.size
    return same_bits(bits, type)


def replaced(value: n.Expr, offset: int, part: n.Expr) -> n.Expr:
    """The value with the bytes from `offset` on replaced by those of a smaller one."""
    assert isinstance(value.type, Scalar) and isinstance(part.type, Scalar)
    whole = UNSIGNED[value.type.size]
    mask = ((1 << (8 * part.type.size)) - 1) << (8 * offset)
    kept = fold.binary(
        "&", same_bits(value, whole), n.Const(~mask & ((1 << 8 * whole.size) - 1), whole)
    )
    bits = fold.cast(same_bits(part, UNSIGNED[part.type.size]), whole)
    moved = fold.binary("<<", bits, fold.constant(8 * offset, I32))
    return same_bits(fold.binary("|", kept, moved), value.type)
