"""Tiles of cooperative groups: HIP's are typed by the group that they are cut from.

    cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);
    cg::thread_block_tile<32, cg::thread_block> tile = cg::tiled_partition<32>(block);

    tile.shfl_xor(vector, 1)      ->      warp32_shfl_xor(vector, 1, tile.size())

CUDA converts a tile of a block to a tile of anything; HIP has two conversions for that, and neither
wins. Naming the parent needs none. It is named when every tile of the unit is cut from a block.
HIP's tiles shuffle numbers only; a helper takes anything that can be copied.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossport.backends.hip.semantics.context import File
from crossport.diagnostics import Code, Severity
from crossport.frontend import clang
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit

_TILE = b"thread_block_tile"
WHY = "HIP's tile types name the group that they are cut from"


def tile_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Name the parent of the tile types of a unit."""
    _shuffles(unit, files)
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


def _shuffles(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Let helpers shuffle what is no number."""
    if all(_SHUFFLES.isdisjoint(file.text.words) for file in files.values()):
        return
    places: dict[tuple[str, int], bool] = {}
    for function in (*(kernel.cursor for kernel in unit.kernels), *unit.functions):
        for call in clang.find(function, clang.CALLS):
            value = next(iter(call.get_arguments()), None)
            if value is None or call.spelling.encode() not in _SHUFFLES:
                continue
            member = clang.children(call)[0]
            group = next(iter(clang.children(member)), None)
            if group is None or "thread_block_tile<" not in group.type.get_canonical().spelling:
                continue
            is_number = value.type.get_canonical().kind != clang.TypeKind.RECORD
            place = (place_of(call).file, member.location.offset)
            # A template's instances may differ; HIP's own function is for numbers only.
            places[place] = places.get(place, True) and is_number
    for (name, offset), is_number in places.items():
        if not is_number and (file := files.get(name)) is not None:
            _shuffle(file, file.text.tokens.index_at(offset))


def _shuffle(file: File, index: int) -> None:
    """`tile.shfl(value, lane)` whose member's name is token `index`."""
    tokens = file.text.tokens
    closing = tokens.partner.get(index + 1)
    is_plain = tokens.is_name(index - 2) and tokens.at(index - 3) not in (b".", b"->", b"::")
    if tokens.text[index] not in _SHUFFLES or closing is None or file.in_hip_code(index):
        return
    if tokens.at(index - 1) != b"." or not is_plain:
        file.report(
            Code.HIP_SIGNATURE,
            "HIP's tiles shuffle numbers only",
            index,
            Severity.ERROR,
            "give the tile a name of its own and shuffle by that",
        )
        return
    tile = file.source(index - 2, index - 1)
    helper = f"warp32_{tokens.text[index].decode()}"
    file.helpers.add(helper)
    file.replace(index - 2, index, helper, WHY_SHUFFLE)
    file.insert_before(closing, f", {tile}.size()", WHY_SHUFFLE)


WHY_SHUFFLE = "HIP's tiles shuffle numbers only"
_SHUFFLES = frozenset((b"shfl", b"shfl_xor", b"shfl_up", b"shfl_down"))


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
