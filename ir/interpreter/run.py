"""Run a kernel of the thread IR on NumPy arrays.

    report = run(module, "saxpy", grid=4, block=256, args=[x, y, np.float32(2), 1000])

Arrays are updated in place. Blocks run in chunks of some ten thousand lanes, a chunk in lock-step,
chunks in ascending block order. Where blocks wait for each other (a grid barrier; a spin loop that
does not get on), all blocks run in one chunk, or one after the other, whichever finishes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from crossport.diagnostics import Code as DiagnosticCode
from crossport.diagnostics import Diagnostic, PortError
from crossport.ir.interpreter.analysis import constant, may_wait
from crossport.ir.interpreter.arguments import Bound, bind_arguments, bind_globals
from crossport.ir.interpreter.compile_module import CompiledModule, Options, compiled
from crossport.ir.interpreter.report import Checks, RunReport
from crossport.ir.interpreter.runtime import Dim3, NoProgress, Runtime, Watch, World
from crossport.ir.nodes import Atomic, Barrier, DoWhile, For, Function, Module, While, walk
from crossport.ir.types import Array

CHUNK_LANES = 32_768
RETRY_LANES = 4_096
MAX_LANES = 1 << 22
MAX_CHILDREN = 65_536


def run(
    module: Module,
    kernel: str,
    grid: int | Sequence[int],
    block: int | Sequence[int],
    args: Sequence[Any],
    *,
    shared_bytes: int = 0,
    warp_size: int = 32,
    mode: Literal["exact", "oracle"] = "exact",
    contract: bool = False,
    single_sums: bool = False,
    checks: Checks | None = None,
    globals_: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    time_limit: float = 600.0,
    blocks: range | None = None,
) -> RunReport:
    """Launch `kernel<<<grid, block, shared_bytes>>>(*args)`.

    args: an array for a pointer (None: null), a number for a scalar; a struct as a tuple of its
    fields, a NumPy record or bytes; several pointers in an array as a list of arrays.
    contract: fuse `a * b + c` within one expression to one rounding, as nvcc does by default.
    single_sums: sums of matrix products in float, one product after the other (see Options).
    globals_: arrays for `__device__` and `__constant__` variables by name, updated in place.
    blocks: run only these, counted through the grid; for finding out who does what.
    Raises PortError for a launch that does not fit, a fault (see Checks), or what has no meaning.
    """
    began = time.perf_counter()
    checks = checks or Checks()
    options = Options(mode == "oracle", contract, checks.uninitialised, single_sums)
    code = compiled(module, kernel, options)
    world = World(checks, time_limit)
    report = RunReport()
    with np.errstate(all="ignore"):
        launcher = _Launcher(module, world, warp_size, mode == "oracle", watch, blocks)
        bind_globals(code, world, globals_ or {})
        bound = bind_arguments(code, world, args, kernel)
        if checks.needs_watch and watch is None:
            from crossport.ir.interpreter.checking import CheckingWatch

            launcher.watch = CheckingWatch(world, checks, bound)
        try:
            launcher.launch(code, dim3(grid), dim3(block), shared_bytes, bound.values)
            while world.queue:
                child = world.queue.pop(0)
                report.launches += 1
                if report.launches > MAX_CHILDREN:
                    raise _error(f"more than {MAX_CHILDREN} launches from the device")
                inner = compiled(module, child.kernel, options)
                launcher.launch(inner, child.grid, child.block, child.shared_bytes, child.args)
        finally:
            bound.write_back()
    report.findings = list(world.findings.values())
    report.output = "".join(world.output)
    report.oracle = bound.oracle_arrays() if mode == "oracle" else {}
    report.seconds = time.perf_counter() - began
    return report


def dim3(value: int | Sequence[int]) -> Dim3:
    """A launch dimension: a number, or one to three."""
    parts = [int(value)] if isinstance(value, int | np.integer) else [int(v) for v in value]
    if not 1 <= len(parts) <= 3 or min(parts) < 1:
        raise _error(f"a grid or block of {value}")
    parts += [1] * (3 - len(parts))
    return parts[0], parts[1], parts[2]


def _error(message: str) -> PortError:
    return PortError(Diagnostic(DiagnosticCode.BAD_LAUNCH, message))


class _Launcher:
    """Launches kernels into one world."""

    def __init__(
        self, module: Module, world: World, width: int, oracle: bool, watch: Watch | None,
        only: range | None = None,
    ) -> None:  # fmt: skip
        if width not in (1, 2, 4, 8, 16, 32, 64):
            raise _error(f"a warp of {width} lanes")
        self.module, self.world, self.width, self.watch = module, world, width, watch
        self.only = only

    def launch(
        self, code: CompiledModule, grid: Dim3, block: Dim3, shared_bytes: int, values: list[Any]
    ) -> None:
        """One grid, start to end."""
        threads = block[0] * block[1] * block[2]
        if threads > 1024:
            raise _error(f"{threads} threads in a block; CUDA has at most 1024")
        total = grid[0] * grid[1] * grid[2]
        padded = -(-threads // self.width) * self.width
        fit = max(1, CHUNK_LANES // padded)
        whole = max(1, MAX_LANES // padded)
        plans: list[int]
        if any(
            isinstance(n, Barrier) and n.scope != "block" for f in code.reached for n in walk(f)
        ):
            if total > whole:
                raise _error(f"a grid barrier over {total} blocks is too large here")
            plans = [total]
        elif waits(code.reached):
            # Locks want blocks one by one; flags that blocks set for each other want all at once.
            few = max(1, RETRY_LANES // padded)
            first = (
                [1, few] if locks(code.reached) else [few, 1] if retries(code.reached) else [fit]
            )
            wanted = (min(p, total) for p in (*first, fit, 1, whole))
            plans = list(dict.fromkeys(wanted))
        else:
            plans = [min(fit, total)]
        saved = self._save() if len(plans) > 1 else {}
        for attempt, size in enumerate(plans):
            try:
                self._run_chunks(code, grid, block, shared_bytes, values, total, size)
                return
            except NoProgress:
                if attempt == len(plans) - 1:
                    raise PortError(
                        Diagnostic(
                            DiagnosticCode.NO_PROGRESS,
                            "threads wait for each other in a way that lock-step cannot resolve",
                            span=code.kernel.span,
                        )
                    ) from None
                self._restore(saved)

    def _run_chunks(
        self, code: CompiledModule, grid: Dim3, block: Dim3, shared_bytes: int,
        values: list[Any], total: int, size: int,
    ) -> None:  # fmt: skip
        entry = code.entry()
        chosen = np.arange(total, dtype=np.int64)
        if self.only is not None:
            chosen = chosen[self.only.start : self.only.stop]
        for first in range(0, len(chosen), size):
            blocks = chosen[first : first + size]
            rt = Runtime(
                self.world, code, grid, block, blocks, self.width, shared_bytes, self.watch
            )
            self._make_shared(rt, code, shared_bytes)
            for target in self.world.objects.values():
                target.runtime = rt
            if self.watch is not None:
                self.watch.attach(rt)
            entry(rt, rt.start, *values)
            rt.close()

    def _make_shared(self, rt: Runtime, code: CompiledModule, shared_bytes: int) -> None:
        dynamic = None
        for function in code.reached:
            for variable in function.shared:
                key = code.unit.shared[function.name][variable.name]
                if isinstance(variable.type, Array) and variable.type.length == 0:
                    if dynamic is None:
                        dynamic = rt.new_shared(variable.name, shared_bytes)
                    rt.shared[key] = dynamic
                else:
                    rt.shared[key] = rt.new_shared(variable.name, code.layout.size(variable.type))

    def _save(self) -> dict[int, Any]:
        return {i: o.buffer.copy() for i, o in self.world.objects.items()}

    def _restore(self, saved: dict[int, Any]) -> None:
        for identity in list(self.world.objects):
            if identity in saved:
                self.world.objects[identity].buffer[:] = saved[identity]
                self.world.objects[identity]._shadow.clear()
            else:
                del self.world.objects[identity]
        self.world.output.clear()
        self.world.queue.clear()


def _loops(functions: list[Function]) -> list[For | While | DoWhile]:
    return [n for f in functions for n in walk(f) if isinstance(n, For | While | DoWhile)]


def waits(functions: list[Function]) -> bool:
    """Whether some loop may wait for another thread."""
    return any(may_wait(loop.body, loop.condition) for loop in _loops(functions))


def retries(functions: list[Function]) -> bool:
    """Whether lanes retry in a loop (compare-and-swap): fewer lanes at once, fewer rounds."""
    return any(
        isinstance(n, Atomic) and n.op in ("cas", "exch")
        for loop in _loops(functions)
        for n in walk(loop)
    )


def locks(functions: list[Function]) -> bool:
    """Whether a loop tries to take a lock: it swaps in a constant."""
    return any(
        isinstance(n, Atomic)
        and n.op in ("cas", "exch")
        and all(constant(o) is not None for o in n.operands)
        for loop in _loops(functions)
        for n in walk(loop)
    )


__all__ = ["Bound", "run"]
