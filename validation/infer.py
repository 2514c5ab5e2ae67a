"""Guess cases for kernels that come without any, by running them and watching where they reach.

    __global__ void k(const float* x, float* y, int n)
        ->  n = 1000, x: 1000 floats read, y: 1000 floats written; and so for n = 1, 31, 33, ...

Sizes are the whole-number parameters. What the host's launch sites give as constants (block, grid,
dynamic shared memory, arguments) is the first row; the rows after it vary the sizes: all equal, so
that every bound is met, and all different, so that a port that mixes two of them up is seen. The
interpreter runs each launch on arrays that are larger than needed, and what is touched says how
long they are, which are read, and which are written. Launches that break a rule (an index out of
any bounds, a missing barrier) are not proposed. A person keeps, changes or drops what comes out:
`port cases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.nodes import Function, Module
from crossport.ir.types import Array, Pointer, Scalar
from crossport.validation.dtypes import DTYPES, DType
from crossport.validation.generators import Generator, generate
from crossport.validation.reach import Reach

Dim3 = tuple[int, int, int]

SIZES = (1, 31, 33, 65, 257, 1009)
_DIFFERENT = (37, 70, 5, 18, 3, 11, 7, 2)
_ROOM = 1 << 16
_SECONDS = 5.0
_BLOCKS: tuple[Dim3, ...] = ((256, 1, 1), (64, 1, 1), (32, 1, 1), (16, 16, 1), (1, 1, 1))
_MOST_SHARED = 48 << 10
# As indices, large numbers reach further; as loop bounds, they may run away: the first that works.
_INTEGER_RANGES = ((0, 30), (0, 1))
_KINDS = {
    "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16", "i32": "int32", "u32": "uint32",
    "i64": "int64", "u64": "uint64", "f16": "float16", "bf16": "bfloat16", "f32": "float32",
    "f64": "float64", "bool": "bool",
}  # fmt: skip


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
    arrays: Mapping[str, DType]
    sizes: tuple[str, ...]
    scalars: Mapping[str, DType]
    block: Dim3
    shared: int
    range: tuple[int, int]
    known: Mapping[str, int | float]
    """Scalar arguments that the launch site gives."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One launch that ran: its sizes, and what it touched."""

    sizes: Mapping[str, int]
    grid: Dim3
    reach: Reach


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
    """The table of one kernel, by the first way to launch it that works."""
    for plan in _plans(kernel, hint or LaunchHint()):
        rows = list(_rows(module, plan, hint))
        if rows:
            return _text(plan, rows)
    return None


def _plans(kernel: Function, hint: LaunchHint) -> Iterator[_Plan]:
    arrays: dict[str, DType] = {}
    sizes: list[str] = []
    scalars: dict[str, DType] = {}
    for param in kernel.params:
        kind = param.type.element if isinstance(param.type, Pointer) else param.type
        if not isinstance(kind, Scalar) or kind.kind not in _KINDS:
            return
        dtype = DTYPES[_KINDS[kind.kind]]
        if isinstance(param.type, Pointer):
            arrays[param.name] = dtype
        elif dtype.kind in ("int", "uint"):
            sizes.append(param.name)
        else:
            scalars[param.name] = dtype
    if not arrays:
        return
    known = {
        param.name: value
        for param, value in zip(kernel.params, hint.arguments, strict=False)
        if value is not None and param.name not in arrays
    }
    shared = hint.shared
    if shared is None:
        dynamic = any(isinstance(v.type, Array) and v.type.length == 0 for v in kernel.shared)
        shared = _MOST_SHARED if dynamic else 0
    whole = any(dtype.kind in ("int", "uint") for dtype in arrays.values())
    for block in (hint.block,) if hint.block is not None else _BLOCKS:
        for span in _INTEGER_RANGES if whole else _INTEGER_RANGES[:1]:
            yield _Plan(kernel, arrays, tuple(sizes), scalars, block, shared, span, known)


def _rows(module: Module, plan: _Plan, hint: LaunchHint | None) -> Iterator[_Row]:
    for sizes, grid in _launches(plan, hint):
        reach = _run(module, plan, sizes, grid)
        if reach is not None:
            yield _Row(sizes, grid, reach)


def _launches(plan: _Plan, hint: LaunchHint | None) -> Iterator[tuple[dict[str, int], Dim3]]:
    """Sizes and grids to try: the host's own first."""
    grid = hint.grid if hint is not None else None
    own = {name: int(plan.known[name]) for name in plan.sizes if name in plan.known}
    if len(own) == len(plan.sizes) and (grid is not None or own):
        yield own, grid or _grid(plan, own.values())
    if not plan.sizes:
        if grid is None:
            yield {}, (2, 1, 1)
        return
    for size in SIZES:
        equal = dict.fromkeys(plan.sizes, size)
        yield equal, _grid(plan, equal.values())
    if len(plan.sizes) > 1:
        for turn in range(3):
            different = (*_DIFFERENT[turn:], *_DIFFERENT[:turn])
            mixed = dict(zip(plan.sizes, different * len(plan.sizes), strict=False))
            yield mixed, _grid(plan, mixed.values())


def _grid(plan: _Plan, sizes: Any) -> Dim3:
    """Blocks enough for the largest size, in every direction that a block extends to."""
    largest = max(sizes, default=1)
    x, y, z = (-(-largest // extent) if extent > 1 else 1 for extent in plan.block)
    return (x, y, z)


def _run(module: Module, plan: _Plan, sizes: Mapping[str, int], grid: Dim3) -> Reach | None:
    """What a launch touches; None where it breaks a rule or takes too long."""
    from crossport.ir.interpreter import run

    args: list[Any] = []
    for param in plan.kernel.params:
        if param.name in sizes:
            args.append(sizes[param.name])
        elif param.name in plan.scalars:
            args.append(_value(plan, param.name))
        else:
            dtype = plan.arrays[param.name]
            rule = "normal" if dtype.is_float else "uniform"
            args.append(generate(Generator(rule, {"range": plan.range}), _ROOM, dtype, param.name))
    reach = Reach()
    try:
        run(
            module, plan.kernel.name, grid, plan.block, args, watch=reach, time_limit=_SECONDS,
            shared_bytes=plan.shared,
        )  # fmt: skip
    except PortError:
        return None
    return reach


# --- Text ----------------------------------------------------------------------------------------


def _text(plan: _Plan, rows: Sequence[_Row]) -> str:
    args = "\n".join(_argument(plan, param.name, rows) for param in plan.kernel.params)
    block = ", ".join(map(str, plan.block))
    shared = f"shared = {plan.shared}\n" if plan.shared else ""
    cases = "\n".join(dict.fromkeys(_case(plan, row) for row in rows))
    return (
        f'[[kernel]]\nname = "{plan.kernel.name}"\ngrid = [1]\nblock = [{block}]\n{shared}'
        f"args = [\n{args}\n]\ncases = [\n{cases}\n]\n"
    )


def _case(plan: _Plan, row: _Row) -> str:
    numbers = [f"{name} = {size}" for name, size in row.sizes.items()]
    lengths = [
        f"{name}_count = {row.reach.elements(name, dtype.bytes)}"
        for name, dtype in plan.arrays.items()
    ]
    grid = ", ".join(map(str, row.grid))
    return f"  {{{', '.join([*numbers, *lengths, f'grid = [{grid}]'])}}},"


def _argument(plan: _Plan, name: str, rows: Sequence[_Row]) -> str:
    if name in plan.sizes:
        return f'  {{name = "{name}", dtype = "{_dtype(plan, name).name}", value = "{name}"}},'
    if name in plan.scalars:
        value = _value(plan, name)
        return f'  {{name = "{name}", dtype = "{plan.scalars[name].name}", value = {value!r}}},'
    dtype = plan.arrays[name]
    is_read = any(name in row.reach.read_to for row in rows)
    is_written = any(name in row.reach.written_to for row in rows)
    role = ("inout" if is_read else "out") if is_written else "in"
    low, high = plan.range
    made = 'gen = "normal"' if dtype.is_float else f'gen = "uniform", range = [{low}, {high}]'
    rest = "" if role == "out" else f", {made}"
    return (
        f'  {{name = "{name}", dtype = "{dtype.name}", shape = ["{name}_count"], '
        f'role = "{role}"{rest}}},'
    )


def _value(plan: _Plan, name: str) -> float:
    return float(plan.known.get(name, 0.75))


def _dtype(plan: _Plan, name: str) -> DType:
    kind = next(p.type for p in plan.kernel.params if p.name == name)
    assert isinstance(kind, Scalar)
    return DTYPES[_KINDS[kind.kind]]
