"""Warp functions: a program written for 32 lanes keeps its meaning on wavefronts of 32 and 64.

    v += __shfl_down_sync(0xffffffff, v, 16);      ->   v += __shfl_down(v, 16, 32);
    unsigned m = __ballot_sync(mask, x > 0);       ->   unsigned m = warp32_ballot(mask, x > 0);
    int lane = threadIdx.x % warpSize;             ->   int lane = threadIdx.x % 32;

A wavefront of 64 lanes holds two CUDA warps. HIP's shuffles take a width, and stay within 32 lanes
when it is given. Votes, matches and reductions have no width: helpers.py holds functions that look
at the caller's own 32 lanes and keep masks 32 bits wide, so that `__popc`, `__ffs`, `1 << lane` and
every variable that a mask is kept in stay right as they are. `warpSize` is 64 on a wave64 target;
the program's warp is 32.

HIP's `*_sync` forms are not used: they want a 64-bit mask of the wavefront's own lanes. The others
have no overload for bfloat16: `shuffled_types.py` says where one is needed.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from crossport.backends.hip.semantics.context import Call, File
from crossport.diagnostics import Code, Severity

_SHUFFLES = (b"__shfl", b"__shfl_up", b"__shfl_down", b"__shfl_xor")
_SYNC_SHUFFLES = {name + b"_sync": name for name in _SHUFFLES}
WHY_WIDTH = "a CUDA warp has 32 lanes, a wavefront up to 64"
WHY_MASK = "votes of the caller's own 32 lanes; the mask stays 32 bits wide"

# CUDA's name -> the helper, and the arguments that the helper takes in place of a missing mask.
_VOTES: dict[bytes, tuple[str, bool]] = {
    b"__ballot_sync": ("warp32_ballot", True),
    b"__any_sync": ("warp32_any", True),
    b"__all_sync": ("warp32_all", True),
    b"__uni_sync": ("warp32_uni", True),
    b"__match_any_sync": ("warp32_match_any", True),
    b"__match_all_sync": ("warp32_match_all", True),
    b"__reduce_add_sync": ("warp32_reduce_add", True),
    b"__reduce_min_sync": ("warp32_reduce_min", True),
    b"__reduce_max_sync": ("warp32_reduce_max", True),
    b"__reduce_and_sync": ("warp32_reduce_and", True),
    b"__reduce_or_sync": ("warp32_reduce_or", True),
    b"__reduce_xor_sync": ("warp32_reduce_xor", True),
    b"__ballot": ("warp32_ballot", False),
    b"__any": ("warp32_any", False),
    b"__all": ("warp32_all", False),
}
_FULL = "0xffffffffu"


def warp_edits(file: File, generic: Collection[int] = ()) -> None:
    """Rewrite the warp functions of a file; those at the offsets `generic` shuffle any type."""
    for call in file.calls(_SYNC_SHUFFLES):
        _sync_shuffle(file, call, file.text.tokens.start[call.name] in generic)
    for call in file.calls(_SHUFFLES):
        if len(call.arguments) == 2:
            _add_width(file, call)
    for call in file.calls(_VOTES):
        _vote(file, call)
    for call in file.calls((b"__activemask",)):
        file.helpers.add("warp32_ballot")
        file.replace(call.name, call.closing, f"warp32_ballot({_FULL}, 1)", WHY_MASK)
    for call in file.calls((b"__syncwarp",)):
        _sync_warp(file, call)
    for index in file.uses((b"warpSize",)):
        file.replace(index, index, "32", WHY_WIDTH)


def _sync_shuffle(file: File, call: Call, is_generic: bool) -> None:
    """Drop the mask, name the width."""
    tokens = file.text.tokens
    name = _SYNC_SHUFFLES[tokens.text[call.name]].decode()
    if is_generic:
        name = name.replace("__", "warp32_", 1)
        file.helpers.add(name)
    arguments = call.arguments
    if len(arguments) not in (3, 4) or _is_open(file, call):
        file.report(
            Code.WARP_CALL_OPEN,
            f"{tokens.text[call.name].decode()} with arguments that only a macro's use knows",
            call.name,
            Severity.ERROR,
            f"write it as {name}(value, lane, 32)",
        )
        return
    mask_first, mask_end = arguments[0]
    mask = file.source(mask_first, mask_end)
    value_first = arguments[1][0]
    if is_pure(mask):
        file.replace_bytes(
            tokens.start[call.name], tokens.start[value_first], f"{name}(", WHY_WIDTH
        )
    else:
        # The mask does something; it stays, evaluated before the value.
        file.replace(call.name, call.opening, f"{name}(((void)(", WHY_WIDTH)
        file.replace(mask_end, mask_end, "),", WHY_WIDTH)
        value_end = arguments[1][1]
        file.insert_before(value_end, ")", WHY_WIDTH)
    if len(arguments) == 3:
        file.insert_before(call.closing, ", 32", WHY_WIDTH)


def _add_width(file: File, call: Call) -> None:
    if _is_open(file, call):
        return
    file.insert_before(call.closing, ", 32", WHY_WIDTH)


def _vote(file: File, call: Call) -> None:
    tokens = file.text.tokens
    helper, has_mask = _VOTES[tokens.text[call.name]]
    if not has_mask and len(call.arguments) != 1:
        return
    file.helpers.add(helper)
    if has_mask:
        file.replace(call.name, call.name, helper, WHY_MASK)
    else:
        file.replace(call.name, call.opening, f"{helper}({_FULL}, ", WHY_MASK)


def _sync_warp(file: File, call: Call) -> None:
    file.helpers.add("warp32_sync")
    if all(is_pure(file.source(*a)) for a in call.arguments):
        file.replace(call.name, call.closing, "warp32_sync()", "wavefronts run in lock-step")
    else:
        inner = file.source(call.arguments[0][0], call.arguments[-1][1])
        file.replace(
            call.name,
            call.closing,
            f"((void)({inner}), warp32_sync())",
            "wavefronts run in lock-step",
        )


def _is_open(file: File, call: Call) -> bool:
    return any("__VA_ARGS__" in file.source(*a) for a in call.arguments)


_EFFECT = re.compile(
    r"\+\+|--|(?<![=!<>])=(?!=)|\b(?!sizeof\b|__activemask\b|__popc\b|__ffs\b|min\b|max\b)\w+\s*\("
)


def is_pure(expression: str) -> bool:
    """Can an expression be left out: no assignment, no step, no call but of known pure functions?

    Casts look like calls of a type (`unsigned(x)`), and are pure.
    """
    text = re.sub(
        r"\b(?:unsigned|int|long|uint32_t|uint64_t|static_cast<[\w: ]+>)\s*\(", "(", expression
    )
    return _EFFECT.search(text) is None
