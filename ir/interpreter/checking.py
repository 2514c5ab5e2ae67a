"""Races and uninitialised reads, from shadow cells beside every object.

    s[t] = x; y = s[t + 1];        RAW: thread 1 wrote s[1], thread 0 reads it in the same phase

A cell remembers its last writer and its last reader: thread, phase (how many barriers the block had
passed) and place. Two accesses to a cell by different threads conflict if one of them writes and no
barrier lies between; if both are atomic they do not. Threads of one warp are exempt unless
`Checks.warp_races`, since lock-step orders them; then each `__syncwarp` starts a new phase for its
warp. Two threads of one statement that write different values to a cell conflict in any case.

Between blocks a grid barrier orders, and so does a hand-over: the writer's block passes a
`__threadfence` and then an atomic, the other block then makes an atomic too. That the second atomic
has seen the first is taken for granted.

Cells are as wide as the narrowest access to the object so far.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.ir.interpreter.arguments import Bound
from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import MemoryObject
from crossport.ir.interpreter.report import Checks, ThreadId
from crossport.ir.interpreter.runtime import Runtime, World

Ints = NDArray[np.int64]

NOBODY, MANY = -1, -(2**62)

PHASE = 24
"""Bits of a phase that count `__syncwarp`s; the bits above count barriers."""


class _Shadow:
    """The cells of one object."""

    def __init__(self, target: MemoryObject, width: int, starts_empty: bool) -> None:
        self.width = width
        count = -(-len(target.buffer) // width)
        self.writer = np.full(count, NOBODY, np.int64)
        self.write_phase = np.zeros(count, np.int64)
        self.write_site = np.zeros(count, np.int64)
        self.write_atomic = np.zeros(count, bool)
        self.write_time = np.zeros(count, np.int64)
        self.read_time = np.zeros(count, np.int64)
        self.reader = np.full(count, NOBODY, np.int64)
        self.read_phase = np.zeros(count, np.int64)
        self.read_site = np.zeros(count, np.int64)
        self.written = np.full(count, not starts_empty, bool)

    def refine(self, width: int) -> None:
        """Narrower cells, each with what the wide one knew."""
        times = self.width // width
        for name in (
            "writer", "write_phase", "write_site", "write_atomic", "write_time", "reader",
            "read_phase", "read_site", "read_time", "written",
        ):  # fmt: skip
            setattr(self, name, np.repeat(getattr(self, name), times))
        self.width = width


class CheckingWatch:
    """Looks at every access of a launch."""

    def __init__(self, world: World, checks: Checks, bound: Bound) -> None:
        self.world, self.checks = world, checks
        self.shadows: dict[int, _Shadow] = {}
        self.rt: Runtime
        self.thread: Ints
        self.phase: Ints
        self.warp: Ints
        self.epoch = 0
        self.clock = 0
        # By block: when it last fenced, and when it last made an atomic, after a fence or not.
        self.fenced: dict[int, int] = {}
        self.released: dict[int, int] = {}
        self.acquired: dict[int, int] = {}
        self.empty = {bound.arrays[i][1].id for i in checks.outputs if i in bound.arrays}

    def attach(self, runtime: Runtime) -> None:
        """A chunk begins: its lanes get their thread numbers."""
        self.rt = runtime
        per_block = runtime.padded
        block = runtime.blocks[runtime.slot]
        self.thread = block * per_block + runtime.thread
        self.block = block
        self.warp = self.thread // runtime.width
        self.per_block = per_block
        self.phase = np.full(runtime.lanes, self.epoch, np.int64)

    # --- events

    def barrier(self, mask: Mask, scope: str) -> None:
        """Lanes at a barrier enter a new phase."""
        if scope == "warp" and not self.checks.warp_races:
            return
        lanes = lanes_of(mask, self.rt.lanes)
        if scope == "warp":
            # Only the low half moves: it orders the lanes of a warp, not those of a block.
            self.phase = np.where(lanes, self.phase + 1, self.phase)
            return
        self.phase = np.where(lanes, ((self.phase >> PHASE) + 1) << PHASE, self.phase)
        if scope == "grid":
            self.epoch = ((int(self.phase.max()) >> PHASE) + 1) << PHASE
            for shadow in self.shadows.values():
                shadow.writer[:] = NOBODY
                shadow.reader[:] = NOBODY

    def fence(self, mask: Mask) -> None:
        """What these blocks wrote before is ready to be handed over."""
        self.clock += 1
        for block in np.unique(self.block[lanes_of(mask, self.rt.lanes)]):
            self.fenced[int(block)] = self.clock

    def forget(self, target: MemoryObject, mask: Mask) -> None:
        """A local variable is declared again."""
        shadow = self.shadows.get(target.id)
        if shadow is None or not self.checks.uninitialised:
            return
        lanes = lanes_of(mask, self.rt.lanes)
        shadow.written.reshape(target.instances, -1)[lanes] = False

    def read(self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, site: int) -> None:
        """A load."""
        lanes, cells, shadow = self._cells(target, mask, j, kind)
        if self.checks.uninitialised and target.space != "constant":
            missing = ~shadow.written[cells]
            if missing.any():
                who = lanes[np.flatnonzero(missing.any(1) if missing.ndim > 1 else missing)]
                self._report("uninitialised", site, who, f"read of {target.name} before any write")
        if self.checks.races and target.space in ("shared", "global"):
            self._conflicts(target, shadow, lanes, cells, site, "read", is_atomic=False)
            self._note_read(shadow, lanes, cells, site)

    def write(
        self, target: MemoryObject, mask: Mask, j: Any, value: Any, kind: Kind, site: int
    ) -> None:
        """A store."""
        lanes, cells, shadow = self._cells(target, mask, j, kind)
        shadow.written[cells] = True
        if self.checks.races and target.space in ("shared", "global"):
            self._same_statement(target, lanes, cells, value, site)
            self._conflicts(target, shadow, lanes, cells, site, "write", is_atomic=False)
            self._note_write(shadow, lanes, cells, site, is_atomic=False)

    def atomic(
        self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, scope: str, site: int
    ) -> None:
        """An atomic reads and writes; atomics do not conflict with each other."""
        lanes, cells, shadow = self._cells(target, mask, j, kind)
        if self.checks.uninitialised:
            missing = ~shadow.written[cells]
            if missing.any():
                who = lanes[np.flatnonzero(missing.any(1))]
                self._report(
                    "uninitialised", site, who, f"atomic on {target.name} before any write"
                )
            shadow.written[cells] = True
        if self.checks.races and target.space in ("shared", "global"):
            self.clock += 1
            for block in np.unique(self.block[lanes]):
                self.acquired[int(block)] = self.clock
                if int(block) in self.fenced:
                    self.released[int(block)] = self.fenced[int(block)]
            self._conflicts(target, shadow, lanes, cells, site, "write", is_atomic=True)
            self._note_write(shadow, lanes, cells, site, is_atomic=True)

    # --- cells

    def _cells(
        self, target: MemoryObject, mask: Mask, j: Any, kind: Kind
    ) -> tuple[Ints, Ints, _Shadow]:
        """(lanes that take part, their cells as a (lanes, cells of one access) matrix, shadow)."""
        shadow = self.shadows.get(target.id)
        if shadow is None:
            empty = target.space in ("shared", "local") or target.id in self.empty
            if target.name.startswith("malloc("):
                empty = True
            shadow = self.shadows[target.id] = _Shadow(target, kind.size, empty)
        elif kind.size < shadow.width:
            shadow.refine(kind.size)
        lanes = np.flatnonzero(lanes_of(mask, self.rt.lanes))
        flat = target.flat(j, kind)
        at = flat[lanes] if type(flat) is ndarray else np.full(len(lanes), flat, np.int64)
        times = kind.size // shadow.width
        cells = at[:, None] * times + np.arange(times)
        return lanes, cells, shadow

    def _note_read(self, shadow: _Shadow, lanes: Ints, cells: Ints, site: int) -> None:
        thread = np.broadcast_to(self.thread[lanes][:, None], cells.shape)
        phase = np.broadcast_to(self.phase[lanes][:, None], cells.shape)
        warp = np.broadcast_to(self.warp[lanes][:, None], cells.shape)
        old = shadow.reader[cells]
        again = (old != NOBODY) & (old != thread) & (shadow.read_phase[cells] == phase)
        value = np.where(again, self._together(old, warp), thread)
        shadow.reader[cells] = value
        # Several lanes of this statement at one cell: only one of them was kept.
        lost = shadow.reader[cells] != value
        if lost.any():
            both = self._together(shadow.reader[cells], warp)[lost]
            both = np.where(value[lost] == MANY, MANY, both)
            where = cells[lost]
            shadow.reader[where] = both
            shadow.reader[where[both == MANY]] = MANY
        shadow.read_phase[cells] = phase
        shadow.read_site[cells] = site
        self.clock += 1
        shadow.read_time[cells] = self.clock

    def _together(self, other: Ints, warp: Ints) -> Ints:
        """Readers in one warp are kept as -(warp + 2); readers in several as MANY."""
        theirs = np.where(other >= 0, other // self.rt.width, -other - 2)
        same = (other != MANY) & (theirs == warp)
        return np.where(same, -warp - 2, MANY)

    def _note_write(
        self, shadow: _Shadow, lanes: Ints, cells: Ints, site: int, *, is_atomic: bool
    ) -> None:
        shadow.writer[cells] = self.thread[lanes][:, None]
        shadow.write_phase[cells] = self.phase[lanes][:, None]
        shadow.write_site[cells] = site
        shadow.write_atomic[cells] = is_atomic
        self.clock += 1
        shadow.write_time[cells] = self.clock

    # --- conflicts

    def _conflicts(
        self, target: MemoryObject, shadow: _Shadow, lanes: Ints, cells: Ints, site: int,
        what: str, *, is_atomic: bool,
    ) -> None:  # fmt: skip
        writer = shadow.writer[cells]
        clash = self._unordered(
            target, lanes, writer, shadow.write_phase[cells], shadow.write_time[cells]
        )
        if is_atomic:
            clash &= ~shadow.write_atomic[cells]
        if clash.any():
            after = "a read" if what == "read" else "a write"
            self._report_pair(target, lanes, clash, writer, shadow.write_site[cells], site,
                              f"{after} of {target.name} races with a write")  # fmt: skip
        if what == "read":
            return
        reader = shadow.reader[cells]
        clash = self._unordered(
            target, lanes, reader, shadow.read_phase[cells], shadow.read_time[cells]
        )
        if clash.any():
            self._report_pair(target, lanes, clash, reader, shadow.read_site[cells], site,
                              f"a write of {target.name} races with a read")  # fmt: skip

    def _unordered(
        self, target: MemoryObject, lanes: Ints, other: Ints, phase: Ints, time: Ints
    ) -> Any:
        """Where another thread's access is not ordered before this one."""
        mine = self.thread[lanes][:, None]
        now, warp = self.phase[lanes][:, None], self.warp[lanes][:, None]
        same_block = (other // self.per_block) == self.block[lanes][:, None]
        same_warp = (other // self.rt.width) == warp
        same_phase = np.where(same_warp, phase == now, (phase >> PHASE) == (now >> PHASE))
        different = (other >= 0) & (other != mine)
        if not self.checks.warp_races:
            different &= ~same_warp
        clash = different & np.where(same_block, same_phase, target.space == "global")
        if (clash & ~same_block).any():
            clash &= ~self._handed_over(lanes, other, time, clash & ~same_block)
        # Several readers: at least one of them is another thread.
        in_phase = (phase >> PHASE) == (now >> PHASE)
        several = (other < NOBODY) & in_phase
        if not self.checks.warp_races:
            several &= (other == MANY) | (-other - 2 != warp)
        return clash | several

    def _handed_over(self, lanes: Ints, other: Ints, time: Ints, where: Any) -> Any:
        """Where the other block released its access and this one acquired after that."""
        found = np.zeros(where.shape, bool)
        for row, column in np.argwhere(where):
            theirs = int(other[row, column]) // self.per_block
            released = self.released.get(theirs, -1)
            acquired = self.acquired.get(int(self.block[lanes[row]]), -1)
            found[row, column] = released > time[row, column] and acquired > released
        return found

    def _same_statement(
        self, target: MemoryObject, lanes: Ints, cells: Ints, value: Any, site: int
    ) -> None:
        first = cells[:, 0]
        order = np.argsort(first, kind="stable")
        sorted_cells = first[order]
        equal = sorted_cells[1:] == sorted_cells[:-1]
        if not equal.any():
            return
        if type(value) is not ndarray:
            return
        written = value[lanes][order]
        differ = equal & (written[1:] != written[:-1])
        if differ.any():
            at = int(np.flatnonzero(differ)[0])
            first_lane, second_lane = lanes[order[at]], lanes[order[at + 1]]
            self._found(
                "race", site, [int(first_lane)],
                f"two threads write different values to one address of {target.name} at once",
                self.rt.thread_at(int(second_lane)), site,
            )  # fmt: skip

    # --- findings

    def _thread_id(self, number: int) -> ThreadId | None:
        if number < 0:
            return None
        bx, by, _ = self.rt.block
        gx, gy, _ = self.rt.grid
        b, t = divmod(number, self.per_block)
        return ThreadId(
            (b % gx, b // gx % gy, b // (gx * gy)), (t % bx, t // bx % by, t // (bx * by))
        )

    def _report_pair(
        self, target: MemoryObject, lanes: Ints, clash: Any, others: Ints, sites: Ints,
        site: int, message: str,
    ) -> None:  # fmt: skip
        row, column = np.argwhere(clash)[0]
        other = self._thread_id(int(others[row, column]))
        count = int(clash.any(1).sum())
        self._found("race", site, [int(lanes[row])], message, other, int(sites[row, column]), count)

    def _report(self, kind: str, site: int, who: Ints, message: str) -> None:
        self._found(kind, site, [int(w) for w in who], message, None, None)

    def _found(
        self, kind: str, site: int, who: list[int], message: str, other: ThreadId | None,
        other_site: int | None, count: int = 1,
    ) -> None:  # fmt: skip
        mask = np.zeros(self.rt.lanes, bool)
        mask[who] = True
        span = None
        if other_site is not None and other_site < len(self.rt.sites):
            span = self.rt.sites[other_site].span
        self.rt.finding(kind, site, mask, message, other=other, other_span=span)
