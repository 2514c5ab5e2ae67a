"""Launchers of launchers: a launch for each phase, or one whose failure is looked at after it."""

from __future__ import annotations

from crossport.backends.triton.expressions import TORCH_TYPES
from crossport.backends.triton.part import Part, device_of, in_order, summary
from crossport.ir.lift.flatten.recursion import FAILURE
from crossport.ir.lift.wrapping import wrap


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
