"""What requests of whole waves fetch: sectors or lines of global memory, passes over banks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossport.ir.facts.hardware import GpuTarget

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Counts:
    """Sums over requests.

    segments: pieces of global memory touched (sectors, lines); ideal: the fewest that hold the
    bytes asked for. passes: cycles of shared memory; ideal_passes: without bank conflicts.
    used: distinct bytes asked for; lanes: lanes that took part.
    """

    requests: int = 0
    segments: int = 0
    ideal: int = 0
    passes: int = 0
    ideal_passes: int = 0
    used: int = 0
    lanes: int = 0

    def add(self, other: Counts) -> None:
        """Sum up."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def segments_per_request(self) -> float:
        """Mean segments a request."""
        return self.segments / self.requests if self.requests else 0.0

    @property
    def passes_per_request(self) -> float:
        """Mean shared memory cycles a request."""
        return self.passes / self.requests if self.requests else 0.0

    @property
    def conflicts(self) -> int:
        """Shared memory cycles lost to bank conflicts."""
        return self.passes - self.ideal_passes


def global_counts(offset: Ints, size: int, wave: Ints, target: GpuTarget) -> Counts:
    """Segments that the requests of several wavefronts touch; `offset` in bytes."""
    segment = target.segment
    first, last = offset // segment, (offset + size - 1) // segment
    key = wave * (1 << 40) + first
    touched = np.unique(key)
    crossing = last != first
    if crossing.any():
        touched = np.unique(np.concatenate([touched, (wave * (1 << 40) + last)[crossing]]))
    requests, lanes = np.unique(wave, return_counts=True)
    places = np.unique(wave * (1 << 44) + offset)
    each = np.bincount(np.searchsorted(requests, places >> 44), minlength=len(requests)) * size
    ideal = np.maximum(-(-each // segment), 1)
    return Counts(
        len(requests), len(touched), int(ideal.sum()), used=int(each.sum()), lanes=int(lanes.sum())
    )


def shared_counts(offset: Ints, size: int, lanes: Ints, wave: Ints, target: GpuTarget) -> Counts:
    """Cycles over the banks for the requests of several wavefronts.

    A request goes in parts of as many lanes as fill the banks once: halves of a warp for 8 bytes a
    lane, quarters for 16. NVIDIA joins two neighbouring parts into one where every lane wants the
    same as lane ^ 1, or every lane the same as lane ^ 2 (a broadcast float4 takes 2 cycles, not 4).
    """
    words = max(1, size // target.bank_bytes)
    part_lanes = max(1, min(32, target.banks) // words)
    lane = lanes % target.wave
    part = (wave << 8) + lane // part_lanes
    parts = len(np.unique(part))
    if words > 1 and target.vendor == "nvidia":
        part = _joined(offset, lane, wave, part_lanes)
    word = offset[:, None] // target.bank_bytes + np.arange(words)[None, :]
    group = np.broadcast_to(part[:, None], word.shape)
    # Lanes that want the same word share it.
    distinct = np.unique((group.reshape(-1) << 32) + word.reshape(-1))
    groups, banks = distinct >> 32, (distinct & ((1 << 32) - 1)) % target.banks
    pairs, load = np.unique((groups << 8) + banks, return_counts=True)
    start = np.unique(pairs >> 8, return_index=True)[1]
    passes = int(np.maximum.reduceat(load, start).sum())
    return Counts(
        len(np.unique(wave)),
        passes=passes,
        ideal_passes=min(parts, passes),
        used=len(distinct) * target.bank_bytes,
        lanes=len(lanes),
    )


def _joined(offset: Ints, lane: Ints, wave: Ints, part_lanes: int) -> Ints:
    """The part of each lane, neighbouring parts joined where NVIDIA joins them."""
    pair = (wave << 8) + lane // (2 * part_lanes)
    order = np.argsort((wave << 8) + lane)
    keys = ((wave << 8) + lane)[order]
    values = offset[order]
    joins = np.zeros(len(lane), bool)
    groups, member = np.unique(pair, return_inverse=True)
    good_any = np.zeros(len(groups), bool)
    for step in (1, 2):
        partner = (wave << 8) + (lane ^ step)
        at = np.clip(np.searchsorted(keys, partner), 0, len(keys) - 1)
        alike = (keys[at] != partner) | (values[at] == offset)
        bad = np.bincount(member, weights=~alike, minlength=len(groups))
        good_any |= bad == 0
    joins = good_any[member]
    return np.where(joins, pair << 1, (wave << 9) + (lane // part_lanes) * 2 + 1)
