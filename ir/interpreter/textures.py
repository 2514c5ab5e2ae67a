"""Textures: fetches by element, by coordinate, and filtered."""

from __future__ import annotations

from crossport.ir.interpreter.intrinsics import Kinds, Meaning


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a texture fetch, or None."""
    return None
