"""Intrinsics that ask where something lies or runs: address spaces, sizes, processor ids.

__isShared(p)      true where p points into a __shared__ variable
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from crossport.ir.interpreter.intrinsics import Kinds, Meaning
from crossport.ir.interpreter.masks import Mask
from crossport.ir.interpreter.memory import ID_SHIFT

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime


def find(name: str, args: tuple[Kinds, ...], result: Kinds) -> Meaning | None:
    """The meaning of a question about places, or None."""
    if name in _SPACES:
        return Meaning(_is_in(_SPACES[name]), needs_runtime=True)
    if name.startswith("__cvta_"):
        target = result[0].register
        if name == "__cvta_generic_to_shared":
            return Meaning(
                lambda rt, mask, site, p: rt.windows.number(p).astype(target), needs_runtime=True
            )
        # Addresses of all other spaces are the same numbers everywhere.
        return Meaning(lambda p: p.astype(target))
    if name == "dynamic_smem_size":
        return Meaning(lambda rt, mask, site: np.uint32(rt.shared_bytes), needs_runtime=True)
    if name in ("__smid", "__gridid"):
        return Meaning(lambda: np.uint32(0))
    if name in ("__nsmid",):
        return Meaning(lambda: np.uint32(1))
    if name == "__warpid":
        return Meaning(lambda rt, mask, site: rt.special["warp_id"], needs_runtime=True)
    if name == "__nwarpid":
        return Meaning(lambda rt, mask, site: np.uint32(rt.warps), needs_runtime=True)
    if name.startswith("tex"):
        from crossport.ir.interpreter import textures

        return textures.find(name, args, result)
    return None


_SPACES = {
    "__isGlobal": ("global",), "__isShared": ("shared",), "__isLocal": ("local",),
    "__isConstant": ("constant",),
}  # fmt: skip


def _is_in(spaces: tuple[str, ...]) -> Any:
    def ask(rt: Runtime, mask: Mask, site: int, pointer: Any) -> Any:
        def one(address: Any) -> bool:
            target = rt.objects.get(int(address) >> ID_SHIFT)
            return target is not None and target.space in spaces

        if type(pointer) is not ndarray:
            return np.bool_(one(pointer))
        ids, where = np.unique(pointer >> ID_SHIFT, return_inverse=True)
        answers = np.array([one(int(i) << ID_SHIFT) for i in ids], bool)
        return answers[where]

    return ask
