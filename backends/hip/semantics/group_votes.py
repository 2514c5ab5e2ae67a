"""Votes of cooperative groups: there in HIP, behind a switch until ROCm 7.

    tile.any(x > 0)      needs      #define HIP_ENABLE_WARP_SYNC_BUILTINS      before HIP's headers

A tile's ballot counts from the tile's first lane, as CUDA's does. A coalesced group is another
matter: on wave64 it may have 64 members, so that its ballot no longer fits a 32-bit variable.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.edits import Edit, newline_of
from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.unit import TranslationUnit

_SWITCH = b"HIP_ENABLE_WARP_SYNC_BUILTINS"
_VOTES = frozenset((b"ballot", b"any", b"all", b"match_any", b"match_all"))
_MASKS = frozenset(("ballot", "match_any", "match_all"))


def group_vote_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Turn the switch on in the main file of a unit that needs it; report wide masks."""
    if not any(b"cooperative_groups" in file.text.words for file in files.values()):
        return
    if not any(_votes(file) for file in files.values()):
        return
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cursor in clang.find(function, clang.CALLS):
            if cursor.spelling in _MASKS:
                _check_mask(cursor, files)
    main = files[str(unit.path)]
    if any(_SWITCH in file.text.words for file in files.values()) or not len(main.text.tokens):
        return
    source = main.text.source
    place = source.rfind(b"\n", 0, main.text.tokens.start[0]) + 1
    text = f"#define {_SWITCH.decode()}\n".replace("\n", newline_of(source))
    # Above the others: it stands before any include that goes in at the same place.
    main.edits.append(Edit(main.text.file, place, place, text, "votes of groups", priority=30))


def _votes(file: File) -> bool:
    if not file.text.words.isdisjoint((b"binary_partition", b"labeled_partition")):
        return True
    if file.text.words.isdisjoint(_VOTES):
        return False
    tokens = file.text.tokens
    return any(
        tokens.text[i] in _VOTES and tokens.at(i - 1) == b"." and tokens.at(i + 1) == b"("
        for i in file.text.code_names
    )


def _check_mask(call: clang.Cursor, files: Mapping[str, File]) -> None:
    method = call.referenced
    parent = method.semantic_parent if method is not None else None
    location = call.location
    file = files.get(location.file.name) if location.file is not None else None
    if parent is None or parent.spelling != "coalesced_group" or file is None:
        return
    file.report(
        Code.GROUP_MASK_WIDTH,
        "a coalesced group may have 64 members on AMD GPUs, and its masks 64 bits",
        file.text.tokens.index_at(call.extent.start.offset),
        Severity.WARNING,
        "keep the mask in unsigned long long, and use __popcll and __ffsll on it",
    )
