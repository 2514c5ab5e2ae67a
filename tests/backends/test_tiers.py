"""What a kernel becomes hangs on the kernel alone, not on how deep its caller stands."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import crossport
from crossport.frontend.lowering import lower_unit
from crossport.frontend.parse import parse
from crossport.ir.interpreter import run
from crossport.ir.nesting import MOST_NESTED, nesting
from crossport.ir.passes.split_deep import DEEP
from crossport.ir.tile import graph
from crossport.result import PortResult

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def _below(frames: int, run: Callable[[], PortResult]) -> PortResult:
    """Run with only so many frames left on the stack."""
    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1

    def go(more: int) -> PortResult:
        return run() if more <= 0 else go(more - 1)

    return go(sys.getrecursionlimit() - depth - frames)


@pytest.mark.parametrize("target", ["triton", "pallas"])
def test_a_sum_over_all_lanes_is_followed_from_any_stack(target: str) -> None:
    source = CORPUS / "rng_monte_carlo" / "rng_monte_carlo.cu"
    usual = crossport.port(source, to=target)
    deep = _below(300, lambda: crossport.port(source, to=target))
    assert usual.kernels[0].tier == "tile"
    assert deep.files == usual.files


def test_an_exchange_of_too_many_values_keeps_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_NODES", 1000)
    source = CORPUS / "reduce_shared_tree" / "reduce_shared_tree.cu"
    (kernel,) = crossport.port(source, to="triton").kernels
    assert kernel.tier == "simt"
    (note,) = kernel.diagnostics
    assert "more than 1000 values" in note.message


def _chosen(levels: int) -> str:
    """A kernel with that many choices, each in the one before; none can be computed ahead."""
    value = "".join(f"v == {level} ? x[{level}] : " for level in range(levels)) + "0"
    body = f"int v = x[threadIdx.x]; x[threadIdx.x] = {value};"
    return f"__global__ void deep(int* x) {{ {body} }}"


@pytest.mark.parametrize(
    ("target", "levels"),
    [("triton", MOST_NESTED - 20), ("triton", MOST_NESTED + 20), ("pallas", MOST_NESTED + 20)],
)
def test_deep_expressions_are_ported_up_to_a_number(
    target: str, levels: int, tmp_path: Path
) -> None:
    source = tmp_path / "deep.cu"
    source.write_text(_chosen(levels))
    result = _below(300, lambda: crossport.port(source, to=target))
    (kernel,) = result.kernels
    if levels < MOST_NESTED:
        assert kernel.tier is not None
        for path, text in result.files.items():
            compile(text, str(path), "exec")
    else:
        assert any(f"more than {MOST_NESTED}" in d.message for d in kernel.diagnostics)


def test_a_long_sum_is_ported_in_parts(tmp_path: Path) -> None:
    source = tmp_path / "long.cu"
    terms = " + ".join(f"{n} * v" for n in range(1, 601))
    source.write_text(f"__global__ void sum(int* x) {{ int v = x[0]; x[threadIdx.x] = {terms}; }}")
    module = lower_unit(parse(str(source)))
    assert all(nesting(function) < 2 * DEEP for function in module.functions)
    array = np.full(4, 3, np.int32)
    run(module, "sum", 1, 4, [array])
    assert (array == 3 * 600 * 601 // 2).all()
    (kernel,) = crossport.port(source, to="triton").kernels
    assert kernel.tier == "tile"
