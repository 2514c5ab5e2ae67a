"""CUB's BlockReduce and WarpReduce as IR text: neighbours are combined in order."""

from __future__ import annotations

from crossport.frontend.clang import Cursor, TypeKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.cub_common import (
    LINEAR,
    Collective,
    Operator,
    call_helper,
    helper,
    operator_of,
    parameter_list,
    sum_operator,
)
from crossport.frontend.lowering.errors import NotLowered
from crossport.ir.nodes import Const, Expr
from crossport.ir.types import I32, Array, Scalar

_REDUCE = """
function `{name}`({parameters}) -> {T} {{
  shared cells: {T}[{threads}]
  let tid: u32 = {linear}
  barrier.block()
  cells[tid] = x
  barrier.block()
  let distance: u32 = 1u32
  for (distance < {threads}u32) {{
    if (((tid % (distance * 2u32)) == 0u32) && ((tid + distance) < valid)) {{
      let left: {T} = cells[tid]
      let right: {T} = cells[(tid + distance)]
      {combine}
      cells[tid] = left
    }}
    barrier.block()
  }} step {{
    distance = (distance * 2u32)
  }}
  return cells[0u32]
}}
"""

_WARP_REDUCE = """
function `{name}`({parameters}) -> {T} {{
  let lane: u32 = (%lane_id % {threads}u32)
  let left: {T} = x
  let right: {T}
  let distance: u32 = 1u32
  for (distance < {threads}u32) {{
    right = shuffle.down(left, distance; width={threads})
    if ((lane + distance) < valid) {{
      {combine}
    }}
  }} step {{
    distance = (distance * 2u32)
  }}
  return left
}}
"""


def reduce(ctx: Lowering, site: Site, collective: Collective) -> Expr:
    """Sum(x), Sum(x, valid), Sum(items), Reduce(x, op), Reduce(x, op, valid)."""
    given = list(site.args)
    is_sum = site.callee.spelling == "Sum"
    operator = (
        sum_operator(ctx, collective)
        if is_sum
        else operator_of(ctx, site, collective, given.pop(1))
    )
    value = _items_total(ctx, collective, operator, given[0])
    valid: Expr = Const(collective.threads, I32)
    if len(given) > 1:
        valid = ctx.convert(ctx.value(given[1]), I32)
    from crossport.ir.types import U32

    is_warp = collective.name.startswith("cub::Warp")
    template = _WARP_REDUCE if is_warp else _REDUCE
    if is_warp and not isinstance(collective.element, Scalar):
        raise NotLowered(f"a CUB warp reduction of {collective.element}")
    name = f"{collective.name}::{operator.name}"
    text = template.format(
        name=name,
        parameters=parameter_list(f"x: {collective.element}", "valid: u32", operator.parameter),
        T=collective.element,
        threads=collective.threads,
        linear=LINEAR,
        combine=operator.combine("left", "left", "right"),
    )
    args = ctx.sequence(lambda: value, lambda: ctx.convert(valid, U32))
    return call_helper(ctx, helper(ctx, name, text), args, operator, collective.element)


def _items_total(ctx: Lowering, collective: Collective, operator: Operator, cursor: Cursor) -> Expr:
    """A thread's own items combined, or its one value."""
    array = cursors.strip(cursor)
    if array.type.get_canonical().kind != TypeKind.CONSTANTARRAY or cursors.is_decayed(array):
        return ctx.convert(ctx.value(cursor), collective.element)
    place = ctx.plain_place(array)
    kind = place.type
    assert isinstance(kind, Array)
    name = f"cub::items<{collective.element}, {kind.length}>::{operator.name}"
    text = _ITEMS.format(
        name=name,
        parameters=parameter_list(f"items: {collective.element}*", operator.parameter),
        T=collective.element,
        items=kind.length,
        combine=operator.combine("left", "left", "right"),
    )
    pointer = ctx.decay(place)
    return call_helper(ctx, helper(ctx, name, text), [pointer], operator, collective.element)


_ITEMS = """
function `{name}`({parameters}) -> {T} {{
  let left: {T} = items[0]
  let i: i32 = 1
  for (i < {items}) {{
    let right: {T} = items[i]
    {combine}
  }} step {{
    i = (i + 1)
  }}
  return left
}}
"""
