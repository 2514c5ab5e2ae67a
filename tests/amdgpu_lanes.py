"""Operand rows for opcode tests: edge values first, then seeded random ones."""

import random

import numpy as np
from numpy.typing import NDArray

LANES = 64
_INTEGERS = (0, 1, 2, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF)


def _edges(bits: int, is_float: bool) -> list[int]:
    top = (1 << bits) - 1
    half = 1 << (bits - 1)
    values = [v & top for v in _INTEGERS] + [top, top - 1, half, half - 1, half + 1]
    if is_float:
        exponent, mantissa = {16: (5, 10), 32: (8, 23), 64: (11, 52)}[bits]
        infinity = ((1 << exponent) - 1) << mantissa
        one = ((1 << (exponent - 1)) - 1) << mantissa
        parts = [0, 1, (1 << mantissa) - 1, 1 << mantissa, infinity - 1, infinity]
        parts += [infinity | 1 << (mantissa - 1), infinity | 1, one, one + 1, one - 1]
        parts += [one - (1 << mantissa), one + (1 << mantissa), one | 1 << (mantissa - 1)]
        values = parts + [p | half for p in parts]
    return values


def operand(bits: int, is_float: bool, seed: int) -> list[int]:
    """64 lane values; which edge meets which depends on the seed."""
    rng = random.Random(seed)
    edges = _edges(bits, is_float)
    out = []
    for _ in range(LANES):
        kind = rng.random()
        if kind < 0.45:
            out.append(rng.choice(edges))
        elif is_float and kind < 0.8:
            value = rng.uniform(-4, 4) * 2.0 ** rng.randint(-6, 6)
            t = {16: np.float16, 32: np.float32, 64: np.float64}[bits]
            out.append(int(np.array(value, t).view(f"u{bits // 8}")))
        else:
            out.append(rng.getrandbits(bits))
    return out


def rows(values: list[int], count: int) -> NDArray[np.uint32]:
    """Lane values as register rows, low words first."""
    table = [[v >> (32 * k) & 0xFFFFFFFF for v in values] for k in range(count)]
    return np.array(table, np.uint32)


def values(table: NDArray[np.uint32], first: int, count: int) -> list[int]:
    """Register rows as lane values."""
    return [
        sum(int(table[first + k][lane]) << (32 * k) for k in range(count)) for lane in range(LANES)
    ]
