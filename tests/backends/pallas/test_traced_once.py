"""A launch is traced once for its grid, block, whole numbers and shapes, and computes the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crossport

jax = pytest.importorskip("jax")

ROOT = Path(__file__).resolve().parents[3]


def _port(name: str) -> dict[str, Any]:
    (output,) = crossport.port(ROOT / "corpus" / name / f"{name}.cu", to="tpu").outputs
    space: dict[str, Any] = {"__name__": "port"}
    exec(compile(output.data.decode(), f"{name}_pallas.py", "exec"), space)
    return space


@pytest.fixture
def vecadd() -> tuple[Any, list[int]]:
    """The port, and how often its launcher's body ran."""
    space = _port("vecadd")
    traced: list[int] = []
    plain = space["_flat"]

    def counted(*arguments: Any) -> Any:
        traced.append(1)
        return plain(*arguments)

    space["_flat"] = counted
    return space["vecadd"], traced


def test_what_is_the_same_is_not_traced_again(vecadd: tuple[Any, list[int]]) -> None:
    add, traced = vecadd

    def launch(n: Any, size: int, grid: Any = 3) -> None:
        a, b = (np.random.default_rng(k).normal(size=size).astype(np.float32) for k in (1, 2))
        c = np.full(size, np.nan, np.float32)
        (found,) = add(grid, 256, a, b, c, n, interpret=True)
        np.testing.assert_array_equal(np.asarray(found)[: int(n)], (a + b)[: int(n)])
        assert np.isnan(np.asarray(found)[int(n) :]).all()

    launch(700, 700)
    once = len(traced)
    for same in (700, np.int32(700), jax.numpy.int32(700)):
        launch(same, 700, [3])
    assert len(traced) == once
    launch(699, 700)
    launch(700, 701)
    assert len(traced) == 3 * once


def test_it_can_be_traced_by_others(vecadd: tuple[Any, list[int]]) -> None:
    add, _ = vecadd
    x = np.arange(300, dtype=np.float32)

    def twice(values: Any, n: Any) -> Any:
        (once,) = add((2,), (256,), values, values, values, n, interpret=True)
        return add((2,), (256,), once, values, once, n, interpret=True)[0]

    np.testing.assert_array_equal(jax.jit(twice)(x, 300), 3 * x)
    np.testing.assert_array_equal(jax.jit(twice, static_argnums=1)(x, 300), 3 * x)


def test_bad_launches_still_say_what_fits(vecadd: tuple[Any, list[int]]) -> None:
    add, _ = vecadd
    x = np.zeros(8, np.float32)
    for _ in range(2):
        with pytest.raises(ValueError, match="at most 1024 threads"):
            add(1, 2048, x, x, x, 8, interpret=True)
    with pytest.raises(TypeError):
        add(1, 32, x, x, interpret=True)


def test_device_variables_are_read_anew() -> None:
    conv = _port("conv2d_constant")["KERNELS"]
    (function,) = conv.values()
    assert "filter" in function.globals and not hasattr(function, "__wrapped__")
