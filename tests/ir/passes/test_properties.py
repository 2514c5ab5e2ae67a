"""A pass never changes what a kernel computes: on drawn kernels, and on real ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interpreter_strategies import kernels, values_of

from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.interpreter import run
from crossport.ir.nodes import AddressOf, Call, Function, KernelInfo, Let, Module, Param, Read, Var
from crossport.ir.parser import parse_module
from crossport.ir.passes import PASSES, each_function, simplify
from crossport.ir.passes.split_deep import split_deep
from crossport.ir.printer import print_module
from crossport.ir.types import F32, I32, VOID, Pointer
from crossport.ir.verify import verify

SETTINGS = settings(
    max_examples=int(os.environ.get("PASS_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
SEMANTICS = Path(__file__).parents[2] / "frontend" / "lowering" / "semantics"
EXPECTED: dict[str, Any] = json.loads((SEMANTICS / "expected.json").read_text())


def outcome(module: Module) -> np.ndarray[Any, Any]:
    """What the kernel `k` leaves in its array."""
    out = values_of(I32, 2 * 20 * 8, 3)
    run(module, "k", 2, 20, [out, 7, np.float32(2.5)])
    return out


@pytest.mark.parametrize("rule", PASSES, ids=[p.__name__ for p in PASSES])
@SETTINGS
@given(module=kernels())
def test_a_pass_keeps_the_meaning(rule: Callable[[Module], Module], module: Module) -> None:
    changed = rule(module)
    assert verify(changed) == [], print_module(changed)
    assert np.array_equal(outcome(module), outcome(changed)), print_module(changed)


@SETTINGS
@given(module=kernels(), deep=st.integers(2, 5))
def test_splitting_keeps_the_meaning(module: Module, deep: int) -> None:
    changed = each_function(lambda function: split_deep(function, deep))(module)
    assert verify(changed) == [], print_module(changed)
    assert np.array_equal(outcome(module), outcome(changed)), print_module(changed)


@SETTINGS
@given(module=kernels())
def test_inlining_keeps_the_meaning(module: Module) -> None:
    """The drawn kernel becomes a device function that a kernel calls twice."""
    wrapped = called_twice(module.function("k"))
    assert verify(wrapped) == []
    changed = simplify(wrapped)
    assert verify(changed) == [], print_module(changed)
    assert len(changed.functions) == 1
    assert not any(isinstance(s, Call) for s in changed.functions[0].body)
    assert np.array_equal(outcome(wrapped), outcome(changed)), print_module(changed)


def called_twice(kernel: Function) -> Module:
    """A kernel `k` that calls the old one as a function, once with a local's address more."""
    extra = Param("changed", Pointer(I32))
    function = replace(kernel, name="f", kernel=None, params=(*kernel.params, extra))
    out, a, b = (Read(Var(p.name, p.type)) for p in kernel.params)
    local = Var("changing", I32)
    args = (out, a, b, AddressOf(local))
    body = (Let(local, a), Call(None, "f", args), Call(None, "f", (out, Read(local), b, args[3])))
    caller = Function("k", kernel.params, VOID, body, (), KernelInfo())
    return Module((function, caller))


@SETTINGS
@given(module=kernels())
def test_a_second_run_changes_nothing(module: Module) -> None:
    for rule in PASSES:
        once = rule(module)
        assert rule(once) == once, rule.__name__
    assert parse_module(print_module(module)) == module


@pytest.mark.parametrize("path", sorted(SEMANTICS.glob("*.cu")), ids=lambda p: p.stem)
def test_simplified_kernels_agree_with_the_host_compiler(path: Path) -> None:
    module = lower_unit(parse(path), strict=True)
    changed = simplify(module)
    assert verify(changed) == []
    for kernel in changed.kernels:
        out, real = np.zeros(48, np.int64), np.zeros(48, np.float64)
        run(changed, kernel.name, 1, 1, [out, real])
        wanted = EXPECTED[kernel.name]
        found = [(i, int(a), b) for i, (a, b) in enumerate(zip(out, wanted["out"], strict=True))]
        assert [f for f in found if f[1] != f[2]] == [], kernel.name
        assert [v.hex() for v in real.tolist()] == wanted["real"], kernel.name


__all__ = ["F32"]
