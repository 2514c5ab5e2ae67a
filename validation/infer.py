"""Guess cases for kernels that come without any, by running them and watching where they reach.

    __global__ void k(const float* x, float* y, int n)
        ->  n = 1000, x: 1000 floats read, y: 1000 floats written; and so for n = 1, 31, 33, ...

Sizes are the whole-number parameters. What the host's launch sites give as constants (block, grid,
dynamic shared memory, arguments) is the first row; where they say nothing, blocks that the kernel
may have been written for are tried (ir/facts/launch_shapes). The rows after it vary the sizes: all
equal, so that every bound is met, and all different, so that a port that mixes two of them up is
seen. The interpreter runs each launch on arrays that are larger than needed, and what is touched
says how long they are, which are read, and which are written. Launches that break a rule (an index
out of any bounds, a missing barrier) are not proposed, nor are those in which threads race, if
others are free of races. A person keeps, changes or drops what comes out: `port cases`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.facts.launch_shapes import Directions, directions, likely_blocks
from crossport.ir.nodes import Function, Module
from crossport.ir.types import Array
from crossport.validation.dtypes import DType
from crossport.validation.generators import RECORD, Generator, generate
from crossport.validation.parameters import (
    ArrayParam,
    NumberParam,
    Parameter,
    StructParam,
    leaves,
    parameters,
)
from crossport.validation.reach import Reach

Dim3 = tuple[int, int, int]

SIZES = (1, 31, 33, 65, 257, 1009)
_DIFFERENT = (37, 70, 5, 18, 3, 11, 7, 2)
_ROOM = 1 << 16
_SECONDS = 5.0
_MOST_SHARED = 48 << 10
# As indices, large numbers reach further; as loop bounds, they may run away: the first that works.
_INTEGER_RANGES = ((0, 30), (0, 1))


@dataclass(frozen=True, slots=True)
class LaunchHint:
    """What a launch site of the host says in constants; None where it depends on run time.

    block, grid: extents. shared: bytes of dynamic shared memory. arguments: in parameter order.
    """

    block: Dim3 | None = None
    grid: Dim3 | None = None
    shared: int | None = None
    arguments: tuple[int | float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """One kernel's parameters, sorted by what they are, and how it is launched."""

    kernel: Function
    params: tuple[Parameter, ...]
    axes: Directions
    block: Dim3
    shared: int
    range: tuple[int, int]
    known: Mapping[str, int | float]
    """Scalar arguments that the launch site gives."""

    @property
    def arrays(self) -> list[ArrayParam]:
        """Every array."""
        return [p for p in leaves(self.params) if isinstance(p, ArrayParam)]

    @property
    def sizes(self) -> list[str]:
        """The names of the whole numbers."""
        return [p.name for p in leaves(self.params) if isinstance(p, NumberParam) and p.is_size]


@dataclass(frozen=True, slots=True)
class _Row:
    """One launch that ran: its sizes, what it touched, and whether its threads race."""

    sizes: Mapping[str, int]
    grid: Dim3
    reach: Reach
    races: bool


def infer_cases(
    module: Module, *, launches: Mapping[str, LaunchHint] | None = None, source: str
) -> str:
    """The text of a cases.toml for every kernel that can be run. Raises PortError if none can.

    launches: what is known from launch sites, by kernel name.
    """
    tables = (_table(module, k, (launches or {}).get(k.name)) for k in module.kernels)
    parts = [table for table in tables if table is not None]
    if not parts:
        raise PortError(
            Diagnostic(
                Code.CASES_MISSING,
                f"no launch of the kernels in {source} could be worked out",
                help="write a cases.toml: docs/cases.md",
            )
        )
    head = f'# Inferred by crossport: check sizes and ranges.\nschema = 1\nsource = "{source}"\n'
    return head + 'features = ["inferred"]\n\n' + "\n".join(parts)


def _table(module: Module, kernel: Function, hint: LaunchHint | None) -> str | None:
    """The table of one kernel: by the first way to launch it whose rows are mostly free of races.

    Where every way races (some kernels do on purpose), by the first that works.
    """
    racing: str | None = None
    for plan in _plans(module, kernel, hint or LaunchHint()):
        rows = list(_rows(module, plan, hint))
        clean = [row for row in rows if not row.races]
        if rows and 2 * len(clean) >= len(rows):
            return _text(plan, clean)
        if rows and racing is None:
            racing = _text(plan, rows)
    return racing


def _plans(module: Module, kernel: Function, hint: LaunchHint) -> Iterator[_Plan]:
    params = parameters(module, kernel)
    if params is None:
        return
    arrays = [p for p in leaves(params) if isinstance(p, ArrayParam)]
    if not arrays:
        return
    known = {
        param.name: value
        for param, value in zip(params, hint.arguments, strict=False)
        if value is not None and isinstance(param, NumberParam)
    }
    shared = hint.shared
    if shared is None:
        dynamic = any(isinstance(v.type, Array) and v.type.length == 0 for v in kernel.shared)
        shared = _MOST_SHARED if dynamic else 0
    whole = any(array.dtype.kind in ("int", "uint") for array in arrays)
    axes = directions(module, kernel)
    blocks = (hint.block,) if hint.block is not None else likely_blocks(module, kernel)
    for block in blocks:
        for span in _INTEGER_RANGES if whole else _INTEGER_RANGES[:1]:
            yield _Plan(kernel, params, axes, block, shared, span, known)


def _rows(module: Module, plan: _Plan, hint: LaunchHint | None) -> Iterator[_Row]:
    for sizes, grids in _launches(plan, hint):
        for grid in grids:
            row = _run(module, plan, sizes, grid)
            if row is not None:
                yield row
                break


def _launches(
    plan: _Plan, hint: LaunchHint | None
) -> Iterator[tuple[dict[str, int], tuple[Dim3, ...]]]:
    """Sizes, and for each the grids to try: the host's own first."""
    grid = hint.grid if hint is not None else None
    own = {name: int(plan.known[name]) for name in plan.sizes if name in plan.known}
    if len(own) == len(plan.sizes) and (grid is not None or own):
        yield own, (grid,) if grid is not None else _grids(plan, own.values())
    if not plan.sizes:
        if grid is None:
            yield {}, _grids(plan, ())
        return
    for size in SIZES:
        equal = dict.fromkeys(plan.sizes, size)
        yield equal, _grids(plan, equal.values())
    if len(plan.sizes) > 1:
        for turn in range(3):
            different = (*_DIFFERENT[turn:], *_DIFFERENT[:turn])
            mixed = dict(zip(plan.sizes, different * len(plan.sizes), strict=False))
            yield mixed, _grids(plan, mixed.values())


def _grids(plan: _Plan, sizes: Iterable[int]) -> tuple[Dim3, ...]:
    """Blocks enough for the largest size along each axis that the kernel reads; then fewer.

    First at least two of them, so that a port that confuses blocks is seen; some kernels take one.
    """
    largest = max(sizes, default=1)

    def grid(least: int) -> Dim3:
        x, y, z = (
            max(least, -(-largest // extent) if axis in plan.axes.threads else 1)
            if axis in plan.axes.blocks
            else 1
            for axis, extent in enumerate(plan.block)
        )
        return (x, y, z)

    return tuple(dict.fromkeys((grid(2), grid(1), (1, 1, 1))))


def _run(module: Module, plan: _Plan, sizes: Mapping[str, int], grid: Dim3) -> _Row | None:
    """What a launch touches; None where it breaks a rule or takes too long."""
    from crossport.ir.interpreter import Checks, RunReport, run

    def launch(**options: Any) -> RunReport:
        args = [_argument(plan, param, sizes) for param in plan.params]
        return run(
            module, plan.kernel.name, grid, plan.block, args, time_limit=_SECONDS,
            shared_bytes=plan.shared, **options,
        )  # fmt: skip

    reach = Reach()
    try:
        launch(watch=reach)
    except PortError:
        return None
    if any(array.fields and array.touched in reach.written_to for array in plan.arrays):
        return None  # Members of several types would be compared bit by bit.
    try:
        races = bool(launch(checks=Checks(races=True)).findings)
    except PortError:
        races = True
    return _Row(sizes, grid, reach, races)


def _argument(plan: _Plan, param: Parameter, sizes: Mapping[str, int]) -> Any:
    match param:
        case StructParam():
            return tuple(_argument(plan, part, sizes) for _, part in param.members)
        case NumberParam():
            return sizes[param.name] if param.is_size else _value(plan, param)
        case ArrayParam(name, _, dtype, width, fields):
            generator = _generator(plan, dtype)
            if fields:
                generator = Generator(
                    RECORD, fields=tuple((f, _generator(plan, f)) for f in fields)
                )
            return generate(generator, _ROOM * width, dtype, name)


def _generator(plan: _Plan, dtype: DType) -> Generator:
    return (
        Generator("normal")
        if dtype.is_float
        else Generator("uniform", {"range": _span(plan, dtype)})
    )


def _span(plan: _Plan, dtype: DType) -> tuple[int, int]:
    """Bytes are data more often than they are bounds."""
    return (0, 255) if dtype.name == "uint8" and plan.range == _INTEGER_RANGES[0] else plan.range


def _value(plan: _Plan, param: NumberParam) -> float:
    return float(plan.known.get(param.name, 0.75))


# --- Text ----------------------------------------------------------------------------------------


def _text(plan: _Plan, rows: Sequence[_Row]) -> str:
    args = "\n".join(f"  {_argument_text(plan, param, rows)}," for param in plan.params)
    block = ", ".join(map(str, plan.block))
    shared = f"shared = {plan.shared}\n" if plan.shared else ""
    members = [part for p in plan.params if isinstance(p, StructParam) for _, part in p.members]
    buffers = "\n".join(
        f"  {_array_text(plan, part, rows)}," for part in members if isinstance(part, ArrayParam)
    )
    cases = "\n".join(dict.fromkeys(_case(plan, row) for row in rows))
    return (
        f'[[kernel]]\nname = "{plan.kernel.name}"\ngrid = [1]\nblock = [{block}]\n{shared}'
        f"args = [\n{args}\n]\n"
        + (f"buffers = [\n{buffers}\n]\n" if buffers else "")
        + f"cases = [\n{cases}\n]\n"
    )


def _case(plan: _Plan, row: _Row) -> str:
    numbers = [f"{name} = {size}" for name, size in row.sizes.items()]
    lengths = [
        f"{array.name}_count = {row.reach.elements(array.touched, array.dtype.bytes * array.width)}"
        for array in plan.arrays
    ]
    grid = ", ".join(map(str, row.grid))
    return f"  {{{', '.join([*numbers, *lengths, f'grid = [{grid}]'])}}},"


def _argument_text(plan: _Plan, param: Parameter, rows: Sequence[_Row]) -> str:
    match param:
        case NumberParam():
            return _number_text(plan, param, param.name)
        case ArrayParam():
            return _array_text(plan, param, rows)
        case StructParam(name, c_type, members):
            fields = ", ".join(
                f'{{name = "{member}", array = "{part.name}"}}'
                if isinstance(part, ArrayParam)
                else _number_text(plan, part, member)
                for member, part in members
            )
            return f'{{name = "{name}", struct = "{c_type}", fields = [{fields}]}}'


def _number_text(plan: _Plan, param: NumberParam, name: str) -> str:
    value = f'"{param.name}"' if param.is_size else repr(_value(plan, param))
    return f'{{name = "{name}", dtype = "{param.dtype.name}", value = {value}}}'


def _array_text(plan: _Plan, array: ArrayParam, rows: Sequence[_Row]) -> str:
    is_read = any(array.touched in row.reach.read_to for row in rows)
    is_written = any(array.touched in row.reach.written_to for row in rows)
    role = ("inout" if is_read else "out") if is_written else "in"
    made = _made(plan, array.dtype)
    if array.fields:
        fields = ", ".join(f'{{dtype = "{f.name}", {_made(plan, f)}}}' for f in array.fields)
        made = f'gen = "{RECORD}", fields = [{fields}]'
    rest = "" if role == "out" else f", {made}"
    axes = f'"{array.name}_count"' + (f", {array.width}" if array.width > 1 else "")
    return (
        f'{{name = "{array.name}", dtype = "{array.dtype.name}", shape = [{axes}], '
        f'role = "{role}"{rest}}}'
    )


def _made(plan: _Plan, dtype: DType) -> str:
    low, high = _span(plan, dtype)
    return 'gen = "normal"' if dtype.is_float else f'gen = "uniform", range = [{low}, {high}]'
