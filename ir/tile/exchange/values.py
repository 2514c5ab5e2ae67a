"""What a lane's value may be while a kernel is executed for a block, and what a shared cell is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.tile.graph import Ids

Concrete = NDArray[Any]
Mask = NDArray[np.bool_]


class Own:
    """A value that each lane computed from what is its own."""


OWN = Own()


@dataclass(frozen=True)
class Nodes:
    """A value a lane as nodes of the graph: somebody else's values are in it."""

    ids: Ids


@dataclass
class Cells:
    """A shared array: the value of each cell, and who touched it last."""

    unit: int
    values: Ids
    writer: NDArray[np.int64]
    write_phase: NDArray[np.int64]
    write_warp_phase: NDArray[np.int64]
    reader: NDArray[np.int64]
    read_phase: NDArray[np.int64]
