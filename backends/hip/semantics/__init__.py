"""Edits decided by what the program means, not by how it is spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.backends.hip.edits import Edit
from crossport.diagnostics import Diagnostic
from crossport.frontend.unit import TranslationUnit

if TYPE_CHECKING:
    from crossport.backends.hip.port import HipOptions


def semantic_edits(
    unit: TranslationUnit, options: HipOptions
) -> tuple[list[Edit], list[Diagnostic]]:
    """All of them for one unit."""
    del unit, options
    return [], []
