"""CUB's BlockScan and WarpScan as IR text: each thread adds what stands 1, 2, 4 ... before."""

from __future__ import annotations

from dataclasses import dataclass

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
from crossport.ir.nodes import AddressOf, Const, Expr, Let
from crossport.ir.types import VOID, Array, Scalar

_SCAN = """
function `{name}`({parameters}) -> void {{
  shared cells: {T}[{threads}]
  let tid: u32 = {linear}
  let left: {T} = input[0]
  let right: {T}
  let i: i32 = 1
  for (i < {items}) {{
    right = input[i]
    {combine}
  }} step {{
    i = (i + 1)
  }}
  barrier.block()
  cells[tid] = left
  barrier.block()
  let distance: u32 = 1u32
  for (distance < {threads}u32) {{
    right = cells[tid]
    if (tid >= distance) {{
      left = cells[(tid - distance)]
      {combine_right}
    }}
    barrier.block()
    cells[tid] = right
    barrier.block()
  }} step {{
    distance = (distance * 2u32)
  }}
  let started: bool = {started}
  {first}
  if (tid > 0u32) {{
    right = cells[(tid - 1u32)]
    if started {{
      {combine}
    }} else {{
      left = right
    }}
    started = true
  }}
  let j: i32 = 0
  for (j < {items}) {{
    right = input[j]
    {before}
    if started {{
      {combine}
    }} else {{
      left = right
    }}
    started = true
    {after}
  }} step {{
    j = (j + 1)
  }}
  {total}
}}
"""

_WARP_SCAN_CELLS = """
function `{name}`({parameters}) -> void {{
  let lane: u32 = (%lane_id % {threads}u32)
  let left: {T}
  let right: {T} = input[0]
  let distance: u32 = 1u32
  for (distance < {threads}u32) {{
    left = shuffle.up(right, distance; width={threads})
    if (lane >= distance) {{
      {combine_right}
    }}
  }} step {{
    distance = (distance * 2u32)
  }}
  let all: {T}
  all = shuffle.idx(right, {last}; width={threads})
  let exclusive: {T}
  exclusive = shuffle.up(right, 1u32; width={threads})
  {finish}
}}
"""


@dataclass(frozen=True, slots=True)
class _Scan:
    input: Expr
    output: Expr
    items: int
    operator: Operator
    initial: Expr | None
    aggregate: Expr | None
    exclusive: bool


def _scan_request(ctx: Lowering, site: Site, collective: Collective) -> _Scan:
    """Take the many overloads apart: (in, out [, initial] [, op] [, aggregate])."""
    method = str(site.callee.spelling)
    exclusive, is_sum = method.startswith("Exclusive"), method.endswith("Sum")
    given = list(site.args)
    source, target, *rest = given
    items, pointer = _scan_input(ctx, source)
    output = _scan_output(ctx, target)
    initial: Expr | None = None
    aggregate: Cursor | None = None
    if is_sum:
        operator = sum_operator(ctx, collective)
        if exclusive:
            element = collective.element
            assert isinstance(element, Scalar)
            initial = Const(0.0 if element.is_float else 0, element)
        if len(rest) > 1:
            raise NotLowered(f"{collective.name}::{method} with a callback")
        aggregate = rest[0] if rest else None
    else:
        if rest and not _is_functor(rest[0]):
            initial = ctx.convert(ctx.value(rest.pop(0)), collective.element)
        if not rest or len(rest) > 2:
            raise NotLowered(f"{collective.name}::{method} with these arguments")
        operator = operator_of(ctx, site, collective, rest.pop(0))
        aggregate = rest[0] if rest else None
    total = ctx.address(ctx.plain_place(aggregate)) if aggregate is not None else None
    return _Scan(pointer, output, items, operator, initial, total, exclusive)


def _is_functor(cursor: Cursor) -> bool:
    kind = cursor.type.get_canonical()
    if kind.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        kind = kind.get_pointee().get_canonical()
    if kind.kind != TypeKind.RECORD:
        return False
    return any(child.spelling == "operator()" for child in kind.get_declaration().get_children())


def _scan_input(ctx: Lowering, cursor: Cursor) -> tuple[int, Expr]:
    array = cursors.strip(cursor)
    if array.type.get_canonical().kind == TypeKind.CONSTANTARRAY and not cursors.is_decayed(array):
        place = ctx.plain_place(array)
        assert isinstance(place.type, Array)
        return place.type.length, ctx.decay(place)
    value = ctx.value(cursor)
    variable = ctx.temp_var(value.type)
    ctx.emit(Let(variable, value, span=ctx.here))
    return 1, AddressOf(variable, span=ctx.here)


def _scan_output(ctx: Lowering, cursor: Cursor) -> Expr:
    place = ctx.plain_place(cursors.strip(cursor))
    if isinstance(place.type, Array):
        return ctx.decay(place)
    return ctx.address(place)


def scan(ctx: Lowering, site: Site, collective: Collective) -> Expr:
    request = _scan_request(ctx, site, collective)
    element, operator = collective.element, request.operator
    is_warp = collective.name.startswith("cub::Warp")
    if is_warp and not isinstance(element, Scalar):
        raise NotLowered(f"a CUB warp scan of {element}")
    kind = "exclusive" if request.exclusive else "inclusive"
    name = f"{collective.name}::{kind}_{operator.name}_{request.items}"
    name += "_from" if request.initial is not None else ""
    name += "_total" if request.aggregate is not None else ""
    parameters = parameter_list(
        f"input: {element}*",
        f"output: {element}*",
        f"initial: {element}" if request.initial is not None else "",
        f"aggregate: {element}*" if request.aggregate is not None else "",
        operator.parameter,
    )
    args = [a for a in (request.input, request.output, request.initial, request.aggregate) if a]
    template = _warp_scan_text if is_warp else _block_scan_text
    text = template(request, collective, name, parameters)
    return call_helper(ctx, helper(ctx, name, text), args, operator, VOID)


def _block_scan_text(request: _Scan, collective: Collective, name: str, parameters: str) -> str:
    combine = request.operator.combine
    started = request.initial is not None
    emit = "if started {\n      output[j] = left\n    }" if not started else "output[j] = left"
    return _SCAN.format(
        name=name,
        parameters=parameters,
        T=collective.element,
        threads=collective.threads,
        items=request.items,
        linear=LINEAR,
        combine=combine("left", "left", "right"),
        combine_right=combine("right", "left", "right"),
        started="true" if started else "false",
        first="left = initial" if started else "",
        before=emit if request.exclusive else "",
        after="" if request.exclusive else "output[j] = left",
        total=f"aggregate[0] = cells[{collective.threads - 1}u32]" if request.aggregate else "",
    )


def _warp_scan_text(request: _Scan, collective: Collective, name: str, parameters: str) -> str:
    combine = request.operator.combine
    last = collective.threads - 1
    lines = []
    if request.aggregate:
        lines.append("aggregate[0] = all")
    if request.exclusive and request.initial is not None:
        lines.append("left = initial")
        lines.append("if (lane > 0u32) {")
        lines.append("right = exclusive")
        lines.append(combine("left", "left", "right"))
        lines.append("}")
        lines.append("output[0] = left")
    elif request.exclusive:
        lines.append("if (lane > 0u32) {\noutput[0] = exclusive\n}")
    elif request.initial is not None:
        lines.append("left = initial")
        lines.append(combine("right", "left", "right"))
        lines.append("output[0] = right")
    else:
        lines.append("output[0] = right")
    return _WARP_SCAN_CELLS.format(
        name=name,
        parameters=parameters,
        T=collective.element,
        threads=collective.threads,
        last=last,
        combine_right=combine("right", "left", "right"),
        finish="\n  ".join(lines),
    )
