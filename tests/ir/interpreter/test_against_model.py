"""The interpreter against the scalar model, on expressions and kernels that Hypothesis draws."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interpreter_model import Thread, round_float
from interpreter_strategies import DTYPES, NUMBERS, expressions, kernels, values_of

from crossport.ir.interpreter import run
from crossport.ir.nodes import (
    Assign,
    Binary,
    Deref,
    Function,
    KernelInfo,
    Let,
    Module,
    Param,
    Read,
    Special,
    Var,
)
from crossport.ir.printer import print_module
from crossport.ir.types import BOOL, SCALARS, VOID, Pointer, Scalar

LANES = 40
SLOW = settings(
    max_examples=int(os.environ.get("INTERPRETER_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def _expression_kernel(type: Scalar, expr: Any) -> Module:
    """Each thread reads one number of every type and stores the expression."""
    i = Binary("+", Binary("*", Special("block.x"), Special("block_dim.x")), Special("thread.x"))
    params = [Param("out", Pointer(type))]
    body: list[Any] = []
    for scalar in NUMBERS:
        params.append(Param(f"p_{scalar.kind}", Pointer(scalar)))
        pointer = Read(Var(f"p_{scalar.kind}", Pointer(scalar)))
        body.append(Let(Var(f"x_{scalar.kind}", scalar), Read(Deref(pointer, i, scalar))))
    body.append(Assign(Deref(Read(Var("out", Pointer(type))), i, type), expr))
    return Module((Function("k", tuple(params), VOID, tuple(body), (), KernelInfo()),))


def _plain(kind: str, raw: Any) -> Any:
    if kind == "bool":
        return bool(raw)
    if kind == "bf16":
        return float((np.uint32(raw) << np.uint32(16)).view(np.float32))
    return float(raw) if kind in ("f16", "f32", "f64") else int(raw)


def _agree(kind: str, got: Any, want: Any) -> bool:
    if isinstance(want, float):
        if want != want:
            return bool(got != got)
        return bool(got == want) and math.copysign(1, got) == math.copysign(1, want)
    return bool(got == want)


@SLOW
@given(data=st.data(), seed=st.integers(0, 1000))
def test_expressions(data: st.DataObject, seed: int) -> None:
    type = data.draw(st.sampled_from((*NUMBERS, BOOL)))
    names = {f"x_{s.kind}": s for s in NUMBERS}
    expr = data.draw(expressions(type, names))
    module = _expression_kernel(type, expr)
    arrays = {s.kind: values_of(s, LANES, seed) for s in NUMBERS}
    out = np.zeros(LANES, DTYPES[type.kind])
    run(module, "k", 2, 20, [out, *arrays.values()])
    for lane in range(LANES):
        special = {"thread.x": lane % 20, "block.x": lane // 20, "block_dim.x": 20}
        values = {f"x_{k}": _plain(k, a[lane]) for k, a in arrays.items()}
        want = Thread(special, values).expr(expr)
        got = _plain(type.kind, out[lane])
        assert _agree(type.kind, got, want), (lane, got, want)


@SLOW
@given(module=kernels(), a=st.integers(-5, 40), b=st.sampled_from([0.0, 1.5, -3.25, 1e9]),
       width=st.sampled_from([32, 64]), block=st.sampled_from([1, 5, 32, 37]))  # fmt: skip
def test_kernels(module: Module, a: int, b: float, width: int, block: int) -> None:
    out = np.arange(8 * 2 * block, dtype=np.int32)
    want = [int(v) for v in out]
    run(module, "k", 2, block, [out, a, b], warp_size=width)
    for lane in range(2 * block):
        special = {"thread.x": lane % block, "block.x": lane // block, "block_dim.x": block}
        thread = Thread(special, {"out": want, "a": a, "b": round_float("f32", b)})
        thread.run(module.function("k"))
    assert [int(v) for v in out] == want, print_module(module)


def test_every_pair_of_casts() -> None:
    for source in (*NUMBERS, BOOL):
        for target in (*NUMBERS, BOOL):
            name = f"x_{source.kind}"
            from crossport.ir.nodes import Cast, Const

            value = Read(Var(name, source)) if source != BOOL else Const(True, BOOL)
            expr = Cast(value, target)
            module = _expression_kernel(target, expr)
            arrays = {s.kind: values_of(s, LANES, 3) for s in NUMBERS}
            out = np.zeros(LANES, DTYPES[target.kind])
            run(module, "k", 2, 20, [out, *arrays.values()])
            for lane in range(LANES):
                values = {f"x_{k}": _plain(k, a[lane]) for k, a in arrays.items()}
                want = Thread({}, values).expr(expr)
                got = _plain(target.kind, out[lane])
                assert _agree(target.kind, got, want), (source, target, values.get(name), got, want)


assert SCALARS
