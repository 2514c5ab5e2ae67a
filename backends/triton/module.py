"""Assemble a standalone Triton module: header, helpers, kernels, launchers, tables."""

from __future__ import annotations

import re

from crossport.backends.triton.contraction import DOT, TILE_ORDER, TILES
from crossport.backends.triton.helpers import HELPERS
from crossport.backends.triton.helpers.host import (
    ARRAY,
    BLOCKS_EACH,
    DIM3,
    FIELDS,
    GLOBAL,
    TUNED,
    WARP_LANES,
    imports,
    on_cpu_text,
)
from crossport.backends.triton.launcher import launcher
from crossport.backends.triton.part import Part, in_order, is_struct
from crossport.ir.lift.naming import module_header
from crossport.ir.lift.wrapping import wrap


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
        out[-1] += "\n" + on_cpu_text(libdevice).strip("\n")
    out.append(DIM3)
    if any(p.roots for part in parts for p in part.program.parameters):
        out.append(ARRAY)
    if any(is_struct(p) for part in parts for p in part.program.parameters):
        out.append(FIELDS)
    if any(not g.is_lookup for part in parts for g in part.program.globals):
        out.append(GLOBAL)
    if any(part.free is not None and part.free.has_votes for part in parts):
        out.append(WARP_LANES)
    if any(form.text.batched for form in forms):
        out.append(BLOCKS_EACH)
    users = {id(part.fallback): part for part in parts}
    launchers = [launcher(part, users.get(id(part))) for part in parts]
    if any("_tuned(" in text for text in launchers):
        out.append(TUNED)
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
