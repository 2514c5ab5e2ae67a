"""Print a flat program as a Pallas kernel on lane tensors (tier `tile`).

    if (i < n) y[p[i]] = 2 * x[i]       mask_1 = active & (i < n)
                                  ->    p_value = _gather(p_ref, i, mask_1)
                                        x_value = _gather(x_ref, i, mask_1)
                                        _scatter(y_ref, p_value, 2.0 * x_value, mask_1)

A thread is a lane of an (8, lanes) tensor: a step of the sequential grid runs eight thread blocks,
a row each, or, where threads exchange nothing, the next 1024 threads. Arrays are in VMEM as rows of
128 words, so the kernel takes launches whose arrays fit; the caller has another form for the rest.
What threads of a block exchange is reductions, scans and gathers along a row. Steps run in order:
what one writes the next one sees, and sums over blocks are carried in the output.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossport.backends.pallas.grid_base import KernelText
from crossport.backends.pallas.mosaic import NotTiled
from crossport.backends.pallas.vmem_launch import VmemLaunch
from crossport.backends.pallas.wide import is_wide
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Root
from crossport.ir.nodes import Var
from crossport.ir.tile.retile import FreeShape, index_var, size_var
from crossport.ir.types import BOOL


@dataclass
class TileText:
    """The kernel function, and the launcher's body, which calls it."""

    kernel: list[str]
    text: KernelText


def print_vmem(
    program: flat.Program, name: str, free: FreeShape | None = None, guard: str = ""
) -> TileText:
    """The Pallas form of a program; NotTiled if it has none.

    `free`: it is in terms of global indices. `guard`: Python over `block`, when it is right.
    """
    return VmemPrinter(program, name, free, guard).print()


class VmemPrinter(VmemLaunch):
    """Prints the kernel, and the launcher by what it inherits."""

    def print(self) -> TileText:
        """The kernel and its launcher."""
        roots = [r for p in self.program.parameters for _, r in p.roots]
        roots += [g.root for g in self.program.globals]
        roots = [r for r in (*self.inputs, *roots) if r.name in self.storage]
        stored = {
            s.ref.root.name
            for s in flat.statements(self.program.body)
            if isinstance(s, flat.Store | flat.AtomicUpdate)
        }
        written = [r for r in roots if r.name in stored]
        if not written:
            raise NotTiled("it writes nothing")
        used = self.used_scalars()
        scalars = [v for p in self.program.parameters for _, v in p.scalars if v.name in used]
        scratch = [
            r for r in (*self.program.shared, *self.program.locals) if r.name in self.storage
        ]
        self.windows(roots)
        self.body(self.program.body)
        body, self.lines = self.lines, []
        self.prologue_of(roots, written, scalars, scratch)
        kernel = [*self.lines, *body]
        globals_ = [g.root.name for g in self.program.globals]
        lines = self.launch(roots, written, scalars, scratch)
        text = KernelText(
            lines,
            self.e,
            tuple(r.name for r in written if r.name not in globals_),
            tuple(r.name for r in written if r.name in globals_),
            is_wide=any(r.element.size == 8 for p in self.program.parameters for _, r in p.roots),
        )
        return TileText(kernel, text)

    def prologue_of(
        self, roots: list[Root], written: list[Root], scalars: list[Var], scratch: list[Root]
    ) -> None:
        """The head of the kernel function."""
        arguments = ["places"] if self.bases else []
        arguments += ["grid", "block"]
        if any(r.name == "dynamic_shared" for r in scratch):
            arguments.append("shared_bytes")
        if self.free:
            arguments += [size_var(a).name for a in self.free.axes]
        arguments += [f"{v.name}_ref" for v in scalars]
        arguments += [f"{r.name}_in" if r in written else f"{r.name}_ref" for r in roots]
        arguments += [f"{r.name}_ref" for r in (*written, *scratch)]
        self.depth = 0
        self.line(f"def _{self.name}_kernel({', '.join(arguments)}):")
        self.depth = 1
        whole = [r for r in written if r.name not in self.bases]
        moving = [r for r in written if r.name in self.bases]
        if whole:
            self.copied("pl.program_id(0) == 0", whole)
        for root in moving:
            begins = self.e.use("_begins")
            self.copied(f"{begins}(places[{list(self.bases).index(root.name)}])", [root])
        for number, base in enumerate(self.bases.values()):
            self.line(f"{base} = {self.e.use('_base')}(places[{number}])")
        for var in scalars:
            if is_wide(var.type):
                self.line(f"{var.name} = {var.name}_ref[0], {var.name}_ref[1]")
                continue
            test = " != 0" if var.type == BOOL else ""
            self.line(f"{var.name} = {var.name}_ref[0]{test}")
        if self.free:
            self.free_indices(self.free)
        else:
            self.block_indices()
        for root in scratch:
            self.line(f"{root.name}_ref[...] = jnp.zeros_like({root.name}_ref)")

    def copied(self, when: str, roots: list[Root]) -> None:
        """What written arrays hold when the kernel first sees them."""
        self.line(f"@pl.when({when})")
        self.line("def _():")
        for root in roots:
            self.line(f"    {root.name}_ref[...] = {root.name}_in[...]")
        self.line("")

    def free_indices(self, free: FreeShape) -> None:
        """Each lane's place in the index space."""
        self.line("shape = (8, 128)")
        self.line(
            "thread = (pl.program_id(0) * 8 + lax.broadcasted_iota(jnp.int32, shape, 0)) * 128"
        )
        self.line("thread += lax.broadcasted_iota(jnp.int32, shape, 1)")
        sizes = [size_var(a).name for a in free.axes]
        total = " * ".join(sizes)
        self.line(f"active = thread < {total}")
        if len(free.axes) == 1:
            self.line(f"{index_var(free.axes[0]).name} = thread")
            return
        left = "thread"
        for axis, size in zip(free.axes[:-1], sizes, strict=False):
            self.line(f"{index_var(axis).name} = lax.rem({left}, jnp.int32({size}))")
            rest = f"lax.div({left}, jnp.int32({size}))"
            left = rest if axis == free.axes[-2] else self.kept(rest)
        self.line(f"{index_var(free.axes[-1]).name} = {left}")

    def kept(self, text: str) -> str:
        name = self.names.fresh("rest")
        self.line(f"{name} = {text}")
        return name

    def block_indices(self) -> None:
        """Each lane's thread, each row's block."""
        used = self.e.specials
        whole = self.one_step
        self.line("blocks, threads = math.prod(grid), math.prod(block)")
        self.line(f"shape = ({'-(-blocks // 8) * 8' if whole else '8'}, _lanes(threads))")
        self.e.use("_lanes")
        start = "" if whole else "pl.program_id(0) * 8 + "
        self.line(f"row = {start}lax.broadcasted_iota(jnp.int32, shape, 0)")
        self.line("lane = lax.broadcasted_iota(jnp.int32, shape, 1)")
        self.line("active = (row < blocks) & (lane < threads)")
        rows = {
            "thread.x": ("lane", "", "block[0]"),
            "thread.y": ("lane", "block[0]", "block[1]"),
            "thread.z": ("lane", "block[0] * block[1]", ""),
            "block.x": ("row", "", "grid[0]"),
            "block.y": ("row", "grid[0]", "grid[1]"),
            "block.z": ("row", "grid[0] * grid[1]", ""),
            "lane_id": ("lane", "", "32"),
            "warp_id": ("lane", "32", ""),
        }
        for name, (text, divisor, modulus) in rows.items():
            if name in used:
                if divisor:
                    text = f"lax.div({text}, jnp.int32({divisor}))"
                if modulus:
                    text = f"lax.rem({text}, jnp.int32({modulus}))"
                self.line(f"{name.replace('.', '_')} = {text}")


__all__ = ["TileText", "print_vmem"]
