"""The launcher of a Pallas kernel on lane tensors: arrays as words, a grid of steps, the call."""

from __future__ import annotations

import re

from crossport.backends.pallas.expressions import jnp_type
from crossport.backends.pallas.grid_base import stored
from crossport.backends.pallas.lane_base import word_type
from crossport.backends.pallas.lane_exchange import LaneExchange
from crossport.backends.pallas.mosaic import held
from crossport.backends.pallas.reach import Reach
from crossport.backends.pallas.wide import is_wide
from crossport.ir.lift.flat import Root
from crossport.ir.nodes import Var
from crossport.ir.tile.retile import FreeShape, host_text, size_var
from crossport.ir.types import BOOL

ROWS = 8
# v5e and v6e have 128 MiB of VMEM a core; the compiler wants some for itself.
BUDGET = "80 << 20"
LIMIT = "100 << 20"
# A gather by data goes over all rows of a table: beyond this, XLA's own is faster.
TABLE = "1 << 16"


# Names of the launcher's own that a parameter may have, too.
_OWN = {"reach", "places", "items", "threads", "steps", "needed"}


class VmemLaunch(LaneExchange):
    """Prints the function that calls the kernel."""

    spans: dict[str, list[str] | None]

    def launch(
        self, roots: list[Root], written: list[Root], scalars: list[Var], scratch: list[Root]
    ) -> list[str]:
        """The lines that run the kernel on flat arrays; LEAVE stands for another way to go."""
        lines: list[str] = []
        tests = [f"not ({self.guard})"] if self.guard else []
        tests += self.more_tests()
        tables = self.tables()
        tests += [f"{r.name}.size > {TABLE}" for r in roots if r.name in tables]
        static: list[str] = ["grid", "block"]
        if any(r.name == "dynamic_shared" for r in scratch):
            static.append("shared_bytes")
        if self.free:
            lines += self.sizes(self.free)
            static += [size_var(a).name for a in self.free.axes]
            tests += self.idle(self.free)
            total = " * ".join(size_var(a).name for a in self.free.axes)
            steps = f"pl.cdiv({total}, 1024)"
        else:
            steps = "1" if self.one_step else "pl.cdiv(math.prod(grid), 8)"
            if any(r.space == "local" for r in scratch):
                lines.append("    lanes = _lanes(math.prod(block))")
        needed = self.footprint(roots, written)
        if self.bases:
            if tests:
                lines += [*_unless(tests), "        LEAVE"]
            lines.append(f"    steps = {steps}")
            steps = "steps"
            lines += [*self.placed(roots, written), f"    needed = {needed}"]
            tests, needed = [], "needed"
        else:
            needed = f"({needed})"
        lines += [*_unless([*tests, f"4 * {needed} > {BUDGET}"]), "        LEAVE"]
        lines += self.before()
        arguments = [self.passed(v) for v in scalars]
        self.e.use("_words")
        arguments += [self.words(r) for r in roots]
        if len(self.bases) < len(roots):
            lines.append("    whole = pl.BlockSpec(memory_space=pltpu.VMEM)")
        specs = self.specs(roots)
        if scalars:
            lines.append("    scalar = pl.BlockSpec(memory_space=pltpu.SMEM)")
            specs = f"[scalar] * {len(scalars)} + {specs}"
        lines.append(f"    words = [{', '.join(arguments)}]")
        places = [len(scalars) + roots.index(r) for r in written]
        shapes = ", ".join(f"_like_words(words[{n}])" for n in places)
        self.e.use("_like_words")
        results = ", ".join(r.name + "_words" for r in written)
        results = results if len(written) > 1 else f"({results},)"
        given = ["places", *static] if self.bases else static
        lines.append("    with jax.enable_x64(False):")
        lines.append(f"        {results} = pl.pallas_call(")
        lines.append(f"            functools.partial(_{self.name}_kernel, {', '.join(given)}),")
        lines.append(f"            grid=({steps},),")
        lines.append(f"            in_specs={specs},")
        lines.append(f"            out_specs={self.specs(written)},")
        lines.append(f"            out_shape=[{shapes}],")
        if scratch:
            rooms = ", ".join(self.room(r) for r in scratch)
            lines.append(f"            scratch_shapes=[{rooms}],")
        lines.append(f"            compiler_params=pltpu.CompilerParams(vmem_limit_bytes={LIMIT}),")
        if aliases := [f"{places[n]}: {n}" for n, r in enumerate(written) if r.name in self.bases]:
            lines.append(f"            input_output_aliases={{{', '.join(aliases)}}},")
        lines.append("            interpret=interpret,")
        lines.append(f'            name="{self.name}",')
        lines.append("        )(*words)")
        lines += [self.back(r) for r in written]
        return lines

    def more_tests(self) -> list[str]:
        """Further launches that do not fit."""
        return []

    def before(self) -> list[str]:
        """What the launcher computes first."""
        return []

    def passed(self, var: Var) -> str:
        """A number for SMEM."""
        if is_wide(var.type):
            return f"{self.e.use('_words_of')}({var.name})"
        kind = "jnp.int32" if var.type == BOOL else held(var.type)
        return f"{self.e.use('_scalar')}({var.name}, {kind})"

    def back(self, root: Root) -> str:
        """A written array as it was given."""
        helper = "_unhalves" if is_wide(self.storage[root.name]) else "_unwords"
        return f"    {root.name} = {self.e.use(helper)}({root.name}_words, {root.name})"

    def windows(self, roots: list[Root]) -> None:
        """Which arrays may be seen in windows: those whose places do not depend on data."""
        taken = {v.name for p in self.program.parameters for _, v in p.scalars} | self.arrays()
        if self.one_step or taken & _OWN:
            return
        self.spans = Reach(self.program, self.free).spans()
        for root in roots:
            if self.spans.get(root.name) and not is_wide(self.storage[root.name]):
                self.bases[root.name] = self.names.fresh(f"{root.name}_base")

    def arrays(self) -> set[str]:
        """The names that the launcher knows arrays by."""
        named = {p.name for p in self.program.parameters}
        return named | {r.name for p in self.program.parameters for _, r in p.roots}

    def placed(self, roots: list[Root], written: list[Root]) -> list[str]:
        """Where each step reaches, and the windows that follow from it."""
        moving = [r for r in roots if r.name in self.bases]
        lines = ["", "    def reach(items, threads):", "        return ("]
        for root in moving:
            spans = self.spans[root.name]
            assert spans is not None
            for helper in re.findall(r"\b_\w+", " ".join(spans)):
                self.e.use(helper)
            lines += ["            [", *(f"                {s}," for s in spans), "            ],"]
        lines += ["        )", ""]
        each, total = "8", "math.prod(grid)"
        if self.free:
            each, total = "1024", " * ".join(size_var(a).name for a in self.free.axes)
        sizes = _tuple([f"{r.name}.size" for r in moving])
        changed = _tuple([str(r in written) for r in moving])
        lines.append(f"    places = {self.e.use('_places')}(")
        lines.append(f"        {each}, {total}, math.prod(block), {sizes}, {changed}, reach")
        return [*lines, "    )"]

    def specs(self, roots: list[Root]) -> str:
        """How each array comes to the kernel."""
        texts = []
        for root in roots:
            number = list(self.bases).index(root.name) if root.name in self.bases else None
            spec = "whole" if number is None else f"{self.e.use('_spec')}(places[{number}])"
            texts.append(spec)
        if all(text == "whole" for text in texts):
            return f"[whole] * {len(texts)}"
        return f"[{', '.join(texts)}]"

    def footprint(self, roots: list[Root], written: list[Root]) -> str:
        counts = {r: (1 + (r in written)) * (1 + is_wide(self.storage[r.name])) for r in roots}
        texts = []
        for root, count in counts.items():
            size = f"{root.name}.size"
            if root.name in self.bases:
                number = list(self.bases).index(root.name)
                size = f"{self.e.use('_room')}(places[{number}], {size})"
            texts.append(f"{count} * {size}" if count > 1 else size)
        return " + ".join(texts)

    def words(self, root: Root) -> str:
        kind = self.storage[root.name]
        text = root.name
        if is_wide(kind):
            return f"_words({self.e.use('_halves')}({text}), jnp.int32)"
        if kind != stored(root.element):
            text = f"{self.e.use('_view')}({text}, {jnp_type(kind)})"
        if root.name not in self.bases:
            return f"_words({text}, {word_type(kind)})"
        number = list(self.bases).index(root.name)
        rows = f"{self.e.use('_rows_of')}(places[{number}], steps)"
        return f"_words({text}, {word_type(kind)}, {rows})"

    def room(self, root: Root) -> str:
        kind = self.storage[root.name]
        rows = f"{ROWS}" if not self.one_step else "-(-math.prod(grid) // 8) * 8"
        if root.space == "local":
            count = f"{root.size // stored(root.element).size} * lanes"
        else:
            count = self.room_of_block(root)
        if is_wide(kind):
            count = f"2 * {count}"
        return f"pltpu.VMEM(({rows} * {count} // 128, 128), {word_type(kind)})"

    def sizes(self, free: FreeShape) -> list[str]:
        """How far the index space reaches."""
        lines = []
        for axis in free.axes:
            number = "xyz".index(axis)
            text = f"grid[{number}] * block[{number}]"
            if free.bounds:
                texts = list(dict.fromkeys(host_text(b) for b in free.bounds))
                text = f"max(1, {', '.join(texts)})"
            elif len(free.axes) > 1 and (limit := self.limit(axis)) is not None:
                text = f"{self.e.use('_below')}({text}, lambda: {limit})"
            lines.append(f"    {size_var(axis).name} = {text}")
        return lines

    def limit(self, axis: str) -> str | None:
        """What a global index stays below: beyond it nothing happens, so no lane need go there."""
        return Reach(self.program, self.free).limit(axis)

    def idle(self, free: FreeShape) -> list[str]:
        """Launches that use an axis which the kernel does not look at, or another block size."""
        tests = [
            f"{kind}[{'xyz'.index(a)}] != 1"
            for a in "xyz" if a not in free.axes for kind in ("grid", "block")
        ]  # fmt: skip
        return tests + [f"block[{'xyz'.index(a)}] != {n}" for a, n in free.required.items()]


def _tuple(texts: list[str]) -> str:
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _unless(tests: list[str]) -> list[str]:
    """`if` any of the tests holds, in as many lines as it takes."""
    line = f"    if {' or '.join(tests)}:"
    if len(line) <= 100:
        return [line]
    first, *rest = tests
    return ["    if (", f"        {first}", *(f"        or {t}" for t in rest), "    ):"]
