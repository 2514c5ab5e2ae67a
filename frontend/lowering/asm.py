"""Inline PTX (to come)."""

from __future__ import annotations

from crossport.frontend.clang import Cursor
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered


def statement(ctx: Lowering, cursor: Cursor) -> None:
    """Lower an asm statement."""
    raise NotLowered("inline assembly")
