"""One kernel of a Triton module, and what its launcher asks about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from crossport.backends.triton.expressions import TORCH_TYPES, literal
from crossport.backends.triton.simt import KernelText
from crossport.ir.lift import flat
from crossport.ir.lift.flatten.recursion import FAILURE
from crossport.ir.lift.phases import Phases
from crossport.ir.nodes import Expr, Intrinsic, walk
from crossport.ir.tile.contract import Contraction
from crossport.ir.tile.retile import FreeShape
from crossport.ir.types import Array, Handle, Pointer, Struct


@dataclass(frozen=True)
class Part:
    """One kernel of the module."""

    program: flat.Program
    source_name: str
    function_name: str
    tier: str
    text: KernelText
    free: FreeShape | None = None
    guard: str = ""
    """A condition on `block` and `threads` under which this form is right."""
    fallback: Part | None = None
    """The form for every other block."""
    contraction: Contraction | None = None
    names: dict[str, str] = field(default_factory=dict)
    """Of a contraction: what the launcher calls its extents."""
    width: int = 0
    """Lanes of the port's own choice, where the kernel is right for any number; 0: the block's."""
    rounds: tuple[Expr, Expr] | None = None
    """Where lanes may take several rounds of a loop at once: elements, and those of a round."""
    blocks: str = "grid[0]"
    """Blocks along x, as the launcher computes them."""
    row: Part | None = None
    """The form for rows that fit the lanes, if their lengths are known at the launch."""
    row_bounds: tuple[Expr, ...] = ()
    phases: tuple[Part, ...] = ()
    """A part for each stretch between barriers of the grid; then there is no kernel of its own."""
    split: Phases | None = None
    checked: Part | None = None
    """The part whose `failure` is looked at after a launch."""


def in_order(part: Part) -> list[Part]:
    """The part and those that its launcher calls: its parts before it, fallbacks behind."""
    inner = [q for p in part.phases for q in in_order(p)]
    if part.checked is not None:
        inner += in_order(part.checked)
    return [*inner, part, *([part.fallback] if part.fallback is not None else [])]


def settable(part: Part) -> list[flat.GlobalArray]:
    """The global variables that a user may set, of every form of the kernel."""
    found = {g.root.name: g for form in in_order(part) for g in form.program.globals}
    return [g for g in found.values() if not g.is_lookup]


def is_struct(parameter: flat.Parameter) -> bool:
    """Is the parameter handed over as several values?"""
    return isinstance(parameter.type, Struct | Array | Handle)


def summary(part: Part) -> str:
    outs = ", ".join(
        p.name
        for p in part.program.parameters
        if isinstance(p.type, Pointer) and (p.name != FAILURE.name or part.checked is None)
    )
    return f"`{part.source_name}<<<grid, block>>>`; arrays ({outs}) are updated in place."


def kernel_name(part: Part) -> str:
    """The name of the `@triton.jit` function."""
    return f"_{part.function_name.lstrip('_')}_kernel"


def array_of(part: Part) -> str:
    """An array of the kernel's, by the launcher's name."""
    return next(r.name for p in part.program.parameters for _, r in p.roots)


def device_of(program: flat.Program) -> str:
    """The device of a launch's largest array."""
    arrays = [
        f'_array({root.name}, {TORCH_TYPES[root.element.kind]}, "{root.name}")'
        for p in program.parameters if isinstance(p.type, Pointer) and p.name != FAILURE.name
        for _, root in p.roots
    ]  # fmt: skip
    return f"max(({', '.join(arrays)},), key=torch.numel).device" if arrays else '"cpu"'


def has_gathers(part: Part) -> bool:
    """Do lanes fetch values from each other, for which more elements a thread are better?"""
    return any(isinstance(s, flat.LaneGather) for s in flat.statements(part.program.body))


def is_repeatable(part: Part) -> bool:
    """Does a second launch do what the first did? Nothing that it writes is read."""
    touched = [
        s
        for s in flat.statements(part.program.body)
        if isinstance(s, flat.Load | flat.Store | flat.AtomicUpdate)
        and s.ref.root.space not in ("shared", "local")
    ]
    written = {s.ref.root.name for s in touched if not isinstance(s, flat.Load)}
    read = {s.ref.root.name for s in touched if not isinstance(s, flat.Store)}
    has_array = any(p.roots for p in part.program.parameters)
    addresses = any(s.ref.root.space == "address" for s in touched)
    return has_array and not addresses and not written & read and not part.text.uses_spare


def contents(g: flat.GlobalArray) -> str:
    """A tensor of what a global variable holds at first."""
    kind = TORCH_TYPES[g.root.element.kind]
    if g.init is None:
        return f"torch.zeros({g.count}, dtype={kind})"
    numbers = ", ".join(literal(v) for v in g.init)
    return f"torch.tensor([{numbers}], dtype={kind})"


def fusion(part: Part) -> str:
    """May multiplications and additions be fused? As nvcc does, unless the source rounds each."""
    rounded = re.compile(r"__[fd](add|sub|mul)_r[nzud]")
    separate = any(
        isinstance(x, Intrinsic) and rounded.match(x.name)
        for s in flat.statements(part.program.body)
        for e in flat.expressions(s)
        for x in walk(e)
    )
    return f"enable_fp_fusion={not separate}"
