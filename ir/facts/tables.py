"""The tables of a report: every access with what it costs, every target with what it allows.

line  access   next thread  next round  sm_90             gfx942
  24  load in            4           -  4 sectors (100%)  2 lines of 128 B (100%)
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from crossport.ir.facts.kernel import KernelFacts, TargetFacts
from crossport.ir.facts.memory import Pattern
from crossport.ir.facts.roofline import Roofline
from crossport.ir.facts.steps import lane_step, round_step

_WIDTH = 118
_WORTH_SAYING = 0.25


def access_table(facts: KernelFacts) -> str:
    """One line an access, in source order; the same twice stands once. Locals are left out.

    Steps are bytes from a thread to the next, and from a round of the innermost loop to the next.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("line", justify="right")
    table.add_column("access", overflow="fold")
    table.add_column("next thread", justify="right", overflow="fold")
    table.add_column("next round", justify="right", overflow="fold")
    for name in facts.targets:
        table.add_column(name, overflow="fold")
    first = next(iter(facts.targets.values()))
    rows: dict[tuple[str, ...], None] = {}
    for index, access in enumerate(facts.accesses):
        if access.base.space == "local":
            continue
        space = "" if access.base.space == "global" else f" ({access.base.space})"
        rows[
            str(access.span.line) if access.span else "",
            f"{access.kind} {access.base.name}{space}",
            lane_step(access, first.patterns[index]),
            round_step(access),
            *(cost(on.patterns[index], on) for on in facts.targets.values()),
        ] = None
    for row in sorted(rows, key=lambda row: int(row[0] or 0)):
        table.add_row(*row)
    return _text(table) if rows else ""


def target_table(facts: KernelFacts) -> str:
    """One line a target: how full it gets, and what bounds the kernel there."""
    table = Table(box=None, pad_edge=False)
    table.add_column("target")
    for heading in ("waves/unit", "occupancy", "limited by", "B fetched", "flop/B"):
        table.add_column(heading, justify="right")
    table.add_column("waits for")
    for name, on in facts.targets.items():
        fit, line = on.occupancy, on.roofline
        intensity = f"{line.intensity:.2f}" if line.intensity else "-"
        most = "at most " if line.is_least and line.intensity else ""
        table.add_row(
            f"{name} ({on.target.product})",
            f"{fit.waves}/{fit.most}",
            f"{fit.share:.0%}",
            fit.limit,
            f"{line.fetched:.4g}{'+' if line.is_least else ''}",
            f"{most}{intensity} of {on.target.balance:.0f}",
            _waits(line),
        )
    for name, tpu in facts.tpus.items():
        intensity = "-" if tpu.intensity is None else f"{tpu.intensity:.2f}"
        table.add_row(
            f"{name} ({tpu.target.product})", "-", "-", "-", f"{facts.bytes_moved:.4g}",
            f"{intensity} of {tpu.balance:.0f}", tpu.bound,
        )  # fmt: skip
    return _text(table)


def _waits(line: Roofline) -> str:
    """The slowest resource, and which others need a good part of its time."""
    others = [
        f"{kind} {share:.0%}"
        for kind, share in line.limits.items()
        if kind != line.name and share >= _WORTH_SAYING
    ]
    return f"{line.name} ({', '.join(others)})" if others else line.name


def instance_table(instances: Sequence[KernelFacts]) -> str:
    """One line an instance of a template: what its numbers are."""
    table = Table(box=None, pad_edge=False)
    table.add_column("instance", overflow="fold")
    for heading in ("block", "registers", "B shared"):
        table.add_column(heading, justify="right")
    for name in instances[0].targets:
        table.add_column(name, overflow="fold")
    for facts in instances:
        table.add_row(
            facts.name,
            "x".join(map(str, facts.launch.block)),
            str(facts.registers),
            str(facts.shared_bytes),
            *(f"{on.occupancy.share:.0%}, {_waits(on.roofline)}" for on in facts.targets.values()),
        )
    return _text(table)


def cost(pattern: Pattern, on: TargetFacts) -> str:
    """What one request of a wave fetches, and the share of it that is used."""
    share = "" if pattern.efficiency is None else f" ({pattern.efficiency:.0%})"
    if pattern.shape == "data-dependent":
        return "depends on data"
    if pattern.shape == "never":
        return "never"
    if pattern.segments is not None:
        one = pattern.segments == 1
        name = "sector" if on.target.vendor == "nvidia" else f"line of {on.target.segment} B"
        unit = name if one else name.replace("sector", "sectors").replace("line", "lines")
        leaves = pattern.rounds_per_segment and (pattern.efficiency or 0) < 1
        reused = ", rest used next" if leaves else ""
        return f"{pattern.segments:.3g} {unit}{share.replace(')', reused + ')')}"
    if pattern.passes is None:
        return pattern.shape
    return f"{pattern.passes:.3g} pass{'es' if pattern.passes != 1 else ''}{share}"


def _text(table: Table) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=_WIDTH, color_system=None).print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())
