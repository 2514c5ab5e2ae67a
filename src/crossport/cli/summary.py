"""What a port came to: each file and kernel on a line, and a table where there are many.

k.cu -> k_triton.py
  k: triton, tier tile, unverified (not run: see port verify)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from crossport.result import KernelResult, PortResult, shown_path

_MANY = 12
"""From so many kernels on, a table counts them."""


def print_summary(result: PortResult) -> None:
    """To stderr: files with their edits, kernels with tier and status, and the table."""
    for output in result.outputs:
        edits = f": {output.edits} edit{'s' if output.edits != 1 else ''}"
        edits = edits if output.target == "hip" else ""
        origin = f"{shown_path(output.source)} -> " if output.source else ""
        click.echo(f"{origin}{output.path}{edits}", err=True)
    for group in _alike(result.kernels):
        kernel = group[0]
        name = f"{kernel.name.partition('<')[0]} ({len(group)} instances)"
        reason = f" ({kernel.reason})" if kernel.reason else ""
        click.echo(
            f"  {name if len(group) > 1 else kernel.name}: {kernel.target}, tier {kernel.tier}, "
            f"{kernel.status}{reason}",
            err=True,
        )
    if len(result.kernels) >= _MANY:
        _print_table(result.kernels)


def _alike(kernels: Sequence[KernelResult]) -> list[list[KernelResult]]:
    """Kernels by template: instances that fared alike stand together."""
    groups: dict[tuple[object, ...], list[KernelResult]] = {}
    for k in kernels:
        key = (k.name.partition("<")[0], k.file, k.line, k.target, k.tier, k.status, k.reason)
        groups.setdefault(key, []).append(k)
    return list(groups.values())


def _print_table(kernels: Sequence[KernelResult]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    tiers = list(dict.fromkeys(k.tier for k in kernels if k.tier != "none"))
    statuses = list(dict.fromkeys(k.status for k in kernels))
    table = Table("target", "kernels", *tiers, *statuses, box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for target in dict.fromkeys(k.target for k in kernels):
        mine = [k for k in kernels if k.target == target]
        by_tier, by_status = Counter(k.tier for k in mine), Counter(k.status for k in mine)
        counts = [by_tier[tier] for tier in tiers] + [by_status[status] for status in statuses]
        table.add_row(target, str(len(mine)), *(str(count) if count else "-" for count in counts))
    Console(stderr=True).print(table)
