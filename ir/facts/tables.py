"""The two tables of a report: every access with what it costs, every target with what it allows.

line  access   bytes from the base, by thread  loops  sm_90             gfx942
  24  load in  4*thread.x+1024*block.x             0  4 sectors (100%)  2 lines of 128 B (100%)
"""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from crossport.ir.facts.kernel import KernelFacts, TargetFacts
from crossport.ir.facts.memory import Pattern

_WIDTH = 118


def access_table(facts: KernelFacts) -> str:
    """One line an access, in source order; the same twice stands once. Locals are left out."""
    table = Table(box=None, pad_edge=False)
    table.add_column("line", justify="right")
    table.add_column("access", overflow="fold")
    table.add_column("bytes from the base, by thread", overflow="fold")
    table.add_column("loops", justify="right")
    for name in facts.targets:
        table.add_column(name, overflow="fold")
    rows: dict[tuple[str, ...], None] = {}
    for index, access in enumerate(facts.accesses):
        if access.base.space == "local":
            continue
        space = "" if access.base.space == "global" else f" ({access.base.space})"
        rows[
            str(access.span.line) if access.span else "",
            f"{access.kind} {access.base.name}{space}",
            access.offset.text,
            str(len(access.loops)),
            *(cost(on.patterns[index], on) for on in facts.targets.values()),
        ] = None
    for row in sorted(rows, key=lambda row: int(row[0] or 0)):
        table.add_row(*row)
    return _text(table) if rows else ""


def target_table(facts: KernelFacts) -> str:
    """One line a target: how full it gets, and what bounds the kernel there."""
    table = Table(box=None, pad_edge=False)
    table.add_column("target")
    for heading in ("waves/unit", "occupancy", "limited by", "flop/B", "bound"):
        table.add_column(heading, justify="right")
    for name, on in facts.targets.items():
        fit = on.occupancy
        intensity = "-" if on.intensity is None else f"{on.intensity:.2f}"
        table.add_row(
            f"{name} ({on.target.product})",
            f"{fit.waves}/{fit.most}",
            f"{fit.share:.0%}",
            fit.limit,
            f"{intensity} of {on.target.balance:.0f}",
            on.bound,
        )
    for name, tpu in facts.tpus.items():
        intensity = "-" if tpu.intensity is None else f"{tpu.intensity:.2f}"
        balance = f"{intensity} of {tpu.balance:.0f}"
        table.add_row(f"{name} ({tpu.target.product})", "-", "-", "-", balance, tpu.bound)
    return _text(table)


def cost(pattern: Pattern, on: TargetFacts) -> str:
    """What one request of a wave fetches, and the share of it that is used."""
    share = "" if pattern.efficiency is None else f" ({pattern.efficiency:.0%})"
    if pattern.shape == "data-dependent":
        return "depends on data"
    if pattern.segments is not None:
        one = pattern.segments == 1
        name = "sector" if on.target.vendor == "nvidia" else f"line of {on.target.segment} B"
        unit = name if one else name.replace("sector", "sectors").replace("line", "lines")
        reused = ", rest used next" if pattern.rounds_per_segment else ""
        return f"{pattern.segments:.3g} {unit}{share.replace(')', reused + ')')}"
    if pattern.passes is None:
        return pattern.shape
    return f"{pattern.passes:.3g} pass{'es' if pattern.passes != 1 else ''}{share}"


def _text(table: Table) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=_WIDTH, color_system=None).print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
