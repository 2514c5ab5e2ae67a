"""CUB's block and warp collectives, written out: what they compute, in plain IR.

    BlockReduce(temp).Sum(x)     _t1 = call `cub::BlockReduce<f32, 256>::add`(x)

    function `cub::BlockReduce<f32, 256>::add`(x: f32) -> f32 {
      shared cells: f32[256]       store, barrier, combine neighbours at distance 1, 2, 4 ...

A collective becomes a device function of its own, so that everything downstream sees shared memory,
barriers and shuffles, and nothing has to know CUB. Neighbours are combined in order, which holds
for operators that do not commute. The caller's temporary storage is not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind, TypeKind
from crossport.frontend.lowering import cursors
from crossport.frontend.lowering.builtins import Found
from crossport.frontend.lowering.calls import Site
from crossport.frontend.lowering.context import Lowering
from crossport.frontend.lowering.errors import NotLowered
from crossport.frontend.lowering.module import definition_of
from crossport.ir.nodes import AddressOf, Call, Const, Element, Expr, Let, Read, Var
from crossport.ir.types import I32, VOID, Array, Pointer, Scalar, Struct, Type

_FUNCTORS = ("Sum", "Max", "Min", "Equality", "Inequality", "ArgMax", "ArgMin", "KeyValuePair")
_LINEAR = "(%thread.x + (%block_dim.x * (%thread.y + (%block_dim.y * %thread.z))))"


def lower(ctx: Lowering, site: Site, name: str) -> Found | None:
    """Lower a CUB collective; None if the call is no business of CUB's."""
    if not name.startswith("cub::"):
        return None
    owner, _, method = name.removeprefix("cub::").rpartition("::")
    if owner in _FUNCTORS:
        return None
    handler = _METHODS.get((owner, method))
    if handler is None:
        raise NotLowered(f"cub::{owner}::{method}" if owner else f"cub::{method}")
    return Found(handler(ctx, site, _collective(ctx, site, owner)))


# --- The collective and its operator -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Collective:
    """A class instance: element type, threads that take part, items a thread."""

    name: str
    element: Type
    threads: int
    items: int
    spelled: str


def _collective(ctx: Lowering, site: Site, owner: str) -> Collective:
    kind = site.callee.semantic_parent.type.get_canonical()
    spelled = str(kind.spelling)
    element = ctx.lower_type(kind.get_template_argument_type(0))
    numbers = _arguments(spelled)[1:]
    if owner.startswith("Warp"):
        threads = int(numbers[0]) if numbers else 32
        if threads & (threads - 1):
            raise NotLowered(f"cub::{owner} of {threads} lanes")
        return Collective(f"cub::{owner}<{element}, {threads}>", element, threads, 1, spelled)
    sizes = [n for n in numbers if re.fullmatch(r"\d+", n)]
    items = 1
    if owner in ("BlockLoad", "BlockStore"):
        items = int(sizes.pop(1))
        others = sizes[1:3]
    else:
        others = sizes[1:3]
    threads = int(sizes[0])
    for size in others:
        threads *= int(size)
    return Collective(f"cub::{owner}<{element}, {threads}>", element, threads, items, spelled)


def _arguments(spelled: str) -> list[str]:
    """Top-level template arguments of a spelled type; enumerators keep their cast's text."""
    inside = spelled[spelled.index("<") + 1 : spelled.rindex(">")]
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(inside):
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append(inside[start:position].strip())
            start = position + 1
    return [*parts, inside[start:].strip()]


@dataclass(frozen=True, slots=True)
class Operator:
    """How two values are combined, as IR text; `argument`: the functor, passed along."""

    name: str
    combine: Callable[[str, str, str], str]  # (result, left, right) -> statements
    parameter: str = ""
    argument: Expr | None = None


def _plain(name: str, element: Type) -> Operator:
    """add, min, max."""
    if not isinstance(element, Scalar):
        raise NotLowered(f"a CUB {name} of {element}")
    if name == "add":
        return Operator(name, lambda r, a, b: f"{r} = ({a} + {b})")
    test = "<" if name == "min" else ">"
    return Operator(name, lambda r, a, b: f"{r} = (({a} {test} {b}) ? {a} : {b})")


def _sum(ctx: Lowering, collective: Collective, cursor: Cursor | None = None) -> Operator:
    """`+` of the element's own type, its operator where it is a class."""
    if isinstance(collective.element, Scalar):
        return _plain("add", collective.element)
    raise NotLowered(f"a CUB sum of {collective.element}")


_KNOWN = {"Sum": "add", "Max": "max", "Min": "min", "plus": "add", "maximum": "max",
          "minimum": "min"}  # fmt: skip


def _instance_in(callee: Cursor, functor: Cursor) -> Cursor | None:
    """The instance of a generic functor's call operator that a function's body uses."""
    body = clang.body(definition_of(callee))
    for node in clang.walk(body) if body is not None else ():
        found = node.referenced if node.kind == CursorKind.CALL_EXPR else None
        if found is None or found.spelling != "operator()":
            continue
        if found.semantic_parent == functor:
            return found
    return None


def _operator(ctx: Lowering, site: Site, collective: Collective, cursor: Cursor) -> Operator:
    """The functor, lambda or CUB operator that a call names."""
    kind = cursor.type.get_canonical()
    if kind.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
        kind = kind.get_pointee().get_canonical()
    declaration = kind.get_declaration()
    name = str(declaration.spelling)
    if cursors.is_shim(declaration) and name in _KNOWN:
        return _plain(_KNOWN[name], collective.element)
    method = next(
        (
            child
            for child in declaration.get_children()
            if child.kind == CursorKind.CXX_METHOD and child.spelling == "operator()"
        ),
        None,
    )
    if method is None:  # a template: the instance that the header's own body calls, if it has one
        method = _instance_in(site.callee, declaration)
    if method is None or clang.body(definition_of(method)) is None:
        raise NotLowered("a CUB collective with a generic operator")
    function = ctx.module.function(method)
    functor = ctx.types.record(kind).type
    by_pointer = [
        p.type.get_canonical().kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE)
        for p in definition_of(method).get_arguments()
    ]
    if ctx.lower_type(method.result_type) != collective.element or len(by_pointer) != 2:
        raise NotLowered("a CUB collective whose operator changes the type")

    def combine(result: str, left: str, right: str) -> str:
        args = [f"&{a}" if p else a for a, p in zip((left, right), by_pointer, strict=True)]
        return f"{result} = call `{function}`(&op, {', '.join(args)})"

    value = ctx.value(cursor)
    return Operator(function, combine, f"op: {functor}", value)


def _helper(ctx: Lowering, name: str, text: str) -> str:
    """The name of a helper function, made from text the first time."""
    return ctx.module.helper(name, text)


def _call(
    ctx: Lowering, name: str, args: list[Expr], operator: Operator | None, result: Type
) -> Expr:
    from crossport.frontend.lowering.expressions import NOTHING

    if operator is not None and operator.argument is not None:
        args = [*args, operator.argument]
    if result == VOID:
        ctx.emit(Call(None, name, tuple(args), span=ctx.here))
        return NOTHING
    target = ctx.new_temp(result)
    ctx.emit(Call(target, name, tuple(args), span=ctx.here))
    return Read(target, span=ctx.here)


def _parameters(*parts: str) -> str:
    return ", ".join(p for p in parts if p)


# --- Reductions --------------------------------------------------------------------------------

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


def _reduce(ctx: Lowering, site: Site, collective: Collective) -> Expr:
    """Sum(x), Sum(x, valid), Sum(items), Reduce(x, op), Reduce(x, op, valid)."""
    given = list(site.args)
    is_sum = site.callee.spelling == "Sum"
    operator = _sum(ctx, collective) if is_sum else _operator(ctx, site, collective, given.pop(1))
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
        parameters=_parameters(f"x: {collective.element}", "valid: u32", operator.parameter),
        T=collective.element,
        threads=collective.threads,
        linear=_LINEAR,
        combine=operator.combine("left", "left", "right"),
    )
    args = ctx.sequence(lambda: value, lambda: ctx.convert(valid, U32))
    return _call(ctx, _helper(ctx, name, text), args, operator, collective.element)


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
        parameters=_parameters(f"items: {collective.element}*", operator.parameter),
        T=collective.element,
        items=kind.length,
        combine=operator.combine("left", "left", "right"),
    )
    pointer = ctx.decay(place)
    return _call(ctx, _helper(ctx, name, text), [pointer], operator, collective.element)


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


# --- Scans -------------------------------------------------------------------------------------

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
        operator = _sum(ctx, collective)
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
        operator = _operator(ctx, site, collective, rest.pop(0))
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


def _scan(ctx: Lowering, site: Site, collective: Collective) -> Expr:
    request = _scan_request(ctx, site, collective)
    element, operator = collective.element, request.operator
    is_warp = collective.name.startswith("cub::Warp")
    if is_warp and not isinstance(element, Scalar):
        raise NotLowered(f"a CUB warp scan of {element}")
    kind = "exclusive" if request.exclusive else "inclusive"
    name = f"{collective.name}::{kind}_{operator.name}_{request.items}"
    name += "_from" if request.initial is not None else ""
    name += "_total" if request.aggregate is not None else ""
    parameters = _parameters(
        f"input: {element}*",
        f"output: {element}*",
        f"initial: {element}" if request.initial is not None else "",
        f"aggregate: {element}*" if request.aggregate is not None else "",
        operator.parameter,
    )
    args = [a for a in (request.input, request.output, request.initial, request.aggregate) if a]
    template = _warp_scan_text if is_warp else _block_scan_text
    text = template(request, collective, name, parameters)
    return _call(ctx, _helper(ctx, name, text), args, operator, VOID)


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
        linear=_LINEAR,
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


# --- Loads and stores --------------------------------------------------------------------------

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


def _move(ctx: Lowering, site: Site, collective: Collective) -> Expr:
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
        parameters=_parameters(
            f"memory: {collective.element}*",
            f"items: {collective.element}*",
            "valid: i32",
            f"default_value: {collective.element}" if default is not None else "",
        ),
        linear=_LINEAR,
        items=collective.items,
        index=index,
        move="items[i] = memory[at]" if is_load else "memory[at] = items[i]",
        otherwise=" else {\n      items[i] = default_value\n    }" if default is not None else "",
    )
    args = [pointer, ctx.decay(items), valid, *([default] if default is not None else [])]
    values = ctx.sequence(*[lambda a=a: a for a in args])
    return _call(ctx, _helper(ctx, name, text), values, None, VOID)


def _algorithm(spelled: str) -> int:
    """BLOCK_LOAD_STRIPED is 1; the transposing ones end in the blocked arrangement, too."""
    for argument in _arguments(spelled):
        found = re.search(r"Block(?:Load|Store)Algorithm\)?\s*(\d+)", argument)
        if found:
            return int(found.group(1))
        if argument.endswith(("_STRIPED",)):
            return 1
    return 0


_METHODS: dict[tuple[str, str], Callable[[Lowering, Site, Collective], Expr]] = {
    **{(c, m): _reduce for c in ("BlockReduce", "WarpReduce") for m in ("Sum", "Reduce")},
    **{
        (c, m): _scan
        for c in ("BlockScan", "WarpScan")
        for m in ("ExclusiveSum", "InclusiveSum", "ExclusiveScan", "InclusiveScan")
    },
    ("BlockLoad", "Load"): _move,
    ("BlockStore", "Store"): _move,
}

__all__ = ["Element", "Struct", "Var", "lower"]
