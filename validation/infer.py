"""Guess cases for kernels that come without any, by running them and watching where they reach.

    __global__ void k(const float* x, float* y, int n)
        ->  n = 1000, x: 1000 floats read, y: 1000 floats written; and so for n = 1, 31, 33, ...

Sizes are the whole-number parameters; a launch covers them with the block of the host's launch
site, or 256 threads. The interpreter runs each launch on arrays that are larger than needed, and
what is touched says how long they are, which are read, and which are written. Launches that break
a rule (an index out of any bounds, a missing barrier) are not proposed. A person keeps, changes or
drops what comes out: `port cases`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.ir.nodes import Function, Module
from crossport.ir.types import Pointer, Scalar
from crossport.validation.dtypes import DTYPES, DType
from crossport.validation.generators import Generator, generate

SIZES = (1, 31, 33, 65, 257, 1009)
_ROOM = 1 << 16
_KINDS = {
    "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16", "i32": "int32", "u32": "uint32",
    "i64": "int64", "u64": "uint64", "f16": "float16", "bf16": "bfloat16", "f32": "float32",
    "f64": "float64", "bool": "bool",
}  # fmt: skip


@dataclass(slots=True)
class _Reach:
    """A Watch of the interpreter: how far each array is read and written."""

    read_to: dict[str, int] = field(default_factory=dict)
    written_to: dict[str, int] = field(default_factory=dict)
    runtime: Any = None

    def attach(self, runtime: Any) -> None:
        """A chunk begins."""
        self.runtime = runtime

    def read(self, target: Any, mask: Any, j: Any, kind: Any, site: int) -> None:
        """A load."""
        self._note(self.read_to, target, mask, j, kind)

    def write(self, target: Any, mask: Any, j: Any, value: Any, kind: Any, site: int) -> None:
        """A store."""
        self._note(self.written_to, target, mask, j, kind)

    def atomic(self, target: Any, mask: Any, j: Any, kind: Any, scope: str, site: int) -> None:
        """Both."""
        self._note(self.read_to, target, mask, j, kind)
        self._note(self.written_to, target, mask, j, kind)

    def barrier(self, mask: Any, scope: str) -> None:
        """Of no interest."""

    def forget(self, target: Any, mask: Any) -> None:
        """Of no interest."""

    def fence(self, mask: Any) -> None:
        """Of no interest."""

    def _note(self, where: dict[str, int], target: Any, mask: Any, j: Any, kind: Any) -> None:
        if target.space != "global":
            return
        from crossport.ir.interpreter.masks import lanes_of

        lanes = np.flatnonzero(lanes_of(mask, self.runtime.lanes))
        flat = np.asarray(target.flat(j, kind))
        at = flat[lanes] if flat.ndim else flat
        if at.size:
            end = (int(at.max()) + 1) * kind.size
            where[target.name] = max(where.get(target.name, 0), end)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One kernel's parameters, sorted by what they are."""

    kernel: Function
    arrays: dict[str, DType]
    sizes: tuple[str, ...]
    scalars: dict[str, DType]
    block: tuple[int, int, int]


def infer_cases(
    module: Module, *, blocks: dict[str, tuple[int, int, int]] | None = None, source: str
) -> str:
    """The text of a cases.toml for every kernel that can be run. Raises PortError if none can.

    blocks: block shapes known from launch sites, by kernel name.
    """
    parts: list[str] = []
    for kernel in module.kernels:
        plan = _plan(kernel, (blocks or {}).get(kernel.name, (256, 1, 1)))
        found = _tables(module, plan) if plan is not None else None
        if found:
            parts.append(found)
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


def _plan(kernel: Function, block: tuple[int, int, int]) -> _Plan | None:
    arrays: dict[str, DType] = {}
    sizes: list[str] = []
    scalars: dict[str, DType] = {}
    for param in kernel.params:
        kind = param.type.element if isinstance(param.type, Pointer) else param.type
        if not isinstance(kind, Scalar) or kind.kind not in _KINDS:
            return None
        dtype = DTYPES[_KINDS[kind.kind]]
        if isinstance(param.type, Pointer):
            arrays[param.name] = dtype
        elif dtype.kind in ("int", "uint"):
            sizes.append(param.name)
        else:
            scalars[param.name] = dtype
    return _Plan(kernel, arrays, tuple(sizes), scalars, block) if arrays else None


def _tables(module: Module, plan: _Plan) -> str | None:
    rows = []
    roles: dict[str, set[str]] = {name: set() for name in plan.arrays}
    for size in SIZES if plan.sizes else (256,):
        reach = _reach(module, plan, size)
        if reach is None:
            continue
        lengths = {}
        for name, dtype in plan.arrays.items():
            read, written = reach.read_to.get(name, 0), reach.written_to.get(name, 0)
            lengths[name] = max(-(-max(read, written) // dtype.bytes), 1)
            roles[name] |= ({"r"} if read else set()) | ({"w"} if written else set())
        numbers = ", ".join([f"{s} = {size}" for s in plan.sizes])
        counts = ", ".join(f"{name}_count = {count}" for name, count in lengths.items())
        launch = f"grid = [{_grid(plan, size)}]"
        rows.append(f"  {{{', '.join(p for p in (numbers, counts, launch) if p)}}},")
    if not rows:
        return None
    args = "\n".join(_argument(plan, name.name, roles) for name in plan.kernel.params)
    block = ", ".join(map(str, plan.block))
    return (
        f'[[kernel]]\nname = "{plan.kernel.name}"\ngrid = [1]\nblock = [{block}]\n'
        f"args = [\n{args}\n]\ncases = [\n" + "\n".join(rows) + "\n]\n"
    )


def _argument(plan: _Plan, name: str, roles: dict[str, set[str]]) -> str:
    if name in plan.sizes:
        return f'  {{name = "{name}", dtype = "{_dtype(plan, name).name}", value = "{name}"}},'
    if name in plan.scalars:
        return f'  {{name = "{name}", dtype = "{plan.scalars[name].name}", value = 0.75}},'
    dtype = plan.arrays[name]
    role = {"r": "in", "w": "out", "rw": "inout"}.get("".join(sorted(roles[name])), "in")
    # Small whole numbers: they are the likeliest indices, and harmless as data.
    made = 'gen = "normal"' if dtype.is_float else 'gen = "uniform", range = [0, 1]'
    rest = "" if role == "out" else f", {made}"
    return (
        f'  {{name = "{name}", dtype = "{dtype.name}", shape = ["{name}_count"], '
        f'role = "{role}"{rest}}},'
    )


def _dtype(plan: _Plan, name: str) -> DType:
    kind = next(p.type for p in plan.kernel.params if p.name == name)
    assert isinstance(kind, Scalar)
    return DTYPES[_KINDS[kind.kind]]


def _grid(plan: _Plan, size: int) -> str:
    return ", ".join(str(-(-size // b)) if b > 1 else "1" for b in plan.block)


def _reach(module: Module, plan: _Plan, size: int) -> _Reach | None:
    """What a launch touches; None where it breaks a rule or takes too long."""
    from crossport.ir.interpreter import run

    args: list[Any] = []
    for param in plan.kernel.params:
        if param.name in plan.sizes:
            args.append(size)
        elif param.name in plan.scalars:
            args.append(0.75)
        else:
            dtype = plan.arrays[param.name]
            rule = "normal" if dtype.is_float else "uniform"
            args.append(generate(Generator(rule, {"range": (0, 1)}), _ROOM, dtype, param.name))
    reach = _Reach()
    grid: Sequence[int] = [-(-size // b) if b > 1 else 1 for b in plan.block]
    try:
        run(
            module, plan.kernel.name, grid, plan.block, args, watch=reach, time_limit=10.0,
            shared_bytes=4 * plan.block[0] * plan.block[1] * plan.block[2],
        )  # fmt: skip
    except PortError:
        return None
    return reach
