"""Assemble a standalone Triton module: header, helpers, kernels, launchers, tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crossport.backends.triton.contraction import DOT, TILE_ORDER, TILES, launch_lines
from crossport.backends.triton.expressions import TORCH_TYPES, literal
from crossport.backends.triton.math import HELPERS, NUMPY, NUMPY_IMPORTS
from crossport.backends.triton.simt import KernelText
from crossport.backends.triton.simt.state import SPARE_WORDS
from crossport.ir.lift import flat, fold
from crossport.ir.lift.flatten.recursion import FAILURE
from crossport.ir.lift.naming import module_header
from crossport.ir.lift.phases import Phases
from crossport.ir.lift.wrapping import wrap
from crossport.ir.nodes import Binary, Cast, Expr, Intrinsic, Special, walk
from crossport.ir.tile.contract import Contraction
from crossport.ir.tile.retile import (
    FreeShape,
    host_text,
    resolve,
    single_values,
    size_var,
    wide_terms,
)
from crossport.ir.types import Array, Handle, Pointer, Scalar, Struct

# Elements of a row that a program keeps in registers: 32 a thread of 16 warps.
LONGEST_ROW = 16384

# Lanes of a program that takes several rounds of its loops at once.
WIDE_ROUNDS = 4096

_DIM3 = '''
def _dim3(size):
    """A launch size as three numbers."""
    x, y, z = (*((size,) if isinstance(size, int) else tuple(size)), 1, 1)[:3]
    if min(x, y, z) < 1:
        raise ValueError(f"a launch needs sizes of at least 1, not {size}")
    return int(x), int(y), int(z)
'''
_ARRAY = '''
def _array(value, dtype, name):
    """An array as the kernel addresses it: flat, in the kernel's type; None is a null pointer."""
    if value is None:
        return torch.empty(0, dtype=dtype)
    if not value.is_contiguous():
        raise ValueError(f"{name} must be contiguous")
    if value.numel() * value.element_size() % dtype.itemsize:
        raise ValueError(f"{name} must hold a whole number of {dtype} elements")
    return value.reshape(-1).view(dtype)
'''
_FIELDS = '''
def _fields(value, names):
    """The members of a struct, from a mapping or in order."""
    if hasattr(value, "keys"):
        return [value[name] for name in names]
    value = tuple(value)
    if len(value) != len(names):
        raise ValueError(f"a struct of {len(names)} members is needed: {', '.join(names)}")
    return value
'''
_GLOBAL = '''
def _global(table, name, device):
    """A __device__ or __constant__ variable on the launch's device."""
    table[name] = table[name].to(device).contiguous()
    return table[name]
'''
_BLOCKS_EACH = '''
def _blocks_each(blocks, grid, lanes, most):
    """Blocks for a program to take at once: as fill its lanes, and leave every processor some."""
    enough = blocks * grid[1] * grid[2] // 1024
    return triton.next_power_of_2(max(1, min(most // lanes, enough, blocks)))
'''
_TUNED = '''
def _near(**first):
    """A configuration, then those with one of its numbers halved or doubled."""
    return [{**first, "options": {}}] + [
        {**first, name: changed, "options": {}}
        for name, number in first.items()
        for changed in (number // 2, number * 2)
        if changed >= 1 and not (name == "num_warps" and changed > 16)
    ]


def _tuned(launch, configurations, key, device):
    """Launch as the first configuration says; with `_tuned.measures` set, as the fastest does.

    It is found once for a key, by launching each for a few milliseconds.
    """
    chosen = configurations[0]
    if getattr(_tuned, "measures", False) and not triton.knobs.runtime.interpret:
        if torch.version.hip is not None:
            configurations = configurations + [
                {**c, "options": {**c["options"], "waves_per_eu": n}}
                for c in configurations
                for n in (2, 4)
            ]
        known = _tuned.__dict__.setdefault("known", {})
        key = (*key, device)
        if key not in known:
            times = []
            for configuration in configurations:
                try:
                    once = lambda c=configuration: launch(**c)  # noqa: E731
                    times.append(triton.testing.do_bench(once, 2, 15, return_mode="median"))
                except (triton.runtime.OutOfResources, triton.CompilationError):
                    times.append(float("inf"))
            known[key] = configurations[times.index(min(times))]
        chosen = known[key]
    launch(**chosen)
'''
_WARP = '''
def _warp(each):
    """Lanes of one warp: a program of one waits for no other's loops. The interpreter: in bulk."""
    if triton.knobs.runtime.interpret:
        return 1024
    return each * (32 if torch.version.hip is None else 64)
'''
_ON_CPU = '''
if triton.knobs.runtime.interpret:

    def _on_cpu(function):
        """A math function for Triton's CPU interpreter, which has no libdevice."""

        def call(*args):
            like = max(args, key=lambda arg: arg.handle.data.size)
            values = [arg.handle.data for arg in args]
            if function is not np.nextafter:  # rounded once, from float64
                values = [v.astype(np.float64) if v.dtype == np.float32 else v for v in values]
            data = function(*values)
            data = np.broadcast_to(data.astype(like.handle.data.dtype), like.handle.data.shape)
            return tl.tensor(TensorHandle(data.copy(), like.dtype.scalar), like.type)

        return call

    class libdevice:  # noqa: N801
        """Stands in for `triton.language.extra.libdevice`."""

'''


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


def module_text(source_name: str, source_text: str, parts: list[Part]) -> str:
    """The whole module."""
    tabled = parts
    parts = [q for p in parts for q in in_order(p)]
    forms = [f for p in parts for f in (p, p.row) if f is not None]
    libdevice = sorted({f for p in forms for f in p.text.expressions.libdevice})
    helpers = {h for p in forms for h in p.text.expressions.helpers}
    ordered = [HELPERS[h] for h in HELPERS if h in helpers]
    for helper in ordered:
        libdevice = sorted({*libdevice, *re.findall(r"libdevice\.(\w+)", helper)})
    kernels = [(p.source_name, p.tier) for p in tabled]
    has_dot = any(p.contraction is not None and p.contraction.column_axis for p in parts)
    on_cpu = has_dot or any("TensorHandle" in helper for helper in ordered)
    header = module_header("Triton", source_name, source_text, kernels)
    out = [header, imports(libdevice, on_cpu=on_cpu)]
    if libdevice:
        out[-1] += "\n" + _on_cpu(libdevice).strip("\n")
    out.append(_DIM3)
    if any(p.roots for part in parts for p in part.program.parameters):
        out.append(_ARRAY)
    if any(is_struct(p) for part in parts for p in part.program.parameters):
        out.append(_FIELDS)
    if any(not g.is_lookup for part in parts for g in part.program.globals):
        out.append(_GLOBAL)
    if any(part.free is not None and part.free.has_votes for part in parts):
        out.append(_WARP)
    if any(form.text.batched for form in forms):
        out.append(_BLOCKS_EACH)
    launchers = [launcher(part) for part in parts]
    if any("_tuned(" in text for text in launchers):
        out.append(_TUNED)
    if has_dot:
        out += [DOT, TILES, TILE_ORDER]
    out += ordered
    for number, part in enumerate(parts):
        for form in (part.row, part):
            if form is not None and form.text.lines:
                out.append("\n" + "\n".join(wrap(form.text.lines)) + "\n")
        out.append(launchers[number])
    out.append(tables(tabled))
    return "\n\n".join(text.strip("\n") + "\n" for text in out if text.strip())


def imports(libdevice: list[str], *, on_cpu: bool) -> str:
    standard = sorted({NUMPY_IMPORTS[f] for f in libdevice if f in NUMPY_IMPORTS})
    lines = [f"import {name}" for name in standard]
    if lines:
        lines.append("")
    if libdevice or on_cpu:
        lines.append("import numpy as np")
    lines += ["import torch", "import triton", "import triton.language as tl"]
    if libdevice:
        lines.append("from triton.language.extra import libdevice")
    if libdevice or on_cpu:
        lines.append("from triton.runtime.interpreter import TensorHandle")
    return "\n".join(lines) + "\n"


def _on_cpu(libdevice: list[str]) -> str:
    rows = "".join(f"        {name} = staticmethod(_on_cpu({NUMPY[name]}))\n" for name in libdevice)
    return _ON_CPU + rows


def is_struct(parameter: flat.Parameter) -> bool:
    """Is the parameter handed over as several values?"""
    return isinstance(parameter.type, Struct | Array | Handle)


def in_order(part: Part) -> list[Part]:
    """The part behind those that its launcher calls."""
    inner = [q for p in part.phases for q in in_order(p)]
    if part.checked is not None:
        inner += in_order(part.checked)
    return [*inner, *([part.fallback] if part.fallback is not None else []), part]


def device_of(program: flat.Program) -> str:
    """The device of a launch's largest array."""
    arrays = [
        f'_array({root.name}, {TORCH_TYPES[root.element.kind]}, "{root.name}")'
        for p in program.parameters if isinstance(p.type, Pointer) and p.name != FAILURE.name
        for _, root in p.roots
    ]  # fmt: skip
    return f"max(({', '.join(arrays)},), key=torch.numel).device" if arrays else '"cpu"'


def checked_launcher(part: Part) -> str:
    """A launch, and what to say where threads gave up."""
    inner = part.checked
    assert inner is not None
    names = [p.name for p in part.program.parameters if p.name != FAILURE.name]
    arguments = ", ".join(["grid", "block", *names, "*", "shared_bytes=0"])
    given = ", ".join(["grid", "block", *names, "failure", "shared_bytes=shared_bytes"])
    lines = [
        f"def {part.function_name}({arguments}):",
        f'    """{summary(part)}"""',
        f"    device = {device_of(part.program)}",
        "    failure = torch.zeros(1, dtype=torch.int32, device=device)",
        f"    {inner.function_name}({given})",
        "    if int(failure) != 0:",
        f'        raise ValueError("{part.program.failure}")',
    ]
    result = "\n".join(wrap(lines)) + "\n"
    if any(not g.is_lookup for g in part.program.globals):
        result += f"\n\n{part.function_name}.globals = {inner.function_name}.globals\n"
    return result


def phases_launcher(part: Part) -> str:
    """A launch for each phase; the device says which follows."""
    program, split = part.program, part.split
    assert split is not None
    names = [p.name for p in program.parameters]
    arguments = ", ".join(["grid", "block", *names, "*", "shared_bytes=0"])
    lines = [f"def {part.function_name}({arguments}):"]
    lines.append(f'    """{summary(part)}"""')
    lines.append("    grid, block = _dim3(grid), _dim3(block)")
    idle = "xyz"[split.axes :]
    if idle:
        tests = " or ".join(f"{n}[{'xyz'.index(a)}] != 1" for a in idle for n in ("grid", "block"))
        lines.append(f"    if {tests}:")
        lines.append(f'        raise ValueError("grid and block have {split.axes} axes here")')
    lines.append(f"    device = {device_of(program)}")
    counts = {"block": "grid[0] * grid[1] * grid[2]"}
    counts["thread"] = f"{counts['block']} * block[0] * block[1] * block[2]"
    for kept in split.kept:
        root = kept.parameter.roots[0][1]
        count = counts[kept.per] + (f" * {kept.each}" if kept.each > 1 else "")
        kind = TORCH_TYPES[root.element.kind]
        lines.append(f"    {root.name} = torch.zeros({count}, dtype={kind}, device=device)")
    size = max(1, split.shared)
    lines.append(f"    state_after = torch.zeros({size}, dtype=torch.int64, device=device)")
    lines.append("    phase = 0")
    lines.append("    while phase >= 0:")
    lines.append("        state_before = state_after")
    lines.append(f"        state_after = torch.empty({size}, dtype=torch.int64, device=device)")
    lines.append("        next_phase = torch.full((1,), -1, dtype=torch.int32, device=device)")
    kept_names = [k.parameter.name for k in split.kept]
    call = ", ".join([
        "grid", "block", *names, *kept_names, "state_before", "state_after", "next_phase",
        "shared_bytes=shared_bytes",
    ])  # fmt: skip
    for number, inner in enumerate(part.phases):
        last = number == len(part.phases) - 1
        word = "else:" if last and number else f"{'elif' if number else 'if'} phase == {number}:"
        lines.append(f"        {word}")
        lines.append(f"            {inner.function_name}({call})")
    lines.append("        phase = int(next_phase)")
    result = "\n".join(wrap(lines)) + "\n"
    settable = [g.root.name for g in program.globals if not g.is_lookup]
    if settable:
        result += f"\n\n{part.function_name}.globals = {{}}\n"
        for phase in part.phases:
            if any(not g.is_lookup for g in phase.program.globals):
                result += f"{part.function_name}.globals |= {phase.function_name}.globals\n"
        for inner in [q for p in part.phases for q in in_order(p)]:
            result += f"{inner.function_name}.globals = {part.function_name}.globals\n"
    return result


def launcher(part: Part) -> str:
    """The function that a user calls, or that another launcher falls back to."""
    if part.phases:
        return phases_launcher(part)
    if part.checked is not None:
        return checked_launcher(part)
    program, text = part.program, part.text
    names = [p.name for p in program.parameters]
    arguments = ", ".join(["grid", "block", *names, "*", "shared_bytes=0"])
    lines = [f"def {part.function_name}({arguments}):"]
    lines.append(f'    """{summary(part)}"""')
    lines.append("    grid, block = _dim3(grid), _dim3(block)")
    lines.append("    threads = block[0] * block[1] * block[2]")
    most = program.max_threads or 1024
    message = f'f"a block has at most {most} threads, not {{threads}}"'
    lines += [f"    if threads > {most}:", f"        raise ValueError({message})"]
    if part.guard:
        lines.append(f"    if not ({part.guard}):")
        if part.fallback is not None:
            given = ", ".join(["grid", "block", *names, "shared_bytes=shared_bytes"])
            lines.append(f"        return {part.fallback.function_name}({given})")
        else:
            lines.append('        raise ValueError(f"this port has no form for blocks of {block}")')
    first_array = ""
    call: list[str] = []
    for p in program.parameters:
        lines += unpack(p)
        for path, root in p.roots:
            del path
            kind = TORCH_TYPES[root.element.kind]
            lines.append(f'    {root.name} = _array({root.name}, {kind}, "{root.name}")')
            first_array = first_array or root.name
            call.append(root.name)
        for _, var in p.scalars:
            call.append(scalar_argument(var.name, var.type))
    device = f"{first_array}.device" if first_array else '"cpu"'
    if first_array:
        arrays = [r.name for p in program.parameters for _, r in p.roots]
        if len(arrays) > 1:
            lines.append(f"    device = max(({', '.join(arrays)}), key=torch.numel).device")
            device = "device"
    if text.scalar_arrays:
        for name in text.scalar_arrays:
            lines.append(
                f"    {name} = torch.tensor([float({name})], dtype=torch.float64, device={device})"
            )
    for g in program.globals:
        call.append(g.root.name)
        if g.is_lookup:
            lines.append(f"    {g.root.name} = {contents(g)[:-1]}, device={device})")
            continue
        table = f"{part.function_name}.globals"
        lines.append(f'    {g.root.name} = _global({table}, "{g.root.name}", {device})')
    if part.contraction is not None:
        if part.free is not None:
            lines += required_extents(part.free)
        lines += launch_lines(
            part.contraction, part.names, call, kernel_name(part), part.free is not None,
            array_of(part),
        )  # fmt: skip
        return with_globals(finished(lines), part)
    if part.free is not None:
        if text.uses_spare:
            lines.append(
                f"    spare = torch.empty({SPARE_WORDS}, dtype=torch.int64, device={device})"
            )
            call.append("spare")
        lines += free_launch(part, part.free, call)
        return with_globals(finished(lines), part)
    smallest = 32 if text.uses_warps else 16
    if not part.width:
        lines.append(f"    lanes = max({smallest}, triton.next_power_of_2(threads))")
    if text.uses_scratch:
        local = f" + {text.local_bytes} * lanes" if text.local_bytes else ""
        dynamic = " + shared_bytes" if program.has_dynamic_shared else ""
        lines.append(f"    scratch_bytes = ({text.static_shared}{dynamic}{local} + 15) // 16 * 16")
        lines.append("    scratch = torch.empty(")
        lines.append("        grid[0] * grid[1] * grid[2] * scratch_bytes + 16,")
        lines.append(f"        dtype=torch.uint8, device={device}")
        lines.append("    )")
        call += ["scratch", "scratch_bytes"]
    if text.uses_spare:
        lines.append(f"    spare = torch.empty({SPARE_WORDS}, dtype=torch.int64, device={device})")
        call.append("spare")
    if part.rounds is not None:
        lines += round_lines(*part.rounds)
    if part.row is not None:
        lengths = [host_text(b) for b in part.row_bounds]
        longest = lengths[0] if len(lengths) == 1 else f"max({', '.join(lengths)})"
        lines.append(f"    longest = {longest}")
        lines.append(f"    if longest <= {LONGEST_ROW}:")
        lines.append("        lanes = max(32, triton.next_power_of_2(longest))")
        lines += [f"    {line}" for line in block_launch(part.row, call, part.blocks, "lanes")]
        lines.append("        return")
    lines += block_launch(part, call, part.blocks, str(part.width) if part.width else "")
    return with_globals(finished(lines), part)


def block_launch(part: Part, call: list[str], blocks: str, width: str) -> list[str]:
    """Launch a program a thread block, or a program several; `width`: lanes, where that is free."""
    lanes = width or "lanes"
    if part.text.batched:
        most, warps = batch_size(part)
        lines = [
            f"    blocks = {blocks}",
            f"    blocks_each = _blocks_each(blocks, grid, {lanes}, {most})",
        ]
        call = [*call, "blocks", width or "block[0]", lanes, "blocks_each"]
        numbers = {"blocks_each": "blocks_each", "num_warps": warps(lanes)}
        grid = "(triton.cdiv(blocks, blocks_each), grid[1], grid[2])"
    else:
        lines = []
        shape = [width, "1", "1"] if width else ["*block"]
        if part.rounds is not None:
            shape = ["block[0]", "rounds", "1"]
        if part.rounds is not None:
            warps_text = "max(1, min(8, lanes // 256))"
        elif not width:
            warps_text = f"max(1, min(8, lanes // {128 if has_gathers(part) else 64}))"
        elif width == "lanes":
            warps_text = "min(16, max(1, lanes // 256))"
        else:
            warps_text = str(max(1, int(width) // 512))
        call = [*call, *shape, lanes]
        numbers = {"num_warps": warps_text}
        grid = "grid" if blocks == "grid[0]" else f"({blocks}, grid[1], grid[2])"
    return lines + tuned_launch(part, call, grid, numbers, ["grid", "block", lanes])


def array_of(part: Part) -> str:
    """An array of the kernel's, by the launcher's name."""
    return next(r.name for p in part.program.parameters for _, r in p.roots)


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


def tuned_launch(
    part: Part, call: list[str], grid: str, numbers: dict[str, str], key: Sequence[str]
) -> list[str]:
    """Launch with these numbers, or others near them; `key`: on what the best ones depend."""
    if not is_repeatable(part):
        lines = [f"    {n} = {text}" for n, text in numbers.items() if n not in (text, "num_warps")]
        arguments = [*call, f"num_warps={numbers['num_warps']}", fusion(part)]
        return [*lines, f"    {kernel_name(part)}[{grid}]({', '.join(arguments)})"]
    options = ["num_warps=num_warps", fusion(part), "**options"]
    taken = ", ".join([*numbers, "options"])
    configuration = ", ".join(f"{n}={text}" for n, text in numbers.items())
    key = [f'"{part.function_name}"', *key]
    return [
        "",
        f"    def launch({taken}):",
        f"        {kernel_name(part)}[{grid}]({', '.join([*call, *options])})",
        "",
        f"    _tuned(launch, _near({configuration}), ({', '.join(key)}), {array_of(part)}.device)",
    ]


def round_lines(bound: Expr, step: Expr) -> list[str]:
    """How many rounds of its loops a program takes at once."""
    sizes = {"block_dim.x": "block[0]", "block.x": "0"} | {
        f"grid_dim.{a}": f"grid[{n}]" for n, a in enumerate("xyz")
    }
    count, each = (host_text(e, sizes) for e in (bound, step))
    return [
        "    rounds = triton.next_power_of_2("
        f"max(1, min({WIDE_ROUNDS} // lanes, {count} // ({each}))))",
        f"    if {count} + rounds * {each} >= 2**31:",
        "        rounds = 1",
        "    lanes *= rounds",
    ]


def batch_size(part: Part) -> tuple[int, Callable[[str], str]]:
    """Lanes that a program of several blocks has at most, and its warps by the lanes of a block."""
    if part.text.uses_votes:
        return 32, lambda lanes: "1"
    most, each = 1024, 16
    if _is_shifted(part.program):
        # Places that start anywhere are best taken one or two a thread.
        most, each = 256, 2
    elif not any(isinstance(s, flat.LaneReduce) for s in flat.statements(part.program.body)):
        each = 8
    return most, lambda lanes: f"max(1, min(16, {lanes} * blocks_each // {32 * each}))"


def finished(lines: list[str]) -> str:
    """The launcher's text, without what it turned out not to need."""
    rest = "\n".join(line for line in lines if not line.startswith("    device = "))
    if not re.search(r"\bdevice=device\b|, device\)", rest):
        lines = [line for line in lines if not line.startswith("    device = ")]
    return "\n".join(wrap(lines)) + "\n"


def with_globals(result: str, part: Part) -> str:
    """The launcher, and the table of the kernel's globals."""
    settable = [g for g in part.program.globals if not g.is_lookup]
    if settable:
        rows = "".join(f'    "{g.root.name}": {contents(g)},\n' for g in settable)
        result += f"\n\n{part.function_name}.globals = {{\n{rows}}}\n"
    return result


def free_launch(part: Part, free: FreeShape, call: list[str]) -> list[str]:
    """Launch with blocks of the port's own choice."""
    lines = required_extents(free)
    other = [a for a in "xyz" if a not in free.axes]
    idle = [f"block[{'xyz'.index(a)}]" for a in other]
    if free.has_atomics:
        idle += [f"grid[{'xyz'.index(a)}]" for a in other if a not in free.programs]
    if idle and free.has_atomics:
        lines.append(f"    if {' * '.join(idle)} != 1:")
        lines.append(f'        raise ValueError("only {", ".join(free.axes)} may be used")')
    sizes = {a: f"grid[{n}] * block[{n}]" for n, a in enumerate("xyz")}
    if free.bounds:
        texts = list(dict.fromkeys(host_text(b) for b in free.bounds))
        sizes["x"] = texts[0] if len(texts) == 1 else f"max({', '.join(texts)})"
    for a in free.axes:
        lines.append(f"    {size_var(a).name} = {sizes[a]}")
    if free.bounds:
        lines.append("    if size_x <= 0:")
        lines.append("        return")
    total = " * ".join(size_var(a).name for a in free.axes)
    lines.append(f"    if {total} >= 2**31:")
    lines.append('        raise ValueError("a launch has fewer than 2**31 threads")')
    blocks, warps = free_blocks(part, free)
    numbers = {f"block_{a}": blocks[a] for a in free.axes}
    if len(free.axes) > 1:
        lines += [f"    {name} = {text}" for name, text in numbers.items()]
        numbers = {name: name for name in numbers}
    programs = []
    for n, a in enumerate("xyz"):
        if a in free.axes:
            programs.append(f"triton.cdiv({size_var(a).name}, block_{a})")
        else:
            programs.append(f"grid[{n}]" if a in free.programs else "1")
    while programs and programs[-1] == "1":
        programs.pop()
    comma = "," if len(programs) == 1 else ""
    sizes_handed = [size_var(a).name for a in free.axes]
    arguments = [*call, *sizes_handed, *(f"block_{a}" for a in free.axes)]
    grid = f"({', '.join(programs)}{comma})"
    return lines + tuned_launch(
        part, arguments, grid, {**numbers, "num_warps": str(warps)}, sizes_handed
    )


def required_extents(free: FreeShape) -> list[str]:
    """Refuse blocks that the source was not written for."""
    lines: list[str] = []
    for axis, extent in free.required.items():
        number = "xyz".index(axis)
        lines.append(f"    if block[{number}] != {extent}:")
        lines.append(
            f'        raise ValueError(f"blocks have {extent} threads along {axis}, '
            f'not {{block[{number}]}}")'
        )
    return lines


def free_blocks(part: Part, free: FreeShape) -> tuple[dict[str, str], int]:
    """The block's extents, as the launcher computes them, and the number of warps."""
    has_loop = any(isinstance(s, flat.Loop) for s in flat.statements(part.program.body))
    # Long bodies keep many values alive: fewer elements a thread.
    length = sum(1 for _ in flat.statements(part.program.body))
    lanes = 128 if has_loop else 1024 if length < 16 else 256
    smallest = _smallest_element(part)
    if has_loop and free.axes == ("x",) and length < 24:
        lanes = 512
    total, warps = (f"_warp({_each(part)})", 1) if free.has_votes else (str(lanes), 4)
    if free.axes == ("x",):
        return {"x": total}, warps
    blocks = dict.fromkeys(free.axes, "1")
    first, second = free.axes[0], free.axes[1]
    inner = 8 if free.has_votes else 32 if has_loop else 64
    if smallest == 1 and not free.has_votes:
        # Whole lines of bytes.
        total, inner = "1024", 256
    if len(free.contiguous) > 1:
        # Some go through memory along one axis, others along another: whole lines of both.
        first, second = free.contiguous[0], free.contiguous[1]
        inner = 32 if lanes == 1024 else 16
    blocks[first] = f"min({inner}, triton.next_power_of_2({size_var(first).name}))"
    blocks[second] = f"{total} // block_{first}"
    return blocks, warps


def _is_shifted(program: flat.Program) -> bool:
    """Do threads load from places that do not start at a multiple of four elements?"""
    values = single_values(program)
    for statement in flat.statements(program.body):
        if not isinstance(statement, flat.Load):
            continue
        number = 0
        for term in wide_terms(resolve(statement.ref.index, values)):
            number += fold.as_int(term) or 0
            inner = term.value if isinstance(term, Cast) else term
            by_thread = any(x == Special("thread.x") for x in walk(term))
            if by_thread and isinstance(inner, Binary) and inner.op in ("/", "%", "-", "^"):
                return True
        if number % 4:
            return True
    return False


def _each(part: Part) -> int:
    """Elements a thread, where lanes vote on the end of loops: several hide each other's latency,
    but wait for each other."""
    loops = [s for s in flat.statements(part.program.body) if isinstance(s, flat.Loop)]
    inside = [s for loop in loops for s in flat.statements(loop.body)]
    if any(isinstance(s, flat.AtomicUpdate) for s in inside):
        return 4
    return 1 if any(isinstance(s, flat.Load) for s in inside) else 2


def _smallest_element(part: Part) -> int:
    """Bytes of the smallest element that is read or written."""
    return min(
        (
            s.ref.type.size
            for s in flat.statements(part.program.body)
            if isinstance(s, flat.Load | flat.Store)
        ),
        default=4,
    )


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


def kernel_name(part: Part) -> str:
    """The name of the `@triton.jit` function."""
    return f"_{part.function_name.lstrip('_')}_kernel"


def contents(g: flat.GlobalArray) -> str:
    """A tensor of what a global variable holds at first."""
    kind = TORCH_TYPES[g.root.element.kind]
    if g.init is None:
        return f"torch.zeros({g.count}, dtype={kind})"
    numbers = ", ".join(literal(v) for v in g.init)
    return f"torch.tensor([{numbers}], dtype={kind})"


def unpack(p: flat.Parameter) -> list[str]:
    """Statements that take a struct apart."""
    if not is_struct(p):
        return []
    parts = sorted(
        [(path, root.name) for path, root in p.roots] + [(path, v.name) for path, v in p.scalars],
        key=lambda item: item[0],
    )
    order = dict(parts)
    names = struct_paths(p)
    if not names:
        return []
    targets = ", ".join(order[n] for n in names)
    comma = "," if len(names) == 1 else ""
    return [f"    {targets}{comma} = _fields({p.name}, {names!r})".replace("'", '"')]


def struct_paths(p: flat.Parameter) -> list[str]:
    """The member paths of a struct parameter in declaration order."""
    return list(p.paths)


def scalar_argument(name: str, kind: object) -> str:
    assert isinstance(kind, Scalar)
    if kind.kind == "f64":
        return name
    if kind.is_float:
        return f"float({name})"
    if kind.kind == "bool":
        return f"int(bool({name}))"
    return f"int({name})"


def summary(part: Part) -> str:
    outs = ", ".join(
        p.name
        for p in part.program.parameters
        if isinstance(p.type, Pointer) and (p.name != FAILURE.name or part.checked is None)
    )
    return f"`{part.source_name}<<<grid, block>>>`; arrays ({outs}) are updated in place."


def tables(parts: list[Part]) -> str:
    """KERNELS, and a plain name for a template with one instance."""
    templates: dict[str, list[Part]] = {}
    for part in parts:
        if part.source_name != part.function_name:
            templates.setdefault(re.split("<", part.source_name)[0], []).append(part)
    lines: list[str] = []
    taken = {p.function_name for p in parts}
    for base, instances in templates.items():
        plain = re.sub(r"\W+", "_", base.rsplit("::", 1)[-1])
        if len(instances) == 1 and plain not in taken:
            lines.append(f"{plain} = {instances[0].function_name}")
    lines.append("KERNELS = {")
    lines += [f'    "{p.source_name}": {p.function_name},' for p in parts]
    lines.append("}")
    return "\n".join(lines) + "\n"
