"""Edits decided by what the program means, not by how it is spelled.

warp.py            warp functions: 32-lane warps on wavefronts of 32 and 64
shuffled_types.py  shuffles of types that HIP's shuffles do not take
properties.py      host code that computes with the device's warp width
ptx/               inline PTX, instruction by instruction
declarations.py    vector operators that do something else than HIP's
addresses.py       addresses within LDS
cub_widths.py      CUB's warp collectives, whose default width is the device's
group_votes.py     votes of cooperative groups
half_atomics.py    atomicAdd of 16-bit floats
half_casts.py      casts between half and bfloat16
min_max.py         min and max of types that HIP's are not for
tiles.py           types of cooperative-group tiles
words.py           register, __nanosleep, __launch_bounds__
spin_locks.py      loops that wait for a lock within a wavefront
refused.py         what AMD GPUs cannot do: reported, left as it is
helpers.py         the few functions that the edits call, put where they are used

What a word alone decides is looked for in the tokens of each file, so that macros and inactive
branches are edited too; what types or callees decide comes from the frontend's tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossport.backends.hip.edits import Edit
from crossport.backends.hip.semantics.addresses import address_edits
from crossport.backends.hip.semantics.context import File
from crossport.backends.hip.semantics.cub_widths import cub_edits
from crossport.backends.hip.semantics.declarations import check_operators
from crossport.backends.hip.semantics.group_votes import group_vote_edits
from crossport.backends.hip.semantics.half_atomics import half_atomic_edits
from crossport.backends.hip.semantics.half_casts import half_cast_edits
from crossport.backends.hip.semantics.helpers import insert_helpers
from crossport.backends.hip.semantics.min_max import min_max_edits
from crossport.backends.hip.semantics.properties import property_edits
from crossport.backends.hip.semantics.ptx.edits import ptx_edits
from crossport.backends.hip.semantics.refused import refuse
from crossport.backends.hip.semantics.shuffled_types import generic_shuffles
from crossport.backends.hip.semantics.spin_locks import check_spin_locks
from crossport.backends.hip.semantics.tiles import tile_edits
from crossport.backends.hip.semantics.warp import warp_edits
from crossport.backends.hip.semantics.words import word_edits
from crossport.backends.hip.source import SourceText
from crossport.diagnostics import Diagnostic, sort_diagnostics
from crossport.frontend.unit import TranslationUnit

if TYPE_CHECKING:
    from crossport.backends.hip.port import HipOptions


def semantic_edits(
    unit: TranslationUnit, options: HipOptions
) -> tuple[list[Edit], list[Diagnostic]]:
    """The edits of one unit and of the project headers it includes."""
    texts = {name: SourceText(name, source.data) for name, source in unit.files.items()}
    own_names: frozenset[bytes] = frozenset().union(*(t.own_names for t in texts.values()))
    files = {name: File(text, own_names) for name, text in texts.items()}
    generic = generic_shuffles(unit, files)
    words: frozenset[bytes] = frozenset().union(*(t.words for t in texts.values()))
    blocks = [launch.block.value for launch in unit.launches]
    has_whole_waves = bool(blocks) and all(n is not None and n % 64 == 0 for n in blocks)
    for name, file in files.items():
        warp_edits(file, generic.get(name, ()))
        word_edits(file)
        ptx_edits(file, texts.values())
        cub_edits(file, words, has_whole_waves)
        address_edits(file)
    property_edits(unit, files)
    group_vote_edits(unit, files)
    half_atomic_edits(unit, files)
    half_cast_edits(unit, files)
    min_max_edits(unit, files)
    tile_edits(unit, files)
    check_operators(unit, files)
    check_spin_locks(unit, files)
    refuse(unit, files)
    edits: list[Edit] = []
    diagnostics: list[Diagnostic] = []
    for file in files.values():
        insert_helpers(file)
        edits += _without_covered(file.edits)
        diagnostics += file.diagnostics
    return edits, sort_diagnostics(diagnostics)


def _without_covered(edits: list[Edit]) -> list[Edit]:
    """Drop an edit that lies inside text which another one replaces as a whole."""
    ordered = sorted(set(edits), key=lambda e: (e.start, -e.end))
    kept: list[Edit] = []
    reach = -1
    for edit in ordered:
        if edit.end <= reach and edit.start < reach and not (edit.start == edit.end == reach):
            continue
        kept.append(edit)
        reach = max(reach, edit.end)
    return kept
