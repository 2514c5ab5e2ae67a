"""CUB's warp collectives: their default width is the device's, 64 lanes on CDNA.

    cub::WarpReduce<float>          ->   cub::WarpReduce<float, 32>
    cub::WarpScan<int>              ->   cub::WarpScan<int, 32>
    cub::LaneId()                   ->   (__lane_id() & 31)
    CUB_WARP_THREADS(PTX_ARCH)      ->   32

hipCUB has the same templates with the same parameters; only the default differs, so that a rename
alone would let two CUDA warps work as one. The namespace is renamed elsewhere.

    cub::BLOCK_LOAD_WARP_TRANSPOSE  ->  cub::BLOCK_LOAD_TRANSPOSE

Transposing by warps loads the same items, and refuses a block that is no multiple of the wavefront:
unless every launch has whole wavefronts of 64, the block transposes as one.
"""

from __future__ import annotations

from collections.abc import Collection

from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.warp import WHY_WIDTH
from crossport.diagnostics import Code, Severity

# Template -> where its logical width stands among the arguments.
_WIDTH_AT = {b"WarpReduce": 1, b"WarpScan": 1, b"WarpExchange": 2, b"WarpMergeSort": 2}
_WIDTH_LATER = {b"WarpLoad": 3, b"WarpStore": 3}
WHY_BLOCK = "blocks that are no multiple of a wavefront transpose as a whole"
_LINEAR = "(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z))"
_NUMBERS = {
    b"CUB_WARP_THREADS": "32",
    b"CUB_PTX_WARP_THREADS": "32",
    b"CUB_LOG_WARP_THREADS": "5",
    b"CUB_PTX_LOG_WARP_THREADS": "5",
}
_BY_BLOCK = {
    b"BLOCK_LOAD_WARP_TRANSPOSE": "BLOCK_LOAD_TRANSPOSE",
    b"BLOCK_LOAD_WARP_TRANSPOSE_TIMESLICED": "BLOCK_LOAD_TRANSPOSE",
    b"BLOCK_STORE_WARP_TRANSPOSE": "BLOCK_STORE_TRANSPOSE",
    b"BLOCK_STORE_WARP_TRANSPOSE_TIMESLICED": "BLOCK_STORE_TRANSPOSE",
}
_CALLS = {b"LaneId": "(__lane_id() & 31)", b"WarpId": f"({_LINEAR} / 32)"}


def cub_edits(file: File, words: Collection[bytes], has_whole_waves: bool) -> None:
    """Name the widths in a file.

    `words` are those of the whole unit, to see if it uses CUB; `has_whole_waves`: every block that
    it launches is a multiple of 64 threads.
    """
    if b"cub" not in words:
        return
    tokens = file.text.tokens
    for index in file.text.code_names:
        word = tokens.text[index]
        if word in file.own_names or file.in_hip_code(index):
            continue
        if tokens.at(index - 1) in (b".", b"->"):
            continue
        if word in _WIDTH_AT or word in _WIDTH_LATER:
            _template(file, index)
        elif word in _CALLS and tokens.at(index + 1) == b"(" and tokens.at(index + 2) == b")":
            file.replace(_qualified(file, index), index + 2, _CALLS[word], WHY_WIDTH)
        elif word in _NUMBERS:
            last = tokens.partner.get(index + 1) if tokens.at(index + 1) == b"(" else index
            file.replace(index, last or index, _NUMBERS[word], WHY_WIDTH)
        elif word in _BY_BLOCK and not has_whole_waves:
            file.replace(index, index, _BY_BLOCK[word], WHY_BLOCK)


def _template(file: File, index: int) -> None:
    tokens = file.text.tokens
    ends = _argument_ends(file, index + 1)
    if ends is None:
        return
    wanted = _WIDTH_AT.get(tokens.text[index])
    if wanted is None:
        if len(ends) <= _WIDTH_LATER[tokens.text[index]]:
            file.report(
                Code.WARP_WIDTH_DEFAULT,
                f"hipcub::{tokens.text[index].decode()} works on the device's whole wavefront here",
                index,
                Severity.ERROR,
                "name the algorithm and a width of 32 as its third and fourth argument",
            )
    elif len(ends) == wanted:
        file.insert_before(ends[-1], ", 32", WHY_WIDTH)


def _argument_ends(file: File, opening: int) -> list[int] | None:
    """The tokens behind each template argument; None if no list opens here."""
    tokens = file.text.tokens
    if tokens.at(opening) != b"<":
        return None
    ends: list[int] = []
    depth = 0
    index = opening
    while index < len(tokens):
        text = tokens.text[index]
        if text == b"<":
            depth += 1
        elif text in (b"(", b"[", b"{"):
            index = tokens.partner.get(index, index)
        elif text in (b";", b"}"):
            return None
        elif text == b"," and depth == 1:
            ends.append(index)
        elif text.startswith(b">"):
            depth -= len(text)
            if depth <= 0:
                return [*ends, index]
        index += 1
    return None


def _qualified(file: File, index: int) -> int:
    """The first token of `cub::LaneId`."""
    tokens = file.text.tokens
    while tokens.at(index - 1) == b"::" and tokens.is_name(index - 2):
        index -= 2
    return index
