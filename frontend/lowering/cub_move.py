"""CUB's BlockLoad and BlockStore as IR text: the arrangement is what their algorithm ends in."""

from __future__ import annotations

import re

from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.cub_common import (
    LINEAR,
    Collective,
    call_helper,
    helper,
    parameter_list,
    template_arguments,
)
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import Const, Expr
from crossport.ir.types import I32, VOID, Array, Pointer

_MOVE = """
function `{name}`({parameters}) -> void {{
  let tid: u32 = {linear}
  let i: i32 = 0
  for (i < {items}) {{
    let at: i32 = {index}
    if (at < valid) {{
      {move}
    }}{otherwise}
  }} step {{
    i = (i + 1)
  }}
}}
"""


def move(ctx: Lowering, site: Site, collective: Collective) -> Expr:
    """Load(p, items [, valid [, default]]) and Store(p, items [, valid])."""
    given = list(site.args)
    is_load = site.callee.spelling == "Load"
    pointer = ctx.value(given[0])
    if pointer.type not in (Pointer(collective.element),):
        raise NotLowered(f"{collective.name} through an iterator")
    items = ctx.plain_place(cursors.strip(given[1]))
    if not isinstance(items.type, Array):
        raise NotLowered(f"{collective.name} of one item")
    valid: Expr = Const(0x7FFFFFFF, I32)
    if len(given) > 2:
        valid = ctx.convert(ctx.value(given[2]), I32)
    default = ctx.convert(ctx.value(given[3]), collective.element) if len(given) > 3 else None
    striped = _algorithm(collective.spelled) == 1
    index = (
        f"((i * {collective.threads}) + (tid as i32))"
        if striped
        else f"(((tid as i32) * {collective.items}) + i)"
    )
    name = f"{collective.name}::{'load' if is_load else 'store'}_{collective.items}"
    name += ("_striped" if striped else "") + ("_else" if default is not None else "")
    text = _MOVE.format(
        name=name,
        parameters=parameter_list(
            f"memory: {collective.element}*",
            f"items: {collective.element}*",
            "valid: i32",
            f"default_value: {collective.element}" if default is not None else "",
        ),
        linear=LINEAR,
        items=collective.items,
        index=index,
        move="items[i] = memory[at]" if is_load else "memory[at] = items[i]",
        otherwise=" else {\n      items[i] = default_value\n    }" if default is not None else "",
    )
    args = [pointer, ctx.decay(items), valid, *([default] if default is not None else [])]
    values = ctx.sequence(*[lambda a=a: a for a in args])
    return call_helper(ctx, helper(ctx, name, text), values, None, VOID)


def _algorithm(spelled: str) -> int:
    """BLOCK_LOAD_STRIPED is 1; the transposing ones end in the blocked arrangement, too."""
    for argument in template_arguments(spelled):
        found = re.search(r"Block(?:Load|Store)Algorithm\)?\s*(\d+)", argument)
        if found:
            return int(found.group(1))
        if argument.endswith(("_STRIPED",)):
            return 1
    return 0
