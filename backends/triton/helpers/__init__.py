"""Functions that a generated module has beside its kernels, each printed where one calls it."""

from __future__ import annotations

from crossport.backends.triton.helpers.atomics import ATOMICS
from crossport.backends.triton.helpers.floats import FLOATS
from crossport.backends.triton.helpers.integers import INTEGERS
from crossport.backends.triton.helpers.lanes import LANES

# In the order in which a module has them.
HELPERS: dict[str, str] = INTEGERS | FLOATS | LANES | ATOMICS

# What a helper calls in turn.
HELPER_NEEDS: dict[str, tuple[str, ...]] = {
    "_split8": ("_split4",),
    "_join8": ("_join4",),
    "_popcll": ("_popc",),
    "_clz": ("_popc",),
    "_clzll": ("_clz",),
    "_ffs": ("_popc",),
    "_ffsll": ("_popcll",),
    "_ballot": ("_group", "_spread"),
    "_group_any": ("_group", "_spread"),
}
