"""The state of one chunk of blocks while it runs: lanes, memory, findings, limits.

    lane        0 1 2 3 ... 31 | 32 ... 63 | 64 ...        lanes of block 0, then of block 1, ...
                warp 0           warp 1      (the last warp of a block is padded with idle lanes)

Generated code calls the methods here; all lanes of all blocks in the chunk go in lock-step, so that
a barrier has nothing to do but to check that a block meets at it whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError, Severity
from crossport.ir.interpreter.code import Site
from crossport.ir.interpreter.formats import format_c
from crossport.ir.interpreter.kinds import Kind
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.memory import HALF, ID_SHIFT, OFFSET_MASK, MemoryObject
from crossport.ir.interpreter.report import Checks, Finding, ThreadId
from crossport.ir.interpreter.windows import Windows

if TYPE_CHECKING:
    from crossport.ir.interpreter.compile_module import CompiledModule

Dim3 = tuple[int, int, int]

MAX_DEPTH = 128
"""Nested calls that a thread may make; CUDA's stack ends somewhere there too."""

IDLE_ROUNDS = 20_000
"""Rounds of a waiting loop without any change of memory or of the lanes in it."""


class Watch(Protocol):
    """Someone who looks at every access (checks.py, traces)."""

    def read(self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, site: int) -> None:
        """A load."""

    def write(
        self, target: MemoryObject, mask: Mask, j: Any, value: Any, kind: Kind, site: int
    ) -> None:
        """A store."""

    def atomic(
        self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, scope: str, site: int
    ) -> None:
        """An atomic."""

    def barrier(self, mask: Mask, scope: str) -> None:
        """A barrier of the lanes' blocks."""

    def fence(self, mask: Mask) -> None:
        """A fence that other blocks can rely on."""

    def forget(self, target: MemoryObject, mask: Mask) -> None:
        """A local variable begins a new life."""

    def attach(self, runtime: Runtime) -> None:
        """A chunk begins."""


class NoProgress(Exception):
    """Lanes wait for something that cannot happen while they run side by side like this."""

    def __init__(self, site: str) -> None:
        super().__init__(site)


class Launched:
    """A launch from the device, waiting for its parent to finish."""

    __slots__ = ("args", "block", "grid", "kernel", "shared_bytes")

    def __init__(
        self, kernel: str, grid: Dim3, block: Dim3, shared_bytes: int, args: list[Any]
    ) -> None:
        self.kernel, self.grid, self.block = kernel, grid, block
        self.shared_bytes, self.args = shared_bytes, args


class World:
    """What outlives a chunk: global memory, findings, output, the clock."""

    def __init__(self, checks: Checks, time_limit: float) -> None:
        self.checks = checks
        self.objects: dict[int, MemoryObject] = {}
        self.globals: dict[str, MemoryObject] = {}
        self.handles: list[Any] = [None]
        self.findings: dict[tuple[str, int], Finding] = {}
        self.output: list[str] = []
        self.queue: list[Launched] = []
        self.next_id = 1
        self.deadline = time.monotonic() + time_limit
        self.time_limit = time_limit
        self.ticks = 0
        self.state: dict[Any, Any] = {}


class Runtime:
    """One chunk of blocks."""

    def __init__(
        self,
        world: World,
        code: CompiledModule,
        grid: Dim3,
        block: Dim3,
        blocks: NDArray[np.int64],
        width: int,
        shared_bytes: int,
        watch: Watch | None,
    ) -> None:
        self.world = world
        self.code = code
        self.sites: list[Site] = code.sites
        self.checks = world.checks
        self.objects = world.objects
        self.windows = Windows()
        self.globals = world.globals
        self.watch = watch
        self.width = width
        self.grid, self.block, self.blocks = grid, block, blocks
        self.shared_bytes = shared_bytes
        self.threads = block[0] * block[1] * block[2]
        self.warps = -(-self.threads // width)
        self.padded = self.warps * width
        self.lanes = self.padded * len(blocks)
        self.lane = np.arange(self.lanes, dtype=np.int64)
        self.lane_in_warp = self.lane % width
        self.warp_base = self.lane - self.lane_in_warp
        self.thread = self.lane % self.padded
        self.slot = self.lane // self.padded
        inside = self.thread < self.threads
        self.start: Mask = True if self.threads == self.padded else inside
        self.alive: Mask = self.start
        self.version = 0
        self.depth = 0
        self.waits: list[list[Any]] = []
        self.shared: dict[str, MemoryObject] = {}
        self.special = self._special()
        self.local_ids: list[int] = []

    def _special(self) -> dict[str, Any]:
        u32 = np.uint32
        bx, by, bz = self.block
        gx, gy, _ = self.grid
        thread = self.thread
        linear = self.blocks[self.slot] if len(self.blocks) > 1 else self.blocks[0]

        def lanes(values: Any, extent: int) -> Any:
            if extent == 1:
                return u32(0)
            return values.astype(u32)

        return {
            "thread.x": lanes(thread % bx, bx),
            "thread.y": lanes(thread // bx % by, by),
            "thread.z": lanes(thread // (bx * by), bz),
            "block.x": lanes(linear % gx, gx),
            "block.y": lanes(linear // gx % gy, gy),
            "block.z": lanes(linear // (gx * gy), self.grid[2]),
            "block_dim.x": u32(bx), "block_dim.y": u32(by), "block_dim.z": u32(bz),
            "grid_dim.x": u32(gx), "grid_dim.y": u32(gy), "grid_dim.z": u32(self.grid[2]),
            "warp_size": np.int32(self.width),
            "lane_id": self.lane_in_warp.astype(u32),
            "warp_id": lanes(thread // self.width, self.warps),
        }  # fmt: skip

    # --- memory

    def new_id(self) -> int:
        """A number for a new object."""
        self.world.next_id += 1
        return self.world.next_id

    def new_local(self, name: str, size: int) -> MemoryObject:
        """A variable of which each lane has its own."""
        stride = -(-max(size, 1) // 16) * 16 if size > 8 else 8
        buffer = np.zeros(stride * self.lanes, np.uint8)
        made = MemoryObject(self, name, "local", buffer, size, self.lanes, self.lane)
        self.objects[made.id] = made
        self.local_ids.append(made.id)
        return made

    def new_shared(self, name: str, size: int) -> MemoryObject:
        """A variable of which each block has its own."""
        stride = -(-max(size, 1) // 16) * 16
        buffer = np.zeros(stride * len(self.blocks), np.uint8)
        made = MemoryObject(self, name, "shared", buffer, size, len(self.blocks), self.slot)
        self.objects[made.id] = made
        self.local_ids.append(made.id)
        return made

    def close(self) -> None:
        """Forget the objects of this chunk."""
        for identity in self.local_ids:
            self.objects.pop(identity, None)

    # --- findings

    def thread_at(self, lane: int) -> ThreadId:
        """Which thread a lane is."""
        bx, by, _ = self.block
        gx, gy, _ = self.grid
        t, b = int(self.thread[lane]), int(self.blocks[self.slot[lane]])
        return ThreadId(
            (b % gx, b // gx % gy, b // (gx * gy)), (t % bx, t // bx % by, t // (bx * by))
        )

    def finding(self, kind: str, site: int, lanes: Any, message: str, **more: Any) -> Finding:
        """Keep a finding, the first of its kind at a place."""
        where = np.flatnonzero(lanes_of(lanes, self.lanes))
        span = self.sites[site].span if site < len(self.sites) else None
        found = Finding(
            kind, message, span, self.thread_at(int(where[0])) if where.size else None,
            count=max(1, int(where.size)), **more,
        )  # fmt: skip
        self.world.findings.setdefault((kind, site), found)
        return found

    def fault(self, kind: str, site: int, lanes: Any, message: str) -> None:
        """A finding that ends the launch, unless the checks say to go on."""
        found = self.finding(kind, site, lanes, message)
        if not self.checks.stop_on_fault:
            return
        raise PortError(
            Diagnostic(
                DiagnosticCode.KERNEL_FAULT,
                f"{found.message} ({found.thread})",
                span=found.span,
                severity=Severity.ERROR,
            )
        )

    def out_of_bounds(
        self, target: MemoryObject, mask: Mask, j: Any, kind: Kind, site: int, what: str
    ) -> None:
        """An access outside its object."""
        if type(j) is ndarray:
            j = j[np.flatnonzero(lanes_of(mask, self.lanes))[0]]
        state = "which was freed" if target.is_free else f"which has {target.size} bytes"
        self.fault(
            "out-of-bounds", site, mask,
            f"{what} of {kind.size} bytes at byte {int(j) * kind.size} of {target.space} "
            f"{target.name}, {state}",
        )  # fmt: skip

    def bad_pointer(self, mask: Mask, pointer: Any, site: int, what: str) -> None:
        """An access through a pointer to nothing."""
        if type(pointer) is ndarray:
            pointer = pointer[np.flatnonzero(lanes_of(mask, self.lanes))[0]]
        name = "the null pointer" if int(pointer) == 0 else f"{hex(int(pointer))}, not an address"
        self.fault("bad-pointer", site, mask, f"{what} through {name}")

    # --- control

    def tick(self) -> None:
        """One round of a loop; now and then look at the clock."""
        self.world.ticks += 1
        if self.world.ticks & 255 == 0 and time.monotonic() > self.world.deadline:
            raise PortError(
                Diagnostic(
                    DiagnosticCode.NO_PROGRESS,
                    f"the kernel did not finish within {self.world.time_limit:g} s here",
                    help="interpret a smaller launch, or raise time_limit",
                )
            )

    def enter_wait(self) -> None:
        """A loop begins that may wait for other threads."""
        self.waits.append([None, -1, 0])

    def leave_wait(self) -> None:
        """It ends."""
        self.waits.pop()

    def wait(self, mask: Mask) -> None:
        """One round of such a loop: does anything change at all?"""
        self.tick()
        state = self.waits[-1]
        if state[0] is mask and state[1] == self.version:
            state[2] += 1
            if state[2] > IDLE_ROUNDS:
                raise NoProgress(self.code.kernel.name)
        else:
            state[0], state[1], state[2] = mask, self.version, 0

    def call(self, function: Callable[..., Any], mask: Mask, *args: Any) -> Any:
        """A device function."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PortError(
                Diagnostic(
                    DiagnosticCode.KERNEL_FAULT,
                    f"calls nest deeper than {MAX_DEPTH}",
                    span=self.code.kernel.span,
                )
            )
        before = len(self.local_ids)
        result = function(self, mask, *args)
        for identity in self.local_ids[before:]:
            self.objects.pop(identity, None)
        del self.local_ids[before:]
        self.depth -= 1
        return result

    def call_handle(self, mask: Mask, handle: Any, args: tuple[Any, ...], site: int) -> Any:
        """A device function through a pointer; lanes are grouped by the function."""
        if type(handle) is not ndarray:
            return self._call_one(mask, int(handle), args, site)
        every = lanes_of(mask, self.lanes)
        result: list[Any] = []
        for value in np.unique(handle[every]):
            lanes = every & (handle == value)
            part = self._call_one(lanes, int(value), args, site)
            if part is None:
                continue
            result = [
                np.where(lanes, new, old) for new, old in zip(part, result or part, strict=True)
            ]
        return tuple(result)

    def _call_one(self, mask: Mask, handle: int, args: tuple[Any, ...], site: int) -> Any:
        function = self.code.by_handle(handle)
        if function is None:
            self.fault("bad-pointer", site, mask, "call through a pointer to no function")
            return None
        return self.call(self.code.python_function(function.name), mask, *args)

    def leave_kernel(self, mask: Mask) -> None:
        """Threads end."""
        alive = lanes_of(self.alive, self.lanes) & ~lanes_of(mask, self.lanes)
        self.alive = alive

    # --- synchronisation

    def barrier(self, mask: Mask, scope: str, site: int) -> None:
        """`__syncthreads()`: all threads of a block that still run must be here."""
        if mask is not self.alive and self.checks.barriers:
            here = lanes_of(mask, self.lanes).reshape(-1, self.padded)
            alive = lanes_of(self.alive, self.lanes).reshape(-1, self.padded)
            missing = (alive & ~here) & here.any(1, keepdims=True)
            if missing.any():
                self.finding(
                    "barrier", site, missing.reshape(-1),
                    "a thread does not reach a barrier that others of its block wait at",
                )  # fmt: skip
        if self.watch is not None:
            self.watch.barrier(mask, scope)

    def barrier_reduce(self, mask: Mask, how: str, predicate: Any, site: int) -> Any:
        """`__syncthreads_count`, `_and`, `_or`."""
        self.barrier(mask, "block", site)
        active = lanes_of(mask, self.lanes).reshape(-1, self.padded)
        true = np.broadcast_to(np.asarray(predicate != 0), self.lanes).reshape(-1, self.padded)
        if how == "count":
            answer = (true & active).sum(1)
        elif how == "and":
            answer = (true | ~active).all(1)
        else:
            answer = (true & active).any(1)
        if len(self.blocks) == 1:
            return np.int32(answer[0])
        return answer.astype(np.int32)[self.slot]

    def sync_warp(self, mask: Mask, members: Any, width: Any, site: int) -> None:
        """`__syncwarp()`: lanes of a warp are in step anyway."""
        if self.watch is not None:
            self.watch.barrier(mask, "warp")

    def fence(self, mask: Mask, scope: str) -> None:
        """`__threadfence()`: stores are seen at once anyway."""
        if self.watch is not None and scope != "block":
            self.watch.fence(mask)

    # --- reports

    def print(self, mask: Mask, text: str, values: tuple[Any, ...]) -> None:
        """`printf`, lane by lane in ascending order."""
        for lane in np.flatnonzero(lanes_of(mask, self.lanes)):
            self.world.output.append(
                format_c(text, [v[lane] if type(v) is ndarray else v for v in values])
            )

    def check_assert(self, mask: Mask, condition: Any, text: str, site: int) -> None:
        """`assert`."""
        wrong = lanes_of(mask, self.lanes) & ~np.asarray(condition, bool)
        if wrong.any():
            self.fault("assert", site, wrong, f"assertion failed: {text}")

    def trap(self, mask: Mask, site: int) -> None:
        """`__trap()`."""
        self.fault("trap", site, mask, "the kernel traps")

    def launch(
        self, mask: Mask, kernel: str, shape: tuple[Any, ...], args: tuple[Any, ...], site: int
    ) -> None:
        """A launch from the device: it starts when the parent grid has finished."""
        for lane in np.flatnonzero(lanes_of(mask, self.lanes)):
            sizes = [int(v[lane]) if type(v) is ndarray else int(v) for v in shape]
            values = [v[lane] if type(v) is ndarray else v for v in args]
            grid, block = (sizes[0], sizes[1], sizes[2]), (sizes[3], sizes[4], sizes[5])
            self.world.queue.append(Launched(kernel, grid, block, sizes[6], values))

    # --- bytes, for memcpy and the like

    def locate_one(self, address: int) -> tuple[MemoryObject, int] | None:
        """The object and byte offset of one address."""
        target = self.objects.get(address >> ID_SHIFT)
        if target is None:
            return None
        return target, (address & OFFSET_MASK) - HALF
