"""The function that a user calls as `k<<<grid, block>>>(...)`: checks, arrays, the launch."""

from __future__ import annotations

import re

from crossport.backends.triton.contraction import launch_lines
from crossport.backends.triton.expressions import TORCH_TYPES
from crossport.backends.triton.launch_sizes import (
    block_launch,
    free_launch,
    required_extents,
    round_lines,
)
from crossport.backends.triton.part import (
    Part,
    array_of,
    contents,
    is_struct,
    kernel_name,
    settable,
    summary,
)
from crossport.backends.triton.relaunch import checked_launcher, phases_launcher
from crossport.backends.triton.simt.state import SPARE_WORDS
from crossport.ir.lift import flat
from crossport.ir.lift.wrapping import wrap
from crossport.ir.tile.retile import host_text
from crossport.ir.types import Scalar

# Elements of a row that a program keeps in registers: 32 a thread of 16 warps.
LONGEST_ROW = 16384


def launcher(part: Part, user: Part | None = None) -> str:
    """The function that a user calls, or that the launcher of `user` falls back to."""
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
        return with_globals(finished(lines), part, user)
    if part.free is not None:
        if text.uses_spare:
            lines.append(
                f"    spare = torch.empty({SPARE_WORDS}, dtype=torch.int64, device={device})"
            )
            call.append("spare")
        lines += free_launch(part, part.free, call)
        return with_globals(finished(lines), part, user)
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
    return with_globals(finished(lines), part, user)


def finished(lines: list[str]) -> str:
    """The launcher's text, without what it turned out not to need."""
    rest = "\n".join(line for line in lines if not line.startswith("    device = "))
    if not re.search(r"\bdevice=device\b|, device\)", rest):
        lines = [line for line in lines if not line.startswith("    device = ")]
    return "\n".join(wrap(lines)) + "\n"


def with_globals(result: str, part: Part, user: Part | None) -> str:
    """The launcher, and the table of the kernel's globals: one for all forms of the kernel."""
    if not settable(part):
        return result
    table = "{\n" + "".join(f'    "{g.root.name}": {contents(g)},\n' for g in settable(part)) + "}"
    if user is not None:
        table = f"{user.function_name}.globals"
    return f"{result}\n\n{part.function_name}.globals = {table}\n"


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
