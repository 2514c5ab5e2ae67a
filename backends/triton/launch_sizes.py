"""The last lines of a launcher: programs, lanes and warps, chosen by rule or measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crossport.backends.triton.part import (
    Part,
    array_of,
    fusion,
    has_gathers,
    is_repeatable,
    kernel_name,
)
from crossport.ir.lift import flat, fold
from crossport.ir.nodes import Binary, Cast, Expr, Special, walk
from crossport.ir.tile.retile import (
    FreeShape,
    host_text,
    resolve,
    single_values,
    size_var,
    wide_terms,
)

# Lanes of a program that takes several rounds of its loops at once.
WIDE_ROUNDS = 4096


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
    if _is_shifted(part.program) and not part.text.loads_alike:
        # Places that start anywhere are best taken one or two a thread.
        most, each = 256, 2
    elif not any(isinstance(s, flat.LaneReduce) for s in flat.statements(part.program.body)):
        each = 8
    return most, lambda lanes: f"max(1, min(16, {lanes} * blocks_each // {32 * each}))"


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
