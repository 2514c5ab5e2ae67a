"""What a sum of products is, once its axes are found."""

from __future__ import annotations

from dataclasses import dataclass

from crossport.ir.lift import flat
from crossport.ir.nodes import Expr, Var
from crossport.ir.types import F32

ROW, COLUMN, INNER = "row", "column", "inner"

TOTAL = Var("total", F32)


@dataclass(frozen=True)
class Operand:
    """One factor: `value`, in terms of SOURCE, of `ref` where the mask holds; 0 elsewhere.

    Index and mask are in terms of the row or column, and of the inner number.
    """

    ref: flat.Ref
    mask: tuple[Expr, ...]
    value: Expr
    is_contiguous: bool
    """Does the inner number go from one element to the next?"""


@dataclass(frozen=True)
class Contraction:
    """A kernel that is one sum of products.

    `row_axis`, `column_axis`: the axes of the grid whose blocks cut rows and columns, `tile` of
    them each. `rounds * per_round`: the extent of the inner axis. `row_mask`, `column_mask`: where
    they fail no element is looked at. `body`: what happens to `total` of a row and a column.
    """

    left: Operand
    right: Operand
    row_axis: str
    column_axis: str | None
    tile: tuple[int, int]
    rounds: Expr
    per_round: int
    row_mask: tuple[Expr, ...]
    column_mask: tuple[Expr, ...]
    body: flat.Body
    programs: tuple[str, ...]
    """Other axes of the grid that are used."""
