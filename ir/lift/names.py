"""Names for generated Python: valid, readable, and never twice.

in    ->  in_        tl  ->  tl_        x (again)  ->  x_2        ~Foo  ->  Foo
"""

from __future__ import annotations

import keyword
import re

RESERVED = frozenset(
    "tl triton torch libdevice jax jnp lax np grid block interpret shared_bytes KERNELS globals "
    "lane lanes active print range min max abs float int bool tuple len any all sum pow str "
    "row shape state blocks threads device program scratch scratch_bytes spare lane_id "
    "warp_id round "
    "thread_x thread_y thread_z block_x block_y block_z block_dim_x block_dim_y block_dim_z "
    "grid_dim_x grid_dim_y grid_dim_z "
    "longest rounds blocks_each options launch "
    "program_id LANES BLOCKS THREADS BLOCK_X BLOCK_Y BLOCK_Z pl pltpu functools os".split()
)


class Names:
    """The names given out so far."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def fresh(self, wanted: str, *, keep_first: bool = True) -> str:
        """The wanted name, or the same with a number. `keep_first` False: number the first too."""
        base = re.sub(r"\W+", "_", wanted).strip("_") or "v"
        if base[0].isdigit():
            base = "v" + base
        if keyword.iskeyword(base) or base in RESERVED:
            base += "_"
        number = self._used.get(base, 0) + 1
        while True:
            name = base if number == 1 and keep_first else f"{base}_{number}"
            if name not in self._used:
                break
            number += 1
        self._used[base] = number
        self._used.setdefault(name, 1)
        return name
