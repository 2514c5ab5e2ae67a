"""Print a flat program as a jax.numpy function: all threads of the grid at once (tier `xla`).

    if (i < n) y[i] = 2 * x[i]          mask_1 = active & (i < n)
                                  ->    x_value = x[i]
                                        y = y.at[jnp.where(mask_1, i, y.size)].set(..., mode="drop")

A thread's value is an element of a (blocks, lanes) array; what all threads of the grid share is a
scalar. Arrays are values that stores replace. A loop carries what it changes and runs while any
thread is in it. Shared memory is one flat array for all blocks. Barriers need nothing: statements
happen one after the other for all threads.
"""

from __future__ import annotations

from crossport.backends.pallas.expressions import jnp_type
from crossport.backends.pallas.grid_base import KernelText, stored
from crossport.backends.pallas.grid_control import GridControl
from crossport.backends.pallas.grid_exchange import GridExchange
from crossport.backends.pallas.grid_memory import GridMemory
from crossport.backends.pallas.matrices import warp_dot
from crossport.ir.lift import flat
from crossport.ir.lift.flatten import refuse


def print_kernel(program: flat.Program) -> KernelText:
    """The body of the JAX function of a flat program."""
    return GridPrinter(program).run()


class GridPrinter(GridMemory, GridControl, GridExchange):
    """Prints one program; a Pallas kernel's printer (vmem.py) shares its masks and names."""

    def run(self) -> KernelText:
        self.body(self.program.body)
        body, self.lines = self.lines, []
        stored = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        written = tuple(
            root.name for p in self.program.parameters for _, root in p.roots if root.name in stored
        )
        globals_ = tuple(g.root.name for g in self.program.globals if g.root.name in stored)
        self.prologue()
        return KernelText(
            [*self.lines, *body], self.e, written, globals_, self.uses_warps, self.e.is_wide
        )

    def prologue(self) -> None:
        used = self.e.specials
        self.line("blocks = grid[0] * grid[1] * grid[2]")
        self.line("threads = block[0] * block[1] * block[2]")
        if self.uses_warps:
            self.line("shape = (blocks, -(-threads // 32) * 32)")
        else:
            self.line("shape = (blocks, threads)")
        self.line("lane = jnp.arange(shape[1], dtype=jnp.int32)[None, :]")
        self.line("row = jnp.arange(blocks, dtype=jnp.int32)[:, None]")
        self.line("active = jnp.broadcast_to(lane < threads, shape)")
        rows = {
            "thread.x": "lane % block[0]",
            "thread.y": "lane // block[0] % block[1]",
            "thread.z": "lane // (block[0] * block[1])",
            "block.x": "row % grid[0]",
            "block.y": "row // grid[0] % grid[1]",
            "block.z": "row // (grid[0] * grid[1])",
            "lane_id": "lane % 32",
            "warp_id": "lane // 32",
        }
        for name, text in rows.items():
            if name in used:
                self.line(f"{name.replace('.', '_')} = {text}")
        for p in self.program.parameters:
            for _, var in p.scalars:
                self.line(f"{var.name} = jnp.asarray({var.name}, {jnp_type(var.type)})")
                self.e.see(var.type)
        for root in self.program.shared:
            kind = jnp_type(stored(root.element))
            size = stored(root.element).size
            if root.name == "dynamic_shared":
                self.line(f"{root.name} = jnp.zeros(blocks * (shared_bytes // {size}), {kind})")
            else:
                self.line(f"{root.name} = jnp.zeros(blocks * {root.size // size}, {kind})")
        for root in self.program.locals:
            kind, size = jnp_type(stored(root.element)), stored(root.element).size
            count = root.size // size
            self.line(f"{root.name} = jnp.zeros(shape[0] * shape[1] * {count}, {kind})")

    def statement(self, statement: flat.Statement) -> None:
        match statement:
            case flat.Set():
                self.set(statement)
            case flat.Load():
                self.load(statement)
            case flat.Store():
                self.store(statement)
            case flat.AtomicUpdate():
                self.atomic(statement)
            case flat.Branch():
                self.branch(statement)
            case flat.Loop():
                self.loop(statement)
            case flat.Scope(label, body):
                self.scope(statement, label, body)
            case flat.Leave(label):
                self.leave(label)
            case flat.Sync():
                pass
            case flat.Collect():
                self.collect(statement)
            case flat.Exchange():
                self.exchange(statement)
            case flat.Ballot():
                self.ballot(statement)
            case flat.GroupReduce():
                self.group_reduce(statement)
            case flat.LaneReduce():
                self.lane_reduce(statement)
            case flat.LaneGather(var, source, index):
                at = f"jnp.broadcast_to({self.e(index)}, shape)"
                self.put(
                    var.name, f"jnp.take_along_axis({self.full(source, var.type)}, {at}, axis=1)"
                )
            case flat.LaneDot():
                raise refuse("a matrix product of lanes has no xla form", None)
            case flat.WarpDot():
                warp_dot(self, statement)


__all__ = ["GridPrinter", "print_kernel"]
