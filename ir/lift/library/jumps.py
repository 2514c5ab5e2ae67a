"""XORWOW far ahead: for each power of two of steps, the polynomial that takes them at once.

One step is a linear map T of 160 bits over GF(2), so with T's minimal polynomial P

    T**n = c0 + c1 T + ... + c159 T**159        where the c are the coefficients of x**n mod P

Polynomials are integers here: bit i is the coefficient of x**i.
"""

from __future__ import annotations

from functools import cache

BITS = 160
SEQUENCE = 67
"""A sequence number is 2**67 steps."""


@cache
def jump_table() -> tuple[int, ...]:
    """Words of x**(2**i) mod P, i < 64, then those of x**(2**(67 + i)): five words each."""
    modulus = minimal_polynomial()
    power, powers = 2, []
    for _ in range(SEQUENCE + 64):
        powers.append(power)
        power = _remainder(_square(power), modulus)
    chosen = [*powers[:64], *powers[SEQUENCE:]]
    return tuple(p >> (32 * word) & 0xFFFFFFFF for p in chosen for word in range(5))


def step(state: int) -> int:
    """One step of the five words v0 (lowest) to v4."""
    v = [state >> (32 * i) & 0xFFFFFFFF for i in range(5)]
    t = v[0] ^ (v[0] >> 2)
    last = (v[4] ^ (v[4] << 4) ^ t ^ (t << 1)) & 0xFFFFFFFF
    return sum(word << (32 * i) for i, word in enumerate((*v[1:], last)))


@cache
def minimal_polynomial() -> int:
    """P, as the one relation among a state's first 161 successors."""
    rows: list[tuple[int, int]] = []  # (vector, which successors it is the sum of), eliminated
    state = 1
    for power in range(BITS + 1):
        vector, made_of = state, 1 << power
        for other, parts in rows:
            if vector ^ other < vector:
                vector, made_of = vector ^ other, made_of ^ parts
        if vector == 0:
            return made_of
        rows.append((vector, made_of))
        rows.sort(reverse=True)
        state = step(state)
    raise AssertionError("161 vectors of 160 bits are dependent")


def _square(polynomial: int) -> int:
    return int(bin(polynomial)[2:], 4)  # squaring puts a zero between any two bits


def _remainder(polynomial: int, modulus: int) -> int:
    length = modulus.bit_length()
    while polynomial.bit_length() >= length:
        polynomial ^= modulus << (polynomial.bit_length() - length)
    return polynomial
