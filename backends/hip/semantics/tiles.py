"""Tiles of cooperative groups: HIP's are typed by the group that they are cut from.

    cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);
    cg::thread_block_tile<32, cg::thread_block> tile = cg::tiled_partition<32>(block);

CUDA converts a tile of a block to a tile of anything; HIP has two conversions for that, and neither
wins. Naming the parent needs none. It is named when every tile of the unit is cut from a block.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.frontend import clang
from crossport.frontend.unit import TranslationUnit

_TILE = b"thread_block_tile"
WHY = "HIP's tile types name the group that they are cut from"


def tile_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Name the parent of the tile types of a unit."""
    wanted = [f for f in files.values() if _TILE in f.text.words and _TILE not in f.own_names]
    if not wanted or not _all_from_blocks(unit):
        return
    for file in wanted:
        tokens = file.text.tokens
        for index in file.text.code_names:
            if tokens.text[index] != _TILE or file.in_hip_code(index):
                continue
            closing = _only_argument_end(file, index + 1)
            if closing is not None:
                file.insert_before(closing, f", {_scope(file, index)}thread_block", WHY)


def _all_from_blocks(unit: TranslationUnit) -> bool:
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for cursor in clang.find(function, clang.CALLS):
            if cursor.spelling != "tiled_partition":
                continue
            for argument in cursor.get_arguments():
                kind = argument.type.get_canonical().spelling
                if "thread_block_tile" in kind or "coalesced_group" in kind:
                    return False
    return True


def _only_argument_end(file: File, opening: int) -> int | None:
    """The `>` of `<32>`; None for more arguments, or none."""
    tokens = file.text.tokens
    if tokens.at(opening) != b"<":
        return None
    index = opening + 1
    while index < len(tokens) and tokens.text[index] not in (b">", b",", b";", b"{", b"<"):
        if tokens.text[index] == b"(":
            index = tokens.partner.get(index, index)
        index += 1
    return index if tokens.at(index) == b">" and index > opening + 1 else None


def _scope(file: File, index: int) -> str:
    """`cg::` where the type is written so."""
    tokens = file.text.tokens
    if tokens.at(index - 1) != b"::":
        return ""
    first = index - 1
    while tokens.at(first) == b"::" and tokens.is_name(first - 1):
        first -= 2
    return file.source(first + 1, index)
