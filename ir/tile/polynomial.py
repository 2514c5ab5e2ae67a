"""Integers of all threads of a block as polynomials: coefficients a thread, unknowns for the rest.

    (block.y * 64 + thread.x / 16) * K + k0    ->    64 * [block.y K] + (0,0,..,1,1,..) * [K] + [k0]

What thread numbers alone decide is a number; everything else is an unknown that all threads share.
Arithmetic is exact. A source whose signed arithmetic overflows has no meaning to keep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Monomial = tuple[str, ...]
Lanes = np.ndarray


@dataclass(frozen=True)
class Poly:
    """A sum of monomials; `terms` maps each to its coefficients, an array over the threads."""

    terms: dict[Monomial, Lanes]

    @staticmethod
    def of(values: Lanes) -> Poly:
        """Known numbers."""
        return Poly({(): values.astype(np.int64)} if values.any() else {})

    @staticmethod
    def unknown(name: str, threads: int) -> Poly:
        """An unknown that all threads share."""
        return Poly({(name,): np.ones(threads, np.int64)})

    def values(self, threads: int) -> Lanes | None:
        """The numbers, if they are known."""
        if any(m for m in self.terms):
            return None
        return self.terms.get((), np.zeros(threads, np.int64))

    def __add__(self, other: Poly) -> Poly:
        return self._merge(other, np.add)

    def __sub__(self, other: Poly) -> Poly:
        return self._merge(other, np.subtract)

    def _merge(self, other: Poly, operation: Callable[[Lanes, Lanes], Lanes]) -> Poly:
        merged = {}
        for monomial in {**self.terms, **other.terms}:
            zero = np.zeros_like(next(iter((*self.terms.values(), *other.terms.values()))))
            a, b = self.terms.get(monomial, zero), other.terms.get(monomial, zero)
            value = operation(a, b)
            if value.any():
                merged[monomial] = value
        return Poly(merged)

    def __mul__(self, other: Poly) -> Poly:
        product: dict[Monomial, Lanes] = {}
        for m, a in self.terms.items():
            for n, b in other.terms.items():
                monomial = tuple(sorted((*m, *n)))
                product[monomial] = product.get(monomial, np.zeros_like(a)) + a * b
        return Poly({m: c for m, c in product.items() if c.any()})

    def where(self, mask: Lanes, other: Poly) -> Poly:
        """This in the threads of the mask, the other elsewhere."""
        picked = {}
        zero = np.zeros(mask.shape, np.int64)
        for monomial in {**self.terms, **other.terms}:
            a, b = self.terms.get(monomial, zero), other.terms.get(monomial, zero)
            value = np.where(mask, a, b)
            if value.any():
                picked[monomial] = value
        return Poly(picked)

    def split(self, divisor: int) -> tuple[Poly, Poly] | None:
        """Quotient and remainder, if the unknown part is a multiple of the divisor.

        The known part must not be negative, nor the unknown one, whose sign the caller vouches for.
        """
        known = self.terms.get(())
        if known is not None and (known < 0).any():
            return None
        quotient = {}
        for monomial, coefficients in self.terms.items():
            if monomial and (coefficients % divisor).any():
                return None
            if monomial:
                quotient[monomial] = coefficients // divisor
        remainder: dict[Monomial, Lanes] = {}
        if known is not None:
            quotient[()] = known // divisor
            remainder[()] = known % divisor
        return (
            Poly({m: c for m, c in quotient.items() if c.any()}),
            Poly({m: c for m, c in remainder.items() if c.any()}),
        )

    def is_uniform(self) -> bool:
        """Do all threads agree?"""
        return all((c == c[0]).all() for c in self.terms.values())

    def same(self, other: Poly) -> bool:
        """Is it the same in every thread?"""
        return not (self - other).terms

    def mentions(self, name: str) -> bool:
        """Does the unknown occur?"""
        return any(name in m for m in self.terms)
